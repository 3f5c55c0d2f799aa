//! Finds out what is at a path, without opening it.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::Access;
use rustix::io::Errno;

use super::error::DiskError;

/// The kind of thing at a path. Links are not followed.
pub enum OnDisk {
    /// Nothing is there, or a component of the path is not a directory.
    Nothing,
    /// A directory with these permissions.
    Directory {
        /// The nine permission bits.
        mode: u32,
    },
    /// A regular file.
    File {
        /// The permission bits with set-user-ID, set-group-ID and sticky.
        mode: u32,
        /// The length in bytes.
        length: u64,
    },
    /// A symbolic link with this target.
    Link(PathBuf),
    /// A fifo, a socket or a device.
    Other,
}

/// Returns what is at `path`. Links are not followed.
///
/// # Errors
/// The system refuses to tell.
pub fn look(path: &Path) -> Result<OnDisk, DiskError> {
    let failed = |error: io::Error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Ok(OnDisk::Nothing),
        _ => Err(DiskError::system("look at", path, &error)),
    };
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => return failed(error),
    };
    let mode = metadata.permissions().mode();
    let kind = metadata.file_type();
    Ok(if kind.is_dir() {
        // A directory inherits the set-group-ID bit from the one above, so it says nothing about this tree.
        OnDisk::Directory { mode: mode & 0o777 }
    } else if kind.is_file() {
        OnDisk::File { mode: mode & 0o7777, length: metadata.len() }
    } else if kind.is_symlink() {
        match fs::read_link(path) {
            Ok(target) => OnDisk::Link(target),
            Err(error) => return failed(error),
        }
    } else {
        OnDisk::Other
    })
}

/// Whether anything is at `path`, links followed.
pub fn is_there(path: &Path) -> bool {
    path.exists()
}

/// Whether anything is at `path`, links followed.
///
/// # Errors
/// The system refuses to tell.
pub fn exists(path: &Path) -> Result<bool, DiskError> {
    path.try_exists().map_err(DiskError::of("look at", path))
}

/// Whether a directory is at `path`, links followed.
pub fn is_directory(path: &Path) -> bool {
    path.is_dir()
}

/// Whether a regular file is at `path`, links followed.
pub fn is_file(path: &Path) -> bool {
    path.is_file()
}

/// Whether a symbolic link is at `path`.
pub fn is_link(path: &Path) -> bool {
    path.is_symlink()
}

/// The absolute path of `path`, with all links resolved.
///
/// # Errors
/// Nothing is there, or the system refuses.
pub fn real_path(path: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(path)
}

/// The device and inode of what is at `path`, links followed. Two paths with the same pair lead to the same file.
pub fn file_identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Checks that this process may add and remove entries of the directory `path`. A missing directory is no error.
///
/// # Errors
/// The system does not allow it.
pub fn may_change(path: &Path) -> Result<(), DiskError> {
    match rustix::fs::access(path, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) | Err(Errno::NOENT | Errno::NOTDIR) => Ok(()),
        Err(errno) => Err(DiskError::system("change", path, &errno.into())),
    }
}
