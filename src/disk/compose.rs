use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::error::OutputError;
use super::files::create;
use super::ground::Ground;
use super::receipt::Receipt;
use crate::tree::{SourceTree, TreeEntry};

/// Makes `place` and in it, for each of the source directories `sources` (absolute paths in the image at `root`), what it
/// would hold if `tree` were installed: of `tree` the definitions in `differ` are written, what others made or is there
/// already is linked to, and what only an earlier build made is left out. Returns the directories, in order; nothing below
/// `root` is changed. Right links that are in `place` already are kept, everything else there is made anew or goes.
///
/// # Errors
/// The system refuses, or the receipt beside `definitions` cannot be used.
pub fn compose(
    tree: &SourceTree,
    root: &Path,
    definitions: &str,
    sources: &[String],
    differ: &BTreeSet<String>,
    place: &Path,
) -> Result<Vec<PathBuf>, OutputError> {
    let ground = Ground::new(root, definitions)?;
    let receipt = ground.receipt()?.unwrap_or_default();
    let root = fs::canonicalize(root).map_err(|error| OutputError::system("find", root, &error))?;
    // Where a link is on the way to them, differences are told by other paths.
    let is_direct = ground.definitions == definitions.trim_matches('/');
    let definitions = is_direct.then_some(ground.definitions.as_str());
    let composer = Composer { tree, root: &root, receipt, definitions, differ };
    let failed = |error: &io::Error| OutputError::system("write", place, error);
    fs::create_dir_all(place).map_err(|error| failed(&error))?;
    let mut made = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        let to = place.join(number.to_string());
        composer.directory(source.trim_matches('/'), &to).map_err(|error| failed(&error))?;
        made.push(to);
    }
    Ok(made)
}

struct Composer<'a> {
    tree: &'a SourceTree,
    root: &'a Path,
    receipt: Receipt,
    /// The directory of the definitions, if no link is on the way to it.
    definitions: Option<&'a str>,
    /// The names in it of which something differs.
    differ: &'a BTreeSet<String>,
}

impl Composer<'_> {
    /// Whether `path` is a definition of the tree that is there already, just so.
    fn is_there(&self, path: &str) -> bool {
        let name = self.definitions.and_then(|definitions| path.strip_prefix(definitions)?.strip_prefix('/'));
        name.is_some_and(|name| !name.contains('/') && !self.differ.contains(name))
            && self.tree.has_below(path)
    }

    /// Whether the directory `path`, or anything below it, is, was or becomes ours.
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
        match fs::read_dir(&real) {
            Ok(entries) => {
                for entry in entries {
                    // s6-rc knows of no name that is not text, and of none that begins with a dot.
                    let name = entry?.file_name().to_string_lossy().into_owned();
                    if !name.starts_with('.') {
                        names.insert(name);
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        names.retain(|name| !name.starts_with('.'));
        if fs::symlink_metadata(to).is_ok_and(|there| there.is_dir()) {
            for entry in fs::read_dir(to)? {
                let entry = entry?;
                if !entry.file_name().to_str().is_some_and(|name| names.contains(name)) {
                    clear(&entry.path())?;
                }
            }
        } else {
            clear(to)?;
            fs::create_dir(to)?;
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
                match resolved(path, target).filter(|path| self.tree.has_below(path)) {
                    Some(definition) => self.directory(&definition, to),
                    None => link(Path::new(target), to),
                }
            }
            Some(entry @ TreeEntry::File { .. }) => {
                clear(to)?;
                create(to, entry)
            }
            Some(TreeEntry::Directory) => self.directory(path, to),
            None if self.tree.has_below(path) => self.directory(path, to),
            None if self.receipt.owns(path, false) => clear(to),
            None if self.is_ours(path) => self.rest(path, to),
            None => link(&self.root.join(path), to),
        }
    }

    /// A directory of which something was ours: without that, if anything else is in it.
    fn rest(&self, path: &str, to: &Path) -> io::Result<()> {
        self.directory(path, to)?;
        let is_made = fs::symlink_metadata(to)?.is_dir();
        if is_made && self.receipt.owns(path, true) && fs::read_dir(to)?.next().is_none() {
            fs::remove_dir(to)?;
        }
        Ok(())
    }
}

/// Makes a link, unless it is there.
fn link(target: &Path, to: &Path) -> io::Result<()> {
    if fs::read_link(to).is_ok_and(|there| there == target) {
        return Ok(());
    }
    clear(to)?;
    symlink(target, to)
}

/// Removes what is there.
fn clear(to: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(to) {
        Ok(there) if there.is_dir() => fs::remove_dir_all(to),
        Ok(_) => fs::remove_file(to),
        Err(error) => Err(error),
    };
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// Where the link at `path` with the relative target `target` leads.
fn resolved(path: &str, target: &str) -> Option<String> {
    let mut names: Vec<&str> = path.split('/').collect();
    names.pop();
    for name in target.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop()?;
            }
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}
