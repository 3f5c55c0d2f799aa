//! What is done to single files, and what a refusal leaves behind.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::error::OutputError;
use super::ground::{DIRECTORY_MODE, file_mode};
use crate::tree::TreeEntry;

/// Renames what was staged into place. A directory is only ever renamed while it is new and empty: one of a lower
/// overlay layer cannot be.
pub(super) fn put(staged: &Path, path: &Path, entry: &TreeEntry) -> io::Result<()> {
    match fs::rename(staged, path) {
        Err(_) if *entry == TreeEntry::Directory => make_directory(path),
        // Another file system is mounted on the way, or on the file itself.
        Err(error) if matches!(error.kind(), ErrorKind::CrossesDevices | ErrorKind::ResourceBusy) => {
            let over = matches!(entry, TreeEntry::File { .. })
                && fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
            if over {
                let mut file = OpenOptions::new().write(true).truncate(true).open(path)?;
                return fill(&mut file, entry);
            }
            remove(path)?;
            create(path, entry)
        }
        result => result,
    }
}

/// Makes what is wanted where nothing is.
pub(super) fn create(path: &Path, entry: &TreeEntry) -> io::Result<()> {
    match entry {
        TreeEntry::Directory => make_directory(path),
        TreeEntry::Link(target) => symlink(target, path),
        TreeEntry::File { .. } => {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            fill(&mut file, entry)
        }
    }
}

fn fill(file: &mut File, entry: &TreeEntry) -> io::Result<()> {
    if let TreeEntry::File { content, executable } = entry {
        file.write_all(content)?;
        file.set_permissions(Permissions::from_mode(file_mode(*executable)))?;
    }
    Ok(())
}

/// Makes a directory with our permissions, whatever the umask.
pub(super) fn make_directory(path: &Path) -> io::Result<()> {
    fs::create_dir(path)?;
    let opened = fs::set_permissions(path, Permissions::from_mode(DIRECTORY_MODE));
    opened.inspect_err(|_| undo(&[path.to_owned()]))
}

/// Makes a directory and all that are missing above it.
pub(super) fn make_directories(path: &Path, made: &mut Vec<PathBuf>) -> Result<(), OutputError> {
    let missing: Vec<&Path> =
        path.ancestors().take_while(|p| !p.as_os_str().is_empty() && !p.is_dir()).collect();
    for path in missing.into_iter().rev() {
        match make_directory(path) {
            Ok(()) => made.push(path.to_owned()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => {}
            Err(error) => return Err(OutputError::system("make", path, &error)),
        }
    }
    Ok(())
}

/// Takes away directories that a failed build made, as far as they are still empty.
pub(super) fn undo(made: &[PathBuf]) {
    for path in made.iter().rev() {
        let _ = fs::remove_dir(path);
    }
}

/// Removes whatever is there, if anything is.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    removed.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// Copies a file, a link, or a directory with everything in it. A link to a file at the top of a definition becomes that
/// file: s6-rc follows such a link, and from another place it would lead elsewhere. Fifos and the like are left out.
pub(super) fn copy(from: &Path, to: &Path, depth: usize) -> io::Result<()> {
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
