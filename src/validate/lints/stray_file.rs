//! Files that would mean something in a definition, beside the definitions.

use crate::diagnostic::{Confidence, Lint, Severity};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::stray-file",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        has_fix: false,
        page: include_str!("stray_file.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (name, origin) in &subject.index.set().stray {
        found.push(
            found
                .report(format!("`{name}` lies beside the definitions, not in one"))
                .at(*origin, "s6-rc passes over plain files here")
                .help("move it into the directory of the service that it is for"),
        );
    }
}
