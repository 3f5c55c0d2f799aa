//! Finds services that change their account by a program that stays beside them.

use super::background::process;
use crate::diagnostic::{Confidence, FixKind, Group, Lint, Severity};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::su-stays",
        level: Severity::Warning,
        confidence: Confidence::Likely,
        group: Group::Processes,
        fix: FixKind::Without("`su` may also set variables, and `s6-setuidgid` sets none"),
        page: include_str!("su_stays.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, _, calls) in subject.processes() {
        let Some(call) = process(calls) else { continue };
        let (Some(name), Some(origin)) = (call.program(), call.origin()) else { continue };
        if !matches!(name, "su" | "sudo" | "runuser") {
            continue;
        }
        let help = match service.definition() {
            Some(_) => "write `exec s6-setuidgid ACCOUNT PROGRAM …`, which becomes the program",
            None => "write `user = \"ACCOUNT\"`, and the program itself in `run`",
        };
        found.push(
            found
                .report(format!("`{name}` probably stays between s6 and the program of `{}`", service.name))
                .at(origin, "on most systems it starts the program as a child, and s6 supervises only this")
                .help(help),
        );
    }
}
