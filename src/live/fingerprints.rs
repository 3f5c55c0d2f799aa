//! Fingerprints of definitions, to find out later which of them have changed.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::disk::{self, DiskError, FilesBelow};
use crate::model::Name;

/// The definitions of longruns and oneshots in source directories, each as a fingerprint of all its files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fingerprints {
    /// The fingerprint of each service. Services that can change while their files stay the same have none: those with
    /// links in their definition, and the members of pipelines.
    pub by_name: BTreeMap<Name, u64>,
    /// All oneshots, with or without a fingerprint.
    pub oneshots: BTreeSet<Name>,
}

/// Reads the definitions in source directories and makes their fingerprints.
///
/// # Errors
/// They cannot be read.
pub fn fingerprints(sources: &[PathBuf]) -> Result<Fingerprints, DiskError> {
    let mut found = Fingerprints::default();
    for source in sources {
        read(source, &mut found).map_err(DiskError::of("read", source))?;
    }
    Ok(found)
}

fn read(source: &Path, found: &mut Fingerprints) -> io::Result<()> {
    for name in disk::names(source)? {
        if name.as_bytes().starts_with(b".") {
            continue;
        }
        let FilesBelow { files, has_links } = match disk::files_below(&source.join(&name)) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => continue,
            read => read?,
        };
        let name = Name::new(name.as_bytes());
        match files.get("type").map(|file| file.content.trim_ascii()) {
            Some(b"oneshot") => drop(found.oneshots.insert(name.clone())),
            Some(b"longrun") => {}
            _ => continue,
        }
        let is_piped = ["producer-for", "consumer-for"].iter().any(|file| files.contains_key(*file));
        if !has_links && !is_piped {
            let mut hasher = DefaultHasher::new();
            for (path, file) in files {
                (path, file.content, file.executable).hash(&mut hasher);
            }
            found.by_name.insert(name, hasher.finish());
        }
    }
    Ok(())
}
