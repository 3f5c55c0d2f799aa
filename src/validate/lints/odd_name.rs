//! Finds names that cause trouble in other programs.

use crate::diagnostic::{Confidence, FixKind, Group, Lint, Severity};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::odd-name",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Files,
        fix: FixKind::Without("other files may mention the name, also outside of the tree"),
        page: include_str!("odd_name.md"),
    },
    check: Check::Services(check),
};

/// The longest name that s6-svscan supervises, in bytes.
const LONGEST: usize = 251;

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, _) in subject.definitions() {
        let name = service.name.as_bytes();
        let what = if name.len() > LONGEST && service.longrun().is_some() {
            "is longer than 251 bytes, and s6-svscan does not supervise a service with such a name"
        } else if name.contains(&b' ') || name.contains(&b'\t') {
            "has a blank in its name"
        } else if name.starts_with(b"-") {
            "begins with `-`, which programs take for an option"
        } else {
            continue;
        };
        found.push(
            found
                .report(format!("`{}` {what}", service.name))
                .at(service.origin, "s6-rc itself accepts it")
                .help("use letters, digits, `_`, `.`, `@` and `-`"),
        );
    }
}
