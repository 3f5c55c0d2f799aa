//! The file system of a container, and where in it the definitions of a manifest are.

use std::path::PathBuf;
use std::sync::Arc;

use super::carried::CARRIED;
use super::error::JobError;
use super::file_system::open_root;
use crate::diagnostic::{Code, Diagnostic, Files};
use crate::disk::{self, DiskError, Folder, OnDisk, Root};
use crate::image::{self, Setup};
use crate::install;
use crate::model::{System, Target};

/// The file system of a container, and where in it the definitions are.
#[derive(Debug, Clone)]
pub struct Container {
    /// The root directory.
    pub root: PathBuf,
    /// The directory of definitions, an absolute path in the container. `None` to search for it.
    pub tree: Option<String>,
}

/// The directories to search: those in which `build` writes definitions by default, and the one with the links to them.
const PLACES: &[&str] = &["/etc/s6-overlay/sv", "/etc/s6-overlay/s6-rc.d", "/etc/s6-rc/source"];

impl Container {
    /// The full path of an absolute path in the container.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Opens a directory in the container, given by its absolute path there. Links are followed inside of the container.
    /// `None` if it does not exist.
    ///
    /// # Errors
    /// A link leads out of the container, or the system refuses.
    pub(super) fn folder(&self, path: &str) -> Result<Option<Arc<Folder>>, DiskError> {
        let root = Root::new(&self.root);
        root.folder(&root.real(path.trim_start_matches('/'), |_| false)?)
    }

    /// The full path of the directory of definitions.
    ///
    /// # Errors
    /// No manifest of a build is in any of the directories.
    pub fn definitions(&self) -> Result<PathBuf, JobError> {
        Ok(self.definitions_folder()?.path().to_owned())
    }

    /// Opens the directory of definitions.
    ///
    /// # Errors
    /// No manifest of a build is in any of the directories.
    pub(super) fn definitions_folder(&self) -> Result<Arc<Folder>, JobError> {
        let found = match &self.tree {
            Some(tree) => Some(tree.clone()),
            None => install::find_definitions(&self.root, PLACES, CARRIED),
        };
        let found = match found {
            Some(tree) => self.folder(&tree)?,
            None => None,
        };
        let has_manifest = |folder: &Arc<Folder>| !matches!(folder.look(CARRIED), Ok(OnDisk::Nothing));
        Ok(found.filter(has_manifest).ok_or_else(|| {
            let place = match &self.tree {
                Some(tree) => format!("in `{tree}`"),
                None => format!("in `{}`, or where links in them lead", PLACES.join("`, `")),
            };
            Diagnostic::new(Code::CarriedUnreadable, format!("there is no manifest of `s6gen build` {place}"))
                .help("build the image with `s6gen build`; if the definitions are elsewhere, name their directory with `--tree`")
        })?)
    }

    /// The s6-overlay of the container, if it has a version that s6gen knows.
    pub(super) fn overlay(&self) -> Option<System> {
        image::system(&open_root(&self.root).ok()?, &mut Files::default()).ok()
    }

    /// The source directories that a boot compiles, as absolute paths in the container.
    pub(super) fn compiled_sources(&self, target: &Target) -> Result<Vec<String>, JobError> {
        if !target.system.is_overlay() {
            return Ok(vec![target.tree.clone()]);
        }
        let root = open_root(&self.root).map_err(|error| DiskError::system("read", &self.root, &error))?;
        let system = image::system(&root, &mut Files::default()).unwrap_or(target.system);
        let setup = Setup {
            profile: self.variable("S6_RUNTIME_PROFILE"),
            bundle_dir: self.variable("S6_RUNTIME_BUNDLEDIR"),
            ..Setup::new(system)
        };
        Ok(image::compiled(&root, &setup))
    }

    /// A variable of the container's environment, if it is set and not empty.
    fn variable(&self, name: &str) -> Option<String> {
        let file = self.path("run/s6/container_environment").join(name);
        let value = String::from_utf8(disk::read_if_there(&file).ok()??).ok()?;
        // s6-overlay writes a newline after some values and ignores it.
        let value = value.strip_suffix('\n').unwrap_or(&value);
        (!value.is_empty()).then(|| value.to_owned())
    }
}
