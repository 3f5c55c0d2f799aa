//! The compiled database of a service set, as s6-rc-compile makes it and `s6-rc-db` prints it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::{Index, Kind, Layer, Members, Name, Node, NodeKind, Script, Service};

/// The compiled database of a service set without errors, with the facts that `s6-rc-db` prints.
///
/// As JSON it is an object with `services` and `bundles` by name, and `pipelines`. In a service, numbers that are 0 and lists
/// that are empty are left out. A name or word that is not UTF-8 is written as `base64:` and its bytes in base64.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Database {
    /// Longruns and oneshots by name, the two internal ones included.
    pub services: BTreeMap<Name, Entry>,
    /// The atomic services that each bundle stands for, in byte order, pipelines included.
    pub bundles: BTreeMap<Name, Arc<[Name]>>,
    /// Every pipeline: its pairs of producer and consumer, in byte order. `s6-rc-db` prints them for each member; here they
    /// stand once, because a pipeline of many members would be too large otherwise.
    pub pipelines: Vec<Vec<(Name, Name)>>,
}

/// The words of a command line.
pub type Words = Vec<Vec<u8>>;

/// One longrun or oneshot of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// `longrun` or `oneshot`.
    pub kind: &'static str,
    /// The atomic services that it waits for directly, in byte order.
    pub dependencies: Vec<Name>,
    /// Milliseconds for starting; 0 is no limit.
    pub timeout_up: u32,
    /// Milliseconds for stopping; 0 is no limit.
    pub timeout_down: u32,
    /// Bit 0 essential, bit 1 recommended.
    pub flags: u32,
    /// The words of `up` and `down`, for oneshots.
    pub scripts: Option<(Words, Words)>,
}

const ESSENTIAL: u32 = 1;
const RECOMMENDED: u32 = 2;

impl Database {
    /// The database of a set without errors. For a set with errors the result is incomplete.
    ///
    /// Services of other layers whose definitions are unknown are left out, except where they are mentioned.
    pub fn of(index: &Index<'_>) -> Self {
        let mut database = Database::default();
        let mut members = Members::new(index);
        let mut flags = vec![0; index.nodes().count()];
        for node in index.nodes() {
            let Some(service) = index.service(node) else { continue };
            let own = if service.flag_essential { ESSENTIAL } else { 0 }
                | if service.flag_recommended { RECOMMENDED } else { 0 };
            flags[node.0] |= own;
            if own != 0 {
                for member in members.of(node) {
                    flags[member.0] |= own;
                }
            }
        }
        database.pipelines = pipelines(index);
        for node in index.nodes() {
            let name = index.name(node);
            if index.find(name) != Some(node) || index.layer(node) == Layer::External {
                continue;
            }
            let names = |nodes: &[Node]| -> Vec<Name> {
                let mut names: Vec<Name> = nodes.iter().map(|node| index.name(*node).clone()).collect();
                names.sort_unstable();
                names
            };
            let kind = match index.kind(node) {
                NodeKind::Bundle => {
                    database.bundles.insert(name.clone(), names(members.of(node)).into());
                    continue;
                }
                NodeKind::Unknown => continue,
                NodeKind::Longrun => "longrun",
                NodeKind::Oneshot => "oneshot",
            };
            let mut needed: Vec<Node> = Vec::new();
            for edge in index.edges(node) {
                match index.kind(edge.to) {
                    NodeKind::Bundle => needed.extend_from_slice(members.of(edge.to)),
                    _ => needed.push(edge.to),
                }
            }
            needed.sort_unstable();
            needed.dedup();
            let service = index.service(node);
            let (timeout_up, timeout_down) = service.map_or((0, 0), Service::timeouts);
            let scripts = match service.map(|service| &service.kind) {
                Some(Kind::Oneshot(oneshot)) => Some((
                    command_line(&oneshot.up),
                    oneshot.down.as_ref().map(command_line).unwrap_or_default(),
                )),
                _ => None,
            };
            let entry = Entry {
                kind,
                dependencies: names(&needed),
                timeout_up,
                timeout_down,
                flags: flags[node.0],
                scripts,
            };
            database.services.insert(name.clone(), entry);
        }
        database
    }

