//! Makes random trees, and compares the verdicts of the real s6-rc-compile and of s6gen on them.
//!
//! `S6GEN_ORACLE_TREES` is the number of trees, `S6GEN_ORACLE_SEED` the seed.

use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use s6gen::disk::SourceDirectory;
use s6gen::source::{Directory, EntryKind, Listed, Source};
use serde_json::{Map, Value, json};

use crate::case::{Case, Content, Judgement, Verdict, cases, judge, lines, path, scratch, text};
use crate::require::needs;

pub const COMPILER: &str = "s6-rc-compile";

pub fn number_from(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn fresh_trees_get_the_verdict_of_the_real_compiler() {
    needs!("s6-rc");
    let count = number_from("S6GEN_ORACLE_TREES", 300);
    let seed = number_from("S6GEN_ORACLE_SEED", 1);
    let mut corpus = cases("cases-named.jsonl");
    corpus.extend(cases("corpus-dev.jsonl"));
    corpus.retain(|case| case.run_as.is_none() && case.modes.is_empty() && !case.sources().is_empty());
    let found = Mutex::new(Vec::new());
    let classes = Mutex::new(std::collections::BTreeMap::<String, u64>::new());
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (found, classes, corpus) = (&found, &classes, &corpus);
            scope.spawn(move || {
                for number in (worker..count).step_by(workers as usize) {
                    let mut random = Random::new(seed.wrapping_mul(1_000_003).wrapping_add(number));
                    let mut case = fresh(&mut random, corpus);
                    case.id = format!("fresh-{seed}-{number}");
                    let Some((real, difference)) = differ(&case) else { continue };
                    *classes.lock().unwrap().entry(real.class).or_default() += 1;
                    if difference.is_some() {
                        let small = smaller(case);
                        let (real, difference) = differ(&small).unwrap();
                        let line = serde_json::to_string(&Case { verdict: Some(real), ..small }).unwrap();
                        eprintln!("{}\n{line}", difference.clone().unwrap_or_default());
                        found.lock().unwrap().push(format!("{}\n{line}", difference.unwrap_or_default()));
                    }
                }
            });
        }
    });
    let (found, classes) = (found.into_inner().unwrap(), classes.into_inner().unwrap());
    eprintln!("{} fresh trees, seed {seed}: {classes:?}", classes.values().sum::<u64>());
    assert!(found.is_empty(), "{} trees are judged differently:\n{}", found.len(), found.join("\n"));
}

#[test]
fn every_recorded_message_has_its_class() {
    let named = cases("cases-named.jsonl").into_iter().map(|case| (case.sources(), case.verdict.unwrap()));
    let verdicts = lines("verdicts-dev.jsonl").into_iter().map(|line| serde_json::from_str(&line).unwrap());
    let generated = cases("corpus-dev.jsonl").into_iter().map(|case| case.sources()).zip(verdicts);
    for (sources, verdict) in named.chain(generated) {
        if matches!(verdict.class.as_str(), "usage" | "bad-option" | "bad-verbosity" | "hang" | "out-mkdir") {
            continue;
        }
        if let Some(message) = &verdict.stderr_first_fatal {
            assert_eq!(class_of(message, &sources), verdict.class, "{message}");
        }
    }
}

/// The verdict of the real program on a case, and how that of s6gen differs. `None` if the tree cannot be made.
fn differ(case: &Case) -> Option<(Verdict, Option<String>)> {
    let mut case = case.clone();
    let root = scratch();
    // Recorded cases about the place of the output already have one.
    remove(&mut case, "out");
    case.make(root.path()).ok()?;
    // Before the output exists, because it may be inside a source.
    let judgement = judge_as_listed(root.path(), &case.sources());
    let real = verdict(root.path(), &case);
    let difference = real.disagreement(&judgement);
    Some((real, difference))
}

/// Judges in the order in which the file system lists names, as the real program does.
fn judge_as_listed(root: &Path, sources: &[String]) -> Judgement {
    let open = |source: &String| {
        let path = if source.is_empty() { PathBuf::new() } else { root.join(path(source)) };
        let directory = SourceDirectory::open(&path).map(|inner| AsListed { inner, path: path.clone() });
        Source { path, directory }
    };
    judge(sources.iter().map(open).collect())
}

