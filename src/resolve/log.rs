//! Resolves the key `log`: makes loggers, and connects services to them.

use std::collections::BTreeMap;

use super::log_file::{SYSTEM_DIRECTORIES, add_json_script, add_log_file_script, place_of};
use super::scope::Scope;
use super::{Resolver, choice, too_old};
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::manifest::{self, LogPlace, RawText};
use crate::model::{
    Account, Command, ContainerVariable, Feature, Finish, Inputs, JsonLines, Kind, Logger, Longrun, Name,
    Program, Script, Service, ServiceRef, Sink, Stderr, Written,
};

/// The directory of the fifos for loggers of standard error.
const FIFOS: &str = "/run/s6gen";
/// What the name of the service that shows files has after that of its service.
const SHOWN: &str = "-show";
/// What the name of a logger of standard error has after that of its service.
const ERRORS: &str = "-err-log";
/// The names that s6-log gives its files in a directory, beside those that begin with `@`.
const OWN_FILES: &[&str] = &["current", "lock", "newstate", "previous", "processed", "state"];
/// s6-log accepts rotation sizes in this range only.
const SIZES: std::ops::RangeInclusive<u64> = 4096..=268_435_455;

/// The loggers made so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Logs {
    by_directory: BTreeMap<String, KnownLog>,
    /// Pairs of a logger, by its position in the set, and one of its producers.
    producers: Vec<(usize, Name)>,
}

impl Logs {
    /// Pairs of a logger, by its position in the set, and one of its producers.
    pub(super) fn producers(&self) -> impl Iterator<Item = (usize, &Name)> {
        self.producers.iter().map(|(logger, producer)| (*logger, producer))
    }
}

#[derive(Debug, Clone)]
struct KnownLog {
    /// The name of the logger and its position in the set. `None` if a oneshot writes the log itself.
    logger: Option<(String, usize)>,
    sink: Sink,
    origin: Origin,
    is_stderr: bool,
}

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

/// Where output goes.
enum Place {
    Container,
    Stdout,
    Discard,
    Directory(String, Origin),
    File(PlainFile),
    Json(Origin),
    Command(Box<LogCommand>),
}

/// A plain file that only grows.
struct PlainFile {
    path: String,
    origin: Origin,
    /// The form of times, as in [`Sink`].
    timestamp: Option<&'static str>,
}

/// A command that reads a log.
struct LogCommand {
    command: Command,
    /// The command as the author wrote it.
    program: Option<Program>,
    origin: Origin,
}

/// The resolved values of `log`.
struct LogSettings {
    to: Place,
    stderr: Place,
    filter: Option<LogCommand>,
    /// The settings of the logger, still without a directory.
    sink: Sink,
}

/// A logger that is to be made.
struct NewLogger {
    sink: Sink,
    origin: Origin,
    /// What the name of the logger has after that of the service.
    suffix: &'static str,
    what: &'static str,
    /// The command of the user, as a program of the logger.
    program: Option<Program>,
}

