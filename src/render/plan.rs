//! The plan of a start and a stop as text.

use std::collections::btree_map::{BTreeMap, Entry};
use std::fmt::Write;

use super::columns::Columns;
use crate::model::{NodeKind, System};
use crate::plan::{
    Bound, ChainPart, Grace, Moment, PlanRow, Time, Timeline, Whole, if_it_dies, in_words, listed,
};

/// The plan as text for people. `grace` is how long the container manager waits for a stop.
pub fn plan_text(timeline: &Timeline<'_>, grace: Option<Grace>) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "Start: {}", timeline.start_verdict());
    write_whole(&mut out, timeline, &timeline.start, &timeline.start_chain());
    let _ = writeln!(out, "\nStop: {}", timeline.stop_verdict(grace));
    write_whole(&mut out, timeline, &timeline.stop, &timeline.stop_chain());
    write_remedy(&mut out, timeline, grace);
    write_starts(&mut out, timeline);
    write_stops(&mut out, timeline);
    write_failures(&mut out, timeline);
    write_notes(&mut out, timeline);
    out
}

/// The chain that keeps a service waiting.
pub fn plan_why(
    timeline: &Timeline<'_>,
    row: usize,
    place: impl Fn(usize, usize) -> Option<String>,
) -> String {
    let plan = &timeline.rows[row];
    let name = timeline.name(row);
    let mut out = String::new();
    let from = if plan.is_at_boot { "" } else { " after the request" };
    let begin = plan.start.begin;
    let _ = match begin == Moment::default() {
        true => writeln!(out, "{name} starts at once{from}: nothing that takes time comes before it"),
        false => writeln!(out, "{name} starts at most {begin}{from}, when this chain is done"),
    };
    let links = timeline.chain_to(row);
    let is_shown = |row: usize| !timeline.rows[row].is_background || !timeline.rows[row].bound.is_at_once();
    let from: BTreeMap<usize, &[usize]> = links.iter().map(|link| (link.row, &link.from[..])).collect();
    let shown: Vec<_> = links.iter().filter(|link| link.row == row || is_shown(link.row)).collect();
    let mut table = Columns::default();
    for link in shown.iter().filter(|link| link.row != row || begin > Moment::default()) {
        let own = &timeline.rows[link.row];
        // What a service that is not shown waits for itself stands in its place.
        let mut todo: Vec<(usize, usize)> = link.from.iter().map(|first| (*first, *first)).collect();
        todo.sort_unstable_by_key(|(first, _)| is_shown(*first));
        let mut found = BTreeMap::new();
        while let Some((one, direct)) = todo.pop() {
            if let Entry::Vacant(place) = found.entry(one) {
                place.insert(direct);
                let further = if is_shown(one) { None } else { from.get(&one) };
                todo.extend(further.into_iter().copied().flatten().map(|first| (*first, direct)));
            }
        }
        let waits = found.into_iter().filter(|(first, _)| is_shown(*first)).map(|(first, direct)| {
            let place = place(link.row, direct).map(|place| format!(" ({place})")).unwrap_or_default();
            format!("{}{place}", timeline.name(first))
        });
        let waits: Vec<String> = waits.collect();
        let waits = if waits.is_empty() { String::new() } else { format!("after {}", waits.join(", ")) };
        let end = if link.row == row { String::new() } else { until(own) };
        table.add([timeline.name(link.row).to_string(), own.start.begin.to_string(), end, waits]);
    }
    table.write(&mut out, ["", "starts", "", ""]);
    if begin.steps > 0 {
        let _ = writeln!(out, "\n{}", T_MEANS);
        if begin.steps > 1 {
            let _ = writeln!(out, "{T2_MEANS}");
        }
    }
    out
}

const T_MEANS: &str = "T: when the steps without a limit are done.";
const T2_MEANS: &str = "T2: when the next ones without a limit are done, which wait for them; and so on.";

/// Until when dependents wait for a service.
fn until(row: &PlanRow) -> String {
    let word = row.awaited.word();
    match row.bound {
        Bound::Within(0) => format!("at once ({word})"),
        Bound::Unlimited(_) => format!("no limit ({word})"),
        Bound::Within(_) => format!("{} ({word})", row.start.end),
    }
}

