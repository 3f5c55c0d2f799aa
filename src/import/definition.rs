//! One service definition directory.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

use super::{Refusal, list, number, path_of, reason, words};
use crate::diagnostic::{Class, Diagnostic, Files, Origin, Problems, Rank, Step, did_you_mean};
use crate::model::{
    Bundle, Definition as Facts, Ignored, Kind, Longrun, Name, Oneshot, Script, Service, ServiceRef, Text,
    Written,
};
use crate::source::{Directory, EntryKind, Listed};

/// What helps against CR LF.
pub(super) const LINE_ENDS: &str =
    "save it with LF line ends; in git, a line `* text eol=lf` in .gitattributes keeps them";
/// What is longer than this is no list and no command line, but perhaps a device that never ends.
const LONGEST_TEXT: usize = 64 << 20;
/// How much is read of a file that only its name matters of.
const LONGEST_NOTE: usize = 4096;
/// What is longer than this is no script; `run` may be a link to a program of any size, of which s6gen needs nothing.
pub(super) const LONGEST_SCRIPT: usize = 1 << 20;

/// Which definition is read, and where what is found goes.
pub(super) struct Context<'a> {
    pub(super) name: Name,
    /// The path of the definition directory, as it is to be printed.
    pub(super) path: Vec<u8>,
    /// The paths of the files that lie elsewhere, in another layer of an image.
    pub(super) elsewhere: BTreeMap<Vec<u8>, PathBuf>,
    /// Position of its source directory among the sources, and of the definition in it.
    pub(super) place: (u32, u32),
    /// Position of the service in its set.
    pub(super) number: usize,
    pub(super) files: &'a mut Files,
    pub(super) problems: &'a mut Problems,
}

/// Reads a definition. Without a readable type it is of kind unknown.
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
                Diagnostic::s6rc(Class::SvcOpen, Rank::reading(place, Step::Type, 0), message)
                    .at(origin, "whoever compiles must be able to list this directory"),
            );
            return Service { place, ..Service::new(context.name, Some(origin), Kind::Unknown) };
        }
    };
    let place_of = |entry: &Listed| Some((entry.name.clone(), directory.place(&entry.name)?));
    context.elsewhere = entries.iter().filter_map(place_of).collect();
    let facts = Box::default();
    let mut definition = Definition { directory, source, entries, context, incomplete: false, facts };
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
    service.definition = Some(definition.facts);
    service
}

impl Context<'_> {
    /// A place in a file of the definition, which `text` is the content of. No file is the definition itself.
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

pub(super) struct Definition<'a, D> {
    pub(super) directory: D,
    /// The source directory that it lies in.
    pub(super) source: &'a D,
    /// What the directory holds, by name. Files that are not listed need not be looked for.
    entries: Vec<Listed>,
    pub(super) context: Context<'a>,
    incomplete: bool,
    /// What is found beside what the compiler looks at.
    pub(super) facts: Box<Facts>,
}

