use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::cli::system::unwritten;
use crate::diagnostic::Diagnostic;
use crate::disk;
use crate::live::Live;
use crate::model::Name;

/// What an update has yet to do once the files on the disk are replaced. It is written down before, so that the next one
/// does it if this one is killed.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// The services that restart because they changed.
    pub(super) restart: BTreeSet<Name>,
    /// The services that are started because they are new.
    pub(super) start: BTreeSet<Name>,
}

/// Its file, beside the databases: the one that is made live, then a word and a name on each line.
const FILE: &str = "pending";
const RESTART: &[u8] = b"restart ";
const START: &[u8] = b"start ";

impl Pending {
    /// What the last update has left to do; `fresh` is a database beside its own.
    pub(super) fn read(live: &Live<'_>, fresh: &Path) -> Result<Pending, Vec<Diagnostic>> {
        let text = disk::read_kept(&fresh.with_file_name(FILE)).map_err(unwritten)?.unwrap_or_default();
        let mut lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let database = lines.next().unwrap_or_default();
        let current = disk::live_database(live.directory());
        let is_live = current.is_some_and(|current| current.as_os_str().as_bytes() == database);
        let mut pending = Pending::default();
        for line in lines {
            // Once the database is live, s6-rc-update has restarted what it was told to.
            match (line.strip_prefix(RESTART), line.strip_prefix(START)) {
                (Some(name), _) if !is_live => drop(pending.restart.insert(Name::new(name))),
                (_, Some(name)) => drop(pending.start.insert(Name::new(name))),
                _ => {}
            }
        }
        Ok(pending)
    }

    /// Writes down what making `fresh` live has to do.
    pub(super) fn write(&self, fresh: &Path) -> Result<(), Vec<Diagnostic>> {
        let mut text = [fresh.as_os_str().as_bytes(), b"\n"].concat();
        for (word, names) in [(RESTART, &self.restart), (START, &self.start)] {
            for name in names {
                text.extend([word, name.as_bytes(), b"\n"].concat());
            }
        }
        disk::replace_until_boot(&fresh.with_file_name(FILE), &text).map_err(unwritten)
    }
}