fn write_whole(out: &mut String, timeline: &Timeline<'_>, whole: &Whole, chain: &[ChainPart]) {
    if !chain.is_empty() {
        let _ = writeln!(out, "  Longest chain: {}", in_words(chain));
    }
    for (why, names) in timeline.unlimited(whole) {
        let remedy = why.remedy(pronoun(&names), timeline.is_tree());
        let _ = writeln!(out, "  {}: {remedy}", why.sentence(&names));
    }
}

/// What to do about a stop that takes longer than it may.
fn write_remedy(out: &mut String, timeline: &Timeline<'_>, grace: Option<Grace>) {
    let Some(grace) = grace.filter(|grace| !timeline.is_within(*grace)) else { return };
    let Some(own) = timeline.stop_within() else { return };
    let keys: Vec<String> = timeline.stop_keys().iter().map(|key| format!("`{key}`")).collect();
    let mut remedies = Vec::new();
    if !keys.is_empty() {
        remedies.push(format!("lower {} in this chain", listed(&keys)));
    }
    if timeline.overlay.as_ref().is_some_and(|limits| limits.last > 500) {
        remedies.push("set `ENV S6_KILL_GRACETIME=500` in the Dockerfile".into());
    }
    // A little more, for a machine that is busy.
    let seconds = own.div_ceil(1000) + 2;
    remedies.push(match grace.is_usual {
        true => format!(
            "let Docker wait: `docker stop -t {seconds}`, or `stop_grace_period: {seconds}s` in a compose file"
        ),
        false => format!("give the container {seconds} s to stop"),
    });
    if let [.., _, last] = &mut remedies[..] {
        last.insert_str(0, "or ");
    }
    let all = remedies.join(", ");
    let (first, rest) = all.split_at(1);
    let _ = writeln!(out, "  {}{rest}", first.to_uppercase());
}

/// The word for services that were just named.
fn pronoun(names: &[String]) -> &'static str {
    if names.len() == 1 { "it" } else { "each of them" }
}

fn write_starts(out: &mut String, timeline: &Timeline<'_>) {
    // What belongs to s6-overlay is shown only if it takes time.
    let is_logger = |row: usize| timeline.order.is_logger(&timeline.order.services[row]);
    let takes_time = |row: usize| !timeline.rows[row].bound.is_at_once() && !is_logger(row);
    let is_shown = |row: usize| !timeline.rows[row].is_background || takes_time(row);
    let all = (0..timeline.rows.len()).filter(|row| timeline.rows[*row].is_at_boot);
    let mut at_boot: Vec<usize> = all.filter(|row| is_shown(*row)).collect();
    at_boot.sort_by_key(|row| (timeline.rows[*row].wave, *row));
    let lines = at_boot.iter().map(|row| start_line(timeline, *row)).collect();
    let mut table = Columns::default();
    add_waves(&mut table, collapsed(timeline, lines));
    if let Some(loggers) = timeline.loggers.as_ref().filter(|loggers| !loggers.bound.is_at_once()) {
        let name = listed(&timeline.names(loggers.rows.iter().copied()));
        let [begin, end] = [loggers.start.begin, loggers.start.end].map(|moment| moment.to_string());
        table.add([String::new(), name, begin, format!("{end} (ready)"), String::new()]);
    }
    if !table.is_empty() {
        out.push_str("\nAt boot, at the latest\n");
        table.write(out, ["wave", "", "starts", "is up", ""]);
    }
    let mut on_demand: Vec<usize> =
        (0..timeline.rows.len()).filter(|row| !timeline.rows[*row].is_at_boot).collect();
    on_demand.retain(|row| !timeline.rows[*row].is_background);
    if on_demand.is_empty() {
        return;
    }
    let lines = on_demand.into_iter().map(|row| start_line(timeline, row)).collect();
    let mut table = Columns::default();
    add_waves(&mut table, collapsed(timeline, lines));
    out.push_str("\nOn demand, counted from the request\n");
    table.write(out, ["wave", "", "starts", "is up", ""]);
}

