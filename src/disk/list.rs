//! Lists directories, and finds the files that match a pattern.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use glob::Pattern;

use super::manifest::MANIFEST_LIMIT;
use super::open::open;

/// The names in a directory, in byte order.
///
/// # Errors
/// The directory cannot be listed.
pub fn names(directory: &Path) -> io::Result<Vec<OsString>> {
    let names: io::Result<Vec<OsString>> =
        fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.file_name())).collect();
    let mut names = names?;
    names.sort();
    Ok(names)
}

/// The files below `folder` that match `pattern`, sorted. `pattern` is a path whose components may contain `*`, `?` and `[…]`;
/// an absolute one does not depend on `folder`. Each name that is looked at takes one from `left`.
///
/// # Errors
/// The pattern is malformed, or there are more names to look at than were left; the text says why.
pub fn matching(folder: &Path, pattern: &str, left: &mut usize) -> Result<Vec<PathBuf>, String> {
    let start = if pattern.starts_with('/') { PathBuf::from("/") } else { folder.to_owned() };
    let mut found = vec![start];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        if part == "**" {
            return Err("`**` would search every directory below".to_owned());
        }
        if !part.contains(['*', '?', '[']) {
            found.iter_mut().for_each(|place| place.push(part));
            continue;
        }
        let part = Pattern::new(part).map_err(|error| error.msg.to_owned())?;
        let mut matching = Vec::new();
        for place in found {
            let here = if place.as_os_str().is_empty() { Path::new(".") } else { &place };
            // A directory that cannot be listed counts as empty.
            for entry in fs::read_dir(here).into_iter().flatten().flatten() {
                let Some(fewer) = left.checked_sub(1) else {
                    return Err("there are too many files to search".to_owned());
                };
                *left = fewer;
                let name = entry.file_name();
                if name.to_str().is_some_and(|name| part.matches(name)) {
                    matching.push(place.join(name));
                }
            }
        }
        found = matching;
    }
    found.retain(|path| path.exists());
    found.sort();
    Ok(found)
}

/// Every file below `folder`: its path relative to `folder`, and its text. Sorted by path. Names that begin with a dot are
/// left out.
///
/// # Errors
/// A file cannot be read, is no regular file, is larger than a manifest can be, or is not UTF-8.
pub fn read_folder(folder: &Path) -> io::Result<Vec<(String, String)>> {
    let mut texts = Vec::new();
    let mut todo = vec![folder.to_owned()];
    while let Some(place) = todo.pop() {
        for entry in fs::read_dir(&place)? {
            let path = entry?.path();
            let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if hidden {
                continue;
            }
            if path.is_dir() {
                todo.push(path);
            } else if let Some(name) = path.strip_prefix(folder).ok().and_then(Path::to_str) {
                texts.push((name.to_owned(), read_text(&path, name)?));
            }
        }
    }
    texts.sort();
    Ok(texts)
}

/// The text of a regular file. `name` is for the error.
fn read_text(path: &Path, name: &str) -> io::Result<String> {
    let file = open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other(format!("`{name}` is not a regular file")));
    }
    let mut text = String::new();
    let count = file.take(MANIFEST_LIMIT as u64 + 1).read_to_string(&mut text)?;
    match count > MANIFEST_LIMIT {
        true => Err(io::Error::other(format!("`{name}` is larger than {} MiB", MANIFEST_LIMIT >> 20))),
        false => Ok(text),
    }
}
