use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::error::{Foreign, OutputError};
use super::ground::{DIRECTORY_MODE, Found, Ground, STAGING, State, parents};
use super::receipt::{RECEIPT, Receipt, is_plain};
use crate::tree::{SourceTree, TreeEntry};

/// One way in which the files differ from the tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The path, relative to the root.
    pub path: String,
    /// How it differs.
    pub state: State,
}

/// Says how the files below `root` differ from `tree`, by path; writes nothing and needs no right to.
///
/// `definitions` is the directory of the definitions, as for [`install`](super::install). Nothing differs exactly
/// when `install` would write nothing.
pub fn compare(tree: &SourceTree, root: &Path, definitions: &str) -> Result<Vec<Difference>, OutputError> {
    let ground = Ground::new(root, definitions)?;
    let mut plan = Plan::new(&ground, tree)?;
    for (path, state) in [
        (RECEIPT, if plan.has_receipt { State::Content } else { State::Missing }),
        (STAGING, State::LeftOver),
    ] {
        let differs = if path == RECEIPT { plan.receipt_differs() } else { plan.stale_staging };
        if differs {
            plan.differences.push(Difference { path: format!("{}/{path}", ground.definitions), state });
        }
    }
    plan.differences.sort();
    Ok(plan.differences)
}

/// What has to happen so that the files equal the tree; made by looking only.
#[derive(Default)]
pub(super) struct Plan<'t> {
    /// Directories of ours that have other permissions.
    pub modes: Vec<String>,
    /// What to write, directories first and parents before what is in them, and what of ours has to go first.
    pub writes: Vec<(String, &'t TreeEntry, InTheWay)>,
    /// What is no longer wanted, children first, and whether it is a directory.
    pub left_over: Vec<(String, bool)>,
    /// Other people's files that keep directories of ours from going.
    pub kept: Vec<String>,
    /// How much of the tree is there already.
    pub unchanged: usize,
    pub foreign: Vec<Foreign>,
    pub differences: Vec<Difference>,
    pub has_receipt: bool,
    pub old: Receipt,
    pub new: Receipt,
    pub stale_staging: bool,
}

/// What of ours is in the way of a new entry and cannot be renamed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InTheWay {
    Nothing,
    /// A file or link where a directory is wanted.
    Leaf,
    /// A directory where something else is wanted.
    Directory,
}

struct Wanted<'t> {
    entry: &'t TreeEntry,
    /// The definition that this is part of.
    definition: Option<String>,
}

impl<'t> Plan<'t> {
    pub fn new(ground: &Ground, tree: &'t SourceTree) -> Result<Self, OutputError> {
        let receipt = ground.receipt()?;
        let staging = format!("{}/{STAGING}", ground.definitions);
        let mut plan = Plan {
            has_receipt: receipt.is_some(),
            old: receipt.unwrap_or_default(),
            stale_staging: !matches!(ground.look(&staging)?, Found::Nothing),
            ..Plan::default()
        };
        let wanted = wanted(ground, tree, &plan.old)?;
        let gone = plan.find_left_over(ground, &wanted)?;
        plan.find_changes(ground, &wanted, &gone)?;
        plan.blame_definitions(ground, &wanted)?;
        Ok(plan)
    }

    pub fn receipt_differs(&self) -> bool {
        !self.has_receipt || self.old != self.new
    }

    /// The directories, as they are before, in which something is added, replaced or removed.
    pub fn parents_of_changes(&self) -> BTreeSet<&str> {
        let written: BTreeSet<&str> = self.writes.iter().map(|(path, ..)| path.as_str()).collect();
        let removed = self.left_over.iter().map(|(path, _)| path.as_str());
        let parents = written.iter().copied().chain(removed).filter_map(|path| parents(path).last());
        parents.filter(|parent| !written.contains(parent)).collect()
    }

    /// Whether there is nothing to do.
    pub fn is_done(&self) -> bool {
        self.differences.is_empty() && !self.receipt_differs()
    }

    fn find_left_over(
        &mut self,
        ground: &Ground,
        wanted: &BTreeMap<String, Wanted>,
    ) -> Result<BTreeSet<String>, OutputError> {
        let mut gone = BTreeSet::new();
        let Plan { old, new, left_over, kept, differences, .. } = self;
        for (path, directory) in old.paths().rev() {
            if wanted.contains_key(path) || !ground.is_direct(path)? {
                continue;
            }
            match (ground.look(path)?, directory) {
                (Found::Nothing, _) => continue,
                (Found::File { .. } | Found::Link(_), false) => {}
                (Found::Directory { .. }, true) => {
                    let rest = remaining(ground, path, &gone)?;
                    if !rest.is_empty() {
                        new.add(path, true);
                        kept.extend(rest.into_iter().filter(|p| !old.owns(p, true) && !old.owns(p, false)));
                        continue;
                    }
                }
                // A killed build may leave both on the receipt.
                (_, directory) if old.owns(path, !directory) => continue,
                _ => {
                    kept.push(path.to_owned());
                    continue;
                }
            }
            gone.insert(path.to_owned());
            left_over.push((path.to_owned(), directory));
            differences.push(Difference { path: path.to_owned(), state: State::LeftOver });
        }
        kept.sort();
        Ok(gone)
    }

