//! Keeps the files of an earlier build that a running system still needs.

use std::path::Path;

use super::error::InstallError;
use super::site::Site;
use crate::disk::OnDisk;
use crate::tree::SourceTree;

/// Returns `tree` with the files of an earlier build below `root` for which `is_needed` is true. `definitions` is the
/// directory of definitions in the image. `is_needed` gets paths relative to the root.
///
/// # Errors
/// The system refuses, or the receipt beside the definitions cannot be used.
pub fn retain_installed(
    tree: &SourceTree,
    root: &Path,
    definitions: &str,
    is_needed: impl Fn(&str) -> bool,
) -> Result<SourceTree, InstallError> {
    let site = Site::new(root, definitions)?;
    let receipt = site.receipt()?.unwrap_or_default();
    let mut kept = tree.clone();
    for (path, is_directory) in receipt.paths() {
        if is_directory || tree.get(path).is_some() || !is_needed(path) {
            continue;
        }
        if let OnDisk::File { mode, length } = site.look(path)? {
            kept.file(path, site.content(path, length)?, mode & 0o111 != 0);
        }
    }
    Ok(kept)
}
