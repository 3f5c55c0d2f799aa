//! Reads and changes the entries of an open directory. It reaches every entry by its name alone and never through a link. So a
//! user who may change a directory above cannot redirect an operation to another place.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    Access, AtFlags, Dir, FileType, Mode, OFlags, Stat, accessat, fchmod, fstat, mkdirat, openat, readlinkat,
    renameat, statat, symlinkat, unlinkat,
};
use rustix::io::Errno;

use super::look::OnDisk;
use super::open::{open_entry_in, open_no_link_in, open_step, open_step_in};
use super::path::{is_at_or_above, parents, split};
use super::read::read_length;
use super::write::{DIRECTORY_MODE, file_mode};
use crate::tree::TreeEntry;

/// An open directory.
#[derive(Debug)]
pub struct Folder {
    handle: OwnedFd,
    path: PathBuf,
    /// Whether new entries are known to get the permissions that are asked for, whatever the umask and the default access
    /// control list of the directory.
    keeps_modes: bool,
}

impl Folder {
    /// Opens the directory at `path`. Links are followed.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Folder { handle: open_step(path)?, path: path.to_owned(), keeps_modes: false })
    }

    /// Opens the directory `name`.
    ///
    /// # Errors
    /// It is a link or no directory, or the system refuses.
    pub fn folder(&self, name: impl AsRef<OsStr>) -> io::Result<Folder> {
        let name = name.as_ref();
        let handle = open_step_in(&self.handle, name)?;
        Ok(Folder { handle, path: self.path_of(name), keeps_modes: false })
    }

    /// Makes the directory `name` with [`DIRECTORY_MODE`] and opens it.
    ///
    /// # Errors
    /// Something is there already, or the system refuses.
    pub fn make_folder(&self, name: impl AsRef<OsStr>) -> io::Result<Folder> {
        let name = name.as_ref();
        mkdirat(&self.handle, name, Mode::from_raw_mode(DIRECTORY_MODE))?;
        let mut made = self.folder(name)?;
        // The access control list of a directory becomes that of the directories in it.
        made.keeps_modes = self.keeps_modes || made.stat()?.st_mode & 0o777 == DIRECTORY_MODE;
        if !made.keeps_modes {
            self.set_directory_mode(name)?;
        }
        Ok(made)
    }

    /// The path by which it was opened, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of an entry, for messages.
    pub fn path_of(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.path.join(name.as_ref())
    }

    /// Facts about the directory itself.
    pub(super) fn stat(&self) -> io::Result<Stat> {
        Ok(fstat(&self.handle)?)
    }

    /// Checks that this process may add and remove entries.
    ///
    /// # Errors
    /// The system does not allow it.
    pub fn may_change(&self) -> io::Result<()> {
        let access = Access::WRITE_OK | Access::EXEC_OK;
        Ok(accessat(&self.handle, ".", access, AtFlags::empty())?)
    }

    /// What is at a name.
    ///
    /// # Errors
    /// The system refuses to tell.
    pub fn look(&self, name: impl AsRef<OsStr>) -> io::Result<OnDisk> {
        let name = name.as_ref();
        let stat = match statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(OnDisk::Nothing),
            Err(errno) => return Err(errno.into()),
        };
        Ok(match FileType::from_raw_mode(stat.st_mode) {
            // A directory inherits the set-group-ID bit from the one above, so it says nothing about this tree.
            FileType::Directory => OnDisk::Directory { mode: stat.st_mode & 0o777 },
            FileType::RegularFile => OnDisk::File {
                mode: stat.st_mode & 0o7777,
                length: u64::try_from(stat.st_size).unwrap_or_default(),
            },
            FileType::Symlink => match readlinkat(&self.handle, name, Vec::new()) {
                Ok(target) => OnDisk::Link(OsString::from_vec(target.into_bytes()).into()),
                Err(Errno::NOENT) => OnDisk::Nothing,
                Err(errno) => return Err(errno.into()),
            },
            _ => OnDisk::Other,
        })
    }

    /// The first `length` bytes of an entry that [`look`](Folder::look) found to be a regular file. If something else was put
    /// there meanwhile, it is not followed, and reading it does not wait.
    ///
    /// # Errors
    /// It is a link, or the system refuses.
    pub fn content(&self, name: impl AsRef<OsStr>, length: u64) -> io::Result<Vec<u8>> {
        read_length(open_entry_in(&self.handle, name.as_ref())?, length)
    }

    /// The content of a regular file of at most `limit` bytes. `None` if nothing is there.
    ///
    /// # Errors
    /// It is a link or anything else, it is larger, or the system refuses.
    pub fn read(&self, name: &str, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let file = match self.open_file(name) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let length = file.metadata()?.len();
        if length > limit {
            let reason = format!("it is larger than {} MiB", limit >> 20);
            return Err(io::Error::new(ErrorKind::FileTooLarge, reason));
        }
        read_length(file, length).map(Some)
    }

    /// Replaces the content of a file, or makes it, with the mode 0644. A reader finds either all of the old content or all of
    /// the new content, even after a kill. `sync` is called before the new content is shown.
    ///
    /// # Errors
    /// The system refuses; the old content is still there.
    pub(super) fn replace(
        &self,
        name: &str,
        content: &[u8],
        mode: u32,
        sync: impl Fn(&File) -> io::Result<()>,
    ) -> io::Result<()> {
        let new = format!("{name}.new");
        // A killed process left it, or another user put a link there so that s6gen writes to its target.
        self.remove(&new)?;
        let mode = Mode::from_raw_mode(mode);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let write = || -> io::Result<()> {
            let mut file = File::from(openat(&self.handle, &*new, flags, mode)?);
            file.write_all(content)?;
            fchmod(&file, mode)?;
            sync(&file)?;
            self.rename(&new, self, name)
        };
        write().inspect_err(|_| drop(self.remove_file(&new)))
    }

    /// The names in it, in byte order.
    ///
    /// # Errors
    /// The system refuses.
    pub fn names(&self) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in Dir::new(self.open_itself()?)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if !matches!(name, b"." | b"..") {
                names.push(OsStr::from_bytes(name).to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// Makes an entry of a tree.
    ///
    /// # Errors
    /// Something is there already, or the system refuses.
    pub fn create(&self, name: impl AsRef<OsStr>, entry: &TreeEntry) -> io::Result<()> {
        match entry {
            TreeEntry::Directory => self.make_directory(name),
            TreeEntry::Link(target) => Ok(symlinkat(target.as_str(), &self.handle, name.as_ref())?),
            TreeEntry::File { content, executable } => {
                self.create_file(name.as_ref(), file_mode(*executable), &mut &**content)
            }
        }
    }

    /// Makes an entry of a tree, and if it is a directory what it holds: each entry by its path in it, each directory before
    /// its entries.
    ///
    /// # Errors
    /// Something is there already, or the system refuses.
    pub fn create_with(
        &self,
        name: impl AsRef<OsStr>,
        entry: &TreeEntry,
        content: &[(&str, &TreeEntry)],
    ) -> io::Result<()> {
        if content.is_empty() {
            return self.create(name, entry);
        }
        let made = self.make_folder(name)?;
        // The directories above the last entry.
        let mut open: Vec<(&str, Folder)> = Vec::new();
        for (path, entry) in content {
            let (above, name) = split(path);
            open.retain(|(place, _)| is_at_or_above(place, above));
            for part in parents(path).skip(open.len()) {
                let folder = open.last().map_or(&made, |(_, folder)| folder).folder(split(part).1)?;
                open.push((part, folder));
            }
            let folder = open.last().map_or(&made, |(_, folder)| folder);
            match entry {
                TreeEntry::Directory => open.push((path, folder.make_folder(name)?)),
                _ => folder.create(name, entry)?,
            }
        }
        Ok(())
    }

    fn create_file(&self, name: &OsStr, mode: u32, content: &mut impl Read) -> io::Result<()> {
        let new = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(mode);
        let mut file = File::from(openat(&self.handle, name, new, mode)?);
        io::copy(content, &mut file)?;
        if !self.keeps_modes {
            fchmod(&file, mode)?;
        }
        Ok(())
    }

    /// Copies an entry into another directory: a file, a link, or a directory with everything in it. Leaves out fifos, sockets
    /// and devices.
    ///
    /// `depth` is the depth of the entry in its definition: 0 for the definition itself. For a link at depth 1, `followed`
    /// is asked for the file to which it leads; if it knows one, that is copied instead of the link.
    ///
    /// # Errors
    /// The system refuses.
    pub fn copy(
        &self,
        name: &OsStr,
        to: &Folder,
        new: &OsStr,
        depth: usize,
        followed: &dyn Fn(&Path) -> Option<File>,
    ) -> io::Result<()> {
        match self.look(name)? {
            OnDisk::Directory { .. } => {
                let (from, to) = (self.folder(name)?, to.make_folder(new)?);
                from.names()?.iter().try_for_each(|name| from.copy(name, &to, name, depth + 1, followed))
            }
            OnDisk::File { .. } => to.copy_file(new, open_no_link_in(&self.handle, name)?),
            OnDisk::Link(target) => {
                match Some(()).filter(|()| depth == 1).and_then(|()| followed(&self.path_of(name))) {
                    Some(file) => to.copy_file(new, file),
                    None => Ok(symlinkat(&target, &to.handle, new)?),
                }
            }
            OnDisk::Other | OnDisk::Nothing => Ok(()),
        }
    }

    fn copy_file(&self, name: &OsStr, mut from: File) -> io::Result<()> {
        let mode = from.metadata()?.permissions().mode() & 0o777;
        self.create_file(name, mode, &mut from)
    }

    /// Opens the directory itself, to list or lock it.
    pub(super) fn open_itself(&self) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(openat(&self.handle, ".", flags, Mode::empty())?.into())
    }

    /// Opens a regular file to lock it. Makes an empty one if nothing is there.
    pub(super) fn open_to_lock(&self, name: &str) -> io::Result<File> {
        match self.open_file(name) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let new = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                match openat(&self.handle, name, new, Mode::from_raw_mode(file_mode(false))) {
                    // Another process made it in between.
                    Err(Errno::EXIST) => self.open_file(name),
                    opened => Ok(opened?.into()),
                }
            }
            opened => opened,
        }
    }

    /// Opens a regular file. A link is not followed.
    pub(super) fn open_file(&self, name: &str) -> io::Result<File> {
        open_no_link_in(&self.handle, name)
    }

    /// Makes a directory with [`DIRECTORY_MODE`].
    ///
    /// # Errors
    /// Something is there already, or the system refuses.
    pub fn make_directory(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        let name = name.as_ref();
        mkdirat(&self.handle, name, Mode::from_raw_mode(DIRECTORY_MODE))?;
        if self.keeps_modes {
            return Ok(());
        }
        self.set_directory_mode(name).inspect_err(|_| drop(self.remove_directory(name)))
    }

    /// Gives a directory [`DIRECTORY_MODE`].
    ///
    /// # Errors
    /// It is a link or no directory, or the system refuses.
    pub fn set_directory_mode(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let directory = openat(&self.handle, name.as_ref(), flags, Mode::empty())?;
        Ok(fchmod(directory, Mode::from_raw_mode(DIRECTORY_MODE))?)
    }

    /// Renames an entry to a name in another directory. What is there is replaced, unless it is a directory.
    ///
    /// # Errors
    /// The system refuses.
    pub fn rename(&self, name: &str, to: &Folder, new: &str) -> io::Result<()> {
        Ok(renameat(&self.handle, name, &to.handle, new)?)
    }

    /// Moves a staged entry to a name in another directory with a rename. If a rename is impossible, writes the entry there
    /// instead; `content` returns what a directory holds.
    ///
    /// # Errors
    /// The system refuses.
    pub fn put<'c>(
        &self,
        staged: &str,
        to: &Folder,
        name: &str,
        entry: &TreeEntry,
        content: impl FnOnce() -> Vec<(&'c str, &'c TreeEntry)>,
    ) -> io::Result<()> {
        match self.rename(staged, to, name) {
            Err(_) if *entry == TreeEntry::Directory => to.create_with(name, entry, &content()),
            // The target is on another file system, or is a mount point itself.
            Err(error) if matches!(error.kind(), ErrorKind::CrossesDevices | ErrorKind::ResourceBusy) => {
                if let (TreeEntry::File { content, executable }, OnDisk::File { .. }) =
                    (entry, to.look(name)?)
                {
                    let flags = OFlags::WRONLY | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                    let mut file = File::from(openat(&to.handle, name, flags, Mode::empty())?);
                    file.write_all(content)?;
                    return Ok(fchmod(&file, Mode::from_raw_mode(file_mode(*executable)))?);
                }
                to.remove(name)?;
                to.create(name, entry)
            }
            result => result,
        }
    }

    /// Removes a file or link.
    ///
    /// # Errors
    /// Nothing is there, or the system refuses.
    pub fn remove_file(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        Ok(unlinkat(&self.handle, name.as_ref(), AtFlags::empty())?)
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// It is not empty, nothing is there, or the system refuses.
    pub fn remove_directory(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        Ok(unlinkat(&self.handle, name.as_ref(), AtFlags::REMOVEDIR)?)
    }

    /// Removes a file, a link, or a directory with everything in it. A missing entry is no error.
    ///
    /// # Errors
    /// The system refuses.
    pub fn remove(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        let name = name.as_ref();
        match unlinkat(&self.handle, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            Err(Errno::ISDIR | Errno::PERM) => {}
            Err(errno) => return Err(errno.into()),
        }
        let inner = self.folder(name)?;
        inner.names()?.iter().try_for_each(|name| inner.remove(name))?;
        Ok(unlinkat(&self.handle, name, AtFlags::REMOVEDIR)?)
    }
}
