//! Why a running system could not be asked or changed, and what to tell people about it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::Direction;
use super::programs::{Call, ProgramAnswer};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::Name;

/// Why the running system was not changed, or could not be asked.
#[derive(Debug)]
pub enum Failure {
    /// There is no live directory of s6-rc.
    NotRunning(PathBuf),
    /// There was a live directory, but the link to it leads nowhere.
    Wrecked(PathBuf),
    /// Services that have no supervisor.
    Unsupervised(Vec<Name>),
    /// A program cannot be started.
    Missing(Call, io::Error),
    /// Another s6-rc was at work all the time. The text says which process that is, where it is known.
    Busy(Call, Duration, Option<String>),
    /// A program took longer than its limit, and was ended.
    Endless(Call, Duration, ProgramAnswer),
    /// A program took longer than its limit, and goes on: it may not be ended at this point.
    Left(Call, Duration),
    /// Services did not start or stop.
    Unable(Call, ProgramAnswer, Vec<Unable>),
    /// Services that s6-rc stops only on explicit demand.
    Essential(Vec<Name>),
    /// Services ended as soon as they were started and are down for good. The text says how each ended.
    GaveUp(Vec<(Name, String)>),
    /// A program ended with an error.
    Failed(Call, ProgramAnswer),
    /// A program gave an answer that s6gen cannot read.
    Unexpected(Call, Vec<u8>),
}

/// A service that did not start or stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unable {
    /// Its name.
    pub name: Name,
    /// Whether it was to start or to stop.
    pub direction: Direction,
    /// Why it did not.
    pub why: UnableReason,
}

/// Why a service did not start or stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnableReason {
    /// It took longer than it may, if that is known.
    Late(Option<Duration>),
    /// Its readiness was asked for this often, and it will not be asked again.
    TriesOver(u32),
    /// The command that was to start or stop it ended with this.
    Ended(String),
}

/// The messages of s6 when a supervisor is not there.
const OF_SUPERVISORS: &[&str] = &[
    "supervisor not listening",
    "supervisor died",
    "s6-supervise not running",
    "unable to s6_svstatus_read",
];

/// Messages of programs, and the help for each.
const REMEDIES: &[(&str, &str)] = &[
    ("Permission denied", "call it with the rights of the supervisors, usually as root"),
    (
        "target for more than one conversion",
        "a service became a bundle of others: first apply a manifest without it, then this one",
    ),
    ("supervisor not listening", WRECKED),
    ("s6-supervise not running", WRECKED),
];

/// The help after an s6-rc-update that did not complete.
const WRECKED: &str = "a supervisor is not there and does not come back, as after an s6-rc-update that was killed; `s6gen apply` \
     gives its service back to s6-svscan, and where that does not help, a restart of the container does";

impl Unable {
    fn sentence(&self) -> String {
        let Unable { name, direction, why } = self;
        match (direction, why) {
            (Direction::Up, UnableReason::Late(limit)) => format!("`{name}` was not ready{}", within(*limit)),
            (Direction::Down, UnableReason::Late(limit)) => {
                format!("`{name}` did not stop{}", within(*limit))
            }
            (_, UnableReason::TriesOver(tries)) => {
                format!("`{name}` was not ready at any of its {tries} tries")
            }
            (Direction::Up, UnableReason::Ended(how)) => format!("`{name}` did not start: {how}"),
            (Direction::Down, UnableReason::Ended(how)) => format!("`{name}` did not stop: {how}"),
        }
    }

