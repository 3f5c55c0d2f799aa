//! Reads compiled databases, the directories that s6-rc-compile makes, and finds and removes those that s6gen made.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::disk::{self, DiskError};
use crate::model::{FDHOLDER, Name, NodeKind, ONESHOT_RUNNER, Settings};

/// The name of the directory of service directories, in a compiled database and in the live directory.
pub(super) const SERVICES: &str = "servicedirs";

/// A compiled database on the disk.
#[derive(Debug, Clone)]
pub struct CompiledDatabase {
    path: PathBuf,
}

impl CompiledDatabase {
    /// The database at `path`.
    pub fn at(path: &Path) -> Self {
        CompiledDatabase { path: path.to_owned() }
    }

    /// The longruns, without those of s6-rc itself.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn longruns(&self) -> Result<BTreeSet<Name>, DiskError> {
        let place = self.path.join(SERVICES);
        let names = disk::names(&place).map_err(DiskError::of("read", &place))?;
        let names = names.iter().map(|name| Name::new(name.as_bytes()));
        Ok(names.filter(|name| *name != *FDHOLDER && *name != *ONESHOT_RUNNER).collect())
    }

    /// The settings of a longrun that its service directory shows: its files, and its producers and consumer in a pipeline.
    ///
    /// # Errors
    /// The service directory cannot be read.
    pub fn settings(&self, longrun: &Name) -> Result<Settings, DiskError> {
        let place = self.path.join(SERVICES).join(OsStr::from_bytes(longrun.as_bytes()));
        let mut files = disk::files_below(&place).map_err(DiskError::of("read", &place))?.files;
        let mut settings = Settings::new(NodeKind::Longrun);
        // For a producer or consumer, s6-rc-compile writes its own `run` and renames the original to `run.user`.
        if let Some(run) = files.remove("run.user") {
            let wrapper = files.insert("run".into(), run).map(|file| file.content).unwrap_or_default();
            settings.producer_for = pipe_name(&wrapper, "pipe:s6rc-w-");
            settings.consumer_for = pipe_name(&wrapper, "pipe:s6rc-r-").into_iter().collect();
        }
        // It does the same with the `finish` of such a service.
        if let Some(finish) = files.remove("finish.user") {
            files.insert("finish".into(), finish);
        }
        settings.files = files.into();
        Ok(settings)
    }

    /// Whether a longrun has readiness notification.
    ///
    /// # Errors
    /// The system refuses.
    pub fn notifies(&self, longrun: &Name) -> Result<bool, DiskError> {
        let name = OsStr::from_bytes(longrun.as_bytes());
        let file = self.path.join(SERVICES).join(name).join("notification-fd");
        disk::exists(&file)
    }

    /// Whether both databases have the same services with the same dependencies, timeouts and oneshots. The files of
    /// longruns are not compared.
    ///
    /// # Errors
    /// One of the databases cannot be read.
    pub fn has_same_services(&self, other: &CompiledDatabase) -> Result<bool, DiskError> {
        for file in ["n", "db", "resolve.cdb"] {
            let (ours, theirs) = (self.path.join(file), other.path.join(file));
            // s6-rc before 0.6 does not write `n`.
            let is_used = disk::is_there(&ours) || disk::is_there(&theirs);
            if is_used && disk::read(&ours)? != disk::read(&theirs)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The name after `mark` in the `run` that s6-rc-compile writes for a member of a pipeline. For a producer it is the name of
/// its consumer. For a consumer it is the name of the consumer itself.
fn pipe_name(wrapper: &[u8], mark: &str) -> Option<Name> {
    let start = wrapper.windows(mark.len()).position(|part| part == mark.as_bytes())? + mark.len();
    let name = wrapper[start..].split(|byte| matches!(byte, b'"' | b'\n' | b' ')).next()?;
    Some(Name::new(name))
}

/// The databases that s6gen has compiled in the directory `work`, by number.
pub fn databases(work: &Path) -> BTreeMap<u64, PathBuf> {
    let names = disk::names(work).unwrap_or_default();
    let numbered = names.iter().filter_map(|name| {
        let number = name.to_str()?.strip_prefix("db.")?.parse().ok()?;
        Some((number, work.join(name)))
    });
    numbered.collect()
}

/// Removes the directories in `work` that a process which has ended left there. Their names are `prefix` and the process id.
pub fn remove_abandoned(work: &Path, prefix: &str) {
    for name in disk::names(work).unwrap_or_default() {
        let process = name.to_str().and_then(|name| name.strip_prefix(prefix)?.parse::<u32>().ok());
        let is_alive = |process: u32| disk::is_there(&Path::new("/proc").join(process.to_string()));
        if process.is_some_and(|process| !is_alive(process)) {
            let _ = disk::remove_folder(&work.join(name));
        }
    }
}

/// Removes the service directories of a database that s6gen will never make live again.
///
/// # Errors
/// The system refuses.
pub fn empty_database(path: &Path) -> Result<(), DiskError> {
    disk::remove_folder(&path.join(SERVICES))
}
