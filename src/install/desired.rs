//! Works out what the disk must hold after a tree is installed, with all links in the paths resolved.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

use super::receipt::Receipt;
use super::site::{PathState, Site};
use crate::disk::DiskError;
use crate::disk::path::{destination, file_name, is_at_or_above, is_plain, parents, split};
use crate::tree::{SourceTree, TreeEntry};

/// An entry that must be on the disk.
pub(super) struct DesiredEntry<'t> {
    pub entry: &'t TreeEntry,
    /// If a definition contains the entry or is the entry: the length of its path, which is the beginning of this path.
    definition: Option<usize>,
    /// How the disk differs, once it was compared.
    pub state: Option<PathState>,
    /// Whether the receipt after the installation lists it.
    pub is_listed: bool,
}

/// Every entry that must be on the disk, by its path with all links resolved, in byte order. Most paths are those of the tree.
/// A large system has hundreds of thousands of them; a map would take their memory twice while it is made.
#[derive(Default)]
pub(super) struct DesiredEntries<'t>(Vec<(Cow<'t, str>, DesiredEntry<'t>)>);

impl<'t> DesiredEntries<'t> {
    /// Each path with its entry.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &DesiredEntry<'t>)> {
        self.0.iter().map(|(path, desired)| (&**path, desired))
    }

    /// The same, to change the entries.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Cow<'t, str>, &mut DesiredEntry<'t>)> {
        self.0.iter_mut().map(|(path, desired)| (&*path, desired))
    }

    /// The entry at a path.
    pub fn get(&self, path: &str) -> Option<&DesiredEntry<'t>> {
        self.0.binary_search_by(|(known, _)| (**known).cmp(path)).ok().map(|at| &self.0[at].1)
    }

    /// Whether there is an entry at a path.
    pub fn has(&self, path: &str) -> bool {
        self.get(path).is_some()
    }

    /// The entries below a directory, each with its path relative to that directory.
    pub fn below(&self, directory: &str) -> impl Iterator<Item = (&str, &DesiredEntry<'t>)> + use<'_, 't> {
        let prefix = format!("{directory}/");
        let start = self.0.partition_point(|(path, _)| **path <= *prefix);
        self.0[start..].iter().map_while(move |(path, desired)| Some((path.strip_prefix(&*prefix)?, desired)))
    }
}

impl<'t> DesiredEntry<'t> {
    fn new(entry: &'t TreeEntry, definition: Option<usize>) -> Self {
        DesiredEntry { entry, definition, state: None, is_listed: false }
    }

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

/// Finds every entry that must be on the disk, with the directories above each entry.
pub(super) fn desired<'t>(
    site: &Site,
    tree: &'t SourceTree,
    receipt: &Receipt,
) -> Result<DesiredEntries<'t>, DiskError> {
    let definitions: BTreeSet<&str> = tree
        .entries()
        .filter(|(_, entry)| matches!(entry, TreeEntry::File { .. }))
        .filter_map(|(path, _)| path.strip_suffix("/type"))
        .collect();
    let mut found = FoundEntries::default();
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
        let place = match real_parent == parent {
            true => Cow::Borrowed(path),
            false => {
                let place = format!("{real_parent}{}", &path[parent.len()..]);
                Cow::Owned(place.trim_start_matches('/').to_owned())
            }
        };
        if let TreeEntry::Link(target) = entry
            && destination(&place, target) == place
        {
            // The directory of links is itself a link to the directory of definitions, so this link is not needed.
            continue;
        }
        // A real path differs from that of the tree only at its beginning.
        let definition = definition.map(|definition| place.len() - (path.len() - definition.len()));
        found.add(place, entry, definition);
    }
    found.add(Cow::Owned(site.definitions.clone()), &TreeEntry::Directory, None);
    found.sorted().map_err(|path| two_entries(site, &path))
}

/// The entries that are found so far, in any order and perhaps repeated.
#[derive(Default)]
struct FoundEntries<'t> {
    entries: Vec<(Cow<'t, str>, DesiredEntry<'t>)>,
    /// The directory of the last path. Everything above that path has been added.
    last_above: String,
}

impl<'t> FoundEntries<'t> {
    /// Adds an entry with the directories above it.
    fn add(&mut self, path: Cow<'t, str>, entry: &'t TreeEntry, definition: Option<usize>) {
        let above = split(&path).0;
        if above != self.last_above {
            for part in parents(&path).filter(|part| !is_at_or_above(part, &self.last_above)) {
                let definition = definition.filter(|length| part.len() >= *length);
                let part = match &path {
                    Cow::Borrowed(path) => Cow::Borrowed(&path[..part.len()]),
                    Cow::Owned(_) => Cow::Owned(part.to_owned()),
                };
                self.entries.push((part, DesiredEntry::new(&TreeEntry::Directory, definition)));
            }
            above.clone_into(&mut self.last_above);
        }
        self.entries.push((path, DesiredEntry::new(entry, definition)));
    }

    /// The entries by path. The error is a path at which two entries differ.
    fn sorted(self) -> Result<DesiredEntries<'t>, Cow<'t, str>> {
        let mut entries = self.entries;
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        let differ = |pair: &&[(Cow<'t, str>, DesiredEntry<'t>)]| {
            pair[0].0 == pair[1].0 && pair[0].1.entry != pair[1].1.entry
        };
        if let Some(pair) = entries.windows(2).find(differ) {
            return Err(pair[0].0.clone());
        }
        entries.dedup_by(|(path, _), (first, _)| path == first);
        Ok(DesiredEntries(entries))
    }
}

fn two_entries(site: &Site, path: &str) -> DiskError {
    DiskError::refused("build", &site.path(path), "two different entries of the tree lead to this path")
}
