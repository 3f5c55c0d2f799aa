//! Resolves the key `log`: decides for each output of a longrun or of a oneshot who reads it.
//!
//! A service `NAME-log` reads the output of a longrun. A oneshot ends, so it runs the programs that write its log itself. The
//! parts are in these files:
//!
//! | file | what it does |
//! |---|---|
//! | `log_settings` | reads the keys of `log` |
//! | `log_place` | reads the places in `log.to` and `log.stderr` |
//! | `log_file` | reads the place in `log.file` |
//! | `log_paths` | keeps the paths of logs, and decides which services may share one |
//! | `log_stages` | makes the services between a longrun and its log: filters, commands and JSON |
//! | `logger` | makes the service of a logger |
//! | `log_order` | makes loggers wait for the dependencies of their producers |

use super::Resolver;
use super::log_place::{LogCommand, Place};
use super::log_settings::LogSettings;
use super::log_stages::json_sink;
use super::logger::{NewLogger, fifo, reference};
use super::scope::Scope;
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::manifest;
use crate::model::{Kind, Longrun, Sink, Stderr};

/// The standard output and standard error of a longrun.
pub(super) struct LongrunOutput {
    pub discard_stdout: bool,
    pub stderr: Stderr,
}

/// The standard output and standard error of a oneshot.
pub(super) struct OneshotOutput {
    pub discard_stdout: bool,
    pub stderr: Stderr,
    pub output: Option<Sink>,
    pub errors: Option<Sink>,
    pub filter: Option<Sink>,
}

