//! The facts of a system that a user can notice: which services there are, what each one waits for, and how it is run.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Index, Kind, Layer, Longrun, Name, Node, NodeKind, SIGNALS, Service, ServiceSet};

/// The facts about each service and bundle, by the name of the fact. Names stand for the services behind them, and values that
/// mean the same are equal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemFacts {
    /// The facts about each service and bundle.
    pub services: BTreeMap<Name, BTreeMap<String, String>>,
    /// The services that start at boot.
    pub started: BTreeSet<Name>,
}

impl SystemFacts {
    /// The facts about those services of a set for which `is_ours` holds. Bundles that the system starts are left out, and what
    /// services of other layers wait for does not count.
    pub fn of(set: &ServiceSet, is_ours: impl Fn(&Name) -> bool) -> Self {
        let index = Index::new(set);
        let node = |name: &str| index.find(&name.into());
        let system = set.target.system;
        let (start, base) = if system.is_overlay() { ("top", node("base")) } else { ("default", None) };
        let is_start =
            |name: &Name| *name == *"default" || system.start_bundles().iter().any(|start| *name == **start);
        let own = |node: Node| is_ours(index.name(node)) && !is_start(index.name(node));
        let system_own = |node: Node| {
            matches!(index.layer(node), Layer::Overlay | Layer::Internal) || is_start(index.name(node))
        };
        let graph = Graph {
            index: &index,
            started: index.closure(node(start)),
            base: base.map(|base| index.atomics(base)).unwrap_or_default(),
            starts: index.nodes().filter(|node| is_start(index.name(*node))).collect(),
            leaves: index.nodes().filter(|node| !own(*node) && !system_own(*node)).collect(),
        };
        let mut facts = SystemFacts::default();
        for (number, service) in set.services.iter().enumerate() {
            let node = Node(number);
            if index.find(&service.name) != Some(node) || !own(node) || matches!(service.kind, Kind::Unknown)
            {
                continue;
            }
            if index.kind(node) != NodeKind::Bundle && graph.started.contains(&node) {
                facts.started.insert(service.name.clone());
            }
            facts.services.insert(service.name.clone(), graph.facts(node, service));
        }
        facts
    }

    /// The same facts about services with other names.
    #[must_use]
    pub fn renamed(self, names: &BTreeMap<Name, Name>) -> Self {
        let new = |name: Name| names.get(&name).cloned().unwrap_or(name);
        let list = |fact: &str, value: String| {
            let is_affected = |name: &str| names.contains_key(&Name::from(name));
            if !LISTS.contains(&fact) || !value.split(' ').any(is_affected) {
                return value;
            }
            let names: BTreeSet<String> =
                value.split(' ').map(|name| new(Name::from(name)).to_string()).collect();
            names.into_iter().collect::<Vec<_>>().join(" ")
        };
        let facts = |facts: BTreeMap<String, String>| {
            facts
                .into_iter()
                .map(|(fact, value)| {
                    let value = list(&fact, value);
                    (fact, value)
                })
                .collect()
        };
        SystemFacts {
            services: self.services.into_iter().map(|(name, own)| (new(name), facts(own))).collect(),
            started: self.started.into_iter().map(new).collect(),
        }
    }
}

/// The facts that are lists of names.
const LISTS: &[&str] = &["consumer-for", "contents", "producer-for", "waits for"];

/// The dependency graph, in which some services are only names.
struct Graph<'a> {
    index: &'a Index<'a>,
    started: BTreeSet<Node>,
    /// The members of the bundle `base`.
    base: BTreeSet<Node>,
    /// The bundles that the system starts.
    starts: BTreeSet<Node>,
    /// The services of other layers.
    leaves: BTreeSet<Node>,
}

