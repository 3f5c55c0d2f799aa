//! Runs the programs of s6 and s6-rc on a running system. No other room starts programs.
//!
//! The real programs of s6 and s6-rc answer every query and make every change. This room knows their arguments and the
//! meaning of their output. While another s6-rc is at work (during a boot: until everything is up), they refuse with
//! "unable to take locks". [`Live`] then repeats the call until its time limit.

mod compiled;
mod directory;
mod failure;
mod fingerprints;
mod holder;
mod programs;
mod snapshot;
mod started;
mod status;
mod times;
mod watch;

pub use compiled::{CompiledDatabase, databases, empty_database, remove_abandoned};
pub use directory::{consumers, live_database, live_directory, live_link, relink, unsupervised};
pub use failure::{ChangeFailure, ChangeFailureReason, Failure};
pub use fingerprints::{Fingerprints, fingerprints};
pub use holder::{LockHolder, lock_holder, process_below};
pub use programs::{
    Call, InstalledPrograms, ProgramAnswer, Programs, WatchAction, leave_group, run_in_own_group,
};
pub use status::{ServiceState, SupervisorStatus};
pub use times::SupervisorTimes;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::model::Name;
use crate::progress::{self, Stage};
use watch::Watch;

/// The default live directory of s6-rc.
pub const LIVE: &str = "/run/s6-rc";
/// How long to sleep before repeating a call that another s6-rc blocks.
const PAUSE: Duration = Duration::from_millis(100);

/// The start of the lines in which s6-rc reports that it stops or starts a service.
const MOVES: &[u8] = b"s6-rc: info: service ";

/// A running system.
pub struct Live<'p> {
    directory: PathBuf,
    programs: &'p mut dyn Programs,
    limits: Limits,
    notify: &'p mut dyn FnMut(&str),
    processes: &'p dyn Processes,
    /// The file for the messages of programs that change something.
    log: Option<File>,
}

/// How long to wait.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long to wait for other processes in total.
    pub wait: Duration,
    /// How long services may take to stop and start. `None` for no limit.
    pub change: Option<Duration>,
}

/// Finds processes of this system.
pub trait Processes {
    /// A sentence about the process that holds the lock `path`, with what it waits for.
    fn holder(&self, path: &Path) -> Option<String>;

    /// The process that runs the program `name`: `pid` itself, or one of its descendants.
    fn below(&self, pid: u32, name: &str) -> Option<u32>;
}

/// Whether services start or stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// They start, with their dependencies.
    Up,
    /// They stop, with their dependents.
    Down,
}

impl Direction {
    fn option(self) -> &'static str {
        match self {
            Direction::Up => "-u",
            Direction::Down => "-d",
        }
    }
}

/// The kinds of services, as `s6-rc-db list` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseList {
    /// Longruns, with those of s6-rc itself.
    Longruns,
    /// Oneshots.
    Oneshots,
    /// Bundles.
    Bundles,
}

/// The services that an update stopped and started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moves {
    /// The services that it began to stop.
    pub stopped: BTreeSet<Name>,
    /// The services that it began to start.
    pub started: BTreeSet<Name>,
}

impl<'p> Live<'p> {
    /// The system whose live directory is `directory`. It calls `notify` with messages for the user, such as that it waits.
    pub fn new(
        directory: &Path,
        programs: &'p mut dyn Programs,
        limits: Limits,
        notify: &'p mut dyn FnMut(&str),
        processes: &'p dyn Processes,
    ) -> Self {
        Live { directory: directory.to_owned(), programs, limits, notify, processes, log: None }
    }

    /// From now on, programs that change something write their messages to `log`, and are watched.
    pub fn watch_with(&mut self, log: File) {
        self.log = Some(log);
    }

    /// How much time is left to wait for other processes.
    pub fn patience(&self) -> Duration {
        self.limits.wait
    }

    /// Subtracts time that was spent on waiting from the time that is left for it.
    pub fn has_waited(&mut self, time: Duration) {
        self.limits.wait = self.limits.wait.saturating_sub(time);
    }

    /// Tells the user that this process waits for `what`, which holds the lock `path`.
    pub fn tell_wait(&mut self, what: &str, path: &Path) {
        let limit = self.limits.wait.as_secs();
        (self.notify)(&format!("{what} is at work; waiting up to {limit} s for it to end"));
        if let Some(holder) = self.processes.holder(path) {
            (self.notify)(&holder);
        }
    }

    /// A sentence about the process that holds the lock `path`, with what it waits for.
    pub fn holder(&self, path: &Path) -> Option<String> {
        self.processes.holder(path)
    }

    /// The live directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The link to the live database.
    pub fn compiled(&self) -> PathBuf {
        self.directory.join("compiled")
    }

    /// Gives the user a message.
    pub fn tell(&mut self, sentence: &str) {
        (self.notify)(sentence);
    }

