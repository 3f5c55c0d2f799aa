//! Reads the keys of `log`: where each output goes, and the settings of the logger. Reports keys that have no effect together.

use super::log_file::place_of;
use super::log_place::{LogCommand, Place, PlainFile};
use super::scope::Scope;
use super::{Resolver, too_old};
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::manifest::{self, LogPlace, RawText};
use crate::model::{Account, ContainerVariable, Feature, Sink};

/// s6-log accepts rotation sizes in this range only.
const SIZES: std::ops::RangeInclusive<u64> = 4096..=268_435_455;

/// The resolved values of `log`.
pub(super) struct LogSettings {
    pub(super) to: Place,
    pub(super) stderr: Place,
    pub(super) filter: Option<LogCommand>,
    /// The settings of the logger, still without a directory.
    pub(super) sink: Sink,
}

impl Resolver<'_> {
    /// Resolves the values of `log`.
    pub(super) fn log_settings(&mut self, log: &manifest::Log, scope: &Scope) -> Option<LogSettings> {
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
    pub(super) fn json_format(&mut self, log: &manifest::Log, scope: &Scope) -> Option<Origin> {
        let text = log.format.as_ref()?;
        let is_json = self.word("log.format", Some(text), &[("text", false), ("json", true)], scope)?;
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
        let timestamp = self.word("log.timestamp", log.timestamp.as_ref(), &words, scope);
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
    pub(super) fn log_user(&mut self, log: &manifest::Log, scope: &Scope) -> Option<Account> {
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
    pub(super) fn log_variables(&self, log: &manifest::Log, scope: &Scope) -> Vec<ContainerVariable> {
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
    pub(super) fn log_prefix(&mut self, log: &manifest::Log, scope: &Scope) -> Option<String> {
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
}

/// The account in the form of `chown`. A name without a group stands for the group of the account too.
fn owner(user: &Account) -> String {
    let name = user.name.as_deref().unwrap_or_default();
    let group = user.group.as_deref().unwrap_or_default();
    // A value of the container may be an account with its group, and then a `:` behind it would be one too many.
    if group.is_empty() && name.contains("${") {
        return name.to_owned();
    }
    user.ids.clone().unwrap_or_else(|| format!("{name}:{group}"))
}

/// Whether a process other than s6-log in a directory runs as the account of the log.
fn uses_account(log: &manifest::Log) -> bool {
    let is_command = |place: &LogPlace| matches!(place, LogPlace::Command(_));
    [&log.prefix, &log.file, &log.format].iter().any(|text| text.is_some())
        || log.filter.is_some()
        || log.show.is_some()
        || log.to.iter().chain(&log.stderr).any(is_command)
}
