use std::collections::BTreeMap;

use super::scope::Scope;
use super::{Resolver, choice};
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::manifest::{self, Text};
use crate::model::{Account, Kind, Logger, Longrun, Script, Service, ServiceRef, Stderr, Written};

/// Where the fifos lie through which loggers of standard error are fed.
const FIFOS: &str = "/run/s6gen";
/// s6-log accepts rotation sizes in this range only.
const SIZES: std::ops::RangeInclusive<u64> = 4096..=268_435_455;

/// The loggers made so far, by directory.
#[derive(Debug, Clone, Default)]
pub(super) struct Logs {
    by_directory: BTreeMap<String, Known>,
}

#[derive(Debug, Clone)]
struct Known {
    logger: String,
    position: usize,
    settings: Settings,
    origin: Origin,
    is_stderr: bool,
}

/// What services that share a logger must agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Settings {
    size: u64,
    keep: u64,
    timestamp: Option<&'static str>,
    link: bool,
    user: Option<Account>,
}

/// What a logged service does with its own descriptors.
pub(super) struct Output {
    pub discard_stdout: bool,
    pub stderr: Stderr,
}

enum Place {
    Container,
    Stdout,
    Discard,
    Directory(String, Origin),
}

impl Resolver<'_> {
    /// Connects a longrun with the loggers that its `log` asks for, and makes those that do not exist yet.
    pub(super) fn log(
        &mut self,
        log: Option<&manifest::Log>,
        scope: &Scope,
        longrun: &mut Longrun,
    ) -> Output {
        let plain = Output { discard_stdout: false, stderr: Stderr::Container };
        let Some(log) = log else { return plain };
        let to =
            log.to.as_ref().map_or(Some(Place::Container), |text| self.place("log.to", text, false, scope));
        let stderr = match (&log.stderr, &to) {
            (Some(text), _) => self.place("log.stderr", text, true, scope),
            (None, Some(Place::Container)) => Some(Place::Container),
            (None, _) => Some(Place::Stdout),
        };
        // A place that was not understood may have been a directory.
        let may_be = |place: &Option<Place>| matches!(place, None | Some(Place::Directory(..)));
        let settings = self.settings(log, scope, may_be(&to) || may_be(&stderr));
        let (Some(to), Some(stderr)) = (to, stderr) else { return plain };
        let discard_stdout = matches!(to, Place::Discard);
        let stderr = match (&to, stderr) {
            (Place::Directory(out, _), Place::Directory(err, _)) if *out == err => Place::Stdout,
            (_, stderr) => stderr,
        };
        if let Place::Directory(directory, origin) = to {
            let (logger, position) = self.logger(&directory, origin, &settings, scope, false);
            let reference = |name: &str| ServiceRef { name: name.into(), origin: Some(origin) };
            longrun.producer_for = Some(vec![reference(&logger)]);
            if let Kind::Longrun(consumer) = &mut self.set.services[position].kind {
                consumer.consumer_for.push(reference(&scope.name));
            }
        }
        let stderr = match stderr {
            Place::Container => Stderr::Container,
            Place::Stdout => Stderr::Stdout,
            Place::Discard => Stderr::Discard,
            Place::Directory(directory, origin) => {
                let (logger, _) = self.logger(&directory, origin, &settings, scope, true);
                longrun.dependencies.push(ServiceRef { name: logger.as_str().into(), origin: Some(origin) });
                Stderr::Fifo { path: fifo(&logger) }
            }
        };
        Output { discard_stdout, stderr }
    }

    fn place(&mut self, key: &str, text: &Text, is_stderr: bool, scope: &Scope) -> Option<Place> {
        let value = self.text(text, scope)?;
        match value.as_str() {
            "container" => Some(Place::Container),
            "discard" => Some(Place::Discard),
            "stdout" if is_stderr => Some(Place::Stdout),
            path if path.starts_with('/') => {
                let path = super::Values { problems: self.problems }.path(key, path, text.origin)?;
                Some(Place::Directory(path, text.origin))
            }
            _ => {
                let words =
                    if is_stderr { "`stdout`, `container`, `discard`" } else { "`container`, `discard`" };
                self.problems.push(
                    Diagnostic::new(Code::InvalidValue, format!("`{key}` cannot be `{value}`"))
                        .at(text.origin, "neither a known word nor an absolute path")
                        .help(format!("write {words}, or the absolute path of a directory")),
                );
                None
            }
        }
    }

    fn settings(&mut self, log: &manifest::Log, scope: &Scope, has_directory: bool) -> Settings {
        if !has_directory {
            let written = [
                ("size", log.size.as_ref().map(|t| t.origin)),
                ("keep", log.keep.map(|n| n.origin)),
                ("timestamp", log.timestamp.as_ref().map(|t| t.origin)),
                ("link", log.link.map(|f| f.origin)),
                ("user", log.user.as_ref().map(|t| t.origin)),
            ];
            for (key, origin) in written {
                let Some(origin) = origin else { continue };
                self.problems.push(
                    Diagnostic::new(Code::ConflictingKeys, format!("`log.{key}` has no effect here"))
                        .at(origin, "only for a log that is a directory")
                        .at(log.to.as_ref().map(|t| t.origin), "this log is none")
                        .help("name a directory: `log.to = \"/var/log/NAME\"`"),
                );
            }
        }
        let size =
            self.value(log.size.as_ref(), scope, |v, t, o| v.size("log.size", t, o)).unwrap_or(1 << 20);
        if let Some(text) = log.size.as_ref().filter(|_| !SIZES.contains(&size)) {
            self.problems.push(
                Diagnostic::new(Code::InvalidValue, format!("`log.size` cannot be `{}`", text.value))
                    .at(text.origin, "out of range")
                    .help("s6-log takes sizes from 4KB to just below 256MB"),
            );
        }
        let keep = log.keep.map_or(20, |number| number.value);
        if let Some(number) = log.keep.filter(|number| !(0..=9999).contains(&number.value)) {
            self.problems.push(
                Diagnostic::new(Code::InvalidValue, format!("`log.keep` cannot be {}", number.value))
                    .at(number.origin, "a number of old files, from 0 to 9999"),
            );
        }
        let words = [("iso", Some("T")), ("tai64n", Some("t")), ("none", None)];
        let timestamp = log.timestamp.as_ref().and_then(|text| {
            let word = self.text(text, scope)?;
            choice("log.timestamp", &word, text.origin, &words, self.problems)
        });
        let user = match &log.user {
            Some(_) => self.value(log.user.as_ref(), scope, |v, t, o| v.account("log.user", t, o)),
            None => Some(Account { name: Some("nobody".into()), group: None, ids: None }),
        };
        Settings {
            size,
            keep: u64::try_from(keep).unwrap_or(0),
            timestamp: timestamp.unwrap_or(Some("T")),
            link: log.link.is_some_and(|flag| flag.value),
            user,
        }
    }

    /// The name of the logger that keeps `directory`, and its position in the set.
    fn logger(
        &mut self,
        directory: &str,
        origin: Origin,
        settings: &Settings,
        scope: &Scope,
        is_stderr: bool,
    ) -> (String, usize) {
        if let Some(known) = self.logs.by_directory.get(directory) {
            let (what, other) = match is_stderr {
                true => ("standard error", "standard output"),
                false => ("standard output", "standard error"),
            };
            let problem = |message: String, label: &str, help: &str| {
                Diagnostic::new(Code::ConflictingKeys, message)
                    .at(origin, label)
                    .at(known.origin, format!("`{}` was made for this one", known.logger))
                    .help(help)
            };
            if known.is_stderr != is_stderr {
                self.problems.push(problem(
                    format!("`{directory}` is already the log of a {other}"),
                    &format!("here it would be that of a {what}"),
                    "give each its own directory; for both in one, leave `log.stderr` out",
                ));
            } else if known.settings != *settings {
                self.problems.push(problem(
                    format!("services that log to `{directory}` disagree about it"),
                    "other settings here",
                    "give them the same `size`, `keep`, `timestamp`, `link` and `user`, or different directories",
                ));
            }
            return (known.logger.clone(), known.position);
        }
        let (suffix, what) = if is_stderr { ("-err-log", "errors") } else { ("-log", "output") };
        let logger = format!("{}{suffix}", scope.name);
        self.check_length(&logger, scope);
        let fifo = is_stderr.then(|| fifo(&logger));
        let basename = directory.rsplit('/').next().unwrap_or(directory);
        let run = Logger {
            table: scope.table.clone(),
            what,
            directory: directory.to_owned(),
            basename: basename.to_owned(),
            link: settings.link,
            size: settings.size,
            keep: settings.keep,
            timestamp: settings.timestamp,
            user: settings.user.clone(),
            fifo_directory: FIFOS,
            fifo,
        };
        let mut longrun = Longrun {
            // Not what `[defaults.longrun]` says: whatever comes before the daemons must be loggable too.
            dependencies: self.first_dependency(scope.is_early().then_some("early")).into_iter().collect(),
            run: Script::Logger(Box::new(run)),
            notification_fd: Some(Written { value: 3, origin: None }),
            timeout_up: super::service::READY_WITHIN,
            timeout_kill: Some(super::service::KILL_AFTER),
            ..Longrun::default()
        };
        if !is_stderr {
            let pipeline = format!("{}-pipeline", scope.name);
            self.check_length(&pipeline, scope);
            let name = ServiceRef { name: pipeline.as_str().into(), origin: Some(origin) };
            longrun.pipeline_name = Some(vec![name]);
        }
        let position = self.set.services.len();
        let service = Service::new(logger.as_str().into(), Some(origin), Kind::Longrun(Box::new(longrun)));
        self.set.services.push(service);
        let known = Known { logger: logger.clone(), position, settings: settings.clone(), origin, is_stderr };
        self.logs.by_directory.insert(directory.to_owned(), known);
        (logger, position)
    }

    fn check_length(&mut self, generated: &str, scope: &Scope) {
        if scope.name.len() <= super::values::LONGEST_NAME {
            super::Values { problems: self.problems }.service_name(generated, scope.origin);
        }
    }
}

fn fifo(logger: &str) -> String {
    format!("{FIFOS}/{logger}.fifo")
}
