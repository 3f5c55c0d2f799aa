//! Mends files: applies the fixes of the problems that are not silenced. It changes only files of the user: the manifest, what it
//! includes and the scripts that they name, or the files of the trees.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::compile::Compilation;
use super::error::JobError;
use super::input::Input;
use crate::compare::unified;
use crate::diagnostic::{Diagnostic, Edit, Files, Origin, Problems};
use crate::{disk, manifest};

/// How often the files are mended and checked again. A fix may be possible only after another one.
const MOST_ROUNDS: usize = 30;

/// A problem that was solved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// The file of the problem.
    pub path: PathBuf,
    /// The line of the problem, from 1.
    pub line: usize,
    /// The problem.
    pub message: String,
}

/// Mends the files of `input` until no fix is left. `judge` reads and judges that input. Returns the problems that were solved, in
/// the order in which that was done. With `is_bold` it also takes the fixes that are only likely to be right.
///
/// # Errors
/// A file cannot be written. Those before it are changed.
pub fn fix(
    input: &Input,
    is_bold: bool,
    judge: &mut dyn FnMut() -> (Files, Compilation),
) -> Result<Vec<Fixed>, JobError> {
    let mut fixed = Vec::new();
    for _ in 0..MOST_ROUNDS {
        let (files, compilation) = judge();
        let round = Round::of(input, &files, &compilation.problems, is_bold);
        if round.fixed.is_empty() {
            break;
        }
        round.write()?;
        fixed.extend(round.fixed);
    }
    Ok(fixed)
}

/// What the first round of [`fix`] changes, as a unified difference. Values that may be secrets are left out.
pub fn preview(input: &Input, is_bold: bool, judge: &mut dyn FnMut() -> (Files, Compilation)) -> String {
    let (files, compilation) = judge();
    Round::of(input, &files, &compilation.problems, is_bold).difference()
}

/// The changes of one round.
#[derive(Default)]
struct Round {
    changes: BTreeMap<PathBuf, FileChange>,
    /// New files, by their real paths, each with the path as the user would type it and its content.
    created: BTreeMap<PathBuf, (PathBuf, String)>,
    /// Files and directories that move: for each new path the old one, and both as the user would type them.
    moved: BTreeMap<PathBuf, (PathBuf, String)>,
    fixed: Vec<Fixed>,
}

/// The changes of one file.
struct FileChange {
    /// Its path, as the user would type it.
    shown: PathBuf,
    before: Vec<u8>,
    /// Bytes to replace, and their new text. They do not overlap.
    replaced: Vec<(Range<usize>, String)>,
    /// Values that may be secrets.
    hidden: Vec<Range<usize>>,
    /// The number of syntax errors before, if it is a manifest.
    syntax_errors: Option<usize>,
    becomes_executable: bool,
}

impl Round {
    fn of(input: &Input, files: &Files, problems: &Problems, is_bold: bool) -> Round {
        let mut round = Round::default();
        let owned = Owned::of(input);
        for problem in problems.iter() {
            let Some(fix) = problem.fix.as_ref().filter(|fix| fix.is_safe || is_bold) else { continue };
            let mut is_fixed = false;
            for edit in &fix.edits {
                is_fixed |= round.take(edit, files, &owned);
            }
            if is_fixed {
                round.fixed.extend(Fixed::of(problem, files));
            }
        }
        round
    }

