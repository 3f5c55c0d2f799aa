//! The order in which services start or stop, and what each of them waits for.

use std::collections::BTreeSet;

use crate::model::{Index, Kind, Layer, Members, Name, Node, NodeKind, Script, Service, Why};

/// Whether an order is that of a start or of a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderDirection {
    /// Services start after their dependencies.
    Up,
    /// Services stop after their dependents.
    Down,
}

/// The state that a service must reach before what waits for it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Awaited {
    /// A oneshot has succeeded.
    Done,
    /// A longrun has reported that it is ready.
    Ready,
    /// The process of a longrun exists: nothing tells when it is ready.
    Forked,
    /// A service of another layer, of which only the name is known, is up.
    Up,
    /// In a stop: the service is down.
    Down,
}

impl Awaited {
    /// The word for it in every output.
    pub fn word(self) -> &'static str {
        match self {
            Awaited::Done => "done",
            Awaited::Ready => "ready",
            Awaited::Forked => "forked",
            Awaited::Up => "up",
            Awaited::Down => "down",
        }
    }
}

/// An atomic service in an order.
#[derive(Debug)]
pub struct OrderedService {
    /// The service.
    pub node: Node,
    /// The number of its step, from 1. Services of one step do not wait for each other.
    pub step: usize,
    /// The positions in the order of what it waits for, sorted. If there are several reasons, a position comes once for each.
    pub after: Vec<(usize, Why)>,
}

impl OrderedService {
    /// The positions of what it waits for, each with all reasons.
    pub fn waits(&self) -> impl Iterator<Item = (usize, &[(usize, Why)])> {
        self.after.chunk_by(|(one, _), (other, _)| one == other).map(|same| (same[0].0, same))
    }

    /// The positions of what it waits for.
    pub fn after(&self) -> impl Iterator<Item = usize> {
        self.waits().map(|(first, _)| first)
    }
}

/// The order of a service set, or of a part of it.
#[derive(Debug)]
pub struct StartOrder<'a> {
    /// The services, looked up.
    pub index: &'a Index<'a>,
    /// Whether it is the order of a start or of a stop.
    pub direction: OrderDirection,
    /// The atomic services, in the order of their nodes.
    pub services: Vec<OrderedService>,
    /// Whether each node starts at boot.
    boot: Vec<bool>,
    /// Whether each node is a logger.
    loggers: Vec<bool>,
}

/// How many dependencies of services that are not shown are passed on to others. If thousands of services wait for one that
/// waits for thousands, the lists would need too much memory.
const MOST_PASSED: usize = 1 << 21;

impl<'a> StartOrder<'a> {
    /// The order of `names` with all their dependencies, or for stops with all their dependents. Without names it has all
    /// services.
    pub fn new(index: &'a Index<'a>, names: &[Node], direction: OrderDirection) -> Self {
        let mut members = Members::new(index);
        let mut after: Vec<Vec<(Node, Why)>> =
            index.nodes().map(|node| waits(index, node, &mut members)).collect();
        let loggers = loggers(index, &after);
        // `top` is a bundle of s6-overlay. Elsewhere a service may have this name.
        let is_overlay = index.set().target.system.is_overlay();
        let boot = ["top", "default"].iter().skip(usize::from(!is_overlay));
        let boot = boot.copied().find_map(|name| index.find(&Name::from(name)));
        let boot = match boot {
            Some(start) => closure(&after, index.atomics(start)),
            None => vec![true; after.len()],
        };
        if direction == OrderDirection::Down {
            let mut reversed = vec![Vec::new(); after.len()];
            for (number, needed) in after.iter().enumerate() {
                for (first, why) in needed {
                    reversed[first.0].push((Node(number), *why));
                }
            }
            after = reversed;
        }
        let is_shown = match names {
            [] => vec![true; after.len()],
            names => closure(&after, names.iter().flat_map(|name| index.atomics(*name))),
        };
        let drawn: Vec<Node> =
            index.nodes().filter(|node| is_shown[node.0] && index.kind(*node) != NodeKind::Bundle).collect();
        let mut position = vec![0; after.len()];
        for (number, node) in drawn.iter().enumerate() {
            position[node.0] = number;
        }
        let service = |node: &Node| OrderedService {
            node: *node,
            step: 0,
            after: after[node.0].iter().map(|(first, why)| (position[first.0], *why)).collect(),
        };
        let mut services: Vec<OrderedService> = drawn.iter().map(service).collect();
        let after: Vec<Vec<usize>> = services.iter().map(|service| service.after().collect()).collect();
        for (service, step) in services.iter_mut().zip(steps(&after)) {
            service.step = step;
        }
        StartOrder { index, direction, services, boot, loggers }
    }

