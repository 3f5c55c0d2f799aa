//! Writes what people and programs read from the model: the source tree, the graph, the reference of the manifest and its
//! schema.

mod columns;
mod graph;
mod health;
mod measured;
mod plan;
mod plan_json;
mod program;
mod reference;
mod schema;
mod tree;
mod variables;

pub use graph::{json, text};
pub use health::{HEALTH, HEALTH_QUESTION};
pub use measured::{measured_json, measured_text};
pub use plan::{plan_text, plan_why};
pub use plan_json::plan_json;
pub use program::program;
pub use reference::{fitted, reference, reference_of, wrapped};
pub use schema::schema;
pub use tree::{definition_files, definitions_dir, tree, tree_with};
pub use variables::{variables_json, variables_markdown, variables_text};
