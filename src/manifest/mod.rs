//! Reads the manifest exactly as written: every value with its place. Names and defaults are resolved later.
//!
//! [`parse`] continues after every mistake, so that one run reports them all. It leaves out only the statement that has a syntax
//! error, or the value that has the wrong type.
//!
//! A key can be set in several places. The value in the table of the service is the *nearest* one; those of `[defaults]` and of an
//! included file are *farther*. A nearer value wins, or is joined with the farther ones.

pub mod draft;

mod additions;
mod foreign;
mod forms;
mod keys;
mod layout;
mod mistakes;
mod one_or_more;
mod script_files;
mod shape;
mod statements;
mod string_positions;
mod suggest;
mod syntax;
mod unknown;
mod values;
mod variables;
mod weight;
mod without;
mod words;
mod written;

pub use additions::{AddedEntry, AdditionChange, Additions, Parameters};
pub use forms::{SIGNAL_NUMBERS, StringForm, bytes, milliseconds, string_form};
pub use keys::{
    Alive, BundleKeys, CommonKeys, Limits, Log, LongrunKeys, OnExit, OnFailure, OneshotKeys, REFERENCE,
    Ready, ReferenceSection, Table, TargetKeys, WaitFor,
};
pub use layout::format;
pub use one_or_more::OneOrMore;
pub use script_files::script_of_file;
pub use shape::{Key, Shape};
pub use statements::{Statements, Surrounding};
pub use suggest::text_of as meant_text;
pub use syntax::count_syntax_errors;
pub use values::{
    Amount, DeclaredParameter, DeclaredParameters, Flag, Instances, Limit, LogPlace, ManifestCommand,
    ManifestText, Names, Number, Numbers, RawText, Rootless, TextTable,
};
pub use variables::{DeclaredVariable, DeclaredVariables};
pub use weight::weigh;
pub use without::HasWithout;
pub use words::{Holds, SECTIONS, WORDS};
pub use written::{WrittenKey, WrittenValue, written_keys, written_values};

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Code, Diagnostic, FileId, Files, MOST_DEFINITIONS, Origin, Problems};
use syntax::{Body, Separated};
use unknown::{unknown_key, unknown_table};
use values::{Reader, Value, kind_of};
use without::read_with_without;

/// A manifest as written.
#[derive(Debug, Default, Clone)]
pub struct Manifest {
    /// `include`: further manifests, relative to this one, by name or pattern.
    pub include: Vec<ManifestText>,
    /// `[target]`.
    pub target: TargetKeys,
    /// `[lints]`: the levels of rules, by name.
    pub lints: TextTable<ManifestText>,
    /// `[defaults.longrun]`.
    pub longrun_defaults: ServiceTable<LongrunKeys>,
    /// `[defaults.oneshot]`.
    pub oneshot_defaults: ServiceTable<OneshotKeys>,
    /// The sizes of the defaults: what those for longruns and those for oneshots add to each service.
    defaults_size: [DefaultsSize; 2],
    /// Where there is too much, and what that place is: defaults that would need too much room if every service took them, or
    /// the service after which no more are read.
    pub too_large: Option<(Origin, &'static str)>,
    /// Every service, in file order.
    pub services: Vec<ServiceEntry>,
    /// What was lost to syntax errors.
    pub lost: Lost,
    /// The file of the additions while the system runs. The author of the manifest did not know their values.
    pub added: Option<FileId>,
}

/// The parts of a manifest that were lost to syntax errors. Such parts must not be reported as missing.
#[derive(Debug, Default, Clone)]
pub struct Lost {
    /// The tables that have lost a key.
    pub tables: Vec<Origin>,
    /// Whether names of services were lost.
    pub names: bool,
}

/// How much defaults add to each service that takes them.
#[derive(Debug, Default, Clone, Copy)]
struct DefaultsSize {
    /// The number of items in their lists and tables. The texts do not count, because all services share them.
    items: usize,
    origin: Option<Origin>,
}

/// The largest number of items that services take from defaults, all together.
const MOST_DEFAULT_ITEMS: usize = 1 << 19;

/// One `[kind.NAME]`.
#[derive(Debug, Clone)]
pub struct ServiceEntry {
    /// The name, with its place.
    pub name: ManifestText,
    /// The table.
    pub keys: ServiceKeys,
}

impl ServiceEntry {
    /// Its kind, and its instances if it is a template.
    pub fn facts(&self) -> (&'static str, Option<&Instances>) {
        (self.keys.kind(), self.keys.common().and_then(|common| common.instances.as_ref()))
    }
}

/// The keys of a service, by kind.
#[derive(Debug, Clone)]
pub enum ServiceKeys {
    /// `[longrun.NAME]`.
    Longrun(Box<ServiceTable<LongrunKeys>>),
    /// `[oneshot.NAME]`.
    Oneshot(Box<ServiceTable<OneshotKeys>>),
    /// `[bundle.NAME]`.
    Bundle(Box<BundleKeys>),
}

impl ServiceKeys {
    fn kind(&self) -> &'static str {
        match self {
            ServiceKeys::Longrun(_) => "longrun",
            ServiceKeys::Oneshot(_) => "oneshot",
            ServiceKeys::Bundle(_) => "bundle",
        }
    }

