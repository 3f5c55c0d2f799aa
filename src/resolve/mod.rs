//! Turns the manifest into services: merges defaults, expands templates, and translates each key into settings of s6-rc.

mod bundle;
mod code;
mod command;
mod common;
mod data_files;
mod environment;
mod failures;
mod first_line;
mod log;
mod log_file;
mod log_order;
mod log_paths;
mod log_place;
mod log_settings;
mod log_stages;
mod logger;
mod longrun;
mod oneshot;
mod parameters;
mod probes;
mod ready;
mod results;
mod scope;
mod secrets;
mod values;
mod variables;

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Code, Diagnostic, FileId, Fix, MOST_DEFINITIONS, Origin, Problems, did_you_mean};
use crate::manifest::{
    CommonKeys, Instances, Manifest, ManifestText, Names, RawText, Rootless, ServiceEntry, ServiceKeys,
    TargetKeys,
};
use crate::model::{
    Bundle, Feature, InstanceBundle, Kind, Layer, Literal, Longrun, Name, Program, Service, ServiceRef,
    ServiceSet, System, Target, Version,
};
use crate::templates::{Expressions, Variable};
use data_files::DataFile;
use parameters::Parameter;
use scope::Scope;
use values::Values;

/// The bundle of all services that start at boot.
pub const START_BUNDLE: &str = "default";

/// Makes the services of a manifest, together with the services of its target. It releases each entry of the manifest once it
/// is resolved, because those of a large system take as much memory as the services.
pub fn resolve(manifest: Manifest, problems: &mut Problems) -> ServiceSet {
    let target = target(&manifest.target, problems);
    let mut resolver = Resolver {
        set: ServiceSet::new(target),
        problems,
        expressions: Expressions::default(),
        start: Start::default(),
        logs: log_paths::Logs::default(),
        required_by: Vec::new(),
        bundle_dependencies: Vec::new(),
        programs: Vec::new(),
        literals: Vec::new(),
        commands: Vec::new(),
        data_files: Vec::new(),
        read_only: None,
        added: manifest.added,
        elsewhere: 0,
        size: 0,
        evaluated: 0,
        grammar_left: MOST_GRAMMAR,
    };
    if let Some((origin, label)) = manifest.too_large {
        resolver.problems.push(too_large(origin, label));
        return resolver.set;
    }
    resolver.read_only = resolver.writable(&manifest.target);
    let built_ins = resolver.set.target.system.built_ins();
    let has_built_ins = !built_ins.is_empty();
    resolver.set.services.extend(built_ins);
    for external in manifest.target.external.iter().flat_map(|names| &names.list) {
        Values::new(resolver.problems).external_name(&external.value, external.origin);
        let service = Service::new(external.value.as_str().into(), Some(external.origin), Kind::Unknown);
        resolver.set.services.push(Service { layer: Layer::External, ..service });
    }
    resolver.elsewhere = resolver.set.services.len();
    resolver.report_needless_without(manifest.target.without.as_ref());
    for entry in manifest.services {
        resolver.report_needless_without(entry.keys.without());
        if !resolver.is_too_large() {
            resolver.entry(&entry);
            resolver.count_definitions(entry.name.origin);
        }
    }
    resolver.check_data_files();
    // Pipelines must be complete first: the steps below treat a pipeline as the bundle of its members.
    resolver.complete_pipelines();
    resolver.add_dependencies();
    resolver.add_dependents();
    resolver.make_room_for_members();
    resolver.check_pipeline_names();
    resolver.mark_duplicates();
    resolver.check_places();
    resolver.start_bundles(has_built_ins);
    resolver.order_loggers();
    resolver.check_results();
    resolver.set
}

/// An instance of a template: its value in expressions, its name, and its parameters.
type InstanceValues = (Variable, ManifestText, Vec<(ManifestText, ManifestText)>);

/// The members of the start bundles.
#[derive(Default)]
struct Start {
    boot: Vec<ServiceRef>,
    late: Vec<ServiceRef>,
}

