//! Reads existing source directories, exactly as `s6-rc-compile` 0.7.0.0 does. The result is a [`ServiceSet`], as from a
//! manifest.

mod calls;
mod definition;
mod encoding;
mod files;
mod ignored;
mod list;
mod names;
mod number;
mod receipts;
mod run_calls;
mod scripts;
mod type_file;
mod values;

pub use files::{DefinitionEntries, entries, files};

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use crate::diagnostic::{Class, Code, Diagnostic, Files, MOST_DEFINITIONS, Origin, Problems, Rank};
use crate::model::{DefinitionFile, Kind, Name, Service, ServiceSet, Target};
use crate::source::{Directory, EntryKind, Source};
use definition::Budget;
use receipts::Receipts;

/// Reads the source directories `sources`, in the order in which they are given to `s6-rc-compile`.
///
/// Reports everything that the compiler refuses while it reads or copies single files, ranked in its own order. Checks of
/// several definitions together are in `validate`. A definition that cannot be read becomes [`Kind::Unknown`], so that its
/// dependents are not reported too. The built-in definitions of s6-overlay, and everything else outside `sources`, are
/// not added.
pub fn tree<D: Directory>(
    sources: Vec<Source<D>>,
    target: Target,
    files: &mut Files,
    problems: &mut Problems,
) -> ServiceSet {
    let mut set = ServiceSet::new(target);
    let budget = Budget::default();
    for (number, source) in (0..).zip(sources) {
        Scan {
            number,
            path: source.path.into_os_string().into_vec(),
            files,
            problems,
            set: &mut set,
            budget: &budget,
        }
        .read(source.directory);
    }
    set
}

/// The scan of one source directory.
struct Scan<'a> {
    number: u32,
    path: Vec<u8>,
    files: &'a mut Files,
    problems: &'a mut Problems,
    set: &'a mut ServiceSet,
    budget: &'a Budget,
}

