//! Judges whether a start or a stop may take longer than it should.

use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::plan::{Bound, ChainLink, ChainPart, Time, Timeline, Unlimited, in_words, listed};

/// The times that a plan must keep, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeLimits {
    /// The longest start.
    pub start: Option<u64>,
    /// The longest stop.
    pub stop: Option<u64>,
}

/// How many places one report shows.
const MOST_PLACES: usize = 8;

impl TimeLimits {
    /// Reports a start and a stop that may take longer.
    pub fn judge(self, timeline: &Timeline<'_>) -> Problems {
        let mut problems = Problems::default();
        if let Some(limit) = self.start.filter(|limit| timeline.start_within().is_none_or(|own| own > *limit))
        {
            problems.push(too_long_start(timeline, limit));
        }
        if let Some(limit) = self.stop.filter(|limit| timeline.stop_within().is_none_or(|own| own > *limit)) {
            problems.push(too_long_stop(timeline, limit));
        }
        problems
    }
}

fn too_long_start(timeline: &Timeline<'_>, limit: u64) -> Diagnostic {
    let limit = Time(limit);
    let message = match timeline.start_within() {
        Some(own) => format!("the start may take {}; at most {limit} are allowed", Time(own)),
        None => format!("the start has no upper limit; at most {limit} are allowed"),
    };
    let problem = Diagnostic::new(Code::StartTooLong, message);
    let problem = with_unlimited(problem, timeline, &timeline.start.unlimited);
    if !timeline.start.unlimited.is_empty() {
        return problem.note(match timeline.overlay {
            Some(_) => "S6_CMD_WAIT_FOR_SERVICES_MAXTIME limits the whole start, too",
            None => "`s6-rc -t` limits the whole start, too",
        });
    }
    let bound = |row: usize| timeline.rows[row].bound;
    let problem = with_chain(problem, timeline, (&timeline.start.chain, &timeline.start_chain()), bound);
    problem.help("lower `timeout-up` of these services, or let fewer of them wait for each other")
}

fn too_long_stop(timeline: &Timeline<'_>, limit: u64) -> Diagnostic {
    let limit = Time(limit);
    let message = match timeline.stop_within() {
        Some(own) => format!("the stop may take {}; at most {limit} are allowed", Time(own)),
        None => format!("the stop has no upper limit; at most {limit} are allowed"),
    };
    let problem = Diagnostic::new(Code::StopTooLong, message);
    let mut problem = with_unlimited(problem, timeline, &timeline.stop.unlimited);
    if timeline.stop.unlimited.is_empty() {
        let bound = |row: usize| timeline.rows[row].limits.whole();
        problem = with_chain(problem, timeline, (&timeline.stop.chain, &timeline.stop_chain()), bound).help(
            "lower `timeout-kill`, `timeout-finish` and `timeout-down` of these services, or let fewer of them wait for each other",
        );
    }
    problem = timeline.not_counted().into_iter().fold(problem, |problem, note| problem.note(note));
    match timeline.overlay.as_ref().map(|limits| limits.last) {
        Some(last) if last > 0 => problem.note(format!(
            "s6-overlay always waits for the last {}; `ENV S6_KILL_GRACETIME=500` makes it half a second",
            Time(last)
        )),
        _ => problem,
    }
}

/// Adds the services that may take for ever.
fn with_unlimited(
    mut problem: Diagnostic,
    timeline: &Timeline<'_>,
    unlimited: &[(Unlimited, usize)],
) -> Diagnostic {
    for (why, row) in unlimited.iter().take(MOST_PLACES) {
        let origin = timeline.service(*row).and_then(|service| service.origin);
        problem = problem.at(origin, why.missing());
    }
    let mut remedies = Vec::new();
    for (why, names) in timeline.unlimited(unlimited) {
        let has = if names.len() == 1 { "has" } else { "have" };
        problem = problem.note(format!("{} {has} {}", listed(&names), why.missing()));
        remedies.push(why.remedy(&listed(&names), timeline.is_tree()));
    }
    match remedies.is_empty() {
        true => problem,
        false => problem.help(remedies.join("; ")),
    }
}

/// Adds the services of the longest chain.
fn with_chain(
    mut problem: Diagnostic,
    timeline: &Timeline<'_>,
    (chain, parts): (&[ChainLink], &[ChainPart]),
    bound: impl Fn(usize) -> Bound,
) -> Diagnostic {
    let takes_time = chain.iter().map(|link| link.row).filter(|row| !bound(*row).is_at_once());
    let rows: Vec<usize> = takes_time.collect();
    // A logger is often written in the defaults of all services: it has no place of its own.
    let is_own = |row: &&usize| !timeline.rows[**row].is_background;
    for row in rows.iter().filter(is_own).take(MOST_PLACES) {
        let origin = timeline.service(*row).and_then(|service| service.origin);
        problem = problem.at(origin, format!("`{}` may take {}", timeline.name(*row), bound(*row)));
    }
    match parts {
        [] => problem,
        parts => problem.note(format!("the longest chain: {}", in_words(parts))),
    }
}
