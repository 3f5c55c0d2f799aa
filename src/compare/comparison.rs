//! A whole comparison: what differs, and what an update does to the running services.

use std::collections::{BTreeMap, BTreeSet};

use super::differences::{Changed, Difference, DifferenceKind, differences};
use super::graph::DependencyGraph;
use super::restarts::restarts_between;
use super::transitions::{Cause, Conflict, transitions_between};
use crate::model::{FDHOLDER, Name, NodeKind, ONESHOT_RUNNER, Settings, Snapshot};

/// The differences between two systems, and the effects of an update from the first one, while it runs, to the second.
#[derive(Debug, Clone, Default)]
pub struct Comparison {
    /// Each service that differs, in byte order of the names.
    pub differences: Vec<Difference>,
    /// The services to restart by a line of the conversion file.
    pub conversions: BTreeSet<Name>,
    /// The services that are up before the update.
    pub up: BTreeSet<Name>,
    /// The reason why s6-rc-update refuses the whole update, if it does.
    pub conflict: Option<Conflict>,
    /// What the update does to services. Services that keep running, or stay down, are left out.
    pub(super) effects: BTreeMap<Name, Effect>,
    /// Facts about the new services.
    pub(super) added: BTreeMap<Name, Added>,
    /// The longruns and oneshots that do not differ.
    same: BTreeSet<Name>,
}

/// What an update does to a service, and why, as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// It is stopped and started again.
    Restarted(Option<Cause>),
    /// It is stopped.
    Stopped(Option<Cause>),
    /// It is started.
    Started(Option<StartCause>),
}

/// Why a service that was down is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartCause {
    /// This service, which s6-rc-update starts, needs it.
    Needed(Name),
    /// It starts at boot. s6-rc-update does not start it, so `s6gen apply` does.
    Boot,
}

/// A service that only the new system has.
#[derive(Debug, Clone)]
pub(super) struct Added {
    pub(super) kind: NodeKind,
    pub(super) starts_at_boot: bool,
}

impl Comparison {
    /// Compares `old`, of which the services `up` are up, with `new`, of which `at_boot` start at boot, and predicts what
    /// s6-rc-update does.
    pub fn of(old: &Snapshot, new: &Snapshot, up: &BTreeSet<Name>, at_boot: &BTreeSet<Name>) -> Self {
        let graphs = (&DependencyGraph::of(old), &DependencyGraph::of(new));
        let conversions = restarts_between(old, new, graphs, up);
        let predicted = transitions_between(graphs.0, graphs.1, up, &conversions);
        let mut comparison = Comparison::without_effects(old, new, up, at_boot, conversions);
        match predicted {
            Ok(transitions) => comparison.set_effects(effects(transitions.stops, &transitions.starts, new)),
            Err(conflict) => comparison.conflict = Some(conflict),
        }
        comparison
    }

    /// Compares like [`of`](Self::of), but does not predict the effects on services. The conversion file has a line for each
    /// service in `conversions`.
    pub fn without_effects(
        old: &Snapshot,
        new: &Snapshot,
        up: &BTreeSet<Name>,
        at_boot: &BTreeSet<Name>,
        conversions: BTreeSet<Name>,
    ) -> Self {
        let only_new = new.services.iter().filter(|(name, _)| !old.services.contains_key(name));
        let added = only_new.map(|(name, settings)| {
            let added = Added { kind: settings.kind, starts_at_boot: at_boot.contains(name) };
            (name.clone(), added)
        });
        let same = old.services.iter().filter(|(name, settings)| {
            settings.kind != NodeKind::Bundle && new.services.get(name) == Some(*settings)
        });
        Comparison {
            differences: differences(old, new),
            added: added.collect(),
            same: same.map(|(name, _)| name.clone()).collect(),
            conversions,
            up: up.clone(),
            ..Comparison::default()
        }
    }

    /// The effects of the update on services, whether they differ or not. It leaves all other services alone.
    pub fn effects(&self) -> &BTreeMap<Name, Effect> {
        &self.effects
    }

    /// Sets the effects of the update. Leaves out s6-rc's own two services, unless the conversion file restarts them.
    pub fn set_effects(&mut self, mut effects: BTreeMap<Name, Effect>) {
        effects.retain(|name, effect| {
            *effect == Effect::Restarted(Some(Cause::Conversion))
                || *name != *ONESHOT_RUNNER && *name != *FDHOLDER
        });
        self.effects = effects;
    }

    /// Whether no service differs and the update affects none.
    pub fn is_empty(&self) -> bool {
        self.differences.is_empty() && self.effects.is_empty()
    }

    /// How a service differs, if it does.
    pub fn difference(&self, name: &Name) -> Option<&DifferenceKind> {
        let position = self.differences.binary_search_by(|difference| difference.name.cmp(name));
        position.ok().map(|position| &self.differences[position].kind)
    }

    /// The number of longruns and oneshots that do not differ and that the update leaves alone.
    pub(super) fn unchanged(&self) -> usize {
        self.same.iter().filter(|name| !self.effects.contains_key(*name)).count()
    }

    /// Whether a bundle differs only in members that the comparison lists themselves, as added or removed services.
    pub(super) fn is_redundant(&self, difference: &Difference) -> bool {
        let is_listed = |name: &Name| {
            self.difference(name).is_some_and(|kind| !matches!(kind, DifferenceKind::Changed(_)))
        };
        let DifferenceKind::Changed(settings) = &difference.kind else { return false };
        settings.iter().all(|setting| match &setting.change {
            Changed::Names { added, removed } => {
                setting.setting == "contents" && added.iter().chain(removed).all(is_listed)
            }
            _ => false,
        })
    }

    /// The services that do not differ but that the update stops or starts.
    pub(super) fn only_affected(&self) -> impl Iterator<Item = (&Name, &Effect)> {
        self.effects.iter().filter(|(name, _)| self.difference(name).is_none())
    }
}

/// The effects that a prediction of stops and starts amounts to.
fn effects(stops: BTreeMap<Name, Cause>, starts: &BTreeSet<Name>, new: &Snapshot) -> BTreeMap<Name, Effect> {
    let mut effects = BTreeMap::new();
    let new = new.flattened();
    for name in starts.iter().filter(|name| !stops.contains_key(name)) {
        let needs = |settings: &Settings| {
            settings.dependencies.contains(name) || settings.producer_for.as_ref() == Some(name)
        };
        let by = new.services.iter().find(|(other, settings)| starts.contains(other) && needs(settings));
        if let Some((by, _)) = by {
            effects.insert(name.clone(), Effect::Started(Some(StartCause::Needed(by.clone()))));
        }
    }
    for (name, cause) in stops {
        let effect = match starts.contains(&name) {
            true => Effect::Restarted(Some(cause)),
            false => Effect::Stopped(Some(cause)),
        };
        effects.insert(name, effect);
    }
    effects
}
