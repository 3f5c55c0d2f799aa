//! Makes loggers wait for the dependencies of their producers, because these may make the account or the directory of the
//! log.

use std::cell::{Cell, OnceCell};

use super::{Resolver, START_BUNDLE, distinct};
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::model::{Edge, Index, Kind, Name, Node, ServiceRef, Why, components};

/// How many services and dependencies the search visits for all loggers together. 30,000 ordinary services need a few hundred
/// thousand visits. Loggers in one cycle of thousands of services would need billions.
const MOST_VISITS: usize = 1 << 24;

/// The dependencies of all services, and those that loggers should get.
struct LoggerOrder<'a> {
    index: &'a Index<'a>,
    /// The edges that leave each node: its dependencies or its members.
    edges: Vec<Vec<Edge>>,
    /// The same edges by their targets, and the edges that loggers have got so far.
    dependents: Vec<Vec<Node>>,
    /// The producers of each node that is a logger.
    producers: Vec<Vec<Node>>,
    /// The dependencies that each logger should get: those of its producers.
    desired: Vec<Vec<Edge>>,
    /// The strongly connected component of each node in the graph with all these edges.
    component: Vec<usize>,
    /// The nodes that start with the container.
    is_started: Vec<bool>,
    visits: Visits,
    /// For each node the last logger for which it is known to wait, and the last one whose search has seen it.
    waits_for: Vec<Option<Node>>,
    seen_by: Vec<Option<Node>>,
}

/// How many more nodes and edges may be visited.
struct Visits(Cell<usize>);

impl Visits {
    /// Counts visits. Returns whether some are left.
    fn count(&self, visits: usize) -> bool {
        self.0.set(self.0.get().saturating_sub(visits));
        self.are_left()
    }

    fn are_left(&self) -> bool {
        self.0.get() > 0
    }
}

impl Resolver<'_> {
    /// Makes each logger wait for all dependencies of its producers, except for two kinds of services:
    ///
    /// - services that wait for this logger themselves, which would be a cycle;
    /// - on-demand services that not every producer needs, because a shared logger must not start a service that only one of
    ///   its producers needs.
    ///
    /// If such a service is left out, its own dependencies count as those of the producer. If each of two loggers could wait
    /// for a producer of the other one, only the first logger does.
    pub(super) fn order_loggers(&mut self) {
        let index = Index::new(&self.set);
        let mut order = LoggerOrder::new(&index, self.logs.producers());
        let loggers: Vec<Node> = index.nodes().filter(|node| !order.producers[node.0].is_empty()).collect();
        let mut found: Vec<(usize, Vec<ServiceRef>)> = Vec::new();
        for logger in loggers {
            found.push((logger.0, order.dependencies_of(logger)));
            if !order.visits.are_left() {
                self.problems.push(too_many_visits(self.set.services[logger.0].origin));
                return;
            }
        }
        for (position, dependencies) in found {
            if let Kind::Longrun(logger) = &mut self.set.services[position].kind {
                logger.dependencies.extend(dependencies);
                logger.dependencies = distinct(std::mem::take(&mut logger.dependencies));
            }
        }
    }
}

