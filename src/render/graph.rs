use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde::Serialize;

use crate::model::{Index, Kind, Layer, Name, Node, NodeKind, Script, Why};

/// Which way a system goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Services start after what they need.
    Up,
    /// Services stop after what needs them.
    Down,
}

/// What one service waits for.
struct Line {
    node: Node,
    /// Services of one step may start, or stop, at the same time.
    step: usize,
    after: BTreeSet<Node>,
}

/// The part of a service set that is drawn.
struct Graph<'a> {
    index: &'a Index<'a>,
    direction: Direction,
    lines: BTreeMap<Node, Line>,
    boot: BTreeSet<Node>,
}

impl<'a> Graph<'a> {
    /// The graph around `names`: what they need, or, going down, what needs them. No names stand for everything.
    fn new(index: &'a Index<'a>, names: &[Node], direction: Direction) -> Self {
        let atomic = |node: &Node| index.kind(*node) != NodeKind::Bundle;
        let mut after: BTreeMap<Node, BTreeSet<Node>> =
            index.nodes().filter(atomic).map(|node| (node, index.dependencies(node))).collect();
        if direction == Direction::Down {
            let mut turned: BTreeMap<Node, BTreeSet<Node>> =
                after.keys().map(|node| (*node, BTreeSet::new())).collect();
            for (node, needed) in &after {
                for needed in needed {
                    turned.entry(*needed).or_default().insert(*node);
                }
            }
            after = turned;
        }
        if !names.is_empty() {
            let mut wanted = BTreeSet::new();
            let mut todo: Vec<Node> = names.iter().flat_map(|name| index.atomics(*name)).collect();
            while let Some(node) = todo.pop() {
                if wanted.insert(node) {
                    todo.extend(after.get(&node).into_iter().flatten());
                }
            }
            after.retain(|node, _| wanted.contains(node));
        }
        let steps = steps(&after);
        let boot = ["top", "default"].iter().find_map(|name| index.find(&Name::from(*name)));
        let boot = match boot {
            Some(start) => index.closure([start]),
            None => after.keys().copied().collect(),
        };
        let line = |(node, after)| (node, Line { node, step: steps[&node], after });
        Graph { index, direction, lines: after.into_iter().map(line).collect(), boot }
    }

    /// What `node` has to be for others to go on.
    fn state(&self, node: Node) -> &'static str {
        if self.direction == Direction::Down {
            return "down";
        }
        match self.index.service(node).map(|service| &service.kind) {
            Some(Kind::Oneshot(_)) => "done",
            Some(Kind::Longrun(longrun)) if longrun.notification_fd.is_some() => "ready",
            Some(Kind::Longrun(_)) if self.index.layer(node) == Layer::Internal => "ready",
            Some(Kind::Longrun(_)) => "forked",
            _ => "up",
        }
    }

    /// Loggers that s6gen made, and what s6-rc and s6-overlay bring: true of every service, so not worth a line.
    fn is_background(&self, node: Node) -> bool {
        let Some(service) = self.index.service(node) else { return true };
        let is_logger = service.longrun().is_some_and(|longrun| matches!(longrun.run, Script::Logger(_)));
        is_logger || matches!(service.layer, Layer::Internal | Layer::Overlay)
    }

    /// What `node` waits for, without what it waits for anyway because of the others.
    fn nearest(&self, node: Node) -> Vec<Node> {
        let after: BTreeSet<Node> =
            self.lines[&node].after.iter().copied().filter(|n| !self.is_background(*n)).collect();
        let mut implied = BTreeSet::new();
        let mut todo: Vec<Node> =
            after.iter().flat_map(|n| self.lines.get(n)).flat_map(|l| l.after.iter().copied()).collect();
        while let Some(node) = todo.pop() {
            if implied.insert(node) {
                todo.extend(self.lines.get(&node).into_iter().flat_map(|line| line.after.iter().copied()));
            }
        }
        after.difference(&implied).copied().collect()
    }
}

/// How many others have to go before each, at least, plus one. What is in a circle counts from wherever it was entered.
fn steps(after: &BTreeMap<Node, BTreeSet<Node>>) -> BTreeMap<Node, usize> {
    let mut steps: BTreeMap<Node, usize> = BTreeMap::new();
    let mut open: BTreeSet<Node> = BTreeSet::new();
    for start in after.keys() {
        let mut todo = vec![(*start, false)];
        while let Some((node, done)) = todo.pop() {
            let needed = || after.get(&node).into_iter().flatten();
            if done {
                open.remove(&node);
                let step = needed().filter_map(|n| steps.get(n)).max().map_or(1, |step| step + 1);
                steps.insert(node, step);
            } else if !steps.contains_key(&node) && open.insert(node) {
                todo.push((node, true));
                todo.extend(
                    needed().filter(|n| !steps.contains_key(n) && !open.contains(n)).map(|n| (*n, false)),
                );
            }
        }
    }
    steps
}

