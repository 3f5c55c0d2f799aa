//! Draws the rows of a time line, and what their shapes mean.

use super::bars::{BarEnd, BarPart, BarRow, MeasuredBar, PartKind, Section};
use super::boxes::BoxKind;
use super::frame::{MARGIN, Svg, number};
use super::layout::BoxPlace;
use super::legend::{DrawMark, LegendItem, legend, small_box};
use super::marks;
use super::scale::TimeScale;
use super::text::{SMALL_CHARACTER, cells, cut};
use crate::plan::{Awaited, Bound, Time};

/// Where a name begins: the shape of its kind is before it.
pub const NAME: f64 = 50.0;
/// The height of a bar.
const BAR: f64 = 14.0;

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
            None if row.is_logger => marks::logger(svg, MARGIN + 10.0, y),
            None => {}
        }
        let class = if row.is_on_chain { "n ct" } else { "n" };
        svg.text(class, NAME, y + 5.0, &cut(&row.name));
        if let Some(bar) = &row.measured {
            self.draw_measured(svg, row, bar, y);
            return svg.end();
        }
        let Some(first) = row.parts.first() else { return svg.end() };
        let begin = self.scale.place(first.span.begin);
        let waits = row.loggers.iter().map(|span| self.scale.place(span.begin)).fold(begin, f64::min);
        if waits > self.left + 6.0 {
            svg.path("wt", &format!("M{} {}H{}", number(self.left), number(y), number(waits - 4.0)));
        }
        let takes_time = row.takes_time();
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

    fn draw_measured(&self, svg: &mut Svg, row: &BarRow, bar: &MeasuredBar, y: f64) {
        let Some(part) = row.parts.first() else {
            return svg.text("s halo", self.left + 8.0, y + 4.5, &bar.words);
        };
        let (from, to) = (self.scale.place(part.span.begin), self.scale.place(part.span.end));
        let waited = bar.waited.map_or(from, |waited| self.scale.place(waited).min(from));
        if waited > self.left + 6.0 {
            svg.path("wt", &format!("M{} {}H{}", number(self.left), number(y), number(waited)));
        }
        let (chain, filled) = if row.is_on_chain { (" c", " cf") } else { ("", "") };
        if row.is_on_chain && waited < from {
            svg.path("e c", &format!("M{} {}H{}", number(waited), number(y), number(from)));
        }
        if bar.is_between {
            between(svg, chain, [from, to], y);
            return self.beside(svg, row, &bar.words, [from, to], y);
        }
        if to > from {
            let kind = if row.kind == Some(BoxKind::Oneshot) { "O" } else { "L" };
            let place = [from, y - BAR / 2.0, to - from, BAR];
            svg.rectangle(kind, place, 0.0);
            if row.is_on_chain {
                svg.rectangle("cb", place, 0.0);
            }
        }
        let mut end = to;
        if let BarEnd::State(state) = row.end {
            end = if to > from { to + 11.0 } else { to + 5.0 };
            let class = if state == Awaited::Forked { chain } else { filled };
            marks::end(svg, state, end, y, class);
        } else if to == from {
            svg.path("e", &format!("M{} {}v10", number(from), number(y - 5.0)));
        }
        match to - from > SMALL_CHARACTER * cells(&bar.words) as f64 + 14.0 {
            true => svg.text("v m", (from + to) / 2.0, y + 4.5, &bar.words),
            false => self.beside(svg, row, &bar.words, [waited, end], y),
        }
    }

    fn draw_part(&self, svg: &mut Svg, row: &BarRow, part: &BarPart, y: f64) {
        let (from, to) = (self.scale.place(part.span.begin), self.scale.place(part.span.end));
        let place = [from, y - BAR / 2.0, to - from, BAR];
        let kind = if row.kind == Some(BoxKind::Oneshot) { "O" } else { "L" };
        let is_finish = matches!(part.kind, PartKind::Finish | PartKind::Own);
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
            Bound::Unlimited(_) => format!("{}no limit", part.kind.words()),
            Bound::Within(time) => format!("{}{}", part.kind.words(), Time(time)),
        };
        match to - from > SMALL_CHARACTER * cells(&words) as f64 + 14.0 {
            true => {
                let middle = (from + to) / 2.0;
                if matches!(part.bound, Bound::Unlimited(_)) {
                    let half = SMALL_CHARACTER * cells(&words) as f64 / 2.0;
                    svg.rectangle("hw", [middle - half, y - BAR / 2.0 + 0.8, 2.0 * half, BAR - 1.6], 0.0);
                }
                svg.text("v m", middle, y + 4.5, &words);
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
        let crossed =
            |from: f64| self.limit.filter(|limit| from - 4.0 < *limit && *limit < from + width + 4.0);
        let (mut start, mut end) = (right + 14.0, left - 10.0);
        // The line at which everything is killed does not cross them.
        start = crossed(start).map_or(start, |limit| limit + 8.0);
        end = crossed(end - width).map_or(end, |limit| limit - 8.0);
        match start + 2.0 + width < 690.0 {
            true => svg.text("s halo", start, y + 4.5, words),
            false => svg.text("s r halo", end, y + 4.5, words),
        }
    }
}

/// A time of which only the two ends are known.
fn between(svg: &mut Svg, class: &str, [from, to]: [f64; 2], y: f64) {
    let [from, to, middle, top] = [from, to, y, y - 5.0].map(number);
    svg.path(&format!("e{class}"), &format!("M{from} {top}v10M{to} {top}v10M{from} {middle}H{to}"));
}

/// A row in words.
fn title(row: &BarRow) -> String {
    if let Some(bar) = &row.measured {
        return bar.title.clone();
    }
    let parts = row.parts.iter().map(|part| match part.bound {
        Bound::Within(0) => row.at_once.to_owned(),
        Bound::Within(time) => {
            format!("{}{}, from {} to {}", part.kind.words(), Time(time), part.span.begin, part.span.end)
        }
        Bound::Unlimited(_) => format!("{}no limit, from {}", part.kind.words(), part.span.begin),
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
    let small = |kind, class| small_box(kind, class, [24.0, 14.0], 5.0);
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
    let measured = || rows().filter_map(|row| row.measured.as_ref());
    add(
        measured().any(|bar| bar.is_between),
        24.0,
        "done at some moment between",
        Box::new(|svg, x, y| between(svg, "", [x + 1.0, x + 23.0], y)),
    );
    add(
        measured().any(|bar| bar.waited.is_some()),
        24.0,
        "waited",
        Box::new(|svg, x, y| svg.path("wt", &format!("M{} {}h24", number(x), number(y)))),
    );
    add(
        rows().any(|row| row.is_on_chain),
        24.0,
        if measured().next().is_some() { "longest and slowest chain" } else { "longest chain" },
        Box::new(|svg, x, y| svg.path("e c", &format!("M{} {}h24", number(x), number(y)))),
    );
    legend(svg, items, y, width)
}
