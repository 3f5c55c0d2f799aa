//! What s6gen made itself, where it left its list beside the definitions.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::source::Directory;
use crate::tree::RECEIPT;

/// A list names every file; this is more than any set that s6-rc can bear has.
const LONGEST: usize = 64 << 20;

/// The lists that were read, by where they lie: many definitions are links into one directory.
#[derive(Default)]
pub(super) struct Receipts {
    known: BTreeMap<PathBuf, BTreeSet<Vec<u8>>>,
}

impl Receipts {
    /// Whether s6gen made the definition `name`, which is open, and put it into no start bundle. Only where it is known
    /// where the definition really lies.
    pub(super) fn has_on_demand<D: Directory>(&mut self, opened: &D, name: &[u8]) -> bool {
        let Some(beside) = opened.place(b".").and_then(|place| Some(place.parent()?.to_owned())) else {
            return false;
        };
        let names = self.known.entry(beside).or_insert_with(|| {
            let path = [b"../", RECEIPT.as_bytes()].concat();
            opened.read(&path, LONGEST).map(|text| on_demand(&text)).unwrap_or_default()
        });
        names.contains(name)
    }
}

/// The definitions that a list names, without those that stand in a start bundle.
fn on_demand(text: &[u8]) -> BTreeSet<Vec<u8>> {
    let mut made = BTreeSet::new();
    let mut started = BTreeSet::new();
    for line in text.split(|byte| *byte == b'\n') {
        let mut names = line.rsplit(|byte| *byte == b'/');
        match (names.next(), names.next(), names.next()) {
            (Some(b"type"), Some(name), _) => made.insert(name.to_vec()),
            (Some(name), Some(b"contents.d"), Some(b"user" | b"user2")) => started.insert(name.to_vec()),
            _ => false,
        };
    }
    made.retain(|name| !started.contains(name));
    made
}
