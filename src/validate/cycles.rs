//! Services that wait for each other in a circle, and the shortest way around it that a report can show.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::diagnostic::{Class, Diagnostic, Problems, Rank};
use crate::model::{Edge, Index, Layer, Node, NodeKind, Why, components};

use super::pipelines::Connections;

/// No service waits for itself, directly or through others. What one part of the graph hides is one report: it shows a
/// shortest way around.
pub(super) fn do_not_exist(index: &Index<'_>, problems: &mut Problems) {
    let connections = Connections::new(index);
    let edges: Vec<Vec<Edge>> = index.nodes().map(|node| waits(index, node, &connections)).collect();
    for circle in circles(&edges, |node| index.kind(node) != NodeKind::Bundle) {
        problems.push(report(index, &circle));
    }
}

/// What a node waits for or stands for, as far as it can be part of a circle.
fn waits(index: &Index<'_>, node: Node, connections: &Connections<'_>) -> Vec<Edge> {
    let mut edges = index.edges(node);
    edges.retain(|edge| match edge.why {
        Why::Dependency | Why::Member => true,
        // Where only one side knows of the pipeline, that is reported, and the compiler does not get here.
        Why::Consumer => connections.has(node, edge.to),
        Why::FdHolder | Why::OneshotRunner => false,
    });
    edges
}

fn report(index: &Index<'_>, circle: &Circle) -> Diagnostic {
    let message = match &circle.hops[..] {
        [(only, edge)] if edge.why == Why::Dependency => format!("`{}` depends on itself", index.name(*only)),
        _ => format!("services wait for each other in a circle: {}", circle.shown(index)),
    };
    let mut problem = Diagnostic::s6rc(Class::DepCycle, Rank::Cycle, message);
    for (from, edge) in circle.hops.iter().take(MOST_SHOWN) {
        problem = problem.at(edge.origin, sentence(index, *from, edge));
    }
    for note in notes(index, circle) {
        problem = problem.note(note);
    }
    let shown = circle.hops.iter().filter(|(from, _)| index.kind(*from) != NodeKind::Bundle).count();
    let atomics = circle.members.iter().filter(|node| index.kind(**node) != NodeKind::Bundle).count();
    if atomics > shown {
        problem = problem.note(match atomics - shown {
            1 => "1 more service is part of this knot".to_owned(),
            more => format!("{more} more services are part of this knot"),
        });
    }
    let written: Vec<_> =
        circle.hops.iter().filter(|(_, edge)| edge.why == Why::Dependency && edge.origin.is_some()).collect();
    problem.help(match written[..] {
        [(from, edge)] => {
            format!("remove the dependency of `{}` on `{}`", index.name(*from), index.name(edge.to))
        }
        _ => "remove the one of these that is not needed".to_owned(),
    })
}

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

/// The edges that nobody wrote, and those that s6-overlay brings.
fn notes(index: &Index<'_>, circle: &Circle) -> Vec<String> {
    let mut notes = Vec::new();
    let mut hops = circle.hops.iter().take(MOST_SHOWN).peekable();
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

/// How much of a way around is shown. Nobody writes a longer one by hand.
const MOST_SHOWN: usize = 100;

/// A part of a graph in which every node leads to every other one.
pub(super) struct Circle {
    /// Its nodes.
    pub(super) members: BTreeSet<Node>,
    /// A shortest way from a node back to it: every node and the edge that leaves it.
    pub(super) hops: Vec<(Node, Edge)>,
}

impl Circle {
    /// The way as `a → b → a`.
    pub(super) fn shown(&self, index: &Index<'_>) -> String {
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

/// How many edges are followed in the search for a shorter way, per circle.
const PATIENCE: usize = 2_000_000;

/// The circles of the graph in which `edges` leave each node, as far as they touch a node that `counts`. Each way
/// begins at such a node.
pub(super) fn circles(edges: &[Vec<Edge>], counts: impl Fn(Node) -> bool) -> Vec<Circle> {
    let pairs = edges.iter().enumerate().flat_map(|(from, edges)| {
        let from = Node(from);
        edges.iter().map(move |edge| (from, edge.to))
    });
    let mut circles = Vec::new();
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
        if let Some(hops) = shortest(edges, &members, &component, number, &counts) {
            circles.push(Circle { members, hops });
        }
    }
    circles.sort_by_key(|circle| circle.hops[0].0);
    circles
}

/// A shortest way from one of `members` back to it, within component `number`.
fn shortest(
    edges: &[Vec<Edge>],
    members: &BTreeSet<Node>,
    component: &[usize],
    number: usize,
    counts: impl Fn(Node) -> bool,
) -> Option<Vec<(Node, Edge)>> {
    let mut best: Option<Vec<(Node, Edge)>> = None;
    let mut patience = PATIENCE;
    for start in members.iter().copied().filter(|node| counts(*node)) {
        let most = best.as_ref().map_or(usize::MAX, Vec::len);
        if most == 1 || patience == 0 {
            break;
        }
        if let Some(way) = way_back(edges, component, number, start, most, &mut patience) {
            best = Some(way);
        }
    }
    best
}

/// The shortest way from `start` back to it, if it has fewer than `most` edges.
fn way_back(
    edges: &[Vec<Edge>],
    component: &[usize],
    number: usize,
    start: Node,
    most: usize,
    patience: &mut usize,
) -> Option<Vec<(Node, Edge)>> {
    let mut came: BTreeMap<Node, (Node, Edge)> = BTreeMap::new();
    let mut todo = VecDeque::from([(start, 0)]);
    while let Some((node, depth)) = todo.pop_front() {
        if depth + 1 >= most {
            return None;
        }
        for edge in &edges[node.0] {
            *patience = patience.saturating_sub(1);
            if edge.to == start {
                let mut way = vec![(node, *edge)];
                let mut at = node;
                while at != start {
                    let (before, edge) = came[&at];
                    way.push((before, edge));
                    at = before;
                }
                way.reverse();
                return Some(way);
            }
            if component[edge.to.0] == number && !came.contains_key(&edge.to) {
                came.insert(edge.to, (node, *edge));
                todo.push_back((edge.to, depth + 1));
            }
        }
    }
    None
}

/// Whether an edge says what a bundle contains.
pub(super) fn is_membership(edge: &Edge) -> bool {
    edge.why == Why::Member
}
