use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use crate::cli::system::unwritten;
use crate::diagnostic::Diagnostic;
use crate::disk;
use crate::install;
use crate::tree::SourceTree;

/// The file in which it is written down what the definitions were when they were last replaced, beside the databases: a
/// fingerprint and a name on each line.
///
/// What differs on the disk is only known when every file was read. Until then this tells what it will be, so that
/// s6-rc-compile can begin; where it was wrong, that is done again.
const FILE: &str = "definitions";

/// The definitions of `tree`, as fingerprints of all their entries by name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Guess(BTreeMap<String, u64>);

impl Guess {
    /// The definitions in the directory `definitions` of `tree`.
    pub(super) fn of(tree: &SourceTree, definitions: &str) -> Guess {
        let mut hashers: BTreeMap<&str, DefaultHasher> = BTreeMap::new();
        for (path, entry) in tree.entries() {
            if let Some(name) = install::definition_in(definitions, path) {
                (path, entry).hash(hashers.entry(name).or_default());
            }
        }
        Guess(hashers.into_iter().map(|(name, hasher)| (name.to_owned(), hasher.finish())).collect())
    }

    /// Those that are not as they were when this was written into the directory `work`; none if it was not.
    pub(super) fn changed_since(&self, work: &Path) -> Result<Option<BTreeSet<String>>, Vec<Diagnostic>> {
        let Some(text) = disk::read_if_there(&work.join(FILE)).map_err(unwritten)? else { return Ok(None) };
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
    pub(super) fn write(&self, work: &Path) -> Result<(), Vec<Diagnostic>> {
        let text: String = self.0.iter().map(|(name, print)| format!("{print:016x} {name}\n")).collect();
        disk::replace_until_boot(&work.join(FILE), text.as_bytes()).map_err(unwritten)
    }
}
