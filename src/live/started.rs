//! Finds failures that s6-rc does not notice: services that end as soon as they are started, and services without a
//! supervisor. Also finds the reason for failures that s6-rc reports.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{
    Call, ChangeFailure, ChangeFailureReason, DatabaseList, Direction, Failure, Live, ProgramAnswer,
    ServiceState, s6_rc_db,
};
use crate::disk;
use crate::model::{FDHOLDER, Name};

/// How long a service without readiness notification must run before it counts as started.
const TRIAL: Duration = Duration::from_millis(200);
/// How long to wait for s6-svscan to restart a supervisor. It does so at most once a second.
const SUPERVISOR_PATIENCE: Duration = Duration::from_secs(10);
/// How long to sleep before checking again.
const PAUSE: Duration = Duration::from_millis(200);

impl Live<'_> {
    /// Checks that services which were started still run. If the supervisor of a service was replaced meanwhile, starts the
    /// service again. That happens if s6-svscan starts the supervisor while s6-rc-update exchanges its directory.
    ///
    /// # Errors
    /// A service ended and its supervisor does not restart it, or it has no supervisor.
    pub(super) fn check_started(&mut self, started: &BTreeSet<Name>) -> Result<(), Failure> {
        let compiled = self.compiled();
        let longruns = match started.is_empty() {
            true => return Ok(()),
            false => started & &self.list(&compiled, DatabaseList::Longruns)?,
        };
        if longruns.is_empty() {
            return Ok(());
        }
        sleep(TRIAL);
        let mut given_up = Vec::new();
        for name in &longruns {
            let mut status = self.longrun(name, false)?;
            let begun = Instant::now();
            let was_unsupervised = status.state == ServiceState::Unsupervised;
            while status.state == ServiceState::Unsupervised && begun.elapsed() < SUPERVISOR_PATIENCE {
                sleep(PAUSE);
                status = self.longrun(name, false)?;
            }
            match (status.state, status.ended) {
                (ServiceState::Unsupervised, _) => return Err(Failure::Unsupervised(vec![name.clone()])),
                (ServiceState::Down, None) => {
                    self.run(self.start_call(name))?;
                    self.tell(&format!("{name} had lost its supervisor; it has a new one and starts again"));
                }
                (ServiceState::Down, Some(ended)) => given_up.push((name.clone(), ended)),
                (ServiceState::Restarting, ended) if !was_unsupervised => {
                    let how = ended.map(|how| format!(" with {how}")).unwrap_or_default();
                    self.tell(&format!(
                        "{name} ended{how} as soon as it was started; its supervisor keeps restarting it"
                    ));
                }
                _ => {}
            }
        }
        if given_up.is_empty() { Ok(()) } else { Err(Failure::GaveUp(given_up)) }
    }

    /// Makes s6-svscan scan its directory `scandir` for new links, and waits until every service has a supervisor.
    ///
    /// # Errors
    /// A service still has no supervisor after a while.
    pub fn supervise_again(&mut self, scandir: &Path, services: &BTreeSet<Name>) -> Result<(), Failure> {
        // `-a` scans for new links. `-n` ends the supervisors whose directories are gone.
        self.run(Call::new("s6-svscanctl").arg("-an").arg(scandir))?;
        match self.supervisors_return()? {
            true => Ok(()),
            false => Err(Failure::Unsupervised(services.iter().cloned().collect())),
        }
    }

    /// Gives s6rc-fdholder the pipes of `consumers` that it does not have yet. It is the service that holds the pipes
    /// between producers and consumers. An s6-rc-update that fails while it exchanges the live directory does not give
    /// it new pipes.
    ///
    /// # Errors
    /// s6rc-fdholder does not answer.
    pub fn add_pipes(&mut self, consumers: &[Name]) -> Result<(), Failure> {
        let fdholder = Name::from(FDHOLDER);
        let socket = self.service_directory(&fdholder).join("s");
        let begun = Instant::now();
        // While s6rc-fdholder starts, it makes all pipes itself. So wait until it is ready.
        while self.longrun(&fdholder, true)?.state != ServiceState::Up
            && begun.elapsed() < SUPERVISOR_PATIENCE
        {
            sleep(PAUSE);
        }
        let held = self.run(Call::new("s6-fdholder-list").arg(&socket))?;
        for consumer in consumers {
            let pipe = |end: &[u8]| [b"pipe:s6rc-", end, b"-", consumer.as_bytes()].concat();
            let (reading, writing) = (pipe(b"r"), pipe(b"w"));
            if held.split(|byte| *byte == b'\n').any(|line| line == reading) {
                continue;
            }
            let store = |descriptor: &str, id: Vec<u8>| {
                let words = ["s6-fdholder-store", "-d", descriptor].map(OsString::from);
                words.into_iter().chain([socket.clone().into(), OsString::from_vec(id)])
            };
            // In an argument vector, each word of an execline block begins with a space, and an empty word ends the
            // block.
            let block = store("3", reading).map(|word| [OsString::from(" "), word].into_iter().collect());
            let call = Call::new("piperw").args(["3", "4", "if"]).args(block.collect::<Vec<OsString>>());
            self.run(call.arg("").args(store("4", writing)))?;
        }
        Ok(())
    }

    /// Waits until every service has a supervisor, but not for ever. Returns whether all have one.
    ///
    /// # Errors
    /// The state of a service cannot be read.
    pub fn supervisors_return(&mut self) -> Result<bool, Failure> {
        let begun = Instant::now();
        let longruns = self.list(&self.compiled(), DatabaseList::Longruns)?;
        for name in &longruns {
            while self.longrun(name, false)?.state == ServiceState::Unsupervised {
                if begun.elapsed() >= SUPERVISOR_PATIENCE {
                    return Ok(false);
                }
                sleep(PAUSE);
            }
        }
        Ok(true)
    }

    /// How long a service may take to start or stop. `None` if there is no limit or it is not known.
    fn limit(&mut self, service: &ChangeFailure) -> Option<Duration> {
        let call = s6_rc_db(&self.compiled()).args([service.direction.option(), "timeout"]);
        let answer = self.try_run(&call.arg(super::os(&service.name))).ok()?;
        let limit: u64 = String::from_utf8_lossy(&answer.out).trim().parse().ok()?;
        (limit > 0).then(|| Duration::from_millis(limit))
    }

    /// For a longrun whose readiness is polled: the number of tries, and how long they take if each one fails at once.
    fn tries(&self, service: &ChangeFailure) -> Option<(u32, Duration)> {
        let directory = self.service_directory(&service.name);
        let read = |name: &str| disk::read_if_there(&directory.join(name)).ok().flatten();
        let script = read("run.user").or_else(|| read("run"))?;
        let script = String::from_utf8_lossy(&script);
        let mut words = script.split_once("s6-notifyoncheck -n ")?.1.split_ascii_whitespace();
        let tries = words.next()?.parse().ok().filter(|tries| *tries > 0)?;
        let interval = words.find(|word| *word != "-w")?.parse().ok()?;
        Some((tries, Duration::from_millis(interval) * tries))
    }

    /// Turns the answer of a failed s6-rc into a failure that names the services which did not start or stop, with the
    /// reasons.
    pub(super) fn unable(&mut self, call: Call, answer: ProgramAnswer) -> Failure {
        let text = String::from_utf8_lossy(&answer.err).into_owned();
        let mut services: Vec<ChangeFailure> = text.lines().filter_map(unable).collect();
        let is_late_oneshot = |why: &ChangeFailureReason| {
            text.contains(ONESHOT_TIMED_OUT) && *why == ChangeFailureReason::Ended(LOST.into())
        };
        for service in &mut services {
            if service.why == ChangeFailureReason::TimedOut(None) {
                let limit = self.limit(service);
                service.why =
                    match self.tries(service).filter(|tries| limit.is_none_or(|limit| tries.1 < limit)) {
                        Some((tries, _)) if service.direction == Direction::Up => {
                            ChangeFailureReason::NeverReady(tries)
                        }
                        _ => ChangeFailureReason::TimedOut(limit),
                    };
            } else if is_late_oneshot(&service.why)
                && let Some(limit) = self.limit(service)
            {
                service.why = ChangeFailureReason::TimedOut(Some(limit));
            }
        }
        if services.is_empty() {
            Failure::Failed(call, answer)
        } else {
            Failure::NotChanged(call, answer, services)
        }
    }
}

/// The exit code of s6-svlisten and s6-sudo after a timeout.
const TIMED_OUT: &str = "99";

/// The message of s6-sudoc after the timeout of a oneshot, and how it then ends.
const ONESHOT_TIMED_OUT: &str = "Connection timed out";
const LOST: &str = "exit code 111";

/// The service that did not start or stop, if a line of s6-rc reports one.
fn unable(line: &str) -> Option<ChangeFailure> {
    let rest = line.strip_prefix("s6-rc: warning: unable to ")?;
    let (direction, rest) = match rest.strip_prefix("start service ") {
        Some(rest) => (Direction::Up, rest),
        None => (Direction::Down, rest.strip_prefix("stop service ")?),
    };
    let (name, how) = rest.split_once(": command ")?;
    let why = match how.strip_prefix("exited ") {
        Some(TIMED_OUT) => ChangeFailureReason::TimedOut(None),
        Some(code) => ChangeFailureReason::Ended(format!("exit code {code}")),
        None => ChangeFailureReason::Ended(how.trim_start_matches("crashed with ").to_owned()),
    };
    Some(ChangeFailure { name: Name::from(name), direction, why })
}
