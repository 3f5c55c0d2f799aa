//! Stores the work that remains if an update is killed.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::disk;
use crate::jobs::error::JobError;
use crate::live::{self, Live};
use crate::model::Name;

/// The work of an update after it has replaced the files on the disk. It is stored before that. So if this update is
/// killed, the next one can do the work.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// The oneshots to restart because a script in their `data` changed. After the script is replaced, nothing else
    /// shows that they must restart.
    pub(super) restart: BTreeSet<Name>,
    /// The services to start because they are new.
    pub(super) start: BTreeSet<Name>,
}

/// The name of the file, which is beside the databases. Its first line has the path of the live directory before the
/// update, the second one the path of the database that becomes live. Each other line has a word and a name. `/run` may
/// survive a restart of the container, but neither of the two paths is the same after it, so the file is then ignored.
const FILE: &str = "pending";
const RESTART: &[u8] = b"restart ";
const START: &[u8] = b"start ";

impl Pending {
    /// The work that the last update did not finish. `fresh` is any database beside the one of that update.
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
            // If the database is live, s6-rc-update has already done all restarts.
            match (line.strip_prefix(RESTART), line.strip_prefix(START)) {
                (Some(name), _) if is_before && !is_after => drop(pending.restart.insert(Name::new(name))),
                (_, Some(name)) if is_before || is_after => drop(pending.start.insert(Name::new(name))),
                _ => {}
            }
        }
        Ok(pending)
    }

    /// Stores the work of making `fresh` live.
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