    /// The database as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// The pairs of each pipeline, from its last consumer back to its first producers.
fn pipelines(index: &Index<'_>) -> Vec<Vec<(Name, Name)>> {
    let mut pipelines = Vec::new();
    for last in index.nodes() {
        let Some(longrun) = index.service(last).and_then(Service::longrun) else { continue };
        if longrun.producer_for.is_some() || longrun.consumer_for.is_empty() {
            continue;
        }
        let mut members = vec![last];
        let mut seen = BTreeSet::from([last]);
        let mut pairs = Vec::new();
        let mut next = 0;
        while let Some(consumer) = members.get(next).copied() {
            next += 1;
            let Some(longrun) = index.service(consumer).and_then(Service::longrun) else { continue };
            for producer in longrun.consumer_for.iter().filter_map(|reference| index.find(&reference.name)) {
                pairs.push((index.name(producer).clone(), index.name(consumer).clone()));
                if seen.insert(producer) {
                    members.push(producer);
                }
            }
        }
        pairs.sort_unstable_by(|one, other| pair_key(one).cmp(pair_key(other)));
        pipelines.push(pairs);
    }
    pipelines
        .sort_unstable_by(|one, other| one.iter().flat_map(pair_key).cmp(other.iter().flat_map(pair_key)));
    pipelines
}

/// The key by which pairs are sorted: the text `producer/consumer`.
fn pair_key((producer, consumer): &(Name, Name)) -> impl Iterator<Item = u8> {
    producer.as_bytes().iter().copied().chain([b'/']).chain(consumer.as_bytes().iter().copied())
}

/// The words of a script in the database: those of the file that was read, or the path of the generated script. Without
/// either the command is empty.
fn command_line(script: &Script) -> Words {
    match script {
        Script::Words(words) => words.clone(),
        Script::Step(step) if step.command.is_some() => {
            vec![format!("{}/data/{}", step.definition, step.key).into_bytes()]
        }
        _ => Vec::new(),
    }
}

/// Bytes as JSON text; what is not UTF-8 is `base64:` and its bytes in base64.
pub fn json_text(bytes: &[u8]) -> String {
    match str::from_utf8(bytes) {
        Ok(text) if !text.starts_with("base64:") => text.to_owned(),
        _ => format!("base64:{}", base64(bytes)),
    }
}

/// The bytes of a text that [`json_text`] has written. `None` if it is no such text.
pub fn from_json_text(text: &str) -> Option<Vec<u8>> {
    let Some(digits) = text.strip_prefix("base64:") else { return Some(text.as_bytes().to_vec()) };
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for digit in digits.trim_end_matches('=').bytes() {
        let value = DIGITS.iter().position(|other| *other == digit)?;
        (bits, count) = (bits << 6 | u32::try_from(value).ok()?, count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    (json_text(&bytes) == text).then_some(bytes)
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().chain([&0, &0]).take(3).fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        for position in 0..4 {
            if position > group.len() {
                text.push('=');
            } else {
                text.push(char::from(DIGITS[(bits >> (18 - 6 * position) & 63) as usize]));
            }
        }
    }
    text
}

fn texts(words: &[Vec<u8>]) -> Vec<String> {
    words.iter().map(|word| json_text(word)).collect()
}

fn name_texts(names: &[Name]) -> Vec<String> {
    names.iter().map(|name| json_text(name.as_bytes())).collect()
}

struct ByName<'a, T>(&'a BTreeMap<Name, T>);

impl<T: Serialize> Serialize for ByName<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (json_text(name.as_bytes()), value)))
    }
}

struct Contents<'a>(&'a BTreeMap<Name, Arc<[Name]>>);

impl Serialize for Contents<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            self.0.iter().map(|(name, members)| (json_text(name.as_bytes()), name_texts(members))),
        )
    }
}

impl Serialize for Database {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pair = |(producer, consumer): &(Name, Name)| {
            json_text(&[producer.as_bytes(), b"/", consumer.as_bytes()].concat())
        };
        let pipelines: Vec<Vec<String>> =
            self.pipelines.iter().map(|pairs| pairs.iter().map(pair).collect()).collect();
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("bundles", &Contents(&self.bundles))?;
        map.serialize_entry("pipelines", &pipelines)?;
        map.serialize_entry("services", &ByName(&self.services))?;
        map.end()
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("deps", &name_texts(&self.dependencies))?;
        if let Some((_, down)) = &self.scripts {
            map.serialize_entry("down", &texts(down))?;
        }
        if self.flags != 0 {
            map.serialize_entry("flags", &format_args!("{:08x}", self.flags))?;
        }
        if self.timeout_down != 0 {
            map.serialize_entry("timeout_down", &self.timeout_down)?;
        }
        if self.timeout_up != 0 {
            map.serialize_entry("timeout_up", &self.timeout_up)?;
        }
        map.serialize_entry("type", self.kind)?;
        if let Some((up, _)) = &self.scripts {
            map.serialize_entry("up", &texts(up))?;
        }
        map.end()
    }
}
