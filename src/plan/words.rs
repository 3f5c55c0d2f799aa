//! A time line in words, which texts and pictures share.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::chain::ChainLink;
use super::moment::{Bound, Moment, Time, Unlimited};
use super::timeline::{Timeline, Whole};
use crate::model::{Kind, Layer, Question, Script, Service};

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

/// How many parts a long chain has at each end of its middle, which is left out.
const MOST_ENDS: usize = 5;

/// `a and b (60 s) → c (at once)`.
pub fn in_words(chain: &[ChainPart]) -> String {
    chained(chain, |part| format!("{} ({})", listed(&part.names), part.bound))
}

/// `a → b → … 5990 more … → y → z`.
pub(super) fn chained<T>(parts: &[T], words: impl Fn(&T) -> String) -> String {
    let all = |parts: &[T]| parts.iter().map(&words).collect::<Vec<String>>().join(" → ");
    if parts.len() <= 2 * MOST_ENDS + 1 {
        return all(parts);
    }
    let (first, rest) = parts.split_at(MOST_ENDS);
    let (left_out, last) = rest.split_at(rest.len() - MOST_ENDS);
    format!("{} → … {} more … → {}", all(first), left_out.len(), all(last))
}

impl Unlimited {
    /// `a and b have no `timeout-up``.
    pub fn sentence(self, names: &[String]) -> String {
        let has = if names.len() == 1 { "has" } else { "have" };
        format!("{} {has} {}", listed(names), self.missing())
    }
}

impl Timeline<'_> {
    /// The names of rows. Loggers that s6gen makes are only counted.
    pub fn names(&self, rows: impl IntoIterator<Item = usize>) -> Vec<String> {
        let mut names = Vec::new();
        let mut loggers = 0;
        for row in rows {
            let longrun = self.service(row).and_then(Service::longrun);
            match longrun.is_some_and(|longrun| matches!(longrun.run, Script::Logger(_))) {
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

    /// The longest chain of the stop. s6 itself and what is left are its last parts.
    pub fn stop_chain(&self) -> Vec<ChainPart> {
        let mut parts =
            self.parts(&self.stop.chain, |row| (self.rows[row].stop.begin, self.rows[row].limits.whole()));
        parts.retain(|part| !part.bound.is_at_once());
        if self.own_stop > 0 {
            parts.push(ChainPart { names: vec!["s6 itself".into()], bound: Bound::Within(self.own_stop) });
        }
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
        let most = match self.start_within() {
            None => return "no upper limit".into(),
            Some(0) => return "at once".into(),
            Some(within) => format!("at most {}", Time(within)),
        };
        let limit = "which is S6_CMD_WAIT_FOR_SERVICES_MAXTIME; the services";
        match (self.start.end.milliseconds(), self.start_limit()) {
            (Some(own), Some(most_of_all)) if own > most_of_all => {
                format!("{most}, {limit} may take {}", Time(own))
            }
            (None, _) => format!("{most}, {limit} have no upper limit"),
            _ => most,
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

    /// What is not in the times of the start.
    pub fn not_counted(&self) -> Option<&'static str> {
        let asks_a_host = |service: &Service| match &service.kind {
            Kind::Oneshot(oneshot) => matches!(
                &oneshot.check,
                Some(Script::Check(check)) if matches!(check.question, Question::Tcp { .. } | Question::Http { .. })
            ),
            _ => false,
        };
        let asks = (0..self.rows.len()).any(|row| self.service(row).is_some_and(asks_a_host));
        asks.then_some(
            "Not counted, in `wait-for` with the name of a host: the time for looking it up and for further addresses of it.",
        )
    }

    /// The keys and variables whose times make up the longest chain of the stop, apart from what is left.
    pub fn stop_keys(&self) -> Vec<&'static str> {
        let mut keys: BTreeSet<&'static str> = BTreeSet::new();
        for link in &self.stop.chain {
            let limits = &self.rows[link.row].limits;
            if limits.whole().is_at_once() {
                continue;
            }
            match self.service(link.row) {
                Some(Service { kind: Kind::Oneshot(_), layer: Layer::Overlay, name, .. }) => {
                    let is_old = *name == *"legacy-services";
                    keys.insert(if is_old { "S6_SERVICES_GRACETIME" } else { "S6_KILL_FINISH_MAXTIME" });
                }
                Some(Service { kind: Kind::Longrun(_), .. }) if limits.is_given_up() => {
                    keys.insert("timeout-down");
                }
                Some(Service { kind: Kind::Longrun(_), .. }) => {
                    keys.extend((!limits.kill.is_at_once()).then_some("timeout-kill"));
                    keys.extend(
                        limits.finish.filter(|finish| !finish.is_at_once()).map(|_| "timeout-finish"),
                    );
                }
                _ => {
                    keys.insert("timeout-down");
                }
            }
        }
        keys.into_iter().rev().collect()
    }

    /// Whether the stop ends in time.
    pub fn is_within(&self, grace: Grace) -> bool {
        self.stop_within().is_some_and(|own| own <= grace.milliseconds)
    }

    /// Whether the services were read from a tree of definitions.
    pub fn is_tree(&self) -> bool {
        self.order.index.set().ours().any(|service| service.definition().is_some())
    }

    /// Why the start or the stop may take for ever: the names of what has no limit, for each reason.
    pub fn unlimited(&self, whole: &Whole) -> Vec<(Unlimited, Vec<String>)> {
        let same = whole.unlimited.chunk_by(|(one, _), (other, _)| one == other);
        same.map(|all| {
            let why = all[0].0;
            let names = self.names(all.iter().filter_map(|(_, row)| *row));
            (why, why.subject().map(str::to_owned).into_iter().chain(names).collect())
        })
        .collect()
    }
}
