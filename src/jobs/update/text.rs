//! The plan of an update for people and for programs.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Fate, Plan};
use crate::live::Call;
use crate::model::{Name, json_text};

impl Plan {
    /// For people: one line for each service with which something happens, or a sentence if nothing does.
    pub fn text(&self) -> String {
        let lines = self.lines();
        let last = match (self.is_empty(), self.files_differ, self.is_applied) {
            (false, ..) if lines.is_empty() => {
                "no service has to be started, stopped or restarted; the database is new\n"
            }
            (false, ..) => "",
            (true, false, _) => "nothing to do\n",
            (true, true, true) => "nothing that runs had to change; the files for the next boot are new\n",
            (true, true, false) => "nothing that runs has to change; the files for the next boot do\n",
        };
        lines + last
    }

    fn lines(&self) -> String {
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
            // A service that is removed is stopped; that needs no line of its own.
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
    pub fn json(&self) -> serde_json::Value {
        let name = |name: &Name| json_text(name.as_bytes());
        let names = |list: &BTreeSet<Name>| list.iter().map(name).collect::<Vec<_>>();
        let of = |wanted: Fate| {
            let fates = self.fates().into_iter().filter(|(fate, _)| *fate == wanted);
            fates.map(|(_, service)| name(service)).collect::<Vec<_>>()
        };
        let changed: BTreeMap<String, &Vec<String>> =
            self.changed.iter().map(|(service, files)| (name(service), files)).collect();
        serde_json::json!({
            "applied": self.is_applied,
            "added": names(&self.added),
            "removed": names(&self.removed),
            "changed": changed,
            "stopped": of(Fate::Stopped),
            "restarted": of(Fate::Restarted),
            "started": of(Fate::Started),
            "conversion": self.conversion.iter().map(|name| json_text(&[name.as_bytes(), b" restart"].concat())).collect::<Vec<_>>(),
            "commands": self.commands.iter().map(Call::words).collect::<Vec<_>>(),
        })
    }
}

/// Leaves out loggers to which nothing else happens than to their services; the lines of the services say so.
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
