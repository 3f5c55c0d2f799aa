//! How long s6gen takes beside the programs that do the comparable work, run in turns with it on the same files.
//!
//! A figure is the median of the ratios of such pairs: the machine may be slow and busy, the two are so alike. Times
//! are shown for a feeling of the size, nothing is asserted. Arguments are the numbers of services to try, and
//! `S6GEN_RELEASE` names the program to measure, where it is not the one that was built for this run.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the rules of the house are for the program; a benchmark starts programs and prints"
)]
#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

mod live;
mod manifest;
mod tree;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Numbers of services, and how many pairs are run of each: small ones are over at once, and noisy.
const SIZES: &[(usize, usize)] = &[(12, 300), (1_000, 40), (7_000, 15), (30_000, 5)];

/// How many services run where one is added.
const LIVE_SERVICES: usize = 100;

fn main() {
    let wanted: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let bench = Bench { s6gen: program(), compiler: on_path("s6-rc-compile") };
    if bench.compiler.is_none() {
        println!("s6-rc-compile is not on PATH: only s6gen's own times, without ratios\n");
    }
    println!("median of the pairs       s6gen     other     s6gen/other (quartiles)");
    for (services, pairs) in SIZES {
        if wanted.is_empty() || wanted.contains(services) {
            bench.judging(*services, *pairs);
        }
    }
    if wanted.is_empty() {
        bench.building();
    }
    if wanted.is_empty() || wanted.contains(&LIVE_SERVICES) {
        bench.applying();
    }
}

/// The s6gen that is measured.
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
    /// `check --tree` and `graph --tree` beside the real compiler.
    fn judging(&self, services: usize, pairs: usize) {
        let (disk, memory) = (scratch(), memory());
        // The database goes where writing costs least: it is the reading and judging that both do.
        let (source, database) = (disk.path().join("source"), memory.path().join("database"));
        tree::write(&source, services);
        let check = || self.run(&["check", "--tree"], &source);
        let compile = self.compiler.as_ref().map(|compiler| {
            let (source, database) = (&source, &database);
            move || {
                let mut command = Command::new("sh");
                // The real program keeps a bit for every two services on its stack.
                command.args(["-c", "ulimit -s unlimited; exec \"$@\"", "sh"]);
                let command =
                    if services > 7_000 { command.arg(compiler) } else { &mut Command::new(compiler) };
                let time = timed(command.arg(database).arg(source));
                fs::remove_dir_all(database).unwrap();
                time
            }
        });
        report(&format!("check, {services} services"), &in_turns(pairs, check, compile.as_ref()));
        for format in ["json", "text"] {
            let graph = || self.run(&["graph", "--format", format, "--tree"], &source);
            let name = format!("graph {format}, {services}");
            report(&name, &in_turns((pairs / 3).max(3), graph, compile.as_ref()));
        }
    }

    /// `build` beside `cp -a` of what it writes.
    fn building(&self) {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("services.toml");
        for (name, manifest) in [("shipped", None), ("1000 services", Some(manifest::text(1_000)))] {
            let scratch = scratch();
            let place = match manifest {
                None => shipped.clone(),
                Some(text) => {
                    let place = scratch.path().join("services.toml");
                    fs::write(&place, text).unwrap();
                    place
                }
            };
            let (root, copy) = (scratch.path().join("root"), scratch.path().join("copy"));
            let build = || {
                let _ = fs::remove_dir_all(&root);
                fs::create_dir(&root).unwrap();
                timed(Command::new(&self.s6gen).args(["build", "-m"]).arg(&place).arg("--root").arg(&root))
            };
            let again = || {
                timed(Command::new(&self.s6gen).args(["build", "-m"]).arg(&place).arg("--root").arg(&root))
            };
            let cp = || {
                let _ = fs::remove_dir_all(&copy);
                timed(Command::new("cp").arg("-a").arg(&root).arg(&copy))
            };
            report(&format!("build, {name} / cp -a"), &in_turns(20, build, Some(&cp)));
            report(&format!("build again, {name}"), &in_turns(20, again, Some(&cp)));
            let check = || timed(Command::new(&self.s6gen).args(["check", "-m"]).arg(&place));
            report(&format!("check, {name} / cp -a"), &in_turns(20, check, Some(&cp)));
        }
    }

    /// `instance add` and `apply`, as one program and as two, beside the programs that it wraps. Everything is in memory: to
    /// add and remove in turns without a pause is what ext4 is slowest at, whoever does it, as it takes no inode again
    /// that was freed within the last minute.
    fn applying(&self) {
        let Some(system) = live::System::boot(&self.s6gen, LIVE_SERVICES, memory()) else {
            return println!("s6 and s6-rc are not on PATH: `apply` was not measured");
        };
        for (what, at_once) in [("add --apply", true), ("add, then apply", false)] {
            let pairs = in_turns(30, || system.ours(at_once), Some(&|| system.theirs()));
            report(&format!("{what}, {LIVE_SERVICES} run"), &pairs);
        }
    }

    fn run(&self, arguments: &[&str], source: &Path) -> Duration {
        timed(Command::new(&self.s6gen).args(arguments).arg(source))
    }
}

/// A directory that goes away, on the disk that cargo builds on.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// A directory that goes away, in memory where the system has such a place.
fn memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| scratch())
}

/// The time from start to end of a program, which must succeed.
fn timed(command: &mut Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status().unwrap();
    let time = start.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    time
}

/// Runs both in turns, after a first run of each that warms the cache.
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
    print!("{name:24}  {:>8}", format!("{:.2} ms", at(&own, 0.5)));
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
