//! The switch: how many definitions change in one step.
//!
//! `/init` finds our definitions through links, `s6-rc.d/NAME -> ../sv/NAME`. A directory of a lower overlay layer
//! cannot be renamed, a link always can: while definitions change, their links lead through one more link, the switch,
//!
//! ```text
//! s6-rc.d/NAME -> ../sv/.s6gen.switch/NAME
//! sv/.s6gen.switch -> .s6gen.new/now, later .s6gen.new/next
//! ```
//!
//! and the rename that replaces the switch is the only moment at which anything that `/init` sees becomes different. `now`
//! holds copies of the old definitions, `next` the new ones, complete. Where there is no definition on one of the sides, a
//! plain file takes its place: s6-rc-compile ignores a file, but refuses a link to nothing. Meanwhile `sv/NAME` is brought up
//! to date unseen.
//!
//! Names that s6gen adds to lists of other people's definitions cannot lead through a link, because s6-rc reads only the
//! names. During the switch such a list holds the name of a bundle of ours instead, the stand-in. It is switched like any
//! definition, and contains first the names that are removed and then those that are added.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use super::plan::{InTheWay, InstallPlan, Write};
use super::receipt::Receipt;
use super::shared_lists::{STAND_IN, shared_lists};
use super::sides::SwitchSide;
use super::site::{STAGINGS, SWITCH, Site};
use crate::disk::path::{destination, file_name, parents, relative, split};
use crate::disk::{DiskError, OnDisk, create, is_directory, make_directory};
use crate::tree::TreeEntry;

/// An entry of the switch's own. It is staged under a number and then renamed to its place.
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

/// The steps by which what `/init` sees changes at once. Nobody may look at the staging directory before.
#[derive(Default)]
pub(super) struct Switch {
    /// The staging directory; not the one that an interrupted build left in use.
    pub staging: &'static str,
    /// Whether an interrupted build left links that lead through the switch.
    pub in_use: bool,
    /// The definitions that are seen before and after, and change.
    pub seen: BTreeSet<String>,
    /// Lets the links lead through the switch; nothing looks different.
    pub engage: Vec<StagedEntry>,
    /// What then must go from other people's lists, as the bundle there stands for it.
    pub unlist: Vec<String>,
    /// New directories in changing definitions, and links in the place of files, which the scripts of oneshots name.
    pub leaves: Vec<StagedEntry>,
    /// The moment.
    pub flip: Vec<StagedEntry>,
    /// Lets the links lead to the definitions again.
    pub release: Vec<StagedEntry>,
    /// What then remains to be removed.
    pub remove: Vec<String>,
    sides: BTreeMap<String, (SwitchSide, SwitchSide)>,
    count: usize,
}

impl Switch {
    /// What is needed to do `plan` in one step; nothing where it is one step already, where `/init` finds the definitions
    /// without links, and where it finds nothing yet.
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
        changes += plan.writes.iter().filter(|w| switch.is_seen(site, &w.path)).map(weight).sum::<usize>();
        changes += plan.left_over.iter().filter(|(path, _)| switch.is_seen(site, path)).count();
        if changes < 2 && !switch.in_use {
            return Ok(None);
        }
        switch.add_leaves(site, plan);
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

    pub fn is_seen(&self, site: &Site, path: &str) -> bool {
        site.definition_of(path).is_some_and(|name| self.seen.contains(name))
    }

    /// Whether the switch takes care of a path, so that nobody else does.
    pub fn handled(&self) -> BTreeSet<&str> {
        let made = self.leaves.iter().filter(|staged| staged.entry == TreeEntry::Directory);
        let staged = self.engage.iter().chain(&self.release).chain(made);
        staged
            .map(|staged| staged.path.as_str())
            .chain(self.unlist.iter().chain(&self.remove).map(String::as_str))
            .collect()
    }

    /// The directories in which something happens.
    pub fn folders(&self) -> BTreeSet<&str> {
        self.all_staged().map(|staged| split(&staged.path).0).collect()
    }

    /// Adds what is made for the time of the switch only.
    pub fn announce(&self, receipt: &mut Receipt, site: &Site) {
        for staged in self.engage.iter().filter(|staged| site.definition_of(&staged.path).is_none()) {
            receipt.add(&staged.path, false);
        }
    }

    fn staged(&mut self, path: String, entry: TreeEntry) -> StagedEntry {
        self.count += 1;
        StagedEntry { number: self.count, path, entry }
    }

    fn all_staged(&self) -> impl Iterator<Item = &StagedEntry> {
        [&self.engage, &self.leaves, &self.flip, &self.release].into_iter().flatten()
    }

    /// Makes everything that the steps need, with both sides, in the staging directory.
    pub fn stage(&self, site: &Site, plan: &InstallPlan, staging: &Path) -> io::Result<()> {
        for side in ["now", "next"] {
            make_directory(&staging.join(side))?;
        }
        for (name, (now, next)) in &self.sides {
            now.create(site, plan, name, &staging.join("now").join(name))?;
            next.create(site, plan, name, &staging.join("next").join(name))?;
        }
        self.all_staged().try_for_each(|staged| create(&staging.join(staged.name()), &staged.entry))
    }