    fn find_changes(
        &mut self,
        ground: &Ground,
        wanted: &BTreeMap<String, Wanted<'t>>,
        gone: &BTreeSet<String>,
    ) -> Result<(), OutputError> {
        // Behind a link that makes room for a directory there is nothing of ours to look at.
        let mut made = BTreeSet::new();
        for (path, Wanted { entry, definition }) in wanted {
            let under_made = parents(path).last().is_some_and(|parent| made.contains(parent));
            let found = if under_made { Found::Nothing } else { ground.look(path)? };
            let difference = ground.difference(path, &found, entry)?;
            let owned_leaf = self.old.owns(path, false);
            let directory = **entry == TreeEntry::Directory;
            let mut blocked = Vec::new();
            let state = match (difference, found) {
                (None, Found::Directory { mode }) => {
                    // A directory that others use too is nobody's; below a definition of ours, none is.
                    let ours = definition.is_some() || self.old.owns(path, true);
                    if !ours || is_at_or_above(path, &ground.definitions) {
                        continue;
                    }
                    (mode != DIRECTORY_MODE).then(|| {
                        self.modes.push(path.clone());
                        State::Mode
                    })
                }
                (None, _) => None,
                (Some(state), found) => {
                    match &found {
                        Found::Directory { .. } if self.old.owns(path, true) => {
                            blocked = remaining(ground, path, gone)?;
                        }
                        Found::File { .. } | Found::Link(_) if owned_leaf => {}
                        Found::Nothing => {}
                        _ => blocked.push(path.clone()),
                    }
                    let in_the_way = match found {
                        Found::Directory { .. } => InTheWay::Directory,
                        Found::File { .. } | Found::Link(_) if directory => InTheWay::Leaf,
                        _ => InTheWay::Nothing,
                    };
                    if directory {
                        made.insert(path.as_str());
                    }
                    self.writes.push((path.clone(), *entry, in_the_way));
                    Some(state)
                }
            };
            if !directory || !is_at_or_above(path, &ground.definitions) {
                self.new.add(path, directory);
            }
            match state {
                None => self.unchanged += 1,
                Some(state) => self.differences.push(Difference { path: path.clone(), state }),
            }
            self.foreign.extend(blocked.iter().map(|p| Foreign { path: ground.path(p), service: None }));
        }
        self.writes.sort_by_key(|(_, entry, _)| **entry != TreeEntry::Directory);
        Ok(())
    }

    /// A name that is taken is said once, for the definition, and not once per file in it.
    fn blame_definitions(
        &mut self,
        ground: &Ground,
        wanted: &BTreeMap<String, Wanted>,
    ) -> Result<(), OutputError> {
        let definitions: BTreeSet<&str> = wanted.values().filter_map(|w| w.definition.as_deref()).collect();
        for definition in &definitions {
            if self.old.owns(definition, true) {
                continue;
            }
            let place = ground.path(definition);
            let inside = |foreign: &Foreign| foreign.path.starts_with(&place);
            let differs = || self.differences.iter().any(|d| is_at_or_above(definition, &d.path));
            let defined = !matches!(ground.look(&format!("{definition}/type"))?, Found::Nothing);
            if self.foreign.iter().any(inside) || defined && differs() {
                self.foreign.retain(|foreign| !inside(foreign));
                let service = Some(file_name(definition).to_owned());
                self.foreign.push(Foreign { path: place, service });
            }
        }
        // The links beside the definitions bear their names as well.
        let names: BTreeSet<&str> = definitions.into_iter().map(file_name).collect();
        for foreign in &mut self.foreign {
            let name = foreign.path.file_name().and_then(|name| name.to_str());
            let is_link = wanted.iter().any(|(path, w)| {
                matches!(w.entry, TreeEntry::Link(_))
                    && w.definition.is_none()
                    && ground.path(path) == foreign.path
            });
            if is_link {
                foreign.service = name.filter(|name| names.contains(name)).map(str::to_owned);
            }
        }
        self.foreign.sort();
        self.foreign.dedup();
        Ok(())
    }
}

/// Everything that has to be there, parents included, by where it really lies.
fn wanted<'t>(
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
            && is_itself(&place, target)
        {
            // Where the directory of links is itself a link to the definitions, nothing is left to link.
            continue;
        }
        want(&place, entry, definition.map(moved).as_deref())?;
    }
    want(&ground.definitions, &TreeEntry::Directory, None)?;
    Ok(wanted)
}

/// What stays in a directory when everything in `gone` has gone.
fn remaining(ground: &Ground, path: &str, gone: &BTreeSet<String>) -> Result<Vec<String>, OutputError> {
    Ok(ground.list(path)?.into_iter().filter(|path| !gone.contains(path)).collect())
}

/// Whether a link at `place` would point at itself.
fn is_itself(place: &str, target: &str) -> bool {
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
    at.join("/") == place
}

fn is_at_or_above(path: &str, below: &str) -> bool {
    below.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
