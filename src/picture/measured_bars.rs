//! The rows of what really happened at a start, on a scale of their own: a start is often a hundredth of what its limits allow.

use super::bars::{BarEnd, BarPart, BarRow, MOST_ROWS, MeasuredBar, PartKind, Section, bar_row, logger_row};
use crate::plan::{Bound, KnownTime, MeasuredRow, Moment, Span, Time, Timeline};

/// What really happened, in the order in which services started. `None` if nothing is known.
pub fn measured_section(timeline: &Timeline<'_>, measured: &[MeasuredRow]) -> Option<Section> {
    measured.iter().find(|row| row.up.latest().is_some())?;
    let chain = timeline.slowest(measured);
    let is_on_chain = |row: &MeasuredRow| chain.contains(&row.row);
    let is_logger = |row: &MeasuredRow| timeline.order.is_logger(&timeline.order.services[row.row]);
    let (loggers, mut shown): (Vec<&MeasuredRow>, Vec<&MeasuredRow>) =
        measured.iter().partition(|row| is_logger(row) && !is_on_chain(row));
    let count = shown.len();
    if count > MOST_ROWS {
        shown.retain(|row| is_on_chain(row));
        shown.truncate(MOST_ROWS);
    }
    let left_out = count - shown.len();
    let mut rows: Vec<BarRow> = shown.iter().map(|row| one(timeline, row, is_on_chain(row))).collect();
    rows.extend(all_loggers(timeline, &loggers));
    let joins = chain.windows(2).filter_map(|pair| {
        let (until, _) = measured.iter().find(|row| row.row == pair[1])?.waited?;
        Some((pair[0], pair[1], at(until)))
    });
    let groups = vec![("From the first start, in the order of time".to_owned(), rows)];
    Some(Section { title: "What really happened", is_stop: false, groups, joins: joins.collect(), left_out })
}

fn at(milliseconds: u64) -> Moment {
    Moment { steps: 0, milliseconds }
}

fn one(timeline: &Timeline<'_>, row: &MeasuredRow, is_on_chain: bool) -> BarRow {
    let plan = &timeline.rows[row.row];
    let name = timeline.name(row.row);
    let allowed = match plan.bound {
        Bound::Within(0) => String::new(),
        Bound::Within(limit) => format!("; limit: {}", Time(limit)),
        Bound::Unlimited(_) => "; no limit".into(),
    };
    let (words, state) = match (row.started, row.up) {
        _ if row.deaths > 0 => ("unknown: it has died since".to_owned(), String::new()),
        (KnownTime::At(started), KnownTime::At(up)) if up > started => (
            format!("{}{allowed}", Time(up - started)),
            format!("started at {}, up at {}", Time(started), Time(up)),
        ),
        (KnownTime::At(started), KnownTime::Unknown) => {
            (format!("not ready{allowed}"), format!("started at {}, not ready", Time(started)))
        }
        (_, KnownTime::Unknown) if row.not_up.is_some() => ("not up".to_owned(), String::new()),
        (_, KnownTime::Unknown) => ("unknown".to_owned(), "unknown".to_owned()),
        (_, KnownTime::Between(_, latest)) => {
            (format!("done by {}{allowed}", Time(latest)), format!("done: {}", row.up))
        }
        (_, up) => (format!("at {up}{allowed}"), format!("up at {up}")),
    };
    let waiting =
        row.waited.map(|(until, first)| format!("waited for {} until {}", timeline.name(first), Time(until)));
    let about = timeline.about_measured(row);
    let facts: Vec<String> = waiting
        .into_iter()
        .chain(Some(state).filter(|state| !state.is_empty()))
        .chain(about)
        .chain([format!("the plan: {}", plan.bound)])
        .chain(is_on_chain.then(|| "on the slowest chain".to_owned()))
        .collect();
    let bar = MeasuredBar {
        words,
        title: format!("{name}: {}", facts.join("; ")),
        waited: row.waited.map(|(until, _)| at(until)),
        is_between: matches!(row.up, KnownTime::Between(..)),
    };
    let base = bar_row(timeline, row.row, &[]);
    let is_logger = timeline.order.is_logger(&timeline.order.services[row.row]);
    BarRow {
        kind: base.kind.filter(|_| !is_logger),
        is_logger,
        is_on_chain,
        parts: part(row).into_iter().collect(),
        end: if row.up == KnownTime::Unknown { BarEnd::Nothing } else { BarEnd::State(plan.awaited) },
        measured: Some(bar),
        ..base
    }
}

/// The time of a bar, as far as it is known.
fn part(row: &MeasuredRow) -> Option<BarPart> {
    let (begin, end) = match (row.started, row.up) {
        (KnownTime::Between(begin, end), _) => (begin, end),
        (KnownTime::At(begin), KnownTime::At(end)) => (begin, end.max(begin)),
        (KnownTime::At(begin), _) => (begin, begin),
        (KnownTime::Unknown, _) => return None,
    };
    let bound = Bound::Within(end - begin);
    Some(BarPart {
        span: Span { begin: at(begin), end: at(end) },
        bound,
        kind: PartKind::Process,
        is_killed: false,
    })
}

/// All loggers that are not on the slowest chain, from the first start to the last end.
fn all_loggers(timeline: &Timeline<'_>, loggers: &[&MeasuredRow]) -> Option<BarRow> {
    let rows: Vec<usize> = loggers.iter().map(|row| row.row).collect();
    let begin = loggers.iter().filter_map(|row| row.started.latest()).min()?;
    let end = loggers.iter().filter_map(|row| row.up.latest()).max().unwrap_or(begin).max(begin);
    let words = format!("{} to {}", Time(begin), Time(end));
    let row = logger_row(timeline, &rows);
    let bar = MeasuredBar {
        title: format!(
            "{}: the first started at {}, the last was up at {}",
            row.name,
            Time(begin),
            Time(end)
        ),
        words,
        waited: None,
        is_between: false,
    };
    let part = BarPart {
        span: Span { begin: at(begin), end: at(end) },
        bound: Bound::Within(end - begin),
        kind: PartKind::Process,
        is_killed: false,
    };
    Some(BarRow { parts: vec![part], measured: Some(bar), ..row })
}