    fn common(&self) -> Option<&CommonKeys> {
        match self {
            ServiceKeys::Longrun(keys) => Some(&keys.common),
            ServiceKeys::Oneshot(keys) => Some(&keys.common),
            ServiceKeys::Bundle(_) => None,
        }
    }

    /// Merges these keys into `farther`, those of the defaults or of an included file. If both have a key, that of `self` wins.
    fn over(self, farther: ServiceKeys) -> ServiceKeys {
        match (self, farther) {
            (ServiceKeys::Longrun(nearer), ServiceKeys::Longrun(farther)) => {
                ServiceKeys::Longrun(Box::new(nearer.over(*farther)))
            }
            (ServiceKeys::Oneshot(nearer), ServiceKeys::Oneshot(farther)) => {
                ServiceKeys::Oneshot(Box::new(nearer.over(*farther)))
            }
            (ServiceKeys::Bundle(nearer), ServiceKeys::Bundle(farther)) => {
                ServiceKeys::Bundle(Box::new(nearer.over(*farther)))
            }
            (nearer, _) => nearer,
        }
    }

    /// The value of `without`. After a merge it has only the names of keys that nothing has set.
    pub fn without(&self) -> Option<&Names> {
        match self {
            ServiceKeys::Bundle(keys) => keys.without.as_ref(),
            _ => self.common().and_then(|common| common.without.as_ref()),
        }
    }
}

impl Default for ServiceKeys {
    fn default() -> Self {
        ServiceKeys::Bundle(Box::default())
    }
}

/// Merges `nearer` into the `[target]` of an included file. A nearer system replaces the other kind of system.
fn target_over(mut farther: TargetKeys, nearer: TargetKeys) -> TargetKeys {
    if nearer.s6_overlay.is_some() || nearer.s6_rc.is_some() {
        (farther.s6_overlay, farther.s6_rc) = (None, None);
    }
    nearer.over(farther)
}

/// The keys that longruns and oneshots share, and those of the kind.
#[derive(Debug, Default, Clone)]
pub struct ServiceTable<K> {
    /// Shared keys.
    pub common: CommonKeys,
    /// Keys of the kind.
    pub own: K,
}

