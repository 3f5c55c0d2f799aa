//! Measures how long s6gen takes compared with programs that do similar work on the same files.
//!
//! The two run in turns, so that a slow or busy machine slows both. The result is the median of the ratios of these
//! pairs. The times only show the order of magnitude, and nothing is asserted. The arguments are the numbers of
//! services to try. Set `S6GEN_RELEASE` to measure another program than the one that was built for this run.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the rules of the house are for the program; a benchmark starts programs and prints"
)]
#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

mod example;
mod live;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use s6gen::diagnostic::{Files, Problems};
use s6gen::model::{System, Target};
use s6gen::{compile, disk, import, judge, manifest, resolve, validate};

/// Numbers of services, and how many pairs to run for each. Small ones are fast, but their times vary more.
const SIZES: &[(usize, usize)] = &[(12, 200), (1_000, 20), (10_000, 5), (30_000, 3)];

/// How many services run in the system to which one is added.
const LIVE_SERVICES: usize = 100;

/// How many findings are written in each format.
const FINDINGS: usize = 500;

fn main() {
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let bench = Bench { s6gen: program(), compiler: on_path("s6-rc-compile") };
    if bench.compiler.is_none() {
        println!("s6-rc-compile is not on PATH: what would be compared with it has no ratio\n");
    }
    println!("medians                         s6gen       other  s6gen/other (quartiles)");
    for (services, pairs) in SIZES {
        if sizes.is_empty() || sizes.contains(services) {
            bench.manifest(*services, *pairs);
        }
    }
    if sizes.is_empty() || sizes.contains(&FINDINGS) {
        bench.formats();
    }
    if sizes.is_empty() || sizes.contains(&LIVE_SERVICES) {
        bench.applying();
    }
}

/// How long it takes to check a manifest, with the rules or without. This calls the functions of s6gen, because no command
/// leaves the rules out.
fn checked(manifest: &Path, with_rules: bool) -> Duration {
    let text = fs::read_to_string(manifest).unwrap();
    let (begin, mut files) = (Instant::now(), Files::default());
    let file = files.add(manifest, text);
    let problems = if with_rules {
        compile(&files, file).problems
    } else {
        let mut problems = Problems::default();
        let parsed = manifest::parse(&files, file, &mut problems);
        validate::check_required(&resolve::resolve(parsed, &mut problems), &mut problems);
        problems
    };
    assert!(!problems.has_errors());
    begin.elapsed()
}

/// The same for a tree.
fn judged(tree: &Path, with_rules: bool) -> Duration {
    let (begin, mut files, target) = (Instant::now(), Files::default(), Target::new(System::NEWEST_S6RC));
    let sources = vec![disk::source(tree)];
    let problems = if with_rules {
        judge(&mut files, sources, target).problems
    } else {
        let mut problems = Problems::default();
        let set = import::tree(sources, target, &mut files, &mut problems);
        validate::check_required(&set, &mut problems);
        problems
    };
    assert!(!problems.has_errors());
    begin.elapsed()
}

/// The s6gen to measure.
fn program() -> PathBuf {
    let given = std::env::var_os("S6GEN_RELEASE").map(PathBuf::from);
    given.unwrap_or_else(|| env!("CARGO_BIN_EXE_s6gen").into())
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(program)).find(|place| place.is_file())
}

struct Bench {
    s6gen: PathBuf,
    compiler: Option<PathBuf>,
}

impl Bench {
    /// Measures every command on a manifest with this many services. Everything is in memory, where writing costs least.
    fn manifest(&self, services: usize, pairs: usize) {
        let place = memory();
        let at = |name: &str| place.path().join(name);
        let (manifest, root, source) = (at("services.toml"), at("root"), at("root/etc/s6-overlay/sv"));
        fs::write(&manifest, example::text(services)).unwrap();
        let build = |root: &Path| {
            let mut command = self.command(&["build", "-m"]);
            command.arg(&manifest).arg("--root").arg(root);
            command
        };
        let fresh = |name: &str| {
            let _ = fs::remove_dir_all(at(name));
            fs::create_dir(at(name)).unwrap();
            at(name)
        };
        fresh("root");
        timed(&mut build(&root));

        let archive = at("root.tar");
        timed(Command::new("tar").arg("cf").arg(&archive).arg("-C").arg(&root).arg("."));
        let unpack = || timed(Command::new("tar").arg("xf").arg(&archive).arg("-C").arg(fresh("unpacked")));
        report(
            &format!("build {services} / tar x"),
            &in_turns(pairs, || timed(&mut build(&fresh("new"))), Some(&unpack)),
        );
        let first = || timed(&mut build(&fresh("new")));
        report(
            &format!("unchanged build {services} / first"),
            &in_turns(pairs, || timed(&mut build(&root)), Some(&first)),
        );

        // `base` belongs to s6-overlay; for s6-rc-compile alone it must be defined.
        fs::create_dir_all(source.join("base/contents.d")).unwrap();
        fs::write(source.join("base/type"), "bundle\n").unwrap();
        let compile = self.compiler.as_ref().map(|compiler| {
            let (source, database) = (&source, at("database"));
            move || {
                let _ = fs::remove_dir_all(&database);
                let mut command = Command::new("sh");
                // The real program needs a stack that grows with the square of the number of services.
                command.args(["-c", "ulimit -s unlimited; exec \"$@\"", "sh"]);
                let command =
                    if services > 7_000 { command.arg(compiler) } else { &mut Command::new(compiler) };
                timed(command.arg(&database).arg(source))
            }
        });
        let check = || timed(self.command(&["check"]).arg(&manifest));
        report(&format!("check {services} / s6-rc-compile"), &in_turns(pairs, check, compile.as_ref()));
        let tree = || timed(self.command(&["check", "--tree"]).arg(&source));
        report(&format!("check --tree {services} / s6-rc-compile"), &in_turns(pairs, tree, compile.as_ref()));
        report(
            &format!("check {services} in memory / no rules"),
            &in_turns(pairs, || checked(&manifest, true), Some(&|| checked(&manifest, false))),
        );
        report(
            &format!("--tree {services} in memory / no rules"),
            &in_turns(pairs, || judged(&source, true), Some(&|| judged(&source, false))),
        );
        let graph = || timed(self.command(&["graph", "--format", "json", "-m"]).arg(&manifest));
        report(&format!("graph json {services} / s6-rc-compile"), &in_turns(pairs, graph, compile.as_ref()));
        self.memory(services, &manifest);
    }