    /// The part of the order with the services for which `is_kept` is true, at their positions, and the waits between them.
    #[must_use]
    pub fn only(&self, is_kept: &[bool]) -> StartOrder<'a> {
        let mut position = vec![None; self.services.len()];
        let kept = (0..self.services.len()).filter(|number| is_kept[*number]);
        kept.clone().enumerate().for_each(|(new, old)| position[old] = Some(new));
        let services = kept.map(|old| {
            let OrderedService { node, step, after } = &self.services[old];
            let after = after.iter().filter_map(|(first, why)| Some((position[*first]?, *why))).collect();
            OrderedService { node: *node, step: *step, after }
        });
        let (boot, loggers) = (self.boot.clone(), self.loggers.clone());
        StartOrder { services: services.collect(), boot, loggers, ..*self }
    }

    /// The name of a service.
    pub fn name(&self, service: &OrderedService) -> &'a Name {
        self.index.name(service.node)
    }

    /// Whether a service starts at boot.
    pub fn is_at_boot(&self, service: &OrderedService) -> bool {
        self.boot[service.node.0]
    }

    /// The state that a service must reach before its dependents start, or before its dependencies stop.
    pub fn awaited(&self, service: &OrderedService) -> Awaited {
        if self.direction == OrderDirection::Down {
            return Awaited::Down;
        }
        match self.index.service(service.node).map(|service| &service.kind) {
            Some(Kind::Oneshot(_)) => Awaited::Done,
            Some(Kind::Longrun(longrun)) if longrun.notification_fd.is_some() => Awaited::Ready,
            Some(Kind::Longrun(_)) if self.index.layer(service.node) == Layer::Internal => Awaited::Ready,
            Some(Kind::Longrun(_)) => Awaited::Forked,
            _ => Awaited::Up,
        }
    }

    /// Whether texts and pictures leave the service out: loggers, and services of s6-rc and s6-overlay. Almost every service
    /// waits for them.
    pub fn is_background(&self, ordered: &OrderedService) -> bool {
        let Some(service) = self.index.service(ordered.node) else { return true };
        self.is_logger(ordered) || matches!(service.layer, Layer::Internal | Layer::Overlay)
    }

    /// Whether the service only reads what others write: a logger that s6gen makes, or the last service of a pipeline for
    /// which nothing else waits.
    pub fn is_logger(&self, service: &OrderedService) -> bool {
        self.is_logger_at(service.node)
    }

    /// The same, for a node.
    pub fn is_logger_at(&self, node: Node) -> bool {
        self.loggers[node.0]
    }

    /// The positions of what each service waits for only because its logger does, in order.
    pub fn for_logs(&self) -> Vec<Vec<usize>> {
        let is_logger = |position: usize| self.is_logger(&self.services[position]);
        let mut budget = Some(MOST_PASSED);
        let waits = |service: &OrderedService| {
            let own: BTreeSet<usize> = service.after().collect();
            let all = self.through(service, is_logger, &mut budget).into_iter();
            all.filter(|first| !own.contains(first)).collect()
        };
        self.services.iter().map(waits).collect()
    }

    /// The positions of what a service waits for, in order, with the dependencies of those for which `passes` is true. Each of
    /// these costs one of the `budget`, which is `None` once it was too small.
    fn through(
        &self,
        service: &OrderedService,
        passes: impl Fn(usize) -> bool,
        budget: &mut Option<usize>,
    ) -> Vec<usize> {
        let mut found = BTreeSet::new();
        let mut todo: Vec<usize> = service.after().collect();
        while let Some(first) = todo.pop() {
            if found.insert(first) && passes(first) {
                let further: Vec<usize> = self.services[first].after().collect();
                *budget = budget.and_then(|left| left.checked_sub(further.len()));
                if budget.is_some() {
                    todo.extend(further);
                }
            }
        }
        found.into_iter().collect()
    }

    /// The positions of what each service waits for, also through services of s6 itself, but not through loggers.
    pub fn past_own(&self) -> Vec<Vec<usize>> {
        let is_own = |position: usize| {
            let service = &self.services[position];
            self.is_background(service) && !self.is_logger(service)
        };
        let mut budget = Some(MOST_PASSED);
        self.services.iter().map(|service| self.through(service, is_own, &mut budget)).collect()
    }

    /// The positions of what each service waits for, without background services, and without those that it also waits for
    /// through another one.
    pub fn nearest(&self) -> Vec<Vec<usize>> {
        self.nearest_with_budget().0
    }

    /// As [`StartOrder::nearest`], and whether some are left out, because there are millions.
    pub(super) fn nearest_with_budget(&self) -> (Vec<Vec<usize>>, bool) {
        let is_shown: Vec<bool> = self.services.iter().map(|service| !self.is_background(service)).collect();
        // What starts late waits for `legacy-services`, which waits for everything else.
        let passes = |position: usize| !is_shown[position];
        let mut budget = Some(MOST_PASSED);
        let mut nearest: Vec<Vec<usize>> =
            self.services.iter().map(|service| self.through(service, passes, &mut budget)).collect();
        nearest.iter_mut().for_each(|firsts| firsts.retain(|first| is_shown[*first]));
        // Only a service with an earlier step than another one of the same list can be left out, because the other one waits
        // for it. For all others there is nothing to find out.
        let mut doubtful = BTreeSet::new();
        for firsts in &nearest {
            let last = firsts.iter().map(|first| self.services[*first].step).max().unwrap_or(0);
            doubtful.extend(firsts.iter().filter(|first| self.services[**first].step < last));
        }
        let mut order: Vec<usize> = (0..self.services.len()).collect();
        order.sort_by_key(|service| self.services[*service].step);
        // Each of 64 services has one bit, so one pass over the edges finds which of them come before each service.
        let (mut bits, mut before) = (vec![0u64; order.len()], vec![0u64; order.len()]);
        let doubtful: Vec<usize> = doubtful.into_iter().collect();
        for some in doubtful.chunks(64) {
            bits.fill(0);
            for (number, service) in some.iter().enumerate() {
                bits[*service] = 1 << number;
            }
            for service in &order {
                before[*service] = self.services[*service]
                    .after
                    .iter()
                    .fold(0, |all, (first, _)| all | bits[*first] | before[*first]);
            }
            for firsts in &mut nearest {
                let implied = firsts.iter().fold(0, |all, first| all | before[*first]);
                firsts.retain(|first| bits[*first] & implied == 0);
            }
            before.fill(0);
        }
        (nearest, budget.is_none())
    }
}

