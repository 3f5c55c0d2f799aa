//! Compares how s6gen and the real supervisor package read the same configurations: what they refuse, and what every option of every
//! process is.
//!
//! `S6GEN_SUPERVISORD` is the number of configurations, `S6GEN_ORACLE_SEED` the seed. The package is installed into a virtual
//! environment below the target directory, if there is none yet.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use s6gen::diagnostic::Files;
use s6gen::supervisord::{
    Autorestart, ConfigFile, ConfigProcess, ConfigProgram, ConfigReading, Configuration, ConfiguredPrograms,
    EnvironmentValue, Expanded, Known, Logfile, OutputOptions, ProgramKind, Setting, SupervisordOptions,
    words,
};
use serde_json::{Value, json};

use crate::oracle::{Random, number_from};
use crate::require;
use crate::supervisord_samples::{Sample, sample};

/// The version of the package that is the original.
const PACKAGE: &str = "supervisor==4.3.0";

/// How many configurations one run of Python reads.
const BATCH: u64 = 2000;

#[test]
fn random_configurations_mean_what_supervisord_makes_of_them() {
    let Some(python) = python(require::this_test!()) else { return };
    let count = number_from("S6GEN_SUPERVISORD", 400);
    let seed = number_from("S6GEN_ORACLE_SEED", 1);
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().to_str().unwrap();
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    let mut different = Vec::new();
    for first in (0..count).step_by(BATCH as usize) {
        let numbers = first..count.min(first + BATCH);
        let samples: Vec<Sample> = numbers
            .clone()
            .map(|number| sample(&mut Random::new(seed.wrapping_mul(1_000_003).wrapping_add(number))))
            .collect();
        let answers = real(&python, directory, &samples);
        assert_eq!(answers.len(), samples.len());
        for ((number, sample), real) in numbers.zip(&samples).zip(&answers) {
            let ours = ours(sample, directory);
            let kind = kind(real, &ours);
            *kinds.entry(kind).or_default() += 1;
            if kind == "different" {
                different.push(format!("--- {number}\n{}", describe(sample, real, &ours)));
            }
        }
    }
    eprintln!("{count} configurations, seed {seed}: {kinds:?}");
    assert!(
        different.is_empty(),
        "{} are read differently:\n{}",
        different.len(),
        different[..different.len().min(5)].join("\n")
    );
    assert!(count < 100 || (kinds["equal"] > count / 5 && kinds["refused"] > count / 5), "{kinds:?}");
}

/// How two answers compare.
fn kind(real: &Value, ours: &Value) -> &'static str {
    let has = |key: &str| (real.get(key).is_some(), ours.get(key).is_some());
    match (has("machine"), has("refused")) {
        ((_, true), _) | ((true, _), (_, true)) => "depends on the machine",
        (_, (true, true)) => "refused",
        _ if real == ours => "equal",
        _ => "different",
    }
}

fn describe(sample: &Sample, real: &Value, ours: &Value) -> String {
    let mut text = String::new();
    for (name, bytes) in &sample.files {
        text += &format!("{name}: {:?}\n", String::from_utf8_lossy(bytes));
    }
    if real.get("refused").is_some() || ours.get("refused").is_some() {
        return format!("{text}supervisord: {}\ns6gen: {}\n", short(real), short(ours));
    }
    let (real, ours) =
        (serde_json::to_string_pretty(real).unwrap(), serde_json::to_string_pretty(ours).unwrap());
    for (real, ours) in real.lines().zip(ours.lines()).filter(|(real, ours)| real != ours).take(5) {
        text += &format!("supervisord: {real}\n      s6gen: {ours}\n");
    }
    text
}

fn short(answer: &Value) -> String {
    answer.to_string().chars().take(400).collect()
}

/// What the real package says of each configuration.
pub fn real(python: &Path, directory: &str, samples: &[Sample]) -> Vec<Value> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/supervisord.py");
    let mut child = Command::new(python)
        .arg(program)
        .arg(directory)
        .env("PYTHONUTF8", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let answers = std::thread::scope(|scope| {
        scope.spawn(move || {
            for sample in samples {
                let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
                let files: Vec<Value> =
                    sample.files.iter().map(|(name, bytes)| json!([name, hex(bytes)])).collect();
                let environment: BTreeMap<_, _> = sample.environment.iter().copied().collect();
                writeln!(input, "{}", json!({ "files": files, "environment": environment })).unwrap();
            }
        });
        output.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
    });
    assert!(child.wait().unwrap().success());
    answers
}

