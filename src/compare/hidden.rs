//! Hides the values of variables, which may be secrets: a comparison is printed in logs that many can read.

use std::borrow::Cow;

use crate::execline;
use crate::model::Words;

/// Stands for a value.
pub(super) const HIDDEN: &str = "…";

/// The text of a file without the values that an execline script gives to variables. It has the same lines.
pub(super) fn without_values(text: &str) -> Cow<'_, str> {
    let first = text.lines().next().unwrap_or_default();
    if !first.starts_with("#!") || !first.contains("execlineb") || !text.contains("export") {
        return Cow::Borrowed(text);
    }
    let words = execline::written(text);
    let is_same_depth = |words: &[execline::ExeclineWord<'_>]| words[0].depth == words[2].depth;
    let exports = words.windows(3).filter(|words| words[0].text == "export" && is_same_depth(words));
    let (mut shown, mut done) = (String::with_capacity(text.len()), 0);
    for value in exports.map(|words| words[2]) {
        // `export export export` has the next one inside.
        if value.start < done {
            continue;
        }
        shown += &text[done..value.start];
        shown += HIDDEN;
        shown.extend(value.text.matches('\n').map(|_| format!("\n{HIDDEN}")));
        done = value.span().end;
    }
    shown += &text[done..];
    Cow::Owned(shown)
}

/// A command line without the values that it gives to variables.
pub(super) fn words_without_values(words: &Words) -> Words {
    let bare = |word: &[u8]| word.iter().position(|byte| *byte != b' ').unwrap_or(word.len());
    let mut shown = words.clone();
    for at in 2..words.len() {
        let (command, value) = (&words[at - 2], &words[at]);
        if command[bare(command)..] == *b"export" {
            shown[at] = [&value[..bare(value)], HIDDEN.as_bytes()].concat();
        }
    }
    shown
}
