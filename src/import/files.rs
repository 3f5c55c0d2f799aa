//! Reads every file of the definitions, for comparisons. Checks do not need most of them.

use std::collections::BTreeMap;

use crate::model::{DefinitionFiles, File, Name, json_text};
use crate::source::{Directory, EntryKind, Source};

/// The largest depth of directories that is read: deeper than any sensible `data`, and not too deep for the stack.
const DEEPEST: usize = 64;

/// The files of every definition in `sources` by their path in the definition, as far as they can be read.
pub fn files<D: Directory>(sources: Vec<Source<D>>) -> DefinitionFiles {
    let mut found = DefinitionFiles::new();
    for mut directory in sources.into_iter().filter_map(|source| source.directory.ok()) {
        for entry in directory.list().unwrap_or_default() {
            let name = Name::new(&entry.name);
            if entry.name.starts_with(b".") || found.contains_key(&name) {
                continue;
            }
            if let Ok(definition) = directory.directory(&entry.name) {
                let mut files = BTreeMap::new();
                collect(definition, "", DEEPEST, &mut files);
                found.insert(name, files);
            }
        }
    }
    found
}

fn collect<D: Directory>(mut directory: D, prefix: &str, depth: usize, files: &mut BTreeMap<String, File>) {
    for entry in directory.list().unwrap_or_default() {
        let path = format!("{prefix}{}", json_text(&entry.name));
        // A link to a directory is copied as a link, so the files there are not part of the definition.
        if entry.kind == EntryKind::Directory {
            if depth > 0
                && let Ok(inner) = directory.directory(&entry.name)
            {
                collect(inner, &format!("{path}/"), depth - 1, files);
            }
        } else if matches!(directory.kind(&entry.name), Ok(EntryKind::File))
            && let Ok(content) = directory.read(&entry.name, usize::MAX)
        {
            let executable = directory.is_executable(&entry.name).unwrap_or(true);
            files.insert(path, File { content: content.into(), executable });
        }
    }
}