/// A Python with the package. If it cannot be had, reports a skip.
pub fn python(test: &str) -> Option<PathBuf> {
    if PYTHON.is_none() {
        require::skip(test, "supervisor", "");
    }
    PYTHON.clone()
}

static PYTHON: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(PACKAGE.replace("==", "-"));
    let python = folder.join("bin/python");
    let (place, own) = (folder.to_str()?, python.to_str()?);
    if !require::succeeds(&[own, "-c", CHECK]) {
        let base = ["python3.11", "python3.12", "python3"].into_iter().find(|name| require::on_path(name))?;
        let _ = require::succeeds(&[base, "-m", "venv", "--clear", place])
            && require::succeeds(&[own, "-m", "pip", "install", "--quiet", PACKAGE]);
    }
    require::succeeds(&[own, "-c", CHECK]).then_some(python)
});

/// Whether the package is there. Python 3.13 has another reader of configurations, and before 3.11 there are fewer signals.
const CHECK: &str = "import sys, supervisor.options; assert (3, 11) <= sys.version_info < (3, 13)";

/// What s6gen says of a configuration.
pub fn ours(sample: &Sample, directory: &str) -> Value {
    let environment =
        sample.environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let known = Known {
        environment: environment.collect(),
        is_whole_environment: true,
        host_name: Some("box".to_owned()),
    };
    let (reading, programs) = read(sample, directory, &known);
    let refusals = reading.refusals.iter().chain(&programs.refusals);
    let of_machine = refusals.clone().find(|refusal| refusal.is_about_machine);
    let refusal = refusals.clone().find(|refusal| !refusal.is_about_machine);
    match (refusal, of_machine, &programs.supervisord) {
        (Some(refusal), ..) => json!({ "refused": refusal.reason }),
        (None, Some(refusal), _) => json!({ "machine": refusal.reason }),
        (None, None, None) => json!({ "refused": "there is no section [supervisord]" }),
        (None, None, Some(supervisord)) => {
            json!({ "groups": groups(&reading.configuration, &programs), "supervisord": of_supervisord(supervisord) })
        }
    }
}

fn read(sample: &Sample, directory: &str, known: &Known) -> (ConfigReading, ConfiguredPrograms) {
    let file = |name: &str, bytes: &[u8]| {
        let path = Path::new(directory).join(name);
        ConfigFile {
            directory: path.parent().unwrap().to_str().unwrap().to_owned(),
            path,
            text: bytes.to_vec(),
        }
    };
    let mut include = |pattern: &str, _: &Path| {
        let pattern = pattern.strip_prefix(&format!("{directory}/")).unwrap_or(pattern);
        let found = sample.files.iter().filter(|(name, _)| matches(pattern.as_bytes(), name.as_bytes()));
        found.map(|(name, bytes)| file(name, bytes)).collect()
    };
    let main = vec![file(&sample.files[0].0, &sample.files[0].1)];
    let reading = Configuration::read(&mut Files::default(), main, known, &mut include);
    let programs = reading.configuration.programs(known);
    (reading, programs)
}

/// Whether a name matches a pattern of `[include]`.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => {
            matches(rest, name)
                || name.first().is_some_and(|byte| *byte != b'/') && matches(pattern, &name[1..])
        }
        ([b'?', rest @ ..], [byte, others @ ..]) => *byte != b'/' && matches(rest, others),
        ([byte, rest @ ..], [other, others @ ..]) => byte == other && matches(rest, others),
        _ => false,
    }
}

/// The groups in the order of supervisord.
fn groups(configuration: &Configuration, programs: &ConfiguredPrograms) -> Vec<Value> {
    let shared = programs.supervisord.iter().flat_map(|options| &options.environment);
    let shared: Vec<&EnvironmentValue> = shared.collect();
    let mut groups: Vec<(i64, String, Value)> = Vec::new();
    let mut add = |name: &str, priority: &Setting<i64>, members: &[&ConfigProgram], is_alone: bool| {
        let is = |kind| is_alone && members.iter().any(|program| program.kind == kind);
        let processes = members.iter().flat_map(|program| in_order(program));
        let processes: Vec<Value> = processes.map(|process| of_process(process, &shared)).collect();
        let priority = *known(priority);
        let group = json!({
            "name": name, "priority": priority, "processes": processes,
            "is_fcgi": is(ProgramKind::FastCgi), "is_listener": is(ProgramKind::EventListener),
        });
        groups.push((priority, name.to_owned(), group));
    };
    for group in &programs.groups {
        let member = |name: &String| {
            programs.programs.iter().find(|program| {
                let section = &configuration.sections[program.section].name;
                program.group.as_ref() == Some(&group.name)
                    && section.split_once(':').is_some_and(|(_, section)| section == name)
            })
        };
        let members: Vec<&ConfigProgram> = group.programs.iter().filter_map(member).collect();
        add(&group.name, &group.priority, &members, false);
    }
    for kind in [ProgramKind::Program, ProgramKind::EventListener, ProgramKind::FastCgi] {
        for program in
            programs.programs.iter().filter(|program| program.group.is_none() && program.kind == kind)
        {
            let section = configuration.sections[program.section].name.split_once(':').unwrap().1;
            let name = if kind == ProgramKind::EventListener { section } else { &program.name };
            add(name, &program.group_priority, &[program], true);
        }
    }
    groups.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
    groups.into_iter().map(|(.., group)| group).collect()
}

