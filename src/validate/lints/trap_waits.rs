//! Finds shell scripts that cannot run their trap when s6 stops them.

use crate::diagnostic::{Confidence, Group, Lint, Severity};
use crate::manifest::SIGNAL_NUMBERS;
use crate::model::{Language, Script};
use crate::shell;
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::trap-waits",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Deaths,
        has_fix: false,
        page: include_str!("trap_waits.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, program) in subject.programs_in("run") {
        let Some(Script::Finish(finish)) = service.longrun().and_then(|longrun| longrun.finish.as_ref())
        else {
            continue;
        };
        let (Some(signal), Some(stop_group)) = (&finish.stop_group, finish.stop_group_origin) else {
            continue;
        };
        if program.language() != Language::Shell {
            continue;
        }
        let Some(script) = shell::ShellScript::read(program.text()) else { continue };
        let has_trap = script.traps().into_iter().any(|condition| names(condition, signal));
        // A shell without a trap ends at TERM; at INT it waits for the program in the foreground as well.
        if !has_trap && signal != "INT" {
            continue;
        }
        let Some(name) = script.last_program() else { continue };
        let waited_for = name.as_written();
        let (message, label, help) = match has_trap {
            true => (
                format!("`run` can run its trap only after `{waited_for}` has ended"),
                "a shell waits for a program in the foreground before it runs a trap",
                format!(
                    "wait for it in the background: `{waited_for} … & wait $!`; or leave the trap out and `exec` it"
                ),
            ),
            false => (
                format!("`run` ends at INT only after `{waited_for}` has ended"),
                "a shell that gets INT waits for a program in the foreground",
                format!(
                    "`exec` it, or wait for it in the background with a trap: `{waited_for} … & wait $!`"
                ),
            ),
        };
        found.push(
            found
                .report(message)
                .at(program.at(name.span()), label)
                .at(stop_group, "the group gets its signal only after this shell has ended")
                .help(help),
        );
    }
}

/// Whether a condition of `trap` is this signal.
fn names(condition: &str, signal: &str) -> bool {
    let condition = condition.trim_matches(['"', '\'']).to_ascii_uppercase();
    let numbered = SIGNAL_NUMBERS.iter().find(|(number, _)| number.to_string() == condition);
    numbered.map_or(condition.strip_prefix("SIG").unwrap_or(&condition), |(_, name)| name) == signal
}
