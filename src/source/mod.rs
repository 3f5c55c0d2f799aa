//! The interface to read a source directory from any place: a disk, memory, or several layers of an image.

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
    /// The open directory, or the error.
    pub directory: io::Result<D>,
}

/// An open directory. A name is a path below it, of one or more components. All links in it are followed, the last one too
/// unless a function says otherwise. Every error has the error number of the system call.
pub trait Directory: Sized {
    /// The entries in byte order of the names, without `.` and `..`.
    ///
    /// # Errors
    /// The directory cannot be listed.
    fn list(&mut self) -> io::Result<Vec<Listed>>;

    /// The kind of file that a name leads to.
    ///
    /// # Errors
    /// `NotFound`, also for a dangling link; `ELOOP`, `EACCES` and others from the system.
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

    /// Like [`read`](Self::read), for an entry that was listed as a regular file. This may save system calls.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn read_file(&self, name: &[u8], limit: usize) -> io::Result<Vec<u8>> {
        self.read(name, limit)
    }

    /// Whether the entry is a regular file without content. The answer may be `false` if finding out would mean to read it.
    fn is_empty_file(&self, name: &[u8]) -> bool {
        let _ = name;
        false
    }

    /// The target of the symbolic link `name`, as written.
    ///
    /// # Errors
    /// There is no such entry, or it is not a link. The default is a directory without links.
    fn link(&self, name: &[u8]) -> io::Result<Vec<u8>> {
        let _ = name;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The root of the file system that this directory is a part of, if that is known.
    fn root(&self) -> Option<Self> {
        None
    }

    /// The path of an entry for people; `.` is the directory itself. `None` if it is simply below the path of the directory.
    fn place(&self, name: &[u8]) -> Option<PathBuf> {
        let _ = name;
        None
    }

    /// The path of a symbolic link in a lower layer that the directory `name` hides. The user probably wanted to add to the
    /// target of that link.
    fn hidden_link(&self, name: &[u8]) -> Option<PathBuf> {
        let _ = name;
        None
    }

    /// Whether the file that a name leads to has an x bit. If the files of a directory have no modes, all of them count as
    /// executable.
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
    /// The kind of the entry itself, which may be a link.
    pub kind: EntryKind,
}

/// The kinds of entries of a directory.
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