struct AsListed {
    inner: SourceDirectory,
    path: PathBuf,
}

impl Directory for AsListed {
    fn list(&mut self) -> io::Result<Vec<Listed>> {
        let entries = self.inner.list()?;
        let order: Vec<Vec<u8>> = std::fs::read_dir(&self.path)?
            .map(|entry| Ok(entry?.file_name().into_vec()))
            .collect::<io::Result<_>>()?;
        let place = |name: &[u8]| order.iter().position(|other| other == name);
        let mut entries: Vec<_> = entries.into_iter().map(|entry| (place(&entry.name), entry)).collect();
        entries.sort();
        Ok(entries.into_iter().map(|(_, entry)| entry).collect())
    }

    fn kind(&self, name: &[u8]) -> io::Result<EntryKind> {
        self.inner.kind(name)
    }

    fn directory(&self, name: &[u8]) -> io::Result<Self> {
        let path = self.path.join(std::ffi::OsStr::from_bytes(name));
        Ok(AsListed { inner: self.inner.directory(name)?, path })
    }

    fn read(&self, name: &[u8], limit: usize) -> io::Result<Vec<u8>> {
        self.inner.read(name, limit)
    }
}

/// Runs the real program. If it does not end within a second, the verdict is that it hangs.
pub fn verdict(root: &Path, case: &Case) -> Verdict {
    let sources = &case.sources();
    let surely_ends = case.fifos.is_empty();
    let mut child = Command::new(COMPILER)
        .arg("out")
        .args(sources.iter().map(|source| path(source)))
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !surely_ends && child.try_wait().unwrap().is_none() {
        if start.elapsed() > Duration::from_secs(1) {
            child.kill().unwrap();
            child.wait().unwrap();
            return Verdict { class: "hang".into(), ..Verdict::default() };
        }
        std::thread::sleep(Duration::from_micros(300));
    }
    let mut stderr = Vec::new();
    child.stderr.take().unwrap().read_to_end(&mut stderr).unwrap();
    let status = child.wait().unwrap();
    if status.success() {
        // s6-rc-db must run many times for each service, so the databases of large trees are compared only sometimes.
        let db = (case.files.len() < 20 || case.id.ends_with('0')).then(|| database(root));
        return Verdict { class: "ok".into(), db, ..Verdict::default() };
    }
    let message = String::from_utf8_lossy(&stderr).into_owned();
    Verdict { class: class_of(&message, sources), stderr_first_fatal: Some(message), ..Verdict::default() }
}

