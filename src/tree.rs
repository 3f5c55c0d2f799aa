//! An s6-rc source directory in memory, with the links and markers around it in the image.
//!
//! Paths are relative to the root of the image. `render` makes such a tree, golden tests print it, and `install` writes it to a
//! disk.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::io;
use std::ops::Bound;

use rustix::io::Errno;

use crate::source::{Directory, EntryKind, Listed, Source};

/// The name of the receipt, the list of everything that s6gen made, beside the definitions. s6-rc ignores names that begin
/// with a dot.
pub const RECEIPT: &str = ".s6gen";

/// Files, links and directories below the root of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceTree {
    entries: BTreeMap<Box<str>, TreeEntry>,
}

/// One entry of a [`SourceTree`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TreeEntry {
    /// A directory. The directories above other entries need not be listed.
    Directory,
    /// A regular file, mode 0755 or 0644.
    File {
        /// The content. A script of s6gen itself, which thousands of services may have, is borrowed.
        content: Cow<'static, [u8]>,
        /// Whether it has the x bits.
        executable: bool,
    },
    /// A symbolic link with this target.
    Link(String),
}

impl TreeEntry {
    /// A regular file.
    pub fn file(content: impl Into<Vec<u8>>, executable: bool) -> TreeEntry {
        let mut content = content.into();
        // The tree of a large system has hundreds of thousands of files.
        content.shrink_to_fit();
        TreeEntry::File { content: content.into(), executable }
    }
}

/// A tree of entries by path. If a path comes more than once, the last entry counts.
impl FromIterator<(Box<str>, TreeEntry)> for SourceTree {
    fn from_iter<I: IntoIterator<Item = (Box<str>, TreeEntry)>>(entries: I) -> Self {
        SourceTree { entries: entries.into_iter().collect() }
    }
}

impl SourceTree {
    /// Adds a file, or replaces what the path had before.
    pub fn file(&mut self, path: impl Into<String>, content: impl Into<Vec<u8>>, executable: bool) {
        self.entries.insert(path.into().into(), TreeEntry::file(content, executable));
    }

    /// Adds a directory.
    pub fn directory(&mut self, path: impl Into<String>) {
        self.entries.entry(path.into().into()).or_insert(TreeEntry::Directory);
    }

    /// Adds a symbolic link.
    pub fn link(&mut self, path: impl Into<String>, target: impl Into<String>) {
        self.entries.insert(path.into().into(), TreeEntry::Link(target.into()));
    }

    /// Whether it has no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// This tree with the entries of another one that are at other paths.
    #[must_use]
    pub fn with(&self, other: SourceTree) -> SourceTree {
        let mut entries = other.entries;
        entries.extend(self.entries.iter().map(|(path, entry)| (path.clone(), entry.clone())));
        SourceTree { entries }
    }

    /// The entries by path, in byte order.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &TreeEntry)> {
        self.entries.iter().map(|(path, entry)| (&**path, entry))
    }

    /// Whether there is an entry below the directory `path`.
    pub fn has_below(&self, path: &str) -> bool {
        self.children(path).next().is_some()
    }

    /// The names in the directory `path`, in byte order. A directory with several entries may come several times.
    pub fn names<'a>(&'a self, path: &str) -> impl Iterator<Item = &'a str> {
        self.children(path).filter_map(|below| below.split('/').next())
    }

    /// The entry at a path.
    pub fn get(&self, path: &str) -> Option<&TreeEntry> {
        self.entries.get(path)
    }
}

/// The target of a path.
enum TreeTarget<'a> {
    Directory(String),
    File(&'a [u8], bool),
}

/// How many links are followed before it counts as a loop, as on Linux.
const MOST_LINKS: u32 = 40;

impl SourceTree {
    /// The directory at `path` as a source directory, as if the tree were unpacked at the root of an image.
    pub fn source(&self, path: &str) -> Source<TreeDirectory<'_>> {
        let directory = match self.follow("", path) {
            Ok(TreeTarget::Directory(path)) => Ok(TreeDirectory { tree: self, path }),
            Ok(TreeTarget::File(..)) => Err(Errno::NOTDIR.into()),
            Err(error) => Err(error),
        };
        Source { path: path.into(), directory }
    }

    /// The entry at `path` itself: its kind, or the target of a link. A directory exists if there is an entry below it, even if
    /// it is not listed.
    fn look(&self, path: &str) -> Option<Result<EntryKind, &str>> {
        match self.entries.get(path) {
            Some(TreeEntry::File { .. }) => Some(Ok(EntryKind::File)),
            Some(TreeEntry::Directory) => Some(Ok(EntryKind::Directory)),
            Some(TreeEntry::Link(target)) => Some(Err(target)),
            None if path.is_empty() || self.children(path).next().is_some() => Some(Ok(EntryKind::Directory)),
            None => None,
        }
    }

    fn children<'a>(&'a self, path: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        let start = (Bound::Excluded(&*prefix), Bound::Unbounded);
        let below = self.entries.range::<str, _>(start);
        let skip = prefix.len();
        below.map_while(move |(path, _)| path.starts_with(&prefix).then(|| &path[skip..]))
    }

    /// Follows `path` from directory `start`, links included.
    fn follow(&self, start: &str, path: &str) -> io::Result<TreeTarget<'_>> {
        let mut todo: Vec<&str> = path.split('/').rev().collect();
        let mut at = if path.starts_with('/') { String::new() } else { start.to_owned() };
        let mut links = 0;
        let mut is_directory = true;
        while let Some(component) = todo.pop() {
            if !is_directory {
                return Err(Errno::NOTDIR.into());
            }
            match component {
                "" | "." => continue,
                ".." => {
                    at.truncate(at.rfind('/').unwrap_or(0));
                    continue;
                }
                _ => {}
            }
            let next = if at.is_empty() { component.to_owned() } else { format!("{at}/{component}") };
            match self.look(&next).ok_or(Errno::NOENT)? {
                Ok(kind) => {
                    is_directory = kind == EntryKind::Directory;
                    at = next;
                }
                Err(target) => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(Errno::LOOP.into());
                    }
                    if target.starts_with('/') {
                        at.clear();
                    }
                    todo.extend(target.split('/').rev());
                }
            }
        }
        match self.entries.get(&*at) {
            Some(TreeEntry::File { content, executable }) => Ok(TreeTarget::File(content, *executable)),
            _ => Ok(TreeTarget::Directory(at)),
        }
    }
}

