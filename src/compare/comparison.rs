//! A whole comparison: what differs, and what an update does to the running services.

use std::collections::{BTreeMap, BTreeSet};

use super::differences::{Changed, Difference, DifferenceKind, differences};
use super::restarts::restarts;
use super::transitions::{Cause, Conflict, transitions};
use crate::model::{FDHOLDER, Name, NodeKind, ONESHOT_RUNNER, Settings, Snapshot};

/// What differs between two systems, and what an update of the first one, while it runs, does to its services.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// Each service that differs, in byte order of the names.
    pub differences: Vec<Difference>,
    /// How many are the same and go on as they are.
    pub unchanged: usize,
    /// The services to restart by a line of the conversion file.
    pub conversions: BTreeSet<Name>,
    /// What the update does to services, whether they differ or not. A service that is not named goes on as it is.
    pub effects: BTreeMap<Name, Effect>,
    /// The reason why s6-rc-update refuses the whole update, if it does.
    pub conflict: Option<Conflict>,
    /// Facts about the new services.
    pub(super) added: BTreeMap<Name, Added>,
    /// The services that are up before the update.
    pub(super) up: BTreeSet<Name>,
}

/// What an update does to a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// It is stopped and started again.
    Restarted(Cause),
    /// It is stopped.
    Stopped(Cause),
    /// It is started, because this service needs it.
    Started(Name),
}

/// A service of the new system alone.
#[derive(Debug, Clone)]
pub(super) struct Added {
    pub(super) kind: NodeKind,
    pub(super) starts_at_boot: bool,
}

impl Comparison {
    /// Compares `old`, of which the services `up` are up, with `new`, of which `at_boot` start at boot.
    pub fn of(old: &Snapshot, new: &Snapshot, up: &BTreeSet<Name>, at_boot: &BTreeSet<Name>) -> Self {
        let differences = differences(old, new);
        let conversions = restarts(old, new, up);
        let (effects, conflict) = match transitions(old, new, up, &conversions) {
            Ok(transitions) => (effects(transitions.stops, &transitions.starts, new), None),
            Err(conflict) => (BTreeMap::new(), Some(conflict)),
        };
        let only_new = new.services.iter().filter(|(name, _)| !old.services.contains_key(name));
        let added = only_new.map(|(name, settings)| {
            let added = Added { kind: settings.kind, starts_at_boot: at_boot.contains(name) };
            (name.clone(), added)
        });
        let is_same = |name: &&Name| old.services.get(name) == new.services.get(name);
        let unchanged = old.services.keys().filter(is_same).filter(|name| !effects.contains_key(name));
        Comparison {
            added: added.collect(),
            unchanged: unchanged.count(),
            differences,
            conversions,
            effects,
            conflict,
            up: up.clone(),
        }
    }

    /// Whether a bundle differs only in members that are new or removed, and that are listed themselves.
    pub(super) fn is_told(&self, difference: &Difference) -> bool {
        let is_told = |name: &Name| {
            let position = self.differences.binary_search_by(|difference| difference.name.cmp(name));
            position
                .is_ok_and(|position| !matches!(self.differences[position].kind, DifferenceKind::Changed(_)))
        };
        let DifferenceKind::Changed(settings) = &difference.kind else { return false };
        settings.iter().all(|setting| match &setting.change {
            Changed::Names { added, removed } => {
                setting.setting == "contents" && added.iter().chain(removed).all(is_told)
            }
            _ => false,
        })
    }

    /// The services that do not differ but that the update stops or starts.
    pub(super) fn drawn_in(&self) -> impl Iterator<Item = (&Name, &Effect)> {
        let differs =
            |name: &Name| self.differences.binary_search_by(|difference| difference.name.cmp(name)).is_ok();
        self.effects.iter().filter(move |(name, _)| !differs(name))
    }
}

/// The effects on the services that are stopped or started. s6-rc's own two services are left out, unless they are
/// restarted on purpose.
fn effects(stops: BTreeMap<Name, Cause>, starts: &BTreeSet<Name>, new: &Snapshot) -> BTreeMap<Name, Effect> {
    let mut effects = BTreeMap::new();
    let new = new.flattened();
    for name in starts.iter().filter(|name| !stops.contains_key(name)) {
        let needs = |settings: &Settings| {
            settings.dependencies.contains(name) || settings.producer_for.as_ref() == Some(name)
        };
        let by = new.services.iter().find(|(other, settings)| starts.contains(other) && needs(settings));
        if let Some((by, _)) = by {
            effects.insert(name.clone(), Effect::Started(by.clone()));
        }
    }
    for (name, cause) in stops {
        let effect = if starts.contains(&name) { Effect::Restarted(cause) } else { Effect::Stopped(cause) };
        effects.insert(name, effect);
    }
    effects.retain(|name, effect| {
        *effect == Effect::Restarted(Cause::Conversion) || *name != *ONESHOT_RUNNER && *name != *FDHOLDER
    });
    effects
}
