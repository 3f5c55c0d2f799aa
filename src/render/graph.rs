//! The start order of services, as text, for Graphviz and as JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde::{Serialize, Serializer};

use crate::model::{
    Index, Kind, Layer, Members, Name, Node, NodeKind, Script, Service, Why, json_text, printable,
};

/// Whether the graph shows how services start or how they stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphDirection {
    /// Services start after their dependencies.
    Up,
    /// Services stop after their dependents.
    Down,
}

/// One service and the services that it waits for.
struct GraphLine {
    node: Node,
    name: String,
    /// The number of its step. Services of one step may start, or stop, at the same time.
    step: usize,
    /// The positions of the lines that it waits for, in order. If there are several reasons, a position comes once for each.
    after: Vec<(usize, Why)>,
}

impl GraphLine {
    /// The lines that it waits for, each with all reasons.
    fn waits(&self) -> impl Iterator<Item = (usize, &[(usize, Why)])> {
        self.after.chunk_by(|(one, _), (other, _)| one == other).map(|same| (same[0].0, same))
    }

    fn after(&self) -> impl Iterator<Item = usize> {
        self.waits().map(|(first, _)| first)
    }
}

/// The part of a service set that the graph shows.
struct DrawnGraph<'a> {
    index: &'a Index<'a>,
    direction: GraphDirection,
    /// The services, in the order of their nodes.
    lines: Vec<GraphLine>,
    /// Whether each node starts at boot.
    boot: Vec<bool>,
}

impl<'a> DrawnGraph<'a> {
    /// The graph of `names` with all their dependencies, or for stops with all their dependents. Without names it has all
    /// services.
    fn new(index: &'a Index<'a>, names: &[Node], direction: GraphDirection) -> Self {
        let mut members = Members::new(index);
        let mut after: Vec<Vec<(Node, Why)>> =
            index.nodes().map(|node| waits(index, node, &mut members)).collect();
        let boot = ["top", "default"].iter().find_map(|name| index.find(&Name::from(*name)));
        let boot = match boot {
            Some(start) => closure(&after, index.atomics(start)),
            None => vec![true; after.len()],
        };
        if direction == GraphDirection::Down {
            let mut reversed = vec![Vec::new(); after.len()];
            for (number, needed) in after.iter().enumerate() {
                for (first, why) in needed {
                    reversed[first.0].push((Node(number), *why));
                }
            }
            after = reversed;
        }
        let is_shown = match names {
            [] => vec![true; after.len()],
            names => closure(&after, names.iter().flat_map(|name| index.atomics(*name))),
        };
        let drawn: Vec<Node> =
            index.nodes().filter(|node| is_shown[node.0] && index.kind(*node) != NodeKind::Bundle).collect();
        let mut position = vec![0; after.len()];
        for (line, node) in drawn.iter().enumerate() {
            position[node.0] = line;
        }
        let line = |node: &Node| GraphLine {
            node: *node,
            name: index.name(*node).to_string(),
            step: 0,
            after: after[node.0].iter().map(|(first, why)| (position[first.0], *why)).collect(),
        };
        let mut lines: Vec<GraphLine> = drawn.iter().map(line).collect();
        let after: Vec<Vec<usize>> = lines.iter().map(|line| line.after().collect()).collect();
        for (line, step) in lines.iter_mut().zip(steps(&after)) {
            line.step = step;
        }
        DrawnGraph { index, direction, lines, boot }
    }

    fn is_at_boot(&self, line: &GraphLine) -> bool {
        self.boot[line.node.0]
    }

