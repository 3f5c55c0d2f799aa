//! The time line of a start and a stop: when each service may begin and end at the latest.

use super::chain::{ChainLink, chain};
use super::limits::{Conditions, StopLimits, WAIT_FOR_A_PLACE, runs_something};
use super::moment::{Bound, Moment, Unlimited};
use super::order::{Awaited, OrderDirection, StartOrder, steps};
use super::places::crowded;
use super::settings::OverlayLimits;
use crate::model::{Index, Kind, Members, Name, NodeKind, Service};

/// When everything of a system may start and stop at the latest, by its declared limits. Nothing in it is measured.
#[derive(Debug)]
pub struct Timeline<'a> {
    /// What waits for what. The rows have the same positions.
    pub order: StartOrder<'a>,
    /// One row for each atomic service, with the loggers and the services of s6-rc and s6-overlay.
    pub rows: Vec<PlanRow>,
    /// The limits of s6-overlay itself. `None` without s6-overlay.
    pub overlay: Option<OverlayLimits>,
    /// The start of everything that starts at boot.
    pub start: Whole,
    /// The stop of everything, also of what was started on demand, until nothing is left.
    pub stop: Whole,
    /// The end of the last stop of a service. What is left then gets a signal and has `S6_KILL_GRACETIME`, until `stop.end`.
    pub services_stop: Moment,
    /// How long s6 itself may need for the stop, in milliseconds. It is counted after `services_stop`.
    pub own_stop: u64,
    /// All loggers that s6gen made, which texts and pictures show as one row.
    pub loggers: Option<LoggerRow>,
    /// Whether more oneshots may start at once than s6-rc runs at the same time. Some may then wait for a place.
    pub is_crowded: bool,
    /// Whether some of the `nearest` of the rows are left out, because there are millions.
    pub is_cut: bool,
}

/// The whole of a start or a stop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whole {
    /// Its end, at the latest.
    pub end: Moment,
    /// The longest chain, in the order of time; all ties.
    pub chain: Vec<ChainLink>,
    /// What may take for ever, sorted: the reasons, with the positions of the services. The hook and the command of a container are
    /// no services.
    pub unlimited: Vec<(Unlimited, Option<usize>)>,
}

impl Whole {
    /// Whether something may take for ever for this reason.
    pub fn is_unlimited_by(&self, why: Unlimited) -> bool {
        self.unlimited.iter().any(|(other, _)| *other == why)
    }
}

/// One service in the time line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRow {
    /// Whether it starts at boot. The moments of other services count from the request.
    pub is_at_boot: bool,
    /// Its wave, from 1, among the services that start at boot and are shown. 0 for all others.
    pub wave: usize,
    /// Its wave in a stop, from 1, among all services that are shown. 0 for all others.
    pub stop_wave: usize,
    /// Whether it is a logger or belongs to s6-rc or s6-overlay. Texts and pictures show it only if it takes time.
    pub is_background: bool,
    /// What a service that waits for it waits for.
    pub awaited: Awaited,
    /// The positions of what it waits for, without background and without what follows from others.
    pub nearest: Vec<usize>,
    /// The positions of the services whose `nearest` it is.
    pub dependents: Vec<usize>,
    /// Its start.
    pub start: Span,
    /// How long its start may take.
    pub bound: Bound,
    /// Its stop: from the signal, or the start of `down`, to the moment at which its dependencies may stop.
    pub stop: Span,
    /// The parts of its stop. SIGKILL comes at `stop.begin` and `limits.kill`, and then `finish` runs.
    pub limits: StopLimits,
    /// Whether s6-rc leaves it up, because it is essential or an essential service needs it. It stops with what is left.
    pub stays: bool,
    /// The number of services, apart from background, that are not started if it fails: at boot if it starts at boot, else on demand.
    pub needed_by: usize,
}

/// A part of a time line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// When it begins, at the latest.
    pub begin: Moment,
    /// When it ends, at the latest.
    pub end: Moment,
}

/// All loggers together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggerRow {
    /// Their positions.
    pub rows: Vec<usize>,
    /// The positions of those that stop before the end. Those of essential services stay.
    pub stopping: Vec<usize>,
    /// From the first start to the last end.
    pub start: Span,
    /// The longest limit of one start.
    pub bound: Bound,
    /// From the first signal to the last end of those that stop before the end.
    pub stop: Span,
    /// The longest limits of one of these stops.
    pub limits: StopLimits,
}

/// What a plan allows s6 itself at a stop, and for each step of it, in milliseconds. Measured on two busy processors: 200 ms, and
/// 30 ms for each step.
const OWN_STOP: u64 = 500;
const OWN_STEP: u64 = 50;

