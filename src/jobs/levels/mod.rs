//! The levels that the user gives to rules: a rule can be silent, a warning or an error.
//!
//! A level can be given in four places. A comment beside the line is nearest and wins. Of the others the most exact name wins:
//! a rule before a group, a group before `all`. For the same name, an option of the command line wins over the table
//! `[lints]` of the manifest, or over `.s6gen-lints.toml` beside a tree.

mod comments;
mod names;
mod tree_file;

pub use names::{Selection, selection};
pub(super) use tree_file::for_trees;

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic, Files, Fix, Group, Origin, Problems, Severity};
use crate::manifest::{ManifestText, TextTable};
use crate::validate;
use comments::Comments;

/// What happens with the reports of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// They are not shown.
    Allow,
    /// They are warnings.
    Warn,
    /// They are errors.
    Deny,
}

impl Level {
    const ALL: &[(&str, Level)] = &[("allow", Level::Allow), ("warn", Level::Warn), ("deny", Level::Deny)];

    fn named(name: &str) -> Option<Level> {
        Level::ALL.iter().find(|(known, _)| *known == name).map(|(_, level)| *level)
    }
}

/// A level for some rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Choice {
    selection: Selection,
    level: Level,
    /// Its place in a file. An option of the command line has none.
    origin: Option<Origin>,
}

/// The levels that options of the command line give.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Levels {
    choices: Vec<Choice>,
    /// Whether every warning is an error.
    pub is_strict: bool,
    /// Whether shellcheck is asked. Its findings are warnings, unless another level is given to them by name.
    pub asks_shellcheck: bool,
    /// Whether no level turns a warning into an error.
    is_lenient: bool,
}

/// What was checked, so that a silencer of a rule that could not run does not count as unused.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Coverage<'a> {
    /// Whether the rules ran that need an image.
    pub(super) has_image: bool,
    /// Whether shellcheck was asked.
    pub(super) has_shellcheck: bool,
    /// The layers below the tree, whose problems are not reported.
    pub(super) lower: &'a [PathBuf],
    /// The tree above these layers.
    pub(super) upper: Option<&'a Path>,
}

impl Levels {
    /// Levels that turn no warning into an error, for commands that only show something.
    pub fn lenient() -> Levels {
        Levels { is_lenient: true, ..Levels::default() }
    }

    /// Gives a level to rules. What is added later wins over the same rules before.
    pub fn add(&mut self, selection: Selection, level: Level) {
        self.choices.push(Choice { selection, level, origin: None });
    }

    /// Whether the findings of shellcheck are wanted: by the option, or by a level for this very rule.
    pub(super) fn wants_shellcheck(&self, table: &TextTable<ManifestText>) -> bool {
        let rule = Code::ShellCheck;
        let choices = read(table, &mut Vec::new());
        let mut exact =
            choices.iter().chain(&self.choices).filter(|choice| choice.selection == Selection::Rule(rule));
        exact.next_back().map_or(self.asks_shellcheck, |choice| choice.level != Level::Allow)
    }

    /// Gives each problem the level that the user chose. `table` is the table `[lints]`, or the file beside a tree. Silencers that
    /// silence nothing and names that are no rules are problems too.
    pub(super) fn apply(
        &self,
        table: &TextTable<ManifestText>,
        files: &Files,
        coverage: Coverage<'_>,
        problems: &mut Problems,
    ) {
        let had_errors = problems.has_errors();
        let mut mistakes = Vec::new();
        let mut choices = read(table, &mut mistakes);
        choices.extend(&self.choices);
        if self.is_lenient {
            choices
                .iter_mut()
                .filter(|choice| choice.level == Level::Deny)
                .for_each(|choice| choice.level = Level::Warn);
        }
        let has_effect = vec![false; choices.len()];
        let mut wishes =
            Wishes { choices, has_effect, comments: Comments::read(files, coverage, &mut mistakes) };
        problems.retain_mut(|problem| {
            !can_change(problem) || {
                let is_silenced = wishes.comments.silence(problem, files);
                wishes.keep(problem) && !is_silenced
            }
        });
        // After an error some rules did not run.
        if !had_errors {
            mistakes.extend(wishes.unused(files, coverage));
        }
        mistakes.retain_mut(|mistake| !can_change(mistake) || wishes.keep(mistake));
        problems.extend(mistakes);
        if self.is_strict {
            let severe = |problem: &mut Diagnostic| {
                if problem.severity == Severity::Warning {
                    problem.severity = Severity::Error;
                }
            };
            problems.revise(severe);
        }
    }
}

/// Every level that was given, and which of them had an effect.
struct Wishes {
    choices: Vec<Choice>,
    has_effect: Vec<bool>,
    comments: Comments,
}

