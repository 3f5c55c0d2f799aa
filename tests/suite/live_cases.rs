//! Runs the cases below `tests/cases/live`: commands on a running system, their output, and the programs that they call.
//!
//! - `services.toml`: the manifest of the running system; `SCRATCH` stands for a scratch folder;
//! - `steps`: one step on each line, see [`Step`];
//! - `expected.snap`: the output and exit codes of s6gen, the conversion file, and the calls of other programs in order;
//! - `transcript.snap`: the answers of the real programs, see `transcript`.
//!
//! If those programs are on PATH, in the version of the transcripts, each case runs on a real system, and its transcript
//! must equal the committed one. `INSTA_UPDATE=always` records it anew. Otherwise the committed transcript is replayed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;

use s6gen::live::{Call, Programs};
use tempfile::TempDir;

use crate::bridge::Bridge;
use crate::golden::cases;
use crate::require::{find, is_root, needs, skip, this_test};
use crate::supervise::{eventually, listens};
use crate::transcript::{Entry, Places, Recorder, Replayer, Witness, line, parse, text, words};

/// The versions of the programs whose answers are in the committed transcripts.
const VERSIONS: [(&str, &str, &str); 2] =
    [("s6-rc", "S6RC_VERSION", "0.7.0.0"), ("s6", "S6_VERSION", "2.15.1.0")];

/// The folder of the real programs in these versions; otherwise the name of the missing one, and the reason.
fn real_programs() -> Result<PathBuf, (&'static str, String)> {
    let compiler = find("s6-rc-compile").ok_or(("s6-rc", "it is not on PATH".to_owned()))?;
    let folder = compiler.parent().unwrap().to_owned();
    if !folder.join("s6-svscan").is_file() {
        return Err(("s6-rc", format!("s6 is not beside it in {}", folder.display())));
    }
    // The programs do not print their version, but the header files beside them have it.
    for (package, word, version) in VERSIONS {
        let header = folder.with_file_name("include").join(package).join("config.h");
        let text = fs::read_to_string(&header).unwrap_or_default();
        if !text.contains(&format!("#define {word} \"{version}\"")) {
            let why = format!("{} does not say that this is {package} {version}", header.display());
            return Err(("s6-rc", why));
        }
    }
    match is_root() {
        true => Ok(folder),
        false => Err(("root", "only root can start the loggers of the cases".into())),
    }
}

/// A line of `steps`. Steps marked (real) are skipped in a replay.
enum Step {
    /// Any other line: calls s6gen with these words.
    S6gen(Vec<String>),
    /// `$ COMMAND`: runs it in a shell (real).
    Shell(String),
    /// `& COMMAND`: runs it in a shell in the background (real).
    Meanwhile(String),
    /// `until FILE`: waits until the file exists (real).
    Until(String),
    /// `python FILE`: runs a Python program of the case. Its argument is the folder of the module `s6gen`, which is `docs`.
    Python(String),
    /// `write FILE WORD…`: writes a file in the scratch folder, with one word on each line.
    Write(String, Vec<String>),
    /// `without PROGRAM`: removes the program from PATH.
    Without(String),
    /// `manifest FILE`: replaces the manifest from which the image was built.
    Manifest(String),
}

fn steps(case: &Path) -> Vec<Step> {
    let text = fs::read_to_string(case.join("steps")).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let step = |line: &str| match line.split_once(' ') {
        Some(("$", command)) => Step::Shell(command.into()),
        Some(("&", command)) => Step::Meanwhile(command.into()),
        Some(("until", file)) => Step::Until(file.into()),
        Some(("python", file)) => Step::Python(file.into()),
        Some(("write", rest)) => {
            let words = words(rest);
            Step::Write(words[0].clone(), words[1..].to_vec())
        }
        Some(("without", program)) => Step::Without(program.into()),
        Some(("manifest", file)) => Step::Manifest(file.into()),
        _ => Step::S6gen(words(line)),
    };
    lines.map(step).collect()
}

/// The system of a case, real or replayed.
struct System {
    case: PathBuf,
    folder: TempDir,
    places: Places,
    bridge: Bridge,
    /// `None` in a replay.
    scanner: Option<Child>,
    meanwhile: Vec<Child>,
}

