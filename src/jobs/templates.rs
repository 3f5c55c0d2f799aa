//! The templates from which a tree is rendered. Templates of the user replace shipped ones of the same name.

use std::collections::BTreeMap;
use std::path::Path;

use super::judge::snapshot_beside;
use crate::diagnostic::{Code, Diagnostic};
use crate::disk;
use crate::model::{ServiceSet, Snapshot};
use crate::render;
use crate::templates::Templates;
use crate::tree::SourceTree;

/// Templates of the user: each with its name and its text. They replace shipped ones of the same name.
pub type Overrides = Vec<(String, String)>;

/// Reads the templates in `folder`. Without a folder there are none.
///
/// # Errors
/// The folder cannot be read.
pub fn read_overrides(folder: Option<&Path>) -> Result<Overrides, Diagnostic> {
    let Some(folder) = folder else { return Ok(Overrides::new()) };
    disk::read_folder(folder).map_err(|error| {
        Diagnostic::new(Code::Template, format!("cannot read `{}`: {error}", folder.display()))
            .help("name a folder of templates, such as `s6gen init --templates DIR` writes")
    })
}

/// Renders the source tree of `services`.
///
/// # Errors
/// A template cannot be filled.
pub fn render_tree(services: &ServiceSet, overrides: &Overrides) -> Result<SourceTree, Diagnostic> {
    fill(overrides, |templates| render::tree_with(services, templates))
}

/// Takes a snapshot of the source tree of `services`. Services that have the same files in `other` share them.
///
/// # Errors
/// A template cannot be filled.
pub(super) fn render_snapshot(
    services: &ServiceSet,
    overrides: &Overrides,
    other: &Snapshot,
) -> Result<Snapshot, Diagnostic> {
    fill(overrides, |templates| snapshot_beside(services, templates, other))
}

pub(super) fn fill<T>(
    overrides: &Overrides,
    fill: impl FnOnce(&Templates) -> Result<T, String>,
) -> Result<T, Diagnostic> {
    Templates::new(overrides).and_then(|templates| fill(&templates)).map_err(|why| {
        Diagnostic::new(Code::Template, format!("a template cannot be filled: {why}"))
            .help("to see the shipped templates, write them with `s6gen init --templates DIR`")
    })
}

/// The templates whose texts differ from the shipped ones.
pub(super) fn without_shipped(mut overrides: Overrides) -> Overrides {
    let shipped: BTreeMap<&str, &str> = Templates::shipped().collect();
    overrides.retain(|(name, text)| shipped.get(name.as_str()) != Some(&text.as_str()));
    overrides
}
