use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{Call, Direction, Failure, List, Live};
use crate::model::Name;

/// How an atomic service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is up; a longrun that says when it is ready has said so.
    Up,
    /// A longrun that runs but has not said yet that it is ready.
    Starting,
    /// A longrun that died and is about to be started again.
    Restarting,
    /// A longrun that was told to go down and still runs.
    Stopping,
    /// It is down.
    Down,
    /// Nobody supervises it, as after an s6-rc-update that was killed.
    Unsupervised,
}

impl State {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            State::Up => "up",
            State::Starting => "starting",
            State::Restarting => "restarting",
            State::Stopping => "stopping",
            State::Down => "down",
            State::Unsupervised => "unsupervised",
        }
    }
}

/// What is known of an atomic service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// How it is.
    pub state: State,
    /// The process of a longrun that runs.
    pub pid: Option<u32>,
    /// For how many seconds a longrun has run, or not run.
    pub seconds: Option<u64>,
    /// How a longrun that does not run ended: its exit code, or the name of a signal.
    pub ended: Option<String>,
}

/// What is asked of `s6-svstat`.
const FIELDS: &str = "up,ready,wantedup,pid,updownfor,exitcode,signal";

impl Live<'_> {
    /// How a longrun is. `notifies` says whether it has a notification-fd: without one it is never ready, only up.
    ///
    /// # Errors
    /// It cannot be asked.
    pub fn longrun(&mut self, name: &Name, notifies: bool) -> Result<Status, Failure> {
        let call = Call::new("s6-svstat").args(["-o", FIELDS]).arg(self.service_directory(name));
        let answer = self.try_run(&call)?;
        let err = String::from_utf8_lossy(&answer.err);
        // One that is about to run for the first time has not written its status yet.
        let is_new = err.contains("unable to read status") && err.contains("No such file");
        if answer.code == 1 && err.contains("not running") || is_new {
            return Ok(Status { state: State::Unsupervised, pid: None, seconds: None, ended: None });
        }
        let out = self.told(call.clone(), answer)?;
        status(&String::from_utf8_lossy(&out), notifies).ok_or(Failure::Unexpected(call, out))
    }

    /// Has those longruns among `services`, and what they need, stay up that were told to go down.
    ///
    /// s6-rc gives up on a longrun that does not stop in time and takes it for up, so that it would never start it again;
    /// its supervisor goes on and takes it down. It is the same with one that is down for good because of how it ended.
    ///
    /// # Errors
    /// One of them is unknown, or its supervisor does not answer.
    pub fn keep_up(&mut self, services: &[Name]) -> Result<(), Failure> {
        let compiled = self.compiled();
        let mut started = BTreeSet::new();
        let needed = self.closure(&compiled, Direction::Up, services)?;
        for name in &needed & &self.list(&compiled, List::Longruns)? {
            let state = self.longrun(&name, false)?.state;
            let fate = match state {
                State::Stopping => "had not stopped yet and starts again when it has",
                State::Down => "was down, although s6-rc takes it for up; it starts again",
                _ => continue,
            };
            self.run(self.start_call(&name))?;
            (self.told)(&format!("{name} {fate}"));
            // What has not stopped yet starts later.
            if state == State::Down {
                started.insert(name);
            }
        }
        self.see_started(&started)
    }

    /// `s6-svc -u DIRECTORY`.
    pub(super) fn start_call(&self, name: &Name) -> Call {
        Call::new("s6-svc").arg("-u").arg(self.service_directory(name))
    }

    pub(super) fn service_directory(&self, name: &Name) -> PathBuf {
        self.directory.join("servicedirs").join(super::os(name))
    }
}

fn status(answer: &str, notifies: bool) -> Option<Status> {
    let words: Vec<&str> = answer.split_whitespace().collect();
    let [up, ready, wanted, pid, seconds, code, signal] = words[..] else { return None };
    let is = |word: &str| word.parse::<bool>().ok();
    let state = match (is(up)?, is(ready)?, is(wanted)?) {
        (true, _, false) => State::Stopping,
        (true, false, _) if notifies => State::Starting,
        (true, ..) => State::Up,
        (false, _, true) => State::Restarting,
        (false, _, false) => State::Down,
    };
    let ended = match (signal, code) {
        _ if is(up)? => None,
        ("NA", "-1") => None,
        ("NA", code) => Some(code.to_owned()),
        (signal, _) => Some(signal.to_owned()),
    };
    Some(Status { state, pid: pid.parse().ok(), seconds: seconds.parse().ok(), ended })
}
