//! The rows of a time line: what each bar shows, and how it is drawn.

use super::boxes::BoxKind;
use super::frame::{MARGIN, Svg, number};
use super::layout::BoxPlace;
use super::legend::{DrawMark, LegendItem, legend};
use super::marks;
use super::scale::TimeScale;
use super::text::{SMALL_CHARACTER, cells, cut};
use crate::model::NodeKind;
use crate::plan::{Awaited, Bound, ChainLink, Moment, PlanRow, Span, Time, Timeline, listed};

/// Where a name begins: the shape of its kind is before it.
pub const NAME: f64 = 50.0;
/// The height of a bar.
const BAR: f64 = 14.0;
/// The number of rows with which a part of a picture is still readable.
const MOST_ROWS: usize = 80;

/// The start or the stop.
pub struct Section {
    /// Its title.
    pub title: &'static str,
    /// Whether it is the stop.
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
    /// Its name.
    pub name: String,
    /// Its kind. `None` for loggers and what is left.
    pub kind: Option<BoxKind>,
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
}

/// A part of a bar.
pub struct BarPart {
    /// Its time.
    pub span: Span,
    /// How long it may take.
    pub bound: Bound,
    /// Words before its limit.
    pub what: &'static str,
    /// Whether SIGKILL ends it.
    pub is_killed: bool,
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
    let row = |row: usize| {
        let plan = &timeline.rows[row];
        BarRow {
            parts: vec![BarPart { span: plan.start, bound: plan.bound, what: "", is_killed: false }],
            end: BarEnd::State(plan.awaited),
            loggers: logger_spans(timeline, chain, row, |plan| plan.start),
            ..bar_row(timeline, row, chain)
        }
    };
    let all: Vec<usize> = (0..timeline.rows.len()).filter(|row| !timeline.rows[*row].is_background).collect();
    let (shown, left_out) = readable(timeline, all, chain, |plan| plan.bound);
    let (boot, on_demand): (Vec<usize>, Vec<usize>) =
        shown.into_iter().partition(|row| timeline.rows[*row].is_at_boot);
    let mut groups = grouped(boot, |row| timeline.rows[row].wave, |wave, _| format!("Wave {wave}"), row);
    if let Some(loggers) = timeline.loggers.as_ref().filter(|loggers| !loggers.bound.is_at_once()) {
        let part = BarPart {
            span: loggers.start,
            bound: loggers.bound,
            what: "each after what its service needs: ",
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
        groups.push(("On demand: counted from the request".into(), on_demand.into_iter().map(row).collect()));
    }
    Section {
        title: "Start",
        is_stop: false,
        groups,
        joins: joins(timeline, chain, |plan| plan.start),
        left_out,
    }
}

fn stop(timeline: &Timeline<'_>) -> Section {
    let chain = &timeline.stop.chain;
    let row = |row: usize| {
        let plan = &timeline.rows[row];
        BarRow {
            parts: stop_parts(
                plan,
                timeline.order.index.kind(timeline.order.services[row].node) == NodeKind::Longrun,
            ),
            at_once: "nothing to undo",
            loggers: logger_spans(timeline, chain, row, |plan| plan.stop),
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
    let mut last = Vec::new();
    // What takes no time and comes last only ends the picture.
    let takes_time = |row: usize| timeline.rows[row].stop.begin < timeline.rows[row].stop.end;
    let leads_on = |row: usize| chain.iter().any(|link| link.from.contains(&row) && takes_time(link.row));
    let is_lasting = |link: &&ChainLink| takes_time(link.row) || leads_on(link.row);
    let lasting: Vec<ChainLink> = chain.iter().filter(is_lasting).cloned().collect();
    let mut joins = joins(timeline, &lasting, |plan| plan.stop);
    if let Some(loggers) = timeline.loggers.as_ref().filter(|loggers| !loggers.limits.whole().is_at_once()) {
        let part = BarPart {
            span: loggers.stop,
            bound: loggers.limits.whole(),
            what: "each after its service: ",
            is_killed: true,
        };
        last.push(BarRow { parts: vec![part], end: BarEnd::Nothing, ..logger_row(timeline, &loggers.rows) });
    }
    if let Some(limits) = timeline.overlay.as_ref().filter(|limits| limits.last > 0) {
        let (begin, bound) = (timeline.services_stop, Bound::Within(limits.last));
        let stays: Vec<usize> = (0..timeline.rows.len())
            .filter(|row| timeline.rows[*row].stays && !timeline.rows[*row].is_background)
            .collect();
        let name = if stays.is_empty() { "what is left".into() } else { listed(&timeline.names(stays)) };
        let part =
            BarPart { span: Span { begin, end: begin.after(bound) }, bound, what: "", is_killed: true };
        let id = timeline.rows.len();
        let ends = lasting.iter().filter(|link| timeline.rows[link.row].stop.end == begin);
        joins.extend(ends.filter_map(|link| Some((owner(timeline, chain, link.row)?, id, begin))));
        last.push(BarRow {
            id,
            name,
            kind: None,
            is_on_demand: false,
            is_on_chain: true,
            parts: vec![part],
            loggers: Vec::new(),
            end: BarEnd::Nothing,
            at_once: "",
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
        what: "",
        is_killed: is_longrun,
    }];
    if let Some(finish) = limits.finish.filter(|finish| !finish.is_at_once()) {
        let span = Span { begin: kill, end: kill.after(finish) };
        parts.push(BarPart { span, bound: finish, what: "finish: ", is_killed: false });
    }
    if let Some(limit) = limits.given_up
        && limits.kill.then(limits.finish.unwrap_or(Bound::Within(0))) != limits.whole()
    {
        let bound = Bound::Within(limit);
        parts = vec![BarPart {
            span: Span { begin, end: begin.after(bound) },
            bound,
            what: "given up: ",
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

fn bar_row(timeline: &Timeline<'_>, row: usize, chain: &[ChainLink]) -> BarRow {
    BarRow {
        id: row,
        name: timeline.name(row).to_string(),
        kind: Some(match timeline.order.index.kind(timeline.order.services[row].node) {
            NodeKind::Oneshot => BoxKind::Oneshot,
            NodeKind::Longrun => BoxKind::Longrun,
            _ => BoxKind::Elsewhere,
        }),
        is_on_demand: !timeline.rows[row].is_at_boot,
        is_on_chain: chain.iter().any(|link| link.row == row),
        parts: Vec::new(),
        loggers: Vec::new(),
        end: BarEnd::Nothing,
        at_once: "at once",
    }
}

fn logger_row(timeline: &Timeline<'_>, rows: &[usize]) -> BarRow {
    BarRow {
        id: rows[0],
        name: listed(&timeline.names(rows.iter().copied())),
        kind: None,
        is_on_demand: false,
        is_on_chain: false,
        parts: Vec::new(),
        loggers: Vec::new(),
        end: BarEnd::Nothing,
        at_once: "",
    }
}

/// The service whose row stands for a link of the chain. A logger is drawn on the row of the service that it waits for, or that
/// waits for it.
fn owner(timeline: &Timeline<'_>, chain: &[ChainLink], row: usize) -> Option<usize> {
    if !timeline.order.is_logger(&timeline.order.services[row]) {
        return Some(row);
    }
    let is_producer = |link: &&ChainLink| timeline.order.services[link.row].after().any(|first| first == row);
    chain.iter().find(is_producer).map(|link| link.row)
}

/// What the loggers of a service add to the chain on its row: each span once.
fn logger_spans(
    timeline: &Timeline<'_>,
    chain: &[ChainLink],
    row: usize,
    of: fn(&PlanRow) -> Span,
) -> Vec<Span> {
    let loggers =
        chain.iter().filter(|link| link.row != row && owner(timeline, chain, link.row) == Some(row));
    let mut spans: Vec<Span> = loggers.map(|link| of(&timeline.rows[link.row])).collect();
    spans.dedup();
    spans
}

fn joins(
    timeline: &Timeline<'_>,
    chain: &[ChainLink],
    of: fn(&PlanRow) -> Span,
) -> Vec<(usize, usize, Moment)> {
    let mut joins: Vec<(usize, usize, Moment)> = chain
        .iter()
        .flat_map(|link| link.from.iter().map(|from| (*from, link.row)))
        .filter_map(|(from, to)| {
            let rows = (owner(timeline, chain, from)?, owner(timeline, chain, to)?);
            (rows.0 != rows.1).then(|| (rows.0, rows.1, of(&timeline.rows[to]).begin))
        })
        .collect();
    joins.sort_unstable();
    joins.dedup();
    joins
}

/// Where bars are drawn.
pub struct Bar<'a> {
    pub scale: &'a TimeScale,
    /// Where the scale begins.
    pub left: f64,
    /// Where everything is killed.
    pub limit: Option<f64>,
}

impl Bar<'_> {
    /// Draws a row whose middle is at `y`.
    pub fn draw(&self, svg: &mut Svg, row: &BarRow, y: f64) {
        svg.begin("N", &title(row));
        let place = BoxPlace { x: MARGIN + 2.0, y: y - 7.0, width: 24.0, height: 14.0 };
        match row.kind {
            Some(kind) => marks::outline(svg, kind, if row.is_on_demand { " d" } else { "" }, place, 5.0),
            None if row.at_once.is_empty() && row.name.contains("logger") => {
                marks::logger(svg, MARGIN + 10.0, y)
            }
            None => {}
        }
        let class = if row.is_on_chain { "n ct" } else { "n" };
        svg.text(class, NAME, y + 5.0, &cut(&row.name));
        let Some(first) = row.parts.first() else { return svg.end() };
        let begin = self.scale.place(first.span.begin);
        let waits = row.loggers.iter().map(|span| self.scale.place(span.begin)).fold(begin, f64::min);
        if waits > self.left + 6.0 {
            svg.path("wt", &format!("M{} {}H{}", number(self.left), number(y), number(waits - 4.0)));
        }
        let takes_time = row.parts.iter().any(|part| !part.bound.is_at_once());
        for span in &row.loggers {
            let (from, to) = (self.scale.place(span.begin), self.scale.place(span.end));
            svg.rectangle("hw cb", [from, y - 3.0, to - from, 6.0], 0.0);
        }
        for part in row.parts.iter().filter(|part| !part.bound.is_at_once()) {
            self.draw_part(svg, row, part, y);
        }
        let end = row.parts.last().map_or(begin, |part| self.scale.place(part.span.end));
        let class = if row.is_on_chain { " cf" } else { "" };
        if let BarEnd::State(state) = row.end {
            let class =
                if state == Awaited::Forked { if row.is_on_chain { " c" } else { "" } } else { class };
            let tip = if takes_time { end + 11.0 } else { end + 5.0 };
            marks::end(svg, state, tip, y, class);
        } else if !takes_time {
            marks::end(svg, Awaited::Done, end + 5.0, y, class);
        }
        if !takes_time && !row.at_once.is_empty() {
            self.beside(svg, row, row.at_once, [end, end], y);
        }
        svg.end();
    }

    fn draw_part(&self, svg: &mut Svg, row: &BarRow, part: &BarPart, y: f64) {
        let (from, to) = (self.scale.place(part.span.begin), self.scale.place(part.span.end));
        let place = [from, y - BAR / 2.0, to - from, BAR];
        let kind = if row.kind == Some(BoxKind::Oneshot) { "O" } else { "L" };
        let is_finish = part.what.starts_with("finish");
        let mut class = if is_finish { format!("{kind} hw") } else { kind.to_owned() };
        if row.is_on_demand {
            class.push_str(" d");
        }
        // What comes too late is hollow and dashed.
        let late = self.limit.filter(|limit| to > limit + 0.5);
        svg.rectangle(&class, place, 0.0);
        if matches!(part.bound, Bound::Unlimited(_)) {
            svg.rectangle(if kind == "O" { "po" } else { "pl" }, place, 0.0);
        }
        if let Some(limit) = late {
            let start = limit.max(from);
            svg.rectangle(&format!("{kind} hw d"), [start, place[1], to - start, BAR], 0.0);
        }
        if row.is_on_chain {
            svg.rectangle(if late.is_some_and(|limit| limit <= from) { "cb d" } else { "cb" }, place, 0.0);
        }
        if part.is_killed && !matches!(part.bound, Bound::Unlimited(_)) {
            let class = if row.is_on_chain { "kx c" } else { "kx" };
            let [x, top] = [to - 5.0, y - 5.0].map(number);
            svg.path(class, &format!("M{x} {top}l10 10m0-10l-10 10"));
        }
        let words = match part.bound {
            Bound::Unlimited(_) => format!("{}no limit", part.what),
            Bound::Within(time) => format!("{}{}", part.what, Time(time)),
        };
        match to - from > SMALL_CHARACTER * cells(&words) as f64 + 14.0 {
            true => {
                let class = if matches!(part.bound, Bound::Unlimited(_)) { "v m halo" } else { "v m" };
                svg.text(class, (from + to) / 2.0, y + 4.5, &words);
            }
            false if is_finish || row.parts.len() == 1 => self.beside(svg, row, &words, [from, to], y),
            false => {}
        }
    }

    /// Writes words beside a short bar and its loggers, on the side where there is room.
    fn beside(&self, svg: &mut Svg, row: &BarRow, words: &str, [from, to]: [f64; 2], y: f64) {
        let places = || {
            row.loggers.iter().flat_map(|span| [span.begin, span.end]).map(|moment| self.scale.place(moment))
        };
        let begin = row.parts.first().map_or(from, |part| self.scale.place(part.span.begin));
        let (left, right) = (places().fold(begin.min(from), f64::min), places().fold(to, f64::max));
        let width = SMALL_CHARACTER * cells(words) as f64;
        match right + 16.0 + width < 690.0 {
            true => svg.text("s halo", right + 14.0, y + 4.5, words),
            false => svg.text("s r halo", left - 10.0, y + 4.5, words),
        }
    }
}

/// A row in words.
fn title(row: &BarRow) -> String {
    let parts = row.parts.iter().map(|part| match part.bound {
        Bound::Within(0) => row.at_once.to_owned(),
        Bound::Within(time) => {
            format!("{}{}, from {} to {}", part.what, Time(time), part.span.begin, part.span.end)
        }
        Bound::Unlimited(_) => format!("{}no limit, from {}", part.what, part.span.begin),
    });
    let parts: Vec<String> = parts.filter(|text| !text.is_empty()).collect();
    let chain = if row.is_on_chain { "; on the longest chain" } else { "" };
    format!("{}: {}{chain}", row.name, parts.join(", then "))
}

/// Draws what the shapes mean that occur. Returns where that ends.
pub fn legend_of(svg: &mut Svg, sections: &[Section], y: f64, width: f64) -> f64 {
    let rows = || sections.iter().flat_map(|section| &section.groups).flat_map(|(_, rows)| rows);
    let mut items = Vec::new();
    let mut add = |occurs: bool, width: f64, words: &'static str, draw: DrawMark| {
        if occurs {
            items.push(LegendItem { width, draw, words });
        }
    };
    let small = |kind: BoxKind, class: &'static str| -> DrawMark {
        Box::new(move |svg, x, y| {
            marks::outline(svg, kind, class, BoxPlace { x, y: y - 7.0, width: 24.0, height: 14.0 }, 5.0);
        })
    };
    let has_kind = |kind| rows().any(|row| row.kind == Some(kind));
    add(has_kind(BoxKind::Longrun), 24.0, "longrun", small(BoxKind::Longrun, ""));
    add(has_kind(BoxKind::Oneshot), 24.0, "oneshot", small(BoxKind::Oneshot, ""));
    add(has_kind(BoxKind::Elsewhere), 24.0, "in another layer", small(BoxKind::Elsewhere, ""));
    add(rows().any(|row| row.is_on_demand), 24.0, "on demand", small(BoxKind::Longrun, " d"));
    let states = [
        (Awaited::Done, "done"),
        (Awaited::Ready, "ready"),
        (Awaited::Forked, "forked: its process exists"),
        (Awaited::Up, "up"),
    ];
    for (state, words) in states {
        let occurs = rows().any(|row| row.end == BarEnd::State(state));
        add(occurs, 12.0, words, Box::new(move |svg, x, y| marks::end(svg, state, x + 11.0, y, "")));
    }
    add(
        rows().any(BarRow::has_no_limit),
        24.0,
        "no limit",
        Box::new(|svg, x, y| {
            svg.rectangle("O", [x, y - 6.0, 24.0, 12.0], 0.0);
            svg.rectangle("po", [x, y - 6.0, 24.0, 12.0], 0.0);
        }),
    );
    add(
        rows().any(|row| row.parts.iter().any(|part| part.is_killed)),
        12.0,
        "the signal at the start of the bar, KILL here",
        Box::new(|svg, x, y| {
            let [x, y] = [x + 1.0, y - 5.0].map(number);
            svg.path("kx", &format!("M{x} {y}l10 10m0-10l-10 10"));
        }),
    );
    add(
        rows().any(|row| !row.loggers.is_empty()),
        24.0,
        "its loggers",
        Box::new(|svg, x, y| svg.rectangle("hw cb", [x, y - 3.0, 24.0, 6.0], 0.0)),
    );
    add(
        rows().any(|row| row.is_on_chain),
        24.0,
        "longest chain",
        Box::new(|svg, x, y| svg.path("e c", &format!("M{} {}h24", number(x), number(y)))),
    );
    legend(svg, items, y, width)
}
