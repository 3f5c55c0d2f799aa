//! What the shapes of a graph mean, for its legend.

use super::boxes::{BoxKind, SceneBox};
use super::folders::SceneBlock;
use super::frame::number;
use super::layout::BoxPlace;
use super::legend::{DrawMark, LegendItem, small_box};
use super::marks;
use super::scene::Scene;
use super::text::cells;
use crate::plan::{Awaited, OrderDirection};

/// The shapes that a graph has, with their meanings. `drawn` may have steps in turn, and names have at most `most` cells.
pub(super) fn meanings(scene: &Scene, drawn: &Scene, most: usize) -> Vec<LegendItem> {
    let boxes = || scene.boxes.iter();
    let mut items = Vec::new();
    let mut add = |occurs: bool, width: f64, words: &'static str, draw: DrawMark| {
        if occurs {
            items.push(LegendItem { width, draw, words });
        }
    };
    let small = |kind, class| small_box(kind, class, [26.0, 16.0], 6.0);
    let has_kind = |kind| boxes().any(|one| one.kind == kind);
    add(has_kind(BoxKind::Longrun), 26.0, "longrun: stays up", small(BoxKind::Longrun, ""));
    add(has_kind(BoxKind::Oneshot), 26.0, "oneshot: runs once", small(BoxKind::Oneshot, ""));
    add(has_kind(BoxKind::Elsewhere), 26.0, "defined by s6 or another layer", small(BoxKind::Elsewhere, ""));
    let has_folder = scene.blocks.iter().any(|block| block.folder.is_some());
    add(
        has_folder,
        26.0,
        "bundle: several under one name",
        Box::new(|svg, x, y| {
            let [x, y] = [x, y + 8.0].map(number);
            svg.path("B", &format!("M{x} {y}v-16h12l3 4h11v12z"));
        }),
    );
    add(
        drawn.blocks.iter().any(SceneBlock::is_in_turn),
        26.0,
        "steps in turn: from top to bottom",
        Box::new(|svg, x, y| {
            svg.rectangle("B", [x, y - 9.0, 26.0, 18.0], 3.0);
            let [x, y] = [x + 13.0, y - 6.0].map(number);
            svg.path("e", &format!("M{x} {y}v11m-4-4l4 4l4-4"));
        }),
    );
    add(
        boxes().any(|one| one.instances.is_some()),
        28.0,
        "template: any number of instances",
        Box::new(|svg, x, y| {
            for shift in [4.0, 0.0] {
                let place = BoxPlace { x: x + shift, y: y - 5.0 - shift, width: 22.0, height: 14.0 };
                marks::outline(svg, BoxKind::Longrun, "", place, 4.0);
            }
        }),
    );
    let is_dashed = boxes().any(|one| one.is_on_demand);
    let dashed =
        if scene.direction == OrderDirection::Up { "on demand: not started at boot" } else { "on demand" };
    add(is_dashed, 26.0, dashed, small(BoxKind::Longrun, " d"));
    for until in [Awaited::Done, Awaited::Ready, Awaited::Forked, Awaited::Up, Awaited::Down] {
        let occurs = scene.waits.iter().chain(&scene.back).any(|wait| wait.until == until);
        add(
            occurs,
            30.0,
            meaning(until),
            Box::new(move |svg, x, y| {
                let [from, line, to] = [x, y, x + 31.0 - marks::end_space(until)].map(number);
                svg.path("e", &format!("M{from} {line}H{to}"));
                marks::end(svg, until, x + 31.0, y, "");
            }),
        );
    }
    let has = |test: fn(&SceneBox) -> bool| boxes().any(test);
    add(has(|one| one.has_logger), 9.0, "has a logger", Box::new(marks::logger));
    add(
        has(|one| one.has_condition),
        12.0,
        "runs only if its condition holds",
        Box::new(|svg, x, y| {
            marks::condition(svg, x + 6.0, y);
        }),
    );
    add(
        has(|one| one.stops_container),
        14.0,
        "its failure stops the container",
        Box::new(|svg, x, y| {
            marks::stop(svg, x + 7.0, y);
        }),
    );
    add(
        boxes().any(|one| cells(&one.name) > most),
        22.0,
        "shortened: point at it for the whole name",
        Box::new(|svg, x, y| {
            svg.text("n", x, y + 5.0, "a…z");
        }),
    );
    add(
        !scene.cycle.is_empty(),
        26.0,
        "in the cycle",
        Box::new(|svg, x, y| {
            svg.path("e c", &format!("M{} {}h26", number(x), number(y)));
        }),
    );
    items
}

/// What the end of a line means.
fn meaning(until: Awaited) -> &'static str {
    match until {
        Awaited::Done => "waits until it is done",
        Awaited::Ready => "waits until it says it is ready",
        Awaited::Forked => "waits only until its process exists",
        Awaited::Up => "waits until it is up",
        Awaited::Down => "waits until it is down",
    }
}
