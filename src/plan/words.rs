//! A time line in words, which texts and pictures share.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::chain::ChainLink;
use super::moment::{Bound, Moment, Time, Unlimited};
use super::timeline::Timeline;
use crate::model::{Kind, Question, Script, Service};

/// How long a container manager waits for a stop before it kills everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grace {
    /// The milliseconds.
    pub milliseconds: u64,
    /// Whether it is the usual time of Docker, and not one that the user gave.
    pub is_usual: bool,
}

impl Grace {
    /// The time that `docker stop` waits if nobody says otherwise.
    pub const DOCKER: Grace = Grace { milliseconds: 10_000, is_usual: true };
}

/// A part of a chain whose services begin at the same moment and have the same limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainPart {
    /// The services by name, the loggers together, and the end of a stop.
    pub names: Vec<String>,
    /// How long it may take.
    pub bound: Bound,
}

/// How many names a sentence has.
const MOST_NAMES: usize = 4;

/// `a, b, c and 17 more`.
pub fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        names if names.len() > MOST_NAMES => {
            let shown = names[..MOST_NAMES - 1].join(", ");
            format!("{shown} and {} more", names.len() + 1 - MOST_NAMES)
        }
        [one] => one.clone(),
        [names @ .., last] => format!("{} and {last}", names.join(", ")),
    }
}

/// `a and b (60 s) → c (at once)`.
pub fn in_words(chain: &[ChainPart]) -> String {
    let part = |part: &ChainPart| format!("{} ({})", listed(&part.names), part.bound);
    chain.iter().map(part).collect::<Vec<String>>().join(" → ")
}

