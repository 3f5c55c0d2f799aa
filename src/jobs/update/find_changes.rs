//! Compares the live database with a new one, and plans the update.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::fingerprints;
use super::parallel::in_parallel;
use super::pending::Pending;
use super::plan::Plan;
use crate::compare;
use crate::disk::{self, DiskError};
use crate::jobs::container::Container;
use crate::jobs::desired::Desired;
use crate::jobs::error::JobError;
use crate::live::{CompiledDatabase, DatabaseList, Fingerprints, Live};
use crate::model::{File, Name, NodeKind, Settings, Snapshot};
use crate::render;
use crate::resolve::START_BUNDLE;
use crate::tree::TreeEntry;

/// The services of the live database and of a new one. Only services that may differ have their settings.
struct Databases {
    old: Snapshot,
    new: Snapshot,
    /// The services that start at boot and are not up.
    absent: BTreeSet<Name>,
}

/// Compares the live database with the database `fresh`. The definitions `touched` differ on the disk.
pub(super) fn find_changes(
    live: &mut Live<'_>,
    desired: &Desired,
    container: &Container,
    active: BTreeSet<Name>,
    fresh: &Path,
    prints: Fingerprints,
    touched: &BTreeSet<Name>,
) -> Result<Plan, JobError> {
    let is_overlay = desired.services.target.system.is_overlay();
    let top = if is_overlay { "top" } else { START_BUNDLE };
    let mut databases = read(live, &active, fresh, &prints, touched, top)?;
    add_scripts(desired, container, touched, &mut databases)?;
    let Databases { old, new, absent } = databases;
    let mut plan = Plan { active, prints, ..Plan::default() };
    find_differences(&mut plan, &old, &new);
    for (name, contents) in replaced_by_bundles(live, fresh, &plan.removed)? {
        // If the bundle contains one service, s6-rc-update treats that service as the old one with a new name, and lets it
        // run. It must restart instead.
        if contents.len() == 1 {
            plan.conversion.insert(name.clone());
        }
        plan.bundled.insert(name, contents);
    }

    let pending = Pending::read(live, fresh)?;
    // A killed update has already replaced the scripts of these services, but not restarted them.
    for name in pending.restart {
        if new.services.contains_key(&name) && plan.active.contains(&name) {
            plan.changed.entry(name.clone()).or_insert_with(|| vec!["data".to_owned()]);
            plan.conversion.insert(name);
        }
    }
    find_oneshots(&mut plan, &old);
    let live_database = live.compiled();
    let is_same = plan.changed.is_empty()
        && old.services.keys().eq(new.services.keys())
        && CompiledDatabase::at(&live_database).has_same_services(&CompiledDatabase::at(fresh))?;
    if is_same {
        plan.unstarted = &pending.start & &absent;
        return Ok(plan);
    }
    plan.replaces = true;
    if !absent.is_empty() {
        let is_new = &absent - &live.contents(&live_database, top)?;
        plan.unstarted = &is_new | &(&pending.start & &absent);
    }
    Ok(plan)
}

/// Reads the services of both databases. If the fingerprints of a service are equal, its settings are not read.
fn read(
    live: &mut Live<'_>,
    active: &BTreeSet<Name>,
    fresh: &Path,
    prints: &Fingerprints,
    touched: &BTreeSet<Name>,
    top: &str,
) -> Result<Databases, JobError> {
    let live_database = live.compiled();
    let recorded = fingerprints::of_live(live, fresh)?;
    let is_same = |name: &Name| {
        let recorded = recorded.as_ref().and_then(|recorded| recorded.by_name.get(name));
        recorded.is_some_and(|print| prints.by_name.get(name) == Some(print))
    };
    let longruns = |database: &Path| longruns(&CompiledDatabase::at(database), &is_same);
    let both = || (longruns(&live_database), longruns(fresh));
    let ((old, new), at_boot) = in_parallel(both, || live.contents(fresh, top));
    let (mut old, mut new) = (old?, new?);
    let absent = &at_boot? - active;
    let oneshots = match &recorded {
        Some(recorded) => recorded.oneshots.clone(),
        None => live.list(&live_database, DatabaseList::Oneshots)?,
    };
    let is_same = |name: &Name| is_same(name) && !touched.contains(name);
    for (database, snapshot, names) in
        [(&*live_database, &mut old, &oneshots), (fresh, &mut new, &prints.oneshots)]
    {
        for name in names {
            let is_compared = oneshots.contains(name) && prints.oneshots.contains(name) && !is_same(name);
            let settings = match is_compared {
                true => live.oneshot(database, name)?,
                false => Settings::new(NodeKind::Oneshot),
            };
            snapshot.services.insert(name.clone(), settings);
        }
    }
    Ok(Databases { old, new, absent })
}

