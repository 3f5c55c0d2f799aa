//! How long one service may take to start and to stop, from what its definition says.
//!
//! s6-rc gives up on a start after `timeout-up` and on a stop after `timeout-down`. A supervisor sends SIGKILL to the process
//! after `timeout-kill`, and to `finish` after `timeout-finish`. s6-rc runs at most 40 oneshots at the same time; one that gets no
//! place within 30 seconds fails.

use super::moment::{Bound, Unlimited};
use super::settings::OverlayLimits;
use crate::model::{Finish, Kind, Layer, Longrun, OldScripts, Oneshot, OneshotStep, Pause, Script, Service};

/// The parts of a stop, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopLimits {
    /// From the stop signal to SIGKILL, or how long `down` of a oneshot may run.
    pub kill: Bound,
    /// How long `finish` may run, if there is one.
    pub finish: Option<Bound>,
    /// `timeout-down`, after which s6-rc no longer waits for the stop.
    pub given_up: Option<u64>,
}

impl StopLimits {
    const AT_ONCE: StopLimits = StopLimits { kill: Bound::Within(0), finish: None, given_up: None };

    /// How long s6-rc waits in all.
    pub fn whole(&self) -> Bound {
        let whole = self.process();
        self.given_up.map_or(whole, |limit| whole.or_within(limit))
    }

    /// Whether s6-rc may stop waiting, after `timeout-down`, before the service is down.
    pub fn is_given_up(&self) -> bool {
        self.process() != self.whole()
    }

    /// How long the process and its `finish` may take.
    fn process(&self) -> Bound {
        self.kill.then(self.finish.unwrap_or(Bound::Within(0)))
    }
}

/// How long a oneshot waits for a place among them, in milliseconds.
pub(super) const WAIT_FOR_A_PLACE: u64 = 30_000;
/// How long the step of a oneshot may take to end after SIGTERM, if s6gen's own script keeps its limit, in milliseconds. The
/// script looks fifty times, a tenth of a second apart, and each look takes some time.
const LAST_OF_A_STEP: u64 = 6_000;
/// How long s6gen's own `finish` may take for the rest of the process group, in milliseconds. It looks ten times, a tenth of a second
/// apart, and then sends SIGKILL.
const LAST_OF_A_GROUP: u64 = 1_200;
/// How long s6gen's own `finish` may go on waiting for the next start after an order to stop, in milliseconds. It looks once in a
/// second.
const LAST_OF_A_DELAY: u64 = 1_100;
/// How long `finish` may run if nothing is set, in milliseconds.
const USUAL_FINISH: u32 = 5_000;

/// The surroundings of a start or a stop.
pub(super) struct Conditions<'a> {
    pub overlay: Option<&'a OverlayLimits>,
    pub old: OldScripts,
}

impl Conditions<'_> {
    /// How long the start of a service may take.
    pub(super) fn start(&self, service: &Service) -> Bound {
        match (&service.kind, service.layer) {
            (_, Layer::Internal) => Bound::Within(0),
            (Kind::Oneshot(_), Layer::Overlay) => {
                let (scripts, why) = match &service.name {
                    name if *name == *"fix-attrs" => (self.old.attributes, Unlimited::OldAttributes),
                    name if *name == *"legacy-cont-init" => (self.old.start, Unlimited::OldStart),
                    name if *name == *"legacy-services" => return self.old_services(),
                    _ => (0, Unlimited::OldStart),
                };
                if scripts == 0 { Bound::Within(0) } else { Bound::Unlimited(why) }
            }
            (Kind::Oneshot(oneshot), _) => oneshot_start(oneshot),
            (Kind::Longrun(longrun), _) => longrun_start(longrun),
            (Kind::Bundle(_) | Kind::Unknown, _) => Bound::Unlimited(Unlimited::Elsewhere),
        }
    }

    /// How long the start waits for the services in `services.d`. s6-overlay gives its limit of the whole start to this, too.
    fn old_services(&self) -> Bound {
        match self.overlay {
            Some(limits) if limits.waits_for_old_services && self.old.services > 0 => {
                Bound::of(limits.start, Unlimited::OldServices)
            }
            _ => Bound::Within(0),
        }
    }

    /// How long the stop of a service may take.
    pub(super) fn stop(&self, service: &Service) -> StopLimits {
        match (&service.kind, service.layer) {
            (_, Layer::Internal) => StopLimits::AT_ONCE,
            (_, Layer::Overlay) => {
                let kill = match (self.overlay, &service.name) {
                    (Some(limits), name) if *name == *"legacy-services" && self.old.services > 0 => {
                        Bound::Within(limits.old_services)
                    }
                    (Some(limits), name) if *name == *"legacy-cont-init" => limits.old_scripts(self.old.stop),
                    _ => Bound::Within(0),
                };
                StopLimits { kill, ..StopLimits::AT_ONCE }
            }
            (Kind::Oneshot(oneshot), _) => StopLimits {
                kill: match oneshot.down.as_ref().is_some_and(runs_something) {
                    true => Bound::of(oneshot.timeout_down.into(), Unlimited::Stop),
                    false => Bound::Within(0),
                },
                ..StopLimits::AT_ONCE
            },
            (Kind::Longrun(longrun), _) => longrun_stop(longrun),
            (Kind::Bundle(_) | Kind::Unknown, _) => {
                StopLimits { kill: Bound::Unlimited(Unlimited::Elsewhere), ..StopLimits::AT_ONCE }
            }
        }
    }
}

