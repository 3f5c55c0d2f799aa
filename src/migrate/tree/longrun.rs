//! Writes the table of a longrun.

use std::collections::BTreeMap;

use super::facts::{Facts, StartWord, name_problem};
use super::further::further_files;
use super::generated::GeneratedDefinition;
use super::lines::FileLines;
use super::script::{put, without_contenv};
use super::shape::{self, RunShape};
use super::{heading, names};
use crate::manifest::draft::{DraftTable, DraftValue};
use crate::migrate::Fate;
use crate::migrate::values::{duration, signal};
use crate::model::{File, Longrun, Script, Service, ServiceRef};

/// Writes one table.
pub(super) struct LongrunWriter<'w, 'a> {
    pub(super) table: DraftTable,
    facts: &'w Facts<'a>,
    service: &'a Service,
    lines: &'w mut FileLines<'a>,
    files: &'w mut BTreeMap<String, File>,
    /// The generated logger of its errors.
    errors: Option<String>,
    /// The time in which it must become ready, if s6gen's own script acts: then s6-rc has more time.
    ready_within: Option<u32>,
}

/// The time between the stop signal and SIGKILL that s6gen writes by itself, in milliseconds.
const KILL_AFTER: u32 = 5_000;

/// The files below `data` that s6gen writes beside its scripts.
const OWN_DATA: &[&str] = &[
    "alive",
    "check",
    "check-alive",
    "json",
    "log-file",
    "on-failure",
    "on-timeout",
    "ready",
    "secret",
    "stop",
    "wait",
    "wait-for",
    "watch",
];

impl<'w, 'a> LongrunWriter<'w, 'a> {
    pub(super) fn new(
        facts: &'w Facts<'a>,
        service: &'a Service,
        lines: &'w mut FileLines<'a>,
        files: &'w mut BTreeMap<String, File>,
    ) -> Self {
        LongrunWriter {
            table: heading("longrun", service),
            facts,
            service,
            lines,
            files,
            errors: None,
            ready_within: None,
        }
    }

    pub(super) fn write(&mut self, longrun: &Longrun) {
        let is_generated = self.generated(longrun);
        start(self.facts, self.service, is_generated, &mut self.table, self.lines);
        self.without_logger();
        self.lines.note("type", Fate::Exact, "`[longrun]`", "");
        if !is_generated {
            self.scripts(longrun);
        }
        self.pipeline(longrun);
        self.readiness(longrun);
        self.limits(longrun);
        self.signals(longrun);
        flags(self.facts.flags(self.service), &mut self.table, self.lines);
        further_files(self.facts, self.service, &mut self.table, self.lines);
        self.lines.rest_is_ignored();
    }

    /// Reads back `run` and `finish`, if s6gen generated them. Returns whether it did.
    fn generated(&mut self, longrun: &Longrun) -> bool {
        let name = self.service.name.to_string();
        let Some(files) = self.lines.files().filter(|_| self.facts.reads_back(&self.service.name)) else {
            return false;
        };
        let definition = GeneratedDefinition { kind: "longrun", name: &name, files };
        let (Some(run), Some(finish)) = (definition.script("run"), definition.finish()) else { return false };
        let Some(log) = self.facts.log_keys(longrun, &run) else { return false };
        if self.facts.system().is_overlay() && !run.with_contenv {
            self.table.set("with-contenv", false);
        }
        for (key, value) in run.entries {
            self.table.set_path(key, value);
        }
        for (key, value) in log {
            self.table.set_path(vec!["log".to_owned(), key.to_owned()], value);
        }
        self.errors = run.errors;
        self.ready_within = run.ready_within;
        for (key, value) in finish {
            self.table.set(key, value);
        }
        note_generated(&self.table, self.lines, &["run", "finish"]);
        true
    }

    /// Leaves out that a service waits for the logger of its own errors, which the key `log` says.
    fn without_logger(&mut self) {
        let Some(errors) = &self.errors else { return };
        for entry in self.table.entries.iter_mut().filter(|entry| entry.key == ["dependencies"]) {
            if let DraftValue::List(names) = &mut entry.value {
                names.retain(|name| *name != DraftValue::Text(errors.clone()));
            }
        }
        let is_empty = DraftValue::List(Vec::new());
        self.table.entries.retain(|entry| entry.key != ["dependencies"] || entry.value != is_empty);
    }

    /// `run` and `finish`, and the environment that both get.
    fn scripts(&mut self, longrun: &Longrun) {
        let run = text(&longrun.run);
        let finish = longrun.finish.as_ref().map(text).filter(|finish| self.can_start("finish", finish));
        if run.trim().is_empty() {
            self.table.set("run", vec!["false"]);
            let remark = "it is empty, so s6 could not start it; `false` ends at once";
            self.lines.note("run", Fate::Emulated, "`run`", remark);
            return self.finish(finish);
        }
        let is_overlay = self.facts.system().is_overlay();
        let shape = shape::run(run, is_overlay);
        let run_loads = shape.as_ref().map_or(without_contenv(run).is_some(), |shape| shape.with_contenv);
        let finish_loads = finish.is_none_or(|finish| without_contenv(finish).is_some());
        let loads = is_overlay && run_loads && finish_loads;
        if is_overlay && !loads {
            self.table.set("with-contenv", false);
        }
        match shape.filter(|shape| shape.with_contenv == loads || !is_overlay) {
            Some(shape) => self.shape(shape),
            None => self.script("run", run, loads),
        }
        match finish.filter(|_| loads).and_then(without_contenv) {
            Some(finish) => self.script("finish", &finish, false),
            None => self.finish(finish),
        }
    }

