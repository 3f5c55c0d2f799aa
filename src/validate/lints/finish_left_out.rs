//! Finds a `finish` that cannot be read.

use crate::diagnostic::{Confidence, FixKind, Group, Lint, Severity};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::finish-left-out",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Deaths,
        fix: FixKind::Without("the reason is not in the text of the file"),
        page: include_str!("finish_left_out.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, definition) in subject.definitions() {
        let name = &service.name;
        if let Some((origin, why)) = &definition.finish_left_out {
            found.push(
                found
                    .report(format!("`finish` of `{name}` cannot be read, and is left out: {why}"))
                    .at(*origin, "s6-rc-compile says nothing, and the service runs without it"),
            );
        }
    }
}
