//! Works out what a root will hold after an installation, including the files that s6gen did not make.

use std::collections::BTreeSet;
use std::path::Path;

use super::receipt::Receipt;
use super::site::Site;
use crate::disk::path::split;
use crate::disk::{DiskError, OnDisk};
use crate::tree::{SourceTree, TreeEntry};

/// How many bytes of a foreign file are read. The files of a definition that matter are shorter; for a longer file only its
/// presence matters.
const READ_LENGTH: u64 = 64 << 10;

/// The services that an earlier build defined in `definitions`, an absolute path in the image at `root`.
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

/// Returns `tree` as it will be below `root` after it is installed. That is `tree` with every file below `directories` that
/// s6gen did not make, because an installation leaves those alone. `directories` are relative to the root.
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
    let mut after = AfterInstall { site: &site, receipt: &receipt, tree, result: tree.clone() };
    for directory in directories {
        let (parent, name) = split(directory);
        let parent = site.real(parent, |path| receipt.owns(path, false))?;
        after.add_directory(directory, &format!("{parent}/{name}"))?;
    }
    Ok(after.result)
}

/// Collects the entries that an installation leaves alone.
struct AfterInstall<'a> {
    site: &'a Site<'a>,
    receipt: &'a Receipt,
    tree: &'a SourceTree,
    result: SourceTree,
}

impl AfterInstall<'_> {
    /// Adds the entries that stay in the directory `path`. `real` is that path with all links resolved.
    fn add_directory(&mut self, path: &str, real: &str) -> Result<(), DiskError> {
        if self.site.folder(real)?.is_none() {
            return Ok(());
        }
        if !self.receipt.owns(real, true) {
            self.result.directory(path);
        }
        for real in self.site.list(real)? {
            let path = format!("{path}/{}", split(&real).1);
            if matches!(self.tree.get(&path), Some(TreeEntry::File { .. } | TreeEntry::Link(_)))
                || self.receipt.owns(&real, false)
            {
                continue;
            }
            match self.site.look(&real)? {
                OnDisk::Directory { .. } => self.add_directory(&path, &real)?,
                OnDisk::File { mode, length } => {
                    let content = self.site.content(&real, length.min(READ_LENGTH))?;
                    self.result.file(path, content, mode & 0o111 != 0);
                }
                OnDisk::Link(target) => self.result.link(path, target.to_string_lossy()),
                OnDisk::Other | OnDisk::Nothing => {}
            }
        }
        Ok(())
    }
}
