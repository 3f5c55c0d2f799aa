//! Brings a manifest and the files that it includes into the form of `s6gen fmt`.

use std::path::{Path, PathBuf};

use super::compile::ManifestFile;
use super::error::JobError;
use super::project::Project;
use crate::diagnostic::{FileId, Problems};
use crate::{disk, manifest};

/// A manifest in the form of `s6gen fmt`.
#[derive(Debug)]
pub struct FormattedManifest {
    /// Its path, as the user would type it.
    pub path: PathBuf,
    /// Its text in that form.
    pub text: String,
    /// The first line that changes, from 1. `None` if the file has that form already.
    pub first_change: Option<usize>,
}

impl FormattedManifest {
    /// Writes the new text. A reader finds either all of the old text or all of the new one.
    ///
    /// # Errors
    /// The system refuses; the old text is still there.
    pub fn write(&self) -> Result<(), JobError> {
        let path = disk::real_path(&self.path).unwrap_or_else(|_| self.path.clone());
        Ok(disk::replace_file(&path, self.text.as_bytes())?)
    }
}

/// The first line, from 1, in which two texts differ.
fn first_change(before: &str, after: &str) -> Option<usize> {
    let equal =
        before.split('\n').zip(after.split('\n')).take_while(|(before, after)| before == after).count();
    (before != after).then_some(equal + 1)
}

/// The manifest at `path` and the files that it includes, in the form of `s6gen fmt`.
///
/// # Errors
/// A file cannot be read or is not TOML.
pub fn format_manifest(path: &Path) -> Result<Vec<FormattedManifest>, JobError> {
    let mut project = Project::load(path);
    let Some(source) = project.source().cloned() else {
        let problems = project.compile().problems;
        return Err(JobError { files: project.files, problems: problems.iter().cloned().collect() });
    };
    let (mut formatted, mut problems) = (Vec::new(), Problems::default());
    for file in all(&source) {
        let before = str::from_utf8(&project.files.get(file).text).ok();
        match before.and_then(|before| Some((before, manifest::format(before)?))) {
            Some((before, text)) => {
                let path = project.files.path(file).to_owned();
                formatted.push(FormattedManifest { path, first_change: first_change(before, &text), text });
            }
            // This reports why it is not TOML.
            None => drop(manifest::parse(&project.files, file, &mut problems)),
        }
    }
    match problems.has_errors() {
        true => Err(JobError { files: project.files, problems: problems.iter().cloned().collect() }),
        false => Ok(formatted),
    }
}

fn all(source: &ManifestFile) -> Vec<FileId> {
    let included = source.included.iter().flat_map(all);
    std::iter::once(source.file).chain(included).collect()
}
