//! Replaces whole files while other processes may read them.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::error::DiskError;
use super::folder::Folder;

/// Replaces the content of the file `name` in an open directory. A reader finds either all of the old content or all of the
/// new content, even after a kill or a power cut.
///
/// # Errors
/// The system refuses; the old content is still there.
pub fn replace(folder: &Folder, name: &str, content: &[u8]) -> Result<(), DiskError> {
    let replaced = folder.replace(name, content, File::sync_all);
    replaced.map_err(|error| DiskError::system("write", &folder.path_of(name), &error))
}

/// Replaces the content of the file at `path` like [`replace`], but without protection against a power cut. Use it for files
/// that have no meaning after the next boot.
///
/// # Errors
/// The system refuses; the old content is still there.
pub fn replace_until_boot(path: &Path, content: &[u8]) -> Result<(), DiskError> {
    let write = || -> io::Result<()> {
        let (Some(above), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str()))
        else {
            return Err(ErrorKind::InvalidInput.into());
        };
        Folder::open(above)?.replace(name, content, |_| Ok(()))
    };
    write().map_err(DiskError::of("write", path))
}
