//! The input of `check` and `graph`: a manifest, source directories, layers of an image, or a whole image.

use std::io;
use std::path::{Path, PathBuf};

use super::build_context::build_context;
use super::compile::Compilation;
use super::file_system::{mount, open_root, overlay_directory, overlay_parts};
use super::judge::{judge_image, judge_in_context, judge_with_external};
use super::levels::{self, Coverage, Levels};
use super::project::Project;
use super::shellcheck;
use crate::diagnostic::{Files, Problems};
use crate::disk::{self, SourceDirectory};
use crate::image::{self, Setup};
use crate::live::Programs;
use crate::model::{BuildContext, Name, ServiceSet, System, Target};
use crate::progress::{self, Stage};
use crate::source::{Mount, Source, Union};

/// The input of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A manifest; `-` is standard input.
    Manifest(PathBuf),
    /// Standard input, which has the text of this manifest. An editor checks a file in this way before it is saved.
    StandardInput(PathBuf),
    /// Source directories, in the order in which s6-rc-compile takes them.
    Sources(Vec<PathBuf>),
    /// Directories that are copied into an image with s6-overlay.
    Layers {
        /// The s6-overlay of the image.
        system: System,
        /// The layers below the tree, the lowest first.
        lower: Vec<PathBuf>,
        /// The tree that is added to the layers: an s6-overlay directory or its `s6-rc.d`.
        tree: Option<PathBuf>,
        /// The directory that `S6_RUNTIME_BUNDLEDIR` names.
        bundle_dir: Option<PathBuf>,
    },
    /// The root file system of an image.
    Root {
        /// The directory.
        path: PathBuf,
        /// Its s6-overlay. `None` to find it in the image.
        system: Option<System>,
        /// `S6_RUNTIME_PROFILE`.
        profile: Option<String>,
        /// `S6_RUNTIME_BUNDLEDIR`, an absolute path in the image.
        bundle_dir: Option<String>,
    },
}

/// The path at which the directory of `S6_RUNTIME_BUNDLEDIR` is mounted. It contains the name of the variable, so that
/// a command in a message is right for a shell.
const BUNDLE_DIR: &str = "/$S6_RUNTIME_BUNDLEDIR";

impl Input {
    /// Reads and judges the input. The services `external` are defined elsewhere. `levels` are those that the command line
    /// gives to rules.
    pub fn judge(&self, external: &[Name], levels: &Levels) -> (Files, Compilation) {
        self.judge_with(external, levels, None)
    }

    /// Judges the input like [`judge`](Input::judge). With `programs`, shellcheck is asked too if a level asks for it.
    pub fn judge_with(
        &self,
        external: &[Name],
        levels: &Levels,
        programs: Option<&mut dyn Programs>,
    ) -> (Files, Compilation) {
        let manifest = |project: Project, programs| {
            let mut project = project.with_levels(levels.clone());
            let compilation = project.compile_with(programs);
            (project.files, compilation)
        };
        progress::begin(Stage::Reading, 0);
        let mut files = Files::default();
        let judged = match self {
            Input::Manifest(path) => return manifest(Project::load(path), programs),
            Input::StandardInput(name) => return manifest(Project::load_as(Path::new("-"), name), programs),
            Input::Sources(trees) => {
                let sources = trees.iter().map(disk::source).collect();
                let context = trees.first().map(|tree| build_context(tree)).unwrap_or_default();
                Ok(judge_in_context(&mut files, sources, Target::new(System::NEWEST_S6RC), external, context))
            }
            Input::Layers { system, lower, tree, bundle_dir } => {
                layers(*system, lower, tree.as_deref(), bundle_dir.as_deref(), external, &mut files)
            }
            Input::Root { path, system, profile, bundle_dir } => {
                let setup = |system| Setup {
                    profile: profile.clone(),
                    bundle_dir: bundle_dir.clone(),
                    ..Setup::new(system)
                };
                root(path, *system, setup, external, &mut files)
            }
        };
        let mut compilation = judged.unwrap_or_else(|(path, error)| {
            let source = Source::<SourceDirectory> { path, directory: Err(error) };
            judge_with_external(&mut files, vec![source], Target::new(System::NEWEST_S6RC), external)
        });
        let Compilation { services, problems } = &mut compilation;
        let table = levels::for_trees(self.trees(), &mut files, problems);
        let has_shellcheck = programs
            .is_some_and(|programs| shellcheck::add_if_asked(levels, &table, services, programs, problems));
        levels.apply(&table, &files, Coverage { has_shellcheck, ..self.coverage() }, problems);
        (files, compilation)
    }

