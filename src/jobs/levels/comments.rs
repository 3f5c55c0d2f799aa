//! Comments that silence a rule: `# s6gen: allow RULE: reason`, at the end of a line or above it, in a manifest or a script.

use std::ops::Range;

use super::{Coverage, Selection, Unused, selection};
use crate::diagnostic::{Code, Diagnostic, FileId, Files, Origin, SourceFile};
use crate::manifest::{Statements, Surrounding};
use crate::validate;

/// The comments of all files.
#[derive(Debug, Default)]
pub(super) struct Comments {
    list: Vec<Comment>,
}

/// One name in a comment.
#[derive(Debug)]
struct Comment {
    selection: Selection,
    origin: Origin,
    /// The bytes of the file to which it belongs.
    scope: Range<usize>,
    has_effect: bool,
    /// The bytes to remove with the comment, if it has no other name.
    removable: Option<Range<usize>>,
}

/// What follows the sign of a comment.
const OWN_WORD: &str = "s6gen:";
/// How many names are read. Nobody writes so many, and each costs time for each problem.
const MOST_NAMES: usize = 2_000;
/// How many lines below a comment may be comments too.
const MOST_LINES: usize = 100;

impl Comments {
    /// Finds the comments of all files, but for those of lower layers. Names in them that are no rules are mistakes.
    pub(super) fn read(files: &Files, coverage: Coverage<'_>, mistakes: &mut Vec<Diagnostic>) -> Comments {
        let mut comments = Comments::default();
        for (id, file) in files.with_ids() {
            let Ok(text) = str::from_utf8(&file.text) else { continue };
            let is_lower = || validate::lower_layer(coverage.lower, coverage.upper, &file.path).is_some();
            if !text.contains(OWN_WORD) || is_lower() {
                continue;
            }
            let is_manifest =
                file.path.extension().is_some_and(|end| end == "toml") || file.path.starts_with("<stdin>");
            let statements = is_manifest.then(|| Statements::of(text));
            let mut read = CommentReader { id, file, text, statements, mistakes };
            for (at, _) in text.match_indices(OWN_WORD) {
                if comments.list.len() < MOST_NAMES && read.mistakes.len() < MOST_NAMES {
                    read.add(at, &mut comments.list);
                }
            }
        }
        comments
    }

    /// Whether a comment silences the problem.
    pub(super) fn silence(&mut self, problem: &Diagnostic, files: &Files) -> bool {
        let Some(place) = problem.labels.first().map(|label| label.origin) else { return false };
        let mut comments =
            self.list.iter_mut().filter(|comment| comment.origin.file == place.file).peekable();
        if comments.peek().is_none() {
            return false;
        }
        let (file, span) = (files.get(place.file), place.span());
        let last = file.line_at(span.end.max(span.start + 1) - 1);
        let marked = file.start_of_line(file.line_at(span.start))..file.start_of_line(last + 1);
        let is_whole = span == (0..0);
        let mut silences = false;
        for comment in comments.filter(|comment| comment.selection.contains(problem.code)) {
            let is_beside = comment.scope.start < marked.end && marked.start < comment.scope.end;
            comment.has_effect |= is_whole || is_beside;
            silences |= is_whole || is_beside;
        }
        silences
    }

    /// The comments that silenced nothing.
    pub(super) fn unused(&self) -> impl Iterator<Item = Unused> {
        let unused = self.list.iter().filter(|comment| !comment.has_effect);
        unused.map(|comment| Unused {
            selection: comment.selection,
            origin: comment.origin,
            is_comment: true,
            removable: comment.removable.clone(),
        })
    }
}

/// Reads the comments of one file.
struct CommentReader<'a> {
    id: FileId,
    file: &'a SourceFile,
    text: &'a str,
    /// The statements, if it is a manifest.
    statements: Option<Statements>,
    mistakes: &'a mut Vec<Diagnostic>,
}

