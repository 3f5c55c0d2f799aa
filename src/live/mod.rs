//! The only room that starts programs: those of s6 and s6-rc, on a system that is running.
//!
//! Whatever is asked or changed is asked or changed by the real programs; here are their arguments and the meaning of
//! their answers. While another s6-rc works, which during a boot is until everything is up, they refuse with
//! "unable to take locks"; [`Live`] asks again until its patience is at an end.

mod compiled;
mod directory;
mod failure;
mod fingerprints;
mod holder;
mod programs;
mod snapshot;
mod started;
mod status;
mod watch;

pub use compiled::{CompiledDatabase, databases, empty_database, remove_abandoned};
pub use directory::{consumers, live_database, live_directory, live_link, relink, unsupervised};
pub use failure::{Failure, Unable, Why};
pub use fingerprints::{Fingerprints, fingerprints};
pub use holder::{LockHolder, lock_holder, process_below};
pub use programs::{Act, Answer, Call, Installed, Programs, apart, leave_group};
pub use status::{State, Status};

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::model::Name;
use watch::Watch;

/// Where s6-rc keeps what is live, unless it was told otherwise.
pub const LIVE: &str = "/run/s6-rc";
/// How long to sleep before asking again whether another s6-rc has ended.
const PAUSE: Duration = Duration::from_millis(100);

/// How s6-rc begins to tell that it stops or starts a service.
const MOVES: &[u8] = b"s6-rc: info: service ";

/// A system that is running.
pub struct Live<'p> {
    directory: PathBuf,
    programs: &'p mut dyn Programs,
    limits: Limits,
    told: &'p mut dyn FnMut(&str),
    processes: &'p dyn Processes,
    /// Where programs that change something say what they do.
    log: Option<File>,
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long to wait for others in all.
    pub wait: Duration,
    /// How long services may take to stop and start, if there is a limit.
    pub change: Option<Duration>,
}

/// What is known of the processes of this system.
pub trait Processes {
    /// A sentence that says which process holds the lock `path`, and what it waits for.
    fn holder(&self, path: &Path) -> Option<String>;

    /// The process `pid`, or the one below it, that runs the program `name`.
    fn below(&self, pid: u32, name: &str) -> Option<u32>;
}

/// Which way services go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// They are started, with what they need.
    Up,
    /// They are stopped, with what needs them.
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
pub enum List {
    /// Longruns, with those of s6-rc itself.
    Longruns,
    /// Oneshots.
    Oneshots,
    /// Bundles.
    Bundles,
}

/// What an update did with services.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moves {
    /// Those that it began to stop.
    pub stopped: BTreeSet<Name>,
    /// Those that it began to start.
    pub started: BTreeSet<Name>,
}

impl<'p> Live<'p> {
    /// The system whose live directory is `directory`. `told` is called, with a sentence, when it has to wait.
    pub fn new(
        directory: &Path,
        programs: &'p mut dyn Programs,
        limits: Limits,
        told: &'p mut dyn FnMut(&str),
        processes: &'p dyn Processes,
    ) -> Self {
        Live { directory: directory.to_owned(), programs, limits, told, processes, log: None }
    }

    /// From now on programs that change something say in `log` what they do, and are watched meanwhile.
    pub fn watch_with(&mut self, log: File) {
        self.log = Some(log);
    }

    /// How long to wait for others from now on.
    pub fn patience(&self) -> Duration {
        self.limits.wait
    }

    /// So long others were waited for.
    pub fn has_waited(&mut self, time: Duration) {
        self.limits.wait = self.limits.wait.saturating_sub(time);
    }

    /// Says that others are waited for, and for whom: `what` holds the lock `path`.
    pub fn tell_waits(&mut self, what: &str, path: &Path) {
        let limit = self.limits.wait.as_secs();
        (self.told)(&format!("{what} is at work; waiting up to {limit} s for it to end"));
        if let Some(holder) = self.processes.holder(path) {
            (self.told)(&holder);
        }
    }

