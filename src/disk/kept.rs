//! Files that are replaced as a whole while others read them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, FdFlags, fcntl_setfd};

use super::error::OutputError;

/// How often a lock that another process holds is tried.
const PAUSE: Duration = Duration::from_millis(20);

/// A lock on a file or directory, until it is dropped.
#[derive(Debug)]
pub struct Kept {
    handle: File,
}

impl Kept {
    /// Lets the programs that are started hold the lock as well: if this one is killed, others wait until those end.
    ///
    /// # Errors
    /// The system refuses.
    pub fn with_children(self) -> Result<Self, OutputError> {
        let set = fcntl_setfd(&self.handle, FdFlags::empty());
        set.map_err(|errno| OutputError::system("lock", Path::new("."), &errno.into()))?;
        Ok(self)
    }
}

/// The content of a file, if there is one.
///
/// # Errors
/// The system refuses to read it.
pub fn read_kept(path: &Path) -> Result<Option<Vec<u8>>, OutputError> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(OutputError::system("read", path, &error)),
    }
}

/// Replaces the content of a file: whoever reads it, also after a kill or a power cut, finds all of the old content or
/// all of the new one.
///
/// # Errors
/// The system refuses; the old content is still there.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), OutputError> {
    put(path, content, File::sync_all)
}

/// The same, but for the power cut: for files that mean nothing after the next boot.
///
/// # Errors
/// The system refuses; the old content is still there.
pub fn replace_until_boot(path: &Path, content: &[u8]) -> Result<(), OutputError> {
    put(path, content, |_| Ok(()))
}

fn put(path: &Path, content: &[u8], sync: impl Fn(&File) -> io::Result<()>) -> Result<(), OutputError> {
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
        OutputError::system("write", path, &error)
    })
}

/// Opens a file that another process is to write, for that and for reading.
///
/// # Errors
/// The system refuses.
pub fn open_log(path: &Path) -> Result<File, OutputError> {
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path);
    opened.map_err(|error| OutputError::system("write", path, &error))
}

/// Locks the file or directory `path` against everybody else who asks for the same, as long as it takes, up to `patience`.
/// If there is nothing, it becomes an empty file.
///
/// # Errors
/// The system refuses, or the others hold it all the time.
pub fn lock(path: &Path, patience: Duration) -> Result<Kept, OutputError> {
    let deadline = Instant::now() + patience;
    loop {
        let opened = File::open(path).or_else(|error| match error.kind() {
            ErrorKind::NotFound => OpenOptions::new().append(true).create(true).open(path),
            _ => Err(error),
        });
        let handle = opened.map_err(|error| OutputError::system("lock", path, &error))?;
        loop {
            match flock(&handle, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::WOULDBLOCK) if Instant::now() < deadline => sleep(PAUSE),
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
        let same =
            |found: fs::Metadata, ours: fs::Metadata| (found.dev(), found.ino()) == (ours.dev(), ours.ino());
        let ours = handle.metadata().map_err(|error| OutputError::system("lock", path, &error))?;
        if fs::metadata(path).is_ok_and(|found| same(found, ours)) {
            return Ok(Kept { handle });
        }
    }
}

/// The directory of definitions in the image at `root` that holds a file `name`: one of `places`, or where a link in one
/// of them leads. Both are absolute paths in the image.
pub fn find_tree(root: &Path, places: &[&str], name: &str) -> Option<String> {
    let inside = |path: &str| root.join(path.trim_start_matches('/'));
    let holds = |path: &str| inside(path).join(name).is_file();
    if let Some(place) = places.iter().find(|place| holds(place)) {
        return Some((*place).to_owned());
    }
    places.iter().find_map(|place| {
        let mut links: Vec<PathBuf> = fs::read_dir(inside(place))
            .ok()?
            .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
            .filter_map(|target| target.parent().map(Path::to_owned))
            .collect();
        links.sort();
        links.dedup();
        links.into_iter().find_map(|parent| {
            let path = plain(&Path::new(place).join(parent))?;
            holds(&path).then_some(path)
        })
    })
}

/// An absolute path without `.` and `..`.
fn plain(path: &Path) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for name in path.to_str()?.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    Some(format!("/{}", names.join("/")))
}
