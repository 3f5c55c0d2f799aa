//! The time line of a start and a stop: a bar for each service, as long as its limits allow.

use super::bars::{BarRow, Section, sections};
use super::draw_bars::{Bar, NAME, legend_of};
use super::frame::{LINE, MARGIN, PictureWords, Svg, number, words_end, wrapped};
use super::measured_bars::measured_section;
use super::page::page;
use super::scale::TimeScale;
use super::text::{NAME_CHARACTER, SMALL_CHARACTER, cells, counted, cut, wrap};
use crate::plan::{ABOUT_ONESHOTS, Grace, MeasuredRow, MeasuredStart, Moment, Time, Timeline, in_words};

/// The width of the picture.
const WIDTH: f64 = 700.0;
/// The space between the scale and the right side, for the mark at the end of the last bar.
const RIGHT: f64 = 30.0;
/// The width that is counted for a character of a verdict, which is bold.
const BOLD_CHARACTER: f64 = 9.2;
/// The height of a row, and of the head of a group.
const ROW: f64 = 26.0;
const HEAD: f64 = 22.0;

/// The width that is counted for a character of the head of a group.
const HEAD_CHARACTER: f64 = 7.6;

/// What is told about a plan beside it.
#[derive(Debug, Clone, Copy)]
pub struct PlanSource<'a> {
    /// The manifest or tree.
    pub name: &'a str,
    /// How long the container manager waits for a stop.
    pub grace: Option<Grace>,
    /// When the services of a running system started, if that is to be shown beside the plan.
    pub measured: Option<&'a MeasuredStart>,
}

/// The plan as one SVG document.
pub fn plan_svg(timeline: &Timeline<'_>, source: &PlanSource<'_>) -> String {
    let measured = source.measured.map(|times| timeline.measured(times));
    let mut verdicts = Vec::from(Verdict::all(timeline, source.grace));
    let mut sections = sections(timeline);
    if let Some(rows) = &measured {
        verdicts.insert(0, Verdict::measured(timeline, rows));
        sections.splice(0..0, measured_section(timeline, rows));
    }
    let words = PictureWords {
        role: "start and stop time line",
        title: match measured {
            Some(_) => "A real start, beside the plan".into(),
            None => "How long a start and a stop may take".into(),
        },
        subtitle: vec![match measured {
            Some(_) => format!("{}: what really happened, beside the declared limits.", source.name),
            None => format!(
                "{}: declared limits, not measurements. Every bar is as long as its limit allows.",
                source.name
            ),
        }],
        description: verdicts
            .iter()
            .map(|verdict| format!("{}. {}", verdict.text, verdict.reason))
            .collect::<Vec<_>>()
            .join(" "),
    };
    let mut svg = Svg::default();
    svg.raw(HATCHES);
    let mut y = words_end(&words, WIDTH) + 4.0;
    for verdict in &verdicts {
        y = verdict.draw(&mut svg, y);
    }
    for section in &sections {
        y = draw_section(&mut svg, section, source.grace, y + 16.0);
    }
    y = legend_of(&mut svg, &sections, y + 4.0, WIDTH);
    let about_oneshots = measured.iter().map(|_| ABOUT_ONESHOTS.to_owned());
    for note in notes(timeline, &sections).into_iter().chain(about_oneshots) {
        for line in wrapped(&note, WIDTH) {
            y += LINE;
            svg.text("s", MARGIN, y - 2.0, &line);
            svg.line();
        }
    }
    svg.finish(&words, WIDTH, (y + 12.0).round())
}

/// The plan as a page, with `text` below it.
pub fn plan_html(timeline: &Timeline<'_>, source: &PlanSource<'_>, text: &str) -> String {
    page(&plan_svg(timeline, source), &format!("{}: start and stop", source.name), WIDTH, text)
}

/// Stripes for bars that have no end.
const HATCHES: &str = "<defs><pattern id=\"s6g-l\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" \
    patternTransform=\"rotate(45)\"><path class=\"hl\" d=\"M0 0v7\"/></pattern><pattern id=\"s6g-o\" width=\"7\" \
    height=\"7\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><path class=\"ho\" d=\"M0 0v7\"/>\
    </pattern></defs>\n";

/// How long the start or the stop may take, with the reason.
struct Verdict {
    text: String,
    reason: String,
    is_bad: bool,
}