    /// Where to look for the cause.
    fn help(&self) -> String {
        let Unable { name, direction, why } = self;
        match (direction, why) {
            (Direction::Up, UnableReason::Late(_)) => format!(
                "what `{name}` wrote tells why: look into its log, or the container's; if it only needs longer, raise its \
                 `timeout-up`"
            ),
            (_, UnableReason::TriesOver(_)) => format!(
                "what `{name}` wrote tells why: look into its log, or the container's; if it only needs longer, raise its \
                 `ready.tries` or `ready.interval`"
            ),
            (_, UnableReason::Ended(_)) => {
                format!("what `{name}` wrote tells why: look into its log, or the container's")
            }
            (Direction::Down, UnableReason::Late(_)) => format!(
                "`s6gen status {name}` shows whether it has stopped since; if it needs longer, raise its `timeout-down`; \
                 a longrun that never stops wants a `timeout-kill`"
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
    /// Whether the failure is that a supervisor was not there. s6-svscan may have been about to start it.
    pub fn is_of_supervisors(&self) -> bool {
        let (Failure::Failed(_, answer) | Failure::Unable(_, answer, _)) = self else { return false };
        let err = String::from_utf8_lossy(&answer.err);
        OF_SUPERVISORS.iter().any(|words| err.contains(words))
    }

    /// The report for people.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            Failure::Wrecked(path) => {
                let message = format!("`{}` leads nowhere, although an s6-rc runs here", path.display());
                Diagnostic::new(Code::NotRunning, message)
                    .help("an s6-rc-update was killed, most likely; a restart of the container puts everything in order")
            }
            Failure::Unsupervised(names) => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                let message = format!("nobody supervises {}", names.join(", "));
                Diagnostic::new(Code::NotRunning, message).help(WRECKED)
            }
            Failure::NotRunning(path) => {
                Diagnostic::new(Code::NotRunning, format!("no s6-rc runs here: there is no `{}`", path.display()))
                    .help("call this inside the running container; elsewhere `s6gen build` writes what the next boot starts, and `s6gen diff OLD NEW` compares any two systems")
            }
            Failure::Missing(call, error) => {
                let why = match error.kind() {
                    io::ErrorKind::NotFound => "it is neither on PATH nor in /command".to_owned(),
                    _ => error.to_string(),
                };
                Diagnostic::new(Code::ProgramMissing, format!("cannot run `{}`: {why}", call.program))
                    .help("call this inside the container, with s6-overlay's /command on PATH")
            }
            Failure::Busy(call, waited, holder) => {
                let message = format!("another s6-rc has been at work for {} s", waited.as_secs());
                let mut problem = Diagnostic::new(Code::Busy, message)
                    .note(format!("`{call}` cannot begin before that one has ended; nothing was changed"));
                if let Some(holder) = holder {
                    problem = problem.note(holder.clone());
                }
                problem = problem
                    .note("during the boot, s6-rc ends when everything that starts at boot is up and ready");
                problem.help("`s6gen status` shows what is not ready yet; `--wait SECONDS` waits longer")
            }
            Failure::Endless(call, limit, answer) => {
                let message = format!("`{}` was ended after {} s", call.program, limit.as_secs());
                said(Diagnostic::new(Code::ProgramFailed, message), call, answer)
                    .help("`s6gen status` shows what is not there yet; `--timeout SECONDS` lets it take longer")
            }
            Failure::Left(call, limit) => {
                let message = format!("`{}` has not ended after {} s", call.program, limit.as_secs());
                Diagnostic::new(Code::ProgramFailed, message)
                    .note(format!("it was called `{call}`"))
                    .note("it is exchanging the live directory, in which nobody may end it, and goes on")
                    .help("see whether s6-svscan still works and what it writes; `s6gen status` shows what is supervised")
            }
            Failure::Unable(call, answer, services) => {
                let sentences: Vec<String> = services.iter().map(Unable::sentence).collect();
                let problem = Diagnostic::new(Code::ProgramFailed, sentences.join("; "));
                let help = help_for(answer).map(str::to_owned);
                let help = help.or_else(|| services.first().map(Unable::help));
                said(problem, call, answer).maybe_help(help)
            }
            Failure::Essential(names) => {
                let list: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                let verb = if names.len() == 1 { "was" } else { "were" };
                let message = format!("{} {verb} not stopped, because of `flag-essential`", list.join(", "));
                let plain: Vec<String> = names.iter().map(Name::to_string).collect();
                Diagnostic::new(Code::ProgramFailed, message)
                    .note("s6-rc stops an essential service only when everything stops; what needs it was stopped")
                    .help(format!(
                        "`s6-rc -D change {}` stops it all the same; `s6-svc -r /run/service/NAME` restarts the process of a \
                         longrun, and `s6gen apply` replaces it when its definition changes",
                        plain.join(" ")
                    ))
            }
            Failure::GaveUp(services) => {
                let sentence = |(name, how): &(Name, String)| {
                    format!("`{name}` ended with {how} as soon as it was started, and is down for good")
                };
                let sentences: Vec<String> = services.iter().map(sentence).collect();
                Diagnostic::new(Code::ProgramFailed, sentences.join("; "))
                    .help("what it wrote tells why: look into its log, or the container's")
            }
            Failure::Failed(call, answer) => {
                let why = match answer.code {
                    code @ 129.. => format!("was killed by signal {}", code - 128),
                    code => format!("ended with {code}"),
                };
                let problem = Diagnostic::new(Code::ProgramFailed, format!("`{}` {why}", call.program));
                said(problem, call, answer).maybe_help(help_for(answer).map(str::to_owned))
            }
            Failure::Unexpected(call, out) => Diagnostic::new(
                Code::ProgramFailed,
                format!("`{call}` answered `{}`", String::from_utf8_lossy(out).trim_end().escape_debug()),
            )
            .help("this version of it is not known to s6gen; please report it"),
        }
    }
}

/// Adds notes with how a program was called and what it wrote to standard error.
fn said(problem: Diagnostic, call: &Call, answer: &ProgramAnswer) -> Diagnostic {
    let err = String::from_utf8_lossy(&answer.err);
    let lines = err.lines().filter(|line| !line.is_empty());
    lines.fold(problem.note(format!("it was called `{call}`")), |problem, line| problem.note(line.to_owned()))
}

fn help_for(answer: &ProgramAnswer) -> Option<&'static str> {
    let err = String::from_utf8_lossy(&answer.err);
    REMEDIES.iter().find(|(words, _)| err.contains(words)).map(|(_, help)| *help)
}
