//! Compiles a manifest and the files that it includes into services, and reports every problem.

use std::collections::BTreeMap;

use super::levels::{Coverage, Levels};
use crate::diagnostic::{Code, Diagnostic, FileId, Files, Problems};
use crate::manifest::{self, Manifest, ManifestCommand, ManifestText};
use crate::model::{ServiceSet, Target};
use crate::progress::{self, Stage};
use crate::{resolve, validate};

/// The services of a manifest or of source directories, with every problem.
#[derive(Debug)]
pub struct Compilation {
    /// The services, as far as s6gen could understand the input.
    pub services: ServiceSet,
    /// Every problem. A tree may be rendered only if none of them is an error.
    pub problems: Problems,
}

/// A manifest and the manifests that it includes.
#[derive(Debug, Clone)]
pub struct ManifestFile {
    /// The manifest itself.
    pub file: FileId,
    /// The files that its `include` names, in order.
    pub included: Vec<ManifestFile>,
    /// The scripts that it names as files, by their paths as written.
    pub scripts: BTreeMap<String, FileId>,
}

impl From<FileId> for ManifestFile {
    fn from(file: FileId) -> Self {
        ManifestFile { file, included: Vec::new(), scripts: BTreeMap::new() }
    }
}

impl ManifestFile {
    /// Parses the files into one manifest.
    pub(super) fn parse(&self, files: &Files, problems: &mut Problems) -> Manifest {
        let included = self.included.iter().map(|file| file.parse(files, problems)).collect();
        let mut manifest = manifest::parse(files, self.file, problems);
        manifest.with_script_files(|path| self.script(path, files, problems));
        manifest.over(included)
    }

    /// The script that it names at `path`.
    fn script(&self, path: &ManifestText, files: &Files, problems: &mut Problems) -> ManifestCommand {
        match self.scripts.get(&path.value) {
            Some(script) => manifest::script_of_file(path, files, *script, problems),
            None => {
                let message = format!("the script `{}` is not there", path.value);
                let problem = Diagnostic::new(Code::ScriptFile, message).at(path.origin, "named here");
                problems.push(problem.help("write it into the manifest, as a string"));
                ManifestCommand::Broken(path.origin)
            }
        }
    }
}

/// Compiles a manifest: reports every problem, and returns the services that `render` makes a tree of. The problems are in
/// the order of the file.
pub fn compile(files: &Files, manifest: impl Into<ManifestFile>) -> Compilation {
    let mut problems = Problems::default();
    let manifest = manifest.into().parse(files, &mut problems);
    let table = manifest.lints.clone();
    let mut compilation = compile_parsed(manifest, problems);
    Levels::default().apply(&table, files, Coverage::default(), &mut compilation.problems);
    compilation.problems.sort_by_place();
    compilation
}

/// Compiles a manifest whose parsing reported `problems`.
pub(super) fn compile_parsed(manifest: Manifest, mut problems: Problems) -> Compilation {
    // If a table header could not be read, s6gen would report the names that it defines as unknown.
    if manifest.lost.names {
        problems.sort_by_place();
        return Compilation { services: ServiceSet::new(Target::default()), problems };
    }
    let parsed = problems.len();
    let lost = manifest.lost.clone();
    progress::begin(Stage::Resolving, 0);
    let services = resolve::resolve(manifest, &mut problems);
    // A manifest that is too large is resolved only in part, so the rules would report what is missing.
    if problems.iter().all(|problem| problem.code != Code::ManifestTooLarge) {
        validate::validate(&services, true, &mut problems);
    }
    problems.retain_from(parsed, |problem| !is_consequence(problem, &lost));
    problems.sort_by_place();
    Compilation { services, problems }
}

/// Whether a problem exists only because a syntax error has hidden a key.
fn is_consequence(problem: &Diagnostic, lost: &manifest::Lost) -> bool {
    let is_about_missing_key = matches!(
        problem.code,
        Code::MissingKey | Code::ConflictingKeys | Code::MissingParameter | Code::UnknownParameter
    );
    let place = problem.labels.first().map(|label| label.origin);
    is_about_missing_key && place.is_some_and(|place| lost.tables.iter().any(|table| table.contains(place)))
}
