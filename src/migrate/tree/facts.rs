//! What is known of all definitions together, and which ones no manifest can have.

use std::collections::{BTreeMap, BTreeSet};

use super::OldTree;
use super::generated::{generated_for, is_generated_run};
use super::script::text_problem;
use crate::model::{
    DefinitionFiles, File, Index, Kind, Layer, Longrun, Name, Node, NodeKind, ONESHOT_RUNNER, ProgramForm,
    Script, Service, ServiceRef, System, Target,
};
use crate::templates::has_root_wrapper;

/// Facts about all definitions together.
pub(super) struct Facts<'a> {
    pub(super) old: OldTree<'a>,
    pub(super) index: Index<'a>,
    /// The atomic services that start at boot, and those that start after the legacy services.
    pub(super) boot: BTreeSet<Node>,
    pub(super) late: BTreeSet<Node>,
    /// The services that the bundles for the boot name themselves.
    pub(super) named: BTreeSet<Name>,
    /// The members of the bundle `base`.
    pub(super) base: BTreeSet<Node>,
    /// Why a definition cannot be in a manifest.
    refusals: BTreeMap<Name, String>,
    /// The services that s6gen made of a template, each with the name of the template.
    instances: BTreeMap<Name, Name>,
    /// The loggers that s6gen generated, each with the name of its service and what it does.
    pub(super) loggers: BTreeMap<Name, (String, &'static str)>,
}

impl<'a> Facts<'a> {
    pub(super) fn new(old: OldTree<'a>) -> Self {
        let index = Index::new(old.services);
        let node = |name: &str| index.find(&name.into());
        let is_overlay = old.services.target.system.is_overlay();
        let first = if is_overlay { "user" } else { "default" };
        let closure = |name: &str| index.closure(node(name));
        let base = node("base").filter(|_| is_overlay).map(|base| index.atomics(base)).unwrap_or_default();
        let late = if is_overlay { closure("user2") } else { BTreeSet::new() };
        let (boot, named) = (closure(first), named_by(&index, first));
        let mut facts = Facts {
            old,
            boot,
            late,
            named,
            base,
            refusals: BTreeMap::new(),
            instances: BTreeMap::new(),
            loggers: BTreeMap::new(),
            index,
        };
        facts.refusals = facts
            .ours()
            .filter_map(|service| Some((service.name.clone(), facts.problem(service)?)))
            .collect();
        facts.refuse_pipelines();
        facts.instances = facts.find_instances();
        facts.loggers = facts.find_loggers();
        facts
    }

    /// The members of bundles whose scripts say that s6gen generated them for a table with the name of the bundle.
    fn find_instances(&self) -> BTreeMap<Name, Name> {
        let is_instance = |name: &Name, template: &Name| {
            let files = self.files(name);
            let mut scripts = ["run", "up"].iter().filter_map(|script| files?.get(*script));
            let is_own = name.as_bytes().starts_with(&[template.as_bytes(), b"-"].concat());
            is_own
                && self.refusal(name).is_none()
                && self.reads_back(name)
                && scripts.any(|script| {
                    let table = str::from_utf8(&script.content).ok().and_then(generated_for);
                    table.is_some_and(|table| *template == *table)
                })
        };
        let mut found = BTreeMap::new();
        for bundle in self.ours().filter(|service| self.refusal(&service.name).is_none()) {
            let members = bundle.contents().iter().map(|member| &member.name);
            if members.clone().all(|member| is_instance(member, &bundle.name)) {
                found.extend(members.map(|member| (member.clone(), bundle.name.clone())));
            }
        }
        found
    }

    /// The services that s6gen made of a template, each with the name of the template.
    pub(super) fn instances(&self) -> &BTreeMap<Name, Name> {
        &self.instances
    }

    /// The name of the table from which s6gen would make a service: its own, or that of its template.
    pub(super) fn table_name(&self, name: &Name) -> String {
        self.instances.get(name).unwrap_or(name).to_string()
    }

    /// Refuses the other services of a pipeline with one that no manifest can have: a pipe cannot lead to another layer.
    fn refuse_pipelines(&mut self) {
        loop {
            let joined =
                self.ours().filter(|service| self.refusal(&service.name).is_none()).find_map(|service| {
                    let longrun = service.longrun()?;
                    let producer = longrun.producer_for.as_deref().unwrap_or_default();
                    let mut others = producer.iter().chain(&longrun.consumer_for);
                    let other = others.find(|other| self.refusal(&other.name).is_some())?;
                    Some((
                        service.name.clone(),
                        format!("its pipeline contains `{}`, which cannot be in a manifest", other.name),
                    ))
                });
            match joined {
                Some((name, reason)) => drop(self.refusals.insert(name, reason)),
                None => return,
            }
        }
    }

