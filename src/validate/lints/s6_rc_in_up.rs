//! Finds oneshots of the boot that change services while the boot does.

use crate::diagnostic::{Confidence, FixKind, Group, Lint, Severity};
use std::collections::BTreeSet;

use crate::model::{CallRole, Invocation, Kind, Name, Node};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::s6-rc-in-up",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Processes,
        fix: FixKind::Without("a dependency, a longrun or a start on demand may be meant"),
        page: include_str!("s6_rc_in_up.md"),
    },
    check: Check::Services(check),
};

/// Bundles of which the boot starts every service.
const STARTED: &[&str] = &["top", "default", "user", "user2"];

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    let index = &subject.index;
    let start = STARTED.iter().filter_map(|name| index.find(&Name::from(*name)));
    let mut boot: Option<BTreeSet<Node>> = None;
    let mut wrong = Vec::new();
    for (service, program, calls) in subject.calls() {
        let is_up = program.file == "up" || subject.is_called_by(service, program, "up");
        if !is_up || !matches!(service.kind, Kind::Oneshot(_)) {
            continue;
        }
        let Some((call, by)) = calls.iter().find_map(|call| Some((call, changes(call)?))) else { continue };
        let boot = boot.get_or_insert_with(|| index.closure(start.clone()));
        if index.find(&service.name).is_some_and(|node| boot.contains(&node)) {
            wrong.push((service, program, call, by));
        }
    }
    for (service, program, call, by) in wrong {
        found.push(
            found
                .report(format!("`{}` of `{}` changes services while the boot does", program.file, service.name))
                .at(call.origin(), format!("`{by}` fails here with 111: the boot holds the lock until every service is up"))
                .help(
                    "make a longrun of it, which the boot does not wait for, or let the services that it starts depend on it",
                ),
        );
    }
}

/// The command by which a call starts or stops services.
fn changes(call: &Invocation) -> Option<&'static str> {
    if call.role == CallRole::Background {
        return None;
    }
    let words = call.texts();
    // Another live directory has a lock of its own. The usual one is /run/s6-rc.
    let live = words.iter().position(|word| *word == Some("-l")).and_then(|at| words.get(at + 1).copied());
    if live.is_some_and(|live| live.is_none_or(|live| !live.ends_with("/s6-rc"))) {
        return None;
    }
    let mut command = None;
    let mut at = 0;
    while at < words.len() && command.is_none() {
        let word = words[at]?;
        at += if matches!(word, "-l" | "-t" | "-v" | "-n") { 2 } else { 1 };
        command = (!word.starts_with('-')).then_some(word);
    }
    match call.program()? {
        "s6-rc" if matches!(command, Some("change" | "start" | "stop")) => Some("s6-rc"),
        "s6-rc-update" => Some("s6-rc-update"),
        _ => None,
    }
}