/// What s6gen adds to the name of a service for a logger that is no part of a pipeline.
const OTHER_LOGGERS: &[&[u8]] = &[b"-err-log", b"-show"];

/// Whether each node is a logger.
fn loggers(index: &Index<'_>, after: &[Vec<(Node, Why)>]) -> Vec<bool> {
    let (mut reads, mut is_needed, mut is_named) =
        (vec![false; after.len()], vec![false; after.len()], vec![false; after.len()]);
    // What starts late waits for `legacy-services` of s6-overlay, which waits for everything else.
    let is_ours = |number: &usize| !matches!(index.layer(Node(*number)), Layer::Internal | Layer::Overlay);
    for number in (0..after.len()).filter(is_ours) {
        let (name, waits) = (index.name(Node(number)).as_bytes(), &after[number]);
        for same in waits.chunk_by(|(one, _), (other, _)| one == other) {
            let first = same[0].0;
            match same.iter().any(|(_, why)| *why == Why::Consumer) {
                true => reads[first.0] = true,
                false => is_needed[first.0] = true,
            }
            // Of definitions that were built earlier only the name says it.
            let suffix = index.name(first).as_bytes().strip_prefix(name);
            is_named[first.0] |= suffix.is_some_and(|suffix| OTHER_LOGGERS.contains(&suffix));
        }
    }
    let is_logger = |node: Node| {
        let longrun = index.service(node).and_then(Service::longrun);
        longrun.is_some_and(|longrun| matches!(longrun.run, Script::Logger(_)) || is_named[node.0])
            || reads[node.0] && !is_needed[node.0]
    };
    index.nodes().map(is_logger).collect()
}

/// The atomic services that a service waits for, with the reasons, in order. A bundle itself waits for nothing.
fn waits(index: &Index<'_>, node: Node, members: &mut Members<'_>) -> Vec<(Node, Why)> {
    let mut waits = Vec::new();
    if index.kind(node) == NodeKind::Bundle {
        return waits;
    }
    for edge in index.edges(node) {
        match index.kind(edge.to) {
            NodeKind::Bundle => waits.extend(members.of(edge.to).iter().map(|member| (*member, edge.why))),
            _ => waits.push((edge.to, edge.why)),
        }
    }
    waits.sort_unstable();
    waits.dedup();
    waits
}

/// Whether each node is in `start`, or must come before a node of `start`.
fn closure(after: &[Vec<(Node, Why)>], start: impl IntoIterator<Item = Node>) -> Vec<bool> {
    let mut closed = vec![false; after.len()];
    let mut todo: Vec<Node> = start.into_iter().collect();
    while let Some(node) = todo.pop() {
        if !std::mem::replace(&mut closed[node.0], true) {
            todo.extend(after[node.0].iter().map(|(first, _)| *first));
        }
    }
    closed
}

/// The step of each service of a list, in which each has the positions of what it waits for: one more than the largest step
/// that it waits for. In a cycle, counting begins at the first service that is reached.
pub fn steps(after: &[Vec<usize>]) -> Vec<usize> {
    let mut steps = vec![0; after.len()];
    let mut is_open = vec![false; after.len()];
    for start in 0..after.len() {
        let mut todo = vec![(start, false)];
        while let Some((service, done)) = todo.pop() {
            if done {
                is_open[service] = false;
                steps[service] = after[service].iter().map(|first| steps[*first]).max().unwrap_or(0) + 1;
            } else if steps[service] == 0 && !std::mem::replace(&mut is_open[service], true) {
                todo.push((service, true));
                let next = after[service].iter().filter(|first| steps[**first] == 0 && !is_open[**first]);
                todo.extend(next.map(|first| (*first, false)));
            }
        }
    }
    steps
}
