use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::cli::system::failed;
use crate::diagnostic::Diagnostic;
use crate::live::Fingerprints;
use crate::live::{self, Call, Direction, Live};
use crate::model::Name;

/// What an update of the running system consists of.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Services that the old database does not have.
    pub(super) added: BTreeSet<Name>,
    /// Services that the new database does not have.
    pub(super) removed: BTreeSet<Name>,
    /// Services that do something else now, with the files that say so.
    pub(super) changed: BTreeMap<Name, Vec<String>>,
    /// The running services that s6-rc-update would not restart by itself: the lines of its conversion file.
    pub(super) conversion: BTreeSet<Name>,
    /// Of these the oneshots of which only a script beside them changed.
    pub(super) rerun: BTreeSet<Name>,
    /// What is up before.
    pub(super) active: BTreeSet<Name>,
    /// What s6-rc-update stops, with everything that stops because it needs it.
    pub(super) stops: BTreeSet<Name>,
    /// Those of them that are oneshots.
    pub(super) stopped_oneshots: BTreeSet<Name>,
    /// What it starts in the new database, with everything that needs to be up for it.
    pub(super) starts: BTreeSet<Name>,
    /// For services that restart without being changed: what they need that restarts, where that is known.
    pub(super) because: BTreeMap<Name, Name>,
    /// What is new among the services that start at boot, and is not up.
    pub(super) unstarted: BTreeSet<Name>,
    /// What of this s6-rc-update does not start, so that it is started once the new database is live.
    pub(super) boot: BTreeSet<Name>,
    /// The same, with what it needs and is not up, such as its loggers.
    pub(super) boot_starts: BTreeSet<Name>,
    /// What the new database was compiled from.
    pub(super) prints: Fingerprints,
    /// Whether another database becomes live.
    pub(super) replaces: bool,
    /// The programs that do it, in order.
    pub(super) commands: Vec<Call>,
    /// Whether the definitions for the next boot differ.
    pub(super) files_differ: bool,
}

/// What becomes of a service that is up or comes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Stopped,
    Restarted,
    Started,
}

