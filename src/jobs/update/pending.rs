//! The work that an update leaves if it is killed.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::disk;
use crate::jobs::error::JobError;
use crate::live::{self, Live};
use crate::model::Name;

/// What an update has yet to do once the files on the disk are replaced. It is written down before that, so that the next
/// update does it if this one is killed.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// The oneshots that restart because a script beside them changed. Once the script is replaced, nothing else tells that.
    pub(super) restart: BTreeSet<Name>,
    /// The services that are started because they are new.
    pub(super) start: BTreeSet<Name>,
}

/// Its file, beside the databases: the live directory before the update, the database that is made live, then a word and a
/// name on each line. The directory `/run` may outlive a restart of the container, but of neither is there the same after it.
const FILE: &str = "pending";
const RESTART: &[u8] = b"restart ";
const START: &[u8] = b"start ";

impl Pending {
    /// What the last update has left to do; `fresh` is a database beside its own.
    pub(super) fn read(live: &Live<'_>, fresh: &Path) -> Result<Pending, JobError> {
        let text = disk::read_if_there(&fresh.with_file_name(FILE))?.unwrap_or_default();
        let mut lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let mut is_same = |path: Option<PathBuf>| {
            let line = lines.next().unwrap_or_default();
            path.is_some_and(|path| path.as_os_str().as_bytes() == line)
        };
        let is_before = is_same(live::live_directory(live.directory()));
        let is_after = is_same(live::live_database(live.directory()));
        let mut pending = Pending::default();
        for line in lines {
            // Once the database is live, s6-rc-update has restarted what it was told to.
            match (line.strip_prefix(RESTART), line.strip_prefix(START)) {
                (Some(name), _) if is_before && !is_after => drop(pending.restart.insert(Name::new(name))),
                (_, Some(name)) if is_before || is_after => drop(pending.start.insert(Name::new(name))),
                _ => {}
            }
        }
        Ok(pending)
    }

    /// Writes down what making `fresh` live has to do.
    pub(super) fn write(&self, live: &Live<'_>, fresh: &Path) -> Result<(), JobError> {
        let before = live::live_directory(live.directory()).unwrap_or_default();
        let mut text = [before.as_os_str().as_bytes(), b"\n", fresh.as_os_str().as_bytes(), b"\n"].concat();
        for (word, names) in [(RESTART, &self.restart), (START, &self.start)] {
            for name in names {
                text.extend([word, name.as_bytes(), b"\n"].concat());
            }
        }
        Ok(disk::replace_until_boot(&fresh.with_file_name(FILE), &text)?)
    }
}
