//! Judges source directories or the file system of an image: returns their services with every problem. It can also take a
//! snapshot of the same services, to compare it with another one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::compile::Compilation;
use crate::diagnostic::{Code, Diagnostic, Files, Problems, Severity};
use crate::image::{self, Completed, Setup};
use crate::model::{BuildContext, Index, Kind, Layer, Members, Name, Service, ServiceSet, Snapshot, Target};
use crate::source::{Directory, Memory, Source};
use crate::templates::Templates;
use crate::{import, parallel, render, validate};

/// Judges source directories, in the order in which `s6-rc-compile` gets them. The problems are in the order in which
/// `s6-rc-compile` finds them: it stops at the first error.
pub fn judge<D: Directory>(files: &mut Files, sources: Vec<Source<D>>, target: Target) -> Compilation {
    judge_with_external(files, sources, target, &[])
}

/// Judges source directories like [`judge`]. The services `external` are defined elsewhere, so only their names are known.
pub fn judge_with_external<D: Directory>(
    files: &mut Files,
    sources: Vec<Source<D>>,
    target: Target,
    external: &[Name],
) -> Compilation {
    judge_in_context(files, sources, target, external, BuildContext::default())
}

/// Judges source directories like [`judge_with_external`], with the files around them.
pub(super) fn judge_in_context<D: Directory>(
    files: &mut Files,
    sources: Vec<Source<D>>,
    target: Target,
    external: &[Name],
    context: BuildContext,
) -> Compilation {
    let mut problems = Problems::default();
    let mut services = ServiceSet { context, ..import::tree(sources, target, files, &mut problems) };
    add_external(&mut services, external);
    if !refuse_too_many(&services, &mut problems) {
        validate::validate(&services, true, &mut problems);
    }
    problems.sort_by_rank();
    Compilation { services, problems }
}

/// Judges the source directories that `open` opens like [`judge_with_external`], and takes a snapshot of them.
pub fn judge_for_comparison<D: Directory>(
    files: &mut Files,
    open: impl Fn() -> Vec<Source<D>>,
    target: Target,
    external: &[Name],
) -> (Compilation, Snapshot) {
    let memory = Memory::default();
    let compilation = judge_with_external(files, memory.of(open()), target, external);
    let snapshot = Snapshot::of(compilation.services.ours(), import::files(memory.of(open())));
    (compilation, snapshot)
}

/// Judges the definitions that `/init` compiles in the file system `root` of a container, and which services it starts.
pub fn judge_image<D: Directory>(
    files: &mut Files,
    root: &D,
    setup: &Setup,
    external: &[Name],
) -> Compilation {
    judge_image_through(|sources| sources, files, root, setup, external)
}

/// Judges the file system `root` like [`judge_image`], and takes a snapshot of the compiled definitions without those of
/// s6-overlay itself.
pub fn judge_image_for_comparison<D: Directory>(
    files: &mut Files,
    root: &D,
    setup: &Setup,
    external: &[Name],
) -> (Compilation, Snapshot) {
    let memory = Memory::default();
    let compilation = judge_image_through(|sources| memory.of(sources), files, root, setup, external);
    let (sources, _) = image::sources(root, setup, &mut Files::default(), &mut Problems::default());
    let mut snapshot = Snapshot::of(compilation.services.ours(), import::files(memory.of(sources)));
    // A start bundle without contents is the one that s6-overlay brings, and not the user's.
    for bundle in setup.system.start_bundles() {
        let name = Name::from(*bundle);
        if snapshot.services.get(&name).is_some_and(|settings| settings.contents.is_empty()) {
            snapshot.services.remove(&name);
        }
    }
    (compilation, snapshot)
}

/// Judges a file system. `wrap` may wrap the sources, for example to remember what is read.
fn judge_image_through<D: Directory, E: Directory>(
    wrap: impl FnOnce(Vec<Source<Completed<D>>>) -> Vec<Source<E>>,
    files: &mut Files,
    root: &D,
    setup: &Setup,
    external: &[Name],
) -> Compilation {
    let mut problems = Problems::default();
    let (sources, boot) = image::sources(root, setup, files, &mut problems);
    let mut services = import::tree(wrap(sources), Target::new(setup.system), files, &mut problems);
    if setup.is_partial {
        services.context = setup.context.clone();
        services.context.scripts.extend(image::scripts(root, true));
    } else {
        services.context.old_places = Some(image::old_places(root));
        services.context.old_scripts = Some(image::old_scripts(root, setup));
    }
    boot.complete(&mut services, files, &mut problems);
    add_external(&mut services, external);
    if !refuse_too_many(&services, &mut problems) {
        validate::validate(&services, setup.is_partial, &mut problems);
    }
    boot.explain(files, &mut problems);
    forget_lower(&setup.lower, setup.upper.as_deref(), files, &mut problems);
    if !problems.has_errors() {
        let scripts = || match setup.is_partial {
            true => Vec::new(),
            false => image::scripts(root, false),
        };
        let image = validate::ImageContext {
            lower: &setup.lower,
            upper: setup.upper.as_deref(),
            scripts: Some(&scripts),
            old_place: boot.old_place(),
        };
        validate::check_start(&services, &image, files, &mut problems);
    }
    problems.sort_by_rank();
    Compilation { services, problems }
}

