//! The settings of all services of a tree or a compiled database, in a form that can be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{
    Content, DefinitionFile, FDHOLDER, File, FileMap, Kind, Layer, Longrun, Name, NodeKind, ONESHOT_RUNNER,
    Script, Service, ServiceSet, Words,
};
use crate::execline;

/// The settings of all services of a source directory or a compiled database.
///
/// It never contains the two services that s6-rc adds to every database, nor dependencies on them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The services by name.
    pub services: BTreeMap<Name, Settings>,
}

/// The settings of one service. Settings that its type does not have are empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Its type. For a service of another layer it is unknown, and the settings are only the additions to that service.
    pub kind: NodeKind,
    /// The services that it waits for directly. In a database they are atomic, and include the consumer of a producer.
    pub dependencies: BTreeSet<Name>,
    /// The members of a bundle. In a database they are atomic.
    pub contents: BTreeSet<Name>,
    /// The consumer of its standard output.
    pub producer_for: Option<Name>,
    /// The producers that it reads from.
    pub consumer_for: BTreeSet<Name>,
    /// The bundle of its pipeline. In a database this bundle is an ordinary one, and this field is empty.
    pub pipeline_name: Option<Name>,
    /// Milliseconds for starting; 0 is no limit.
    pub timeout_up: u32,
    /// Milliseconds for stopping; 0 is no limit.
    pub timeout_down: u32,
    /// Whether only `s6-rc -D` stops it. In a database the members of a bundle have the flags of the bundle.
    pub flag_essential: bool,
    /// A hint for s6-rc's repository tools.
    pub flag_recommended: bool,
    /// The command line of `up`. It may be as long as a script, so systems share it, as they share files.
    pub up: Arc<Words>,
    /// The command line of `down`.
    pub down: Arc<Words>,
    /// The command line of `reload`, which no tool reads out of a database.
    pub reload: Arc<Words>,
    /// The other files of the definition by path (`run`, `notification-fd`, `data/check`). For a longrun these are the files
    /// that s6-rc-compile copies, in the form in which it writes them: a number and a newline, an empty flag, `run` and
    /// `finish` executable, without the wrappers of pipelines. For a oneshot these are all other files, because `up` may run
    /// them. A database has no files of oneshots.
    pub files: FileMap,
}

impl Settings {
    /// The settings of a service of which only the type is known.
    pub fn new(kind: NodeKind) -> Self {
        Settings {
            kind,
            dependencies: BTreeSet::new(),
            contents: BTreeSet::new(),
            producer_for: None,
            consumer_for: BTreeSet::new(),
            pipeline_name: None,
            timeout_up: 0,
            timeout_down: 0,
            flag_essential: false,
            flag_recommended: false,
            up: Arc::default(),
            down: Arc::default(),
            reload: Arc::default(),
            files: FileMap::default(),
        }
    }

    /// Whether it is part of a pipeline. s6-rc wraps the scripts of such a service, and adds a dependency on the service that
    /// keeps the pipes open.
    pub fn is_pipelined(&self) -> bool {
        self.producer_for.is_some() || !self.consumer_for.is_empty()
    }
}

/// The files of definitions by path, by service.
pub type DefinitionFiles = BTreeMap<Name, BTreeMap<String, File>>;

