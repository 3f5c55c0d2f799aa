//! Stores the fingerprints of the definitions from which the live database was compiled.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::disk;
use crate::jobs::error::JobError;
use crate::live::{self, Fingerprints, Live};
use crate::model::Name;

/// The name of the file, which is beside the databases. The first line has the path of a database. Each other line has
/// a letter, a fingerprint and the name of a service. The letter gives the type; a oneshot without a fingerprint has
/// its own letter.
///
/// Without this file s6gen would have to read the service directories of both databases, and to run s6-rc-db once for each
/// oneshot. With it s6gen knows of most services that they have not changed.
const FILE: &str = "fingerprints";
const LONGRUN: u8 = b'l';
const ONESHOT: u8 = b'o';
const UNKNOWN: u8 = b'u';

/// The fingerprints of the live database, if they are stored. `fresh` is any database beside it.
pub(super) fn of_live(live: &Live<'_>, fresh: &Path) -> Result<Option<Fingerprints>, JobError> {
    let text = disk::read_if_there(&fresh.with_file_name(FILE))?.unwrap_or_default();
    let mut lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let database = lines.next().unwrap_or_default();
    let current = live::live_database(live.directory());
    if current.is_none_or(|current| current.as_os_str().as_bytes() != database) {
        return Ok(None);
    }
    let mut fingerprints = Fingerprints::default();
    let mut add = |line: &[u8]| {
        let (start, name) = line.split_at_checked(18)?;
        let (name, letter) = (Name::new(name), *start.first()?);
        let fingerprint = u64::from_str_radix(str::from_utf8(&start[1..17]).ok()?, 16).ok()?;
        if letter != LONGRUN {
            fingerprints.oneshots.insert(name.clone());
        }
        if letter != UNKNOWN {
            fingerprints.by_name.insert(name, fingerprint);
        }
        Some(())
    };
    let is_whole = lines.try_for_each(&mut add).is_some();
    Ok(is_whole.then_some(fingerprints))
}

/// Stores the fingerprints of the database `fresh`. Do this before `fresh` is live: its path may have been used before,
/// and the file must never describe another database.
pub(super) fn write(fingerprints: &Fingerprints, fresh: &Path) -> Result<(), JobError> {
    let mut text = [fresh.as_os_str().as_bytes(), b"\n"].concat();
    let mut add = |letter: u8, name: &Name, fingerprint: u64| {
        text.push(letter);
        text.extend([format!("{fingerprint:016x} ").as_bytes(), name.as_bytes(), b"\n"].concat());
    };
    for (name, fingerprint) in &fingerprints.by_name {
        add(if fingerprints.oneshots.contains(name) { ONESHOT } else { LONGRUN }, name, *fingerprint);
    }
    for name in fingerprints.oneshots.iter().filter(|name| !fingerprints.by_name.contains_key(*name)) {
        add(UNKNOWN, name, 0);
    }
    Ok(disk::replace_until_boot(&fresh.with_file_name(FILE), &text)?)
}