    /// Runs a program and returns its standard output. Waits while another s6-rc is at work.
    fn run(&mut self, call: Call) -> Result<Vec<u8>, Failure> {
        let answer = self.try_run(&call)?;
        self.output(call, answer)
    }

    /// The standard output of a program, if it succeeded.
    fn output(&mut self, call: Call, answer: ProgramAnswer) -> Result<Vec<u8>, Failure> {
        if answer.code != 0 {
            return Err(Failure::Failed(call, answer));
        }
        // A program that succeeds may have written warnings.
        for line in String::from_utf8_lossy(&answer.err).lines() {
            (self.notify)(line);
        }
        Ok(answer.out)
    }

    fn try_run(&mut self, call: &Call) -> Result<ProgramAnswer, Failure> {
        self.try_run_with(call, |live| live.programs.run(call).map(Some))
    }

    /// Runs a program that changes services.
    fn try_change(&mut self, call: &Call, direction: Direction) -> Result<ProgramAnswer, Failure> {
        let Some(log) = self.log.take() else { return self.try_run(call) };
        let is_update = call.program == "s6-rc-update";
        let limit = self.limits.change;
        let mut watch = Watch::new(direction, is_update, limit);
        let answer = self.try_run_with(call, |live| {
            watch = Watch::new(direction, is_update, limit);
            let s6rc = |pid| live.processes.below(pid, "s6-rc");
            live.programs.run_watched(call, &log, &mut |text| watch.actions(text), &s6rc)
        });
        self.log = Some(log);
        if watch.is_over() && answer.as_ref().is_ok_and(|answer| answer.code != 0) {
            return Err(Failure::TimedOut(call.clone(), limit.unwrap_or_default(), answer?));
        }
        answer
    }

    /// Lets `run` run a program, and repeats that while another s6-rc is at work.
    fn try_run_with(
        &mut self,
        call: &Call,
        mut run: impl FnMut(&mut Self) -> io::Result<Option<ProgramAnswer>>,
    ) -> Result<ProgramAnswer, Failure> {
        progress::begin(Stage::Waiting, 0);
        let begun = Instant::now();
        let patience = self.limits.wait;
        let lock = self.directory.join("lock");
        let mut is_told = false;
        loop {
            let answer = run(self).map_err(|error| Failure::Missing(call.clone(), error))?;
            let Some(answer) = answer else {
                return Err(Failure::StillRunning(call.clone(), self.limits.change.unwrap_or_default()));
            };
            if !is_busy(&answer) {
                if is_told {
                    self.has_waited(begun.elapsed());
                }
                return Ok(answer);
            }
            if begun.elapsed() >= patience {
                return Err(Failure::Busy(call.clone(), patience, self.processes.holder(&lock)));
            }
            if !is_told {
                self.tell_wait("another s6-rc", &lock);
                is_told = true;
            }
            sleep(PAUSE);
        }
    }

    /// Compiles `sources` to the new directory `database`.
    ///
    /// # Errors
    /// `s6-rc-compile` refuses the sources.
    pub fn compile(&mut self, database: &Path, sources: &[PathBuf]) -> Result<(), Failure> {
        self.run(compile(database, sources)).map(drop)
    }

    /// Makes `database` live. The services in the file `conversion` restart, and those that s6-rc-update itself decides to
    /// restart. All others keep running. Returns which services it stopped and started, even if it failed.
    ///
    /// # Errors
    /// A service does not stop, and the old database stays live. Or a service does not start, and the new database is live.
    pub fn update(&mut self, database: &Path, conversion: &Path) -> (Moves, Result<(), Failure>) {
        let mut moves = Moves::default();
        let call = update(&self.directory, database, conversion);
        let answer = self.run_update(call, |live, call| live.try_change(call, Direction::Up));
        let done =
            answer.and_then(|(call, answer)| self.output_and_moves(call, answer, &mut moves).map(drop));
        let done = done.and_then(|()| self.check_started(&moves.started));
        (moves, done)
    }

    /// Asks s6-rc-update what [`update`](Live::update) would do. Returns the services that s6-rc-update itself would stop,
    /// without their dependents, and the services that would be up at the end.
    ///
    /// # Errors
    /// The database cannot replace the live one.
    pub fn rehearse(
        &mut self,
        database: &Path,
        conversion: &Path,
    ) -> Result<(Vec<Name>, Vec<Name>), Failure> {
        let mut call = update(&self.directory, database, conversion);
        call.arguments.insert(0, "-n".into());
        let (_, answer) = self.run_update(call.clone(), Self::try_run)?;
        let out = self.output_and_moves(call.clone(), answer, &mut Moves::default())?;
        let mut lines = out.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let mut names = || {
            let words: Vec<&[u8]> = lines.next()?.split(|byte| *byte == b' ').collect();
            let change = words.iter().position(|word| *word == b"change")?;
            Some(words[change + 1..].iter().map(Name::new).collect::<Vec<_>>())
        };
        match (names(), names()) {
            (Some(stopped), Some(started)) => Ok((stopped, started)),
            _ => Err(Failure::Unexpected(call, out)),
        }
    }

