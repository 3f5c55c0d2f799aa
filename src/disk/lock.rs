//! Locks on files and directories. A lock only stops processes that ask for the same lock.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, FdFlags, fcntl_setfd};
use rustix::process::geteuid;

use super::error::DiskError;
use super::folder::Folder;
use super::list::names;
use super::look::file_identity;
use super::read::read;
use super::root::Root;

/// How long to sleep before trying again to get a lock that another process holds.
const PAUSE: Duration = Duration::from_millis(20);

/// Holds an exclusive lock on a file or directory until dropped.
#[derive(Debug)]
pub struct Lock(File);

impl Lock {
    /// Shares the lock with the programs that this process starts. If this process is killed, the lock lasts until those
    /// programs end.
    ///
    /// # Errors
    /// The system refuses.
    pub fn with_children(self) -> Result<Self, DiskError> {
        let set = fcntl_setfd(&self.0, FdFlags::empty());
        set.map_err(|errno| DiskError::system("lock", Path::new("."), &errno.into()))?;
        Ok(self)
    }
}

/// Locks the directory `path`. Waits up to `patience` if another process holds the lock, and calls `on_wait` once before it
/// waits.
///
/// # Errors
/// The system refuses, or others hold the lock all the time.
pub fn lock(path: &Path, patience: Duration, on_wait: impl FnOnce()) -> Result<Lock, DiskError> {
    let open = || Folder::open(path).and_then(|folder| folder.open_itself());
    let open = || open().map_err(|error| failed(path, &error));
    lock_opened(path, patience, on_wait, open, || file_identity(path))
}

/// Locks the file `name` in an open directory like [`lock`]. Makes an empty file if nothing is there.
///
/// # Errors
/// It is a link or anything else, the system refuses, or others hold the lock all the time.
pub fn lock_file(folder: &Folder, name: &str, patience: Duration) -> Result<Lock, DiskError> {
    let path = folder.path_of(name);
    let open = || folder.open_to_lock(name).map_err(|error| failed(&path, &error));
    let identity = || {
        let metadata = folder.open_file(name).ok()?.metadata().ok()?;
        Some((metadata.dev(), metadata.ino()))
    };
    lock_opened(&path, patience, || {}, open, identity)
}

/// Locks the directory at `path` below a root like [`lock`], and makes it if it is missing. Adds the directories that it makes
/// to `made`, even if it then fails.
///
/// # Errors
/// The system refuses, or others hold the lock all the time.
pub fn lock_directory(
    root: &Root<'_>,
    path: &str,
    patience: Duration,
    made: &mut Vec<PathBuf>,
) -> Result<Lock, DiskError> {
    let shown = root.path(path);
    let open = || {
        // Another process may remove the directory again: it made it, and then its own work failed.
        root.forget();
        let folder = root.make_directories(path, made)?;
        folder.open_itself().map_err(|error| failed(&shown, &error))
    };
    let identity = || {
        root.forget();
        root.folder(path).ok()??.stat().ok().map(|stat| (stat.st_dev, stat.st_ino))
    };
    lock_opened(&shown, patience, || {}, open, identity)
}

/// Locks the file that `open` opens at `path`. If another file is at `path` by the time it holds the lock, by its device and
/// inode in `identity`, it calls `open` again.
fn lock_opened(
    path: &Path,
    patience: Duration,
    on_wait: impl FnOnce(),
    mut open: impl FnMut() -> Result<File, DiskError>,
    identity: impl Fn() -> Option<(u64, u64)>,
) -> Result<Lock, DiskError> {
    let deadline = Instant::now() + patience;
    let mut on_wait = Some(on_wait);
    loop {
        let handle = open()?;
        loop {
            match flock(&handle, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::WOULDBLOCK) if on_wait.is_some() && is_held_by_stranger(&handle) => break,
                Err(Errno::WOULDBLOCK) if Instant::now() < deadline => {
                    if let Some(on_wait) = on_wait.take() {
                        on_wait();
                    }
                    sleep(PAUSE);
                }
                Err(Errno::WOULDBLOCK) => {
                    let reason = format!("another s6gen has held it for {} seconds", patience.as_secs());
                    return Err(DiskError::refused("lock", path, reason)
                        .help("wait until it ends, or stop it, and try again"));
                }
                Err(Errno::INTR) => {}
                // Some network file systems have no locks. Go on without one there.
                Ok(()) | Err(_) => break,
            }
        }
        let ours = handle.metadata().map_err(|error| failed(path, &error))?;
        if identity() == Some((ours.dev(), ours.ino())) {
            return Ok(Lock(handle));
        }
    }
}

/// Whether all holders of the lock are users who may not change the file or directory. A process that may open it may also lock
/// it, and could keep root out for ever, although it cannot be an s6gen that changes something. Only root can find that out.
fn is_held_by_stranger(handle: &File) -> bool {
    let Some(metadata) = handle.metadata().ok().filter(|_| geteuid().is_root()) else { return false };
    if metadata.mode() & 0o022 != 0 {
        return false;
    }
    let identity = (metadata.dev(), metadata.ino());
    let own = std::process::id().to_string();
    let processes = names(Path::new("/proc")).unwrap_or_default();
    let users: BTreeSet<u32> = processes
        .iter()
        .filter(|name| name.to_str().is_some_and(|name| name != own && name.parse::<u32>().is_ok()))
        .map(|name| Path::new("/proc").join(name))
        .filter(|process| is_holder(process, identity))
        .filter_map(|process| fs::metadata(process).ok().map(|metadata| metadata.uid()))
        .collect();
    !users.is_empty() && !users.contains(&0) && !users.contains(&metadata.uid())
}

/// Whether the process with this directory in `/proc` holds a lock on the file with this identity. It is not enough that the
/// file is open, because a process that waits for the lock has it open too.
pub fn is_holder(process: &Path, identity: (u64, u64)) -> bool {
    let descriptors = process.join("fd");
    let opened = names(&descriptors).unwrap_or_default();
    opened.iter().filter(|name| file_identity(&descriptors.join(name)) == Some(identity)).any(|name| {
        let info = read(&process.join("fdinfo").join(name)).unwrap_or_default();
        info.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"lock:"))
    })
}

fn failed(path: &Path, error: &io::Error) -> DiskError {
    DiskError::system("lock", path, error)
}
