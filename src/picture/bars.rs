//! The rows of a time line: what each bar shows.

use std::collections::{BTreeMap, BTreeSet};

use super::boxes::BoxKind;
use super::chain_loggers::ChainLoggers;
use crate::model::NodeKind;
use crate::plan::{Awaited, Bound, ChainLink, LoggerRow, Moment, PlanRow, Span, Timeline, listed};

/// The number of rows with which a part of a picture is still readable.
pub(super) const MOST_ROWS: usize = 80;

/// The start, the stop, or what really happened.
pub struct Section {
    /// Its title.
    pub title: &'static str,
    /// Whether it is the stop of the plan.
    pub is_stop: bool,
    /// The rows of each group, below the head of the group.
    pub groups: Vec<(String, Vec<BarRow>)>,
    /// Two rows of the longest chain, and the moment at which the second one begins because the first one ends.
    pub joins: Vec<(usize, usize, Moment)>,
    /// The number of services that are left out.
    pub left_out: usize,
}

/// A service, all loggers, or what is left.
pub struct BarRow {
    /// The position of the service; of all loggers the first one.
    pub id: usize,
    /// The positions of the other instances of a template that it stands for.
    pub others: Vec<usize>,
    /// Its name.
    pub name: String,
    /// Its kind. `None` for loggers and what is left.
    pub kind: Option<BoxKind>,
    /// Whether it is a logger, or all of them.
    pub is_logger: bool,
    /// Whether it starts on demand.
    pub is_on_demand: bool,
    /// Whether it is on the longest chain.
    pub is_on_chain: bool,
    /// The parts of its time.
    pub parts: Vec<BarPart>,
    /// The time of its loggers on the longest chain.
    pub loggers: Vec<Span>,
    /// What stands at its end.
    pub end: BarEnd,
    /// What stands beside it if it takes no time.
    pub at_once: &'static str,
    /// What really happened, instead of the plan.
    pub measured: Option<MeasuredBar>,
}

/// What really happened to a service.
pub struct MeasuredBar {
    /// What stands beside it.
    pub words: String,
    /// The whole of it in words.
    pub title: String,
    /// Until when it waited.
    pub waited: Option<Moment>,
    /// Whether all that is known is that it was done at some moment of its time.
    pub is_between: bool,
}

/// A part of a bar.
#[derive(PartialEq, Eq)]
pub struct BarPart {
    /// Its time.
    pub span: Span,
    /// How long it may take.
    pub bound: Bound,
    /// What it is.
    pub kind: PartKind,
    /// Whether SIGKILL ends it.
    pub is_killed: bool,
}

/// What a part of a bar is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// The start of a service, or the stop of its process.
    Process,
    /// The `finish` of a service.
    Finish,
    /// What s6 itself needs for a stop.
    Own,
    /// A stop for which s6-rc waits no longer.
    GivenUp,
    /// The starts of all loggers.
    LoggerStarts,
    /// The stops of all loggers.
    LoggerStops,
}

impl PartKind {
    /// The words before its limit.
    pub fn words(self) -> &'static str {
        match self {
            PartKind::Process => "",
            PartKind::Finish => "finish: ",
            PartKind::Own => "s6 itself: ",
            PartKind::GivenUp => "given up: ",
            PartKind::LoggerStarts | PartKind::LoggerStops => "each at most ",
        }
    }
}

/// The mark at the end of a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BarEnd {
    /// What others wait for.
    State(Awaited),
    /// SIGKILL, or the end of `finish`.
    Nothing,
}

impl BarRow {
    /// Every moment that needs a place.
    pub fn moments(&self) -> impl Iterator<Item = Moment> + '_ {
        self.parts
            .iter()
            .map(|part| part.span)
            .chain(self.loggers.iter().copied())
            .flat_map(|span| [span.begin, span.end])
    }

    /// Whether it takes any time.
    pub fn takes_time(&self) -> bool {
        self.parts.iter().any(|part| !part.bound.is_at_once())
    }

    /// Whether something in it has no limit.
    pub fn has_no_limit(&self) -> bool {
        self.parts.iter().any(|part| matches!(part.bound, Bound::Unlimited(_)))
    }
}

/// The start and the stop of a plan.
pub fn sections(timeline: &Timeline<'_>) -> Vec<Section> {
    [start(timeline), stop(timeline)].into_iter().filter(|section| !section.groups.is_empty()).collect()
}

