//! Replaces whole files while other processes may read them.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::error::DiskError;
use super::folder::Folder;
use super::write::file_mode;

/// Replaces the content of the file `name` in an open directory. A reader finds either all of the old content or all of the
/// new content, even after a kill or a power cut.
///
/// # Errors
/// The system refuses; the old content is still there.
pub fn replace(folder: &Folder, name: &str, content: &[u8]) -> Result<(), DiskError> {
    let replaced = folder.replace(name, content, file_mode(false), File::sync_all);
    replaced.map_err(|error| DiskError::system("write", &folder.path_of(name), &error))
}

/// Replaces the content of the file at `path` like [`replace`], but without protection against a power cut. Use it for files
/// that have no meaning after the next boot.
///
/// # Errors
/// The system refuses; the old content is still there.
pub fn replace_until_boot(path: &Path, content: &[u8]) -> Result<(), DiskError> {
    in_its_folder(path, content, file_mode(false), |_| Ok(())).map_err(DiskError::of("write", path))
}

/// Replaces or makes the file of a user at `path` like [`replace`]. It keeps its permissions. If it is a link, the file to which it
/// leads is replaced.
///
/// # Errors
/// The system refuses; the old content is still there.
pub fn replace_file(path: &Path, content: &[u8]) -> Result<(), DiskError> {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mode = fs::metadata(&real).map_or(file_mode(false), |metadata| metadata.mode() & 0o7777);
    in_its_folder(&real, content, mode, File::sync_all).map_err(DiskError::of("write", path))
}

/// Gives everybody who may read the file at `path` the right to run it.
///
/// # Errors
/// The system refuses.
pub fn make_executable(path: &Path) -> Result<(), DiskError> {
    let change = || {
        let mode = fs::metadata(path)?.mode() & 0o7777;
        fs::set_permissions(path, Permissions::from_mode(mode | (mode & 0o444) >> 2))
    };
    change().map_err(DiskError::of("change the mode of", path))
}

fn in_its_folder(
    path: &Path,
    content: &[u8],
    mode: u32,
    sync: impl Fn(&File) -> io::Result<()>,
) -> io::Result<()> {
    let (Some(above), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Err(ErrorKind::InvalidInput.into());
    };
    let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
    Folder::open(above)?.replace(name, content, mode, sync)
}
