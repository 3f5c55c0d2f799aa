//! The live directory of s6-rc: where it is, and which of its services s6-svscan supervises.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::compiled::SERVICES;
use crate::disk::{self, DiskError};
use crate::model::{FDHOLDER, Name};

/// The absolute path of the link that s6-rc replaces with each boot and update. `live` is this link, or leads to it.
pub fn live_link(live: &Path) -> PathBuf {
    let mut live = std::path::absolute(live).unwrap_or_else(|_| live.to_owned());
    // The limit is the kernel's own: it follows at most 40 links.
    for _ in 0..40 {
        let target = disk::read_link(&live).and_then(|target| Some(live.parent()?.join(target)));
        match target.filter(|target| disk::is_link(target)) {
            Some(target) => live = target,
            None => break,
        }
    }
    live
}

/// The real path of the live directory. It is different after each boot and each update.
pub fn live_directory(live: &Path) -> Option<PathBuf> {
    disk::real_path(live).ok()
}

/// The services of the live directory that s6-svscan does not supervise. There are some only after a killed update.
///
/// # Errors
/// The live directory cannot be read.
pub fn unsupervised(live: &Path) -> Result<BTreeSet<Name>, DiskError> {
    let (place, scandir) = (live.join(SERVICES), live.join("scandir"));
    if !disk::is_directory(&scandir) {
        return Ok(BTreeSet::new());
    }
    let prefix = disk::read(&live.join("prefix")).unwrap_or_default();
    let names = disk::names(&place).map_err(DiskError::of("read", &place))?;
    let is_unsupervised = |name: &&std::ffi::OsString| {
        let link = [&prefix, name.as_bytes()].concat();
        !disk::is_there(&scandir.join(OsStr::from_bytes(&link)))
    };
    Ok(names.iter().filter(is_unsupervised).map(|name| Name::new(name.as_bytes())).collect())
}

/// Links services of the live directory into the scan directory again. At the next scan of s6-svscan those in `up`
/// start, and the others stay down. Returns the scan directory.
///
/// # Errors
/// The system refuses.
pub fn relink(live: &Path, services: &BTreeSet<Name>, up: &BTreeSet<Name>) -> Result<PathBuf, DiskError> {
    let scandir = live.join("scandir");
    let prefix = disk::read(&live.join("prefix")).unwrap_or_default();
    for name in services {
        let place = live.join(SERVICES).join(OsStr::from_bytes(name.as_bytes()));
        let link = scandir.join(OsStr::from_bytes(&[&prefix, name.as_bytes()].concat()));
        let down = place.join("down");
        let done = match up.contains(name) {
            true => disk::remove_file(&down),
            false => disk::write_empty(&down),
        };
        let ignored = |error: io::Error, kind| if error.kind() == kind { Ok(()) } else { Err(error) };
        done.or_else(|error| ignored(error, ErrorKind::NotFound))
            // An old live directory may have left a broken link of the same name.
            .and_then(|()| disk::remove_file(&link).or_else(|error| ignored(error, ErrorKind::NotFound)))
            .and_then(|()| disk::make_link(&place, &link))
            .map_err(DiskError::of("make", &link))?;
    }
    Ok(scandir)
}

/// The services of the live directory that read from a pipe. s6-rc lists them in a file for its s6-fdholder service.
///
/// # Errors
/// The live directory cannot be read.
pub fn consumers(live: &Path) -> Result<Vec<Name>, DiskError> {
    let list = live.join(SERVICES).join(FDHOLDER).join("data/autofilled");
    let text = disk::read_if_there(&list)?.unwrap_or_default();
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    Ok(lines.map(Name::new).collect())
}

/// The real path of the live database.
pub fn live_database(live: &Path) -> Option<PathBuf> {
    disk::real_path(&live.join("compiled")).ok()
}
