//! Compares two systems: two manifests or directories, or the running system with the one after an update.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use super::compile::Compilation;
use super::container::Container;
use super::desired::Desired;
use super::error::JobError;
use super::file_system::{mount, overlay_parts};
use super::judge::{judge_for_comparison, judge_image_for_comparison, snapshot_of};
use super::levels::Levels;
use super::project::Project;
use super::running::{Connection, RunningSystem, work_directory};
use super::templates::{Overrides, render_snapshot};
use crate::compare::{self, Comparison};
use crate::diagnostic::{Code, Diagnostic, Files};
use crate::disk;
use crate::image::Setup;
use crate::live::{self, CompiledDatabase, Live};
use crate::model::{File, Name, NodeKind, Settings, Snapshot, System, Target};
use crate::source::Union;

/// How to read manifests and directories for a comparison.
#[derive(Debug)]
pub struct Reading {
    /// Read directories as `/init` of this s6-overlay does. Without it: as that of the container does, if a directory is
    /// compared with the running system; otherwise as the newest one does, if the directory holds `s6-rc.d`.
    pub overlay: Option<System>,
    /// Services that are defined elsewhere, for directories.
    pub external: Vec<Name>,
    /// Templates for manifests. An error is reported only if a manifest needs them.
    pub overrides: Result<Overrides, Diagnostic>,
}

/// A comparison and its assumption.
#[derive(Debug)]
pub struct DiffResult {
    /// The comparison.
    pub comparison: Comparison,
    /// A clause on the services that are assumed to be up. `None` if the running system was asked.
    pub assumption: Option<String>,
}

/// One of the two systems that are compared.
struct Side {
    snapshot: Snapshot,
    /// The services that are up before an update.
    up: BTreeSet<Name>,
    /// See [`DiffResult::assumption`].
    assumption: Option<String>,
}

/// The files that oneshots may run, by oneshot. A compiled database does not contain them.
type Scripts = BTreeMap<Name, BTreeMap<String, File>>;

/// The beginning of the name of the directory for a preview. The rest is the process id.
const PREVIEW: &str = "diff.";
/// How often to read the running system again because it changed meanwhile.
const TRIES: u32 = 20;
/// How long to wait before reading again.
const PAUSE: Duration = Duration::from_millis(100);

/// Compares two manifests or directories.
///
/// # Errors
/// One of the two has errors.
pub fn compare_files(old: &Path, new: &Path, reading: &Reading) -> Result<DiffResult, JobError> {
    let old = reading.read(old, reading.overlay, &Snapshot::default())?;
    let new = reading.read(new, reading.overlay, &old.snapshot)?;
    Ok(difference(old, &new))
}

/// Compares the running system with the definitions in the directory `new`, with the manifest `new`, or without `new` with the
/// manifest that the container carries.
///
/// # Errors
/// The manifest or directory has errors, or the running system cannot be asked.
pub fn compare_with_running(
    new: Option<&Path>,
    reading: &Reading,
    container: &Container,
    system: &RunningSystem,
    connection: Connection<'_>,
) -> Result<DiffResult, JobError> {
    if let Some(folder) = new.filter(|path| disk::is_directory(path)) {
        let snapshot = folder_snapshot(folder, reading, container)?;
        return system
            .ask(connection, |live| compare_until_stable(live, container, |_| Ok(snapshot.clone())));
    }
    let desired = Desired::load(container, new)?;
    let preview = |place: &Path| {
        let differ = desired.differing(&desired.differences(container)?);
        desired.snapshot(&desired.preview(container, &differ, place)?)
    };
    system.ask(connection, |live| compare_until_stable(live, container, preview))
}

