//! Replaces whole files while other processes may read them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::DiskError;

/// Replaces the content of a file. A reader finds either all of the old content or all of the new content, even after a
/// kill or a power cut.
///
/// # Errors
/// The system refuses; the old content is still there.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), DiskError> {
    put(path, content, File::sync_all)
}

/// Replaces the content of a file like [`replace`], but without protection against a power cut. Use it for files that have
/// no meaning after the next boot.
///
/// # Errors
/// The system refuses; the old content is still there.
pub fn replace_until_boot(path: &Path, content: &[u8]) -> Result<(), DiskError> {
    put(path, content, |_| Ok(()))
}

fn put(path: &Path, content: &[u8], sync: impl Fn(&File) -> io::Result<()>) -> Result<(), DiskError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&beside)?;
        file.write_all(content)?;
        sync(&file)?;
        fs::rename(&beside, path)
    };
    write().map_err(|error| {
        let _ = fs::remove_file(&beside);
        DiskError::system("write", path, &error)
    })
}