/// Whether a script of a oneshot runs any program. Without one, s6-rc has nothing to wait for.
pub(super) fn runs_something(script: &Script) -> bool {
    match script {
        Script::Verbatim(text) => !text.is_empty(),
        Script::Words(words) => !words.is_empty(),
        Script::Step(step) => step.command.is_some() || step.wait_for.is_some(),
        _ => true,
    }
}

fn longrun_start(longrun: &Longrun) -> Bound {
    match longrun.notification_fd {
        Some(_) => Bound::of(longrun.timeout_up.into(), Unlimited::Start),
        None => Bound::Within(0),
    }
}

fn longrun_stop(longrun: &Longrun) -> StopLimits {
    let limit = longrun.timeout_finish.unwrap_or(USUAL_FINISH).into();
    let kill = Bound::of(longrun.timeout_kill.unwrap_or(0).into(), Unlimited::Kill);
    let finish = longrun.finish.as_ref().map(|script| match (Bound::of(limit, Unlimited::Finish), script) {
        (declared, Script::Finish(finish)) => match own_finish(finish, kill) {
            Some(own) if limit == 0 => Bound::Within(own),
            Some(own) => declared.or_within(own),
            None => declared,
        },
        (declared, _) => declared,
    });
    StopLimits { kill, finish, given_up: (longrun.timeout_down > 0).then_some(longrun.timeout_down.into()) }
}

/// How long s6gen's own `finish` runs at a stop, if it runs nothing that the user wrote: it ends the process group, sees that the
/// service is to be down, and exits. `None` if that is not sure.
///
/// An order to stop may also come when the process has died by itself, while `finish` waits for the next start. Then there is no time
/// for the signal, which is why that part counts only as far as it is longer than `kill`.
fn own_finish(finish: &Finish, kill: Bound) -> Option<u64> {
    let reads_files = !finish.inputs.secrets.is_empty() || !finish.inputs.environment_files.is_empty();
    if finish.command.is_some() || finish.on_exit.is_some() || reads_files {
        return None;
    }
    let group = if finish.stop_group.is_some() { LAST_OF_A_GROUP } else { 0 };
    let delay = if finish.restart_delay.is_some() { LAST_OF_A_DELAY } else { 0 };
    Some(group + kill.milliseconds().map_or(0, |kill| delay.saturating_sub(kill)))
}

fn oneshot_start(oneshot: &Oneshot) -> Bound {
    let own = match &oneshot.up {
        script if !runs_something(script) => return Bound::Within(0),
        Script::Step(step) => all_tries(step, oneshot),
        _ => Bound::Unlimited(Unlimited::Start),
    };
    match oneshot.timeout_up {
        0 => own,
        limit => own.or_within(limit.into()),
    }
}

/// How long all tries of a step may take together, apart from `timeout-up`.
fn all_tries(step: &OneshotStep, oneshot: &Oneshot) -> Bound {
    let one = match (&step.command, &step.wait_for) {
        (None, Some(wait_for)) if step.surroundings.only_if.is_none() => {
            // The last check may begin when the time is just not over yet.
            let check = match &oneshot.check {
                // The script counts whole seconds.
                Some(Script::Check(check)) => u64::from(check.timeout).div_ceil(1_000) * 1_000,
                _ => 0,
            };
            let interval = wait_for.interval.parse::<f64>().unwrap_or(1.0).max(0.0);
            Bound::Within(u64::from(wait_for.limit) * 1_000 + (interval * 1_000.0).ceil() as u64 + check)
        }
        _ => Bound::Unlimited(Unlimited::Start),
    };
    let Some(on_failure) = &step.on_failure else { return one };
    let all = match one {
        Bound::Within(one) => {
            let tries = one.saturating_mul(on_failure.tries.into());
            Bound::Within(tries.saturating_add(pauses(on_failure.pause, on_failure.tries)))
        }
        unlimited => unlimited,
    };
    match on_failure.limit {
        0 => all,
        limit => all.or_within(u64::from(limit) * 1_000 + LAST_OF_A_STEP),
    }
}

/// The milliseconds of all pauses between so many tries. A pause doubles up to the longest one.
fn pauses(pause: Pause, tries: u32) -> u64 {
    let (mut length, mut sum) = (u64::from(pause.first), 0u64);
    let most = u64::from(pause.most);
    let mut left = u64::from(tries.saturating_sub(1));
    while left > 0 && length < most {
        sum = sum.saturating_add(length);
        length = (length * 2).max(1);
        left -= 1;
    }
    sum.saturating_add(most.min(length).saturating_mul(left)).saturating_mul(1_000)
}
