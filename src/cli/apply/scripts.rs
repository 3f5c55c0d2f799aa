use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::cli::system::unwritten;
use crate::diagnostic::Diagnostic;
use crate::disk;
use crate::live::Live;
use crate::model::Name;

/// The texts of the oneshots that a database was compiled from, as fingerprints. s6-rc-db has to be asked for each oneshot
/// alone; of most this tells that they are as they were.
#[derive(Debug)]
pub(super) struct Scripts {
    prints: BTreeMap<Name, u64>,
}

/// Its file, beside the databases: the database, then a fingerprint and a name on each line.
const FILE: &str = "oneshots";

impl Scripts {
    /// Those in the source directories.
    pub(super) fn of(sources: &[PathBuf]) -> Result<Scripts, Vec<Diagnostic>> {
        let oneshots = disk::oneshots(sources).map_err(unwritten)?;
        let print = |texts: &[Vec<u8>; 2]| {
            let mut hasher = DefaultHasher::new();
            texts.hash(&mut hasher);
            hasher.finish()
        };
        Ok(Scripts { prints: oneshots.iter().map(|(name, texts)| (name.clone(), print(texts))).collect() })
    }

    /// Those of the live database, if it was written down which they are; `fresh` is a database beside it.
    pub(super) fn of_live(live: &Live<'_>, fresh: &Path) -> Result<Option<Scripts>, Vec<Diagnostic>> {
        let text = disk::read_kept(&fresh.with_file_name(FILE)).map_err(unwritten)?.unwrap_or_default();
        let mut lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let database = lines.next().unwrap_or_default();
        let current = disk::live_database(live.directory());
        if current.is_none_or(|current| current.as_os_str().as_bytes() != database) {
            return Ok(None);
        }
        let entry = |line: &[u8]| {
            let (print, name) = line.split_at_checked(17)?;
            let print = u64::from_str_radix(str::from_utf8(print).ok()?.trim(), 16).ok()?;
            Some((Name::new(name), print))
        };
        Ok(lines.map(entry).collect::<Option<_>>().map(|prints| Scripts { prints }))
    }

    /// Writes down that these are the ones of `fresh`, before that is live: a path that was used once may be used again.
    pub(super) fn write(&self, fresh: &Path) -> Result<(), Vec<Diagnostic>> {
        let mut text = [fresh.as_os_str().as_bytes(), b"\n"].concat();
        for (name, print) in &self.prints {
            let mut digits = String::new();
            let _ = write!(digits, "{print:016x} ");
            text.extend([digits.as_bytes(), name.as_bytes(), b"\n"].concat());
        }
        disk::replace(&fresh.with_file_name(FILE), &text).map_err(unwritten)
    }

    /// The oneshots.
    pub(super) fn names(&self) -> BTreeSet<Name> {
        self.prints.keys().cloned().collect()
    }

    /// Whether both have a oneshot with the same text.
    pub(super) fn agree(&self, other: &Scripts, name: &Name) -> bool {
        self.prints.get(name).is_some_and(|print| other.prints.get(name) == Some(print))
    }
}
