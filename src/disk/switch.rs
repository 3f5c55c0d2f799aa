//! How many definitions change in one step.
//!
//! `/init` finds our definitions through links, `s6-rc.d/NAME -> ../sv/NAME`. A directory of a lower overlay layer
//! cannot be renamed, a link always can: while definitions change, their links lead through one more link, the switch,
//!
//! ```text
//! s6-rc.d/NAME -> ../sv/.s6gen.switch/NAME
//! sv/.s6gen.switch -> .s6gen.new/now, later .s6gen.new/next
//! ```
//!
//! and replacing the switch is the only moment at which anything that `/init` sees becomes different. `now` holds copies
//! of what was seen, `next` the new definitions, whole. What is no definition on one of the sides is a plain file there,
//! which s6-rc-compile passes over, while it refuses a link to nothing. Meanwhile `sv/NAME` is brought up to date unseen.
//!
//! Names that we add to lists of other people's definitions, as markers of what starts late, cannot lead through a
//! link: s6-rc reads only the names. So for that time such a list holds the name of a bundle of ours instead, which is
//! switched like any definition and holds first the names that go and then those that come.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use super::error::OutputError;
use super::files::{create, make_directory};
use super::ground::{Found, Ground, STAGINGS, SWITCH, parents};
use super::lists::{STAND_IN, lists, split};
use super::plan::{InTheWay, Plan, Write, file_name};
use super::receipt::Receipt;
use super::sides::Side;
use super::wanted::destination;
use crate::tree::TreeEntry;

/// One entry that is staged under a number of the switch's own and then renamed to its place.
pub(super) struct Piece {
    pub number: usize,
    pub path: String,
    pub entry: TreeEntry,
}

impl Piece {
    /// Its name in the staging directory.
    pub fn staged(&self) -> String {
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
    pub engage: Vec<Piece>,
    /// What then must go from other people's lists, as the bundle there stands for it.
    pub unlist: Vec<String>,
    /// New directories in changing definitions, and links in the place of files, which the scripts of oneshots name.
    pub leaves: Vec<Piece>,
    /// The moment.
    pub flip: Vec<Piece>,
    /// Lets the links lead to the definitions again.
    pub release: Vec<Piece>,
    /// What then remains to be removed.
    pub remove: Vec<String>,
    sides: BTreeMap<String, (Side, Side)>,
    count: usize,
}

impl Switch {
    /// What is needed to do `plan` in one step; nothing where it is one step already, where `/init` finds the definitions
    /// without links, and where it finds nothing yet.
    pub fn new(ground: &Ground, plan: &Plan) -> Result<Option<Self>, OutputError> {
        let links = links(ground, plan)?;
        let Some(folder) = links.keys().find_map(|link| parents(link).last()) else { return Ok(None) };
        if matches!(ground.look(folder)?, Found::Nothing) {
            return Ok(None);
        }
        let folder = folder.to_owned();
        let mut switch = Switch { staging: free_staging(ground)?, ..Switch::default() };
        let mut changes = switch.add_links(ground, plan, links)?;
        changes += switch.add_lists(ground, plan, &folder)?;
        changes += plan.writes.iter().filter(|w| switch.is_seen(ground, &w.path)).map(weight).sum::<usize>();
        changes += plan.left_over.iter().filter(|(path, _)| switch.is_seen(ground, path)).count();
        if changes < 2 && !switch.in_use {
            return Ok(None);
        }
        switch.add_leaves(ground, plan);
        let path = ground.definition(SWITCH);
        let [now, next] = ["now", "next"].map(|side| {
            let target = TreeEntry::Link(format!("{}/{side}", switch.staging));
            switch.piece(path.clone(), target)
        });
        switch.engage.insert(0, now);
        switch.flip.push(next);
        switch.remove.push(path);
        Ok(Some(switch))
    }

    pub fn is_seen(&self, ground: &Ground, path: &str) -> bool {
        ground.definition_of(path).is_some_and(|name| self.seen.contains(name))
    }

    /// Whether the switch takes care of a path, so that nobody else does.
    pub fn handled(&self) -> BTreeSet<&str> {
        let made = self.leaves.iter().filter(|piece| piece.entry == TreeEntry::Directory);
        let pieces = self.engage.iter().chain(&self.release).chain(made);
        pieces
            .map(|piece| piece.path.as_str())
            .chain(self.unlist.iter().chain(&self.remove).map(String::as_str))
            .collect()
    }