impl<D: Directory> Definition<'_, D> {
    /// What the entry of that name is itself, if there is one.
    pub(super) fn entry(&self, file: &str) -> Option<EntryKind> {
        self.entries.iter().find(|entry| entry.name == file.as_bytes()).map(|entry| entry.kind)
    }

    /// The content of a file; nothing if it is missing, which a link that leads nowhere is too.
    fn content(&self, file: &str, limit: usize) -> Option<io::Result<Vec<u8>>> {
        self.entry(file)?;
        match self.directory.read(file.as_bytes(), limit) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            content => Some(content),
        }
    }

    /// What the entry leads to; nothing if it is missing.
    fn kind(&self, file: &str) -> Option<io::Result<EntryKind>> {
        match self.entry(file)? {
            EntryKind::Link => match self.directory.kind(file.as_bytes()) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                kind => Some(kind),
            },
            kind => Some(Ok(kind)),
        }
    }

    fn reading(&self, step: Step, item: u32) -> Rank {
        Rank::reading(self.context.place, step, item)
    }

    fn copying(&self, step: Step) -> Rank {
        Rank::copying(self.context.number, step)
    }

    fn push(&mut self, problem: Diagnostic) {
        self.context.problems.push(problem);
    }

    /// Reports that a file is there but cannot be used.
    fn unusable(&mut self, class: Class, rank: Rank, file: &str, error: &io::Error) {
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
                .at(origin, "s6-rc-compile stops here: where this file exists, it must be usable")
                .maybe_help(help.map(str::to_owned)),
        );
    }

    /// The `type` file: its place, and the type if it is one.
    fn type_file(&mut self) -> (Origin, Option<&'static str>) {
        let content = match self.content("type", 64) {
            Some(Ok(content)) => content,
            failure => {
                let origin = self.context.origin("", "", 0..0);
                let name = &self.context.name;
                let message = match failure {
                    Some(Err(error)) => format!("cannot read `type` of `{name}`: {}", reason(&error)),
                    _ if self.entry("type").is_some() => {
                        format!("`type` of `{name}` is a symbolic link that leads nowhere")
                    }
                    _ => format!("`{name}` has no `type` file"),
                };
                let (help, note) = self.way_to_a_type();
                let mut problem = Diagnostic::s6rc(Class::TypeRead, self.reading(Step::Type, 0), message)
                    .at(origin, "every directory in a source directory is a service definition")
                    .help(help);
                problem.notes.extend(note);
                self.push(problem);
                return (origin, None);
            }
        };
        // The compiler reads 8 bytes and no more, so `longrun`, a newline, and anything behind it is fine.
        let (head, rest) = content.split_at(content.len().min(8));
        let origin = self.context.origin("type", content.as_slice(), 0..content.trim_ascii_end().len());
        let kind = type_of(head);
        if kind.is_some() && !rest.trim_ascii().is_empty() {
            self.facts.behind_type = Some(Origin::new(origin.file, 8..content.trim_ascii_end().len()));
        }
        if kind.is_none() {
            self.invalid_type(origin, &content);
        }
        (origin, kind)
    }

    /// What to do about a definition without a type, and what it probably is.
    fn way_to_a_type(&self) -> (String, Option<String>) {
        let name = &self.context.name;
        let has = |file: &str| self.entry(file).is_some();
        let lists = ["dependencies.d", "dependencies", "contents.d", "contents"];
        let visible = self.entries.iter().filter(|entry| !entry.name.starts_with(b"."));
        let extends = visible.clone().count() > 0
            && visible.clone().all(|entry| lists.iter().any(|list| entry.name == list.as_bytes()));
        let wanted = match (has("run"), has("up"), has("contents.d") || has("contents")) {
            (true, false, false) => Some("longrun"),
            (false, true, false) => Some("oneshot"),
            (false, false, true) => Some("bundle"),
            _ => None,
        };
        if extends && self.is_in_an_image() {
            let help = "no layer of this image has the rest of it: remove it, or write `longrun`, `oneshot` or `bundle` into \
                        `type`";
            return (help.into(), None);
        }
        if extends && (*name == *"user" || *name == *"user2") {
            let help = "judge the tree as /init compiles it, with `--overlay VERSION`: s6-overlay has the rest of it";
            return (help.into(), None);
        }
        if extends {
            let note = format!(
                "it probably adds to `{name}` of a base image, which has the rest of this definition and is not here"
            );
            let help = "judge it with `--overlay VERSION`, together with that image's files (`--layer`), or name it as known (`--external`)";
            return (help.into(), Some(note));
        }
        if let Some(wanted) = wanted {
            let only = visible.clone().count() == 1 && !self.is_in_an_image();
            let write = format!("write `{wanted}` into `type`");
            return match only {
                true => (
                    format!(
                        "judge it together with the image that has the rest of it (`--layer`); if none has, {write}"
                    ),
                    Some("a single file may add to a definition of a base image".into()),
                ),
                false => (write, None),
            };
        }
        if visible.clone().any(|entry| meaning(&entry.name).is_some()) {
            return ("write `longrun`, `oneshot` or `bundle` into `type`".into(), None);
        }
        let help =
            "move it out of the source directory: scripts and other files can lie anywhere else in the image";
        (help.into(), None)
    }

    fn invalid_type(&mut self, origin: Origin, content: &[u8]) {
        let name = &self.context.name;
        let text = String::from_utf8_lossy(content);
        let word = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\0');
        let types = ["longrun", "oneshot", "bundle"];
        let first = word.lines().next().unwrap_or_default().trim();
        let exact = types.into_iter().find(|known| first.to_lowercase() == *known);
        let (label, help) = match (exact, did_you_mean(word, types)) {
            _ if let Some(mark) = encoding(content) => (mark, NO_MARK.to_owned()),
            (Some(exact), _)
                if content.starts_with(exact.as_bytes()) && content[exact.len()..].starts_with(b"\r") =>
            {
                ("the line ends with CR LF, as Windows writes it", LINE_ENDS.to_owned())
            }
            (Some(exact), _) if word.starts_with(exact) && word.len() > exact.len() => {
                ("there is more than the type", format!("write `{exact}` and a newline, and nothing else"))
            }
            (Some(exact), _) => (
                "this is no type",
                format!(
                    "write `{exact}` and a newline: no blanks, no CR, no capital letters, no second line"
                ),
            ),
            (None, Some(close)) => ("this is no type", format!("did you mean `{close}`?")),
            (None, None) if content.is_empty() => {
                let (help, _) = self.way_to_a_type();
                ("this file is empty", help)
            }
            (None, None) => ("this is no type", "write `longrun`, `oneshot` or `bundle`".into()),
        };
        let problem = Diagnostic::s6rc(
            Class::TypeInvalid,
            self.reading(Step::Type, 1),
            format!("the type of `{name}` is not exactly `longrun`, `oneshot` or `bundle`"),
        )
        .at(origin, label)
        .help(help);
        self.push(problem);
    }

    /// Takes note of every entry that s6-rc does not read in a service of this type.
    fn ignored(&mut self, kind: Option<&str>) {
        let mask = match kind {
            Some("oneshot") => ONESHOT,
            Some("longrun") => LONGRUN,
            Some(_) => BUNDLE,
            None => return,
        };
        let has_template = self.entry("template").is_some();
        let linked = self.linked(mask);
        for entry in &self.entries {
            let known = meaning(&entry.name);
            let counts = match known {
                Some(types) => types & mask != 0,
                None => entry.name.starts_with(b"."),
            };
            if counts
                || linked.contains(&entry.name)
                || (has_template && matches!(&entry.name[..], b"instance" | b"instances"))
            {
                continue;
            }
            let place = match self.context.elsewhere.get(&entry.name) {
                Some(place) => place.clone(),
                None => path_of([&self.context.path[..], b"/", &entry.name].concat()),
            };
            let origin = Origin::whole(self.context.files.add(place, ""));
            self.facts.ignored.push(Ignored {
                name: entry.name.clone(),
                origin,
                is_known: known.is_some(),
                is_directory: entry.kind == EntryKind::Directory,
                is_empty: known.is_none()
                    && entry.kind == EntryKind::File
                    && self.directory.read(&entry.name, 1).is_ok_and(|text| text.is_empty()),
            });
        }
    }

    /// The entries that files which s6-rc reads in this service are links to.
    fn linked(&self, mask: u8) -> BTreeSet<Vec<u8>> {
        let read = self.entries.iter().filter(|entry| {
            entry.kind == EntryKind::Link && meaning(&entry.name).is_some_and(|types| types & mask != 0)
        });
        read.filter_map(|entry| {
            let target = self.directory.link(&entry.name).ok()?;
            let target = target.strip_prefix(b"./").unwrap_or(&target);
            match target.contains(&b'/') {
                false => Some(target.to_vec()),
                true => self.own_path(target).map(String::into_bytes),
            }
        })
        .collect()
    }

    fn service(&mut self, origin: Origin) -> Service {
        let flag_essential = self.flag("flag-essential", Step::FlagEssential);
        let flag_recommended = self.flag("flag-recommended", Step::FlagRecommended);
        Service {
            flag_essential,
            flag_recommended,
            ..Service::new(self.context.name.clone(), Some(origin), Kind::Unknown)
        }
    }

    fn bundle(&mut self, origin: Origin) -> Service {
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
                Diagnostic::s6rc(Class::ContentsMissing, self.reading(Step::List, 0), message)
                    .at(at, "s6-rc cannot tell what this bundle stands for")
                    .help(help),
            );
            self.incomplete = true;
            self.is_told("dependencies.d");
            Vec::new()
        });
        let service = self.service(origin);
        Service { kind: Kind::Bundle(Bundle { contents }), ..service }
    }

    fn oneshot(&mut self, origin: Origin) -> Service {
        let oneshot = Oneshot {
            dependencies: self.list("dependencies.d", "dependencies").unwrap_or_default(),
            timeout_down: self.timeout("timeout-down", Step::TimeoutDown),
            timeout_up: self.timeout("timeout-up", Step::TimeoutUp),
            reload: self.command_line("reload", Step::Reload),
            up: self.up(),
            down: self.command_line("down", Step::Down),
            ..Oneshot::default()
        };
        let service = self.service(origin);
        Service { kind: Kind::Oneshot(Box::new(oneshot)), ..service }
    }

    fn longrun(&mut self, origin: Origin) -> Service {
        let dependencies = self.list("dependencies.d", "dependencies").unwrap_or_default();
        let timeout_down = self.timeout("timeout-down", Step::TimeoutDown);
        let timeout_up = self.timeout("timeout-up", Step::TimeoutUp);
        let run = self.run();
        let producer_for = self.one_name("producer-for", Step::ProducerFor, Class::ProducerForCount);
        let consumer_for =
            self.list_file("consumer-for", Step::ConsumerFor).map(|(names, _)| names).unwrap_or_default();
        let mut pipeline_name = None;
        if producer_for.is_none() && !consumer_for.is_empty() {
            pipeline_name = self.one_name("pipeline-name", Step::PipelineName, Class::PipelineNameCount);
        } else {
            let rank = self.reading(Step::PipelineName, 0);
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
            notification_fd: self.descriptor("notification-fd", Step::NotificationFd),
            lock_fd: self.descriptor("lock-fd", Step::LockFd),
            timeout_kill: self.number("timeout-kill", Step::TimeoutKill).map(|(value, _)| value),
            flag_timeout_killpg: self.presence_flag("flag-timeout-killpg", Step::FlagTimeoutKillpg),
            timeout_finish: self.number("timeout-finish", Step::TimeoutFinish).map(|(value, _)| value),
            max_death_tally: self.number("max-death-tally", Step::MaxDeathTally).map(|(value, content)| {
                let end = content.iter().take_while(|byte| byte.is_ascii_digit()).count();
                let origin = self.context.origin("max-death-tally", content, 0..end);
                self.facts.add_place("max-death-tally", origin);
                value
            }),
            down_signal: self.copied("down-signal", Step::DownSignal),
            reload_signal: self.copied("reload-signal", Step::ReloadSignal),
            flag_newpidns: self.presence_flag("flag-newpidns", Step::FlagNewpidns),
            ..Longrun::default()
        };
        for (file, step) in [("template", Step::Template), ("data", Step::Data), ("env", Step::Env)] {
            self.subdirectory(file, step);
        }
        let service = self.service(origin);
        Service { kind: Kind::Longrun(Box::new(longrun)), ..service }
    }

    /// A list of names, as a directory or else as a file. Nothing if there is neither.
    fn list(&mut self, directory: &str, file: &str) -> Option<Vec<ServiceRef>> {
        if self.entry(directory).is_some() {
            let opened = self.directory.directory(directory.as_bytes());
            let listed = opened.and_then(|mut opened| {
                let entries = opened.list()?;
                let read = |entry: Listed| {
                    let text = opened.read(&entry.name, LONGEST_NOTE).unwrap_or_default();
                    (opened.place(&entry.name), text, entry)
                };
                Ok(entries.into_iter().map(read).collect::<Vec<_>>())
            });
            match listed {
                Ok(entries) => {
                    let names = self.list_directory(directory, &entries);
                    self.hidden(file, &names);
                    return Some(names);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    self.unusable(Class::ListdOpen, self.reading(Step::List, 0), directory, &error);
                    self.incomplete = true;
                    return Some(Vec::new());
                }
            }
        }
        self.list_file(file, Step::List).map(|(names, _)| names)
    }

    /// Takes note of the names of the list `file` that the directory with the names `seen` hides.
    fn hidden(&mut self, file: &str, seen: &[ServiceRef]) {
        let Some(Ok(content)) = self.content(file, LONGEST_TEXT) else { return };
        let whole = self.context.origin(file, content.as_slice(), 0..0);
        let lost: Vec<ServiceRef> = list::names(&content)
            .into_iter()
            .filter(|(name, _)| seen.iter().all(|reference| reference.name.as_bytes() != *name))
            .map(|(name, span)| ServiceRef {
                name: Name::new(name),
                origin: Some(Origin::new(whole.file, span)),
            })
            .collect();
        if !lost.is_empty() {
            self.facts.hidden = Some((lost, whole));
        }
    }

    /// An entry is spoken of elsewhere, and need not be reported for having no meaning as well.
    fn is_told(&mut self, file: &str) {
        self.facts.ignored.retain(|entry| entry.name != file.as_bytes());
    }

    /// The names in a directory, with where each lies if that is elsewhere.
    fn list_directory(
        &mut self,
        directory: &str,
        entries: &[(Option<PathBuf>, Vec<u8>, Listed)],
    ) -> Vec<ServiceRef> {
        let Context { path, files, .. } = &mut self.context;
        let facts = &mut self.facts;
        let named = entries.iter().filter(|(_, _, entry)| !entry.name.starts_with(b"."));
        named
            .map(|(place, text, entry)| {
                let place = place.clone().unwrap_or_else(|| {
                    path_of([&path[..], b"/", directory.as_bytes(), b"/", &entry.name].concat())
                });
                let name = Name::new(&entry.name);
                let listed = list::names(text).into_iter().map(|(name, _)| Name::new(name.trim_ascii_end()));
                let listed: Vec<Name> = listed.filter(|listed| *listed != name).collect();
                let shown = if listed.is_empty() { Vec::new() } else { text.clone() };
                let origin = Origin::whole(files.add(place, shown));
                if !listed.is_empty() {
                    facts.written_lists.push((name.clone(), origin, listed));
                }
                ServiceRef { name, origin: Some(origin) }
            })
            .collect()
    }

    /// A list of names in a file, and the place of the file if it could be read. Nothing if there is none.
    fn list_file(&mut self, file: &str, step: Step) -> Option<(Vec<ServiceRef>, Option<Origin>)> {
        let content = match self.content(file, LONGEST_TEXT)? {
            Ok(content) => content,
            Err(error) => {
                let class = match error.kind() {
                    io::ErrorKind::IsADirectory => Class::ListRead,
                    _ => Class::ListOpen,
                };
                self.unusable(class, self.reading(step, 0), file, &error);
                self.incomplete = true;
                return Some((Vec::new(), None));
            }
        };
        let found = list::names(&content);
        let whole = self.context.origin(file, content.as_slice(), 0..0);
        let refs = found.into_iter().map(|(name, span)| ServiceRef {
            name: Name::new(name),
            origin: Some(Origin::new(whole.file, span)),
        });
        Some((refs.collect(), Some(whole)))
    }

    /// A file that must hold exactly one name, if it is there.
    fn one_name(&mut self, file: &str, step: Step, class: Class) -> Option<Vec<ServiceRef>> {
        let (names, whole) = self.list_file(file, step)?;
        let whole = match whole {
            Some(whole) if names.len() != 1 => whole,
            // What could not be read at all was reported for that.
            _ => return Some(names),
        };
        self.incomplete = true;
        let name = &self.context.name;
        let mut problem = Diagnostic::s6rc(
            class,
            self.reading(step, u32::MAX),
            match names.len() {
                0 => format!("`{file}` of `{name}` holds no name"),
                count => format!("`{file}` of `{name}` holds {count} names"),
            },
        );
        for (number, reference) in names.iter().enumerate() {
            let text = if number == 0 { "there must be exactly one" } else { "this is one more" };
            problem = problem.at(reference.origin, text);
        }
        if names.is_empty() {
            problem = problem.at(whole, "there must be exactly one");
        }
        let help = match class {
            Class::ProducerForCount if names.is_empty() => "name the consumer, or remove the file",
            Class::ProducerForCount => "a producer has one consumer: keep one line",
            _ => "keep one name, or remove the file: the pipeline then has no bundle",
        };
        self.push(problem.help(help));
        Some(names)
    }

    fn timeout(&mut self, file: &str, step: Step) -> u32 {
        let rank = self.reading(step, 0);
        match self.content(file, 63) {
            None => 0,
            Some(Err(error)) => {
                self.unusable(Class::TimeoutRead, rank, file, &error);
                0
            }
            Some(Ok(content)) => number::timeout(&content).unwrap_or_else(|| {
                self.invalid_number(Class::TimeoutInvalid, rank, file, &content);
                0
            }),
        }
    }

    fn invalid_number(&mut self, class: Class, rank: Rank, file: &str, content: &[u8]) {
        let milliseconds = file.starts_with("timeout");
        let name = &self.context.name;
        let unit = if milliseconds { " of milliseconds" } else { "" };
        let message = format!("`{file}` of `{name}` is not a number{unit} from 0 to 4294967295");
        let origin = self.context.origin(file, content, 0..content.trim_ascii_end().len());
        let label = match encoding(content) {
            Some(label) => label,
            None if content.trim_ascii().is_empty() => "there is no number",
            None => "digits only",
        };
        let help = match encoding(content) {
            Some(_) => Some(NO_MARK.to_owned()),
            None => number::meant(content, milliseconds),
        };
        self.push(Diagnostic::s6rc(class, rank, message).at(origin, label).maybe_help(help));
    }

    /// Whether a file is there, of whatever kind.
    fn present(&mut self, file: &str, class: Class, rank: Rank) -> bool {
        match self.kind(file) {
            None => false,
            Some(Ok(_)) => true,
            Some(Err(error)) => {
                self.unusable(class, rank, file, &error);
                false
            }
        }
    }

    fn flag(&mut self, file: &str, step: Step) -> bool {
        self.present(file, Class::FlagAccess, self.reading(step, 0))
    }

    fn presence_flag(&mut self, file: &str, step: Step) -> bool {
        self.present(file, Class::EmptyflagAccess, self.copying(step))
    }

    fn up(&mut self) -> Script {
        // A link that leads nowhere is listed, and still missing.
        if let Some(script) = self.command_line("up", Step::Up) {
            return script;
        }
        let origin = self.context.origin("", "", 0..0);
        let name = &self.context.name;
        let (message, help) = if self.entry("up").is_some() {
            (format!("`up` of oneshot `{name}` is a symbolic link that leads nowhere"), "repair the link")
        } else if self.entry("run").is_some() {
            (
                format!("oneshot `{name}` has no `up` file"),
                "write the path of `run` into `up`, or `longrun` into `type`",
            )
        } else {
            (
                format!("oneshot `{name}` has no `up` file"),
                "write one; an empty file does nothing, and is fine",
            )
        };
        self.push(
            Diagnostic::s6rc(Class::UpMissing, self.reading(Step::Up, 0), message)
                .at(origin, "s6-rc cannot tell how to start it")
                .help(help),
        );
        self.is_told("run");
        Script::default()
    }

    /// `up`, `down` or `reload`. Nothing if it is missing; a faulty one is the empty command.
    fn command_line(&mut self, file: &'static str, step: Step) -> Option<Script> {
        let content = match self.content(file, LONGEST_TEXT)? {
            Ok(content) => content,
            Err(error) => {
                let class = match error.kind() {
                    io::ErrorKind::IsADirectory => Class::ScriptRead,
                    _ => Class::ScriptOpen,
                };
                self.unusable(class, self.reading(step, 0), file, &error);
                return Some(Script::default());
            }
        };
        match words(&content) {
            Ok(words) => {
                let shown = if str::from_utf8(&content).is_ok() { content.as_slice() } else { b"" };
                let origin = self.context.origin(file, shown, 0..0);
                self.calls(file, &words);
                self.facts.command_lines.push(Text { file, origin, bytes: content });
                Some(Script::Words(words))
            }
            Err(refusal) => {
                self.refused(file, step, &content, refusal);
                Some(Script::default())
            }
        }
    }

    fn refused(&mut self, file: &str, step: Step, content: &[u8], refusal: Refusal) {
        let (class, at, what, label) = match refusal {
            Refusal::UnmatchedClose(at) => (
                Class::ScriptUnmatchedClose,
                at,
                "closes a block that was never opened",
                "no `{` belongs to this",
            ),
            Refusal::UnmatchedOpen(at) => (
                Class::ScriptUnmatchedOpen,
                at,
                "opens a block and never closes it",
                "no `}` belongs to this",
            ),
            Refusal::OpenQuote(at) => {
                (Class::ScriptSyntax, at, "ends inside a quoted text", "this quote is never closed")
            }
            Refusal::NumericEscape(at) => (
                Class::ScriptSyntax,
                at,
                "has a numeric escape that is no byte from 1 to 255",
                "`\\65`, `\\0101` and `\\0x41` are the letter A",
            ),
            Refusal::CutShort(at) => {
                (Class::ScriptSyntax, at, "ends too early", "there must be something behind this")
            }
        };
        let rank = self.reading(step, 0);
        let end = match refusal {
            Refusal::NumericEscape(_) => (at + 4).min(content.len()),
            _ => at + 1,
        };
        let origin = self.context.origin(file, content, at..end);
        let name = &self.context.name;
        let message = format!("`{file}` of `{name}` {what}");
        let help = if content.starts_with(b"#!") {
            "this file is no script but one command line, which s6-rc runs: put the script elsewhere and write its \
             absolute path here"
        } else {
            match refusal {
                Refusal::UnmatchedClose(_) | Refusal::UnmatchedOpen(_) => {
                    "a brace counts only as a word of its own, with blanks around it; quote one that is just text"
                }
                Refusal::OpenQuote(_) => "close it, or write `\\\"` for a quote that is just text",
                Refusal::NumericEscape(_) => "write `\\\\` for a backslash that is just text",
                Refusal::CutShort(_) => "remove it, or finish what it begins",
            }
        };
        self.push(Diagnostic::s6rc(class, rank, message).at(origin, label).help(help));
    }

    fn run(&mut self) -> Script {
        let rank = self.reading(Step::Run, 0);
        let name = &self.context.name;
        let (class, message) = match self.content("run", LONGEST_SCRIPT) {
            Some(Ok(content)) => match self.kind("run") {
                Some(Ok(EntryKind::File)) => {
                    self.keep("run", &content);
                    self.check(&content);
                    return Script::Verbatim(content);
                }
                _ => (Class::RunNotreg, format!("`run` of `{name}` is not a regular file")),
            },
            Some(Err(error)) if error.kind() == io::ErrorKind::IsADirectory => {
                (Class::RunNotreg, format!("`run` of `{name}` is a directory, not a file"))
            }
            Some(Err(error)) => {
                (Class::RunOpen, format!("cannot read `run` of `{name}`: {}", reason(&error)))
            }
            None if self.entry("run").is_some() => (
                Class::RunMissing,
                format!("`run` of longrun `{name}` is a symbolic link that leads nowhere"),
            ),
            None => (Class::RunMissing, format!("longrun `{name}` has no `run` file")),
        };
        let help = match class {
            Class::RunMissing if self.entry("up").is_some() => {
                Some("write `oneshot` into `type`, or make `run` the program that keeps running")
            }
            Class::RunMissing => Some("make `run` the program that keeps running, as an executable file"),
            Class::RunNotreg => Some("make it a file, or a link to one"),
            _ => None,
        };
        let origin = self.context.origin(if class == Class::RunMissing { "" } else { "run" }, "", 0..0);
        self.push(
            Diagnostic::s6rc(class, rank, message)
                .at(origin, "s6-rc cannot tell what to run")
                .maybe_help(help.map(str::to_owned)),
        );
        self.is_told("up");
        Script::default()
    }

    /// Reports a fifo that the compiler would open and wait at.
    fn hang(&mut self, file: &str, step: Step) {
        let rank = self.copying(step);
        let origin = self.context.origin(file, "", 0..0);
        let name = &self.context.name;
        let message = format!("`{file}` of `{name}` is a fifo");
        self.push(
            Diagnostic::s6rc(Class::Hang, rank, message)
                .at(origin, "s6-rc-compile waits here for somebody to write, for ever")
                .help("remove it, or make it a file"),
        );
    }

    fn is_fifo(&self, file: &str) -> bool {
        matches!(self.kind(file), Some(Ok(EntryKind::Fifo)))
    }

    /// `finish` is left out without a word if it cannot be opened.
    fn finish(&mut self) -> Option<Script> {
        let Some(content) = self.content("finish", LONGEST_SCRIPT) else {
            if self.entry("finish").is_some() {
                self.left_out("it is a symbolic link that leads nowhere".into());
            }
            return None;
        };
        match content {
            Ok(_) if self.is_fifo("finish") => {
                self.hang("finish", Step::Finish);
                None
            }
            Ok(content) => {
                self.keep("finish", &content);
                Some(Script::Verbatim(content))
            }
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                self.unusable(Class::FinishCopy, self.copying(Step::Finish), "finish", &error);
                None
            }
            Err(error) => {
                self.left_out(reason(&error));
                None
            }
        }
    }

    fn left_out(&mut self, why: String) {
        let origin = self.context.origin("finish", "", 0..0);
        self.facts.finish_left_out = Some((origin, why));
    }

    /// Keeps a file for reports that show a part of it. Programs are not shown.
    fn keep(&mut self, file: &'static str, content: &[u8]) -> Origin {
        let shown = if str::from_utf8(content).is_ok() { content } else { b"" };
        let origin = self.context.origin(file, shown, 0..0);
        self.facts.add_place(file, origin);
        origin
    }

    /// A signal, which the compiler copies without looking at it, or leaves out.
    fn copied(&mut self, file: &'static str, step: Step) -> Option<Vec<u8>> {
        match self.content(file, LONGEST_SCRIPT)? {
            Ok(_) if self.is_fifo(file) => {
                self.hang(file, step);
                None
            }
            content => {
                let content = content.ok()?;
                self.keep(file, &content);
                Some(content)
            }
        }
    }

    fn number(&mut self, file: &str, step: Step) -> Option<(u32, Vec<u8>)> {
        let rank = self.copying(step);
        match self.content(file, 11)? {
            Ok(_) if self.is_fifo(file) => {
                self.hang(file, step);
                None
            }
            Ok(content) => {
                let Some(value) = number::plain(&content) else {
                    self.invalid_number(Class::UintInvalid, rank, file, &content);
                    return None;
                };
                Some((value, content))
            }
            Err(error) => {
                self.unusable(Class::UintRead, rank, file, &error);
                None
            }
        }
    }

    fn descriptor(&mut self, file: &str, step: Step) -> Option<Written<u32>> {
        let (value, content) = self.number(file, step)?;
        let end = content.iter().take_while(|byte| byte.is_ascii_digit()).count();
        Some(Written { value, origin: Some(self.context.origin(file, content, 0..end)) })
    }

    /// `data`, `env` or `template`: a directory if it is there at all, and one that can be listed.
    fn subdirectory(&mut self, file: &str, step: Step) {
        let rank = self.copying(step);
        match self.kind(file) {
            None => {}
            // A link is copied as a link, so what it leads to need not be readable.
            Some(Ok(EntryKind::Directory)) if self.entry(file) == Some(EntryKind::Link) => {}
            Some(Ok(EntryKind::Directory)) => {
                let listed = self.directory.directory(file.as_bytes()).and_then(|mut inner| inner.list());
                if let Err(error) = listed {
                    self.unusable(Class::SubdirCopy, rank, file, &error);
                }
            }
            Some(Ok(_)) => {
                let error = io::ErrorKind::NotADirectory.into();
                self.unusable(Class::SubdirNotdir, rank, file, &error);
            }
            Some(Err(error)) => self.unusable(Class::SubdirStat, rank, file, &error),
        }
    }
}

