//! The site of an installation: a root, its directory of definitions, and the files that s6gen keeps there.

use std::ops::Deref;
use std::path::{Path, PathBuf};

use super::receipt::{RECEIPT, Receipt};
use crate::disk::path::{is_at_or_above, is_plain};
use crate::disk::{DiskError, OnDisk, Root, file_mode};
use crate::tree::TreeEntry;

/// The names of the staging directories, in which s6gen completes new files before it shows them. s6gen uses the second
/// one if a killed build left links through which `/init` reads the first. Both names belong to s6gen, so whatever is
/// there may be removed.
pub(super) const STAGINGS: [&str; 2] = [".s6gen.new", ".s6gen.newer"];

/// The link through which `/init` finds definitions while they change. This name belongs to s6gen too.
pub(super) const SWITCH: &str = ".s6gen.switch";

/// The largest receipt that is read, in bytes: many times that of 30,000 services.
const LONGEST_RECEIPT: u64 = 64 << 20;

/// The directory of s6-overlay's configuration in an image. Beside the directory of definitions, s6gen changes nothing else.
const OVERLAY: &str = "etc/s6-overlay";

/// A root and the directory of definitions in it.
#[derive(Debug)]
pub(super) struct Site<'a> {
    root: Root<'a>,
    /// The directory of definitions relative to the root, with all links resolved.
    pub definitions: String,
}

/// A site has all methods of its root.
impl<'a> Deref for Site<'a> {
    type Target = Root<'a>;

    fn deref(&self) -> &Root<'a> {
        &self.root
    }
}

/// How a path differs from the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathState {
    /// Nothing is there.
    Missing,
    /// An entry of another kind is there: a file instead of a directory, or a link instead of a file.
    Kind,
    /// A file with other content, or a link with another target.
    Content,
    /// A file that is executable and should not be, or the reverse.
    Executable,
    /// A file or directory whose other permissions differ. They make no difference to s6, and they differ easily: git
    /// keeps only the x bit, and the rest depends on the umask.
    Mode,
    /// An earlier build made it, and the tree does not have it.
    LeftOver,
}

impl<'a> Site<'a> {
    /// The site below `root` whose definitions are at `definitions`, an absolute path in the image.
    pub fn new(root: &'a Path, definitions: &str) -> Result<Self, DiskError> {
        let root = Root::new(root);
        let definitions = definitions.trim_matches('/');
        if !is_plain(definitions) {
            return Err(DiskError::refused("build into", Path::new(definitions), "not a plain path"));
        }
        let definitions = root.real(definitions, |_| false)?;
        Ok(Site { root, definitions })
    }

    /// The full path of a name in the directory of definitions.
    pub fn in_definitions(&self, name: &str) -> PathBuf {
        self.path(&self.definitions).join(name)
    }

    /// The path of the definition `name`, relative to the root.
    pub fn definition(&self, name: &str) -> String {
        format!("{}/{name}", self.definitions)
    }

    /// The name of the definition that contains `path` or is `path`.
    pub fn definition_of<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_prefix(&self.definitions)?.strip_prefix('/')?.split('/').next()
    }

    /// The receipt, if there is one.
    ///
    /// # Errors
    /// It cannot be read, is not a receipt of this version of s6gen, or names a path that no build makes.
    pub fn receipt(&self) -> Result<Option<Receipt>, DiskError> {
        let path = self.in_definitions(RECEIPT);
        let place = format!("{}/{RECEIPT}", self.definitions);
        let length = match self.look(&place)? {
            OnDisk::Nothing => return Ok(None),
            OnDisk::File { length, .. } if length > LONGEST_RECEIPT => {
                return Err(DiskError::refused("read", &path, "it is larger than 64 MiB"));
            }
            OnDisk::File { length, .. } => length,
            _ => return Err(DiskError::refused("read", &path, "it is not a regular file")),
        };
        let text = self.content(&place, length)?;
        let unusable = |reason: String| {
            DiskError::refused("use the receipt", &path, reason).help(
                "restore it; if you cannot, remove the definitions that s6gen made, then the receipt, and build again",
            )
        };
        let receipt = Receipt::parse(text).map_err(|reason| unusable(reason.into()))?;
        let overlay = self.real(OVERLAY, |_| false).unwrap_or_default();
        let is_own = |path: &str, directory: bool| {
            [&*self.definitions, &overlay]
                .into_iter()
                .filter(|own| !own.is_empty())
                .any(|own| path != own && is_at_or_above(own, path) || directory && is_at_or_above(path, own))
        };
        let strange = receipt.paths().find(|(path, directory)| !is_own(path, *directory));
        if let Some((path, _)) = strange {
            return Err(unusable(format!("it names `{path}`, which s6gen never makes")));
        }
        Ok(Some(receipt))
    }

    /// How `found`, which is at `path`, differs from an entry of the tree. `None` if they are equal.
    pub fn difference(
        &self,
        path: &str,
        found: &OnDisk,
        entry: &TreeEntry,
    ) -> Result<Option<PathState>, DiskError> {
        Ok(match (found, entry) {
            (OnDisk::Nothing, _) => Some(PathState::Missing),
            (OnDisk::Directory { .. }, TreeEntry::Directory) => None,
            (OnDisk::Link(there), TreeEntry::Link(target)) => {
                (there.as_os_str() != target.as_str()).then_some(PathState::Content)
            }
            (OnDisk::File { mode, length }, TreeEntry::File { content, executable }) => {
                let is_same = || Ok(*length == 0 || *content == self.content(path, *length)?);
                if *length != content.len() as u64 || !is_same()? {
                    Some(PathState::Content)
                } else {
                    let state = if (mode & 0o100 != 0) == *executable {
                        PathState::Mode
                    } else {
                        PathState::Executable
                    };
                    (*mode != file_mode(*executable)).then_some(state)
                }
            }
            _ => Some(PathState::Kind),
        })
    }
}