    /// Compares a check that writes its findings with one that finds the same and is told to be silent.
    fn formats(&self) {
        let place = memory();
        let manifest = place.path().join("services.toml");
        let services = (0..FINDINGS).map(|n| format!("[longrun.s{n}]\nrun = ['web', '$PORT']\n"));
        fs::write(&manifest, services.collect::<String>()).unwrap();
        let silent = || timed(self.command(&["check", "--allow", "all"]).arg(&manifest));
        for format in ["human", "concise", "json", "sarif", "github", "gitlab", "junit"] {
            let written = || timed(self.command(&["check", "--format", format]).arg(&manifest));
            report(
                &format!("{FINDINGS} findings as {format} / silent"),
                &in_turns(20, written, Some(&silent)),
            );
        }
    }

    /// Prints how much memory `check` needs.
    fn memory(&self, services: usize, manifest: &Path) {
        let mut command = Command::new("/usr/bin/time");
        command.args(["-f", "%M"]).arg(&self.s6gen).arg("check").arg(manifest);
        match command.stdin(Stdio::null()).output() {
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stderr);
                let kib: f64 = text.lines().last().and_then(|line| line.parse().ok()).unwrap_or(f64::NAN);
                println!("{:30}  {:>6.0} MiB", format!("memory of check {services}"), kib / 1024.0);
            }
            Err(error) => println!("memory was not measured: /usr/bin/time: {error}"),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.s6gen);
        command.args(arguments);
        command
    }

    /// Compares `instance add` and `apply`, as one call and as two, with the programs of s6-rc that they run.
    /// Everything is in memory, because ext4 is slow at this: it does not reuse an inode within a minute, so adding and
    /// removing files in turns without a pause slows every program down.
    fn applying(&self) {
        let Some(system) = live::System::boot(&self.s6gen, LIVE_SERVICES, memory()) else {
            return println!("s6 and s6-rc are not on PATH: `apply` was not measured");
        };
        for (what, at_once) in [("add --apply", true), ("add, then apply", false)] {
            let pairs = in_turns(30, || system.ours(at_once), Some(&|| system.theirs()));
            report(&format!("{what}, {LIVE_SERVICES} run"), &pairs);
        }
    }
}

/// A temporary directory on the disk on which cargo builds.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// A temporary directory in memory, if the system has one there.
fn memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| scratch())
}

/// Runs a program, which must succeed, and returns how long it took.
fn timed(command: &mut Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status().unwrap();
    let time = start.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    time
}

/// Runs both in turns and returns the times of each pair. A first run of each warms the cache and does not count.
fn in_turns(
    pairs: usize,
    ours: impl Fn() -> Duration,
    theirs: Option<&impl Fn() -> Duration>,
) -> Vec<(Duration, Option<Duration>)> {
    ours();
    theirs.map(|theirs| theirs());
    let pair = |number: usize| {
        if number.is_multiple_of(2) {
            let time = ours();
            (time, theirs.map(|theirs| theirs()))
        } else {
            let other = theirs.map(|theirs| theirs());
            (ours(), other)
        }
    };
    (0..pairs).map(pair).collect()
}

fn report(name: &str, pairs: &[(Duration, Option<Duration>)]) {
    let milliseconds = |time: &Duration| time.as_secs_f64() * 1e3;
    let own = sorted(pairs.iter().map(|(own, _)| milliseconds(own)));
    let other = sorted(pairs.iter().filter_map(|(_, other)| other.as_ref().map(milliseconds)));
    let ratios = sorted(
        pairs.iter().filter_map(|(own, other)| Some(own.as_secs_f64() / other.as_ref()?.as_secs_f64())),
    );
    let at = |values: &[f64], part: f64| values[((values.len() - 1) as f64 * part).round() as usize];
    print!("{name:30}  {:>10}", format!("{:.2} ms", at(&own, 0.5)));
    if !other.is_empty() {
        print!("  {:>10}", format!("{:.2} ms", at(&other, 0.5)));
        print!("  {:.2} ({:.2} to {:.2})", at(&ratios, 0.5), at(&ratios, 0.25), at(&ratios, 0.75));
    }
    println!();
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}
