//! Makes the source directories that s6-rc-compile would read after an installation, without changing anything below the
//! root.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::error::InstallError;
use super::receipt::Receipt;
use super::site::Site;
use crate::disk::path::destination;
use crate::disk::{
    DiskError, create, is_directory, is_link, make_directory, make_folder, make_link, names as names_in,
    read_link, real_path, remove, remove_directory,
};
use crate::tree::{SourceTree, TreeEntry};

/// Makes a preview of each of the source directories `sources` (absolute paths in the image at `root`): a directory in
/// `place` with what the source directory would hold if `tree` were installed. Returns the previews in the order of
/// `sources`. Nothing below `root` is changed.
///
/// A preview has copies of the definitions of `tree` that are named in `changed`, and links to foreign files and to the
/// definitions that are already installed. It leaves out what only an earlier build made. If `place` holds an earlier
/// preview, its right links are kept, and everything else is made anew or removed.
///
/// # Errors
/// The system refuses, or the receipt beside `definitions` cannot be used.
pub fn preview(
    tree: &SourceTree,
    root: &Path,
    definitions: &str,
    sources: &[String],
    changed: &BTreeSet<String>,
    place: &Path,
) -> Result<Vec<PathBuf>, InstallError> {
    let site = Site::new(root, definitions)?;
    let receipt = site.receipt()?.unwrap_or_default();
    let root = real_path(root).map_err(DiskError::of("find", root))?;
    // If a component of the path to the definitions is a link, the paths in `tree` are not those on the disk.
    let is_direct = site.definitions == definitions.trim_matches('/');
    let definitions = is_direct.then_some(site.definitions.as_str());
    let preview = Preview { tree, root: &root, receipt, definitions, changed };
    make_folder(place)?;
    let mut made = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        let to = place.join(number.to_string());
        preview.make_directory(source.trim_matches('/'), &to).map_err(DiskError::of("write", place))?;
        made.push(to);
    }
    Ok(made)
}

struct Preview<'a> {
    tree: &'a SourceTree,
    root: &'a Path,
    receipt: Receipt,
    /// The directory of definitions, if no component of its path is a link.
    definitions: Option<&'a str>,
    /// The names of the definitions that differ from the installed ones.
    changed: &'a BTreeSet<String>,
}

impl Preview<'_> {
    /// Whether `path` is a definition of the tree that is already installed.
    fn is_installed(&self, path: &str) -> bool {
        let name = self.definitions.and_then(|definitions| path.strip_prefix(definitions)?.strip_prefix('/'));
        name.is_some_and(|name| !name.contains('/') && !self.changed.contains(name))
            && self.tree.has_below(path)
    }

    /// Whether s6gen made the directory `path` or anything below it, or will make it.
    fn is_ours(&self, path: &str) -> bool {
        let prefix = format!("{path}/");
        self.receipt.owns(path, true)
            || self.receipt.paths().any(|(path, _)| path.starts_with(&prefix))
            || self.tree.get(path).is_some()
            || self.tree.has_below(path)
    }

    fn make_directory(&self, path: &str, to: &Path) -> io::Result<()> {
        let real = self.root.join(path);
        if self.is_installed(path) || !self.is_ours(path) {
            return link(&real, to);
        }
        let mut names: BTreeSet<String> = self.tree.names(path).map(str::to_owned).collect();
        match names_in(&real) {
            // s6-rc has no names that are not UTF-8, so a lossy name cannot be a name of a service.
            Ok(found) => names.extend(found.iter().map(|name| name.to_string_lossy().into_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        // s6-rc ignores names that begin with a dot.
        names.retain(|name| !name.starts_with('.'));
        if is_made(to) {
            for name in names_in(to)? {
                if !name.to_str().is_some_and(|name| names.contains(name)) {
                    remove(&to.join(name))?;
                }
            }
        } else {
            remove(to)?;
            make_directory(to)?;
        }
        for name in &names {
            self.make_entry(&format!("{path}/{name}"), &to.join(name))?;
        }
        Ok(())
    }

    fn make_entry(&self, path: &str, to: &Path) -> io::Result<()> {
        match self.tree.get(path) {
            // A link through which `/init` finds a definition.
            Some(TreeEntry::Link(target)) => {
                match Some(destination(path, target)).filter(|path| self.tree.has_below(path)) {
                    Some(definition) => self.make_directory(&definition, to),
                    None => link(Path::new(target), to),
                }
            }
            Some(entry @ TreeEntry::File { .. }) => {
                remove(to)?;
                create(to, entry)
            }
            Some(TreeEntry::Directory) => self.make_directory(path, to),
            None if self.tree.has_below(path) => self.make_directory(path, to),
            None if self.receipt.owns(path, false) => remove(to),
            None if self.is_ours(path) => self.make_foreign_rest(path, to),
            None => link(&self.root.join(path), to),
        }
    }

    /// Makes a directory with only its foreign entries. Leaves out a directory that s6gen made if it has none.
    fn make_foreign_rest(&self, path: &str, to: &Path) -> io::Result<()> {
        self.make_directory(path, to)?;
        if is_made(to) && self.receipt.owns(path, true) && names_in(to)?.is_empty() {
            remove_directory(to)?;
        }
        Ok(())
    }
}

/// Whether `to` is a directory that this or an earlier preview made, and not a link.
fn is_made(to: &Path) -> bool {
    is_directory(to) && !is_link(to)
}

/// Makes a link, unless it already exists.
fn link(target: &Path, to: &Path) -> io::Result<()> {
    if read_link(to).is_some_and(|there| there == target) {
        return Ok(());
    }
    remove(to)?;
    make_link(target, to)
}
