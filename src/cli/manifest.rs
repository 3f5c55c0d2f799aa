use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::carried::{ADDED, Carried};
use super::system::unwritten;
use crate::diagnostic::{Code, Diagnostic, Files, Problems};
use crate::disk;
use crate::manifest::Additions;
use crate::model::{ServiceSet, Target};
use crate::templates::Templates;
use crate::tree::SourceTree;
use crate::{Compilation, ManifestFile, compile, manifest, render};

/// Which manifest to read.
#[derive(Debug, Args)]
pub(super) struct ManifestArgument {
    /// The manifest; `-` reads standard input [default: services.toml]
    #[arg(short, long, value_name = "FILE")]
    manifest: Option<PathBuf>,
}

/// A manifest that was read, with those that it includes.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub(super) files: Files,
    /// None if it could not be read; why, is among the problems.
    pub(super) manifest: Option<ManifestFile>,
    pub(super) problems: Problems,
}

impl ManifestArgument {
    pub(super) fn new(path: PathBuf) -> Self {
        ManifestArgument { manifest: Some(path) }
    }

    /// The path of the manifest.
    pub(super) fn path(&self) -> &Path {
        self.manifest.as_deref().unwrap_or(Path::new("services.toml"))
    }

    /// Whether it was named.
    pub(super) fn is_named(&self) -> bool {
        self.manifest.is_some()
    }

    /// Reads the manifest. What keeps it from being read is a problem like any other.
    pub(super) fn load(&self) -> Loaded {
        load_manifest(self.path())
    }

    /// Reads and compiles the manifest.
    pub(super) fn compile(&self) -> (Files, Compilation) {
        let loaded = self.load();
        let compilation = loaded.compile();
        (loaded.files, compilation)
    }
}

/// Reads the manifest `path`.
pub(super) fn load_manifest(path: &Path) -> Loaded {
    let mut loaded = Loaded::default();
    match load(path, &mut Vec::new(), &mut loaded.files, &mut loaded.problems) {
        Ok(manifest) => loaded.manifest = Some(manifest),
        Err(problem) => loaded.problems.push(*problem),
    }
    loaded
}

impl Loaded {
    pub(super) fn compile(&self) -> Compilation {
        let mut compilation = match &self.manifest {
            Some(manifest) => compile(&self.files, manifest.clone()),
            None => {
                Compilation { services: ServiceSet::new(Target::default()), problems: Problems::default() }
            }
        };
        for problem in self.problems.iter() {
            compilation.problems.push(problem.clone());
        }
        if self.manifest.is_some() {
            compilation.problems.sort_by_place();
        }
        compilation
    }

    /// The same with what was added while the system runs; `path` is where that is kept.
    pub(super) fn with(mut self, path: &Path, added: &Additions) -> Loaded {
        if let Some(manifest) = self.manifest.as_mut().filter(|_| !added.list().is_empty()) {
            manifest.added = Some(self.files.add(path, added.text()));
        }
        self
    }
}

/// What was added to the manifest whose definitions lie in `directory`, while its system runs.
pub(super) fn additions(directory: &Path) -> Result<Additions, Vec<Diagnostic>> {
    let path = directory.join(ADDED);
    let unusable = |why: String| {
        let problem =
            Diagnostic::new(Code::AdditionsUnreadable, format!("`{}` cannot be used", path.display()));
        let problem = why.lines().fold(problem, |problem, line| problem.note(line.to_owned()));
        vec![problem.help("mend it, or remove it and add the instances again")]
    };
    match disk::read_if_there(&path) {
        Ok(None) => Ok(Additions::default()),
        Ok(Some(text)) => Additions::parse(&text).map_err(unusable),
        Err(error) => Err(unwritten(error)),
    }
}

/// Puts what the tree was compiled from into it, for the commands that go on from there while the system runs.
pub(super) fn carry(
    tree: &mut SourceTree,
    loaded: &Loaded,
    templates: &TemplatesArgument,
    definitions: &str,
) -> Result<(), Diagnostic> {
    if let Some(manifest) = &loaded.manifest {
        // What says the same as the shipped one makes no difference.
        let shipped: BTreeMap<&str, &str> = Templates::shipped().collect();
        let mut overrides = templates.read()?;
        overrides.retain(|(name, text)| shipped.get(name.as_str()) != Some(&text.as_str()));
        let carried = Carried::new(&loaded.files, manifest, overrides);
        carried.put(tree, definitions);
    }
    Ok(())
}

