//! Imports a source directory or the definitions of an image: reads them, and writes the manifest for them.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::compile::Compilation;
use super::file_system::{has_overlay, mount, open_root, overlay_directory, overlay_parts};
use super::import_files::{MANIFEST, compile_text};
use super::import_generated::{find_target, not_generated_again};
use super::import_legacy::{LEGACY, complete_legacy, has_legacy, legacy_files};
use super::judge::{judge_image, judge_with_external};
use crate::diagnostic::{Code, Diagnostic, Files, Problems, Severity};
use crate::disk::{self, MANIFEST_LIMIT};
use crate::image::{self, Setup};
use crate::import::DefinitionEntries;
use crate::manifest::draft::DraftTable;
use crate::migrate::{self, LegacyTranslation, Migration, OldTree};
use crate::model::{DefinitionFiles, Layer, Name, ServiceSet, System, Target};
use crate::source::{Directory, Mount, Union};
use crate::tree::SourceTree;
use crate::{import, render, source};

/// The directories whose files say which services start at boot.
const STARTS: [&str; 2] = ["s6-rc.d/user/contents.d", "s6-rc.d/user2/contents.d"];

/// Definitions that are to be imported.
#[derive(Debug, Clone)]
pub struct TreeToImport {
    /// A source directory, an s6-overlay directory, files that are copied to the root of an image, or such a root.
    pub path: PathBuf,
    /// The layers below it, the lowest first.
    pub lower: Vec<PathBuf>,
    /// Services that are defined elsewhere.
    pub external: Vec<Name>,
    /// The s6-overlay that reads them. `None` to find it in the image, or else the newest one.
    pub overlay: Option<System>,
    /// Whether the manifest has only what means exactly the same.
    pub is_exact: bool,
}

/// Definitions that were read.
pub struct ReadTree {
    /// The files to which the problems point.
    pub files: Files,
    /// The services, and what is wrong with them.
    pub compilation: Compilation,
    /// What is in the definitions.
    pub definitions: DefinitionEntries,
    /// The definitions of lower layers.
    pub lower: BTreeSet<Name>,
    /// What the tree adds to these.
    pub additions: DefinitionFiles,
    /// The directories of s6-overlay 2 from which the definitions come.
    pub legacy: Option<LegacyTranslation>,
    /// The directories of s6-overlay 2 that are beside the definitions.
    pub left_legacy: Vec<&'static str>,
    /// Whether the manifest has only what means exactly the same. Otherwise it has what a person would have written, and the
    /// report names each difference.
    pub is_exact: bool,
}

impl ReadTree {
    /// Definitions without other layers.
    fn of(files: Files, compilation: Compilation, definitions: DefinitionEntries) -> Self {
        ReadTree {
            files,
            compilation,
            definitions,
            lower: BTreeSet::new(),
            additions: DefinitionFiles::new(),
            legacy: None,
            left_legacy: Vec::new(),
            is_exact: false,
        }
    }

    /// Whether s6-rc-compile accepts the definitions. Two places for a start bundle are an error only because `/init` reads
    /// just one of them.
    pub fn is_accepted(&self) -> bool {
        let errors = self.compilation.problems.iter().filter(|problem| problem.severity == Severity::Error);
        errors.into_iter().all(|problem| matches!(problem.code, Code::UserInTwoPlaces | Code::BundlesTooNew))
    }

    fn written(&self, verbatim: &BTreeSet<Name>) -> Migration {
        migrate::tree(OldTree {
            services: &self.compilation.services,
            files: &self.definitions.files,
            others: &self.definitions.others,
            lower: &self.lower,
            additions: &self.additions,
            verbatim,
            is_exact: self.is_exact,
        })
    }

    /// The manifest for these definitions, if they are accepted. Rules that find a mistake of the old system in it are warnings
    /// there, as they were before.
    pub fn migration(&self) -> Migration {
        let mut verbatim = BTreeSet::new();
        let mut migration = self.written(&verbatim);
        // Generated scripts are read back only if the new manifest generates them again.
        loop {
            let different = not_generated_again(&self.definitions.files, &migration, &verbatim);
            if different.is_empty() {
                break;
            }
            verbatim.extend(different);
            migration = self.written(&verbatim);
        }
        if let Some(legacy) = &self.legacy {
            complete_legacy(legacy, &mut migration);
        }
        self.allow_mistakes(&mut migration);
        if let Some(line) = self.line_that_changes_starts() {
            migration.report.remarks.push(format!(
                "A script outside of the definitions names the services that start: `{line}`. The manifest does not see what it changes. After the import such a file belongs into `user-bundles.d/user/contents.d`, for a service with `start = \"on-demand\"`."
            ));
        }
        if !self.left_legacy.is_empty() {
            migration.report.remarks.push(format!(
                "Not imported: `{}` in `etc`, which s6-overlay 3 still runs. Import them from a copy of `etc` without the definitions.",
                self.left_legacy.join("`, `")
            ));
        }
        migration
    }

