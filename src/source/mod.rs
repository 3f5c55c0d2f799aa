//! A source directory as something to read from, wherever it lies: on a disk, in memory, or in several layers of an
//! image.

mod memory;
mod union;

pub use memory::{Memory, Remembered};
pub use union::{Mount, Union};

use std::io;
use std::path::PathBuf;

/// A source directory that a user named, and the result of opening it.
#[derive(Debug)]
pub struct Source<D> {
    /// The path as the user typed it.
    pub path: PathBuf,
    /// The open directory, or why there is none.
    pub directory: io::Result<D>,
}

/// An open directory. A name is a path below it, of one component or several. Links on the way are followed, and a link at
/// the end too unless a function says otherwise. Every error carries the error number that a system call gives.
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

    /// Reads at most `limit` bytes of the file that a name leads to. This never waits: a fifo without a writer reads as empty.
    ///
    /// # Errors
    /// As [`kind`](Self::kind), and `IsADirectory`. For any other error the file could not be opened.
    fn read(&self, name: &[u8], limit: usize) -> io::Result<Vec<u8>>;

    /// The target of the symbolic link of that name, as it is written.
    ///
    /// # Errors
    /// There is no such entry, or it is not a link. A directory that cannot tell counts as one without links.
    fn link(&self, name: &[u8]) -> io::Result<Vec<u8>> {
        let _ = name;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The root of the file system that this directory is a part of, if that is known.
    fn root(&self) -> Option<Self> {
        None
    }

    /// The path at which a person finds an entry; `.` is the directory itself. Nothing if that is below the path by which the
    /// directory was named.
    fn place(&self, name: &[u8]) -> Option<PathBuf> {
        let _ = name;
        None
    }

    /// The path of a symbolic link in a lower layer that the directory `name` of this one hides, instead of adding to what
    /// the link leads to.
    fn hidden_link(&self, name: &[u8]) -> Option<PathBuf> {
        let _ = name;
        None
    }

    /// Whether the file that a name leads to has an x bit. In a directory whose files have no modes, every file has one.
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
    /// A fifo: a process that opens it for reading waits for a writer.
    Fifo,
    /// A socket or a device.
    Other,
}