impl Wishes {
    /// Gives the problem its level. Returns whether it is reported.
    fn keep(&mut self, problem: &mut Diagnostic) -> bool {
        let mut chosen: Option<Choice> = None;
        for (choice, has_effect) in self.choices.iter().zip(&mut self.has_effect) {
            if choice.selection.contains(problem.code) {
                *has_effect = true;
                let known = chosen.map_or(0, |chosen| chosen.selection.exactness());
                chosen = Some(*choice).filter(|choice| choice.selection.exactness() >= known).or(chosen);
            }
        }
        let is_exact = chosen.is_some_and(|choice| matches!(choice.selection, Selection::Rule(_)));
        match chosen.map(|choice| choice.level) {
            Some(Level::Allow) => return false,
            // Only the name of the rule itself lowers an error to a warning.
            Some(Level::Warn) if is_exact || problem.severity != Severity::Error => {
                problem.severity = Severity::Warning;
            }
            Some(Level::Warn) => {}
            Some(Level::Deny) => problem.severity = Severity::Error,
            None => {}
        }
        true
    }

    /// Reports the silencers that silenced nothing.
    fn unused(&self, files: &Files, coverage: Coverage<'_>) -> Vec<Diagnostic> {
        let of_table = self.choices.iter().zip(&self.has_effect).filter(|(choice, has_effect)| {
            !**has_effect && choice.level == Level::Allow && choice.origin.is_some()
        });
        let unused = of_table.filter_map(|(choice, _)| {
            let origin = choice.origin?;
            let removable = line_of_entry(origin, files);
            Some(Unused { selection: choice.selection, origin, is_comment: false, removable })
        });
        let unused = unused.chain(self.comments.unused());
        unused.filter(|unused| unused.selection.can_run(coverage)).map(Unused::report).collect()
    }
}

/// Whether a user may give the problem another level. s6-rc refuses what has a class, and everything else that is an error by
/// itself cannot be built.
pub(super) fn can_change(problem: &Diagnostic) -> bool {
    problem.class.is_none() && is_rule(problem.code)
}

/// Whether a code is that of a rule, which has a level that a user may change.
pub fn is_rule(code: Code) -> bool {
    matches!(code, Code::Lint(_)) || code.severity() != Severity::Error
}

/// Every rule, in the order in which `s6gen explain` lists them.
pub fn rules() -> impl Iterator<Item = Code> {
    validate::codes().filter(|code| is_rule(*code))
}

/// The choices of a table, and what is wrong with it.
fn read(table: &TextTable<ManifestText>, mistakes: &mut Vec<Diagnostic>) -> Vec<Choice> {
    let mut choices = Vec::new();
    for (name, level) in &table.entries {
        let found = match selection(&name.value) {
            Ok(found) => found,
            Err(unknown) => {
                mistakes.push(unknown.report(&name.value, name.origin));
                continue;
            }
        };
        match Level::named(&level.value) {
            Some(level) => choices.push(Choice { selection: found, level, origin: Some(name.origin) }),
            None => mistakes.push(
                Diagnostic::new(
                    Code::InvalidValue,
                    format!("`{}` is not a level", level.value.escape_debug()),
                )
                .at(level.origin, "not a level")
                .help("write `allow` for silence, `warn` for a warning, or `deny` for an error"),
            ),
        }
    }
    choices
}

/// A silencer that silences nothing.
struct Unused {
    selection: Selection,
    origin: Origin,
    is_comment: bool,
    /// The bytes to remove.
    removable: Option<Range<usize>>,
}

impl Unused {
    fn report(self) -> Diagnostic {
        let Unused { selection, origin, is_comment, removable } = self;
        let (place, help) = match is_comment {
            true => (" here", "remove it, or put it at the end of the marked line, or above it"),
            false => ("", "remove it"),
        };
        let message = format!("this silences nothing: there is no problem of {selection}{place}");
        Diagnostic::new(Code::UnusedAllow, message)
            .at(origin, "without effect")
            .help(help)
            .fix(removable.map(|span| Fix::replace(Origin::new(origin.file, span), "")))
    }
}

/// The whole line of an entry of a table, if it has a line of its own.
fn line_of_entry(key: Origin, files: &Files) -> Option<Range<usize>> {
    let file = files.get(key.file);
    let line = file.line_at(key.span().start);
    let span = file.start_of_line(line)..file.start_of_line(line + 1);
    let text = str::from_utf8(file.text.get(span.clone())?).ok()?;
    let (before, after) =
        (text.get(..key.span().start - span.start)?, text.get(key.span().end - span.start..)?);
    let value = after.trim_start().strip_prefix('=')?.split('#').next()?.trim();
    (before.trim().is_empty() && matches!(value, "\"allow\"" | "'allow'")).then_some(span)
}

impl Selection {
    /// Whether at least one of its rules could run.
    fn can_run(self, coverage: Coverage<'_>) -> bool {
        match self {
            Selection::Rule(Code::Lint(lint)) => coverage.has_image || lint.group != Group::Image,
            Selection::Group(group) => coverage.has_image || group != Group::Image,
            Selection::Rule(Code::ShellCheck) => coverage.has_shellcheck,
            Selection::Rule(_) | Selection::All => true,
        }
    }
}
