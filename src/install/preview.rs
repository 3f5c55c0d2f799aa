//! Shows what an installation would give s6-rc-compile to read, without changing anything below the root.

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

/// Makes in `place`, for each of the source directories `sources` (absolute paths in the image at `root`), a directory with
/// what that one would hold if `tree` were installed. Returns these directories, in order.
///
/// Definitions of `tree` that are in `differ` are written. Other people's files, and definitions that are installed already,
/// are linked to. What only an earlier build made is left out. Nothing below `root` is changed. Of what is in `place` already,
/// right links are kept, and everything else is made anew or removed.
///
/// # Errors
/// The system refuses, or the receipt beside `definitions` cannot be used.
pub fn preview(
    tree: &SourceTree,
    root: &Path,
    definitions: &str,
    sources: &[String],
    differ: &BTreeSet<String>,
    place: &Path,
) -> Result<Vec<PathBuf>, InstallError> {
    let site = Site::new(root, definitions)?;
    let receipt = site.receipt()?.unwrap_or_default();
    let root = real_path(root).map_err(DiskError::of("find", root))?;
    // Where a link is on the way to the definitions, `differ` has other paths than `tree`.
    let is_direct = site.definitions == definitions.trim_matches('/');
    let definitions = is_direct.then_some(site.definitions.as_str());
    let preview = Preview { tree, root: &root, receipt, definitions, differ };
    make_folder(place)?;
    let mut made = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        let to = place.join(number.to_string());
        preview.directory(source.trim_matches('/'), &to).map_err(DiskError::of("write", place))?;
        made.push(to);
    }
    Ok(made)
}

struct Preview<'a> {
    tree: &'a SourceTree,
    root: &'a Path,
    receipt: Receipt,
    /// The directory of the definitions, if no link is on the way to it.
    definitions: Option<&'a str>,
    /// The names of the definitions that differ.
    differ: &'a BTreeSet<String>,
}

impl Preview<'_> {
    /// Whether `path` is a definition of the tree that is installed already.
    fn is_there(&self, path: &str) -> bool {
        let name = self.definitions.and_then(|definitions| path.strip_prefix(definitions)?.strip_prefix('/'));
        name.is_some_and(|name| !name.contains('/') && !self.differ.contains(name))
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

    fn directory(&self, path: &str, to: &Path) -> io::Result<()> {
        let real = self.root.join(path);
        if self.is_there(path) || !self.is_ours(path) {
            return link(&real, to);
        }
        let mut names: BTreeSet<String> = self.tree.names(path).map(str::to_owned).collect();
        match names_in(&real) {
            // s6-rc knows no names that are not text.
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
            self.entry(&format!("{path}/{name}"), &to.join(name))?;
        }
        Ok(())
    }

    fn entry(&self, path: &str, to: &Path) -> io::Result<()> {
        match self.tree.get(path) {
            // The links through which /init finds a definition.
            Some(TreeEntry::Link(target)) => {
                match Some(destination(path, target)).filter(|path| self.tree.has_below(path)) {
                    Some(definition) => self.directory(&definition, to),
                    None => link(Path::new(target), to),
                }
            }
            Some(entry @ TreeEntry::File { .. }) => {
                remove(to)?;
                create(to, entry)
            }
            Some(TreeEntry::Directory) => self.directory(path, to),
            None if self.tree.has_below(path) => self.directory(path, to),
            None if self.receipt.owns(path, false) => remove(to),
            None if self.is_ours(path) => self.rest(path, to),
            None => link(&self.root.join(path), to),
        }
    }

    /// Makes a directory without what s6gen made in it, unless nothing else is in it.
    fn rest(&self, path: &str, to: &Path) -> io::Result<()> {
        self.directory(path, to)?;
        if is_made(to) && self.receipt.owns(path, true) && names_in(to)?.is_empty() {
            remove_directory(to)?;
        }
        Ok(())
    }
}

/// Whether an earlier call made a directory at `to`.
fn is_made(to: &Path) -> bool {
    is_directory(to) && !is_link(to)
}

/// Makes a link, unless it is there.
fn link(target: &Path, to: &Path) -> io::Result<()> {
    if read_link(to).is_some_and(|there| there == target) {
        return Ok(());
    }
    remove(to)?;
    make_link(target, to)
}