impl Scan<'_> {
    fn read<D: Directory>(mut self, directory: io::Result<D>) {
        let opened = directory.and_then(|mut directory| {
            let entries = directory.list()?;
            Ok((directory, entries))
        });
        let (directory, entries) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                let origin = self.origin_of(b"");
                self.problems.push(
                    Diagnostic::s6rc(
                        Class::SrcOpendir,
                        self.rank(0),
                        format!("cannot open the source directory `{}`: {}", self.shown(), reason(&error)),
                    )
                    .at(origin, "s6gen can read no definitions here"),
                );
                return;
            }
        };
        let mut definitions = Vec::new();
        let mut unsearchable = None;
        for (position, entry) in (1..).zip(&entries) {
            if entry.name.starts_with(b".") {
                continue;
            }
            let name = Name::new(&entry.name);
            let place = || directory.place(&entry.name);
            if entry.name.contains(&b'\n') {
                self.refuse(
                    position,
                    Class::NameNewline,
                    &name,
                    place(),
                    format!("the name `{name}` contains a newline"),
                );
                self.add_unknown(&name);
                continue;
            }
            if name.is_reserved() {
                self.refuse(
                    position,
                    Class::NameReserved,
                    &name,
                    place(),
                    format!("`{name}` begins with a prefix that s6-rc keeps for itself"),
                );
                continue;
            }
            // Listing a directory needs only its r bit, looking at an entry needs the x bit.
            if unsearchable.get_or_insert_with(|| directory.kind(b".").is_err()) == &true {
                self.refuse(
                    position,
                    Class::SrcStat,
                    &name,
                    place(),
                    format!("the entries of `{}` cannot be looked at: permission denied", self.shown()),
                );
                return;
            }
            let kind = match entry.kind {
                EntryKind::Link => directory.kind(&entry.name),
                kind => Ok(kind),
            };
            match kind {
                Ok(EntryKind::Directory) => definitions.push((name, &entry.name)),
                Ok(_) if DefinitionFile::find(&entry.name).is_some() => self.stray(&name, place()),
                Ok(_) => {}
                Err(error) => {
                    let message = match error.kind() {
                        io::ErrorKind::NotFound => format!("`{name}` is a symbolic link that leads nowhere"),
                        _ => format!("`{name}` cannot be looked at: {}", reason(&error)),
                    };
                    self.refuse(position, Class::SrcStat, &name, place(), message);
                    self.add_unknown(&name);
                }
            }
        }
        definitions.sort_unstable();
        let mut receipts = Receipts::default();
        for (position, (name, entry)) in (0..).zip(definitions) {
            if self.set.services.len() > MOST_DEFINITIONS + 1 {
                let origin = self.origin_of(b"");
                let message = format!("the source directories have more than {MOST_DEFINITIONS} definitions");
                self.problems.push(
                    Diagnostic::new(Code::ManifestTooLarge, message)
                        .at(origin, "s6gen reads no more than this")
                        .help("remove what is not a service from the source directory"),
                );
                return;
            }
            let opened = directory.directory(entry);
            let path = match opened.as_ref().ok().and_then(|opened| opened.place(b".")) {
                Some(place) => place.into_os_string().into_vec(),
                None => [&self.path[..], b"/", entry].concat(),
            };
            let start = opened.as_ref().ok().and_then(|opened| receipts.start_of(opened, entry));
            let mut service = definition::read(
                opened,
                &directory,
                definition::Context {
                    name,
                    path,
                    elsewhere: BTreeMap::new(),
                    place: (self.number, position),
                    number: self.set.services.len(),
                    files: self.files,
                    problems: self.problems,
                    budget: self.budget,
                },
            );
            if let Some(facts) = &mut service.definition {
                facts.recorded_start = start;
            }
            self.set.services.push(service);
        }
    }

    fn rank(&self, position: u32) -> Rank {
        Rank::Scan { source: self.number, reading: false, service: position, step: 0, item: 0 }
    }

    fn shown(&self) -> Name {
        Name::new(&self.path)
    }

    fn origin_of(&mut self, entry: &[u8]) -> Origin {
        let mut path = self.path.clone();
        if !entry.is_empty() {
            path.push(b'/');
            path.extend_from_slice(entry);
        }
        Origin::whole(self.files.add(path_of(path), ""))
    }

    fn refuse(&mut self, position: u32, class: Class, name: &Name, place: Option<PathBuf>, message: String) {
        let origin = match place {
            Some(place) => Origin::whole(self.files.add(place, "")),
            None => self.origin_of(name.as_bytes()),
        };
        let (label, help) = match class {
            Class::NameReserved => (
                "s6-rc-compile refuses this name, even for a plain file",
                "rename it, or move it out of the source directory",
            ),
            Class::NameNewline => (
                "s6-rc-compile refuses every entry with such a name",
                "rename it, or move it out of the source directory",
            ),
            _ => (
                "s6-rc-compile looks at every entry of a source directory, and stops at this one",
                "repair it, or remove it from the source directory",
            ),
        };
        self.problems
            .push(Diagnostic::s6rc(class, self.rank(position), message).at(origin, label).help(help));
    }

    /// Records a file that belongs into a definition.
    fn stray(&mut self, name: &Name, place: Option<PathBuf>) {
        let origin = match place {
            Some(place) => Origin::whole(self.files.add(place, "")),
            None => self.origin_of(name.as_bytes()),
        };
        self.set.stray.push((name.clone(), origin));
    }

    /// Adds a service of unknown kind, so that mentions of its name are not reported as undefined.
    fn add_unknown(&mut self, name: &Name) {
        self.set.services.push(Service::new(name.clone(), None, Kind::Unknown));
    }
}

fn path_of(bytes: Vec<u8>) -> PathBuf {
    OsString::from_vec(bytes).into()
}

/// The message of the system, without the error number that std adds.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((text, _)) => text.to_lowercase(),
        None => text,
    }
}
