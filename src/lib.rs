//! s6gen compiles one declarative `services.toml` into a complete s6-rc source directory for images that run
//! s6-overlay.
//!
//! Three nouns: the [`manifest`] as written, the [`model`] as meant, the source [`tree`] as s6-rc reads it. Verbs go
//! between them: [`resolve`], [`import`], [`validate`], [`render`]; [`compare`] sets two of them side by side, [`report`]
//! turns problems into text, [`install`] puts a tree onto a disk, and [`live`] speaks with a system that runs. A room
//! imports only rooms on a lower floor:
//!
//! | floor | rooms |
//! |---|---|
//! | 3, people | [`cli`] |
//! | 2, verbs | [`resolve`], [`import`], [`image`], [`validate`], [`render`], [`compare`], [`report`], [`install`], [`live`] |
//! | 1, nouns | [`manifest`], [`model`], [`tree`], [`source`], [`disk`] |
//! | 0 | [`diagnostic`], [`shell`], [`templates`] |
//!
//! The whole pipeline is [`compile`] for a manifest, [`judge`] for source directories that exist already, and
//! [`judge_image`] for those that s6-overlay compiles, which [`image`] finds. [`snapshot()`] and its like make of each what
//! is compared.

pub mod diagnostic;
pub mod shell;
pub mod templates;

pub mod disk;
pub mod manifest;
pub mod model;
pub mod source;
pub mod tree;

pub mod compare;
pub mod image;
pub mod import;
pub mod install;
pub mod live;
pub mod render;
pub mod report;
pub mod resolve;
pub mod validate;

pub mod cli;

use std::collections::BTreeSet;

use diagnostic::{Code, Diagnostic, FileId, Files, Problems};
use manifest::Manifest;
use model::{Index, Kind, Layer, Name, Service, ServiceSet, Snapshot, Target};
use source::{Directory, Source};
use tree::SourceTree;

/// What came of a manifest.
#[derive(Debug)]
pub struct Compilation {
    /// The services as meant, complete as far as the manifest could be understood.
    pub services: ServiceSet,
    /// Everything that is wrong, in file order. Nothing may be rendered while it has errors.
    pub problems: Problems,
}

/// A manifest and those that it includes.
#[derive(Debug, Clone)]
pub struct ManifestFile {
    /// The file.
    pub file: FileId,
    /// What its `include` names, in order.
    pub included: Vec<ManifestFile>,
    /// What was added while the system runs, see [`manifest::Additions`].
    pub added: Option<FileId>,
}

impl From<FileId> for ManifestFile {
    fn from(file: FileId) -> Self {
        ManifestFile { file, included: Vec::new(), added: None }
    }
}

impl ManifestFile {
    fn parse(&self, files: &Files, problems: &mut Problems) -> Manifest {
        let included = self.included.iter().map(|file| file.parse(files, problems)).collect();
        let manifest = manifest::parse(files, self.file, problems).over(included);
        match self.added {
            Some(file) => manifest.with(file, manifest::parse(files, file, problems), problems),
            None => manifest,
        }
    }
}

/// A service of a manifest that has instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Its name; that of an instance's service is `NAME-INSTANCE`.
    pub name: String,
    /// `longrun` or `oneshot`.
    pub kind: &'static str,
    /// What an instance may set.
    pub parameters: Vec<String>,
    /// The instances that the manifest itself has, with what they set.
    pub instances: Vec<(String, manifest::Parameters)>,
}

/// The templates of a manifest, without what was added to it.
pub fn templates_of(files: &Files, manifest: &ManifestFile) -> Vec<Template> {
    let manifest = ManifestFile { added: None, ..manifest.clone() }.parse(files, &mut Problems::default());
    let template = |(kind, name, keys): (&'static str, &str, &manifest::CommonKeys)| {
        let instances = keys.instances.clone().unwrap_or_default();
        let counted = 1..=instances.count.map_or(0, |count| count.value);
        let counted = counted.map(|number| (number.to_string(), manifest::Parameters::new()));
        let named = instances.named.into_iter().map(|(name, values)| {
            let values = values.entries.into_iter().map(|(key, value)| (key.value, value.value));
            (name.value, values.collect())
        });
        let parameters = keys.parameters.iter().flat_map(|names| &names.list);
        Template {
            name: name.to_owned(),
            kind,
            parameters: parameters.map(|name| name.value.clone()).collect(),
            instances: counted.chain(named).collect(),
        }
    };
    manifest.templates().map(template).collect()
}

/// Compiles a manifest: every problem of it, and the services that `render` makes a tree of.
pub fn compile(files: &Files, manifest: impl Into<ManifestFile>) -> Compilation {
    let mut problems = Problems::default();
    let manifest = manifest.into().parse(files, &mut problems);
    // Where headers could not be read, names would seem unknown that are not.
    if manifest.lost.names {
        problems.sort_by_place();
        return Compilation { services: ServiceSet::new(Target::default()), problems };
    }
    let of_form = problems.len();
    let services = resolve::resolve(&manifest, &mut problems);
    // Of a manifest that grows without end only the beginning is known.
    if problems.iter().all(|problem| problem.code != Code::ManifestTooLarge) {
        validate::validate(&services, &mut problems);
    }
    problems.retain_from(of_form, |problem| !is_consequence(problem, &manifest.lost));
    problems.sort_by_place();
    Compilation { services, problems }
}