fn longruns(database: &CompiledDatabase, is_same: &impl Fn(&Name) -> bool) -> Result<Snapshot, DiskError> {
    let mut snapshot = Snapshot::default();
    for name in database.longruns()? {
        let settings = match is_same(&name) {
            true => Settings::new(NodeKind::Longrun),
            false => database.settings(&name)?,
        };
        snapshot.services.insert(name, settings);
    }
    Ok(snapshot)
}

/// Adds the files in `data` to our oneshots that differ on the disk. A oneshot may run these files, and a database does not
/// contain them.
fn add_scripts(
    desired: &Desired,
    container: &Container,
    touched: &BTreeSet<Name>,
    databases: &mut Databases,
) -> Result<(), JobError> {
    let prefix = format!("{}/", render::definitions_dir(&desired.services.target));
    for (path, entry) in desired.tree.entries() {
        let TreeEntry::File { content, executable } = entry else { continue };
        let Some((name, file)) = path.strip_prefix(&prefix).and_then(|path| path.split_once('/')) else {
            continue;
        };
        let Some(name) = touched.get(&Name::from(name)).filter(|_| file.starts_with("data/")) else {
            continue;
        };
        let is_oneshot = |settings: &&mut Settings| settings.kind == NodeKind::Oneshot;
        let Some(settings) = databases.new.services.get_mut(name).filter(is_oneshot) else { continue };
        settings.files.insert(file.into(), File { content: content.clone(), executable: *executable });
        let present = disk::read_if_there(&container.path(path))?;
        if let (Some(content), Some(settings)) = (present, databases.old.services.get_mut(name)) {
            settings.files.insert(file.into(), File { content, executable: *executable });
        }
    }
    Ok(())
}

/// Finds the services that were added, removed or changed, and those that restart only if the conversion file says so.
fn find_differences(plan: &mut Plan, old: &Snapshot, new: &Snapshot) {
    let missing = |from: &Snapshot, names: &Snapshot| -> BTreeSet<Name> {
        names.services.keys().filter(|name| !from.services.contains_key(*name)).cloned().collect()
    };
    plan.added = missing(old, new);
    plan.removed = missing(new, old);
    for (name, settings) in &new.services {
        let Some(before) = old.services.get(name) else { continue };
        let changes = compare::changes(before, settings);
        let names: BTreeSet<String> = changes.into_iter().map(|change| change.setting).collect();
        if !names.is_empty() {
            plan.changed.insert(name.clone(), names.into_iter().collect());
        }
    }
    // Include the services that are down, because a user may start them before the update.
    let all: BTreeSet<Name> = plan.active.iter().chain(old.services.keys()).cloned().collect();
    plan.conversion = compare::restarts(old, new, &all);
}

/// Finds the oneshots that run again because a script changed, and those that their old scripts must stop.
fn find_oneshots(plan: &mut Plan, old: &Snapshot) {
    let is_oneshot = |name: &&Name| old.services.get(*name).is_some_and(|old| old.kind == NodeKind::Oneshot);
    let has_script = |name: &&Name| {
        let files = plan.changed.get(*name).into_iter().flatten();
        files.into_iter().any(|file| file.starts_with("data"))
    };
    plan.rerun = plan.conversion.iter().filter(is_oneshot).filter(has_script).cloned().collect();
    let differ = plan.changed.keys().chain(&plan.removed);
    plan.stopped_oneshots =
        differ.filter(is_oneshot).filter(|name| plan.active.contains(*name)).cloned().collect();
}

/// The services among `removed` whose names are bundles in the database `fresh`, each with the contents of the bundle.
fn replaced_by_bundles(
    live: &mut Live<'_>,
    fresh: &Path,
    removed: &BTreeSet<Name>,
) -> Result<BTreeMap<Name, BTreeSet<Name>>, JobError> {
    let mut replaced = BTreeMap::new();
    if !removed.is_empty() {
        for name in removed & &live.list(fresh, DatabaseList::Bundles)? {
            let contents = live.contents(fresh, &name.to_string())?;
            replaced.insert(name, contents);
        }
    }
    Ok(replaced)
}