    /// The first line of a script elsewhere in the tree that names the members of a start bundle.
    fn line_that_changes_starts(&self) -> Option<String> {
        let is_about_starts =
            |line: &&str| !line.starts_with('#') && STARTS.iter().any(|directory| line.contains(directory));
        let scripts = self.compilation.services.context.scripts.iter();
        let line = scripts.flat_map(|text| text.lines().map(str::trim)).find(is_about_starts)?;
        Some(line.replace('`', "'"))
    }

    /// Makes warnings of the rules for which the new manifest would be refused.
    fn allow_mistakes(&self, migration: &mut Migration) {
        let (_, compilation) = compile_text(Path::new(MANIFEST), &migration.draft.text(), &migration.files);
        let errors = compilation.problems.iter().filter(|problem| problem.severity == Severity::Error);
        let broken: BTreeSet<Code> =
            errors.map(|problem| problem.code).filter(|code| matches!(code, Code::Lint(_))).collect();
        if broken.is_empty() {
            return;
        }
        let mut table = DraftTable::new(&["lints"]);
        for code in broken {
            let is_old = self.compilation.problems.iter().any(|problem| problem.code == code);
            let reason = match is_old {
                true => "the old system has this mistake, too",
                false => "what a script kept in quotes looks like a mistake in the keys that stand for it",
            };
            let entry = table.set(code.slug().trim_start_matches("lint::"), "warn");
            entry.comment = Some(reason.to_owned());
        }
        let tables = &mut migration.draft.tables;
        let after_target = tables.iter().take_while(|table| table.path == ["target"]).count();
        tables.insert(after_target, table);
    }
}

impl TreeToImport {
    /// The definitions at `path`, without other layers.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        TreeToImport {
            path: path.into(),
            lower: Vec::new(),
            external: Vec::new(),
            overlay: None,
            is_exact: false,
        }
    }

    /// Reads the definitions. Errors in them are among the problems.
    pub fn read(&self) -> ReadTree {
        let tree = self.read_all();
        let etc = self.path.join("etc");
        let is_left = |name: &&str| {
            tree.legacy.is_none() && !disk::names(&etc.join(name)).unwrap_or_default().is_empty()
        };
        let left_legacy = LEGACY.into_iter().filter(is_left).collect();
        ReadTree { is_exact: self.is_exact, left_legacy, ..tree }
    }

    fn read_all(&self) -> ReadTree {
        let below = self.path.join("etc/s6-overlay");
        let has_definitions =
            overlay_parts(&below).iter().any(|part| !disk::names(part).unwrap_or_default().is_empty());
        if !has_definitions && has_legacy(&self.path) {
            return read_legacy(&self.path);
        }
        let place = definitions_in(&self.path);
        let is_image = self.lower.is_empty() && has_overlay(&self.path);
        match is_image || overlay_directory(&place).is_some() || self.overlay.is_some() {
            false => self.sources(),
            true => {
                let root = if is_image { open_root(&self.path) } else { self.layers(&place) };
                match root {
                    Ok(root) => self.image(&root, &place, is_image),
                    Err(error) => unreadable(&self.path, error),
                }
            }
        }
    }

    /// The layers, with the tree at `place` on top.
    fn layers(&self, place: &Path) -> io::Result<Union<disk::SourceDirectory>> {
        let paths = self.lower.iter().map(|path| definitions_in(path)).chain([place.to_owned()]);
        Union::new(paths.map(|path| mount(&path)).collect::<io::Result<_>>()?)
    }

    fn image(&self, root: &Union<disk::SourceDirectory>, place: &Path, is_image: bool) -> ReadTree {
        let mut files = Files::default();
        let system = match (self.overlay, is_image) {
            (Some(system), _) => Ok(system),
            (None, true) => image::system(root, &mut files),
            (None, false) => Ok(System::NEWEST_OVERLAY),
        };
        let system = match system {
            Ok(system) => system,
            Err(problem) => return refused(files, *problem),
        };
        let setup = Setup { is_partial: !is_image, ..Setup::new(system) };
        let mut compilation = judge_image(&mut files, root, &setup, &self.external);
        let (sources, _) = image::sources(root, &setup, &mut Files::default(), &mut Problems::default());
        let definitions = import::entries(sources, MANIFEST_LIMIT);
        find_target(root, &definitions.files, &mut compilation.services.target);
        let own = if is_image { DefinitionFiles::new() } else { files_at(place) };
        let is_whole = |name: &Name| own.get(name).is_some_and(|files| files.contains_key("type"));
        let lower: BTreeSet<Name> = self
            .lower
            .iter()
            .flat_map(|path| files_at(&definitions_in(path)).into_keys())
            .filter(|name| !is_whole(name))
            .collect();
        let additions = own.into_iter().filter(|(name, _)| lower.contains(name)).collect();
        ReadTree { lower, additions, ..ReadTree::of(files, compilation, definitions) }
    }

    fn sources(&self) -> ReadTree {
        let target = Target::new(System::NEWEST_S6RC);
        read_sources(|| vec![disk::source(&self.path)], target, &self.external)
    }
}

