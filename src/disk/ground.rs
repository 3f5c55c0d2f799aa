use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::error::OutputError;
use super::receipt::{RECEIPT, Receipt, is_plain};
use crate::tree::TreeEntry;

/// Where new files are completed before any of them is visible; the second is for a build after one that was killed
/// while `/init` looked into the first. A killed build may leave them; they are always ours.
pub(super) const STAGINGS: [&str; 2] = [".s6gen.new", ".s6gen.newer"];

/// The link through which `/init` finds definitions while they change; always ours too.
pub(super) const SWITCH: &str = ".s6gen.switch";

/// A root and the directory of definitions in it.
#[derive(Debug)]
pub(super) struct Ground<'a> {
    root: &'a Path,
    root_is_all: bool,
    /// Where the definitions are, links followed.
    pub definitions: String,
}

/// What is at a path.
pub(super) enum Found {
    Nothing,
    Directory { mode: u32 },
    File { mode: u32, length: u64 },
    Link(PathBuf),
    Other,
}

/// How a path differs from what the tree wants there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Nothing is there.
    Missing,
    /// Something else is there: a file for a directory, a link for a file.
    Kind,
    /// A file with other content, or a link with another target.
    Content,
    /// A file that can be executed and should not be, or the reverse.
    Executable,
    /// A file or directory with other permissions that make no difference to s6: git keeps only the x bit, and the
    /// rest depends on the umask.
    Mode,
    /// It was built once, and the tree does not have it.
    LeftOver,
}

impl<'a> Ground<'a> {
    pub fn new(root: &'a Path, definitions: &str) -> Result<Self, OutputError> {
        let root_is_all = root.canonicalize().is_ok_and(|path| path == Path::new("/"));
        let mut ground = Ground { root, root_is_all, definitions: String::new() };
        let definitions = definitions.trim_matches('/');
        if !is_plain(definitions) {
            return Err(OutputError::refused("build into", Path::new(definitions), "not a plain path"));
        }
        ground.definitions = ground.real(definitions, &Receipt::default())?;
        Ok(ground)
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub fn beside(&self, name: &str) -> PathBuf {
        self.path(&self.definitions).join(name)
    }

    /// Where the definition of that name lies.
    pub fn definition(&self, name: &str) -> String {
        format!("{}/{name}", self.definitions)
    }

    /// The name of the definition that a path belongs to, if it does.
    pub fn definition_of<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_prefix(&self.definitions)?.strip_prefix('/')?.split('/').next()
    }

    /// The receipt, if there is one.
    pub fn receipt(&self) -> Result<Option<Receipt>, OutputError> {
        let path = self.beside(RECEIPT);
        let place = format!("{}/{RECEIPT}", self.definitions);
        let length = match self.look(&place)? {
            Found::Nothing => return Ok(None),
            Found::File { length, .. } => length,
            _ => return Err(OutputError::refused("read", &path, "it is not a regular file")),
        };
        let text = self.content(&place, length)?;
        let unusable = |reason| {
            OutputError::refused("use the receipt", &path, reason).help(
                "restore it; without it, remove the definitions that s6gen made, then the receipt, and build again",
            )
        };
        Receipt::parse(&text).map(Some).map_err(unusable)
    }

    /// Where a path really lies: links on the way are followed as the running image would follow them, but never out
    /// of the root. A link of ours is not followed, it makes room.
    pub fn real(&self, path: &str, receipt: &Receipt) -> Result<String, OutputError> {
        let outside = |link: &str, target: &Path| {
            let reason = format!("it is a link to `{}`, which is not below the root", target.display());
            Err(OutputError::refused("follow", &self.path(link), reason))
        };
        let mut ahead: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut here: Vec<String> = Vec::new();
        let mut link = (String::new(), PathBuf::new());
        let mut links = 0;
        while let Some(name) = ahead.pop() {
            match name.as_str() {
                "" | "." => continue,
                ".." => {
                    if here.pop().is_none() && !self.root_is_all {
                        return outside(&link.0, &link.1);
                    }
                    continue;
                }
                _ => here.push(name),
            }
            let place = here.join("/");
            if receipt.owns(&place, false) {
                continue;
            }
            let Found::Link(target) = self.look(&place)? else { continue };
            links += 1;
            let Some(text) = target.to_str() else { return outside(&place, &target) };
            if links > 40 {
                return Err(OutputError::refused("follow", &self.path(path), "too many links"));
            }
            here.pop();
            if text.starts_with('/') {
                // In the image it would mean this place; that it is not there shows that the link is meant for this
                // machine.
                let inside = self.look(text.trim_start_matches('/'))?;
                if !self.root_is_all && matches!(inside, Found::Nothing) {
                    return outside(&place, &target);
                }
                here.clear();
            }
            ahead.extend(text.split('/').rev().map(str::to_owned));
            link = (place, target);
        }
        Ok(here.join("/"))
    }