impl Verdict {
    fn all(timeline: &Timeline<'_>, grace: Option<Grace>) -> [Verdict; 2] {
        let reason = |chain: String, whole: &crate::plan::Whole| {
            let unlimited: Vec<String> = timeline
                .unlimited(whole)
                .iter()
                .map(|(why, names)| why.sentence(names).replace('`', "") + ".")
                .collect();
            match (unlimited.is_empty(), chain.is_empty()) {
                (true, true) => "Nothing in it takes time.".to_owned(),
                (true, false) => format!("Longest chain: {chain}."),
                (false, _) => unlimited.join(" "),
            }
        };
        [
            Verdict {
                text: format!("Start: {}", timeline.start_verdict()),
                reason: reason(in_words(&timeline.start_chain()), &timeline.start),
                // A limit of s6-overlay does not stop the services: it only stops waiting for them.
                is_bad: timeline.start.end.milliseconds().is_none(),
            },
            Verdict {
                text: format!("Stop: {}", timeline.stop_verdict(grace).replace('`', "")),
                reason: reason(in_words(&timeline.stop_chain()), &timeline.stop),
                is_bad: grace.map_or(timeline.stop_within().is_none(), |grace| !timeline.is_within(grace)),
            },
        ]
    }

    fn measured(timeline: &Timeline<'_>, rows: &[MeasuredRow]) -> Verdict {
        let chain = timeline.slowest_in_words(rows);
        Verdict {
            text: format!("Measured: {}", timeline.measured_verdict(rows)),
            reason: if chain.is_empty() { String::new() } else { format!("Slowest chain: {chain}.") },
            is_bad: false,
        }
    }

    /// Draws the verdict from `y` on. Returns where it ends.
    fn draw(&self, svg: &mut Svg, y: f64) -> f64 {
        let first = wrap(&self.text, ((WIDTH - 48.0) / BOLD_CHARACTER) as usize);
        let rest = wrapped(&self.reason, WIDTH - 20.0);
        let height = 12.0 + LINE * (first.len() + rest.len()) as f64;
        svg.rectangle("band", [10.0, y, WIDTH - 20.0, height], 6.0);
        svg.rectangle(if self.is_bad { "cf" } else { "f" }, [10.0, y, 4.0, height], 0.0);
        let mut line = y + 2.0;
        for (class, text) in first.iter().map(|text| ("b", text)).chain(rest.iter().map(|text| ("s", text))) {
            line += LINE;
            let class = if class == "b" && self.is_bad { "b ct" } else { class };
            svg.text(class, 24.0, line, text);
        }
        svg.line();
        y + height + 6.0
    }
}