    /// The state that a service must reach before its dependents start, or before its dependencies stop.
    fn state(&self, line: &GraphLine) -> &'static str {
        if self.direction == GraphDirection::Down {
            return "down";
        }
        match self.index.service(line.node).map(|service| &service.kind) {
            Some(Kind::Oneshot(_)) => "done",
            Some(Kind::Longrun(longrun)) if longrun.notification_fd.is_some() => "ready",
            Some(Kind::Longrun(_)) if self.index.layer(line.node) == Layer::Internal => "ready",
            Some(Kind::Longrun(_)) => "forked",
            _ => "up",
        }
    }

    /// Whether the text leaves the service out: loggers that s6gen made, and services of s6-rc and s6-overlay. Almost every
    /// service waits for them.
    fn is_background(&self, line: &GraphLine) -> bool {
        let Some(service) = self.index.service(line.node) else { return true };
        self.is_logger(line) || matches!(service.layer, Layer::Internal | Layer::Overlay)
    }

    fn is_logger(&self, line: &GraphLine) -> bool {
        let longrun = self.index.service(line.node).and_then(Service::longrun);
        longrun.is_some_and(|longrun| matches!(longrun.run, Script::Logger(_)))
    }

    /// The lines that a service waits for, in order, with the dependencies of its loggers.
    fn through_loggers(&self, line: &GraphLine) -> Vec<usize> {
        let mut found = BTreeSet::new();
        let mut todo: Vec<usize> = line.after().collect();
        while let Some(first) = todo.pop() {
            if found.insert(first) && self.is_logger(&self.lines[first]) {
                todo.extend(self.lines[first].after());
            }
        }
        found.into_iter().collect()
    }

    /// The lines that each service waits for, without those that it also waits for through another one.
    fn nearest(&self) -> Vec<Vec<usize>> {
        let is_shown: Vec<bool> = self.lines.iter().map(|line| !self.is_background(line)).collect();
        let mut nearest: Vec<Vec<usize>> = self.lines.iter().map(|line| self.through_loggers(line)).collect();
        nearest.iter_mut().for_each(|firsts| firsts.retain(|first| is_shown[*first]));
        // Only a line with an earlier step than another line of the same list can be left out, because the other one waits
        // for it. For all others there is nothing to find out.
        let mut doubtful = BTreeSet::new();
        for firsts in &nearest {
            let last = firsts.iter().map(|first| self.lines[*first].step).max().unwrap_or(0);
            doubtful.extend(firsts.iter().filter(|first| self.lines[**first].step < last));
        }
        let mut order: Vec<usize> = (0..self.lines.len()).collect();
        order.sort_by_key(|line| self.lines[*line].step);
        // Each of 64 lines has one bit, so one pass over the edges finds which of them come before each service.
        let (mut bits, mut before) = (vec![0u64; order.len()], vec![0u64; order.len()]);
        let doubtful: Vec<usize> = doubtful.into_iter().collect();
        for some in doubtful.chunks(64) {
            bits.fill(0);
            for (number, line) in some.iter().enumerate() {
                bits[*line] = 1 << number;
            }
            for line in &order {
                before[*line] = self.lines[*line]
                    .after
                    .iter()
                    .fold(0, |all, (first, _)| all | bits[*first] | before[*first]);
            }
            for firsts in &mut nearest {
                let implied = firsts.iter().fold(0, |all, first| all | before[*first]);
                firsts.retain(|first| bits[*first] & implied == 0);
            }
            before.fill(0);
        }
        nearest
    }
}

/// The atomic services that a service waits for, with the reasons, in order. A bundle itself waits for nothing.
fn waits(index: &Index<'_>, node: Node, members: &mut Members<'_>) -> Vec<(Node, Why)> {
    let mut waits = Vec::new();
    if index.kind(node) == NodeKind::Bundle {
        return waits;
    }
    for edge in index.edges(node) {
        match index.kind(edge.to) {
            NodeKind::Bundle => waits.extend(members.of(edge.to).iter().map(|member| (*member, edge.why))),
            _ => waits.push((edge.to, edge.why)),
        }
    }
    waits.sort_unstable();
    waits.dedup();
    waits
}

/// Whether each node is in `start`, or must come before a node of `start`.
fn closure(after: &[Vec<(Node, Why)>], start: impl IntoIterator<Item = Node>) -> Vec<bool> {
    let mut closed = vec![false; after.len()];
    let mut todo: Vec<Node> = start.into_iter().collect();
    while let Some(node) = todo.pop() {
        if !std::mem::replace(&mut closed[node.0], true) {
            todo.extend(after[node.0].iter().map(|(first, _)| *first));
        }
    }
    closed
}

/// The step of each line: one more than the largest step that it waits for. In a cycle, counting begins at the first line
/// that is reached.
fn steps(after: &[Vec<usize>]) -> Vec<usize> {
    let mut steps = vec![0; after.len()];
    let mut is_open = vec![false; after.len()];
    for start in 0..after.len() {
        let mut todo = vec![(start, false)];
        while let Some((line, done)) = todo.pop() {
            if done {
                is_open[line] = false;
                steps[line] = after[line].iter().map(|first| steps[*first]).max().unwrap_or(0) + 1;
            } else if steps[line] == 0 && !std::mem::replace(&mut is_open[line], true) {
                todo.push((line, true));
                let next = after[line].iter().filter(|first| steps[**first] == 0 && !is_open[**first]);
                todo.extend(next.map(|first| (*first, false)));
            }
        }
    }
    steps
}