    /// Takes a change, unless the file is not the user's, or an earlier change is in its way.
    fn take(&mut self, edit: &Edit, files: &Files, owned: &Owned) -> bool {
        let source = files.get(edit.file());
        match edit {
            Edit::Create { name, text, .. } => {
                let shown = source.path.with_file_name(name);
                let Some(path) = owned.new_path(&shown).filter(|path| self.is_free(path)) else {
                    return false;
                };
                return self.created.insert(path, (shown, text.clone())).is_none();
            }
            Edit::Move { from, to, .. } => {
                let (old, new) = (source.path.with_file_name(from), source.path.with_file_name(to));
                let paths = owned.entry(&old).zip(owned.new_path(&new).filter(|path| self.is_free(path)));
                let Some((from, to)) = paths else { return false };
                if self.moved.values().any(|(moved, _)| *moved == from) {
                    return false;
                }
                let line = format!("{} moves to {}\n", old.display(), new.display());
                return self.moved.insert(to, (from, line)).is_none();
            }
            _ => {}
        }
        let Some(real) = owned.real_path(&source.path) else { return false };
        let known = self.changes.remove(&real);
        let Some(mut change) = known.or_else(|| FileChange::of(&source.path, &source.hidden, owned)) else {
            return false;
        };
        let is_taken = match edit {
            // The file was read in part, or has changed since.
            Edit::Replace { .. } | Edit::Word { .. } | Edit::Append { .. }
                if change.before != source.text =>
            {
                false
            }
            Edit::Rewrite { .. } if !source.text.is_empty() && change.before != source.text => false,
            Edit::MakeExecutable(_) => !std::mem::replace(&mut change.becomes_executable, true),
            _ => match edit.change(&change.before) {
                Some((span, text)) => change.replace(span, &text),
                None => false,
            },
        };
        if !change.replaced.is_empty() || change.becomes_executable {
            self.changes.insert(real, change);
        }
        is_taken
    }

    /// Whether nothing else is made at a path.
    fn is_free(&self, path: &Path) -> bool {
        !self.created.contains_key(path) && !self.moved.contains_key(path)
    }

    /// Makes the changes: first in files, then what is new, then the moves, which may be those of directories with such files.
    fn write(&self) -> Result<(), JobError> {
        for (path, change) in &self.changes {
            if !change.replaced.is_empty() {
                disk::replace_file(path, &change.after())?;
            }
            if change.becomes_executable {
                disk::make_executable(path)?;
            }
        }
        for (path, (_, text)) in &self.created {
            disk::create_new(path, text)?;
        }
        for (to, (from, _)) in &self.moved {
            disk::move_new(from, to)?;
        }
        Ok(())
    }

    fn difference(&self) -> String {
        let changed = self.changes.values().map(FileChange::difference);
        let created = self.created.values().map(|(path, text)| match text.is_empty() {
            true => format!("{} is made, empty\n", path.display()),
            false => unified(&path.display().to_string(), b"", text.as_bytes()),
        });
        changed.chain(created).chain(self.moved.values().map(|(_, line)| line.clone())).collect()
    }
}

impl FileChange {
    fn of(shown: &Path, hidden: &[Range<usize>], owned: &Owned) -> Option<FileChange> {
        let before = disk::read(shown).ok()?;
        Some(FileChange {
            shown: shown.to_owned(),
            syntax_errors: owned.is_manifest(shown).then(|| manifest::count_syntax_errors(&before)),
            before,
            replaced: Vec::new(),
            hidden: hidden.to_vec(),
            becomes_executable: false,
        })
    }

    /// Adds a change of bytes, unless another one overlaps it or the manifest would have a new syntax error, such as a key that
    /// is there twice.
    fn replace(&mut self, span: Range<usize>, text: &str) -> bool {
        let is_free = |(other, _): &(Range<usize>, String)| span.end < other.start || other.end < span.start;
        if !self.replaced.iter().all(is_free) || self.before.get(span.clone()) == Some(text.as_bytes()) {
            return false;
        }
        self.replaced.push((span, text.to_owned()));
        let is_worse =
            self.syntax_errors.is_some_and(|before| manifest::count_syntax_errors(&self.after()) > before);
        if is_worse {
            self.replaced.pop();
        }
        !is_worse
    }

    fn after(&self) -> Vec<u8> {
        replaced(&self.before, self.replaced.iter().map(|(span, text)| (span.clone(), text.as_str())))
    }

    fn difference(&self) -> String {
        let path = self.shown.display();
        let mode =
            if self.becomes_executable { format!("{path} becomes executable\n") } else { String::new() };
        if self.replaced.is_empty() {
            return mode;
        }
        let is_apart = |secret: &&Range<usize>| {
            self.replaced.iter().all(|(span, _)| span.end <= secret.start || secret.end <= span.start)
        };
        let secrets = || self.hidden.iter().filter(is_apart).map(|secret| (secret.clone(), "…"));
        let changes = self.replaced.iter().map(|(span, text)| (span.clone(), text.as_str()));
        let before = replaced(&self.before, secrets());
        let after = replaced(&self.before, secrets().chain(changes));
        mode + &unified(&path.to_string(), &before, &after)
    }
}

