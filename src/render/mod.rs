//! From the services as meant to what people and programs read: the source tree and the graph.

mod graph;
mod reference;
mod tree;

pub use graph::{Direction, dot, json, text};
pub use reference::{fitted, reference, reference_of, wrapped};
pub use tree::{definitions_dir, tree, tree_with};
