//! Works out what the disk must hold after a tree is installed, with all links in the paths resolved.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};
use std::path::Path;

use super::receipt::Receipt;
use super::site::Site;
use crate::disk::DiskError;
use crate::disk::path::{destination, file_name, is_at_or_above, is_plain, parents, split};
use crate::tree::{SourceTree, TreeEntry};

/// An entry that must be on the disk.
pub(super) struct DesiredEntry<'t> {
    pub entry: &'t TreeEntry,
    /// If a definition contains the entry or is the entry: the length of its path, which is the beginning of this path.
    definition: Option<usize>,
}

impl DesiredEntry<'_> {
    /// The path of the definition that contains the entry at `path` or is that entry.
    pub fn definition<'p>(&self, path: &'p str) -> Option<&'p str> {
        self.definition.map(|length| &path[..length])
    }

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
    // The directory of the last path. Everything above that path has been added.
    let mut last_above = String::new();
    let mut add = |path: String, entry: &'t TreeEntry, definition: Option<usize>| {
        let above = split(&path).0;
        if above != last_above {
            let new = parents(&path).filter(|part| !is_at_or_above(part, &last_above));
            for part in new {
                let definition = definition.filter(|length| part.len() >= *length);
                let directory = DesiredEntry { entry: &TreeEntry::Directory, definition };
                if *desired.entry(part.to_owned()).or_insert(directory).entry != TreeEntry::Directory {
                    return Err(two_entries(site, part));
                }
            }
            above.clone_into(&mut last_above);
        }
        match desired.entry(path) {
            Entry::Vacant(free) => drop(free.insert(DesiredEntry { entry, definition })),
            Entry::Occupied(there) if there.get().entry != entry => {
                return Err(two_entries(site, there.key()));
            }
            Entry::Occupied(_) => {}
        }
        Ok(())
    };
    let is_ours = |path: &str| receipt.owns(path, false);
    let mut last = ("", site.real("", is_ours)?);
    let mut last_definition: Option<&str> = None;
    for (path, entry) in tree.entries() {
        if !is_plain(path) {
            return Err(DiskError::refused("build", Path::new(path), "not a plain path below the root"));
        }
        let definition = match last_definition.filter(|definition| is_at_or_above(definition, path)) {
            Some(definition) => Some(definition),
            None => parents(path).chain([path]).find(|part| definitions.contains(*part)),
        };
        last_definition = definition;
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
        let mut place = format!("{real_parent}{}", &path[parent.len()..]);
        if real_parent.is_empty() {
            place.drain(..place.len() - place.trim_start_matches('/').len());
        }
        if let TreeEntry::Link(target) = entry
            && destination(&place, target) == place
        {
            // The directory of links is itself a link to the directory of definitions, so this link is not needed.
            continue;
        }
        // A real path differs from that of the tree only at its beginning.
        let definition = definition.map(|definition| place.len() - (path.len() - definition.len()));
        add(place, entry, definition)?;
    }
    add(site.definitions.clone(), &TreeEntry::Directory, None)?;
    Ok(desired)
}

fn two_entries(site: &Site, path: &str) -> DiskError {
    DiskError::refused("build", &site.path(path), "two different entries of the tree lead to this path")
}
