//! Writes the table of a longrun.

use std::collections::BTreeMap;

use super::facts::{Facts, name_problem};
use super::further::further_files;
use super::generated::{GeneratedDefinition, note_generated};
use super::hand_logger::HandLogger;
use super::lines::FileLines;
use super::logger::{LogKeys, without_usual_stderr};
use super::script::joins_outputs;
use super::starts::StartWord;
use super::{add_to_list, heading, names};
use crate::manifest::draft::{DraftEntry, DraftTable, DraftValue};
use crate::migrate::Fate;
use crate::migrate::values::{duration, signal};
use crate::model::{File, Longrun, Service, ServiceRef};

/// Writes one table.
pub(super) struct LongrunWriter<'w, 'a> {
    pub(super) table: DraftTable,
    pub(super) facts: &'w Facts<'a>,
    pub(super) service: &'a Service,
    pub(super) lines: &'w mut FileLines<'a>,
    pub(super) files: &'w mut BTreeMap<String, File>,
    /// The generated loggers that it waits for.
    loggers: Vec<String>,
    /// The time in which it must become ready, if that is not the limit of s6-rc: a script of s6gen acts, or a check needs a limit.
    pub(super) ready_within: Option<u32>,
    /// If keys of `ready` stand for a part of its `run`: the time in which it must become ready if no `timeout-up` is written.
    pub(super) usual_limit: Option<u32>,
}

/// The time between the stop signal and SIGKILL that s6gen writes by itself, in milliseconds.
const KILL_AFTER: u32 = 5_000;
/// The descriptor with which s6gen asks whether a service is ready, if nothing else is written.
const USUAL_DESCRIPTOR: u32 = 3;

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
            loggers: Vec::new(),
            ready_within: None,
            usual_limit: None,
        }
    }

    pub(super) fn write(&mut self, longrun: &Longrun) {
        let is_generated = self.generated(longrun);
        start(self.facts, self.service, is_generated, &mut self.table, self.lines);
        self.without_loggers();
        self.lines.note("type", Fate::Exact, "`[longrun]`", "");
        if !is_generated {
            self.scripts(longrun);
        }
        self.pipeline(longrun);
        self.readiness(longrun);
        self.limits(longrun);
        self.signals(longrun);
        flags(self.facts.flags(self.service), &mut self.table, self.lines);
        further_files(self.facts, self.service, is_generated, &mut self.table, self.lines);
        self.lines.rest_is_ignored();
    }

    /// Reads back `run` and `finish`, if s6gen generated them. Returns whether it did.
    fn generated(&mut self, longrun: &Longrun) -> bool {
        let name = self.service.name.to_string();
        let Some(files) = self.lines.files().filter(|_| self.facts.reads_back(&self.service.name)) else {
            return false;
        };
        let table = self.facts.table_name(&self.service.name);
        let definition = GeneratedDefinition { kind: "longrun", table: &table, name: &name, files };
        let Some(run) = definition.script("run") else { return false };
        let Some(finish) = definition.finish(&run) else { return false };
        let Some(log) = self.facts.log_keys(self.service, longrun, &run) else { return false };
        if self.facts.system().is_overlay() && !run.with_contenv {
            self.table.set("with-contenv", false);
        }
        self.loggers = self.facts.waited_loggers(&self.service.name, &run);
        for (key, value) in run.entries {
            self.table.set_path(key, value);
        }
        for (key, value) in log {
            self.table.set_path(vec!["log".to_owned(), key.to_owned()], value);
        }
        self.ready_within = run.ready_within;
        for (key, value) in finish {
            self.table.set(key, value);
        }
        without_usual_stderr(&mut self.table);
        note_generated(&self.table, self.lines, &["run", "finish"]);
        true
    }

    /// Leaves out that a service waits for its own loggers, which the key `log` says.
    fn without_loggers(&mut self) {
        for entry in self.table.entries.iter_mut().filter(|entry| entry.key == ["dependencies"]) {
            if let DraftValue::List(names) = &mut entry.value {
                let is_logger =
                    |name: &DraftValue| matches!(name, DraftValue::Text(name) if self.loggers.contains(name));
                names.retain(|name| !is_logger(name));
            }
        }
        let is_empty = DraftValue::List(Vec::new());
        self.table.entries.retain(|entry| entry.key != ["dependencies"] || entry.value != is_empty);
    }

    fn pipeline(&mut self, longrun: &Longrun) {
        let one = |list: &Option<Vec<ServiceRef>>| names(list.as_deref().unwrap_or_default()).pop();
        if let Some(consumer) = one(&longrun.producer_for) {
            let hand_logger = self.facts.hand_logger(&consumer.as_str().into());
            let is_logger = self.facts.logger_owner(&consumer.as_str().into()).is_some()
                || hand_logger.is_some() && !self.facts.is_exact();
            match hand_logger {
                Some(logger) if self.facts.is_exact() => {
                    let keys = self.log_keys(&logger);
                    let table = DraftValue::Table(
                        keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
                    );
                    self.lines.offer(
                        "producer-for",
                        &format!("log = {}", table.text()),
                        &logger.differences.join("; "),
                    );
                }
                Some(logger) => self.log(&logger),
                None => {}
            }
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

    /// The keys of `log` that stand for its logger. Standard error follows standard output if nothing else is written.
    fn log_keys(&self, logger: &HandLogger) -> LogKeys {
        let run =
            self.lines.file("run").map(|file| String::from_utf8_lossy(&file.content)).unwrap_or_default();
        let joins = self.table.entries.iter().any(is_stderr) || joins_outputs(&run);
        let stderr = (!joins).then(|| ("stderr", "container".into()));
        logger.keys.iter().cloned().chain(stderr).collect()
    }

    /// Writes the keys of `log` that stand for its logger, and what the logger waits for.
    fn log(&mut self, logger: &HandLogger) {
        let keys = self.log_keys(logger);
        self.table.entries.retain(|entry| !is_stderr(entry));
        for (key, value) in keys {
            self.table.set(&format!("log.{key}"), value);
        }
        let known = names(self.service.dependencies());
        for other in logger.dependencies.iter().filter(|other| !known.contains(other) && *other != "base") {
            add_to_list(&mut self.table, "dependencies", other);
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
            let is_usual =
                file == "notification-fd" && self.usual_limit.is_some() && number == USUAL_DESCRIPTOR;
            if !is_usual {
                self.table.set(key, i64::from(number));
            }
            self.lines.note(file, Fate::Exact, &format!("`{key}`"), "");
        }
        let limit = self.ready_within.unwrap_or(longrun.timeout_up);
        let is_usual = is_ready && self.usual_limit == Some(limit);
        if (has_limit || is_ready) && !is_usual {
            self.table.set("timeout-up", duration(limit));
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

/// Whether it is the key `log.stderr`.
fn is_stderr(entry: &DraftEntry) -> bool {
    entry.key == ["log", "stderr"]
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
