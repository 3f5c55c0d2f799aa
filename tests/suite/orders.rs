//! Checks that the real s6-rc starts and stops services in an order that `s6gen graph` allows.
//!
//! s6-rc makes a dry run in a directory that looks like a live one. That needs neither supervision nor root.
//! `S6GEN_ORDERS_TREES` is the number of trees, `S6GEN_ORACLE_SEED` the seed.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use s6gen::diagnostic::Files;
use s6gen::disk;
use s6gen::judge;
use s6gen::model::{Index, Name, Node, System, Target};
use s6gen::plan::{OrderDirection, Timeline};
use s6gen::render;
use serde_json::Value;

use crate::case::{Case, cases, path, scratch};
use crate::oracle::{Random, fresh, number_from, put};
use crate::require::needs;

/// How many services and bundles of one tree are started and stopped by name.
const NAMES_PER_TREE: usize = 12;

#[test]
fn s6_rc_starts_and_stops_in_an_order_that_the_graph_allows() {
    needs!("s6-rc");
    let count = number_from("S6GEN_ORDERS_TREES", 20);
    let seed = number_from("S6GEN_ORACLE_SEED", 1);
    let mut corpus = cases("cases-named.jsonl");
    corpus.extend(cases("corpus-dev.jsonl"));
    corpus.retain(|case| case.run_as.is_none() && case.modes.is_empty() && !case.sources().is_empty());
    let total = Mutex::new(Figures::default());
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (corpus, total) = (&corpus, &total);
            scope.spawn(move || {
                for number in (worker..count).step_by(workers as usize) {
                    let mut random = Random::new(seed.wrapping_mul(1_000_003).wrapping_add(number));
                    let figures = one_tree(&mut random, corpus, number.is_multiple_of(2));
                    total.lock().unwrap().add(&figures);
                }
            });
        }
    });
    let Figures { services, edges, runs, transitions } = total.into_inner().unwrap();
    eprintln!(
        "{count} trees, seed {seed}: {services} services and {edges} edges as in s6-rc-db, {runs} runs of s6-rc, \
         {transitions} transitions in an allowed order"
    );
    assert!(transitions > count, "hardly anything was started");
}

/// How many things were compared.
#[derive(Debug, Default)]
struct Figures {
    services: usize,
    edges: usize,
    runs: u64,
    transitions: u64,
}

impl Figures {
    fn add(&mut self, other: &Figures) {
        self.services += other.services;
        self.edges += other.edges;
        self.runs += other.runs;
        self.transitions += other.transitions;
    }
}

/// Makes random trees until one is accepted, and compares the orders of all its services.
fn one_tree(random: &mut Random, corpus: &[Case], is_large: bool) -> Figures {
    loop {
        let mut case = if is_large { layered(random) } else { fresh(random, corpus) };
        // Recorded cases about the place of the output already have one.
        crate::oracle::remove(&mut case, "out");
        let root = scratch();
        if case.make(root.path()).is_err() {
            continue;
        }
        let sources: Vec<PathBuf> =
            case.sources().iter().map(|source| root.path().join(path(source))).collect();
        let mut files = Files::default();
        let opened = sources.iter().map(disk::source).collect();
        let compilation = judge(&mut files, opened, Target::new(System::NEWEST_S6RC));
        if compilation.problems.has_errors() {
            assert!(!is_large, "{:#?}", compilation.problems);
            continue;
        }
        let index = Index::new(&compilation.services);
        // A tree without services shows nothing.
        if index.nodes().count() <= 2 {
            continue;
        }
        let database = root.path().join("out");
        // Recorded sources may be links to the place of the output. Such a tree cannot be compared.
        let compiled = Command::new("s6-rc-compile").arg(&database).args(&sources).output().unwrap();
        let output_text = String::from_utf8_lossy(&compiled.stderr);
        assert!(compiled.status.success(), "{output_text}\n{}", serde_json::to_string(&case).unwrap());
        let tree = Tree { root: root.path(), index, sources };
        return tree.compare(random);
    }
}

struct Tree<'a> {
    root: &'a Path,
    index: Index<'a>,
    sources: Vec<PathBuf>,
}

/// The services that each service waits for, by the names that the graph prints.
type Waits = BTreeMap<String, BTreeSet<String>>;

