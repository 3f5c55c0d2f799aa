//! Remembers the definitions that the last update installed, to guess which ones the next update must replace.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use crate::disk;
use crate::install;
use crate::jobs::error::JobError;
use crate::tree::SourceTree;

/// The name of the file, which is beside the databases. Each line has a fingerprint and the name of a definition.
///
/// To know which definitions differ on the disk, s6gen must read every file. This file lets it guess them, so that
/// s6-rc-compile can start meanwhile. If the guess was wrong, s6-rc-compile runs again.
const FILE: &str = "definitions";

/// A fingerprint for each definition of a tree, by name. It covers all entries of the definition.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TreeFingerprints(BTreeMap<String, u64>);

impl TreeFingerprints {
    /// The fingerprints of the definitions in the directory `definitions` of `tree`.
    pub(super) fn of(tree: &SourceTree, definitions: &str) -> TreeFingerprints {
        let mut hashers: BTreeMap<&str, DefaultHasher> = BTreeMap::new();
        for (path, entry) in tree.entries() {
            if let Some(name) = install::definition_in(definitions, path) {
                (path, entry).hash(hashers.entry(name).or_default());
            }
        }
        TreeFingerprints(
            hashers.into_iter().map(|(name, hasher)| (name.to_owned(), hasher.finish())).collect(),
        )
    }

    /// The definitions that differ from those that [`write`](Self::write) stored in the directory `work`. `None` if nothing
    /// is stored there.
    pub(super) fn changed_since(&self, work: &Path) -> Result<Option<BTreeSet<String>>, JobError> {
        let Some(text) = disk::read_if_there(&work.join(FILE))? else { return Ok(None) };
        let text = String::from_utf8_lossy(&text);
        let known: BTreeSet<(&str, &str)> = text.lines().filter_map(|line| line.split_once(' ')).collect();
        let is_known = |(name, fingerprint): &(&String, &u64)| {
            known.contains(&(&*format!("{fingerprint:016x}"), &***name))
        };
        let changed = self.0.iter().filter(|definition| !is_known(definition));
        Ok(Some(changed.map(|(name, _)| name.clone()).collect()))
    }

    /// Whether the tree has a definition of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Stores the fingerprints in the directory `work`.
    pub(super) fn write(&self, work: &Path) -> Result<(), JobError> {
        let text: String =
            self.0.iter().map(|(name, fingerprint)| format!("{fingerprint:016x} {name}\n")).collect();
        Ok(disk::replace_until_boot(&work.join(FILE), text.as_bytes())?)
    }
}
