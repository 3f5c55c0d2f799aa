//! Finds out what must change so that the disk equals a tree. It changes nothing itself.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::desired::{DesiredEntries, desired};
use super::error::{ForeignPath, InstallError};
use super::receipt::{RECEIPT, Receipt};
use super::site::{PathState, STAGINGS, SWITCH, Site};
use crate::disk::path::{file_name, is_at_or_above, parents, split};
use crate::disk::{DIRECTORY_MODE, DiskError, OnDisk};
use crate::progress::{self, Stage};
use crate::tree::{SourceTree, TreeEntry};

/// When to remove the definitions that the tree no longer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prune {
    /// During this installation.
    Now,
    /// During a later installation, because a running system still needs the scripts of the services that it has yet to
    /// stop. Until then the definitions stay, and only the links through which `/init` finds them are removed. Definitions
    /// that `/init` finds without a link cannot be hidden like that; they are removed during this installation.
    Later,
}

/// A path that differs from the tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PathDifference {
    /// The path, relative to the root.
    pub path: String,
    /// How it differs.
    pub state: PathState,
}

/// The name of the definition in the directory `definitions` that a path is or lies in. Names that begin with a dot are not
/// definitions.
pub fn definition_in<'p>(definitions: &str, path: &'p str) -> Option<&'p str> {
    let name = path.strip_prefix(definitions)?.strip_prefix('/')?.split('/').next()?;
    (!name.starts_with('.')).then_some(name)
}

/// What must change so that the disk equals the tree.
#[derive(Default)]
pub(super) struct InstallPlan<'t> {
    /// Directories that s6gen made and whose permissions are wrong.
    pub modes: Vec<String>,
    /// What to write: directories first, and each directory before its entries.
    pub writes: Vec<Write<'t>>,
    /// What to remove: each path, and whether it is a directory. A directory comes after its entries.
    pub left_over: Vec<(String, bool)>,
    /// Foreign files, because of which directories of s6gen cannot be removed.
    pub kept: Vec<String>,
    /// The number of entries of the tree that are already on the disk.
    pub unchanged: usize,
    /// Foreign files at paths where the tree has an entry.
    pub foreign: Vec<ForeignPath>,
    /// Whether there is a receipt.
    pub has_receipt: bool,
    /// The services whose definitions are no longer desired but stay until a later installation.
    pub postponed: Vec<String>,
    /// The receipt on the disk.
    pub old: Receipt,
    /// The receipt after the installation.
    pub new: Receipt,
    /// The paths of the old receipt that stay in the new one although the tree does not have them.
    stay: Vec<(String, bool)>,
    /// The names of the staging directories and of the switch, if an interrupted build left them.
    pub stale: Vec<&'static str>,
    desired: DesiredEntries<'t>,
}

/// An entry to write.
pub(super) struct Write<'t> {
    pub path: Cow<'t, str>,
    pub entry: &'t TreeEntry,
    pub in_the_way: InTheWay,
    /// If the entry is a new definition: the number of entries in it. A new definition is completed in the staging
    /// directory, and one rename shows it.
    pub inside: usize,
}

/// An old entry of s6gen at the path of a new one that must be removed first, because a rename cannot replace it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InTheWay {
    Nothing,
    /// A file or link where a directory is desired.
    Leaf,
    /// A directory where something else is desired.
    Directory,
}

impl<'t> InstallPlan<'t> {
    pub fn new(site: &Site, tree: &'t SourceTree, prune: Prune) -> Result<Self, DiskError> {
        progress::begin(Stage::Comparing, 0);
        let receipt = site.receipt()?;
        let mut plan = InstallPlan {
            has_receipt: receipt.is_some(),
            old: receipt.unwrap_or_default(),
            ..InstallPlan::default()
        };
        for name in [SWITCH].into_iter().chain(STAGINGS) {
            if !matches!(site.look(&site.definition(name))?, OnDisk::Nothing) {
                plan.stale.push(name);
            }
        }
        let mut desired = desired(site, tree, &plan.old)?;
        // Only a definition that `/init` finds through a link can be hidden from it without removing it.
        let may_stay =
            prune == Prune::Later && desired.iter().any(|(path, entry)| entry.links_a_definition(path, site));
        let gone = plan.find_left_over(site, &desired, may_stay)?;
        plan.find_changes(site, &mut desired, &gone)?;
        let listed = desired.iter().filter(|(_, entry)| entry.is_listed);
        let listed = listed.map(|(path, desired)| (path, *desired.entry == TreeEntry::Directory));
        let stay = plan.stay.iter().map(|(path, directory)| (&**path, *directory));
        plan.new = plan.old.with_paths(stay.chain(listed));
        plan.report_foreign_definitions(site, &desired)?;
        plan.desired = desired;
        Ok(plan)
    }

    /// Checks that no foreign file is in the way.
    ///
    /// # Errors
    /// The foreign files that are.
    pub fn refuse_foreign(&self) -> Result<(), InstallError> {
        if self.foreign.is_empty() { Ok(()) } else { Err(InstallError::Foreign(self.foreign.clone())) }
    }

