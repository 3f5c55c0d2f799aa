//! Reads the receipts of s6gen, which list the definitions that it made.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::model::StartKind;
use crate::source::Directory;
use crate::tree::RECEIPT;

/// The number of bytes that are read of a receipt. No set that s6-rc can compile needs more.
const LONGEST: usize = 64 << 20;

/// The receipts that were read, by directory: many definitions are links into one directory.
#[derive(Default)]
pub(super) struct Receipts {
    known: BTreeMap<PathBuf, BTreeMap<Vec<u8>, StartKind>>,
}

impl Receipts {
    /// How the service of the open definition `name` starts, if a receipt lists it. `None` also if the real path of the
    /// definition is not known.
    pub(super) fn start_of<D: Directory>(&mut self, opened: &D, name: &[u8]) -> Option<StartKind> {
        let beside = opened.place(b".")?.parent()?.to_owned();
        let names = self.known.entry(beside).or_insert_with(|| {
            let path = [b"../", RECEIPT.as_bytes()].concat();
            opened.read(&path, LONGEST).map(|text| definitions(&text)).unwrap_or_default()
        });
        names.get(name).copied()
    }
}

/// The definitions that a receipt lists, and how their services start.
fn definitions(text: &[u8]) -> BTreeMap<Vec<u8>, StartKind> {
    let mut starts = BTreeMap::new();
    let mut at_boot = BTreeSet::new();
    for line in text.split(|byte| *byte == b'\n') {
        let mut names = line.rsplit(|byte| *byte == b'/');
        match (names.next(), names.next(), names.next()) {
            (Some(b"type"), Some(name), _) => {
                starts.insert(name.to_vec(), StartKind::WhenNeeded);
            }
            (Some(name), Some(b"contents.d"), Some(b"user" | b"user2")) => {
                at_boot.insert(name);
            }
            _ => {}
        }
    }
    for (_, start) in starts.iter_mut().filter(|(name, _)| at_boot.contains(&name[..])) {
        *start = StartKind::AtBoot;
    }
    starts
}
