//! The switch: a link that lets many definitions change in one step.
//!
//! `/init` finds our definitions through links, `s6-rc.d/NAME -> ../sv/NAME`. A directory of a lower overlay layer cannot be
//! renamed, but a link always can. So while definitions change, their links lead through one more link, the switch:
//!
//! ```text
//! s6-rc.d/NAME -> ../sv/.s6gen.switch/NAME
//! sv/.s6gen.switch -> .s6gen.new/now, later .s6gen.new/next
//! ```
//!
//! One rename replaces the switch, and only that rename changes what `/init` sees. `now` holds copies of the old
//! definitions, and `next` holds the complete new ones. If a definition exists on one side only, the other side has a
//! plain file in its place: s6-rc-compile ignores a file, but refuses a link to nothing. `/init` does not see `sv/NAME`
//! meanwhile, so it can change step by step.
//!
//! Names that s6gen adds to the lists of foreign definitions cannot lead through a link, because s6-rc reads only the names.
//! During the switch such a list has the name of a bundle of s6gen instead, the stand-in. The stand-in is switched like any
//! definition: before, it contains the names that are removed; after, it contains the names that are added.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use super::plan::{InTheWay, InstallPlan, Write};
use super::receipt::Receipt;
use super::shared_lists::{STAND_IN, shared_lists};
use super::sides::SwitchSide;
use super::site::{STAGINGS, SWITCH, Site};
use crate::disk::path::{destination, file_name, parents, relative, split};
use crate::disk::{DiskError, Folder, OnDisk};
use crate::tree::TreeEntry;

/// An entry that only the switch needs. It is staged under a number and then renamed to its path.
pub(super) struct StagedEntry {
    pub number: usize,
    pub path: String,
    pub entry: TreeEntry,
}

impl StagedEntry {
    /// Its name in the staging directory.
    pub fn name(&self) -> String {
        format!("piece-{}", self.number)
    }
}

/// The entries that change everything that `/init` sees in one rename, grouped by the order of their steps.
#[derive(Default)]
pub(super) struct Switch {
    /// The name of the staging directory. It is not one that `/init` still reads after an interrupted build.
    pub staging: &'static str,
    /// Whether an interrupted build left links that lead through the switch.
    pub in_use: bool,
    /// The definitions that exist both before and after, and change.
    pub seen: BTreeSet<String>,
    /// The first steps: they let the links lead through the switch. `/init` still sees the old definitions.
    pub engage: Vec<StagedEntry>,
    /// The names to remove next from shared lists. The stand-in already replaces them.
    pub unlist: Vec<String>,
    /// New directories in the changing definitions, and links that replace files there. See [`Switch::add_inner`].
    pub inner: Vec<StagedEntry>,
    /// The rename that replaces the switch. It is the only step that changes what `/init` sees.
    pub flip: Vec<StagedEntry>,
    /// The steps after it: they let the links lead directly to the definitions again.
    pub release: Vec<StagedEntry>,
    /// The paths to remove at the end.
    pub remove: Vec<String>,
    /// What is under each name in `now` and in `next`.
    sides: BTreeMap<String, (SwitchSide, SwitchSide)>,
    /// The number of the last staged entry.
    count: usize,
}

impl Switch {
    /// The switch that makes `plan` one visible step. `None` if the plan has one visible step anyway, if `/init` finds the
    /// definitions without links, or if `/init` has no definitions yet.
    pub fn new(site: &Site, plan: &InstallPlan) -> Result<Option<Self>, DiskError> {
        let links = links(site, plan)?;
        let Some(folder) = links.keys().find_map(|link| parents(link).last()) else { return Ok(None) };
        if matches!(site.look(folder)?, OnDisk::Nothing) {
            return Ok(None);
        }
        let folder = folder.to_owned();
        let mut switch = Switch { staging: free_staging(site)?, ..Switch::default() };
        let mut changes = switch.add_links(site, plan, links)?;
        changes += switch.add_lists(site, plan, &folder)?;
        changes +=
            plan.writes.iter().filter(|w| switch.is_seen(site, &w.path)).map(visible_steps).sum::<usize>();
        changes += plan.left_over.iter().filter(|(path, _)| switch.is_seen(site, path)).count();
        if changes < 2 && !switch.in_use {
            return Ok(None);
        }
        switch.add_inner(site, plan);
        let path = site.definition(SWITCH);
        let [now, next] = ["now", "next"].map(|side| {
            let target = TreeEntry::Link(format!("{}/{side}", switch.staging));
            switch.staged(path.clone(), target)
        });
        switch.engage.insert(0, now);
        switch.flip.push(next);
        switch.remove.push(path);
        Ok(Some(switch))
    }