/// A line of a table: a service, its wave, and the other cells.
struct PlanLine<const N: usize> {
    row: usize,
    wave: usize,
    name: String,
    cells: [String; N],
}

/// The lines with one for all instances of a template that differ only in their names.
fn collapsed<const N: usize>(timeline: &Timeline<'_>, lines: Vec<PlanLine<N>>) -> Vec<PlanLine<N>> {
    let rows: Vec<usize> = lines.iter().map(|line| line.row).collect();
    let by_row: BTreeMap<usize, &PlanLine<N>> = lines.iter().map(|line| (line.row, line)).collect();
    let is_same = |one: usize, other: usize| match (by_row.get(&one), by_row.get(&other)) {
        (Some(one), Some(other)) => one.wave == other.wave && one.cells == other.cells,
        _ => false,
    };
    let groups = timeline.collapsed(&rows, MOST_INSTANCES, is_same);
    let mut names: BTreeMap<usize, Option<String>> = BTreeMap::new();
    for group in groups {
        names.extend(group.rows[1..].iter().map(|row| (*row, None)));
        names.insert(group.rows[0], Some(group.name));
    }
    let renamed = lines.into_iter().filter_map(|mut line| {
        if let Some(name) = names.remove(&line.row) {
            line.name = name?;
        }
        Some(line)
    });
    renamed.collect()
}

/// How many instances the name for all of them lists.
const MOST_INSTANCES: usize = 4;

/// Adds lines, the first one of each wave with its number.
fn add_waves(table: &mut Columns<5>, lines: Vec<PlanLine<3>>) {
    let mut last = 0;
    for PlanLine { wave, name, cells: [one, two, three], .. } in lines {
        let before = std::mem::replace(&mut last, wave);
        let label = if before == wave || wave == 0 { String::new() } else { wave.to_string() };
        table.add([label, name, one, two, three]);
    }
}

fn start_line(timeline: &Timeline<'_>, row: usize) -> PlanLine<3> {
    let plan = &timeline.rows[row];
    let waits = plan.nearest.iter().map(|first| timeline.name(*first).to_string());
    let waits: Vec<String> = waits.collect();
    let waits = if waits.is_empty() { String::new() } else { format!("after {}", listed(&waits)) };
    let cells = [plan.start.begin.to_string(), until(plan), waits];
    PlanLine { row, wave: plan.wave, name: timeline.name(row).to_string(), cells }
}

fn write_stops(out: &mut String, timeline: &Timeline<'_>) {
    let is_shown =
        |row: &usize| !timeline.rows[*row].is_background || !timeline.rows[*row].limits.whole().is_at_once();
    let is_logger = |row: &usize| timeline.order.is_logger(&timeline.order.services[*row]);
    let all = 0..timeline.rows.len();
    let is_listed = |row: &usize| !is_logger(row) || timeline.rows[*row].stays;
    let mut rows: Vec<usize> = all.filter(is_shown).filter(is_listed).collect();
    let (stays, mut rows): (Vec<usize>, Vec<usize>) =
        std::mem::take(&mut rows).into_iter().partition(|row| timeline.rows[*row].stays);
    rows.sort_by_key(|row| (timeline.rows[*row].is_background, timeline.rows[*row].stop_wave, *row));
    let lines = rows.into_iter().map(|row| {
        let plan = &timeline.rows[row];
        let is_longrun = timeline.order.index.kind(timeline.order.services[row].node) == NodeKind::Longrun;
        let cells = stop_cells(plan.stop.begin, plan, is_longrun);
        PlanLine { row, wave: plan.stop_wave, name: timeline.name(row).to_string(), cells }
    });
    let mut table = Columns::default();
    add_waves(&mut table, collapsed(timeline, lines.collect()));
    if let Some(loggers) = timeline.loggers.as_ref().filter(|loggers| !loggers.stopping.is_empty()) {
        let name = listed(&timeline.names(loggers.stopping.iter().copied()));
        let plan =
            PlanRow { stop: loggers.stop, limits: loggers.limits, ..timeline.rows[loggers.rows[0]].clone() };
        let [begin, _, down] = stop_cells(loggers.stop.begin, &plan, true);
        table.add([String::new(), name, begin, killed(loggers.stop.end, loggers.limits.kill), down]);
    }
    if let Some(limits) = timeline.overlay.as_ref() {
        let begin = timeline.last_signal();
        let names: Vec<String> = timeline.names(stays.iter().copied());
        let name = match names.is_empty() {
            true => "what is left".to_owned(),
            false => format!("what is left, {}", listed(&names)),
        };
        let end = begin.after(Bound::Within(limits.last));
        table.add([String::new(), name, begin.to_string(), end.to_string(), end.to_string()]);
    } else if !stays.is_empty() {
        let names = listed(&timeline.names(stays.iter().copied()));
        let never = "only by `s6-rc -D`".to_owned();
        table.add([String::new(), names, never, String::new(), String::new()]);
    }
    if !table.is_empty() {
        out.push_str("\nStop, at the latest\n");
        table.write(out, ["wave", "", "signal", "killed", "is down"]);
    }
}

