//! Reads one service definition directory.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use super::{path_of, reason};
use crate::diagnostic::{Class, Diagnostic, Files, Origin, Problems, Rank};
use crate::execline;
use crate::model::{
    Bundle, CompilerStep, Definition, Ignored, Kind, Longrun, Name, Oneshot, Program, Service,
};
use crate::source::{Directory, EntryKind, Listed};

/// The number of bytes that are read of a list or a command line.
pub(super) const LONGEST_TEXT: usize = 16 << 20;
/// The number of bytes that are read of all files of the source directories together.
const MOST_BYTES: usize = 48 << 20;
/// The number of names that are read of all their lists together. 30,000 services may have 10 dependencies each.
const MOST_NAMES: usize = 300_000;
/// The number of bytes that are read of a script. `run` may be a link to a program of any size, of which s6gen needs only the
/// beginning.
pub(super) const LONGEST_SCRIPT: usize = 1 << 20;

/// How much more of the source directories is read and kept.
pub(super) struct Budget {
    bytes: Cell<usize>,
    names: Cell<usize>,
    /// The bytes that the words of command lines may take.
    pub(super) words: Cell<usize>,
}

impl Default for Budget {
    fn default() -> Self {
        Budget {
            bytes: Cell::new(MOST_BYTES),
            names: Cell::new(MOST_NAMES),
            words: Cell::new(execline::MOST_BYTES),
        }
    }
}

impl Budget {
    /// Counts the names of a list.
    ///
    /// # Errors
    /// There are too many.
    pub(super) fn add_names(&self, count: usize) -> io::Result<()> {
        let left = self.names.get().checked_sub(count);
        self.names.set(left.unwrap_or(0));
        let reason = format!("the lists of the source directories have more than {MOST_NAMES} names");
        left.map(drop).ok_or_else(|| io::Error::other(reason))
    }
}

/// The definition that is read, and where its problems go.
pub(super) struct Context<'a> {
    pub(super) name: Name,
    /// The path of the definition directory, for printing.
    pub(super) path: Vec<u8>,
    /// The paths of files that are in another layer of an image.
    pub(super) elsewhere: BTreeMap<Vec<u8>, PathBuf>,
    /// Position of its source directory among the sources, and of the definition in it.
    pub(super) place: (u32, u32),
    /// Position of the service in its set.
    pub(super) number: usize,
    pub(super) files: &'a mut Files,
    pub(super) problems: &'a mut Problems,
    pub(super) budget: &'a Budget,
}

/// Reads a definition. If its type cannot be read, it is [`Kind::Unknown`].
pub(super) fn read<D: Directory>(opened: io::Result<D>, source: &D, mut context: Context<'_>) -> Service {
    let place = context.place;
    let opened = opened.and_then(|mut directory| {
        let entries = directory.list()?;
        Ok((directory, entries))
    });
    let (directory, entries) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            let message = format!("cannot open the definition of `{}`: {}", context.name, reason(&error));
            let origin = context.origin("", "", 0..0);
            context.problems.push(
                Diagnostic::s6rc(Class::SvcOpen, Rank::reading(place, CompilerStep::Type, 0), message)
                    .at(origin, "s6-rc-compile must be able to list this directory"),
            );
            return Service { place, ..Service::new(context.name, Some(origin), Kind::Unknown) };
        }
    };
    let place_of = |entry: &Listed| Some((entry.name.clone(), directory.place(&entry.name)?));
    context.elsewhere = entries.iter().filter_map(place_of).collect();
    let facts = Box::default();
    let mut definition = DefinitionReader {
        directory,
        source,
        entries,
        context,
        incomplete: false,
        programs: Vec::new(),
        facts,
    };
    let (origin, kind) = definition.type_file();
    definition.ignored(kind);
    let mut service = match kind {
        Some("oneshot") => definition.oneshot(origin),
        Some("longrun") => definition.longrun(origin),
        Some(_) => definition.bundle(origin),
        None => Service::new(definition.context.name.clone(), Some(origin), Kind::Unknown),
    };
    service.place = place;
    service.incomplete = definition.incomplete;
    service.programs = definition.programs;
    service.definition = Some(definition.facts);
    service
}

