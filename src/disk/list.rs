//! Lists directories, and finds the files that match a pattern.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

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

/// The files that match `pattern`, sorted. `pattern` is a path whose components may contain `*` and `?`.
///
/// # Errors
/// The pattern is malformed; the text says why.
pub fn matching(pattern: &Path) -> Result<Vec<PathBuf>, String> {
    let text = pattern.to_str().ok_or("the path is not UTF-8")?;
    let paths = glob::glob(text).map_err(|error| error.msg.to_owned())?;
    let mut found: Vec<PathBuf> = paths.filter_map(Result::ok).collect();
    found.sort();
    Ok(found)
}

/// Every file below `folder`: its path relative to `folder`, and its text. Sorted by path. Names that begin with a dot are
/// left out.
///
/// # Errors
/// A file cannot be read, or is not UTF-8.
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
                texts.push((name.to_owned(), fs::read_to_string(&path)?));
            }
        }
    }
    texts.sort();
    Ok(texts)
}