    /// Whether a path is in a definition that exists both before and after.
    pub fn is_seen(&self, site: &Site, path: &str) -> bool {
        site.definition_of(path).is_some_and(|name| self.seen.contains(name))
    }

    /// The paths that the steps of the switch change. No other step may change them.
    pub fn handled_paths(&self) -> BTreeSet<&str> {
        let made = self.inner.iter().filter(|staged| staged.entry == TreeEntry::Directory);
        let staged = self.engage.iter().chain(&self.release).chain(made);
        staged
            .map(|staged| staged.path.as_str())
            .chain(self.unlist.iter().chain(&self.remove).map(String::as_str))
            .collect()
    }

    /// The directories in which the switch adds or replaces entries.
    pub fn folders(&self) -> BTreeSet<&str> {
        self.all_staged().map(|staged| split(&staged.path).0).collect()
    }

    /// The receipt of the paths that exist only during the switch.
    pub fn receipt(&self, site: &Site) -> Receipt {
        let own = self.engage.iter().filter(|staged| site.definition_of(&staged.path).is_none());
        Receipt::of(own.map(|staged| (&*staged.path, false)))
    }

    fn staged(&mut self, path: String, entry: TreeEntry) -> StagedEntry {
        self.count += 1;
        StagedEntry { number: self.count, path, entry }
    }

    fn all_staged(&self) -> impl Iterator<Item = &StagedEntry> {
        [&self.engage, &self.inner, &self.flip, &self.release].into_iter().flatten()
    }

    /// Makes both sides, and every entry that the steps need, in the staging directory.
    pub fn stage(&self, site: &Site, plan: &InstallPlan, staging: &Folder) -> Result<(), DiskError> {
        let failed = |error: io::Error| DiskError::system("write", staging.path(), &error);
        for (side, number) in [("now", 0), ("next", 1)] {
            let folder = staging.make_folder(side).map_err(failed)?;
            for (name, sides) in &self.sides {
                [&sides.0, &sides.1][number].create(site, plan, name, &folder)?;
            }
        }
        let staged = self.all_staged().try_for_each(|staged| staging.create(staged.name(), &staged.entry));
        staged.map_err(failed)
    }

    /// Adds every link that is added or removed, or whose definition changes. Returns how many links are added or removed.
    fn add_links(
        &mut self,
        site: &Site,
        plan: &InstallPlan,
        links: BTreeMap<String, Option<String>>,
    ) -> Result<usize, DiskError> {
        let writes = plan.writes.iter().map(|write| &*write.path);
        let touched = writes.chain(plan.left_over.iter().map(|(path, _)| path.as_str()));
        let touched: BTreeSet<&str> =
            touched.flat_map(|path| [Some(path), site.definition_of(path)]).flatten().collect();
        let mut changes = 0;
        for (link, target) in links {
            let name = file_name(&link).to_owned();
            if !touched.contains(&*link) && !touched.contains(&*name) {
                continue;
            }
            let place = match site.look(&link)? {
                OnDisk::Nothing => None,
                OnDisk::Link(there) if is_link_to(site, &link, &there) => {
                    Some(destination(&link, &there.to_string_lossy()))
                }
                // The user has changed the link. It is replaced like any file.
                _ => continue,
            };
            self.in_use |= place.as_ref().is_some_and(|place| *place == through_switch(site, &name));
            let place = match place {
                Some(place) if site.is_directory(&place)? => Some(place),
                _ => None,
            };
            changes += usize::from(place.is_some() != target.is_some());
            let after = match (&place, &target) {
                (_, None) => SwitchSide::Nothing,
                (None, Some(_)) => SwitchSide::InPlace,
                (Some(_), Some(_)) => SwitchSide::Merged,
            };
            if matches!(after, SwitchSide::Merged) {
                self.seen.insert(name.clone());
            }
            self.engage(site, &link);
            match target {
                None => self.remove.push(link),
                Some(target) => {
                    let staged = self.staged(link, TreeEntry::Link(target));
                    self.release.push(staged);
                }
            }
            self.sides.insert(name, (place.map_or(SwitchSide::Nothing, SwitchSide::Copy), after));
        }
        Ok(changes)
    }

    /// Lets a link lead through the switch.
    fn engage(&mut self, site: &Site, link: &str) {
        let name = file_name(link);
        let target = relative(parents(link).last().unwrap_or_default(), &through_switch(site, name));
        let staged = self.staged(link.to_owned(), TreeEntry::Link(target));
        self.engage.push(staged);
    }