    /// Lets `run` run s6-rc-update with the option `-e`, or without it if this version does not have it. Without the option,
    /// s6-rc-update replaces essential services before they have stopped.
    fn run_update(
        &mut self,
        mut call: Call,
        mut run: impl FnMut(&mut Self, &Call) -> Result<ProgramAnswer, Failure>,
    ) -> Result<(Call, ProgramAnswer), Failure> {
        let mut answer = run(self, &call)?;
        if is_usage(&answer) {
            call.arguments.retain(|argument| argument != "-e");
            answer = run(self, &call)?;
        }
        Ok((call, answer))
    }

    /// The standard output of a program, if it succeeded. Adds the services that it began to stop and start to `moves`.
    fn output_and_moves(
        &mut self,
        call: Call,
        answer: ProgramAnswer,
        moves: &mut Moves,
    ) -> Result<Vec<u8>, Failure> {
        let lines = answer.err.split_inclusive(|byte| *byte == b'\n');
        let (infos, rest): (Vec<_>, Vec<_>) = lines.partition(|line| {
            ["s6-rc: info: ", "s6-rc-update: info: "].iter().any(|start| line.starts_with(start.as_bytes()))
        });
        for line in infos.iter().filter_map(|line| line.trim_ascii_end().strip_prefix(MOVES)) {
            if let Some(name) = line.strip_suffix(b": stopping") {
                moves.stopped.insert(Name::new(name));
            } else if let Some(name) = line.strip_suffix(b": starting") {
                moves.started.insert(Name::new(name));
            }
        }
        let answer = ProgramAnswer { err: rest.concat(), ..answer };
        match answer.code {
            0 => self.output(call, answer),
            _ => Err(self.unable(call, answer)),
        }
    }

    /// Starts services with their dependencies, or stops them with their dependents.
    ///
    /// # Errors
    /// One of them is unknown, or does not start or stop.
    pub fn change(&mut self, direction: Direction, names: &[Name]) -> Result<(), Failure> {
        match self.try_once(direction, names) {
            Err(failure) if failure.is_missing_supervisor() && self.supervisors_return()? => {
                self.try_once(direction, names)
            }
            done => done,
        }
    }

    fn try_once(&mut self, direction: Direction, names: &[Name]) -> Result<(), Failure> {
        let call = change(&self.directory, direction, names);
        let answer = self.try_change(&call, direction)?;
        let mut moves = Moves::default();
        let essential = essential(&answer);
        if direction == Direction::Down && answer.code == 0 && !essential.is_empty() {
            return Err(Failure::Essential(essential));
        }
        self.output_and_moves(call, answer, &mut moves)?;
        self.check_started(&moves.started)
    }

    /// The atomic services that are up. While another s6-rc changes services, this is the state that it wrote last.
    ///
    /// # Errors
    /// s6-rc cannot read its live directory.
    pub fn active(&mut self) -> Result<BTreeSet<Name>, Failure> {
        let mut unlocked = active(&self.directory);
        unlocked.arguments.insert(2, "--no-lock".into());
        let answer = self.try_run(&unlocked)?;
        match answer.code {
            0 => Ok(names(&answer.out)),
            // s6-rc before 0.6 does not have the option.
            _ if is_usage(&answer) => self.active_when_idle(),
            _ => Err(Failure::Failed(unlocked, answer)),
        }
    }

    /// The atomic services that are up, or `None` if another s6-rc is at work.
    ///
    /// # Errors
    /// s6-rc cannot read its live directory.
    pub fn active_if_idle(&mut self) -> Result<Option<BTreeSet<Name>>, Failure> {
        let call = active(&self.directory);
        let answer = self.programs.run(&call).map_err(|error| Failure::Missing(call.clone(), error))?;
        if is_busy(&answer) {
            return Ok(None);
        }
        self.output(call, answer).map(|out| Some(names(&out)))
    }

    /// Waits until no other s6-rc is at work, and returns the atomic services that are up.
    ///
    /// # Errors
    /// s6-rc cannot read its live directory, or the other s6-rc does not end in time.
    pub fn active_when_idle(&mut self) -> Result<BTreeSet<Name>, Failure> {
        self.run(active(&self.directory)).map(|out| names(&out))
    }

