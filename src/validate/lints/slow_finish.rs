//! Finds a `finish` that needs more time than it has.

use crate::diagnostic::{Confidence, FixKind, Group, Lint, Severity};
use crate::model::{CallRole, Invocation};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::slow-finish",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Deaths,
        fix: FixKind::Without("how long it may take is a choice"),
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
        let needed = time.saturating_add(limit.max(USUAL));
        let is_endless = time == u64::MAX;
        let help = match service.definition() {
            _ if is_endless => {
                "take it out: s6 starts the service again only after the end of `finish`".to_owned()
            }
            Some(_) => {
                format!("write `{needed}` into a file `timeout-finish` (milliseconds), or `0` for no limit")
            }
            None => format!("write `timeout-finish = \"{}s\"`, or \"never\"", needed.div_ceil(1000)),
        };
        let takes = if is_endless { "never ends".to_owned() } else { format!("takes {} s", time / 1000) };
        found.push(
            found
                .report(format!("`finish` of `{}` is killed before it has ended", service.name))
                .at(origin, format!("this {takes}, and `finish` has {} s", limit / 1000))
                .help(help),
        );
    }
}

/// How long a call sleeps, in milliseconds. `u64::MAX` is for ever.
fn slept(call: &Invocation) -> Option<u64> {
    let times: Vec<_> = call.texts().into_iter().collect::<Option<_>>()?;
    match (call.program()?, &times[..]) {
        ("sleep", [time]) => milliseconds(time),
        ("s6-sleep", ["-m", time]) => time.parse().ok(),
        _ => None,
    }
}

/// The meaning of an argument of `sleep`: seconds, or a number with a unit.
fn milliseconds(time: &str) -> Option<u64> {
    if matches!(time, "inf" | "infinity") {
        return Some(u64::MAX);
    }
    let (number, unit) = match time.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(number) => time.split_at(number.len()),
        None => (time, "s"),
    };
    let factor = match unit {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => 86_400_000,
    };
    // A fraction is left out.
    let whole = number.split_once('.').map_or(number, |(whole, _)| whole);
    whole.parse::<u64>().ok()?.checked_mul(factor)
}
