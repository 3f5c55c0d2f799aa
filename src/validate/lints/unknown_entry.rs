//! Finds files of a definition that s6-rc does not know, and that no script mentions.

use super::unread::{Reason, unread};
use crate::diagnostic::{Confidence, Diagnostic, Edit, Fix, FixKind, Group, Lint, Severity, is_plain_word};
use crate::model::{Ignored, Kind, Name, Service};
use crate::validate::names::listed;
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::unknown-entry",
        level: Severity::Warning,
        confidence: Confidence::Likely,
        group: Group::Files,
        fix: FixKind::Unsafe,
        page: include_str!("unknown_entry.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for unread in unread(subject) {
        let service = unread.service;
        for (entry, reason) in &unread.entries {
            match reason {
                Reason::BesideItsList => found.push(beside_its_list(found, subject, service, entry)),
                Reason::Misspelt(meant) => found.push(misspelt(found, service, entry, meant)),
                Reason::OtherType | Reason::Unknown => {}
            }
        }
        let unknown_ones = unread.with(|reason| matches!(reason, Reason::Unknown));
        if !unknown_ones.is_empty() {
            found.push(unknown(found, service, &unknown_ones));
        }
    }
}

fn beside_its_list(
    found: &Findings<'_>,
    subject: &Subject<'_>,
    service: &Service,
    entry: &Ignored,
) -> Diagnostic {
    let name = Name::new(&entry.name);
    // A name that only the rest of the image defines would be an error in the list.
    let is_defined = subject.index.find(&name).is_some();
    let (list, effect) = match &service.kind {
        Kind::Bundle(_) => ("contents.d", format!("`{}` does not contain `{name}`", service.name)),
        _ => ("dependencies.d", format!("`{}` does not wait for `{name}`", service.name)),
    };
    found
        .report(format!("`{name}` is beside `{list}` of `{}`, not inside it", service.name))
        .at(entry.origin, effect)
        .help(format!("move it to `{list}/{name}`, or remove it"))
        .fix(moved(entry, &format!("{list}/{name}")).filter(|_| is_defined))
}

fn misspelt(found: &Findings<'_>, service: &Service, entry: &Ignored, meant: &str) -> Diagnostic {
    found
        .report(ignores(service, &[Name::new(&entry.name)]))
        .at(entry.origin, "it has no effect")
        .help(format!("did you mean `{meant}`?"))
        .fix(moved(entry, meant))
}

/// The change that moves an entry inside of its definition.
fn moved(entry: &Ignored, to: &str) -> Option<Fix> {
    let from = str::from_utf8(&entry.name).ok().filter(|from| is_plain_word(from))?.to_owned();
    Some(Fix::from(Edit::Move { beside: entry.origin.file, from, to: to.to_owned() }).likely())
}

fn unknown(found: &Findings<'_>, service: &Service, entries: &[&Ignored]) -> Diagnostic {
    let names: Vec<Name> = entries.iter().map(|entry| Name::new(&entry.name)).collect();
    let mut problem = found.report(ignores(service, &names));
    for entry in entries.iter().take(4) {
        problem = problem.at(entry.origin, "it has no effect, and no script of the tree mentions it");
    }
    problem.help("remove it, or move it to where it is used")
}

fn ignores(service: &Service, names: &[Name]) -> String {
    let files = if names.len() == 1 { "no such file" } else { "no such files" };
    format!("s6-rc ignores {} of `{}`: it knows {files}", listed(names), service.name)
}
