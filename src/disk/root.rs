//! The root of an image, and paths below it. Only this file resolves links in such paths.
//!
//! Every path is walked from the root by hand, one open directory after the other. A link on the way is an error, so a
//! directory that another user swaps for a link between a look and a write leads nowhere. [`Root::real`] resolves the links of a
//! path as the running image would.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::process::geteuid;

use super::error::DiskError;
use super::folder::Folder;
use super::look::{OnDisk, is_directory, real_path};
use super::path::{is_at_or_above, parents, split};
use super::write::{make_directory, remove_directory};

/// A directory that is the root of an image. Paths in it are relative and use `/`.
#[derive(Debug)]
pub struct Root<'a> {
    directory: &'a Path,
    /// Whether it is `/` of this machine, so that no path can leave it.
    is_system_root: bool,
    /// The accounts that may own a directory on the way, if this process is root.
    owners: Option<BTreeSet<u32>>,
    /// The open directories of the last walk: the root, and each in the one before, with its path.
    walk: RefCell<Vec<(String, Arc<Folder>)>>,
    /// Whether a directory of the walk may have been replaced on the disk since.
    is_stale: Cell<bool>,
}

impl<'a> Root<'a> {
    /// The root at `directory`. The directory does not have to exist yet.
    pub fn new(directory: &'a Path) -> Self {
        let is_system_root = real_path(directory).is_ok_and(|path| path == Path::new("/"));
        let owner = Folder::open(directory).and_then(|folder| folder.stat()).map(|stat| stat.st_uid);
        let owners = geteuid().is_root().then(|| [0].into_iter().chain(owner).collect());
        Root { directory, is_system_root, owners, walk: RefCell::default(), is_stale: Cell::new(false) }
    }

    /// The full path of a path below the root, for messages.
    pub fn path(&self, path: &str) -> PathBuf {
        self.directory.join(path)
    }

    /// Opens the directory at a path, whose components must not be links. `None` if there is none, or a link is on the way.
    ///
    /// # Errors
    /// The system refuses, or this process is root and others may change a directory on the way.
    pub fn folder(&self, path: &str) -> Result<Option<Arc<Folder>>, DiskError> {
        let walk = &mut *self.walk.borrow_mut();
        if self.is_stale.take() {
            walk.truncate(1);
        }
        if walk.is_empty() {
            match Folder::open(self.directory) {
                Ok(root) => {
                    self.refuse_shared(&root)?;
                    walk.push((String::new(), Arc::new(root)));
                }
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(DiskError::system("open", self.directory, &error)),
            }
        }
        // What was opened below the path stays open: often it is next.
        if let Some((_, folder)) = walk.iter().rev().find(|(place, _)| place == path) {
            return Ok(Some(Arc::clone(folder)));
        }
        let is_above = |above: &str| above.is_empty() || is_at_or_above(above, path);
        while walk.last().is_some_and(|(above, _)| !is_above(above)) {
            walk.pop();
        }
        let done = walk.last().map_or(0, |(above, _)| above.len());
        for name in path[done..].split('/').filter(|name| !name.is_empty()) {
            let Some((above, folder)) = walk.last() else { break };
            let place = if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") };
            let opened = match folder.folder(name) {
                Ok(opened) => opened,
                Err(error) if is_absence(&error) => return Ok(None),
                Err(error) => return Err(DiskError::system("open", &self.path(&place), &error)),
            };
            self.refuse_shared(&opened)?;
            walk.push((place, Arc::new(opened)));
        }
        Ok(walk.last().map(|(_, folder)| Arc::clone(folder)))
    }

    /// Whether the last walk has the directory at a path open, which then is no link.
    fn is_open(&self, path: &str) -> bool {
        !self.is_stale.get() && self.walk.borrow().iter().any(|(place, _)| place == path)
    }

    /// Refuses a directory that others may change while root works below it.
    fn refuse_shared(&self, folder: &Folder) -> Result<(), DiskError> {
        let Some(owners) = &self.owners else { return Ok(()) };
        let stat = folder.stat().map_err(|error| DiskError::system("open", folder.path(), &error))?;
        let refused = |reason: &str| DiskError::refused("work as root below", folder.path(), reason);
        if stat.st_mode & 0o1002 == 0o002 {
            return Err(refused("every user may change this directory and so decide where root writes")
                .help("take the permission away: `chmod o-w` on this directory"));
        }
        if !owners.contains(&stat.st_uid) {
            let reason = format!("user {} owns this directory and so decides where root writes", stat.st_uid);
            return Err(
                refused(&reason).help("build as that user, or give the directory to root with `chown`")
            );
        }
        Ok(())
    }

