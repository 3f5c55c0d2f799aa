//! Routes the lines in the gaps between columns. All lines of one item share one vertical track in a gap, and tracks that do
//! not meet share a place.

use super::items::Items;
use super::{Column, GAP};

/// The space between a column and the first track.
const BEFORE: f64 = 12.0;
/// The distance of two tracks.
const TRACK: f64 = 9.0;
/// The space in a gap that tracks do not take.
const MARGIN: f64 = 32.0;
/// The vertical space that two tracks of one place keep.
const APART: f64 = 8.0;
/// What it costs if two horizontal parts run over each other, in crossings.
const OVERLAP: i64 = 60;
/// How often the order of tracks is improved.
const ROUNDS: usize = 12;

/// The lines that leave one item through the gap to its right.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// The box that they leave. A line that only passes a column belongs to the box where it begins.
    pub from: usize,
    /// The number of the column to the left of the gap.
    pub column: usize,
    /// Where they begin: at the right side of the item.
    pub x: f64,
    /// The height at which they begin.
    pub y: f64,
    /// Where they go up and down. `None` if all are straight.
    pub track: Option<f64>,
    /// Where they end.
    pub ends: Vec<RouteEnd>,
}

/// The end of a line in a gap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RouteEnd {
    /// The left side of the box, or the right side of a column that the line passes.
    pub x: f64,
    /// The height.
    pub y: f64,
    /// The box and its port, if the line ends here.
    pub port: Option<(usize, usize)>,
    /// The item, until `x` is known.
    item: usize,
}

impl Route {
    /// The upper and the lower end of its vertical part.
    pub fn span(&self) -> (f64, f64) {
        let ends = || self.ends.iter().map(|end| end.y);
        (ends().fold(self.y, f64::min), ends().fold(self.y, f64::max))
    }
}

/// Routes the lines that leave column `number` at `start`, with tracks to the right of `right`. Returns the space that the
/// tracks need.
pub(super) fn tracks(items: &Items, number: usize, right: f64, start: f64, routes: &mut Vec<Route>) -> f64 {
    let mut found: Vec<Route> = items.columns[number]
        .iter()
        .filter(|item| !items.outgoing[**item].is_empty())
        .map(|item| Route {
            from: beginning(items, *item),
            column: number,
            x: start - items.list[*item].exit.inset,
            y: items.list[*item].y + items.list[*item].exit.below,
            track: None,
            ends: ends(items, *item),
        })
        .collect();
    let is_bent = |route: &Route| route.span().0 < route.span().1;
    let mut order: Vec<usize> = (0..found.len()).filter(|route| is_bent(&found[*route])).collect();
    let key = |route: &Route| {
        let sum: f64 = route.ends.iter().map(|end| end.y).sum();
        route.y + sum / route.ends.len() as f64
    };
    order.sort_by(|a, b| key(&found[*a]).total_cmp(&key(&found[*b])).then(a.cmp(b)));
    improve(&mut order, &found);
    let mut placed: Vec<(usize, (f64, f64))> = Vec::new();
    for route in order {
        let (top, bottom) = found[route].span();
        let meets = |other: &&(usize, (f64, f64))| other.1.0 < bottom + APART && top < other.1.1 + APART;
        let index = placed.iter().filter(meets).map(|(index, _)| index + 1).max().unwrap_or(0);
        placed.push((index, (top, bottom)));
        found[route].track = Some(right + BEFORE + TRACK * index as f64);
    }
    let count = placed.iter().map(|(index, _)| index + 1).max().unwrap_or(0);
    routes.extend(found);
    GAP.max(MARGIN + TRACK * count as f64)
}

/// The box where the line through an item begins.
fn beginning(items: &Items, mut item: usize) -> usize {
    while items.list[item].is_passage
        && let Some(segment) = items.incoming[item].first()
    {
        item = items.segments[*segment].from;
    }
    item
}

fn ends(items: &Items, item: usize) -> Vec<RouteEnd> {
    let end = |number: &usize| {
        let segment = items.segments[*number];
        RouteEnd {
            x: segment.end.inset,
            y: items.list[segment.to].y + segment.end.below,
            port: segment.port.map(|port| (segment.to, port)),
            item: segment.to,
        }
    };
    let mut ends: Vec<RouteEnd> = items.outgoing[item].iter().map(end).collect();
    ends.sort_by(|a, b| a.y.total_cmp(&b.y));
    ends
}

/// What it costs if the track of `left` lies to the left of that of `right`.
fn cost(left: &Route, right: &Route) -> i64 {
    let is_inside = |y: f64, route: &Route| route.span().0 < y && y < route.span().1;
    let crossed = left.ends.iter().filter(|end| is_inside(end.y, right)).count();
    let overlaps = left.ends.iter().filter(|end| (end.y - right.y).abs() <= 4.0).count();
    crossed as i64 + i64::from(is_inside(right.y, left)) + OVERLAP * overlaps as i64
}

/// Moves each track to its best place among the others, until that helps no more.
fn improve(order: &mut Vec<usize>, routes: &[Route]) {
    for _ in 0..ROUNDS {
        let mut has_moved = false;
        for route in order.clone() {
            let here = order.iter().position(|other| *other == route).unwrap_or(0);
            order.remove(here);
            let (mut now, mut best, mut best_at, mut cost_here) = (0, 0, 0, 0);
            for place in 0..=order.len() {
                if place > 0 {
                    let passed = &routes[order[place - 1]];
                    now += cost(passed, &routes[route]) - cost(&routes[route], passed);
                }
                if now < best {
                    (best, best_at) = (now, place);
                }
                if place == here {
                    cost_here = now;
                }
            }
            let is_better = best < cost_here;
            order.insert(if is_better { best_at } else { here }, route);
            has_moved |= is_better;
        }
        if !has_moved {
            return;
        }
    }
}

/// Sets where the routes end, now that all columns have their places.
pub(super) fn end_at_columns(routes: &mut [Route], items: &Items, columns: &[Column]) {
    for end in routes.iter_mut().flat_map(|route| &mut route.ends) {
        let item = &items.list[end.item];
        let column = columns[item.column];
        end.x += if item.is_passage { column.x + column.width } else { column.x };
    }
}
