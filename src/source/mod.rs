//! A source directory as something to read from, wherever it lies: on a disk, in memory, or in several layers of an
//! image.

mod memory;
mod union;

pub use memory::{Memory, Remembered};
pub use union::{Mount, Union};

use std::io;
use std::path::PathBuf;

/// A source directory that was named, and what came of opening it.
#[derive(Debug)]
pub struct Source<D> {
    /// The path as the user typed it.
    pub path: PathBuf,
    /// The open directory, or why there is none.
    pub directory: io::Result<D>,
}

/// An open directory. A name is a path below it, of one component or several; only the links on the way and, except
/// where this says otherwise, the link at its end are followed. Every error carries the errno that a system call gives.
pub trait Directory: Sized {
    /// The entries without `.` and `..`, in byte order of the names.
    ///
    /// # Errors
    /// The directory cannot be listed.
    fn list(&mut self) -> io::Result<Vec<Listed>>;

    /// What a name leads to, symbolic links followed.
    ///
    /// # Errors
    /// `NotFound` also for a link that leads nowhere; `ELOOP`, `EACCES` and others as they come.
    fn kind(&self, name: &[u8]) -> io::Result<EntryKind>;

    /// Opens the directory that a name leads to.
    ///
    /// # Errors
    /// As [`kind`](Self::kind), and `NotADirectory`.
    fn directory(&self, name: &[u8]) -> io::Result<Self>;

    /// Reads at most `limit` bytes of the file that a name leads to. A fifo reads as empty, as one does that nobody
    /// writes to; this never waits.
    ///
    /// # Errors
    /// As [`kind`](Self::kind), and `IsADirectory`, which is the only error that says that opening went well.
    fn read(&self, name: &[u8], limit: usize) -> io::Result<Vec<u8>>;

    /// The target of the symbolic link of that name, as it is written.
    ///
    /// # Errors
    /// There is no such entry, or it is no link. A directory that does not tell is as good as one without links.
    fn link(&self, name: &[u8]) -> io::Result<Vec<u8>> {
        let _ = name;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The root of the file system that this directory is a part of, if that is known.
    fn root(&self) -> Option<Self> {
        None
    }

    /// Where an entry really lies, for whoever has to find it; `.` is the directory itself. Nothing if that is below
    /// the path by which the directory was named.
    fn place(&self, name: &[u8]) -> Option<PathBuf> {
        let _ = name;
        None
    }

    /// Where the symbolic link is that a lower layer has in the place of this directory's own directory `name`, which hides
    /// it instead of adding to what it leads to.
    fn hidden_link(&self, name: &[u8]) -> Option<PathBuf> {
        let _ = name;
        None
    }

    /// Whether the file that a name leads to has an x bit. Where files have none, all of them can be executed.
    ///
    /// # Errors
    /// As [`kind`](Self::kind).
    fn is_executable(&self, name: &[u8]) -> io::Result<bool> {
        self.kind(name).map(|_| true)
    }
}

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Its name.
    pub name: Vec<u8>,
    /// What it is itself.
    pub kind: EntryKind,
}

/// What an entry of a directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A fifo: whoever opens it to read waits for a writer.
    Fifo,
    /// A socket or a device.
    Other,
}
