use std::fs::{OpenOptions, create_dir_all};
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
