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

/// A root before an installation: what an earlier one made there, and which files are foreign.
#[derive(Debug)]
pub struct Present<'a> {
    site: Site<'a>,
    receipt: Receipt,
}

impl<'a> Present<'a> {
    /// Reads the receipt beside `definitions`, an absolute path in the image at `root`.
    ///
    /// # Errors
    /// The receipt cannot be read or used.
    pub fn new(root: &'a Path, definitions: &str) -> Result<Self, DiskError> {
        let site = Site::new(root, definitions)?;
        let receipt = site.receipt()?.unwrap_or_default();
        Ok(Present { site, receipt })
    }

    /// The services that an earlier installation defined.
    pub fn services(&self) -> BTreeSet<String> {
        let types = self.receipt.paths().filter_map(|(path, _)| path.strip_suffix("/type"));
        let names =
            types.filter_map(|path| self.site.definition_of(path).filter(|name| path.ends_with(name)));
        names.map(str::to_owned).collect()
    }

    /// Every file below `directories` that s6gen did not make and that an installation of `tree` leaves alone. `directories`
    /// are relative to the root.
    ///
    /// # Errors
    /// The system refuses.
    pub fn foreign(
        &self,
        tree: &SourceTree,
        directories: &BTreeSet<String>,
    ) -> Result<SourceTree, DiskError> {
        let mut search = Search { present: self, tree, found: SourceTree::default() };
        for directory in directories {
            let (parent, name) = split(directory);
            let parent = self.site.real(parent, |path| self.receipt.owns(path, false))?;
            search.directory(directory, &format!("{parent}/{name}"))?;
        }
        Ok(search.found)
    }
}

/// The search for foreign files.
struct Search<'a> {
    present: &'a Present<'a>,
    /// The tree that is to be installed.
    tree: &'a SourceTree,
    found: SourceTree,
}

impl Search<'_> {
    /// Adds what is foreign in the directory `path`. `real` is that path with all links resolved.
    fn directory(&mut self, path: &str, real: &str) -> Result<(), DiskError> {
        let Present { site, receipt } = self.present;
        let Some(folder) = site.folder(real)? else { return Ok(()) };
        if !receipt.owns(real, true) && self.tree.get(path).is_none() {
            self.found.directory(path);
        }
        let names = folder.names().map_err(DiskError::of("list", &site.path(real)))?;
        for name in names {
            let name = name.to_string_lossy();
            let (path, real) = (format!("{path}/{name}"), format!("{real}/{name}"));
            if receipt.owns(&real, false)
                || matches!(self.tree.get(&path), Some(TreeEntry::File { .. } | TreeEntry::Link(_)))
            {
                continue;
            }
            match site.look(&real)? {
                OnDisk::Directory { .. } => self.directory(&path, &real)?,
                OnDisk::File { mode, length } => {
                    let content = site.content(&real, length.min(READ_LENGTH))?;
                    self.found.file(path, content, mode & 0o111 != 0);
                }
                OnDisk::Link(target) => self.found.link(path, target.to_string_lossy()),
                OnDisk::Other | OnDisk::Nothing => {}
            }
        }
        Ok(())
    }
}
