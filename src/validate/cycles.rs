//! Finds dependency cycles, and a shortest path through each for the report.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::diagnostic::{Class, Diagnostic, Problems, Rank};
use crate::model::{Edge, Index, Layer, Node, NodeKind, Why, components};

use super::pipelines::Connections;

/// Checks that no service waits for itself, directly or through others. Cycles that share services are one report, which
/// shows a shortest one.
pub(super) fn check(index: &Index<'_>, problems: &mut Problems) {
    let connections = Connections::new(index);
    let edges: Vec<Vec<Edge>> = index.nodes().map(|node| cycle_edges(index, node, &connections)).collect();
    for cycle in find_cycles(&edges, |node| index.kind(node) != NodeKind::Bundle) {
        problems.push(report(index, &cycle));
    }
}

/// The edges of a node that can be part of a cycle.
fn cycle_edges(index: &Index<'_>, node: Node, connections: &Connections<'_>) -> Vec<Edge> {
    let mut edges = index.edges(node).to_vec();
    edges.retain(|edge| match edge.why {
        Why::Dependency | Why::Member => true,
        // If only one side names the other, the compiler stops at that, before it looks for cycles.
        Why::Consumer => connections.has(node, edge.to),
        Why::FdHolder | Why::OneshotRunner => false,
    });
    edges
}

fn report(index: &Index<'_>, cycle: &Cycle) -> Diagnostic {
    let message = match &cycle.hops[..] {
        [(only, edge)] if edge.why == Why::Dependency => format!("`{}` depends on itself", index.name(*only)),
        _ => format!("services wait for each other in a cycle: {}", cycle.path(index)),
    };
    let mut problem = Diagnostic::s6rc(Class::DepCycle, Rank::Cycle, message);
    for (from, edge) in cycle.hops.iter().take(MOST_SHOWN) {
        problem = problem.at(edge.origin, sentence(index, *from, edge));
    }
    for note in notes(index, cycle) {
        problem = problem.note(note);
    }
    let shown = cycle.hops.iter().filter(|(from, _)| index.kind(*from) != NodeKind::Bundle).count();
    let atomics = cycle.members.iter().filter(|node| index.kind(**node) != NodeKind::Bundle).count();
    if atomics > shown {
        problem = problem.note(match atomics - shown {
            1 => "1 more service is in a cycle with these".to_owned(),
            more => format!("{more} more services are in cycles with these"),
        });
    }
    let written: Vec<_> =
        cycle.hops.iter().filter(|(_, edge)| edge.why == Why::Dependency && edge.origin.is_some()).collect();
    problem.help(match written[..] {
        [(from, edge)] => {
            format!("remove the dependency of `{}` on `{}`", index.name(*from), index.name(edge.to))
        }
        _ => "remove a dependency that is not needed".to_owned(),
    })
}

/// An edge as a sentence for the report.
fn sentence(index: &Index<'_>, from: Node, edge: &Edge) -> String {
    let (name, to) = (index.name(from), index.name(edge.to));
    match edge.why {
        Why::Member if index.service(from).is_none() => format!("the pipeline `{name}` contains `{to}`"),
        Why::Member => format!("bundle `{name}` contains `{to}`"),
        Why::Consumer => format!("`{name}` sends its output to `{to}`"),
        _ if index.kind(edge.to) == NodeKind::Bundle => format!("`{name}` waits for bundle `{to}`"),
        _ => format!("`{name}` waits for `{to}`"),
    }
}

/// Sentences on the edges that stand in no file of the user: s6-rc adds them, or s6-overlay defines them.
fn notes(index: &Index<'_>, cycle: &Cycle) -> Vec<String> {
    let mut notes = Vec::new();
    let mut hops = cycle.hops.iter().take(MOST_SHOWN).peekable();
    while let Some((from, edge)) = hops.next() {
        let (name, to) = (index.name(*from), index.name(edge.to));
        let is_theirs = index.layer(*from) == Layer::Overlay;
        let mut note = match edge.why {
            Why::Consumer => format!("`{name}` waits for `{to}`: a producer waits for its consumer"),
            _ => sentence(index, *from, edge),
        };
        if is_theirs {
            note.push_str(", as s6-overlay defines it");
        }
        let mut passes_bundle = false;
        while let Some((_, member)) = hops.next_if(|(_, next)| is_membership(next)) {
            note.push_str(&format!(", which contains `{}`", index.name(member.to)));
            passes_bundle = true;
        }
        if edge.why == Why::Consumer || passes_bundle || is_theirs {
            notes.push(note);
        }
    }
    notes
}