impl Context<'_> {
    /// A place in a file of the definition with the content `text`. An empty name is the definition itself.
    pub(super) fn origin(
        &mut self,
        file: &str,
        text: impl Into<Vec<u8>>,
        span: std::ops::Range<usize>,
    ) -> Origin {
        let path = match self.elsewhere.get(file.as_bytes()) {
            Some(place) => place.clone(),
            None if file.is_empty() => path_of(self.path.clone()),
            None => path_of([&self.path[..], b"/", file.as_bytes()].concat()),
        };
        Origin::new(self.files.add(path, text), span)
    }
}

pub(super) struct DefinitionReader<'a, D> {
    pub(super) directory: D,
    /// The source directory that contains it.
    pub(super) source: &'a D,
    /// The entries of the directory, by name. Files that are not listed do not exist.
    pub(super) entries: Vec<Listed>,
    pub(super) context: Context<'a>,
    pub(super) incomplete: bool,
    /// The programs that it runs.
    pub(super) programs: Vec<Program>,
    /// Facts that the compiler does not check.
    pub(super) facts: Box<Definition>,
}

impl<D: Directory> DefinitionReader<'_, D> {
    /// The kind of the entry `file` itself, if there is one.
    pub(super) fn entry(&self, file: &str) -> Option<EntryKind> {
        self.entries.iter().find(|entry| entry.name == file.as_bytes()).map(|entry| entry.kind)
    }

    /// The content of a file. `None` if it is missing; a dangling link counts as missing.
    pub(super) fn content(&self, file: &str, limit: usize) -> Option<io::Result<Vec<u8>>> {
        let kind = self.entry(file)?;
        let left = self.context.budget.bytes.get();
        let (name, limit) = (file.as_bytes(), limit.min(left + 1));
        let content = match kind {
            EntryKind::File => self.directory.read_file(name, limit),
            _ => self.directory.read(name, limit),
        };
        match content {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Ok(content) => match left.checked_sub(content.len()) {
                Some(left) => {
                    self.context.budget.bytes.set(left);
                    Some(Ok(content))
                }
                None => {
                    Some(Err(io::Error::other("the files of the source directories are larger than 48 MiB")))
                }
            },
            Err(error) => Some(Err(error)),
        }
    }

    /// The kind of file that the entry leads to. `None` if it is missing.
    pub(super) fn kind(&self, file: &str) -> Option<io::Result<EntryKind>> {
        match self.entry(file)? {
            EntryKind::Link => match self.directory.kind(file.as_bytes()) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                kind => Some(kind),
            },
            kind => Some(Ok(kind)),
        }
    }

    pub(super) fn reading(&self, step: CompilerStep, item: u32) -> Rank {
        Rank::reading(self.context.place, step, item)
    }

    pub(super) fn copying(&self, step: CompilerStep) -> Rank {
        Rank::copying(self.context.number, step)
    }

    pub(super) fn push(&mut self, problem: Diagnostic) {
        self.context.problems.push(problem);
    }

    /// Reports that a file exists but cannot be used.
    pub(super) fn unusable(&mut self, class: Class, rank: Rank, file: &str, error: &io::Error) {
        let origin = self.context.origin(file, "", 0..0);
        let name = &self.context.name;
        let (message, help) = match error.kind() {
            io::ErrorKind::IsADirectory => (
                format!("`{file}` of `{name}` is a directory, not a file"),
                Some("remove it, or make it a file"),
            ),
            io::ErrorKind::NotADirectory => (
                format!("`{file}` of `{name}` is not a directory"),
                Some("remove it, or make it a directory"),
            ),
            _ => (format!("cannot read `{file}` of `{name}`: {}", reason(error)), None),
        };
        self.push(
            Diagnostic::s6rc(class, rank, message)
                .at(origin, "s6-rc-compile stops here: if this file exists, it must be usable")
                .maybe_help(help.map(str::to_owned)),
        );
    }

    pub(super) fn service(&mut self, origin: Origin) -> Service {
        let flag_essential = self.flag("flag-essential", CompilerStep::FlagEssential);
        let flag_recommended = self.flag("flag-recommended", CompilerStep::FlagRecommended);
        Service {
            flag_essential,
            flag_recommended,
            ..Service::new(self.context.name.clone(), Some(origin), Kind::Unknown)
        }
    }

    pub(super) fn bundle(&mut self, origin: Origin) -> Service {
        let contents = self.list("contents.d", "contents").unwrap_or_else(|| {
            let at = self.context.origin("", "", 0..0);
            let name = &self.context.name;
            let message = format!("bundle `{name}` has neither `contents.d` nor `contents`");
            let help = if self.entry("dependencies.d").is_some() {
                "rename `dependencies.d` to `contents.d`: a bundle has contents, not dependencies"
            } else {
                "make the directory `contents.d`; it may be empty"
            };
            self.push(
                Diagnostic::s6rc(Class::ContentsMissing, self.reading(CompilerStep::List, 0), message)
                    .at(at, "s6-rc needs the contents of this bundle")
                    .help(help),
            );
            self.incomplete = true;
            self.mark_as_reported("dependencies.d");
            Vec::new()
        });
        let service = self.service(origin);
        Service { kind: Kind::Bundle(Bundle { contents, ..Bundle::default() }), ..service }
    }

    pub(super) fn oneshot(&mut self, origin: Origin) -> Service {
        let oneshot = Oneshot {
            dependencies: self.list("dependencies.d", "dependencies").unwrap_or_default(),
            timeout_down: self.timeout("timeout-down", CompilerStep::TimeoutDown),
            timeout_up: self.timeout("timeout-up", CompilerStep::TimeoutUp),
            reload: self.command_line("reload", CompilerStep::Reload),
            up: self.up(),
            down: self.command_line("down", CompilerStep::Down),
            ..Oneshot::default()
        };
        let service = self.service(origin);
        Service { kind: Kind::Oneshot(Box::new(oneshot)), ..service }
    }

    pub(super) fn longrun(&mut self, origin: Origin) -> Service {
        let dependencies = self.list("dependencies.d", "dependencies").unwrap_or_default();
        let timeout_down = self.timeout("timeout-down", CompilerStep::TimeoutDown);
        let timeout_up = self.timeout("timeout-up", CompilerStep::TimeoutUp);
        let run = self.run();
        let producer_for = self.one_name("producer-for", CompilerStep::ProducerFor, Class::ProducerForCount);
        let consumer_for = self
            .list_file("consumer-for", CompilerStep::ConsumerFor)
            .map(|(names, _)| names)
            .unwrap_or_default();
        let mut pipeline_name = None;
        if producer_for.is_none() && !consumer_for.is_empty() {
            pipeline_name =
                self.one_name("pipeline-name", CompilerStep::PipelineName, Class::PipelineNameCount);
        } else {
            let rank = self.reading(CompilerStep::PipelineName, 0);
            if self.present("pipeline-name", Class::PipelineNameAccess, rank) && !self.incomplete {
                let origin = self.context.origin("pipeline-name", "", 0..0);
                self.facts.ignored.push(Ignored {
                    name: b"pipeline-name".into(),
                    origin,
                    is_known: true,
                    is_directory: false,
                    is_empty: false,
                });
            }
        }
        let longrun = Longrun {
            dependencies,
            timeout_up,
            timeout_down,
            run,
            finish: self.finish(),
            producer_for,
            consumer_for,
            pipeline_name,
            notification_fd: self.descriptor("notification-fd", CompilerStep::NotificationFd),
            lock_fd: self.descriptor("lock-fd", CompilerStep::LockFd),
            timeout_kill: self.placed_number("timeout-kill", CompilerStep::TimeoutKill),
            flag_timeout_killpg: self.presence_flag("flag-timeout-killpg", CompilerStep::FlagTimeoutKillpg),
            timeout_finish: self.placed_number("timeout-finish", CompilerStep::TimeoutFinish),
            max_death_tally: self.placed_number("max-death-tally", CompilerStep::MaxDeathTally),
            down_signal: self.copied("down-signal", CompilerStep::DownSignal),
            reload_signal: self.copied("reload-signal", CompilerStep::ReloadSignal),
            flag_newpidns: self.presence_flag("flag-newpidns", CompilerStep::FlagNewpidns),
            ..Longrun::default()
        };
        for (file, step) in
            [("template", CompilerStep::Template), ("data", CompilerStep::Data), ("env", CompilerStep::Env)]
        {
            self.subdirectory(file, step);
        }
        let service = self.service(origin);
        Service { kind: Kind::Longrun(Box::new(longrun)), ..service }
    }
}
