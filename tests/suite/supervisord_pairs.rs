//! Starts the same program under supervisord and under s6, with the manifest that `s6gen import` writes, and compares what it sees:
//! words, environment, directory, rights, starts after deaths, and signals.
//!
//! The services run under s6-svscan; those that start at boot are started one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::require;
use crate::supervise::{LIMIT, Supervision, available, eventually, write_program};
use crate::supervisord::python;

/// Notes what it sees. Its comment says how.
const PROGRAM: &str = include_str!("supervisord_program.sh");

/// A configuration, and what is expected of it.
pub struct Pair {
    pub configuration: &'static str,
    /// How often each program is started under supervisord and under s6, if not once.
    pub starts: &'static [(&'static str, usize, usize)],
    /// Programs that end for good.
    pub ended: &'static [&'static str],
    /// The differences beside those that all programs have.
    pub differences: &'static [&'static str],
}

/// What differs for every program.
const ALWAYS: &[&str] = &[
    "input",
    "environment SUPERVISOR_ENABLED",
    "environment SUPERVISOR_GROUP_NAME",
    "environment SUPERVISOR_PROCESS_NAME",
    "environment SUPERVISOR_SERVER_URL",
];

/// What supervisord's Python sets, depending on the environment of the test.
const LOCALE: &str = "environment LC_CTYPE";

/// What a program saw.
#[derive(Debug, Default)]
struct Sight {
    starts: usize,
    /// By name; the environment has a row for each variable.
    facts: BTreeMap<String, String>,
}

/// What every program saw.
type Sights = BTreeMap<String, Sight>;

/// Variables that shells and execline set, and those of the test.
const OTHERS: &[&str] = &["PWD", "OLDPWD", "SHLVL", "_", "?", "RECORD", "PATH"];

/// What the programs noted. `SCRATCH` stands for the folder.
fn sights(folder: &Path) -> Sights {
    let record = folder.join("record");
    let folder = folder.to_str().unwrap().trim_end_matches('/');
    eventually("every child has ended", || !has_child(&record));
    let mut sights = raw_sights(&record);
    for fact in sights.values_mut().flat_map(|sight| sight.facts.values_mut()) {
        *fact = fact.replace(folder, "SCRATCH");
    }
    sights
}

/// Whether a child of a program still runs.
fn has_child(record: &Path) -> bool {
    fs::read_dir(record).unwrap().any(|entry| entry.unwrap().path().join("lives").exists())
}

fn raw_sights(record: &Path) -> Sights {
    let names = fs::read_dir(record).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.map(|name| (name.clone(), sight(&record.join(name)))).collect()
}

fn sight(home: &Path) -> Sight {
    let read = |name: &str| fs::read_to_string(home.join(name)).unwrap_or_default();
    let mut sight = Sight { starts: starts(home), ..Sight::default() };
    for fact in ["words", "directory", "input", "rights"] {
        sight.facts.insert(fact.to_owned(), read(&format!("1/{fact}")));
    }
    for fact in ["signals", "child"] {
        sight.facts.insert(fact.to_owned(), read(fact));
    }
    let environment = read("1/environment");
    for (name, value) in environment.split('\0').filter_map(|variable| variable.split_once('=')) {
        if !OTHERS.contains(&name) {
            sight.facts.insert(format!("environment {name}"), value.to_owned());
        }
    }
    sight
}

fn starts(home: &Path) -> usize {
    (1..).take_while(|number| home.join(number.to_string()).exists()).count()
}

/// A scratch folder with the program and the configuration.
fn folder(configuration: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    write_program(&folder.path().join("bin/dummy"), PROGRAM);
    let record = folder.path().join("record");
    fs::create_dir(&record).unwrap();
    fs::set_permissions(&record, fs::Permissions::from_mode(0o1777)).unwrap();
    fs::write(folder.path().join("s.conf"), configuration).unwrap();
    folder
}

/// A supervisord that runs.
struct Supervisord<'p> {
    child: Child,
    folder: TempDir,
    python: &'p Path,
}

/// What the running supervisord needs beside the configuration, so that it can be asked.
const CONTROL: &str = "\n[unix_http_server]\nfile=%(here)s/control\n[rpcinterface:supervisor]\n\
                       supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
                       [supervisorctl]\nserverurl=unix://%(here)s/control\n";

