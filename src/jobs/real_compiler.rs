//! Asks the real s6-rc-compile what it makes of definitions, and reads the database back.
//!
//! The definitions are written to a directory for temporary files and compiled there. s6-rc-compile only reads them, and nothing
//! starts them. The services of s6-overlay and of other layers, which only the image has, are written as oneshots that do nothing.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::import_tree::ReadTree;
use super::judge::judge_with_external;
use super::running::ProcessTable;
use crate::compare::SystemFacts;
use crate::diagnostic::Files;
use crate::disk::{self, DiskError};
use crate::live::{CompiledDatabase, Failure, Limits, Live, Programs};
use crate::model::{
    FDHOLDER, File, Kind, Layer, Longrun, Name, NodeKind, ONESHOT_RUNNER, Service, ServiceRef, Settings,
    Snapshot, System, Target,
};
use crate::tree::{SourceTree, TreeEntry};

/// Why there are no facts of the real compiler.
#[derive(Debug)]
pub(super) enum NoDatabase {
    /// There is no s6-rc-compile, or no s6-rc-db, on PATH.
    NotFound,
    /// It refuses the definitions, with this message.
    Refused(String),
    /// The directory for temporary files cannot be used.
    Disk(DiskError),
}

impl From<DiskError> for NoDatabase {
    fn from(error: DiskError) -> Self {
        NoDatabase::Disk(error)
    }
}

impl From<Failure> for NoDatabase {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Missing(_, error) if error.kind() == ErrorKind::NotFound => NoDatabase::NotFound,
            Failure::Failed(call, answer) => {
                let message = String::from_utf8_lossy(&answer.err).trim().to_owned();
                NoDatabase::Refused(if message.is_empty() { call.program.to_owned() } else { message })
            }
            other => NoDatabase::Refused(format!("{other:?}")),
        }
    }
}

/// The facts of the database that the real s6-rc-compile makes of definitions, about the services for which `is_ours` holds.
pub(super) fn compiled_facts(
    tree: &ReadTree,
    is_ours: impl Fn(&Name) -> bool,
    programs: &mut dyn Programs,
) -> Result<SystemFacts, NoDatabase> {
    let folder = TemporaryFolder::new()?;
    let (source, database) = (folder.path.join("source"), folder.path.join("database"));
    write(&definitions(tree), &source)?;
    let limits = Limits { wait: Duration::ZERO, change: None };
    let mut quiet = |_: &str| {};
    let mut live = Live::new(&folder.path, programs, limits, &mut quiet, &ProcessTable);
    live.compile(&database, &[source])?;
    let mut snapshot = live.snapshot(&database)?;
    let compiled = CompiledDatabase::at(&database);
    for name in compiled.longruns()? {
        if let Some(settings) = snapshot.services.get_mut(&name) {
            settings.files = compiled.settings(&name)?.files;
        }
    }
    Ok(facts(&snapshot, tree, is_ours))
}

/// A directory for temporary files, which is removed in the end.
struct TemporaryFolder {
    path: PathBuf,
}

impl TemporaryFolder {
    fn new() -> Result<Self, DiskError> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let below = std::env::temp_dir();
        let below = std::path::absolute(&below).unwrap_or(below);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = below.join(format!("s6gen-import.{}.{number}", std::process::id()));
        // Nobody else can have made it: one that exists already is an error.
        disk::make_directory(&path).map_err(DiskError::of("make", &path))?;
        Ok(TemporaryFolder { path })
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = disk::remove_folder(&self.path);
    }
}

/// Writes a tree to a directory that does not exist yet.
fn write(tree: &SourceTree, to: &Path) -> Result<(), DiskError> {
    disk::make_folder(to)?;
    for (path, entry) in tree.entries() {
        let path = to.join(path);
        match entry {
            TreeEntry::Directory => drop(disk::make_folder(&path)?),
            _ => {
                disk::make_folder(path.parent().unwrap_or(to))?;
                disk::create(&path, entry).map_err(DiskError::of("write", &path))?;
            }
        }
    }
    Ok(())
}

/// The definitions as one source directory.
fn definitions(tree: &ReadTree) -> SourceTree {
    let mut source = SourceTree::default();
    for service in &tree.compilation.services.services {
        let name = &service.name;
        if *name == *ONESHOT_RUNNER || *name == *FDHOLDER || source.has_below(&name.to_string()) {
            continue;
        }
        let files = tree.definitions.files.get(name);
        match files.filter(|files| files.contains_key("type")) {
            Some(files) => definition(service, files, &mut source),
            None => stand_in(service, files, &mut source),
        }
    }
    source
}

