//! Implements [`Directory`] for the file system, so that `import` and `image` can read a real directory.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, readlinkat, statat};

use super::open::{open_directory, open_directory_in, open_in};
use super::read::read_limited;
use crate::source::{Directory, EntryKind, Listed, Source};

/// An open directory of the file system. Reading it waits only for the disk, never for the writer of a fifo.
#[derive(Debug)]
pub struct SourceDirectory {
    stream: Dir,
}

/// The source directory at `path`. It holds the error if the directory cannot be opened.
pub fn source(path: impl Into<PathBuf>) -> Source<SourceDirectory> {
    let path = path.into();
    let directory = SourceDirectory::open(&path);
    Source { path, directory }
}

impl SourceDirectory {
    /// Opens the directory at `path`.
    ///
    /// # Errors
    /// Nothing is at `path`, it is not a directory, or the user may not read it.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(SourceDirectory { stream: Dir::new(open_directory(path)?)? })
    }
}

fn kind_of(file_type: FileType) -> EntryKind {
    match file_type {
        FileType::RegularFile => EntryKind::File,
        FileType::Directory => EntryKind::Directory,
        FileType::Symlink => EntryKind::Link,
        FileType::Fifo => EntryKind::Fifo,
        _ => EntryKind::Other,
    }
}

impl Directory for SourceDirectory {
    fn list(&mut self) -> io::Result<Vec<Listed>> {
        let mut entries = Vec::new();
        while let Some(entry) = self.stream.read() {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let file_type = match entry.file_type() {
                // Some file systems do not report the type with the name; `stat` finds it.
                FileType::Unknown => statat(self.stream.fd()?, name, AtFlags::SYMLINK_NOFOLLOW)
                    .map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode)),
                known => known,
            };
            entries.push(Listed { name: name.to_bytes().to_vec(), kind: kind_of(file_type) });
        }
        entries.sort_unstable();
        Ok(entries)
    }

    fn kind(&self, name: &[u8]) -> io::Result<EntryKind> {
        let stat = statat(self.stream.fd()?, name, AtFlags::empty())?;
        Ok(kind_of(FileType::from_raw_mode(stat.st_mode)))
    }

    fn directory(&self, name: &[u8]) -> io::Result<Self> {
        Ok(SourceDirectory { stream: Dir::new(open_directory_in(self.stream.fd()?, name)?)? })
    }

    fn read(&self, name: &[u8], limit: usize) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        match read_limited(open_in(self.stream.fd()?, name)?, limit, &mut content) {
            // If another process has a fifo open for writing, reading it fails with `WouldBlock`. Treat it as
            // empty, like a fifo without a writer.
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(content),
        }
    }

    fn link(&self, name: &[u8]) -> io::Result<Vec<u8>> {
        Ok(readlinkat(self.stream.fd()?, name, Vec::new())?.into_bytes())
    }

    fn is_executable(&self, name: &[u8]) -> io::Result<bool> {
        let stat = statat(self.stream.fd()?, name, AtFlags::empty())?;
        Ok(Mode::from_raw_mode(stat.st_mode).intersects(Mode::XUSR | Mode::XGRP | Mode::XOTH))
    }
}