impl<'a> LoggerOrder<'a> {
    /// `pairs` are loggers by their positions in the set, each with a producer.
    fn new<'n>(index: &'a Index<'a>, pairs: impl Iterator<Item = (usize, &'n Name)>) -> Self {
        // The services of s6-rc itself wait for nothing, so they are in no cycle.
        let is_internal = |edge: &Edge| matches!(edge.why, Why::FdHolder | Why::OneshotRunner);
        let written = |node| index.edges(node).iter().filter(|edge| !is_internal(edge)).copied().collect();
        let edges: Vec<Vec<Edge>> = index.nodes().map(written).collect();
        let mut dependents = vec![Vec::new(); edges.len()];
        for (from, edges) in edges.iter().enumerate() {
            edges.iter().for_each(|edge| dependents[edge.to.0].push(Node(from)));
        }
        let (mut producers, mut desired) = (vec![Vec::new(); edges.len()], vec![Vec::new(); edges.len()]);
        for (logger, producer) in pairs {
            let Some(producer) = index.find(producer) else { continue };
            producers[logger].push(producer);
            desired[logger].extend(edges[producer.0].iter().filter(|edge| edge.to != Node(logger)));
        }
        let pairs = edges.iter().zip(&desired).enumerate().flat_map(|(from, (edges, desired))| {
            edges.iter().chain(desired).map(move |edge| (Node(from), edge.to))
        });
        let mut component = vec![0; edges.len()];
        for (number, nodes) in components(edges.len(), pairs).into_iter().enumerate() {
            nodes.into_iter().for_each(|node| component[node.0] = number);
        }
        let start = ["top", START_BUNDLE].iter().find_map(|name| index.find(&Name::from(*name)));
        let visits = Visits(Cell::new(MOST_VISITS));
        let is_started = reached(&edges, start, &visits);
        let (waits_for, seen_by) = (vec![None; edges.len()], vec![None; edges.len()]);
        LoggerOrder {
            index,
            edges,
            dependents,
            producers,
            desired,
            component,
            is_started,
            visits,
            waits_for,
            seen_by,
        }
    }

    /// Finds the dependencies of a logger, and adds these edges. If a service is left out, the search continues with its own
    /// edges. It also skips other loggers in this way, because a logger prepares nothing for others.
    fn dependencies_of(&mut self, logger: Node) -> Vec<ServiceRef> {
        self.mark_waiting(logger);
        let needed = OnceCell::new();
        let mut found: Vec<Edge> = Vec::new();
        let mut todo = vec![logger];
        while let Some(node) = todo.pop() {
            for edge in self.edges[node.0].iter().chain(&self.desired[node.0]) {
                if !self.visits.count(1) {
                    return Vec::new();
                }
                if self.seen_by[edge.to.0].replace(logger) == Some(logger) {
                    continue;
                }
                let starts_anyway =
                    self.is_started[edge.to.0] || self.is_needed_by_all(edge.to, logger, &needed);
                let is_logger = !self.producers[edge.to.0].is_empty();
                if is_logger || !starts_anyway || self.waits_for[edge.to.0] == Some(logger) {
                    todo.push(edge.to);
                } else {
                    found.push(*edge);
                }
            }
        }
        found.iter().for_each(|edge| self.dependents[edge.to.0].push(logger));
        let name = |edge: Edge| ServiceRef { name: self.index.name(edge.to).clone(), origin: edge.origin };
        found.into_iter().map(name).collect()
    }

    /// Marks the services that wait for a logger. Only those in the same component matter, because only they can close a cycle.
    fn mark_waiting(&mut self, logger: Node) {
        let mut todo = vec![logger];
        while let Some(node) = todo.pop() {
            if self.component[node.0] != self.component[logger.0]
                || self.waits_for[node.0].replace(logger) == Some(logger)
            {
                continue;
            }
            let dependents = &self.dependents[node.0];
            if !self.visits.count(1 + dependents.len()) {
                return;
            }
            todo.extend(dependents);
        }
    }

    /// Whether every producer of a logger needs `node`. `needed` stores the nodes that all of them need, once it is computed.
    fn is_needed_by_all(&self, node: Node, logger: Node, needed: &OnceCell<Vec<bool>>) -> bool {
        let producers = &self.producers[logger.0];
        let depends = |producer: &Node| self.edges[producer.0].iter().any(|edge| edge.to == node);
        let compute = || {
            let mut needed = vec![true; self.edges.len()];
            for producer in producers {
                let reached = reached(&self.edges, [*producer], &self.visits);
                needed.iter_mut().zip(reached).for_each(|(needed, reached)| *needed &= reached);
            }
            needed
        };
        producers.iter().all(depends) || needed.get_or_init(compute)[node.0]
    }
}

/// Whether each node is in `start`, or can be reached from a node of `start`. Stops early if no visits are left.
fn reached(edges: &[Vec<Edge>], start: impl IntoIterator<Item = Node>, visits: &Visits) -> Vec<bool> {
    let mut reached = vec![false; edges.len()];
    let mut todo: Vec<Node> = start.into_iter().collect();
    // Looking at all nodes without their edges is fast.
    let mut are_left = visits.count(edges.len() / 16);
    while let Some(node) = todo.pop().filter(|_| are_left) {
        if !std::mem::replace(&mut reached[node.0], true) {
            are_left = visits.count(1 + edges[node.0].len());
            todo.extend(edges[node.0].iter().map(|edge| edge.to));
        }
    }
    reached
}

/// The report that the dependencies of the loggers are not found within the limit.
fn too_many_visits(origin: Option<Origin>) -> Diagnostic {
    let message = "it takes too long to find out which services the loggers must wait for";
    Diagnostic::new(Code::ManifestTooLarge, message)
        .at(origin, "up to this logger")
        .note("thousands of services with a log depend on each other in a cycle, or share loggers while on demand")
        .help("remove the cycle, or give services that start on demand a log of their own")
}