impl<K: Table> Table for ServiceTable<K> {
    fn set(&mut self, key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> bool {
        self.common.set(key, value, reader) || self.own.set(key, value, reader)
    }

    fn keys() -> Vec<Key> {
        [CommonKeys::keys(), K::keys()].concat()
    }

    fn merge(self, nearer: Self) -> Self {
        ServiceTable { common: self.common.merge(nearer.common), own: self.own.merge(nearer.own) }
    }

    fn each_command(&mut self, visit: &mut dyn FnMut(&mut ManifestCommand)) {
        self.common.each_command(visit);
        self.own.each_command(visit);
    }

    fn knows(path: &str) -> bool {
        CommonKeys::knows(path) || K::knows(path)
    }

    fn remove(&mut self, path: &str) -> bool {
        self.common.remove(path) || self.own.remove(path)
    }
}

/// Reads the manifest `file`, and reports everything that is wrong with its form.
pub fn parse(files: &Files, file: FileId, problems: &mut Problems) -> Manifest {
    let mut manifest = Manifest::default();
    let text = match std::str::from_utf8(&files.get(file).text) {
        Ok(text) => text,
        Err(error) => {
            let line =
                1 + files.get(file).text[..error.valid_up_to()].iter().filter(|b| **b == b'\n').count();
            problems.push(
                Diagnostic::new(Code::ManifestNotText, "the manifest is not UTF-8 text")
                    .at(Origin::whole(file), "this file")
                    .note(format!(
                        "the first byte that is not UTF-8 is number {} (line {line})",
                        error.valid_up_to() + 1
                    ))
                    .help("name a TOML file, or save it as UTF-8"),
            );
            return manifest;
        }
    };
    let (root, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        manifest.read(root.get_ref(), &mut Reader::new(file, text, problems));
    } else if let Some(start) = json(text) {
        problems.push(
            Diagnostic::new(Code::Syntax, "this is JSON, and a manifest is TOML")
                .at(Origin::new(file, start..start + 1), "an object of JSON begins here")
                .help(
                    "write a line `[longrun.NAME]` for each service, and its keys below it as `KEY = VALUE`, without \
                     quotes around the key; strings and arrays stay as they are",
                ),
        );
        manifest.lost.names = true;
    } else {
        manifest.read_around_mistakes(text, file, problems);
    }
    if manifest.services.is_empty() && manifest.include.is_empty() && !problems.has_errors() {
        problems.push(
            Diagnostic::new(Code::ManifestEmpty, "the manifest describes no service")
                .at(Origin::whole(file), "this file")
                .help("add one: a line `[longrun.web]`, then a line `run = [\"nginx\", \"-g\", \"daemon off;\"]`"),
        );
    }
    manifest
}

/// Reads the levels of rules from a file of their own, which has the keys of `[lints]`.
pub fn parse_lints(files: &Files, file: FileId, problems: &mut Problems) -> TextTable<ManifestText> {
    let text = files.get(file).text.clone();
    let Ok(text) = str::from_utf8(&text) else {
        let problem = Diagnostic::new(Code::ManifestNotText, "the file is not UTF-8 text");
        problems.push(problem.at(Origin::whole(file), "this file"));
        return TextTable::default();
    };
    let separated = syntax::separate(text, &[]);
    let mut manifest = Manifest::default();
    manifest.note_mistakes(&separated, file, 0, problems);
    let root = DeTable::parse_recoverable(&separated.readable).0;
    // A file that is copied out of a manifest may keep its header.
    let inner = root.get_ref().get("lints").and_then(|value| value.get_ref().as_table()).cloned();
    let value = Spanned::new(0..0, DeValue::Table(inner.unwrap_or_else(|| root.get_ref().clone())));
    Value::read("lints", &value, &mut Reader::new(file, text, problems)).unwrap_or_default()
}

/// The start of the object, if the text is JSON. No line of TOML begins with a brace.
fn json(text: &str) -> Option<usize> {
    let body = text.trim_start_matches('\u{feff}').trim_start();
    body.trim_start_matches(['[', ' ', '\n']).starts_with('{').then(|| text.len() - body.len())
}

/// The names that a manifest may have at its top level.
pub const TABLES: &[&str] = &["include", "target", "lints", "defaults", "longrun", "oneshot", "bundle"];

impl Manifest {
    /// Merges the manifests that this one includes into it. If both have a key, that of this manifest wins. If two files that do
    /// not include each other define the same service, both definitions stay and are reported later.
    #[must_use]
    pub fn over(mut self, included: Vec<Manifest>) -> Manifest {
        let mut below = Manifest::default();
        for manifest in included {
            let first = manifest.services.first().map(|entry| (entry.name.origin, "up to here"));
            if below.services.len() + manifest.services.len() > MOST_DEFINITIONS {
                self.too_large = self.too_large.or(first);
            }
            below.target = target_over(below.target, manifest.target);
            below.services.extend(manifest.services);
            below.lints = below.lints.merge(manifest.lints);
            self.too_large = self.too_large.or(manifest.too_large);
            self.lost.tables.extend(manifest.lost.tables);
            self.lost.names |= manifest.lost.names;
        }
        let known = below.positions();
        let mut taken = 0;
        for entry in std::mem::take(&mut self.services) {
            match known.get(&(entry.keys.kind(), entry.name.value.clone())) {
                Some(place) => {
                    let farther = &mut below.services[*place];
                    farther.keys = entry.keys.over(std::mem::take(&mut farther.keys));
                }
                None => {
                    let Some(keys) = self.with_defaults(entry.keys, &mut taken) else { break };
                    below.services.push(ServiceEntry { name: entry.name, keys });
                }
            }
        }
        let (target, lints) = (target_over(below.target, self.target), below.lints.merge(self.lints));
        Manifest { target, lints, services: below.services, ..self }
    }

