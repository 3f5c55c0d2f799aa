use std::path::{Path, PathBuf};

use clap::Args;

use crate::diagnostic::{Code, Files, Problems};
use crate::disk::{self, SourceDirectory};
use crate::image::{self, Setup};
use crate::model::{Name, ServiceSet, System, Target};
use crate::source::{Mount, Source, Union};
use crate::{Compilation, judge_beside, judge_image};

/// What is around source directories that exist already.
#[derive(Debug, Args)]
pub(super) struct Image {
    /// Judge as /init of this s6-overlay compiles it: DIR is what comes into the image, an s6-overlay directory or its
    /// s6-rc.d; a second --tree is S6_RUNTIME_BUNDLEDIR
    #[arg(long, value_name = "VERSION", value_parser = version, requires = "existing")]
    pub(super) overlay: Option<System>,
    /// The same of a layer below, which --tree adds to; several from the lowest up
    #[arg(long, value_name = "DIR", requires = "tree", requires = "overlay")]
    layer: Vec<PathBuf>,
    /// A service that is defined elsewhere
    #[arg(long, value_name = "NAME", value_parser = name, requires = "existing")]
    external: Vec<Name>,
    /// The root file system of an image, with the s6-overlay in it
    #[arg(long, value_name = "DIR", group = "existing", conflicts_with = "manifest")]
    pub(super) root: Option<PathBuf>,
    /// The value of S6_RUNTIME_PROFILE when the container starts
    #[arg(long, value_name = "NAME", value_parser = name_text, requires = "root", conflicts_with = "tree")]
    profile: Option<String>,
    /// The value of S6_RUNTIME_BUNDLEDIR when the container starts
    #[arg(long, value_name = "PATH", value_parser = absolute, requires = "root", conflicts_with = "tree")]
    bundle_dir: Option<String>,
}

/// Whether there is an s6-overlay in the file system `root`, of whatever version.
pub(super) fn has_overlay(root: &Path) -> bool {
    let opened =
        SourceDirectory::open(root).and_then(|opened| Union::new(vec![Mount::new("/", root, opened)]));
    let Ok(opened) = opened else { return false };
    match image::system(&opened, &mut Files::default()) {
        Ok(_) => true,
        Err(problem) => problem.code != Code::OverlayNotFound,
    }
}

pub(super) fn version(text: &str) -> Result<System, String> {
    let newest = System::NEWEST_OVERLAY.version();
    System::overlay(text).ok_or_else(|| format!("s6gen knows versions from 3.0.0.0 to {newest}"))
}

fn name_text(text: &str) -> Result<String, String> {
    match text.is_empty() || text.contains(['/', '\n']) {
        true => Err("this is no name".into()),
        false => Ok(text.into()),
    }
}

pub(super) fn name(text: &str) -> Result<Name, String> {
    Ok(Name::from(name_text(text)?.as_str()))
}

fn absolute(text: &str) -> Result<String, String> {
    match text.starts_with('/') && !text.contains(char::is_whitespace) {
        true => Ok(text.into()),
        false => Err("it must be an absolute path without blanks".into()),
    }
}

/// The path at which a second tree is mounted; a command that names it names the variable.
const BUNDLE_DIR: &str = "/$S6_RUNTIME_BUNDLEDIR";

impl Image {
    /// Reads and judges `trees`, or the file system that was named.
    pub(super) fn compile(&self, trees: &[PathBuf]) -> (Files, Compilation) {
        let mut files = Files::default();
        let compilation = match (&self.root, self.overlay) {
            (Some(root), overlay) => self.root(root, overlay, &mut files),
            (None, Some(overlay)) => self.layers(trees, overlay, &mut files),
            (None, None) => {
                let sources = trees.iter().map(disk::source).collect();
                judge_beside(&mut files, sources, Target::new(System::NEWEST_S6RC), &self.external)
            }
        };
        (files, compilation)
    }

    fn root(&self, path: &Path, overlay: Option<System>, files: &mut Files) -> Compilation {
        let opened =
            SourceDirectory::open(path).and_then(|root| Union::new(vec![Mount::new("/", path, root)]));
        let root = match opened {
            Ok(root) => root,
            Err(error) => return self.unreadable(path, error, files),
        };
        let found = overlay.map_or_else(|| image::system(&root, files), Ok);
        let system = match found {
            Ok(system) => system,
            Err(problem) => {
                let mut problems = Problems::default();
                problems.push(*problem);
                return Compilation { services: ServiceSet::new(Target::default()), problems };
            }
        };
        let setup = Setup {
            profile: self.profile.clone(),
            bundle_dir: self.bundle_dir.clone(),
            ..Setup::new(system)
        };
        judge_image(files, &root, &setup, &self.external)
    }

    fn layers(&self, trees: &[PathBuf], system: System, files: &mut Files) -> Compilation {
        let mut mounts = Vec::new();
        let (tree, bundle_dir) = (trees.first().into_iter(), trees.get(1));
        for path in self.layer.iter().chain(tree) {
            match mount(path) {
                Ok(mount) => mounts.push(mount),
                Err(error) => return self.unreadable(path, error, files),
            }
        }
        if let Some(path) = bundle_dir {
            match SourceDirectory::open(path) {
                Ok(directory) => mounts.push(Mount::new(BUNDLE_DIR, path, directory)),
                Err(error) => return self.unreadable(path, error, files),
            }
        }
        let setup = Setup {
            bundle_dir: bundle_dir.map(|_| BUNDLE_DIR.to_owned()),
            is_partial: true,
            lower: self
                .layer
                .iter()
                .map(|path| overlay_directory(path).unwrap_or_else(|| path.clone()))
                .collect(),
            upper: trees.first().and_then(|path| overlay_directory(path)),
            ..Setup::new(system)
        };
        match Union::new(mounts) {
            Ok(root) => judge_image(files, &root, &setup, &self.external),
            Err(error) => {
                self.unreadable(trees.first().map_or(Path::new("."), PathBuf::as_path), error, files)
            }
        }
    }

    fn unreadable(&self, path: &Path, error: std::io::Error, files: &mut Files) -> Compilation {
        let source = Source::<SourceDirectory> { path: path.into(), directory: Err(error) };
        judge_beside(files, vec![source], Target::new(System::NEWEST_S6RC), &self.external)
    }
}

/// The s6-overlay directory that a tree is or lies in; nothing for definitions that lie anywhere.
fn overlay_directory(path: &Path) -> Option<PathBuf> {
    if ["s6-rc.d", "user-bundles.d"].iter().any(|name| disk::is_there(&path.join(name))) {
        return Some(path.to_owned());
    }
    let parent = path.parent().unwrap_or(Path::new(""));
    path.file_name().is_some_and(|name| name == "s6-rc.d").then(|| parent.to_owned())
}

/// Mounts a tree where it comes into the image: one that holds `s6-rc.d` or `user-bundles.d` is the s6-overlay
/// directory, one that is called `s6-rc.d` lies in it, and any other one is the `s6-rc.d`.
pub(super) fn mount(path: &Path) -> std::io::Result<Mount<SourceDirectory>> {
    let directory = SourceDirectory::open(path)?;
    Ok(match overlay_directory(path) {
        Some(whole) => {
            let here = Path::new(".");
            let opened = SourceDirectory::open(if whole.as_os_str().is_empty() { here } else { &whole })?;
            Mount::new("/etc/s6-overlay", whole, opened)
        }
        None => Mount::new("/etc/s6-overlay/s6-rc.d", path, directory),
    })
}
