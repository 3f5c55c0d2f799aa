//! A manifest on the disk with everything that belongs to it: the files that it includes, and the additions that were made
//! while its system runs.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

use super::compile::{Compilation, ManifestFile, compile_parsed};
use super::include::{Loaded, load};
use super::levels::{Coverage, Levels};
use super::shellcheck;
use crate::diagnostic::{FileId, Files, Origin, Problems};
use crate::live::Programs;
use crate::manifest::{self, Additions, Manifest, ManifestText, Parameters};
use crate::model::{ServiceSet, Target, Version};
use crate::resolve;
use crate::templates::Expressions;

/// A manifest that was read, with the files that it includes. It is parsed once, and can then be queried and compiled.
#[derive(Debug, Default)]
pub struct Project {
    /// Every file that was read.
    pub files: Files,
    /// The manifest, unless it could not be read.
    parsed: Option<Parsed>,
    /// The problems with files that could not be read.
    unread: Problems,
    /// The levels that the command line gives to rules.
    levels: Levels,
}

#[derive(Debug)]
struct Parsed {
    source: ManifestFile,
    /// The file of the additions.
    added: Option<FileId>,
    /// `None` once it was compiled: that of a large system takes much memory, and is rarely needed again.
    manifest: Option<Manifest>,
    problems: Problems,
}

impl Parsed {
    /// The manifest, parsed again if it was compiled.
    fn manifest(&self, files: &Files) -> Cow<'_, Manifest> {
        if let Some(manifest) = &self.manifest {
            return Cow::Borrowed(manifest);
        }
        // These problems are known from the first time.
        let mut known = Problems::default();
        let manifest = self.source.parse(files, &mut known);
        let Some(file) = self.added else { return Cow::Owned(manifest) };
        let added = manifest::parse(files, file, &mut known);
        Cow::Owned(manifest.with(file, added, &mut known))
    }

    /// Takes the manifest out.
    fn take(&mut self, files: &Files) -> Manifest {
        self.manifest.take().unwrap_or_else(|| self.manifest(files).into_owned())
    }
}

/// A service of a manifest that has instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Its name. The service of an instance is `NAME-INSTANCE`.
    pub name: String,
    /// `longrun` or `oneshot`.
    pub kind: &'static str,
    /// The parameters that an instance may set.
    pub parameters: Vec<String>,
    /// The parameters that become part of a variable of `environment`. Their values may be secrets.
    pub in_variables: BTreeSet<String>,
    /// The instances in the manifest itself, with the values of their parameters.
    pub instances: Vec<(String, Parameters)>,
}

impl Project {
    /// Reads the manifest at `path`; `-` is standard input. If it cannot be read, compiling it reports why.
    pub fn load(path: &Path) -> Project {
        let name = if path.as_os_str() == "-" { Path::new("<stdin>") } else { path };
        Project::load_as(path, name)
    }

    /// Reads the manifest at `path` as if it were the file `name`: reports have that name, and files that it includes are
    /// relative to it.
    pub fn load_as(path: &Path, name: &Path) -> Project {
        let (mut files, mut unread) = (Files::default(), Problems::default());
        match load(path, name, &mut files, &mut unread) {
            Ok(Loaded { source, manifest, mistakes }) => Project {
                files,
                parsed: Some(Parsed { source, added: None, manifest: Some(manifest), problems: mistakes }),
                unread,
                levels: Levels::default(),
            }
            .with_hidden_variables(),
            Err(problem) => {
                unread.push(*problem);
                Project { files, parsed: None, unread, levels: Levels::default() }
            }
        }
    }

    /// Gives rules the levels of the command line.
    #[must_use]
    pub fn with_levels(self, levels: Levels) -> Project {
        Project { levels, ..self }
    }

    /// The project of a manifest whose files are already read.
    pub fn of(files: Files, source: ManifestFile) -> Project {
        let mut problems = Problems::default();
        let manifest = Some(source.parse(&files, &mut problems));
        let parsed = Some(Parsed { source, added: None, manifest, problems });
        Project { files, parsed, unread: Problems::default(), levels: Levels::default() }
            .with_hidden_variables()
    }

    /// The manifest and the files that it includes. `None` if the manifest could not be read.
    pub fn source(&self) -> Option<&ManifestFile> {
        self.parsed.as_ref().map(|parsed| &parsed.source)
    }

    /// The directory of definitions, an absolute path in the image: the key `tree` of the table `target`.
    pub fn definitions(&self) -> String {
        let target =
            |parsed: &Parsed| resolve::target(&parsed.manifest(&self.files).target, &mut Problems::default());
        self.parsed.as_ref().map_or_else(Target::default, target).tree
    }