impl Graph<'_> {
    /// The services that a node waits for, direct and indirect, or the members of a bundle.
    fn reached(&self, node: Node) -> BTreeSet<Node> {
        let is_bundle = self.index.kind(node) == NodeKind::Bundle;
        let mut reached = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open: Vec<Node> = self.index.edges(node).iter().map(|edge| edge.to).collect();
        // A service may wait for the base of the system through another layer.
        if !is_bundle && !self.base.is_empty() && self.base.is_subset(&self.index.closure([node])) {
            open.extend(&self.base);
        }
        while let Some(next) = open.pop() {
            if next == node || !seen.insert(next) {
                continue;
            }
            let is_inner_bundle = self.index.kind(next) == NodeKind::Bundle;
            if self.leaves.contains(&next) || !is_inner_bundle {
                reached.insert(next);
            }
            if !self.leaves.contains(&next) && (!is_bundle || is_inner_bundle) {
                let edges = self.index.edges(next).iter().map(|edge| edge.to);
                // The bundles that the system starts also have members of other layers.
                let is_start = self.starts.contains(&next);
                open.extend(edges.filter(|edge| !is_start || !self.leaves.contains(edge)));
            }
        }
        reached
    }

    fn names(&self, nodes: impl IntoIterator<Item = Node>) -> String {
        let names: BTreeSet<String> =
            nodes.into_iter().map(|node| self.index.name(node).to_string()).collect();
        names.into_iter().collect::<Vec<_>>().join(" ")
    }

    fn facts(&self, node: Node, service: &Service) -> BTreeMap<String, String> {
        let mut facts = BTreeMap::new();
        let mut add = |fact: &str, value: String| {
            if !value.is_empty() {
                facts.insert(fact.to_owned(), value);
            }
        };
        add("type", service.kind.word().to_owned());
        if let Kind::Bundle(_) = service.kind {
            add("contents", self.names(self.reached(node)));
            return facts;
        }
        if self.started.contains(&node) {
            add("starts", "at boot".to_owned());
        }
        add("waits for", self.names(self.reached(node)));
        let (up, down) = service.timeouts();
        for (fact, limit) in [("timeout-up", up), ("timeout-down", down)] {
            if limit > 0 {
                add(fact, limit.to_string());
            }
        }
        if let Some(longrun) = service.longrun() {
            of_longrun(longrun, &mut add);
        }
        let flags = self.flags(node, service);
        for (fact, is_set) in [("flag-essential", flags.0), ("flag-recommended", flags.1)] {
            if is_set {
                add(fact, "set".to_owned());
            }
        }
        facts
    }

    /// The flags of a service: its own, and those of the bundles that contain it.
    fn flags(&self, node: Node, service: &Service) -> (bool, bool) {
        let mut flags = (service.flag_essential, service.flag_recommended);
        for bundle in self.index.nodes().filter(|bundle| !self.leaves.contains(bundle)) {
            let Some(service) = self.index.service(bundle) else { continue };
            let is_bundle = matches!(service.kind, Kind::Bundle(_));
            if is_bundle
                && (service.flag_essential || service.flag_recommended)
                && self.index.atomics(bundle).contains(&node)
            {
                flags = (flags.0 | service.flag_essential, flags.1 | service.flag_recommended);
            }
        }
        flags
    }
}

fn of_longrun(longrun: &Longrun, add: &mut dyn FnMut(&str, String)) {
    let names = |list: &[crate::model::ServiceRef]| {
        let names: BTreeSet<String> = list.iter().map(|reference| reference.name.to_string()).collect();
        names.into_iter().collect::<Vec<_>>().join(" ")
    };
    add("producer-for", names(longrun.producer_for.as_deref().unwrap_or_default()));
    add("consumer-for", names(&longrun.consumer_for));
    add("pipeline-name", names(longrun.pipeline_name.as_deref().unwrap_or_default()));
    for (fact, number) in [("notification-fd", &longrun.notification_fd), ("lock-fd", &longrun.lock_fd)] {
        add(fact, number.as_ref().map(|number| number.value.to_string()).unwrap_or_default());
    }
    let numbers = [
        ("timeout-kill", longrun.timeout_kill.filter(|limit| *limit > 0)),
        ("timeout-finish", longrun.timeout_finish.filter(|limit| *limit != 5_000)),
        ("max-death-tally", longrun.max_death_tally.filter(|tally| *tally != 100)),
    ];
    for (fact, number) in numbers {
        add(fact, number.map(|number| number.to_string()).unwrap_or_default());
    }
    let signals =
        [("down-signal", &longrun.down_signal, "TERM"), ("reload-signal", &longrun.reload_signal, "HUP")];
    for (fact, content, default) in signals {
        let signal = content.as_deref().map_or(default.to_owned(), |content| signal(content, default));
        if signal != default {
            add(fact, signal);
        }
    }
    for (fact, is_set) in
        [("flag-timeout-killpg", longrun.flag_timeout_killpg), ("flag-newpidns", longrun.flag_newpidns)]
    {
        if is_set {
            add(fact, "set".to_owned());
        }
    }
}

/// The signal that s6-supervise reads in a file: a name, or a number as it stands there.
fn signal(content: &[u8], default: &str) -> String {
    let read = &content[..content.len().min(15)];
    let line = read.split(|byte| matches!(byte, b'\n' | 0)).next().unwrap_or_default();
    let upper = String::from_utf8_lossy(line).to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let numbers = [
        ("1", "HUP"),
        ("2", "INT"),
        ("3", "QUIT"),
        ("6", "ABRT"),
        ("9", "KILL"),
        ("10", "USR1"),
        ("12", "USR2"),
        ("14", "ALRM"),
        ("15", "TERM"),
        ("28", "WINCH"),
    ];
    if let Some((_, name)) = numbers.iter().find(|(number, _)| *number == name) {
        return (*name).to_owned();
    }
    let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let is_known = is_number || SIGNALS.contains(&name) || ["CLD", "IO", "IOT", "UNUSED"].contains(&name);
    if is_known { name.to_owned() } else { default.to_owned() }
}
