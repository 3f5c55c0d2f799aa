//! Finds services by name, and lists the dependencies of each one, also those that s6-rc adds.

#![allow(
    clippy::disallowed_types,
    reason = "the names are only looked up, and sorted where all of them are listed"
)]

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};

use super::{FDHOLDER, Kind, Layer, Name, ONESHOT_RUNNER, Service, ServiceSet};
use crate::diagnostic::Origin;

/// A name that can be depended on: a service, or the bundle of a named pipeline.
///
/// Services come first, numbered as in [`ServiceSet::services`]; pipelines follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(pub usize);

/// What a node is for the compiler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeKind {
    /// A supervised process.
    Longrun,
    /// A step that is done once.
    Oneshot,
    /// One name for several services, also that of a pipeline.
    Bundle,
    /// Only its existence is known.
    Unknown,
}

/// One reason for a service to wait for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// The node that the service waits for. A bundle stands for its members.
    pub to: Node,
    /// Why it waits.
    pub why: Why,
    /// Where the dependency is written. `None` if s6-rc adds it.
    pub origin: Option<Origin>,
}

/// Where an edge of the dependency graph comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// A dependency in a manifest or a definition.
    Dependency,
    /// A producer waits for its consumer.
    Consumer,
    /// The members of a pipeline wait for the service that keeps its pipes open.
    FdHolder,
    /// A oneshot waits for the process that runs it.
    OneshotRunner,
    /// A bundle contains this member. This edge is not a dependency.
    Member,
}

/// A service set with its names looked up: the dependency graph as `s6-rc-compile` sees it.
#[derive(Debug)]
pub struct Index<'a> {
    set: &'a ServiceSet,
    names: HashMap<&'a Name, Node>,
    /// The nodes in the order of their names, once they are asked for.
    sorted: OnceCell<Vec<Node>>,
    pipelines: Vec<Pipeline<'a>>,
    /// The edges that leave each node, once they are asked for.
    edges: OnceCell<Vec<Vec<Edge>>>,
}

#[derive(Debug)]
struct Pipeline<'a> {
    name: &'a Name,
    consumer: Node,
    origin: Option<Origin>,
}

impl<'a> Index<'a> {
    /// Looks up every name of `set`. If a name has two definitions, the first one counts.
    pub fn new(set: &'a ServiceSet) -> Self {
        let mut names = HashMap::with_capacity(set.services.len());
        for (position, service) in set.services.iter().enumerate() {
            names.entry(&service.name).or_insert(Node(position));
        }
        // s6-rc-compile names pipelines from the last defined consumer to the first.
        let mut pipelines = Vec::new();
        for (position, service) in set.services.iter().enumerate().rev() {
            let Some(longrun) = service.longrun() else { continue };
            let is_last = !longrun.consumer_for.is_empty() && longrun.producer_for.is_none();
            if let (true, Some([name, ..])) = (is_last, longrun.pipeline_name.as_deref()) {
                names.entry(&name.name).or_insert(Node(set.services.len() + pipelines.len()));
                pipelines.push(Pipeline { name: &name.name, consumer: Node(position), origin: name.origin });
            }
        }
        Index { set, names, sorted: OnceCell::new(), pipelines, edges: OnceCell::new() }
    }

