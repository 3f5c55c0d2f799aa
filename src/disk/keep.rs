use std::path::Path;

use super::error::OutputError;
use super::ground::{Found, Ground};
use crate::tree::SourceTree;

/// Adds to `tree` the files of an earlier build that are wanted still, as they lie below `root`. `definitions` is the
/// directory of definitions in the image; paths are relative to the root.
///
/// # Errors
/// The system refuses, or the receipt beside the definitions cannot be used.
pub fn keep(
    tree: &SourceTree,
    root: &Path,
    definitions: &str,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<SourceTree, OutputError> {
    let ground = Ground::new(root, definitions)?;
    let receipt = ground.receipt()?.unwrap_or_default();
    let mut kept = tree.clone();
    for (path, is_directory) in receipt.paths() {
        if is_directory || tree.get(path).is_some() || !is_wanted(path) {
            continue;
        }
        if let Found::File { mode, .. } = ground.look(path)? {
            let place = ground.path(path);
            let content =
                std::fs::read(&place).map_err(|error| OutputError::system("read", &place, &error))?;
            kept.file(path, content, mode & 0o111 != 0);
        }
    }
    Ok(kept)
}
