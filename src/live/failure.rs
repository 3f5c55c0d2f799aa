use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::programs::{Answer, Call};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::Name;

/// Why the running system was not changed, or could not be asked.
#[derive(Debug)]
pub enum Failure {
    /// There is no live directory of s6-rc.
    NotRunning(PathBuf),
    /// There was a live directory, but the link to it leads nowhere.
    Wrecked(PathBuf),
    /// Services that nobody supervises.
    Unsupervised(Vec<Name>),
    /// A program cannot be started.
    Missing(Call, io::Error),
    /// Another s6-rc has worked all the time.
    Busy(Call, Duration),
    /// A program ended with an error.
    Failed(Call, Answer),
    /// A program said something else than its kind says.
    Unexpected(Call, Vec<u8>),
}

/// What programs say, and what to do then.
const REMEDIES: &[(&str, &str)] = &[
    ("Permission denied", "call it with the rights of the supervisors, usually as root"),
    (
        "target for more than one conversion",
        "a service became a bundle of others: first apply a manifest without it, then this one",
    ),
    ("supervisor not listening", WRECKED),
    ("s6-supervise not running", WRECKED),
];

/// What is left to do after an s6-rc-update that did not get to its end.
const WRECKED: &str =
    "an s6-rc-update was killed, most likely; a restart of the container puts everything in order";

impl Failure {
    /// What to tell people.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            Failure::Wrecked(path) => {
                let message = format!("`{}` leads nowhere, although an s6-rc runs here", path.display());
                Diagnostic::new(Code::NotRunning, message).help(WRECKED)
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
            Failure::Busy(call, waited) => Diagnostic::new(
                Code::Busy,
                format!("another s6-rc has been at work for {} s", waited.as_secs()),
            )
            .note(format!("`{call}` cannot begin before that one has ended"))
            .note("during the boot, s6-rc ends when everything that starts at boot is up and ready")
            .help("`s6gen status` shows what is not ready yet; `--wait SECONDS` waits longer"),
            Failure::Failed(call, answer) => {
                let why = match answer.code {
                    code @ 129.. => format!("was killed by signal {}", code - 128),
                    code => format!("ended with {code}"),
                };
                let mut problem =
                    Diagnostic::new(Code::ProgramFailed, format!("`{}` {why}", call.program)).note(format!("it was called `{call}`"));
                let err = String::from_utf8_lossy(&answer.err);
                for line in err.lines().filter(|line| !line.is_empty()) {
                    problem = problem.note(line.to_owned());
                }
                let help = REMEDIES.iter().find(|(words, _)| err.contains(words));
                problem.maybe_help(help.map(|(_, help)| (*help).to_owned()))
            }
            Failure::Unexpected(call, out) => Diagnostic::new(
                Code::ProgramFailed,
                format!("`{call}` answered `{}`", String::from_utf8_lossy(out).trim_end().escape_debug()),
            )
            .help("this version of it is not known to s6gen; please report it"),
        }
    }
}