/// Removes the lints in files of lower layers. They are reported where that layer is judged, and can be changed only there.
fn forget_lower(lower: &[PathBuf], upper: Option<&Path>, files: &Files, problems: &mut Problems) {
    problems.retain_from(0, |problem| {
        let is_lint = matches!(problem.code, Code::Lint(_));
        let file = problem.labels.first().map(|label| files.path(label.origin.file));
        !is_lint || file.is_none_or(|file| validate::lower_layer(lower, upper, file).is_none())
    });
}

/// The largest number of members of all bundles together, in the bundles and in the services that depend on them.
const MOST_MEMBERS: usize = 1 << 20;

/// Whether the services are more than s6gen reads, which is reported.
fn refuse_too_many(services: &ServiceSet, problems: &mut Problems) -> bool {
    let index = Index::new(services);
    if let Some(bundle) = Members::first_beyond(&index, MOST_MEMBERS) {
        let message = format!("the bundles stand for more than {MOST_MEMBERS} services");
        problems.push(
            Diagnostic::new(Code::ManifestTooLarge, message)
                .at(index.origin(bundle), "counted up to this one, once for each dependent")
                .help("depend on fewer services, or on smaller bundles"),
        );
    }
    problems.iter().any(|problem| problem.code == Code::ManifestTooLarge)
}

/// How many definitions of a manifest are rendered at once for a snapshot.
const PART: usize = 256;

/// Takes a snapshot of the tree that is rendered from `services`, with what they add to other layers. The services must have no
/// errors.
///
/// # Errors
/// An error in a template. The text names the template and the line.
pub fn snapshot(services: &ServiceSet, templates: &Templates) -> Result<Snapshot, String> {
    snapshot_beside(services, templates, &Snapshot::default())
}

/// Takes a snapshot like [`snapshot`]. Services that have the same files in `other` share them.
pub(super) fn snapshot_beside(
    services: &ServiceSet,
    templates: &Templates,
    other: &Snapshot,
) -> Result<Snapshot, String> {
    let target = &services.target;
    let ours: Vec<&Service> = services.ours().collect();
    let parts: Vec<&[&Service]> = ours.chunks(PART).collect();
    let parts = parallel::map(&parts, 2, |part| {
        let files = render::definition_files(part, target, templates)?;
        let mut snapshot = Snapshot::of(part.iter().copied(), files);
        snapshot.share(other);
        Ok(snapshot.services)
    });
    let parts: Vec<_> = parts.into_iter().collect::<Result<_, String>>()?;
    let mut snapshot = Snapshot { services: parts.into_iter().flatten().collect() };
    snapshot.add_other_layers(services);
    Ok(snapshot)
}

/// Takes a snapshot of the source directories that `open` opens.
pub fn snapshot_of<D: Directory>(open: impl Fn() -> Vec<Source<D>>) -> Snapshot {
    let (memory, mut files) = (Memory::default(), Files::default());
    let set = import::tree(memory.of(open()), Target::default(), &mut files, &mut Problems::default());
    Snapshot::of(set.ours(), import::files(memory.of(open())))
}

/// The verdict of `s6-rc-compile` on the services, as one word: the class of the first error, or `ok`. The words
/// `manifest` and `image` stand for errors that s6-rc-compile cannot see.
pub fn verdict(compilation: &Compilation, is_manifest: bool) -> &'static str {
    let mut errors = compilation.problems.iter().filter(|problem| problem.severity == Severity::Error);
    let Some(problem) = errors.next() else { return "ok" };
    match problem.class {
        Some(class) => class.slug(),
        // s6-rc-compile accepts these. The problem is that `/init` then does not start the services.
        None if matches!(problem.code, Code::UserInTwoPlaces | Code::BundlesTooNew) => "ok",
        None if is_manifest => "manifest",
        None => "image",
    }
}

/// The number of definitions of the user, without the start bundles of the target.
pub fn count_definitions(services: &ServiceSet) -> usize {
    let system = services.target.system;
    let is_start = |name: &Name| system.start_bundles().iter().any(|bundle| *name == **bundle);
    services.ours().filter(|service| !is_start(&service.name)).count()
}

/// Adds external services for these names, except for names that `services` already defines.
fn add_external(services: &mut ServiceSet, external: &[Name]) {
    let index = Index::new(services);
    let new: BTreeSet<Name> = external.iter().filter(|name| index.find(name).is_none()).cloned().collect();
    for name in new {
        let service = Service::new(name, None, Kind::Unknown);
        services.services.push(Service { layer: Layer::External, ..service });
    }
}
