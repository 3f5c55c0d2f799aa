//! Finds the entries of a definition that s6-rc does not read.

use std::collections::BTreeSet;

use super::definition::DefinitionReader;
use super::path_of;
use crate::diagnostic::Origin;
use crate::model::{DefinitionFile, Ignored};
use crate::source::{Directory, EntryKind};

impl<D: Directory> DefinitionReader<'_, D> {
    /// Records every entry that s6-rc does not read in a service of this type.
    pub(super) fn ignored(&mut self, kind: Option<&str>) {
        let Some(kind) = kind else { return };
        let has_template = self.entry("template").is_some();
        let linked = self.linked(kind);
        for entry in &self.entries {
            let known = DefinitionFile::find(&entry.name);
            let counts = match known {
                Some(file) => file.is_read_in(kind),
                None => entry.name.starts_with(b"."),
            };
            if counts
                || linked.contains(&entry.name)
                || (has_template && matches!(&entry.name[..], b"instance" | b"instances"))
            {
                continue;
            }
            let place = match self.context.elsewhere.get(&entry.name) {
                Some(place) => place.clone(),
                None => path_of([&self.context.path[..], b"/", &entry.name].concat()),
            };
            let origin = Origin::whole(self.context.files.add(place, ""));
            self.facts.ignored.push(Ignored {
                name: entry.name.clone(),
                origin,
                is_known: known.is_some(),
                is_directory: entry.kind == EntryKind::Directory,
                is_empty: (known.is_none() || matches!(&entry.name[..], b"run" | b"up" | b"finish"))
                    && entry.kind == EntryKind::File
                    && self.directory.read(&entry.name, 1).is_ok_and(|text| text.is_empty()),
            });
        }
    }

    /// The entries that are targets of links, if s6-rc reads the links in this service.
    pub(super) fn linked(&self, kind: &str) -> BTreeSet<Vec<u8>> {
        let read = self.entries.iter().filter(|entry| {
            let file = DefinitionFile::find(&entry.name);
            entry.kind == EntryKind::Link && file.is_some_and(|file| file.is_read_in(kind))
        });
        read.filter_map(|entry| {
            let target = self.directory.link(&entry.name).ok()?;
            let target = target.strip_prefix(b"./").unwrap_or(&target);
            match target.contains(&b'/') {
                false => Some(target.to_vec()),
                true => self.own_path(target).map(String::into_bytes),
            }
        })
        .collect()
    }

    /// Removes an entry from the list of ignored ones, because another report is about it.
    pub(super) fn mark_as_reported(&mut self, file: &str) {
        self.facts.ignored.retain(|entry| entry.name != file.as_bytes());
    }
}
