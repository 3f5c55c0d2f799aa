//! Implements [`Directory`] for the file system, so that `import` and `image` can read a real directory.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, major, minor, openat2, readlinkat, statat,
};
use rustix::io::Errno;

use super::open::{open_directory, open_directory_in, open_entry_in, open_in};
use super::read::{read_length, read_limited};
use crate::source::{Directory, EntryKind, Listed, Source};

/// An open directory of the file system. Reading it waits only for the disk, never for the writer of a fifo, and opens no
/// device.
#[derive(Debug)]
pub struct SourceDirectory {
    stream: Dir,
    /// The directory that the user named, and the path of this one below it.
    top: Rc<OwnedFd>,
    path: Vec<u8>,
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
        let directory = open_directory(path)?;
        let top = Rc::new(directory.try_clone()?);
        Ok(SourceDirectory { stream: Dir::new(directory)?, top, path: Vec::new() })
    }

    /// Whether a name leads to a file below this directory, or below the one that the user named.
    fn is_inside(&self, name: &[u8]) -> io::Result<bool> {
        let own = statat(self.stream.fd()?, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if !name.contains(&b'/') && !FileType::from_raw_mode(own.st_mode).is_symlink() {
            return Ok(true);
        }
        let path = [&self.path[..], b"/", name].concat();
        let path = path.strip_prefix(b"/").unwrap_or(&path);
        Ok(is_below(self.stream.fd()?, name) || is_below(self.top.as_fd(), path))
    }
}

/// Whether a path below an open directory leads to something below it, by whatever links. False if the kernel does not say.
fn is_below(directory: BorrowedFd<'_>, path: &[u8]) -> bool {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    openat2(directory, path, flags, Mode::empty(), resolve).is_ok()
}

/// The device whose content is empty: a link to it is an empty file.
fn is_null(device: u64) -> bool {
    (major(device), minor(device)) == (1, 3)
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
        let stream = Dir::new(open_directory_in(self.stream.fd()?, name)?)?;
        Ok(SourceDirectory { stream, top: Rc::clone(&self.top), path: [&self.path[..], b"/", name].concat() })
    }

    fn read(&self, name: &[u8], limit: usize) -> io::Result<Vec<u8>> {
        let stat = statat(self.stream.fd()?, name, AtFlags::empty())?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {}
            FileType::Directory => return Err(Errno::ISDIR.into()),
            FileType::Fifo => return Ok(Vec::new()),
            FileType::CharacterDevice if is_null(stat.st_rdev) => return Ok(Vec::new()),
            FileType::Socket => return Err(Errno::NXIO.into()),
            _ => return Err(io::Error::other("it is a device, which s6gen does not open")),
        }
        // The author of a tree could otherwise make its reader print a private file, by a link to that file.
        if !Mode::from_raw_mode(stat.st_mode).contains(Mode::ROTH) && !self.is_inside(name)? {
            return Err(io::Error::other("it leads out of the tree, to a file that not everybody may read"));
        }
        let mut content = Vec::new();
        let file = open_in(self.stream.fd()?, name)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it changes while s6gen reads it"));
        }
        read_limited(file, limit, &mut content)?;
        Ok(content)
    }

    fn read_file(&self, name: &[u8], limit: usize) -> io::Result<Vec<u8>> {
        let Ok(file) = open_entry_in(self.stream.fd()?, name) else { return self.read(name, limit) };
        let metadata = file.metadata()?;
        match metadata.is_file() {
            true => read_length(file, metadata.len().min(limit as u64)),
            false => self.read(name, limit),
        }
    }

    fn is_empty_file(&self, name: &[u8]) -> bool {
        let stat = self.stream.fd().and_then(|folder| statat(folder, name, AtFlags::SYMLINK_NOFOLLOW));
        stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_file() && stat.st_size == 0)
    }

    fn link(&self, name: &[u8]) -> io::Result<Vec<u8>> {
        Ok(readlinkat(self.stream.fd()?, name, Vec::new())?.into_bytes())
    }

    fn is_executable(&self, name: &[u8]) -> io::Result<bool> {
        let stat = statat(self.stream.fd()?, name, AtFlags::empty())?;
        Ok(Mode::from_raw_mode(stat.st_mode).intersects(Mode::XUSR | Mode::XGRP | Mode::XOTH))
    }
}
