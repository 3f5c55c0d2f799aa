//! What an update of a running system consists of, for people and for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::compare::{self, Cause, Comparison, Detail, DifferenceKind, Effect, StartCause};
use crate::jobs::error::JobError;
use crate::live::{self, Call, Direction, Fingerprints, Live};
use crate::model::Name;

/// What an update of a running system consists of.
#[derive(Debug, Default)]
pub struct Plan {
    /// How the databases differ, the lines of the conversion file, the services that are up before the update, and, once
    /// they are known, the effects of the update.
    pub(super) comparison: Comparison,
    /// The services whose names become bundles, each with the contents of the bundle.
    pub(super) bundled: BTreeMap<Name, BTreeSet<Name>>,
    /// The oneshots in the conversion file of which only a script beside them changed.
    pub(super) rerun: BTreeSet<Name>,
    /// The services that s6-rc-update stops, including those that stop because they need another one.
    pub(super) stops: BTreeSet<Name>,
    /// The running oneshots that may be stopped, with their old scripts.
    pub(super) stopped_oneshots: BTreeSet<Name>,
    /// The services of the new database that s6-rc-update starts, including those that others need.
    pub(super) starts: BTreeSet<Name>,
    /// The services that stop because they need another one, each with that one, as far as it is known.
    pub(super) because: BTreeMap<Name, Cause>,
    /// The new services that start at boot and are not up.
    pub(super) unstarted: BTreeSet<Name>,
    /// Those of `unstarted` that s6-rc-update does not start. They start once the new database is live.
    pub(super) boot: BTreeSet<Name>,
    /// `boot`, with the services that these need and that are not up, such as their loggers.
    pub(super) boot_starts: BTreeSet<Name>,
    /// The fingerprints of what the new database was compiled from.
    pub(super) fingerprints: Fingerprints,
    /// Whether another database becomes live.
    pub(super) replaces: bool,
    /// The programs that do it, in order.
    pub(super) commands: Vec<Call>,
    /// Whether the definitions for the next boot differ.
    pub(super) files_differ: bool,
    /// Whether it was carried out; otherwise it is only what would be done.
    pub(super) is_applied: bool,
}

impl Plan {
    /// The text for people: the comparison, or a sentence if no service changes.
    pub fn text(&self) -> String {
        let is_empty = self.comparison.is_empty();
        let sentence = match (self.commands.is_empty(), self.files_differ, self.is_applied) {
            (false, ..) if is_empty => {
                "no service has to be started, stopped or restarted; the database is new\n"
            }
            (false, ..) => "",
            (true, false, _) => "nothing to do\n",
            (true, true, true) => "nothing that runs had to change; the files for the next boot are new\n",
            (true, true, false) => "nothing that runs has to change; the files for the next boot do\n",
        };
        let lines = if is_empty { String::new() } else { compare::text(&self.comparison, Detail::Names) };
        lines + sentence
    }

    /// The fields of the JSON answer: those of the comparison, and how the update is carried out.
    pub fn json(&self) -> serde_json::Value {
        let mut answer = compare::json(&self.comparison);
        answer["applied"] = self.is_applied.into();
        answer["commands"] = self.commands.iter().map(Call::words).collect();
        answer
    }

    /// Finds which service is the reason, for each service that stops because it needs another one.
    pub(super) fn explain(&mut self, live: &mut Live<'_>, old: &Path, fresh: &Path) -> Result<(), JobError> {
        for name in &self.stops {
            if self.own_cause(name).is_some() {
                continue;
            }
            let stopped =
                live.dependencies(old, name)?.into_iter().find(|needed| self.stops.contains(needed));
            let cause = match stopped {
                Some(needed) => Some(Cause::Dependency(needed)),
                None if self.starts.contains(name) => {
                    let needs = live.dependencies(fresh, name)?;
                    needs.into_iter().find(|needed| self.starts.contains(needed)).map(Cause::NewDependency)
                }
                None => None,
            };
            if let Some(cause) = cause {
                self.because.insert(name.clone(), cause);
            }
        }
        Ok(())
    }

    /// Adds the program that starts what is new and s6-rc-update does not start, from the new database `fresh`.
    pub(super) fn start_new(&mut self, live: &mut Live<'_>, fresh: &Path) -> Result<(), JobError> {
        self.boot = &self.unstarted - &self.starts;
        let boot: Vec<Name> = self.boot.iter().cloned().collect();
        if !boot.is_empty() {
            let needed = live.closure(fresh, Direction::Up, &boot)?;
            self.boot_starts = &(&needed - &(&self.comparison.up - &self.stops)) - &self.starts;
            self.commands.push(live::change(live.directory(), Direction::Up, &boot));
        }
        Ok(())
    }

    /// The effect on each service that stops or starts.
    pub(super) fn effects(&self) -> BTreeMap<Name, Effect> {
        let needed_by: BTreeMap<&Name, &Name> = self
            .because
            .iter()
            .filter_map(|(by, cause)| match cause {
                Cause::NewDependency(name) => Some((name, by)),
                _ => None,
            })
            .collect();
        let needed = |name: &Name| needed_by.get(name).map(|by| StartCause::Needed((*by).clone()));
        let started = self.starts.iter().map(|name| (name.clone(), Effect::Started(needed(name))));
        let at_boot =
            self.boot_starts.iter().map(|name| (name.clone(), Effect::Started(Some(StartCause::Boot))));
        let mut effects: BTreeMap<Name, Effect> = started.chain(at_boot).collect();
        for name in &self.stops {
            let cause = self.own_cause(name).or_else(|| self.because.get(name).cloned());
            let effect = match effects.contains_key(name) {
                true => Effect::Restarted(cause),
                false => Effect::Stopped(cause),
            };
            effects.insert(name.clone(), effect);
        }
        effects
    }

    /// The reason why a service stops, if it is its own change and not another service.
    fn own_cause(&self, name: &Name) -> Option<Cause> {
        let has_new_type = match self.comparison.difference(name) {
            Some(DifferenceKind::Removed) => return Some(Cause::Removed),
            Some(DifferenceKind::Changed(settings)) => {
                settings.iter().any(|setting| setting.setting == "type")
            }
            _ => false,
        };
        match self.comparison.conversions.contains(name) {
            true => Some(Cause::Conversion),
            false if self.bundled.contains_key(name) => Some(Cause::Bundle),
            false => has_new_type.then_some(Cause::Type),
        }
    }
}
