//! Writes what people and programs read from the model: the source tree, the graph, and the reference of the manifest.

mod graph;
mod health;
mod program;
mod reference;
mod tree;
mod variables;

pub use graph::{dot, json, text};
pub use health::{HEALTH, HEALTH_QUESTION};
pub use program::program;
pub use reference::{fitted, reference, reference_of, wrapped};
pub use tree::{definition_files, definitions_dir, tree, tree_with};
pub use variables::{variables_json, variables_markdown, variables_text};
