//! The strongly connected components of a graph of services.

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::Node;

/// The nodes of each strongly connected component of a graph of `count` nodes. In a component every node leads to every other
/// one, so an edge between two components is part of no cycle.
pub fn components(count: usize, edges: impl Iterator<Item = (Node, Node)>) -> Vec<Vec<Node>> {
    let mut graph = DiGraph::<(), ()>::new();
    (0..count).for_each(|_| _ = graph.add_node(()));
    for (from, to) in edges {
        graph.add_edge(NodeIndex::new(from.0), NodeIndex::new(to.0), ());
    }
    let found = kosaraju_scc(&graph).into_iter();
    found.map(|nodes| nodes.into_iter().map(|node| Node(node.index())).collect()).collect()
}
