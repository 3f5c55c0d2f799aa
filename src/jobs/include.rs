//! Reads a manifest, the files that it includes, and the scripts that they name.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::path::{Path, PathBuf};
use std::vec::IntoIter;

use super::compile::ManifestFile;
use crate::diagnostic::{Code, Diagnostic, FileId, Files, Origin, Problems};
use crate::disk::{self, ManifestContent};
use crate::manifest::{self, Manifest, ManifestCommand, ManifestText};

/// How many files may include each other in a row.
const DEEPEST: usize = 64;
/// How many files may be read.
const MOST_FILES: usize = 1_000;
/// How many names may be looked at to find them.
const MOST_NAMES: usize = 100_000;

/// A manifest that was read with everything that it includes.
pub(super) struct Loaded {
    /// The files.
    pub source: ManifestFile,
    /// What they say together.
    pub manifest: Manifest,
    /// The mistakes in their form.
    pub mistakes: Problems,
}

/// Reads the manifest at `path` and the files that it includes, each of them once. Reports call it `name`, and what it includes
/// is relative to that. A file that cannot be read is one of `problems`, at the line that includes it.
///
/// # Errors
/// The manifest cannot be read, or it includes too much.
pub(super) fn load(
    path: &Path,
    name: &Path,
    files: &mut Files,
    problems: &mut Problems,
) -> Result<Loaded, Box<Diagnostic>> {
    let content = disk::read_manifest(path)?;
    let mistakes = Problems::default();
    let mut loader = Loader {
        files,
        problems,
        mistakes,
        read: BTreeSet::new(),
        scripts: BTreeMap::new(),
        bytes: 0,
        weight: 0,
        names_left: MOST_NAMES,
    };
    let mut current = loader.open(name, content)?;
    let mut outer: Vec<Including> = Vec::new();
    loop {
        let Some((path, origin)) = current.names.next() else {
            let source =
                ManifestFile { file: current.file, included: current.included, scripts: current.scripts };
            let manifest = current.manifest.over(current.below);
            let Some(next) = outer.pop() else {
                return Ok(Loaded { source, manifest, mistakes: loader.mistakes });
            };
            current = next;
            current.included.push(source);
            current.below.push(manifest);
            continue;
        };
        if outer.len() == DEEPEST {
            return Err(too_much(format!("more than {DEEPEST} files include each other in a row"), origin));
        }
        let is_open =
            |identity| identity == current.identity || outer.iter().any(|file| file.identity == identity);
        if let Some(inner) = loader.include(&path, origin, current.file, is_open)? {
            outer.push(mem::replace(&mut current, inner));
        }
    }
}

/// A file of which some included files are still to be read.
struct Including {
    file: FileId,
    identity: Option<(u64, u64)>,
    manifest: Manifest,
    /// The files to include, and where each is named.
    names: IntoIter<(PathBuf, Origin)>,
    /// The files that it included so far, and what they say.
    included: Vec<ManifestFile>,
    scripts: BTreeMap<String, FileId>,
    below: Vec<Manifest>,
}

/// The files that were read so far.
struct Loader<'a> {
    files: &'a mut Files,
    problems: &'a mut Problems,
    mistakes: Problems,
    /// The device and inode of each file.
    read: BTreeSet<(u64, u64)>,
    /// The script at each path without links. `None` if it cannot be read, which was reported.
    scripts: BTreeMap<PathBuf, Option<FileId>>,
    /// The size of all files together.
    bytes: usize,
    /// How much memory all files together need while they are read.
    weight: usize,
    names_left: usize,
}