impl Resolver<'_> {
    /// Connects a longrun with the loggers that its `log` needs, and makes those that do not exist yet. They get no more time to
    /// start and to stop than each of their longruns: both wait for each of them, one after the other.
    pub(super) fn log(
        &mut self,
        log: Option<&manifest::Log>,
        scope: &Scope,
        longrun: &mut Longrun,
    ) -> LongrunOutput {
        let known = self.logs.pairs();
        let output = self.connect_loggers(log, scope, longrun);
        let shorter = |limit: u32, usual: u32| if limit == 0 { usual } else { limit.min(usual) };
        for logger in self.logs.loggers_after(known) {
            if let Kind::Longrun(logger) = &mut self.set.services[logger].kind {
                logger.timeout_kill =
                    logger.timeout_kill.map(|usual| shorter(longrun.timeout_kill.unwrap_or(0), usual));
                if logger.timeout_up > 0 {
                    logger.timeout_up = shorter(longrun.timeout_up, logger.timeout_up);
                }
            }
        }
        output
    }

    fn connect_loggers(
        &mut self,
        log: Option<&manifest::Log>,
        scope: &Scope,
        longrun: &mut Longrun,
    ) -> LongrunOutput {
        let plain = LongrunOutput { discard_stdout: false, stderr: Stderr::Container };
        let Some(LogSettings { to, stderr, filter, sink }) =
            log.and_then(|log| self.log_settings(log, scope))
        else {
            return plain;
        };
        let discard_stdout = matches!(to, Place::Discard);
        let last = match to {
            Place::Container if sink.prefix.is_some() => {
                let origin =
                    log.and_then(|log| log.prefix.as_ref()).map_or(scope.origin, |text| text.origin());
                Some((self.make_logger(NewLogger::of(sink.clone(), origin, false), scope), origin))
            }
            place => self.output_logger(place, &sink, scope, false),
        };
        let first = match filter {
            Some(filter) => Some(self.filter(filter, &sink, scope, last)),
            None => last,
        };
        if let Some(((logger, position), origin)) = first {
            longrun.producer_for = Some(vec![reference(&logger, origin)]);
            self.connect(&scope.name, position, origin);
            self.logs.add_producer(position, &scope.name);
        }
        let errors = match stderr {
            Place::Container => return LongrunOutput { discard_stdout, ..plain },
            Place::Stdout => return LongrunOutput { discard_stdout, stderr: Stderr::Stdout },
            Place::Discard => return LongrunOutput { discard_stdout, stderr: Stderr::Discard },
            place => self.output_logger(place, &sink, scope, true),
        };
        let stderr = errors.map_or(Stderr::Container, |((logger, position), origin)| {
            self.logs.add_producer(position, &scope.name);
            longrun.dependencies.push(reference(&logger, origin));
            Stderr::Fifo { path: fifo(&logger) }
        });
        LongrunOutput { discard_stdout, stderr }
    }

    /// The logger that reads output for `place`, and the origin of the place. `None` if the output needs no logger there.
    fn output_logger(
        &mut self,
        place: Place,
        sink: &Sink,
        scope: &Scope,
        is_stderr: bool,
    ) -> Option<((String, usize), Origin)> {
        match place {
            Place::Directory(directory, origin) => {
                let sink = self.sink_in(sink, &directory, origin);
                self.logger(&directory, origin, sink, scope, is_stderr).map(|logger| (logger, origin))
            }
            Place::File(file) => {
                let sink = self.sink_of_file(sink, &file);
                self.logger(&file.path, file.origin, sink, scope, is_stderr)
                    .map(|logger| (logger, file.origin))
            }
            Place::Command(command) => Some(self.command_logger(*command, sink, scope, is_stderr)),
            Place::Json(origin) => Some((self.json_logger(sink, origin, scope, is_stderr), origin)),
            Place::Container | Place::Stdout | Place::Discard => None,
        }
    }

    /// The output of a oneshot, which writes its logs itself while it runs.
    pub(super) fn oneshot_log(&mut self, log: Option<&manifest::Log>, scope: &Scope) -> OneshotOutput {
        let mut kept = OneshotOutput {
            discard_stdout: false,
            stderr: Stderr::Container,
            output: None,
            errors: None,
            filter: None,
        };
        if let Some(names) = log.and_then(|log| log.show.as_ref()).filter(|names| !names.list.is_empty()) {
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, "`log.show` is only for longruns")
                    .at(names.origin, "nothing would read these files after the oneshot has ended")
                    .help("leave it out, or give it to the longrun that writes the files"),
            );
        }
        let Some(LogSettings { to, stderr, filter, sink }) =
            log.and_then(|log| self.log_settings(log, scope))
        else {
            return kept;
        };
        kept.filter = filter.map(|filter| self.command_sink(filter, "filter", &sink));
        match to {
            Place::Container if sink.prefix.is_some() => kept.output = Some(sink.clone()),
            Place::Container | Place::Stdout => {}
            Place::Discard => kept.discard_stdout = true,
            Place::Directory(directory, origin) => {
                kept.output = self.own_sink(&directory, origin, &sink);
            }
            Place::File(file) => kept.output = Some(self.sink_of_file(&sink, &file)),
            Place::Json(_) => kept.output = Some(json_sink(&sink, scope, false)),
            Place::Command(command) => {
                kept.output = Some(self.command_sink(*command, "log", &sink));
            }
        }
        match stderr {
            Place::Container => {}
            Place::Stdout => kept.stderr = Stderr::Stdout,
            Place::Discard => kept.stderr = Stderr::Discard,
            Place::Directory(directory, origin) => kept.errors = self.own_sink(&directory, origin, &sink),
            Place::File(file) => kept.errors = Some(self.sink_of_file(&sink, &file)),
            Place::Json(_) => kept.errors = Some(json_sink(&sink, scope, true)),
            Place::Command(command) => {
                kept.errors = Some(self.command_sink(*command, "log-errors", &sink));
            }
        }
        kept
    }

    /// The sink of a oneshot that gives its lines to a command, which is the file `script` if it is a script.
    fn command_sink(&mut self, read: LogCommand, script: &'static str, sink: &Sink) -> Sink {
        self.programs.extend(read.program);
        Sink { command: Some(read.command), script, ..sink.clone() }
    }
}
