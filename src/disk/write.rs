//! Writes, copies, renames and removes single files, links and directories.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::error::DiskError;
use crate::tree::TreeEntry;

/// The permissions of a directory that s6gen makes, whatever the umask.
pub const DIRECTORY_MODE: u32 = 0o755;

/// The permissions of a file that s6gen makes, whatever the umask.
pub fn file_mode(executable: bool) -> u32 {
    if executable { 0o755 } else { 0o644 }
}

/// Moves a staged entry to its final path with a rename. If a rename is impossible, writes the entry there instead.
///
/// # Errors
/// The system refuses.
pub fn put(staged: &Path, path: &Path, entry: &TreeEntry) -> io::Result<()> {
    match fs::rename(staged, path) {
        Err(_) if *entry == TreeEntry::Directory => make_directory(path),
        // The target is on another file system, or is a mount point itself.
        Err(error) if matches!(error.kind(), ErrorKind::CrossesDevices | ErrorKind::ResourceBusy) => {
            let is_file_on_file = matches!(entry, TreeEntry::File { .. })
                && fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
            if is_file_on_file {
                let mut file = OpenOptions::new().write(true).truncate(true).open(path)?;
                return write_content(&mut file, entry);
            }
            remove(path)?;
            create(path, entry)
        }
        result => result,
    }
}

/// Makes an entry of a tree at a path that does not exist yet.
///
/// # Errors
/// Something is there already, or the system refuses.
pub fn create(path: &Path, entry: &TreeEntry) -> io::Result<()> {
    match entry {
        TreeEntry::Directory => make_directory(path),
        TreeEntry::Link(target) => symlink(target, path),
        TreeEntry::File { .. } => {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            write_content(&mut file, entry)
        }
    }
}

fn write_content(file: &mut File, entry: &TreeEntry) -> io::Result<()> {
    if let TreeEntry::File { content, executable } = entry {
        file.write_all(content)?;
        file.set_permissions(Permissions::from_mode(file_mode(*executable)))?;
    }
    Ok(())
}

/// Makes a directory with [`DIRECTORY_MODE`].
///
/// # Errors
/// Something is there already, or the system refuses.
pub fn make_directory(path: &Path) -> io::Result<()> {
    fs::create_dir(path)?;
    set_directory_mode(path).inspect_err(|_| remove_empty(&[path.to_owned()]))
}

/// Makes a directory and all missing directories above it. Adds those that it makes to `made`, even if it then fails.
///
/// # Errors
/// The system refuses.
pub fn make_directories(path: &Path, made: &mut Vec<PathBuf>) -> Result<(), DiskError> {
    let missing: Vec<&Path> =
        path.ancestors().take_while(|p| !p.as_os_str().is_empty() && !p.is_dir()).collect();
    for path in missing.into_iter().rev() {
        match make_directory(path) {
            Ok(()) => made.push(path.to_owned()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => {}
            Err(error) => return Err(DiskError::system("make", path, &error)),
        }
    }
    Ok(())
}

/// Removes those of these directories that are empty. Starts with the last one.
pub fn remove_empty(made: &[PathBuf]) {
    for path in made.iter().rev() {
        let _ = fs::remove_dir(path);
    }
}

/// Removes the file, link or directory at `path`, a directory with everything in it.
///
/// # Errors
/// The system refuses. A missing path is no error.
pub fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    removed.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// Copies a file, a link, or a directory with everything in it. Leaves out fifos, sockets and devices.
///
/// `depth` is the depth of `from` in its definition: 0 for the definition itself. A link at depth 1 that leads to a file is
/// copied as a file: s6-rc follows such a link, and a relative link would lead elsewhere from the copy.
///
/// # Errors
/// The system refuses.
pub fn copy(from: &Path, to: &Path, depth: usize) -> io::Result<()> {
    let kind = fs::symlink_metadata(from)?.file_type();
    if kind.is_dir() {
        make_directory(to)?;
        for entry in fs::read_dir(from)? {
            let name = entry?.file_name();
            copy(&from.join(&name), &to.join(&name), depth + 1)?;
        }
        Ok(())
    } else if kind.is_file() || depth == 1 && fs::metadata(from).is_ok_and(|metadata| metadata.is_file()) {
        fs::copy(from, to).map(drop)
    } else if kind.is_symlink() {
        symlink(fs::read_link(from)?, to)
    } else {
        Ok(())
    }
}

/// Renames a file, link or directory.
///
/// # Errors
/// The system refuses.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

/// Makes a symbolic link.
///
/// # Errors
/// Something is there already, or the system refuses.
pub fn make_link(target: &Path, path: &Path) -> io::Result<()> {
    symlink(target, path)
}

/// Writes an empty file. Empties the file if it exists.
///
/// # Errors
/// The system refuses.
pub fn write_empty(path: &Path) -> io::Result<()> {
    fs::write(path, "")
}

/// Gives a directory [`DIRECTORY_MODE`].
///
/// # Errors
/// The system refuses.
pub fn set_directory_mode(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(DIRECTORY_MODE))
}

/// Removes a file or link.
///
/// # Errors
/// Nothing is there, or the system refuses.
pub fn remove_file(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
}

/// Removes an empty directory.
///
/// # Errors
/// It is not empty, nothing is there, or the system refuses.
pub fn remove_directory(path: &Path) -> io::Result<()> {
    fs::remove_dir(path)
}

/// Makes a directory and all missing directories above it. Returns its absolute path with all links resolved.
///
/// # Errors
/// The system refuses.
pub fn make_folder(path: &Path) -> Result<PathBuf, DiskError> {
    fs::create_dir_all(path).and_then(|()| fs::canonicalize(path)).map_err(DiskError::of("make", path))
}

/// Removes a directory with everything in it. A missing directory is no error.
///
/// # Errors
/// The system refuses.
pub fn remove_folder(path: &Path) -> Result<(), DiskError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(DiskError::system("remove", path, &error)),
        _ => Ok(()),
    }
}

/// Sets the umask 022 for this process and the programs that it starts, so that every user can read the files that they
/// make.
pub fn use_usual_umask() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
}