impl Plan {
    /// Whether nothing that runs is touched, and no database replaced.
    pub(super) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Finds out for each service that restarts without being changed which one it needs restarts.
    pub(super) fn explain(
        &mut self,
        live: &mut Live<'_>,
        old: &Path,
        fresh: &Path,
    ) -> Result<(), Vec<Diagnostic>> {
        for name in &self.stops {
            if self.changed.contains_key(name) || self.removed.contains(name) {
                continue;
            }
            let needs = live.dependencies(old, name).map_err(failed)?;
            let needed = match needs.into_iter().find(|needed| self.stops.contains(needed)) {
                None if self.starts.contains(name) => {
                    let needs = live.dependencies(fresh, name).map_err(failed)?;
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
    pub(super) fn start_new(&mut self, live: &mut Live<'_>, fresh: &Path) -> Result<(), Vec<Diagnostic>> {
        self.boot = &self.unstarted - &self.starts;
        let boot: Vec<Name> = self.boot.iter().cloned().collect();
        if !boot.is_empty() {
            let needed = live.closure(fresh, Direction::Up, &boot).map_err(failed)?;
            self.boot_starts = &(&needed - &(&self.active - &self.stops)) - &self.starts;
            self.commands.push(live::change(live.directory(), Direction::Up, &boot));
        }
        Ok(())
    }

    fn fates(&self) -> Vec<(Fate, &Name)> {
        let comes_back = |name: &Name| self.starts.contains(name) || self.boot_starts.contains(name);
        let stopped = self.stops.iter().map(|name| match comes_back(name) {
            true => (Fate::Restarted, name),
            false => (Fate::Stopped, name),
        });
        let started = self.starts.union(&self.boot_starts).filter(|name| !self.stops.contains(*name));
        // What s6-rc itself needs for the others is none of anybody's business.
        let all = stopped.chain(started.map(|name| (Fate::Started, name)));
        let mut fates: Vec<_> = all.filter(|(_, name)| !name.is_reserved()).collect();
        fates.sort();
        fates
    }

    /// For people: one line for each service with which something happens.
    pub(super) fn text(&self) -> String {
        let mut lines: Vec<(&str, &Name, String)> = Vec::new();
        let none = String::new;
        lines.extend(self.added.iter().map(|name| ("added", name, none())));
        lines.extend(self.removed.iter().map(|name| ("removed", name, none())));
        for (name, files) in &self.changed {
            let when = match self.active.contains(name) {
                _ if self.stops.contains(name) => continue,
                true => "no restart is needed",
                false => "it is down",
            };
            lines.push(("changed", name, format!("{}; {when}", changed(files))));
        }
        for (fate, name) in self.fates() {
            let why = match (self.changed.get(name), self.because.get(name)) {
                _ if fate != Fate::Restarted => none(),
                (Some(files), _) if self.conversion.contains(name) => changed(files),
                (_, Some(needed)) => format!("it needs {needed}"),
                (Some(files), None) => changed(files),
                (None, None) => "what it is or needs has changed".into(),
            };
            let word = match fate {
                Fate::Stopped => "stopped",
                Fate::Restarted => "restarted",
                Fate::Started => "started",
            };
            // That a service which is no longer there stops goes without saying.
            if fate != Fate::Stopped || !self.removed.contains(name) {
                lines.push((word, name, why));
            }
        }
        fold_loggers(&mut lines);
        let width = lines.iter().map(|(_, name, _)| name.to_string().len()).max().unwrap_or(0);
        let line = |(word, name, why): &(&str, &Name, String)| {
            let text = format!("{word:9}  {:width$}  {why}", name.to_string());
            format!("{}\n", text.trim_end())
        };
        lines.iter().map(line).collect()
    }

    /// For programs.
    pub(super) fn json(&self, is_applied: bool) -> serde_json::Value {
        let names = |list: &BTreeSet<Name>| list.iter().map(Name::to_string).collect::<Vec<_>>();
        let of = |wanted: Fate| {
            let fates = self.fates().into_iter().filter(|(fate, _)| *fate == wanted);
            fates.map(|(_, name)| name.to_string()).collect::<Vec<_>>()
        };
        let changed: BTreeMap<String, &Vec<String>> =
            self.changed.iter().map(|(name, files)| (name.to_string(), files)).collect();
        serde_json::json!({
            "version": 1,
            "applied": is_applied,
            "added": names(&self.added),
            "removed": names(&self.removed),
            "changed": changed,
            "stopped": of(Fate::Stopped),
            "restarted": of(Fate::Restarted),
            "started": of(Fate::Started),
            "conversion": self.conversion.iter().map(|name| format!("{name} restart")).collect::<Vec<_>>(),
            "commands": self.commands.iter().map(Call::words).collect::<Vec<_>>(),
        })
    }
}

/// Leaves out loggers with which nothing else happens than with their services; the lines of these say so.
fn fold_loggers(lines: &mut Vec<(&str, &Name, String)>) {
    let plain: BTreeSet<(String, String)> = lines
        .iter()
        .filter(|(.., why)| why.is_empty())
        .map(|(word, name, _)| ((*word).to_owned(), name.to_string()))
        .collect();
    let is_plain = |word: &str, name: String| plain.contains(&(word.to_owned(), name));
    lines.retain(|(word, name, why)| {
        let name = name.to_string();
        let service = name.strip_suffix("-err-log").or(name.strip_suffix("-log"));
        !why.is_empty() || !service.is_some_and(|service| is_plain(word, service.to_owned()))
    });
    for (word, name, why) in lines.iter_mut().filter(|(.., why)| why.is_empty()) {
        let has = |suffix: &str| is_plain(word, format!("{name}{suffix}"));
        *why = match (has("-log"), has("-err-log")) {
            (false, false) => String::new(),
            (true, true) => "with its loggers".into(),
            _ => "with its logger".into(),
        };
    }
}

fn changed(files: &[String]) -> String {
    format!("{} changed", files.join(", "))
}
