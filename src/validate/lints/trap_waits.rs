//! Finds shell scripts that cannot run their trap when s6 stops them.

use crate::diagnostic::{Confidence, FixKind, Group, Lint, Severity};
use crate::manifest::SIGNAL_NUMBERS;
use crate::model::Script;
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::trap-waits",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Deaths,
        fix: FixKind::Without("what the trap does with the program is a choice"),
        page: include_str!("trap_waits.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, program, reading) in subject.readings() {
        let Some(longrun) = service.longrun().filter(|_| reading.is_process) else { continue };
        let (group, stop_group) = match &longrun.finish {
            Some(Script::Finish(finish)) => (finish.stop_group.as_deref(), finish.stop_group_origin),
            _ => (None, None),
        };
        let written = longrun.down_signal.as_deref().and_then(|signal| str::from_utf8(signal).ok());
        let signal = group.or(written.map(str::trim)).unwrap_or("TERM");
        let has_trap = reading.traps.iter().any(|condition| same_signal(condition, signal));
        // A shell without a trap ends at TERM; at INT it waits for the program in the foreground as well.
        if !has_trap && (signal != "INT" || group.is_none()) {
            continue;
        }
        let Some((waited_for, origin)) = &reading.last_program else { continue };
        let file = &program.file;
        let (message, label, help) = match has_trap {
            true => (
                format!(
                    "`{file}` of `{}` can run its trap only after `{waited_for}` has ended",
                    service.name
                ),
                "a shell waits for a program in the foreground before it runs a trap",
                match group {
                    Some(_) => format!(
                        "wait for it in the background: `{waited_for} … & wait $!`; or leave the trap out and `exec` it"
                    ),
                    None => format!(
                        "leave the trap out and `exec` it; or write `{waited_for} … & child=$!`, `wait $child`, and `kill $child` into the trap"
                    ),
                },
            ),
            false => (
                format!("`{file}` of `{}` ends at INT only after `{waited_for}` has ended", service.name),
                "a shell that gets INT waits for a program in the foreground",
                format!(
                    "`exec` it, or wait for it in the background with a trap: `{waited_for} … & wait $!`"
                ),
            ),
        };
        found.push(
            found
                .report(message)
                .at(*origin, label)
                .at(
                    stop_group.filter(|_| group.is_some()),
                    "the group gets its signal only after this shell has ended",
                )
                .help(help),
        );
    }
}

/// Whether a condition of `trap` is this signal. Both may have a number or the prefix `SIG`.
fn same_signal(condition: &str, signal: &str) -> bool {
    name(condition.trim_matches(['"', '\''])) == name(signal)
}

fn name(signal: &str) -> String {
    let signal = signal.to_ascii_uppercase();
    let numbered = SIGNAL_NUMBERS.iter().find(|(number, _)| number.to_string() == signal);
    numbered.map_or_else(|| signal.trim_start_matches("SIG").to_owned(), |(_, name)| (*name).to_owned())
}
