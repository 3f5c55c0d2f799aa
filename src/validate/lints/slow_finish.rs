//! Finds a `finish` that needs more time than it has.

use crate::diagnostic::{Confidence, Group, Lint, Severity};
use crate::model::{CallRole, Invocation};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::slow-finish",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Deaths,
        has_fix: false,
        page: include_str!("slow_finish.md"),
    },
    check: Check::Services(check),
};

/// The time that `finish` has without `timeout-finish`, in milliseconds.
const USUAL: u64 = 5_000;

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, program, calls) in subject.calls() {
        let Some(longrun) = service.longrun().filter(|_| program.file == "finish") else { continue };
        let limit = longrun.timeout_finish.map_or(USUAL, u64::from);
        let mut sleeps = calls.iter().filter(|call| matches!(call.role, CallRole::Process | CallRole::Waits));
        let Some((call, time)) =
            sleeps.find_map(|call| Some((call, slept(call).filter(|time| *time > limit)?)))
        else {
            continue;
        };
        if limit == 0 {
            continue;
        }
        let Some(origin) = call.origin() else { continue };
        let needed = time + limit.max(USUAL);
        let help = match service.definition() {
            Some(_) => {
                format!("write `{needed}` into a file `timeout-finish` (milliseconds), or `0` for no limit")
            }
            None => format!("write `timeout-finish = \"{}s\"`, or \"never\"", needed.div_ceil(1000)),
        };
        found.push(
            found
                .report(format!("`finish` of `{}` is killed before it has ended", service.name))
                .at(origin, format!("this takes {} s, and `finish` has {} s", time / 1000, limit / 1000))
                .help(help),
        );
    }
}

/// How long a call sleeps, in milliseconds.
fn slept(call: &Invocation) -> Option<u64> {
    let seconds: Vec<_> = call.texts().into_iter().collect::<Option<_>>()?;
    match (call.program()?, &seconds[..]) {
        ("sleep", [time]) => Some(time.trim_end_matches('s').parse::<u64>().ok()? * 1000),
        ("s6-sleep", ["-m", time]) => time.parse().ok(),
        _ => None,
    }
}
