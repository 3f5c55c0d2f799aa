//! Finds filters of a log that keep lines back.

use super::background::{process, reads_log};
use crate::diagnostic::{Confidence, FixKind, Group, Lint, Severity};
use crate::model::Invocation;
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::buffered-filter",
        level: Severity::Warning,
        confidence: Confidence::Likely,
        group: Group::Logs,
        fix: FixKind::Without(
            "the option is a word of its own in an array, and a part of the text in a script",
        ),
        page: include_str!("buffered_filter.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, _, calls) in subject.processes().filter(|(service, ..)| reads_log(service)) {
        let Some(call) = process(calls) else { continue };
        // Likely, because a program writes each line at once to a terminal, as with `docker run -t`.
        let (Some(name), Some(option), Some(origin)) = (call.program(), missing_option(call), call.origin())
        else {
            continue;
        };
        found.push(
            found
                .report(format!("`{name}` of `{}` keeps the lines of a log back", service.name))
                .at(origin, "it collects some thousand characters before it writes them")
                .note("what it has collected is lost when it is stopped")
                .help(format!("let it write each line at once: `{name} {option}`")),
        );
    }
}

/// The option that a well-known filter needs to write each line at once, if it certainly has none of this meaning.
fn missing_option(call: &Invocation) -> Option<&'static str> {
    // `stdbuf` and the like change what a program does.
    let is_changed = |word: &str| ["stdbuf", "unbuffer", "script"].iter().any(|name| word.ends_with(name));
    if call.wrappers().iter().any(|word| word.text.as_deref().is_none_or(is_changed)) {
        return None;
    }
    let texts: Option<Vec<&str>> = call.texts().into_iter().collect();
    let texts = texts?;
    let any = |is_option: &dyn Fn(&str) -> bool| texts.iter().any(|text| is_option(text));
    let is_short =
        |text: &str, letter| text.starts_with('-') && !text.starts_with("--") && text.contains(letter);
    match call.program()? {
        // With these letters it writes no line, or ends after some.
        "grep" | "egrep" | "fgrep" => (!any(&|text| text.starts_with("--") && text.len() > 2)
            && !any(&|text| ['q', 'c', 'm', 'l', 'L', 'V'].iter().any(|letter| is_short(text, *letter))))
        .then_some("--line-buffered"),
        "sed" => (!any(&|text| text.starts_with("--") && text.len() > 2)
            && !any(&|text| ['u', 'i', 'w'].iter().any(|letter| is_short(text, *letter))))
        .then_some("-u"),
        _ => None,
    }
}
