use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::error::reason;
use crate::diagnostic::{Code, Diagnostic};

/// The largest manifest that is read, in bytes.
pub const MANIFEST_LIMIT: u64 = 16 << 20;

/// What to do when the system does not let us read.
const READ_ANYWAY: &str = "make it readable for whoever runs s6gen";

/// Reads a manifest; `-` is standard input.
pub fn read_manifest(path: &Path) -> Result<Vec<u8>, Box<Diagnostic>> {
    let shown = path.display();
    let unreadable = |what: String| Diagnostic::new(Code::ManifestUnreadable, what);
    if path == Path::new("-") {
        return read_limited(io::stdin().lock(), "standard input");
    }
    // Without NONBLOCK, opening a fifo would wait for a writer.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(handle) => File::from(handle),
        Err(errno) => {
            let error = io::Error::from(errno);
            let problem = match error.kind() {
                ErrorKind::NotFound => unreadable(format!("`{shown}` does not exist"))
                    .help("name the manifest with `-m`; `s6gen init` writes a first one"),
                _ => unreadable(format!("`{shown}` cannot be read: {}", reason(&error))).help(READ_ANYWAY),
            };
            return Err(Box::new(problem));
        }
    };
    let kind = match file.metadata() {
        Ok(metadata) => metadata.file_type(),
        Err(error) => {
            let problem = unreadable(format!("`{shown}` cannot be read: {}", reason(&error)));
            return Err(Box::new(problem.help(READ_ANYWAY)));
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
        return Err(Box::new(problem.help("`-` as the path reads the manifest from standard input")));
    }
    read_limited(file, &format!("`{shown}`"))
}

fn read_limited(source: impl Read, name: &str) -> Result<Vec<u8>, Box<Diagnostic>> {
    let mut content = Vec::new();
    let problem = match source.take(MANIFEST_LIMIT + 1).read_to_end(&mut content) {
        Ok(length) if length as u64 <= MANIFEST_LIMIT => return Ok(content),
        Ok(_) => Diagnostic::new(Code::ManifestTooLarge, format!("{name} is larger than 16 MiB"))
            .help("put long scripts into files of the image, or make instances of a template"),
        Err(error) => {
            Diagnostic::new(Code::ManifestUnreadable, format!("{name} cannot be read: {}", reason(&error)))
                .help(READ_ANYWAY)
        }
    };
    Err(Box::new(problem))
}