    /// Adds the additions while the system runs: instances go to their templates, and other services get the defaults of
    /// this manifest.
    #[must_use]
    pub fn with(mut self, file: FileId, added: Manifest, problems: &mut Problems) -> Manifest {
        self.added = Some(file);
        let mut known = self.positions();
        let mut taken = 0;
        for entry in added.services {
            let named = (entry.keys.kind(), entry.name.value.clone());
            let same = known.get(&named).map(|position| &mut self.services[*position]);
            let adds_instances = entry.keys.common().is_some_and(|common| common.instances.is_some());
            match same {
                Some(template)
                    if adds_instances
                        && template.keys.common().is_some_and(|common| common.instances.is_some()) =>
                {
                    template.keys = entry.keys.over(std::mem::take(&mut template.keys));
                }
                _ if adds_instances => problems.push(
                    Diagnostic::new(
                        Code::UnknownTemplate,
                        format!("the manifest has no template `{}`", entry.name.value),
                    )
                    .at(entry.name.origin, "instances of it were added")
                    .help(
                        "remove them with `s6gen instance remove`, or add the template to the manifest again",
                    ),
                ),
                _ => {
                    let Some(keys) = self.with_defaults(entry.keys, &mut taken) else { break };
                    known.entry(named).or_insert(self.services.len());
                    self.services.push(ServiceEntry { name: entry.name, keys });
                }
            }
        }
        self
    }

    /// The keys that longruns and oneshots share, of each of them and of the defaults.
    pub fn common_keys(&self) -> impl Iterator<Item = &CommonKeys> {
        let defaults = [&self.longrun_defaults.common, &self.oneshot_defaults.common];
        defaults.into_iter().chain(self.services.iter().filter_map(|entry| entry.keys.common()))
    }

    /// Every service that has instances: its kind, its name, and its keys.
    pub fn templates(&self) -> impl Iterator<Item = (&'static str, &str, &CommonKeys)> {
        self.services.iter().filter_map(|entry| {
            let common = entry.keys.common().filter(|common| common.instances.is_some())?;
            Some((entry.keys.kind(), entry.name.value.as_str(), common))
        })
    }

    /// The positions of the services by kind and name. If two have the same, the last one.
    fn positions(&self) -> BTreeMap<(&'static str, String), usize> {
        let named = |entry: &ServiceEntry| (entry.keys.kind(), entry.name.value.clone());
        self.services.iter().enumerate().map(|(position, entry)| (named(entry), position)).collect()
    }

    /// The keys of a service with the defaults of its kind. `None` if the defaults are too large for all services; `taken` is
    /// the number of items that the services before this one took.
    fn with_defaults(&mut self, keys: ServiceKeys, taken: &mut usize) -> Option<ServiceKeys> {
        let (size, defaults) = match keys {
            ServiceKeys::Longrun(_) => {
                (self.defaults_size[0], ServiceKeys::Longrun(Box::new(self.longrun_defaults.clone())))
            }
            ServiceKeys::Oneshot(_) => {
                (self.defaults_size[1], ServiceKeys::Oneshot(Box::new(self.oneshot_defaults.clone())))
            }
            ServiceKeys::Bundle(_) => (DefaultsSize::default(), ServiceKeys::Bundle(Box::default())),
        };
        *taken += size.items;
        if *taken > MOST_DEFAULT_ITEMS {
            let place = size.origin.map(|origin| (origin, "with these defaults in every service"));
            self.too_large = self.too_large.or(place);
            return None;
        }
        Some(keys.over(defaults))
    }

