//! The files of a definition, in little memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::File;

/// Files by path, in byte order of the paths. A large system has hundreds of thousands of them, so copies share them, and so may
/// the definitions of two systems.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileMap(Arc<Vec<(String, File)>>);

impl FileMap {
    /// The file at a path.
    pub fn get(&self, path: &str) -> Option<&File> {
        self.find(path).ok().map(|at| &self.0[at].1)
    }

    /// The file at a path, to change it.
    pub fn get_mut(&mut self, path: &str) -> Option<&mut File> {
        let at = self.find(path).ok()?;
        Some(&mut Arc::make_mut(&mut self.0)[at].1)
    }

    /// Adds a file, or replaces the one at its path.
    pub fn insert(&mut self, path: String, file: File) {
        let found = self.find(&path);
        let files = Arc::make_mut(&mut self.0);
        match found {
            Ok(at) => files[at].1 = file,
            Err(at) => files.insert(at, (path, file)),
        }
    }

    /// Removes the files for which `keep` is false.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &File) -> bool) {
        Arc::make_mut(&mut self.0).retain(|(path, file)| keep(path, file));
    }

    /// Each path with its file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &File)> {
        self.0.iter().map(|(path, file)| (path.as_str(), file))
    }

    /// The paths.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(path, _)| path)
    }

    /// Shares the files of `other` if they are equal.
    pub(super) fn share(&mut self, other: &FileMap) {
        if self == other {
            self.0 = Arc::clone(&other.0);
        }
    }

    fn find(&self, path: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.as_str().cmp(path))
    }
}

impl From<BTreeMap<String, File>> for FileMap {
    fn from(files: BTreeMap<String, File>) -> Self {
        FileMap(Arc::new(files.into_iter().collect()))
    }
}
