//! Shows a directory of an image as it is after s6-overlay has completed the start bundles in it.

use std::io;
use std::path::PathBuf;

use crate::source::{Directory, EntryKind, Listed};

/// A directory with the start bundles that s6-overlay adds to it: those that the lowest layer of the image contains, or
/// those that `rc.init` writes.
#[derive(Debug)]
pub struct Completed<D> {
    /// The real directory, if there is one.
    directory: Option<D>,
    adds: Adds,
}

#[derive(Debug, Clone, Copy)]
enum Adds {
    Nothing,
    /// These bundles.
    Bundles(&'static [&'static str], AddedBy),
    /// The files of one bundle.
    BundleFiles(AddedBy),
}

/// How something is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AddedBy {
    /// A lower layer contains it. Existing entries hide it.
    LowerLayer,
    /// `rc.init` writes it. It replaces existing files and follows links.
    Init,
}

const TYPE: &[u8] = b"type";
const CONTENTS: &[u8] = b"contents.d";

impl<D: Directory> Completed<D> {
    /// A directory to which nothing is added.
    pub(super) fn plain(directory: D) -> Self {
        Completed { directory: Some(directory), adds: Adds::Nothing }
    }

    /// An empty directory.
    pub(super) fn empty() -> Self {
        Completed { directory: None, adds: Adds::Nothing }
    }

    /// A source directory in which `bundles` are completed: by `rc.init` if `is_written`, otherwise by the lowest layer.
    pub(super) fn source(directory: Option<D>, bundles: &'static [&'static str], is_written: bool) -> Self {
        let by = if is_written { AddedBy::Init } else { AddedBy::LowerLayer };
        Completed { directory, adds: Adds::Bundles(bundles, by) }
    }

    /// The kind of the entry `name` in the real directory, if there is one.
    fn real(&self, name: &[u8]) -> Option<io::Result<EntryKind>> {
        match self.directory.as_ref()?.kind(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            kind => Some(kind),
        }
    }

    fn is_link(&self, name: &[u8]) -> bool {
        self.directory.as_ref().is_some_and(|directory| directory.link(name).is_ok())
    }

    /// The kind of the entry that is added as `name`. `None` if nothing is added, or if an existing entry stays.
    fn added(&self, name: &[u8]) -> Option<EntryKind> {
        match self.adds {
            Adds::Bundles(bundles, _) if bundles.iter().any(|bundle| bundle.as_bytes() == name) => {
                (self.real(name).is_none() && !self.is_link(name)).then_some(EntryKind::Directory)
            }
            Adds::BundleFiles(_) if name == CONTENTS => {
                (self.real(name).is_none() && !self.is_link(name)).then_some(EntryKind::Directory)
            }
            Adds::BundleFiles(by) if name == TYPE => match self.real(name) {
                None => Some(EntryKind::File),
                Some(kind) => (by == AddedBy::Init && !matches!(kind, Ok(EntryKind::Directory)))
                    .then_some(EntryKind::File),
            },
            _ => None,
        }
    }

    /// Splits a path with several components, if its first one is a directory to which something is added. Returns that
    /// directory and the rest of the path.
    fn below<'p>(&self, path: &'p [u8]) -> Option<(io::Result<Self>, &'p [u8])> {
        let slash = path.iter().position(|byte| *byte == b'/')?;
        let rest =
            path[slash..].iter().position(|byte| *byte != b'/').map_or(&b"."[..], |at| &path[slash + at..]);
        self.names().contains(&&path[..slash]).then(|| (self.directory(&path[..slash]), rest))
    }

    fn names(&self) -> Vec<&'static [u8]> {
        match self.adds {
            Adds::Nothing => Vec::new(),
            Adds::Bundles(bundles, _) => bundles.iter().map(|name| name.as_bytes()).collect(),
            Adds::BundleFiles(_) => vec![CONTENTS, TYPE],
        }
    }
}

fn missing() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl<D: Directory> Directory for Completed<D> {
    fn list(&mut self) -> io::Result<Vec<Listed>> {
        let mut entries = match &mut self.directory {
            Some(directory) => directory.list()?,
            None => Vec::new(),
        };
        for name in self.names() {
            if let Some(kind) = self.added(name) {
                entries.retain(|entry| entry.name != name);
                entries.push(Listed { name: name.to_vec(), kind });
            }
        }
        entries.sort_unstable();
        Ok(entries)
    }

    fn kind(&self, name: &[u8]) -> io::Result<EntryKind> {
        if let Some((inner, rest)) = self.below(name) {
            return inner?.kind(rest);
        }
        match (self.added(name), &self.directory) {
            (Some(kind), _) => Ok(kind),
            (None, Some(directory)) => directory.kind(name),
            (None, None) if name == b"." => Ok(EntryKind::Directory),
            (None, None) => Err(missing()),
        }
    }

    fn directory(&self, name: &[u8]) -> io::Result<Self> {
        if let Some((inner, rest)) = self.below(name) {
            return inner?.directory(rest);
        }
        let directory = match (&self.directory, self.added(name)) {
            (_, Some(EntryKind::Directory)) => None,
            (_, Some(_)) => return Err(io::ErrorKind::NotADirectory.into()),
            (Some(directory), None) => Some(directory.directory(name)?),
            (None, None) => return Err(missing()),
        };
        let adds = match self.adds {
            Adds::Bundles(bundles, by) if bundles.iter().any(|bundle| bundle.as_bytes() == name) => {
                // A link hides the directory of a lower layer.
                if by == AddedBy::LowerLayer && self.is_link(name) {
                    Adds::Nothing
                } else {
                    Adds::BundleFiles(by)
                }
            }
            _ => Adds::Nothing,
        };
        Ok(Completed { directory, adds })
    }

    fn read(&self, name: &[u8], limit: usize) -> io::Result<Vec<u8>> {
        if let Some((inner, rest)) = self.below(name) {
            return inner?.read(rest, limit);
        }
        match (self.added(name), &self.directory) {
            (Some(EntryKind::File), _) => Ok(b"bundle\n"[..limit.min(7)].to_vec()),
            (Some(_), _) => Err(io::ErrorKind::IsADirectory.into()),
            (None, Some(directory)) => directory.read(name, limit),
            (None, None) => Err(missing()),
        }
    }

    fn is_empty_file(&self, name: &[u8]) -> bool {
        let is_theirs = self.below(name).is_none() && self.added(name).is_none();
        is_theirs && self.directory.as_ref().is_some_and(|directory| directory.is_empty_file(name))
    }

    fn link(&self, name: &[u8]) -> io::Result<Vec<u8>> {
        if let Some((inner, rest)) = self.below(name) {
            return inner?.link(rest);
        }
        match (self.added(name), &self.directory) {
            (None, Some(directory)) => directory.link(name),
            _ => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    fn is_executable(&self, name: &[u8]) -> io::Result<bool> {
        if let Some((inner, rest)) = self.below(name) {
            return inner?.is_executable(rest);
        }
        match (self.added(name), &self.directory) {
            (None, Some(directory)) => directory.is_executable(name),
            _ => self.kind(name).map(|_| true),
        }
    }

    fn hidden_link(&self, name: &[u8]) -> Option<PathBuf> {
        self.directory.as_ref()?.hidden_link(name)
    }

    fn root(&self) -> Option<Self> {
        Some(Completed::plain(self.directory.as_ref()?.root()?))
    }

    fn place(&self, name: &[u8]) -> Option<PathBuf> {
        if let Some((inner, rest)) = self.below(name) {
            return inner.ok()?.place(rest);
        }
        self.directory.as_ref()?.place(name)
    }
}