/// The class of a refusal.
pub fn class_of(stderr: &str, sources: &[String]) -> String {
    let Some((_, message)) = stderr.split_once("s6-rc-compile: fatal: ") else { return "no message".into() };
    let message = message.trim_end();
    let (front, reason) = message.rsplit_once(": ").unwrap_or((message, ""));
    let file = front.rsplit_once('/').map_or("", |(_, file)| file);
    let starts = |text: &str| message.starts_with(text);
    let has = |text: &str| message.contains(text);
    let ends = |text: &str| message.ends_with(text);
    let below_source = |verb: &str| {
        let place = front.strip_prefix(verb).unwrap_or(front);
        let rest =
            |source: &String| place.strip_prefix(source.as_str())?.strip_prefix('/').map(str::to_owned);
        // One source may be inside another.
        sources.iter().filter_map(rest).min_by_key(String::len).unwrap_or_default()
    };
    let lists = ["dependencies", "contents", "producer-for", "consumer-for", "pipeline-name"];
    let class = if starts("unable to opendir ") {
        if matches!(file, "dependencies.d" | "contents.d") { "listd-open" } else { "src-opendir" }
    } else if starts("unable to stat ") {
        if below_source("unable to stat ").contains('/') { "subdir-stat" } else { "src-stat" }
    } else if starts("subdirectory of ") {
        "name-newline"
    } else if starts("in ") && ends("starts with reserved prefix") {
        let in_source = sources.iter().any(|source| starts(&format!("in {source}: identifier ")));
        if in_source { "name-reserved" } else { "name-reserved-in-list" }
    } else if starts("unable to open ") {
        match (file, reason) {
            _ if !below_source("unable to open ").contains('/') => "svc-open",
            ("contents", "No such file or directory") => "contents-missing",
            ("up", "No such file or directory") => "up-missing",
            ("up" | "down" | "reload", _) => "script-open",
            ("run", _) => "run-open",
            (list, _) if lists.contains(&list) => "list-open",
            _ => "unknown open",
        }
    } else if starts("unable to read ") {
        match (file, reason) {
            ("type", _) => "type-read",
            ("timeout-up" | "timeout-down", _) => "timeout-read",
            ("flag-essential" | "flag-recommended", _) => "flag-access",
            (list, _) if lists.contains(&list) => "list-read",
            (_, "Invalid argument") => "uint-invalid",
            _ => "uint-read",
        }
    } else if starts("invalid ") {
        if ends("must be oneshot, longrun, or bundle") { "type-invalid" } else { "timeout-invalid" }
    } else if starts("duplicate service definition: ") {
        if has(" defined in s6-rc-compile internals ") { "dup-pipeline" } else { "dup-service" }
    } else if starts("unable to parse ") {
        "script-read"
    } else if starts("syntax error in ") {
        match reason {
            "unmatched }" => "script-unmatched-close",
            "unmatched {" => "script-unmatched-open",
            _ => "script-syntax",
        }
    } else if starts("unable to find a run script") {
        "run-missing"
    } else if ends("is not a regular file") {
        "run-notreg"
    } else if ends("should only contain one service name") {
        "producer-for-count"
    } else if ends("should only contain one name") {
        "pipeline-name-count"
    } else if starts("unable to access ") {
        if file == "pipeline-name" { "pipeline-name-access" } else { "emptyflag-access" }
    } else if starts("pipeline ") && has(" is too long: ") {
        "pipeline-loop"
    } else if starts("during resolution of bundle ") {
        "bundle-undefined"
    } else if starts("cyclic bundle definition: ") {
        "bundle-cycle"
    } else if starts("during dependency resolution for service ") {
        "dep-undefined"
    } else if starts("cyclic service dependency ") {
        "dep-cycle"
    } else if ends("has the same value for notification-fd and lock-fd") {
        "fd-same"
    } else if ends("is not a directory") {
        "subdir-notdir"
    } else if starts("unable to copy ") {
        "finish-copy"
    } else if starts("unable to recursively copy ") {
        "subdir-copy"
    } else if starts("longrun service ") {
        let is_one_sided = ends("that does not declare it back");
        if has(" declares being a producer for ") {
            if is_one_sided { "prod-not-back" } else { "prod-consumer-type" }
        } else if has(" declares being the consumer for ") {
            if is_one_sided { "cons-not-back" } else { "cons-producer-type" }
        } else if has(" declares a consumer ") {
            "cons-list-type"
        } else {
            "prod-decl-type"
        }
    } else if starts("longrun ") && has(" declares a producer ") {
        "pipeline-producer-type"
    } else {
        return format!("unknown message {message}");
    };
    class.into()
}

