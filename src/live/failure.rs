//! The errors of this room: why s6gen could not query or change a running system, and the reports for the user.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::Direction;
use super::programs::{Call, ProgramAnswer};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::Name;

/// Why s6gen could not query or change the running system.
#[derive(Debug)]
pub enum Failure {
    /// There is no live directory of s6-rc.
    NotRunning(PathBuf),
    /// The link to the live directory is broken.
    BrokenLink(PathBuf),
    /// These services have no supervisor.
    Unsupervised(Vec<Name>),
    /// A program cannot be started.
    Missing(Call, io::Error),
    /// Another s6-rc was at work until the time limit. The text says which process that is, if it is known.
    Busy(Call, Duration, Option<String>),
    /// A program took longer than its limit, and s6gen ended it.
    TimedOut(Call, Duration, ProgramAnswer),
    /// A program took longer than its limit, but goes on, because it must not be ended at this point.
    StillRunning(Call, Duration),
    /// Services did not start or stop.
    NotChanged(Call, ProgramAnswer, Vec<ChangeFailure>),
    /// These services were not stopped, because they are essential.
    Essential(Vec<Name>),
    /// These services ended as soon as they were started, and their supervisors do not restart them. The text says how each
    /// ended.
    GaveUp(Vec<(Name, String)>),
    /// A program ended with an error.
    Failed(Call, ProgramAnswer),
    /// A program printed something that s6gen does not understand.
    Unexpected(Call, Vec<u8>),
}

/// A service that did not start or stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeFailure {
    /// Its name.
    pub name: Name,
    /// Whether it should have started or stopped.
    pub direction: Direction,
    /// The reason.
    pub why: ChangeFailureReason,
}

/// Why a service did not start or stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeFailureReason {
    /// It took longer than its limit. `None` if the limit is not known.
    TimedOut(Option<Duration>),
    /// Its readiness check failed this many times and is not repeated.
    NeverReady(u32),
    /// The command to start or stop it failed. The text says how it ended.
    Ended(String),
}

/// The messages of s6 when a supervisor is missing.
const MISSING_SUPERVISOR: &[&str] = &[
    "supervisor not listening",
    "supervisor died",
    "s6-supervise not running",
    "unable to s6_svstatus_read",
];

/// Messages of programs, and the help for each.
const REMEDIES: &[(&str, &str)] = &[
    ("Permission denied", "run it as the user of the supervisors, usually root"),
    (
        "target for more than one conversion",
        "a service became a bundle of other services: first apply a manifest without it, and then this one",
    ),
    ("supervisor not listening", MISSING_SUPERVISOR_HELP),
    ("s6-supervise not running", MISSING_SUPERVISOR_HELP),
];

/// The help if a supervisor is missing, which happens after an s6-rc-update that did not complete.
const MISSING_SUPERVISOR_HELP: &str = "a supervisor is missing, most likely because an s6-rc-update was killed; run `s6gen apply`, which gives its \
     service back to s6-svscan; if that does not help, restart the container";

impl ChangeFailure {
    fn sentence(&self) -> String {
        let ChangeFailure { name, direction, why } = self;
        match (direction, why) {
            (Direction::Up, ChangeFailureReason::TimedOut(limit)) => {
                format!("`{name}` was not ready{}", within(*limit))
            }
            (Direction::Down, ChangeFailureReason::TimedOut(limit)) => {
                format!("`{name}` did not stop{}", within(*limit))
            }
            (_, ChangeFailureReason::NeverReady(tries)) => {
                format!("`{name}` was not ready at any of its {tries} tries")
            }
            (Direction::Up, ChangeFailureReason::Ended(how)) => format!("`{name}` did not start: {how}"),
            (Direction::Down, ChangeFailureReason::Ended(how)) => format!("`{name}` did not stop: {how}"),
        }
    }

    /// How to find the cause, and what to change.
    fn help(&self) -> String {
        let ChangeFailure { name, direction, why } = self;
        match (direction, why) {
            (Direction::Up, ChangeFailureReason::TimedOut(_)) => format!(
                "look for the reason in the log of `{name}` or of the container; if it only needs more time, raise its \
                 `timeout-up`"
            ),
            (_, ChangeFailureReason::NeverReady(_)) => format!(
                "look for the reason in the log of `{name}` or of the container; if it only needs more time, raise its \
                 `ready.tries` or `ready.interval`"
            ),
            (_, ChangeFailureReason::Ended(_)) => {
                format!("look for the reason in the log of `{name}` or of the container")
            }
            (Direction::Down, ChangeFailureReason::TimedOut(_)) => format!(
                "`s6gen status {name}` shows whether it has stopped since then; if it needs more time, raise its \
                 `timeout-down`; if it is a longrun that never stops, give it a `timeout-kill`"
            ),
        }
    }
}

fn within(limit: Option<Duration>) -> String {
    match limit.map(|limit| limit.as_millis()) {
        None => " in time".to_owned(),
        Some(limit) if limit.is_multiple_of(1000) => format!(" within {} s", limit / 1000),
        Some(limit) => format!(" within {limit} ms"),
    }
}

impl Failure {
    /// Whether a supervisor was missing. s6-svscan may start it soon.
    pub fn is_missing_supervisor(&self) -> bool {
        let (Failure::Failed(_, answer) | Failure::NotChanged(_, answer, _)) = self else { return false };
        let err = String::from_utf8_lossy(&answer.err);
        MISSING_SUPERVISOR.iter().any(|words| err.contains(words))
    }

