//! What an image carries beside its definitions, so that instances can be added and applied in it: the manifest that the
//! definitions were compiled from, in one file, and what was added to it while the system runs, in another.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::compile::ManifestFile;
use super::error::JobError;
use super::project::Project;
use super::templates::Overrides;
use crate::diagnostic::{Code, Diagnostic, FileId, Files};
use crate::disk;
use crate::manifest::Additions;
use crate::tree::SourceTree;

/// The file with the manifest, beside the definitions. Its name begins with a dot: s6-rc-compile ignores it.
pub(super) const CARRIED: &str = ".s6gen.manifest.json";
/// The file with what was added while the system runs.
const ADDED: &str = ".s6gen.added.toml";
/// The file to lock before changing that one. No build replaces it under a lock, because its content is always the same.
const LOCK: &str = ".s6gen.lock";

const VERSION: u32 = 1;

/// A manifest with everything that it is compiled with.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Carried {
    version: u32,
    manifest: CarriedFile,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) templates: Overrides,
}

/// A manifest and those that it includes.
#[derive(Debug, Serialize, Deserialize)]
struct CarriedFile {
    name: String,
    text: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    included: Vec<CarriedFile>,
}

impl CarriedFile {
    /// Paths are told relative to `folder`, that of the first manifest: where the image was built says nothing to the people
    /// who run it.
    fn new(files: &Files, manifest: &ManifestFile, folder: &Path) -> CarriedFile {
        let file = files.get(manifest.file);
        let name = match file.path.strip_prefix(folder) {
            Ok(inside) => Some(inside.as_os_str()),
            Err(_) => file.path.file_name(),
        };
        CarriedFile {
            name: name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            text: String::from_utf8_lossy(&file.text).into_owned(),
            included: manifest
                .included
                .iter()
                .map(|included| CarriedFile::new(files, included, folder))
                .collect(),
        }
    }

    fn load(&self, files: &mut Files) -> ManifestFile {
        let file: FileId = files.add(&self.name, self.text.as_bytes());
        let included = self.included.iter().map(|included| included.load(files)).collect();
        ManifestFile { file, included }
    }
}

impl Carried {
    /// What an image carries of `project`; none if its manifest could not be read.
    pub(super) fn of(project: &Project, templates: Overrides) -> Option<Carried> {
        let manifest = project.source()?;
        let folder = project.files.path(manifest.file).parent().unwrap_or(Path::new(""));
        Some(Carried {
            version: VERSION,
            manifest: CarriedFile::new(&project.files, manifest, folder),
            templates,
        })
    }

    /// Adds the file, and the file to lock, to a tree with its definitions in `definitions`, an absolute path in the image.
    pub(super) fn put(&self, tree: &mut SourceTree, definitions: &str) {
        // Texts and lists of texts can always be written.
        let text = serde_json::to_string(self).unwrap_or_default() + "\n";
        let definitions = definitions.trim_start_matches('/');
        tree.file(format!("{definitions}/{CARRIED}"), text, false);
        tree.file(format!("{definitions}/{LOCK}"), "", false);
    }

    /// Reads the file beside the definitions in `directory`.
    pub(super) fn read(directory: &Path) -> Result<Carried, JobError> {
        let path = directory.join(CARRIED);
        let unusable = |why: String| {
            let shown = path.display();
            Diagnostic::new(Code::CarriedUnreadable, format!("`{shown}` cannot be used: {why}"))
                .help("build the image anew with `s6gen build`, or name a manifest with `-m`")
        };
        let text = disk::read_if_there(&path)?.ok_or_else(|| unusable("it does not exist".into()))?;
        let carried: Carried = serde_json::from_slice(&text).map_err(|error| unusable(error.to_string()))?;
        match carried.version {
            VERSION => Ok(carried),
            other => {
                Err(unusable(format!("it has the version {other}, and this s6gen knows {VERSION}")).into())
            }
        }
    }

    /// The manifest, as if it had been read from its files.
    pub(super) fn project(&self) -> Project {
        let mut files = Files::default();
        let source = self.manifest.load(&mut files);
        Project::of(files, source)
    }
}

/// The file with what was added to the manifest whose definitions lie in `directory`.
pub(super) fn additions_file(directory: &Path) -> PathBuf {
    directory.join(ADDED)
}

/// The file to lock before that one is changed.
pub(super) fn lock_file(directory: &Path) -> PathBuf {
    directory.join(LOCK)
}

/// Reads what was added to the manifest whose definitions lie in `directory`.
pub(super) fn read_additions(directory: &Path) -> Result<Additions, JobError> {
    let path = additions_file(directory);
    let unusable = |why: String| {
        let problem =
            Diagnostic::new(Code::AdditionsUnreadable, format!("`{}` cannot be used", path.display()));
        let problem = why.lines().fold(problem, |problem, line| problem.note(line.to_owned()));
        problem.help("mend it, or remove it and add the instances again")
    };
    match disk::read_if_there(&path)? {
        None => Ok(Additions::default()),
        Some(text) => Ok(Additions::parse(&text).map_err(unusable)?),
    }
}

/// Adds to `project` what was added to it while its system runs; its definitions lie in `directory`.
pub(super) fn add_additions(project: &mut Project, directory: &Path) -> Result<(), JobError> {
    project.add(&additions_file(directory), &read_additions(directory)?);
    Ok(())
}