/// The compiled database `out` below `root`, as s6-rc-db prints it.
pub fn database(root: &Path) -> Value {
    let ask = |arguments: &[&std::ffi::OsStr]| -> Vec<u8> {
        let output =
            Command::new("s6-rc-db").args(["-c", "out"]).args(arguments).current_dir(root).output().unwrap();
        output.stdout
    };
    let word = std::ffi::OsStr::new;
    let split = |bytes: Vec<u8>, end: u8| -> Vec<Vec<u8>> {
        let mut parts: Vec<Vec<u8>> = bytes.split(|byte| *byte == end).map(<[u8]>::to_vec).collect();
        parts.pop();
        parts
    };
    let sorted = |arguments: &[&std::ffi::OsStr]| -> Vec<String> {
        let mut names = split(ask(arguments), b'\n');
        names.sort();
        names.iter().map(|name| text(name)).collect()
    };
    let mut services = Map::new();
    // s6-rc-db prints the pairs of a pipeline for each member.
    let mut pipelines = std::collections::BTreeSet::new();
    for kind in ["longrun", "oneshot"] {
        for name in split(ask(&[word("list"), word(&format!("{kind}s"))]), b'\n') {
            let name = std::ffi::OsStr::from_bytes(&name);
            let mut entry = Map::new();
            entry.insert("type".into(), kind.into());
            entry.insert("deps".into(), sorted(&[word("dependencies"), name]).into());
            for (key, option) in [("timeout_up", "-u"), ("timeout_down", "-d")] {
                let limit = String::from_utf8(ask(&[word(option), word("timeout"), name])).unwrap();
                let limit: u32 = limit.trim().parse().unwrap();
                if limit != 0 {
                    entry.insert(key.into(), limit.into());
                }
            }
            let flags = String::from_utf8(ask(&[word("flags"), name])).unwrap();
            if flags.trim() != "00000000" {
                entry.insert("flags".into(), flags.trim().into());
            }
            if kind == "oneshot" {
                for (key, option) in [("up", "-u"), ("down", "-d")] {
                    let words = split(ask(&[word(option), word("script"), name]), 0);
                    entry.insert(key.into(), words.iter().map(|word| text(word)).collect::<Vec<_>>().into());
                }
            } else {
                let pairs = sorted(&[word("pipeline"), name]);
                let own = text(name.as_bytes());
                let has_own = pairs.iter().any(|pair| pair.split('/').any(|member| member == own));
                assert!(pairs.is_empty() || has_own || own.starts_with("base64:"), "{own} in {pairs:?}");
                if !pairs.is_empty() {
                    pipelines.insert(pairs);
                }
            }
            services.insert(text(name.as_bytes()), entry.into());
        }
    }
    let mut bundles = Map::new();
    for name in split(ask(&[word("list"), word("bundles")]), b'\n') {
        let name = std::ffi::OsStr::from_bytes(&name);
        bundles.insert(text(name.as_bytes()), sorted(&[word("contents"), name]).into());
    }
    json!({"services": services, "bundles": bundles, "pipelines": pipelines})
}

/// Makes a case smaller: removes every file without which the verdicts still differ.
fn smaller(case: Case) -> Case {
    let mut case = case;
    let still = |case: &Case| differ(case).is_some_and(|(_, difference)| difference.is_some());
    loop {
        let before = serde_json::to_string(&case).unwrap().len();
        let mut names: Vec<String> = case.files.keys().chain(case.symlinks.keys()).cloned().collect();
        names.extend(case.dirs.iter().chain(&case.fifos).cloned());
        let parents: std::collections::BTreeSet<String> =
            names.iter().filter_map(|name| Some(name.rsplit_once('/')?.0.to_owned())).collect();
        for name in parents.into_iter().chain(names) {
            let mut candidate = case.clone();
            remove(&mut candidate, &name);
            if still(&candidate) {
                case = candidate;
            }
        }
        for name in case.files.keys().cloned().collect::<Vec<_>>() {
            let plain = Content { content: Some(String::new()), ..Content::default() };
            let mut candidate = case.clone();
            candidate.files.insert(name, plain);
            if still(&candidate) {
                case = candidate;
            }
        }
        if serde_json::to_string(&case).unwrap().len() == before {
            return case;
        }
    }
}

/// Removes a path and everything below it.
pub fn remove(case: &mut Case, name: &str) {
    let below = format!("{name}/");
    let keep = |other: &String| other != name && !other.starts_with(&below);
    case.dirs.retain(keep);
    case.fifos.retain(keep);
    case.files.retain(|other, _| keep(other));
    case.symlinks.retain(|other, _| keep(other));
}

/// A small random number generator (splitmix64); the same seed gives the same trees for ever.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ bits >> 31
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// True `percent` times in a hundred.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }
}

pub fn fresh(random: &mut Random, corpus: &[Case]) -> Case {
    match random.below(10) {
        0 | 1 => scripts(random),
        2 | 3 => pipelines(random),
        4 | 5 => bundles(random),
        6 | 7 => services(random),
        _ => {
            let mut case = random.pick(corpus);
            (case.verdict, case.doc) = (None, None);
            for _ in 0..=random.below(4) {
                damage(&mut case, random);
            }
            case
        }
    }
}

