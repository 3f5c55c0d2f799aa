//! What a running system is to become: the services of its manifest, with what was added, and their tree.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::carried::{Carried, add_additions};
use super::compile::Compilation;
use super::container::Container;
use super::error::JobError;
use super::judge::{judge_beside, judge_for_comparison};
use super::project::Project;
use super::templates::{Overrides, render_tree};
use crate::diagnostic::{Diagnostic, Files, Severity};
use crate::disk;
use crate::install::{self, LockedSite, PathDifference};
use crate::model::{ServiceSet, Snapshot, Target};
use crate::render;
use crate::tree::SourceTree;

/// What a running system is to become: the services of its manifest, with what was added, and their tree.
#[derive(Debug)]
pub struct Desired {
    pub(super) services: ServiceSet,
    pub(super) tree: SourceTree,
}

/// A manifest without errors, with what was added, and templates that it can be rendered with.
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
    pub(super) fn new(project: Project, templates: Overrides) -> Result<CheckedProject, JobError> {
        let Compilation { services, problems } = project.compile();
        if problems.has_errors() {
            let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
            return Err(JobError { problems: errors.cloned().collect(), files: project.files });
        }
        let checked = CheckedProject { project, templates, services };
        // The shipped templates can be filled with whatever compiles.
        if !checked.templates.is_empty() {
            checked.tree()?;
        }
        Ok(checked)
    }

    /// Refuses the name of a new service if a definition that s6gen did not make has it.
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
    /// Compiles the manifest that the container carries, or the one at `manifest`, with what was added.
    ///
    /// # Errors
    /// It cannot be read, or has errors.
    pub fn load(container: &Container, manifest: Option<&Path>) -> Result<Desired, JobError> {
        let (mut project, templates, directory) = match manifest {
            Some(path) => {
                let project = Project::load(path);
                let directory = container.path(&project.definitions());
                (project, Overrides::new(), directory)
            }
            None => {
                let directory = container.definitions()?;
                let carried = Carried::read(&directory)?;
                (carried.project(), carried.templates, directory)
            }
        };
        add_additions(&mut project, &directory)?;
        Desired::of(CheckedProject::new(project, templates)?)
    }

    /// Renders a manifest that was checked.
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

    /// How the definitions on the disk differ.
    pub(super) fn differences(&self, container: &Container) -> Result<Vec<PathDifference>, JobError> {
        Ok(install::compare(&self.tree, &container.root, &self.services.target.tree)?)
    }

    /// Locks the definitions on the disk.
    pub(super) fn lock<'a>(&'a self, container: &'a Container) -> Result<LockedSite<'a>, JobError> {
        Ok(LockedSite::lock(&container.root, &self.services.target.tree)?)
    }

    /// The names of our definitions in which these differences are.
    pub(super) fn differing(&self, differences: &[PathDifference]) -> BTreeSet<String> {
        let definitions = render::definitions_dir(&self.services.target);
        let names = differences.iter().filter_map(|d| install::definition_in(definitions, &d.path));
        names.map(str::to_owned).collect()
    }

    /// Makes in `place` the source directories that a boot would compile, and returns them in order. Our definitions in
    /// `differ` are not on the disk, or differ there.
    pub(super) fn preview(
        &self,
        container: &Container,
        differ: &BTreeSet<String>,
        place: &Path,
    ) -> Result<Vec<PathBuf>, JobError> {
        let target = &self.services.target;
        let sources = container.compiled_sources(target)?;
        Ok(install::preview(&self.tree, &container.root, &target.tree, &sources, differ, place)?)
    }

    /// Judges such source directories.
    pub(super) fn check(&self, sources: &[PathBuf]) -> Result<(), JobError> {
        let mut files = Files::default();
        let opened = sources.iter().map(disk::source).collect();
        refuse_errors(&judge_beside(&mut files, opened, self.target(), &[]), &files)
    }

    /// Judges such source directories and takes a snapshot of them.
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

/// Refuses source directories with errors. They no longer exist when somebody reads the report, so it names their files
/// instead of showing them.
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