/// Reads the directories of s6-overlay 2 as definitions that do the same.
fn read_legacy(root: &Path) -> ReadTree {
    let translation = migrate::translate(&legacy_files(root));
    let built = ServiceSet::new(Target::new(System::NEWEST_OVERLAY));
    let tree = read_at(&translation.tree, "/etc/s6-overlay", &built);
    ReadTree { legacy: Some(translation), ..tree }
}

/// The s6-overlay directory of files for an image, or else the path itself.
fn definitions_in(path: &Path) -> PathBuf {
    let below = path.join("etc/s6-overlay");
    if disk::is_directory(&below) { below } else { path.to_owned() }
}

/// The files of the definitions in a layer.
fn files_at(path: &Path) -> DefinitionFiles {
    let parts = match &overlay_parts(path)[..] {
        [] => vec![path.to_owned()],
        parts => parts.to_vec(),
    };
    import::entries(parts.iter().map(disk::source).collect(), MANIFEST_LIMIT).files
}

fn unreadable(path: &Path, error: io::Error) -> ReadTree {
    let mut files = Files::default();
    let source = source::Source::<disk::SourceDirectory> { path: path.to_owned(), directory: Err(error) };
    let target = Target::new(System::NEWEST_S6RC);
    let compilation = judge_with_external(&mut files, vec![source], target, &[]);
    ReadTree::of(files, compilation, DefinitionEntries::default())
}

fn refused(files: Files, problem: Diagnostic) -> ReadTree {
    let mut problems = Problems::default();
    problems.push(problem);
    let compilation = Compilation { services: ServiceSet::new(Target::default()), problems };
    ReadTree::of(files, compilation, DefinitionEntries::default())
}

/// Reads source directories of any kind, for an import.
pub fn read_sources<D: Directory>(
    open: impl Fn() -> Vec<source::Source<D>>,
    target: Target,
    external: &[Name],
) -> ReadTree {
    let mut files = Files::default();
    let compilation = judge_with_external(&mut files, open(), target, external);
    let definitions = import::entries(open(), MANIFEST_LIMIT);
    ReadTree::of(files, compilation, definitions)
}

/// Reads the tree that was rendered from services, as it is in the image.
pub fn read_built(tree: &SourceTree, built: &ServiceSet) -> ReadTree {
    read_at(tree, "/", built)
}

/// Reads a tree that is at the absolute path `at` of an image.
fn read_at(tree: &SourceTree, at: &str, built: &ServiceSet) -> ReadTree {
    let system = built.target.system;
    let external = built.services.iter().filter(|service| service.layer == Layer::External);
    let external: Vec<Name> = external.map(|service| service.name.clone()).collect();
    if !system.is_overlay() {
        let sources = || vec![tree.source(render::definitions_dir(&built.target))];
        let target = Target { tree: built.target.tree.clone(), ..Target::new(system) };
        return read_sources(sources, target, &external);
    }
    let mounted = tree.source("").directory.map(|directory| Mount::new(at, at, directory));
    let root = match mounted.and_then(|mount| Union::new(vec![mount])) {
        Ok(root) => root,
        Err(error) => return unreadable(Path::new("/"), error),
    };
    let setup = Setup { is_partial: true, ..Setup::new(system) };
    let mut files = Files::default();
    let mut compilation = judge_image(&mut files, &root, &setup, &external);
    let (sources, _) = image::sources(&root, &setup, &mut Files::default(), &mut Problems::default());
    let definitions = import::entries(sources, MANIFEST_LIMIT);
    find_target(&root, &definitions.files, &mut compilation.services.target);
    ReadTree::of(files, compilation, definitions)
}