fn stop_cells(begin: Moment, plan: &PlanRow, is_longrun: bool) -> [String; 3] {
    let kill =
        if is_longrun { killed(begin.after(plan.limits.kill), plan.limits.kill) } else { String::new() };
    // Where s6-rc gives up, its supervisor goes on to stop it.
    let finish = plan.limits.finish.unwrap_or(Bound::Within(0));
    let stop = plan.limits.kill.then(finish);
    let mut down = match (stop, finish) {
        (Bound::Within(0), _) => "at once".into(),
        (Bound::Unlimited(_), _) => "no limit".into(),
        (_, Bound::Within(finish)) if finish > 0 => {
            format!("{} (`finish`: {})", begin.after(stop), Time(finish))
        }
        _ => begin.after(stop).to_string(),
    };
    if plan.limits.is_given_up() {
        let _ = write!(down, "; s6-rc goes on at {}", plan.stop.end);
    }
    [begin.to_string(), kill, down]
}

fn killed(moment: Moment, bound: Bound) -> String {
    match bound {
        Bound::Unlimited(_) => "never".into(),
        Bound::Within(_) => moment.to_string(),
    }
}

fn write_failures(out: &mut String, timeline: &Timeline<'_>) {
    let lines = timeline.shown_at_boot().into_iter().map(|row| {
        let dies = timeline.service(row).and_then(if_it_dies).unwrap_or_default();
        PlanLine {
            row,
            wave: 0,
            name: timeline.name(row).to_string(),
            cells: [timeline.if_it_fails(row), dies],
        }
    });
    let mut table = Columns::default();
    for PlanLine { name, cells: [fails, dies], .. } in collapsed(timeline, lines.collect()) {
        table.add([name, fails, dies]);
    }
    if !table.is_empty() {
        out.push_str("\nIf a service\n");
        table.write(out, ["", "does not start", "dies later"]);
    }
}

fn write_notes(out: &mut String, timeline: &Timeline<'_>) {
    let mut notes = Vec::new();
    let steps =
        timeline.rows.iter().map(|row| row.start.end.steps.max(row.stop.end.steps)).max().unwrap_or(0);
    if steps > 0 {
        notes.push(T_MEANS.to_owned());
    }
    if steps > 1 {
        notes.push(T2_MEANS.into());
    }
    notes.push(
        "These are the declared limits, and at a stop half a second and 50 ms for each step for s6 itself. Nothing is measured."
            .into(),
    );
    if timeline.is_crowded {
        notes.push("s6-rc runs 40 oneshots at a time. Each of the others may wait up to 30 s for its turn, and then fails.".into());
    }
    if let System::Overlay(_) = timeline.order.index.set().target.system
        && timeline.order.index.set().context.old_scripts.is_none()
    {
        notes.push("Not counted: scripts in cont-init.d and cont-finish.d. With --root they are.".into());
    }
    notes.extend(timeline.not_counted().map(str::to_owned));
    out.push('\n');
    notes.iter().for_each(|note| {
        let _ = writeln!(out, "{note}");
    });
}
