use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, readlinkat, statat};

use crate::source::{Directory, EntryKind, Listed, Source};

/// A directory of the file system, read without ever waiting for anything but the disk.
#[derive(Debug)]
pub struct SourceDirectory {
    stream: Dir,
}

/// The source directory at `path`, open if it can be opened.
pub fn source(path: impl Into<PathBuf>) -> Source<SourceDirectory> {
    let path = path.into();
    let directory = SourceDirectory::open(&path);
    Source { path, directory }
}

// Without O_NONBLOCK opening a fifo would wait for a writer.
const LOOK: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC).union(OFlags::NOCTTY);

impl SourceDirectory {
    /// Opens the directory at `path`.
    ///
    /// # Errors
    /// What `open` gives: there is nothing, it is no directory, or it may not be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let descriptor = rustix::fs::open(path, LOOK | OFlags::DIRECTORY, Mode::empty())?;
        Ok(SourceDirectory { stream: Dir::new(descriptor)? })
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
                // Some file systems do not say; one stat answers.
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
        let descriptor = openat(self.stream.fd()?, name, LOOK | OFlags::DIRECTORY, Mode::empty())?;
        Ok(SourceDirectory { stream: Dir::new(descriptor)? })
    }

    fn read(&self, name: &[u8], limit: usize) -> io::Result<Vec<u8>> {
        let descriptor = openat(self.stream.fd()?, name, LOOK, Mode::empty())?;
        let mut content = Vec::new();
        let mut chunk = [0; 4096];
        while content.len() < limit {
            let room = chunk.len().min(limit - content.len());
            match rustix::io::read(&descriptor, &mut chunk[..room]) {
                // A fifo that somebody holds open for writing has nothing yet; it reads as empty too.
                Ok(0) | Err(rustix::io::Errno::AGAIN) => break,
                Ok(count) => content.extend_from_slice(&chunk[..count]),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(content)
    }

    fn link(&self, name: &[u8]) -> io::Result<Vec<u8>> {
        Ok(readlinkat(self.stream.fd()?, name, Vec::new())?.into_bytes())
    }

    fn is_executable(&self, name: &[u8]) -> io::Result<bool> {
        let stat = statat(self.stream.fd()?, name, AtFlags::empty())?;
        Ok(Mode::from_raw_mode(stat.st_mode).intersects(Mode::XUSR | Mode::XGRP | Mode::XOTH))
    }
}
