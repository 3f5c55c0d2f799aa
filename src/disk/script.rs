//! Reads scripts that a manifest names as files. A manifest may come from anyone, so it does not get every file: reports would
//! print parts of it, and the image would contain it.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::error::reason;
use super::look::repository;
use super::manifest::MAKE_READABLE;
use super::open::open;
use super::read::read_limited;
use crate::diagnostic::{Code, Diagnostic};

/// The path without links of the script `name`, which a manifest in the directory `folder` names.
///
/// # Errors
/// It does not exist, or is neither below `folder` nor in the git repository in which s6gen runs. Without a repository, the current
/// directory counts.
pub fn find_script(folder: &Path, name: &str) -> Result<PathBuf, Box<Diagnostic>> {
    let path = folder.join(name);
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let real = fs::canonicalize(&path).map_err(|error| unread(&path, &error))?;
    let below = fs::canonicalize(folder).map_err(|error| unread(folder, &error))?;
    let (_, repository) = repository();
    if real.starts_with(&below) || real.starts_with(&repository) {
        return Ok(real);
    }
    let message = format!("the script `{}` is outside of `{}`", path.display(), repository.display());
    Err(problem(
        message,
        "start s6gen in a directory that contains the manifest and the script, or put the script beside the manifest; if \
         the image has the script anyway, run it there: `[\"/PATH\"]`",
    ))
}

/// The content of the script at a path without links, of at most `room` bytes. Reports call it `shown`.
///
/// # Errors
/// It cannot be read, is not a regular file, is larger, or neither begins with `#!` nor has a name that ends in `.sh`.
pub fn read_script(real: &Path, shown: &Path, room: usize) -> Result<Vec<u8>, Box<Diagnostic>> {
    let file = open(real).map_err(|error| unread(shown, &error))?;
    let metadata = file.metadata().map_err(|error| unread(shown, &error))?;
    let name = shown.display();
    if !metadata.is_file() {
        let kind = if metadata.is_dir() { "a directory" } else { "not a regular file" };
        return Err(problem(format!("`{name}` is {kind}"), "name the file with the script"));
    }
    let mut text = Vec::new();
    // A file of the kernel seems to be empty. Reading some of them waits.
    if metadata.len() > 0 {
        read_limited(&file, 2, &mut text).map_err(|error| unread(shown, &error))?;
    }
    if text != b"#!" && real.extension().is_none_or(|end| end != "sh") {
        let message =
            format!("`{name}` is not read: it does not begin with `#!`, and its name does not end in `.sh`");
        return Err(problem(message, "begin it with a line such as `#!/bin/sh -e`, or name it `NAME.sh`"));
    }
    if text.len() == 2 {
        read_limited(&file, room.saturating_sub(1), &mut text).map_err(|error| unread(shown, &error))?;
    }
    if text.len() > room {
        let message = "the manifest and the files that it names are larger than 16 MiB";
        let help = "put large files into the image, and run or read them there";
        return Err(Box::new(Diagnostic::new(Code::ManifestTooLarge, message).help(help)));
    }
    Ok(text)
}

fn problem(message: String, help: impl Into<String>) -> Box<Diagnostic> {
    Box::new(Diagnostic::new(Code::ScriptFile, message).help(help))
}

fn unread(path: &Path, error: &io::Error) -> Box<Diagnostic> {
    let shown = path.display();
    match error.kind() {
        ErrorKind::NotFound => problem(
            format!("the script `{shown}` does not exist"),
            "correct the path, which is relative to the folder of this manifest; to run a program of the image, write an \
             array: `[\"/PATH\"]`",
        ),
        _ => problem(format!("the script `{shown}` cannot be read: {}", reason(error)), MAKE_READABLE),
    }
}
