//! What s6gen made itself, where it left its list beside the definitions.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::model::Made;
use crate::source::Directory;
use crate::tree::RECEIPT;

/// A list names every file; this is more than any set that s6-rc can bear has.
const LONGEST: usize = 64 << 20;

/// The lists that were read, by where they lie: many definitions are links into one directory.
#[derive(Default)]
pub(super) struct Receipts {
    known: BTreeMap<PathBuf, BTreeMap<Vec<u8>, Made>>,
}

impl Receipts {
    /// What s6gen meant with the definition `name`, which is open, if it made it. Only where it is known where the
    /// definition really lies.
    pub(super) fn made<D: Directory>(&mut self, opened: &D, name: &[u8]) -> Option<Made> {
        let beside = opened.place(b".")?.parent()?.to_owned();
        let names = self.known.entry(beside).or_insert_with(|| {
            let path = [b"../", RECEIPT.as_bytes()].concat();
            opened.read(&path, LONGEST).map(|text| definitions(&text)).unwrap_or_default()
        });
        names.get(name).copied()
    }
}

/// The definitions that a list names.
fn definitions(text: &[u8]) -> BTreeMap<Vec<u8>, Made> {
    let mut made = BTreeMap::new();
    let mut started = BTreeSet::new();
    for line in text.split(|byte| *byte == b'\n') {
        let mut names = line.rsplit(|byte| *byte == b'/');
        match (names.next(), names.next(), names.next()) {
            (Some(b"type"), Some(name), _) => {
                made.insert(name.to_vec(), Made::Needed);
            }
            (Some(name), Some(b"contents.d"), Some(b"user" | b"user2")) => {
                started.insert(name);
            }
            _ => {}
        }
    }
    for (_, made) in made.iter_mut().filter(|(name, _)| started.contains(&name[..])) {
        *made = Made::Started;
    }
    made
}
