use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::compiled::collect;
use super::error::OutputError;
use crate::model::Name;

/// The definitions of longruns and oneshots in source directories, as fingerprints of all their files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prints {
    /// The fingerprints. Those have none that can change without their files, or only with others: definitions with links
    /// in them, and the members of pipelines.
    pub prints: BTreeMap<Name, u64>,
    /// The oneshots, also without a fingerprint.
    pub oneshots: BTreeSet<Name>,
}

/// Reads the definitions in source directories.
///
/// # Errors
/// They cannot be read.
pub fn prints(sources: &[PathBuf]) -> Result<Prints, OutputError> {
    let mut found = Prints::default();
    for source in sources {
        read(source, &mut found).map_err(|error| OutputError::system("read", source, &error))?;
    }
    Ok(found)
}

fn read(source: &Path, found: &mut Prints) -> io::Result<()> {
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.as_bytes().starts_with(b".") {
            continue;
        }
        let mut files = BTreeMap::new();
        let has_links = match collect(&entry.path(), "", &mut files) {
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
            found.prints.insert(name, hasher.finish());
        }
    }
    Ok(())
}