    /// The flags of a service: its own, and those of the bundles that start it, which the manifest does not write.
    pub(super) fn flags(&self, service: &Service) -> (bool, bool) {
        let mut flags = (service.flag_essential, service.flag_recommended);
        let Some(node) = self.index.find(&service.name) else { return flags };
        let flagged =
            self.old.services.services.iter().filter(|one| one.flag_essential || one.flag_recommended);
        for bundle in flagged.filter(|bundle| self.is_start_bundle(&bundle.name)) {
            let Some(start) = self.index.find(&bundle.name).filter(|start| *start != node) else { continue };
            if self.index.atomics(start).contains(&node) {
                flags = (flags.0 | bundle.flag_essential, flags.1 | bundle.flag_recommended);
            }
        }
        flags
    }

    pub(super) fn system(&self) -> System {
        self.old.services.target.system
    }

    /// Whether only what means exactly the same is written.
    pub(super) fn is_exact(&self) -> bool {
        self.old.is_exact
    }

    pub(super) fn command_dir(&self) -> &str {
        &self.old.services.target.command_dir
    }

    pub(super) fn target(&self) -> &'a Target {
        &self.old.services.target
    }

    /// Whether generated scripts look at each start whether they run as root.
    pub(super) fn detects_root(&self) -> bool {
        self.ours().filter(|service| self.reads_back(&service.name)).any(|service| {
            let files = self.files(&service.name);
            ["run", "up", "down", "reload"].iter().filter_map(|file| files?.get(*file)).any(|file| {
                let text = str::from_utf8(&file.content).unwrap_or_default();
                generated_for(text).is_some() && has_root_wrapper(text)
            })
        })
    }

    /// The definitions that the manifest is for: the first one of each name.
    pub(super) fn ours(&self) -> impl Iterator<Item = &'a Service> + use<'a, '_> {
        let is_first = |service: &&Service| {
            let node = self.index.find(&service.name);
            node.and_then(|node| self.index.service(node)).is_some_and(|first| std::ptr::eq(first, *service))
        };
        let ours = self.old.services.ours().filter(|service| !self.old.lower.contains(&service.name));
        ours.filter(|service| !matches!(service.kind, Kind::Unknown)).filter(is_first)
    }

    /// The files that this tree adds to definitions of other layers.
    pub(super) fn additions(&self) -> &'a DefinitionFiles {
        self.old.additions
    }

    /// The text of a `run` that s6gen generated and that is read back.
    pub(super) fn generated_run(&self, name: &Name) -> Option<&str> {
        let content = &self.old.files.get(name).filter(|_| self.reads_back(name))?.get("run")?.content;
        str::from_utf8(content).ok().filter(|text| is_generated_run(text))
    }

    /// Whether s6gen generated the scripts of a definition, which are read back.
    fn is_read_back(&self, name: &Name) -> bool {
        self.generated_run(name).is_some()
    }

    pub(super) fn files(&self, name: &Name) -> Option<&'a BTreeMap<String, File>> {
        self.old.files.get(name)
    }

    /// The definition of this name that the manifest is for.
    pub(super) fn service(&self, name: &Name) -> Option<&'a Service> {
        let node = self.index.find(name).filter(|node| self.index.layer(*node) == Layer::Ours)?;
        self.index.service(node).filter(|_| !self.old.lower.contains(name))
    }

    pub(super) fn longrun(&self, name: &Name) -> Option<&'a Longrun> {
        self.service(name)?.longrun()
    }

    /// Whether the consumer of a producer names it, and not the other way round: only a producer that names its consumer has a
    /// comment on its standard error.
    pub(super) fn is_named_by_consumer(&self, producer: &Name) -> bool {
        let mark = "# Only standard output is logged";
        self.generated_run(producer).is_some_and(|run| !run.contains(mark))
            && self.refusal(producer).is_none()
    }

    /// The directory of execline in generated scripts, if it is not the usual one.
    pub(super) fn other_command_dir(&self) -> Option<&str> {
        let run = self.ours().find_map(|service| self.generated_run(&service.name))?;
        let directory = run.strip_prefix("#!")?.split_once("/execlineb")?.0;
        (directory != self.command_dir()).then_some(directory)
    }

    /// Whether the generated scripts of a definition are read back.
    pub(super) fn reads_back(&self, name: &Name) -> bool {
        !self.old.verbatim.contains(name)
    }

    pub(super) fn refusal(&self, name: &Name) -> Option<&str> {
        self.refusals.get(name).map(String::as_str)
    }

    /// The names that the manifest must know although it does not define them.
    pub(super) fn external(&self) -> BTreeSet<&'a Name> {
        let mut mentioned = BTreeSet::new();
        for service in self.ours().filter(|service| self.refusal(&service.name).is_none()) {
            if let Kind::Bundle(_) = service.kind
                && self.is_start_bundle(&service.name)
            {
                continue;
            }
            mentioned.extend(mentions(service).map(|reference| &reference.name));
        }
        let is_start = |name: &&Name| self.is_start_bundle(name);
        mentioned.extend(self.additions().keys().filter(|name| !is_start(name)));
        let left_pipelines: BTreeSet<Node> = self
            .index
            .pipelines()
            .filter(|(_, consumer)| self.refusal(self.index.name(*consumer)).is_some())
            .map(|(node, _)| node)
            .collect();
        let is_external = |name: &&Name| match self.index.find(name) {
            Some(node) if left_pipelines.contains(&node) => true,
            Some(node) => match self.index.layer(node) {
                Layer::Overlay | Layer::Internal => false,
                Layer::External => true,
                Layer::Ours => {
                    self.old.lower.contains(*name)
                        || self.refusal(name).is_some()
                        || self.index.kind(node) == NodeKind::Unknown
                }
            },
            None => true,
        };
        mentioned.into_iter().filter(is_external).collect()
    }

    /// Whether any file of another definition, or another file of this one, names a path.
    pub(super) fn is_named_elsewhere(&self, path: &str, besides: (&Name, &[&str])) -> bool {
        let (own, known) = besides;
        self.old.files.iter().any(|(name, files)| {
            files.iter().any(|(file, content)| {
                let is_known = name == own && known.contains(&file.as_str());
                !is_known && contains(&content.content, path.as_bytes())
            })
        })
    }

    /// Why a definition cannot be in a manifest.
    fn problem(&self, service: &Service) -> Option<String> {
        if matches!(service.kind, Kind::Bundle(_)) && self.is_start_bundle(&service.name) {
            return None;
        }
        if let Some(problem) = name_problem(&service.name) {
            return Some(problem);
        }
        let unwritable = mentions(service).map(|reference| &reference.name).find(|name| {
            str::from_utf8(name.as_bytes()).is_err()
                || **name == *ONESHOT_RUNNER
                || name.as_bytes().starts_with(b".")
                || name.as_bytes().iter().any(u8::is_ascii_control)
        });
        if let Some(name) = unwritable {
            return Some(format!("a manifest cannot name `{name}`"));
        }
        match &service.kind {
            Kind::Longrun(longrun) => {
                let finish = longrun.finish.iter();
                [("run", &longrun.run)].into_iter().chain(finish.map(|script| ("finish", script))).find_map(
                    |(key, script)| match script {
                        // What a word of a generated script contains, keys can have.
                        Script::Verbatim(_) if self.is_read_back(&service.name) => None,
                        Script::Verbatim(content) => {
                            text_problem(content).map(|problem| format!("`{key}` {problem}"))
                        }
                        _ => None,
                    },
                )
            }
            Kind::Oneshot(oneshot) => {
                let scripts = [Some(&oneshot.up), oneshot.down.as_ref(), oneshot.reload.as_ref()];
                let is_text = |script: &&Script| match script {
                    Script::Words(words) => words.iter().all(|word| str::from_utf8(word).is_ok()),
                    _ => true,
                };
                let is_binary = !scripts.into_iter().flatten().all(|script| is_text(&script))
                    || service.programs.iter().any(|program| match &program.form {
                        ProgramForm::CommandLine(text) => !text.binary.is_empty(),
                        _ => false,
                    });
                is_binary.then(|| "a command line is not UTF-8".to_owned())
            }
            Kind::Bundle(_) | Kind::Unknown => None,
        }
    }
}