impl<'a> Timeline<'a> {
    /// The time line of the services of an index that has no cycles. `variable` gives the value of a variable of the container.
    pub fn new(index: &'a Index<'a>, variable: impl Fn(&str) -> Option<String>) -> Self {
        let order = StartOrder::new(index, &[], OrderDirection::Up);
        let overlay = OverlayLimits::new(&index.set().target, variable);
        let old = index.set().context.old_scripts.unwrap_or_default();
        let conditions = Conditions { overlay: overlay.as_ref(), old };
        let service = |row: usize| index.service(order.services[row].node);
        let elsewhere = Service::new(Name::from(""), None, Kind::Unknown);
        let takes_place: Vec<bool> =
            (0..order.services.len()).map(|row| service(row).is_some_and(takes_a_place)).collect();
        let crowded = crowded(&order, &takes_place);
        let (nearest, is_cut) = order.nearest_with_budget();
        let rows = nearest.into_iter().enumerate().map(|(row, nearest)| {
            let ordered = &order.services[row];
            let service = service(row).unwrap_or(&elsewhere);
            let place = match crowded[row] {
                true => Bound::Within(WAIT_FOR_A_PLACE),
                false => Bound::Within(0),
            };
            let limits = conditions.stop(service);
            PlanRow {
                is_at_boot: order.is_at_boot(ordered),
                wave: 0,
                stop_wave: 0,
                is_background: order.is_background(ordered),
                awaited: order.awaited(ordered),
                nearest,
                dependents: Vec::new(),
                start: Span::default(),
                bound: place.then(conditions.start(service)),
                stop: Span::default(),
                limits: StopLimits { kill: place.then(limits.kill), ..limits },
                stays: false,
                needed_by: 0,
            }
        });
        let rows = rows.collect();
        let mut timeline = Timeline {
            order,
            rows,
            overlay,
            start: Whole::default(),
            stop: Whole::default(),
            services_stop: Moment::default(),
            own_stop: 0,
            loggers: None,
            is_crowded: crowded.contains(&true),
            is_cut,
        };
        let mut by_step: Vec<usize> = (0..timeline.rows.len()).collect();
        by_step.sort_by_key(|row| timeline.order.services[*row].step);
        timeline.plan_start(&by_step);
        timeline.plan_stop(&by_step);
        timeline.number_waves();
        timeline.count_dependents(&by_step);
        timeline.loggers = timeline.all_loggers();
        timeline
    }

