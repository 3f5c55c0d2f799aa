//! The s6-rc of a running system: asking it, and changing it while no other s6gen does.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::error::JobError;
use crate::disk;
use crate::live::{self, Failure, Limits, Live, Processes, Programs};

/// The s6-rc of a running system.
#[derive(Debug, Clone)]
pub struct RunningSystem {
    /// Its live directory, or a link to it.
    pub live: PathBuf,
    /// How long things may take.
    pub limits: Limits,
}

/// What a job needs to speak with a running system.
pub struct Connection<'a> {
    /// Starts the programs of s6.
    pub programs: &'a mut dyn Programs,
    /// Called with messages for the user while the job runs.
    pub tell: &'a mut dyn FnMut(&str),
}

/// The file to which the programs that change the running system write their messages.
const LOG: &str = "update.log";

impl RunningSystem {
    /// Asks the running system.
    ///
    /// # Errors
    /// No s6-rc runs, or `work` fails.
    pub fn ask<T>(
        &self,
        connection: Connection<'_>,
        work: impl FnOnce(&mut Live<'_>) -> Result<T, JobError>,
    ) -> Result<T, JobError> {
        let directory = live::live_link(&self.live);
        // A directory that this account may not enter is not one that is gone.
        if !disk::exists(&directory.join("compiled"))? {
            return Err(match disk::is_link(&directory) {
                true => Failure::Wrecked(directory),
                false => Failure::NotRunning(directory),
            }
            .into());
        }
        let mut live =
            Live::new(&directory, connection.programs, self.limits, connection.tell, &ProcessTable);
        work(&mut live)
    }

    /// Changes the running system; every other s6gen that changes it waits meanwhile. `work` is also given the directory in
    /// which it may keep files until the next boot.
    ///
    /// # Errors
    /// No s6-rc runs, another s6gen does not end, or `work` fails.
    pub fn change<T>(
        &self,
        connection: Connection<'_>,
        work: impl FnOnce(&mut Live<'_>, &Path) -> Result<T, JobError>,
    ) -> Result<T, JobError> {
        self.ask(connection, |live| {
            // What is made here is for every account, as what `/init` makes: `s6-rc` reads it.
            disk::use_usual_umask();
            let place = disk::make_folder(&work_directory(live.directory()))?;
            let _lock = lock(live, &place)?;
            live.watch_with(disk::open_log(&place.join(LOG))?);
            work(live, &place)
        })
    }
}

/// Waits until no other s6gen changes the system.
fn lock(live: &mut Live<'_>, place: &Path) -> Result<disk::Lock, JobError> {
    let begun = Instant::now();
    let mut has_waited = false;
    let lock = disk::lock(place, live.patience(), || {
        live.tell_waits("another s6gen", place);
        has_waited = true;
    });
    // Programs that outlive this process still change what runs, so they inherit the lock.
    let lock = lock.and_then(disk::Lock::with_children).map_err(|error| {
        let holder = live.holder(place);
        let mut error = JobError::from(error);
        for problem in &mut error.problems {
            problem.notes.extend(holder.clone());
        }
        error
    })?;
    if has_waited {
        live.has_waited(begun.elapsed());
    }
    Ok(lock)
}

/// The directory for what s6gen keeps while a system runs: beside the live directory, where everything is gone after a
/// restart.
pub(super) fn work_directory(live: &Path) -> PathBuf {
    let name = match live.file_name() {
        Some(name) if name != "s6-rc" => format!("s6gen.{}", name.to_string_lossy()),
        _ => "s6gen".to_owned(),
    };
    live.parent().unwrap_or(Path::new("/run")).join(name)
}

/// The processes of this system, as `/proc` tells.
struct ProcessTable;

impl Processes for ProcessTable {
    fn holder(&self, path: &Path) -> Option<String> {
        live::lock_holder(path).map(|holder| describe(&holder))
    }

    fn below(&self, pid: u32, name: &str) -> Option<u32> {
        live::process_below(pid, name)
    }
}

/// A sentence on the process that holds a lock.
fn describe(holder: &live::LockHolder) -> String {
    let services = holder.services.iter().map(|name| format!("`{name}`"));
    let oneshots = holder.oneshots.iter().map(|command| format!("a oneshot that runs `{command}`"));
    let waits: Vec<String> = services.chain(oneshots).collect();
    let mut text = format!("it is process {}, `{}`", holder.pid, holder.command);
    if !waits.is_empty() {
        text += &format!(", and waits for {}", waits.join(" and "));
    }
    if holder.waits_for_caller {
        text += "; this was called from there: unless it runs in the background, each waits for the other";
    }
    text
}
