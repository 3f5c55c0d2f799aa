//! What limits the start and the stop of a service, and what happens after a limit, in words.

use crate::model::{Kind, Layer, Longrun, Oneshot, Script, Service};
use crate::plan::Time;

/// Each limit with its name.
pub(super) fn limits(service: &Service) -> Vec<(&'static str, String)> {
    match &service.kind {
        Kind::Oneshot(oneshot) => {
            let mut limits = vec![("up", step(oneshot))];
            if oneshot.down.is_some() {
                limits.push(("down", limited(oneshot.timeout_down, "takes", "then the stop fails")));
            }
            limits
        }
        Kind::Longrun(longrun) if service.layer == Layer::Ours => {
            let mut limits = vec![("start", start(longrun)), ("stop", stop(longrun))];
            if longrun.finish.is_some() {
                let finish = longrun.timeout_finish.unwrap_or(5000);
                limits.push(("finish", limited(finish, "takes", "then it is killed")));
            }
            limits
        }
        _ => Vec::new(),
    }
}

fn step(oneshot: &Oneshot) -> String {
    let on_failure = match &oneshot.up {
        Script::Step(step) => step.on_failure.as_ref(),
        _ => None,
    };
    let then = match on_failure.map(|on_failure| on_failure.then) {
        Some("ignore") => "then it is ended and counts as done",
        Some("stop-container") => "then the container stops",
        _ => "then the start fails",
    };
    // If a failure is ignored, s6gen's own script keeps the limit.
    let own = on_failure.map_or(0, |on_failure| on_failure.limit.saturating_mul(1000));
    limited(if own > 0 { own } else { oneshot.timeout_up }, "takes", then)
}

fn start(longrun: &Longrun) -> String {
    let late = match &longrun.run {
        Script::Run(run) => run.late,
        _ => None,
    };
    match (&longrun.notification_fd, late) {
        (None, _) => "up as soon as its process exists".to_owned(),
        (_, Some(late)) if late.goes_on => limited(late.limit, "is ready after", "then it counts as ready"),
        (_, Some(late)) => limited(late.limit, "is ready after", "then the container stops"),
        (_, None) => limited(longrun.timeout_up, "is ready after", "then the start fails"),
    }
}

fn stop(longrun: &Longrun) -> String {
    let signal = longrun.down_signal.as_deref().unwrap_or(b"SIGTERM");
    let signal = String::from_utf8_lossy(signal).trim().to_owned();
    match longrun.timeout_kill.unwrap_or(0) {
        0 => format!("{signal}, and s6 waits for its end without a limit"),
        limit => format!("{signal}, and SIGKILL after {}", Time(limit.into())),
    }
}

fn limited(limit: u32, verb: &str, then: &str) -> String {
    match limit {
        0 => format!("{verb} any time: it has no limit"),
        limit => format!("{verb} at most {}, {then}", Time(limit.into())),
    }
}
