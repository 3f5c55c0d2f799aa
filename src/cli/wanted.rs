use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::carried::{ADDED, Carried};
use super::manifest::{Loaded, Overrides, additions, load_manifest, tree};
use super::system::{Definitions, Trouble, unwritten};
use crate::diagnostic::{Diagnostic, Files, Severity};
use crate::disk::{self, DiskError, SourceDirectory};
use crate::image::{self, Setup};
use crate::install::{self, LockedSite, PathDifference};
use crate::model::{ServiceSet, System, Target};
use crate::render;
use crate::source::{Mount, Union};
use crate::tree::SourceTree;
use crate::{Compilation, judge};

/// What a system that runs is to become: the services of its manifest, with what was added, and their tree.
pub(super) struct Wanted {
    pub(super) services: ServiceSet,
    pub(super) tree: SourceTree,
}

/// A manifest without errors, with what was added, and templates that it can be rendered with.
pub(super) struct Judged {
    loaded: Loaded,
    templates: Overrides,
    services: ServiceSet,
}

impl Judged {
    /// Compiles it.
    pub(super) fn new(loaded: Loaded, templates: Overrides) -> Result<Judged, Trouble> {
        let Compilation { services, problems } = loaded.compile();
        if problems.has_errors() {
            let errors = problems.iter().filter(|problem| problem.severity() == Severity::Error);
            return Err(Trouble { problems: errors.cloned().collect(), files: loaded.files });
        }
        let judged = Judged { loaded, templates, services };
        // Those that are shipped can be filled with whatever compiles.
        if !judged.templates.is_empty() {
            judged.tree()?;
        }
        Ok(judged)
    }

    /// Refuses the name of a new service that somebody else's definition has.
    pub(super) fn refuse_taken(&self, definitions: &Definitions, name: &str) -> Result<(), Vec<Diagnostic>> {
        let target = &self.services.target;
        let linked = target.system.definitions_dir();
        install::refuse_taken(&definitions.root, &target.tree, linked, name).map_err(unwritten)
    }

    fn tree(&self) -> Result<SourceTree, Vec<Diagnostic>> {
        tree(&self.services, &self.templates).map_err(|problem| vec![problem])
    }
}

impl Wanted {
    /// Compiles the manifest that the system carries, or another one, with what was added.
    pub(super) fn new(definitions: &Definitions, manifest: Option<&Path>) -> Result<Wanted, Trouble> {
        let (loaded, templates, directory): (Loaded, Overrides, PathBuf) = match manifest {
            Some(path) => {
                let loaded = load_manifest(path);
                let directory = definitions.in_root(&loaded.compile().services.target.tree);
                (loaded, Overrides::new(), directory)
            }
            None => {
                let directory = definitions.directory()?;
                let carried = Carried::read(&directory)?;
                (carried.load(), carried.templates, directory)
            }
        };
        let loaded = loaded.with(&directory.join(ADDED), &additions(&directory)?);
        Wanted::of(Judged::new(loaded, templates)?)
    }

    /// What a manifest that was judged says.
    pub(super) fn of(judged: Judged) -> Result<Wanted, Trouble> {
        let mut tree = judged.tree()?;
        let Judged { loaded, templates, services } = judged;
        if let Some(manifest) = &loaded.manifest {
            Carried::new(&loaded.files, manifest, templates).put(&mut tree, &services.target.tree);
        }
        Ok(Wanted { services, tree })
    }

    /// How the definitions on the disk differ.
    pub(super) fn differences(
        &self,
        definitions: &Definitions,
    ) -> Result<Vec<PathDifference>, Vec<Diagnostic>> {
        install::compare(&self.tree, &definitions.root, &self.services.target.tree).map_err(unwritten)
    }

    /// Keeps everybody else from the definitions on the disk.
    pub(super) fn lock<'a>(
        &'a self,
        definitions: &'a Definitions,
    ) -> Result<LockedSite<'a>, Vec<Diagnostic>> {
        LockedSite::lock(&definitions.root, &self.services.target.tree).map_err(unwritten)
    }

    /// The definitions of ours in which such differences are.
    pub(super) fn differing(&self, differences: &[PathDifference]) -> BTreeSet<String> {
        let definitions = render::definitions_dir(&self.services.target);
        let names = differences.iter().filter_map(|d| install::definition_in(definitions, &d.path));
        names.map(str::to_owned).collect()
    }

    /// Makes in `place` the source directories that a boot would compile, and returns them in order. The definitions of
    /// ours in `differ` are not on the disk, or not just so.
    pub(super) fn compose(
        &self,
        definitions: &Definitions,
        differ: &BTreeSet<String>,
        place: &Path,
    ) -> Result<Vec<PathBuf>, Vec<Diagnostic>> {
        let target = &self.services.target;
        let paths = compiled(definitions, target)?;
        install::preview(&self.tree, &definitions.root, &target.tree, &paths, differ, place)
            .map_err(unwritten)
    }

    /// Judges such source directories, as `s6gen check --tree` would.
    pub(super) fn check(&self, sources: &[PathBuf]) -> Result<(), Vec<Diagnostic>> {
        check(sources, &self.services.target)
    }
}

/// The container's file system.
fn opened(definitions: &Definitions) -> Result<Union<SourceDirectory>, Vec<Diagnostic>> {
    let root = &definitions.root;
    let opened =
        SourceDirectory::open(root).and_then(|opened| Union::new(vec![Mount::new("/", root, opened)]));
    opened.map_err(|error| unwritten(DiskError::system("read", root, &error)))
}

/// The s6-overlay of the container, if it has one that s6gen knows.
pub(super) fn found_overlay(definitions: &Definitions) -> Option<System> {
    image::system(&opened(definitions).ok()?, &mut Files::default()).ok()
}

/// The source directories that a boot compiles, as absolute paths in the container.
fn compiled(definitions: &Definitions, target: &Target) -> Result<Vec<String>, Vec<Diagnostic>> {
    if !target.system.is_overlay() {
        return Ok(vec![target.tree.clone()]);
    }
    let variable = |name: &str| {
        let file = definitions.in_root("run/s6/container_environment").join(name);
        let value = String::from_utf8(disk::read_if_there(&file).ok()??).ok()?;
        // The overlay ends some of them with a newline, and leaves it out where it uses them.
        let value = value.strip_suffix('\n').unwrap_or(&value);
        (!value.is_empty()).then(|| value.to_owned())
    };
    let setup = Setup {
        profile: variable("S6_RUNTIME_PROFILE"),
        bundle_dir: variable("S6_RUNTIME_BUNDLEDIR"),
        ..Setup::new(found_overlay(definitions).unwrap_or(target.system))
    };
    Ok(image::compiled(&opened(definitions)?, &setup))
}

/// Judges source directories that are gone when somebody reads the report.
fn check(sources: &[PathBuf], target: &Target) -> Result<(), Vec<Diagnostic>> {
    let mut files = Files::default();
    let opened = sources.iter().map(disk::source).collect();
    let compilation = judge(&mut files, opened, Target::new(target.system));
    let errors: Vec<Diagnostic> =
        compilation.problems.iter().filter(|p| p.severity() == Severity::Error).cloned().collect();
    let placed = |problem: Diagnostic| {
        let places: Vec<String> =
            problem.labels.iter().map(|label| files.path(label.origin.file).display().to_string()).collect();
        let problem = Diagnostic { labels: Vec::new(), ..problem };
        places.into_iter().fold(problem, |problem, place| problem.note(format!("in {place}")))
    };
    if errors.is_empty() { Ok(()) } else { Err(errors.into_iter().map(placed).collect()) }
}
