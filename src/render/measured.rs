//! What really happened at a start, beside its plan, as text and for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use super::columns::Columns;
use crate::model::json_text;
use crate::plan::{ABOUT_ONESHOTS, MeasuredRow, MeasuredStart, PlanRow, Time, Timeline};

/// The measured start as text for people.
pub fn measured_text(timeline: &Timeline<'_>, times: &MeasuredStart) -> String {
    let rows = timeline.measured(times);
    let mut out = String::new();
    if rows.iter().all(|row| row.up.latest().is_none()) {
        return "Nothing of this plan runs.\n".into();
    }
    let _ =
        writeln!(out, "Start: {}; the plan: {}", timeline.measured_verdict(&rows), timeline.start_verdict());
    let chain = timeline.slowest_in_words(&rows);
    if !chain.is_empty() {
        let _ = writeln!(out, "  Slowest chain: {chain}");
    }
    out.push_str("\nAt boot, from the first start\n");
    let mut table = Columns::default();
    for row in &rows {
        table.add(line(timeline, row));
    }
    table.write(&mut out, ["", "waited until", "started", "is up", "plan", ""]);
    let _ = writeln!(out, "\n{ABOUT_ONESHOTS}");
    let started_since = |(row, plan): (usize, &PlanRow)| {
        let name = timeline.name(row);
        let is_wanted = !plan.is_at_boot && !plan.is_background && times.contains_key(name);
        is_wanted.then(|| name.to_string())
    };
    let names: Vec<String> = timeline.rows.iter().enumerate().filter_map(started_since).collect();
    if !names.is_empty() {
        let _ = writeln!(out, "Not at boot, but started since: {}.", names.join(", "));
    }
    out
}

fn line(timeline: &Timeline<'_>, measured: &MeasuredRow) -> [String; 6] {
    let plan = &timeline.rows[measured.row];
    let waited = measured.waited.map(|(until, first)| format!("{} ({})", Time(until), timeline.name(first)));
    let name = timeline.name(measured.row).to_string();
    [
        name,
        waited.unwrap_or_default(),
        measured.started.to_string(),
        measured.up.to_string(),
        plan.bound.to_string(),
        timeline.about_measured(measured).unwrap_or_default(),
    ]
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