/// The service set under construction, and the state that its parts share.
struct Resolver<'p> {
    set: ServiceSet,
    problems: &'p mut Problems,
    expressions: Expressions,
    start: Start,
    logs: log_paths::Logs,
    /// Dependencies from `required-by`, added when all services are known.
    required_by: Vec<(ServiceRef, Name)>,
    /// The `dependencies` of each bundle, added when all services are known.
    bundle_dependencies: Vec<(Name, Names)>,
    /// The programs of the current service.
    programs: Vec<Program>,
    /// Texts of the current service that look as if something expands them.
    literals: Vec<Literal>,
    /// The commands of the current service as written, if the patterns of its template allow harmful values.
    commands: Vec<Vec<String>>,
    /// Files that are not scripts and contain harmful values. They are reported if a program may read them as code.
    data_files: Vec<DataFile>,
    /// The writable directories, if the root is read-only.
    read_only: Option<Vec<String>>,
    /// The file of the additions, whose values may come from anyone.
    added: Option<FileId>,
    /// The number of services that are defined elsewhere.
    elsewhere: usize,
    /// The size of the expanded texts, dependencies and members so far, in bytes.
    size: usize,
    /// The number of expressions that were evaluated so far.
    evaluated: usize,
    /// How many bytes of scripts the grammar of a shell may still read.
    grammar_left: usize,
}

/// The largest size of the expanded manifest. Ten lines can ask for more instances of a long script than fit into memory.
const MOST_BYTES: usize = 64 << 20;
/// The largest number of expressions that are evaluated, all instances together. 30,000 services may have 10 each.
const MOST_EXPRESSIONS: usize = 300_000;
/// The largest number of variables, secrets and environment files that a service uses. Each `${NAME}` is compared with all names.
const MOST_NAMES: usize = 512;
/// The number of bytes of scripts that the grammar of a shell reads, which needs seconds for a few MiB.
const MOST_GRAMMAR: usize = 2 << 20;
/// The approximate size of a dependency or of a member of a bundle: as s6gen keeps it, and the path of its file.
const DEPENDENCY_BYTES: usize = 128;
/// The approximate size of a service that a bundle stands for, in the bundle itself and in each service that depends on it.
const MEMBER_BYTES: usize = 64;
/// If a template has this many mistakes, its further instances are not checked.
const MOST_MISTAKES: usize = 1000;

