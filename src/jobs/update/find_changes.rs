//! Compares the live database with a new one, and plans the update.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::fingerprints;
use super::parallel::in_parallel;
use super::pending::Pending;
use super::plan::Plan;
use crate::compare::{self, Comparison, DifferenceKind};
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
    fingerprints: Fingerprints,
    touched: &BTreeSet<Name>,
) -> Result<Plan, JobError> {
    let is_overlay = desired.services.target.system.is_overlay();
    let top = if is_overlay { "top" } else { START_BUNDLE };
    let mut databases = read(live, &active, fresh, &fingerprints, touched, top)?;
    add_scripts(desired, container, touched, &mut databases)?;
    let Databases { old, mut new, absent } = databases;
    let bundled = replaced_by_bundles(live, fresh, &old, &new)?;
    for (name, contents) in &bundled {
        let bundle = Settings { contents: contents.clone(), ..Settings::new(NodeKind::Bundle) };
        new.services.insert(name.clone(), bundle);
    }
    // Include the services that are down, because a user may start them before the update.
    let all: BTreeSet<Name> = active.iter().chain(old.services.keys()).cloned().collect();
    let mut conversions = compare::restarts(&old, &new, &all);
    let pending = Pending::read(live, fresh)?;
    // A killed update has already replaced the scripts of these services, but not restarted them.
    let unfinished = pending.restart.into_iter();
    conversions.extend(unfinished.filter(|name| new.services.contains_key(name) && active.contains(name)));

    let live_database = live.compiled();
    let comparison = Comparison::without_effects(&old, &new, &active, &absent, conversions);
    let mut plan = Plan { comparison, bundled, fingerprints, ..Plan::default() };
    find_oneshots(&mut plan, &old);
    let is_same = plan.comparison.differences.is_empty()
        && plan.comparison.conversions.is_empty()
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
    fingerprints: &Fingerprints,
    touched: &BTreeSet<Name>,
    top: &str,
) -> Result<Databases, JobError> {
    let live_database = live.compiled();
    let recorded = fingerprints::of_live(live, fresh)?;
    let is_same = |name: &Name| {
        let recorded = recorded.as_ref().and_then(|recorded| recorded.by_name.get(name));
        recorded.is_some_and(|fingerprint| fingerprints.by_name.get(name) == Some(fingerprint))
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
        [(&*live_database, &mut old, &oneshots), (fresh, &mut new, &fingerprints.oneshots)]
    {
        for name in names {
            let is_compared =
                oneshots.contains(name) && fingerprints.oneshots.contains(name) && !is_same(name);
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
            settings.files.insert(file.into(), File { content: content.into(), executable: *executable });
        }
    }
    Ok(())
}

/// Finds the oneshots that run again because a script changed, and those that their old scripts must stop.
fn find_oneshots(plan: &mut Plan, old: &Snapshot) {
    let Comparison { conversions, up, .. } = &plan.comparison;
    let is_oneshot = |name: &&Name| old.services.get(*name).is_some_and(|old| old.kind == NodeKind::Oneshot);
    let has_script = |name: &&Name| match plan.comparison.difference(name) {
        Some(DifferenceKind::Changed(settings)) => {
            settings.iter().any(|setting| setting.setting.starts_with("data"))
        }
        // A killed update has replaced the scripts, so they no longer differ.
        _ => true,
    };
    let rerun = conversions.iter().filter(is_oneshot).filter(has_script).cloned().collect();
    let differ = plan.comparison.differences.iter().map(|difference| &difference.name).chain(conversions);
    let stopped_oneshots = differ.filter(is_oneshot).filter(|name| up.contains(*name)).cloned().collect();
    (plan.rerun, plan.stopped_oneshots) = (rerun, stopped_oneshots);
}

/// The services of the live database whose names are bundles in the database `fresh`, each with the contents of the bundle.
fn replaced_by_bundles(
    live: &mut Live<'_>,
    fresh: &Path,
    old: &Snapshot,
    new: &Snapshot,
) -> Result<BTreeMap<Name, BTreeSet<Name>>, JobError> {
    let removed = old.services.keys().filter(|name| !new.services.contains_key(*name));
    let removed: BTreeSet<Name> = removed.cloned().collect();
    let mut replaced = BTreeMap::new();
    if !removed.is_empty() {
        for name in &removed & &live.list(fresh, DatabaseList::Bundles)? {
            let contents = live.contents(fresh, &name.to_string())?;
            replaced.insert(name, contents);
        }
    }
    Ok(replaced)
}
