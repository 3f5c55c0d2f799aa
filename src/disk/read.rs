//! Reads files: one whole file, a file up to a limit, or all files below a directory.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::error::DiskError;
use super::open::open;
use crate::model;

/// The content of a file. Links are followed.
///
/// # Errors
/// The system refuses.
pub fn read(path: &Path) -> Result<Vec<u8>, DiskError> {
    read_all(path).map_err(DiskError::of("read", path))
}

/// The content of a regular file of at most `limit` bytes. Links are followed.
///
/// # Errors
/// It is no regular file, or larger, or the system refuses.
pub fn read_regular(path: &Path, limit: usize) -> Result<Vec<u8>, DiskError> {
    let read = || -> io::Result<Vec<u8>> {
        let refused = |reason: &str| Err(io::Error::new(ErrorKind::InvalidInput, reason));
        let metadata = fs::metadata(path)?;
        if !metadata.is_file() {
            return refused("it is not a regular file");
        }
        let mut content = Vec::new();
        read_limited(open(path)?, limit + 1, &mut content)?;
        if content.len() > limit { refused("it is too large") } else { Ok(content) }
    };
    read().map_err(DiskError::of("read", path))
}

/// The content of a file, or `None` if the file does not exist.
///
/// # Errors
/// The system refuses.
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, DiskError> {
    match read_all(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(DiskError::system("read", path, &error)),
    }
}

fn read_all(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    open(path)?.read_to_end(&mut content)?;
    Ok(content)
}

/// Adds at most `limit` bytes of `source` to `content`. After an error `content` holds the bytes that were read before it.
pub(super) fn read_limited(mut source: impl Read, limit: usize, content: &mut Vec<u8>) -> io::Result<()> {
    let mut chunk = [0; 4096];
    let end = content.len().saturating_add(limit);
    while content.len() < end {
        let room = chunk.len().min(end - content.len());
        match source.read(&mut chunk[..room]) {
            Ok(0) => break,
            Ok(count) => content.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The content of a regular file of this length. Knowing the length saves system calls.
pub(super) fn read_length(mut file: File, length: u64) -> io::Result<Vec<u8>> {
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

/// The target of a symbolic link, exactly as stored. `None` if `path` is not a link or cannot be read.
pub fn read_link(path: &Path) -> Option<PathBuf> {
    fs::read_link(path).ok()
}

/// All files and links below a directory.
#[derive(Debug, Clone, Default)]
pub struct FilesBelow {
    /// The files and links, by their path relative to the directory. The content of a link is its target.
    pub files: BTreeMap<String, model::File>,
    /// Whether `files` contains a link.
    pub has_links: bool,
}

/// Reads all files below a directory. Links are not followed.
///
/// # Errors
/// Something cannot be read.
pub fn files_below(directory: &Path) -> io::Result<FilesBelow> {
    let mut found = FilesBelow::default();
    add_files_below(directory, "", &mut found)?;
    Ok(found)
}

fn add_files_below(directory: &Path, prefix: &str, found: &mut FilesBelow) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path = format!("{prefix}{}", model::json_text(entry.file_name().as_bytes()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            add_files_below(&entry.path(), &format!("{path}/"), found)?;
        } else if kind.is_file() {
            let file = open(&entry.path())?;
            let metadata = file.metadata()?;
            let executable = metadata.permissions().mode() & 0o111 != 0;
            let content = read_length(file, metadata.len())?;
            found.files.insert(path, model::File { content: content.into(), executable });
        } else if kind.is_symlink() {
            let content = fs::read_link(entry.path())?.as_os_str().as_bytes().to_owned();
            found.files.insert(path, model::File { content: content.into(), executable: false });
            found.has_links = true;
        }
    }
    Ok(())
}
