//! The options that say what follows when a program ends, and how it is stopped.

use super::super::Fate;
use super::Importer;
use super::listeners::EndsOn;
use super::service::DraftService;
use crate::manifest::draft::DraftValue;
use crate::migrate::values;
use crate::model::SIGNALS;
use crate::supervisord::{Autorestart, ConfigProgram, Expanded, Piece, Setting, signal_name};

/// The pauses between early deaths are not those of supervisord.
const PAUSES: &str =
    "s6 waits a second before each new start; supervisord waited 1, 2, 3 … seconds after early deaths";

/// More tries than these are no limit.
const MOST_RETRIES: i64 = 100;

/// A table of `on-exit`: its keys with their values.
type ExitTable = Vec<(&'static str, DraftValue)>;

impl Importer<'_> {
    /// Translates what follows a death.
    pub(super) fn exit(
        &mut self,
        program: &ConfigProgram,
        ends_supervisord: bool,
        service: &mut DraftService,
    ) {
        let options = &program.options;
        let seconds = self.known(program, "startsecs", &options.startsecs, 1);
        let retries = self.known(program, "startretries", &options.startretries, 3);
        let codes = self.known(program, "exitcodes", &options.exitcodes, vec![0]);
        let restart = match &options.autorestart {
            Setting::Known(restart) => *restart,
            Setting::AtRunTime(text) => self.restart_at_run_time(program, text),
        };
        let ends =
            if ends_supervisord { EndsOn::EveryDeath } else { self.listening.ends_container(&program.name) };
        let early = (seconds > 0 && retries <= MOST_RETRIES).then(|| early(seconds, retries));
        let is_written = self.configuration.sections[program.section].option("startretries").is_some();
        if early.is_some() && is_written && retries > 3 && ends != EndsOn::EveryDeath {
            service.set("restart-delay", format!("1s..{}", values::seconds(retries.min(60))));
        }
        let tables = tables(restart, early, &codes, ends);
        match ends == EndsOn::EveryDeath {
            true => self.fates_of_end(program, restart, seconds),
            false => self.exit_fates(program, &service.name, restart, seconds, retries),
        }
        write(&tables, service);
    }

    /// Translates how it is stopped: the signal, the time and the group.
    pub(super) fn stop(&mut self, program: &ConfigProgram, service: &mut DraftService) {
        let (options, section) = (&program.options, program.section);
        let signal = self.known(program, "stopsignal", &options.stopsignal, 15);
        let name = signal_name(signal).filter(|name| SIGNALS.contains(name));
        match name {
            _ if signal == 15 => self.fates.set(section, "stopsignal", Fate::Exact, "", ""),
            Some(name) => {
                service.set("down-signal", name);
                self.fates.set(section, "stopsignal", Fate::Exact, "down-signal", "");
            }
            None => self.fates.set(
                section,
                "stopsignal",
                Fate::Lost,
                "",
                "s6 cannot send this signal, so it sends TERM",
            ),
        }
        let wait = self.known(program, "stopwaitsecs", &options.stopwaitsecs, 10);
        match wait > values::LONGEST {
            true => service.set("timeout-kill", "never"),
            false => service.set("timeout-kill", values::seconds(wait.max(1))),
        };
        let (fate, remark) = match wait {
            0 => (Fate::Emulated, "one second; with no time at all it would never be killed"),
            _ => (Fate::Exact, ""),
        };
        self.fates.set(section, "stopwaitsecs", fate, "timeout-kill", remark);
        let as_group = self.known(program, "stopasgroup", &options.stopasgroup, false);
        let kill_group = self.known(program, "killasgroup", &options.killasgroup, as_group);
        if as_group {
            service.set("stop-group", true);
            let remark = "the main process gets the signal first, the rest of its group when that has ended, with a second to \
                          live; a shell with a `trap` must wait for its program in the background: `program & wait $!`";
            self.fates.set(section, "stopasgroup", Fate::Emulated, "stop-group", remark);
            self.fates.set(section, "killasgroup", Fate::Exact, "stop-group", "");
        } else {
            self.fates.set(section, "stopasgroup", Fate::Exact, "", "");
            self.fates.set(
                section,
                "killasgroup",
                Fate::Exact,
                if kill_group { "flag-timeout-killpg" } else { "" },
                "",
            );
            if kill_group {
                service.set("flag-timeout-killpg", true);
            }
        }
        self.fates.set(
            section,
            "serverurl",
            Fate::NoEffect,
            "",
            "there is no server whose address a program needs",
        );
    }

    /// A restart that a variable decides.
    fn restart_at_run_time(&mut self, program: &ConfigProgram, text: &Expanded) -> Autorestart {
        let variable = text.0.iter().find_map(|piece| match piece {
            Piece::Variable(name) => Some(name.as_str()),
            _ => None,
        });
        let remark = format!(
            "it always starts again, whatever {} is; `--bake {}=…` writes what that value means",
            variable.unwrap_or("the variable"),
            variable.unwrap_or("NAME"),
        );
        let is_same_as_autostart =
            matches!(&program.options.autostart, Setting::AtRunTime(other) if other == text);
        let (fate, remark) = match is_same_as_autostart {
            true => (Fate::Exact, "it runs only when the variable is true".to_owned()),
            false => (Fate::Lost, remark),
        };
        self.fates.set(program.section, "autorestart", fate, "", remark);
        Autorestart::Always
    }

    /// The first death ends the container, whatever the options say.
    fn fates_of_end(&mut self, program: &ConfigProgram, restart: Autorestart, seconds: i64) {
        let then = "on-exit.then";
        let fates = &mut self.fates;
        let remark = match restart {
            Autorestart::Always => {
                "its first death stops the container; it was started again, or the listener was faster"
            }
            _ => {
                "its end stops the container, also with an expected exit code: if it may end, give it an `on-exit` of its own"
            }
        };
        fates.set(program.section, "autorestart", Fate::Emulated, then, remark);
        fates.set(program.section, "exitcodes", Fate::Emulated, then, "every exit code stops the container");
        let (fate, remark) = match seconds > 0 {
            true => (Fate::Emulated, "an early death stops the container at once; it was tried again"),
            false => (Fate::Exact, ""),
        };
        fates.set(program.section, "startsecs", fate, then, remark);
        fates.set(program.section, "startretries", fate, then, remark);
    }

    fn exit_fates(
        &mut self,
        program: &ConfigProgram,
        service_name: &str,
        restart: Autorestart,
        seconds: i64,
        retries: i64,
    ) {
        let section = program.section;
        let fates = &mut self.fates;
        fates.set(
            section,
            "autorestart",
            Fate::Exact,
            if restart == Autorestart::Always { "" } else { "on-exit" },
            "",
        );
        let codes = match restart {
            Autorestart::Unexpected => (Fate::Exact, "on-exit.codes", ""),
            _ => (Fate::NoEffect, "", "it matters only for autorestart=unexpected"),
        };
        fates.set(section, "exitcodes", codes.0, codes.1, codes.2);
        if seconds <= 0 {
            let remark = match restart {
                Autorestart::Never => "it is never started again",
                _ => "with startsecs=0 no death is early: s6 starts it again after a second each time",
            };
            fates.set(section, "startsecs", Fate::Exact, "", remark);
            if restart == Autorestart::Never {
                self.known_once.insert(service_name.to_owned());
            }
            let fates = &mut self.fates;
            fates.set(section, "startretries", Fate::NoEffect, "", "with startsecs=0 no death is early");
        } else {
            if retries > MOST_RETRIES {
                let remark = "so many tries are no limit: it is started again for ever, once a second";
                fates.set(section, "startsecs", Fate::Emulated, "", remark);
                fates.set(section, "startretries", Fate::Emulated, "", remark);
                return;
            }
            let fate = if retries > 0 { Fate::Emulated } else { Fate::Exact };
            fates.set(section, "startsecs", Fate::Exact, "on-exit.early", "");
            fates.set(section, "startretries", fate, "on-exit.deaths", if retries > 0 { PAUSES } else { "" });
        }
    }
}

