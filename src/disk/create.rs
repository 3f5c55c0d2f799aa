//! Files and directories that are new.

use std::fs::{OpenOptions, create_dir, create_dir_all};
use std::io::{ErrorKind, Write};
use std::path::Path;

use super::error::OutputError;

/// Writes a file where none is yet, and the directories above it.
///
/// # Errors
/// Something is there already, or the system refuses.
pub fn create(path: &Path, text: &str) -> Result<(), OutputError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        create_dir_all(folder).map_err(|error| OutputError::system("make", folder, &error))?;
    }
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => OutputError::Exists(path.to_owned()),
        _ => OutputError::system("write", path, &error),
    })
}

/// Makes the directory `root` if it is missing and the one above it is there; true if it made it.
///
/// # Errors
/// The one above is missing too, so that the path is most likely mistyped, or the system refuses.
pub fn make_root(root: &Path) -> Result<bool, OutputError> {
    match create_dir(root) {
        Ok(()) => Ok(true),
        // What else is there is reported when something is put into it.
        Err(error) if error.kind() == ErrorKind::AlreadyExists || root.exists() => Ok(false),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let above = root.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let reason = format!("`{}` does not exist", above.display());
            let help = "mend the path; if it is right, make the directories above it with `mkdir -p`";
            Err(OutputError::refused("make", root, reason).help(help))
        }
        Err(error) => Err(OutputError::system("make", root, &error)),
    }
}