pub fn put(case: &mut Case, name: String, content: impl Into<Vec<u8>>) {
    let content = match String::from_utf8(content.into()) {
        Ok(text) => Content { content: Some(text), ..Content::default() },
        Err(bytes) => {
            let encoded = text(bytes.as_bytes());
            let encoded = encoded.strip_prefix("base64:").unwrap_or(&encoded).to_owned();
            Content { content_b64: Some(encoded), ..Content::default() }
        }
    };
    case.files.insert(name, content);
}

/// Oneshots with command lines of characters that are special for the lexer.
fn scripts(random: &mut Random) -> Case {
    let mut case = Case::default();
    for name in &["a", "b", "c"][..=random.below(3)] {
        put(&mut case, format!("src/{name}/type"), "oneshot\n");
        put(&mut case, format!("src/{name}/up"), command_line(random));
        for other in ["down", "reload"] {
            if random.chance(20) {
                put(&mut case, format!("src/{name}/{other}"), command_line(random));
            }
        }
    }
    case
}

fn command_line(random: &mut Random) -> Vec<u8> {
    const PIECES: &[&[u8]] = &[
        b" ",
        b" ",
        b" ",
        b"\n",
        b"{ ",
        b"} ",
        b" { ",
        b" } ",
        b"{",
        b"}",
        b"\\",
        b"\"",
        b"\"a\"",
        b"#",
        b"a",
        b"x",
        b"0",
        b"1",
        b"9",
        b"8",
        b"\\0x",
        b"\\0",
        b"\\1",
        b"\\25",
        b"\\\n",
        b"\r",
        b"\t",
        b"\x01",
        b"\x7f",
        b"\xff",
        b"\0",
        b"'",
        b"$x",
        b"\"\\65\"",
        b"word",
        b"foreground",
        b"A",
        b"f",
        b"X",
        b"\"x y\" ",
        b"\\ ",
        b"{\\",
        b"}\\",
        b"{\\\n",
        b"}\\\n",
    ];
    let mut text = Vec::new();
    // Almost every text of any special characters is refused at once, so some texts use only a few of them.
    let tame = random.chance(50);
    for _ in 0..random.below(if tame { 14 } else { 9 }) {
        let piece = random.pick(PIECES);
        if tame
            && (piece.contains(&b'"') && piece.len() == 1
                || piece == b"}"
                || piece == b"} "
                || piece == b"\0")
        {
            continue;
        }
        text.extend_from_slice(piece);
        if tame && random.chance(40) {
            text.push(b' ');
        }
    }
    text
}

const NAMES: &[&str] = &["a", "b", "c", "d", "e", "f", "g", "h"];

fn other_name(random: &mut Random, noise: usize) -> String {
    if random.chance(noise) {
        let odd = [
            "nowhere",
            "pl",
            "pl2",
            "a ",
            "a\r",
            "s6rc-x",
            "s6-rc-fdholder",
            "s6rc",
            ".a",
            "x y",
            "a/b",
            "pl",
        ];
        return random.pick(&odd).into();
    }
    random.pick(NAMES).into()
}

/// A list in a file, with comments and blanks as the format allows them.
fn list_text(random: &mut Random, names: &[String]) -> String {
    let mut text = String::new();
    for name in names {
        if random.chance(10) {
            text.push_str(random.pick(&["# comment\n", "\n", " \t\n", "#\n"][..]));
        }
        if random.chance(10) {
            text.push_str(random.pick(&[" ", "\t", " \t"]));
        }
        text.push_str(name);
        text.push('\n');
    }
    if random.chance(15) {
        text.pop();
    }
    text
}

/// A list as a directory or as a file.
fn list(case: &mut Case, random: &mut Random, service: &str, kind: &str, names: &[String]) {
    if random.chance(60) {
        case.dirs.push(format!("src/{service}/{kind}.d"));
        for name in names.iter().filter(|name| !name.contains('/')) {
            put(case, format!("src/{service}/{kind}.d/{name}"), "");
        }
    } else {
        let text = list_text(random, names);
        put(case, format!("src/{service}/{kind}"), text);
    }
}

