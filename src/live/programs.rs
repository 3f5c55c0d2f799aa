//! Runs programs and returns their exit codes and output.

#![allow(
    clippy::disallowed_methods,
    reason = "this is the file that starts programs, and it finds them on PATH"
)]

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, getpid, kill_process, setpgid, test_kill_process_group};

use crate::model::json_text;

/// A program of s6 or s6-rc with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its name. It is searched on PATH.
    pub program: &'static str,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

impl Call {
    /// The program without arguments.
    pub fn new(program: &'static str) -> Self {
        Call { program, arguments: Vec::new() }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// The program and its arguments as text, for machine output.
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

/// The exit code and the output of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramAnswer {
    /// Its exit code, or 128 plus the number of the signal that ended it.
    pub code: i32,
    /// Its standard output.
    pub out: Vec<u8>,
    /// Its standard error.
    pub err: Vec<u8>,
}

/// An action to take while a watched program runs.
#[derive(Debug, PartialEq, Eq)]
pub enum WatchAction {
    /// Run another program.
    Run(Call),
    /// Send SIGTERM to the s6-rc that the program has started.
    Stop,
    /// Kill that s6-rc, because it did not end.
    Kill,
    /// Stop watching, and let the program go on.
    LetRun,
}

/// Runs programs: the real ones, or in tests a recording of their answers.
pub trait Programs {
    /// Runs a program and waits for its end.
    ///
    /// # Errors
    /// The program cannot be started.
    fn run(&mut self, call: &Call) -> io::Result<ProgramAnswer>;

    /// Runs a program that reads `input` from standard input, and waits for its end.
    ///
    /// # Errors
    /// The program cannot be started.
    fn filter(&mut self, call: &Call, _input: &[u8]) -> io::Result<ProgramAnswer> {
        self.run(call)
    }

    /// Runs a program and watches what it writes to standard error. Standard error goes to the file `log`, which is emptied
    /// first: if this process is killed, the program must go on, but a pipe without a reader would kill it too.
    ///
    /// Until the program ends, this repeatedly calls `watch` with everything that the program has written, and takes the
    /// actions that it returns. `s6rc` finds the s6-rc that a process has started. Returns `None` after [`WatchAction::LetRun`].
    ///
    /// # Errors
    /// The program cannot be started, or the log cannot be used.
    fn run_watched(
        &mut self,
        call: &Call,
        _log: &File,
        _watch: &mut dyn FnMut(&str) -> Vec<WatchAction>,
        _s6rc: &dyn Fn(u32) -> Option<u32>,
    ) -> io::Result<Option<ProgramAnswer>> {
        self.run(call).map(Some)
    }
}

/// The programs of this system: those on PATH, and then those of s6-overlay, because the PATH of `docker exec` lacks them.
#[derive(Debug, Clone, Copy, Default)]
pub struct InstalledPrograms;

/// How often to read what a watched program has written.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Where s6-overlay keeps its programs.
const COMMANDS: &str = "/command";

impl Programs for InstalledPrograms {
    fn run(&mut self, call: &Call) -> io::Result<ProgramAnswer> {
        Ok(answer(command(call)?.output()?))
    }

    fn filter(&mut self, call: &Call, input: &[u8]) -> io::Result<ProgramAnswer> {
        let mut command = command(call)?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let stdin = child.stdin.take();
        // It may write before it has read everything.
        let output = thread::scope(|scope| {
            let write = || stdin.map(|mut stdin| stdin.write_all(input));
            let writer = thread::Builder::new().spawn_scoped(scope, write);
            // Without a writer its input is closed, so it ends.
            let output = child.wait_with_output();
            writer.and(output)
        });
        Ok(answer(output?))
    }

    fn run_watched(
        &mut self,
        call: &Call,
        mut log: &File,
        watch: &mut dyn FnMut(&str) -> Vec<WatchAction>,
        s6rc: &dyn Fn(u32) -> Option<u32>,
    ) -> io::Result<Option<ProgramAnswer>> {
        log.set_len(0)?;
        log.rewind()?;
        let mut command = command(call)?;
        command.stdout(Stdio::null()).stderr(log.try_clone()?);
        // The thread that waits comes first: without it, this function would fail while the program runs.
        let ((started, start), (ended, end)) = (mpsc::channel::<Child>(), mpsc::channel());
        thread::Builder::new().spawn(move || start.recv().map(|mut child| ended.send(child.wait())))?;
        let child = command.spawn()?;
        let pid = child.id();
        drop(started.send(child));
        let signal = |signal| {
            let pid = s6rc(pid).and_then(|pid| Pid::from_raw(pid.try_into().ok()?));
            // An error only means that the program has already ended.
            pid.map(|pid| kill_process(pid, signal));
        };
        loop {
            match end.recv_timeout(POLL_INTERVAL) {
                Ok(status) => {
                    let status = status?;
                    return Ok(Some(ProgramAnswer {
                        code: code(status),
                        out: Vec::new(),
                        err: log_content(log)?,
                    }));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(io::ErrorKind::BrokenPipe.into()),
            }
            // A log that cannot be read is no reason to leave the program before it ends.
            for act in watch(&String::from_utf8_lossy(&log_content(log).unwrap_or_default())) {
                match act {
                    // If it fails, the watch sees that and repeats it.
                    WatchAction::Run(call) => drop(self.run(&call)),
                    WatchAction::Stop => signal(Signal::TERM),
                    WatchAction::Kill => signal(Signal::KILL),
                    WatchAction::LetRun => return Ok(None),
                }
            }
        }
    }
}

/// Everything that was written into a log so far.
fn log_content(log: &File) -> io::Result<Vec<u8>> {
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
    // A relative directory would be below wherever s6gen was started, and anybody may have put a program there.
    let places = std::env::split_paths(&path).chain([COMMANDS.into()]).filter(|place| place.is_absolute());
    let places: Vec<_> = places.collect();
    let program = places.iter().map(|place| place.join(call.program)).find(|place| place.is_file());
    let program = program.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    let path = std::env::join_paths(&places).unwrap_or(path);
    let mut command = Command::new(program);
    command.args(&call.arguments).env("PATH", path).stdin(Stdio::null());
    Ok(command)
}

fn answer(output: Output) -> ProgramAnswer {
    ProgramAnswer { code: code(output.status), out: output.stdout, err: output.stderr }
}

fn code(status: ExitStatus) -> i32 {
    status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

/// Leaves the process group of the caller, so that a signal to that group does not end this process. Returns false if this
/// process leads its group, because a leader cannot leave it. Then the work must continue in another process.
pub fn leave_group() -> bool {
    // `getpgrp` cannot tell: it returns 0 if the group belongs to another pid namespace, as below `nsenter`.
    let leads = test_kill_process_group(getpid()).is_ok();
    !leads && setpgid(None, None).is_ok()
}

/// Runs this program again with these arguments in its own process group, and returns its exit code. A signal to the
/// caller's process group does not end that process.
///
/// # Errors
/// The program cannot be started.
pub fn run_in_own_group(arguments: &[OsString]) -> io::Result<ExitCode> {
    let own = std::env::current_exe().unwrap_or_else(|_| Path::new("s6gen").to_owned());
    let status = Command::new(own).args(arguments).stdin(Stdio::null()).process_group(0).status()?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(3)))
}
