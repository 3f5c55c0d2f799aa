use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::error::OutputError;
use super::ground::{Ground, parents};
use super::plan::file_name;
use super::receipt::{Receipt, is_plain};
use crate::tree::{SourceTree, TreeEntry};

/// Something that has to be there.
pub(super) struct Wanted<'t> {
    pub entry: &'t TreeEntry,
    /// The definition that this is part of.
    pub definition: Option<String>,
}

impl Wanted<'_> {
    /// Whether this is the link through which `/init` finds a definition.
    pub fn links_a_definition(&self, path: &str, ground: &Ground) -> bool {
        let TreeEntry::Link(target) = self.entry else { return false };
        self.definition.is_none() && destination(path, target) == ground.definition(file_name(path))
    }
}

/// Everything that has to be there, parents included, by where it really lies.
pub(super) fn wanted<'t>(
    ground: &Ground,
    tree: &'t SourceTree,
    receipt: &Receipt,
) -> Result<BTreeMap<String, Wanted<'t>>, OutputError> {
    let definitions: BTreeSet<&str> = tree
        .entries()
        .filter(|(_, entry)| matches!(entry, TreeEntry::File { .. }))
        .filter_map(|(path, _)| path.strip_suffix("/type"))
        .collect();
    let mut wanted = BTreeMap::new();
    let mut want = |path: &str, entry: &'t TreeEntry, definition: Option<&str>| {
        let shares =
            parents(path).chain([path]).map(|p| (p, if p == path { entry } else { &TreeEntry::Directory }));
        for (part, entry) in shares {
            let definition = definition.filter(|d| part.len() >= d.len()).map(str::to_owned);
            let there = wanted.entry(part.to_owned()).or_insert(Wanted { entry, definition });
            if there.entry != entry {
                return Err(OutputError::refused(
                    "build",
                    &ground.path(part),
                    "two entries of the tree meet there",
                ));
            }
        }
        Ok(())
    };
    let mut last = ("", ground.real("", receipt)?);
    for (path, entry) in tree.entries() {
        if !is_plain(path) {
            return Err(OutputError::refused("build", Path::new(path), "not a plain path below the root"));
        }
        let definition = parents(path).chain([path]).find(|part| definitions.contains(part));
        // The way to a definition may lead over links; a link in its place is somebody else's definition.
        let way = match definition {
            None if *entry == TreeEntry::Directory => path,
            _ => parents(definition.unwrap_or(path)).last().unwrap_or_default(),
        };
        // What lies in one directory comes one after the other.
        if last.0 != way {
            last = (way, ground.real(way, receipt)?);
        }
        let real_way = &last.1;
        let moved =
            |path: &str| format!("{real_way}{}", &path[way.len()..]).trim_start_matches('/').to_owned();
        let place = moved(path);
        if let TreeEntry::Link(target) = entry
            && destination(&place, target) == place
        {
            // Where the directory of links is itself a link to the definitions, nothing is left to link.
            continue;
        }
        want(&place, entry, definition.map(moved).as_deref())?;
    }
    want(&ground.definitions, &TreeEntry::Directory, None)?;
    Ok(wanted)
}

/// Where a link at `place` leads, by the words alone.
pub(super) fn destination(place: &str, target: &str) -> String {
    let mut at: Vec<&str> = match target.starts_with('/') {
        true => Vec::new(),
        false => parents(place).last().into_iter().flat_map(|parent| parent.split('/')).collect(),
    };
    for name in target.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(at.pop()),
            _ => at.push(name),
        }
    }
    at.join("/")
}
