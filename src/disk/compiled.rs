//! Compiled databases, as directories: which there are, which is live, and what is in their service directories.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::error::OutputError;
use super::ground::read_whole;
use crate::model::{FDHOLDER, File, Name, NodeKind, ONESHOT_RUNNER, Settings};

/// Where the service directories are in a compiled database, and in the live directory.
const SERVICES: &str = "servicedirs";

/// A compiled database.
#[derive(Debug, Clone)]
pub struct Database {
    path: PathBuf,
}

impl Database {
    /// The database at `path`.
    pub fn at(path: &Path) -> Self {
        Database { path: path.to_owned() }
    }

    /// The longruns, without those of s6-rc itself.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn longruns(&self) -> Result<BTreeSet<Name>, OutputError> {
        let place = self.path.join(SERVICES);
        let read = || -> io::Result<BTreeSet<Name>> {
            let entries = fs::read_dir(&place)?.collect::<Result<Vec<_>, _>>()?;
            let names = entries.iter().map(|entry| Name::new(entry.file_name().as_bytes()));
            Ok(names.filter(|name| *name != *FDHOLDER && *name != *ONESHOT_RUNNER).collect())
        };
        read().map_err(|error| OutputError::system("read", &place, &error))
    }

    /// What the service directory of a longrun says of it: its files, and its place in a pipeline.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn settings(&self, longrun: &Name) -> Result<Settings, OutputError> {
        let place = self.path.join(SERVICES).join(OsStr::from_bytes(longrun.as_bytes()));
        let mut files = BTreeMap::new();
        collect(&place, "", &mut files).map_err(|error| OutputError::system("read", &place, &error))?;
        let mut settings = Settings::new(NodeKind::Longrun);
        // s6-rc-compile puts a script of its own before that of a producer or consumer.
        if let Some(run) = files.remove("run.user") {
            let wrapper = files.insert("run".into(), run).map(|file| file.content).unwrap_or_default();
            settings.producer_for = piped(&wrapper, "pipe:s6rc-w-");
            settings.consumer_for = piped(&wrapper, "pipe:s6rc-r-").into_iter().collect();
        }
        settings.files = files;
        Ok(settings)
    }

    /// Whether a longrun says when it is ready.
    ///
    /// # Errors
    /// That cannot be found out.
    pub fn notifies(&self, longrun: &Name) -> Result<bool, OutputError> {
        let name = OsStr::from_bytes(longrun.as_bytes());
        let file = self.path.join(SERVICES).join(name).join("notification-fd");
        file.try_exists().map_err(|error| OutputError::system("look at", &file, &error))
    }

    /// Whether both hold the same services with the same dependencies, timeouts and oneshots. The files of longruns are
    /// not looked at.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub fn has_same_services(&self, other: &Database) -> Result<bool, OutputError> {
        let read =
            |file: PathBuf| fs::read(&file).map_err(|error| OutputError::system("read", &file, &error));
        for file in ["n", "db", "resolve.cdb"] {
            let (ours, theirs) = (self.path.join(file), other.path.join(file));
            // `n` came with 0.6.
            if (ours.exists() || theirs.exists()) && read(ours)? != read(theirs)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Reads all files below `place`; returns whether a link is among them.
pub(super) fn collect(place: &Path, prefix: &str, files: &mut BTreeMap<String, File>) -> io::Result<bool> {
    let mut has_links = false;
    for entry in fs::read_dir(place)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            has_links |= collect(&entry.path(), &format!("{path}/"), files)?;
        } else if kind.is_file() {
            let file = fs::File::open(entry.path())?;
            let metadata = file.metadata()?;
            let executable = metadata.permissions().mode() & 0o111 != 0;
            files.insert(path, File { content: read_whole(file, metadata.len())?, executable });
        } else if kind.is_symlink() {
            let target = fs::read_link(entry.path())?;
            files.insert(path, File { content: target.as_os_str().as_bytes().to_owned(), executable: false });
            has_links = true;
        }
    }
    Ok(has_links)
}

/// The name behind `mark` in the script that s6-rc-compile puts before a longrun of a pipeline: of a producer its
/// consumer, of a consumer itself.
fn piped(wrapper: &[u8], mark: &str) -> Option<Name> {
    let start = wrapper.windows(mark.len()).position(|part| part == mark.as_bytes())? + mark.len();
    let name = wrapper[start..].split(|byte| matches!(byte, b'"' | b'\n' | b' ')).next()?;
    Some(Name::new(name))
}

/// Whether anything is at `path`, links followed.
pub fn is_there(path: &Path) -> bool {
    path.exists()
}

/// Whether a symbolic link is at `path`.
pub fn is_link(path: &Path) -> bool {
    path.is_symlink()
}

/// The link that s6-rc replaces with each boot and update, as an absolute path; `live` is it, or leads to it.
pub fn live_link(live: &Path) -> PathBuf {
    let mut live = std::path::absolute(live).unwrap_or_else(|_| live.to_owned());
    // As many links as the kernel follows.
    for _ in 0..40 {
        let target = fs::read_link(&live).ok().and_then(|target| Some(live.parent()?.join(target)));
        match target.filter(|target| target.is_symlink()) {
            Some(target) => live = target,
            None => break,
        }
    }
    live
}

