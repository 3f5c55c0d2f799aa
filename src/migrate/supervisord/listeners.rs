//! Event listeners: what they did has a key of its own in the manifest, or is lost.

use std::collections::BTreeSet;

use super::super::Fate;
use super::Importer;
use super::service::DraftService;
use crate::execline::base_name;
use crate::supervisord::{ConfigProgram, ProgramKind, words};

/// After which deaths of a program the container ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum EndsOn {
    /// After none.
    #[default]
    Nothing,
    /// When supervisord gives it up, because it died early too often.
    Fatal,
    /// After every one.
    EveryDeath,
}

/// What the listeners of the configuration do.
#[derive(Debug, Clone, Default)]
pub(super) struct Listening {
    ends: EndsOn,
    /// The listener that ends the container, and the comments above it.
    pub ending: Option<(String, Vec<String>)>,
    /// Listeners that have nothing in the manifest: the name, the command and the events.
    pub lost: Vec<String>,
    /// Whether a listener copies the output of programs to the container's log.
    pub shows_output: bool,
    /// Whether a listener reads the options `dependent_startup…`.
    pub orders_starts: bool,
    /// Whether a listener reads the lines of programs.
    pub reads_output: bool,
    /// Whether there is any listener.
    pub is_there: bool,
    /// The programs that others wait for until they have ended.
    pub steps: BTreeSet<String>,
}

impl Listening {
    /// After which deaths of this program the container ends.
    pub fn ends_container(&self, _program: &str) -> EndsOn {
        self.ends
    }
}

/// What a listener does.
enum Purpose {
    EndsSupervisord,
    ShowsOutput,
    OrdersStarts,
    WatchesList,
    Unknown,
}

/// Parts of the names of scripts that end supervisord.
const ENDING: &[&str] = &[
    "stop-supervisor",
    "stop_supervisor",
    "kill",
    "superwatcher",
    "exit-on",
    "exit_on",
    "shutdown",
    "quit",
    "watchdog",
    "fatal",
];

impl Importer<'_> {
    /// Reads what the listeners do, before the programs are translated.
    pub(super) fn listeners(&mut self) {
        let programs = self.programs;
        for listener in programs.programs.iter().filter(|program| program.kind == ProgramKind::EventListener)
        {
            self.listening.is_there = true;
            self.listening.reads_output |=
                listener.events.iter().any(|event| event.starts_with("PROCESS_LOG"));
            self.listener(listener);
        }
    }

    fn listener(&mut self, listener: &ConfigProgram) {
        let has = |event: &str| listener.events.iter().any(|known| known.starts_with(event));
        let (fate, becomes, remark) = match self.purpose(listener) {
            Purpose::EndsSupervisord => {
                let is_every = has("PROCESS_STATE_EXITED") || has("PROCESS_STATE_STOPPED");
                self.listening.ends =
                    if is_every || listener.events.iter().any(|event| event == "PROCESS_STATE") {
                        EndsOn::EveryDeath
                    } else {
                        EndsOn::Fatal
                    };
                let comments = &self.configuration.sections[listener.section].comments;
                self.listening.ending = Some((listener.name.clone(), comments.clone()));
                let when = if self.listening.ends == EndsOn::Fatal { "is given up" } else { "dies" };
                let guess = match self.request.scripts.is_empty()
                    && !ends_supervisord(&listener.options.command.as_written())
                {
                    true => "by its name, because its script is not at hand: ",
                    false => "",
                };
                let remark = format!(
                    "{guess}the container ends itself when a program {when}, with the exit code of that program; supervisord \
                     ended with 0, so look at `restart: on-failure`"
                );
                let stops = if has("PROCESS_STATE_STOPPED") {
                    "; an ordered stop of a program does not end it any more"
                } else {
                    ""
                };
                (Fate::Emulated, "on-exit.then = \"stop-container\"", remark + stops)
            }
            Purpose::ShowsOutput => {
                self.listening.shows_output = true;
                (
                    Fate::Emulated,
                    "the container's log",
                    "lines have no prefix; `log.prefix` adds one".to_owned(),
                )
            }
            Purpose::OrdersStarts => {
                self.listening.orders_starts = true;
                (Fate::Exact, "dependencies", String::new())
            }
            Purpose::WatchesList => {
                let remark = "it ends supervisord when a program of a list dies, which only the listener knows: give these \
                              programs `on-exit.then = \"stop-container\"`";
                (Fate::Lost, "", remark.to_owned())
            }
            Purpose::Unknown => (Fate::Lost, "", lost(listener)),
        };
        if fate == Fate::Lost {
            let command = listener.options.command.as_written().replace('\n', " ");
            self.listening.lost.push(format!(
                "[eventlistener:{}] is lost: `{command}` on {}",
                listener.name,
                listener.events.join(", ")
            ));
        }
        for option in &self.configuration.sections[listener.section].options {
            match option.name.as_str() {
                "command" | "events" => {
                    self.fates.set(listener.section, &option.name, fate, becomes, remark.clone())
                }
                _ => self.fates.set(
                    listener.section,
                    &option.name,
                    Fate::NoEffect,
                    "",
                    "the listener itself is not needed any more",
                ),
            }
        }
    }

    fn purpose(&self, listener: &ConfigProgram) -> Purpose {
        let words = words(&listener.options.command).unwrap_or_default();
        let words: Vec<String> = words.iter().map(|word| word.text().as_written()).collect();
        let command = words.join(" ");
        let has = |event: &str| listener.events.iter().any(|known| known.starts_with(event));
        if command.contains("dependent") && command.contains("startup") {
            return Purpose::OrdersStarts;
        }
        if has("PROCESS_LOG") {
            let shows = command.contains("supervisor_stdout") || command.contains("supervisor-stdout");
            return if shows { Purpose::ShowsOutput } else { Purpose::Unknown };
        }
        if !has("PROCESS_STATE") {
            return Purpose::Unknown;
        }
        let script = words.iter().find_map(|word| self.request.scripts.get(word));
        let kills = script.map(|text| ends_supervisord(text));
        let name = command.contains("$PPID")
            || words.iter().any(|word| ENDING.iter().any(|part| base_name(word).contains(part)));
        // Of those that hear of deaths, only a listener that knows which programs matter asks what has started.
        let is_list = has("PROCESS_STATE_RUNNING") && !is_about_starts(listener)
            || words.iter().skip(1).any(|word| word.contains("critical"));
        match kills.unwrap_or(name || listener.name.contains("exit") || listener.name.contains("kill")) {
            true if is_list => Purpose::WatchesList,
            true => Purpose::EndsSupervisord,
            false if is_list => Purpose::WatchesList,
            false => Purpose::Unknown,
        }
    }

    /// The options that the listener supervisord-dependent-startup reads.
    pub(super) fn dependent_startup(&mut self, program: &ConfigProgram, service: &mut DraftService) {
        let section = &self.configuration.sections[program.section];
        let is_on = |name| {
            section.option(name).is_some_and(|option| {
                matches!(option.value.to_lowercase().as_str(), "true" | "yes" | "on" | "1")
            })
        };
        let is_dependent = is_on("dependent_startup");
        if !self.listening.orders_starts {
            return;
        }
        if is_dependent {
            service.remove("start");
            service.is_started = true;
            self.fates.replace(
                program.section,
                "autostart",
                Fate::Exact,
                "",
                "dependent_startup starts it at boot",
            );
        }
        self.fates.set(program.section, "dependent_startup", Fate::Exact, "dependencies", "");
        self.fates.set(
            program.section,
            "dependent_startup_inherit_priority",
            Fate::NoEffect,
            "",
            "dependencies give the order",
        );
        let Some(option) = section.option("dependent_startup_wait_for") else { return };
        let names: Vec<String> = option.value.split_whitespace().map(str::to_owned).collect();
        let mut dependencies = Vec::new();
        for name in names {
            let (name, state) = name.split_once(':').unwrap_or((&name, "running"));
            if state == "exited" {
                self.listening.steps.insert(name.to_owned());
            }
            dependencies.push(name.to_owned());
        }
        service.set("dependencies", dependencies);
        let (fate, remark) = match option.value.contains(":exited") {
            true => (Fate::Emulated, "if a step fails, what waits for it does not start; it did"),
            false => (Fate::Exact, ""),
        };
        self.fates.set(program.section, "dependent_startup_wait_for", fate, "dependencies", remark);
    }
}

