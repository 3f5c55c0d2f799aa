//! Builds the files of an image from a manifest. In a container it keeps the services that were added there.

use std::collections::BTreeSet;
use std::path::Path;

use super::carried::{Carried, add_additions};
use super::compile::Compilation;
use super::container::Container;
use super::error::JobError;
use super::file_system::has_overlay;
use super::levels::Levels;
use super::project::Project;
use super::root_check::{BuiltNames, RootCheck};
use super::templates::{Overrides, render_tree, without_shipped};
use crate::diagnostic::{Code, Diagnostic};
use crate::disk;
use crate::install::{self, Installed, PathDifference, PathState};
use crate::tree::SourceTree;

/// A build of an image.
#[derive(Debug)]
pub struct Build {
    /// The root of the image.
    container: Container,
    /// The manifest.
    pub project: Project,
    /// The services of the manifest, with every problem.
    pub compilation: Compilation,
}

/// A tree that was made from a manifest, and the root of the image for it. It no longer has the services, because
/// those of a large system take as much memory as the installation.
#[derive(Debug)]
pub struct RenderedBuild {
    container: Container,
    /// The directory of definitions, an absolute path in the image.
    pub definitions: String,
    /// The number of definitions.
    pub count: usize,
    /// The files to write.
    pub tree: SourceTree,
}

impl Build {
    /// Compiles the manifest at `manifest` for the image at `root`. If `root` is a container in which services were added,
    /// the build includes them. `levels` are those that the command line gives to rules.
    ///
    /// # Errors
    /// The added services cannot be read.
    pub fn load(manifest: &Path, root: &Path, levels: Levels) -> Result<Build, JobError> {
        let mut project = Project::load(manifest).with_levels(levels);
        let container = Container { root: root.to_owned(), tree: None };
        if let Some(definitions) = container.folder(&project.definitions())? {
            add_additions(&mut project, &definitions)?;
        }
        let compilation = project.compile();
        Ok(Build { container, project, compilation })
    }

    /// Checks that the root has an s6-overlay, if the manifest is for one.
    ///
    /// # Errors
    /// The root has no s6-overlay.
    pub fn expect_overlay(&self) -> Result<(), Diagnostic> {
        let is_overlay = self.compilation.services.target.system.is_overlay();
        if !is_overlay || has_overlay(&self.container.root) {
            return Ok(());
        }
        Err(Diagnostic::new(Code::OverlayNotFound, "there is no s6-overlay in `/`, so this is not the image")
            .note("nothing was written")
            .help("name the root of the image, as in `--root rootfs`; to write here anyway, use `--root /`"))
    }

    /// The tree to write, with the manifest that the image carries.
    ///
    /// # Errors
    /// A template cannot be filled; or the built definitions would not compile or not start in the root.
    pub fn render(self, overrides: Overrides) -> Result<RenderedBuild, JobError> {
        let Build { container, project, compilation: Compilation { services, .. } } = self;
        let mut tree = render_tree(&services, &overrides)?;
        let (names, count) = (BuiltNames::of(&services), services.ours().count());
        let definitions = services.target.tree.clone();
        drop(services);
        let check =
            RootCheck { project: &project, overrides: &overrides, names, tree: &tree, root: &container.root };
        let obstacles = check.obstacles().map_err(|error| JobError::of_build(&error))?;
        if !obstacles.problems.is_empty() {
            return Err(obstacles);
        }
        if let Some(carried) = Carried::of(&project, without_shipped(overrides)) {
            carried.put(&mut tree, &definitions);
        }
        Ok(RenderedBuild { container, definitions, count, tree })
    }
}

impl RenderedBuild {
    /// The paths at which the files of the image differ from the tree.
    ///
    /// # Errors
    /// Something cannot be read.
    pub fn differences(&self) -> Result<Vec<PathDifference>, JobError> {
        let compared = install::compare(&self.tree, &self.container.root, &self.definitions);
        compared.map_err(|error| JobError::of_build(&error))
    }

    /// Whether all entries of the tree are missing.
    pub fn is_missing(&self, differences: &[PathDifference]) -> bool {
        let missing = differences.iter().filter(|difference| difference.state == PathState::Missing);
        let missing: BTreeSet<&str> = missing.map(|difference| difference.path.as_str()).collect();
        self.tree.entries().all(|(path, _)| missing.contains(path))
    }

    /// A line of text for a difference: the service, the path, and how it differs.
    pub fn describe(&self, difference: &PathDifference) -> String {
        let path = &difference.path;
        let state = match difference.state {
            PathState::Missing => "is missing",
            PathState::Kind => "is of another kind",
            PathState::Content => "has other content",
            PathState::Executable => "has another x bit",
            PathState::Mode => "has other permissions",
            PathState::LeftOver => "is left over",
        };
        let inside = path.strip_prefix(self.definitions.trim_start_matches('/'));
        let service = inside.and_then(|inside| inside.trim_start_matches('/').split('/').next());
        match service.filter(|service| !service.starts_with('.')) {
            Some(service) => format!("{service}: /{path} {state}"),
            None => format!("/{path} {state}"),
        }
    }

    /// Makes the root of the image, if only the last component of its path is missing. Returns whether it made it.
    ///
    /// # Errors
    /// The system refuses.
    pub fn make_root(&self) -> Result<bool, JobError> {
        disk::make_root(&self.container.root).map_err(|error| JobError::of_build(&error.into()))
    }

    /// Makes the files of the image equal to the tree.
    ///
    /// # Errors
    /// The system refuses, or files that s6gen did not make are in the way.
    pub fn install(&self) -> Result<Installed, JobError> {
        let installed = install::install(&self.tree, &self.container.root, &self.definitions);
        installed.map_err(|error| JobError::of_build(&error))
    }
}
