//! Watches s6-rc while it changes services. Repeats a command that did not reach a supervisor, and ends a program that takes
//! longer than its limit.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::Direction;
use super::programs::{Call, WatchAction};

/// How long to wait before a lost command is repeated.
const PAUSE: Duration = Duration::from_millis(500);
/// How long a program may take to end after SIGTERM before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// Watches one call of s6-rc or s6-rc-update.
pub(super) struct Watch {
    direction: Direction,
    is_update: bool,
    begun: Instant,
    limit: Option<Duration>,
    repeated: Option<Instant>,
    stopped: Option<Instant>,
    is_killed: bool,
}

/// The message of s6-svc when a supervisor is missing. The service directory is between the two parts.
const LOST: (&str, &str) = ("s6-svc: warning: unable to control ", ": supervisor not listening");
/// The last message of s6-rc-update before it replaces the live directory, and the first one after that.
const REPLACES: &str = "s6-rc-update: info: updating state and service directories";
const STARTS: &str = "s6-rc-update: info: starting services in the new database";

impl Watch {
    /// A watch for a call that begins now.
    pub(super) fn new(direction: Direction, is_update: bool, limit: Option<Duration>) -> Self {
        let begun = Instant::now();
        Watch { direction, is_update, begun, limit, repeated: None, stopped: None, is_killed: false }
    }

    /// Whether the call took longer than its limit.
    pub(super) fn is_over(&self) -> bool {
        self.stopped.is_some()
    }

    /// The actions to take now that the program has written `text`.
    pub(super) fn actions(&mut self, text: &str) -> Vec<WatchAction> {
        if let Some(act) = self.enforce_limit(text) {
            return vec![act];
        }
        if self.repeated.is_some_and(|last| last.elapsed() < PAUSE) {
            return Vec::new();
        }
        let up = if self.is_update { text.contains(STARTS) } else { self.direction == Direction::Up };
        let option = if up { "-u" } else { "-d" };
        let again: Vec<WatchAction> = lost_commands(text)
            .into_iter()
            .map(|place| WatchAction::Run(Call::new("s6-svc").args([option, "--", place])))
            .collect();
        if !again.is_empty() {
            self.repeated = Some(Instant::now());
        }
        again
    }

    fn enforce_limit(&mut self, text: &str) -> Option<WatchAction> {
        let limit = self.limit?;
        if let Some(stopped) = self.stopped {
            let is_late = stopped.elapsed() >= GRACE && !self.is_killed;
            self.is_killed |= is_late;
            return is_late.then_some(WatchAction::Kill);
        }
        if self.begun.elapsed() < limit {
            return None;
        }
        self.stopped = Some(Instant::now());
        // Ending s6-rc-update while it replaces the live directory would leave services without a supervisor.
        let replaces = text.contains(REPLACES) && !text.contains(STARTS);
        Some(if replaces { WatchAction::LetRun } else { WatchAction::Stop })
    }
}

/// The service directories of the services for which s6-rc still waits and whose supervisors did not get a command.
fn lost_commands(text: &str) -> BTreeSet<&str> {
    let mut lost = BTreeSet::new();
    for line in text.lines() {
        if let Some(place) = line.strip_prefix(LOST.0).and_then(|rest| rest.strip_suffix(LOST.1)) {
            lost.insert(place);
        } else if let Some(name) = done(line) {
            lost.retain(|place| place.rsplit('/').next() != Some(name));
        }
    }
    lost
}

/// The service that s6-rc has finished to start or stop, with or without success, if a line of it reports one.
fn done(line: &str) -> Option<&str> {
    let moved = line.strip_prefix("s6-rc: info: service ").and_then(|rest| rest.split_once(" successfully "));
    let failed = || {
        let rest = line.strip_prefix("s6-rc: warning: unable to st")?;
        let rest = rest.strip_prefix("art service ").or(rest.strip_prefix("op service "))?;
        rest.split_once(": ")
    };
    moved.or_else(failed).map(|(name, _)| name)
}
