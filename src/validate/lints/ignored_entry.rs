//! Finds files that s6-rc knows, but not in a service of this type.

use super::unread::{Reason, unread};
use crate::diagnostic::{Confidence, Diagnostic, FixKind, Group, Lint, Severity};
use crate::model::{Ignored, Kind, Name, Service};
use crate::validate::names::listed;
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::ignored-entry",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Files,
        fix: FixKind::Without("the type may be wrong, and not the file"),
        page: include_str!("ignored_entry.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for unread in unread(subject) {
        let mut entries = unread.with(|reason| matches!(reason, Reason::OtherType));
        if matches!(unread.service.kind, Kind::Bundle(_)) {
            entries.retain(|entry| !entry.name.starts_with(b"dependencies"));
        }
        // An empty script hides one of a lower layer, or does nothing. An empty `down` is meant to do something.
        entries.retain(|entry| !entry.is_empty || !matches!(&entry.name[..], b"run" | b"up" | b"finish"));
        if !entries.is_empty() {
            found.push(without_effect(found, unread.service, &entries));
        }
    }
}

fn without_effect(found: &Findings<'_>, service: &Service, entries: &[&Ignored]) -> Diagnostic {
    let (name, kind) = (&service.name, service.kind.word());
    let names: Vec<Name> = entries.iter().map(|entry| Name::new(&entry.name)).collect();
    let message = match &names[..] {
        [one] => format!("`{one}` has no effect in {kind} `{name}`"),
        several => format!("{} have no effect in {kind} `{name}`", listed(several)),
    };
    let mut problem = found.report(message);
    for entry in entries.iter().take(6) {
        problem = problem.at(entry.origin, why(&service.kind, &entry.name));
    }
    let has = |file: &str| entries.iter().any(|entry| entry.name == file.as_bytes());
    let help = match &service.kind {
        Kind::Longrun(_) if has("down") => Some(format!(
            "if `{name}` must not start at boot, leave it out of the start bundle; to do something when it stops, use \
             `finish`"
        )),
        Kind::Longrun(_) if has("log") => Some(format!(
            "make the logger a longrun of its own with a file `consumer-for` that holds `{name}`, and write its name into \
             `producer-for` of `{name}`"
        )),
        Kind::Longrun(_) if has("up") => Some("remove it, or write `oneshot` into `type`".into()),
        Kind::Oneshot(_) if has("run") => {
            Some("write the absolute path of `run` into `up`, or `longrun` into `type`".into())
        }
        Kind::Oneshot(_) if has("finish") => Some("use `down`: it undoes a oneshot".into()),
        _ => None,
    };
    problem.maybe_help(help)
}

/// Why an entry has no effect.
fn why(kind: &Kind, name: &[u8]) -> &'static str {
    match (kind, name) {
        (_, b"nosetsid") => "no version of s6-rc since 0.5.2.1 reads it",
        (_, b"instance" | b"instances") => {
            "it has a meaning only beside `template`, and s6-rc makes it itself"
        }
        (Kind::Longrun(_), b"log") => "s6-rc leaves it out, so this logger never runs",
        (Kind::Longrun(_), b"down") => {
            "s6-rc leaves it out; in plain s6 it marks a service that is normally down"
        }
        (Kind::Longrun(_), b"pipeline-name") => "only the last consumer of a pipeline gives it a name",
        (Kind::Longrun(_), b"contents" | b"contents.d") => "only a bundle has contents",
        (Kind::Longrun(_), _) => "only a oneshot has this file",
        (Kind::Oneshot(_), b"producer-for" | b"consumer-for") => "only a longrun can be in a pipeline",
        (Kind::Oneshot(_), b"contents" | b"contents.d") => "only a bundle has contents",
        (Kind::Oneshot(_), b"log") => "s6-rc leaves it out, so this logger never runs",
        (Kind::Oneshot(_), _) => "only a longrun has this file, and no command of this oneshot names it",
        _ => "a bundle has contents and nothing else",
    }
}
