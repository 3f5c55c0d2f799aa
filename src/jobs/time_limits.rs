//! Judges whether a start or a stop may take longer than it should.

use std::cmp::Reverse;

use crate::diagnostic::{Code, Diagnostic, Files, Origin, Problems};
use crate::manifest::written_keys;
use crate::model::{Kind, Service};
use crate::plan::{
    Bound, ChainLink, ChainPart, Moment, StopLimits, Time, Timeline, Unlimited, Whole, in_words, listed,
};

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
    /// Reports a start and a stop that may take longer. The first place of a report is the one that costs most.
    pub fn judge(self, timeline: &Timeline<'_>, files: &Files) -> Problems {
        let mut problems = Problems::default();
        if let Some(limit) = self.start.filter(|limit| timeline.start_within().is_none_or(|own| own > *limit))
        {
            problems.push(too_long_start(timeline, files, limit));
        }
        if let Some(limit) = self.stop.filter(|limit| timeline.stop_within().is_none_or(|own| own > *limit)) {
            problems.push(too_long_stop(timeline, files, limit));
        }
        problems
    }
}

fn too_long_start(timeline: &Timeline<'_>, files: &Files, limit: u64) -> Diagnostic {
    let limit = Time(limit);
    let message = match timeline.start_within() {
        Some(own) => format!("the start may take {}; at most {limit} are allowed", Time(own)),
        None => format!("the start has no upper limit; at most {limit} are allowed"),
    };
    let problem = Diagnostic::new(Code::StartTooLong, message);
    let problem = with_unlimited(problem, timeline, &timeline.start);
    let problem = timeline.not_counted().into_iter().fold(problem, Diagnostic::note);
    if timeline.start.is_unlimited_by(Unlimited::Hook) {
        return problem;
    }
    if !timeline.start.unlimited.is_empty() {
        return problem.note(match timeline.overlay {
            Some(_) => "S6_CMD_WAIT_FOR_SERVICES_MAXTIME limits the whole start, too",
            None => "`s6-rc -t` limits the whole start, too",
        });
    }
    let cost = |row: usize| (timeline.rows[row].bound, "timeout-up");
    let chain = (&timeline.start.chain[..], &timeline.start_chain()[..]);
    let problem = with_chain(problem, (timeline, files), chain, cost);
    problem.help("lower `timeout-up` of these services, or let fewer of them wait for each other")
}

fn too_long_stop(timeline: &Timeline<'_>, files: &Files, limit: u64) -> Diagnostic {
    let limit = Time(limit);
    let message = match timeline.stop_within() {
        Some(own) => format!("the stop may take {}; at most {limit} are allowed", Time(own)),
        None => format!("the stop has no upper limit; at most {limit} are allowed"),
    };
    let problem = Diagnostic::new(Code::StopTooLong, message);
    let mut problem = with_unlimited(problem, timeline, &timeline.stop);
    if timeline.stop.unlimited.is_empty() {
        let is_oneshot = |row| matches!(timeline.service(row), Some(Service { kind: Kind::Oneshot(_), .. }));
        let cost = |row: usize| {
            let limits = timeline.rows[row].limits;
            (limits.whole(), if is_oneshot(row) { "timeout-down" } else { longest_part(limits) })
        };
        let chain = (&timeline.stop.chain[..], &timeline.stop_chain()[..]);
        problem = with_chain(problem, (timeline, files), chain, cost);
        let keys: Vec<String> = timeline.stop_keys().iter().map(|key| format!("`{key}`")).collect();
        if !keys.is_empty() {
            problem = problem.help(format!(
                "lower {} in this chain, or let fewer services wait for each other",
                listed(&keys)
            ));
        }
    }
    match timeline.overlay.as_ref().map(|limits| limits.last) {
        Some(last) if last > 0 => problem.note(format!(
            "s6-overlay always waits for the last {}; `ENV S6_KILL_GRACETIME=500` makes it half a second",
            Time(last)
        )),
        _ => problem,
    }
}

/// Adds the services that may take for ever.
fn with_unlimited(mut problem: Diagnostic, timeline: &Timeline<'_>, whole: &Whole) -> Diagnostic {
    for (why, row) in whole.unlimited.iter().take(MOST_PLACES) {
        let origin = row.and_then(|row| timeline.service(row)).and_then(|service| service.origin);
        problem = problem.at(origin, why.missing());
    }
    let mut remedies = Vec::new();
    for (why, names) in timeline.unlimited(whole) {
        problem = problem.note(why.sentence(&names));
        remedies.push(why.remedy(&listed(&names), timeline.is_tree()));
    }
    match remedies.is_empty() {
        true => problem,
        false => problem.help(remedies.join("; ")),
    }
}

/// The key of the part that makes the stop of a longrun long.
fn longest_part(limits: StopLimits) -> &'static str {
    let finish = limits.finish.unwrap_or(Bound::Within(0));
    let start = Moment::default();
    match (limits.is_given_up(), start.after(finish) > start.after(limits.kill)) {
        (true, _) => "timeout-down",
        (false, true) => "timeout-finish",
        (false, false) => "timeout-kill",
    }
}

/// Adds the services of the longest chain. `cost` gives the time of each, and the key that limits it.
fn with_chain(
    mut problem: Diagnostic,
    (timeline, files): (&Timeline<'_>, &Files),
    (chain, parts): (&[ChainLink], &[ChainPart]),
    cost: impl Fn(usize) -> (Bound, &'static str),
) -> Diagnostic {
    // A logger is often written in the defaults of all services: it has no place of its own.
    let is_own = |row: &usize| !timeline.rows[*row].is_background && !cost(*row).0.is_at_once();
    let mut rows: Vec<usize> = chain.iter().map(|link| link.row).filter(is_own).collect();
    rows.sort_by_key(|row| Reverse(cost(*row).0.milliseconds()));
    for row in rows.into_iter().take(MOST_PLACES) {
        let (bound, key) = cost(row);
        let origin = timeline.service(row).and_then(|service| place_of(service, key, files));
        problem = problem.at(origin, format!("`{}` may take {bound}", timeline.name(row)));
    }
    match parts {
        [] => problem,
        parts => problem.note(format!("the longest chain: {}", in_words(parts))),
    }
}

/// Where the limit of a service is written: in its own table, else in the defaults of its type, or in the file of its definition.
/// Otherwise the place of the service.
fn place_of(service: &Service, key: &str, files: &Files) -> Option<Origin> {
    if let Some(definition) = service.definition() {
        return definition.place(key).or(service.origin);
    }
    let origin = service.origin?;
    let text = str::from_utf8(&files.get(origin.file).text).ok()?;
    let keys = written_keys(text);
    let kind = if matches!(service.kind, Kind::Oneshot(_)) { "oneshot" } else { "longrun" };
    let name = service.name.to_string();
    let written = |table: [&str; 2]| keys.iter().find(|one| one.path().eq(table.into_iter().chain([key])));
    let place = written([kind, &name]).or_else(|| written(["defaults", kind]));
    Some(place.map_or(origin, |key| Origin::new(origin.file, key.span.clone())))
}
