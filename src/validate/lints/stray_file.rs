//! Finds files beside the definitions that belong into a definition.

use crate::diagnostic::{Confidence, FixKind, Group, Lint, Severity};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::stray-file",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Files,
        fix: FixKind::Without("the service that it belongs to is not known"),
        page: include_str!("stray_file.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (name, origin) in &subject.index.set().stray {
        found.push(
            found
                .report(format!("`{name}` is beside the definitions, not inside one"))
                .at(*origin, "s6-rc ignores plain files here")
                .help("move it into the directory of its service"),
        );
    }
}