/// The start order as text for people.
pub fn text(index: &Index<'_>, names: &[Node], direction: GraphDirection) -> String {
    let graph = DrawnGraph::new(index, names, direction);
    let nearest = graph.nearest();
    let is_shown = |line: &GraphLine| !graph.is_background(line) || names.contains(&line.node);
    let shown: Vec<usize> = (0..graph.lines.len()).filter(|line| is_shown(&graph.lines[*line])).collect();
    let width = shown.iter().map(|line| graph.lines[*line].name.chars().count()).max().unwrap_or(0);
    let (mut boot, mut on_demand): (Vec<usize>, Vec<usize>) =
        shown.into_iter().partition(|line| graph.is_at_boot(&graph.lines[*line]));
    let by_name = |line: &usize| index.name(graph.lines[*line].node);
    let write_line = |out: &mut String, line: usize, label: &str| {
        write_line(out, &graph, &graph.lines[line], &nearest[line], label, width);
    };
    // Steps are counted only among the lines that are shown, so that there are no gaps.
    let mut is_listed = vec![false; graph.lines.len()];
    for line in &boot {
        is_listed[*line] = true;
    }
    let among = |line: usize| match is_listed[line] {
        true => nearest[line].iter().copied().filter(|first| is_listed[*first]).collect(),
        false => Vec::new(),
    };
    let steps = steps(&(0..graph.lines.len()).map(among).collect::<Vec<Vec<usize>>>());
    let mut out = String::new();
    let verb = if direction == GraphDirection::Up { "start" } else { "stop" };
    if !boot.is_empty() {
        let _ = writeln!(out, "At boot (services of one step {verb} at the same time)");
        boot.sort_by_key(|line| (steps[*line], by_name(line)));
        let mut last = 0;
        for line in &boot {
            let step = std::mem::replace(&mut last, steps[*line]);
            let label = if step == last { "   ".into() } else { format!("{last:>3}") };
            write_line(&mut out, *line, &label);
        }
    }
    if !on_demand.is_empty() {
        let gap = if boot.is_empty() { "" } else { "\n" };
        let _ = writeln!(out, "{gap}On demand (`s6-rc start NAME`, or when a service needs it)");
        on_demand.sort_by_key(by_name);
        for line in on_demand {
            write_line(&mut out, line, "   ");
        }
    }
    if names.is_empty() {
        write_bundles(&mut out, index);
    }
    let background = || graph.lines.iter().filter(|line| graph.is_background(line));
    let hidden = background().count();
    let loggers = background().filter(|line| index.layer(line.node) == Layer::Ours).count();
    if hidden > 0 {
        let mut parts = Vec::new();
        match loggers {
            0 => {}
            1 => parts.push("1 logger".to_owned()),
            n => parts.push(format!("{n} loggers")),
        }
        if hidden > loggers {
            parts.push("services of s6 itself".to_owned());
        }
        let _ = writeln!(
            out,
            "\nNot shown: {}, and dependencies that follow from others; `--format json` has everything.",
            parts.join(", ")
        );
    }
    out
}

fn write_line(
    out: &mut String,
    graph: &DrawnGraph<'_>,
    line: &GraphLine,
    nearest: &[usize],
    label: &str,
    width: usize,
) {
    let state = |number: &usize| {
        let first = &graph.lines[*number];
        let is_own = graph.direction == GraphDirection::Down || line.after().any(|own| own == *number);
        let why = if is_own { "" } else { ", for its log" };
        format!("{} ({}{why})", first.name, graph.state(first))
    };
    let waits: Vec<String> = nearest.iter().map(state).collect();
    let kind = match graph.index.kind(line.node) {
        NodeKind::Oneshot => "oneshot",
        NodeKind::Longrun => "longrun",
        _ => "in another layer",
    };
    let waits = if waits.is_empty() { String::new() } else { format!("after {}", waits.join(", ")) };
    let about = graph.index.service(line.node).map_or_else(String::new, about);
    let _ = writeln!(
        out,
        "{}",
        format!("{label}  {:width$}  {kind}  {waits}", line.name).trim_end().to_owned() + &about
    );
}

/// The description of a service, for the end of its line.
fn about(service: &Service) -> String {
    service
        .description
        .as_ref()
        .map_or_else(String::new, |description| format!("  # {}", printable(description)))
}

fn write_bundles(out: &mut String, index: &Index<'_>) {
    let ours = index.nodes().filter_map(|node| {
        let service = index.service(node)?;
        let Kind::Bundle(bundle) = &service.kind else { return None };
        (service.layer == Layer::Ours).then_some((service, bundle))
    });
    let bundles: BTreeMap<_, _> = ours.map(|(service, bundle)| (&service.name, (service, bundle))).collect();
    if bundles.is_empty() {
        return;
    }
    let width = bundles.keys().map(|name| name.to_string().chars().count()).max().unwrap_or(0);
    let _ = writeln!(out, "\nBundles");
    for (name, (service, bundle)) in bundles {
        let members: Vec<String> = bundle.contents.iter().map(|r| r.name.to_string()).collect();
        let members = if members.is_empty() { "(empty)".into() } else { members.join(", ") };
        let _ = writeln!(out, "     {:width$}  {members}{}", name.to_string(), about(service));
    }
}

