//! The s6-rc of a running system: how jobs query it, and how they change it while no other s6gen does.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::error::JobError;
use crate::disk;
use crate::live::{self, Failure, Limits, Live, Processes, Programs};

/// The s6-rc of a running system.
#[derive(Debug, Clone)]
pub struct RunningSystem {
    /// The live directory of s6-rc, or a link to it.
    pub live: PathBuf,
    /// How long to wait for the system.
    pub limits: Limits,
}

/// What a job needs to communicate with a running system and its user.
pub struct Connection<'a> {
    /// Runs the programs of s6.
    pub programs: &'a mut dyn Programs,
    /// Called with messages for the user while the job runs.
    pub tell: &'a mut dyn FnMut(&str),
}

/// The file to which the programs that change the running system write their messages.
const LOG: &str = "update.log";

impl RunningSystem {
    /// Runs `work`, which queries the running system.
    ///
    /// # Errors
    /// No s6-rc runs, or `work` fails.
    pub fn ask<T>(
        &self,
        connection: Connection<'_>,
        work: impl FnOnce(&mut Live<'_>) -> Result<T, JobError>,
    ) -> Result<T, JobError> {
        let directory = live::live_link(&self.live);
        // This fails if the user may not enter the directory, so that s6gen does not report it as missing.
        if !disk::exists(&directory.join("compiled"))? {
            return Err(match disk::is_link(&directory) {
                true => Failure::BrokenLink(directory),
                false => Failure::NotRunning(directory),
            }
            .into());
        }
        let mut live =
            Live::new(&directory, connection.programs, self.limits, connection.tell, &ProcessTable);
        work(&mut live)
    }

    /// Runs `work`, which changes the running system. Every other s6gen that wants to change it waits meanwhile. `work` gets
    /// a directory in which it may keep files until the next boot.
    ///
    /// # Errors
    /// No s6-rc runs, another s6gen takes too long, or `work` fails.
    pub fn change<T>(
        &self,
        connection: Connection<'_>,
        work: impl FnOnce(&mut Live<'_>, &Path) -> Result<T, JobError>,
    ) -> Result<T, JobError> {
        self.ask(connection, |live| {
            // Every user may run `s6-rc`, so every user must be able to read these files, like those that `/init`
            // makes.
            disk::use_usual_umask();
            let place = disk::make_folder(&work_directory(live.directory()))?;
            let _lock = lock(live, &place)?;
            live.watch_with(disk::open_log(&place.join(LOG))?);
            work(live, &place)
        })
    }
}

/// Waits until no other s6gen changes the system, and locks it.
fn lock(live: &mut Live<'_>, place: &Path) -> Result<disk::Lock, JobError> {
    let begun = Instant::now();
    let mut has_waited = false;
    let lock = disk::lock(place, live.patience(), || {
        live.tell_wait("another s6gen", place);
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

/// The directory in which s6gen keeps files until the next boot. It is beside the live directory, where nothing survives a
/// restart.
pub(super) fn work_directory(live: &Path) -> PathBuf {
    let name = match live.file_name() {
        Some(name) if name != "s6-rc" => format!("s6gen.{}", name.to_string_lossy()),
        _ => "s6gen".to_owned(),
    };
    live.parent().unwrap_or(Path::new("/run")).join(name)
}

/// The processes of this system, read from `/proc`.
pub(super) struct ProcessTable;

impl Processes for ProcessTable {
    fn holder(&self, path: &Path) -> Option<String> {
        live::lock_holder(path).map(|holder| describe(&holder))
    }

    fn below(&self, pid: u32, name: &str) -> Option<u32> {
        live::process_below(pid, name)
    }
}

/// A sentence about the process that holds a lock.
fn describe(holder: &live::LockHolder) -> String {
    let services = holder.services.iter().map(|name| format!("`{name}`"));
    let oneshots = holder.oneshots.iter().map(|command| format!("a oneshot that runs `{command}`"));
    let waits: Vec<String> = services.chain(oneshots).collect();
    let mut text = format!("it is process {}, `{}`", holder.pid, holder.command);
    if !waits.is_empty() {
        text += &format!(", and waits for {}", waits.join(" and "));
    }
    if holder.waits_for_caller {
        text +=
            "; this s6gen was started from there: unless it runs in the background, each waits for the other";
    }
    text
}