fn start(timeline: &Timeline<'_>) -> Section {
    let chain = &timeline.start.chain;
    let loggers_of = ChainLoggers::new(timeline, chain);
    let row = |row: usize| {
        let plan = &timeline.rows[row];
        BarRow {
            parts: vec![BarPart {
                span: plan.start,
                bound: plan.bound,
                kind: PartKind::Process,
                is_killed: false,
            }],
            end: BarEnd::State(plan.awaited),
            loggers: loggers_of.spans(timeline, row, |plan| plan.start),
            ..bar_row(timeline, row, chain)
        }
    };
    let all: Vec<usize> = (0..timeline.rows.len()).filter(|row| !timeline.rows[*row].is_background).collect();
    let (shown, left_out) = readable(timeline, all, chain, |plan| plan.bound);
    let (boot, on_demand): (Vec<usize>, Vec<usize>) =
        shown.into_iter().partition(|row| timeline.rows[*row].is_at_boot);
    let mut groups = grouped(boot, |row| timeline.rows[row].wave, |wave, _| format!("Wave {wave}"), row);
    groups.iter_mut().for_each(|(_, rows)| collapse(timeline, rows));
    if let Some(loggers) = timeline.loggers.as_ref().filter(|loggers| !loggers.bound.is_at_once()) {
        let part = BarPart {
            span: loggers.start,
            bound: loggers.bound,
            kind: PartKind::LoggerStarts,
            is_killed: false,
        };
        let row = BarRow {
            parts: vec![part],
            end: BarEnd::State(Awaited::Ready),
            ..logger_row(timeline, &loggers.rows)
        };
        groups.push(("Loggers".into(), vec![row]));
    }
    if !on_demand.is_empty() {
        let mut rows = on_demand.into_iter().map(row).collect();
        collapse(timeline, &mut rows);
        groups.push(("On demand: counted from the request".into(), rows));
    }
    Section {
        title: "Start",
        is_stop: false,
        groups,
        joins: loggers_of.joins(timeline, chain, |plan| plan.start),
        left_out,
    }
}

fn stop(timeline: &Timeline<'_>) -> Section {
    let chain = &timeline.stop.chain;
    let loggers_of = ChainLoggers::new(timeline, chain);
    let row = |row: usize| {
        let plan = &timeline.rows[row];
        BarRow {
            parts: stop_parts(
                plan,
                timeline.order.index.kind(timeline.order.services[row].node) == NodeKind::Longrun,
            ),
            at_once: "nothing to undo",
            loggers: loggers_of.spans(timeline, row, |plan| plan.stop),
            is_on_chain: plan.stop.begin < plan.stop.end && chain.iter().any(|link| link.row == row),
            ..bar_row(timeline, row, chain)
        }
    };
    let is_shown = |row: &usize| !timeline.rows[*row].is_background && !timeline.rows[*row].stays;
    let all: Vec<usize> = (0..timeline.rows.len()).filter(is_shown).collect();
    let (shown, left_out) = readable(timeline, all, chain, |plan| plan.limits.whole());
    let head = |_: usize, number: usize| match number {
        0 => "First: nothing needs them any more".to_owned(),
        _ => "Then".to_owned(),
    };
    let mut groups = grouped(shown, |row| timeline.rows[row].stop_wave, head, row);
    groups.iter_mut().for_each(|(_, rows)| collapse(timeline, rows));
    let mut last = Vec::new();
    // What takes no time and comes last only ends the picture.
    let takes_time = |row: usize| timeline.rows[row].stop.begin < timeline.rows[row].stop.end;
    let lead_on: BTreeSet<usize> =
        chain.iter().filter(|link| takes_time(link.row)).flat_map(|link| link.from.iter().copied()).collect();
    let is_lasting = |link: &&ChainLink| takes_time(link.row) || lead_on.contains(&link.row);
    let lasting: Vec<ChainLink> = chain.iter().filter(is_lasting).cloned().collect();
    let mut joins = loggers_of.joins(timeline, &lasting, |plan| plan.stop);
    let is_shown =
        |loggers: &&LoggerRow| !loggers.stopping.is_empty() && !loggers.limits.whole().is_at_once();
    if let Some(loggers) = timeline.loggers.as_ref().filter(is_shown) {
        let part = BarPart {
            span: loggers.stop,
            bound: loggers.limits.whole(),
            kind: PartKind::LoggerStops,
            is_killed: true,
        };
        last.push(BarRow {
            parts: vec![part],
            end: BarEnd::Nothing,
            ..logger_row(timeline, &loggers.stopping)
        });
    }
    if let Some(limits) = timeline.overlay.as_ref().filter(|limits| limits.last > 0) {
        let (end, begin, bound) =
            (timeline.services_stop, timeline.last_signal(), Bound::Within(limits.last));
        let is_named = |row: usize| {
            !timeline.rows[row].is_background || timeline.order.is_logger(&timeline.order.services[row])
        };
        let stays: Vec<usize> =
            (0..timeline.rows.len()).filter(|row| timeline.rows[*row].stays && is_named(*row)).collect();
        let name = if stays.is_empty() { "what is left".into() } else { listed(&timeline.names(stays)) };
        let own = BarPart {
            span: Span { begin: end, end: begin },
            bound: Bound::Within(timeline.own_stop),
            kind: PartKind::Own,
            is_killed: false,
        };
        let part = BarPart {
            span: Span { begin, end: begin.after(bound) },
            bound,
            kind: PartKind::Process,
            is_killed: true,
        };
        let id = timeline.rows.len();
        let ends = lasting.iter().filter(|link| timeline.rows[link.row].stop.end == end);
        joins.extend(ends.filter_map(|link| Some((loggers_of.row(timeline, link.row)?, id, end))));
        last.push(BarRow {
            id,
            others: Vec::new(),
            name,
            kind: None,
            is_logger: false,
            is_on_demand: false,
            is_on_chain: true,
            parts: vec![own, part],
            loggers: Vec::new(),
            end: BarEnd::Nothing,
            at_once: "",
            measured: None,
        });
    }
    if !last.is_empty() {
        groups.push(("Last".into(), last));
    }
    Section { title: "Stop", is_stop: true, groups, joins, left_out }
}