/// The names that a definition mentions.
pub(super) fn mentions(service: &Service) -> impl Iterator<Item = &ServiceRef> {
    let longrun = service.longrun();
    let producer = longrun.and_then(|longrun| longrun.producer_for.as_deref()).unwrap_or_default();
    let consumers = longrun.map_or(&[][..], |longrun| &longrun.consumer_for);
    service.dependencies().iter().chain(service.contents()).chain(producer).chain(consumers)
}

/// The names that a bundle names itself, also through s6gen's own bundle `default`.
pub(super) fn named_by(index: &Index<'_>, bundle: &str) -> BTreeSet<Name> {
    let members = |name: &Name| {
        let service = index.find(name).and_then(|node| index.service(node));
        service.map_or(&[][..], Service::contents).iter().map(|member| member.name.clone())
    };
    let mut named: BTreeSet<Name> = members(&bundle.into()).collect();
    if named.contains(&Name::from("default")) {
        named.extend(members(&"default".into()));
    }
    named
}

/// The longest name of a service in a manifest.
const LONGEST_NAME: usize = 251;

/// Why a service in a manifest cannot have this name.
pub(in crate::migrate) fn name_problem(name: &Name) -> Option<String> {
    let bytes = name.as_bytes();
    let is_plain = bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.@-".contains(byte))
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.len() <= LONGEST_NAME;
    match (is_plain, bytes) {
        (false, _) => Some("a manifest cannot have this name".to_owned()),
        (true, b"default") => Some("s6gen makes a bundle of this name".to_owned()),
        (true, _) => None,
    }
}

fn contains(content: &[u8], text: &[u8]) -> bool {
    content.windows(text.len()).any(|part| part == text)
}
