//! Reads the receipts of s6gen, which list the definitions that it made.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::model::Made;
use crate::source::Directory;
use crate::tree::RECEIPT;

/// The number of bytes that are read of a receipt. No set that s6-rc can compile needs more.
const LONGEST: usize = 64 << 20;

/// The receipts that were read, by directory: many definitions are links into one directory.
#[derive(Default)]
pub(super) struct Receipts {
    known: BTreeMap<PathBuf, BTreeMap<Vec<u8>, Made>>,
}

impl Receipts {
    /// How the service of the open definition `name` starts, if a receipt lists it. `None` also if the real path of the
    /// definition is not known.
    pub(super) fn made<D: Directory>(&mut self, opened: &D, name: &[u8]) -> Option<Made> {
        let beside = opened.place(b".")?.parent()?.to_owned();
        let names = self.known.entry(beside).or_insert_with(|| {
            let path = [b"../", RECEIPT.as_bytes()].concat();
            opened.read(&path, LONGEST).map(|text| definitions(&text)).unwrap_or_default()
        });
        names.get(name).copied()
    }
}

/// The definitions that a receipt lists.
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