impl Resolver<'_> {
    /// Connects a longrun with the loggers that its `log` needs, and makes those that do not exist yet.
    pub(super) fn log(
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
            Place::Directory(directory, origin) => {
                let sink = self.sink_in(&sink, &directory, origin);
                self.logger(&directory, origin, sink, scope, false).map(|logger| (logger, origin))
            }
            Place::File(file) => {
                let sink = self.sink_of_file(&sink, &file);
                self.logger(&file.path, file.origin, sink, scope, false).map(|logger| (logger, file.origin))
            }
            Place::Command(command) => Some(self.command_logger(*command, &sink, scope, false)),
            Place::Json(origin) => Some((self.json_logger(&sink, origin, scope, false), origin)),
            Place::Container if sink.prefix.is_some() => {
                let origin =
                    log.and_then(|log| log.prefix.as_ref()).map_or(scope.origin, |text| text.origin());
                Some((self.make_logger(NewLogger::of(sink.clone(), origin, false), scope), origin))
            }
            _ => None,
        };
        let first = match filter {
            Some(filter) => Some(self.filter(filter, &sink, scope, last)),
            None => last,
        };
        if let Some(((logger, position), origin)) = first {
            longrun.producer_for = Some(vec![reference(&logger, origin)]);
            self.connect(&scope.name, position, origin);
            self.logs.producers.push((position, scope.name.as_str().into()));
        }
        let errors = match stderr {
            Place::Container => return LongrunOutput { discard_stdout, ..plain },
            Place::Stdout => return LongrunOutput { discard_stdout, stderr: Stderr::Stdout },
            Place::Discard => return LongrunOutput { discard_stdout, stderr: Stderr::Discard },
            Place::Directory(directory, origin) => {
                let sink = self.sink_in(&sink, &directory, origin);
                self.logger(&directory, origin, sink, scope, true).map(|logger| (logger, origin))
            }
            Place::File(file) => {
                let sink = self.sink_of_file(&sink, &file);
                self.logger(&file.path, file.origin, sink, scope, true).map(|logger| (logger, file.origin))
            }
            Place::Json(origin) => Some((self.json_logger(&sink, origin, scope, true), origin)),
            Place::Command(command) => Some(self.command_logger(*command, &sink, scope, true)),
        };
        let stderr = errors.map_or(Stderr::Container, |((logger, position), origin)| {
            self.logs.producers.push((position, scope.name.as_str().into()));
            longrun.dependencies.push(reference(&logger, origin));
            Stderr::Fifo { path: fifo(&logger) }
        });
        LongrunOutput { discard_stdout, stderr }
    }

    /// Makes the logger that gives its lines to a command.
    fn command_logger(
        &mut self,
        command: LogCommand,
        sink: &Sink,
        scope: &Scope,
        is_stderr: bool,
    ) -> ((String, usize), Origin) {
        let origin = command.origin;
        let sink = Sink { command: Some(command.command), prefix: None, ..sink.clone() };
        let new = NewLogger::of(sink, origin, is_stderr);
        let what = if is_stderr { "passes its errors on" } else { "passes its output on" };
        (self.make_logger(NewLogger { what, program: command.program, ..new }, scope), origin)
    }

    /// Makes the logger that writes JSON to the container's log.
    fn json_logger(
        &mut self,
        sink: &Sink,
        origin: Origin,
        scope: &Scope,
        is_stderr: bool,
    ) -> (String, usize) {
        let new = NewLogger::of(json_sink(sink, scope, is_stderr), origin, is_stderr);
        let what = if is_stderr { "writes its errors as JSON" } else { "writes its output as JSON" };
        self.make_logger(NewLogger { what, ..new }, scope)
    }

    /// Makes the service that shows files on the container's log.
    pub(super) fn show(
        &mut self,
        log: Option<&manifest::Log>,
        user: Option<&Account>,
        scope: &Scope,
        longrun: &mut Longrun,
    ) {
        let Some((log, names)) = log.and_then(|log| Some((log, log.show.as_ref()?))) else { return };
        let mut paths = Vec::new();
        for text in &names.list {
            paths.extend(self.path("log.show", Some(text), scope));
        }
        if paths.is_empty() {
            return;
        }
        let user = if log.user.is_some() { self.log_user(log, scope) } else { user.cloned() };
        // Until a file exists, tail complains about it.
        let words = "redirfd -w 2 /dev/null tail -q -n 0 -F".split(' ').map(str::to_owned);
        let is_json = self.json_format(log, scope).is_some();
        let json = is_json.then(|| JsonLines { service: scope.name.clone(), stream: "file" });
        let prefix = self.log_prefix(log, scope).filter(|_| !is_json);
        let sink = Sink {
            command: Some(Command::Exec { words: words.chain(paths).collect() }),
            json,
            prefix,
            user,
            variables: self.log_variables(log, scope),
            ..Sink::default()
        };
        let origin = names.origin;
        let what = "shows files on the container's log";
        let new = NewLogger { sink, origin, suffix: SHOWN, what, program: None };
        let (name, position) = self.make_logger(new, scope);
        self.logs.producers.push((position, scope.name.as_str().into()));
        longrun.dependencies.push(reference(&name, origin));
    }

    /// Makes the service that filters standard output, before the logger `next` or the container's log.
    fn filter(
        &mut self,
        filter: LogCommand,
        sink: &Sink,
        scope: &Scope,
        next: Option<((String, usize), Origin)>,
    ) -> ((String, usize), Origin) {
        let origin = filter.origin;
        let new = NewLogger {
            sink: Sink { command: Some(filter.command), prefix: None, ..sink.clone() },
            origin,
            suffix: "-filter",
            what: "filters its output",
            program: filter.program,
        };
        let made = self.make_logger(new, scope);
        if let Some(((logger, position), origin)) = next {
            if let Kind::Longrun(filter) = &mut self.set.services[made.1].kind {
                filter.producer_for = Some(vec![reference(&logger, origin)]);
                // The name of the pipeline is on its last consumer.
                filter.pipeline_name = None;
            }
            self.connect(&made.0, position, origin);
            // The logger is for the lines of the service, so it waits for the same services as the filter.
            self.logs.producers.push((position, scope.name.as_str().into()));
        }
        (made, origin)
    }

    /// Makes the service at this position a consumer of `producer`.
    fn connect(&mut self, producer: &str, position: usize, origin: Origin) {
        if let Kind::Longrun(consumer) = &mut self.set.services[position].kind {
            consumer.consumer_for.push(reference(producer, origin));
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

    /// Resolves the values of `log`.
    fn log_settings(&mut self, log: &manifest::Log, scope: &Scope) -> Option<LogSettings> {
        let to = match (&log.file, &log.to) {
            (Some(_), _) => self
                .log_file(log, scope)
                .map(|(path, origin)| Place::File(PlainFile { path, origin, timestamp: None })),
            (None, Some(place)) => self.place("log.to", place, false, scope),
            (None, None) => Some(Place::Container),
        };
        let stderr = match (&log.stderr, &to) {
            (Some(place), _) => self.place("log.stderr", place, true, scope),
            (None, Some(Place::Container)) if log.prefix.is_none() && log.filter.is_none() => {
                Some(Place::Container)
            }
            (None, _) => Some(Place::Stdout),
        };
        // An invalid place may have been meant as a directory.
        let may_be = |place: &Option<Place>| matches!(place, None | Some(Place::Directory(..)));
        let sink = self.sink(log, scope, may_be(&to) || may_be(&stderr));
        // A farther prefix is for other services, which write to the container's log.
        if let (
            Some(prefix),
            Some(Place::Directory(..) | Place::File(..) | Place::Command(_) | Place::Discard),
        ) = (&log.prefix, &to)
            && !sink.tee
            && log.show.is_none()
            && !log.gives_way("prefix")
        {
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, "`log.prefix` has no effect here")
                    .at(prefix.origin(), "this is a prefix for lines on the container's log")
                    .at(place_of(log), "this log does not go there")
                    .help("leave it out, or send the log to the container's log as well: `log.tee = true`"),
            );
        }
        let filter = self.log_filter(log, to.as_ref(), scope);
        let (mut to, mut stderr) = (to?, stderr?);
        if let Some(origin) = self.json_format(log, scope) {
            self.use_json(log, origin, &mut to, &mut stderr);
        }
        if let (Place::File(file), true) = (&mut to, log.timestamp.is_some()) {
            file.timestamp = sink.timestamp;
        }
        let stderr = match (&to, stderr) {
            (Place::Directory(out, _), Place::Directory(err, _)) if *out == err => Place::Stdout,
            (_, stderr) => stderr,
        };
        Some(LogSettings { to, stderr, filter, sink })
    }

    /// The place of `log.format`, if it is `json`.
    fn json_format(&mut self, log: &manifest::Log, scope: &Scope) -> Option<Origin> {
        let text = log.format.as_ref()?;
        let word = self.text(text, scope)?;
        let words = [("text", false), ("json", true)];
        let is_json = choice("log.format", &word, text.origin(), &words, self.problems)?;
        is_json.then_some(text.origin())
    }

    /// Makes JSON of what goes to the container's log. Reports keys that have no effect on it.
    fn use_json(&mut self, log: &manifest::Log, origin: Origin, to: &mut Place, stderr: &mut Place) {
        let was_container = matches!(to, Place::Container);
        if matches!(stderr, Place::Container) || was_container && log.stderr.is_none() {
            *stderr = Place::Json(origin);
        }
        if was_container {
            *to = Place::Json(origin);
        }
        let is_used = was_container || matches!(stderr, Place::Json(_));
        if !is_used && log.show.is_none() && !log.gives_way("format") {
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, "`log.format` has no effect here")
                    .at(origin, "this is the form of lines on the container's log")
                    .at(place_of(log), "this log does not go there")
                    .help("leave one of the two out"),
            );
        }
        if let Some(prefix) = log.prefix.as_ref().filter(|_| was_container && !log.gives_way("prefix")) {
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, "`log.prefix` has no effect here")
                    .at(prefix.origin(), "this is a prefix for lines of text")
                    .at(origin, "the lines are JSON")
                    .help("leave it out: each JSON line names its service"),
            );
        }
    }

    /// The command of `log.filter`.
    fn log_filter(&mut self, log: &manifest::Log, to: Option<&Place>, scope: &Scope) -> Option<LogCommand> {
        let filter = log.filter.as_ref()?;
        if !matches!(to, Some(Place::Discard)) {
            return self.log_command("log.filter", filter, scope);
        }
        if !log.gives_way("filter") {
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, "`log.filter` has no effect here")
                    .at(filter.origin(), "no line is left for it")
                    .at(log.to.as_ref().map(LogPlace::origin), "the output is discarded")
                    .help("leave one of the two out"),
            );
        }
        None
    }

    /// A command that reads a log.
    fn log_command(
        &mut self,
        key: &str,
        command: &manifest::ManifestCommand,
        scope: &Scope,
    ) -> Option<LogCommand> {
        let origin = command.origin();
        let command = self.command(command, key, scope)?;
        let command = self.add_exec(command);
        Some(LogCommand { command, program: self.programs.pop(), origin })
    }

    fn place(&mut self, key: &str, place: &LogPlace, is_stderr: bool, scope: &Scope) -> Option<Place> {
        let text = match place {
            LogPlace::Text(text) => text,
            LogPlace::Command(command) => {
                return Some(Place::Command(Box::new(self.log_command(key, command, scope)?)));
            }
        };
        let mut value = self.path_text(key, text, scope)?;
        if scope.references_in(&value).first().is_some_and(|place| place.start == 0) {
            // s6-log would read a value that does not begin with `/` as another directive.
            value.insert(0, '/');
        }
        let last = value.rsplit('/').next().unwrap_or_default();
        if !last.is_empty()
            && scope.references_in(last).iter().map(ExactSizeIterator::len).sum::<usize>() == last.len()
        {
            return super::Values::new(self.problems).refuse(
                format!("`{key}` cannot end with a value alone"),
                text.origin(),
                "if the value is empty, this is the directory above, which the logger would give to its own account",
                "add a part of the log's own, as in `${NAME}/web` or `/var/log/web-${NAME}`",
            );
        }
        match value.as_str() {
            "container" => Some(Place::Container),
            "discard" => Some(Place::Discard),
            "stdout" if is_stderr => Some(Place::Stdout),
            path if path.starts_with('/') && no_directory(path, is_stderr).is_some() => {
                let (label, help) = no_directory(path, is_stderr)?;
                super::Values::new(self.problems).refuse(
                    format!("`{key}` cannot be `{value}`"),
                    text.origin(),
                    label,
                    help,
                )
            }
            path if SYSTEM_DIRECTORIES.contains(&path.trim_end_matches('/')) => {
                let is_shared = text.from_defaults() || scope.table.rsplit('.').next() != Some(&scope.name);
                let name = if is_shared { "{{ name }}" } else { &scope.name };
                let place = if self.read_only.is_some() { "/run" } else { "/var" };
                let end = if is_stderr { "-errors" } else { "" };
                super::Values::new(self.problems).refuse(
                    format!("`{key}` cannot be `{value}`"),
                    text.origin(),
                    "the system needs this directory, and a logger gives its directory to its own account",
                    &format!("give the log its own directory: `{key} = \"{place}/log/{name}{end}\"`"),
                )
            }
            path if path.starts_with('/') => {
                let mut values =
                    super::Values { variables: &scope.references, ..super::Values::new(self.problems) };
                let path = values.path(key, path, text.origin())?;
                self.literals.append(&mut values.literals);
                Some(Place::Directory(path, text.origin()))
            }
            _ => {
                let words =
                    if is_stderr { "`stdout`, `container`, `discard`" } else { "`container`, `discard`" };
                self.problems.push(
                    Diagnostic::new(Code::InvalidValue, format!("`{key}` cannot be `{value}`"))
                        .at(text.origin(), "this is neither a known word nor an absolute path")
                        .help(format!(
                            "write {words}, the absolute path of a directory, or a command as an array"
                        )),
                );
                None
            }
        }
    }

    /// The settings of a logger, still without its directory.
    fn sink(&mut self, log: &manifest::Log, scope: &Scope, has_directory: bool) -> Sink {
        if !has_directory {
            self.report_needs_directory(log);
        }
        let size = self.value(log.size.as_ref(), scope, |values, text, origin| {
            let size = values.size("log.size", text, origin)?;
            let message = format!("`log.size` cannot be `{text}`");
            let help = "s6-log takes sizes from 4KB to just below 256MB";
            match SIZES.contains(&size) {
                true => Some(size),
                false => values.refuse(message, origin, "out of range", help),
            }
        });
        let keep = log.keep.map_or(20, |number| number.value);
        if let Some(number) = log.keep.filter(|number| !(0..=9999).contains(&number.value)) {
            self.problems.push(
                Diagnostic::new(Code::InvalidValue, format!("`log.keep` cannot be {}", number.value))
                    .at(number.origin, "out of range")
                    .help("write a number of old files, from 0 to 9999"),
            );
        }
        let words = [("iso", Some("T")), ("tai64n", Some("t")), ("none", None)];
        let timestamp = log.timestamp.as_ref().and_then(|text| {
            let word = self.text(text, scope)?;
            choice("log.timestamp", &word, text.origin(), &words, self.problems)
        });
        let user = self.log_user(log, scope);
        Sink {
            directory: None,
            json: None,
            file: None,
            folder: String::new(),
            command: None,
            script: "run",
            basename: String::new(),
            link: log.link.is_some_and(|flag| flag.value),
            size: size.unwrap_or(1 << 20),
            keep: u64::try_from(keep).unwrap_or(0),
            timestamp: timestamp.unwrap_or(Some("T")),
            tee: log.tee.is_some_and(|flag| flag.value),
            owner: user.as_ref().map_or_else(String::new, owner),
            user,
            variables: self.log_variables(log, scope),
            prefix: self.log_prefix(log, scope),
        }
    }

    /// Reports keys that have no effect because the log is not in a directory.
    fn report_needs_directory(&mut self, log: &manifest::Log) {
        let written = [
            ("size", log.size.as_ref().map(|text| text.origin())),
            ("keep", log.keep.map(|number| number.origin)),
            ("timestamp", log.timestamp.as_ref().filter(|_| log.file.is_none()).map(|text| text.origin())),
            ("link", log.link.map(|flag| flag.origin)),
            ("tee", log.tee.map(|flag| flag.origin)),
            ("user", log.user.as_ref().filter(|_| !uses_account(log)).map(|text| text.origin())),
        ];
        for (key, origin) in written {
            let Some(origin) = origin.filter(|_| !log.gives_way(key)) else { continue };
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, format!("`log.{key}` has no effect here"))
                    .at(origin, "this key is only for a log in a directory")
                    .at(place_of(log), "this is not a directory")
                    .help("name a directory: `log.to = \"/var/log/NAME\"`"),
            );
        }
    }

    /// The account that the logger runs as. `None` for that of the container.
    fn log_user(&mut self, log: &manifest::Log, scope: &Scope) -> Option<Account> {
        if self.set.target.rootless {
            if let Some(text) = &log.user {
                self.problems.push(
                    Diagnostic::new(Code::ConflictingKeys, "`log.user` needs root")
                        .at(text.origin(), "a container without root cannot change the account")
                        .help("leave it out: loggers run as the account of the container"),
                );
            }
            return None;
        }
        match &log.user {
            Some(_) => self.account("log.user", log.user.as_ref(), scope),
            None => Some(Account { name: Some("nobody".into()), group: None, ids: None }),
        }
    }

    /// The variables of the container that the settings of a log refer to.
    fn log_variables(&self, log: &manifest::Log, scope: &Scope) -> Vec<ContainerVariable> {
        let shown = log.show.iter().flat_map(|names| &names.list);
        let mut texts: Vec<&RawText> =
            log.prefix.iter().chain(&log.user).chain(&log.file).chain(shown).collect();
        let mut commands: Vec<&manifest::ManifestCommand> = log.filter.iter().collect();
        for place in log.to.iter().chain(&log.stderr) {
            match place {
                LogPlace::Text(text) => texts.push(text),
                LogPlace::Command(command) => commands.push(command),
            }
        }
        for command in commands {
            match command {
                manifest::ManifestCommand::Exec(words, _) => texts.extend(words.iter().map(|(word, _)| word)),
                // A script finds all of them in its environment.
                _ => return scope.references.clone(),
            }
        }
        let is_used =
            |name: &str| texts.iter().any(|text| scope.written(text).contains(&format!("${{{name}}}")));
        scope.references.iter().filter(|variable| is_used(&variable.name)).cloned().collect()
    }

    /// The prefix for lines on the container's log.
    fn log_prefix(&mut self, log: &manifest::Log, scope: &Scope) -> Option<String> {
        let text = log.prefix.as_ref()?;
        if !self.system().has(Feature::LogPrefix) {
            self.problems.push(too_old(self.system(), Feature::LogPrefix, "log.prefix", text.origin()));
        }
        let prefix = self.text(text, scope)?;
        if prefix.contains('\n') || prefix.is_empty() {
            self.problems.push(
                Diagnostic::new(Code::InvalidValue, "`log.prefix` must be one line, and not empty")
                    .at(text.origin(), "this text")
                    .help("write a few words, as in `\"web:\"`, or leave it out for no prefix"),
            );
        }
        Some(prefix)
    }

    /// The name of the logger that writes into `directory`, and its position in the set. `None` if a oneshot writes into it.
    fn logger(
        &mut self,
        directory: &str,
        origin: Origin,
        sink: Sink,
        scope: &Scope,
        is_stderr: bool,
    ) -> Option<(String, usize)> {
        if let Some(known) = self.logs.by_directory.get(directory) {
            let (what, other) = match is_stderr {
                true => ("standard error", "standard output"),
                false => ("standard output", "standard error"),
            };
            let first = match &known.logger {
                Some((logger, _)) => format!("`{logger}` was made for this one"),
                None => "a oneshot writes this log, and only one process can".to_owned(),
            };
            let problem = |message: String, label: &str, help: &str| {
                Diagnostic::new(Code::ConflictingKeys, message)
                    .at(origin, label)
                    .at(known.origin, first.clone())
                    .help(help)
            };
            if known.logger.is_none() {
                self.problems.push(problem(
                    format!("`{directory}` is already the log of a oneshot"),
                    "this service would share it",
                    "give each its own directory",
                ));
            } else if known.is_stderr != is_stderr {
                self.problems.push(problem(
                    format!("`{directory}` is already the log of a {other}"),
                    &format!("here it would be the log of a {what}"),
                    "give each its own directory; for both in one, leave `log.stderr` out",
                ));
            } else if known.sink != sink {
                self.problems.push(problem(
                    format!("services that log to `{directory}` disagree about it"),
                    "this service has other settings",
                    "give them the same `size`, `keep`, `timestamp`, `link`, `tee`, `prefix` and `user`, or different \
                     paths",
                ));
            }
            return known.logger.clone();
        }
        let made = self.make_logger(NewLogger::of(sink.clone(), origin, is_stderr), scope);
        let known = KnownLog { logger: Some(made.clone()), sink, origin, is_stderr };
        self.logs.by_directory.insert(directory.to_owned(), known);
        Some(made)
    }

    /// The sink of a oneshot. No other service may use it, because s6-log locks its directory.
    fn own_sink(&mut self, directory: &str, origin: Origin, sink: &Sink) -> Option<Sink> {
        let sink = self.sink_in(sink, directory, origin);
        if let Some(known) = self.logs.by_directory.get(directory) {
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, format!("`{directory}` is already another log"))
                    .at(origin, "a oneshot writes its log itself, and only one process can")
                    .at(known.origin, "this log was first")
                    .help("give each its own directory"),
            );
            return None;
        }
        let known = KnownLog { logger: None, sink: sink.clone(), origin, is_stderr: false };
        self.logs.by_directory.insert(directory.to_owned(), known);
        Some(sink)
    }

    fn sink_in(&mut self, sink: &Sink, directory: &str, origin: Origin) -> Sink {
        self.check_writable(directory, origin);
        // A link whose target has a value in it names the whole path, because the last part of the value is not known.
        let has_value =
            sink.variables.iter().any(|variable| directory.contains(&format!("${{{}}}", variable.name)));
        let basename = if has_value { directory } else { directory.rsplit('/').next().unwrap_or(directory) };
        Sink { directory: Some(directory.to_owned()), basename: basename.to_owned(), ..sink.clone() }
    }

    fn sink_of_file(&mut self, sink: &Sink, file: &PlainFile) -> Sink {
        self.check_writable(&file.path, file.origin);
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        Sink {
            folder: if folder.is_empty() { "/".to_owned() } else { folder.to_owned() },
            file: Some(file.path.clone()),
            timestamp: file.timestamp,
            prefix: None,
            ..sink.clone()
        }
    }

    /// Reports a path that is not writable when the container runs.
    fn check_writable(&mut self, path: &str, origin: Origin) {
        let inside =
            |place: &str| path == place || path.strip_prefix(place).is_some_and(|rest| rest.starts_with('/'));
        if self
            .read_only
            .as_ref()
            .is_some_and(|writable| !inside("/run") && !writable.iter().any(|w| inside(w)))
        {
            self.problems.push(
                Diagnostic::new(
                    Code::InvalidValue,
                    format!("`{path}` cannot be written on a read-only root"),
                )
                .at(origin, "the logger could not start")
                .help(
                    "log below `/run` or to the container, or add the volume or tmpfs to `[target] writable`",
                ),
            );
        }
    }

    fn make_logger(&mut self, new: NewLogger, scope: &Scope) -> (String, usize) {
        let NewLogger { sink, origin, suffix, what, program } = new;
        let logger = format!("{}{suffix}", scope.name);
        self.check_length(&logger, scope);
        let is_stderr = suffix == ERRORS;
        let mut files = BTreeMap::new();
        super::command::add_script(&mut files, "run", sink.command.as_ref());
        add_log_file_script(&mut files, &sink);
        add_json_script(&mut files, &sink);
        let is_command = sink.command.is_some();
        let is_own = is_command || sink.json.is_some();
        // Before its fifo exists, no service can write to it.
        let tells = !is_own || is_stderr;
        let variables = sink.variables.clone();
        let account_variables = match &sink.user {
            Some(Account { name: Some(_), .. }) if program.is_some() => {
                ["HOME", "USER", "LOGNAME"].map(str::to_owned).into()
            }
            _ => Vec::new(),
        };
        let run = Logger {
            table: scope.table.clone(),
            name: logger.clone(),
            with_contenv: self.system().is_overlay() && (program.is_some() || !variables.is_empty()),
            what,
            account_variables,
            sink,
            fifo_directory: FIFOS,
            fifo: is_stderr.then(|| fifo(&logger)),
        };
        let mut longrun = Longrun {
            finish: finish_without_variable(&run),
            run: Script::Logger(Box::new(run)),
            notification_fd: tells.then_some(Written { value: 3, origin: None }),
            timeout_up: if tells { super::longrun::READY_WITHIN } else { 0 },
            timeout_kill: Some(super::longrun::KILL_AFTER),
            files,
            ..Longrun::default()
        };
        if !is_stderr && suffix != SHOWN {
            let pipeline = format!("{}-pipeline", scope.name);
            self.check_length(&pipeline, scope);
            let name = ServiceRef { name: pipeline.as_str().into(), origin: Some(origin) };
            longrun.pipeline_name = Some(vec![name]);
        }
        let position = self.set.services.len();
        let mut service =
            Service::new(logger.as_str().into(), Some(origin), Kind::Longrun(Box::new(longrun)));
        if program.is_some() {
            service.variables = variables;
        }
        service.programs =
            program.map(|program| Program { file: "run".into(), ..program }).into_iter().collect();
        self.set.services.push(service);
        (logger, position)
    }

    /// Reports logs at a path where another log has a file or its link.
    pub(super) fn check_places(&mut self) {
        let logs = &self.logs.by_directory;
        for (directory, known) in logs {
            let ends = directory.match_indices('/').map(|(end, _)| end).chain([directory.len()]);
            for (place, outer) in ends.filter_map(|end| {
                let place = &directory[..end];
                let link =
                    place.strip_suffix(".log").and_then(|outer| logs.get(outer)).filter(|o| o.sink.link);
                let (folder, file) = place.rsplit_once('/')?;
                let own = file.starts_with('@') || OWN_FILES.contains(&file);
                let file =
                    logs.get(folder).filter(|_| own).map(|outer| (outer, "this log has a file of that name"));
                link.map(|outer| (outer, "`log.link` makes a link of that name for this log"))
                    .or(file)
                    .map(|outer| (place, outer))
            }) {
                let (outer, why) = outer;
                self.problems.push(
                    Diagnostic::new(Code::ConflictingKeys, format!("`{place}` belongs to another log"))
                        .at(known.origin, "this log would be there")
                        .at(outer.origin, why)
                        .help("give one of the two another path"),
                );
            }
        }
    }

    fn check_length(&mut self, generated: &str, scope: &Scope) {
        if scope.name.len() <= super::values::LONGEST_NAME {
            super::Values::new(self.problems).service_name(generated, scope.origin);
        }
    }
}

