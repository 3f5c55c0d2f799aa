//! Reads the state of a service with s6-svstat, and starts longruns that s6-rc wrongly considers up.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{Call, DatabaseList, Direction, Failure, Live};
use crate::disk;
use crate::model::Name;

/// The state of an atomic service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceState {
    /// It is up, and ready if it has readiness notification.
    Up,
    /// A longrun that runs but is not ready yet.
    Starting,
    /// A longrun that ended and that its supervisor will restart.
    Restarting,
    /// A longrun that still runs, although it should stop.
    Stopping,
    /// A longrun that counts as up but has no process, because its `only-if` says no.
    Idle,
    /// It is down.
    Down,
    /// It has no supervisor, for example after a killed s6-rc-update.
    Unsupervised,
}

impl ServiceState {
    /// The word for this state in reports and machine output.
    pub fn word(self) -> &'static str {
        match self {
            ServiceState::Up => "up",
            ServiceState::Starting => "starting",
            ServiceState::Restarting => "restarting",
            ServiceState::Stopping => "stopping",
            ServiceState::Idle => "idle",
            ServiceState::Down => "down",
            ServiceState::Unsupervised => "unsupervised",
        }
    }
}

/// The state of an atomic service, as s6-svstat reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupervisorStatus {
    /// Its state.
    pub state: ServiceState,
    /// The process id of a running longrun.
    pub pid: Option<u32>,
    /// For how many seconds a longrun has been up, or has been down.
    pub seconds: Option<u64>,
    /// How a longrun that is not running ended: its exit code, or the name of a signal.
    pub ended: Option<String>,
}

/// The fields that `s6-svstat` must print.
const FIELDS: &str = "up,ready,wantedup,pid,updownfor,exitcode,signal";

impl Live<'_> {
    /// The status of a longrun. `notifies` says whether it has a `notification-fd`. Without one it is never ready, only up.
    ///
    /// # Errors
    /// s6-svstat fails.
    pub fn longrun(&mut self, name: &Name, notifies: bool) -> Result<SupervisorStatus, Failure> {
        let call = Call::new("s6-svstat").args(["-o", FIELDS]).arg(self.service_directory(name));
        let answer = self.try_run(&call)?;
        let err = String::from_utf8_lossy(&answer.err);
        // A supervisor that has just started may not have written its status yet.
        let is_new = err.contains("unable to read status") && err.contains("No such file");
        if answer.code == 1 && err.contains("not running") || is_new {
            return Ok(SupervisorStatus {
                state: ServiceState::Unsupervised,
                pid: None,
                seconds: None,
                ended: None,
            });
        }
        let out = self.output(call.clone(), answer)?;
        let status =
            status(&String::from_utf8_lossy(&out), notifies).ok_or(Failure::Unexpected(call, out))?;
        // `run` makes this file, and the next start removes it.
        let is_idle =
            status.state == ServiceState::Down && disk::is_there(&self.service_directory(name).join("idle"));
        Ok(if is_idle { SupervisorStatus { state: ServiceState::Idle, ..status } } else { status })
    }

    /// Starts the longruns among `services` and their dependencies that are down or stopping although s6-rc considers
    /// them up.
    ///
    /// If a longrun does not stop in time, s6-rc gives up and considers it up, but its supervisor still stops it. s6-rc
    /// would then never start it again. The same is true for a longrun that its supervisor does not restart.
    ///
    /// # Errors
    /// A service is unknown, or its supervisor does not answer.
    pub fn keep_up(&mut self, services: &[Name]) -> Result<(), Failure> {
        let compiled = self.compiled();
        let mut started = BTreeSet::new();
        let needed = self.closure(&compiled, Direction::Up, services)?;
        for name in &needed & &self.list(&compiled, DatabaseList::Longruns)? {
            let state = self.longrun(&name, false)?.state;
            let message = match state {
                ServiceState::Stopping => "has not stopped yet; it starts again as soon as it has",
                ServiceState::Down => "was down, although s6-rc considers it up; it starts again",
                _ => continue,
            };
            self.run(self.start_call(&name))?;
            (self.notify)(&format!("{name} {message}"));
            // A longrun that is still stopping is not up yet, so it cannot be checked.
            if state == ServiceState::Down {
                started.insert(name);
            }
        }
        self.check_started(&started)
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