    /// Reports the syntax errors of a text, and reads everything else of it.
    fn read_around_mistakes(&mut self, text: &str, file: FileId, problems: &mut Problems) {
        let separated = syntax::separate(text, &[]);
        self.note_mistakes(&separated, file, 0, problems);
        let root = DeTable::parse_recoverable(&separated.readable).0;
        self.read(root.get_ref(), &mut Reader::new(file, text, problems));
        for body in separated.bodies {
            let inside = syntax::separate(&text[body.text.clone()], &body.path);
            self.note_mistakes(&inside, file, body.text.start, problems);
            self.lost.tables.push(Origin::new(file, body.header.start..body.text.end));
            let root = DeTable::parse_recoverable(&inside.readable).0;
            let mut reader = Reader { base: body.text.start, ..Reader::new(file, text, problems) };
            let name = reader_name(&body, file);
            match body.path.first().map(String::as_str).filter(|_| body.path.len() == 2) {
                Some("longrun") => self.read_body(root.get_ref(), &mut reader, name, |keys| {
                    ServiceKeys::Longrun(Box::new(keys))
                }),
                Some("oneshot") => self.read_body(root.get_ref(), &mut reader, name, |keys| {
                    ServiceKeys::Oneshot(Box::new(keys))
                }),
                Some("bundle") => self
                    .read_body(root.get_ref(), &mut reader, name, |keys| ServiceKeys::Bundle(Box::new(keys))),
                _ => {}
            }
        }
        self.services.sort_by_key(|service| service.name.origin);
    }

    fn note_mistakes(&mut self, found: &Separated, file: FileId, base: usize, problems: &mut Problems) {
        let origin = |span: &Range<usize>| Origin::new(file, base + span.start..base + span.end);
        for mistake in &found.mistakes {
            let mut problem = Diagnostic::new(Code::Syntax, &mistake.message)
                .at(origin(&mistake.span), &mistake.label)
                .help(&mistake.help);
            if let Some((span, label)) = &mistake.other {
                problem = problem.at(origin(span), label);
            }
            problems.push(problem);
        }
        self.lost.tables.extend(found.damaged.iter().map(origin));
        self.lost.names |= found.has_lost_names;
    }

    /// Reads the keys of a service whose header has a mistake.
    fn read_body<K: Table>(
        &mut self,
        root: &DeTable<'_>,
        reader: &mut Reader<'_>,
        name: ManifestText,
        wrap: impl Fn(K) -> ServiceKeys,
    ) {
        let mut keys = K::default();
        let kind = wrap(K::default()).kind();
        let place = place(kind, &name.value);
        for (key, value) in root {
            read_key(&mut keys, key, value, reader, &place);
        }
        let keys = wrap(keys);
        let same = self
            .services
            .iter_mut()
            .find(|entry| entry.keys.kind() == kind && entry.name.value == name.value);
        match same {
            Some(entry) => entry.keys = keys.over(std::mem::take(&mut entry.keys)),
            None => self.services.push(ServiceEntry { name, keys }),
        }
    }

    fn read(&mut self, root: &DeTable<'_>, reader: &mut Reader<'_>) {
        for (key, value) in root {
            match key.get_ref().as_ref() {
                "include" => {
                    self.include = Names::<ManifestText>::read("include", value, reader)
                        .map(|names| names.list)
                        .unwrap_or_default();
                }
                "target" => self.target = read_with_without(value, reader, "[target]").unwrap_or_default(),
                "lints" => self.lints = Value::read("lints", value, reader).unwrap_or_default(),
                "defaults" => self.read_defaults(value, reader),
                "longrun" => {
                    self.read_services(value, reader, "longrun", |keys| ServiceKeys::Longrun(Box::new(keys)))
                }
                "oneshot" => {
                    self.read_services(value, reader, "oneshot", |keys| ServiceKeys::Oneshot(Box::new(keys)))
                }
                "bundle" => {
                    self.read_services(value, reader, "bundle", |keys| ServiceKeys::Bundle(Box::new(keys)))
                }
                _ => self.read_foreign(key, value, reader),
            }
        }
        self.services.sort_by_key(|s| s.name.origin);
    }