fn stop_parts(plan: &PlanRow, is_longrun: bool) -> Vec<BarPart> {
    let (begin, limits) = (plan.stop.begin, &plan.limits);
    let kill = begin.after(limits.kill);
    let mut parts = vec![BarPart {
        span: Span { begin, end: kill },
        bound: limits.kill,
        kind: PartKind::Process,
        is_killed: is_longrun,
    }];
    if let Some(finish) = limits.finish.filter(|finish| !finish.is_at_once()) {
        let span = Span { begin: kill, end: kill.after(finish) };
        parts.push(BarPart { span, bound: finish, kind: PartKind::Finish, is_killed: false });
    }
    if let Some(limit) = limits.given_up
        && limits.is_given_up()
    {
        let bound = Bound::Within(limit);
        parts = vec![BarPart {
            span: Span { begin, end: begin.after(bound) },
            bound,
            kind: PartKind::GivenUp,
            is_killed: false,
        }];
    }
    parts
}

/// The rows that are shown: all, or those of the longest chain and without a limit.
fn readable(
    timeline: &Timeline<'_>,
    mut all: Vec<usize>,
    chain: &[ChainLink],
    bound: impl Fn(&PlanRow) -> Bound,
) -> (Vec<usize>, usize) {
    let count = all.len();
    if count > MOST_ROWS {
        let mut is_important = vec![false; timeline.rows.len()];
        chain.iter().for_each(|link| is_important[link.row] = true);
        all.retain(|row| is_important[*row] || matches!(bound(&timeline.rows[*row]), Bound::Unlimited(_)));
        all.truncate(MOST_ROWS);
    }
    let left_out = count - all.len();
    (all, left_out)
}

fn grouped(
    mut rows: Vec<usize>,
    wave: impl Fn(usize) -> usize,
    head: impl Fn(usize, usize) -> String,
    row: impl Fn(usize) -> BarRow,
) -> Vec<(String, Vec<BarRow>)> {
    rows.sort_by_key(|row| (wave(*row), *row));
    let waves = rows.chunk_by(|one, other| wave(*one) == wave(*other)).enumerate();
    waves
        .map(|(number, rows)| (head(wave(rows[0]), number), rows.iter().map(|one| row(*one)).collect()))
        .collect()
}

/// Leaves one row for all instances of a template whose rows differ only in their names.
fn collapse(timeline: &Timeline<'_>, rows: &mut Vec<BarRow>) {
    let ids: Vec<usize> = rows.iter().map(|row| row.id).collect();
    let by_id: BTreeMap<usize, &BarRow> = rows.iter().map(|row| (row.id, row)).collect();
    let look = |id: usize| {
        by_id.get(&id).map(|row| (row.is_on_demand, row.is_on_chain, &row.parts, &row.loggers, row.end))
    };
    let groups = timeline.collapsed(&ids, 0, |one, other| look(one) == look(other));
    for group in groups {
        rows.retain(|row| !group.rows[1..].contains(&row.id));
        for row in rows.iter_mut().filter(|row| row.id == group.rows[0]) {
            row.name.clone_from(&group.name);
            row.others = group.rows[1..].to_vec();
        }
    }
}

pub(super) fn bar_row(timeline: &Timeline<'_>, row: usize, chain: &[ChainLink]) -> BarRow {
    BarRow {
        id: row,
        others: Vec::new(),
        name: timeline.name(row).to_string(),
        kind: Some(match timeline.order.index.kind(timeline.order.services[row].node) {
            NodeKind::Oneshot => BoxKind::Oneshot,
            NodeKind::Longrun => BoxKind::Longrun,
            _ => BoxKind::Elsewhere,
        }),
        is_logger: false,
        is_on_demand: !timeline.rows[row].is_at_boot,
        is_on_chain: chain.iter().any(|link| link.row == row),
        parts: Vec::new(),
        loggers: Vec::new(),
        end: BarEnd::Nothing,
        at_once: "at once",
        measured: None,
    }
}

pub(super) fn logger_row(timeline: &Timeline<'_>, rows: &[usize]) -> BarRow {
    BarRow {
        id: rows[0],
        others: Vec::new(),
        name: listed(&timeline.names(rows.iter().copied())),
        kind: None,
        is_logger: true,
        is_on_demand: false,
        is_on_chain: false,
        parts: Vec::new(),
        loggers: Vec::new(),
        end: BarEnd::Nothing,
        at_once: "",
        measured: None,
    }
}
