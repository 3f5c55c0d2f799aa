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

mod live;
mod manifest;
mod tree;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Numbers of services, and how many pairs to run for each. Small ones are fast, but their times vary more.
const SIZES: &[(usize, usize)] = &[(12, 300), (1_000, 40), (7_000, 15), (30_000, 5)];

/// How many services run in the system to which one is added.
const LIVE_SERVICES: usize = 100;

fn main() {
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let bench = Bench { s6gen: program(), compiler: on_path("s6-rc-compile") };
    if bench.compiler.is_none() {
        println!("s6-rc-compile is not on PATH: only s6gen's own times, without ratios\n");
    }
    println!("median of the pairs       s6gen     other     s6gen/other (quartiles)");
    for (services, pairs) in SIZES {
        if sizes.is_empty() || sizes.contains(services) {
            bench.judging(*services, *pairs);
        }
    }
    if sizes.is_empty() {
        bench.building();
    }
    if sizes.is_empty() || sizes.contains(&LIVE_SERVICES) {
        bench.applying();
    }
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
    /// Compares `check --tree` and `graph --tree` with the real compiler.
    fn judging(&self, services: usize, pairs: usize) {
        let (disk, memory) = (scratch(), memory());
        // The database is in memory, where writing costs least, because only reading and judging are to be compared.
        let (source, database) = (disk.path().join("source"), memory.path().join("database"));
        tree::write(&source, services);
        let check = || self.run(&["check", "--tree"], &source);
        let compile = self.compiler.as_ref().map(|compiler| {
            let (source, database) = (&source, &database);
            move || {
                let mut command = Command::new("sh");
                // The real program needs a stack that grows with the square of the number of services.
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

    /// Compares `build` with `cp -a` of the files that it writes.
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

    fn run(&self, arguments: &[&str], source: &Path) -> Duration {
        timed(Command::new(&self.s6gen).args(arguments).arg(source))
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
