//! Draws the lines of a graph.

use std::fmt::Write;

use super::frame::{Svg, number};
use super::layout::{BackRoute, Layout, Route};
use super::marks;
use super::scene::Scene;
use super::text::cut;
use crate::plan::Awaited;

/// The radius of a turn.
const TURN: f64 = 6.0;

/// The port of a line that ends in a given state.
pub(super) fn port(until: Awaited) -> usize {
    match until {
        Awaited::Done => 0,
        Awaited::Ready => 1,
        Awaited::Forked => 2,
        Awaited::Up => 3,
        Awaited::Down => 4,
    }
}

fn until(port: usize) -> Awaited {
    [Awaited::Done, Awaited::Ready, Awaited::Forked, Awaited::Up, Awaited::Down][port % BACK]
}

/// What is added to the port of a line that leads back, so that it ends below all others.
pub(super) const BACK: usize = 5;

/// Draws all lines that lead to the right.
pub(super) fn draw(svg: &mut Svg, layout: &Layout, is_in_cycle: impl Fn(&Route, Option<usize>) -> bool) {
    for route in &layout.routes {
        svg.raw("<g class=\"E\" aria-hidden=\"true\">");
        cut_others(svg, route);
        // Those of a cycle come last, because they are thicker.
        for is_thick in [false, true] {
            let mut path = String::new();
            let mut ends = Vec::new();
            for end in &route.ends {
                let to = end.port.map(|(to, _)| to);
                if is_in_cycle(route, to) != is_thick {
                    continue;
                }
                let thicker = if is_thick { 1.0 } else { 0.0 };
                let space = end.port.map_or(0.0, |(_, port)| marks::end_space(until(port)) + thicker);
                bend(&mut path, route, end.y, end.x - space);
                ends.extend(end.port.map(|(_, port)| (port, end.x, end.y)));
            }
            if path.is_empty() {
                continue;
            }
            let class = if is_thick { " c" } else { "" };
            svg.path(&format!("e{class}"), &path);
            ends.dedup();
            for (port, x, y) in ends {
                marks::end(svg, until(port), x, y, if is_thick { " c" } else { "" });
            }
        }
        svg.end();
    }
}

/// Interrupts the lines that a route crosses with its vertical part.
fn cut_others(svg: &mut Svg, route: &Route) {
    let (top, bottom) = route.span();
    if let Some(x) = route.track
        && bottom - top > 20.0
    {
        // It leaves out the turns, so that a line that joins is not interrupted.
        let mut stops: Vec<f64> = route.ends.iter().map(|end| end.y).chain([route.y]).collect();
        stops.sort_by(f64::total_cmp);
        let mut path = String::new();
        for pair in stops.windows(2).filter(|pair| pair[1] - pair[0] > 20.0) {
            let _ = write!(path, "M{} {}V{}", number(x), number(pair[0] + 8.0), number(pair[1] - 8.0));
        }
        if !path.is_empty() {
            svg.path("k", &path);
        }
    }
}

/// Adds the line of a route to one of its ends.
fn bend(path: &mut String, route: &Route, y: f64, x: f64) {
    let (start_x, start_y) = (route.x, route.y);
    let _ = write!(path, "M{} {}", number(start_x), number(start_y));
    if let Some(track) = route.track.filter(|_| y != start_y) {
        let turn = TURN.min((y - start_y).abs() / 2.0);
        let step = if y > start_y { turn } else { -turn };
        let [turned, step_text, before, after] = [turn, step, track - turn, y - step].map(number);
        let _ = write!(
            path,
            "H{before}q{turned} 0 {turned} {step_text}V{after}q0 {step_text} {turned} {step_text}"
        );
    }
    let _ = write!(path, "H{}", number(x));
}

/// Draws the lines that lead back, with words on them.
pub(super) fn draw_back(svg: &mut Svg, scene: &Scene, routes: &[BackRoute]) {
    for route in routes {
        let kind = until(route.link.port);
        let turn = 8.0;
        let [from_x, from_y] = [route.from.0, route.from.1].map(number);
        let [out, down] = [route.out_x - turn, route.row - turn].map(number);
        let [back, up] = [route.in_x + turn, route.to.1 + turn].map(number);
        let end = number(route.to.0 - marks::end_space(kind) - 1.0);
        svg.raw("<g aria-hidden=\"true\">");
        svg.path(
            "e c",
            &format!("M{from_x} {from_y}H{out}q8 0 8 8V{down}q0 8-8 8H{back}q-8 0-8-8V{up}q0-8 8-8H{end}"),
        );
        marks::end(svg, kind, route.to.0, route.to.1, " c");
        svg.end();
    }
    for route in routes {
        let name = |block: usize| cut(&scene.block_name(block));
        let words = format!("{} waits for {}", name(route.link.to), name(route.link.from));
        svg.text("s ct halo", route.in_x + 14.0, route.row - 5.0, &words);
        svg.line();
    }
}