/// A definition as it was read.
fn definition(service: &Service, files: &BTreeMap<String, File>, source: &mut SourceTree) {
    let name = &service.name;
    for (path, File { content, executable }) in files {
        source.file(format!("{name}/{path}"), content.to_vec(), *executable);
    }
    // A flag is set by anything of its name, also by a directory.
    let longrun = |flag: fn(&Longrun) -> bool| service.longrun().is_some_and(flag);
    for (flag, is_set) in [
        ("flag-essential", service.flag_essential),
        ("flag-recommended", service.flag_recommended),
        ("flag-timeout-killpg", longrun(|longrun| longrun.flag_timeout_killpg)),
        ("flag-newpidns", longrun(|longrun| longrun.flag_newpidns)),
    ] {
        if is_set {
            source.file(format!("{name}/{flag}"), "", false);
        }
    }
    for (list, names) in [("contents", service.contents()), ("dependencies", service.dependencies())] {
        let directory = format!("{name}/{list}.d");
        let written = files.get(list).map(|file| String::from_utf8_lossy(&file.content)).unwrap_or_default();
        let is_in_file = |other: &ServiceRef| written.lines().any(|line| other.name == *line.trim());
        let is_used = source.has_below(&directory) || names.is_empty() || !names.iter().all(is_in_file);
        if !is_used || list == "contents" && service.kind.word() != "bundle" {
            continue;
        }
        // Of a list only the names count, also of entries that are no files.
        source.directory(directory.clone());
        for other in names {
            source.file(format!("{directory}/{}", other.name), "", false);
        }
    }
}

/// A definition of another layer, of which only the dependencies or the contents are known.
fn stand_in(service: &Service, files: Option<&BTreeMap<String, File>>, source: &mut SourceTree) {
    let name = &service.name;
    let (kind, list, names) = match service.kind {
        Kind::Bundle(_) => ("bundle", "contents.d", service.contents()),
        _ => ("oneshot", "dependencies.d", service.dependencies()),
    };
    source.file(format!("{name}/type"), format!("{kind}\n"), false);
    source.directory(format!("{name}/{list}"));
    let names = names.iter().map(|other| format!("{list}/{}", other.name));
    let added =
        files.into_iter().flat_map(BTreeMap::keys).filter(|path| path.starts_with(&format!("{list}/")));
    for path in names.chain(added.cloned()) {
        source.file(format!("{name}/{path}"), "", false);
    }
    if kind == "oneshot" {
        source.file(format!("{name}/up"), "true\n", false);
    }
}

/// The facts of a database. It becomes definitions again, which are read as any others, so that values that mean the same are equal.
fn facts(snapshot: &Snapshot, tree: &ReadTree, is_ours: impl Fn(&Name) -> bool) -> SystemFacts {
    let mut source = SourceTree::default();
    for (name, settings) in &snapshot.services {
        decompiled(name, settings, &mut source);
    }
    let target = Target::new(System::NEWEST_S6RC);
    let mut services =
        judge_with_external(&mut Files::default(), vec![source.source("")], target, &[]).services;
    let known = &tree.compilation.services;
    services.target = known.target.clone();
    for service in &mut services.services {
        let layer = known.services.iter().find(|known| known.name == service.name).map(|known| known.layer);
        if layer == Some(Layer::Overlay) {
            service.layer = Layer::Overlay;
        }
    }
    SystemFacts::of(&services, is_ours)
}

/// The definition of which the compiler would make these settings.
fn decompiled(name: &Name, settings: &Settings, source: &mut SourceTree) {
    let mut file = |path: &str, content: String| source.file(format!("{name}/{path}"), content, false);
    let kind = match settings.kind {
        NodeKind::Bundle => "bundle",
        NodeKind::Longrun => "longrun",
        _ => "oneshot",
    };
    file("type", format!("{kind}\n"));
    for (list, names) in [("contents.d", &settings.contents), ("dependencies.d", &settings.dependencies)] {
        for other in names {
            file(&format!("{list}/{other}"), String::new());
        }
    }
    for (path, limit) in [("timeout-up", settings.timeout_up), ("timeout-down", settings.timeout_down)] {
        if limit > 0 {
            file(path, format!("{limit}\n"));
        }
    }
    for (path, is_set) in
        [("flag-essential", settings.flag_essential), ("flag-recommended", settings.flag_recommended)]
    {
        if is_set {
            file(path, String::new());
        }
    }
    let producers = settings.consumer_for.iter().map(|producer| format!("{producer}\n")).collect::<String>();
    for (path, names) in [
        ("producer-for", settings.producer_for.as_ref().map(|consumer| format!("{consumer}\n"))),
        ("consumer-for", Some(producers).filter(|producers| !producers.is_empty())),
        ("up", (kind == "oneshot").then(|| "true\n".to_owned())),
    ] {
        if let Some(names) = names {
            file(path, names);
        }
    }
    for (path, content) in settings.files.iter() {
        source.file(format!("{name}/{path}"), content.content.to_vec(), content.executable);
    }
    if kind == "bundle" {
        source.directory(format!("{name}/contents.d"));
    }
}