    /// The directories in which something happens.
    pub fn folders(&self) -> BTreeSet<&str> {
        self.pieces().map(|piece| split(&piece.path).0).collect()
    }

    /// Adds what is made for the time of the switch only.
    pub fn announce(&self, receipt: &mut Receipt, ground: &Ground) {
        for piece in self.engage.iter().filter(|piece| ground.definition_of(&piece.path).is_none()) {
            receipt.add(&piece.path, false);
        }
    }

    fn piece(&mut self, path: String, entry: TreeEntry) -> Piece {
        self.count += 1;
        Piece { number: self.count, path, entry }
    }

    fn pieces(&self) -> impl Iterator<Item = &Piece> {
        [&self.engage, &self.leaves, &self.flip, &self.release].into_iter().flatten()
    }

    /// Makes everything that the steps need, with both sides, in the staging directory.
    pub fn stage(&self, ground: &Ground, plan: &Plan, staging: &Path) -> io::Result<()> {
        for side in ["now", "next"] {
            make_directory(&staging.join(side))?;
        }
        for (name, (now, next)) in &self.sides {
            now.create(ground, plan, name, &staging.join("now").join(name))?;
            next.create(ground, plan, name, &staging.join("next").join(name))?;
        }
        self.pieces().try_for_each(|piece| create(&staging.join(piece.staged()), &piece.entry))
    }

    /// Every link whose definition changes, and every one that comes or goes; returns how many come or go.
    fn add_links(
        &mut self,
        ground: &Ground,
        plan: &Plan,
        links: BTreeMap<String, Option<String>>,
    ) -> Result<usize, OutputError> {
        let writes = plan.writes.iter().map(|write| write.path.as_str());
        let touched = writes.chain(plan.left_over.iter().map(|(path, _)| path.as_str()));
        let touched: BTreeSet<&str> =
            touched.flat_map(|path| [Some(path), ground.definition_of(path)]).flatten().collect();
        let mut changes = 0;
        for (link, target) in links {
            let name = file_name(&link).to_owned();
            if !touched.contains(&*link) && !touched.contains(&*name) {
                continue;
            }
            let place = match ground.look(&link)? {
                Found::Nothing => None,
                Found::Link(there) if is_link_to(ground, &link, &there) => {
                    Some(destination(&link, &there.to_string_lossy()))
                }
                // Somebody has changed it; it is replaced like any file.
                _ => continue,
            };
            self.in_use |= place.as_ref().is_some_and(|place| *place == through_switch(ground, &name));
            let place = place.filter(|place| ground.path(place).is_dir());
            changes += usize::from(place.is_some() != target.is_some());
            let after = match (&place, &target) {
                (_, None) => Side::Nothing,
                (None, Some(_)) => Side::InPlace,
                (Some(_), Some(_)) => Side::Whole,
            };
            if matches!(after, Side::Whole) {
                self.seen.insert(name.clone());
            }
            self.engage(ground, &link);
            match target {
                None => self.remove.push(link),
                Some(target) => {
                    let piece = self.piece(link, TreeEntry::Link(target));
                    self.release.push(piece);
                }
            }
            self.sides.insert(name, (place.map_or(Side::Nothing, Side::Copy), after));
        }
        Ok(changes)
    }

    fn engage(&mut self, ground: &Ground, link: &str) {
        let name = file_name(link);
        let target = relative(parents(link).last().unwrap_or_default(), &through_switch(ground, name));
        let piece = self.piece(link.to_owned(), TreeEntry::Link(target));
        self.engage.push(piece);
    }