impl NewLogger {
    /// A logger of s6-log.
    fn of(sink: Sink, origin: Origin, is_stderr: bool) -> Self {
        let (suffix, what) =
            if is_stderr { (ERRORS, "keeps its errors") } else { ("-log", "keeps its output") };
        NewLogger { sink, origin, suffix, what, program: None }
    }
}

/// The sink of JSON on the container's log.
fn json_sink(sink: &Sink, scope: &Scope, is_stderr: bool) -> Sink {
    let stream = if is_stderr { "stderr" } else { "stdout" };
    let json = Some(JsonLines { service: scope.name.clone(), stream });
    Sink { json, prefix: None, ..sink.clone() }
}

/// The account in the form of `chown`. A name without a group stands for the group of the account too.
fn owner(user: &Account) -> String {
    let name = user.name.as_deref().unwrap_or_default();
    let group = user.group.as_deref().unwrap_or_default();
    user.ids.clone().unwrap_or_else(|| format!("{name}:{group}"))
}

fn reference(name: &str, origin: Origin) -> ServiceRef {
    ServiceRef { name: name.into(), origin: Some(origin) }
}

/// Whether a process other than s6-log in a directory runs as the account of the log.
fn uses_account(log: &manifest::Log) -> bool {
    let is_command = |place: &LogPlace| matches!(place, LogPlace::Command(_));
    [&log.prefix, &log.file, &log.format].iter().any(|text| text.is_some())
        || log.filter.is_some()
        || log.show.is_some()
        || log.to.iter().chain(&log.stderr).any(is_command)
}

