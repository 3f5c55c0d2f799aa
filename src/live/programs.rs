use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitCode, Output, Stdio};

use rustix::process::{getpgrp, getpid, setpgid};

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
        let arguments = self.arguments.iter().map(|word| word.to_string_lossy().into_owned());
        std::iter::once(self.program.to_owned()).chain(arguments).collect()
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().join(" "))
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

/// Whoever starts programs: the system, or in tests a record of what it once answered.
pub trait Programs {
    /// Runs a program to its end.
    ///
    /// # Errors
    /// It cannot be started.
    fn run(&mut self, call: &Call) -> io::Result<Answer>;

    /// The same, with its standard error in the file `log`, which it gets empty. A program that must go on when this process
    /// is killed tells there what it does: it would end with a pipe that nobody reads any more.
    ///
    /// # Errors
    /// It cannot be started, or the log not be used.
    fn run_logged(&mut self, call: &Call, _log: &File) -> io::Result<Answer> {
        self.run(call)
    }
}

/// The programs of this system: those on PATH, and behind them those of s6-overlay, which `docker exec` does not see.
#[derive(Debug, Clone, Copy, Default)]
pub struct Installed;

/// Where s6-overlay keeps its programs.
const COMMANDS: &str = "/command";

impl Programs for Installed {
    fn run(&mut self, call: &Call) -> io::Result<Answer> {
        Ok(answer(command(call)?.output()?))
    }

    fn run_logged(&mut self, call: &Call, mut log: &File) -> io::Result<Answer> {
        log.set_len(0)?;
        log.rewind()?;
        let mut answer = answer(command(call)?.stderr(log.try_clone()?).output()?);
        log.rewind()?;
        log.read_to_end(&mut answer.err)?;
        Ok(answer)
    }
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
    let status = output.status;
    let code = status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(-1);
    Answer { code, out: output.stdout, err: output.stderr }
}

/// Leaves the caller's process group, so that who stops the caller with all its processes does not stop this one. Returns
/// false where this process leads the group: it may be the caller itself, and then nothing but another process goes on.
pub fn leave_group() -> bool {
    getpgrp() != getpid() && setpgid(None, None).is_ok()
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