    /// A sentence that says which process holds the lock `path`, and what it waits for.
    pub fn holder(&self, path: &Path) -> Option<String> {
        self.processes.holder(path)
    }

    /// The live directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The directory of the compiled database that is live, as s6-rc was told it.
    pub fn compiled(&self) -> PathBuf {
        self.directory.join("compiled")
    }

    /// Tells a sentence to whoever called.
    pub fn tell(&mut self, sentence: &str) {
        (self.told)(sentence);
    }

    /// Runs a program and returns what it printed; waits while another s6-rc is at work.
    fn run(&mut self, call: Call) -> Result<Vec<u8>, Failure> {
        let answer = self.try_run(&call)?;
        self.told(call, answer)
    }

    /// What a program printed, if all went well.
    fn told(&mut self, call: Call, answer: Answer) -> Result<Vec<u8>, Failure> {
        if answer.code != 0 {
            return Err(Failure::Failed(call, answer));
        }
        // What it warns of is not lost because it went on.
        for line in String::from_utf8_lossy(&answer.err).lines() {
            (self.told)(line);
        }
        Ok(answer.out)
    }

    fn try_run(&mut self, call: &Call) -> Result<Answer, Failure> {
        self.try_run_with(call, |live| live.programs.run(call).map(Some))
    }

    /// Runs a program that changes services.
    fn try_change(&mut self, call: &Call, direction: Direction) -> Result<Answer, Failure> {
        let Some(log) = self.log.take() else { return self.try_run(call) };
        let is_update = call.program == "s6-rc-update";
        let limit = self.limits.change;
        let mut watch = Watch::new(direction, is_update, limit);
        let answer = self.try_run_with(call, |live| {
            watch = Watch::new(direction, is_update, limit);
            let s6rc = |pid| live.processes.below(pid, "s6-rc");
            live.programs.run_watched(call, &log, &mut |text| watch.look(text), &s6rc)
        });
        self.log = Some(log);
        if watch.is_over() && answer.as_ref().is_ok_and(|answer| answer.code != 0) {
            return Err(Failure::Endless(call.clone(), limit.unwrap_or_default(), answer?));
        }
        answer
    }

    /// Lets `run` run a program, again and again while another s6-rc is at work.
    fn try_run_with(
        &mut self,
        call: &Call,
        mut run: impl FnMut(&mut Self) -> io::Result<Option<Answer>>,
    ) -> Result<Answer, Failure> {
        let begun = Instant::now();
        let patience = self.limits.wait;
        let lock = self.directory.join("lock");
        let mut is_told = false;
        loop {
            let answer = run(self).map_err(|error| Failure::Missing(call.clone(), error))?;
            let Some(answer) = answer else {
                return Err(Failure::Left(call.clone(), self.limits.change.unwrap_or_default()));
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
                self.tell_waits("another s6-rc", &lock);
                is_told = true;
            }
            sleep(PAUSE);
        }
    }

    /// Compiles `sources` to the new directory `database`.
    ///
    /// # Errors
    /// `s6-rc-compile` refuses them.
    pub fn compile(&mut self, database: &Path, sources: &[PathBuf]) -> Result<(), Failure> {
        self.run(compile(database, sources)).map(drop)
    }

    /// Makes `database` live. What is in the file `conversion` restarts, as does what s6-rc-update itself finds;
    /// everything else keeps running. Returns what it stopped and started, also where it failed.
    ///
    /// # Errors
    /// A service does not stop, then the old database stays live; or one does not start again, then the new one is.
    pub fn update(&mut self, database: &Path, conversion: &Path) -> (Moves, Result<(), Failure>) {
        let mut moves = Moves::default();
        let call = update(&self.directory, database, conversion);
        let answer = self.run_update(call, |live, call| live.try_change(call, Direction::Up));
        let done = answer.and_then(|(call, answer)| self.moved(call, answer, &mut moves).map(drop));
        let done = done.and_then(|()| self.see_started(&moves.started));
        (moves, done)
    }

