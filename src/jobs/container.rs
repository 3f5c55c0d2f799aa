//! The file system of a container in which the definitions of a manifest lie.

use std::path::PathBuf;

use super::carried::CARRIED;
use super::error::JobError;
use super::file_system::open_root;
use crate::diagnostic::{Code, Diagnostic, Files};
use crate::disk::{self, DiskError};
use crate::image::{self, Setup};
use crate::install;
use crate::model::{System, Target};

/// A container's file system, and where the definitions are in it.
#[derive(Debug, Clone)]
pub struct Container {
    /// The root directory.
    pub root: PathBuf,
    /// The directory of the definitions, an absolute path in the container; none if it is to be looked for.
    pub tree: Option<String>,
}

/// Where `build` puts definitions by default, and where the links to them are.
const PLACES: &[&str] = &["/etc/s6-overlay/sv", "/etc/s6-overlay/s6-rc.d", "/etc/s6-rc/source"];

impl Container {
    /// An absolute path in the container, with the root.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// The directory of the definitions, with the root.
    ///
    /// # Errors
    /// `build` has left no manifest in any of the places.
    pub fn definitions(&self) -> Result<PathBuf, Diagnostic> {
        let found = match &self.tree {
            Some(tree) => Some(tree.clone()),
            None => install::find_definitions(&self.root, PLACES, CARRIED),
        };
        let found = found.map(|tree| self.path(&tree));
        found.filter(|directory| disk::is_there(&directory.join(CARRIED))).ok_or_else(|| {
            let place = match &self.tree {
                Some(tree) => format!("in `{tree}`"),
                None => format!("in `{}`, nor where its links lead", PLACES.join("`, `")),
            };
            Diagnostic::new(Code::CarriedUnreadable, format!("`s6gen build` has left no manifest {place}"))
                .help("build the image with `s6gen build`; another place of the definitions is named with `--tree`")
        })
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
        // The overlay writes some of them with a newline at the end, which it does not use.
        let value = value.strip_suffix('\n').unwrap_or(&value);
        (!value.is_empty()).then(|| value.to_owned())
    }
}
