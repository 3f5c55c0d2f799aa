//! Finds the files that the command lines of a definition name by absolute path, and those that do not exist.

use std::io;

use super::definition::{DefinitionReader, LONGEST_SCRIPT};
use crate::diagnostic::{Origin, did_you_mean};
use crate::model::{Absence, Called, Confused, Found, Missing, Program, ScriptUse};
use crate::source::{Directory, EntryKind};

/// Programs of execline and others that change the directory of the program after them.
const MOVES: &[&str] = &["cd", "chroot", "env", "execline-cd", "posix-cd", "s6-chroot"];

impl<D: Directory> DefinitionReader<'_, D> {
    /// Records `data/check` if `run` needs it.
    pub(super) fn check(&mut self, run: &[u8]) {
        if str::from_utf8(run).is_ok_and(|text| text.contains("s6-notifyoncheck")) {
            self.call("run", ScriptUse::Check, "data/check");
        }
    }

    /// Records the scripts that a command line names by absolute path: those of this definition, and those that should be in
    /// the tree but are missing.
    pub(super) fn calls(&mut self, file: &'static str, words: &[Vec<u8>]) {
        let moves =
            words.iter().any(|word| MOVES.iter().any(|name| word.trim_ascii_start() == name.as_bytes()));
        for (number, word) in words.iter().enumerate() {
            let word = word.trim_ascii_start();
            if let Some(path) = self.own_path(word) {
                self.call(file, ScriptUse::Word(number), &path);
            }
            let Ok(path) = str::from_utf8(word) else { continue };
            if !path.starts_with('/') {
                if !moves {
                    self.relative_word(file, number, path);
                }
                continue;
            }
            if let Some((nearest, may_be_added)) = self.missing(path) {
                let path = path.to_owned();
                let how = ScriptUse::Word(number);
                let why = Absence::NoFile;
                self.facts.missing.push(Missing { by: file, how, path, nearest, may_be_added, why });
            } else if let Some(confused) = self.confused(file, path) {
                self.facts.confused.push(confused);
            }
        }
    }

    /// Records a relative path in a command line. It means a place in the directory of `s6rc-oneshot-runner`, which runs all oneshots.
    fn relative_word(&mut self, file: &'static str, number: usize, path: &str) {
        let below = path.trim_start_matches("./");
        let is_own = path.starts_with("./") || path.starts_with("data/");
        let is_plain = is_own && below.split('/').all(|part| !matches!(part, "" | "." | ".."));
        let is_name = |c: char| c.is_alphanumeric() || "/._-".contains(c);
        if is_plain && path.chars().all(is_name) {
            let (how, path) = (ScriptUse::Word(number), path.to_owned());
            let why = Absence::Oneshot(self.file_below(below));
            self.facts.missing.push(Missing { by: file, how, path, nearest: None, may_be_added: false, why });
        }
    }

    /// The place of a file of this definition.
    pub(super) fn file_below(&mut self, path: &str) -> Option<Origin> {
        self.entry(path.split('/').next().unwrap_or_default())?;
        self.directory.kind(path.as_bytes()).ok().filter(|kind| *kind == EntryKind::File)?;
        if let Some(place) = self.directory.place(path.as_bytes()) {
            self.context.elsewhere.insert(path.into(), place);
        }
        Some(self.context.origin(path, "", 0..0))
    }

    /// The script of this service that a path with the name of another service was probably meant for.
    pub(super) fn confused(&mut self, by: &'static str, path: &str) -> Option<Confused> {
        let own_name = str::from_utf8(self.context.name.as_bytes()).ok()?;
        let names: Vec<&str> = path.split('/').collect();
        let (at, other, rest) = names.iter().enumerate().rev().find_map(|(at, name)| {
            // A script may have an ending, which a directory has not.
            let (stem, rest) = name.split_once('.').unwrap_or((name, ""));
            let is_service = !stem.is_empty() && self.source.kind(format!("{stem}/type").as_bytes()).is_ok();
            is_service.then(|| (at, stem, &name[name.len() - rest.len() - usize::from(stem != *name)..]))
        })?;
        if other == own_name || names.contains(&own_name) {
            return None;
        }
        let own = [&names[..at], &[&*format!("{own_name}{rest}")], &names[at + 1..]].concat().join("/");
        let place = match self.in_source(&own) {
            Some((_, below)) => {
                let is_file = self.source.kind(below.as_bytes()).is_ok_and(|kind| kind == EntryKind::File);
                is_file.then(|| self.source.place(below.as_bytes()).unwrap_or_else(|| self.beside(below)))?
            }
            None => {
                let (root, below) = (self.source.root()?, own.trim_start_matches('/').as_bytes());
                root.kind(below).is_ok_and(|kind| kind == EntryKind::File).then(|| root.place(below))??
            }
        };
        let origin = Origin::whole(self.context.files.add(place, ""));
        Some(Confused { by, path: path.to_owned(), other: other.to_owned(), own, origin })
    }

    /// `Some` if the tree should have a file at the absolute path `path` but does not; with the most similar path that exists,
    /// and whether a Dockerfile may add the file.
    pub(super) fn missing(&mut self, path: &str) -> Option<(Option<(String, Origin)>, bool)> {
        let is_missing = |found: io::Result<EntryKind>| {
            found.is_err_and(|error| {
                matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
            })
        };
        if let Some((head, below)) = self.in_source(path) {
            if !is_missing(self.source.kind(below.as_bytes())) {
                return None;
            }
            // Unless this is a whole image, other layers or the Dockerfile may add the file.
            let is_whole = self.is_in_an_image();
            let of = |path: &str| path.split('/').next().map(str::to_owned);
            let own = str::from_utf8(self.context.name.as_bytes()).ok().map(str::to_owned);
            // A script of a service that the tree does not have belongs to another layer.
            let near = nearest(self.source, below);
            let near = near.filter(|near| is_whole || of(near) == of(below) || of(near) == own);
            // The definition of a service that the tree has is rarely in two layers.
            let is_defined =
                of(below).is_some_and(|name| self.source.kind(format!("{name}/type").as_bytes()).is_ok());
            let near = near.map(|near| {
                let place = self.source.place(near.as_bytes());
                (format!("{head}{near}"), place.unwrap_or_else(|| self.beside(&near)))
            });
            let near = near.map(|(path, place)| (path, Origin::whole(self.context.files.add(place, ""))));
            return (is_whole || is_defined || near.is_some()).then_some((near, !is_whole));
        }
        let root = self.source.root()?;
        let below = path.trim_start_matches('/');
        if !is_missing(root.kind(below.as_bytes())) {
            return None;
        }
        // Other layers may have any file outside the source directory, so only a likely typing error counts.
        let near = nearest(&root, below)?;
        let place = root.place(near.as_bytes())?;
        Some((Some((format!("/{near}"), Origin::whole(self.context.files.add(place, "")))), true))
    }

    /// Whether the tree is part of a whole image, which has the `/init` of s6-overlay.
    pub(super) fn is_in_an_image(&self) -> bool {
        self.source.root().is_some_and(|root| root.kind(b"init").is_ok())
    }

    /// The path of a file in the source directory, for printing.
    fn beside(&self, below: &str) -> std::path::PathBuf {
        let own = super::path_of(self.context.path.clone());
        own.parent().unwrap_or(&own).join(below)
    }

    /// Splits an absolute path into a definition: the path of the source directory, and the rest.
    fn in_source<'w>(&self, path: &'w str) -> Option<(&'w str, &'w str)> {
        let source =
            str::from_utf8(self.context.path.rsplit(|byte| *byte == b'/').nth(1).unwrap_or_default());
        let mut at = 1;
        let mut before = "";
        while let Some((component, rest)) = path[at..].split_once('/') {
            if (before == "s6-rc.d" || source == Ok(before)) && !before.is_empty() {
                let is_plain = rest.split('/').all(|part| !matches!(part, "" | "." | ".."));
                return is_plain.then_some((&path[..at], &path[at..]));
            }
            at += component.len() + 1;
            before = component;
        }
        None
    }

    /// The path in this definition that an absolute path of the image leads to, if it certainly does.
    pub(super) fn own_path(&self, word: &[u8]) -> Option<String> {
        let word = str::from_utf8(word).ok()?.strip_prefix('/')?;
        let own = str::from_utf8(self.context.name.as_bytes()).ok()?;
        let source =
            str::from_utf8(self.context.path.rsplit(|byte| *byte == b'/').nth(1).unwrap_or_default());
        let mut before = "";
        let mut rest = word;
        while let Some((component, behind)) = rest.split_once('/') {
            let is_source = ["s6-rc.d", "sv", "source"].contains(&before) || source == Ok(before);
            if component == own && is_source && !before.is_empty() {
                let plain = behind.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
                return plain.then(|| behind.to_owned());
            }
            (before, rest) = (component, behind);
        }
        None
    }

    pub(super) fn call(&mut self, by: &'static str, how: ScriptUse, path: &str) {
        let is_listed = self.entry(path.split('/').next().unwrap_or_default()).is_some();
        let content = match is_listed {
            true => self.directory.read(path.as_bytes(), LONGEST_SCRIPT),
            false => Err(io::ErrorKind::NotFound.into()),
        };
        let found = match &content {
            Ok(_) => {
                let executable = self.directory.is_executable(path.as_bytes()).unwrap_or(true);
                Found::File { executable }
            }
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Found::Nothing,
                _ => Found::Something,
            },
        };
        if path.contains('/')
            && let Some(place) = self.directory.place(path.as_bytes())
        {
            self.context.elsewhere.insert(path.into(), place);
        }
        let bytes = content.unwrap_or_default();
        let shown = if str::from_utf8(&bytes).is_ok() { &bytes[..] } else { b"" };
        let origin = self.context.origin(path, shown, 0..0);
        let is_known = self.programs.iter().any(|program| program.file == path);
        if matches!(found, Found::File { .. }) && !is_known {
            self.programs.push(Program::script(path.to_owned(), &bytes, origin));
        }
        self.facts.called.push(Called { by, how, path: path.to_owned(), origin, found });
    }
}

/// An existing path below `directory` that differs from `path` in one name.
fn nearest<D: Directory>(directory: &D, path: &str) -> Option<String> {
    let names: Vec<&str> = path.split('/').collect();
    let mut at = directory.directory(b".").ok()?;
    for (number, name) in names.iter().enumerate() {
        if let Ok(inner) = at.directory(name.as_bytes()) {
            at = inner;
            continue;
        }
        let entries = at.list().ok()?;
        let others = entries.iter().filter_map(|entry| str::from_utf8(&entry.name).ok());
        let rest = &names[number + 1..];
        let leads = |other: &str| {
            let path = [&[other], rest].concat().join("/");
            let is_file = at.kind(path.as_bytes()).is_ok_and(|kind| kind == EntryKind::File);
            !other.starts_with('.') && is_file
        };
        let known: Vec<&str> = others.filter(|other| leads(other)).collect();
        let with_ending = |other: &&&str| {
            other.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
                || name.strip_prefix(**other).is_some_and(|rest| rest.starts_with('.'))
        };
        let near =
            did_you_mean(name, known.iter().copied()).or_else(|| known.iter().find(with_ending).copied())?;
        return Some([&names[..number], &[near], rest].concat().join("/"));
    }
    None
}
