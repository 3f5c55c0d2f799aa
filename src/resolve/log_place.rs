//! Reads the places in `log.to` and `log.stderr`: a word, a directory, or a command that reads the log.

use super::Resolver;
use super::log_file::SYSTEM_DIRECTORIES;
use super::scope::Scope;
use super::values::Values;
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::manifest::{self, LogPlace, RawText};
use crate::model::{Command, Program};

/// Where output goes.
pub(super) enum Place {
    Container,
    Stdout,
    Discard,
    Directory(String, Origin),
    File(PlainFile),
    Json(Origin),
    Command(Box<LogCommand>),
}

/// A plain file that only grows.
pub(super) struct PlainFile {
    pub(super) path: String,
    pub(super) origin: Origin,
    /// The form of times, as in [`Sink`].
    pub(super) timestamp: Option<&'static str>,
}

/// A command that reads a log.
pub(super) struct LogCommand {
    pub(super) command: Command,
    /// The command as the author wrote it.
    pub(super) program: Option<Program>,
    pub(super) origin: Origin,
}

impl Resolver<'_> {
    /// Where an output goes, from the value of `log.to` or `log.stderr`.
    pub(super) fn place(
        &mut self,
        key: &str,
        place: &LogPlace,
        is_stderr: bool,
        scope: &Scope,
    ) -> Option<Place> {
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
        if ends_with_value(&value, scope) {
            return Values::new(self.problems).refuse(
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
                Values::new(self.problems).refuse(
                    format!("`{key}` cannot be `{value}`"),
                    text.origin(),
                    label,
                    help,
                )
            }
            path if SYSTEM_DIRECTORIES.contains(&path.trim_end_matches('/')) => {
                self.refuse_system_directory(key, text, path, is_stderr, scope)
            }
            path if path.starts_with('/') => {
                let mut values = Values { variables: &scope.references, ..Values::new(self.problems) };
                let path = values.path(key, path, text.origin())?;
                self.literals.append(&mut values.literals);
                Some(Place::Directory(path, text.origin()))
            }
            _ => self.refuse_word(key, text, &value, is_stderr),
        }
    }

    /// Reports a log in a directory that the system needs.
    fn refuse_system_directory(
        &mut self,
        key: &str,
        text: &RawText,
        value: &str,
        is_stderr: bool,
        scope: &Scope,
    ) -> Option<Place> {
        let is_shared = text.from_defaults() || scope.table.rsplit('.').next() != Some(&scope.name);
        let name = if is_shared { "{{ name }}" } else { &scope.name };
        let place = if self.read_only.is_some() { "/run" } else { "/var" };
        let end = if is_stderr { "-errors" } else { "" };
        Values::new(self.problems).refuse(
            format!("`{key}` cannot be `{value}`"),
            text.origin(),
            "the system needs this directory, and a logger gives its directory to its own account",
            &format!("give the log its own directory: `{key} = \"{place}/log/{name}{end}\"`"),
        )
    }

    /// Reports a value that is not a place.
    fn refuse_word(&mut self, key: &str, text: &RawText, value: &str, is_stderr: bool) -> Option<Place> {
        let words = if is_stderr { "`stdout`, `container`, `discard`" } else { "`container`, `discard`" };
        self.problems.push(
            Diagnostic::new(Code::InvalidValue, format!("`{key}` cannot be `{value}`"))
                .at(text.origin(), "this is neither a known word nor an absolute path")
                .help(format!("write {words}, the absolute path of a directory, or a command as an array")),
        );
        None
    }

    /// A command that reads a log.
    pub(super) fn log_command(
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
}

/// Whether the last part of a path is nothing but values.
fn ends_with_value(path: &str, scope: &Scope) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    !last.is_empty()
        && scope.references_in(last).iter().map(ExactSizeIterator::len).sum::<usize>() == last.len()
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