impl Loader<'_> {
    /// Adds a file that was read, and finds the files that it includes.
    ///
    /// # Errors
    /// There is too much in it.
    fn open(&mut self, path: &Path, content: ManifestContent) -> Result<Including, Box<Diagnostic>> {
        let ManifestContent { text, identity } = content;
        self.read.extend(identity);
        self.bytes += text.len();
        let file = self.files.add(path, text);
        let text = str::from_utf8(&self.files.get(file).text).unwrap_or_default();
        if let Some(place) = manifest::weigh(text, &mut self.weight) {
            let message = "the manifest has more lines, keys and values than s6gen reads";
            let problem = Diagnostic::new(Code::ManifestTooLarge, message)
                .at(Origin::new(file, place), "up to here")
                .help("make similar services instances of a template, or put long lists into files of the image");
            return Err(Box::new(problem));
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut manifest = manifest::parse(self.files, file, &mut self.mistakes);
        let mut scripts = BTreeMap::new();
        manifest.with_script_files(|path| self.script(folder, path, &mut scripts));
        let mut names = Vec::new();
        for pattern in &manifest.include {
            let found = match pattern.value.contains(['*', '?', '[']) {
                true => disk::matching(folder, &pattern.value, &mut self.names_left),
                false => Ok(vec![folder.join(&pattern.value)]),
            };
            match found {
                Ok(found) => names.extend(found.into_iter().map(|path| (path, pattern.origin))),
                Err(why) => self.problems.push(
                    Diagnostic::new(
                        Code::Include,
                        format!("`{}` is not a valid file pattern: {why}", pattern.value),
                    )
                    .at(pattern.origin, "included here")
                    .help("write a path, or one with `*`, `?` and `[…]`, as in `services.d/*.toml`"),
                ),
            }
        }
        let names = names.into_iter();
        Ok(Including { file, identity, manifest, names, included: Vec::new(), scripts, below: Vec::new() })
    }

    /// The script that a manifest in `folder` names at `path`, and adds it to the `scripts` of that manifest. A script that cannot
    /// be read is reported.
    fn script(
        &mut self,
        folder: &Path,
        path: &ManifestText,
        scripts: &mut BTreeMap<String, FileId>,
    ) -> ManifestCommand {
        match self.read_script(folder, &path.value) {
            Ok(Some(file)) => {
                scripts.insert(path.value.clone(), file);
                return manifest::script_of_file(path, self.files, file, &mut self.mistakes);
            }
            Ok(None) => {}
            Err(unread) => self.problems.push(unread.at(path.origin, "named here")),
        }
        ManifestCommand::Broken(path.origin)
    }

    /// Reads a script, each of them once. `None` if it cannot be read, and that was reported for another key.
    fn read_script(&mut self, folder: &Path, name: &str) -> Result<Option<FileId>, Box<Diagnostic>> {
        let real = disk::find_script(folder, name)?;
        if let Some(known) = self.scripts.get(&real) {
            return Ok(*known);
        }
        self.scripts.insert(real.clone(), None);
        // Formats for other programs need a path without `.` and `..`.
        let is_plain = name.split('/').all(|part| !["", ".", ".."].contains(&part));
        let shown = Some(disk::shown(&real)).filter(|path| !is_plain && !path.as_os_str().is_empty());
        let shown = shown.unwrap_or_else(|| folder.join(name));
        let text = disk::read_script(&real, &shown, disk::MANIFEST_LIMIT - self.bytes)?;
        self.bytes += text.len();
        let file = self.files.add(shown, text);
        self.scripts.insert(real, Some(file));
        Ok(Some(file))
    }

    /// Reads a file that `including` names at `origin`. `None` if there is nothing to read, or if it was read before.
    ///
    /// # Errors
    /// It would be too much.
    fn include(
        &mut self,
        path: &Path,
        origin: Origin,
        including: FileId,
        is_open: impl Fn(Option<(u64, u64)>) -> bool,
    ) -> Result<Option<Including>, Box<Diagnostic>> {
        let content = match disk::read_included(path) {
            Ok(content) => content,
            Err(unread) => {
                // The usual help is for a path on the command line; this path is in the manifest.
                let help = match disk::is_there(path) {
                    true => unread.help,
                    false => Some(missing(self.files.path(including))),
                };
                let problem = Diagnostic::new(Code::Include, unread.message).maybe_help(help);
                self.problems.push(problem.at(origin, "included here"));
                return Ok(None);
            }
        };
        if is_open(content.identity) {
            let message = format!("`{}` includes itself", path.display());
            let problem = Diagnostic::new(Code::Include, message).help("remove this line");
            self.problems.push(problem.at(origin, "included here"));
            return Ok(None);
        }
        if content.identity.is_some_and(|identity| self.read.contains(&identity)) {
            return Ok(None);
        }
        if self.read.len() > MOST_FILES {
            return Err(too_much(format!("more than {MOST_FILES} files are included"), origin));
        }
        if self.bytes + content.text.len() > disk::MANIFEST_LIMIT {
            let message = "the manifest and the files that it includes are larger than 16 MiB";
            return Err(too_much(message.to_owned(), origin));
        }
        let included = self.open(path, content)?;
        // A file may be there only for the levels of rules, which several manifests share.
        if !included.manifest.lints.entries.is_empty() {
            let is_of_it = |problem: &Diagnostic| {
                problem.labels.first().is_some_and(|label| label.origin.file == included.file)
            };
            self.mistakes.retain_mut(|problem| problem.code != Code::ManifestEmpty || !is_of_it(problem));
        }
        Ok(Some(included))
    }
}

/// The report on more files than s6gen reads.
fn too_much(message: String, origin: Origin) -> Box<Diagnostic> {
    let problem = Diagnostic::new(Code::ManifestTooLarge, message).at(origin, "included here");
    Box::new(problem.help("include fewer files, or name them in the manifest itself"))
}

/// The help for an included file that does not exist. `including` is the file that includes it.
fn missing(including: &Path) -> String {
    let folder = including.parent().filter(|folder| !folder.as_os_str().is_empty());
    let from = folder.map_or("the folder of this file".into(), |folder| format!("`{}`", folder.display()));
    format!(
        "correct the path, which is relative to {from}, or remove it; a pattern such as `services.d/*.toml` may match nothing"
    )
}
