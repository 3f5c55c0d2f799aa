//! Collects the lines of the report on a definition: one for each of its files.

use std::collections::BTreeMap;

use crate::migrate::{Fate, ImportLine};
use crate::model::File;

/// The lines of the report on a definition, by the path of the file.
pub(super) struct FileLines<'a> {
    files: Option<&'a BTreeMap<String, File>>,
    lines: BTreeMap<String, ImportLine>,
    /// What could stand in the manifest for a file, and what would be different then.
    offers: BTreeMap<String, String>,
    /// Why the new system differs in a fact that no file states.
    reasons: BTreeMap<String, String>,
}

impl<'a> FileLines<'a> {
    pub(super) fn new(files: Option<&'a BTreeMap<String, File>>) -> Self {
        FileLines { files, lines: BTreeMap::new(), offers: BTreeMap::new(), reasons: BTreeMap::new() }
    }

    /// The files of the definition without a line, by path.
    pub(super) fn open(&self) -> impl Iterator<Item = (&'a String, &'a File)> + use<'a, '_> {
        self.files.into_iter().flatten().filter(|(path, _)| !self.lines.contains_key(*path))
    }

    /// All files of the definition.
    pub(super) fn files(&self) -> Option<&'a BTreeMap<String, File>> {
        self.files
    }

    /// The file at a path.
    pub(super) fn file(&self, path: &str) -> Option<&'a File> {
        self.files?.get(path)
    }

    /// Notes what became of the file at `path`, if there is one and it has no line yet.
    pub(super) fn note(&mut self, path: &str, fate: Fate, becomes: &str, remark: &str) {
        if self.file(path).is_some() && !self.lines.contains_key(path) {
            self.add(path, fate, becomes, remark);
        }
    }

    /// Notes what became of the entry at `path`, which may be no file.
    pub(super) fn add(&mut self, path: &str, fate: Fate, becomes: &str, remark: &str) {
        let line = ImportLine {
            origin: None,
            part: path.to_owned(),
            fate,
            becomes: becomes.to_owned(),
            remark: remark.to_owned(),
        };
        self.lines.insert(path.to_owned(), line);
    }

    /// Offers what a person would write for the file at `path`, although it is not exactly the same.
    pub(super) fn offer(&mut self, path: &str, instead: &str, difference: &str) {
        self.offers.insert(path.to_owned(), format!("nearly the same: `{instead}`; {difference}"));
    }

    /// Says why the new system differs in a fact that no file states.
    pub(super) fn explain(&mut self, fact: &str, reason: &str) {
        self.reasons.insert(fact.to_owned(), reason.to_owned());
    }

    /// The reasons so far, by fact.
    pub(super) fn take_reasons(&mut self) -> BTreeMap<String, String> {
        std::mem::take(&mut self.reasons)
    }

    /// Notes a list, which is a directory of names or else a file with names.
    pub(super) fn list(&mut self, directory: &str, file: &str, becomes: &str) {
        let below = format!("{directory}/");
        let paths: Vec<&String> =
            self.open().map(|(path, _)| path).filter(|path| path.starts_with(&below)).collect();
        let has_directory = !paths.is_empty();
        for path in paths {
            match path[below.len()..].starts_with('.') {
                true => self.note(path, Fate::NoEffect, "", "s6-rc ignores names that begin with a dot"),
                false => self.note(path, Fate::Exact, becomes, ""),
            }
        }
        match has_directory {
            true => self.note(
                file,
                Fate::NoEffect,
                "",
                &format!("`{directory}` is beside it, so s6-rc ignores it"),
            ),
            false => self.note(file, Fate::Exact, becomes, ""),
        }
    }

    /// Notes that s6-rc ignores all other files.
    pub(super) fn rest_is_ignored(&mut self) {
        let paths: Vec<&String> = self.open().map(|(path, _)| path).collect();
        for path in paths {
            self.note(path, Fate::NoEffect, "", "s6-rc does not read it in a service of this type");
        }
    }

    /// Notes that the key `log` of a service generates a logger again.
    pub(super) fn logger(&mut self, owner: &str) {
        let paths: Vec<&String> = self.open().map(|(path, _)| path).collect();
        for path in paths {
            self.note(path, Fate::Exact, &format!("`log` of `{owner}`"), "");
        }
    }

    /// Notes that the key `log` of a service stands for a hand-written logger.
    pub(super) fn hand_logger(&mut self, owner: &str, differences: &str) {
        let becomes = format!("`log` of `{owner}`");
        let fate = if differences.is_empty() { Fate::Exact } else { Fate::Emulated };
        self.note("run", fate, &becomes, differences);
        let own_limit = "s6gen gives its loggers limits of its own";
        for (file, reason) in [
            ("timeout-up", own_limit),
            ("timeout-down", own_limit),
            ("timeout-kill", own_limit),
            ("notification-fd", "a logger of s6gen says when it is ready"),
            ("pipeline-name", "the name of a pipeline is that of its service and `-pipeline`"),
        ] {
            self.note(file, Fate::Emulated, &becomes, reason);
            self.explain(file, reason);
        }
        self.explain("waits for", "a logger waits for what its service waits for");
        self.list("dependencies.d", "dependencies", &format!("`dependencies` of `{owner}`"));
        self.logger(owner);
    }

    /// Notes that all other files stay in the image.
    pub(super) fn leave(&mut self, reason: &str) {
        let paths: Vec<&String> = self.open().map(|(path, _)| path).collect();
        for path in paths {
            self.note(path, Fate::Lost, "", &format!("{reason}: leave it in the image"));
        }
    }

    /// Notes the files of a bundle that the system starts.
    pub(super) fn start_bundle(&mut self) {
        self.list("contents.d", "contents", "`start`");
        let paths: Vec<&String> = self.open().map(|(path, _)| path).collect();
        for path in paths {
            self.note(path, Fate::Exact, "", "s6gen or s6-overlay makes this bundle");
        }
    }

    /// The lines in the order of the paths.
    pub(super) fn finish(mut self) -> Vec<ImportLine> {
        for (path, offer) in self.offers {
            if let Some(line) = self.lines.get_mut(&path) {
                line.remark = [std::mem::take(&mut line.remark), offer]
                    .into_iter()
                    .filter(|part| !part.is_empty())
                    .collect::<Vec<_>>()
                    .join("; ");
            }
        }
        self.lines.into_values().collect()
    }
}