    fn finish(&mut self, finish: Option<&str>) {
        if let Some(finish) = finish {
            self.script("finish", finish, false);
        }
    }

    /// Whether s6 can start a script at all.
    fn can_start(&mut self, file: &str, text: &str) -> bool {
        let can_start = text.starts_with("#!");
        if !can_start {
            self.lines.note(
                file,
                Fate::NoEffect,
                "",
                "it has no first line with `#!`, so s6 cannot start it",
            );
        }
        can_start
    }

    /// A `run` that keys stand for.
    fn shape(&mut self, shape: RunShape) {
        let RunShape { words, keys, comments, remark, .. } = shape;
        for (key, value) in keys {
            self.table.set(&key, value);
        }
        self.table.set("run", words).comments = comments;
        let fate = if remark.is_empty() { Fate::Exact } else { Fate::Emulated };
        self.lines.note("run", fate, "`run`, an array", &remark);
    }

    /// A script that stays as it is, apart from its first line.
    fn script(&mut self, key: &'static str, text: &str, loads: bool) {
        let rewritten = loads.then(|| without_contenv(text)).flatten();
        let becomes = put(&mut self.table, self.files, key, rewritten.as_deref().unwrap_or(text));
        let mut remark = String::new();
        let mut fate = Fate::Exact;
        if !text.starts_with("#!") {
            fate = Fate::Emulated;
            remark = "it has no first line with `#!`, so s6 could not start it; `/bin/sh -e` runs it now"
                .to_owned();
        } else if ["$0", "${0", "BASH_SOURCE"].iter().any(|mark| text.contains(mark)) {
            fate = Fate::Emulated;
            remark = format!("it looks at its own path, which was `./{key}` and is `./data/{key}`");
        } else if !text.ends_with('\n') {
            remark = "a newline is added at its end".to_owned();
        }
        self.lines.note(key, fate, &becomes, &remark);
    }

    fn pipeline(&mut self, longrun: &Longrun) {
        let one = |list: &Option<Vec<ServiceRef>>| names(list.as_deref().unwrap_or_default()).pop();
        if let Some(consumer) = one(&longrun.producer_for) {
            let is_logger = self.facts.logger_owner(&consumer.as_str().into()).is_some();
            let becomes = match self.facts.is_named_by_consumer(&self.service.name) {
                _ if is_logger => "`log`",
                true => "`consumer-for` of the consumer",
                false => {
                    self.table.set("producer-for", consumer);
                    "`producer-for`"
                }
            };
            self.lines.note("producer-for", Fate::Exact, becomes, "");
        }
        if !longrun.consumer_for.is_empty() {
            let named = longrun
                .consumer_for
                .iter()
                .filter(|producer| self.facts.is_named_by_consumer(&producer.name));
            let named: Vec<String> = named.map(|producer| producer.name.to_string()).collect();
            let becomes = if named.is_empty() { "`producer-for` of the producers" } else { "`consumer-for`" };
            if !named.is_empty() {
                self.table.set("consumer-for", named);
            }
            self.lines.note("consumer-for", Fate::Exact, becomes, "");
        }
        if let Some(name) = one(&longrun.pipeline_name) {
            match name_problem(&name.as_str().into()) {
                None => {
                    self.table.set("pipeline-name", name);
                    self.lines.note("pipeline-name", Fate::Exact, "`pipeline-name`", "");
                }
                Some(problem) => self.lines.note("pipeline-name", Fate::Lost, "", &problem),
            }
        }
    }

    fn readiness(&mut self, longrun: &Longrun) {
        let has_limit = longrun.timeout_up > 0;
        let mut is_ready = false;
        for (file, key, number) in [
            ("notification-fd", "ready.fd", &longrun.notification_fd),
            ("lock-fd", "lock-fd", &longrun.lock_fd),
        ] {
            let Some(number) = number.as_ref().map(|number| number.value) else { continue };
            if !(3..=1023).contains(&number) {
                self.lines.note(file, Fate::Lost, "", "a manifest can have descriptors from 3 to 1023");
                continue;
            }
            is_ready |= file == "notification-fd";
            self.table.set(key, i64::from(number));
            self.lines.note(file, Fate::Exact, &format!("`{key}`"), "");
        }
        if has_limit || is_ready {
            self.table.set("timeout-up", duration(self.ready_within.unwrap_or(longrun.timeout_up)));
        }
        self.timeout("timeout-up", longrun.timeout_up);
    }

