//! Finds the files of a definition that a program may read as code. All others are only data.
//!
//! A program that gets the name of a file may read code from it: a shell with `.`, awk with `-f`, and many others. So a file that
//! a command names counts as data only if the command is known to read data.

use std::collections::BTreeMap;

use super::Resolver;
use crate::diagnostic::Diagnostic;
use crate::execline::base_name;
use crate::model::{File, Kind, Name, Program, ProgramForm, Service};

/// Programs that read the file or directory in their first argument as data.
const READERS: &[&str] = &["cat", "envfile", "s6-envdir"];

/// A file that is not a script, with a value that would be code if something read the file as code.
pub(super) struct DataFile {
    /// The service that it belongs to.
    pub service: Name,
    /// Its path in the definition.
    pub path: String,
    /// The variable of its service that names it, if there is one.
    pub variable: Option<String>,
    /// The report on the value.
    pub problem: Diagnostic,
}

impl Resolver<'_> {
    /// Reports the values in files that a command of the manifest or another file names.
    pub(super) fn check_data_files(&mut self) {
        let files = std::mem::take(&mut self.data_files);
        if files.is_empty() {
            return;
        }
        let services: BTreeMap<&Name, &Service> =
            self.set.ours().map(|service| (&service.name, service)).collect();
        // The instances of a template share their paths, so search all services only once for each path.
        let mut elsewhere: BTreeMap<String, Option<(&Name, String)>> = BTreeMap::new();
        for DataFile { service, path, variable, problem } in files {
            let own = services.get(&service).copied();
            let named = variable.map(|variable| format!("environment.{variable}"));
            let named =
                named.or_else(|| naming_file(own?, &path, true)).and_then(|place| Some((&own?.name, place)));
            let find =
                || services.values().find_map(|other| Some((&other.name, naming_file(other, &path, false)?)));
            let naming = named.or_else(|| elsewhere.entry(path.clone()).or_insert_with(find).clone());
            let Some((service, place)) = naming else { continue };
            let note = format!("`{place}` of `{service}` names this file, and may read it as code");
            self.problems.push(problem.note(note));
        }
    }
}

/// The program or file of a service that names the file at `path`. `is_own` says whether that file belongs to the same service.
fn naming_file(service: &Service, path: &str, is_own: bool) -> Option<String> {
    let names = |text: &str| names(text, path, is_own);
    let mut programs = service.programs.iter().filter(|program| program.file != path);
    let program = programs.find(|program| program_names(program, &names));
    if let Some(program) = program {
        return Some(program.file.to_string());
    }
    let mut others = files(service).filter(|(other, _)| *other != path);
    let named = others.find(|(_, other)| names(&String::from_utf8_lossy(&other.content)));
    named.map(|(other, _)| other.clone())
}

fn files(service: &Service) -> impl Iterator<Item = (&String, &File)> {
    match &service.kind {
        Kind::Longrun(longrun) => Some(&longrun.files),
        Kind::Oneshot(oneshot) => Some(&oneshot.files),
        Kind::Bundle(_) | Kind::Unknown => None,
    }
    .into_iter()
    .flatten()
}

/// Whether a program has a word, or a text, for which `names` holds. What a program reads as data does not count.
pub(super) fn program_names(program: &Program, names: &dyn Fn(&str) -> bool) -> bool {
    let ProgramForm::Arguments(words, _) = &program.form else { return names(program.text()) };
    let mut words = &words[..];
    while let [(reader, _), (_, _), rest @ ..] = words
        && READERS.contains(&base_name(reader))
    {
        words = rest;
    }
    words.iter().any(|(word, _)| names(word))
}

/// Whether `text` contains the name of the file at `path`, or the name of its directory in a way that may mean any file there. In
/// the text of another service only the name of the file counts, because each definition has a directory of that name.
pub(super) fn names(text: &str, path: &str, is_own: bool) -> bool {
    let (directory, name) = path.rsplit_once('/').unwrap_or((".", path));
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let alone = |word: &str, behind: &dyn Fn(&str) -> bool| {
        text.match_indices(word).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            !before.is_some_and(|c| is_part(c) || c == '.' && word == ".") && behind(&text[at + word.len()..])
        })
    };
    let ends = |rest: &str| !rest.starts_with(is_part);
    // `data`, `data/` and `data/*` may be any file in it, `data/other` is not.
    let is_any = |rest: &str| match rest.trim_start_matches(['"', '\'']).strip_prefix('/') {
        Some(inside) => !inside.trim_start_matches(['"', '\'']).starts_with(|c: char| is_part(c) || c == '.'),
        None => ends(rest) && directory != ".",
    };
    let folder = directory.rsplit('/').next().unwrap_or(directory);
    alone(name, &ends) || is_own && (alone(folder, &is_any) || directory == "." && text.contains('*'))
}
