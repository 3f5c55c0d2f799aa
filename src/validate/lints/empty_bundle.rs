//! Finds services that wait for an empty bundle.

use std::collections::BTreeSet;

use crate::diagnostic::{Confidence, FixKind, Group, Lint, Severity};
use crate::model::{Kind, Name};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::empty-bundle",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Files,
        fix: FixKind::Without("what belongs into the bundle is not known"),
        page: include_str!("empty_bundle.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    let empty: BTreeSet<&Name> = subject
        .definitions()
        .filter(|(service, _)| match &service.kind {
            // Other layers may fill the start bundles of s6-overlay.
            Kind::Bundle(bundle) => {
                bundle.contents.is_empty()
                    && !service.incomplete
                    && service.name != *"user"
                    && service.name != *"user2"
            }
            _ => false,
        })
        .map(|(service, _)| &service.name)
        .collect();
    if empty.is_empty() {
        return;
    }
    let mut reported = BTreeSet::new();
    for (service, _) in subject.definitions() {
        let waits = service.dependencies().iter().filter(|reference| empty.contains(&reference.name));
        for reference in waits {
            let name = &reference.name;
            if !reported.insert(name) {
                continue;
            }
            let bundle = subject.index.find(name).and_then(|node| subject.index.origin(node));
            found.push(
                found
                    .report(format!("`{}` waits for bundle `{name}`, which contains nothing", service.name))
                    .at(reference.origin, "this waits for nothing")
                    .at(bundle, "`contents.d` has no members")
                    .help("make an empty file in `contents.d` for each member, or remove this dependency"),
            );
        }
    }
}
