//! Dependency cycles in a graph: which waits are in them, and which of them are drawn backwards.

use crate::diagnostic::Origin;
use crate::model::{Node, NodeKind, components};
use crate::plan::{Awaited, OrderDirection, StartOrder};

use super::boxes::SceneBox;

/// A wait in a dependency cycle.
#[derive(Debug, Clone)]
pub struct CycleWait {
    /// The box that is waited for.
    pub first: usize,
    /// The box that waits.
    pub then: usize,
    /// Until which state.
    pub until: Awaited,
    /// Where it is written.
    pub origin: Option<Origin>,
    /// The bundle that is named there, if it is not the service itself.
    pub bundle: Option<String>,
}

/// The number of waits in one cycle that are left out in turn, to find those that are in every cycle.
const MOST_TRIED: usize = 1000;

/// The dependency cycles between boxes.
#[derive(Debug, Default)]
pub(super) struct Cycles {
    /// Whether each box is in a cycle.
    pub(super) members: Vec<bool>,
    /// The waits that close cycles: what is waited for, and what waits.
    pub(super) back: Vec<(usize, usize)>,
    /// All waits in cycles, those in every cycle first.
    pub(super) waits: Vec<CycleWait>,
    /// The number of those in every cycle.
    pub(super) decisive: usize,
}

/// The lists of entries that wait for each other, and for each entry whether it is in one.
fn circles(waits: &[Vec<usize>]) -> (Vec<Vec<usize>>, Vec<bool>) {
    let edges = waits.iter().enumerate();
    let edges = edges.flat_map(|(then, firsts)| firsts.iter().map(move |first| (Node(then), Node(*first))));
    let mut is_member = vec![false; waits.len()];
    let mut circles: Vec<Vec<usize>> = components(waits.len(), edges)
        .into_iter()
        .map(|nodes| {
            let mut circle: Vec<usize> = nodes.into_iter().map(|node| node.0).collect();
            circle.sort_unstable();
            circle
        })
        .filter(|circle| circle.len() > 1 || waits[circle[0]].contains(&circle[0]))
        .collect();
    circles.sort();
    circles.iter().flatten().for_each(|entry| is_member[*entry] = true);
    (circles, is_member)
}

/// Whether each service of an order is in a dependency cycle.
pub(super) fn members(order: &StartOrder<'_>) -> Vec<bool> {
    let waits: Vec<Vec<usize>> = order.services.iter().map(|service| service.after().collect()).collect();
    circles(&waits).1
}

/// Finds the dependency cycles between boxes, and takes the waits that close them out of `waits`.
pub(super) fn find(order: &StartOrder<'_>, boxes: &[SceneBox], waits: &mut [Vec<usize>]) -> Cycles {
    let (circles, members) = circles(waits);
    let mut cycles = Cycles { members, ..Cycles::default() };
    let (mut decisive, mut others) = (Vec::new(), Vec::new());
    for circle in circles {
        let inside = Inside::new(&circle, waits);
        let is_small = inside.edges().count() <= MOST_TRIED;
        let is_decisive = |edge: &(usize, usize)| is_small && inside.closing(Some(*edge)).is_empty();
        let (in_all, in_some): (Vec<_>, Vec<_>) = inside.edges().partition(is_decisive);
        let closing = inside.closing(None);
        // Without a wait that is in every cycle there is none, so one is enough.
        let back = match closing.iter().find(|edge| in_all.contains(edge)).or(in_all.first()) {
            Some(edge) => vec![*edge],
            None => closing,
        };
        for (first, then) in &back {
            waits[*then].retain(|other| other != first);
        }
        cycles.back.extend(back);
        decisive.extend(in_all);
        others.extend(in_some);
    }
    cycles.decisive = decisive.len();
    cycles.waits = decisive
        .into_iter()
        .chain(others)
        .map(|(first, then)| {
            let (origin, bundle) = place(order, &boxes[first], &boxes[then]);
            CycleWait { first, then, until: boxes[first].awaited, origin, bundle }
        })
        .collect();
    cycles
}

/// The waits between the members of a cycle.
struct Inside<'a> {
    circle: &'a [usize],
    /// The members that wait for each entry, sorted.
    waiting: Vec<Vec<usize>>,
}

impl<'a> Inside<'a> {
    fn new(circle: &'a [usize], waits: &[Vec<usize>]) -> Self {
        let mut waiting = vec![Vec::new(); waits.len()];
        for then in circle {
            for first in waits[*then].iter().filter(|first| circle.binary_search(first).is_ok()) {
                waiting[*first].push(*then);
            }
        }
        Inside { circle, waiting }
    }

    /// The waits: what is waited for, and what waits.
    fn edges(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.circle.iter().flat_map(|first| self.waiting[*first].iter().map(move |then| (*first, *then)))
    }

    /// The waits that close a cycle if the members are visited in their order, without `left_out`.
    fn closing(&self, left_out: Option<(usize, usize)>) -> Vec<(usize, usize)> {
        let (mut is_seen, mut is_open) = (vec![false; self.waiting.len()], vec![false; self.waiting.len()]);
        let mut closing = Vec::new();
        for start in self.circle {
            let mut path = vec![(*start, 0)];
            if std::mem::replace(&mut is_seen[*start], true) {
                continue;
            }
            is_open[*start] = true;
            while let Some((first, next)) = path.last_mut() {
                let Some(then) = self.waiting[*first].get(*next).copied() else {
                    is_open[*first] = false;
                    path.pop();
                    continue;
                };
                *next += 1;
                if Some((*first, then)) == left_out {
                    continue;
                }
                if is_open[then] {
                    closing.push((*first, then));
                } else if !std::mem::replace(&mut is_seen[then], true) {
                    is_open[then] = true;
                    path.push((then, 0));
                }
            }
        }
        closing
    }
}

/// Where a wait is written, and the bundle that is named there.
fn place(order: &StartOrder<'_>, first: &SceneBox, then: &SceneBox) -> (Option<Origin>, Option<String>) {
    let (from, to) = match order.direction {
        OrderDirection::Up => (then, first),
        OrderDirection::Down => (first, then),
    };
    let nodes =
        |one: &SceneBox| one.services.iter().map(|service| order.services[*service].node).collect::<Vec<_>>();
    let to = nodes(to);
    for edge in nodes(from).into_iter().flat_map(|node| order.index.edges(node)) {
        if to.contains(&edge.to) {
            return (edge.origin, None);
        }
        let is_bundle = order.index.kind(edge.to) == NodeKind::Bundle;
        if is_bundle && order.index.atomics(edge.to).iter().any(|node| to.contains(node)) {
            return (edge.origin, Some(order.index.name(edge.to).to_string()));
        }
    }
    (None, None)
}
