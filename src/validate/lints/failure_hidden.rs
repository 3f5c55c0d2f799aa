//! Finds an `up` that succeeds even if its last command fails.

use std::ops::Range;

use crate::diagnostic::{Confidence, Edit, Fix, FixKind, Group, Lint, Severity};
use crate::execline::ExeclineWord;
use crate::model::Program;
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::failure-hidden",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Scripts,
        fix: FixKind::Unsafe,
        page: include_str!("failure_hidden.md"),
    },
    check: Check::Services(check),
};

/// The changes that remove the `foreground` before the brace `words[opener]`, that brace, and the last one.
fn without_block(program: &Program, words: &[ExeclineWord<'_>], opener: usize) -> Option<Vec<Edit>> {
    let [.., last, closer] = words else { return None };
    let (start, end) = (words[opener - 1].start, words.get(opener + 1)?.start);
    let spans = [start..end, last.span().end..closer.span().end];
    let edit = |span: Range<usize>| {
        // A comment between two words would be lost.
        let is_plain = !program.text().get(span.clone())?.contains('#');
        let place = program.at_exactly(span).filter(|_| is_plain)?;
        Some(Edit::Replace { place, text: String::new() })
    };
    spans.into_iter().map(edit).collect()
}

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, program) in subject.programs_in("up") {
        let words = program.words();
        let Some((_, before)) = words.split_last().filter(|(last, _)| last.text == "}" && last.depth == 0)
        else {
            continue;
        };
        let Some(opener) = before.iter().rposition(|word| word.text == "{" && word.depth == 0) else {
            continue;
        };
        let Some(foreground) = opener.checked_sub(1).map(|at| before[at]) else { continue };
        let command: Vec<&str> = before[opener + 1..].iter().take(3).map(|word| word.text).collect();
        if foreground.program() != "foreground" || command.is_empty() {
            continue;
        }
        found.push(
            found
                .report(format!("`up` of `{}` succeeds even if `{}` fails", service.name, command.join(" ")))
                .at(program.at(foreground.span()), "no command follows this block, so it always ends with 0")
                .help("write the last command without `foreground` and without braces")
                .fix(without_block(program, &words, opener).map(|edits| Fix::from(edits).likely())),
        );
    }
}
