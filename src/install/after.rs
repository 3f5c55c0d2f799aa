//! What a root holds once a tree is installed, with the files that other people put there.

use std::collections::BTreeSet;
use std::path::Path;

use super::receipt::Receipt;
use super::site::Site;
use crate::disk::path::split;
use crate::disk::{DiskError, OnDisk};
use crate::tree::{SourceTree, TreeEntry};

/// A foreign file of a definition is a name, a number or a short list; of a longer one only its presence counts.
const READ_LENGTH: u64 = 64 << 10;

/// The services whose definitions an earlier build left in `definitions`, an absolute path in the image at `root`.
///
/// # Errors
/// The receipt cannot be read.
pub fn installed_services(root: &Path, definitions: &str) -> Result<BTreeSet<String>, DiskError> {
    let site = Site::new(root, definitions)?;
    let receipt = site.receipt()?.unwrap_or_default();
    let types = receipt.paths().filter_map(|(path, _)| path.strip_suffix("/type"));
    let names = types.filter_map(|path| site.definition_of(path).filter(|name| path.ends_with(name)));
    Ok(names.map(str::to_owned).collect())
}

/// `tree` as it lies below `root` once it is installed: with everything below `directories`, paths relative to the root, that
/// s6gen did not make and therefore leaves there.
///
/// # Errors
/// The system refuses, or the receipt beside `definitions` cannot be used.
pub fn after_install(
    tree: &SourceTree,
    root: &Path,
    definitions: &str,
    directories: &BTreeSet<String>,
) -> Result<SourceTree, DiskError> {
    let site = Site::new(root, definitions)?;
    let receipt = site.receipt()?.unwrap_or_default();
    let mut after = After { site: &site, receipt: &receipt, tree, whole: tree.clone() };
    for directory in directories {
        let (way, name) = split(directory);
        let way = site.real(way, |path| receipt.owns(path, false))?;
        after.directory(directory, &format!("{way}/{name}"))?;
    }
    Ok(after.whole)
}

struct After<'a> {
    site: &'a Site<'a>,
    receipt: &'a Receipt,
    tree: &'a SourceTree,
    whole: SourceTree,
}

impl After<'_> {
    /// Adds what stays in the directory `path`, which really lies at `real`.
    fn directory(&mut self, path: &str, real: &str) -> Result<(), DiskError> {
        if !matches!(self.site.look(real)?, OnDisk::Directory { .. }) {
            return Ok(());
        }
        if !self.receipt.owns(real, true) {
            self.whole.directory(path);
        }
        for real in self.site.list(real)? {
            let path = format!("{path}/{}", split(&real).1);
            if matches!(self.tree.get(&path), Some(TreeEntry::File { .. } | TreeEntry::Link(_)))
                || self.receipt.owns(&real, false)
            {
                continue;
            }
            match self.site.look(&real)? {
                OnDisk::Directory { .. } => self.directory(&path, &real)?,
                OnDisk::File { mode, length } => {
                    let content = self.site.content(&real, length.min(READ_LENGTH))?;
                    self.whole.file(path, content, mode & 0o111 != 0);
                }
                OnDisk::Link(target) => self.whole.link(path, target.to_string_lossy()),
                OnDisk::Other | OnDisk::Nothing => {}
            }
        }
        Ok(())
    }
}