/// The graph for Graphviz. An arrow leads from a service to each one that waits for it.
pub fn dot(index: &Index<'_>, names: &[Node], direction: GraphDirection) -> String {
    let graph = DrawnGraph::new(index, names, direction);
    let quoted = |line: &GraphLine| format!("\"{}\"", line.name.replace('\\', "\\\\").replace('"', "\\\""));
    let mut out = String::from("digraph services {\n  rankdir = LR;\n  node [shape = box];\n");
    for line in &graph.lines {
        let mut attributes = Vec::new();
        if index.kind(line.node) == NodeKind::Oneshot {
            attributes.push("shape = ellipse");
        }
        if !graph.is_at_boot(line) {
            attributes.push("style = dashed");
        }
        let attributes =
            if attributes.is_empty() { String::new() } else { format!(" [{}]", attributes.join(", ")) };
        let _ = writeln!(out, "  {}{attributes};", quoted(line));
    }
    for line in &graph.lines {
        for first in line.after() {
            let first = &graph.lines[first];
            let state = graph.state(first);
            let style = if state == "forked" { ", style = dashed" } else { "" };
            let _ = writeln!(out, "  {} -> {} [label = {state}{style}];", quoted(first), quoted(line));
        }
    }
    out.push_str("}\n");
    out
}

/// A service in machine output.
#[derive(Serialize)]
struct ServiceShape<'a> {
    after: Vec<WaitShape>,
    at_boot: bool,
    defined_by: &'static str,
    description: Option<&'a str>,
    name: String,
    step: usize,
    r#type: &'static str,
}

#[derive(Serialize)]
struct WaitShape {
    because: Vec<&'static str>,
    name: String,
    until: &'static str,
}

impl DrawnGraph<'_> {
    fn service_shape<'g>(&'g self, line: &'g GraphLine) -> ServiceShape<'g> {
        let wait = |(first, reasons): (usize, &[(usize, Why)])| WaitShape {
            because: reasons.iter().map(|(_, why)| because(*why)).collect(),
            name: json_name(self.index, self.lines[first].node),
            until: self.state(&self.lines[first]),
        };
        ServiceShape {
            after: line.waits().map(wait).collect(),
            at_boot: self.is_at_boot(line),
            defined_by: match self.index.layer(line.node) {
                Layer::Ours => "here",
                Layer::Overlay => "s6-overlay",
                Layer::External => "another layer",
                Layer::Internal => "s6-rc",
            },
            description: self.index.service(line.node).and_then(|service| service.description.as_deref()),
            name: json_name(self.index, line.node),
            step: line.step,
            r#type: match self.index.kind(line.node) {
                NodeKind::Longrun => "longrun",
                NodeKind::Oneshot => "oneshot",
                NodeKind::Bundle => "bundle",
                NodeKind::Unknown => "unknown",
            },
        }
    }
}

/// The services of a graph, each of which is written as soon as it is made: all of them together take much more memory than
/// their text.
impl Serialize for DrawnGraph<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.lines.iter().map(|line| self.service_shape(line)))
    }
}

/// The graph for programs: every service with all atomic services that it waits for directly. The fields of the answer, each
/// with its value as JSON.
pub fn json(index: &Index<'_>, names: &[Node], direction: GraphDirection) -> [(&'static str, String); 3] {
    let graph = DrawnGraph::new(index, names, direction);
    let mut members = Members::new(index);
    let bundles = index.nodes().filter(|node| names.is_empty() && index.kind(*node) == NodeKind::Bundle);
    let bundles = bundles.map(|node| {
        let members = members.of(node).iter().map(|member| json_name(index, *member));
        (json_name(index, node), members.collect())
    });
    let bundles: BTreeMap<String, Vec<String>> = bundles.collect();
    let direction = match direction {
        GraphDirection::Up => "up",
        GraphDirection::Down => "down",
    };
    [
        ("bundles", json_value(&bundles)),
        ("direction", json_value(&direction)),
        ("services", json_value(&graph)),
    ]
}

/// A value as JSON. This cannot fail, because every key is a string.
fn json_value(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn json_name(index: &Index<'_>, node: Node) -> String {
    json_text(index.name(node).as_bytes())
}

/// The word for a reason in machine output.
fn because(why: Why) -> &'static str {
    match why {
        Why::Dependency | Why::Member => "dependency",
        Why::Consumer => "consumer",
        Why::FdHolder => "fdholder",
        Why::OneshotRunner => "oneshot-runner",
    }
}