    /// Every change of other people's lists; returns how many there are.
    fn add_lists(&mut self, ground: &Ground, plan: &Plan, folder: &str) -> Result<usize, OutputError> {
        let lists = lists(ground, plan)?;
        let changes = lists.values().map(|list| list.goes.len() + list.comes.len()).sum();
        let mut number = 0;
        for (directory, mut list) in lists {
            let link_of = |name: &str| format!("{folder}/{name}");
            self.unlist.extend(list.goes.iter().map(|name| format!("{directory}/{name}")));
            let name = match list.stand_in {
                Some(name) => {
                    let members = format!("{}/contents.d", through_switch(ground, &name));
                    if ground.path(&members).is_dir() {
                        list.goes
                            .extend(ground.list(&members)?.iter().map(|path| file_name(path).to_owned()));
                    }
                    name
                }
                None => loop {
                    let name = format!("{STAND_IN}{number}");
                    number += 1;
                    if matches!(ground.look(&link_of(&name))?, Found::Nothing) {
                        break name;
                    }
                },
            };
            let (link, listed) = (link_of(&name), format!("{directory}/{name}"));
            if !self.sides.contains_key(&name) {
                self.engage(ground, &link);
            }
            let entry = TreeEntry::File { content: Vec::new(), executable: false };
            let piece = self.piece(listed.clone(), entry);
            self.engage.push(piece);
            // Nothing may name a bundle that is gone.
            self.remove.retain(|path| *path != link);
            self.remove.insert(0, listed);
            self.remove.push(link);
            self.sides.insert(name, (Side::Bundle(list.goes), Side::Bundle(list.comes)));
        }
        Ok(changes)
    }

    /// Scripts that s6-rc leaves where they are, those of oneshots, are named in what it compiles: also these change
    /// with the switch. s6-rc-compile itself never meets such a link, it looks into `now` and `next`.
    fn add_leaves(&mut self, ground: &Ground, plan: &Plan) {
        let blocked: BTreeSet<&str> = plan
            .writes
            .iter()
            .filter(|w| w.in_the_way != InTheWay::Nothing)
            .map(|w| w.path.as_str())
            .collect();
        for write in &plan.writes {
            let is_blocked = || parents(&write.path).chain([&*write.path]).any(|path| blocked.contains(path));
            if !self.is_seen(ground, &write.path) || is_blocked() {
                continue;
            }
            let inside = &write.path[ground.definitions.len() + 1..];
            let entry = match write.entry {
                TreeEntry::Directory => TreeEntry::Directory,
                _ => TreeEntry::Link(relative(split(&write.path).0, &through_switch(ground, inside))),
            };
            let piece = self.piece(write.path.clone(), entry);
            self.leaves.push(piece);
        }
    }
}

/// The links to definitions that are wanted, with their targets, and those that are no longer.
fn links(ground: &Ground, plan: &Plan) -> Result<BTreeMap<String, Option<String>>, OutputError> {
    let wanted = plan.wanted_links(ground).map(|(path, target)| (path.to_owned(), Some(target.to_owned())));
    let mut links: BTreeMap<String, Option<String>> = wanted.collect();
    for (path, _) in plan.left_over.iter().filter(|(path, dir)| !dir && ground.definition_of(path).is_none())
    {
        if let Found::Link(target) = ground.look(path)?
            && is_link_to(ground, path, &target)
        {
            links.insert(path.clone(), None);
        }
    }
    Ok(links)
}

/// Whether a link leads to the definition of its name, or would through the switch.
fn is_link_to(ground: &Ground, link: &str, target: &Path) -> bool {
    let (name, place) = (file_name(link), destination(link, &target.to_string_lossy()));
    place == ground.definition(name) || place == through_switch(ground, name)
}

/// A staging directory that no links lead into.
fn free_staging(ground: &Ground) -> Result<&'static str, OutputError> {
    let [first, second] = STAGINGS;
    Ok(match ground.look(&ground.definition(SWITCH))? {
        Found::Link(target) if target.starts_with(first) => second,
        _ => first,
    })
}

fn through_switch(ground: &Ground, inside: &str) -> String {
    format!("{}/{inside}", ground.definition(SWITCH))
}

/// A rename is one step for `/init`, a removal and a rename are two.
fn weight(write: &Write) -> usize {
    if write.in_the_way == InTheWay::Nothing { 1 } else { 2 }
}

/// The path from the directory `from` to `to`.
fn relative(from: &str, to: &str) -> String {
    let parts = |path: &str| path.split('/').filter(|part| !part.is_empty()).count();
    let shared = from.split('/').zip(to.split('/')).take_while(|(a, b)| a == b).count();
    let up = "../".repeat(parts(from) - shared);
    up + &to.split('/').skip(shared).collect::<Vec<_>>().join("/")
}