/// A death within `seconds` is final if it is the last of `retries` and one more in a row.
fn early(seconds: i64, retries: i64) -> ExitTable {
    vec![
        ("deaths", DraftValue::Number(retries.clamp(0, 4094) + 1)),
        ("early", DraftValue::Text(values::seconds(seconds))),
    ]
}

/// The tables of `on-exit`. Without any, every death is followed by a new start.
fn tables(restart: Autorestart, early: Option<ExitTable>, codes: &[i64], ends: EndsOn) -> Vec<ExitTable> {
    let stop = ("then", DraftValue::from("stop-container"));
    if ends == EndsOn::EveryDeath {
        return vec![vec![stop]];
    }
    let final_codes: Vec<DraftValue> = codes.iter().map(|code| DraftValue::Number(*code)).collect();
    let later: Option<ExitTable> = match restart {
        Autorestart::Always => None,
        Autorestart::Unexpected if codes.is_empty() => None,
        Autorestart::Unexpected => Some(vec![("codes", DraftValue::List(final_codes))]),
        Autorestart::Never => Some(vec![("then", DraftValue::from("give-up"))]),
    };
    // Without another try, every death is final.
    let is_first_final =
        early.as_ref().is_some_and(|early| early.contains(&("deaths", DraftValue::Number(1))));
    if is_first_final && restart == Autorestart::Never && ends == EndsOn::Nothing {
        return later.into_iter().collect();
    }
    match (early, later) {
        (None, later) => later.into_iter().collect(),
        (Some(mut early), later) if ends == EndsOn::Fatal => {
            early.push(stop);
            match later {
                Some(later) => vec![early, later],
                None => vec![early],
            }
        }
        (Some(early), None) => vec![early],
        (Some(early), Some(later)) if restart == Autorestart::Never => vec![early, later],
        (Some(early), Some(mut later)) => {
            later.extend(early);
            vec![later]
        }
    }
}

/// Writes one table as `on-exit.KEY`, and several as an array.
fn write(tables: &[ExitTable], service: &mut DraftService) {
    match tables {
        [] => {}
        [table] => {
            for (key, value) in table {
                service.set(&format!("on-exit.{key}"), value.clone());
            }
        }
        tables => {
            let list = tables.iter().map(|table| {
                DraftValue::Table(
                    table.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect(),
                )
            });
            service.set("on-exit", DraftValue::List(list.collect()));
        }
    }
}