/// The system that a boot of the container would compile if `folder` replaced its definitions.
fn folder_snapshot(folder: &Path, reading: &Reading, container: &Container) -> Result<Snapshot, JobError> {
    let system = container.overlay();
    let overlay = reading.overlay.or(system);
    let mut snapshot = reading.read(folder, overlay, &Snapshot::default())?.snapshot;
    let Some(system) = system else { return Ok(snapshot) };
    let own = system.own_definitions_dir().map(|own| container.path(&own));
    let own = snapshot_of(|| own.iter().map(disk::source).collect());
    let start_bundles = system.start_bundles().iter();
    let start_bundles = start_bundles.map(|name| (Name::from(*name), Settings::new(NodeKind::Bundle)));
    for (name, settings) in own.services.into_iter().chain(start_bundles) {
        snapshot.services.entry(name).or_insert(settings);
    }
    Ok(snapshot)
}

/// Compares the running system with the snapshot that `new` makes. `new` may write files into the directory that it gets.
/// If another process replaces the live database or the definitions meanwhile, it reads both systems again.
fn compare_until_stable(
    live: &mut Live<'_>,
    container: &Container,
    new: impl Fn(&Path) -> Result<Snapshot, JobError>,
) -> Result<DiffResult, JobError> {
    let mut tries = TRIES;
    loop {
        let before = live::live_database(live.directory());
        let read = compare_once(live, container, &new);
        let is_replaced = live::live_database(live.directory()) != before;
        let is_replacing = || live::lock_holder(&work_directory(live.directory())).is_some();
        if tries == 0 || !is_replaced && (read.is_ok() || !is_replacing()) {
            return read;
        }
        tries -= 1;
        sleep(PAUSE);
    }
}

fn compare_once(
    live: &mut Live<'_>,
    container: &Container,
    new: &impl Fn(&Path) -> Result<Snapshot, JobError>,
) -> Result<DiffResult, JobError> {
    let work = work_directory(live.directory());
    live::remove_abandoned(&work, PREVIEW);
    let place = work.join(format!("{PREVIEW}{}", std::process::id()));
    let snapshot = new(&place);
    disk::remove_folder(&place)?;
    let snapshot = snapshot?;
    let up = compare::running(&snapshot, &at_boot(&snapshot).0);
    let mut new = Side { snapshot, up, assumption: None };

    let snapshot = running_snapshot(live)?;
    let mut old = Side { snapshot, up: live.active()?, assumption: None };
    let (old_scripts, new_scripts) = scripts(&old.snapshot, &new.snapshot, container)?;
    // A database does not contain all settings, so compare only those that it has.
    flatten(&mut old.snapshot, old_scripts);
    flatten(&mut new.snapshot, new_scripts);
    Ok(difference(old, &new))
}

/// The settings of the services in the live database.
fn running_snapshot(live: &mut Live<'_>) -> Result<Snapshot, JobError> {
    let compiled = live.compiled();
    let mut snapshot = live.snapshot(&compiled)?;
    let database = CompiledDatabase::at(&compiled);
    for (name, settings) in &mut snapshot.services {
        if settings.kind == NodeKind::Longrun {
            settings.files = database.settings(name)?.files;
        }
    }
    Ok(snapshot)
}

/// The files that the oneshots of both systems may run. The running system runs them from the definitions on the disk.
fn scripts(old: &Snapshot, new: &Snapshot, container: &Container) -> Result<(Scripts, Scripts), JobError> {
    let (mut before, mut after) = (Scripts::new(), Scripts::new());
    let Ok(definitions) = container.definitions() else { return Ok((before, after)) };
    let is_oneshot = |snapshot: &Snapshot, name: &Name| {
        snapshot.services.get(name).is_some_and(|settings| settings.kind == NodeKind::Oneshot)
    };
    for (name, settings) in &new.services {
        if !is_oneshot(new, name) || !is_oneshot(old, name) {
            continue;
        }
        let (mut old_files, mut new_files) = (BTreeMap::new(), BTreeMap::new());
        for (path, file) in settings.files.iter() {
            if let Some(content) = disk::read_if_there(&definitions.join(name.to_string()).join(path))? {
                old_files
                    .insert(path.to_owned(), File { content: content.into(), executable: file.executable });
                new_files.insert(path.to_owned(), file.clone());
            }
        }
        before.insert(name.clone(), old_files);
        after.insert(name.clone(), new_files);
    }
    Ok((before, after))
}

