//! Source directories that are read once and used several times.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;

use super::{Directory, EntryKind, Listed, Source};

/// Everything that was read of some source directories. If they are opened again, the answers come from here, so that a check
/// and a comparison see the same bytes.
///
/// Directories are not kept open: there may be more of them than a process may have open files.
#[derive(Debug, Default)]
pub struct Memory {
    sources: RefCell<Vec<Rc<RefCell<RememberedDirectory>>>>,
}

/// A directory that remembers its entries and files.
#[derive(Debug)]
pub struct Remembered<D> {
    directory: D,
    known: Rc<RefCell<RememberedDirectory>>,
}

/// Everything that was read of one directory.
#[derive(Debug, Default)]
struct RememberedDirectory {
    entries: Option<Vec<Listed>>,
    files: BTreeMap<Vec<u8>, RememberedContent>,
    directories: BTreeMap<Vec<u8>, Rc<RefCell<RememberedDirectory>>>,
}

/// The content of a file, or the beginning of it.
#[derive(Debug)]
struct RememberedContent {
    bytes: Vec<u8>,
    is_whole: bool,
}

impl Memory {
    /// The source directories `sources`, with everything that was read of them before. They must be the same ones each time.
    pub fn of<D: Directory>(&self, sources: Vec<Source<D>>) -> Vec<Source<Remembered<D>>> {
        let mut known = self.sources.borrow_mut();
        known.resize_with(sources.len(), Rc::default);
        let remember = |(source, known): (Source<D>, &Rc<RefCell<RememberedDirectory>>)| Source {
            path: source.path,
            directory: source.directory.map(|directory| Remembered { directory, known: Rc::clone(known) }),
        };
        sources.into_iter().zip(known.iter()).map(remember).collect()
    }
}

impl<D: Directory> Directory for Remembered<D> {
    fn list(&mut self) -> io::Result<Vec<Listed>> {
        if let Some(entries) = &self.known.borrow().entries {
            return Ok(entries.clone());
        }
        let entries = self.directory.list()?;
        self.known.borrow_mut().entries = Some(entries.clone());
        Ok(entries)
    }

    fn kind(&self, name: &[u8]) -> io::Result<EntryKind> {
        self.directory.kind(name)
    }

    fn directory(&self, name: &[u8]) -> io::Result<Self> {
        let directory = self.directory.directory(name)?;
        let known = Rc::clone(self.known.borrow_mut().directories.entry(name.to_owned()).or_default());
        Ok(Remembered { directory, known })
    }

    fn read(&self, name: &[u8], limit: usize) -> io::Result<Vec<u8>> {
        self.remembered(name, limit, || self.directory.read(name, limit))
    }

    fn read_file(&self, name: &[u8], limit: usize) -> io::Result<Vec<u8>> {
        self.remembered(name, limit, || self.directory.read_file(name, limit))
    }

    fn is_empty_file(&self, name: &[u8]) -> bool {
        self.directory.is_empty_file(name)
    }

    fn link(&self, name: &[u8]) -> io::Result<Vec<u8>> {
        self.directory.link(name)
    }

    fn root(&self) -> Option<Self> {
        let directory = self.directory.root()?;
        Some(Remembered { directory, known: Rc::default() })
    }

    fn place(&self, name: &[u8]) -> Option<PathBuf> {
        self.directory.place(name)
    }

    fn hidden_link(&self, name: &[u8]) -> Option<PathBuf> {
        self.directory.hidden_link(name)
    }

    fn is_executable(&self, name: &[u8]) -> io::Result<bool> {
        self.directory.is_executable(name)
    }
}

impl<D> Remembered<D> {
    /// The content of a file, which `read` reads unless it was read before.
    fn remembered(
        &self,
        name: &[u8],
        limit: usize,
        read: impl FnOnce() -> io::Result<Vec<u8>>,
    ) -> io::Result<Vec<u8>> {
        if let Some(content) = self.known.borrow().files.get(name)
            && (content.is_whole || content.bytes.len() >= limit)
        {
            return Ok(content.bytes[..limit.min(content.bytes.len())].to_vec());
        }
        let bytes = read()?;
        let is_whole = bytes.len() < limit;
        self.known
            .borrow_mut()
            .files
            .insert(name.to_owned(), RememberedContent { bytes: bytes.clone(), is_whole });
        Ok(bytes)
    }
}
