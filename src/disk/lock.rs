//! Locks on files and directories, which whoever asks for the same one respects.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, FdFlags, fcntl_setfd};

use super::error::OutputError;

/// How often a lock that another process holds is tried.
const PAUSE: Duration = Duration::from_millis(20);

/// A lock on a file or directory, until it is dropped.
#[derive(Debug)]
pub struct Lock(File);

impl Lock {
    /// Lets the programs that are started hold the lock as well: if this one is killed, others wait until those end.
    ///
    /// # Errors
    /// The system refuses.
    pub fn with_children(self) -> Result<Self, OutputError> {
        let set = fcntl_setfd(&self.0, FdFlags::empty());
        set.map_err(|errno| OutputError::system("lock", Path::new("."), &errno.into()))?;
        Ok(self)
    }
}

/// Locks the file or directory `path` against everybody else who asks for the same, as long as it takes, up to `patience`.
/// If there is nothing, it becomes an empty file. `waits` is called if it has to wait.
///
/// # Errors
/// The system refuses, or the others hold it all the time.
pub fn lock(path: &Path, patience: Duration, waits: impl FnOnce()) -> Result<Lock, OutputError> {
    lock_opened(path, patience, waits, || {
        let opened = File::open(path).or_else(|error| match error.kind() {
            ErrorKind::NotFound => OpenOptions::new().append(true).create(true).open(path),
            _ => Err(error),
        });
        opened.map_err(|error| failed(path, &error))
    })
}

/// The same for what `open` opens at `path`, or makes there; it is called again if that goes away before it is locked.
pub(super) fn lock_opened(
    path: &Path,
    patience: Duration,
    waits: impl FnOnce(),
    mut open: impl FnMut() -> Result<File, OutputError>,
) -> Result<Lock, OutputError> {
    let deadline = Instant::now() + patience;
    let mut waits = Some(waits);
    loop {
        let handle = open()?;
        loop {
            match flock(&handle, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::WOULDBLOCK) if Instant::now() < deadline => {
                    if let Some(waits) = waits.take() {
                        waits();
                    }
                    sleep(PAUSE);
                }
                Err(Errno::WOULDBLOCK) => {
                    let reason = format!("another s6gen has held it for {} seconds", patience.as_secs());
                    return Err(OutputError::refused("lock", path, reason)
                        .help("wait until that one is done, or end it, and try again"));
                }
                Err(Errno::INTR) => {}
                // Some network file systems have no locks; that is no reason not to go on there.
                Ok(()) | Err(_) => break,
            }
        }
        let ours = handle.metadata().map_err(|error| failed(path, &error))?;
        if fs::metadata(path).is_ok_and(|found| (found.dev(), found.ino()) == (ours.dev(), ours.ino())) {
            return Ok(Lock(handle));
        }
    }
}

fn failed(path: &Path, error: &io::Error) -> OutputError {
    OutputError::system("lock", path, error)
}
