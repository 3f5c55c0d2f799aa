//! Kills processes, or makes their system calls fail, at a chosen moment.
//!
//! A moment is a system call and its number among the calls of that kind. `S6GEN_KILLS=all` tries every moment; otherwise
//! tests try a fixed sample that is spread over all calls. [`Stopped`] stops a process at a moment that would otherwise be a
//! matter of luck.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;

use rustix::process::{Pid, Signal, kill_process};
use s6gen::install::Prune;
use s6gen::tree::{SourceTree, TreeEntry};
use serde_json::json;

use crate::supervise::eventually;

/// A system call by its name on this architecture, and its number among the calls of that kind, from 1.
pub type Moment = (&'static str, usize);

/// How many moments of each call are in the sample.
const SAMPLE: usize = 6;

/// The moments at which to interrupt `command`: all or a sample of those at which it makes one of `calls`. Runs it once to
/// count them.
pub fn moments(calls: &[&'static str], command: &Command) -> Vec<Moment> {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let traced: Vec<String> = calls.iter().map(|call| format!("?{call}")).collect();
    let mut strace = under_strace(&format!("trace={}", traced.join(",")), &trace, command);
    assert!(strace.stdout(Stdio::null()).status().unwrap().success(), "{strace:?}");
    let trace = fs::read_to_string(&trace).unwrap();
    let mut counts = BTreeMap::new();
    for line in trace.lines() {
        let call =
            line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ').split('(').next().unwrap();
        *counts.entry(call).or_insert(0) += 1;
    }
    let mut moments = Vec::new();
    for call in calls {
        let count = counts.get(call).copied().unwrap_or(0);
        moments.extend(spread(count, rounds(SAMPLE, count)).map(|moment| (*call, moment)));
    }
    moments
}

/// The number of rounds: `all` if `S6GEN_KILLS` asks for all, else `sample`.
pub fn rounds(sample: usize, all: usize) -> usize {
    if std::env::var("S6GEN_KILLS").is_ok_and(|which| which == "all") { all } else { sample }
}

/// At most `most` numbers from 1 to `count`, at equal distances, the first and the last among them.
fn spread(count: usize, most: usize) -> impl Iterator<Item = usize> {
    let taken = most.min(count);
    (0..taken).map(move |number| if taken == 1 { 1 } else { 1 + number * (count - 1) / (taken - 1) })
}

/// `command`, run by strace, which injects `what` at a moment, such as `signal=KILL`.
pub fn at((call, number): Moment, what: &str, command: &Command) -> Command {
    under_strace(&format!("inject=?{call}:{what}:when={number}"), Path::new("/dev/null"), command)
}

/// A process that was stopped directly after a system call.
pub struct Stopped {
    strace: Child,
    pid: Pid,
}

impl Stopped {
    /// Runs `command` until it opens `directory`, or something in it, for the `number`th time.
    pub fn at(directory: &Path, number: usize, command: &Command) -> Self {
        Stopped::after("openat", number, Some(directory), command)
    }

    /// Runs `command` until it makes its `number`th directory.
    pub fn at_directory(number: usize, command: &Command) -> Self {
        Stopped::after("mkdirat", number, None, command)
    }

    fn after(call: &str, number: usize, directory: Option<&Path>, command: &Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let trace = folder.path().join("trace");
        let stopped = format!("inject=?{call}:signal=STOP:when={number}");
        // No --seccomp-bpf: strace then misses the signal.
        let mut strace = Command::new("strace");
        strace.args(["-f", "-e", &stopped]).arg("-o").arg(&trace);
        if let Some(directory) = directory {
            strace.arg("-P").arg(directory);
        }
        strace.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
        let strace = strace.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let trace_text = || fs::read_to_string(&trace).unwrap_or_default();
        eventually("it opens, and stops", || trace_text().contains("stopped by SIGSTOP"));
        let pid = trace_text().split_whitespace().next().unwrap().parse().unwrap();
        Stopped { strace, pid: Pid::from_raw(pid).unwrap() }
    }

    /// Lets it continue, and waits for its end.
    pub fn go_on(self) -> Output {
        kill_process(self.pid, Signal::CONT).unwrap();
        self.strace.wait_with_output().unwrap()
    }
}

fn under_strace(what: &str, output: &Path, command: &Command) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-f", "--seccomp-bpf", "-e", what, "-o"]).arg(output);
    strace.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => strace.env(name, value),
            None => strace.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        strace.current_dir(folder);
    }
    strace
}

/// A command that installs `tree` below `root`, with its definitions in the usual place.
pub fn install(tree: &Path, root: &Path, prune: Prune) -> Command {
    let mut command = Command::new(&*HELPER);
    command.arg(tree).arg(root).arg("etc/s6-overlay/sv").stdin(Stdio::null());
    command.arg(if prune == Prune::Later { "later" } else { "now" });
    command
}

/// A file with a tree, in the form that the helper reads. Every user can read it.
pub fn file_of(name: &str, tree: &SourceTree) -> PathBuf {
    let entry = |entry: &TreeEntry| match entry {
        TreeEntry::Directory => json!({}),
        TreeEntry::Link(target) => json!({ "link": target }),
        TreeEntry::File { content, executable } => {
            json!({ "content": str::from_utf8(content).unwrap(), "executable": executable })
        }
    };
    let entries: Vec<_> = tree.entries().map(|(path, what)| (path, entry(what))).collect();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut new = tempfile::NamedTempFile::new_in(folder).unwrap();
    serde_json::to_writer(&mut new, &entries).unwrap();
    fs::set_permissions(new.path(), fs::Permissions::from_mode(0o644)).unwrap();
    let file = folder.join(format!("{name}.json"));
    new.persist(&file).unwrap();
    file
}

/// The program of `tests/helper`. `cargo test` builds it, but `cargo test --test suite` does not.
static HELPER: LazyLock<PathBuf> = LazyLock::new(|| {
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--locked", "--example", "install"]);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    assert!(build.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success());
    let suite = std::env::current_exe().unwrap();
    suite.parent().unwrap().with_file_name("examples").join("install")
});

#[test]
fn a_sample_has_the_first_and_the_last_moment() {
    let list = |count, most| spread(count, most).collect::<Vec<_>>();
    assert_eq!(list(0, 3), [0; 0]);
    assert_eq!(list(1, 3), [1]);
    assert_eq!(list(3, 3), [1, 2, 3]);
    assert_eq!(list(9, 3), [1, 5, 9]);
}
