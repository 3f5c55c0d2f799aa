//! The desired state of a running system: the services of its manifest and its additions, and their tree.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::carried::{Carried, add_additions};
use super::compile::Compilation;
use super::container::Container;
use super::error::JobError;
use super::judge::{judge_for_comparison, judge_with_external};
use super::project::Project;
use super::templates::{Overrides, render_tree};
use crate::diagnostic::{Diagnostic, Files, Severity};
use crate::disk;
use crate::install::{self, LockedSite, PathDifference};
use crate::model::{ServiceSet, Snapshot, Target};
use crate::render;
use crate::tree::SourceTree;

/// The desired state of a running system: the services of its manifest and its additions, and their tree.
#[derive(Debug)]
pub struct Desired {
    pub(super) services: ServiceSet,
    pub(super) tree: SourceTree,
}

/// A manifest with its additions, both without errors, and templates from which it can be rendered.
#[derive(Debug)]
pub struct CheckedProject {
    project: Project,
    templates: Overrides,
    services: ServiceSet,
}

impl CheckedProject {
    /// Compiles the manifest.
    ///
    /// # Errors
    /// The manifest has errors, or a template cannot be filled.
    pub(super) fn new(mut project: Project, templates: Overrides) -> Result<CheckedProject, JobError> {
        let Compilation { services, problems } = project.compile();
        if problems.has_errors() {
            let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
            return Err(JobError { problems: errors.cloned().collect(), files: project.files });
        }
        let checked = CheckedProject { project, templates, services };
        // Only templates of the user can fail. The shipped ones can render everything that compiles.
        if !checked.templates.is_empty() {
            checked.tree()?;
        }
        Ok(checked)
    }

    /// Checks that no foreign definition has the name of a new service.
    pub(super) fn refuse_taken(&self, container: &Container, name: &str) -> Result<(), JobError> {
        let target = &self.services.target;
        let linked = target.system.definitions_dir();
        Ok(install::refuse_taken(&container.root, &target.tree, linked, name)?)
    }

    fn tree(&self) -> Result<SourceTree, Diagnostic> {
        render_tree(&self.services, &self.templates)
    }
}

impl Desired {
    /// Compiles the manifest at `manifest`, or the one that the container carries, together with the additions.
    ///
    /// # Errors
    /// The manifest cannot be read, or has errors.
    pub fn load(container: &Container, manifest: Option<&Path>) -> Result<Desired, JobError> {
        let (mut project, templates, directory) = match manifest {
            Some(path) => {
                let project = Project::load(path);
                let directory = container.folder(&project.definitions())?;
                (project, Overrides::new(), directory)
            }
            None => {
                let directory = container.definitions_folder()?;
                let carried = Carried::read(&directory)?;
                (carried.project(), carried.templates, Some(directory))
            }
        };
        if let Some(directory) = directory {
            add_additions(&mut project, &directory)?;
        }
        Desired::of(CheckedProject::new(project, templates)?)
    }

    /// Renders a checked manifest.
    ///
    /// # Errors
    /// A template cannot be filled.
    pub fn of(checked: CheckedProject) -> Result<Desired, JobError> {
        let mut tree = checked.tree()?;
        let CheckedProject { project, templates, services } = checked;
        if let Some(carried) = Carried::of(&project, templates) {
            carried.put(&mut tree, &services.target.tree);
        }
        Ok(Desired { services, tree })
    }

    /// The paths at which the definitions on the disk differ from the desired ones.
    pub(super) fn differences(&self, container: &Container) -> Result<Vec<PathDifference>, JobError> {
        Ok(install::compare(&self.tree, &container.root, &self.services.target.tree)?)
    }

    /// Locks the definitions on the disk.
    pub(super) fn lock<'a>(&'a self, container: &'a Container) -> Result<LockedSite<'a>, JobError> {
        Ok(LockedSite::lock(&container.root, &self.services.target.tree)?)
    }

    /// The names of the definitions of s6gen that contain these differences.
    pub(super) fn differing(&self, differences: &[PathDifference]) -> BTreeSet<String> {
        let definitions = render::definitions_dir(&self.services.target);
        let names = differences.iter().filter_map(|d| install::definition_in(definitions, &d.path));
        names.map(str::to_owned).collect()
    }

    /// Makes a preview of the source directories that a boot would compile, in `place`. Returns the previews in order.
    /// `changed` names the definitions of s6gen that are missing on the disk or differ there.
    pub(super) fn preview(
        &self,
        container: &Container,
        changed: &BTreeSet<String>,
        place: &Path,
    ) -> Result<Vec<PathBuf>, JobError> {
        let target = &self.services.target;
        let sources = container.compiled_sources(target)?;
        Ok(install::preview(&self.tree, &container.root, &target.tree, &sources, changed, place)?)
    }

    /// Judges the source directories of a preview.
    pub(super) fn check(&self, sources: &[PathBuf]) -> Result<(), JobError> {
        let mut files = Files::default();
        let opened = sources.iter().map(disk::source).collect();
        refuse_errors(&judge_with_external(&mut files, opened, self.target(), &[]), &files)
    }

    /// Judges the source directories of a preview and takes a snapshot of them.
    pub(super) fn snapshot(&self, sources: &[PathBuf]) -> Result<Snapshot, JobError> {
        let mut files = Files::default();
        let open = || sources.iter().map(disk::source).collect();
        let (compilation, snapshot) = judge_for_comparison(&mut files, open, self.target(), &[]);
        refuse_errors(&compilation, &files)?;
        Ok(snapshot)
    }

    fn target(&self) -> Target {
        Target::new(self.services.target.system)
    }
}

/// Returns an error if source directories have errors. The directories are temporary, so the report only names their
/// files and has no excerpts of them.
fn refuse_errors(compilation: &Compilation, files: &Files) -> Result<(), JobError> {
    let errors = compilation.problems.iter().filter(|problem| problem.severity == Severity::Error);
    let without_excerpts = |problem: &Diagnostic| {
        let mut problem = problem.clone();
        for label in std::mem::take(&mut problem.labels) {
            problem = problem.note(format!("in {}", files.path(label.origin.file).display()));
        }
        problem
    };
    let errors: Vec<Diagnostic> = errors.map(without_excerpts).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors.into()) }
}
