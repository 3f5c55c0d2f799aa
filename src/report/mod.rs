//! Turns problems into text for people, and the answers of commands into documents for programs.
//!
//! A format for programs is one file with a static `FORMAT`, and a line in the list `formats!` below.

mod human;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

pub use human::{Style, human, read_for};
pub use json::json;

use crate::diagnostic::{Diagnostic, Files, Origin, SourceFile};

/// A format for programs. The whole answer of a command is one document.
#[derive(Debug)]
pub struct Format {
    /// The name, as `--format` takes it.
    pub name: &'static str,
    /// One line for the help of `--format`.
    pub about: &'static str,
    /// Whether it only lists problems. Such a format is for `check`, whose answer is the list.
    pub lists_problems: bool,
    /// Begins the document of a command.
    pub begin: fn(command: &'static str, repository: Repository) -> Box<dyn Document>,
}

/// Where the command runs. Programs that show problems beside the code need paths from the root of the repository.
#[derive(Debug, Clone, Default)]
pub struct Repository {
    /// The current directory.
    pub current: PathBuf,
    /// The root of the repository that it is in, or else the current directory itself.
    pub root: PathBuf,
}

impl Repository {
    /// A path from the root of the repository. A path that is not in the repository stays as it is.
    pub fn path(&self, path: &Path) -> String {
        // Standard input is in no directory.
        if path.starts_with("<stdin>") {
            return path.display().to_string();
        }
        let mut whole = PathBuf::new();
        for part in self.current.join(path).components() {
            match part {
                Component::ParentDir => drop(whole.pop()),
                Component::CurDir => {}
                part => whole.push(part),
            }
        }
        let shown = whole.strip_prefix(&self.root).unwrap_or(path);
        shown.display().to_string()
    }
}

/// The answer of one command. The command adds its parts while it runs, and prints the text at its end.
pub trait Document {
    /// Adds a problem.
    fn add_problem(&mut self, problem: &Diagnostic, files: &Files);

    /// Adds the fields of the command itself. `fields` is an object.
    fn add_fields(&mut self, fields: serde_json::Value);

    /// Adds a field of the command itself whose value is JSON already, because it may be large. Most formats leave it out.
    fn add_json(&mut self, name: &'static str, value: String) {
        let _ = (name, value);
    }

    /// Adds a message that a person would read as a line on standard error.
    fn add_message(&mut self, text: &str);

    /// Says that the command could not do its work, whatever it reported.
    fn fail(&mut self) {}

    /// Writes the whole document, with a line end after it.
    ///
    /// # Errors
    /// Those of `to`.
    fn write(&self, to: &mut dyn Write) -> io::Result<()>;
}

macro_rules! formats {
    ($($name:ident,)+) => {
        $(mod $name;)+

        /// Every format for programs.
        pub static FORMATS: &[&Format] = &[$(&$name::FORMAT,)+];
    };
}

formats! {
    concise,
    json,
    sarif,
    github,
    gitlab,
    junit,
}

/// The line and column of the beginning of `origin` in its file, both from 1. The column counts characters.
fn position(file: &SourceFile, origin: Origin) -> (usize, usize) {
    position_at(file, origin.span().start)
}

fn position_at(file: &SourceFile, offset: usize) -> (usize, usize) {
    let offset = offset.min(file.text.len());
    (file.line_at(offset) + 1, file.column_at(offset) + 1)
}

/// The place of a problem, as formats that list problems print it.
struct Spot {
    path: String,
    /// The line and column of the beginning and of the end, from 1. A problem of a whole file has none.
    region: Option<[(usize, usize); 2]>,
}

impl Spot {
    /// The place of a problem, if it has one.
    fn of(problem: &Diagnostic, files: &Files, repository: &Repository) -> Option<Spot> {
        problem.labels.first().map(|label| Spot::of_origin(label.origin, files, repository))
    }

    /// The place of a problem for a format that needs one. A problem without a place gets that of the first file.
    fn of_any(problem: &Diagnostic, files: &Files, repository: &Repository) -> Spot {
        Spot::of(problem, files, repository).unwrap_or_else(|| {
            let path = files.iter().next().map_or(Path::new("services.toml"), |file| &file.path);
            Spot { path: repository.path(path), region: None }
        })
    }

    fn of_origin(origin: Origin, files: &Files, repository: &Repository) -> Spot {
        let (file, span) = (files.get(origin.file), origin.span());
        let is_marked = span != (0..0) && span.end <= file.text.len();
        let region = is_marked.then(|| [position_at(file, span.start), position_at(file, span.end)]);
        Spot { path: repository.path(&file.path), region }
    }

    fn line(&self) -> usize {
        self.region.map_or(1, |[(line, _), _]| line)
    }
}

/// Everything that a problem says after its message: the labels, the notes and the help, a line each.
fn details(problem: &Diagnostic, files: &Files, repository: &Repository) -> Vec<String> {
    let labels = problem.labels.iter().map(|label| {
        let spot = Spot::of_origin(label.origin, files, repository);
        format!("{}:{}: {}", spot.path, spot.line(), label.text)
    });
    let help = problem.help.iter().map(|help| format!("help: {help}"));
    labels.chain(problem.notes.iter().cloned()).chain(help).collect()
}

/// A number that stays the same while the marked line and the problem do, wherever the line moves. Equal problems have equal
/// numbers.
pub fn identity(problem: &Diagnostic, files: &Files, repository: &Repository) -> u64 {
    let mut parts = vec![problem.code.slug().as_bytes().to_vec(), problem.message.as_bytes().to_vec()];
    if let Some(label) = problem.labels.first() {
        let file = files.get(label.origin.file);
        let line = file.line_at(label.origin.span().start.min(file.text.len()));
        let marked = &file.text[file.start_of_line(line)..file.start_of_line(line + 1)];
        parts.extend([repository.path(&file.path).into_bytes(), marked.trim_ascii().to_vec()]);
    }
    // FNV-1a, because the standard library does not promise that its hashes stay the same.
    let bytes = parts.iter().flat_map(|part| part.iter().copied().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Numbers as text, with a suffix for those that occur again.
#[derive(Default)]
struct Identities {
    seen: BTreeMap<u64, usize>,
}

impl Identities {
    fn next(&mut self, identity: u64) -> String {
        let count = self.seen.entry(identity).or_default();
        *count += 1;
        format!("{identity:016x}-{count}")
    }
}