impl Tree<'_> {
    fn compare(&self, random: &mut Random) -> Figures {
        let mut figures = Figures::default();
        let (up, down) = (self.waits(&[], OrderDirection::Up), self.waits(&[], OrderDirection::Down));
        let numbers = self.ask(&["list", "services"]);
        assert_eq!(
            numbers.iter().map(|name| shown(name)).collect::<BTreeSet<_>>(),
            up.keys().cloned().collect()
        );
        for name in &numbers {
            for (option, waits) in [("-u", &up), ("-d", &down)] {
                let real = self.ask(&[OsStr::new(option), OsStr::new("dependencies"), name]);
                let real: BTreeSet<String> = real.iter().map(|name| shown(name)).collect();
                assert_eq!(waits[&shown(name)], real, "{option} {name:?} of {:?}", self.sources);
                figures.edges += real.len();
            }
            figures.services += 1;
        }
        let mut names = numbers.clone();
        names.extend(self.ask(&["list", "bundles"]));
        // s6-rc would read such an argument as an option.
        names.retain(|name| !name.as_bytes().starts_with(b"-"));
        let names_in_all = names.len();
        let mut selections = vec![names.clone()];
        while !names.is_empty() && selections.len() <= NAMES_PER_TREE {
            selections.push(vec![names.swap_remove(random.below(names.len()))]);
        }
        for selection in &selections {
            let nodes: Vec<Node> =
                selection.iter().map(|name| self.index.find(&Name::new(name.as_bytes())).unwrap()).collect();
            for (option, direction) in
                [("-u", OrderDirection::Up), ("-d", OrderDirection::Down), ("-D", OrderDirection::Down)]
            {
                let order = self.dry_run(option, selection, &numbers);
                let waits = self.waits(&nodes, direction);
                let mut gone = BTreeSet::new();
                for name in &order {
                    let missing: Vec<&String> = waits[name].difference(&gone).collect();
                    assert!(
                        missing.is_empty(),
                        "{option} {selection:?}: {name} before {missing:?} in {order:?}"
                    );
                    assert!(gone.insert(name.clone()), "{option} {selection:?}: {name} twice");
                }
                // Without -D, essential services and their dependencies stay up.
                if option != "-d" {
                    assert_eq!(gone, waits.keys().cloned().collect(), "{option} {selection:?}");
                }
                if selection.len() == names_in_all && option != "-D" {
                    self.compare_plan(option == "-u", &order);
                }
                figures.runs += 1;
                figures.transitions += order.len() as u64;
            }
        }
        for (options, direction) in [(&[][..], OrderDirection::Up), (&["--down"][..], OrderDirection::Down)] {
            let mut program = Command::new(env!("CARGO_BIN_EXE_s6gen"));
            program.args(["graph", "--format", "json"]).args(options);
            for source in &self.sources {
                program.arg("--tree").arg(source);
            }
            let printed = String::from_utf8(program.output().unwrap().stdout).unwrap();
            let mut printed: Value = serde_json::from_str(&printed).unwrap();
            printed
                .as_object_mut()
                .unwrap()
                .retain(|key, _| ["bundles", "direction", "services"].contains(&&**key));
            assert_eq!(printed, value(render::json(&self.index, &[], direction)));
        }
        figures
    }

    /// The plan allows the order of a whole start or a whole stop: each service comes after those at whose end the plan lets it
    /// begin. A stop leaves exactly those up of which the plan says so.
    fn compare_plan(&self, is_start: bool, order: &[String]) {
        let timeline = Timeline::new(&self.index, |_| None);
        let place: BTreeMap<&str, usize> =
            order.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
        let names: Vec<String> = (0..timeline.rows.len()).map(|row| timeline.name(row).to_string()).collect();
        for (row, plan) in timeline.rows.iter().enumerate() {
            let own = place.get(names[row].as_str());
            for first in timeline.order.services[row].after() {
                let other = &timeline.rows[first];
                let theirs = place.get(names[first].as_str());
                if is_start && plan.is_at_boot == other.is_at_boot {
                    assert!(plan.start.begin >= other.start.end, "{} and {}", names[row], names[first]);
                }
                if is_start && own.is_some() {
                    assert!(theirs < own, "{} starts before {}", names[row], names[first]);
                }
                if !is_start && !other.stays {
                    assert!(other.stop.begin >= plan.stop.end, "{} and {}", names[row], names[first]);
                    assert!(own < theirs, "{} stops before {}", names[first], names[row]);
                }
            }
            // A name that s6-rc would take for an option was not selected, and what it alone keeps up is not known.
            let is_whole = names.iter().all(|name| !name.starts_with('-'));
            if !is_start && is_whole {
                assert_eq!(own.is_none(), plan.stays, "{} in a stop", names[row]);
            }
        }
    }

    /// The edges of `s6gen graph --format json`.
    fn waits(&self, names: &[Node], direction: OrderDirection) -> Waits {
        let shape = value(render::json(&self.index, names, direction));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let services = shape["services"].as_array().unwrap().iter();
        services
            .map(|service| {
                let after = service["after"].as_array().unwrap().iter();
                (text(&service["name"]), after.map(|wait| text(&wait["name"])).collect())
            })
            .collect()
    }

    /// Lines that s6-rc-db prints.
    fn ask(&self, arguments: &[impl AsRef<OsStr>]) -> Vec<OsString> {
        let mut program = Command::new("s6-rc-db");
        let output = program.arg("-c").arg(self.root.join("out")).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut lines: Vec<OsString> = output
            .stdout
            .split(|byte| *byte == b'\n')
            .map(|line| OsString::from_vec(line.to_vec()))
            .collect();
        lines.pop();
        lines
    }

    /// The order in which s6-rc brings `selection` up from nothing, or down from everything.
    fn dry_run(&self, option: &str, selection: &[OsString], numbers: &[OsString]) -> Vec<String> {
        let live = tempfile::tempdir_in(self.root).unwrap();
        let database = self.root.join("out");
        symlink(&database, live.path().join("compiled")).unwrap();
        symlink(database.join("servicedirs"), live.path().join("servicedirs")).unwrap();
        fs::write(live.path().join("state"), vec![u8::from(option != "-u"); numbers.len()]).unwrap();
        let mut program = Command::new("s6-rc");
        program.arg("-l").arg(live.path()).args(["-n0", option, "change"]).args(selection);
        let output = program.output().unwrap();
        assert!(
            output.status.success(),
            "{option} {selection:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| shown(&transition(line, live.path(), numbers))).collect()
    }
}