    /// What [`update`](Live::update) would stop and start, as far as s6-rc-update decides it: the services that are
    /// stopped, not those that stop because they need them, and those that are to be up in the end.
    ///
    /// # Errors
    /// The database cannot follow the one that is live.
    pub fn rehearse(
        &mut self,
        database: &Path,
        conversion: &Path,
    ) -> Result<(Vec<Name>, Vec<Name>), Failure> {
        let mut call = update(&self.directory, database, conversion);
        call.arguments.insert(0, "-n".into());
        let (_, answer) = self.run_update(call.clone(), Self::try_run)?;
        let out = self.moved(call.clone(), answer, &mut Moves::default())?;
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

    /// Lets `run` run s6-rc-update. Without its option `-e` essential services are replaced before they have stopped; old
    /// versions do not know it.
    fn run_update(
        &mut self,
        mut call: Call,
        mut run: impl FnMut(&mut Self, &Call) -> Result<Answer, Failure>,
    ) -> Result<(Call, Answer), Failure> {
        let mut answer = run(self, &call)?;
        if is_usage(&answer) {
            call.arguments.retain(|argument| argument != "-e");
            answer = run(self, &call)?;
        }
        Ok((call, answer))
    }

    /// What a program printed, if all went well; what it began to stop and start is added to `moves`.
    fn moved(&mut self, call: Call, answer: Answer, moves: &mut Moves) -> Result<Vec<u8>, Failure> {
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
        let answer = Answer { err: rest.concat(), ..answer };
        match answer.code {
            0 => self.told(call, answer),
            _ => Err(self.unable(call, answer)),
        }
    }

    /// Starts or stops services, with what they need or what needs them.
    ///
    /// # Errors
    /// One of them is unknown, or does not get there.
    pub fn change(&mut self, direction: Direction, names: &[Name]) -> Result<(), Failure> {
        match self.try_once(direction, names) {
            Err(failure) if failure.is_of_supervisors() && self.supervisors_return()? => {
                self.try_once(direction, names)
            }
            done => done,
        }
    }

    fn try_once(&mut self, direction: Direction, names: &[Name]) -> Result<(), Failure> {
        let call = change(&self.directory, direction, names);
        let answer = self.try_change(&call, direction)?;
        let mut moves = Moves::default();
        self.moved(call, answer, &mut moves)?;
        self.see_started(&moves.started)
    }

    /// The atomic services that are up. During a change of another s6-rc it is what was up when it last took note.
    ///
    /// # Errors
    /// s6-rc cannot read its live directory.
    pub fn active(&mut self) -> Result<BTreeSet<Name>, Failure> {
        let mut unlocked = active(&self.directory);
        unlocked.arguments.insert(2, "--no-lock".into());
        let answer = self.try_run(&unlocked)?;
        match answer.code {
            0 => Ok(names(&answer.out)),
            // Before 0.6 there is no such option.
            _ if is_usage(&answer) => self.active_when_idle(),
            _ => Err(Failure::Failed(unlocked, answer)),
        }
    }

    /// The same, unless another s6-rc is at work.
    ///
    /// # Errors
    /// s6-rc cannot read its live directory.
    pub fn active_if_idle(&mut self) -> Result<Option<BTreeSet<Name>>, Failure> {
        let call = active(&self.directory);
        let answer = self.programs.run(&call).map_err(|error| Failure::Missing(call.clone(), error))?;
        if is_busy(&answer) {
            return Ok(None);
        }
        self.told(call, answer).map(|out| Some(names(&out)))
    }

    /// The same, once no other s6-rc is at work.
    ///
    /// # Errors
    /// s6-rc cannot read its live directory, or the other one does not end.
    pub fn active_when_idle(&mut self) -> Result<BTreeSet<Name>, Failure> {
        self.run(active(&self.directory)).map(|out| names(&out))
    }

    /// The services of one kind in a compiled database.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn list(&mut self, database: &Path, list: List) -> Result<BTreeSet<Name>, Failure> {
        let word = match list {
            List::Longruns => "longruns",
            List::Oneshots => "oneshots",
            List::Bundles => "bundles",
        };
        self.run(ask(database).args(["list", word])).map(|out| names(&out))
    }