    /// Whether the receipt must be written.
    pub fn receipt_differs(&self) -> bool {
        !self.has_receipt || self.old != self.new
    }

    /// The existing directories in which entries are added, replaced or removed.
    pub fn parents_of_changes(&self) -> BTreeSet<&str> {
        let written: BTreeSet<&str> = self.writes.iter().map(|write| &*write.path).collect();
        let removed = self.left_over.iter().map(|(path, _)| path.as_str());
        let parents = written.iter().copied().chain(removed).filter_map(|path| parents(path).last());
        parents.filter(|parent| !written.contains(parent)).collect()
    }

    /// Every path that differs, including the receipt and the leftovers of an interrupted build.
    pub fn differences(&self, site: &Site) -> Vec<PathDifference> {
        let receipt = if self.has_receipt { PathState::Content } else { PathState::Missing };
        let receipt = self.receipt_differs().then_some((RECEIPT, receipt));
        let own = self.stale.iter().map(|name| (*name, PathState::LeftOver)).chain(receipt);
        let own = own.map(|(name, state)| (site.definition(name), state));
        let left_over = self.left_over.iter().map(|(path, _)| (path.clone(), PathState::LeftOver));
        let desired =
            self.desired.iter().filter_map(|(path, desired)| Some((path.to_string(), desired.state?)));
        let all = desired.chain(left_over).chain(own);
        let mut differences: Vec<_> = all.map(|(path, state)| PathDifference { path, state }).collect();
        differences.sort();
        differences
    }

    /// Whether there is nothing to do.
    pub fn is_done(&self) -> bool {
        let differs = self.desired.iter().any(|(_, desired)| desired.state.is_some());
        !differs && self.left_over.is_empty() && !self.receipt_differs()
    }

    /// The desired entries below a directory, each with its path relative to that directory.
    pub fn desired_in(&self, directory: &str) -> impl Iterator<Item = (&str, &'t TreeEntry)> {
        self.desired.below(directory).map(|(path, desired)| (path, desired.entry))
    }

    /// Everything in a new definition, each directory before its entries. Empty for any other entry.
    pub fn content(&self, write: &Write<'_>) -> Vec<(&str, &'t TreeEntry)> {
        if write.inside == 0 { Vec::new() } else { self.desired_in(&write.path).collect() }
    }

    /// Whether the tree has a definition of this name.
    pub fn desires_definition(&self, site: &Site, name: &str) -> bool {
        self.desired.has(&site.definition(name))
    }

    /// The desired links to definitions, with their targets.
    pub fn desired_links(&self, site: &Site) -> impl Iterator<Item = (&str, &str)> {
        let links = self.desired.iter().filter(|(path, desired)| desired.links_a_definition(path, site));
        links.filter_map(|(path, desired)| match desired.entry {
            TreeEntry::Link(target) => Some((path, target.as_str())),
            _ => None,
        })
    }

    fn find_left_over(
        &mut self,
        site: &Site,
        desired: &DesiredEntries<'_>,
        may_stay: bool,
    ) -> Result<BTreeSet<String>, DiskError> {
        let mut gone = BTreeSet::new();
        let InstallPlan { old, stay, left_over, postponed, kept, .. } = self;
        for (path, directory) in old.paths().rev() {
            if desired.has(path) || !site.is_direct(path)? {
                continue;
            }
            let definition = site.definition_of(path).filter(|name| !desired.has(&site.definition(name)));
            match (site.look(path)?, directory) {
                (OnDisk::Nothing, _) => continue,
                (_, directory) if may_stay && definition.is_some() => {
                    stay.push((path.to_owned(), directory));
                    postponed.extend(definition.filter(|_| path.ends_with("/type")).map(str::to_owned));
                    continue;
                }
                (OnDisk::File { .. } | OnDisk::Link(_), false) => {}
                (OnDisk::Directory { .. }, true) => {
                    let rest = remaining(site, path, &gone)?;
                    if !rest.is_empty() {
                        stay.push((path.to_owned(), true));
                        kept.extend(rest.into_iter().filter(|p| !old.owns(p, true) && !old.owns(p, false)));
                        continue;
                    }
                }
                // After a killed build the receipt may list a path both as a file and as a directory.
                (_, directory) if old.owns(path, !directory) => continue,
                _ => {
                    kept.push(path.to_owned());
                    continue;
                }
            }
            gone.insert(path.to_owned());
            left_over.push((path.to_owned(), directory));
        }
        kept.sort();
        postponed.sort();
        Ok(gone)
    }

