//! An s6-rc source directory in memory, with what belongs around it in the image.
//!
//! Paths are relative to the root of the image and use `/`. The tree is what `render` makes, what golden tests print,
//! and what `disk` turns into files.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

/// Files, links and directories below the root of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceTree {
    entries: BTreeMap<String, TreeEntry>,
}

/// One entry of a [`SourceTree`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TreeEntry {
    /// A directory; parents of other entries need not be listed.
    Directory,
    /// A regular file, mode 0755 or 0644.
    File {
        /// The content.
        content: Vec<u8>,
        /// Whether it has the x bits.
        executable: bool,
    },
    /// A symbolic link with this target.
    Link(String),
}

impl SourceTree {
    /// Adds a file; true unless the path is taken.
    pub fn file(&mut self, path: impl Into<String>, content: impl Into<Vec<u8>>, executable: bool) {
        let content = content.into();
        self.entries.insert(path.into(), TreeEntry::File { content, executable });
    }

    /// Adds a directory.
    pub fn directory(&mut self, path: impl Into<String>) {
        self.entries.entry(path.into()).or_insert(TreeEntry::Directory);
    }

    /// Adds a symbolic link.
    pub fn link(&mut self, path: impl Into<String>, target: impl Into<String>) {
        self.entries.insert(path.into(), TreeEntry::Link(target.into()));
    }

    /// The entries by path, in byte order.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &TreeEntry)> {
        self.entries.iter().map(|(path, entry)| (path.as_str(), entry))
    }

    /// The entry at a path.
    pub fn get(&self, path: &str) -> Option<&TreeEntry> {
        self.entries.get(path)
    }
}

/// The overview that golden tests hold: every entry with its content, indented.
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
