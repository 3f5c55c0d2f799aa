//! The only room that starts programs: those of s6 and s6-rc, on a system that is running.
//!
//! Whatever is asked or changed is asked or changed by the real programs; here are their arguments and the meaning of
//! their answers. While another s6-rc works, which during a boot is until everything is up, they refuse with
//! "unable to take locks"; [`Live`] asks again until its patience is at an end.

mod failure;
mod programs;
mod snapshot;
mod status;

pub use failure::Failure;
pub use programs::{Answer, Call, Installed, Programs, apart, leave_group};
pub use status::{State, Status};

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::model::Name;

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
    patience: Duration,
    told: &'p mut dyn FnMut(&str),
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
    ///
    /// # Errors
    /// There is none.
    pub fn new(
        directory: &Path,
        programs: &'p mut dyn Programs,
        patience: Duration,
        told: &'p mut dyn FnMut(&str),
    ) -> Self {
        Live { directory: directory.to_owned(), programs, patience, told }
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
        self.try_run_logged(call, None)
    }

    fn try_run_logged(&mut self, call: &Call, log: Option<&File>) -> Result<Answer, Failure> {
        let begun = Instant::now();
        let mut is_told = false;
        loop {
            let answered = match log {
                Some(log) => self.programs.run_logged(call, log),
                None => self.programs.run(call),
            };
            let answer = answered.map_err(|error| Failure::Missing(call.clone(), error))?;
            if !is_busy(&answer) {
                return Ok(answer);
            }
            if begun.elapsed() >= self.patience {
                return Err(Failure::Busy(call.clone(), self.patience));
            }
            if !is_told {
                let limit = self.patience.as_secs();
                (self.told)(&format!("another s6-rc is at work; waiting up to {limit} s for it to end"));
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
    pub fn update(&mut self, database: &Path, conversion: &Path, log: &File) -> (Moves, Result<(), Failure>) {
        let mut infos = Vec::new();
        let done =
            self.run_update(update(&self.directory, database, conversion), Some(log), &mut infos).map(drop);
        let names = |end: &str| {
            let name = |line: &[u8]| Some(Name::new(line.strip_prefix(MOVES)?.strip_suffix(end.as_bytes())?));
            infos.split(|byte| *byte == b'\n').filter_map(name).collect()
        };
        (Moves { stopped: names(": stopping"), started: names(": starting") }, done)
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
        let out = self.run_update(call.clone(), None, &mut Vec::new())?;
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

    /// Runs s6-rc-update and returns what it printed; the lines of its standard error that only tell what it does become
    /// `infos`. Without its option `-e` essential services are replaced before they have stopped; old versions do not
    /// know it.
    fn run_update(
        &mut self,
        mut call: Call,
        log: Option<&File>,
        infos: &mut Vec<u8>,
    ) -> Result<Vec<u8>, Failure> {
        let mut answer = self.try_run_logged(&call, log)?;
        if is_usage(&answer) {
            call.arguments.retain(|argument| argument != "-e");
            answer = self.try_run_logged(&call, log)?;
        }
        let lines = answer.err.split_inclusive(|byte| *byte == b'\n');
        let (told, rest): (Vec<_>, Vec<_>) = lines.partition(|line| {
            ["s6-rc: info: ", "s6-rc-update: info: "].iter().any(|start| line.starts_with(start.as_bytes()))
        });
        *infos = told.concat();
        let err = rest.concat();
        self.told(call, Answer { err, ..answer })
    }

    /// Starts or stops services, with what they need or what needs them.
    ///
    /// # Errors
    /// One of them is unknown, or does not get there.
    pub fn change(&mut self, direction: Direction, names: &[Name]) -> Result<(), Failure> {
        let call = change(&self.directory, direction, names);
        self.run(call).map(drop)
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

/// `s6-rc -l LIVE -u change NAME…`.
pub fn change(live: &Path, direction: Direction, names: &[Name]) -> Call {
    let call = Call::new("s6-rc").arg("-l").arg(live);
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