    /// Adds every change of a shared list. Returns how many names change.
    fn add_lists(&mut self, site: &Site, plan: &InstallPlan, folder: &str) -> Result<usize, DiskError> {
        let lists = shared_lists(site, plan)?;
        let changes = lists.values().map(|list| list.removed.len() + list.added.len()).sum();
        let mut number = 0;
        for (directory, mut list) in lists {
            let link_of = |name: &str| format!("{folder}/{name}");
            self.unlist.extend(list.removed.iter().map(|name| format!("{directory}/{name}")));
            let name = match list.stand_in {
                Some(name) => {
                    let members = format!("{}/contents.d", through_switch(site, &name));
                    let members = site.real(&members, |_| false)?;
                    if site.folder(&members)?.is_some() {
                        list.removed
                            .extend(site.list(&members)?.iter().map(|path| file_name(path).to_owned()));
                    }
                    name
                }
                None => loop {
                    let name = format!("{STAND_IN}{number}");
                    number += 1;
                    if matches!(site.look(&link_of(&name))?, OnDisk::Nothing) {
                        break name;
                    }
                },
            };
            let (link, listed) = (link_of(&name), format!("{directory}/{name}"));
            if !self.sides.contains_key(&name) {
                self.engage(site, &link);
            }
            let entry = TreeEntry::file("", false);
            let staged = self.staged(listed.clone(), entry);
            self.engage.push(staged);
            // The name in the list must go before the bundle, because s6-rc refuses a name without a definition.
            self.remove.retain(|path| *path != link);
            self.remove.insert(0, listed);
            self.remove.push(link);
            self.sides.insert(name, (SwitchSide::Bundle(list.removed), SwitchSide::Bundle(list.added)));
        }
        Ok(changes)
    }

    /// Adds links through the switch for the files in the changing definitions. A compiled database runs the scripts of a
    /// oneshot from their path in the definition, so these must change with the switch too. s6-rc-compile never reads such
    /// a link, because it reads `now` and `next`.
    fn add_inner(&mut self, site: &Site, plan: &InstallPlan) {
        let blocked: BTreeSet<&str> =
            plan.writes.iter().filter(|w| w.in_the_way != InTheWay::Nothing).map(|w| &*w.path).collect();
        for write in &plan.writes {
            let is_blocked = || parents(&write.path).chain([&*write.path]).any(|path| blocked.contains(path));
            if !self.is_seen(site, &write.path) || is_blocked() {
                continue;
            }
            let inside = &write.path[site.definitions.len() + 1..];
            let entry = match write.entry {
                TreeEntry::Directory => TreeEntry::Directory,
                _ => TreeEntry::Link(relative(split(&write.path).0, &through_switch(site, inside))),
            };
            let staged = self.staged(write.path.to_string(), entry);
            self.inner.push(staged);
        }
    }
}

/// The links to definitions: the desired ones with their targets, and the ones to remove with `None`.
fn links(site: &Site, plan: &InstallPlan) -> Result<BTreeMap<String, Option<String>>, DiskError> {
    let desired = plan.desired_links(site).map(|(path, target)| (path.to_owned(), Some(target.to_owned())));
    let mut links: BTreeMap<String, Option<String>> = desired.collect();
    for (path, _) in plan.left_over.iter().filter(|(path, dir)| !dir && site.definition_of(path).is_none()) {
        if let OnDisk::Link(target) = site.look(path)?
            && is_link_to(site, path, &target)
        {
            links.insert(path.clone(), None);
        }
    }
    Ok(links)
}

/// Whether a link leads to the definition of its name, directly or through the switch.
fn is_link_to(site: &Site, link: &str, target: &Path) -> bool {
    let (name, place) = (file_name(link), destination(link, &target.to_string_lossy()));
    place == site.definition(name) || place == through_switch(site, name)
}

/// The name of a staging directory into which the switch does not lead.
fn free_staging(site: &Site) -> Result<&'static str, DiskError> {
    let [first, second] = STAGINGS;
    Ok(match site.look(&site.definition(SWITCH))? {
        OnDisk::Link(target) if target.starts_with(first) => second,
        _ => first,
    })
}

/// The path through the switch of something in the directory of definitions.
fn through_switch(site: &Site, inside: &str) -> String {
    format!("{}/{inside}", site.definition(SWITCH))
}

/// The number of steps of a write that `/init` can see: one for a rename, two for a removal and a rename.
fn visible_steps(write: &Write) -> usize {
    if write.in_the_way == InTheWay::Nothing { 1 } else { 2 }
}