    /// Whether services were told to start or stop, but failed to do so themselves.
    pub fn is_of_services(&self) -> bool {
        matches!(self, Failure::NotChanged(..) | Failure::GaveUp(_) | Failure::TimedOut(..))
            && !self.is_missing_supervisor()
    }

    /// The report for the user.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            Failure::BrokenLink(path) => {
                let message = format!("`{}` is a broken link, although an s6-rc runs here", path.display());
                Diagnostic::new(Code::NotRunning, message)
                    .help("most likely an s6-rc-update was killed; restart the container to repair this")
            }
            Failure::Unsupervised(names) => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                let message = format!("no supervisor runs for {}", names.join(", "));
                Diagnostic::new(Code::NotRunning, message).help(MISSING_SUPERVISOR_HELP)
            }
            Failure::NotRunning(path) => {
                Diagnostic::new(Code::NotRunning, format!("no s6-rc runs here: there is no `{}`", path.display()))
                    .help("run this inside the running container; elsewhere, `s6gen build` writes the definitions for the next boot, and `s6gen diff OLD NEW` compares any two systems")
            }
            Failure::Missing(call, error) => {
                let why = match error.kind() {
                    io::ErrorKind::NotFound => "it is neither on PATH nor in /command".to_owned(),
                    _ => error.to_string(),
                };
                Diagnostic::new(Code::ProgramMissing, format!("cannot run `{}`: {why}", call.program))
                    .help("run this inside the container, with s6-overlay's /command on PATH")
            }
            Failure::Busy(call, waited, holder) => {
                let message = format!("another s6-rc has been at work for {} s", waited.as_secs());
                let mut problem = Diagnostic::new(Code::Busy, message)
                    .note(format!("`{call}` cannot start before it ends; nothing was changed"));
                if let Some(holder) = holder {
                    problem = problem.note(holder.clone());
                }
                problem = problem
                    .note("during the boot, s6-rc ends when everything that starts at boot is up and ready");
                problem.help("`s6gen status` shows what is not ready yet; `--wait SECONDS` waits longer")
            }
            Failure::TimedOut(call, limit, answer) => {
                let message = format!("`{}` was ended after {} s", call.program, limit.as_secs());
                with_answer(Diagnostic::new(Code::ProgramFailed, message), call, answer)
                    .help("`s6gen status` shows which services are not ready yet; `--timeout SECONDS` gives it more time")
            }
            Failure::StillRunning(call, limit) => {
                let message = format!("`{}` has not ended after {} s", call.program, limit.as_secs());
                Diagnostic::new(Code::ProgramFailed, message)
                    .note(format!("the command was `{call}`"))
                    .note("it is replacing the live directory and must not be stopped now, so it goes on")
                    .help("check whether s6-svscan still runs, and what it writes; `s6gen status` shows which services have a supervisor")
            }
            Failure::NotChanged(call, answer, services) => {
                let sentences: Vec<String> = services.iter().map(ChangeFailure::sentence).collect();
                let problem = Diagnostic::new(Code::ProgramFailed, sentences.join("; "));
                let help = help_for(answer).map(str::to_owned);
                let help = help.or_else(|| services.first().map(ChangeFailure::help));
                with_answer(problem, call, answer).maybe_help(help)
            }
            Failure::Essential(names) => {
                let list: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                let verb = if names.len() == 1 { "was" } else { "were" };
                let message = format!("{} {verb} not stopped, because of `flag-essential`", list.join(", "));
                let plain: Vec<String> = names.iter().map(Name::to_string).collect();
                Diagnostic::new(Code::ProgramFailed, message)
                    .note("s6-rc stops an essential service only when everything stops; the services that depend on it were stopped")
                    .help(format!(
                        "`s6-rc -D change {}` stops it anyway; `s6-svc -r /run/service/NAME` restarts the process of a \
                         longrun, and `s6gen apply` replaces it when its definition changes",
                        plain.join(" ")
                    ))
            }
            Failure::GaveUp(services) => {
                let sentence = |(name, how): &(Name, String)| {
                    format!("`{name}` ended with {how} as soon as it was started, and its supervisor does not restart it")
                };
                let sentences: Vec<String> = services.iter().map(sentence).collect();
                Diagnostic::new(Code::ProgramFailed, sentences.join("; "))
                    .help("look for the reason in its log, or in the log of the container")
            }
            Failure::Failed(call, answer) => {
                let why = match answer.code {
                    code @ 129.. => format!("was killed by signal {}", code - 128),
                    code => format!("ended with {code}"),
                };
                let problem = Diagnostic::new(Code::ProgramFailed, format!("`{}` {why}", call.program));
                with_answer(problem, call, answer).maybe_help(help_for(answer).map(str::to_owned))
            }
            Failure::Unexpected(call, out) => Diagnostic::new(
                Code::ProgramFailed,
                format!("`{call}` answered `{}`", String::from_utf8_lossy(out).trim_end().escape_debug()),
            )
            .help("s6gen does not know this version of the program; please report it"),
        }
    }
}

/// Adds notes with how a program was called and what it wrote to standard error.
fn with_answer(problem: Diagnostic, call: &Call, answer: &ProgramAnswer) -> Diagnostic {
    let err = String::from_utf8_lossy(&answer.err);
    let lines = err.lines().filter(|line| !line.is_empty());
    lines.fold(problem.note(format!("the command was `{call}`")), |problem, line| {
        problem.note(line.to_owned())
    })
}

fn help_for(answer: &ProgramAnswer) -> Option<&'static str> {
    let err = String::from_utf8_lossy(&answer.err);
    REMEDIES.iter().find(|(words, _)| err.contains(words)).map(|(_, help)| *help)
}
