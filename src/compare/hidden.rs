//! Hides the values of variables, which may be secrets: a comparison is printed in logs that many can read.

use std::borrow::Cow;

use crate::execline;
use crate::model::Words;

/// Stands for a value.
pub(super) const HIDDEN: &str = "…";

/// The text of a file without the values that an execline script gives to variables. It has the same lines.
pub(super) fn without_values(text: &str) -> Cow<'_, str> {
    let first = text.lines().next().unwrap_or_default();
    if !first.starts_with("#!")
        || !first.contains("execlineb")
        || !["export", "backtick"].iter().any(|name| text.contains(name))
    {
        return Cow::Borrowed(text);
    }
    let words = execline::written(text);
    let is_same_depth = |words: &[execline::ExeclineWord<'_>]| words[0].depth == words[2].depth;
    let exports = words.windows(3).filter(|words| words[0].text == "export" && is_same_depth(words));
    let mut values: Vec<execline::ExeclineWord<'_>> = exports.map(|words| words[2]).collect();
    values.extend(joined(&words));
    values.sort_by_key(|value| value.start);
    let (mut shown, mut done) = (String::with_capacity(text.len()), 0);
    for value in values {
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

/// The words of which `backtick` makes the value of a variable with a secret in it: those behind `sh -c SCRIPT sh`.
fn joined<'t>(words: &[execline::ExeclineWord<'t>]) -> Vec<execline::ExeclineWord<'t>> {
    let is_start = |words: &[execline::ExeclineWord<'_>]| {
        ["backtick", "-N"] == [words[0].text, words[1].text]
            && ["{", "sh", "-c"] == [words[3].text, words[4].text, words[5].text]
    };
    let starts = words.windows(8).enumerate().filter(|(_, words)| is_start(words));
    let blocks = starts.map(|(start, _)| {
        words[start + 8..].iter().take_while(|word| !["{", "}"].contains(&word.text)).copied()
    });
    blocks.flatten().collect()
}

/// Hides the same words of a command line, in which a word of a block begins with a blank, and an empty word ends it.
fn hide_joined(words: &mut Words) {
    for at in 0..words.len().saturating_sub(7) {
        if words[at] == *b"backtick" && words[at + 1] == *b"-N" && words[at + 4] == *b" -c" {
            let block = words[at + 7..].iter_mut().take_while(|word| word.first() == Some(&b' '));
            block.for_each(|word| *word = [b" ", HIDDEN.as_bytes()].concat());
        }
    }
}

/// A command line without the values that it gives to variables.
pub(super) fn words_without_values(words: &Words) -> Words {
    let bare = |word: &[u8]| word.iter().position(|byte| *byte != b' ').unwrap_or(word.len());
    let mut shown = words.clone();
    hide_joined(&mut shown);
    for at in 2..words.len() {
        let (command, value) = (&words[at - 2], &words[at]);
        if command[bare(command)..] == *b"export" {
            shown[at] = [&value[..bare(value)], HIDDEN.as_bytes()].concat();
        }
    }
    shown
}
