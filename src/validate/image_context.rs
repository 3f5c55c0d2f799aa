//! Facts about the image that the definitions do not contain.

use std::path::{Path, PathBuf};

use crate::diagnostic::{Files, Origin};
use crate::model::{Index, Node, StartKind};

/// Facts about the image that the definitions do not contain.
#[derive(Default)]
pub struct ImageContext<'a> {
    /// The directories of the lower layers, to which this tree adds.
    pub lower: &'a [PathBuf],
    /// The path of this tree, for commands that add to it.
    pub upper: Option<&'a Path>,
    /// Reads the scripts elsewhere in the image, and returns their texts.
    pub scripts: Option<&'a dyn Fn() -> Vec<String>>,
    /// The place of start bundles that the container boots from although it is deprecated, and how to move them.
    pub old_place: Option<(Origin, &'a str)>,
}

impl ImageContext<'_> {
    /// The lower layer that a service comes from, and the path of its definition.
    pub(super) fn lower_layer_of<'p>(
        &self,
        index: &Index<'_>,
        node: Node,
        files: &'p Files,
    ) -> Option<(&Path, &'p Path)> {
        let path = files.path(index.origin(node)?.file);
        Some((lower_layer(self.lower, self.upper, path)?, path))
    }
}

/// The layer of `lower` that a file is in. `None` if it is in the judged tree, which has the path `upper`.
pub fn lower_layer<'l>(lower: &'l [PathBuf], upper: Option<&Path>, file: &Path) -> Option<&'l Path> {
    let lower = lower.iter().map(PathBuf::as_path).filter(|lower| file.starts_with(lower));
    // If one layer directory contains another, the inner one counts.
    let lower = lower.max_by_key(|lower| lower.as_os_str().len())?;
    let is_upper = upper.is_some_and(|upper| upper.starts_with(lower) && file.starts_with(upper));
    (!is_upper).then_some(lower)
}

/// How a service starts, if s6gen made its definition. For a hand-written definition that is unknown.
pub(super) fn recorded_start(index: &Index<'_>, node: Node) -> Option<StartKind> {
    index.service(node)?.definition()?.recorded_start
}

/// Whether a node is one of the bundles that `/init` starts.
pub(super) fn is_start_bundle(index: &Index<'_>, node: Node) -> bool {
    index.set().target.system.start_bundles().iter().any(|bundle| *index.name(node) == **bundle)
}