impl<'p> Supervisord<'p> {
    fn start(python: &'p Path, configuration: &str) -> Self {
        let folder = folder(&format!("{configuration}{CONTROL}"));
        let path = |name: &str| folder.path().join(name);
        let child = Command::new(python)
            .args(["-m", "supervisor.supervisord", "-n", "-c"])
            .arg(path("s.conf"))
            .arg("-l")
            .arg(path("log"))
            .arg("-j")
            .arg(path("pid"))
            .arg("-q")
            .arg(folder.path())
            .current_dir(folder.path())
            .env("PATH", search_path(folder.path()))
            .env("RECORD", path("record"))
            .envs(VARIABLES.iter().copied())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Supervisord { child, folder, python }
    }

    /// The name and state of each process, such as `RUNNING`. Empty until supervisord answers.
    fn states(&self) -> Vec<(String, String)> {
        let mut command = Command::new(self.python);
        command
            .args(["-m", "supervisor.supervisorctl", "-c"])
            .arg(self.folder.path().join("s.conf"))
            .arg("status");
        let output = command.stderr(Stdio::null()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let state = |line: &str| {
            let mut words = line.split_whitespace().map(str::to_owned);
            Some((words.next()?, words.next()?))
        };
        if text.contains("control") { Vec::new() } else { text.lines().filter_map(state).collect() }
    }

    fn sights(mut self, pair: &Pair) -> Sights {
        let record = self.folder.path().join("record");
        eventually("the programs are started", || {
            pair.starts.iter().all(|(name, count, _)| starts(&record.join(name)) >= *count)
        });
        let is_settled = |(name, state): &(String, String)| match state.as_str() {
            "RUNNING" => !pair.ended.contains(&name.as_str()),
            state => ["FATAL", "EXITED", "STOPPED"].contains(&state),
        };
        eventually("nothing is about to start or to end", || {
            let states = self.states();
            !states.is_empty() && states.iter().all(is_settled)
        });
        let running = self.states().iter().filter(|(_, state)| *state == "RUNNING").count();
        eventually("each program that runs has noted what it sees", || {
            let names = fs::read_dir(&record).unwrap().map(|entry| entry.unwrap().file_name());
            let names = names.filter(|name| !pair.ended.iter().any(|ended| name == ended));
            names.filter(|name| starts(&record.join(name)) > 0).count() >= running
        });
        self.stop();
        sights(self.folder.path())
    }

    fn stop(&mut self) {
        let _ = require::succeeds(&["kill", "-TERM", &self.child.id().to_string()]);
        let _ = self.child.wait();
    }
}

impl Drop for Supervisord<'_> {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.stop();
        }
    }
}

/// Variables that both supervisors have.
const VARIABLES: &[(&str, &str)] = &[("TWO", "two words"), ("ONE", "one"), ("EMPTY", ""), ("NUMBER", "7")];

fn search_path(folder: &Path) -> String {
    format!("{}/bin:{}", folder.display(), std::env::var("PATH").unwrap())
}

/// The manifest and the report that `s6gen import` writes.
fn import(configuration: &str, workdir: &str) -> (String, Value) {
    let folder = folder(configuration);
    let manifest = folder.path().join("services.toml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_s6gen"));
    command.arg("import").arg(folder.path().join("s.conf")).arg("-o").arg(&manifest);
    let output = command.args(["--workdir", workdir, "--format", "json"]).output().unwrap();
    assert!(manifest.exists(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    (fs::read_to_string(manifest).unwrap(), report["report"].clone())
}

fn s6_sights(manifest: &str, pair: &Pair) -> Sights {
    let mut variables = VARIABLES.to_vec();
    variables.push(("RECORD", "SCRATCH/record"));
    let supervision = Supervision::start_with(manifest, &variables);
    let record = supervision.path("record");
    fs::create_dir(&record).unwrap();
    fs::set_permissions(&record, fs::Permissions::from_mode(0o1777)).unwrap();
    supervision.program("dummy", PROGRAM);
    let entries = |name: &str| fs::read_dir(supervision.path(name)).into_iter().flatten();
    let names: BTreeSet<String> = entries("source/default/contents.d")
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let names: Vec<&String> =
        names.iter().filter(|name| supervision.path("scan").join(name).exists()).collect();
    for name in &names {
        supervision.control("-u", name);
    }
    for name in &names {
        let expected =
            pair.starts.iter().find(|(program, ..)| program == name).map_or(1, |(_, _, count)| *count);
        eventually(&format!("{name} is started {expected} times"), || starts(&record.join(name)) >= expected);
        if pair.ended.contains(&name.as_str()) {
            assert!(supervision.wait("-D", name, LIMIT), "{name}");
            eventually("it is not started again", || supervision.status(name, "wantedup") == "false");
        }
    }
    for name in &names {
        supervision.control("-d", name);
    }
    for name in names {
        assert!(supervision.wait("-D", name, LIMIT), "{name}");
    }
    sights(&supervision.path(""))
}

/// What differs, as `PROGRAM: FACT`.
fn differences(one: &Sights, other: &Sights) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let nothing = Sight::default();
    for name in names {
        let (one, other) = (one.get(name).unwrap_or(&nothing), other.get(name).unwrap_or(&nothing));
        if one.starts != other.starts {
            found.push((name.clone(), "starts".to_owned()));
        }
        let facts: BTreeSet<&String> = one.facts.keys().chain(other.facts.keys()).collect();
        let differ = facts.into_iter().filter(|fact| one.facts.get(*fact) != other.facts.get(*fact));
        found.extend(differ.map(|fact| (name.clone(), fact.clone())));
    }
    found
}