impl Resolver<'_> {
    fn system(&self) -> System {
        self.set.target.system
    }

    /// Adds to the size of the manifest. Reports the limit when it is exceeded for the first time.
    fn add_size(&mut self, bytes: usize, origin: Origin) {
        let was_too_large = self.is_too_large();
        self.size = self.size.saturating_add(bytes);
        if self.is_too_large() && !was_too_large {
            self.problems.push(too_large(origin, "up to here"));
        }
    }

    /// Counts the expressions of a text that is expanded.
    fn add_expressions(&mut self, count: usize, origin: Origin) {
        self.evaluated += count;
        if self.evaluated > MOST_EXPRESSIONS && !self.is_too_large() {
            let message =
                format!("the manifest has more than {MOST_EXPRESSIONS} expressions in all services");
            self.problems.push(
                Diagnostic::new(Code::ManifestTooLarge, message)
                    .at(origin, "up to here")
                    .help("make fewer instances, or let a script compute the values"),
            );
            self.size = usize::MAX;
        }
    }

    /// Reports the limit on the number of definitions when it is exceeded for the first time.
    fn count_definitions(&mut self, origin: Origin) {
        if self.set.services.len() - self.elsewhere > MOST_DEFINITIONS && !self.is_too_large() {
            let message = format!("the manifest makes more than {MOST_DEFINITIONS} definitions");
            self.problems.push(
                Diagnostic::new(Code::ManifestTooLarge, message)
                    .at(origin, "up to here")
                    .note("each instance, each logger and each filter of a log has a definition of its own")
                    .help("make fewer services or instances, or let several share a logger"),
            );
            self.size = usize::MAX;
        }
    }

    /// How many bytes may still be added before the limit.
    fn bytes_left(&self) -> usize {
        MOST_BYTES.saturating_sub(self.size)
    }

    fn is_too_large(&self) -> bool {
        self.size > MOST_BYTES
    }

    fn entry(&mut self, entry: &ServiceEntry) {
        let name = &entry.name;
        if name.value == START_BUNDLE {
            self.problems.push(
                Diagnostic::new(Code::BuiltInName, format!("the bundle `{START_BUNDLE}` is made by s6gen"))
                    .at(name.origin, "this name is taken")
                    .note("it holds every service with `start = \"boot\"` (which is the default) or `\"early\"`")
                    .help("choose another name, and say with `start` when each service starts"),
            );
            return;
        }
        let named = Values::new(self.problems).service_name(&name.value, name.origin);
        if !named {
            // The name stays known, so that references to it are not reported too.
            let service = Service::new(name.value.as_str().into(), Some(name.origin), Kind::Unknown);
            self.set.services.push(Service { layer: Layer::External, ..service });
            return;
        }
        match &entry.keys {
            ServiceKeys::Bundle(keys) => self.bundle(name, keys),
            ServiceKeys::Longrun(keys) => {
                self.instances(name, "longrun", &keys.common, |resolver, scope| {
                    resolver.longrun(keys, scope)
                });
            }
            ServiceKeys::Oneshot(keys) => {
                self.instances(name, "oneshot", &keys.common, |resolver, scope| {
                    resolver.oneshot(keys, scope)
                });
            }
        }
    }

    /// Reports names in `without` that nothing has set.
    fn report_needless_without(&mut self, names: Option<&Names>) {
        for path in names.into_iter().flat_map(|names| &names.list) {
            let message =
                format!("`without` names `{}`, which is set nowhere else", path.value.escape_debug());
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, message)
                    .at(path.origin, "neither `[defaults]` of this file nor an included file sets it")
                    .help("leave it out"),
            );
        }
    }

    /// Sets when a service starts, and which variables of the container it uses.
    fn with_start(&mut self, mut scope: Scope, keys: &CommonKeys) -> Scope {
        scope.start = self.start_at(keys, &scope);
        if let Some(origin) = name_beyond_limit(keys) {
            self.size = MOST_BYTES + 1;
            self.problems.push(too_many_names(origin));
            return scope;
        }
        let references = self.variables(keys, &scope);
        let secrets = self.secrets(keys, &references, &scope);
        (scope.references, scope.secrets) = (references, secrets);
        scope
    }

    /// Makes the service, or for a template all its instances and their bundle.
    fn instances(
        &mut self,
        name: &ManifestText,
        kind: &'static str,
        common: &CommonKeys,
        mut make: impl FnMut(&mut Self, &Scope),
    ) {
        let table = format!("{kind}.{}", name.value);
        let Some(instances) = &common.instances else {
            self.report_parameters(common);
            let scope = self.with_start(Scope::service(name, table), common);
            make(self, &scope);
            return;
        };
        let declared = common.parameters.iter().flat_map(|declared| &declared.list);
        let declared: Vec<_> = declared.map(|one| Parameter::new(one, self.problems)).collect();
        let template = Scope::template(name, table, declared);
        let list = self.instance_values(instances);
        template.check_given(list.iter().flat_map(|(_, _, given)| given), self.problems);
        let mut members = Vec::new();
        let known = self.problems.len();
        for (variable, instance, given) in list {
            if self.problems.len() > known + MOST_MISTAKES {
                self.problems.drop_repeated(known);
            }
            if self.is_too_large() || self.problems.len() > known + MOST_MISTAKES {
                break;
            }
            let full = format!("{}-{}", name.value, instance.value);
            if !(Values::new(self.problems).instance_name(&instance.value, &full, instance.origin)) {
                continue;
            }
            let scope = template
                .instance(full.clone(), instance.origin, variable, &given)
                .with_added(self.added, &given);
            let mut scope = self.with_start(scope, common);
            scope.is_first = members.is_empty();
            scope.check_values(&given, self.problems);
            make(self, &scope);
            self.count_definitions(instance.origin);
            template.note_used(&scope);
            members.push(ServiceRef { name: full.as_str().into(), origin: Some(instance.origin) });
        }
        let mut facts = InstanceBundle { stand_in: None, starts_at_boot: false };
        if members.is_empty() {
            let scope = self.with_start(template.with_stand_ins(instances.count.is_some()), common);
            facts = self.try_out(&scope, |resolver| make(resolver, &scope));
            template.note_used(&scope);
        }
        template.check_declared(self.problems);
        let bundle = Kind::Bundle(Bundle { contents: members, template: Some(Box::new(facts)) });
        self.set.services.push(Service::new(name.value.as_str().into(), Some(name.origin), bundle));
    }

    /// Reports `parameters` of a service without `instances`.
    fn report_parameters(&mut self, common: &CommonKeys) {
        if let Some(parameters) = common.parameters.as_ref().filter(|_| !common.gives_way("parameters")) {
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, "`parameters` without `instances`")
                    .at(parameters.origin, "only a template has parameters")
                    .help("add `instances = []` to make this service a template"),
            );
        }
    }

    /// The instances of a template, counted or named.
    fn instance_values(&mut self, instances: &Instances) -> Vec<InstanceValues> {
        let mut list = Vec::new();
        if let Some(number) = &instances.count {
            if (0..=9999).contains(&number.value) {
                list.extend((1..=number.value).map(|n| {
                    let text =
                        ManifestText { value: n.to_string(), origin: number.origin, from_defaults: false };
                    (Variable::Number(n), text, Vec::new())
                }));
            } else {
                let message = format!("`{}` is not a number of instances", number.value);
                self.problems.push(
                    Diagnostic::new(Code::InvalidValue, message)
                        .at(number.origin, "out of range")
                        .help("write a number from 0 to 9999, or the names of the instances"),
                );
            }
        }
        list.extend(instances.named.iter().map(|(name, values)| {
            (Variable::Text(name.value.clone()), name.clone(), values.entries.clone())
        }));
        list
    }

    /// Calls `make` only for the problems that it reports, and removes the service that it makes. This finds the mistakes of a
    /// template before its first instance exists. Returns what is known of that service.
    fn try_out(&mut self, scope: &Scope, make: impl FnOnce(&mut Self)) -> InstanceBundle {
        let services = self.set.services.len();
        let (boot, late) = (self.start.boot.len(), self.start.late.len());
        let logs = self.logs.clone();
        let required_by = self.required_by.len();
        make(self);
        let facts = InstanceBundle {
            stand_in: self.set.services[services..]
                .iter()
                .find(|made| made.name == *scope.name.as_str())
                .cloned(),
            starts_at_boot: self.start.boot.len() > boot || self.start.late.len() > late,
        };
        self.set.services.truncate(services);
        self.start.boot.truncate(boot);
        self.start.late.truncate(late);
        self.logs = logs;
        self.required_by.truncate(required_by);
        facts
    }

    /// Reports pipelines with a service of another layer, because s6gen cannot change its definition.
    fn check_pipelines(&mut self, producers: &[(Name, ServiceRef)], consumers: &[(Name, ServiceRef)]) {
        let external: BTreeSet<&Name> =
            self.set.services.iter().filter(|s| s.layer == Layer::External).map(|s| &s.name).collect();
        for (name, ours) in producers.iter().chain(consumers).filter(|(name, _)| external.contains(name)) {
            self.problems.push(
                Diagnostic::new(
                    Code::ConflictingKeys,
                    format!("`{}` cannot share a pipeline with `{name}` of another layer", ours.name),
                )
                .at(ours.origin, "both sides of a pipeline must name each other")
                .help("define both in one layer, or log to a directory"),
            );
        }
    }

    /// Reports `pipeline-name` of services that are not the last consumer of a pipeline: s6-rc ignores it there.
    fn check_pipeline_names(&mut self) {
        for service in self.set.ours() {
            let Some(longrun) = service.longrun() else { continue };
            let Some([name]) = longrun.pipeline_name.as_deref() else { continue };
            let problem = match longrun.producer_for.as_deref() {
                Some([next, ..]) => {
                    Diagnostic::new(Code::ConflictingKeys, "`pipeline-name` has no effect here")
                        .at(name.origin, format!("the output goes on to `{}`", next.name))
                        .help("only the last consumer of a pipeline names it")
                }
                _ if longrun.consumer_for.is_empty() => {
                    Diagnostic::new(Code::ConflictingKeys, "`pipeline-name` without a pipeline")
                        .at(name.origin, "nothing feeds this service")
                        .help("name its producers: `consumer-for = [\"NAME\"]`")
                }
                _ => continue,
            };
            self.problems.push(problem);
        }
    }

    /// Makes two definitions of one name a single mistake: services that are connected with them are not reported too. If one
    /// of the two belongs to s6-overlay, it does not get into a start bundle in place of the other one.
    fn mark_duplicates(&mut self) {
        let mut seen: BTreeMap<Name, usize> = BTreeMap::new();
        let mut mentioned = BTreeSet::new();
        for place in 0..self.set.services.len() {
            let name = self.set.services[place].name.clone();
            let Some(first) = seen.get(&name).copied() else {
                seen.insert(name, place);
                continue;
            };
            for place in [first, place] {
                let service = &mut self.set.services[place];
                service.incomplete = true;
                let consumers = service.longrun().into_iter().flat_map(|longrun| &longrun.producer_for);
                mentioned.extend(consumers.flatten().map(|consumer| consumer.name.clone()));
            }
            if self.set.services[first].layer == Layer::Overlay {
                self.start.boot.retain(|member| member.name != name);
                self.start.late.retain(|member| member.name != name);
            }
        }
        for consumer in mentioned.iter().filter_map(|name| seen.get(name)) {
            self.set.services[*consumer].incomplete = true;
        }
    }

    /// Adds the other side of every pair of producer and consumer that has only one side in the manifest.
    fn complete_pipelines(&mut self) {
        let mut producers: Vec<(Name, ServiceRef)> = Vec::new();
        let mut consumers: Vec<(Name, ServiceRef)> = Vec::new();
        for service in &self.set.services {
            let Some(longrun) = service.longrun() else { continue };
            for consumer in longrun.producer_for.iter().flatten() {
                consumers.push((
                    consumer.name.clone(),
                    ServiceRef { name: service.name.clone(), origin: consumer.origin },
                ));
            }
            for producer in &longrun.consumer_for {
                producers.push((
                    producer.name.clone(),
                    ServiceRef { name: service.name.clone(), origin: producer.origin },
                ));
            }
        }
        self.check_pipelines(&producers, &consumers);
        let places: BTreeMap<Name, usize> = self
            .set
            .services
            .iter()
            .enumerate()
            .map(|(place, service)| (service.name.clone(), place))
            .collect();
        let known: BTreeSet<(&Name, &Name)> =
            producers.iter().map(|(producer, consumer)| (&consumer.name, producer)).collect();
        let services = &mut self.set.services;
        for (name, producer) in consumers {
            if let Some(longrun) = longrun(services, places.get(&name))
                && !known.contains(&(&name, &producer.name))
            {
                longrun.consumer_for.push(producer);
            }
        }
        for (name, consumer) in producers {
            if let Some(longrun) = longrun(services, places.get(&name)) {
                longrun.producer_for.get_or_insert_with(|| vec![consumer]);
            }
        }
    }

    /// The writable directories of a read-only root. `None` if the whole root is writable.
    fn writable(&mut self, keys: &TargetKeys) -> Option<Vec<String>> {
        let read_only = keys.read_only.is_some_and(|flag| flag.value);
        if let Some(names) = keys.writable.as_ref().filter(|_| !read_only && !keys.gives_way("writable")) {
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, "`writable` has no effect without `read-only`")
                    .at(names.origin, "the whole root is writable")
                    .help("add `read-only = true`, or leave it out"),
            );
        }
        let list = keys.writable.iter().flat_map(|names| &names.list);
        let mut values = Values::new(self.problems);
        let list = list.filter_map(|text| values.path("writable", &text.value, text.origin)).collect();
        read_only.then_some(list)
    }

    /// Makes the bundle `default`, and adds it to the start bundle of s6-overlay.
    fn start_bundles(&mut self, has_built_ins: bool) {
        let boot = std::mem::take(&mut self.start.boot);
        let late = std::mem::take(&mut self.start.late);
        let member = ServiceRef { name: START_BUNDLE.into(), origin: None };
        if has_built_ins {
            for service in &mut self.set.services {
                if let (Layer::Overlay, Kind::Bundle(bundle)) = (service.layer, &mut service.kind) {
                    if service.name == *"user" {
                        bundle.contents.push(member.clone());
                    } else if service.name == *"user2" {
                        bundle.contents.extend(late.iter().cloned());
                    }
                }
            }
        }
        let bundle = Kind::Bundle(Bundle { contents: boot, ..Bundle::default() });
        self.set.services.push(Service::new(START_BUNDLE.into(), None, bundle));
    }
}