fn flatten(snapshot: &mut Snapshot, scripts: Scripts) {
    *snapshot = snapshot.flattened();
    for (name, files) in scripts {
        if let Some(settings) = snapshot.services.get_mut(&name) {
            settings.files = files.into();
        }
    }
}

fn difference(old: Side, new: &Side) -> DiffResult {
    let comparison = Comparison::of(&old.snapshot, &new.snapshot, &old.up, &new.up);
    DiffResult { comparison, assumption: old.assumption }
}

impl Reading {
    /// Reads a manifest, or a directory as the s6-overlay `overlay` does. Services that have the same files in `other` share
    /// them.
    fn read(&self, path: &Path, overlay: Option<System>, other: &Snapshot) -> Result<Side, JobError> {
        let (files, compilation, snapshot) = match disk::is_directory(path) {
            true => self.directory(path, overlay),
            false => self.manifest(path, other),
        };
        if compilation.problems.has_errors() {
            return Err(JobError { files, problems: compilation.problems.iter().cloned().collect() });
        }
        // The services of a large system take as much memory as the comparison.
        drop((files, compilation));
        let (started, assumption) = at_boot(&snapshot);
        let up = compare::running(&snapshot, &started);
        Ok(Side { snapshot, up, assumption: Some(assumption) })
    }

    fn manifest(&self, path: &Path, other: &Snapshot) -> (Files, Compilation, Snapshot) {
        let mut project = Project::load(path).with_levels(Levels::lenient());
        let mut compilation = project.compile();
        let none = Snapshot::default();
        if compilation.problems.has_errors() {
            // The help for other commands names an option that `diff` does not have.
            compilation.problems.revise(|problem| {
                problem.help = problem.help.take().filter(|_| problem.code != Code::ManifestUnreadable);
            });
            return (project.files, compilation, none);
        }
        let services = &compilation.services;
        let taken = self.overrides.clone();
        let taken = taken.and_then(|overrides| render_snapshot(services, &overrides, other));
        let snapshot = taken.unwrap_or_else(|problem| {
            compilation.problems.push(problem);
            none
        });
        (project.files, compilation, snapshot)
    }

    fn directory(&self, path: &Path, overlay: Option<System>) -> (Files, Compilation, Snapshot) {
        let mut files = Files::default();
        let opened = mount(path);
        // In a source directory, definitions of these names would have a `type` and no definitions in them.
        let is_image = !overlay_parts(path).is_empty();
        let system = overlay.or(is_image.then_some(System::NEWEST_OVERLAY));
        let (compilation, snapshot) = match (system, opened.and_then(|mount| Union::new(vec![mount]))) {
            (Some(system), Ok(root)) => {
                let setup = Setup { is_partial: true, ..Setup::new(system) };
                judge_image_for_comparison(&mut files, &root, &setup, &self.external)
            }
            _ => {
                let open = || vec![disk::source(path)];
                let target = Target::new(System::NEWEST_S6RC);
                judge_for_comparison(&mut files, open, target, &self.external)
            }
        };
        (files, compilation, snapshot)
    }
}

/// The services and bundles that start at boot, and the clause on the services that are therefore assumed to be up.
fn at_boot(snapshot: &Snapshot) -> (Vec<Name>, String) {
    let starts = |name: &&str| {
        let settings = snapshot.services.get(&Name::from(*name));
        settings.is_some_and(|settings| settings.kind == NodeKind::Bundle && !settings.contents.is_empty())
    };
    // The bundles of s6-overlay, and the one that s6gen and most others start.
    let started = [&["top"][..], &["user", "user2"], &["default"]]
        .iter()
        .map(|names| names.iter().copied().filter(starts).collect::<Vec<_>>())
        .find(|names| !names.is_empty());
    match started {
        Some(names) => {
            (names.into_iter().map(Name::from).collect(), "everything that starts at boot is up".into())
        }
        None => (snapshot.services.keys().cloned().collect(), "every service is up".into()),
    }
}
