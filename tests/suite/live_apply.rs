//! Runs `s6gen apply` on a real s6-rc with real processes. If it is killed at any moment, the system stays consistent and
//! the next call completes the work.
//!
//! `S6GEN_KILLS=all` tries every moment; otherwise the tests try a sample that is spread over all calls.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use crate::killed::rounds;
use crate::live_store::HOSTILE;
use crate::require::{self, find, needs, say};
use crate::s6rc;
use crate::supervise::{eventually, listens, write_program};

/// Every system call that changes something on the disk, with its names on all architectures, and the calls around other
/// programs that do.
const CALLS: &[&str] = &[
    "open",
    "openat",
    "write",
    "mkdir",
    "mkdirat",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "rmdir",
    "symlink",
    "symlinkat",
    "chmod",
    "fchmod",
    "fchmodat",
    "ftruncate",
    "fsync",
    "flock",
    "clone",
    "clone3",
    "fork",
    "vfork",
    "wait4",
    "waitid",
    "poll",
    "ppoll",
];

/// A system that runs in a scratch folder.
pub struct System {
    folder: TempDir,
    scanner: Child,
}

impl System {
    /// Builds `manifest`, in which `SCRATCH` stands for the folder, and boots it. The services find the programs of
    /// [`System::program`] first. Reports that the programs are missing, and returns `None`, if they are.
    pub fn boot(test: &str, manifest: &str) -> Option<System> {
        if !require::all(test, &["s6", "execline", "s6-rc"]) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap().to_owned();
        let commands = find("execlineb").unwrap();
        let commands = commands.parent().unwrap().to_str().unwrap();
        let target = format!(
            "[target]\ns6-rc = \"0.7.0.0\"\ntree = \"{path}/source\"\ncommand-dir = \"{commands}\"\n"
        );
        fs::write(folder.path().join("services.toml"), target + &manifest.replace("SCRATCH", &path)).unwrap();
        for name in ["scan", "run"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let log = fs::File::create(folder.path().join("scan.log")).unwrap();
        let programs = format!("{path}/bin:{}", std::env::var("PATH").unwrap());
        let scanner = Command::new("s6-svscan")
            .arg(folder.path().join("scan"))
            .env("PATH", programs)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let system = System { folder, scanner };
        eventually("s6-svscan is up", || listens(&system.path("scan")));
        system.succeed("s6gen", &["build"]);
        system.succeed("s6-rc-compile", &["first", "source"]);
        system.succeed(
            "s6-rc-init",
            &["-c", &format!("{path}/first"), "-l", &format!("{path}/run/s6-rc"), &format!("{path}/scan")],
        );
        system.succeed("s6-rc", &["-l", "run/s6-rc", "-u", "change", "default"]);
        Some(system)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a program that the services can run.
    pub fn program(&self, name: &str, script: &str) {
        write_program(&self.path("bin").join(name), script);
    }

    /// A program in the folder.
    pub fn command(&self, program: &str) -> Command {
        let mut command =
            Command::new(if program == "s6gen" { env!("CARGO_BIN_EXE_s6gen") } else { program });
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Calls a program, which must succeed, and returns its output.
    pub fn succeed(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.command(program).args(arguments).output().unwrap();
        assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn instance(&self, arguments: &[&str]) -> String {
        let tree = self.path("source");
        let words = [&["instance", arguments[0], "--tree", tree.to_str().unwrap()], &arguments[1..]].concat();
        self.succeed("s6gen", &words)
    }

    /// The arguments of an `apply` that does not start another process for its work.
    fn apply_words(&self) -> Vec<String> {
        let (live, tree) = (self.path("run/s6-rc"), self.path("source"));
        ["apply", "--apart", "--live", live.to_str().unwrap(), "--tree", tree.to_str().unwrap()]
            .map(str::to_owned)
            .to_vec()
    }

    pub fn apply(&self, more: &[&str]) -> String {
        let words = self.apply_words();
        let words: Vec<&str> = words.iter().map(String::as_str).chain(more.iter().copied()).collect();
        self.succeed("s6gen", &words)
    }

    /// The services that are up, without those of s6-rc. It waits while another s6-rc is at work.
    pub fn active(&self) -> BTreeSet<String> {
        let mut output = None;
        eventually("s6-rc answers", || {
            let listed = self.command("s6-rc").args(["-l", "run/s6-rc", "-a", "list"]).output().unwrap();
            let is_busy = String::from_utf8_lossy(&listed.stderr).contains("unable to take lock");
            assert!(listed.status.success() || is_busy, "{listed:?}");
            output = Some(listed);
            !is_busy
        });
        let out = String::from_utf8(output.unwrap().stdout).unwrap();
        out.lines().filter(|name| !name.starts_with("s6rc-")).map(str::to_owned).collect()
    }

    pub fn pid(&self, service: &str) -> String {
        self.succeed("s6-svstat", &["-o", "pid", &format!("scan/{service}")]).trim().to_owned()
    }

    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }
}

impl Drop for System {
    fn drop(&mut self) {
        let _ = Command::new("s6-svscanctl").arg("-t").arg(self.path("scan")).status();
        let _ = self.scanner.wait();
    }
}

const MANIFEST: &str = r#"
[longrun.web]
run = ["sleep", "infinity"]

[longrun.proxy]
dependencies = ["web"]
run = ["sleep", "infinity"]

[longrun.tunnel]
parameters = ["port"]
instances = []
run = ["sh", "-c", 'echo "$1" >> SCRATCH/starts; exec sleep infinity', "sh", "{{ name }} {{ port }}"]

[oneshot.note]
parameters = ["text"]
instances = []
up = """
echo '{{ text }}' >> SCRATCH/notes
"""
"#;

/// One of the two sets between which the test alternates: `x` and the oneshot change, `y` and `z` are added and removed.
struct Set {
    commands: &'static [&'static [&'static str]],
    up: &'static [&'static str],
    x: &'static str,
    note: &'static str,
}

const SETS: [Set; 2] = [
    Set {
        commands: &[
            &["add", "tunnel", "x", "--set", "port=1"],
            &["add", "tunnel", "y", "--set", "port=3"],
            &["remove", "tunnel-z"],
            &["add", "note", "n", "--set", "text=one"],
        ],
        up: &["web", "proxy", "tunnel-x", "tunnel-y", "note-n"],
        x: "tunnel-x 1",
        note: "one",
    },
    Set {
        commands: &[
            &["add", "tunnel", "x", "--set", "port=2"],
            &["remove", "tunnel-y"],
            &["add", "tunnel", "z", "--set", "port=4"],
            &["add", "note", "n", "--set", "text=two"],
        ],
        up: &["web", "proxy", "tunnel-x", "tunnel-z", "note-n"],
        x: "tunnel-x 2",
        note: "two",
    },
];

impl System {
    /// Adds and removes instances so that they are those of a set.
    fn change_to(&self, set: &Set) {
        for words in set.commands {
            self.instance(words);
        }
    }

    /// Asserts everything that must hold after a set was applied.
    fn assert_has(&self, set: &Set, context: &str) {
        let up: BTreeSet<String> = set.up.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(self.active(), up, "{context}");
        eventually("the tunnel runs with what it was given", || {
            self.text("starts").lines().rfind(|line| line.starts_with("tunnel-x")) == Some(set.x)
        });
        assert_eq!(
            self.text("notes").lines().last(),
            Some(set.note),
            "{context}: the oneshot did not run again"
        );
        let again = self.apply(&["--dry-run"]);
        assert_eq!(again, "nothing to do\n", "{context}");
        let databases = || {
            fs::read_dir(self.path("run/s6gen"))
                .unwrap()
                .map(|entry| entry.unwrap().file_name())
                .filter(|name| name.to_string_lossy().starts_with("db."))
                .count()
        };
        assert_eq!(databases(), 1, "{context}");
    }
}

/// What calls s6gen while something happens to it.
#[derive(Clone, Copy, PartialEq)]
enum Updating {
    /// `s6gen apply`, after all changes of the set.
    Apply,
    /// `s6gen instance add --apply` with the last change of the set.
    Add,
}

/// Changes between the two sets again and again, and injects `what` into each update at another moment: at `sample` moments, or
/// with `S6GEN_KILLS=all` at all of them. Checks that the system is consistent after it, and that the next apply completes the
/// work. Returns a text about the outcomes.
fn interrupt(system: &System, updating: Updating, what: &str, sample: usize) -> String {
    let mut turn = 0;
    system.change_to(&SETS[0]);
    system.apply(&[]);
    system.assert_has(&SETS[0], "at first");
    let untouched = [system.pid("web"), system.pid("proxy")];
    let mut counts = system.counts(updating, &SETS, &mut turn);
    // On Linux these calls do not fail in such a way, and the standard library panics if they do.
    counts.retain(|call, _| what == "signal=KILL" || !call.ends_with("poll"));
    let total: usize = counts.values().sum();
    let step = total.div_ceil(rounds(sample, total));
    let moments = counts.iter().flat_map(|(call, count)| (1..=*count).map(move |moment| (call, moment)));
    let mut outcomes = Outcomes::default();
    for (call, moment) in moments.skip(step / 2).step_by(step) {
        turn = 1 - turn;
        interrupt_at(system, updating, &SETS[turn], what, (call, moment), &mut outcomes);
        assert_eq!([system.pid("web"), system.pid("proxy")], untouched, "{what} at {call} {moment}");
    }
    let Outcomes { outcomes, compiles } = outcomes;
    format!("{what}: {outcomes:?} of {total} moments; the tree on disk compiled: {compiles:?}")
}

/// How often each outcome came.
#[derive(Default)]
struct Outcomes {
    outcomes: BTreeMap<&'static str, usize>,
    /// Whether the definitions on the disk compile after it.
    compiles: BTreeMap<bool, usize>,
}

/// Injects `what` into an update to `set` at one moment. Checks that the system is consistent after it, and that the next apply
/// completes the work.
fn interrupt_at(
    system: &System,
    updating: Updating,
    set: &Set,
    what: &str,
    (call, moment): (&str, usize),
    outcomes: &mut Outcomes,
) {
    let words = system.begin_update(updating, set);
    let listed = system.instance(&["list", "--json"]);
    let starts = system.text("starts").lines().filter(|line| line.starts_with("tunnel-x")).count();
    let context = format!("{what} at {call} {moment}");
    let output = system.strace(&format!("inject=?{call}:{what}:when={moment}"), &words);
    let outcome = match (output.status.code(), output.status.signal()) {
        (None, Some(9)) if what == "signal=KILL" => "killed",
        (Some(0), _) => "succeeded",
        // 127: the program itself was not loaded.
        (Some(1 | 3 | 127), _) if what != "signal=KILL" && !output.stderr.is_empty() => "failed",
        _ => panic!("{context}: {output:?}"),
    };
    *outcomes.outcomes.entry(outcome).or_insert(0) += 1;

    // Consistent: the additions, the live database, and the definitions that the next boot would compile.
    let still_listed = system.instance(&["list", "--json"]);
    assert!(updating == Updating::Add || still_listed == listed, "{context}: {still_listed}");
    system.active();
    let compiled = system.command("s6-rc-compile").args(["probe", "source"]).output().unwrap();
    let _ = fs::remove_dir_all(system.path("probe"));
    *outcomes.compiles.entry(compiled.status.success()).or_insert(0) += 1;
    if !compiled.status.success() {
        eprintln!("{context}: {}", String::from_utf8_lossy(&compiled.stderr).trim());
    }

    system.change_to(set);
    system.apply(&[]);
    system.assert_has(set, &context);
    let restarts = system.text("starts").lines().filter(|line| line.starts_with("tunnel-x")).count() - starts;
    assert_eq!(restarts, 1, "{context}: the changed service started more than once");
}

#[test]
fn a_killed_apply_leaves_a_consistent_system_and_the_next_one_completes() {
    const NAME: &str = "a_killed_apply_leaves_a_consistent_system_and_the_next_one_completes";
    needs!("strace");
    let Some(system) = System::boot(NAME, MANIFEST) else { return };
    say(&format!("note: apply, {}", interrupt(&system, Updating::Apply, "signal=KILL", 15)));
}

#[test]
fn an_apply_that_fails_is_completed_by_the_next_one() {
    const NAME: &str = "an_apply_that_fails_is_completed_by_the_next_one";
    needs!("strace");
    let Some(system) = System::boot(NAME, MANIFEST) else { return };
    say(&format!("note: apply, {}", interrupt(&system, Updating::Apply, "error=EIO", 15)));
}

/// A system that allows no more processes allows no more threads either. A program that s6gen started before must not lose the
/// files that it works with.
#[test]
fn an_apply_that_gets_no_thread_is_completed_by_the_next_one() {
    const NAME: &str = "an_apply_that_gets_no_thread_is_completed_by_the_next_one";
    needs!("strace");
    let Some(system) = System::boot(NAME, MANIFEST) else { return };
    system.change_to(&SETS[0]);
    system.apply(&[]);
    let words = system.begin_update(Updating::Apply, &SETS[1]);
    assert!(system.strace("trace=clone3", &words).status.success());
    let trace = system.text("trace");
    let calls = trace.lines().filter(|line| line.starts_with("clone3(")).zip(1..);
    let threads: Vec<usize> =
        calls.filter(|(line, _)| line.contains("CLONE_THREAD")).map(|(_, number)| number).collect();
    let mut outcomes = Outcomes::default();
    for (turn, moment) in threads.iter().enumerate() {
        let set = &SETS[turn % 2];
        interrupt_at(&system, Updating::Apply, set, "error=EAGAIN", ("clone3", *moment), &mut outcomes);
    }
    say(&format!("note: apply without a thread, {:?} of {} moments", outcomes.outcomes, threads.len()));
}

#[test]
fn an_add_with_apply_that_is_killed_or_fails_is_completed_by_the_next_one() {
    const NAME: &str = "an_add_with_apply_that_is_killed_or_fails_is_completed_by_the_next_one";
    needs!("strace");
    let Some(system) = System::boot(NAME, MANIFEST) else { return };
    for what in ["signal=KILL", "error=ENOSPC"] {
        say(&format!("note: instance add --apply, {}", interrupt(&system, Updating::Add, what, 10)));
    }
}

impl System {
    /// Makes the changes of a set that come before an update. Returns the arguments of the update.
    fn begin_update(&self, updating: Updating, set: &Set) -> Vec<String> {
        let (last, first) = set.commands.split_last().unwrap();
        first.iter().for_each(|words| drop(self.instance(words)));
        let apply = self.apply_words();
        if updating == Updating::Apply {
            self.instance(last);
            return apply;
        }
        // The options of `apply` are options of `instance add --apply` too.
        let options = apply[1..].iter().map(String::as_str);
        let words = ["instance", "add", "--apply"].into_iter().chain(options);
        words.chain(last[1..].iter().copied()).map(str::to_owned).collect()
    }

    fn strace(&self, what: &str, words: &[String]) -> Output {
        let mut strace = self.command("strace");
        strace.args(["-o", "trace", "-e", what, env!("CARGO_BIN_EXE_s6gen")]).args(words).output().unwrap()
    }

    /// How often an update makes each of the calls, in that direction between the two sets in which it makes more.
    fn counts(&self, updating: Updating, sets: &[Set; 2], turn: &mut usize) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for _ in 0..2 {
            *turn = 1 - *turn;
            let words = self.begin_update(updating, &sets[*turn]);
            assert!(self.strace("trace=all", &words).status.success());
            let trace = self.text("trace");
            for call in CALLS {
                let count = trace.lines().filter(|line| line.starts_with(&format!("{call}("))).count();
                let most: &mut usize = counts.entry(*call).or_default();
                *most = count.max(*most);
            }
        }
        counts
    }
}

#[test]
fn a_live_directory_behind_a_link_keeps_its_database() {
    const NAME: &str = "a_live_directory_behind_a_link_keeps_its_database";
    let Some(system) = System::boot(NAME, MANIFEST) else { return };
    for (link, target) in [("linked", "run"), ("own", "run/s6-rc"), ("owned", "own")] {
        std::os::unix::fs::symlink(target, system.path(link)).unwrap();
    }
    let tree = system.path("source");
    let lives = [system.path("linked/s6-rc"), "run/s6-rc".into(), system.path("own"), "owned".into()];
    for (port, live) in lives.iter().enumerate() {
        system.instance(&["add", "tunnel", "x", "--set", &format!("port={port}")]);
        for expected in ["restarted", "nothing to do"] {
            let words =
                ["apply", "--apart", "--live", live.to_str().unwrap(), "--tree", tree.to_str().unwrap()];
            let output = system.command("s6gen").args(words).output().unwrap();
            assert!(output.status.success(), "{output:?}");
            assert!(system.active().contains("tunnel-x"), "{live:?}");
            if port > 0 {
                assert!(String::from_utf8_lossy(&output.stdout).contains(expected), "{output:?}");
            }
        }
    }
    assert_eq!(std::fs::read_link(system.path("own")).unwrap(), PathBuf::from("run/s6-rc"));
}

#[test]
fn an_apply_to_one_live_directory_leaves_the_database_of_another_alone() {
    const NAME: &str = "an_apply_to_one_live_directory_leaves_the_database_of_another_alone";
    let Some(system) = System::boot(NAME, MANIFEST) else { return };
    fs::create_dir(system.path("scan2")).unwrap();
    let mut scanner = system.command("s6-svscan").arg("scan2").stderr(Stdio::null()).spawn().unwrap();
    eventually("s6-svscan is up", || listens(&system.path("scan2")));
    let [first, scan, other] = ["first", "scan2", "run/other"].map(|name| system.path(name));
    let arguments = ["-c", first.to_str().unwrap(), "-l", other.to_str().unwrap(), scan.to_str().unwrap()];
    system.succeed("s6-rc-init", &arguments);
    system.instance(&["add", "tunnel", "x", "--set", "port=1"]);
    system.apply(&[]);
    let tree = system.path("source");
    let words = ["apply", "--apart", "--live", other.to_str().unwrap(), "--tree", tree.to_str().unwrap()];
    system.succeed("s6gen", &words);
    assert!(system.path("run/s6-rc/compiled/db").exists());
    system.instance(&["add", "tunnel", "x", "--set", "port=2"]);
    system.apply(&[]);
    system.succeed("s6gen", &words);
    assert!(system.path("run/s6-rc/compiled/db").exists() && other.join("compiled/db").exists());
    system.succeed("s6-svscanctl", &["-t", "scan2"]);
    scanner.wait().unwrap();
}

/// A service that takes two seconds to stop.
const SLOW: &str = r#"
[longrun.web]
run = ["sleep", "infinity"]

[longrun.slow]
parameters = ["port"]
instances = []
run = ["sh", "-c", 'trap "sleep 2; exit" TERM; echo "$1" >> SCRATCH/starts; while :; do sleep 0.1; done', "sh", "{{ port }}"]
"#;

#[test]
fn the_next_apply_waits_for_an_update_that_survived_its_apply() {
    const NAME: &str = "the_next_apply_waits_for_an_update_that_survived_its_apply";
    let Some(system) = System::boot(NAME, SLOW) else { return };
    system.instance(&["add", "slow", "x", "--set", "port=1"]);
    system.apply(&[]);
    eventually("the first one runs", || system.text("starts") == "1\n");
    system.instance(&["add", "slow", "x", "--set", "port=2"]);
    let mut apply = system.command("s6gen").args(system.apply_words()).stdout(Stdio::null()).spawn().unwrap();
    eventually("the update is at work", || {
        system.succeed("s6-svstat", &["-o", "wantedup", "scan/slow-x"]).trim() == "false"
    });
    apply.kill().unwrap();
    apply.wait().unwrap();

    // A process that does not wait is refused, and does not disturb the one at work.
    for option in [&["--wait", "0"][..], &["--wait", "0", "--dry-run"]] {
        let refused = system.command("s6gen").args(system.apply_words()).args(option).output().unwrap();
        assert_eq!(refused.status.code(), Some(3), "{refused:?}");
    }
    assert_eq!(system.apply(&[]), "nothing to do\n");
    assert_eq!(system.active(), ["slow-x", "web"].map(str::to_owned).into());
    assert_eq!(system.text("starts"), "1\n2\n");
}

#[test]
fn hostile_words_reach_a_running_service() {
    const NAME: &str = "hostile_words_reach_a_running_service";
    needs!("perl");
    let Some(system) = System::boot(NAME, MANIFEST) else { return };
    let recorder = r#"$to = shift; open F, ">", "$to.new"; print F map { "$_\0" } @ARGV; close F; rename "$to.new", $to; sleep 1000"#;
    let to = system.path("words");
    let words = [
        "add",
        "--name",
        "probe",
        "--start",
        "boot",
        "--",
        "perl",
        "-e",
        recorder,
        "--",
        to.to_str().unwrap(),
    ];
    system.instance(&[&words[..], HOSTILE].concat());
    system.apply(&[]);
    eventually("the service wrote its arguments", || to.exists());
    let expected: String = HOSTILE.iter().map(|word| format!("{word}\0")).collect();
    assert_eq!(system.text("words"), expected);
    assert!(!system.path("evil").exists());
}

#[test]
fn a_script_from_a_file_runs_after_an_apply_that_has_no_such_file() {
    const NAME: &str = "a_script_from_a_file_runs_after_an_apply_that_has_no_such_file";
    let Some(system) = System::boot(NAME, MANIFEST) else { return };
    let template = "[longrun.filed]\ninstances = []\nrun.file = \"filed.sh\"\n";
    fs::write(system.path("services.toml"), system.text("services.toml") + template).unwrap();
    let script = system.path("filed.sh");
    let build = |word: &str| {
        let to = system.path("filed");
        fs::write(&script, format!("echo \"$1 {word}\" >> {}\nexec sleep infinity\n", to.display())).unwrap();
        system.succeed("s6gen", &["build"]);
        fs::remove_file(&script).unwrap();
    };
    build("first");
    system.instance(&["add", "filed", "a"]);
    system.apply(&[]);
    eventually("the instance runs the script", || system.text("filed") == "filed-a first\n");
    build("second");
    system.apply(&[]);
    eventually("it runs the changed script", || system.text("filed") == "filed-a first\nfiled-a second\n");
    assert_eq!(system.apply(&["--dry-run"]), "nothing to do\n");
}

#[test]
fn apply_repairs_files_that_were_changed_by_hand() {
    const NAME: &str = "apply_repairs_files_that_were_changed_by_hand";
    let Some(system) = System::boot(NAME, MANIFEST) else { return };
    let add = |port: &str| system.instance(&["add", "tunnel", "x", "--set", &format!("port={port}")]);
    add("1");
    system.apply(&[]);
    let (run, pid) = (system.text("source/web/run"), system.pid("web"));
    let by_hand: [&dyn Fn(); 4] = [
        &|| fs::write(system.path("source/web/run"), "#!/bin/sh\nexit 1\n").unwrap(),
        &|| fs::remove_file(system.path("source/proxy/type")).unwrap(),
        &|| fs::remove_dir_all(system.path("source/web")).unwrap(),
        &|| fs::write(system.path("source/tunnel-x/type"), "nonsense\n").unwrap(),
    ];
    for (port, change) in by_hand.iter().enumerate() {
        change();
        add(&port.to_string());
        assert_eq!(system.apply(&[]), "restarted  tunnel-x  run changed\nunchanged  2\n");
        assert_eq!((system.text("source/web/run"), system.pid("web")), (run.clone(), pid.clone()));
        assert_eq!(system.apply(&[]), "nothing to do\n");
        let probe = system.command("s6-rc-compile").args(["probe", "source"]).status().unwrap();
        fs::remove_dir_all(system.path("probe")).unwrap();
        assert!(probe.success());
    }
    // Even if there is nothing else to do.
    fs::remove_dir_all(system.path("source/web")).unwrap();
    let out = system.apply(&[]);
    assert_eq!(out, "nothing that runs had to change; the files for the next boot are new\n");
    assert_eq!((system.text("source/web/run"), system.pid("web")), (run, pid));
}

#[test]
fn a_build_while_apply_waits_for_another_s6_rc_is_not_undone() {
    const NAME: &str = "a_build_while_apply_waits_for_another_s6_rc_is_not_undone";
    // This service stops when the test tells it to.
    let slow =
        "[oneshot.slow]\nstart = \"on-demand\"\nup = \"while ! test -e SCRATCH/go; do sleep 0.1; done\"\n";
    let Some(system) = System::boot(NAME, &format!("{MANIFEST}{slow}")) else { return };
    system.instance(&["add", "tunnel", "x", "--set", "port=1"]);
    let mut other =
        system.command("s6-rc").args(["-b", "-l", "run/s6-rc", "-u", "change", "slow"]).spawn().unwrap();
    eventually("the other one holds the lock", || {
        let asked = system.command("s6-rc").args(["-l", "run/s6-rc", "-a", "list"]).output().unwrap();
        String::from_utf8_lossy(&asked.stderr).contains("unable to take lock")
    });
    let mut apply =
        system.command("s6gen").args(system.apply_words()).stderr(Stdio::piped()).spawn().unwrap();
    let mut messages = BufReader::new(apply.stderr.take().unwrap());
    let mut line = String::new();
    messages.read_line(&mut line).unwrap();
    assert!(line.contains("another s6-rc is at work"), "{line}");
    let manifest = system.text("services.toml") + "[longrun.late]\nrun = [\"sleep\", \"infinity\"]\n";
    fs::write(system.path("services.toml"), manifest).unwrap();
    system.succeed("s6gen", &["build"]);
    fs::write(system.path("go"), "").unwrap();
    assert!(apply.wait().unwrap().success() && other.wait().unwrap().success());
    let active = system.active();
    assert!(active.contains("late") && active.contains("tunnel-x"), "{active:?}");
    assert_eq!(system.apply(&[]), "nothing to do\n");
    assert!(system.path("source/late/run").exists());
}

#[test]
fn a_waiting_s6gen_says_so_and_leftovers_of_a_killed_one_are_removed() {
    const NAME: &str = "a_waiting_s6gen_says_so_and_leftovers_of_a_killed_one_are_removed";
    let Some(system) = System::boot(NAME, MANIFEST) else { return };
    system.instance(&["add", "tunnel", "x", "--set", "port=1"]);
    system.apply(&[]);
    let work = system.path("run/s6gen");
    let held = fs::File::open(&work).unwrap();
    rustix::fs::flock(&held, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let output = system.command("s6gen").args(system.apply_words()).args(["--wait", "1"]).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{err}");
    assert!(err.contains("another s6gen is at work; waiting up to 1 s"), "{err}");
    drop(held);

    // The directory of a process that has ended, because no process has such a high id, and that of a living one.
    let [gone, alive] = [u32::MAX, std::process::id()].map(|process| work.join(format!("diff.{process}")));
    for left in [&gone, &alive] {
        fs::create_dir(left).unwrap();
    }
    let [live, tree] = [system.path("run/s6-rc"), system.path("source")];
    system.succeed("s6gen", &["diff", "--live", live.to_str().unwrap(), "--tree", tree.to_str().unwrap()]);
    assert!(!gone.exists() && alive.exists());
}

#[test]
fn without_s6_overlay_its_names_are_ordinary_names() {
    const NAME: &str = "without_s6_overlay_its_names_are_ordinary_names";
    let manifest = "[longrun.fix-attrs]\nrun = [\"sleep\", \"infinity\"]\n";
    let Some(system) = System::boot(NAME, manifest) else { return };
    let live = system.path("run/s6-rc");
    assert!(
        system.succeed("s6gen", &["status", "--live", live.to_str().unwrap()]).starts_with("fix-attrs  up")
    );
}

#[test]
fn a_built_directory_is_compared_with_a_running_overlay_as_init_compiles_it() {
    const NAME: &str = "a_built_directory_is_compared_with_a_running_overlay_as_init_compiles_it";
    let Some(system) = System::boot(NAME, MANIFEST) else { return };
    let overlay = s6gen::model::System::overlay("3.2.3.2").unwrap();
    let own = overlay.own_definitions_dir().unwrap();
    s6rc::write_image(&system.path("image"), own.trim_start_matches('/'), overlay);
    for (manifest, seconds) in [("old.toml", 1000), ("new.toml", 2000)] {
        let text = format!("[longrun.web]\nrun = [\"sleep\", \"{seconds}\"]\n");
        fs::write(system.path(manifest), text).unwrap();
    }
    fs::create_dir(system.path("out")).unwrap();
    system.succeed("s6gen", &["build", "-m", "old.toml", "--root", "image"]);
    system.succeed("s6gen", &["build", "-m", "new.toml", "--root", "out"]);
    let sources =
        ["image/etc/s6-overlay/s6-rc.d", "image/etc/s6-overlay/user-bundles.d", &format!("image{own}")];
    system.succeed("s6-rc-compile", &[&["database"], &sources[..]].concat());
    let [database, live, scan] = ["database", "run/overlay", "scan"].map(|name| system.path(name));
    let [database, live, scan] = [&database, &live, &scan].map(|path| path.to_str().unwrap());
    system.succeed("s6-rc-init", &["-p", "overlay-", "-c", database, "-l", live, scan]);
    // Only the container brings `user`, `user2` and the definitions of s6-overlay.
    let compare = |directory: &str| {
        let output =
            system.command("s6gen").args(["diff", "--live", live, "--root", "image", directory]).output();
        let output = output.unwrap();
        assert!(output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let same = "unchanged  4\n";
    assert_eq!(compare("image/etc/s6-overlay"), same);
    assert_eq!(compare("image/etc/s6-overlay/s6-rc.d"), same);
    let other =
        "changed    web    it is down\n             run  - sleep 1000\n                  + sleep 2000\n";
    assert_eq!(compare("out/etc/s6-overlay"), format!("{other}unchanged  3\n"));
}