    /// The open directory above a path, and the last name of the path.
    fn parent<'p>(&self, path: &'p str) -> Result<Option<(Arc<Folder>, &'p str)>, DiskError> {
        let (parent, name) = split(path);
        Ok(self.folder(parent)?.map(|folder| (folder, name)))
    }

    /// The open directory above a path that is to be changed, and the last name of the path.
    ///
    /// # Errors
    /// There is no such directory, a link is on the way, or the system refuses.
    pub fn place<'p>(&self, path: &'p str) -> Result<(Arc<Folder>, &'p str), DiskError> {
        let missing = || {
            let parent = self.path(split(path).0);
            DiskError::refused(
                "change",
                &parent,
                "it is no longer a directory; another process may have changed it",
            )
        };
        self.parent(path)?.ok_or_else(missing)
    }

    /// Says that a directory was removed or replaced, so that the next walk opens it again.
    pub fn forget(&self) {
        self.is_stale.set(true);
    }

    /// Returns what is at a path. No component is followed if it is a link.
    ///
    /// # Errors
    /// The system refuses.
    pub fn look(&self, path: &str) -> Result<OnDisk, DiskError> {
        let Some((folder, name)) = self.parent(path)? else { return Ok(OnDisk::Nothing) };
        // The root itself.
        let name = if name.is_empty() { "." } else { name };
        folder.look(name).map_err(|error| DiskError::system("look at", &self.path(path), &error))
    }

    /// Whether a directory is at a path, with links followed inside of the root.
    ///
    /// # Errors
    /// As for [`Root::real`].
    pub fn is_directory(&self, path: &str) -> Result<bool, DiskError> {
        Ok(matches!(self.look(&self.real(path, |_| false)?)?, OnDisk::Directory { .. }))
    }

    /// Resolves all links in a path as the running image would, but never out of the root. A link for which `is_ours` is
    /// true is not followed, because it will be replaced.
    ///
    /// # Errors
    /// A link leads out of the root, links form a loop, or the system refuses.
    pub fn real(&self, path: &str, is_ours: impl Fn(&str) -> bool) -> Result<String, DiskError> {
        let outside = |link: &str, target: &Path| {
            let reason = format!("it is a link to `{}`, which is not below the root", target.display());
            Err(DiskError::refused("follow", &self.path(link), reason))
        };
        let mut ahead: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut here: Vec<String> = Vec::new();
        let mut link = (String::new(), PathBuf::new());
        let mut links = 0;
        while let Some(name) = ahead.pop() {
            match name.as_str() {
                "" | "." => continue,
                ".." => {
                    if here.pop().is_none() && !self.is_system_root {
                        return outside(&link.0, &link.1);
                    }
                    continue;
                }
                _ => here.push(name),
            }
            let place = here.join("/");
            if is_ours(&place) {
                continue;
            }
            if self.is_open(&place) {
                continue;
            }
            let OnDisk::Link(target) = self.look(&place)? else { continue };
            links += 1;
            let Some(text) = target.to_str() else { return outside(&place, &target) };
            if links > 40 {
                return Err(DiskError::refused("follow", &self.path(path), "too many links"));
            }
            here.pop();
            if text.starts_with('/') {
                // In the image an absolute target starts at the root. If it does not exist there, the link is meant
                // for this machine and leads out of the image.
                let inside = self.look(text.trim_start_matches('/'))?;
                if !self.is_system_root && matches!(inside, OnDisk::Nothing) {
                    return outside(&place, &target);
                }
                here.clear();
            }
            ahead.extend(text.split('/').rev().map(str::to_owned));
            link = (place, target);
        }
        Ok(here.join("/"))
    }

    /// Whether every directory above a path is a real directory and not a link to one.
    ///
    /// # Errors
    /// The system refuses.
    pub fn is_direct(&self, path: &str) -> Result<bool, DiskError> {
        Ok(self.parent(path)?.is_some())
    }

    /// The first `length` bytes of a regular file. A link is not followed.
    ///
    /// # Errors
    /// The system refuses.
    pub fn content(&self, path: &str, length: u64) -> Result<Vec<u8>, DiskError> {
        let (folder, name) = self.place(path)?;
        folder.content(name, length).map_err(|error| DiskError::system("read", &self.path(path), &error))
    }

    /// The paths of the entries of a directory, in byte order.
    ///
    /// # Errors
    /// The system refuses.
    pub fn list(&self, path: &str) -> Result<Vec<String>, DiskError> {
        let failed = |error: io::Error| DiskError::system("list", &self.path(path), &error);
        let folder = self.folder(path)?.ok_or_else(|| failed(ErrorKind::NotFound.into()))?;
        let names = folder.names().map_err(failed)?;
        let mut paths: Vec<String> =
            names.iter().map(|name| format!("{path}/{}", name.to_string_lossy())).collect();
        paths.sort();
        Ok(paths)
    }

    /// Makes the directory at a path and all missing directories above it, those above the root included, and opens it. Adds
    /// those that it makes to `made`, even if it then fails.
    ///
    /// # Errors
    /// The system refuses, or a link is on the way.
    pub fn make_directories(&self, path: &str, made: &mut Vec<PathBuf>) -> Result<Arc<Folder>, DiskError> {
        let above = self.directory.ancestors().take_while(|p| !p.as_os_str().is_empty() && !is_directory(p));
        for directory in above.collect::<Vec<_>>().into_iter().rev() {
            note_made(make_directory(directory), directory, || is_directory(directory), made)?;
        }
        for part in parents(path).chain([path]) {
            if self.folder(part)?.is_none() {
                let (folder, name) = self.place(part)?;
                let is_there = || matches!(folder.look(name), Ok(OnDisk::Directory { .. }));
                note_made(folder.make_directory(name), &self.path(part), is_there, made)?;
            }
        }
        let missing = || DiskError::system("open", &self.path(path), &ErrorKind::NotFound.into());
        self.folder(path)?.ok_or_else(missing)
    }

    /// Removes those of these directories that are empty. Starts with the last one.
    pub fn remove_empty(&self, made: &[PathBuf]) {
        for path in made.iter().rev() {
            self.forget();
            let inside = path.strip_prefix(self.directory).ok().and_then(Path::to_str);
            match inside.filter(|inside| !inside.is_empty()).map(|inside| self.place(inside)) {
                Some(Ok((folder, name))) => drop(folder.remove_directory(name)),
                Some(Err(_)) => {}
                None => drop(remove_directory(path)),
            }
        }
        self.forget();
    }

    /// Copies what is at `from` to the name `to` in `folder`, as [`Folder::copy`] does. A link beside the files of a
    /// definition that leads to a file of the image is copied as that file: s6-rc follows such a link, and a relative link
    /// would lead elsewhere from the copy.
    ///
    /// # Errors
    /// The system refuses.
    pub fn copy(&self, from: &str, folder: &Folder, to: &OsStr, depth: usize) -> Result<(), DiskError> {
        let (above, name) = self.place(from)?;
        self.copy_entry(&above, OsStr::new(name), folder, to, depth)
    }

    /// Copies the entry `name` of the open directory `above`, like [`Root::copy`].
    ///
    /// # Errors
    /// The system refuses.
    pub fn copy_entry(
        &self,
        above: &Folder,
        name: &OsStr,
        folder: &Folder,
        to: &OsStr,
        depth: usize,
    ) -> Result<(), DiskError> {
        // A link below it is known by its path.
        let followed = |link: &Path| {
            let path = link.strip_prefix(self.directory).ok()?.to_str()?;
            let real = self.real(path, |_| false).ok()?;
            let (folder, name) = self.parent(&real).ok()??;
            folder.open_file(name).ok()
        };
        let copied = above.copy(name, folder, to, depth, &followed);
        copied.map_err(|error| DiskError::system("copy", &above.path_of(name), &error))
    }
}

/// Adds a directory to those that were made, unless another process made it first.
fn note_made(
    result: io::Result<()>,
    path: &Path,
    is_there: impl Fn() -> bool,
    made: &mut Vec<PathBuf>,
) -> Result<(), DiskError> {
    match result {
        Ok(()) => made.push(path.to_owned()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && is_there() => {}
        Err(error) => return Err(DiskError::system("make", path, &error)),
    }
    Ok(())
}

/// Whether a walk ends here: nothing is there, or a link, or no directory.
fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}