    /// The service of a row. `None` for one of which only the name is known.
    pub fn service(&self, row: usize) -> Option<&'a Service> {
        self.order.index.service(self.order.services[row].node)
    }

    /// The name of the service of a row.
    pub fn name(&self, row: usize) -> &'a Name {
        self.order.name(&self.order.services[row])
    }

    /// The positions of the services that start at boot and are shown.
    pub fn shown_at_boot(&self) -> Vec<usize> {
        let rows = self.rows.iter().enumerate();
        rows.filter(|(_, row)| row.is_at_boot && !row.is_background).map(|(row, _)| row).collect()
    }

    /// The longest start that s6-overlay waits for. `None` if it has no limit.
    pub fn start_limit(&self) -> Option<u64> {
        self.overlay.as_ref().map(|limits| limits.start).filter(|limit| *limit > 0)
    }

    /// How long the start may take, with the limit of s6-overlay. `None` if nothing limits it.
    pub fn start_within(&self) -> Option<u64> {
        // The hook runs before what s6-overlay limits.
        let is_limited = !self.start.is_unlimited_by(Unlimited::Hook);
        self.start.end.milliseconds().into_iter().chain(self.start_limit()).min().filter(|_| is_limited)
    }

    /// When what is left gets its signal.
    pub fn last_signal(&self) -> Moment {
        self.services_stop.after(Bound::Within(self.own_stop))
    }

    /// How long the stop may take. `None` if nothing limits it.
    pub fn stop_within(&self) -> Option<u64> {
        self.stop.end.milliseconds().filter(|_| !self.stop.is_unlimited_by(Unlimited::Command))
    }

    /// The chain that keeps a service waiting, which is its last link.
    pub fn chain_to(&self, row: usize) -> Vec<ChainLink> {
        let is_at_boot = self.rows[row].is_at_boot;
        let before = |row: usize| self.waits_within(row, is_at_boot);
        chain(
            [row],
            self.rows.len(),
            |row| self.rows[row].start.begin,
            |row| self.rows[row].start.end,
            before,
        )
    }

    /// What a service waits for: at boot everything, on demand only what does not run since the boot.
    fn waits_within(&self, row: usize, is_at_boot: bool) -> Vec<usize> {
        let after = self.order.services[row].after();
        after.filter(|first| self.rows[*first].is_at_boot == is_at_boot).collect()
    }

    fn plan_start(&mut self, by_step: &[usize]) {
        for row in by_step {
            let is_at_boot = self.rows[*row].is_at_boot;
            let ends =
                self.waits_within(*row, is_at_boot).into_iter().map(|first| self.rows[first].start.end);
            let begin = ends.max().unwrap_or_default();
            self.rows[*row].start = Span { begin, end: begin.after(self.rows[*row].bound) };
        }
        let at_boot = || by_step.iter().copied().filter(|row| self.rows[*row].is_at_boot);
        let end = at_boot().map(|row| self.rows[row].start.end).max().unwrap_or_default();
        let last = at_boot().filter(|row| self.rows[*row].start.end == end);
        let span = |row: usize| self.rows[row].start;
        let chain = chain(
            last,
            self.rows.len(),
            |row| span(row).begin,
            |row| span(row).end,
            |row| self.waits_within(row, true),
        );
        let mut unlimited: Vec<_> = at_boot()
            .filter_map(|row| match self.rows[row].bound {
                Bound::Unlimited(why) => Some((why, Some(row))),
                Bound::Within(_) => None,
            })
            .collect();
        if self.overlay.as_ref().is_some_and(|limits| limits.has_hook) {
            unlimited.push((Unlimited::Hook, None));
        }
        unlimited.sort_unstable();
        self.start = Whole { end, chain, unlimited };
    }

    fn plan_stop(&mut self, by_step: &[usize]) {
        self.find_what_stays(by_step);
        let mut unlimited = Vec::new();
        let mut before = vec![Vec::new(); self.rows.len()];
        for row in by_step.iter().rev().copied() {
            let PlanRow { limits, stays, stop, .. } = &mut self.rows[row];
            if *stays {
                continue;
            }
            stop.end = stop.begin.after(limits.whole());
            let end = stop.end;
            if let Bound::Unlimited(why) = limits.whole() {
                unlimited.push((why, Some(row)));
            }
            for first in self.order.services[row].after() {
                let begin = &mut self.rows[first].stop.begin;
                *begin = end.max(*begin);
                before[first].push(row);
            }
        }
        if self.overlay.as_ref().is_some_and(|limits| limits.waits_for_command) {
            unlimited.push((Unlimited::Command, None));
        }
        unlimited.sort_unstable();
        let stopped = || by_step.iter().copied().filter(|row| !self.rows[*row].stays);
        let end = stopped().map(|row| self.rows[row].stop.end).max().unwrap_or_default();
        let last = stopped().filter(|row| self.rows[*row].stop.end == end);
        let span = |row: usize| self.rows[row].stop;
        let chain = chain(
            last,
            self.rows.len(),
            |row| span(row).begin,
            |row| span(row).end,
            |row| before[row].clone(),
        );
        let left = Bound::Within(self.overlay.as_ref().map_or(0, |limits| limits.last));
        let steps = || stopped().map(|row| self.order.services[row].step);
        let steps = steps().max().zip(steps().min()).map_or(0, |(last, first)| last - first + 1);
        if end.after(left) > Moment::default() {
            self.own_stop = OWN_STOP + OWN_STEP * steps as u64;
        }
        self.services_stop = end;
        let end = end.after(Bound::Within(self.own_stop));
        self.stop = Whole { end: end.after(left), chain, unlimited };
        for row in self.rows.iter_mut().filter(|row| row.stays) {
            row.stop = Span { begin: end, end: end.after(left) };
        }
    }

    /// Marks essential services and everything that they need. s6-rc stops none of them without `-D`.
    fn find_what_stays(&mut self, by_step: &[usize]) {
        let index = self.order.index;
        let mut members = Members::new(index);
        let mut position = vec![usize::MAX; index.nodes().count()];
        for (row, service) in self.order.services.iter().enumerate() {
            position[service.node.0] = row;
        }
        for node in index.nodes() {
            if !index.service(node).is_some_and(|service| service.flag_essential) {
                continue;
            }
            match index.kind(node) {
                NodeKind::Bundle => {
                    members.of(node).iter().for_each(|member| self.rows[position[member.0]].stays = true);
                }
                _ => self.rows[position[node.0]].stays = true,
            }
        }
        for row in by_step.iter().rev().copied() {
            if self.rows[row].stays {
                for first in self.order.services[row].after() {
                    self.rows[first].stays = true;
                }
            }
        }
    }

    fn number_waves(&mut self) {
        let is_shown = |row: usize| !self.rows[row].is_background;
        let is_listed = |row: usize| is_shown(row) && self.rows[row].is_at_boot;
        let among = |row: usize| match is_listed(row) {
            true => self.rows[row].nearest.iter().copied().filter(|first| is_listed(*first)).collect(),
            false => Vec::new(),
        };
        let waves = steps(&(0..self.rows.len()).map(among).collect::<Vec<Vec<usize>>>());
        let mut dependents = vec![Vec::new(); self.rows.len()];
        for (row, plan) in self.rows.iter().enumerate().filter(|(row, _)| is_shown(*row)) {
            plan.nearest.iter().for_each(|first| dependents[*first].push(row));
        }
        let stop_waves = steps(&dependents);
        let numbers = waves.into_iter().zip(stop_waves).zip(dependents);
        for (plan, ((wave, stop_wave), dependents)) in self.rows.iter_mut().zip(numbers) {
            if !plan.is_background {
                plan.wave = if plan.is_at_boot { wave } else { 0 };
                plan.stop_wave = stop_wave;
                plan.dependents = dependents;
            }
        }
    }

    /// Counts who waits for each service, at boot or else on demand. Each of 64 services has one bit, so one pass over the edges finds
    /// which of them come before each service.
    fn count_dependents(&mut self, by_step: &[usize]) {
        let (mut bits, mut before) = (vec![0u64; self.rows.len()], vec![0u64; self.rows.len()]);
        let (at_boot, on_demand): (Vec<usize>, Vec<usize>) =
            by_step.iter().partition(|row| self.rows[**row].is_at_boot);
        let alike = [at_boot, on_demand];
        for (all, some) in alike.iter().flat_map(|all| all.chunks(64).map(move |some| (all, some))) {
            bits.fill(0);
            for (number, row) in some.iter().enumerate() {
                bits[*row] = 1 << number;
            }
            for row in by_step {
                let after = &self.order.services[*row].after;
                before[*row] = after.iter().fold(0, |all, (first, _)| all | bits[*first] | before[*first]);
            }
            // The sums of all 64 columns, written in binary: each word has one digit of each sum.
            let mut digits = [0u64; usize::BITS as usize];
            for row in all.iter().filter(|row| !self.rows[**row].is_background) {
                let mut carry = before[*row];
                for digit in &mut digits {
                    if carry == 0 {
                        break;
                    }
                    (*digit, carry) = (*digit ^ carry, *digit & carry);
                }
            }
            for (number, row) in some.iter().enumerate() {
                let ones = digits.iter().enumerate().filter(|(_, digit)| **digit >> number & 1 == 1);
                self.rows[*row].needed_by = ones.map(|(place, _)| 1 << place).sum();
            }
        }
    }

    fn all_loggers(&self) -> Option<LoggerRow> {
        let rows: Vec<usize> =
            (0..self.rows.len()).filter(|row| self.order.is_logger(&self.order.services[*row])).collect();
        let first = self.rows[*rows.first()?].limits;
        let stopping: Vec<usize> = rows.iter().copied().filter(|row| !self.rows[*row].stays).collect();
        let span = |rows: &[usize], of: fn(&PlanRow) -> Span| {
            let spans = || rows.iter().map(|row| of(&self.rows[*row]));
            Span {
                begin: spans().map(|span| span.begin).min().unwrap_or_default(),
                end: spans().map(|span| span.end).max().unwrap_or_default(),
            }
        };
        let nothing = Moment::default();
        let longest = |rows: &[usize], bound: fn(&PlanRow) -> Bound| {
            let bounds = rows.iter().map(|row| bound(&self.rows[*row]));
            bounds.max_by_key(|bound| nothing.after(*bound)).unwrap_or(Bound::Within(0))
        };
        let limits = StopLimits { kill: longest(&stopping, |row| row.limits.kill), ..first };
        let (start, stop) = (span(&rows, |row| row.start), span(&stopping, |row| row.stop));
        let bound = longest(&rows, |row| row.bound);
        Some(LoggerRow { start, bound, stop, limits, rows, stopping })
    }
}

/// Whether s6-rc runs a program for the service as one of its oneshots.
fn takes_a_place(service: &Service) -> bool {
    match &service.kind {
        Kind::Oneshot(oneshot) => {
            runs_something(&oneshot.up) || oneshot.down.as_ref().is_some_and(runs_something)
        }
        _ => false,
    }
}