    /// The files around the manifest, for variables that its Dockerfile sets. The services of a tree have their own.
    pub fn around_manifest(&self) -> Option<BuildContext> {
        match self {
            Input::Manifest(path) if path.as_os_str() != "-" => Some(build_context(path)),
            _ => None,
        }
    }

    /// The trees beside which there may be a file with levels.
    fn trees(&self) -> Vec<&Path> {
        match self {
            Input::Manifest(_) | Input::StandardInput(_) => Vec::new(),
            Input::Sources(trees) => trees.iter().map(PathBuf::as_path).collect(),
            Input::Layers { tree, bundle_dir, .. } => {
                tree.iter().chain(bundle_dir).map(PathBuf::as_path).collect()
            }
            Input::Root { path, .. } => vec![path],
        }
    }

    fn coverage(&self) -> Coverage<'_> {
        match self {
            Input::Manifest(_) | Input::StandardInput(_) | Input::Sources(_) => Coverage::default(),
            Input::Root { .. } => Coverage { has_image: true, ..Coverage::default() },
            Input::Layers { lower, tree, .. } => {
                Coverage { has_image: true, lower, upper: tree.as_deref(), ..Coverage::default() }
            }
        }
    }
}

/// The path of a directory that cannot be opened, and the reason.
type Unreadable = (PathBuf, io::Error);

fn root(
    path: &Path,
    system: Option<System>,
    setup: impl Fn(System) -> Setup,
    external: &[Name],
    files: &mut Files,
) -> Result<Compilation, Unreadable> {
    let root = open_root(path).map_err(|error| (path.to_owned(), error))?;
    match system.map_or_else(|| image::system(&root, files), Ok) {
        Ok(system) => Ok(judge_image(files, &root, &setup(system), external)),
        Err(problem) => {
            let mut problems = Problems::default();
            problems.push(*problem);
            Ok(Compilation { services: ServiceSet::new(Target::default()), problems })
        }
    }
}

/// The names of the definitions in a layer.
fn definitions(path: &Path) -> Vec<Name> {
    let parts = match &overlay_parts(path)[..] {
        [] => vec![path.to_owned()],
        parts => parts.to_vec(),
    };
    let names = parts.iter().flat_map(|part| disk::names(part).unwrap_or_default());
    names.map(|name| Name::new(name.as_encoded_bytes())).collect()
}

fn layers(
    system: System,
    lower: &[PathBuf],
    tree: Option<&Path>,
    bundle_dir: Option<&Path>,
    external: &[Name],
    files: &mut Files,
) -> Result<Compilation, Unreadable> {
    let mut mounts = Vec::new();
    for path in lower.iter().map(PathBuf::as_path).chain(tree) {
        mounts.push(mount(path).map_err(|error| (path.to_owned(), error))?);
    }
    if let Some(path) = bundle_dir {
        let directory = SourceDirectory::open(path).map_err(|error| (path.to_owned(), error))?;
        mounts.push(Mount::new(BUNDLE_DIR, path, directory));
    }
    let mut context = tree.map(build_context).unwrap_or_default();
    context.lower = lower.iter().flat_map(|path| definitions(path)).collect();
    let place = |path: &PathBuf| overlay_directory(path).unwrap_or_else(|| path.clone());
    let setup = Setup {
        bundle_dir: bundle_dir.map(|_| BUNDLE_DIR.to_owned()),
        is_partial: true,
        lower: lower.iter().map(place).collect(),
        upper: tree.and_then(overlay_directory),
        context,
        ..Setup::new(system)
    };
    let root = Union::new(mounts).map_err(|error| (tree.unwrap_or(Path::new(".")).to_owned(), error))?;
    Ok(judge_image(files, &root, &setup, external))
}
