//! Puts the manifest together: header, defaults, services in tiers, bundles.

use super::super::Migration;
use super::Importer;
use super::lift::lift;
use crate::manifest::draft::{Draft, DraftTable, DraftValue};

/// What holds for every import.
const ALWAYS: &[&str] = &[
    "standard input is /dev/null; it was an open pipe, so a program that reads it may end at once now",
    "each service leads a session of its own; supervisord's programs led only a process group. The variables SUPERVISOR_… are gone",
    "s6 waits until a second has passed since the last start before it starts a program again, and sends CONT after the stop signal; \
     supervisord waited 1, 2, 3 … seconds after early deaths, and not at all after others",
    "supervisord gave programs LC_CTYPE=C.UTF-8 if the image sets no locale: `environment.LC_CTYPE` in the defaults restores it",
];

/// What holds if there are oneshots.
const OF_ONESHOTS: &str = "a oneshot is started by a service of s6-rc: it leads neither a session nor a process group, and finds a \
                           variable `!` in its environment";

impl Importer<'_> {
    /// The limits that supervisord raised before it started programs.
    fn limits(&self, defaults: &mut DraftTable) {
        let Some(section) = self.configuration.sections.iter().find(|section| section.name == "supervisord")
        else {
            return;
        };
        let Some(options) = self.programs.supervisord.as_ref().filter(|_| !self.services.is_empty()) else {
            return;
        };
        for (option, key, value) in
            [("minfds", "nofile", &options.minfds), ("minprocs", "nproc", &options.minprocs)]
        {
            let value = value.known().filter(|value| **value > 0);
            if let Some(value) = value.filter(|_| section.option(option).is_some()) {
                defaults.set(&format!("limits.{key}"), format!(">= {value}"));
            }
        }
    }

    /// A directory that is the default is not written, and a default for one service is its own.
    fn keep_own_directories(&mut self, defaults: &mut DraftTable) {
        let Some(entry) = defaults.entries.iter().find(|entry| entry.key == ["workdir"]).cloned() else {
            return;
        };
        for service in self.services.iter_mut().filter(|service| service.get("workdir") == Some(&entry.value))
        {
            service.remove("workdir");
        }
        let mut longruns: Vec<_> = self.services.iter_mut().filter(|service| !service.is_oneshot).collect();
        if let [only] = longruns.as_mut_slice() {
            defaults.entries.retain(|entry| entry.key != ["workdir"]);
            only.table.entries.push(entry);
        }
    }

    /// Writes each comment of [`EXPLAINED`] at the first place of its key.
    fn explain(&mut self, defaults: &mut [DraftTable]) {
        if let Some((name, comments)) = &self.listening.ending {
            let tables =
                defaults.iter_mut().chain(self.services.iter_mut().map(|service| &mut service.table));
            let mut entries = tables.flat_map(|table| &mut table.entries);
            if let Some(entry) = entries.find(|entry| entry.key[0] == "on-exit") {
                entry.comments.extend(comments.iter().filter(|comment| !comment.trim().is_empty()).cloned());
                entry.comment = Some(format!("[eventlistener:{name}]"));
            }
        }
        for (key, text) in EXPLAINED {
            let tables =
                defaults.iter_mut().chain(self.services.iter_mut().map(|service| &mut service.table));
            let mut entries = tables.flat_map(|table| &mut table.entries);
            let is_reset = |value: &DraftValue| *value == DraftValue::from("boot");
            let found = entries.find(|entry| entry.key == *key && !is_reset(&entry.value));
            if let Some(entry) = found.filter(|entry| entry.comment.is_none()) {
                entry.comment = Some((*text).to_owned());
            }
        }
    }

    /// The manifest and the report.
    pub(super) fn finish(mut self, files: &[String]) -> Migration {
        let mut defaults = DraftTable::new(&["defaults", "longrun"]);
        let mut tables = Vec::new();
        if let Some(workdir) = &self.request.workdir {
            if self.services.iter().any(|service| !service.is_oneshot && !service.has_key("workdir")) {
                defaults.set("workdir", workdir.as_str()).comment =
                    Some("where supervisord itself was started".to_owned());
            }
        } else if self.services.iter().any(|service| !service.has_key("workdir")) {
            self.remarks.push(
                "programs without `directory` had the directory in which supervisord was started, usually the WORKDIR of \
                 the image: --workdir DIR writes it"
                    .to_owned(),
            );
        }
        lift(&mut self.services, &mut defaults);
        self.limits(&mut defaults);
        self.keep_own_directories(&mut defaults);
        if !defaults.entries.is_empty() {
            tables.push(defaults);
        }
        if let Some(workdir) =
            self.request.workdir.as_ref().filter(|_| self.services.iter().any(|service| service.is_oneshot))
        {
            let mut oneshots = DraftTable::new(&["defaults", "oneshot"]);
            oneshots.set("workdir", workdir.as_str());
            tables.push(oneshots);
        }
        if self.services.iter().any(|service| service.is_oneshot) {
            self.remarks.push(OF_ONESHOTS.to_owned());
        }
        self.explain(&mut tables);
        tables.iter_mut().for_each(join);
        let has_tiers = self.services.windows(2).any(|pair| pair[0].priority != pair[1].priority);
        let mut tier = None;
        for mut service in std::mem::take(&mut self.services) {
            join(&mut service.table);
            if has_tiers && tier != Some(service.priority) {
                let rule = format!("---- priority {} ", service.priority);
                let above = vec![format!("{rule:-<88}"), String::new()];
                service.table.comments.splice(0..0, above);
                tier = Some(service.priority);
            }
            tables.push(service.table);
        }
        tables.append(&mut self.bundles);
        let mut header = header(files, self.request.main_files, &tables);
        if !self.request.baked.is_empty() {
            let baked: Vec<String> =
                self.request.baked.iter().map(|(name, value)| format!("{name}={value}")).collect();
            header.push(format!(
                "Fixed, so that the container does not decide it any more: {}.",
                baked.join(", ")
            ));
        }
        header.extend(std::mem::take(&mut self.listening.lost));
        let mut remarks = self.remarks;
        let once: Vec<&str> = self.known_once.iter().map(String::as_str).collect();
        if !once.is_empty() {
            remarks.push(format!(
                "these are started once and never again: {}; one that ends by itself can be a `[oneshot.NAME]`",
                once.join(", ")
            ));
        }
        if self.has_new_logs {
            remarks.push(
                "output without a log file was in files with random names; now it is on the container's log"
                    .to_owned(),
            );
        }
        if !tables.is_empty() {
            remarks.extend(ALWAYS.iter().map(|remark| (*remark).to_owned()));
        }
        Migration {
            draft: Draft { header, tables },
            report: self.fates.report(remarks),
            ..Migration::default()
        }
    }
}

