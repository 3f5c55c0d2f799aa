//! What an update of a running system consists of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::jobs::error::JobError;
use crate::live::{self, Call, Direction, Fingerprints, Live};
use crate::model::Name;

/// What an update of a running system consists of.
#[derive(Debug, Default)]
pub struct Plan {
    /// Services that the old database does not have.
    pub(super) added: BTreeSet<Name>,
    /// Services that the new database does not have.
    pub(super) removed: BTreeSet<Name>,
    /// Those of them that are bundles in the new one, with their members.
    pub(super) bundled: BTreeMap<Name, BTreeSet<Name>>,
    /// Services that do something else now, with the files that say so.
    pub(super) changed: BTreeMap<Name, Vec<String>>,
    /// The running services that s6-rc-update would not restart by itself: the lines of its conversion file.
    pub(super) conversion: BTreeSet<Name>,
    /// Of these, the oneshots that changed only in a script beside them.
    pub(super) rerun: BTreeSet<Name>,
    /// What is up before.
    pub(super) active: BTreeSet<Name>,
    /// What s6-rc-update stops, with everything that stops because it needs it.
    pub(super) stops: BTreeSet<Name>,
    /// Those of them that are oneshots.
    pub(super) stopped_oneshots: BTreeSet<Name>,
    /// What s6-rc-update starts in the new database, with everything that needs to be up for it.
    pub(super) starts: BTreeSet<Name>,
    /// For services that restart without being changed: the service that they need and that restarts, where that is known.
    pub(super) because: BTreeMap<Name, Name>,
    /// The new services that start at boot and are not up.
    pub(super) unstarted: BTreeSet<Name>,
    /// Those of them that s6-rc-update does not start. They are started once the new database is live.
    pub(super) boot: BTreeSet<Name>,
    /// The same, with what they need and is not up, such as their loggers.
    pub(super) boot_starts: BTreeSet<Name>,
    /// The fingerprints of what the new database was compiled from.
    pub(super) prints: Fingerprints,
    /// Whether another database becomes live.
    pub(super) replaces: bool,
    /// The programs that do it, in order.
    pub(super) commands: Vec<Call>,
    /// Whether the definitions for the next boot differ.
    pub(super) files_differ: bool,
    /// Whether it was carried out; otherwise it is only what would be done.
    pub(super) is_applied: bool,
}

/// What happens to a service that is up or comes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    Stopped,
    Restarted,
    Started,
}

impl Plan {
    /// Whether no running service is touched, and no database replaced.
    pub(super) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Finds for each service that restarts without being changed which service that it needs restarts.
    pub(super) fn explain(&mut self, live: &mut Live<'_>, old: &Path, fresh: &Path) -> Result<(), JobError> {
        for name in &self.stops {
            if self.changed.contains_key(name) || self.removed.contains(name) {
                continue;
            }
            let needs = live.dependencies(old, name)?;
            let needed = match needs.into_iter().find(|needed| self.stops.contains(needed)) {
                None if self.starts.contains(name) => {
                    let needs = live.dependencies(fresh, name)?;
                    needs.into_iter().find(|needed| self.starts.contains(needed))
                }
                needed => needed,
            };
            if let Some(needed) = needed {
                self.because.insert(name.clone(), needed);
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
            self.boot_starts = &(&needed - &(&self.active - &self.stops)) - &self.starts;
            self.commands.push(live::change(live.directory(), Direction::Up, &boot));
        }
        Ok(())
    }

    /// What happens to each service, without those that s6-rc itself adds.
    pub(super) fn fates(&self) -> Vec<(Fate, &Name)> {
        let comes_back = |name: &Name| self.starts.contains(name) || self.boot_starts.contains(name);
        let stopped = self.stops.iter().map(|name| match comes_back(name) {
            true => (Fate::Restarted, name),
            false => (Fate::Stopped, name),
        });
        let started = self.starts.union(&self.boot_starts).filter(|name| !self.stops.contains(*name));
        let all = stopped.chain(started.map(|name| (Fate::Started, name)));
        let mut fates: Vec<_> = all.filter(|(_, name)| !name.is_reserved()).collect();
        fates.sort();
        fates
    }
}
