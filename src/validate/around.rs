//! What is known of an image beside the definitions.

use std::path::{Path, PathBuf};

use crate::diagnostic::Files;
use crate::model::{Index, Made, Node};

/// What is known of the image beside the definitions.
#[derive(Default)]
pub struct Around<'a> {
    /// The directories of the lower layers, to which this tree adds.
    pub lower: &'a [PathBuf],
    /// The path of this tree, for commands that add to it.
    pub upper: Option<&'a Path>,
    /// The texts of the scripts that lie elsewhere in the image.
    pub scripts: Option<&'a dyn Fn() -> Vec<String>>,
}

impl Around<'_> {
    /// The lower layer that a service comes from.
    pub(super) fn below<'p>(
        &self,
        index: &Index<'_>,
        node: Node,
        files: &'p Files,
    ) -> Option<(&Path, &'p Path)> {
        let path = files.path(index.origin(node)?.file);
        let lower = self.lower.iter().map(PathBuf::as_path).filter(|lower| path.starts_with(lower));
        // One directory may lie in another.
        let lower = lower.max_by_key(|lower| lower.as_os_str().len())?;
        let is_upper = self.upper.is_some_and(|upper| upper.starts_with(lower) && path.starts_with(upper));
        (!is_upper).then_some((lower, path))
    }
}

/// What s6gen meant with a service, if it made its definition.
pub(super) fn made(index: &Index<'_>, node: Node) -> Option<Made> {
    index.service(node)?.definition()?.made
}

pub(super) fn is_start(index: &Index<'_>, node: Node) -> bool {
    index.set().target.system.start_bundles().iter().any(|bundle| *index.name(node) == **bundle)
}