/// Longruns in pipelines, most of them valid.
fn pipelines(random: &mut Random) -> Case {
    let mut case = Case::default();
    let noise = random.pick(&[0, 0, 4, 10, 25]);
    let count = 2 + random.below(NAMES.len() - 1);
    let mut producers: Vec<Vec<String>> = vec![Vec::new(); count];
    for (number, name) in NAMES[..count].iter().enumerate() {
        let kind = if random.chance(noise) { random.pick(&["oneshot\n", "bundle\n"]) } else { "longrun\n" };
        put(&mut case, format!("src/{name}/type"), kind);
        put(&mut case, format!("src/{name}/run"), "");
        put(&mut case, format!("src/{name}/up"), "");
        if kind == "bundle\n" {
            case.dirs.push(format!("src/{name}/contents.d"));
        }
        if random.chance(60) {
            // A consumer with a lower number closes no cycle. Without noise, most pipelines are valid.
            let consumer = if random.chance(noise) { random.below(count) } else { random.below(number + 1) };
            if consumer != number || random.chance(noise) {
                let mut lines = vec![NAMES[consumer].to_owned()];
                if random.chance(noise) {
                    lines[0] = other_name(random, 30);
                }
                if random.chance(noise / 2) {
                    lines.push(other_name(random, 30));
                }
                let text = list_text(random, &lines);
                put(&mut case, format!("src/{name}/producer-for"), text);
                if !random.chance(noise) {
                    producers[consumer].push((*name).to_owned());
                }
            }
        }
        if random.chance(noise) {
            producers[number].push(other_name(random, 30));
        }
        if random.chance(20) {
            let needed =
                [if random.chance(50) { NAMES[random.below(count)].into() } else { other_name(random, 50) }];
            list(&mut case, random, name, "dependencies", &needed);
        }
    }
    for (number, producers) in producers.iter_mut().enumerate() {
        let name = NAMES[number];
        for _ in 0..producers.len() {
            let (one, other) = (random.below(producers.len()), random.below(producers.len()));
            producers.swap(one, other);
        }
        if !producers.is_empty() || random.chance(noise) {
            let text = list_text(random, producers);
            put(&mut case, format!("src/{name}/consumer-for"), text);
        }
        if random.chance(40) {
            let mut pipeline = format!("pl{name}");
            if random.chance(noise) {
                pipeline = other_name(random, 60);
            }
            let mut lines = vec![pipeline];
            if random.chance(noise / 2) {
                lines.push("pl2".into());
            }
            let text = list_text(random, &lines);
            put(&mut case, format!("src/{name}/pipeline-name"), text);
        }
    }
    case
}

/// Bundles of bundles, and services that depend on them.
fn bundles(random: &mut Random) -> Case {
    let mut case = Case::default();
    let noise = random.pick(&[0, 0, 3, 10, 30]);
    let count = 1 + random.below(NAMES.len());
    for (number, name) in NAMES[..count].iter().enumerate() {
        let mut names = Vec::new();
        for _ in 0..random.below(4) {
            let below = if random.chance(noise) { count } else { number };
            if random.chance(noise) {
                names.push(other_name(random, 50));
            } else if below > 0 {
                names.push(NAMES[random.below(below)].to_owned());
            }
        }
        for flag in ["flag-essential", "flag-recommended"] {
            if random.chance(15) {
                put(&mut case, format!("src/{name}/{flag}"), "");
            }
        }
        if random.chance(50) {
            put(&mut case, format!("src/{name}/type"), "bundle\n");
            list(&mut case, random, name, "contents", &names);
        } else {
            let kind = random.pick(&["longrun", "oneshot"]);
            put(&mut case, format!("src/{name}/type"), format!("{kind}\n"));
            put(&mut case, format!("src/{name}/{}", if kind == "longrun" { "run" } else { "up" }), "");
            list(&mut case, random, name, "dependencies", &names);
        }
    }
    if random.chance(20) {
        // The same definitions in two sources, in another order.
        case.sources = Some(vec!["src".into(), "more".into()]);
        let moved = NAMES[random.below(count)];
        let prefix = format!("src/{moved}/");
        let names: Vec<String> =
            case.files.keys().filter(|name| name.starts_with(&prefix)).cloned().collect();
        for name in names {
            let file = case.files.remove(&name).unwrap();
            case.files.insert(name.replacen("src/", "more/", 1), file);
        }
        for dir in case.dirs.iter_mut().filter(|dir| dir.starts_with(&prefix)) {
            *dir = dir.replacen("src/", "more/", 1);
        }
        case.dirs.extend(["src".into(), "more".into()]);
    }
    case
}

