//! The small shapes of a graph: boxes, marks on them, and the ends of lines. The legend draws them, too.

use super::boxes::{BoxKind, SceneBox};
use super::frame::{Svg, number};
use super::layout::BoxPlace;
use super::text::{NAME_CHARACTER, cells, cut_to};
use crate::plan::Awaited;

/// The height of a box.
pub const BOX: f64 = 32.0;
/// How far a oneshot's point reaches.
const POINT: f64 = 12.8;
/// The space that the mark for a logger takes.
const LOGGER: f64 = 15.0;
/// The space that another mark takes.
const MARK: f64 = 20.0;

/// The width of a box that has room for its marks and its name, which takes at most `most` cells.
pub fn box_width(one: &SceneBox, most: usize) -> f64 {
    let marks = [one.has_condition, one.stops_container].into_iter().filter(|is_set| *is_set).count();
    let mut width = 20.0 + NAME_CHARACTER * cells(&cut_to(&one.name, most)) as f64 + MARK * marks as f64;
    if one.has_logger {
        width += LOGGER;
    }
    if one.kind == BoxKind::Oneshot {
        width += 10.0;
    }
    width
}

/// Draws the outline of a box. `class` is added to the classes of its kind.
pub fn outline(svg: &mut Svg, kind: BoxKind, class: &str, place: BoxPlace, radius: f64) {
    let [x, y, width, height] = [place.x, place.y, place.width, place.height];
    match kind {
        BoxKind::Longrun => svg.rectangle(&format!("L{class}"), [x, y, width, height], radius),
        BoxKind::Elsewhere => svg.rectangle(&format!("U{class}"), [x, y, width, height], radius),
        BoxKind::Oneshot => {
            let point = POINT * height / BOX;
            let [left, top, straight, half] = [x, y, width - point, height / 2.0].map(number);
            let point = number(point);
            let path = format!("M{left} {top}h{straight}l{point} {half}l-{point} {half}H{left}z");
            svg.path(&format!("O{class}"), &path);
        }
    }
}

/// Draws a box with its marks and its name, which takes at most `most` cells.
pub fn draw_box(svg: &mut Svg, one: &SceneBox, most: usize, place: BoxPlace, class: &str) {
    let dashed = if one.is_on_demand { " d" } else { "" };
    let class = format!("{dashed}{class}");
    if one.instances.is_some() {
        for shift in [6.0, 3.0] {
            outline(svg, one.kind, &class, BoxPlace { x: place.x + shift, y: place.y - shift, ..place }, 9.0);
        }
    }
    outline(svg, one.kind, &class, place, 9.0);
    let middle = place.middle();
    let mut x = place.x + 9.0;
    if one.has_condition {
        condition(svg, x + 6.0, middle);
        x += MARK;
    }
    svg.text("n", x, middle + 5.0, &cut_to(&one.name, most));
    let mut right = place.right() - if one.kind == BoxKind::Oneshot { POINT } else { 0.0 };
    if one.has_logger {
        logger(svg, right - 18.0, middle);
        right -= LOGGER;
    }
    if one.stops_container {
        stop(svg, right - 14.0, middle);
    }
}

/// The mark of a service whose logger is not shown.
pub fn logger(svg: &mut Svg, x: f64, y: f64) {
    let [x, y] = [x, y - 3.0].map(number);
    svg.path("g", &format!("M{x} {y}h9m-9 3h9m-9 3h6"));
}

/// The mark of a service that runs only if a condition holds.
pub fn condition(svg: &mut Svg, x: f64, y: f64) {
    svg.path("i", &format!("M{} {}l5.5 5.5l-5.5 5.5l-5.5-5.5z", number(x), number(y - 5.5)));
}

/// The mark of a service whose failure stops the container.
pub fn stop(svg: &mut Svg, x: f64, y: f64) {
    let [left, top] = [x - 3.0, y - 7.0].map(number);
    svg.path("x", &format!("M{left} {top}h6l4 4v6l-4 4h-6l-4-4v-6z"));
    svg.path("z", &format!("M{} {}h8", number(x - 4.0), number(y)));
}

/// The space between the end of a line and the box, which its mark takes.
pub fn end_space(until: Awaited) -> f64 {
    match until {
        Awaited::Done | Awaited::Forked | Awaited::Up => 9.0,
        Awaited::Ready => 10.5,
        Awaited::Down => 5.0,
    }
}

/// Draws the end of a line, whose tip is just before `x`. `class` is added to its classes.
pub fn end(svg: &mut Svg, until: Awaited, x: f64, y: f64, class: &str) {
    let (cx, cy) = (number(x - 1.0), number(y));
    match until {
        Awaited::Done => {
            svg.path(&format!("f{class}"), &format!("M{} {}h8v8h-8z", number(x - 9.0), number(y - 4.0)));
        }
        Awaited::Ready => svg.path(&format!("f{class}"), &format!("M{cx} {cy}l-10-5v10z")),
        Awaited::Forked => svg.circle(&format!("o{class}"), x - 5.0, y, 4.0),
        Awaited::Up => svg.circle(&format!("f{class}"), x - 5.0, y, 4.0),
        Awaited::Down => {
            svg.path(&format!("f{class}"), &format!("M{} {}h3v12h-3z", number(x - 5.0), number(y - 6.0)));
        }
    }
}

/// Draws the line from a step down to the next one, between two heights.
pub fn step(svg: &mut Svg, until: Awaited, x: f64, [from, to]: [f64; 2]) {
    let [line_x, top, end, tip] = [x, from, to - end_space(until), to].map(number);
    svg.path("e", &format!("M{line_x} {top}V{end}"));
    svg.raw(&format!("<g transform=\"rotate(90 {line_x} {tip})\">"));
    self::end(svg, until, x, to, "");
    svg.end();
}

/// Draws the outline of a folder, whose tab is wide enough for its name.
pub fn folder(svg: &mut Svg, place: BoxPlace, tab: f64) {
    let [x, y] = [place.x, place.y + 5.0].map(number);
    let tab = tab.min(place.width - 26.0);
    let rest = place.width - tab - 20.0;
    let down = place.height - 30.0;
    svg.path(
        "B",
        &format!(
            "M{x} {y}q0-5 5-5h{}q4 0 6 5l4 15h{}q5 0 5 5v{}q0 5-5 5h-{}q-5 0-5-5z",
            number(tab),
            number(rest),
            number(down),
            number(place.width - 10.0),
        ),
    );
}