/// Reads a manifest and what it includes. What cannot be included is reported at the line that includes it.
fn load(
    path: &Path,
    open: &mut Vec<PathBuf>,
    files: &mut Files,
    problems: &mut Problems,
) -> Result<ManifestFile, Box<Diagnostic>> {
    let text = disk::read_manifest(path)?;
    let name = if path.as_os_str() == "-" { PathBuf::from("<stdin>") } else { path.to_owned() };
    let file = files.add(name, text);
    open.push(path.to_owned());
    let mut included = Vec::new();
    let folder = path.parent().unwrap_or(Path::new(""));
    for pattern in manifest::includes(files, file) {
        let problem =
            |message: String| Diagnostic::new(Code::Include, message).at(pattern.origin, "included here");
        let is_pattern = pattern.value.contains(['*', '?', '[']);
        let found = match disk::matching(&folder.join(&pattern.value)) {
            Ok(found) if found.is_empty() && !is_pattern => vec![folder.join(&pattern.value)],
            Ok(found) => found,
            Err(why) => {
                let message = format!("`{}` is no pattern of files: {why}", pattern.value);
                let help = "write a path, or one with `*`, `?` and `[…]`, as in `services.d/*.toml`";
                problems.push(problem(message).help(help));
                continue;
            }
        };
        for path in found {
            if open.contains(&path) {
                let message = format!("`{}` includes itself", path.display());
                problems.push(problem(message).help("remove this line"));
                continue;
            }
            match load(&path, open, files, problems) {
                Ok(manifest) => included.push(manifest),
                Err(unread) => {
                    // The path of what is included is written here, and not on the command line.
                    let help = match path.exists() {
                        true => unread.help,
                        false => Some(missing_include(files.path(file))),
                    };
                    problems.push(problem(unread.message).maybe_help(help));
                }
            }
        }
    }
    open.pop();
    Ok(ManifestFile { file, included, added: None })
}

/// What to do about an included file that is not there, for one that `including` names.
fn missing_include(including: &Path) -> String {
    let folder = including.parent().filter(|folder| !folder.as_os_str().is_empty());
    let from = folder.map_or("the folder of this file".into(), |folder| format!("`{}`", folder.display()));
    format!(
        "mend the path, which is relative to {from}, or remove it; a pattern such as `services.d/*.toml` may match nothing"
    )
}

/// A folder of templates that stand before the shipped ones.
#[derive(Debug, Args)]
pub(super) struct TemplatesArgument {
    /// A folder of templates that stand before the shipped ones: `longrun/run` for every longrun, `longrun/NAME/run` for one;
    /// `s6gen init --templates DIR` writes the shipped ones
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
}

/// Templates by name, with their texts.
pub(super) type Overrides = Vec<(String, String)>;

impl TemplatesArgument {
    /// The templates in the folder.
    pub(super) fn read(&self) -> Result<Overrides, Diagnostic> {
        match &self.templates {
            Some(folder) => disk::read_folder(folder).map_err(|error| {
                Diagnostic::new(Code::Template, format!("cannot read `{}`: {error}", folder.display()))
                    .help("name a folder as `s6gen init --templates DIR` writes it")
            }),
            None => Ok(Vec::new()),
        }
    }

    /// The source tree of `services`, made with these templates.
    pub(super) fn tree(&self, services: &ServiceSet) -> Result<SourceTree, Diagnostic> {
        tree(services, &self.read()?)
    }
}

/// The source tree of `services`, made with these templates before the shipped ones.
pub(super) fn tree(services: &ServiceSet, overrides: &Overrides) -> Result<SourceTree, Diagnostic> {
    let wrong = |why: String| {
        Diagnostic::new(Code::Template, format!("a template cannot be filled: {why}"))
            .help("`s6gen init --templates DIR` writes the shipped ones, to compare")
    };
    let templates = Templates::new(overrides).map_err(wrong)?;
    render::tree_with(services, &templates).map_err(wrong)
}