/// Whether a problem is only there because a syntax error has taken a key away.
fn is_consequence(problem: &Diagnostic, lost: &manifest::Lost) -> bool {
    let is_of_absence = matches!(
        problem.code,
        Code::MissingKey | Code::ConflictingKeys | Code::MissingParameter | Code::UnknownParameter
    );
    let place = problem.labels.first().map(|label| label.origin);
    is_of_absence && place.is_some_and(|place| lost.tables.iter().any(|table| table.contains(place)))
}

/// Judges source directories that exist already, in the order in which `s6-rc-compile` takes them. The problems are in
/// its own order, so that the first error is the one over which it stops.
pub fn judge<D: Directory>(files: &mut Files, sources: Vec<Source<D>>, target: Target) -> Compilation {
    judge_beside(files, sources, target, &[])
}

/// Judges source directories as [`judge`] does, beside services of which it is only known that they exist.
pub fn judge_beside<D: Directory>(
    files: &mut Files,
    sources: Vec<Source<D>>,
    target: Target,
    external: &[Name],
) -> Compilation {
    let mut problems = Problems::default();
    let mut services = import::tree(sources, target, files, &mut problems);
    add_external(&mut services, external);
    validate::validate(&services, &mut problems);
    before_the_image(&mut problems);
    problems.sort_by_rank();
    Compilation { services, problems }
}

/// Says of files that are not in an image yet what may still become of them.
fn before_the_image(problems: &mut Problems) {
    problems.revise(|problem| {
        if problem.code == Code::NotExecutable {
            problem.notes.push(
                "so it is in the image, unless the Dockerfile sets the mode: `COPY --chmod`, `RUN chmod`"
                    .into(),
            );
        }
    });
}

/// Judges what `/init` compiles in the file system `root` of a container, and what it would start.
pub fn judge_image<D: Directory>(
    files: &mut Files,
    root: &D,
    setup: &image::Setup,
    external: &[Name],
) -> Compilation {
    let mut problems = Problems::default();
    let (sources, boot) = image::sources(root, setup, files, &mut problems);
    let mut services = import::tree(sources, Target::new(setup.system), files, &mut problems);
    boot.complete(&mut services, files, &mut problems);
    add_external(&mut services, external);
    validate::validate(&services, &mut problems);
    boot.explain(files, &mut problems);
    if setup.is_partial {
        before_the_image(&mut problems);
    }
    if !problems.has_errors() {
        let scripts = || image::scripts(root);
        let around =
            validate::Around { lower: &setup.lower, upper: setup.upper.as_deref(), scripts: Some(&scripts) };
        validate::start(&services, &around, files, &mut problems);
    }
    problems.sort_by_rank();
    Compilation { services, problems }
}

/// What the tree that was rendered of `services` holds, read as any other source directory, and what it adds to other
/// layers. Nothing may be wrong with the services.
pub fn snapshot(services: &ServiceSet, tree: &SourceTree) -> Snapshot {
    let mut snapshot = snapshot_of(|| vec![tree.source(render::definitions_dir(&services.target))]);
    snapshot.add_other_layers(services);
    snapshot
}

/// What the source directories hold that `open` opens. They are read twice: as settings, and file by file.
pub fn snapshot_of<D: Directory>(open: impl Fn() -> Vec<Source<D>>) -> Snapshot {
    let set = import::tree(open(), Target::default(), &mut Files::default(), &mut Problems::default());
    Snapshot::of(&set, import::files(open()))
}

/// What `/init` compiles in the file system `root` of a container, without what s6-overlay itself brings.
pub fn snapshot_of_image<D: Directory>(root: &D, setup: &image::Setup) -> Snapshot {
    let (mut files, mut problems) = (Files::default(), Problems::default());
    let (sources, boot) = image::sources(root, setup, &mut files, &mut problems);
    let mut services = import::tree(sources, Target::new(setup.system), &mut files, &mut problems);
    boot.complete(&mut services, &mut files, &mut problems);
    let (again, _) = image::sources(root, setup, &mut files, &mut problems);
    let mut snapshot = Snapshot::of(&services, import::files(again));
    // An empty one is s6-overlay's own.
    for bundle in setup.system.start_bundles() {
        let name = Name::from(*bundle);
        if snapshot.services.get(&name).is_some_and(|settings| settings.contents.is_empty()) {
            snapshot.services.remove(&name);
        }
    }
    snapshot
}

/// Adds the names that are defined elsewhere, unless they are here after all.
fn add_external(services: &mut ServiceSet, external: &[Name]) {
    let index = Index::new(services);
    let new: BTreeSet<Name> = external.iter().filter(|name| index.find(name).is_none()).cloned().collect();
    for name in new {
        let service = Service::new(name, None, Kind::Unknown);
        services.services.push(Service { layer: Layer::External, ..service });
    }
}
