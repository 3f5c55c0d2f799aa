//! Building: a manifest, with what was added in a container, → the files of an image.

use std::collections::BTreeSet;
use std::path::Path;

use super::carried::{Carried, add_additions};
use super::compile::Compilation;
use super::container::Container;
use super::error::JobError;
use super::file_system::has_overlay;
use super::project::Project;
use super::root_check::RootCheck;
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
    /// What it describes, with every problem.
    pub compilation: Compilation,
}

impl Build {
    /// Compiles the manifest at `manifest` for the image at `root`. What was added in a container that runs is kept when its
    /// manifest is built anew.
    ///
    /// # Errors
    /// What was added cannot be read.
    pub fn load(manifest: &Path, root: &Path) -> Result<Build, JobError> {
        let mut project = Project::load(manifest);
        let container = Container { root: root.to_owned(), tree: None };
        let directory = container.path(&project.definitions());
        add_additions(&mut project, &directory)?;
        let compilation = project.compile();
        Ok(Build { container, project, compilation })
    }

    /// Refuses a root that has no s6-overlay although the manifest is for one.
    ///
    /// # Errors
    /// The root has none.
    pub fn expect_overlay(&self) -> Result<(), Diagnostic> {
        let is_overlay = self.compilation.services.target.system.is_overlay();
        if !is_overlay || has_overlay(&self.container.root) {
            return Ok(());
        }
        Err(Diagnostic::new(Code::OverlayNotFound, "there is no s6-overlay in `/`, so this is not the image")
            .note("nothing was written")
            .help("name the root of the image, as in `--root rootfs`; `--root /` writes here nevertheless"))
    }

    /// The tree to write, with the manifest that the image carries.
    ///
    /// # Errors
    /// A template cannot be filled; or what is built would not compile in the root, or not start.
    pub fn tree(&self, overrides: Overrides) -> Result<SourceTree, JobError> {
        let services = &self.compilation.services;
        let mut tree = render_tree(services, &overrides)?;
        let (project, root) = (&self.project, &self.container.root);
        let check = RootCheck { project, overrides: &overrides, services, tree: &tree, root };
        let obstacles = check.obstacles().map_err(|error| JobError::of_build(&error))?;
        if !obstacles.problems.is_empty() {
            return Err(obstacles);
        }
        if let Some(carried) = Carried::of(&self.project, without_shipped(overrides)) {
            carried.put(&mut tree, self.definitions());
        }
        Ok(tree)
    }

    /// The directory of the definitions in the image, an absolute path.
    pub fn definitions(&self) -> &str {
        &self.compilation.services.target.tree
    }

    /// How the files of the image differ from `tree`, by path.
    ///
    /// # Errors
    /// Something cannot be read.
    pub fn differences(&self, tree: &SourceTree) -> Result<Vec<PathDifference>, JobError> {
        let compared = install::compare(tree, &self.container.root, self.definitions());
        compared.map_err(|error| JobError::of_build(&error))
    }

    /// Whether no entry of the tree is there.
    pub fn is_missing(tree: &SourceTree, differences: &[PathDifference]) -> bool {
        let missing = differences.iter().filter(|difference| difference.state == PathState::Missing);
        let missing: BTreeSet<&str> = missing.map(|difference| difference.path.as_str()).collect();
        tree.entries().all(|(path, _)| missing.contains(path))
    }

    /// A difference for people: the service, the path, and how it differs.
    pub fn describe(&self, difference: &PathDifference) -> String {
        let path = &difference.path;
        let state = match difference.state {
            PathState::Missing => "is missing",
            PathState::Kind => "is something else",
            PathState::Content => "has other content",
            PathState::Executable => "has another x bit",
            PathState::Mode => "has other permissions",
            PathState::LeftOver => "is left over",
        };
        let inside = path.strip_prefix(self.definitions().trim_start_matches('/'));
        let service = inside.and_then(|inside| inside.trim_start_matches('/').split('/').next());
        match service.filter(|service| !service.starts_with('.')) {
            Some(service) => format!("{service}: /{path} {state}"),
            None => format!("/{path} {state}"),
        }
    }

    /// Makes the root of the image, if only its last component is missing; returns whether it did.
    ///
    /// # Errors
    /// The system refuses.
    pub fn make_root(&self) -> Result<bool, JobError> {
        disk::make_root(&self.container.root).map_err(|error| JobError::of_build(&error.into()))
    }

    /// Makes the files of the image equal to `tree`.
    ///
    /// # Errors
    /// The system refuses, or files that s6gen did not make are in the way.
    pub fn install(&self, tree: &SourceTree) -> Result<Installed, JobError> {
        let installed = install::install(tree, &self.container.root, self.definitions());
        installed.map_err(|error| JobError::of_build(&error))
    }
}