/// What helps against a byte order mark.
pub(super) const NO_MARK: &str = "save it as UTF-8 without byte order mark";

/// How a text is saved that s6-rc cannot read as such.
pub(super) fn encoding(text: &[u8]) -> Option<&'static str> {
    match text {
        [0xef, 0xbb, 0xbf, ..] => Some("this file begins with a byte order mark, which s6-rc takes for text"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            Some("this file is saved as UTF-16, which s6-rc does not read")
        }
        _ => None,
    }
}

/// The type that the first 8 bytes of a `type` file name.
fn type_of(head: &[u8]) -> Option<&'static str> {
    if head.len() < 6 {
        return None;
    }
    let word = head.strip_suffix(b"\n").unwrap_or(head);
    if word.len() == 8 {
        return None;
    }
    match word.split(|byte| *byte == 0).next()? {
        b"oneshot" => Some("oneshot"),
        b"longrun" => Some("longrun"),
        b"bundle" => Some("bundle"),
        _ => None,
    }
}

const BUNDLE: u8 = 1;
const ONESHOT: u8 = 2;
const LONGRUN: u8 = 4;

/// The types of service for which an entry of that name means something; nothing for names that s6-rc never knew.
pub(super) fn meaning(name: &[u8]) -> Option<u8> {
    Some(match name {
        b"type" | b"flag-essential" | b"flag-recommended" => BUNDLE | ONESHOT | LONGRUN,
        b"contents.d" | b"contents" => BUNDLE,
        b"dependencies.d" | b"dependencies" | b"timeout-up" | b"timeout-down" => ONESHOT | LONGRUN,
        b"up" | b"down" | b"reload" => ONESHOT,
        b"run"
        | b"finish"
        | b"notification-fd"
        | b"lock-fd"
        | b"timeout-kill"
        | b"flag-timeout-killpg"
        | b"timeout-finish"
        | b"max-death-tally"
        | b"down-signal"
        | b"reload-signal"
        | b"flag-newpidns"
        | b"producer-for"
        | b"consumer-for"
        | b"pipeline-name"
        | b"data"
        | b"env"
        | b"template" => LONGRUN,
        b"instance" | b"instances" | b"log" | b"nosetsid" => 0,
        _ => return None,
    })
}