fn longrun<'a>(services: &'a mut [Service], place: Option<&usize>) -> Option<&'a mut Longrun> {
    match &mut services[*place?].kind {
        Kind::Longrun(longrun) => Some(longrun.as_mut()),
        _ => None,
    }
}

/// The report on an unknown version, with the versions that s6gen knows.
fn unknown_version(
    text: &ManifestText,
    what: &str,
    read: fn(&str) -> Option<System>,
    releases: &[Version],
) -> Diagnostic {
    let releases: Vec<String> = releases.iter().map(Version::to_string).collect();
    let bare = text.value.trim_start_matches(|c: char| !c.is_ascii_digit());
    let begins = |release: &&String| !bare.is_empty() && release.starts_with(&format!("{bare}."));
    let quoted = |version: &str| Fix::replace(text.origin, format!("\"{version}\""));
    let (meant, fix) = match (read(bare), releases.iter().find(begins)) {
        (Some(_), _) => {
            let extra = &text.value[..text.value.len() - bare.len()];
            (format!("write `{bare}`, without `{extra}`; "), Some(quoted(bare)))
        }
        (None, Some(near)) => (format!("did you mean `{near}`? "), Some(quoted(near).likely())),
        (None, None) => Default::default(),
    };
    let (newest, oldest) = (&releases[0], &releases[releases.len() - 1]);
    let known = format!("s6gen knows every version from {oldest} to {newest}: {}", releases.join(", "));
    Diagnostic::new(Code::UnknownVersion, format!("s6gen knows no {what} `{}`", text.value))
        .at(text.origin, "unknown version")
        .help(meant + &known)
        .fix(fix)
}