    /// Whether a path lies where it says, with no link on the way.
    pub fn is_direct(&self, path: &str) -> Result<bool, OutputError> {
        for parent in parents(path) {
            if !matches!(self.look(parent)?, Found::Directory { .. }) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub fn look(&self, path: &str) -> Result<Found, OutputError> {
        let path = self.path(path);
        let failed = |error: io::Error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Ok(Found::Nothing),
            _ => Err(OutputError::system("look at", &path, &error)),
        };
        let metadata = match fs::symlink_metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) => return failed(error),
        };
        let mode = metadata.permissions().mode();
        let kind = metadata.file_type();
        Ok(if kind.is_dir() {
            // The set-group-ID bit is inherited from above and means nothing here.
            Found::Directory { mode: mode & 0o777 }
        } else if kind.is_file() {
            Found::File { mode: mode & 0o7777, length: metadata.len() }
        } else if kind.is_symlink() {
            match fs::read_link(&path) {
                Ok(target) => Found::Link(target),
                Err(error) => return failed(error),
            }
        } else {
            Found::Other
        })
    }

    /// The content of a file of this length.
    fn content(&self, path: &str, length: u64) -> Result<Vec<u8>, OutputError> {
        let path = self.path(path);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let read = || read_whole(File::from(rustix::fs::open(&path, flags, Mode::empty())?), length);
        read().map_err(|error: io::Error| OutputError::system("read", &path, &error))
    }

    /// The paths in a directory, in byte order.
    pub fn list(&self, path: &str) -> Result<Vec<String>, OutputError> {
        let directory = self.path(path);
        let read = || -> io::Result<Vec<String>> {
            let entries = fs::read_dir(&directory)?.collect::<Result<Vec<_>, _>>()?;
            Ok(entries.iter().map(|e| format!("{path}/{}", e.file_name().to_string_lossy())).collect())
        };
        let mut paths = read().map_err(|error| OutputError::system("list", &directory, &error))?;
        paths.sort();
        Ok(paths)
    }

    /// How what is there differs from what is wanted; `None` if it does not.
    pub fn difference(
        &self,
        path: &str,
        found: &Found,
        entry: &TreeEntry,
    ) -> Result<Option<State>, OutputError> {
        Ok(match (found, entry) {
            (Found::Nothing, _) => Some(State::Missing),
            (Found::Directory { .. }, TreeEntry::Directory) => None,
            (Found::Link(there), TreeEntry::Link(target)) => {
                (there.as_os_str() != target.as_str()).then_some(State::Content)
            }
            (Found::File { mode, length }, TreeEntry::File { content, executable }) => {
                if *length != content.len() as u64 || self.content(path, *length)? != *content {
                    Some(State::Content)
                } else {
                    let state =
                        if (mode & 0o100 != 0) == *executable { State::Mode } else { State::Executable };
                    (*mode != file_mode(*executable)).then_some(state)
                }
            }
            _ => Some(State::Kind),
        })
    }
}

/// The content of a regular file of this length, with as few calls as that takes.
pub(super) fn read_whole(mut file: File, length: u64) -> io::Result<Vec<u8>> {
    let mut content = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    let mut done = 0;
    while done < content.len() {
        match file.read(&mut content[done..]) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    content.truncate(done);
    Ok(content)
}

/// The permissions of a file that we make.
pub(super) fn file_mode(executable: bool) -> u32 {
    if executable { 0o755 } else { 0o644 }
}

/// The permissions of a directory that we make.
pub(super) const DIRECTORY_MODE: u32 = 0o755;

/// The directories above a path, from the top.
pub(super) fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}