/// Comments that are written once, at the first key that they explain.
const EXPLAINED: &[(&[&str], &str)] = &[
    (&["start"], "autostart=false"),
    (&["on-exit", "early"], "startsecs and startretries: after so many early deaths in a row it stays down"),
    (&["on-exit", "codes"], "autorestart=unexpected: these exit codes are final"),
    (&["stop-group"], "stopasgroup; the rest of the group gets the signal when the main process has ended"),
];

/// Where the manifest comes from, and what a reader must know first.
fn header(files: &[String], main_files: usize, tables: &[DraftTable]) -> Vec<String> {
    let (main, included) = files.split_at(main_files.min(files.len()));
    let included = match included {
        [] => String::new(),
        many if many.iter().map(String::len).sum::<usize>() > 90 => {
            format!(" and {} included files", many.len())
        }
        few => format!(" and, included, {}", few.join(", ")),
    };
    let mut header =
        if main.is_empty() { Vec::new() } else { vec![format!("From {}{included}.", main.join(", "))] };
    let is_on_demand = |table: &DraftTable| {
        table
            .entries
            .iter()
            .any(|entry| entry.key == ["start"] && entry.value == DraftValue::from("on-demand"))
    };
    if tables.iter().any(is_on_demand) {
        header.push(
            "`s6gen start NAME` starts what has start = \"on-demand\", in place of supervisorctl.".to_owned(),
        );
    }
    header
}

/// Writes several keys of `on-exit` or `log` as one table.
fn join(table: &mut DraftTable) {
    for name in ["on-exit", "log"] {
        let is_part =
            |entry: &&crate::manifest::draft::DraftEntry| entry.key.len() == 2 && entry.key[0] == name;
        let parts: Vec<_> = table.entries.iter().filter(is_part).cloned().collect();
        let comment = parts.iter().find_map(|entry| entry.comment.clone());
        if parts.len() < 2 || comment.is_none() {
            continue;
        }
        table.entries.retain(|entry| entry.key.len() != 2 || entry.key[0] != name);
        let fields = parts.iter().map(|entry| (entry.key[1].clone(), entry.value.clone())).collect();
        let joined = table.set(name, DraftValue::Table(fields));
        joined.comment = comment;
        joined.comments = parts.into_iter().flat_map(|entry| entry.comments).collect();
    }
}