/// The system of `[target]`.
fn target_system(keys: &TargetKeys, problems: &mut Problems) -> System {
    if let (Some(overlay), Some(s6rc)) = (&keys.s6_overlay, &keys.s6_rc) {
        problems.push(
            Diagnostic::new(Code::ConflictingKeys, "`s6-overlay` and `s6-rc` exclude each other")
                .at(s6rc.origin, "this is for a system without s6-overlay")
                .at(overlay.origin, "this is for a container image with s6-overlay")
                .help("for a container image keep `s6-overlay`: s6gen knows the s6-rc in each version"),
        );
    }
    let mut system = System::NEWEST_OVERLAY;
    if let Some(text) = &keys.s6_rc {
        match System::s6rc(&text.value) {
            Some(known) => system = known,
            None => problems.push(unknown_version(text, "s6-rc", System::s6rc, System::S6RC_RELEASES)),
        }
    }
    if let Some(text) = &keys.s6_overlay {
        match System::overlay(&text.value) {
            Some(known) => system = known,
            None => {
                let (read, releases) = (System::overlay, System::OVERLAY_RELEASES);
                problems.push(unknown_version(text, "s6-overlay", read, releases));
            }
        }
    }
    system
}

/// Resolves `[target]`.
pub fn target(keys: &TargetKeys, problems: &mut Problems) -> Target {
    let mut target = Target::new(target_system(keys, problems));
    target.rootless = keys.rootless == Some(Rootless::Known(true));
    target.detects_root = keys.rootless == Some(Rootless::Detected);
    target.has_health = keys.health.is_some_and(|flag| flag.value);
    if let Some(flag) = keys.health.filter(|flag| flag.value && !target.system.is_overlay()) {
        problems.push(
            Diagnostic::new(Code::ConflictingKeys, "`health` needs s6-overlay")
                .at(flag.origin, format!("the target is {}", target.system))
                .help("without s6-overlay, ask s6-svstat of each service"),
        );
    }
    let mut values = Values::new(problems);
    for (text, key, field) in
        [(&keys.tree, "tree", &mut target.tree), (&keys.command_dir, "command-dir", &mut target.command_dir)]
    {
        if let Some(path) = text.as_ref().and_then(|text| values.path(key, &text.value, text.origin)) {
            *field = path;
        }
    }
    if let Some(text) = keys.command_dir.as_ref().filter(|_| target.command_dir.contains(char::is_whitespace))
    {
        problems.push(
            Diagnostic::new(Code::InvalidValue, format!("`command-dir` cannot be `{}`", text.value))
                .at(text.origin, "this path contains white space")
                .help("the first line of scripts contains it, and the kernel cuts that line at a blank"),
        );
    }
    check_target_tree(keys, &target, problems);
    target
}

