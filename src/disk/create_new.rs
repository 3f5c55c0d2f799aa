//! Makes new files and directories. They never replace anything.

use std::fs::{OpenOptions, create_dir, create_dir_all, rename};
use std::io::{ErrorKind, Write};
use std::path::Path;

use super::error::DiskError;

/// Writes a new file. Makes the missing directories above it first.
///
/// # Errors
/// The file already exists, or the system refuses.
pub fn create_new(path: &Path, text: &str) -> Result<(), DiskError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        create_dir_all(folder).map_err(|error| DiskError::system("make", folder, &error))?;
    }
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => DiskError::Exists(path.to_owned()),
        _ => DiskError::system("write", path, &error),
    })
}

/// Moves a file, link or directory to a path where nothing is. Makes the missing directories above it first.
///
/// # Errors
/// Something is there already, or the system refuses.
pub fn move_new(from: &Path, to: &Path) -> Result<(), DiskError> {
    if to.symlink_metadata().is_ok() {
        return Err(DiskError::Exists(to.to_owned()));
    }
    if let Some(folder) = to.parent() {
        create_dir_all(folder).map_err(|error| DiskError::system("make", folder, &error))?;
    }
    rename(from, to).map_err(|error| DiskError::system("move", from, &error))
}

/// Makes the directory `root` if it is missing. Returns whether it was missing.
///
/// # Errors
/// The directory above is missing too, so the path is probably mistyped; or the system refuses.
pub fn make_root(root: &Path) -> Result<bool, DiskError> {
    match create_dir(root) {
        Ok(()) => Ok(true),
        // If `root` is not a directory, the first write into it fails and reports that.
        Err(error) if error.kind() == ErrorKind::AlreadyExists || root.exists() => Ok(false),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let above = root.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let reason = format!("`{}` does not exist", above.display());
            let help = "correct the path; if it is right, make the directories above it with `mkdir -p`";
            Err(DiskError::refused("make", root, reason).help(help))
        }
        Err(error) => Err(DiskError::system("make", root, &error)),
    }
}
