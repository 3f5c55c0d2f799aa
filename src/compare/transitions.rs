//! Predicts which services s6-rc-update stops and starts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::graph::{DependencyGraph, mark_reachable};
use crate::model::{Name, NodeKind, Snapshot};

/// What `s6-rc-update` does to running services.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transitions {
    /// What it stops in the old database, and why.
    pub stops: BTreeMap<Name, Cause>,
    /// What it starts in the new one: the services that it stopped, under their new definitions, and their new
    /// dependencies. It does not start a new service that none of these needs.
    pub starts: BTreeSet<Name>,
}

/// Why a service is stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The new database has no such name.
    Removed,
    /// It was a longrun and is a oneshot, or the other way round.
    Type,
    /// Its name is now the name of a bundle that does not have exactly one member.
    Bundle,
    /// A line `NAME restart` of the conversion file.
    Conversion,
    /// It now depends on this service, which is not up at that moment.
    NewDependency(Name),
    /// It depends on this service, which is stopped.
    Dependency(Name),
}

/// Two services of the old database would become one service of the new one. `s6-rc-update` refuses that, whether they
/// are up or not. It happens if a name becomes a bundle of services that existed already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The service of the new database.
    pub service: Name,
    /// The two of the old one, in byte order.
    pub old: [Name; 2],
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Conflict { service, old: [one, other] } = self;
        let first = if one == service { other } else { one };
        write!(
            f,
            "`{one}` and `{other}` would both become `{service}`; first update to a system without `{first}`"
        )
    }
}

/// What `s6-rc-update` does to the services `up` of the system `old` on its way to `new`, with a conversion file of one
/// line `NAME restart` for each of `restart`.
///
/// `up` is the output of `s6-rc -a list`, including s6-rc's own two services; [`running`](super::running) computes it.
/// Essential services are no exception: without its option `-e` s6-rc-update does not wait until they have stopped, but
/// replaces them all the same.
///
/// # Errors
/// s6-rc-update refuses the pair of databases as a whole.
pub fn transitions(
    old: &Snapshot,
    new: &Snapshot,
    up: &BTreeSet<Name>,
    restart: &BTreeSet<Name>,
) -> Result<Transitions, Conflict> {
    transitions_between(&DependencyGraph::of(old), &DependencyGraph::of(new), up, restart)
}

/// The same for a caller that already has the graphs.
pub(super) fn transitions_between(
    old: &DependencyGraph,
    new: &DependencyGraph,
    up: &BTreeSet<Name>,
    restart: &BTreeSet<Name>,
) -> Result<Transitions, Conflict> {
    let mut update = UpdatePlan::new(old, new, up)?;
    for service in restart.iter().filter_map(|name| old.find(name)) {
        update.causes.entry(service).or_insert(Cause::Conversion);
    }
    Ok(update.run())
}

struct UpdatePlan<'a> {
    old: &'a DependencyGraph,
    new: &'a DependencyGraph,
    up: Vec<bool>,
    /// For each old service, the new services that continue it.
    new_of_old: Vec<Vec<usize>>,
    /// For each new service, the old service that it continues.
    old_of_new: Vec<Option<usize>>,
    /// The old services that must stop because of themselves, and not because of a dependency.
    causes: BTreeMap<usize, Cause>,
}

impl<'a> UpdatePlan<'a> {
    fn new(
        old: &'a DependencyGraph,
        new: &'a DependencyGraph,
        up: &BTreeSet<Name>,
    ) -> Result<Self, Conflict> {
        let mut causes = BTreeMap::new();
        let mut new_of_old = Vec::new();
        let mut old_of_new = vec![None; new.len()];
        for service in 0..old.len() {
            let name = old.name(service);
            let atomics = new.atomics(name);
            match atomics.as_deref() {
                None => drop(causes.insert(service, Cause::Removed)),
                Some([one]) if is_other_kind(old.kind(service), new.kind(*one)) => {
                    causes.insert(service, Cause::Type);
                }
                Some([_]) => {}
                Some(_) => drop(causes.insert(service, Cause::Bundle)),
            }
            let atomics = atomics.unwrap_or_default();
            for target in &atomics {
                if let Some(other) = old_of_new[*target].replace(service) {
                    let old = [old.name(other).clone(), name.clone()];
                    return Err(Conflict { service: new.name(*target).clone(), old });
                }
            }
            new_of_old.push(atomics);
        }
        Ok(UpdatePlan { old, new, up: old.marks(up), new_of_old, old_of_new, causes })
    }

    /// Stops further services until no service stays up that has a new dependency which is not up.
    fn run(mut self) -> Transitions {
        loop {
            let stops = self.stops();
            let (mut wanted, mut kept) = (vec![false; self.new.len()], vec![false; self.new.len()]);
            for service in (0..self.old.len()).filter(|service| self.up[*service]) {
                let marks = if stops.contains_key(&service) { &mut wanted } else { &mut kept };
                for target in &self.new_of_old[service] {
                    marks[*target] = true;
                }
            }
            let mut needed = kept.clone();
            mark_reachable(&mut needed, &self.new.needs);
            let missing: Vec<usize> =
                (0..self.new.len()).filter(|service| needed[*service] && !kept[*service]).collect();
            if missing.is_empty() {
                mark_reachable(&mut wanted, &self.new.needs);
                let name = |graph: &DependencyGraph, service: usize| graph.name(service).clone();
                let starts = (0..self.new.len()).filter(|service| wanted[*service] && !kept[*service]);
                return Transitions {
                    starts: starts.map(|service| name(self.new, service)).collect(),
                    stops: stops
                        .into_iter()
                        .map(|(service, cause)| (name(self.old, service), cause))
                        .collect(),
                };
            }
            self.restart_dependents(missing, &kept);
        }
    }

    /// All services that are stopped: those that must stop, and everything that depends on them.
    fn stops(&self) -> BTreeMap<usize, Cause> {
        let mut stops = self.causes.clone();
        stops.retain(|service, _| self.up[*service]);
        let mut todo: Vec<usize> = stops.keys().copied().collect();
        while let Some(service) = todo.pop() {
            for dependent in &self.old.needed_by[service] {
                stops.entry(*dependent).or_insert_with(|| {
                    todo.push(*dependent);
                    Cause::Dependency(self.old.name(service).clone())
                });
            }
        }
        stops.retain(|service, _| self.up[*service]);
        stops
    }

    /// Restarts every service that would stay up and depends on `missing`, directly or indirectly.
    fn restart_dependents(&mut self, missing: Vec<usize>, kept: &[bool]) {
        let mut seen = vec![false; self.new.len()];
        let mut todo = missing;
        while let Some(service) = todo.pop() {
            for dependent in &self.new.needed_by[service] {
                if std::mem::replace(&mut seen[*dependent], true) {
                    continue;
                }
                todo.push(*dependent);
                if let Some(was) = self.old_of_new[*dependent].filter(|_| kept[*dependent]) {
                    let name = self.new.name(service).clone();
                    let cause =
                        if kept[service] { Cause::Dependency(name) } else { Cause::NewDependency(name) };
                    self.causes.entry(was).or_insert(cause);
                }
            }
        }
    }
}

/// The type of a service of another layer is unknown; this assumes that it did not change.
fn is_other_kind(old: NodeKind, new: NodeKind) -> bool {
    old != new && old != NodeKind::Unknown && new != NodeKind::Unknown
}
