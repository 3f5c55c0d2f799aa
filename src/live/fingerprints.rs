//! Makes fingerprints of definitions, to find out later which definitions have changed.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::disk::{self, DiskError, FilesBelow};
use crate::model::Name;

/// Fingerprints of the longruns and oneshots in source directories. Each covers all files of a definition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fingerprints {
    /// The fingerprints by service. A service has none if it can change while its files stay the same: if its definition
    /// contains links, or if it is a member of a pipeline.
    pub by_name: BTreeMap<Name, u64>,
    /// All oneshots, with or without a fingerprint.
    pub oneshots: BTreeSet<Name>,
}

/// Reads the definitions in source directories and makes their fingerprints.
///
/// # Errors
/// A source directory cannot be read.
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
