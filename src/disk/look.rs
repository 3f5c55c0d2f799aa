//! Finds out what is at a path, without opening it.

use std::fs;
use std::io::{self};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

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

/// An absolute path as a user would write it: relative to the current directory, if it is below that.
pub fn shown(path: &Path) -> PathBuf {
    let current = fs::canonicalize(".").unwrap_or_default();
    path.strip_prefix(current).unwrap_or(path).to_owned()
}

/// The current directory, and the root of the git repository that it is in. Without one, both are the current directory.
pub fn repository() -> (PathBuf, PathBuf) {
    let current = fs::canonicalize(".").unwrap_or_default();
    let root = current.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&current).to_owned();
    (current, root)
}
