//! Finds limits of time that are so short that their author probably meant seconds.

use crate::diagnostic::{Confidence, Fix, FixKind, Group, Lint, Severity};
use crate::model::{Kind, Service};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::short-timeout",
        level: Severity::Warning,
        confidence: Confidence::Likely,
        group: Group::Files,
        fix: FixKind::Unsafe,
        page: include_str!("short_timeout.md"),
    },
    check: Check::Services(check),
};

/// A manifest has units, so only the files of a tree that people wrote can be meant otherwise.
fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    let definitions = subject.definitions().filter(|(_, definition)| definition.recorded_start.is_none());
    for (service, definition) in definitions {
        for (file, value) in limits(service).into_iter().filter(|(_, value)| is_in_seconds(*value)) {
            let Some(origin) = definition.place(file) else { continue };
            found.push(
                found
                    .report(format!(
                        "`{file}` of `{}` is {value} milliseconds, probably meant as seconds",
                        service.name
                    ))
                    .at(origin, consequence(file))
                    .help(format!("for {value} seconds write `{value}000`"))
                    .fix(Fix::rewrite(origin.file, format!("{value}000\n")).likely()),
            );
        }
    }
}

/// Whether a limit is probably written in seconds: it is very short, or a number of minutes. 500 may be milliseconds.
fn is_in_seconds(value: u32) -> bool {
    (1..100).contains(&value) || (100..1_000).contains(&value) && value.is_multiple_of(60)
}

/// The limits of a service, each with the name of its file. The value 0 stands for no limit.
fn limits(service: &Service) -> Vec<(&'static str, u32)> {
    match &service.kind {
        Kind::Longrun(longrun) => vec![
            ("timeout-up", longrun.timeout_up),
            ("timeout-down", longrun.timeout_down),
            ("timeout-kill", longrun.timeout_kill.unwrap_or(0)),
            ("timeout-finish", longrun.timeout_finish.unwrap_or(0)),
        ],
        Kind::Oneshot(oneshot) => {
            vec![("timeout-up", oneshot.timeout_up), ("timeout-down", oneshot.timeout_down)]
        }
        _ => Vec::new(),
    }
}

fn consequence(file: &str) -> &'static str {
    match file {
        "timeout-up" => "s6-rc counts the start as failed after this time",
        "timeout-down" => "s6-rc counts the stop as failed after this time",
        "timeout-kill" => "s6 sends SIGKILL this time after the stop signal",
        _ => "s6 kills `finish` after this time",
    }
}
