//! Opens files and directories. This is the one place for the flags that keep reading from waiting or from following a
//! link.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, openat};

use super::error::DiskError;

// Without O_NONBLOCK, opening a fifo would wait for a writer.
const READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC).union(OFlags::NOCTTY);

/// Opens what is at `path`, links followed.
pub(super) fn open(path: &Path) -> io::Result<File> {
    Ok(rustix::fs::open(path, READ, Mode::empty())?.into())
}

/// Opens what is at `path`, unless that is a link.
pub(super) fn open_itself(path: &Path) -> io::Result<File> {
    Ok(rustix::fs::open(path, READ | OFlags::NOFOLLOW, Mode::empty())?.into())
}

/// Opens the directory at `path`, links followed.
pub(super) fn open_directory(path: &Path) -> io::Result<OwnedFd> {
    Ok(rustix::fs::open(path, READ | OFlags::DIRECTORY, Mode::empty())?)
}

/// Opens what `name` in an open directory leads to.
pub(super) fn open_in(directory: BorrowedFd<'_>, name: &[u8]) -> io::Result<File> {
    Ok(openat(directory, name, READ, Mode::empty())?.into())
}

/// Opens the directory that `name` in an open directory leads to.
pub(super) fn open_directory_in(directory: BorrowedFd<'_>, name: &[u8]) -> io::Result<OwnedFd> {
    Ok(openat(directory, name, READ | OFlags::DIRECTORY, Mode::empty())?)
}

/// Empties a file, or makes it, and opens it for reading and writing: another process is to write it.
///
/// # Errors
/// The system refuses.
pub fn open_log(path: &Path) -> Result<File, DiskError> {
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path);
    opened.map_err(DiskError::of("write", path))
}
