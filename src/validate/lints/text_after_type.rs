//! Finds text after the type in a `type` file.

use crate::diagnostic::{Confidence, Fix, FixKind, Group, Lint, Severity};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::text-after-type",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Files,
        fix: FixKind::Safe,
        page: include_str!("text_after_type.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, definition) in subject.definitions() {
        let name = &service.name;
        if let Some(origin) = definition.text_after_type {
            found.push(
                found
                    .report(format!("`type` of `{name}` contains more than the type"))
                    .at(origin, "s6-rc-compile does not read this far")
                    .help(format!("write `{}` and a newline, and nothing else", service.kind.word()))
                    .fix(Fix::rewrite(origin.file, format!("{}\n", service.kind.word()))),
            );
        }
    }
}
