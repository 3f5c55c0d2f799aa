//! Reads a manifest from a regular file or from standard input, up to a size limit.

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::error::reason;
use super::open::open;
use super::read::read_limited;
use crate::diagnostic::{Code, Diagnostic};

/// The largest manifest that is read, in bytes.
pub const MANIFEST_LIMIT: usize = 16 << 20;

/// The advice for a file that the system refuses to read.
pub(super) const MAKE_READABLE: &str = "make it readable for the user who runs s6gen";

/// The content of a manifest.
#[derive(Debug)]
pub struct ManifestContent {
    /// The text.
    pub text: Vec<u8>,
    /// The device and inode of its file. `None` for standard input.
    pub identity: Option<(u64, u64)>,
}

/// Reads a manifest; `-` is standard input.
///
/// # Errors
/// As [`read_included`], but a file that the user names may have any name.
pub fn read_manifest(path: &Path) -> Result<ManifestContent, Box<Diagnostic>> {
    match path == Path::new("-") {
        true => {
            Ok(ManifestContent { text: read_from(io::stdin().lock(), "standard input")?, identity: None })
        }
        false => read_file(path),
    }
}

/// Reads a manifest that another one includes.
///
/// # Errors
/// It cannot be read, is not a regular file, is larger than [`MANIFEST_LIMIT`], or has a name that does not end in `.toml`: a
/// report on another file would print a part of it.
pub fn read_included(path: &Path) -> Result<ManifestContent, Box<Diagnostic>> {
    match is_toml(path) {
        true => read_file(path),
        // A file that is missing, or is a directory, is reported as such.
        false => read_file(path).and(Err(Box::new(not_toml(path)))),
    }
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}

fn not_toml(path: &Path) -> Diagnostic {
    let message = format!("`{}` is not read: its name does not end in `.toml`", path.display());
    Diagnostic::new(Code::ManifestUnreadable, message)
        .help("name a manifest, or rename this file to end in `.toml`")
}

fn read_file(path: &Path) -> Result<ManifestContent, Box<Diagnostic>> {
    let shown = path.display();
    let unreadable = |what: String| Diagnostic::new(Code::ManifestUnreadable, what);
    let file = match open(path) {
        Ok(file) => file,
        Err(error) => {
            let problem = match error.kind() {
                ErrorKind::NotFound => unreadable(format!("`{shown}` does not exist"))
                    .help("correct the path; `s6gen init` writes a first manifest"),
                _ => unreadable(format!("`{shown}` cannot be read: {}", reason(&error))).help(MAKE_READABLE),
            };
            return Err(Box::new(problem));
        }
    };
    let metadata = match file.metadata() {
        Ok(metadata) => metadata,
        Err(error) => {
            let problem = unreadable(format!("`{shown}` cannot be read: {}", reason(&error)));
            return Err(Box::new(problem.help(MAKE_READABLE)));
        }
    };
    let kind = metadata.file_type();
    if kind.is_dir() {
        let problem = unreadable(format!("`{shown}` is a directory, not a manifest"));
        let inside = path.join("services.toml");
        let help = match inside.is_file() {
            true => format!("name the file in it: `{}`", inside.display()),
            false => {
                "name a file; `s6gen init` writes a first one, and `s6gen check --tree DIR` judges a source directory"
                    .to_owned()
            }
        };
        return Err(Box::new(problem.help(help)));
    }
    if !kind.is_file() {
        let problem = unreadable(format!("`{shown}` is not a regular file"));
        return Err(Box::new(problem.help("to read the manifest from standard input, give `-` as the path")));
    }
    // Somebody else may have made the link, and a report would print a part of what it leads to.
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if is_toml(path) && !is_toml(&real) {
        let message =
            format!("`{shown}` is a link to `{}`, whose name does not end in `.toml`", real.display());
        return Err(Box::new(unreadable(message).help("make it a link to a manifest, or a file")));
    }
    let text = read_from(file, &format!("`{shown}`"))?;
    Ok(ManifestContent { text, identity: Some((metadata.dev(), metadata.ino())) })
}

fn read_from(source: impl Read, name: &str) -> Result<Vec<u8>, Box<Diagnostic>> {
    let mut content = Vec::new();
    let problem = match read_limited(source, MANIFEST_LIMIT + 1, &mut content) {
        Ok(()) if content.len() <= MANIFEST_LIMIT => return Ok(content),
        Ok(()) => Diagnostic::new(Code::ManifestTooLarge, format!("{name} is larger than 16 MiB"))
            .help("put long scripts into files of the image, or make instances of a template"),
        Err(error) => {
            Diagnostic::new(Code::ManifestUnreadable, format!("{name} cannot be read: {}", reason(&error)))
                .help(MAKE_READABLE)
        }
    };
    Err(Box::new(problem))
}