/// The fields of an answer as one object.
fn value(fields: [(&'static str, String); 3]) -> Value {
    fields.into_iter().map(|(name, json)| (name, serde_json::from_str::<Value>(&json).unwrap())).collect()
}

/// The name as the graph prints it.
fn shown(name: &OsStr) -> String {
    Name::new(name.as_bytes()).to_string()
}

/// The service of a line of a dry run: a longrun by the path of its directory, a oneshot by its number.
fn transition(line: &[u8], live: &Path, numbers: &[OsString]) -> OsString {
    let servicedirs = [live.as_os_str().as_bytes(), b"/servicedirs/"].concat();
    let at = line.windows(servicedirs.len()).position(|part| part == servicedirs).unwrap();
    let place = &line[at + servicedirs.len()..];
    if line.starts_with(b"s6-rc-dryrun: s6-svc ") {
        return OsString::from_vec(place.to_vec());
    }
    // LIVE/servicedirs/s6rc-oneshot-runner/s up 8  # mounts
    let words = String::from_utf8_lossy(place);
    let number: usize = words.split(' ').nth(2).unwrap().parse().unwrap();
    numbers[number].clone()
}

/// A valid tree of many services that depend on services, bundles and pipelines, with names in a random order.
fn layered(random: &mut Random) -> Case {
    let mut case = Case::default();
    let count = 10 + random.below(25);
    let mut order: Vec<usize> = (0..count).collect();
    for number in (1..count).rev() {
        order.swap(number, random.below(number + 1));
    }
    let name = |number: usize| format!("service{}", order[number]);
    // A service may depend on the services and bundles of lower layers.
    let mut below: Vec<String> = Vec::new();
    let mut number = 0;
    while number < count {
        let own = name(number);
        let mut needed = BTreeSet::new();
        for _ in 0..random.below(4) {
            if !below.is_empty() {
                needed.insert(random.pick(&below));
            }
        }
        let mut kind = random.pick(&["longrun", "longrun", "oneshot", "bundle"]);
        let feeds = if kind == "longrun" && random.chance(30) { random.below(3) } else { 0 };
        if number + feeds >= count {
            kind = "oneshot";
        }
        let list = if kind == "bundle" { "contents" } else { "dependencies" };
        put(&mut case, format!("src/{own}/type"), format!("{kind}\n"));
        case.dirs.push(format!("src/{own}/{list}.d"));
        for needed in &needed {
            put(&mut case, format!("src/{own}/{list}.d/{needed}"), "");
        }
        match kind {
            "longrun" => put(&mut case, format!("src/{own}/run"), ""),
            "oneshot" => put(&mut case, format!("src/{own}/up"), ""),
            _ => {}
        }
        for (flag, often) in [("flag-essential", 4), ("notification-fd", 20), ("timeout-up", 20)] {
            if random.chance(often) && (kind == "longrun" || flag == "flag-essential") {
                put(&mut case, format!("src/{own}/{flag}"), "3\n");
            }
        }
        below.push(own.clone());
        if kind == "longrun" && feeds > 0 {
            // Producers wait for their consumer, so they come after it.
            let producers: Vec<String> = (1..=feeds).map(|step| name(number + step)).collect();
            for producer in &producers {
                put(&mut case, format!("src/{producer}/type"), "longrun\n");
                put(&mut case, format!("src/{producer}/run"), "");
                put(&mut case, format!("src/{producer}/producer-for"), format!("{own}\n"));
                if random.chance(50) {
                    let needed = random.pick(&below);
                    put(&mut case, format!("src/{producer}/dependencies"), format!("{needed}\n"));
                }
            }
            put(&mut case, format!("src/{own}/consumer-for"), producers.join("\n") + "\n");
            if random.chance(70) {
                put(&mut case, format!("src/{own}/pipeline-name"), format!("pipeline-{own}\n"));
                below.push(format!("pipeline-{own}"));
            }
            below.extend(producers);
            number += feeds;
        }
        number += 1;
    }
    case
}
