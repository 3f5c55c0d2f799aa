//! The root of an image, and paths below it. Only this file resolves links in such paths.

use std::path::{Path, PathBuf};

use super::error::DiskError;
use super::list::names;
use super::look::{OnDisk, look, real_path};
use super::open::open_no_link;
use super::path::parents;
use super::read::read_length;

/// A directory that is the root of an image. Paths in it are relative and use `/`.
#[derive(Debug)]
pub struct Root<'a> {
    directory: &'a Path,
    /// Whether it is `/` of this machine, so that no path can leave it.
    is_system_root: bool,
}

impl<'a> Root<'a> {
    /// The root at `directory`. The directory does not have to exist yet.
    pub fn new(directory: &'a Path) -> Self {
        let is_system_root = real_path(directory).is_ok_and(|path| path == Path::new("/"));
        Root { directory, is_system_root }
    }

    /// The full path of a path below the root.
    pub fn path(&self, path: &str) -> PathBuf {
        self.directory.join(path)
    }

    /// Returns what is at a path. The last component is not followed if it is a link.
    ///
    /// # Errors
    /// The system refuses.
    pub fn look(&self, path: &str) -> Result<OnDisk, DiskError> {
        look(&self.path(path))
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
        for parent in parents(path) {
            if !matches!(self.look(parent)?, OnDisk::Directory { .. }) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The content of a file of this length. A link is not followed.
    ///
    /// # Errors
    /// The system refuses.
    pub fn content(&self, path: &str, length: u64) -> Result<Vec<u8>, DiskError> {
        let path = self.path(path);
        open_no_link(&path).and_then(|file| read_length(file, length)).map_err(DiskError::of("read", &path))
    }

    /// The paths of the entries of a directory, in byte order.
    ///
    /// # Errors
    /// The system refuses.
    pub fn list(&self, path: &str) -> Result<Vec<String>, DiskError> {
        let directory = self.path(path);
        let names = names(&directory).map_err(DiskError::of("list", &directory))?;
        let mut paths: Vec<String> =
            names.iter().map(|name| format!("{path}/{}", name.to_string_lossy())).collect();
        paths.sort();
        Ok(paths)
    }
}