/// The order as a person reads it at a glance.
pub fn text(index: &Index<'_>, names: &[Node], direction: Direction) -> String {
    let graph = Graph::new(index, names, direction);
    let shown: Vec<&Line> = graph
        .lines
        .values()
        .filter(|line| !graph.is_background(line.node) || names.contains(&line.node))
        .collect();
    let width = shown.iter().map(|line| index.name(line.node).to_string().chars().count()).max().unwrap_or(0);
    let (boot, on_demand): (Vec<&Line>, Vec<&Line>) =
        shown.into_iter().partition(|line| graph.boot.contains(&line.node));
    // Steps are counted among what is shown in them, so that they have no gaps.
    let listed: BTreeSet<Node> = boot.iter().map(|line| line.node).collect();
    let among = |node| graph.nearest(node).into_iter().filter(|n| listed.contains(n)).collect();
    let steps = steps(&boot.iter().map(|line| (line.node, among(line.node))).collect());
    let mut out = String::new();
    let verb = if direction == Direction::Up { "starts" } else { "stops" };
    if !boot.is_empty() {
        let _ = writeln!(out, "At boot (what is in one step {verb} at the same time)");
        let last = boot.iter().map(|line| steps[&line.node]).max().unwrap_or(0);
        for step in 1..=last {
            let mut lines: Vec<&&Line> = boot.iter().filter(|line| steps[&line.node] == step).collect();
            lines.sort_by_key(|line| index.name(line.node));
            for (position, line) in lines.into_iter().enumerate() {
                let label = if position == 0 { format!("{step:>3}") } else { "   ".into() };
                write_line(&mut out, &graph, line, &label, width);
            }
        }
    }
    if !on_demand.is_empty() {
        let gap = if boot.is_empty() { "" } else { "\n" };
        let _ = writeln!(out, "{gap}On demand (`s6-rc start NAME`, or when something needs it)");
        let mut on_demand = on_demand;
        on_demand.sort_by_key(|line| index.name(line.node));
        for line in on_demand {
            write_line(&mut out, &graph, line, "   ", width);
        }
    }
    if names.is_empty() {
        write_bundles(&mut out, index);
    }
    let hidden = graph.lines.values().filter(|line| graph.is_background(line.node)).count();
    let loggers = graph
        .lines
        .values()
        .filter(|line| graph.is_background(line.node) && index.layer(line.node) == Layer::Ours)
        .count();
    if hidden > 0 {
        let mut parts = Vec::new();
        match loggers {
            0 => {}
            1 => parts.push("1 logger".to_owned()),
            n => parts.push(format!("{n} loggers")),
        }
        if hidden > loggers {
            parts.push("what s6 brings itself".to_owned());
        }
        let _ = writeln!(
            out,
            "\nNot shown: {}, and waits that follow from others; `--format json` has everything.",
            parts.join(", ")
        );
    }
    out
}

fn write_line(out: &mut String, graph: &Graph<'_>, line: &Line, label: &str, width: usize) {
    let name = graph.index.name(line.node).to_string();
    let waits: Vec<String> = graph
        .nearest(line.node)
        .into_iter()
        .map(|node| format!("{} ({})", graph.index.name(node), graph.state(node)))
        .collect();
    let kind = match graph.index.kind(line.node) {
        NodeKind::Oneshot => "oneshot",
        NodeKind::Longrun => "longrun",
        _ => "in another layer",
    };
    let waits = if waits.is_empty() { String::new() } else { format!("after {}", waits.join(", ")) };
    let _ = writeln!(out, "{}", format!("{label}  {name:width$}  {kind}  {waits}").trim_end());
}

fn write_bundles(out: &mut String, index: &Index<'_>) {
    let ours = index.nodes().filter_map(|node| {
        let service = index.service(node)?;
        let Kind::Bundle(bundle) = &service.kind else { return None };
        (service.layer == Layer::Ours).then_some((service, bundle))
    });
    let bundles: BTreeMap<_, _> = ours.map(|(service, bundle)| (&service.name, bundle)).collect();
    if bundles.is_empty() {
        return;
    }
    let width = bundles.keys().map(|name| name.to_string().chars().count()).max().unwrap_or(0);
    let _ = writeln!(out, "\nBundles");
    for (name, bundle) in bundles {
        let members: Vec<String> = bundle.contents.iter().map(|r| r.name.to_string()).collect();
        let members = if members.is_empty() { "(empty)".into() } else { members.join(", ") };
        let _ = writeln!(out, "     {:width$}  {members}", name.to_string());
    }
}

