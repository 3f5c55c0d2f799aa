//! Opens files and directories. All flags that prevent waiting or following a link are here.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

use super::error::DiskError;
use crate::progress;

// Without O_NONBLOCK, opening a fifo would wait for a writer.
const READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC).union(OFlags::NOCTTY);

/// Opens the file at `path`. Links are followed.
pub(super) fn open(path: &Path) -> io::Result<File> {
    Ok(rustix::fs::open(path, READ, Mode::empty())?.into())
}

/// Opens the entry `name` of an open directory, without waiting. Fails if it is a link.
pub(super) fn open_entry_in(directory: impl AsFd, name: impl rustix::path::Arg) -> io::Result<File> {
    match openat(directory, name, READ | OFlags::NOFOLLOW, Mode::empty()) {
        // A link, or a socket or device without anything behind it.
        Err(Errno::LOOP | Errno::NXIO) => Err(not_regular()),
        opened => Ok(opened?.into()),
    }
}

/// Opens the regular file `name` in an open directory. Fails if it is a link or anything else, without waiting.
pub(super) fn open_no_link_in(directory: impl AsFd, name: impl rustix::path::Arg) -> io::Result<File> {
    let file = open_entry_in(directory, name)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(not_regular()) }
}

fn not_regular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")
}

/// The flags to open a directory only as a step to its entries. Listing it is not possible, and needs no permission.
const STEP: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Opens the directory at `path` as the start of a path that is walked name by name. Links are followed.
pub(super) fn open_step(path: &Path) -> io::Result<OwnedFd> {
    Ok(rustix::fs::open(path, STEP, Mode::empty())?)
}

/// Opens the directory `name` in an open directory as the next step of such a path. Fails if it is a link.
pub(super) fn open_step_in(directory: impl AsFd, name: impl rustix::path::Arg) -> io::Result<OwnedFd> {
    Ok(openat(directory, name, STEP | OFlags::NOFOLLOW, Mode::empty())?)
}

/// Opens the directory at `path`. Links are followed.
pub(super) fn open_directory(path: &Path) -> io::Result<OwnedFd> {
    Ok(rustix::fs::open(path, READ | OFlags::DIRECTORY, Mode::empty())?)
}

/// Opens the file `name` in an open directory. Links are followed.
pub(super) fn open_in(directory: BorrowedFd<'_>, name: &[u8]) -> io::Result<File> {
    progress::advance();
    Ok(openat(directory, name, READ, Mode::empty())?.into())
}

/// Opens the directory `name` in an open directory. Links are followed.
pub(super) fn open_directory_in(directory: BorrowedFd<'_>, name: &[u8]) -> io::Result<OwnedFd> {
    Ok(openat(directory, name, READ | OFlags::DIRECTORY, Mode::empty())?)
}

/// Opens a log file for reading and writing: empty, and made if it is missing. Another process then writes to it.
///
/// # Errors
/// The system refuses.
pub fn open_log(path: &Path) -> Result<File, DiskError> {
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path);
    opened.map_err(DiskError::of("write", path))
}