/// Reports a `tree` that no definition fits into, or that belongs to s6-overlay.
fn check_target_tree(keys: &TargetKeys, target: &Target, problems: &mut Problems) {
    if let Some(text) = keys.tree.as_ref().filter(|text| text.value == target.tree) {
        let wrong = match () {
            () if text.value.contains(char::is_control) => Some("this path contains a control character"),
            // The paths of the files in a definition are longer.
            () if text.value.len() > values::LONGEST_PATH - 600 => {
                Some("nothing fits into it: a path can have at most 4,095 bytes")
            }
            () => None,
        };
        problems.extend(wrong.map(|wrong| {
            Diagnostic::new(Code::InvalidValue, format!("`tree` cannot be `{}`", text.value))
                .at(text.origin, wrong)
                .help("choose another directory, such as `/etc/s6-overlay/sv`")
        }));
    }
    let bundles = target.system.start_markers().and_then(|markers| markers.strip_suffix("/user/contents.d"));
    let own = [target.system.definitions_dir(), bundles];
    let overlaps = |own: &&str| {
        let (ours, own) = (format!("{}/", target.tree), format!("{own}/"));
        ours.starts_with(&own) || own.starts_with(&ours)
    };
    let is_among = target.system.definitions_dir() == Some(&target.tree);
    if let (Some(text), Some(own)) = (&keys.tree, own.into_iter().flatten().find(overlaps))
        && !is_among
    {
        problems.push(
            Diagnostic::new(Code::InvalidValue, format!("`tree` cannot be `{}`", text.value))
                .at(text.origin, format!("`{own}` belongs to s6-overlay"))
                .help("choose a directory of its own, or `/etc/s6-overlay/s6-rc.d` itself"),
        );
    }
}

