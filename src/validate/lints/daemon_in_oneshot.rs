//! Finds oneshots that wait for a program that never ends.

use super::background::keeps_alive;
use crate::diagnostic::{Confidence, FixKind, Group, Lint, Severity};
use crate::model::{CallRole, Invocation, Kind};
use crate::programs::{Alone, Behaviour, KnownProgram};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::daemon-in-oneshot",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Processes,
        fix: FixKind::Without("the type changes, and with it the files, keys and dependents"),
        page: include_str!("daemon_in_oneshot.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, program, calls) in subject.calls() {
        let is_up = program.file == "up" || subject.is_called_by(service, program, "up");
        if !is_up || !matches!(service.kind, Kind::Oneshot(_)) {
            continue;
        }
        let mut endless =
            calls.iter().filter(|call| matches!(call.role, CallRole::Process | CallRole::Waits));
        let Some(call) = endless.find(|call| never_ends(call)) else { continue };
        let (Some(name), Some(origin)) = (call.program(), call.origin()) else { continue };
        found.push(
            found
                .report(format!(
                    "`{}` of `{}` waits for `{name}`, which never ends",
                    program.file, service.name
                ))
                .at(origin, "the start waits here for ever")
                .help(format!(
                    "make `{}` a longrun: s6 then supervises `{name}`, and nothing waits for its end",
                    service.name
                )),
        );
    }
}

/// Programs that end when their work is done, even if an option keeps them in the foreground.
const END_ANYWAY: &[&str] = &["anacron", "atd", "dhcpcd", "dropbear", "setsid", "smartd"];

/// Whether a call certainly stays in the foreground: an option says so.
pub(super) fn never_ends(call: &Invocation) -> bool {
    if call.is_timed() {
        return false;
    }
    let Some(known) = call.path().and_then(KnownProgram::find) else { return keeps_alive(call) };
    let ends_anyway = END_ANYWAY.contains(&known.names[0]);
    !ends_anyway && known.alone != Alone::Stays && known.behaviour(&call.texts()) == Behaviour::Stays
        || keeps_alive(call)
}
