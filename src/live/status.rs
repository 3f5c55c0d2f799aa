//! The state of one service, as s6-svstat tells it, and how a longrun is told to stay up.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{Call, DatabaseList, Direction, Failure, Live};
use crate::model::Name;

/// The state of an atomic service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceState {
    /// It is up, and ready if it has readiness notification.
    Up,
    /// A longrun that runs but is not ready yet.
    Starting,
    /// A longrun that died and will be started again.
    Restarting,
    /// A longrun that was told to go down and still runs.
    Stopping,
    /// It is down.
    Down,
    /// It has no supervisor, as after an s6-rc-update that was killed.
    Unsupervised,
}

impl ServiceState {
    /// The word for it in reports and machine output.
    pub fn word(self) -> &'static str {
        match self {
            ServiceState::Up => "up",
            ServiceState::Starting => "starting",
            ServiceState::Restarting => "restarting",
            ServiceState::Stopping => "stopping",
            ServiceState::Down => "down",
            ServiceState::Unsupervised => "unsupervised",
        }
    }
}

/// What s6-svstat tells of an atomic service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupervisorStatus {
    /// Its state.
    pub state: ServiceState,
    /// The process of a longrun that runs.
    pub pid: Option<u32>,
    /// For how many seconds a longrun has run, or not run.
    pub seconds: Option<u64>,
    /// How a longrun that does not run ended: its exit code, or the name of a signal.
    pub ended: Option<String>,
}

/// The fields that `s6-svstat` is asked for.
const FIELDS: &str = "up,ready,wantedup,pid,updownfor,exitcode,signal";

impl Live<'_> {
    /// The status of a longrun. `notifies` says whether it has a `notification-fd`: without one it is never ready, only up.
    ///
    /// # Errors
    /// s6-svstat fails.
    pub fn longrun(&mut self, name: &Name, notifies: bool) -> Result<SupervisorStatus, Failure> {
        let call = Call::new("s6-svstat").args(["-o", FIELDS]).arg(self.service_directory(name));
        let answer = self.try_run(&call)?;
        let err = String::from_utf8_lossy(&answer.err);
        // A supervisor that has only just started has not written its status yet.
        let is_new = err.contains("unable to read status") && err.contains("No such file");
        if answer.code == 1 && err.contains("not running") || is_new {
            return Ok(SupervisorStatus {
                state: ServiceState::Unsupervised,
                pid: None,
                seconds: None,
                ended: None,
            });
        }
        let out = self.told(call.clone(), answer)?;
        status(&String::from_utf8_lossy(&out), notifies).ok_or(Failure::Unexpected(call, out))
    }

    /// Keeps `services` and their dependencies up where s6-rc takes a longrun for up that is going down or is down.
    ///
    /// s6-rc gives up on a longrun that does not stop in time and takes it for up, so it would never start it again, while
    /// its supervisor still takes it down. The same holds for a longrun that is down for good because of how it ended.
    ///
    /// # Errors
    /// One of them is unknown, or its supervisor does not answer.
    pub fn keep_up(&mut self, services: &[Name]) -> Result<(), Failure> {
        let compiled = self.compiled();
        let mut started = BTreeSet::new();
        let needed = self.closure(&compiled, Direction::Up, services)?;
        for name in &needed & &self.list(&compiled, DatabaseList::Longruns)? {
            let state = self.longrun(&name, false)?.state;
            let fate = match state {
                ServiceState::Stopping => "had not stopped yet and starts again when it has",
                ServiceState::Down => "was down, although s6-rc takes it for up; it starts again",
                _ => continue,
            };
            self.run(self.start_call(&name))?;
            (self.told)(&format!("{name} {fate}"));
            // A longrun that has not stopped yet starts once it has.
            if state == ServiceState::Down {
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

fn status(answer: &str, notifies: bool) -> Option<SupervisorStatus> {
    let words: Vec<&str> = answer.split_whitespace().collect();
    let [up, ready, wanted, pid, seconds, code, signal] = words[..] else { return None };
    let is = |word: &str| word.parse::<bool>().ok();
    let state = match (is(up)?, is(ready)?, is(wanted)?) {
        (true, _, false) => ServiceState::Stopping,
        (true, false, _) if notifies => ServiceState::Starting,
        (true, ..) => ServiceState::Up,
        (false, _, true) => ServiceState::Restarting,
        (false, _, false) => ServiceState::Down,
    };
    let ended = match (signal, code) {
        _ if is(up)? => None,
        ("NA", "-1") => None,
        ("NA", code) => Some(code.to_owned()),
        (signal, _) => Some(signal.to_owned()),
    };
    Some(SupervisorStatus { state, pid: pid.parse().ok(), seconds: seconds.parse().ok(), ended })
}