    /// The templates. Their instances include the additions only after [`add`](Project::add).
    pub fn templates(&self) -> Vec<Template> {
        let Some(parsed) = &self.parsed else { return Vec::new() };
        let (manifest, expressions) = (parsed.manifest(&self.files), Expressions::default());
        manifest.templates().map(|found| template(found, &expressions)).collect()
    }

    /// Adds the additions, which are stored in the file `path`.
    pub fn add(&mut self, path: &Path, added: &Additions) {
        let Some(parsed) = self.parsed.as_mut().filter(|_| !added.list().is_empty()) else { return };
        let file = self.files.add(path, added.text());
        let manifest = parsed.take(&self.files);
        let added = manifest::parse(&self.files, file, &mut parsed.problems);
        parsed.manifest = Some(manifest.with(file, added, &mut parsed.problems));
        parsed.added = Some(file);
        self.hide_variables();
    }

    /// Hides the values of variables in reports, and the values of instances that become part of one.
    fn with_hidden_variables(mut self) -> Project {
        self.hide_variables();
        self
    }

    fn hide_variables(&mut self) {
        let Some(parsed) = &self.parsed else { return };
        let expressions = Expressions::default();
        let mut hidden = Vec::new();
        for common in parsed.manifest(&self.files).common_keys() {
            let variables = common.environment.iter().flat_map(|table| &table.entries);
            hidden.extend(variables.map(|(_, value)| value.origin()));
            let Some(instances) = &common.instances else { continue };
            let in_variables = in_variables(common, &expressions);
            let values = instances.named.iter().flat_map(|(_, values)| &values.entries);
            let values = values.filter(|(key, _)| in_variables.contains(&key.value));
            hidden.extend(values.map(|(_, value)| value.origin));
        }
        self.files.hide(hidden);
    }

    /// Compiles the manifest. A file that could not be read is one of the problems.
    pub fn compile(&mut self) -> Compilation {
        self.compile_with(None)
    }

    /// Compiles the manifest. With `programs`, shellcheck is asked too if a level asks for it.
    pub(super) fn compile_with(&mut self, programs: Option<&mut dyn Programs>) -> Compilation {
        let manifest = self.parsed.as_mut().map(|parsed| parsed.take(&self.files));
        let table = manifest.as_ref().map(|manifest| manifest.lints.clone());
        let known = self.parsed.iter().map(|parsed| parsed.problems.clone()).next().unwrap_or_default();
        let mut compilation = match manifest {
            Some(manifest) => compile_parsed(manifest, known),
            None => Compilation { services: ServiceSet::new(Target::default()), problems: known },
        };
        for problem in self.unread.iter() {
            compilation.problems.push(problem.clone());
        }
        if let Some(table) = &table {
            let Compilation { services, problems } = &mut compilation;
            let has_shellcheck = programs.is_some_and(|programs| {
                shellcheck::add_if_asked(&self.levels, table, services, programs, problems)
            });
            let coverage = Coverage { has_shellcheck, ..Coverage::default() };
            self.levels.apply(table, &self.files, coverage, problems);
            compilation.problems.sort_by_place();
        }
        compilation
    }

    /// Compiles the manifest as if its target were s6-overlay `version`. `None` if the manifest could not be read.
    pub(super) fn compile_for_overlay(&self, version: Version) -> Option<Compilation> {
        let parsed = self.parsed.as_ref()?;
        let (value, origin) = (version.to_string(), Origin::whole(parsed.source.file));
        let mut manifest = parsed.manifest(&self.files).into_owned();
        manifest.target.s6_overlay = Some(ManifestText { value, origin, from_defaults: false });
        Some(compile_parsed(manifest, parsed.problems.clone()))
    }
}

fn template(
    (kind, name, keys): (&'static str, &str, &manifest::CommonKeys),
    expressions: &Expressions,
) -> Template {
    let instances = keys.instances.clone().unwrap_or_default();
    let counted = 1..=instances.count.map_or(0, |count| count.value);
    let counted = counted.map(|number| (number.to_string(), Parameters::new()));
    let named = instances.named.into_iter().map(|(name, values)| {
        let values = values.entries.into_iter().map(|(key, value)| (key.value, value.value));
        (name.value, values.collect())
    });
    let parameters = keys.parameters.iter().flat_map(|declared| &declared.list);
    Template {
        name: name.to_owned(),
        kind,
        parameters: parameters.map(|parameter| parameter.name.value.clone()).collect(),
        in_variables: in_variables(keys, expressions),
        instances: counted.chain(named).collect(),
    }
}

/// The parameters of a template that become part of a variable.
fn in_variables(keys: &manifest::CommonKeys, expressions: &Expressions) -> BTreeSet<String> {
    let variables = keys.environment.iter().flat_map(|table| &table.entries);
    variables.flat_map(|(_, value)| value.names_in_result(expressions)).collect()
}