impl CommentReader<'_> {
    /// Adds the names of the comment whose own word is at an offset, if that is a comment.
    fn add(&mut self, at: usize, list: &mut Vec<Comment>) {
        let line = self.file.line_at(at);
        let bytes = self.file.start_of_line(line)..self.file.start_of_line(line + 1);
        let Some(code) = self.text[bytes.start..at].trim_end().strip_suffix('#') else { return };
        let sign = bytes.start + code.len();
        let surrounding = self.statements.as_ref().map(|statements| statements.around(sign));
        if surrounding == Some(Surrounding::ShortString) {
            return;
        }
        let is_alone = code.trim_matches(['\u{feff}', ' ', '\t']).is_empty();
        let scope = match &self.statements {
            Some(statements) if surrounding == Some(Surrounding::Comment) => {
                statements.of_comment(bytes.clone(), is_alone).unwrap_or(bytes.clone())
            }
            _ if is_alone => self.lines_below(line),
            _ => bytes.clone(),
        };
        let rest = &self.text[at + OWN_WORD.len()..bytes.end];
        let after_blanks = rest.trim_start_matches([' ', '\t']);
        let start = at + OWN_WORD.len() + rest.len() - after_blanks.len();
        match after_blanks.strip_prefix("allow") {
            Some(names) if names.trim_start_matches([' ', '\t']).len() < names.len() => {
                let first = list.len();
                self.add_names(start + "allow".len(), names, &scope, list);
                if let [only] = &mut list[first..] {
                    let end = bytes.start + self.text[bytes.clone()].trim_end_matches(['\r', '\n']).len();
                    only.removable = Some(match is_alone {
                        true => bytes,
                        false => bytes.start + code.trim_end().len()..end,
                    });
                }
            }
            _ => {
                let origin = Origin::new(self.id, sign..bytes.end);
                self.mistakes.push(
                    Diagnostic::new(Code::UnknownRule, "s6gen does not understand this comment")
                        .at(origin, "`s6gen:` is not followed by `allow` and the name of a rule")
                        .help("write `# s6gen: allow RULE: reason`; other levels are given in `[lints]`"),
                );
            }
        }
    }

    /// Adds the names at the beginning of a text.
    fn add_names(&mut self, start: usize, text: &str, scope: &Range<usize>, list: &mut Vec<Comment>) {
        let mut offset = start;
        for word in text.split([' ', '\t', ',', '\r', '\n']) {
            let name = word.strip_suffix(':').unwrap_or(word);
            let origin = Origin::new(self.id, offset..offset + name.len());
            offset += word.len() + 1;
            if !name.is_empty() {
                match selection(name) {
                    Ok(selection) => {
                        list.push(Comment {
                            selection,
                            origin,
                            scope: scope.clone(),
                            has_effect: false,
                            removable: None,
                        });
                    }
                    Err(mut unknown) => {
                        unknown.help += "; a reason comes after a colon: `allow RULE: reason`";
                        self.mistakes.push(unknown.report(name, origin));
                        return;
                    }
                }
            }
            if word.ends_with(':') {
                return;
            }
        }
    }

    /// The lines of a script to which a comment on a line of its own belongs: the next command, which may have several lines. A
    /// `#!` line above it belongs to it too, because nothing can be written above or behind such a line.
    fn lines_below(&self, line: usize) -> Range<usize> {
        let is_first = line == 1 && self.text.starts_with("#!");
        let content =
            |line: usize| self.text[self.file.start_of_line(line)..self.file.start_of_line(line + 1)].trim();
        let is_comment = |line: &usize| content(*line).is_empty() || content(*line).starts_with('#');
        let below = (line + 1..line + MOST_LINES).take_while(is_comment).count() + line + 1;
        let goes_on = (below..below + MOST_LINES).take_while(|line| content(*line).ends_with('\\')).count();
        let start = self.file.start_of_line(if is_first { 0 } else { line });
        start..self.file.start_of_line(below + goes_on + 1)
    }
}
