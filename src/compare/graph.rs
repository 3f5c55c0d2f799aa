//! The dependency graph of a compiled database.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{FDHOLDER, Name, NodeKind, ONESHOT_RUNNER, Settings, Snapshot};

/// The atomic services of a database by number, with the dependencies that s6-rc adds.
pub(super) struct DependencyGraph {
    names: Vec<Name>,
    numbers: BTreeMap<Name, usize>,
    kinds: Vec<NodeKind>,
    /// What each service waits for directly.
    pub(super) needs: Vec<Vec<usize>>,
    /// What waits directly for each service.
    pub(super) needed_by: Vec<Vec<usize>>,
    bundles: BTreeMap<Name, Vec<usize>>,
}

impl DependencyGraph {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let flat = snapshot.flattened();
        let is_bundle = |settings: &Settings| settings.kind == NodeKind::Bundle;
        let atomics: Vec<(&Name, &Settings)> =
            flat.services.iter().filter(|(_, settings)| !is_bundle(settings)).collect();
        let internal = [Name::from(ONESHOT_RUNNER), Name::from(FDHOLDER)];
        let names: Vec<Name> =
            internal.into_iter().chain(atomics.iter().map(|(name, _)| (*name).clone())).collect();
        let numbers: BTreeMap<Name, usize> = names.iter().cloned().zip(0..).collect();
        let number = |name: &Name| numbers.get(name).copied();
        let mut needs = vec![Vec::new(); 2];
        for (_, settings) in &atomics {
            let written = settings.dependencies.iter().chain(&settings.producer_for);
            let mut needed: BTreeSet<usize> = written.filter_map(number).collect();
            if settings.kind == NodeKind::Oneshot {
                needed.insert(0);
            }
            if settings.is_pipelined() {
                needed.insert(1);
            }
            needs.push(needed.into_iter().collect::<Vec<usize>>());
        }
        let mut needed_by = vec![Vec::new(); names.len()];
        for (service, needed) in needs.iter().enumerate() {
            for needed in needed {
                needed_by[*needed].push(service);
            }
        }
        let bundles =
            flat.services.iter().filter(|(_, settings)| is_bundle(settings)).map(|(name, bundle)| {
                (name.clone(), bundle.contents.iter().filter_map(number).collect::<Vec<usize>>())
            });
        let bundles = bundles.collect();
        let kinds = [NodeKind::Longrun; 2].into_iter().chain(atomics.iter().map(|(_, s)| s.kind)).collect();
        DependencyGraph { names, numbers, kinds, needs, needed_by, bundles }
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn name(&self, service: usize) -> &Name {
        &self.names[service]
    }

    /// The atomic service of that name.
    pub(super) fn find(&self, name: &Name) -> Option<usize> {
        self.numbers.get(name).copied()
    }

    pub(super) fn kind(&self, service: usize) -> NodeKind {
        self.kinds[service]
    }

    /// The atomic services that a name stands for; `None` if it is not defined.
    pub(super) fn atomics(&self, name: &Name) -> Option<Vec<usize>> {
        match self.find(name) {
            Some(service) => Some(vec![service]),
            None => self.bundles.get(name).cloned(),
        }
    }

    /// For each service, whether it is in `names`.
    pub(super) fn marks<'a>(&self, names: impl IntoIterator<Item = &'a Name>) -> Vec<bool> {
        let mut marks = vec![false; self.len()];
        for service in names.into_iter().filter_map(|name| self.find(name)) {
            marks[service] = true;
        }
        marks
    }
}

/// Marks every node that can be reached from a marked one.
pub(super) fn mark_reachable(marks: &mut [bool], edges: &[Vec<usize>]) {
    let mut todo: Vec<usize> = (0..marks.len()).filter(|service| marks[*service]).collect();
    while let Some(service) = todo.pop() {
        for next in &edges[service] {
            if !std::mem::replace(&mut marks[*next], true) {
                todo.push(*next);
            }
        }
    }
}

/// The services that are up after `names` have been started: these, or their members, and everything that they depend on,
/// including the services that s6-rc adds.
pub fn running<'a>(snapshot: &Snapshot, names: impl IntoIterator<Item = &'a Name>) -> BTreeSet<Name> {
    let graph = DependencyGraph::of(snapshot);
    let mut up = vec![false; graph.len()];
    for service in names.into_iter().filter_map(|name| graph.atomics(name)).flatten() {
        up[service] = true;
    }
    mark_reachable(&mut up, &graph.needs);
    (0..graph.len()).filter(|service| up[*service]).map(|service| graph.name(service).clone()).collect()
}
