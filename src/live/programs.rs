//! Starts programs, and tells what they answered.

#![allow(
    clippy::disallowed_methods,
    reason = "this is the file that starts programs, and it finds them on PATH"
)]

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Seek};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, getpid, kill_process, setpgid, test_kill_process_group};

use crate::model::json_text;

/// A program of s6 or s6-rc with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its name, looked up on PATH.
    pub program: &'static str,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

impl Call {
    /// The program without arguments.
    pub fn new(program: &'static str) -> Self {
        Call { program, arguments: Vec::new() }
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// More arguments.
    #[must_use]
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Its words, as a machine format gives them.
    pub fn words(&self) -> Vec<String> {
        let arguments = self.arguments.iter().map(|word| json_text(word.as_bytes()));
        std::iter::once(self.program.to_owned()).chain(arguments).collect()
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program)?;
        self.arguments.iter().try_for_each(|word| write!(f, " {}", word.to_string_lossy()))
    }
}

/// How a program ended, and what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its exit code, or 128 and the signal.
    pub code: i32,
    /// Its standard output.
    pub out: Vec<u8>,
    /// Its standard error.
    pub err: Vec<u8>,
}

/// What to do while a program runs.
#[derive(Debug, PartialEq, Eq)]
pub enum Act {
    /// Another program is run.
    Run(Call),
    /// The s6-rc that works is told to give up.
    Stop,
    /// It did not, and is killed.
    Kill,
    /// The program is left alone, and goes on.
    Leave,
}

/// Whoever starts programs: the system, or in tests a record of what it once answered.
pub trait Programs {
    /// Runs a program to its end.
    ///
    /// # Errors
    /// It cannot be started.
    fn run(&mut self, call: &Call) -> io::Result<Answer>;

    /// The same, with its standard error in the file `log`, which it gets empty, and its standard output nowhere. A program
    /// that must go on when this process is killed tells there what it does: it would end with a pipe that nobody reads any
    /// more. Until it ends, `watch` is called again and again with what it has said, and tells what to do; `s6rc` finds the
    /// s6-rc that works for a process. Returns nothing where the program was left alone and goes on.
    ///
    /// # Errors
    /// It cannot be started, or the log not be used.
    fn run_watched(
        &mut self,
        call: &Call,
        _log: &File,
        _watch: &mut dyn FnMut(&str) -> Vec<Act>,
        _s6rc: &dyn Fn(u32) -> Option<u32>,
    ) -> io::Result<Option<Answer>> {
        self.run(call).map(Some)
    }
}

/// The programs of this system: those on PATH, and behind them those of s6-overlay, which `docker exec` does not see.
#[derive(Debug, Clone, Copy, Default)]
pub struct Installed;

/// How often to look what a program has said.
const GLANCE: Duration = Duration::from_millis(100);

/// Where s6-overlay keeps its programs.
const COMMANDS: &str = "/command";

impl Programs for Installed {
    fn run(&mut self, call: &Call) -> io::Result<Answer> {
        Ok(answer(command(call)?.output()?))
    }

    fn run_watched(
        &mut self,
        call: &Call,
        mut log: &File,
        watch: &mut dyn FnMut(&str) -> Vec<Act>,
        s6rc: &dyn Fn(u32) -> Option<u32>,
    ) -> io::Result<Option<Answer>> {
        log.set_len(0)?;
        log.rewind()?;
        let mut child = command(call)?.stdout(Stdio::null()).stderr(log.try_clone()?).spawn()?;
        let pid = child.id();
        let signal = |signal| {
            let pid = s6rc(pid).and_then(|pid| Pid::from_raw(pid.try_into().ok()?));
            // It may have ended meanwhile.
            pid.map(|pid| kill_process(pid, signal));
        };
        let (ended, end) = mpsc::channel();
        thread::spawn(move || ended.send(child.wait()));
        loop {
            match end.recv_timeout(GLANCE) {
                Ok(status) => {
                    let status = status?;
                    return Ok(Some(Answer { code: code(status), out: Vec::new(), err: said(log)? }));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(io::ErrorKind::BrokenPipe.into()),
            }
            for act in watch(&String::from_utf8_lossy(&said(log)?)) {
                match act {
                    // The next look shows what came of it.
                    Act::Run(call) => drop(self.run(&call)),
                    Act::Stop => signal(Signal::TERM),
                    Act::Kill => signal(Signal::KILL),
                    Act::Leave => return Ok(None),
                }
            }
        }
    }
}

/// All that was written into a log so far.
fn said(log: &File) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(log.metadata()?.len()).unwrap_or(0)];
    let mut length = 0;
    while length < bytes.len() {
        match log.read_at(&mut bytes[length..], length as u64)? {
            0 => break,
            read => length += read,
        }
    }
    bytes.truncate(length);
    Ok(bytes)
}

fn command(call: &Call) -> io::Result<Command> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    let places: Vec<_> = std::env::split_paths(&path).chain([COMMANDS.into()]).collect();
    let program = places.iter().map(|place| place.join(call.program)).find(|place| place.is_file());
    let program = program.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    let path = std::env::join_paths(&places).unwrap_or(path);
    let mut command = Command::new(program);
    command.args(&call.arguments).env("PATH", path).stdin(Stdio::null());
    Ok(command)
}

fn answer(output: Output) -> Answer {
    Answer { code: code(output.status), out: output.stdout, err: output.stderr }
}

fn code(status: ExitStatus) -> i32 {
    status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

/// Leaves the caller's process group, so that who stops the caller with all its processes does not stop this one. Returns
/// false where this process leads the group: it may be the caller itself, and then nothing but another process goes on.
pub fn leave_group() -> bool {
    // Not by its number, which is 0 where the group is one of another pid name space, as below `nsenter`.
    let leads = test_kill_process_group(getpid()).is_ok();
    !leads && setpgid(None, None).is_ok()
}

/// Runs this program with these arguments in a process group of its own, and ends as it does: who stops the caller with
/// all its processes does not stop what it has begun.
///
/// # Errors
/// It cannot be started.
pub fn apart(arguments: &[OsString]) -> io::Result<ExitCode> {
    let own = std::env::current_exe().unwrap_or_else(|_| Path::new("s6gen").to_owned());
    let status = Command::new(own).args(arguments).stdin(Stdio::null()).process_group(0).status()?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(3)))
}