    /// Every link whose definition changes, and every one that comes or goes; returns how many come or go.
    fn add_links(
        &mut self,
        site: &Site,
        plan: &InstallPlan,
        links: BTreeMap<String, Option<String>>,
    ) -> Result<usize, DiskError> {
        let writes = plan.writes.iter().map(|write| write.path.as_str());
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
                // Somebody has changed it; it is replaced like any file.
                _ => continue,
            };
            self.in_use |= place.as_ref().is_some_and(|place| *place == through_switch(site, &name));
            let place = place.filter(|place| is_directory(&site.path(place)));
            changes += usize::from(place.is_some() != target.is_some());
            let after = match (&place, &target) {
                (_, None) => SwitchSide::Nothing,
                (None, Some(_)) => SwitchSide::InPlace,
                (Some(_), Some(_)) => SwitchSide::Whole,
            };
            if matches!(after, SwitchSide::Whole) {
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

    fn engage(&mut self, site: &Site, link: &str) {
        let name = file_name(link);
        let target = relative(parents(link).last().unwrap_or_default(), &through_switch(site, name));
        let staged = self.staged(link.to_owned(), TreeEntry::Link(target));
        self.engage.push(staged);
    }

    /// Every change of other people's lists; returns how many there are.
    fn add_lists(&mut self, site: &Site, plan: &InstallPlan, folder: &str) -> Result<usize, DiskError> {
        let lists = shared_lists(site, plan)?;
        let changes = lists.values().map(|list| list.goes.len() + list.comes.len()).sum();
        let mut number = 0;
        for (directory, mut list) in lists {
            let link_of = |name: &str| format!("{folder}/{name}");
            self.unlist.extend(list.goes.iter().map(|name| format!("{directory}/{name}")));
            let name = match list.stand_in {
                Some(name) => {
                    let members = format!("{}/contents.d", through_switch(site, &name));
                    if is_directory(&site.path(&members)) {
                        list.goes.extend(site.list(&members)?.iter().map(|path| file_name(path).to_owned()));
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
            let entry = TreeEntry::File { content: Vec::new(), executable: false };
            let staged = self.staged(listed.clone(), entry);
            self.engage.push(staged);
            // Nothing may name a bundle that is gone.
            self.remove.retain(|path| *path != link);
            self.remove.insert(0, listed);
            self.remove.push(link);
            self.sides.insert(name, (SwitchSide::Bundle(list.goes), SwitchSide::Bundle(list.comes)));
        }
        Ok(changes)
    }

    /// Scripts that s6-rc leaves where they are, those of oneshots, are named in what it compiles: also these change
    /// with the switch. s6-rc-compile itself never meets such a link, it looks into `now` and `next`.
    fn add_leaves(&mut self, site: &Site, plan: &InstallPlan) {
        let blocked: BTreeSet<&str> = plan
            .writes
            .iter()
            .filter(|w| w.in_the_way != InTheWay::Nothing)
            .map(|w| w.path.as_str())
            .collect();
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
            let staged = self.staged(write.path.clone(), entry);
            self.leaves.push(staged);
        }
    }
}

/// The links to definitions that are wanted, with their targets, and those that are no longer.
fn links(site: &Site, plan: &InstallPlan) -> Result<BTreeMap<String, Option<String>>, DiskError> {
    let wanted = plan.desired_links(site).map(|(path, target)| (path.to_owned(), Some(target.to_owned())));
    let mut links: BTreeMap<String, Option<String>> = wanted.collect();
    for (path, _) in plan.left_over.iter().filter(|(path, dir)| !dir && site.definition_of(path).is_none()) {
        if let OnDisk::Link(target) = site.look(path)?
            && is_link_to(site, path, &target)
        {
            links.insert(path.clone(), None);
        }
    }
    Ok(links)
}

/// Whether a link leads to the definition of its name, or would through the switch.
fn is_link_to(site: &Site, link: &str, target: &Path) -> bool {
    let (name, place) = (file_name(link), destination(link, &target.to_string_lossy()));
    place == site.definition(name) || place == through_switch(site, name)
}

/// A staging directory that no links lead into.
fn free_staging(site: &Site) -> Result<&'static str, DiskError> {
    let [first, second] = STAGINGS;
    Ok(match site.look(&site.definition(SWITCH))? {
        OnDisk::Link(target) if target.starts_with(first) => second,
        _ => first,
    })
}

fn through_switch(site: &Site, inside: &str) -> String {
    format!("{}/{inside}", site.definition(SWITCH))
}

/// A rename is one step for `/init`, a removal and a rename are two.
fn weight(write: &Write) -> usize {
    if write.in_the_way == InTheWay::Nothing { 1 } else { 2 }
}
