//! The start order of services, as text and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Serialize, Serializer};

use crate::model::{Index, Kind, Layer, Members, Node, NodeKind, Service, Why, json_text, printable};
use crate::plan::{OrderDirection, OrderedService, StartOrder, steps};

/// The start order as text for people. With `shows_all` it has loggers, services of s6 itself and every direct dependency.
pub fn text(index: &Index<'_>, names: &[Node], direction: OrderDirection, shows_all: bool) -> String {
    let graph = StartOrder::new(index, names, direction);
    let nearest = match shows_all {
        true => graph.services.iter().map(|line| line.after().collect()).collect(),
        false => graph.nearest(),
    };
    let is_shown =
        |line: &OrderedService| shows_all || !graph.is_background(line) || names.contains(&line.node);
    let shown: Vec<usize> =
        (0..graph.services.len()).filter(|line| is_shown(&graph.services[*line])).collect();
    let width = shown
        .iter()
        .map(|line| graph.name(&graph.services[*line]).to_string().chars().count())
        .max()
        .unwrap_or(0);
    let (mut boot, mut on_demand): (Vec<usize>, Vec<usize>) =
        shown.into_iter().partition(|line| graph.is_at_boot(&graph.services[*line]));
    let by_name = |line: &usize| index.name(graph.services[*line].node);
    let for_logs = match direction {
        OrderDirection::Up => graph.for_logs(),
        OrderDirection::Down => vec![Vec::new(); graph.services.len()],
    };
    let write_line = |out: &mut String, line: usize, label: &str| {
        let state = |number: &usize| {
            let first = &graph.services[*number];
            let why = if for_logs[line].binary_search(number).is_ok() { ", for its log" } else { "" };
            format!("{} ({}{why})", graph.name(first), graph.awaited(first).word())
        };
        let waits: Vec<String> = nearest[line].iter().map(state).collect();
        write_line(out, &graph, &graph.services[line], &waits.join(", "), label, width);
    };
    // Steps are counted only among the lines that are shown, so that there are no gaps.
    let mut is_listed = vec![false; graph.services.len()];
    for line in &boot {
        is_listed[*line] = true;
    }
    let among = |line: usize| match is_listed[line] {
        true => nearest[line].iter().copied().filter(|first| is_listed[*first]).collect(),
        false => Vec::new(),
    };
    let steps = steps(&(0..graph.services.len()).map(among).collect::<Vec<Vec<usize>>>());
    let mut out = String::new();
    if !boot.is_empty() {
        out.push_str("At boot (services of one wave do not wait for each other)\n");
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
    let background = || graph.services.iter().filter(|line| graph.is_background(line));
    let hidden = if shows_all { 0 } else { background().count() };
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
            "\nNot shown: {}, and dependencies that follow from others; `--all` shows everything.",
            parts.join(", ")
        );
    }
    out
}

fn write_line(
    out: &mut String,
    graph: &StartOrder<'_>,
    line: &OrderedService,
    waits: &str,
    label: &str,
    width: usize,
) {
    let kind = match graph.index.kind(line.node) {
        NodeKind::Oneshot => "oneshot",
        NodeKind::Longrun => "longrun",
        _ => "in another layer",
    };
    let waits = if waits.is_empty() { String::new() } else { format!("after {waits}") };
    let about = graph.index.service(line.node).map_or_else(String::new, about);
    let _ = writeln!(
        out,
        "{}",
        format!("{label}  {:width$}  {kind}  {waits}", graph.name(line).to_string()).trim_end().to_owned()
            + &about
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

/// The services of a graph in machine output.
struct GraphShape<'a>(StartOrder<'a>);

impl GraphShape<'_> {
    fn service_shape<'g>(&'g self, line: &'g OrderedService) -> ServiceShape<'g> {
        let wait = |(first, reasons): (usize, &[(usize, Why)])| WaitShape {
            because: reasons.iter().map(|(_, why)| because(*why)).collect(),
            name: json_name(self.0.index, self.0.services[first].node),
            until: self.0.awaited(&self.0.services[first]).word(),
        };
        ServiceShape {
            after: line.waits().map(wait).collect(),
            at_boot: self.0.is_at_boot(line),
            defined_by: match self.0.index.layer(line.node) {
                Layer::Ours => "here",
                Layer::Overlay => "s6-overlay",
                Layer::External => "another layer",
                Layer::Internal => "s6-rc",
            },
            description: self.0.index.service(line.node).and_then(|service| service.description.as_deref()),
            name: json_name(self.0.index, line.node),
            step: line.step,
            r#type: match self.0.index.kind(line.node) {
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
impl Serialize for GraphShape<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.services.iter().map(|line| self.service_shape(line)))
    }
}

/// The graph for programs: every service with all atomic services that it waits for directly. The fields of the answer, each
/// with its value as JSON.
pub fn json(index: &Index<'_>, names: &[Node], direction: OrderDirection) -> [(&'static str, String); 3] {
    let graph = GraphShape(StartOrder::new(index, names, direction));
    let mut members = Members::new(index);
    let bundles = index.nodes().filter(|node| names.is_empty() && index.kind(*node) == NodeKind::Bundle);
    let bundles = bundles.map(|node| {
        let members = members.of(node).iter().map(|member| json_name(index, *member));
        (json_name(index, node), members.collect())
    });
    let bundles: BTreeMap<String, Vec<String>> = bundles.collect();
    let direction = match direction {
        OrderDirection::Up => "up",
        OrderDirection::Down => "down",
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