    fn timeout(&mut self, file: &str, limit: u32) {
        match limit {
            0 => self.lines.note(file, Fate::NoEffect, "", "zero is no limit, which is the default"),
            _ => self.lines.note(file, Fate::Exact, &format!("`{file}`"), ""),
        }
    }

    fn limits(&mut self, longrun: &Longrun) {
        if longrun.timeout_down > 0 {
            self.table.set("timeout-down", duration(longrun.timeout_down));
        }
        self.timeout("timeout-down", longrun.timeout_down);
        let kill = longrun.timeout_kill.unwrap_or(0);
        if kill != KILL_AFTER {
            self.table.set("timeout-kill", duration(kill));
        }
        self.lines.note("timeout-kill", Fate::Exact, "`timeout-kill`", "");
        if let Some(limit) = longrun.timeout_finish {
            self.table.set("timeout-finish", duration(limit));
            self.lines.note("timeout-finish", Fate::Exact, "`timeout-finish`", "");
        }
        match longrun.max_death_tally {
            Some(tally @ 1..=4096) => {
                self.table.set("max-death-tally", i64::from(tally));
                self.lines.note("max-death-tally", Fate::Exact, "`max-death-tally`", "");
            }
            Some(_) => {
                self.lines.note("max-death-tally", Fate::Lost, "", "it can be a number from 1 to 4096")
            }
            None => {}
        }
    }

    fn signals(&mut self, longrun: &Longrun) {
        let signals =
            [("down-signal", &longrun.down_signal, "TERM"), ("reload-signal", &longrun.reload_signal, "HUP")];
        for (file, content, default) in signals {
            let Some(content) = content else { continue };
            match signal(content) {
                Some(signal) => {
                    self.table.set(file, signal);
                    self.lines.note(file, Fate::Exact, &format!("`{file}`"), "");
                }
                None => {
                    let remark = format!("a manifest has no name for it: the signal is {default}");
                    self.lines.note(file, Fate::Lost, "", &remark);
                }
            }
        }
        for (file, is_set) in
            [("flag-timeout-killpg", longrun.flag_timeout_killpg), ("flag-newpidns", longrun.flag_newpidns)]
        {
            if is_set {
                self.table.set(file, true);
                self.lines.note(file, Fate::Exact, &format!("`{file}`"), "");
            }
        }
    }
}

/// Notes that the keys of the manifest generate the scripts of a definition again.
pub(super) fn note_generated(table: &DraftTable, lines: &mut FileLines<'_>, keys: &[&str]) {
    for key in keys {
        lines.note(key, Fate::Exact, "the keys from which s6gen generated it", "");
        lines.note(&format!("data/{key}"), Fate::Exact, &format!("`{key}`"), "");
    }
    // Without such a key these files are from the key `files`.
    let has_own = table.entries.iter().any(|entry| {
        let key = entry.key[0].as_str();
        ["alive", "log", "on-exit", "on-failure", "wait-for"].contains(&key)
            || key == "ready" && entry.key[1] != "fd"
    });
    for file in OWN_DATA.iter().filter(|_| has_own) {
        lines.note(&format!("data/{file}"), Fate::Exact, "the keys from which s6gen generated it", "");
    }
    for key in ["only-if", "prepare"] {
        lines.note(&format!("data/{key}"), Fate::Exact, &format!("`{key}`"), "");
    }
}

/// Writes when a service starts, and what it waits for.
pub(super) fn start(
    facts: &Facts<'_>,
    service: &Service,
    is_exact: bool,
    table: &mut DraftTable,
    lines: &mut FileLines<'_>,
) {
    let start = facts.start(&service.name, is_exact);
    if let Some(word) = start.word() {
        table.set("start", word);
    }
    let implied = match start {
        _ if !facts.system().is_overlay() => "",
        StartWord::Boot | StartWord::OnDemand => "base",
        StartWord::Late => "legacy-services",
        StartWord::Early | StartWord::EarlyOnDemand => "",
    };
    let mut dependencies = names(service.dependencies());
    dependencies.retain(|name| name != implied);
    if !dependencies.is_empty() {
        table.set("dependencies", dependencies);
    }
    let path = format!("dependencies.d/{implied}");
    lines.note(&path, Fate::Exact, "`start`, whose services wait for it", "");
    if facts.is_late_by_name_only(&service.name) {
        let remark = "the bundle `user2` starts it; now it also waits for `legacy-services`";
        lines.note("type", Fate::Emulated, "`start`", remark);
    }
    lines.list("dependencies.d", "dependencies", "`dependencies`");
}

/// Writes the flags that all types have.
pub(super) fn flags(flags: (bool, bool), table: &mut DraftTable, lines: &mut FileLines<'_>) {
    for (file, is_set) in [("flag-essential", flags.0), ("flag-recommended", flags.1)] {
        if is_set {
            table.set(file, DraftValue::Flag(true));
            lines.note(file, Fate::Exact, &format!("`{file}`"), "");
        }
    }
}

/// The text of a script that was read from a tree. Definitions with other content are left in the image.
fn text(script: &Script) -> &str {
    match script {
        Script::Verbatim(content) => str::from_utf8(content).unwrap_or_default(),
        _ => "",
    }
}