/// The graph for Graphviz: an arrow leads from what goes first to what waits for it.
pub fn dot(index: &Index<'_>, names: &[Node], direction: Direction) -> String {
    let graph = Graph::new(index, names, direction);
    let quoted = |node: Node| {
        let name = index.name(node).to_string();
        format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    };
    let mut out = String::from("digraph services {\n  rankdir = LR;\n  node [shape = box];\n");
    for line in graph.lines.values() {
        let mut attributes = Vec::new();
        if index.kind(line.node) == NodeKind::Oneshot {
            attributes.push("shape = ellipse");
        }
        if !graph.boot.contains(&line.node) {
            attributes.push("style = dashed");
        }
        let attributes =
            if attributes.is_empty() { String::new() } else { format!(" [{}]", attributes.join(", ")) };
        let _ = writeln!(out, "  {}{attributes};", quoted(line.node));
    }
    for line in graph.lines.values() {
        for first in &line.after {
            let state = graph.state(*first);
            let style = if state == "forked" { ", style = dashed" } else { "" };
            let _ = writeln!(out, "  {} -> {} [label = {state}{style}];", quoted(*first), quoted(line.node));
        }
    }
    out.push_str("}\n");
    out
}

/// The frozen shape of the graph in machine output, version 1.
#[derive(Serialize)]
struct Shape {
    version: u32,
    direction: &'static str,
    services: Vec<ServiceShape>,
    bundles: BTreeMap<String, Vec<String>>,
}

#[derive(Serialize)]
struct ServiceShape {
    name: String,
    r#type: &'static str,
    defined_by: &'static str,
    at_boot: bool,
    step: usize,
    description: Option<String>,
    after: Vec<WaitShape>,
}

#[derive(Serialize)]
struct WaitShape {
    name: String,
    until: &'static str,
    because: Vec<&'static str>,
}

/// The graph for programs: every service with everything it waits for directly, bundles flattened.
pub fn json(index: &Index<'_>, names: &[Node], direction: Direction) -> serde_json::Value {
    let graph = Graph::new(index, names, direction);
    let service = |line: &Line| ServiceShape {
        name: index.name(line.node).to_string(),
        r#type: match index.kind(line.node) {
            NodeKind::Longrun => "longrun",
            NodeKind::Oneshot => "oneshot",
            NodeKind::Bundle => "bundle",
            NodeKind::Unknown => "unknown",
        },
        defined_by: match index.layer(line.node) {
            Layer::Ours => "here",
            Layer::Overlay => "s6-overlay",
            Layer::External => "another layer",
            Layer::Internal => "s6-rc",
        },
        at_boot: graph.boot.contains(&line.node),
        step: line.step,
        description: index.service(line.node).and_then(|service| service.description.clone()),
        after: line
            .after
            .iter()
            .map(|first| WaitShape {
                name: index.name(*first).to_string(),
                until: graph.state(*first),
                because: match direction {
                    Direction::Up => because(index, line.node, *first),
                    Direction::Down => because(index, *first, line.node),
                },
            })
            .collect(),
    };
    let bundles = index.nodes().filter(|node| names.is_empty() && index.kind(*node) == NodeKind::Bundle);
    let shape = Shape {
        version: 1,
        direction: match direction {
            Direction::Up => "up",
            Direction::Down => "down",
        },
        services: graph.lines.values().map(service).collect(),
        bundles: bundles
            .map(|node| {
                let members = index.atomics(node).into_iter().map(|member| index.name(member).to_string());
                (index.name(node).to_string(), members.collect())
            })
            .collect(),
    };
    serde_json::to_value(shape).unwrap_or_default()
}

/// Why `node` waits for `first`.
fn because(index: &Index<'_>, node: Node, first: Node) -> Vec<&'static str> {
    let reasons: BTreeSet<Why> = index
        .edges(node)
        .into_iter()
        .filter(|edge| {
            edge.to == first
                || index.kind(edge.to) == NodeKind::Bundle && index.atomics(edge.to).contains(&first)
        })
        .map(|edge| edge.why)
        .collect();
    reasons
        .into_iter()
        .map(|why| match why {
            Why::Dependency | Why::Member => "dependency",
            Why::Consumer => "consumer",
            Why::FdHolder => "fdholder",
            Why::OneshotRunner => "oneshot-runner",
        })
        .collect()
}