impl Snapshot {
    /// The snapshot of services and of the files of their definitions.
    pub fn of<'a>(services: impl IntoIterator<Item = &'a Service>, mut files: DefinitionFiles) -> Self {
        let mut snapshot = Snapshot::default();
        for service in services {
            let kind = match service.kind {
                Kind::Longrun(_) => NodeKind::Longrun,
                Kind::Oneshot(_) => NodeKind::Oneshot,
                Kind::Bundle(_) => NodeKind::Bundle,
                Kind::Unknown => continue,
            };
            // If a name has two definitions, the first one counts.
            if !snapshot.services.contains_key(&service.name) {
                let files = files.remove(&service.name).unwrap_or_default();
                snapshot.services.insert(service.name.clone(), settings(service, kind, files));
            }
        }
        snapshot
    }

    /// Adds the additions of `set` to other layers: dependencies of their services, and members of the bundles that the
    /// system starts.
    pub fn add_other_layers(&mut self, set: &ServiceSet) {
        let names = |list: &[super::ServiceRef]| list.iter().map(|r| r.name.clone()).collect::<BTreeSet<_>>();
        for service in set.services.iter().filter(|service| service.layer != Layer::Ours) {
            let is_start = set.target.system.start_bundles().iter().any(|bundle| service.name == **bundle);
            let settings = match &service.kind {
                Kind::Bundle(bundle) if is_start && !bundle.contents.is_empty() => {
                    Settings { contents: names(&bundle.contents), ..Settings::new(NodeKind::Bundle) }
                }
                _ if !service.extended_by.is_empty() => {
                    Settings { dependencies: names(&service.extended_by), ..Settings::new(NodeKind::Unknown) }
                }
                _ => continue,
            };
            self.services.entry(service.name.clone()).or_insert(settings);
        }
    }

    /// Shares the files and command lines of services that are equal in `other`.
    pub fn share(&mut self, other: &Snapshot) {
        for (name, settings) in &mut self.services {
            if let Some(other) = other.services.get(name) {
                settings.files.share(&other.files);
                let Settings { up, down, reload, .. } = settings;
                for (line, other) in [(up, &other.up), (down, &other.down), (reload, &other.reload)] {
                    if line == other {
                        *line = Arc::clone(other);
                    }
                }
            }
        }
    }

    /// The atomic services that `name` stands for: itself, or all members of a bundle or pipeline, also those of inner bundles.
    /// A name that is not defined here stands for itself.
    pub fn atomics(&self, name: &Name) -> BTreeSet<Name> {
        self.atomics_beside(name, &self.pipelines())
    }

    fn atomics_beside(&self, name: &Name, pipelines: &BTreeMap<&Name, BTreeSet<Name>>) -> BTreeSet<Name> {
        let mut atomics = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut todo = vec![name];
        while let Some(name) = todo.pop() {
            if !seen.insert(name) {
                continue;
            }
            match self.services.get(name) {
                Some(settings) if settings.kind == NodeKind::Bundle => todo.extend(&settings.contents),
                None if pipelines.contains_key(name) => todo.extend(&pipelines[name]),
                _ => {
                    atomics.insert(name.clone());
                }
            }
        }
        atomics
    }

    /// The pipelines that have a name, with the last consumer and all its producers, direct and indirect.
    fn pipelines(&self) -> BTreeMap<&Name, BTreeSet<Name>> {
        let named = self.services.iter().filter_map(|(last, settings)| {
            let name = settings.pipeline_name.as_ref()?;
            let mut members = BTreeSet::new();
            let mut todo = vec![last];
            while let Some(member) = todo.pop() {
                if members.insert(member.clone())
                    && let Some(settings) = self.services.get(member)
                {
                    todo.extend(&settings.consumer_for);
                }
            }
            Some((name, members))
        });
        named.collect()
    }

    /// The normal form, which is equal for a source directory and for the database that is compiled from it: bundles and
    /// pipelines are replaced by their members, and facts that a database does not have are left out.
    pub fn flattened(&self) -> Snapshot {
        let pipelines = self.pipelines();
        let bundles: BTreeMap<&Name, BTreeSet<Name>> = self
            .services
            .iter()
            .filter(|(_, settings)| settings.kind == NodeKind::Bundle)
            .map(|(name, _)| name)
            .chain(pipelines.keys().copied())
            .map(|name| (name, self.atomics_beside(name, &pipelines)))
            .collect();
        let mut flat = Snapshot::default();
        for (name, settings) in &self.services {
            if settings.kind != NodeKind::Bundle {
                flat.services.insert(name.clone(), flat_settings(settings, &bundles));
            }
        }
        for (name, members) in &bundles {
            if let Some(bundle) = self.services.get(name) {
                for member in members {
                    if let Some(member) = flat.services.get_mut(member) {
                        member.flag_essential |= bundle.flag_essential;
                        member.flag_recommended |= bundle.flag_recommended;
                    }
                }
            }
        }
        for (name, contents) in bundles {
            flat.services.insert(name.clone(), Settings { contents, ..Settings::new(NodeKind::Bundle) });
        }
        flat
    }
}

