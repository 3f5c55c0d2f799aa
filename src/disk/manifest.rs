//! Reads a manifest from a regular file or from standard input, up to a size limit.

use std::io::{self, ErrorKind, Read};
use std::path::Path;

use super::error::reason;
use super::open::open;
use super::read::read_limited;
use crate::diagnostic::{Code, Diagnostic};

/// The largest manifest that is read, in bytes.
pub const MANIFEST_LIMIT: usize = 16 << 20;

/// The advice for a file that the system refuses to read.
const MAKE_READABLE: &str = "make it readable for the user who runs s6gen";

/// Reads a manifest; `-` is standard input.
///
/// # Errors
/// It cannot be read, is not a regular file, or is larger than [`MANIFEST_LIMIT`].
pub fn read_manifest(path: &Path) -> Result<Vec<u8>, Box<Diagnostic>> {
    let shown = path.display();
    let unreadable = |what: String| Diagnostic::new(Code::ManifestUnreadable, what);
    if path == Path::new("-") {
        return read_manifest_from(io::stdin().lock(), "standard input");
    }
    let file = match open(path) {
        Ok(file) => file,
        Err(error) => {
            let problem = match error.kind() {
                ErrorKind::NotFound => unreadable(format!("`{shown}` does not exist"))
                    .help("name the manifest with `-m`; `s6gen init` writes a first one"),
                _ => unreadable(format!("`{shown}` cannot be read: {}", reason(&error))).help(MAKE_READABLE),
            };
            return Err(Box::new(problem));
        }
    };
    let kind = match file.metadata() {
        Ok(metadata) => metadata.file_type(),
        Err(error) => {
            let problem = unreadable(format!("`{shown}` cannot be read: {}", reason(&error)));
            return Err(Box::new(problem.help(MAKE_READABLE)));
        }
    };
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
    read_manifest_from(file, &format!("`{shown}`"))
}

fn read_manifest_from(source: impl Read, name: &str) -> Result<Vec<u8>, Box<Diagnostic>> {
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