    /// The set that this index is for.
    pub fn set(&self) -> &'a ServiceSet {
        self.set
    }

    /// The node with the name `name`.
    pub fn find(&self, name: &Name) -> Option<Node> {
        self.names.get(name).copied()
    }

    /// Every node, services first.
    pub fn nodes(&self) -> impl Iterator<Item = Node> + use<> {
        (0..self.set.services.len() + self.pipelines.len()).map(Node)
    }

    /// The pipelines that have a name, in the order in which the compiler names them: the node of each and its last
    /// consumer.
    pub fn pipelines(&self) -> impl Iterator<Item = (Node, Node)> + '_ {
        let first = self.set.services.len();
        self.pipelines
            .iter()
            .enumerate()
            .map(move |(number, pipeline)| (Node(first + number), pipeline.consumer))
    }

    /// Every name that can be referred to, in byte order.
    pub fn names(&self) -> impl Iterator<Item = &'a Name> + '_ {
        let sorted = || {
            let mut nodes: Vec<Node> = self.names.values().copied().collect();
            nodes.sort_unstable_by_key(|node| self.name(*node));
            nodes
        };
        self.sorted.get_or_init(sorted).iter().map(|node| self.name(*node))
    }

    /// The service of a node; a pipeline has none.
    pub fn service(&self, node: Node) -> Option<&'a Service> {
        self.set.services.get(node.0)
    }

    /// The name of a node.
    pub fn name(&self, node: Node) -> &'a Name {
        match self.service(node) {
            Some(service) => &service.name,
            None => self.pipelines[node.0 - self.set.services.len()].name,
        }
    }

    /// Where a node is defined.
    pub fn origin(&self, node: Node) -> Option<Origin> {
        match self.service(node) {
            Some(service) => service.origin,
            None => self.pipelines[node.0 - self.set.services.len()].origin,
        }
    }

    /// What a node is.
    pub fn kind(&self, node: Node) -> NodeKind {
        match self.service(node).map(|s| &s.kind) {
            Some(Kind::Longrun(_)) => NodeKind::Longrun,
            Some(Kind::Oneshot(_)) => NodeKind::Oneshot,
            Some(Kind::Unknown) => NodeKind::Unknown,
            Some(Kind::Bundle(_)) | None => NodeKind::Bundle,
        }
    }

    /// Who defines a node; a pipeline belongs to its consumer's layer.
    pub fn layer(&self, node: Node) -> Layer {
        match self.service(node) {
            Some(service) => service.layer,
            None => {
                let consumer = self.pipelines[node.0 - self.set.services.len()].consumer;
                self.set.services[consumer.0].layer
            }
        }
    }

    /// The edges that leave a node: the dependencies of a service, or the members of a bundle. Names that are defined nowhere
    /// are left out.
    pub fn edges(&self, node: Node) -> &[Edge] {
        &self.edges.get_or_init(|| self.nodes().map(|node| self.edges_of(node)).collect())[node.0]
    }

    fn edges_of(&self, node: Node) -> Vec<Edge> {
        let mut edges = Vec::new();
        let Some(service) = self.service(node) else {
            self.pipeline_members(node, &mut edges);
            return edges;
        };
        let written = |list: &[super::ServiceRef], why: Why, edges: &mut Vec<Edge>| {
            edges.extend(list.iter().filter_map(|r| {
                let to = self.find(&r.name)?;
                Some(Edge { to, why, origin: r.origin })
            }));
        };
        let internal =
            |name: &str, why: Why| Edge { to: Node(usize::from(name == FDHOLDER)), why, origin: None };
        match &service.kind {
            Kind::Bundle(bundle) => written(&bundle.contents, Why::Member, &mut edges),
            // Of a service of another layer only the dependencies are known that this manifest or tree adds.
            Kind::Unknown => written(&service.extended_by, Why::Dependency, &mut edges),
            Kind::Oneshot(oneshot) => {
                written(&oneshot.dependencies, Why::Dependency, &mut edges);
                edges.push(internal(ONESHOT_RUNNER, Why::OneshotRunner));
            }
            Kind::Longrun(longrun) => {
                written(&longrun.dependencies, Why::Dependency, &mut edges);
                let consumer = longrun.producer_for.as_deref().unwrap_or_default();
                written(consumer, Why::Consumer, &mut edges);
                if !consumer.is_empty() || !longrun.consumer_for.is_empty() {
                    edges.push(internal(FDHOLDER, Why::FdHolder));
                }
            }
        }
        edges
    }

    /// Adds edges to the last consumer and to all its producers, direct and indirect.
    fn pipeline_members(&self, node: Node, edges: &mut Vec<Edge>) {
        let pipeline = &self.pipelines[node.0 - self.set.services.len()];
        let mut seen = BTreeSet::new();
        let mut todo = vec![pipeline.consumer];
        while let Some(member) = todo.pop() {
            let Some(longrun) = self.service(member).and_then(Service::longrun) else { continue };
            if seen.insert(member) {
                edges.push(Edge { to: member, why: Why::Member, origin: pipeline.origin });
                todo.extend(longrun.consumer_for.iter().filter_map(|p| self.find(&p.name)));
            }
        }
    }

    /// The atomic services that a node stands for: itself, or all members of a bundle, also those of inner bundles.
    pub fn atomics(&self, node: Node) -> BTreeSet<Node> {
        let mut atomics = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut todo = vec![node];
        while let Some(node) = todo.pop() {
            if !seen.insert(node) {
                continue;
            }
            match self.kind(node) {
                NodeKind::Bundle => todo.extend(self.edges(node).iter().map(|e| e.to)),
                _ => {
                    atomics.insert(node);
                }
            }
        }
        atomics
    }

    /// The atomic services that a node waits for directly, also those that s6-rc adds. Bundles are replaced by their members.
    pub fn dependencies(&self, node: Node) -> BTreeSet<Node> {
        let mut needed = BTreeSet::new();
        for edge in self.edges(node) {
            match self.kind(edge.to) {
                NodeKind::Bundle => needed.extend(self.atomics(edge.to)),
                _ => {
                    needed.insert(edge.to);
                }
            }
        }
        needed
    }

    /// The atomic services of `start` and all their dependencies, direct and indirect.
    pub fn closure(&self, start: impl IntoIterator<Item = Node>) -> BTreeSet<Node> {
        let mut closed = BTreeSet::new();
        let mut todo: Vec<Node> = start.into_iter().flat_map(|n| self.atomics(n)).collect();
        while let Some(node) = todo.pop() {
            if closed.insert(node) {
                todo.extend(self.dependencies(node));
            }
        }
        closed
    }
}