impl System {
    /// The folder, with the definitions in it.
    fn new(case: &Path, programs: Option<&Path>) -> Self {
        // Loggers run as another account and have access to this folder.
        let folder = crate::case::scratch();
        let scratch = fs::canonicalize(folder.path()).unwrap();
        let places = Places {
            scratch: scratch.to_str().unwrap().to_owned(),
            programs: programs.unwrap_or(Path::new("/usr/bin")).to_str().unwrap().to_owned(),
        };
        for name in ["scan", "run", "log"] {
            fs::create_dir(scratch.join(name)).unwrap();
        }
        let bridge = Bridge::new(&scratch.join("bridge"));
        let meanwhile = Vec::new();
        let mut system = System { case: case.to_owned(), folder, places, bridge, scanner: None, meanwhile };
        for entry in fs::read_dir(case).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                system.write(&path);
            }
        }
        system.build("services.toml");
        if programs.is_some() {
            let scan = system.path("scan");
            let mut command = Command::new("s6-svscan");
            command.arg(&scan).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            system.scanner = Some(command.spawn().unwrap());
            eventually("s6-svscan is up", || listens(&scan));
        }
        system
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::new(&self.places.scratch).join(name)
    }

    /// Copies a manifest of the case, with its target.
    fn write(&self, manifest: &Path) {
        let text = self.places.fill(&fs::read_to_string(manifest).unwrap());
        let (scratch, programs) = (&self.places.scratch, &self.places.programs);
        let target = format!("tree = \"{scratch}/source\"\ncommand-dir = \"{programs}\"");
        let target = format!("\n[target]\ns6-rc = \"0.7.0.0\"\n{target}\n");
        fs::write(self.path(manifest.file_name().unwrap().to_str().unwrap()), text + &target).unwrap();
    }

    /// Builds the image's definitions from a manifest.
    fn build(&self, manifest: &str) {
        let manifest = self.path(manifest);
        let mut command = Command::new(env!("CARGO_BIN_EXE_s6gen"));
        let output = command.args(["build", "--root", "/", "-m"]).arg(manifest).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Boots like a container. It calls the programs through `programs`, so that the transcript begins with the boot.
    fn boot(&self, programs: &mut dyn Programs) {
        let (boot, live, scan) = (self.path("boot"), self.places.live(), self.path("scan"));
        let calls = [
            Call::new("s6-rc-compile").args([&boot, &self.path("source")]),
            Call::new("s6-rc-init").arg("-c").arg(boot).arg("-l").arg(&live).arg(scan),
            Call::new("s6-rc").arg("-l").arg(live).args(["-u", "change", "default"]),
        ];
        for call in calls {
            let answer = programs.run(&call).unwrap();
            assert_eq!(answer.code, 0, "{call}: {}", String::from_utf8_lossy(&answer.err));
        }
    }

    /// The arguments of s6gen for a step, with the options that name the directories of this system.
    fn located(&self, step: &[String]) -> Vec<String> {
        let mut words: Vec<String> = step.to_vec();
        for word in &mut words {
            *word = self.places.fill(word);
            if word.ends_with(".toml") {
                *word = self.path(word).to_str().unwrap().to_owned();
            }
        }
        let live = format!("--live={}", self.places.live().display());
        let tree = format!("--tree={}/source", self.places.scratch);
        let (place, options) = match words[0].as_str() {
            "instance" if step.iter().any(|word| word == "--apply") => (2, vec![tree, live]),
            "instance" => (2, vec![tree]),
            "apply" | "diff" => (1, vec![tree, live]),
            _ => (1, vec![live]),
        };
        words.splice(place..place, options);
        words
    }

    /// Takes a step, and returns its part of `expected.snap`.
    fn step(&mut self, step: &Step, programs: &mut dyn Witness) -> String {
        let is_real = self.scanner.is_some();
        let shell = |command: &str| {
            let mut shell = Command::new("sh");
            shell.args(["-c", &self.places.fill(command)]).current_dir(self.folder.path());
            shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            shell
        };
        match step {
            Step::Shell(command) if is_real => {
                assert!(shell(command).status().unwrap().success(), "{command}")
            }
            Step::Meanwhile(command) if is_real => {
                let child = shell(command).spawn().unwrap();
                self.meanwhile.push(child);
            }
            Step::Until(file) if is_real => eventually(file, || self.path(file).exists()),
            Step::Shell(_) | Step::Meanwhile(_) | Step::Until(_) => {}
            Step::Write(file, lines) => {
                fs::write(self.path(file), self.places.fill(&lines.join("\n"))).unwrap();
            }
            Step::Without(program) => self.bridge.hide(program),
            Step::Manifest(file) => self.build(file),
            Step::Python(file) => return self.python(file, programs),
            Step::S6gen(words) => return self.s6gen(words, programs),
        }
        String::new()
    }

    fn s6gen(&self, step: &[String], programs: &mut dyn Witness) -> String {
        let conversion = self.path("run/s6gen/conversion");
        let _ = fs::remove_file(&conversion);
        let mut command = Command::new(env!("CARGO_BIN_EXE_s6gen"));
        let output = self.bridge.run(command.args(self.located(step)), &[], &mut Called(programs));
        let conversion = fs::read(conversion).unwrap_or_default();
        self.result_text(&format!("s6gen {}", line(step)), &output, &conversion, programs)
    }

    /// Runs a Python program. The s6gen on its PATH adds the options that name the directories of this system.
    fn python(&self, file: &str, programs: &mut dyn Witness) -> String {
        let words = |command: &[&str]| {
            let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
            self.located(&command)
                .into_iter()
                .filter(|word| !command.contains(word))
                .collect::<Vec<_>>()
                .join(" ")
        };
        let (instance, apply) = (words(&["instance", "add", "--apply"]), words(&["apply"]));
        let (other, s6gen) = (words(&["status"]), env!("CARGO_BIN_EXE_s6gen"));
        let script = format!(
            "#!/bin/sh\nwhat=$1\nshift\ncase $what in\n\
             instance) does=$1 ; shift ; exec {s6gen} instance \"$does\" {instance} \"$@\" ;;\n\
             apply) exec {s6gen} apply {apply} \"$@\" ;;\n\
             *) exec {s6gen} \"$what\" {other} \"$@\" ;;\nesac\n"
        );
        self.bridge.script("s6gen", &script);
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        let python = find("python3").unwrap();
        let mut command = Command::new(&python);
        command.arg("-B").arg(self.case.join(file)).arg(docs);
        let more = [python.parent().unwrap(), Path::new("/usr/bin"), Path::new("/bin")];
        let output = self.bridge.run(&mut command, &more, &mut Called(programs));
        self.result_text(&format!("python3 {file}"), &output, b"", programs)
    }

    /// The result of a command in the form of `expected.snap`.
    fn result_text(
        &self,
        command: &str,
        output: &Output,
        conversion: &[u8],
        programs: &mut dyn Witness,
    ) -> String {
        let mut text = format!("\n$ {command}\n");
        let mut part = |mark: &str, bytes: &[u8]| {
            // A replay does not have the same process ids.
            let text_of = self.places.hide(&String::from_utf8_lossy(bytes));
            let is_replayed = |line: &&str| !line.contains("it is process ");
            for line in text_of.lines().filter(is_replayed) {
                text += format!("{mark} {line}").trim_end();
                text += "\n";
            }
        };
        part("out|", &output.stdout);
        part("err|", &output.stderr);
        part("conversion|", conversion);
        text += &format!("exit {}\n", output.status.code().unwrap());
        for call in programs.take_calls() {
            text += &format!("  {call}\n");
        }
        text
    }
}