    fn find_changes(
        &mut self,
        site: &Site,
        desired: &mut DesiredEntries<'t>,
        gone: &BTreeSet<String>,
    ) -> Result<(), DiskError> {
        // The new directories. When one replaces a link, what the old link leads to must not count as an old entry.
        let mut made = BTreeSet::new();
        // The new definitions, each with its position among the writes.
        let mut new_definitions: BTreeMap<&str, usize> = BTreeMap::new();
        for (path, wanted) in desired.iter_mut() {
            let (entry, definition) = (wanted.entry, wanted.definition(path));
            let under_made = made.contains(split(path).0);
            let found = if under_made { OnDisk::Nothing } else { site.look(path)? };
            let difference = site.difference(path, &found, entry)?;
            let owned_leaf = self.old.owns(path, false);
            let directory = *entry == TreeEntry::Directory;
            let mut blocked = Vec::new();
            let state = match (difference, found) {
                (None, OnDisk::Directory { mode }) => {
                    // A directory counts as ours only if it is in the receipt or in a definition of the tree. Other
                    // programs may use it otherwise.
                    let ours = definition.is_some() || self.old.owns(path, true);
                    if !ours || is_at_or_above(path, &site.definitions) {
                        continue;
                    }
                    (mode != DIRECTORY_MODE).then(|| {
                        self.modes.push(path.to_string());
                        PathState::Mode
                    })
                }
                (None, _) => None,
                (Some(state), found) => {
                    match &found {
                        OnDisk::Directory { .. } if self.old.owns(path, true) => {
                            blocked = remaining(site, path, gone)?;
                        }
                        OnDisk::File { .. } | OnDisk::Link(_) if owned_leaf => {}
                        OnDisk::Nothing => {}
                        _ => blocked.push(path.to_string()),
                    }
                    let in_the_way = match found {
                        OnDisk::Directory { .. } => InTheWay::Directory,
                        OnDisk::File { .. } | OnDisk::Link(_) if directory => InTheWay::Leaf,
                        _ => InTheWay::Nothing,
                    };
                    if directory {
                        made.insert(&**path);
                    }
                    match definition.and_then(|definition| new_definitions.get(definition)) {
                        Some(number) => self.writes[*number].inside += 1,
                        None => {
                            let is_new = directory && in_the_way == InTheWay::Nothing;
                            if is_new && definition == Some(&**path) && split(path).0 == site.definitions {
                                new_definitions.insert(path, self.writes.len());
                            }
                            let path = path.clone();
                            self.writes.push(Write { path, entry, in_the_way, inside: 0 });
                        }
                    }
                    Some(state)
                }
            };
            wanted.is_listed = !directory || !is_at_or_above(path, &site.definitions);
            wanted.state = state;
            self.unchanged += usize::from(state.is_none());
            self.foreign.extend(blocked.iter().map(|p| ForeignPath { path: site.path(p), service: None }));
        }
        self.writes.sort_by_key(|write| *write.entry != TreeEntry::Directory);
        Ok(())
    }

    /// Reports a foreign definition once, and not once for each file in it.
    fn report_foreign_definitions(
        &mut self,
        site: &Site,
        desired: &DesiredEntries<'_>,
    ) -> Result<(), DiskError> {
        let definitions = desired.iter().filter(|(path, w)| w.definition(path) == Some(path));
        let definitions: BTreeSet<&str> = definitions.map(|(path, _)| path).collect();
        let blocked: BTreeSet<PathBuf> = self.foreign.drain(..).map(|foreign| foreign.path).collect();
        let mut foreign = BTreeMap::new();
        for definition in definitions.iter().filter(|definition| !self.old.owns(definition, true)) {
            let place = site.path(definition);
            let is_blocked =
                blocked.range(place.clone()..).next().is_some_and(|path| path.starts_with(&place));
            let own = desired.get(definition).into_iter();
            let below = desired.below(definition).map(|(_, entry)| entry);
            let differs = || own.chain(below).any(|entry| entry.state.is_some());
            let defined = !matches!(site.look(&format!("{definition}/type"))?, OnDisk::Nothing);
            if is_blocked || defined && differs() {
                foreign.insert(place, Some(file_name(definition).to_owned()));
            }
        }
        // A foreign file in the place of a link to a definition has the name of a service too.
        let links = desired.iter().filter(|(path, w)| {
            matches!(w.entry, TreeEntry::Link(_)) && w.definition(path).is_none() && !blocked.is_empty()
        });
        let linked = links.filter(|(path, _)| definitions.contains(&*site.definition(file_name(path))));
        let linked: BTreeMap<PathBuf, &str> =
            linked.map(|(path, _)| (site.path(path), file_name(path))).collect();
        let is_inside = |path: &Path| path.ancestors().any(|above| foreign.contains_key(above));
        let others: Vec<PathBuf> = blocked.into_iter().filter(|path| !is_inside(path)).collect();
        let named = others.into_iter().map(|path| {
            let service = linked.get(&path).map(|name| (*name).to_owned());
            (path, service)
        });
        foreign.extend(named.collect::<Vec<_>>());
        self.foreign = foreign.into_iter().map(|(path, service)| ForeignPath { path, service }).collect();
        Ok(())
    }
}

/// The entries that remain in a directory after everything in `gone` is removed.
fn remaining(site: &Site, path: &str, gone: &BTreeSet<String>) -> Result<Vec<String>, DiskError> {
    Ok(site.list(path)?.into_iter().filter(|path| !gone.contains(path)).collect())
}