/// A text with some bytes replaced, which do not overlap.
fn replaced<'a>(text: &[u8], changes: impl Iterator<Item = (Range<usize>, &'a str)>) -> Vec<u8> {
    let mut changes: Vec<_> = changes.collect();
    changes.sort_by_key(|(span, _)| (span.start, span.end));
    let (mut new, mut at) = (Vec::new(), 0);
    for (span, change) in changes {
        new.extend_from_slice(text.get(at..span.start).unwrap_or_default());
        new.extend_from_slice(change.as_bytes());
        at = at.max(span.end);
    }
    new.extend_from_slice(text.get(at..).unwrap_or_default());
    new
}

impl Fixed {
    fn of(problem: &Diagnostic, files: &Files) -> Option<Fixed> {
        let origin: Origin = problem.labels.first()?.origin;
        let file = files.get(origin.file);
        let line = file.line_at(origin.span().start) + 1;
        Some(Fixed { path: file.path.clone(), line, message: problem.message.clone() })
    }
}

/// Which files may be changed.
enum Owned {
    /// The manifest at this path, the files that it includes and the scripts that they name, which are all files that were read.
    Manifest(PathBuf),
    /// The files of these trees, without those of the layers below them.
    Trees { trees: Vec<PathBuf>, lower: BTreeSet<PathBuf> },
}

impl Owned {
    fn of(input: &Input) -> Owned {
        let real = |paths: &mut dyn Iterator<Item = &PathBuf>| -> Vec<PathBuf> {
            paths.filter_map(|path| disk::real_path(path).ok()).collect()
        };
        let (trees, lower) = match input {
            Input::Manifest(path) if path.as_os_str() != "-" => return Owned::Manifest(path.clone()),
            Input::Sources(trees) => (real(&mut trees.iter()), Vec::new()),
            Input::Layers { lower, tree, bundle_dir, .. } => {
                (real(&mut tree.iter().chain(bundle_dir)), real(&mut lower.iter()))
            }
            Input::Manifest(_) | Input::StandardInput(_) | Input::Root { .. } => Default::default(),
        };
        Owned::Trees { trees, lower: lower.into_iter().collect() }
    }

    /// Whether a file that was read is a manifest.
    fn is_manifest(&self, path: &Path) -> bool {
        let is_toml = path.extension().is_some_and(|end| end == "toml");
        matches!(self, Owned::Manifest(manifest) if is_toml || path == manifest)
    }

    /// The path of a file without links, if it may be changed. A link may lead out of the tree, to a file of somebody else.
    fn real_path(&self, path: &Path) -> Option<PathBuf> {
        let real = disk::real_path(path).ok().filter(|real| disk::is_file(real))?;
        (matches!(self, Owned::Manifest(_)) || self.contains(&real)).then_some(real)
    }

    /// Whether a path without links is in a tree of the user.
    fn contains(&self, real: &Path) -> bool {
        match self {
            Owned::Manifest(_) => false,
            Owned::Trees { trees, lower } => {
                trees.iter().any(|tree| real.starts_with(tree))
                    && !lower.iter().any(|layer| real.starts_with(layer))
            }
        }
    }

    /// The path of an entry of a tree, which may be a link itself.
    fn entry(&self, path: &Path) -> Option<PathBuf> {
        let real = disk::real_path(path.parent()?).ok()?.join(path.file_name()?);
        (disk::is_there(&real) && self.contains(&real)).then_some(real)
    }

    /// The path in a tree at which something new can be made, although directories above it may be missing.
    fn new_path(&self, path: &Path) -> Option<PathBuf> {
        let is_missing = |path: &&Path| !disk::is_there(path);
        let missing: Vec<&Path> = path.ancestors().take_while(is_missing).collect();
        let above =
            disk::real_path(missing.last()?.parent()?).ok().filter(|path| disk::is_directory(path))?;
        let names: Option<Vec<_>> = missing.iter().rev().map(|path| path.file_name()).collect();
        let real = names?.into_iter().fold(above, |path, name| path.join(name));
        self.contains(&real).then_some(real)
    }
}