fn draw_section(svg: &mut Svg, section: &Section, grace: Option<Grace>, y: f64) -> f64 {
    let rows = || section.groups.iter().flat_map(|(_, rows)| rows);
    let widest = rows().map(|row| cells(&cut(&row.name))).max().unwrap_or(0);
    let left = (NAME + NAME_CHARACTER * widest as f64 + 14.0).max(150.0);
    let limit =
        grace.filter(|_| section.is_stop).map(|grace| Moment { steps: 0, milliseconds: grace.milliseconds });
    // Words beside a mark that follows loggers stand to its right.
    let right = rows()
        .filter(|row| !row.loggers.is_empty() && !row.takes_time())
        .map(|row| 30.0 + SMALL_CHARACTER * cells(row.at_once) as f64)
        .fold(RIGHT, f64::max);
    let scale = TimeScale::new(rows().flat_map(BarRow::moments).chain(limit), left, WIDTH - right);
    svg.text("h", MARGIN, y + 16.0, section.title);
    let top = y + 44.0;
    let height: f64 = section.groups.iter().map(|(_, rows)| HEAD + ROW * rows.len() as f64 + 4.0).sum();
    let mut group_y = top;
    for (_, rows) in &section.groups {
        let height = HEAD + ROW * rows.len() as f64;
        svg.rectangle("band", [10.0, group_y, WIDTH - 20.0, height], 6.0);
        group_y += height + 4.0;
    }
    let width = |words: &str| SMALL_CHARACTER * cells(words) as f64;
    let mut ticks = scale.ticks();
    if let (Some(limit), Some(grace)) = (limit, grace) {
        let (x, words) = (scale.place(limit), Time(grace.milliseconds).to_string());
        ticks.retain(|(other, label)| (other - x).abs() > (width(label) + width(&words)) / 2.0 + 8.0);
        ticks.push((x, words));
    }
    for (x, words) in ticks {
        svg.path("hr", &format!("M{} {}V{}", number(x), number(top - 4.0), number(top + height - 4.0)));
        let half = width(&words) / 2.0;
        svg.text("s m", x.min(WIDTH - MARGIN - half), top - 10.0, &words);
    }
    svg.line();
    if let (Some(limit), Some(grace)) = (limit, grace) {
        draw_limit(svg, scale.place(limit), grace, top, height);
    }
    // Joins lie below the bars that they connect.
    let mut places: Vec<(usize, f64)> = Vec::new();
    let mut row_y = top;
    for (_, rows) in &section.groups {
        row_y += HEAD;
        for row in rows {
            places.extend(row.others.iter().chain([&row.id]).map(|id| (*id, row_y + ROW / 2.0)));
            row_y += ROW;
        }
        row_y += 4.0;
    }
    let middle = |id: usize| places.iter().find(|(row, _)| *row == id).map(|(_, y)| *y);
    let mut joins = Vec::new();
    for (from, to, moment) in &section.joins {
        if let (Some(from), Some(to)) = (middle(*from), middle(*to)) {
            let [x, from, to] = [scale.place(*moment), from, to].map(number);
            joins.push(format!("M{x} {from}V{to}"));
        }
    }
    // Instances that have one row have the same joins.
    joins.dedup();
    joins.iter().for_each(|join| svg.path("e c", join));
    svg.line();
    let mut row_y = top;
    for (head, rows) in &section.groups {
        // Lines do not cross it.
        svg.rectangle("band", [MARGIN, row_y + 3.0, HEAD_CHARACTER * cells(head) as f64 + 4.0, 17.0], 0.0);
        svg.text("w", MARGIN + 2.0, row_y + 16.0, head);
        svg.line();
        row_y += HEAD;
        for row in rows {
            let bar = Bar { scale: &scale, left, limit: limit.map(|limit| scale.place(limit)) };
            bar.draw(svg, row, row_y + ROW / 2.0);
            row_y += ROW;
        }
        row_y += 4.0;
    }
    top + height
}

/// Draws when everything is killed, and what comes too late.
fn draw_limit(svg: &mut Svg, x: f64, grace: Grace, top: f64, height: f64) {
    if x < WIDTH - 12.0 {
        svg.rectangle("late", [x, top - 6.0, WIDTH - 10.0 - x, height + 4.0], 0.0);
    }
    svg.path("gl", &format!("M{} {}V{}", number(x), number(top - 6.0), number(top + height - 4.0)));
    let words =
        if grace.is_usual { "docker stop: everything is killed here" } else { "everything is killed here" };
    match x + 7.5 * cells(words) as f64 <= WIDTH - MARGIN {
        true => svg.text("w", x, top - 28.0, words),
        false => svg.text("w r", WIDTH - MARGIN, top - 28.0, words),
    }
    svg.line();
}

fn notes(timeline: &Timeline<'_>, sections: &[Section]) -> Vec<String> {
    let mut notes = Vec::new();
    let rows = || sections.iter().flat_map(|section| &section.groups).flat_map(|(_, rows)| rows);
    let steps = rows().flat_map(BarRow::moments).map(|moment| moment.steps).max().unwrap_or(0);
    if steps > 0 {
        let next = if steps > 1 { "; T2: when the next ones are, which wait for them" } else { "" };
        notes.push(format!("T: when the steps without a limit are done{next}."));
    }
    if timeline.loggers.is_some() {
        notes.push("All loggers are one row. A logger stops after its service.".into());
    }
    if timeline.overlay.as_ref().is_some_and(|limits| limits.last > 0) {
        notes.push("What is left: whatever still runs, for S6_KILL_GRACETIME of s6-overlay.".into());
    }
    notes.extend(timeline.not_counted().map(|note| note.replace('`', "")));
    let left_out: usize = sections.iter().map(|section| section.left_out).max().unwrap_or(0);
    if left_out > 0 {
        notes.push(format!("Not shown: {}; the text of the plan has all.", counted(left_out, "service")));
    }
    notes
}