/// The processes of a program in the order of supervisord.
fn in_order(program: &ConfigProgram) -> Vec<&ConfigProcess> {
    let mut processes: Vec<&ConfigProcess> = program.processes.iter().collect();
    processes.sort_by_key(|process| (*known(&process.options.priority), &process.name));
    processes
}

fn known<T>(setting: &Setting<T>) -> &T {
    setting.known().expect("the whole environment is known")
}

fn text(text: &Expanded) -> String {
    text.text().expect("the whole environment is known")
}

fn of_process(process: &ConfigProcess, shared: &[&EnvironmentValue]) -> Value {
    let options = &process.options;
    let autorestart = match known(&options.autorestart) {
        Autorestart::Always => "always",
        Autorestart::Unexpected => "unexpected",
        Autorestart::Never => "never",
    };
    json!({
        "name": process.name,
        "command": text(&options.command),
        "words": words(&options.command).ok().map(|words| words.iter().map(|word| text(&word.text())).collect::<Vec<_>>()),
        "directory": options.directory.as_ref().map(text),
        "user": options.user.as_ref().map(text),
        "umask": options.umask.as_ref().map(known),
        "priority": known(&options.priority),
        "autostart": known(&options.autostart),
        "autorestart": autorestart,
        "startsecs": known(&options.startsecs),
        "startretries": known(&options.startretries),
        "stopsignal": known(&options.stopsignal),
        "stopwaitsecs": known(&options.stopwaitsecs),
        "stopasgroup": known(&options.stopasgroup),
        "killasgroup": known(&options.killasgroup),
        "exitcodes": known(&options.exitcodes),
        "redirect_stderr": known(&options.redirect_stderr),
        "environment": environment(shared.iter().copied().chain(&options.environment)),
        "stdout": of_output(&options.stdout),
        "stderr": of_output(&options.stderr),
        "serverurl": options.serverurl.as_ref().map(text),
    })
}

/// The variables in the order in which they were set first.
fn environment<'v>(variables: impl Iterator<Item = &'v EnvironmentValue>) -> Vec<(String, String)> {
    let mut result: Vec<(String, String)> = Vec::new();
    for variable in variables {
        match result.iter_mut().find(|(name, _)| *name == variable.name) {
            Some((_, value)) => *value = text(&variable.value),
            None => result.push((variable.name.clone(), text(&variable.value))),
        }
    }
    result
}

fn of_output(output: &OutputOptions) -> Value {
    json!({
        "logfile": match &output.logfile {
            Logfile::Automatic => Some("AUTO".to_owned()),
            Logfile::None => None,
            Logfile::Path(path) => Some(text(path)),
        },
        "logfile_maxbytes": known(&output.maxbytes),
        "logfile_backups": known(&output.backups),
        "capture_maxbytes": known(&output.capture_maxbytes),
        "events_enabled": known(&output.events_enabled),
        "syslog": known(&output.syslog),
    })
}

fn of_supervisord(options: &SupervisordOptions) -> Value {
    json!({
        "minfds": known(&options.minfds),
        "minprocs": known(&options.minprocs),
        "logfile_maxbytes": known(&options.logfile_maxbytes),
        "logfile_backups": known(&options.logfile_backups),
        "user": options.user.as_ref().map(text),
        "directory": options.directory.as_ref().map(text),
        "logfile": text(&options.logfile),
        "pidfile": text(&options.pidfile),
        "identifier": text(&options.identifier),
        "nodaemon": known(&options.nodaemon),
        "silent": known(&options.silent),
        "nocleanup": known(&options.nocleanup),
        "strip_ansi": known(&options.strip_ansi),
        "umask": known(&options.umask),
        "childlogdir": options.childlogdir.as_ref().map(text),
        "environment": environment(options.environment.iter()),
    })
}