fn flat_settings(settings: &Settings, bundles: &BTreeMap<&Name, BTreeSet<Name>>) -> Settings {
    let mut flat = settings.clone();
    flat.dependencies.clear();
    for name in &settings.dependencies {
        match bundles.get(name) {
            Some(members) => flat.dependencies.extend(members.iter().cloned()),
            None => {
                flat.dependencies.insert(name.clone());
            }
        }
    }
    let added = settings.producer_for.iter();
    flat.dependencies.retain(|name| {
        *name != *ONESHOT_RUNNER && *name != *FDHOLDER && added.clone().all(|consumer| consumer != name)
    });
    flat.pipeline_name = None;
    flat.reload = Arc::default();
    if flat.kind == NodeKind::Oneshot {
        flat.files = FileMap::default();
    }
    flat
}

/// The settings of a service with the files `files`.
fn settings(service: &Service, kind: NodeKind, mut files: BTreeMap<String, File>) -> Settings {
    let names = |list: &[super::ServiceRef]| list.iter().map(|reference| reference.name.clone()).collect();
    let (timeout_up, timeout_down) = service.timeouts();
    let mut settings = Settings {
        dependencies: names(service.dependencies()),
        timeout_up,
        timeout_down,
        flag_essential: service.flag_essential,
        flag_recommended: service.flag_recommended,
        ..Settings::new(kind)
    };
    match &service.kind {
        Kind::Bundle(bundle) => settings.contents = names(&bundle.contents),
        Kind::Oneshot(oneshot) => {
            settings.up = shared_words(Some(&oneshot.up), files.get("up"));
            settings.down = shared_words(oneshot.down.as_ref(), files.get("down"));
            settings.reload = shared_words(oneshot.reload.as_ref(), files.get("reload"));
            files.retain(|path, _| !is_setting(path));
            settings.files = files.into();
        }
        Kind::Longrun(longrun) => {
            let only = |list: &Option<Vec<super::ServiceRef>>| {
                list.as_ref().and_then(|list| list.first()).map(|reference| reference.name.clone())
            };
            settings.producer_for = only(&longrun.producer_for);
            settings.consumer_for = names(&longrun.consumer_for);
            settings.pipeline_name = only(&longrun.pipeline_name);
            settings.files = longrun_files(service, longrun, files).into();
        }
        Kind::Unknown => {}
    }
    settings
}

/// The files of the service directory that s6-rc-compile makes of a longrun.
fn longrun_files(
    service: &Service,
    longrun: &Longrun,
    mut files: BTreeMap<String, File>,
) -> BTreeMap<String, File> {
    let known = |name: &str| DefinitionFile::find(name.as_bytes()).map(|file| &file.content);
    files.retain(|path, _| match path.split_once('/') {
        Some((folder, _)) => matches!(known(folder), Some(Content::Folder)),
        None => matches!(known(path), Some(Content::Program(_) | Content::Signal(_))),
    });
    for file in DefinitionFile::of("longrun") {
        let content = match file.content {
            Content::Program(_) => {
                if let Some(program) = files.get_mut(file.name) {
                    program.executable = true;
                }
                None
            }
            Content::Number(number) => number(longrun).map(|number| format!("{number}\n")),
            // Flags that bundles have too are settings of s6-rc, and not files of the service directory.
            Content::Flag(is_set) if !file.is_read_in("bundle") => is_set(service).then(String::new),
            _ => None,
        };
        if let Some(content) = content {
            files.insert(
                file.name.to_owned(),
                File { content: content.into_bytes().into(), executable: false },
            );
        }
    }
    files
}

/// The command line of a script, which is in `file` if it was generated.
fn shared_words(script: Option<&Script>, file: Option<&File>) -> Arc<Words> {
    Arc::new(match (script, file) {
        (Some(Script::Words(words)), _) => words.clone(),
        (Some(_), Some(file)) => execline::words(&file.content).unwrap_or_default(),
        _ => Words::new(),
    })
}

/// Whether s6-rc-compile reads a file of a oneshot as a setting.
fn is_setting(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or(path);
    DefinitionFile::of("oneshot").any(|file| file.name == first)
}
