//! Works out what the disk must hold after a tree is installed, with all links in the paths resolved.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::receipt::Receipt;
use super::site::Site;
use crate::disk::DiskError;
use crate::disk::path::{destination, file_name, is_plain, parents};
use crate::tree::{SourceTree, TreeEntry};

/// An entry that must be on the disk.
pub(super) struct DesiredEntry<'t> {
    pub entry: &'t TreeEntry,
    /// The path of the definition that contains the entry, if one does.
    pub definition: Option<String>,
}

impl DesiredEntry<'_> {
    /// Whether this entry is the link through which `/init` finds a definition.
    pub fn links_a_definition(&self, path: &str, site: &Site) -> bool {
        let TreeEntry::Link(target) = self.entry else { return false };
        self.definition.is_none() && destination(path, target) == site.definition(file_name(path))
    }
}

/// Every entry that must be on the disk, by its path with all links resolved. Includes the directories above each entry.
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
        let parts =
            parents(path).chain([path]).map(|p| (p, if p == path { entry } else { &TreeEntry::Directory }));
        for (part, entry) in parts {
            let definition = definition.filter(|d| part.len() >= d.len()).map(str::to_owned);
            let there = desired.entry(part.to_owned()).or_insert(DesiredEntry { entry, definition });
            if there.entry != entry {
                return Err(DiskError::refused(
                    "build",
                    &site.path(part),
                    "two different entries of the tree lead to this path",
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
        // Links above a definition are followed. A link in the place of the definition itself is not: it is a foreign
        // definition, and is reported as one.
        let parent = match definition {
            None if *entry == TreeEntry::Directory => path,
            _ => parents(definition.unwrap_or(path)).last().unwrap_or_default(),
        };
        // The entries of one directory follow each other, so its real path is looked up only once.
        if last.0 != parent {
            last = (parent, site.real(parent, is_ours)?);
        }
        let real_parent = &last.1;
        let real =
            |path: &str| format!("{real_parent}{}", &path[parent.len()..]).trim_start_matches('/').to_owned();
        let place = real(path);
        if let TreeEntry::Link(target) = entry
            && destination(&place, target) == place
        {
            // The directory of links is itself a link to the directory of definitions, so this link is not needed.
            continue;
        }
        add(&place, entry, definition.map(real).as_deref())?;
    }
    add(&site.definitions, &TreeEntry::Directory, None)?;
    Ok(desired)
}