    /// The services of one kind in a compiled database.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn list(&mut self, database: &Path, list: DatabaseList) -> Result<BTreeSet<Name>, Failure> {
        let word = match list {
            DatabaseList::Longruns => "longruns",
            DatabaseList::Oneshots => "oneshots",
            DatabaseList::Bundles => "bundles",
        };
        self.run(s6_rc_db(database).args(["list", word])).map(|out| names(&out))
    }

    /// The atomic services of a bundle. Empty if the database does not have the bundle.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn contents(&mut self, database: &Path, bundle: &str) -> Result<BTreeSet<Name>, Failure> {
        let call = s6_rc_db(database).args(["contents", bundle]);
        let answer = self.try_run(&call)?;
        match answer.code {
            0 => Ok(names(&answer.out)),
            3 => Ok(BTreeSet::new()),
            _ => Err(Failure::Failed(call, answer)),
        }
    }

    /// `services` with all their direct and indirect dependencies (up) or dependents (down).
    ///
    /// # Errors
    /// The database cannot be read, or does not have one of the services.
    pub fn closure(
        &mut self,
        database: &Path,
        direction: Direction,
        services: &[Name],
    ) -> Result<BTreeSet<Name>, Failure> {
        if services.is_empty() {
            return Ok(BTreeSet::new());
        }
        let call =
            s6_rc_db(database).args([direction.option(), "all-dependencies"]).args(services.iter().map(os));
        self.run(call).map(|out| names(&out))
    }

    /// The direct dependencies of a service. The contents of a bundle stand for the bundle.
    ///
    /// # Errors
    /// The database cannot be read, or does not have the service.
    pub fn dependencies(&mut self, database: &Path, service: &Name) -> Result<BTreeSet<Name>, Failure> {
        self.run(s6_rc_db(database).arg("dependencies").arg(os(service))).map(|out| names(&out))
    }

    /// The words of a oneshot's `up` or `down`. A NUL follows each word.
    ///
    /// # Errors
    /// The database cannot be read, or does not have the oneshot.
    pub fn script(
        &mut self,
        database: &Path,
        direction: Direction,
        oneshot: &Name,
    ) -> Result<Vec<u8>, Failure> {
        self.run(s6_rc_db(database).args([direction.option(), "script"]).arg(os(oneshot)))
    }
}

/// `s6-rc-compile DATABASE SOURCE…`.
pub fn compile(database: &Path, sources: &[PathBuf]) -> Call {
    Call::new("s6-rc-compile").arg("--").arg(database).args(sources)
}

/// `s6-rc-update -e -v 2 -l LIVE -f CONVERSION DATABASE`. With `-v 2` it reports which services it stops and starts.
pub fn update(live: &Path, database: &Path, conversion: &Path) -> Call {
    let call = Call::new("s6-rc-update").args(["-e", "-v", "2", "-l"]).arg(live);
    call.arg("-f").arg(conversion).arg("--").arg(database)
}

/// `s6-rc -v 2 -l LIVE -u change NAME…`. With `-v 2` it reports which services it stops and starts.
pub fn change(live: &Path, direction: Direction, names: &[Name]) -> Call {
    let call = Call::new("s6-rc").args(["-v", "2", "-l"]).arg(live);
    call.args([direction.option(), "--", "change"]).args(names.iter().map(os))
}

fn active(live: &Path) -> Call {
    Call::new("s6-rc").arg("-l").arg(live).args(["-a", "list"])
}

fn s6_rc_db(database: &Path) -> Call {
    Call::new("s6-rc-db").arg("-c").arg(database)
}

fn os(name: &Name) -> OsString {
    OsString::from_vec(name.as_bytes().to_owned())
}

fn names(out: &[u8]) -> BTreeSet<Name> {
    out.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(Name::new).collect()
}

/// The services that s6-rc reports as not stopped because they have `flag-essential`. It exits with 0 all the same.
fn essential(answer: &ProgramAnswer) -> Vec<Name> {
    let lines = answer.err.split(|byte| *byte == b'\n');
    let names = lines.filter_map(|line| {
        let rest = line.strip_prefix(b"s6-rc: warning: service ")?;
        rest.strip_suffix(b" is marked as essential, not stopping it").map(Name::new)
    });
    names.filter(|name| !name.is_reserved()).collect()
}

/// Whether a program of s6-rc refused because another one holds the locks.
fn is_busy(answer: &ProgramAnswer) -> bool {
    let err = String::from_utf8_lossy(&answer.err);
    // The same message can end with another reason, such as `Permission denied`. Then no other s6-rc is at work.
    let is_held = ["busy", "temporarily unavailable"].iter().any(|words| err.contains(words));
    answer.code == 111 && err.contains("unable to take lock") && is_held
}

/// Whether a program of s6-rc does not have an option. The exit code alone is not enough: s6-rc-update also uses it for
/// other errors, even after it has made the new database live.
fn is_usage(answer: &ProgramAnswer) -> bool {
    answer.code == 100 && String::from_utf8_lossy(&answer.err).contains(": usage: ")
}
