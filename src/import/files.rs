//! Reads every file of the definitions, for comparisons and for an import. Checks do not need most of them.

use std::collections::BTreeMap;

use crate::model::{DefinitionFiles, File, Name, json_text};
use crate::source::{Directory, EntryKind, Source};

/// The largest depth of directories that is read: deeper than any sensible `data`, and not too deep for the stack.
const DEEPEST: usize = 64;

/// What is in definitions.
#[derive(Debug, Clone, Default)]
pub struct DefinitionEntries {
    /// Their files.
    pub files: DefinitionFiles,
    /// What could not be read as a file, in words, by its path in the definition.
    pub others: BTreeMap<Name, BTreeMap<String, String>>,
}

/// The files of every definition in `sources` by their path in the definition, as far as they can be read.
pub fn files<D: Directory>(sources: Vec<Source<D>>) -> DefinitionFiles {
    entries(sources, usize::MAX - 1).files
}

/// The files of every definition in `sources`, without those of more than `limit` bytes, and what else is in the definitions.
pub fn entries<D: Directory>(sources: Vec<Source<D>>, limit: usize) -> DefinitionEntries {
    let mut found = DefinitionEntries::default();
    for mut directory in sources.into_iter().filter_map(|source| source.directory.ok()) {
        for entry in directory.list().unwrap_or_default() {
            let name = Name::new(&entry.name);
            if entry.name.starts_with(b".") || found.files.contains_key(&name) {
                continue;
            }
            if let Ok(definition) = directory.directory(&entry.name) {
                let mut collector = Collector { limit, files: BTreeMap::new(), others: BTreeMap::new() };
                collector.collect(definition, "", DEEPEST);
                found.files.insert(name.clone(), collector.files);
                if !collector.others.is_empty() {
                    found.others.insert(name, collector.others);
                }
            }
        }
    }
    found
}

/// The entries of one definition.
struct Collector {
    limit: usize,
    files: BTreeMap<String, File>,
    others: BTreeMap<String, String>,
}

impl Collector {
    fn collect<D: Directory>(&mut self, mut directory: D, prefix: &str, depth: usize) {
        for entry in directory.list().unwrap_or_default() {
            let path = format!("{prefix}{}", json_text(&entry.name));
            // A link to a directory is copied as a link, so the files there are not part of the definition.
            if entry.kind == EntryKind::Directory {
                match directory.directory(&entry.name) {
                    Ok(inner) if depth > 0 => self.collect(inner, &format!("{path}/"), depth - 1),
                    _ => drop(self.others.insert(path, "a directory that cannot be read".to_owned())),
                }
                continue;
            }
            match self.content(&directory, &entry.name) {
                Ok(content) => {
                    let executable = directory.is_executable(&entry.name).unwrap_or(true);
                    self.files.insert(path, File { content: content.into(), executable });
                }
                Err(what) => drop(self.others.insert(path, what)),
            }
        }
    }

    /// The content of a file, or what the entry is instead.
    fn content<D: Directory>(&self, directory: &D, name: &[u8]) -> Result<Vec<u8>, String> {
        let what = match directory.kind(name) {
            Ok(EntryKind::File) => match directory.read(name, self.limit + 1) {
                Ok(content) if content.len() <= self.limit => return Ok(content),
                Ok(_) => return Err(format!("a file of more than {} MiB", self.limit >> 20)),
                Err(_) => "a file that cannot be read",
            },
            Ok(EntryKind::Directory | EntryKind::Link) => "a link to a directory",
            Ok(EntryKind::Fifo) => "a fifo",
            Ok(EntryKind::Other) => "a device or a socket",
            Err(_) => "a link that leads nowhere",
        };
        Err(what.to_owned())
    }
}
