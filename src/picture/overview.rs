//! Draws how many services a graph has in each wave, where it is too large to be drawn with lines.

use super::cycle::members;
use super::draw::PictureSource;
use super::frame::{LINE, MARGIN, PictureWords, Svg, number, page_width, words_end};
use super::text::{cells, counted, cut, listed};
use super::view::View;
use crate::plan::{OrderDirection, StartOrder, steps};

/// The number of waves that are drawn.
const MOST_WAVES: usize = 30;
/// The height of a row.
const ROW: f64 = 40.0;
/// The width of the longest bar.
const BAR: f64 = 500.0;
const WIDTH: f64 = 700.0;
/// The number of characters of names below a bar.
const MOST_CELLS: usize = 85;

/// Draws the number of services in each wave.
pub(super) fn overview(order: &StartOrder<'_>, view: View<'_>, source: &PictureSource<'_>) -> String {
    let in_cycle = members(order);
    if in_cycle.contains(&true) {
        return too_long_cycle(order, &in_cycle, source);
    }
    let shown = || order.services.iter().enumerate().filter(|(_, service)| !order.is_background(service));
    let is_counted: Vec<bool> = order
        .services
        .iter()
        .map(|service| !order.is_background(service) && order.is_at_boot(service))
        .collect();
    let mut waits = order.nearest();
    for (number, firsts) in waits.iter_mut().enumerate() {
        firsts.retain(|first| is_counted[number] && is_counted[*first]);
    }
    let waves = steps(&waits);
    drop(waits);
    let (mut rows, mut on_demand): (Vec<WaveRow>, WaveRow) = (Vec::new(), WaveRow::default());
    for (number, service) in shown() {
        let row = if is_counted[number] {
            rows.resize_with(rows.len().max(waves[number]), WaveRow::default);
            &mut rows[waves[number] - 1]
        } else {
            &mut on_demand
        };
        row.add(&order.name(service).to_string());
    }
    let (start, after) = match order.direction {
        OrderDirection::Up => ("start", "What starts after what"),
        OrderDirection::Down => ("stop", "What stops after what"),
    };
    let boot: usize = rows.iter().map(|row| row.count).sum();
    let down = if start == "stop" { " --down" } else { "" };
    let (what, remedy) = match view.shows_all {
        true => ("With loggers and services of s6 (--all) that", "To draw less, leave out --all, or"),
        false => ("That", "To draw a part,"),
    };
    let words = PictureWords {
        role: "service graph",
        title: after.to_owned(),
        subtitle: vec![
            format!(
                "{}: {} {start} at boot in {}{}. {what} is too much for one picture.",
                source.name,
                counted(boot, "service"),
                counted(rows.len(), "wave"),
                match on_demand.count {
                    0 => String::new(),
                    count => format!(", {count} on demand"),
                },
            ),
            format!("{remedy} name a service: s6gen graph NAME{down} --format svg"),
        ],
        description: format!(
            "The number of services that {start} in each of {}.",
            counted(rows.len(), "wave")
        ),
    };
    let width = page_width(&words, WIDTH);
    let mut svg = Svg::default();
    let mut y = words_end(&words, width) + 10.0;
    let most = rows.iter().map(|row| row.count).chain([on_demand.count]).max().unwrap_or(0);
    let left_out = rows.len().saturating_sub(MOST_WAVES);
    for (wave, row) in rows.iter().take(MOST_WAVES).enumerate() {
        row.draw(&mut svg, &format!("Wave {}", wave + 1), "L", most, y);
        y += ROW;
    }
    if left_out > 0 {
        svg.text("s", MARGIN, y + 10.0, &format!("{} more", counted(left_out, "wave")));
        y += LINE + 8.0;
    }
    if on_demand.count > 0 {
        on_demand.draw(&mut svg, "On demand", "L d", most, y);
        y += ROW;
    }
    svg.finish(&words, width, y + 8.0)
}

/// Says which services wait for each other, where a cycle is too long to be drawn.
fn too_long_cycle(order: &StartOrder<'_>, in_cycle: &[bool], source: &PictureSource<'_>) -> String {
    let of_cycle = order.services.iter().zip(in_cycle).filter(|(_, is_member)| **is_member);
    let names: Vec<String> = of_cycle.map(|(service, _)| cut(&order.name(service).to_string())).collect();
    let verb = match order.direction {
        OrderDirection::Up => "start",
        OrderDirection::Down => "stop",
    };
    let sentence = format!(
        "{}: {} wait for each other in a cycle, so none of them can {verb}: {}. That is too much for one picture. \
         s6gen check names each wait with its line.",
        source.name,
        counted(names.len(), "service"),
        listed(&names, 20)
    );
    let words = PictureWords {
        role: "service graph",
        title: "What waits for itself".to_owned(),
        subtitle: vec![sentence.clone()],
        description: sentence,
    };
    let width = page_width(&words, WIDTH);
    Svg::default().finish(&words, width, words_end(&words, width) + 16.0)
}

/// The services of a wave.
#[derive(Default)]
struct WaveRow {
    count: usize,
    /// The first names, as many as fit.
    names: String,
}

impl WaveRow {
    fn add(&mut self, name: &str) {
        self.count += 1;
        let name = cut(name);
        if self.names.ends_with('…') {
            return;
        }
        if cells(&self.names) + cells(&name) > MOST_CELLS {
            self.names.push_str(", …");
            return;
        }
        if self.count > 1 {
            self.names.push_str(", ");
        }
        self.names.push_str(&name);
    }

    fn draw(&self, svg: &mut Svg, label: &str, class: &str, most: usize, y: f64) {
        svg.begin("N", &format!("{label}: {}", counted(self.count, "service")));
        svg.text("w", MARGIN, y + 12.0, label);
        let width = (BAR * self.count as f64 / most.max(1) as f64).max(3.0);
        let x = MARGIN + 86.0;
        svg.path(class, &format!("M{} {}h{}v14h-{}z", number(x), number(y), number(width), number(width)));
        svg.text("s", x + width + 8.0, y + 11.5, &self.count.to_string());
        svg.text("s", x, y + 28.0, &self.names);
        svg.end();
    }
}
