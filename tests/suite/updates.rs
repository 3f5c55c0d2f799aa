//! Checks that the real s6-rc-update stops and starts the services that `compare::transitions` predicts.
//!
//! s6-rc-update makes a dry run in a directory that looks like a live one. That needs neither supervision nor root.
//! `S6GEN_UPDATES` is the number of pairs of systems, `S6GEN_ORACLE_SEED` the seed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Mutex;

use s6gen::compare::{self, Cause};
use s6gen::diagnostic::Files;
use s6gen::disk;
use s6gen::judge;
use s6gen::model::{Name, Snapshot, System, Target};
use s6gen::snapshot_of;

use crate::case::{Case, scratch};
use crate::oracle::{Random, number_from, put};
use crate::require::needs;

/// For each pair of databases, how many sets of running services are updated from one to the other.
const STATES_PER_PAIR: usize = 5;

#[test]
fn s6_rc_update_stops_and_starts_what_was_predicted() {
    needs!("s6-rc");
    let count = number_from("S6GEN_UPDATES", 30);
    let seed = number_from("S6GEN_ORACLE_SEED", 1);
    let total = Mutex::new(BTreeMap::<&str, u64>::new());
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let total = &total;
            scope.spawn(move || {
                for number in (worker..count).step_by(workers as usize) {
                    let mut random = Random::new(seed.wrapping_mul(1_000_003).wrapping_add(number));
                    let figures = one_pair(&mut random);
                    let mut total = total.lock().unwrap();
                    for (what, figure) in figures {
                        *total.entry(what).or_default() += figure;
                    }
                }
            });
        }
    });
    let total = total.into_inner().unwrap();
    eprintln!("{count} pairs of systems, seed {seed}: {total:?}");
    assert!(total.contains_key("starts"), "hardly anything was started");
}

/// A service of a random system. Its dependencies come before it.
#[derive(Debug, Clone)]
struct Service {
    name: String,
    kind: &'static str,
    list: BTreeSet<String>,
    producer_for: Option<String>,
    pipeline_name: Option<String>,
}

/// Names of services. A service may only depend on names before its own.
fn names() -> Vec<String> {
    ["h", "c", "a", "g", "e", "b", "f", "d", "k", "i", "l", "j"].map(str::to_owned).to_vec()
}

fn system(random: &mut Random) -> Vec<Service> {
    let mut services: Vec<Service> = Vec::new();
    for name in names() {
        if random.chance(80) {
            let service = service(random, name, &services);
            services.push(service);
        }
    }
    services
}

fn service(random: &mut Random, name: String, before: &[Service]) -> Service {
    let kind = random.pick(&["longrun", "longrun", "longrun", "oneshot", "oneshot", "bundle"]);
    let mut service = Service { name, kind, list: BTreeSet::new(), producer_for: None, pipeline_name: None };
    for _ in 0..random.below(4) {
        if !before.is_empty() {
            service.list.insert(before[random.below(before.len())].name.clone());
        }
    }
    if kind == "longrun" && random.chance(30) {
        let longruns: Vec<&Service> = before.iter().filter(|service| service.kind == "longrun").collect();
        if !longruns.is_empty() {
            service.producer_for = Some(random.pick(&longruns).name.clone());
        }
    }
    if random.chance(40) {
        service.pipeline_name = Some(format!("pipe-{}", service.name));
    }
    service
}

/// The same system after random changes.
fn later(random: &mut Random, old: &[Service]) -> Vec<Service> {
    if random.chance(10) {
        return system(random);
    }
    let noise = random.pick(&[3, 10, 25]);
    let mut new: Vec<Service> = Vec::new();
    for name in names() {
        let known = old.iter().find(|service| service.name == name);
        match known {
            Some(_) if random.chance(noise / 2) => {}
            Some(known) if !random.chance(noise) => {
                let mut same = known.clone();
                same.list.retain(|name| new.iter().any(|service| service.name == *name));
                same.producer_for = same.producer_for.filter(|consumer| {
                    new.iter().any(|service| service.name == *consumer && service.kind == "longrun")
                });
                if random.chance(noise) && !new.is_empty() {
                    same.list.insert(new[random.below(new.len())].name.clone());
                }
                new.push(same);
            }
            None if !random.chance(noise) => {}
            _ => {
                let fresh = service(random, name, &new);
                new.push(fresh);
            }
        }
    }
    // A pipeline may get a name that is free.
    let free: Vec<String> =
        names().into_iter().filter(|name| new.iter().all(|service| service.name != *name)).collect();
    if let (Some(name), true) = (free.first(), random.chance(50)) {
        let last =
            new.iter_mut().rfind(|service| service.kind == "longrun" && service.producer_for.is_none());
        if let Some(last) = last {
            last.pipeline_name = Some(name.clone());
        }
    }
    new
}