/// What ends a logger for good if the container does not set a variable that it needs.
fn finish_without_variable(logger: &Logger) -> Option<Script> {
    let variables = logger.sink.variables.clone();
    variables.iter().any(|variable| variable.default.is_none()).then(|| {
        Script::Finish(Box::new(Finish {
            table: logger.table.clone(),
            name: logger.name.clone(),
            with_contenv: logger.with_contenv,
            inputs: Inputs { variables, ..Inputs::default() },
            stop_group: None,
            stop_group_origin: None,
            stderr: Stderr::Container,
            command: None,
            may_idle: false,
            on_exit: None,
            in_a_row: None,
            restart_delay: None,
        }))
    })
}

/// Why a log cannot be at this path, and what to write instead. For devices and similar files.
fn no_directory(path: &str, is_stderr: bool) -> Option<(&'static str, &'static str)> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match part {
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    let container = (
        "this is the output of a process, and a log is a directory of files",
        "write `container` for the container's log",
    );
    let same = (container.0, "write `stdout` for the place of standard output");
    match parts[..] {
        ["dev", "null"] => {
            Some(("this stores nothing, and a log is a directory of files", "write `discard`"))
        }
        ["dev", "stdout"] | ["dev", "fd", "1"] | ["proc", _, "fd", "1"] if is_stderr => Some(same),
        ["dev", "stdout" | "stderr" | "console" | "tty"]
        | ["dev", "fd", _]
        | ["proc", _, "fd", _]
        | ["proc", _, "task", _, "fd", _] => Some(container),
        ["dev", "shm" | "mqueue", _, ..] => None,
        ["dev" | "proc" | "sys", ..] => Some((
            "a directory cannot be made there",
            "name a directory such as `/var/log/NAME`, or write `container` for the container's log",
        )),
        _ => None,
    }
}

fn fifo(logger: &str) -> String {
    format!("{FIFOS}/{logger}.fifo")
}