    /// Reports a table that a manifest does not have. If it is a table of another system, also reads the services in it, so that one
    /// run reports their mistakes too.
    fn read_foreign(
        &mut self,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        reader: &mut Reader<'_>,
    ) {
        let (problem, section) = unknown_table(key, value.get_ref(), reader);
        reader.problems.push(problem);
        let Some(table) = value.get_ref().as_table() else { return };
        let has_services = table.iter().any(|(_, value)| value.get_ref().is_table());
        match section.map(|section| section.holds) {
            Some(Holds::Services) if has_services => {
                self.read_services(value, reader, "longrun", |keys| ServiceKeys::Longrun(Box::new(keys)));
            }
            Some(Holds::Services | Holds::Keys) => {
                read_table::<ServiceTable<LongrunKeys>>(value, reader, "[longrun.NAME]");
            }
            _ => {}
        }
    }

    fn read_defaults(&mut self, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) {
        reader.in_defaults = true;
        for (key, value) in entries(value, reader, "[defaults]") {
            let size =
                DefaultsSize { items: items(value.get_ref()), origin: Some(reader.origin(key.span())) };
            match key.get_ref().as_ref() {
                "longrun" => {
                    self.longrun_defaults = read_with_without(value, reader, "[defaults.longrun]").unwrap_or_default();
                    self.defaults_size[0] = size;
                }
                "oneshot" => {
                    self.oneshot_defaults = read_with_without(value, reader, "[defaults.oneshot]").unwrap_or_default();
                    self.defaults_size[1] = size;
                }
                unknown => reader.problems.push(
                    Diagnostic::new(Code::UnknownKey, format!("there are no defaults for `{unknown}`"))
                        .at(reader.origin(key.span()), "unknown")
                        .help("defaults exist for one kind of service: `[defaults.longrun]` or `[defaults.oneshot]`"),
                ),
            }
        }
        reader.in_defaults = false;
    }

    /// Reports keys below `[longrun]`, without the name of a service, and the mistakes in them.
    fn read_nameless<K: Table>(&self, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>, kind: &str) {
        let Some(table) = value.get_ref().as_table() else { return };
        let nameless = table.iter().filter(|(name, value)| is_nameless::<K>(name.get_ref(), value.get_ref()));
        let mut nameless = nameless.peekable();
        let Some((first, _)) = nameless.peek() else { return };
        reader.problems.push(
            Diagnostic::new(Code::WrongType, format!("`[{kind}]` lacks the name of the service"))
                .at(reader.origin(first.span()), "a key of a service")
                .help(format!("write `[{kind}.NAME]`, and these keys below it")),
        );
        let mut keys = K::default();
        nameless
            .for_each(|(name, value)| read_key(&mut keys, name, value, reader, &format!("[{kind}.NAME]")));
    }

    fn read_services<K: HasWithout>(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        reader: &mut Reader<'_>,
        kind: &str,
        wrap: impl Fn(K) -> ServiceKeys,
    ) {
        self.read_nameless::<K>(value, reader, kind);
        for (name, value) in entries(value, reader, &format!("[{kind}]")) {
            if is_nameless::<K>(name.get_ref(), value.get_ref()) {
                continue;
            }
            let origin = reader.origin(name.span());
            let place = place(kind, name.get_ref());
            // `[longrun.php.fpm]` is one mistake. The longrun `php` without `run` is not a second one.
            let only_tables = |table: &DeTable<'_>| {
                !table.is_empty()
                    && table.iter().all(|(key, value)| {
                        value.get_ref().is_table()
                            && K::keys().iter().all(|k| k.name != key.get_ref().as_ref())
                            && !words::is_word(key.get_ref())
                    })
            };
            let misnamed = value.get_ref().as_table().is_some_and(only_tables);
            if let Some(keys) = read_with_without::<K>(value, reader, &place).filter(|_| !misnamed) {
                if self.services.len() == MOST_DEFINITIONS {
                    self.too_large = Some((origin, "up to here"));
                    return;
                }
                let name = ManifestText { value: name.get_ref().to_string(), origin, from_defaults: false };
                self.services.push(ServiceEntry { name, keys: wrap(keys) });
            }
        }
    }
}

/// The header of a service. Every mistake in the table repeats it, so a name that is too long for a service is cut.
fn place(kind: &str, name: &str) -> String {
    format!("[{kind}.{}]", name.chars().take(300).collect::<String>())
}