    /// The atomic services of a bundle; none if the database does not know it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn contents(&mut self, database: &Path, bundle: &str) -> Result<BTreeSet<Name>, Failure> {
        let call = ask(database).args(["contents", bundle]);
        let answer = self.try_run(&call)?;
        match answer.code {
            0 => Ok(names(&answer.out)),
            3 => Ok(BTreeSet::new()),
            _ => Err(Failure::Failed(call, answer)),
        }
    }

    /// `services` and what needs them, or what they need, and so on.
    ///
    /// # Errors
    /// The database cannot be read, or does not know one of them.
    pub fn closure(
        &mut self,
        database: &Path,
        direction: Direction,
        services: &[Name],
    ) -> Result<BTreeSet<Name>, Failure> {
        if services.is_empty() {
            return Ok(BTreeSet::new());
        }
        let call = ask(database).args([direction.option(), "all-dependencies"]).args(services.iter().map(os));
        self.run(call).map(|out| names(&out))
    }

    /// The direct dependencies of a service, bundles flattened.
    ///
    /// # Errors
    /// The database cannot be read, or does not know it.
    pub fn dependencies(&mut self, database: &Path, service: &Name) -> Result<BTreeSet<Name>, Failure> {
        self.run(ask(database).arg("dependencies").arg(os(service))).map(|out| names(&out))
    }

    /// The words of a oneshot's `up` or `down`, each ended by a NUL.
    ///
    /// # Errors
    /// The database cannot be read, or does not know it.
    pub fn script(
        &mut self,
        database: &Path,
        direction: Direction,
        oneshot: &Name,
    ) -> Result<Vec<u8>, Failure> {
        self.run(ask(database).args([direction.option(), "script"]).arg(os(oneshot)))
    }
}

/// `s6-rc-compile DATABASE SOURCE…`.
pub fn compile(database: &Path, sources: &[PathBuf]) -> Call {
    Call::new("s6-rc-compile").arg("--").arg(database).args(sources)
}

/// `s6-rc-update -e -v 2 -l LIVE -f CONVERSION DATABASE`; thus it tells which services it stops and starts.
pub fn update(live: &Path, database: &Path, conversion: &Path) -> Call {
    let call = Call::new("s6-rc-update").args(["-e", "-v", "2", "-l"]).arg(live);
    call.arg("-f").arg(conversion).arg("--").arg(database)
}

/// `s6-rc -v 2 -l LIVE -u change NAME…`; thus it tells which services it stops and starts.
pub fn change(live: &Path, direction: Direction, names: &[Name]) -> Call {
    let call = Call::new("s6-rc").args(["-v", "2", "-l"]).arg(live);
    call.args([direction.option(), "--", "change"]).args(names.iter().map(os))
}

fn active(live: &Path) -> Call {
    Call::new("s6-rc").arg("-l").arg(live).args(["-a", "list"])
}

fn ask(database: &Path) -> Call {
    Call::new("s6-rc-db").arg("-c").arg(database)
}

fn os(name: &Name) -> OsString {
    OsString::from_vec(name.as_bytes().to_owned())
}

fn names(out: &[u8]) -> BTreeSet<Name> {
    out.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(Name::new).collect()
}

/// Whether a program of s6-rc refused because another one holds the locks.
fn is_busy(answer: &Answer) -> bool {
    let err = String::from_utf8_lossy(&answer.err);
    // With other words behind it, it has nothing to do with another one: `Permission denied`.
    let is_held = ["busy", "temporarily unavailable"].iter().any(|words| err.contains(words));
    answer.code == 111 && err.contains("unable to take lock") && is_held
}

/// Whether a program of s6-rc does not know an option. It ends like that for other reasons too, s6-rc-update even when the
/// new database is live.
fn is_usage(answer: &Answer) -> bool {
    answer.code == 100 && String::from_utf8_lossy(&answer.err).contains(": usage: ")
}
