//! Finds bundles that contain themselves.

use std::collections::BTreeMap;

use crate::diagnostic::{Class, Diagnostic, Problems, Rank};
use crate::model::{Edge, Index, Kind, Node, NodeKind, ServiceRef};

use super::cycles::{self, Cycle, MOST_SHOWN};

/// Checks that no bundle contains itself, directly or through other bundles.
pub(super) fn check(index: &Index<'_>, problems: &mut Problems) {
    let edges: Vec<Vec<Edge>> = index
        .nodes()
        .map(|node| match index.service(node).map(|service| &service.kind) {
            Some(Kind::Bundle(_)) => {
                let mut edges = index.edges(node).to_vec();
                edges.retain(|edge| index.kind(edge.to) == NodeKind::Bundle);
                edges
            }
            _ => Vec::new(),
        })
        .collect();
    let cycles = cycles::find_cycles(&edges, |_| true);
    if cycles.is_empty() {
        return;
    }
    let errors = BundleErrors::new(index);
    for cycle in cycles {
        problems.push(report(index, &cycle, &errors));
    }
}

fn report(index: &Index<'_>, cycle: &Cycle, errors: &BundleErrors) -> Diagnostic {
    let reached = errors.cycles.iter().filter(|(bundle, _)| cycle.members.contains(bundle));
    let rank = reached.map(|(_, rank)| *rank).min().unwrap_or(Rank::Unranked);
    let start = index.name(cycle.hops[0].0);
    let message = match cycle.hops.len() {
        1 => format!("bundle `{start}` contains itself"),
        _ => format!("bundle `{start}` contains itself: {}", cycle.path(index)),
    };
    let mut problem = Diagnostic::s6rc(Class::BundleCycle, rank, message);
    for (from, edge) in cycle.hops.iter().take(MOST_SHOWN) {
        let text = format!("bundle `{}` contains `{}`", index.name(*from), index.name(edge.to));
        problem = match edge.origin {
            Some(_) => problem.at(edge.origin, text),
            None => problem.note(text),
        };
    }
    let others = cycle.members.len() - cycle.hops.len();
    match others {
        0 => {}
        1 => problem = problem.note("1 more bundle is in a cycle with these"),
        more => problem = problem.note(format!("{more} more bundles are in cycles with these")),
    }
    problem.help("remove one of these members")
}

/// The errors that s6-rc-compile finds while it resolves bundles, each with its rank. It resolves them depth first, in definition
/// order, and the bundles of pipelines last.
pub(super) struct BundleErrors {
    /// The members that are defined nowhere. The key is the bundle and the position in its contents.
    pub(super) undefined: BTreeMap<(Node, usize), Rank>,
    /// The bundles that it reaches again while it is still resolving them.
    cycles: Vec<(Node, Rank)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Untouched,
    Open,
    Done,
}

impl BundleErrors {
    pub(super) fn new(index: &Index<'_>) -> Self {
        let mut errors = BundleErrors { undefined: BTreeMap::new(), cycles: Vec::new() };
        let mut step = 0;
        let mut next_rank = || {
            step += 1;
            Rank::Bundle { step, position: 0 }
        };
        let mut states = vec![State::Untouched; index.nodes().count()];
        for start in index.nodes().filter(|node| contents(index, *node).is_some()) {
            let mut path = vec![(start, 0)];
            while let Some((bundle, position)) = path.last_mut() {
                if *position == 0 && states[bundle.0] != State::Untouched {
                    path.pop();
                    continue;
                }
                states[bundle.0] = State::Open;
                let (node, place) = (*bundle, *position);
                let Some(reference) = contents(index, node).and_then(|contents| contents.get(place)) else {
                    states[node.0] = State::Done;
                    path.pop();
                    continue;
                };
                *position += 1;
                match index.find(&reference.name) {
                    None => {
                        errors.undefined.insert((node, place), next_rank());
                    }
                    Some(inner) if contents(index, inner).is_some() => match states[inner.0] {
                        State::Untouched => path.push((inner, 0)),
                        State::Open => errors.cycles.push((inner, next_rank())),
                        State::Done => {}
                    },
                    Some(_) => {}
                }
            }
        }
        errors
    }
}

/// The contents of a bundle as written. The bundle of a pipeline has none.
fn contents<'a>(index: &Index<'a>, node: Node) -> Option<&'a [ServiceRef]> {
    match &index.service(node)?.kind {
        Kind::Bundle(bundle) => Some(&bundle.contents),
        _ => None,
    }
}
