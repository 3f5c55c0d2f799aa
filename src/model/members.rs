//! Resolves bundles to the atomic services that they contain.

use super::{Edge, Index, Node, NodeKind};

/// The atomic services that bundles stand for. Each bundle is resolved once, when it is first needed.
///
/// This is for sets without errors. If bundles contain themselves, the result for these bundles is incomplete.
#[derive(Debug)]
pub struct Members<'a> {
    index: &'a Index<'a>,
    of: Vec<MemberState>,
}

#[derive(Debug, Clone)]
enum MemberState {
    /// It is not resolved yet.
    Unknown,
    /// It is being resolved.
    Open,
    /// Its atomic services.
    All(Vec<Node>),
}

impl<'a> Members<'a> {
    /// Creates an empty cache for the bundles of `index`.
    pub fn new(index: &'a Index<'a>) -> Self {
        Members { index, of: vec![MemberState::Unknown; index.nodes().count()] }
    }

    /// The atomic services that `bundle` stands for, in the order of the nodes. A node that is not a bundle has none.
    pub fn of(&mut self, bundle: Node) -> &[Node] {
        if self.index.kind(bundle) == NodeKind::Bundle {
            self.resolve(bundle, usize::MAX);
        }
        self.known(bundle)
    }

    /// The number of atomic services that `bundle` stands for. `None` if the bundles inside it together have more than `most`.
    pub fn count(&mut self, bundle: Node, most: usize) -> Option<usize> {
        self.resolve(bundle, most).then(|| self.known(bundle).len())
    }

    /// The first bundle with which there are more than `most` members, in the bundles and in the services that depend on them
    /// together.
    pub fn first_beyond(index: &Index<'_>, most: usize) -> Option<Node> {
        let mut members = Members::new(index);
        let mut left = most;
        for node in index.nodes() {
            let is_bundle = index.kind(node) == NodeKind::Bundle;
            let to = index.edges(node).iter().map(|edge| edge.to);
            let bundles = to.filter(|to| !is_bundle && index.kind(*to) == NodeKind::Bundle);
            for bundle in bundles.chain(is_bundle.then_some(node)) {
                match members.count(bundle, left).and_then(|count| left.checked_sub(count)) {
                    Some(rest) => left = rest,
                    None => return Some(bundle),
                }
            }
        }
        None
    }

    fn known(&self, bundle: Node) -> &[Node] {
        match &self.of[bundle.0] {
            MemberState::All(members) => members,
            _ => &[],
        }
    }

    /// Resolves a bundle, inner bundles first; false if they have more than `most` members. It uses no recursion: bundles may be
    /// nested too deeply for the stack.
    fn resolve(&mut self, bundle: Node, most: usize) -> bool {
        let mut left = most;
        let mut todo: Vec<(Node, Option<Vec<Edge>>)> = vec![(bundle, None)];
        while let Some((bundle, edges)) = todo.pop() {
            match (&self.of[bundle.0], edges) {
                (MemberState::Unknown, None) => {
                    self.of[bundle.0] = MemberState::Open;
                    let edges = self.index.edges(bundle);
                    let inner: Vec<Node> =
                        edges.iter().map(|edge| edge.to).filter(|to| self.is_unknown_bundle(*to)).collect();
                    todo.push((bundle, Some(edges.to_vec())));
                    todo.extend(inner.into_iter().map(|inner| (inner, None)));
                }
                (_, Some(edges)) => {
                    let mut members = Vec::new();
                    for edge in edges {
                        match self.index.kind(edge.to) {
                            NodeKind::Bundle => members.extend_from_slice(self.known(edge.to)),
                            _ => members.push(edge.to),
                        }
                    }
                    members.sort_unstable();
                    members.dedup();
                    let Some(rest) = left.checked_sub(members.len()) else { return false };
                    left = rest;
                    self.of[bundle.0] = MemberState::All(members);
                }
                (_, None) => {}
            }
        }
        true
    }

    fn is_unknown_bundle(&self, node: Node) -> bool {
        matches!(self.of[node.0], MemberState::Unknown) && self.index.kind(node) == NodeKind::Bundle
    }
}
