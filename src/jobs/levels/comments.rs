//! Comments that silence a rule: `# s6gen: allow RULE: reason`, at the end of a line or above it, in a manifest or a script.

use std::ops::Range;

use super::{Coverage, Selection, Unused, selection};
use crate::diagnostic::{Diagnostic, FileId, Files, Origin, SourceFile};
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
    /// The lines to which it belongs, counted from 0.
    lines: Range<usize>,
    has_effect: bool,
    /// The bytes to remove with the comment, if it has no other name.
    removable: Option<Range<usize>>,
}

/// What follows the sign of a comment.
const WORDS: &str = "s6gen: allow";

impl Comments {
    /// Finds the comments of all files. Names in them that are no rules are mistakes.
    pub(super) fn read(files: &Files, mistakes: &mut Vec<Diagnostic>) -> Comments {
        let mut comments = Comments::default();
        for (id, file) in files.with_ids() {
            let Ok(text) = str::from_utf8(&file.text) else { continue };
            for (at, _) in text.match_indices(WORDS) {
                comments.read_at(at, text, (id, file), mistakes);
            }
        }
        comments
    }

    fn read_at(
        &mut self,
        at: usize,
        text: &str,
        (id, file): (FileId, &SourceFile),
        mistakes: &mut Vec<Diagnostic>,
    ) {
        let line = file.line_at(at);
        let before = text[file.start_of_line(line)..at].trim_end();
        let Some(code) = before.strip_suffix('#') else { return };
        let start = at + WORDS.len();
        let rest = text[start..].split('\n').next().unwrap_or_default();
        let lines = if code.trim().is_empty() { lines_below(line, file, text) } else { line..line + 1 };
        let mut offset = start;
        let first = self.list.len();
        for word in rest.split([' ', '\t', ',', '\r']) {
            let name = word.strip_suffix(':').unwrap_or(word);
            let origin = Origin::new(id, offset..offset + name.len());
            offset += word.len() + 1;
            if !name.is_empty() {
                match selection(name) {
                    Ok(selection) => {
                        let lines = lines.clone();
                        self.list.push(Comment {
                            selection,
                            origin,
                            lines,
                            has_effect: false,
                            removable: None,
                        });
                    }
                    Err(mut unknown) => {
                        unknown.help += "; a reason comes after a colon: `allow RULE: reason`";
                        mistakes.push(unknown.report(name, origin));
                        return;
                    }
                }
            }
            if word.ends_with(':') {
                break;
            }
        }
        if let [only] = &mut self.list[first..] {
            let (begin, end) = (file.start_of_line(line), start + rest.len());
            only.removable = Some(match code.trim().is_empty() {
                true => begin..file.start_of_line(line + 1),
                false => begin + code.trim_end().len()..end - usize::from(rest.ends_with('\r')),
            });
        }
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
        let marked = file.line_at(span.start)..last + 1;
        let is_whole = span == (0..0);
        let mut silences = false;
        for comment in comments.filter(|comment| comment.selection.contains(problem.code)) {
            let is_beside = comment.lines.start < marked.end && marked.start < comment.lines.end;
            comment.has_effect |= is_whole || is_beside;
            silences |= is_whole || is_beside;
        }
        silences
    }

    /// The comments that silenced nothing.
    pub(super) fn unused(&self, files: &Files, coverage: Coverage<'_>) -> impl Iterator<Item = Unused> {
        let is_ours = move |comment: &&Comment| {
            let path = files.path(comment.origin.file);
            validate::lower_layer(coverage.lower, coverage.upper, path).is_none()
        };
        let unused = self.list.iter().filter(|comment| !comment.has_effect).filter(is_ours);
        unused.map(|comment| Unused {
            selection: comment.selection,
            origin: comment.origin,
            removable: comment.removable.clone(),
        })
    }
}

/// The lines to which a comment on a line of its own belongs: the next line that is not a comment. A `#!` line above it belongs to it
/// too, because nothing can be written above or behind such a line.
fn lines_below(line: usize, file: &SourceFile, text: &str) -> Range<usize> {
    let is_first = line == 1 && text.starts_with("#!");
    let mut below = line + 1;
    while let Some(next) = text.get(file.start_of_line(below)..).filter(|rest| !rest.is_empty()) {
        let next = next.lines().next().unwrap_or_default().trim();
        if !next.is_empty() && !next.starts_with('#') {
            break;
        }
        below += 1;
    }
    if is_first { 0..below + 1 } else { line..below + 1 }
}
