//! What is done while s6-rc changes services: a command that a supervisor did not get is given again, and what takes
//! longer than its limit is ended.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::Direction;
use super::programs::{Act, Call};

/// How often a lost command is given again.
const PAUSE: Duration = Duration::from_millis(500);
/// How long a program has to end by itself once it was told to.
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

/// What s6-svc says of a supervisor that is not there; between the two is the service directory.
const LOST: (&str, &str) = ("s6-svc: warning: unable to control ", ": supervisor not listening");
/// The last words of s6-rc-update before it replaces the live directory, and the first after that.
const REPLACES: &str = "s6-rc-update: info: updating state and service directories";
const STARTS: &str = "s6-rc-update: info: starting services in the new database";

impl Watch {
    /// Watches a call that begins now.
    pub(super) fn new(direction: Direction, is_update: bool, limit: Option<Duration>) -> Self {
        let begun = Instant::now();
        Watch { direction, is_update, begun, limit, repeated: None, stopped: None, is_killed: false }
    }

    /// Whether it took longer than its limit.
    pub(super) fn is_over(&self) -> bool {
        self.stopped.is_some()
    }

    /// What to do now, after the program said `text`.
    pub(super) fn look(&mut self, text: &str) -> Vec<Act> {
        if let Some(act) = self.end(text) {
            return vec![act];
        }
        if self.repeated.is_some_and(|last| last.elapsed() < PAUSE) {
            return Vec::new();
        }
        let up = if self.is_update { text.contains(STARTS) } else { self.direction == Direction::Up };
        let option = if up { "-u" } else { "-d" };
        let again: Vec<Act> = lost(text)
            .into_iter()
            .map(|place| Act::Run(Call::new("s6-svc").args([option, "--", place])))
            .collect();
        if !again.is_empty() {
            self.repeated = Some(Instant::now());
        }
        again
    }

    fn end(&mut self, text: &str) -> Option<Act> {
        let limit = self.limit?;
        if let Some(stopped) = self.stopped {
            let is_late = stopped.elapsed() >= GRACE && !self.is_killed;
            self.is_killed |= is_late;
            return is_late.then_some(Act::Kill);
        }
        if self.begun.elapsed() < limit {
            return None;
        }
        self.stopped = Some(Instant::now());
        // Who is ended while it replaces the live directory leaves services that nobody supervises.
        let replaces = text.contains(REPLACES) && !text.contains(STARTS);
        Some(if replaces { Act::Leave } else { Act::Stop })
    }
}

/// The service directories whose supervisors did not get a command, of services that s6-rc still waits for.
fn lost(text: &str) -> BTreeSet<&str> {
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

/// The service with which s6-rc says that it is done.
fn done(line: &str) -> Option<&str> {
    let moved = line.strip_prefix("s6-rc: info: service ").and_then(|rest| rest.split_once(" successfully "));
    let failed = || {
        let rest = line.strip_prefix("s6-rc: warning: unable to st")?;
        let rest = rest.strip_prefix("art service ").or(rest.strip_prefix("op service "))?;
        rest.split_once(": ")
    };
    moved.or_else(failed).map(|(name, _)| name)
}