/// The report that the services of the manifest need too much room.
fn too_large(origin: Origin, label: &str) -> Diagnostic {
    Diagnostic::new(Code::ManifestTooLarge, "the manifest describes more than 64 MiB of services")
        .at(origin, label)
        .help("make fewer instances, or put long scripts into files of the image")
}

/// The place of the first variable, secret or environment file of a service that is one too many.
fn name_beyond_limit(keys: &CommonKeys) -> Option<Origin> {
    let variables = keys.variables.iter().flat_map(|declared| &declared.list).map(|one| one.name.origin);
    let secrets = keys.secrets.iter().flat_map(|names| &names.list).map(RawText::origin);
    let files = keys.environment_files.iter().flat_map(|names| &names.list).map(RawText::origin);
    variables.chain(secrets).chain(files).nth(MOST_NAMES)
}

fn too_many_names(origin: Origin) -> Diagnostic {
    let message = format!("a service uses more than {MOST_NAMES} variables, secrets and environment files");
    Diagnostic::new(Code::ManifestTooLarge, message).at(origin, "up to here").help(
        "declare only those that s6gen must know: a program finds all others in its environment as well",
    )
}

/// The report that the target is too old for `what`.
fn too_old(system: System, feature: Feature, what: &str, origin: crate::diagnostic::Origin) -> Diagnostic {
    Diagnostic::new(Code::TargetTooOld, format!("{system} cannot do `{what}`"))
        .at(origin, format!("needs {}", system.first_with(feature)))
        .help(format!("use {} or newer, or leave this out", system.first_with(feature)))
}

/// The value of a word that a key allows. Reports any other word.
fn choice<T: Copy>(
    key: &str,
    text: &str,
    origin: crate::diagnostic::Origin,
    words: &[(&str, T)],
    problems: &mut Problems,
) -> Option<T> {
    if let Some((_, meant)) = words.iter().find(|(word, _)| *word == text) {
        return Some(*meant);
    }
    let listed = words.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    problems.push(
        Diagnostic::new(Code::InvalidValue, format!("`{key}` cannot be `{text}`"))
            .at(origin, "unknown word")
            .help(match did_you_mean(text, words.iter().map(|(word, _)| *word)) {
                Some(near) => format!("did you mean `{near}`? The words are {listed}"),
                None => format!("the words are {listed}"),
            }),
    );
    None
}

/// `list` without repetitions, in order.
fn distinct(list: Vec<ServiceRef>) -> Vec<ServiceRef> {
    let mut seen = BTreeSet::new();
    list.into_iter().filter(|r| seen.insert(r.name.clone())).collect()
}