impl Timeline<'_> {
    /// The names of rows. All loggers have one.
    pub fn names(&self, rows: impl IntoIterator<Item = usize>) -> Vec<String> {
        let mut names = Vec::new();
        let mut loggers = 0;
        for row in rows {
            match self.order.is_logger(&self.order.services[row]) {
                true => loggers += 1,
                false => names.push(self.name(row).to_string()),
            }
        }
        match loggers {
            0 => {}
            1 => names.push("a logger".into()),
            loggers => names.push(format!("{loggers} loggers")),
        }
        names
    }

    /// The longest chain of the start.
    pub fn start_chain(&self) -> Vec<ChainPart> {
        self.parts(&self.start.chain, |row| (self.rows[row].start.begin, self.rows[row].bound))
    }

    /// The longest chain of the stop. What is left is its last part.
    pub fn stop_chain(&self) -> Vec<ChainPart> {
        let mut parts =
            self.parts(&self.stop.chain, |row| (self.rows[row].stop.begin, self.rows[row].limits.whole()));
        parts.retain(|part| !part.bound.is_at_once());
        if let Some(last) = self.overlay.as_ref().map(|limits| limits.last).filter(|last| *last > 0) {
            parts.push(ChainPart { names: vec!["what is left".into()], bound: Bound::Within(last) });
        }
        parts
    }

    /// The parts of a chain, one after the other, so that their times add up. If several chains take as long, it is one of them,
    /// with the services that could stand in the place of one of its own. Services of s6 itself that take no time are left out.
    fn parts(&self, chain: &[ChainLink], of: impl Fn(usize) -> (Moment, Bound)) -> Vec<ChainPart> {
        let is_hidden = |row: usize| self.rows[row].is_background && of(row).1.is_at_once();
        let from: BTreeMap<usize, &[usize]> = chain.iter().map(|link| (link.row, &link.from[..])).collect();
        let leads_on: BTreeSet<usize> = from.values().copied().flatten().copied().collect();
        let mut group: Vec<usize> = from.keys().copied().filter(|row| !leads_on.contains(row)).collect();
        let mut parts = Vec::new();
        // All of a group end at the same moment. The one that begins last has the others before it.
        let order = |row: usize| (of(row).0, !is_hidden(row), Reverse(row));
        while let Some(leader) = group.iter().copied().max_by_key(|row| order(*row)) {
            group.retain(|row| of(*row) == of(leader) && is_hidden(*row) == is_hidden(leader));
            group.sort_unstable();
            if !is_hidden(leader) {
                parts.push(ChainPart { names: self.names(group.iter().copied()), bound: of(leader).1 });
            }
            group = from.get(&leader).map(|from| from.to_vec()).unwrap_or_default();
        }
        parts.reverse();
        parts
    }

    /// How long the start may take, as a sentence without its subject.
    pub fn start_verdict(&self) -> String {
        let own = self.start.end.milliseconds();
        match (own, self.start_limit()) {
            (None, None) => "no upper limit".into(),
            (Some(0), _) => "at once".into(),
            (Some(own), Some(limit)) if own > limit => format!(
                "at most {}, which is S6_CMD_WAIT_FOR_SERVICES_MAXTIME; the services may take {}",
                Time(limit),
                Time(own)
            ),
            (Some(own), _) => format!("at most {}", Time(own)),
            (None, Some(limit)) => format!(
                "at most {}, which is S6_CMD_WAIT_FOR_SERVICES_MAXTIME; the services have no upper limit",
                Time(limit)
            ),
        }
    }

    /// How long the stop may take, as a sentence without its subject.
    pub fn stop_verdict(&self, grace: Option<Grace>) -> String {
        let own = match self.stop_within() {
            Some(0) => "at once".into(),
            Some(own) => format!("at most {}", Time(own)),
            None => "no upper limit".into(),
        };
        let Some(grace) = grace else { return own };
        let time = Time(grace.milliseconds);
        match (self.is_within(grace), grace.is_usual) {
            (true, true) => format!("{own}, within the {time} of `docker stop`"),
            (true, false) => format!("{own}, within the {time} that it gets"),
            (false, true) => format!("{own}, but `docker stop` kills everything after {time}"),
            (false, false) => format!("{own}, but everything is killed after {time}"),
        }
    }

    /// What is not in the times, because nothing limits it.
    pub fn not_counted(&self) -> Vec<&'static str> {
        let asks_a_host = |service: &Service| match &service.kind {
            Kind::Oneshot(oneshot) => matches!(
                &oneshot.check,
                Some(Script::Check(check)) if matches!(check.question, Question::Tcp { .. } | Question::Http { .. })
            ),
            _ => false,
        };
        let hosts = "Not counted, in `wait-for` with the name of a host: the time for looking it up and for further addresses of it.";
        let waits = (0..self.rows.len()).any(|row| self.service(row).is_some_and(asks_a_host));
        let limits = self.overlay.as_ref();
        let command = "With S6_CMD_RECEIVE_SIGNALS, services stop only when the command of the container has ended, and nothing limits that.";
        let old = "With S6_CMD_WAIT_FOR_SERVICES, the start waits for the services in services.d, too, and nothing limits that.";
        let hook = "The program in S6_STAGE2_HOOK runs before the start, and nothing limits it.";
        let all = [
            (limits.is_some_and(|limits| limits.waits_for_command), command),
            (limits.is_some_and(|limits| limits.has_hook), hook),
            (limits.is_some_and(|limits| limits.waits_for_old_services), old),
            (waits, hosts),
        ];
        all.into_iter().filter(|(occurs, _)| *occurs).map(|(_, note)| note).collect()
    }

    /// Whether the stop ends in time.
    pub fn is_within(&self, grace: Grace) -> bool {
        self.stop_within().is_some_and(|own| own <= grace.milliseconds)
    }

    /// Whether the services were read from a tree of definitions.
    pub fn is_tree(&self) -> bool {
        self.order.index.set().ours().any(|service| service.definition().is_some())
    }

    /// Why the start or the stop may take for ever: the names of the services, what they lack, and what to do about it.
    pub fn unlimited(&self, unlimited: &[(Unlimited, usize)]) -> Vec<(Unlimited, Vec<String>)> {
        let same = unlimited.chunk_by(|(one, _), (other, _)| one == other);
        same.map(|rows| (rows[0].0, self.names(rows.iter().map(|(_, row)| *row)))).collect()
    }
}