/// Services with files of every kind, some of them invalid.
fn services(random: &mut Random) -> Case {
    let mut case = Case::default();
    let noise = random.pick(&[0, 2, 5, 15]);
    for name in &NAMES[..=random.below(4)] {
        let kind = random.pick(&["longrun", "longrun", "oneshot", "bundle"]);
        put(&mut case, format!("src/{name}/type"), format!("{kind}\n"));
        match kind {
            "longrun" => put(&mut case, format!("src/{name}/run"), "#!/bin/sh\n"),
            "oneshot" => put(&mut case, format!("src/{name}/up"), "true\n"),
            _ => case.dirs.push(format!("src/{name}/contents.d")),
        }
        for file in FILES {
            if random.chance(12) {
                let content = content_for(file, random, noise);
                put(&mut case, format!("src/{name}/{file}"), content);
            } else if random.chance(noise) && random.chance(15) {
                let place = format!("src/{name}/{file}");
                remove(&mut case, &place);
                match random.below(5) {
                    0 => case.dirs.push(place),
                    1 => drop(case.symlinks.insert(place, "missing".into())),
                    2 => drop(case.symlinks.insert(place, "type".into())),
                    3 if random.chance(20) => case.fifos.push(place),
                    _ => drop(case.symlinks.insert(place, (*file).into())),
                }
            }
        }
        for sub in ["data", "env", "template"] {
            if random.chance(8) {
                case.dirs.push(format!("src/{name}/{sub}"));
            }
        }
    }
    for _ in 0..3 {
        if random.chance(noise * 2) {
            damage(&mut case, random);
        }
    }
    if random.chance(noise) {
        case.sources =
            Some(vec!["src".into(), random.pick(&["missing", "src", "src/a/type", "src/."]).into()]);
    }
    case
}

/// Files that a definition may have, apart from lists.
const FILES: &[&str] = &[
    "timeout-up",
    "timeout-down",
    "flag-essential",
    "flag-recommended",
    "reload",
    "down",
    "up",
    "run",
    "finish",
    "notification-fd",
    "lock-fd",
    "timeout-kill",
    "timeout-finish",
    "max-death-tally",
    "down-signal",
    "reload-signal",
    "flag-newpidns",
    "flag-timeout-killpg",
    "nosetsid",
    "producer-for",
    "consumer-for",
    "pipeline-name",
];

/// The name of any file or directory of a definition.
fn any_file(random: &mut Random) -> &'static str {
    let more =
        ["type", "dependencies", "dependencies.d", "contents", "contents.d", "data", "env", "template"];
    if random.chance(30) { random.pick(&more) } else { random.pick(FILES) }
}

fn content_for(file: &str, random: &mut Random, noise: usize) -> Vec<u8> {
    let is_odd = random.chance(noise);
    let text: &[u8] = match file {
        "type" => random.pick::<&[u8]>(&[
            &b"longrun"[..], b"oneshot\n", b"bundle\n", b"bundle", b"bundle\n\n", b"longrun\nx", b"oneshot\n\n", b"",
            b"longrun\r\n", b" oneshot", b"Bundle\n", b"bundle\0", b"bundle\0\n", b"bundle\0\nx", b"bundle\0x", b"longru",
            b"longrun\0", b"longrunx", b"bundlex\n", b"\n", b"unknow\n", b"bundle ",
        ]),
        "up" | "down" | "reload" if is_odd => return command_line(random),
        "up" | "down" | "reload" => b"true\n",
        "producer-for" | "consumer-for" | "pipeline-name" | "dependencies" | "contents" => {
            let names: Vec<String> = (0..random.below(3)).map(|_| other_name(random, 25)).collect();
            return list_text(random, &names).into_bytes();
        }
        _ if is_odd => random.pick::<&[u8]>(&[
            &b""[..], b"\n", b"5\n\n", b"5\n6", b"5x", b"5 ", b" 5", b"\t5", b"-1", b"+1", b"5\r\n", b"4294967295", b"4294967296",
            b"00000000005", b"000000000005", b"00000000005x", b"5\0x", b"\0", b"5\0\n", b"5\n\0", b"0x10", b"10s", b"\n5",
            b"99999999999", b"429496729600", b"0000000000000000000000000000000000000000000000000000000000000005",
            b"000000000000000000000000000000000000000000000000000000000000005x", b"3\n", b"\xff", b"1e3", b"42949672950",
            b"\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n5",
            b"5\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n5",
        ]),
        _ => random.pick::<&[u8]>(&[&b"3\n"[..], b"5\n", b"1000\n", b"0\n", b"5", b"2\n", b"15\n"]),
    };
    text.to_vec()
}

