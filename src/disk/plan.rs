use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::error::{Foreign, OutputError};
use super::ground::{DIRECTORY_MODE, Found, Ground, STAGINGS, SWITCH, State, parents};
use super::place::Prune;
use super::receipt::{RECEIPT, Receipt};
use super::wanted::{Wanted, wanted};
use crate::tree::{SourceTree, TreeEntry};

/// One way in which the files differ from the tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The path, relative to the root.
    pub path: String,
    /// How it differs.
    pub state: State,
}

/// The name of the definition, in the directory `definitions`, that a path lies in or is. What begins with a dot is none.
pub fn definition_in<'p>(definitions: &str, path: &'p str) -> Option<&'p str> {
    let name = path.strip_prefix(definitions)?.strip_prefix('/')?.split('/').next()?;
    (!name.starts_with('.')).then_some(name)
}

/// What has to happen so that the files equal the tree; made by looking only.
#[derive(Default)]
pub(super) struct Plan<'t> {
    /// Directories of ours that have other permissions.
    pub modes: Vec<String>,
    /// What to write, directories first and parents before what is in them.
    pub writes: Vec<Write<'t>>,
    /// What is no longer wanted, children first, and whether it is a directory.
    pub left_over: Vec<(String, bool)>,
    /// Other people's files that keep directories of ours from going.
    pub kept: Vec<String>,
    /// How much of the tree is there already.
    pub unchanged: usize,
    pub foreign: Vec<Foreign>,
    pub differences: Vec<Difference>,
    pub has_receipt: bool,
    /// The services whose definitions are no longer wanted and stay for now.
    pub postponed: Vec<String>,
    pub old: Receipt,
    pub new: Receipt,
    /// What an interrupted build left beside the definitions.
    pub stale: Vec<&'static str>,
    wanted: BTreeMap<String, Wanted<'t>>,
}

/// Something to write.
pub(super) struct Write<'t> {
    pub path: String,
    pub entry: &'t TreeEntry,
    pub in_the_way: InTheWay,
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

impl<'t> Plan<'t> {
    pub fn new(ground: &Ground, tree: &'t SourceTree, prune: Prune) -> Result<Self, OutputError> {
        let receipt = ground.receipt()?;
        let mut plan =
            Plan { has_receipt: receipt.is_some(), old: receipt.unwrap_or_default(), ..Plan::default() };
        for name in [SWITCH].into_iter().chain(STAGINGS) {
            if !matches!(ground.look(&ground.definition(name))?, Found::Nothing) {
                plan.stale.push(name);
            }
        }
        let wanted = wanted(ground, tree, &plan.old)?;
        // Without links nothing but the removal hides a definition from `/init`.
        let may_stay =
            prune == Prune::Later && wanted.iter().any(|(path, w)| w.links_a_definition(path, ground));
        let gone = plan.find_left_over(ground, &wanted, may_stay)?;
        plan.find_changes(ground, &wanted, &gone)?;
        plan.blame_definitions(ground, &wanted)?;
        plan.wanted = wanted;
        Ok(plan)
    }

    pub fn receipt_differs(&self) -> bool {
        !self.has_receipt || self.old != self.new
    }

    /// The directories, as they are before, in which something is added, replaced or removed.
    pub fn parents_of_changes(&self) -> BTreeSet<&str> {
        let written: BTreeSet<&str> = self.writes.iter().map(|write| write.path.as_str()).collect();
        let removed = self.left_over.iter().map(|(path, _)| path.as_str());
        let parents = written.iter().copied().chain(removed).filter_map(|path| parents(path).last());
        parents.filter(|parent| !written.contains(parent)).collect()
    }

    /// Every difference, also of what lies beside the definitions for our own use.
    pub fn differences(&self, ground: &Ground) -> Vec<Difference> {
        let receipt = if self.has_receipt { State::Content } else { State::Missing };
        let receipt = self.receipt_differs().then_some((RECEIPT, receipt));
        let own = self.stale.iter().map(|name| (*name, State::LeftOver)).chain(receipt);
        let own = own.map(|(name, state)| Difference { path: ground.definition(name), state });
        let mut differences: Vec<Difference> = self.differences.iter().cloned().chain(own).collect();
        differences.sort();
        differences
    }

    /// Whether there is nothing to do.
    pub fn is_done(&self) -> bool {
        self.differences.is_empty() && !self.receipt_differs()
    }

    /// What is wanted in a directory, by the path there.
    pub fn wanted_in(&self, directory: &str) -> impl Iterator<Item = (&str, &'t TreeEntry)> {
        let prefix = format!("{directory}/");
        let start = (Bound::Excluded(prefix.clone()), Bound::Unbounded);
        let below = self.wanted.range::<String, _>(start);
        below.map_while(move |(path, wanted)| Some((path.strip_prefix(&prefix)?, wanted.entry)))
    }

    /// Whether the definition of that name is wanted.
    pub fn wants_definition(&self, ground: &Ground, name: &str) -> bool {
        self.wanted.contains_key(&ground.definition(name))
    }

    /// The links to definitions, with their targets.
    pub fn wanted_links(&self, ground: &Ground) -> impl Iterator<Item = (&str, &str)> {
        let links = self.wanted.iter().filter(|(path, wanted)| wanted.links_a_definition(path, ground));
        links.filter_map(|(path, wanted)| match wanted.entry {
            TreeEntry::Link(target) => Some((path.as_str(), target.as_str())),
            _ => None,
        })
    }

    fn find_left_over(
        &mut self,
        ground: &Ground,
        wanted: &BTreeMap<String, Wanted>,
        may_stay: bool,
    ) -> Result<BTreeSet<String>, OutputError> {
        let mut gone = BTreeSet::new();
        let Plan { old, new, left_over, postponed, kept, differences, .. } = self;
        for (path, directory) in old.paths().rev() {
            if wanted.contains_key(path) || !ground.is_direct(path)? {
                continue;
            }
            let definition =
                ground.definition_of(path).filter(|name| !wanted.contains_key(&ground.definition(name)));
            match (ground.look(path)?, directory) {
                (Found::Nothing, _) => continue,
                (_, directory) if may_stay && definition.is_some() => {
                    new.add(path, directory);
                    postponed.extend(definition.filter(|_| path.ends_with("/type")).map(str::to_owned));
                    continue;
                }
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
        postponed.sort();
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
                    self.writes.push(Write { path: path.clone(), entry, in_the_way });
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
        self.writes.sort_by_key(|write| *write.entry != TreeEntry::Directory);
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

/// What stays in a directory when everything in `gone` has gone.
fn remaining(ground: &Ground, path: &str, gone: &BTreeSet<String>) -> Result<Vec<String>, OutputError> {
    Ok(ground.list(path)?.into_iter().filter(|path| !gone.contains(path)).collect())
}

fn is_at_or_above(path: &str, below: &str) -> bool {
    below.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