/// Whether a script, or the text of a command, ends supervisord.
fn ends_supervisord(text: &str) -> bool {
    let kills = text.contains("kill");
    let is_parent = text.contains("PPID")
        || text.contains("getppid")
        || text.contains("kill -15 1")
        || text.contains("kill 1");
    kills && (is_parent || text.contains("supervisord.pid"))
        || text.contains("getppid")
        || text.contains("supervisorctl") && text.contains("shutdown")
}

/// Whether a listener hears of starts and of nothing else.
fn is_about_starts(listener: &ConfigProgram) -> bool {
    let is_start = |event: &String| {
        event.starts_with("PROCESS_STATE_STARTING") || event.starts_with("PROCESS_STATE_RUNNING")
    };
    listener.events.iter().all(is_start)
}

/// The URL that a command names.
fn url(command: &str) -> Option<&str> {
    let mut words = command.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\''));
    words.find(|word| word.starts_with("http://"))
}

/// What to do instead of a listener whose purpose is not known.
fn lost(listener: &ConfigProgram) -> String {
    let has = |event: &str| listener.events.iter().any(|known| known.starts_with(event));
    let command = listener.options.command.as_written();
    if let Some(url) = url(&command).filter(|_| command.contains("httpok")) {
        return format!(
            "s6 has no event listeners: write `alive.http = \"{url}\"` for the program that it watched"
        );
    }
    if has("PROCESS_COMMUNICATION") {
        return "s6 reads no messages in the output of programs: the program that sent them can use a fifo or a socket, and a longrun \
                in place of this listener can read it"
            .to_owned();
    }
    let instead = if is_about_starts(listener) {
        "a oneshot, with the service that it waits for in its `dependencies`"
    } else if ["health", "httpok", "memmon", "check"].iter().any(|part| command.contains(part)) {
        "`alive`, which asks a service again and again, and restarts it"
    } else if has("TICK") {
        "a cron job, or a longrun that sleeps between its rounds"
    } else if has("PROCESS_LOG") {
        "`log.to` with a command that reads the lines"
    } else {
        "`finish`, which runs after each death of its service; if it ended the container, `on-exit.then = \"stop-container\"`"
    };
    format!("s6 has no event listeners: what this one does can be {instead}")
}
