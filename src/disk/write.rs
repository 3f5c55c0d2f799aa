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
    let set = fs::set_permissions(path, Permissions::from_mode(DIRECTORY_MODE));
    set.inspect_err(|_| drop(fs::remove_dir(path)))
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
