//! Reads the files and directories of a definition that contain names of services.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use super::definition::{Context, DefinitionReader, LONGEST_TEXT};
use super::{list, path_of};
use crate::diagnostic::{Class, Diagnostic, Origin};
use crate::model::{CompilerStep, Name, ServiceRef};
use crate::source::{Directory, Listed};

/// The number of bytes that are read of a file in a list directory, where only the name counts.
const LONGEST_NOTE: usize = 4096;

impl<D: Directory> DefinitionReader<'_, D> {
    /// A list of names: the directory, or if there is none, the file. `None` if there is neither.
    pub(super) fn list(&mut self, directory: &str, file: &str) -> Option<Vec<ServiceRef>> {
        if self.entry(directory).is_some() {
            let opened = self.directory.directory(directory.as_bytes());
            let listed = opened.and_then(|mut opened| {
                let entries = opened.list()?;
                self.context.budget.add_names(entries.len())?;
                let read = |entry: Listed| {
                    let text = match opened.is_empty_file(&entry.name) {
                        true => Vec::new(),
                        false => opened.read(&entry.name, LONGEST_NOTE).unwrap_or_default(),
                    };
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
                    self.unusable(Class::ListdOpen, self.reading(CompilerStep::List, 0), directory, &error);
                    self.incomplete = true;
                    return Some(Vec::new());
                }
            }
        }
        self.list_file(file, CompilerStep::List).map(|(names, _)| names)
    }

    /// Records the names in the list `file` that the directory with the names `seen` overrides.
    pub(super) fn hidden(&mut self, file: &str, seen: &[ServiceRef]) {
        let Some(Ok(content)) = self.content(file, LONGEST_TEXT) else { return };
        if self.context.budget.add_names(list::count(&content)).is_err() {
            return;
        }
        let seen: BTreeSet<&[u8]> = seen.iter().map(|reference| reference.name.as_bytes()).collect();
        let whole = self.context.origin(file, content.as_slice(), 0..0);
        let lost: Vec<ServiceRef> = list::names(&content)
            .into_iter()
            .filter(|(name, _)| !seen.contains(name))
            .map(|(name, span)| ServiceRef {
                name: Name::new(name),
                origin: Some(Origin::new(whole.file, span)),
            })
            .collect();
        if !lost.is_empty() {
            self.facts.hidden = Some((lost, whole));
        }
    }

    /// The names in a directory, with the place of each one.
    pub(super) fn list_directory(
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

    /// A list of names in a file, and the place of the file if it could be read. `None` if there is no file.
    pub(super) fn list_file(
        &mut self,
        file: &str,
        step: CompilerStep,
    ) -> Option<(Vec<ServiceRef>, Option<Origin>)> {
        let content = self.content(file, LONGEST_TEXT)?.and_then(|content| {
            self.context.budget.add_names(list::count(&content))?;
            Ok(content)
        });
        let content = match content {
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

    /// A file that must contain exactly one name, if it exists.
    pub(super) fn one_name(
        &mut self,
        file: &str,
        step: CompilerStep,
        class: Class,
    ) -> Option<Vec<ServiceRef>> {
        let (names, whole) = self.list_file(file, step)?;
        let whole = match whole {
            Some(whole) if names.len() != 1 => whole,
            // A file that could not be read was already reported.
            _ => return Some(names),
        };
        self.incomplete = true;
        let name = &self.context.name;
        let mut problem = Diagnostic::s6rc(
            class,
            self.reading(step, u32::MAX),
            match names.len() {
                0 => format!("`{file}` of `{name}` contains no name"),
                count => format!("`{file}` of `{name}` contains {count} names"),
            },
        );
        for (number, reference) in names.iter().enumerate() {
            let text = if number == 0 { "there must be exactly one" } else { "this is another one" };
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
}
