//! The variables of s6-overlay that limit a start or a stop.

use super::moment::{Bound, Unlimited};
use crate::model::{BuildContext, Feature, Target};

/// The limits that s6-overlay itself keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverlayLimits {
    /// `S6_CMD_WAIT_FOR_SERVICES_MAXTIME`: the milliseconds of the whole start; 0 is no limit.
    pub start: u64,
    /// `S6_KILL_GRACETIME`: the milliseconds between the last SIGTERM to what is left and the last SIGKILL. s6-overlay always waits
    /// for all of them.
    pub last: u64,
    /// `S6_SERVICES_GRACETIME`: the milliseconds for the services in `services.d` to stop.
    pub old_services: u64,
    /// `S6_KILL_FINISH_MAXTIME`: the milliseconds for each script in `cont-finish.d`; 0 is no limit.
    pub old_stop: u64,
    /// Whether a failed start stops the container: `S6_BEHAVIOUR_IF_STAGE2_FAILS` is 2 or more.
    pub stops_if_failed: bool,
    /// Whether the signals go to the container's command, and services stop only when it has ended: `S6_CMD_RECEIVE_SIGNALS`.
    pub waits_for_command: bool,
    /// Whether the start waits for the services in `services.d`, too, without a limit: `S6_CMD_WAIT_FOR_SERVICES`.
    pub waits_for_old_services: bool,
    /// Whether a program runs before the start that has no limit: `S6_STAGE2_HOOK`.
    pub has_hook: bool,
}

/// The variables of the container that a plan knows. The values of all but the last one are numbers.
pub const VARIABLES: [&str; 8] = [
    "S6_CMD_WAIT_FOR_SERVICES_MAXTIME",
    "S6_KILL_GRACETIME",
    "S6_SERVICES_GRACETIME",
    "S6_KILL_FINISH_MAXTIME",
    "S6_BEHAVIOUR_IF_STAGE2_FAILS",
    "S6_CMD_RECEIVE_SIGNALS",
    "S6_CMD_WAIT_FOR_SERVICES",
    "S6_STAGE2_HOOK",
];

/// The largest value of `S6_KILL_GRACETIME` that s6-linux-init takes.
const LONGEST_LAST: u64 = 300_000;

impl OverlayLimits {
    /// The limits of s6-overlay. `None` without s6-overlay. `variable` gives the value of a variable of the container.
    pub fn new(target: &Target, variable: impl Fn(&str) -> Option<String>) -> Option<OverlayLimits> {
        if !target.system.is_overlay() {
            return None;
        }
        // Its scripts take only digits for a number.
        let is_number = |value: &String| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        let number = |name: &str, usual: u64| {
            let value = variable(name).filter(is_number);
            value.map_or(usual, |value| value.parse().unwrap_or(u64::MAX))
        };
        let usual_start = if target.system.has(Feature::NoStartLimit) { 0 } else { 5_000 };
        Some(OverlayLimits {
            start: number("S6_CMD_WAIT_FOR_SERVICES_MAXTIME", usual_start),
            last: number("S6_KILL_GRACETIME", 3_000).min(LONGEST_LAST),
            old_services: number("S6_SERVICES_GRACETIME", 3_000),
            old_stop: number("S6_KILL_FINISH_MAXTIME", 0),
            stops_if_failed: number("S6_BEHAVIOUR_IF_STAGE2_FAILS", 0) >= 2,
            waits_for_command: number("S6_CMD_RECEIVE_SIGNALS", 0) > 0,
            waits_for_old_services: number("S6_CMD_WAIT_FOR_SERVICES", 0) > 0,
            has_hook: variable("S6_STAGE2_HOOK").is_some_and(|value| !value.is_empty()),
        })
    }

    /// How long the stop of the `count` scripts in `cont-finish.d` may take.
    pub(super) fn old_scripts(&self, count: usize) -> Bound {
        match (count, self.old_stop) {
            (0, _) => Bound::Within(0),
            (_, 0) => Bound::Unlimited(Unlimited::OldStop),
            (count, each) => Bound::Within(each.saturating_mul(count as u64)),
        }
    }
}

/// The value of a variable of the container: the last one of `given`, or the one that a Dockerfile sets.
pub fn container_variable(given: &[(String, String)], context: &BuildContext, name: &str) -> Option<String> {
    let given = given.iter().rev().find(|(own, _)| own == name).map(|(_, value)| value.clone());
    given.or_else(|| context.variable(name))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::{OverlayLimits, VARIABLES};
    use crate::model::Target;

    #[test]
    fn the_known_variables_are_those_that_are_read() {
        let read = RefCell::new(Vec::new());
        OverlayLimits::new(&Target::default(), |name| {
            read.borrow_mut().push(name.to_owned());
            None
        });
        let mut read = read.into_inner();
        read.sort();
        let mut known = VARIABLES;
        known.sort_unstable();
        assert_eq!(read, known);
    }
}
