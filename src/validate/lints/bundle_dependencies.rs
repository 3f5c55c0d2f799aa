//! Finds bundles with a list of dependencies.

use super::unread::{Reason, unread};
use crate::diagnostic::{Confidence, FixKind, Group, Lint, Severity};
use crate::model::{Kind, Name};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::bundle-dependencies",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Files,
        fix: FixKind::Without("they may belong to a member of the bundle"),
        page: include_str!("bundle_dependencies.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for unread in unread(subject).into_iter().filter(|unread| matches!(unread.service.kind, Kind::Bundle(_)))
    {
        let entries = unread.with(|reason| matches!(reason, Reason::OtherType));
        let Some(list) = entries.iter().find(|entry| entry.name.starts_with(b"dependencies")) else {
            continue;
        };
        let (name, file) = (&unread.service.name, Name::new(&list.name));
        found.push(
            found
                .report(format!("bundle `{name}` has dependencies, which s6-rc ignores"))
                .at(list.origin, format!("nothing waits for the services that `{file}` names"))
                .help(format!("give every member of `{name}` these dependencies, and remove `{file}`")),
        );
    }
}
