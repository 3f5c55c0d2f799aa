//! What really happened at a start, beside its plan, as text and for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use super::columns::Columns;
use crate::model::json_text;
use crate::plan::{Bound, KnownTime, MeasuredRow, MeasuredStart, Time, Timeline};

/// The measured start as text for people.
pub fn measured_text(timeline: &Timeline<'_>, times: &MeasuredStart) -> String {
    let rows = timeline.measured(times);
    let mut out = String::new();
    let Some(last) = rows.iter().filter_map(|row| row.up.latest()).max() else {
        return "Nothing of this plan runs.\n".into();
    };
    let _ = writeln!(
        out,
        "Start: everything that is known was up after {}; the plan: {}",
        Time(last),
        timeline.start_verdict()
    );
    let chain = timeline.slowest(&rows);
    let up = |row: usize| rows.iter().find(|other| other.row == row).map_or(KnownTime::Unknown, |row| row.up);
    let links = chain.iter().map(|row| format!("{} ({})", timeline.name(*row), moment(up(*row))));
    let links: Vec<String> = links.collect();
    if !links.is_empty() {
        let _ = writeln!(out, "  Slowest chain: {}", links.join(" → "));
    }
    out.push_str("\nAt boot, from the first start\n");
    let mut table = Columns::default();
    for row in &rows {
        table.add(line(timeline, row));
    }
    table.write(&mut out, ["", "waited until", "started", "is up", "plan", ""]);
    out.push_str("\ns6-rc keeps no times of oneshots: one was done before the first service that waits for it started.\n");
    out
}

fn line(timeline: &Timeline<'_>, measured: &MeasuredRow) -> [String; 6] {
    let plan = &timeline.rows[measured.row];
    let waited = match measured.waited {
        Some((until, first))
            if !timeline.rows[first].is_background
                || timeline.order.is_logger(&timeline.order.services[first]) =>
        {
            format!("{} ({})", Time(until), timeline.name(first))
        }
        _ => String::new(),
    };
    let deaths = match measured.deaths {
        0 => String::new(),
        1 => "died once: these are not the times of the boot".into(),
        deaths => format!("died {deaths} times: these are not the times of the boot"),
    };
    let allowed = match plan.bound {
        Bound::Within(0) => "at once".to_owned(),
        bound => format!("{bound}"),
    };
    let name = timeline.name(measured.row).to_string();
    [name, waited, moment(measured.started), moment(measured.up), allowed, deaths]
}

fn moment(known: KnownTime) -> String {
    match known {
        KnownTime::At(moment) => Time(moment).to_string(),
        KnownTime::Between(0, latest) => format!("by {}", Time(latest)),
        KnownTime::Between(earliest, latest) => format!("{} to {}", Time(earliest), Time(latest)),
        KnownTime::Unknown => "unknown".into(),
    }
}

/// The measured times for programs, in the form that a saved answer has.
pub fn measured_json(times: &MeasuredStart) -> Value {
    let one = times.iter().map(|(name, times)| {
        json!({
            "deaths": times.deaths,
            "name": json_text(name.as_bytes()),
            "ready": times.ready,
            "started": times.started,
        })
    });
    one.collect()
}
