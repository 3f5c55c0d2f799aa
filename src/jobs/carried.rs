//! The files that an image carries beside its definitions, so that a running container can add services and apply them. One
//! file holds the manifest from which the definitions were compiled. Another holds the additions: the services that were
//! added to that manifest while the system runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::compile::ManifestFile;
use super::error::JobError;
use super::project::Project;
use super::templates::Overrides;
use crate::diagnostic::{Code, Diagnostic, FileId, Files};
use crate::disk::{self, DiskError, Folder, Lock};
use crate::manifest::Additions;
use crate::tree::SourceTree;

/// The name of the file with the manifest. It begins with a dot so that s6-rc-compile ignores it.
pub(super) const CARRIED: &str = ".s6gen.manifest.json";
/// The name of the file with the additions.
const ADDED: &str = ".s6gen.added.toml";
/// The name of the file to lock before the additions change. A build never replaces it while it is locked, because its
/// content is always the same.
const LOCK: &str = ".s6gen.lock";

/// The largest file of these that is read, in bytes.
const LONGEST: u64 = 64 << 20;

const VERSION: u32 = 1;

/// The content of the carried file: a manifest, and the templates of the user.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Carried {
    version: u32,
    manifest: CarriedFile,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) templates: Overrides,
}

/// A manifest, the manifests that it includes, and the scripts that it names as files.
#[derive(Debug, Serialize, Deserialize)]
struct CarriedFile {
    name: String,
    text: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    included: Vec<CarriedFile>,
    /// The scripts by their paths, as the manifest has them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    scripts: BTreeMap<String, String>,
}

impl CarriedFile {
    /// `folder` is the folder of the first manifest. Names are relative to it, because a path of the machine that built the
    /// image means nothing to its users.
    fn new(files: &Files, manifest: &ManifestFile, folder: &Path) -> CarriedFile {
        let file = files.get(manifest.file);
        let name = match file.path.strip_prefix(folder) {
            Ok(inside) => Some(inside.as_os_str()),
            Err(_) => file.path.file_name(),
        };
        CarriedFile {
            name: name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            text: text_of(files, manifest.file),
            included: manifest
                .included
                .iter()
                .map(|included| CarriedFile::new(files, included, folder))
                .collect(),
            scripts: manifest
                .scripts
                .iter()
                .map(|(path, script)| (path.clone(), text_of(files, *script)))
                .collect(),
        }
    }

    fn load(&self, files: &mut Files) -> ManifestFile {
        let file: FileId = files.add(&self.name, self.text.as_bytes());
        let included = self.included.iter().map(|included| included.load(files)).collect();
        let folder = Path::new(&self.name).parent().unwrap_or(Path::new(""));
        let scripts = self.scripts.iter().map(|(path, text)| {
            let file = files.add(folder.join(path), text.as_bytes());
            (path.clone(), file)
        });
        ManifestFile { file, included, scripts: scripts.collect() }
    }
}

fn text_of(files: &Files, file: FileId) -> String {
    String::from_utf8_lossy(&files.get(file).text).into_owned()
}

impl Carried {
    /// What an image carries for `project`. `None` if its manifest could not be read.
    pub(super) fn of(project: &Project, templates: Overrides) -> Option<Carried> {
        let manifest = project.source()?;
        let folder = project.files.path(manifest.file).parent().unwrap_or(Path::new(""));
        Some(Carried {
            version: VERSION,
            manifest: CarriedFile::new(&project.files, manifest, folder),
            templates,
        })
    }

    /// Adds the carried file and the lock file to a tree. `definitions` is the directory of definitions, an absolute path in
    /// the image.
    pub(super) fn put(&self, tree: &mut SourceTree, definitions: &str) {
        // This cannot fail: it serializes only strings and lists of strings.
        let text = serde_json::to_string(self).unwrap_or_default() + "\n";
        let definitions = definitions.trim_start_matches('/');
        tree.file(format!("{definitions}/{CARRIED}"), text, false);
        tree.file(format!("{definitions}/{LOCK}"), "", false);
    }

    /// Reads the carried file in the directory of definitions.
    pub(super) fn read(definitions: &Folder) -> Result<Carried, JobError> {
        let path = definitions.path_of(CARRIED);
        let unusable = |why: String| {
            let shown = path.display();
            Diagnostic::new(Code::CarriedUnreadable, format!("`{shown}` cannot be used: {why}"))
                .help("build the image again with `s6gen build`, or name a manifest with `-m`")
        };
        let text = definitions.read(CARRIED, LONGEST).map_err(DiskError::of("read", &path))?;
        let text = text.ok_or_else(|| unusable("it does not exist".into()))?;
        let carried: Carried = serde_json::from_slice(&text).map_err(|error| unusable(error.to_string()))?;
        match carried.version {
            VERSION => Ok(carried),
            other => {
                Err(unusable(format!("it has version {other}, but this s6gen reads only version {VERSION}"))
                    .into())
            }
        }
    }

    /// The project of the carried manifest, as if its files had been read from the disk.
    pub(super) fn project(&self) -> Project {
        let mut files = Files::default();
        let source = self.manifest.load(&mut files);
        Project::of(files, source)
    }
}

/// Locks the additions in the directory of definitions.
pub(super) fn lock_additions(definitions: &Folder, patience: Duration) -> Result<Lock, DiskError> {
    disk::lock_file(definitions, LOCK, patience)
}

/// The path of the additions in the directory of definitions, for messages.
pub(super) fn additions_path(definitions: &Folder) -> PathBuf {
    definitions.path_of(ADDED)
}

/// Reads the additions in the directory of definitions.
pub(super) fn read_additions(definitions: &Folder) -> Result<Additions, JobError> {
    let path = additions_path(definitions);
    let unusable = |why: String| {
        let problem =
            Diagnostic::new(Code::AdditionsUnreadable, format!("`{}` cannot be used", path.display()));
        let problem = why.lines().fold(problem, |problem, line| problem.note(line.to_owned()));
        problem.help("correct it, or remove it and add the instances again")
    };
    match definitions.read(ADDED, LONGEST).map_err(DiskError::of("read", &path))? {
        None => Ok(Additions::default()),
        Some(text) => Ok(Additions::parse(&text).map_err(unusable)?),
    }
}

/// Replaces the additions in the directory of definitions.
pub(super) fn write_additions(definitions: &Folder, added: &Additions) -> Result<(), DiskError> {
    disk::replace(definitions, ADDED, added.text().as_bytes())
}

/// Adds the additions in the directory of definitions to `project`.
pub(super) fn add_additions(project: &mut Project, definitions: &Folder) -> Result<(), JobError> {
    project.add(&additions_path(definitions), &read_additions(definitions)?);
    Ok(())
}