/// A `Witness` as plain `Programs`.
struct Called<'w>(&'w mut dyn Witness);

impl Programs for Called<'_> {
    fn run(&mut self, call: &Call) -> std::io::Result<s6gen::live::ProgramAnswer> {
        self.0.run(call)
    }
}

impl Drop for System {
    fn drop(&mut self) {
        let Some(scanner) = &mut self.scanner else { return };
        let quiet = |program: &str| {
            let mut command = Command::new(program);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        let kill = |pid: u32| {
            let _ = quiet("kill").args(["-KILL", &pid.to_string()]).status();
        };
        for child in &mut self.meanwhile {
            let below = descendants(child.id());
            below.iter().for_each(|(pid, _)| kill(*pid));
            let _ = child.kill();
            let _ = child.wait();
        }
        let live = self.places.live();
        let _ = quiet("s6-rc").arg("-l").arg(live).args(["-D", "-a", "-t", "10000", "change"]).status();
        let _ = quiet("s6-svscanctl").arg("-t").arg(Path::new(&self.places.scratch).join("scan")).status();
        // Some services of the cases ignore their stop signal.
        while scanner.try_wait().is_ok_and(|status| status.is_none()) {
            for (pid, name) in descendants(scanner.id()) {
                if name != "s6-supervise" {
                    kill(pid);
                }
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}

/// The processes below one, with their names.
fn descendants(ancestor: u32) -> Vec<(u32, String)> {
    let stat = |pid: &str| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (before, after) = stat.rsplit_once(") ")?;
        let parent = after.split(' ').nth(1)?.parse().ok()?;
        Some((pid.parse().ok()?, before.split_once('(')?.1.to_owned(), parent))
    };
    let pids = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name());
    let all: Vec<(u32, String, u32)> = pids.filter_map(|pid| stat(pid.to_str()?)).collect();
    let mut found = vec![(ancestor, String::new())];
    let mut next = 0;
    while let Some((parent, _)) = found.get(next).cloned() {
        found.extend(all.iter().filter(|one| one.2 == parent).map(|one| (one.0, one.1.clone())));
        next += 1;
    }
    found.split_off(1)
}

/// The comment at the top of a transcript.
fn title() -> String {
    let versions: Vec<String> =
        VERSIONS.iter().map(|(package, _, version)| format!("{package} {version}")).collect();
    format!(
        "# Recorded with {} on PATH, by\n# INSTA_UPDATE=always cargo test every_live_case_prints_and_calls_what_is_expected\n",
        versions.join(" and ")
    )
}

/// Compares with a file of the case.
fn compare(case: &Path, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(case);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// The body of a file that [`compare`] wrote.
fn committed(case: &Path, name: &str) -> String {
    let text = fs::read_to_string(case.join(format!("{name}.snap"))).unwrap_or_default();
    text.splitn(3, "---\n").nth(2).unwrap_or_default().to_owned()
}

/// How often a case is tried on a real system. On a busy machine s6-svscan may replace a supervisor at the moment at which
/// s6-rc-update takes it over, and then the transcript differs. Only in this case a test tries again.
const TRIES: usize = 3;

/// Runs a case on a real system. Returns the transcript, and the output of s6gen.
fn record(case: &Path, real: &Path) -> (Vec<Entry>, String) {
    let mut system = System::new(case, Some(real));
    let mut recorder = Recorder::new(&system.places);
    system.boot(&mut recorder);
    recorder.take_calls();
    let results = steps(case).iter().map(|step| system.step(step, &mut recorder)).collect();
    (std::mem::take(&mut recorder.entries), results)
}

/// Whether a supervisor was replaced while s6-rc-update took it over.
fn lost_a_supervisor(entries: &[Entry]) -> bool {
    let signs = [
        "another instance of s6-supervise",
        "unable to manage new service directories",
        "supervisor not listening",
    ];
    entries.iter().any(|entry| entry.code == 124 || signs.iter().any(|sign| entry.err.contains(sign)))
}

/// Runs a case on a real system, or replays its transcript.
fn run(case: &Path, real: Option<&Path>) {
    let mut expected = String::new();
    if let Some(real) = real {
        let mut entries = Vec::new();
        for _ in 0..TRIES {
            (entries, expected) = record(case, real);
            let is_expected = title() + &text(&entries) == committed(case, "transcript");
            if is_expected || !lost_a_supervisor(&entries) {
                break;
            }
            eprintln!("live cases: a supervisor was lost in {}, once more", case.display());
        }
        compare(case, "transcript", &(title() + &text(&entries)));
    } else {
        let mut system = System::new(case, None);
        let steps = steps(case);
        let mut replayer = Replayer::new(&system.places, parse(&committed(case, "transcript")));
        system.boot(&mut replayer);
        replayer.take_calls();
        for step in &steps {
            expected += &system.step(step, &mut replayer);
        }
        let complaint = replayer.complaint();
        assert!(complaint.is_none(), "{}", complaint.unwrap_or_default());
    }
    compare(case, "expected", expected.trim_start());
}

/// Runs all cases, several at a time, because real systems mostly wait.
fn run_all(real: Option<&Path>) {
    let only = std::env::var("S6GEN_CASE").unwrap_or_default();
    let left = Mutex::new(cases("live"));
    let work = || {
        let mut failed = Vec::new();
        loop {
            let next = left.lock().unwrap().pop();
            let Some(case) = next else { return failed };
            let name = case.file_name().unwrap().to_string_lossy().into_owned();
            if name.contains(&only) && std::panic::catch_unwind(|| run(&case, real)).is_err() {
                failed.push(name);
            }
        }
    };
    let failed: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(failed.is_empty(), "these failed: {failed:?}; S6GEN_CASE=NAME runs one");
}

#[test]
fn every_live_case_prints_and_calls_what_is_expected() {
    match real_programs() {
        Ok(programs) => {
            eprintln!("live cases: run on a real system, with the programs in {}", programs.display());
            run_all(Some(&programs));
        }
        Err((name, why)) => skip(this_test!(), name, &format!("{why}; the transcripts are replayed")),
    }
    // The replay gives the same output as the recording.
    run_all(None);
}

#[test]
fn the_python_module_has_the_calls_of_the_watcher() {
    needs!("python3");
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/python");
    let module = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/s6gen.py")).unwrap();
    let program = fs::read_to_string(case.join("watcher.py")).unwrap();
    for line in module.lines().filter_map(|line| line.strip_prefix("def ")) {
        let function = line.split('(').next().unwrap();
        let is_called = program.contains(&format!("s6gen.{function}("));
        assert!(is_called || function.starts_with('_'), "`{function}` is not called");
    }
    match real_programs() {
        Ok(programs) => {
            eprintln!("on a real system, with the programs in {}", programs.display());
            run(&case, Some(&programs));
        }
        Err((name, why)) => skip(this_test!(), name, &format!("{why}; the transcript is replayed")),
    }
    run(&case, None);
}
