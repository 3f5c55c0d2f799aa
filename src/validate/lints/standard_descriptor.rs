//! Finds descriptors for readiness or a lock that are standard input, output or error.

use crate::diagnostic::{Confidence, FixKind, Group, Lint, Severity};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::standard-descriptor",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Readiness,
        fix: FixKind::Without("which number the program uses is not known"),
        page: include_str!("standard_descriptor.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, _) in subject.definitions() {
        let Some(longrun) = service.longrun() else { continue };
        for (file, fd) in [("notification-fd", &longrun.notification_fd), ("lock-fd", &longrun.lock_fd)] {
            let Some(fd) = fd.as_ref().filter(|fd| fd.value < 3) else { continue };
            let what = ["standard input", "standard output", "standard error"][fd.value as usize];
            found.push(
                found
                    .report(format!("`{file}` of `{}` is {what}", service.name))
                    .at(fd.origin, "0, 1 and 2 have another use in every process")
                    .help("write `3` or more"),
            );
        }
    }
}
