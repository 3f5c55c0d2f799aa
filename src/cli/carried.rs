//! What an image carries beside its definitions, so that instances can be added and applied in it: the manifest that
//! they were compiled from, in one file.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::manifest::{Loaded, Overrides};
use super::system::unwritten;
use crate::ManifestFile;
use crate::diagnostic::{Code, Diagnostic, FileId, Files};
use crate::disk;
use crate::tree::SourceTree;

/// The file with the manifest, beside the definitions; it begins with a dot, so that s6-rc-compile leaves it alone.
pub(super) const CARRIED: &str = ".s6gen.manifest.json";
/// The file with what was added while the system runs.
pub(super) const ADDED: &str = ".s6gen.added.toml";
/// The file that whoever changes that one locks. It is always the same, so that no build replaces it under a lock.
pub(super) const LOCK: &str = ".s6gen.lock";

const VERSION: u32 = 1;

/// A manifest with everything that it is compiled with.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Carried {
    version: u32,
    manifest: File,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) templates: Overrides,
}

/// A manifest and those that it includes.
#[derive(Debug, Serialize, Deserialize)]
struct File {
    name: String,
    text: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    included: Vec<File>,
}

impl File {
    /// `folder` is that of the first manifest: where the image was built tells nothing to those who run it.
    fn new(files: &Files, manifest: &ManifestFile, folder: &Path) -> File {
        let file = files.get(manifest.file);
        let name = match file.path.strip_prefix(folder) {
            Ok(inside) => Some(inside.as_os_str()),
            Err(_) => file.path.file_name(),
        };
        File {
            name: name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            text: String::from_utf8_lossy(&file.text).into_owned(),
            included: manifest.included.iter().map(|included| File::new(files, included, folder)).collect(),
        }
    }

    fn load(&self, files: &mut Files) -> ManifestFile {
        let file: FileId = files.add(&self.name, self.text.as_bytes());
        let included = self.included.iter().map(|included| included.load(files)).collect();
        ManifestFile { file, included, added: None }
    }
}

impl Carried {
    pub(super) fn new(files: &Files, manifest: &ManifestFile, templates: Overrides) -> Carried {
        let folder = files.path(manifest.file).parent().unwrap_or(Path::new(""));
        Carried { version: VERSION, manifest: File::new(files, manifest, folder), templates }
    }

    /// Adds the file to a tree with its definitions in `definitions`, an absolute path in the image, and one to lock.
    pub(super) fn put(&self, tree: &mut SourceTree, definitions: &str) {
        // Texts and lists of texts can always be written.
        let text = serde_json::to_string(self).unwrap_or_default() + "\n";
        let definitions = definitions.trim_start_matches('/');
        tree.file(format!("{definitions}/{CARRIED}"), text, false);
        tree.file(format!("{definitions}/{LOCK}"), "", false);
    }

    /// Reads the file beside the definitions in `directory`.
    pub(super) fn read(directory: &Path) -> Result<Carried, Vec<Diagnostic>> {
        let path = directory.join(CARRIED);
        let unusable = |why: String| {
            let shown = path.display();
            vec![
                Diagnostic::new(Code::CarriedUnreadable, format!("`{shown}` cannot be used: {why}"))
                    .help("build the image anew with `s6gen build`, or name a manifest with `-m`"),
            ]
        };
        let text = disk::read_if_there(&path).map_err(unwritten)?;
        let text = text.ok_or_else(|| unusable("it does not exist".into()))?;
        let carried: Carried = serde_json::from_slice(&text).map_err(|error| unusable(error.to_string()))?;
        match carried.version {
            VERSION => Ok(carried),
            other => Err(unusable(format!("it has the version {other}, and this s6gen knows {VERSION}"))),
        }
    }

    /// The manifest, as if it had been read from its files.
    pub(super) fn load(&self) -> Loaded {
        let mut loaded = Loaded::default();
        loaded.manifest = Some(self.manifest.load(&mut loaded.files));
        loaded
    }
}