/// The largest number of edges that a report shows. Longer cycles are not written by hand.
pub(super) const MOST_SHOWN: usize = 100;

/// A strongly connected component: every node in it leads to every other one.
pub(super) struct Cycle {
    /// All its nodes.
    pub(super) members: BTreeSet<Node>,
    /// A shortest path from a node back to itself: every node with the edge that leaves it.
    pub(super) hops: Vec<(Node, Edge)>,
}

impl Cycle {
    /// The shortest path as `a → b → a`.
    pub(super) fn path(&self, index: &Index<'_>) -> String {
        let mut text = String::new();
        for (from, _) in self.hops.iter().take(MOST_SHOWN) {
            text.push_str(&format!("`{}` → ", index.name(*from)));
        }
        if self.hops.len() > MOST_SHOWN {
            text.push_str(&format!("{} more → ", self.hops.len() - MOST_SHOWN));
        }
        text.push_str(&format!("`{}`", index.name(self.hops[0].0)));
        text
    }
}

/// How many edges the search for a shorter path may follow in one component.
const MOST_STEPS: usize = 2_000_000;

/// The cycles of the graph in which `edges` leave each node. A cycle is left out if none of its nodes `counts`. Each path
/// begins at a node that `counts`.
pub(super) fn find_cycles(edges: &[Vec<Edge>], counts: impl Fn(Node) -> bool) -> Vec<Cycle> {
    let pairs = edges.iter().enumerate().flat_map(|(from, edges)| {
        let from = Node(from);
        edges.iter().map(move |edge| (from, edge.to))
    });
    let mut cycles = Vec::new();
    let mut component = vec![usize::MAX; edges.len()];
    for (number, nodes) in components(edges.len(), pairs).into_iter().enumerate() {
        let members: BTreeSet<Node> = nodes.into_iter().collect();
        for member in &members {
            component[member.0] = number;
        }
        let is_single = members.len() == 1;
        if is_single && members.iter().all(|node| edges[node.0].iter().all(|edge| edge.to != *node)) {
            continue;
        }
        if let Some(hops) = shortest_path(edges, &members, &component, number, &counts) {
            cycles.push(Cycle { members, hops });
        }
    }
    cycles.sort_by_key(|cycle| cycle.hops[0].0);
    cycles
}

/// A shortest path from one of `members` back to itself, inside component `number`.
fn shortest_path(
    edges: &[Vec<Edge>],
    members: &BTreeSet<Node>,
    component: &[usize],
    number: usize,
    counts: impl Fn(Node) -> bool,
) -> Option<Vec<(Node, Edge)>> {
    let mut best: Option<Vec<(Node, Edge)>> = None;
    let mut steps_left = MOST_STEPS;
    for start in members.iter().copied().filter(|node| counts(*node)) {
        let most = best.as_ref().map_or(usize::MAX, Vec::len);
        if most == 1 || steps_left == 0 {
            break;
        }
        if let Some(path) = path_back(edges, component, number, start, most, &mut steps_left) {
            best = Some(path);
        }
    }
    best
}

/// The shortest path from `start` back to itself, if it has fewer than `most` edges.
fn path_back(
    edges: &[Vec<Edge>],
    component: &[usize],
    number: usize,
    start: Node,
    most: usize,
    steps_left: &mut usize,
) -> Option<Vec<(Node, Edge)>> {
    let mut came_from: BTreeMap<Node, (Node, Edge)> = BTreeMap::new();
    let mut todo = VecDeque::from([(start, 0)]);
    while let Some((node, depth)) = todo.pop_front() {
        if depth + 1 >= most {
            return None;
        }
        for edge in &edges[node.0] {
            *steps_left = steps_left.saturating_sub(1);
            if edge.to == start {
                let mut path = vec![(node, *edge)];
                let mut at = node;
                while at != start {
                    let (before, edge) = came_from[&at];
                    path.push((before, edge));
                    at = before;
                }
                path.reverse();
                return Some(path);
            }
            if component[edge.to.0] == number && !came_from.contains_key(&edge.to) {
                came_from.insert(edge.to, (node, *edge));
                todo.push_back((edge.to, depth + 1));
            }
        }
    }
    None
}

/// Whether an edge leads from a bundle to one of its members.
pub(super) fn is_membership(edge: &Edge) -> bool {
    edge.why == Why::Member
}
