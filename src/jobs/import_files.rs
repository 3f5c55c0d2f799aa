//! Writes what an import made, and checks it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::compile::{Compilation, ManifestFile, compile};
use super::error::JobError;
use crate::diagnostic::Files;
use crate::disk;
use crate::model::File;

/// The name of the manifest in reports.
pub(super) const MANIFEST: &str = "services.toml";

/// A manifest and the files beside it. Nothing is replaced.
pub struct ImportFiles<'a> {
    manifest: (&'a Path, &'a str),
    beside: Vec<(PathBuf, &'a File)>,
}

impl<'a> ImportFiles<'a> {
    /// The manifest `text` at `path`, and files by paths relative to it.
    pub fn new(path: &'a Path, text: &'a str, beside: &'a BTreeMap<String, File>) -> Self {
        let folder = path.parent().unwrap_or(Path::new(""));
        let beside = beside.iter().map(|(name, file)| (folder.join(name), file)).collect();
        ImportFiles { manifest: (path, text), beside }
    }

    /// Writes them, the manifest last, so that one that is there is complete.
    ///
    /// # Errors
    /// One of the files exists already: then nothing is written. Or the system refuses.
    pub fn write(&self) -> Result<(), JobError> {
        let paths = self.beside.iter().map(|(path, _)| path.as_path()).chain([self.manifest.0]);
        if let Some(path) = paths.into_iter().find(|path| disk::is_there(path)) {
            return Err(disk::DiskError::Exists(path.to_owned()).into());
        }
        for (path, file) in &self.beside {
            disk::create_new(path, &String::from_utf8_lossy(&file.content))?;
            if file.executable {
                disk::make_executable(path)?;
            }
        }
        Ok(disk::create_new(self.manifest.0, self.manifest.1)?)
    }
}

/// Compiles a manifest that is not on the disk yet, with the scripts beside it.
pub fn compile_text(name: &Path, text: &str, beside: &BTreeMap<String, File>) -> (Files, Compilation) {
    let mut files = Files::default();
    let mut manifest = ManifestFile::from(files.add(name, text));
    for (path, file) in beside {
        let script = files.add(name.with_file_name(path), file.content.clone());
        manifest.scripts.insert(path.clone(), script);
    }
    let compilation = compile(&files, manifest);
    (files, compilation)
}
