//! The definitions that the last update installed. They help to guess what the next update has to replace.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use crate::disk;
use crate::install;
use crate::jobs::error::JobError;
use crate::tree::SourceTree;

/// The file beside the databases with the definitions that the last update installed: a fingerprint and a name on each line.
///
/// Which definitions differ on the disk is known only when every file was read. Until then the file tells which ones most likely
/// will, so that s6-rc-compile can begin. If that was wrong, it runs again.
const FILE: &str = "definitions";

/// The definitions of a tree by name, as fingerprints of all their entries.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TreeFingerprints(BTreeMap<String, u64>);

impl TreeFingerprints {
    /// The definitions in the directory `definitions` of `tree`.
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

    /// The definitions that differ from those which were written into the directory `work`; none if nothing was written.
    pub(super) fn changed_since(&self, work: &Path) -> Result<Option<BTreeSet<String>>, JobError> {
        let Some(text) = disk::read_if_there(&work.join(FILE))? else { return Ok(None) };
        let text = String::from_utf8_lossy(&text);
        let known: BTreeSet<(&str, &str)> = text.lines().filter_map(|line| line.split_once(' ')).collect();
        let is_known =
            |(name, print): &(&String, &u64)| known.contains(&(&*format!("{print:016x}"), &***name));
        let changed = self.0.iter().filter(|definition| !is_known(definition));
        Ok(Some(changed.map(|(name, _)| name.clone()).collect()))
    }

    /// Whether there is a definition of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Writes it into the directory `work`.
    pub(super) fn write(&self, work: &Path) -> Result<(), JobError> {
        let text: String = self.0.iter().map(|(name, print)| format!("{print:016x} {name}\n")).collect();
        Ok(disk::replace_until_boot(&work.join(FILE), text.as_bytes())?)
    }
}