fn tree(services: &[Service], source: &str) -> Case {
    let mut case = Case { sources: Some(vec![source.to_owned()]), ..Case::default() };
    case.dirs.push(source.to_owned());
    for service in services {
        let folder = format!("{source}/{}", service.name);
        let (script, list) = match service.kind {
            "longrun" => ("run", "dependencies.d"),
            "oneshot" => ("up", "dependencies.d"),
            _ => ("contents", "contents.d"),
        };
        put(&mut case, format!("{folder}/type"), format!("{}\n", service.kind));
        put(&mut case, format!("{folder}/{script}"), "");
        case.dirs.push(format!("{folder}/{list}"));
        for name in &service.list {
            put(&mut case, format!("{folder}/{list}/{name}"), "");
        }
        let producers: Vec<&str> = services
            .iter()
            .filter(|producer| producer.producer_for.as_ref() == Some(&service.name))
            .map(|producer| producer.name.as_str())
            .collect();
        if let Some(consumer) = &service.producer_for {
            put(&mut case, format!("{folder}/producer-for"), format!("{consumer}\n"));
        }
        if !producers.is_empty() {
            put(&mut case, format!("{folder}/consumer-for"), producers.join("\n"));
            if let (Some(name), None) = (&service.pipeline_name, &service.producer_for) {
                put(&mut case, format!("{folder}/pipeline-name"), format!("{name}\n"));
            }
        }
    }
    case
}

/// Makes, judges and compiles a system in the directory `name` below `root`. `None` if it has errors.
fn compiled(root: &Path, services: &[Service], name: &str) -> Option<Snapshot> {
    tree(services, name).make(root).unwrap();
    let source = root.join(name);
    let compilation =
        judge(&mut Files::default(), vec![disk::source(&source)], Target::new(System::NEWEST_S6RC));
    if compilation.problems.has_errors() {
        return None;
    }
    let database = root.join(format!("{name}-database"));
    let output = Command::new("s6-rc-compile").args(["-v0".as_ref(), database.as_path(), &source]).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(snapshot_of(|| vec![disk::source(&source)]))
}

