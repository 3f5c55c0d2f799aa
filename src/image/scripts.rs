//! Finds the scripts of an image that may start services and are not part of a definition.

use super::{Setup, open};
use crate::model::OldScripts;
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

/// The places with scripts in a tree that is only a part of an image. It has few files, and people put scripts anywhere.
const PARTIAL_PLACES: &[(&str, usize)] = &[("/", 7)];

/// How many entries are looked at, and how many bytes of them are kept.
const MOST_ENTRIES: usize = 20_000;
const MOST_BYTES: usize = 8 << 20;

/// The texts of the scripts in the file system `root`, as far as they can be read. If `root` has only a part of the image, as
/// `is_partial` says, configuration files count as well: they may name files, or contain commands.
pub fn scripts<D: Directory>(root: &D, is_partial: bool) -> Vec<String> {
    let is_partial = is_partial && root.kind(b"proc").is_err();
    let mut found =
        ScriptSearch { texts: Vec::new(), any_text: is_partial, entries: MOST_ENTRIES, bytes: MOST_BYTES };
    for (place, depth) in if is_partial { PARTIAL_PLACES } else { PLACES } {
        if let Source { directory: Ok(directory), .. } = open(root, place) {
            found.collect(directory, *depth);
        }
    }
    found.texts
}

/// How many scripts and services s6-overlay runs in `root` apart from the definitions.
pub fn old_scripts<D: Directory>(root: &D, setup: &Setup) -> OldScripts {
    let etc = match &setup.profile {
        Some(profile) => format!("/etc/cont-profile.d/{profile}"),
        None => "/etc".to_owned(),
    };
    let count = |place: &str, folders_only: bool| {
        let Source { directory: Ok(mut directory), .. } = open(root, &format!("{etc}/{place}")) else {
            return 0;
        };
        let entries = directory.list().unwrap_or_default().into_iter();
        let entries = entries.filter(|entry| !entry.name.starts_with(b"."));
        entries.filter(|entry| !folders_only || entry.kind != EntryKind::File).count()
    };
    OldScripts {
        attributes: count("fix-attrs.d", false),
        start: count("cont-init.d", false),
        stop: count("cont-finish.d", false),
        services: count("services.d", true),
    }
}

/// The texts that were found, and how much more may be read.
struct ScriptSearch {
    texts: Vec<String>,
    /// Whether files count that are not scripts.
    any_text: bool,
    entries: usize,
    bytes: usize,
}

impl ScriptSearch {
    fn collect<D: Directory>(&mut self, mut directory: D, depth: usize) {
        for entry in directory.list().unwrap_or_default() {
            let Some(entries) = self.entries.checked_sub(1) else { return };
            self.entries = entries;
            let is_definitions = matches!(&entry.name[..], b"s6-rc.d" | b"user-bundles.d");
            let is_code = entry.name.starts_with(b".") || entry.name == b"node_modules";
            match entry.kind {
                EntryKind::Directory if depth > 0 && !is_definitions && !is_code => {
                    if let Ok(inner) = directory.directory(&entry.name) {
                        self.collect(inner, depth - 1);
                    }
                }
                EntryKind::File if self.counts(&directory, &entry.name) => {
                    let text = directory.read(&entry.name, LONGEST.min(self.bytes)).unwrap_or_default();
                    self.bytes -= text.len();
                    self.texts.push(String::from_utf8_lossy(&text).into_owned());
                }
                _ => {}
            }
        }
    }

    fn counts<D: Directory>(&self, directory: &D, name: &[u8]) -> bool {
        let head = directory.read(name, if self.any_text { 256 } else { 2 }).unwrap_or_default();
        head.starts_with(b"#!") || (self.any_text && !head.is_empty() && !head.contains(&0))
    }
}
