//! Finds the service that a user names.

use crate::diagnostic::did_you_mean;
use crate::model::{Index, Layer, Name, Node};

/// Finds the service or bundle with the name `name`.
///
/// # Errors
/// There is none. The text has the most similar name, if there is one.
pub fn find(index: &Index<'_>, name: &str) -> Result<Node, String> {
    index.find(&Name::from(name)).ok_or_else(|| {
        let ours = index.nodes().filter(|node| index.layer(*node) == Layer::Ours);
        let known: Vec<String> = ours.map(|node| index.name(node).to_string()).collect();
        let near = did_you_mean(name, known.iter().map(String::as_str));
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        format!("there is no service `{name}`{near}")
    })
}