/// The number of items in the lists and tables of a table, without its own.
fn items(table: &DeValue<'_>) -> usize {
    let mut count = 0;
    let mut todo: Vec<&DeValue<'_>> =
        table.as_table().into_iter().flatten().map(|(_, value)| value.get_ref()).collect();
    while let Some(value) = todo.pop() {
        let before = todo.len();
        match value {
            DeValue::Array(array) => todo.extend(array.iter().map(Spanned::get_ref)),
            DeValue::Table(table) => todo.extend(table.iter().map(|(_, value)| value.get_ref())),
            _ => {}
        }
        count += todo.len() - before;
    }
    count
}

/// The name of the service whose header has a mistake.
fn reader_name(body: &Body, file: FileId) -> ManifestText {
    let value = body.path.get(1).cloned().unwrap_or_default();
    ManifestText { value, origin: Origin::new(file, body.header.clone()), from_defaults: false }
}

/// The entries of a value that must be a table.
fn entries<'v, 'i>(
    value: &'v Spanned<DeValue<'i>>,
    reader: &mut Reader<'_>,
    place: &str,
) -> Vec<(&'v Spanned<std::borrow::Cow<'i, str>>, &'v Spanned<DeValue<'i>>)> {
    match value.get_ref().as_table() {
        Some(table) => table.iter().collect(),
        None => {
            let found = kind_of(value.get_ref());
            reader.problems.push(
                Diagnostic::new(Code::WrongType, format!("`{place}` must be a table, not {found}"))
                    .at(reader.origin(value.span()), format!("{found}, expected a table"))
                    .help(match place.strip_prefix('[') {
                        Some(header) if value.get_ref().is_array() && !header.contains('.') => {
                            format!("write `[{}.NAME]` for each of them", place.trim_matches(['[', ']']))
                        }
                        Some(header) => format!("write its keys below a line `[{header}`"),
                        None => match suggest::line_for_table(place, value.get_ref()) {
                            Some(line) => format!("write `{line}`"),
                            None => format!("write its keys with a dot: `{place}.KEY = VALUE`"),
                        },
                    }),
            );
            Vec::new()
        }
    }
}

/// Reads a table key by key; `None` if the value is not a table.
fn read_table<T: Table>(value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>, place: &str) -> Option<T> {
    value.get_ref().as_table().or_else(|| {
        entries(value, reader, place);
        None
    })?;
    let mut table = T::default();
    for (key, value) in entries(value, reader, place) {
        read_key(&mut table, key, value, reader, place);
    }
    Some(table)
}

fn read_key<T: Table>(
    table: &mut T,
    key: &Spanned<std::borrow::Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
    reader: &mut Reader<'_>,
    place: &str,
) {
    if !table.set(key.get_ref(), value, reader) {
        // Each costs a search for what was meant.
        if reader.problems.is_full() {
            return reader.problems.push(Diagnostic::new(Code::UnknownKey, ""));
        }
        let (problem, line) = unknown_key::<T>(key, value, reader, place);
        reader.problems.push(problem);
        line.iter().for_each(|line| set_line(table, line, reader.origin(key.span())));
    }
}

/// Whether `name` is a key of a service, where the name of a service is expected.
fn is_nameless<K: Table>(name: &str, value: &DeValue<'_>) -> bool {
    !value.is_table() && (K::keys().iter().any(|key| key.name == name) || words::is_word(name))
}

/// Sets a required key to the value that the help for an unknown key suggests, so that it is not reported as missing too.
fn set_line<T: Table>(table: &mut T, line: &str, origin: Origin) {
    let Ok(parsed) = DeTable::parse(line) else { return };
    let mut ignored = Problems::default();
    let mut reader = Reader { pinned: Some(origin), ..Reader::new(origin.file, line, &mut ignored) };
    for (key, value) in
        parsed.get_ref().iter().filter(|(key, _)| ["run", "contents"].contains(&key.get_ref().as_ref()))
    {
        table.set(key.get_ref(), value, &mut reader);
    }
}

/// Reads one key of a table into its field. If that is not possible, reports it and returns false. For the tables of [`keys`].
fn read_value<V: Value>(
    field: &mut Option<V>,
    name: &str,
    value: &Spanned<DeValue<'_>>,
    reader: &mut Reader<'_>,
) -> bool {
    let path = reader.table.as_ref().map_or(name.to_owned(), |table| format!("{table}.{name}"));
    let read = V::read(&path, value, reader);
    let is_read = read.is_some();
    *field = read.or(field.take());
    is_read
}
