//! Keeps the paths of logs. Longruns with the same path share a logger, and a oneshot shares its directory with no other
//! service. Reports paths that services cannot share, and paths that no logger can write.

use std::collections::BTreeMap;

use super::Resolver;
use super::log_place::PlainFile;
use super::logger::NewLogger;
use super::scope::Scope;
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::model::{Name, Sink};

/// The names that s6-log gives its files in a directory, beside those that begin with `@`.
const OWN_FILES: &[&str] = &["current", "lock", "newstate", "previous", "processed", "state"];

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

    /// The number of these pairs.
    pub(super) fn pairs(&self) -> usize {
        self.producers.len()
    }

    /// The positions of the loggers of all pairs but the first ones.
    pub(super) fn loggers_after(&self, pairs: usize) -> impl Iterator<Item = usize> {
        self.producers[pairs..].iter().map(|(logger, _)| *logger)
    }

    /// Notes a producer of the logger at this position in the set.
    pub(super) fn add_producer(&mut self, logger: usize, producer: &str) {
        self.producers.push((logger, producer.into()));
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

impl Resolver<'_> {
    /// The name of the logger that writes into `directory`, and its position in the set. `None` if a oneshot writes into it.
    pub(super) fn logger(
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
    pub(super) fn own_sink(&mut self, directory: &str, origin: Origin, sink: &Sink) -> Option<Sink> {
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

    /// The settings of a logger that writes into `directory`.
    pub(super) fn sink_in(&mut self, sink: &Sink, directory: &str, origin: Origin) -> Sink {
        self.check_writable(directory, origin);
        // A link whose target has a value in it names the whole path, because the last part of the value is not known.
        let has_value =
            sink.variables.iter().any(|variable| directory.contains(&format!("${{{}}}", variable.name)));
        let basename = if has_value { directory } else { directory.rsplit('/').next().unwrap_or(directory) };
        Sink { directory: Some(directory.to_owned()), basename: basename.to_owned(), ..sink.clone() }
    }

    /// The settings of a logger that writes a plain file.
    pub(super) fn sink_of_file(&mut self, sink: &Sink, file: &PlainFile) -> Sink {
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

    /// Reports logs at a path where another log has a file or its link. It is the last to need the settings of the logs.
    pub(super) fn check_places(&mut self) {
        let logs = std::mem::take(&mut self.logs.by_directory);
        for (directory, known) in &logs {
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
}
