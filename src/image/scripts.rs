//! Finds the scripts of an image that may start services and are not part of a definition.

use super::open;
use crate::source::{Directory, EntryKind, Source};

/// The directories with scripts, and how many levels of directories below them to search.
const PLACES: &[(&str, usize)] = &[
    ("/etc/s6-overlay", 2),
    ("/etc/cont-init.d", 0),
    ("/etc/services.d", 1),
    ("/usr/local/bin", 0),
    ("/usr/local/sbin", 0),
    ("/usr/bin", 0),
    ("/usr/sbin", 0),
];

/// How many bytes of a script are read. Scripts that people write are shorter.
const LONGEST: usize = 64 << 10;

/// The texts of the scripts in the file system `root`, as far as they can be read.
pub fn scripts<D: Directory>(root: &D) -> Vec<String> {
    let mut texts = Vec::new();
    for (place, depth) in PLACES {
        if let Source { directory: Ok(directory), .. } = open(root, place) {
            collect(directory, *depth, &mut texts);
        }
    }
    texts
}

fn collect<D: Directory>(mut directory: D, depth: usize, texts: &mut Vec<String>) {
    for entry in directory.list().unwrap_or_default() {
        let is_definitions = matches!(&entry.name[..], b"s6-rc.d" | b"user-bundles.d");
        match entry.kind {
            EntryKind::Directory if depth > 0 && !is_definitions => {
                if let Ok(inner) = directory.directory(&entry.name) {
                    collect(inner, depth - 1, texts);
                }
            }
            EntryKind::File if directory.read(&entry.name, 2).is_ok_and(|head| head == b"#!") => {
                let text = directory.read(&entry.name, LONGEST).unwrap_or_default();
                texts.push(String::from_utf8_lossy(&text).into_owned());
            }
            _ => {}
        }
    }
}