fn show(differences: &[(String, String)], one: &Sights, other: &Sights) -> String {
    let fact = |sights: &Sights, name: &String, fact: &String| {
        sights.get(name).and_then(|sight| sight.facts.get(fact)).cloned()
    };
    let rows = differences.iter().filter(|(_, fact)| !ALWAYS.contains(&fact.as_str()));
    rows.map(|(name, key)| {
        format!("{name}: {key}: {:?}, {:?}\n", fact(one, name, key), fact(other, name, key))
    })
    .collect()
}

/// Whether a line of the report names a difference: one of the program's section that is not exact or has a remark, or a remark on
/// the whole system.
fn is_named(report: &Value, program: &str, fact: &str) -> bool {
    let words: Vec<&str> = match fact {
        "starts" => vec!["autorestart", "startsecs", "startretries", "exitcodes"],
        "signals" | "child" => vec!["stopasgroup", "killasgroup", "stopsignal"],
        "words" => vec!["command"],
        "input" => vec!["standard input"],
        "rights" => vec!["user", "umask"],
        "directory" => vec!["directory"],
        fact if fact.starts_with("environment SUPERVISOR_") => vec!["SUPERVISOR_"],
        fact => vec![fact.trim_start_matches("environment ")],
    };
    let has_word = |text: &Value| words.iter().any(|word| text.as_str().unwrap_or_default().contains(word));
    let sections = report["sections"].as_array().unwrap();
    let of_program = sections.iter().filter(|section| {
        let heading = section["heading"].as_str().unwrap();
        heading.split_once(':').is_some_and(|(_, name)| program.starts_with(name.trim_end_matches(']')))
    });
    let mut lines = of_program.flat_map(|section| section["lines"].as_array().unwrap());
    lines.any(|line| {
        let is_different = line["fate"] != "exact" || line["remark"] != "";
        is_different && (has_word(&line["part"]) || has_word(&line["remark"]))
    }) || report["remarks"].as_array().unwrap().iter().any(has_word)
}

/// Runs a pair, and fails at a difference that is not expected or that the report does not name.
pub fn compare(test: &str, pair: &Pair) {
    let Some(python) = python(test) else { return };
    if !available(test) {
        return;
    }
    let original = Supervisord::start(&python, pair.configuration).sights(pair);
    let (manifest, report) = import(pair.configuration, "/SCRATCH");
    let manifest = manifest.replace("/SCRATCH", "SCRATCH");
    let ours = s6_sights(&manifest, pair);
    for (name, count, s6_count) in pair.starts {
        let starts = (original[*name].starts, ours[*name].starts);
        assert_eq!(starts, (*count, *s6_count), "{name}\n{manifest}");
    }
    let found = differences(&original, &ours);
    let hidden: Vec<_> = found.iter().filter(|(name, fact)| !is_named(&report, name, fact)).collect();
    let shown = show(&found, &original, &ours);
    assert!(hidden.is_empty(), "{hidden:?}\n{shown}{manifest}\n{report:#}");
    let own = found.iter().filter(|(_, fact)| !ALWAYS.contains(&fact.as_str()) && fact != LOCALE);
    let own: Vec<String> = own.map(|(name, fact)| format!("{name}: {fact}")).collect();
    assert_eq!(own, pair.differences, "{shown}{manifest}");
}
