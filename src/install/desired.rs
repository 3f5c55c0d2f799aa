//! What the disk has to hold once a tree is installed, by the path where each entry really lies.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::receipt::Receipt;
use super::site::Site;
use crate::disk::DiskError;
use crate::disk::path::{destination, file_name, is_plain, parents};
use crate::tree::{SourceTree, TreeEntry};

/// An entry that has to be on the disk.
pub(super) struct DesiredEntry<'t> {
    pub entry: &'t TreeEntry,
    /// The definition that this is part of.
    pub definition: Option<String>,
}

impl DesiredEntry<'_> {
    /// Whether this is the link through which `/init` finds a definition.
    pub fn links_a_definition(&self, path: &str, site: &Site) -> bool {
        let TreeEntry::Link(target) = self.entry else { return false };
        self.definition.is_none() && destination(path, target) == site.definition(file_name(path))
    }
}

/// Everything that has to be on the disk, the directories above included, by its real path.
pub(super) fn desired<'t>(
    site: &Site,
    tree: &'t SourceTree,
    receipt: &Receipt,
) -> Result<BTreeMap<String, DesiredEntry<'t>>, DiskError> {
    let definitions: BTreeSet<&str> = tree
        .entries()
        .filter(|(_, entry)| matches!(entry, TreeEntry::File { .. }))
        .filter_map(|(path, _)| path.strip_suffix("/type"))
        .collect();
    let mut desired = BTreeMap::new();
    let mut add = |path: &str, entry: &'t TreeEntry, definition: Option<&str>| {
        let shares =
            parents(path).chain([path]).map(|p| (p, if p == path { entry } else { &TreeEntry::Directory }));
        for (part, entry) in shares {
            let definition = definition.filter(|d| part.len() >= d.len()).map(str::to_owned);
            let there = desired.entry(part.to_owned()).or_insert(DesiredEntry { entry, definition });
            if there.entry != entry {
                return Err(DiskError::refused(
                    "build",
                    &site.path(part),
                    "two entries of the tree meet there",
                ));
            }
        }
        Ok(())
    };
    let is_ours = |path: &str| receipt.owns(path, false);
    let mut last = ("", site.real("", is_ours)?);
    for (path, entry) in tree.entries() {
        if !is_plain(path) {
            return Err(DiskError::refused("build", Path::new(path), "not a plain path below the root"));
        }
        let definition = parents(path).chain([path]).find(|part| definitions.contains(part));
        // There may be links on the way to a definition. A link in its own place is somebody else's definition.
        let way = match definition {
            None if *entry == TreeEntry::Directory => path,
            _ => parents(definition.unwrap_or(path)).last().unwrap_or_default(),
        };
        // The entries of one directory follow each other, so its real path is looked up once.
        if last.0 != way {
            last = (way, site.real(way, is_ours)?);
        }
        let real_way = &last.1;
        let moved =
            |path: &str| format!("{real_way}{}", &path[way.len()..]).trim_start_matches('/').to_owned();
        let place = moved(path);
        if let TreeEntry::Link(target) = entry
            && destination(&place, target) == place
        {
            // The directory of links is itself a link to the definitions, so that no links are needed.
            continue;
        }
        add(&place, entry, definition.map(moved).as_deref())?;
    }
    add(&site.definitions, &TreeEntry::Directory, None)?;
    Ok(desired)
}
