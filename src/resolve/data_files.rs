//! Files of a definition that are only data: those that are not scripts and that no command names.
//!
//! A program that gets the name of a file may read code from it: a shell by `.`, awk by `-f`, make, and any other. So a file
//! that a command names counts as data only if the command is known to read data.

use super::Resolver;
use crate::diagnostic::Diagnostic;
use crate::execline::base_name;
use crate::model::{File, Kind, Name, Program, ProgramForm, Service};

/// Programs of which the first argument is a file or a directory that they read as data.
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
        for file in std::mem::take(&mut self.data_files) {
            let namer = self.set.ours().find_map(|service| Some((service, namer(service, &file)?)));
            let Some((service, place)) = namer else { continue };
            let note = format!("`{place}` of `{}` names this file, and may read it as code", service.name);
            self.problems.push(file.problem.note(note));
        }
    }
}

/// The program or file of the service that names `file`.
fn namer(service: &Service, file: &DataFile) -> Option<String> {
    let is_own = service.name == file.service;
    if let Some(variable) = file.variable.as_ref().filter(|_| is_own) {
        return Some(format!("environment.{variable}"));
    }
    let names = |text: &str| names(text, &file.path, is_own);
    let program = service.programs.iter().find(|program| program_names(program, &names));
    if let Some(program) = program {
        return Some(program.file.to_string());
    }
    let others = files(service).filter(|(path, _)| !(is_own && **path == file.path));
    let mut others = others.filter(|(_, other)| names(&String::from_utf8_lossy(&other.content)));
    others.next().map(|(path, _)| path.clone())
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

fn program_names(program: &Program, names: &dyn Fn(&str) -> bool) -> bool {
    let ProgramForm::Arguments(words, _) = &program.form else { return names(program.text()) };
    let mut words = &words[..];
    while let [(reader, _), (_, _), rest @ ..] = words
        && READERS.contains(&base_name(reader))
    {
        words = rest;
    }
    words.iter().any(|(word, _)| names(word))
}

/// Whether `text` contains the name of the file at `path`, or that of its directory in a way that may mean any file there.
/// Outside of the service itself only the name counts, because each definition has such a directory.
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