/// A directory of a [`SourceTree`].
#[derive(Debug)]
pub struct TreeDirectory<'a> {
    tree: &'a SourceTree,
    path: String,
}

impl<'a> TreeDirectory<'a> {
    fn follow(&self, name: &[u8]) -> io::Result<TreeTarget<'a>> {
        let name = str::from_utf8(name).map_err(|_| Errno::NOENT)?;
        self.tree.follow(&self.path, name)
    }
}

impl Directory for TreeDirectory<'_> {
    fn list(&mut self) -> io::Result<Vec<Listed>> {
        let mut entries: Vec<Listed> = Vec::new();
        for below in self.tree.children(&self.path) {
            let name = below.split('/').next().unwrap_or(below);
            if entries.last().is_some_and(|last| last.name == name.as_bytes()) {
                continue;
            }
            let path = if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) };
            let kind = match self.tree.look(&path) {
                Some(Ok(kind)) => kind,
                Some(Err(_)) => EntryKind::Link,
                None => continue,
            };
            entries.push(Listed { name: name.into(), kind });
        }
        // `a-b` sorts between `a` and `a/b`, so `a` may come twice.
        entries.sort_unstable();
        entries.dedup();
        Ok(entries)
    }

    fn kind(&self, name: &[u8]) -> io::Result<EntryKind> {
        Ok(match self.follow(name)? {
            TreeTarget::Directory(_) => EntryKind::Directory,
            TreeTarget::File(..) => EntryKind::File,
        })
    }

    fn directory(&self, name: &[u8]) -> io::Result<Self> {
        match self.follow(name)? {
            TreeTarget::Directory(path) => Ok(TreeDirectory { tree: self.tree, path }),
            TreeTarget::File(..) => Err(Errno::NOTDIR.into()),
        }
    }

    fn read(&self, name: &[u8], limit: usize) -> io::Result<Vec<u8>> {
        match self.follow(name)? {
            TreeTarget::Directory(_) => Err(Errno::ISDIR.into()),
            TreeTarget::File(content, _) => Ok(content[..content.len().min(limit)].to_vec()),
        }
    }

    fn link(&self, path: &[u8]) -> io::Result<Vec<u8>> {
        let path = str::from_utf8(path).map_err(|_| Errno::NOENT)?;
        let (way, name) = path.rsplit_once('/').unwrap_or((".", path));
        if matches!(name, "" | "." | "..") {
            // A path with such an end leads to a directory, never to a link.
            self.follow(path.as_bytes())?;
            return Err(Errno::INVAL.into());
        }
        let TreeDirectory { path: at, .. } = self.directory(way.as_bytes())?;
        let path = if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") };
        match self.tree.look(&path).ok_or(Errno::NOENT)? {
            Ok(_) => Err(Errno::INVAL.into()),
            Err(target) => Ok(target.as_bytes().to_vec()),
        }
    }

    fn is_executable(&self, name: &[u8]) -> io::Result<bool> {
        Ok(match self.follow(name)? {
            TreeTarget::Directory(_) => true,
            TreeTarget::File(_, executable) => executable,
        })
    }
}

/// The text for golden tests: every entry with its content, indented.
impl fmt::Display for SourceTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (path, entry) in self.entries() {
            match entry {
                TreeEntry::Directory => writeln!(f, "{path}/")?,
                TreeEntry::Link(target) => writeln!(f, "{path} -> {target}")?,
                TreeEntry::File { content, executable } => {
                    let mark = if *executable { " *" } else { "" };
                    writeln!(f, "{path}{mark}")?;
                    for line in String::from_utf8_lossy(content).split_inclusive('\n') {
                        let (text, end) = match line.strip_suffix('\n') {
                            Some(text) => (text, ""),
                            None => (line, " (no newline)"),
                        };
                        f.write_str("    ")?;
                        for c in text.chars() {
                            match c {
                                '\r' => f.write_str("\\r")?,
                                c => f.write_char(c)?,
                            }
                        }
                        writeln!(f, "{end}")?;
                    }
                }
            }
        }
        Ok(())
    }
}