/// Makes a random change, which may make the tree invalid.
fn damage(case: &mut Case, random: &mut Random) {
    let names: Vec<String> = case.files.keys().cloned().collect();
    if names.is_empty() {
        return;
    }
    let name = random.pick(&names);
    // Only plain paths, because a path in base64 cannot be split here.
    let Some((service, file)) = name.rsplit_once('/').filter(|_| !name.starts_with("base64:")) else {
        return;
    };
    let (service, file) = (service.to_owned(), file.to_owned());
    let target = if random.chance(50) { name.clone() } else { format!("{service}/{}", any_file(random)) };
    match random.below(14) {
        0 => remove(case, &name),
        1 => {
            remove(case, &target);
            case.dirs.push(target);
        }
        2 => {
            remove(case, &target);
            case.symlinks.insert(target, "missing".into());
        }
        3 => {
            remove(case, &target);
            let own = target.rsplit('/').next().unwrap_or_default().to_owned();
            case.symlinks.insert(target, own);
        }
        4 if random.chance(30) => {
            remove(case, &target);
            case.fifos.push(target);
        }
        5 => {
            remove(case, &target);
            let to = if random.chance(50) {
                file
            } else {
                random.pick(&[".", "..", "type", "type/x", "/dev/null"]).into()
            };
            case.symlinks.insert(target, to);
        }
        6 | 7 => {
            let last = target.rsplit('/').next().unwrap_or_default().to_owned();
            remove(case, &target);
            let content = content_for(&last, random, 50);
            put(case, target, content);
        }
        8 => {
            let mut bytes = case.files[&name].bytes();
            let at = random.below(bytes.len() + 1);
            bytes.insert(at, random.pick(b" \n\r\t\0#{}\\\"x0\xff"));
            put(case, name, bytes);
        }
        9 => {
            let mut bytes = case.files[&name].bytes();
            bytes.truncate(random.below(bytes.len() + 1));
            put(case, name, bytes);
        }
        10 => {
            // A copy of a definition under another name.
            let Some((source, _)) = service.split_once('/') else { return };
            let copy = format!(
                "{source}/{}",
                random.pick(&["copy", "a", "s6rc-copy", "s6-rc", "x\ny", ".hidden", "b"])
            );
            let prefix = format!("{service}/");
            let copies: Vec<(String, Content)> = case
                .files
                .iter()
                .filter_map(|(name, file)| {
                    Some((format!("{copy}/{}", name.strip_prefix(&prefix)?), file.clone()))
                })
                .collect();
            remove(case, &copy);
            case.files.extend(copies);
        }
        11 => {
            let other = random.pick(&names);
            let (one, two) = (case.files[&name].clone(), case.files[&other].clone());
            case.files.insert(name, two);
            case.files.insert(other, one);
        }
        12 => {
            // One more name in a list.
            let list = random.pick(&["dependencies.d", "contents.d"]);
            let named = other_name(random, 40);
            if !named.contains('/') {
                put(case, format!("{service}/{list}/{named}"), "");
            }
        }
        _ => {
            // An entry of the source that need not be a definition.
            let Some((source, _)) = service.split_once('/') else { return };
            let entry =
                format!("{source}/{}", random.pick(&["s6rc-x", "README", ".git", "s6-rc-", "x\ny", "z"]));
            if case.files.keys().any(|name| name.starts_with(&format!("{entry}/"))) {
                return;
            }
            remove(case, &entry);
            match random.below(4) {
                0 => case.dirs.push(entry),
                1 => put(case, entry, ""),
                2 => drop(case.symlinks.insert(entry, "missing".into())),
                _ => drop(case.symlinks.insert(entry, random.pick(&["z", ".", "..", "a"]).into())),
            }
        }
    }
}