/// Where the live directory really lies: under another name after each boot and after each update.
pub fn live_directory(live: &Path) -> Option<PathBuf> {
    fs::canonicalize(live).ok()
}

/// The services of the live directory that nobody supervises, which happens only where an update was killed.
///
/// # Errors
/// The live directory cannot be read.
pub fn unsupervised(live: &Path) -> Result<BTreeSet<Name>, OutputError> {
    let (place, scandir) = (live.join(SERVICES), live.join("scandir"));
    if !scandir.is_dir() {
        return Ok(BTreeSet::new());
    }
    let prefix = fs::read(live.join("prefix")).unwrap_or_default();
    let read = || -> io::Result<BTreeSet<Name>> {
        let entries = fs::read_dir(&place)?.collect::<Result<Vec<_>, _>>()?;
        let names = entries.iter().map(|entry| entry.file_name());
        let is_alone = |name: &std::ffi::OsString| {
            let link = [&prefix, name.as_bytes()].concat();
            !scandir.join(OsStr::from_bytes(&link)).exists()
        };
        Ok(names.filter(is_alone).map(|name| Name::new(name.as_bytes())).collect())
    };
    read().map_err(|error| OutputError::system("read", &place, &error))
}

/// Gives services of the live directory back to s6-svscan, which has to be told to look: makes the links in its scan
/// directory. Those in `up` start at once, the others stay down. Returns the scan directory.
///
/// # Errors
/// The system refuses.
pub fn relink(live: &Path, services: &BTreeSet<Name>, up: &BTreeSet<Name>) -> Result<PathBuf, OutputError> {
    let scandir = live.join("scandir");
    let prefix = fs::read(live.join("prefix")).unwrap_or_default();
    for name in services {
        let place = live.join(SERVICES).join(OsStr::from_bytes(name.as_bytes()));
        let link = scandir.join(OsStr::from_bytes(&[&prefix, name.as_bytes()].concat()));
        let down = place.join("down");
        let done = match up.contains(name) {
            true => fs::remove_file(&down),
            false => fs::write(&down, ""),
        };
        let ignored = |error: io::Error, kind| if error.kind() == kind { Ok(()) } else { Err(error) };
        done.or_else(|error| ignored(error, ErrorKind::NotFound))
            // One that leads nowhere is one of an older live directory.
            .and_then(|()| fs::remove_file(&link).or_else(|error| ignored(error, ErrorKind::NotFound)))
            .and_then(|()| symlink(&place, &link))
            .map_err(|error| OutputError::system("make", &link, &error))?;
    }
    Ok(scandir)
}

/// The services of the live directory that read from others through a pipe, as s6-rc tells them to its keeper of pipes.
///
/// # Errors
/// The live directory cannot be read.
pub fn consumers(live: &Path) -> Result<Vec<Name>, OutputError> {
    let list = live.join(SERVICES).join(FDHOLDER).join("data/autofilled");
    match fs::read(&list) {
        Ok(text) => {
            let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            Ok(lines.map(Name::new).collect())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(OutputError::system("read", &list, &error)),
    }
}

/// Where the live database really lies.
pub fn live_database(live: &Path) -> Option<PathBuf> {
    fs::canonicalize(live.join("compiled")).ok()
}

/// The databases of ours in `work`, by number.
pub fn databases(work: &Path) -> BTreeMap<u64, PathBuf> {
    let entries = fs::read_dir(work).into_iter().flatten().filter_map(Result::ok);
    entries
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.strip_prefix("db.")?.parse().ok()?;
            Some((number, entry.path()))
        })
        .collect()
}

/// Removes the directories of ours in `work` with the name `prefix` and the number of a process that is no more.
pub fn remove_abandoned(work: &Path, prefix: &str) {
    for entry in fs::read_dir(work).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(prefix)?.parse::<u32>().ok());
        if process.is_some_and(|process| !Path::new("/proc").join(process.to_string()).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Makes a directory, and those above it. Returns where it really lies, which is how a live database is told.
///
/// # Errors
/// The system refuses.
pub fn make_folder(path: &Path) -> Result<PathBuf, OutputError> {
    let made = fs::create_dir_all(path).and_then(|()| fs::canonicalize(path));
    made.map_err(|error| OutputError::system("make", path, &error))
}

/// Removes the service directories of a database of ours that nobody makes live any more.
///
/// # Errors
/// The system refuses.
pub fn empty_database(path: &Path) -> Result<(), OutputError> {
    remove_folder(&path.join(SERVICES))
}

/// Removes a directory of ours with all that is in it, if it is there.
///
/// # Errors
/// The system refuses.
pub fn remove_folder(path: &Path) -> Result<(), OutputError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(OutputError::system("remove", path, &error)),
        _ => Ok(()),
    }
}