/// The names that s6-rc-db prints.
fn ask(root: &Path, database: &str, arguments: &[&str], names: &BTreeSet<String>) -> BTreeSet<String> {
    if names.is_empty() {
        return BTreeSet::new();
    }
    let mut program = Command::new("s6-rc-db");
    let output = program.arg("-c").arg(root.join(database)).args(arguments).args(names).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn some(random: &mut Random, names: &BTreeSet<String>, percent: usize) -> BTreeSet<String> {
    names.iter().filter(|_| random.chance(percent)).cloned().collect()
}

fn plain(names: impl IntoIterator<Item = Name>) -> BTreeSet<String> {
    names.into_iter().map(|name| name.to_string()).collect()
}

fn one_pair(random: &mut Random) -> BTreeMap<&'static str, u64> {
    loop {
        let (old, root) = (system(random), scratch());
        let new = later(random, &old);
        let root = root.path();
        let (Some(before), Some(after)) = (compiled(root, &old, "old"), compiled(root, &new, "new")) else {
            continue;
        };
        let mut figures = BTreeMap::from([("pairs", 1)]);
        let numbers = services_by_number(root);
        let all: BTreeSet<String> = numbers.iter().cloned().collect();
        for state in 0..STATES_PER_PAIR {
            let often = random.pick(&[10, 40, 80, 100]);
            let started = some(random, &all, often);
            let up = ask(root, "old-database", &["all-dependencies"], &started);
            let often = random.pick(&[0, 5, 20]);
            let restart = some(random, &all, often);
            let live = root.join(format!("live{state}"));
            let output = update(root, &live, &numbers, &up, &restart);
            let context = || format!("{old:#?}\n{new:#?}\nup {up:?}\nrestart {restart:?}\n{output:?}");
            let name = |names: &BTreeSet<String>| -> BTreeSet<Name> {
                names.iter().map(|name| Name::from(name.as_str())).collect()
            };
            let foretold = match compare::transitions(&before, &after, &name(&up), &name(&restart)) {
                Ok(foretold) => foretold,
                Err(_) => {
                    assert_eq!(output.status.code(), Some(6), "{}", context());
                    *figures.entry("refused").or_default() += 1;
                    continue;
                }
            };
            assert!(output.status.success(), "{}", context());
            let text = String::from_utf8_lossy(&output.stdout);
            let lines: Vec<&str> = text.lines().collect();
            let [down, start] = lines[..] else { panic!("{}", context()) };
            let change = |line: &str, option: &str| -> BTreeSet<String> {
                let (_, names) = line.split_once(&format!(" {option} -- change")).unwrap();
                names.split_whitespace().map(str::to_owned).collect()
            };
            let closed = ask(root, "old-database", &["-d", "all-dependencies"], &change(down, "-d"));
            let stops: BTreeSet<String> = closed.intersection(&up).cloned().collect();
            let kept = up.difference(&stops).cloned().collect();
            let kept = ask(root, "new-database", &["atomics"], &kept);
            let closed = ask(root, "new-database", &["all-dependencies"], &change(start, "-u"));
            let starts: BTreeSet<String> = closed.difference(&kept).cloned().collect();
            assert_eq!(plain(foretold.stops.keys().cloned()), stops, "stops: {}", context());
            assert_eq!(plain(foretold.starts.iter().cloned()), starts, "starts: {}", context());
            for cause in foretold.stops.values() {
                let what = match cause {
                    Cause::Removed => "removed",
                    Cause::Type => "of another type",
                    Cause::Bundle => "bundles now",
                    Cause::Conversion => "asked for",
                    Cause::NewDependency(_) => "with a new dependency",
                    Cause::Dependency(_) => "dependents",
                };
                *figures.entry(what).or_default() += 1;
            }
            *figures.entry("updates").or_default() += 1;
            *figures.entry("stops").or_default() += stops.len() as u64;
            *figures.entry("starts").or_default() += starts.len() as u64;
        }
        return figures;
    }
}

/// The services of the old database in the order of their numbers.
fn services_by_number(root: &Path) -> Vec<String> {
    let output =
        Command::new("s6-rc-db").arg("-c").arg(root.join("old-database")).args(["list", "services"]).output();
    String::from_utf8(output.unwrap().stdout).unwrap().lines().map(str::to_owned).collect()
}

/// A dry run of s6-rc-update on a live directory in which the services `up` are up.
fn update(
    root: &Path,
    live: &Path,
    numbers: &[String],
    up: &BTreeSet<String>,
    restart: &BTreeSet<String>,
) -> Output {
    fs::create_dir(live).unwrap();
    symlink(root.join("old-database"), live.join("compiled")).unwrap();
    symlink(root.join("old-database/servicedirs"), live.join("servicedirs")).unwrap();
    symlink(root, live.join("scandir")).unwrap();
    fs::write(live.join("prefix"), "").unwrap();
    let state: Vec<u8> = numbers.iter().map(|name| u8::from(up.contains(name))).collect();
    fs::write(live.join("state"), state).unwrap();
    let lines: String = restart.iter().map(|name| format!("{name} restart\n")).collect();
    let conversions = live.join("conversions");
    fs::write(&conversions, lines).unwrap();
    let mut program = Command::new("s6-rc-update");
    program.args(["-n", "-f"]).arg(conversions).arg("-l").arg(live).arg(root.join("new-database"));
    program.output().unwrap()
}
