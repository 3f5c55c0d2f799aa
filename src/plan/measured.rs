//! What really happened at a start, beside its plan.

use std::collections::BTreeMap;
use std::fmt;

use super::moment::Time;
use super::order::Awaited;
use super::timeline::Timeline;
use super::words::chained;
use crate::model::{Kind, Name, Service};

/// When the process of a longrun started, and when it was ready, in milliseconds from the first start of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeasuredTimes {
    /// The start of its process.
    pub started: u64,
    /// When it reported that it is ready.
    pub ready: Option<u64>,
    /// How often it has died. If it has, the other times are those of a later start.
    pub deaths: usize,
}

/// Why the times of oneshots are not exact.
pub const ABOUT_ONESHOTS: &str =
    "s6-rc keeps no times of oneshots: one was done before the first service that waits for it started.";

/// The times of all longruns that run.
pub type MeasuredStart = BTreeMap<Name, MeasuredTimes>;

/// What is known of the start of one service, in milliseconds from the first start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasuredRow {
    /// The position of the service.
    pub row: usize,
    /// The last moment at which something that it waits for came up, and the position of that service.
    pub waited: Option<(u64, usize)>,
    /// When it started.
    pub started: KnownTime,
    /// When its dependents could start.
    pub up: KnownTime,
    /// How often it has died since.
    pub deaths: usize,
    /// Why it is not up, if that is known.
    pub not_up: Option<NotUp>,
}

/// Why a service that starts at boot is not up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotUp {
    /// It has no process: it failed, or it was stopped.
    DoesNotRun,
    /// Its process has not reported that it is ready.
    IsNotReady,
    /// It waits for a service that is not up itself: the one at this position.
    WaitsFor(usize),
}

/// How many milliseconds s6-rc may take to start a service once everything that it waits for is up. If more time passes, the
/// service waited for a oneshot.
const DELAY: u64 = 100;

/// A moment as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownTime {
    /// Exactly.
    At(u64),
    /// Not before the first and not after the second one. s6-rc keeps no times of oneshots: one is done before the first of its
    /// dependents starts.
    Between(u64, u64),
    /// Not at all.
    Unknown,
}

impl KnownTime {
    /// The latest moment that it can be.
    pub fn latest(self) -> Option<u64> {
        match self {
            KnownTime::At(moment) | KnownTime::Between(_, moment) => Some(moment),
            KnownTime::Unknown => None,
        }
    }
}

/// `2.4 s`, `5 ms to 150 ms`, `by 150 ms`, `unknown`.
impl fmt::Display for KnownTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            KnownTime::At(moment) => Time(moment).fmt(f),
            KnownTime::Between(0, latest) => write!(f, "by {}", Time(latest)),
            KnownTime::Between(earliest, latest) => write!(f, "{} to {}", Time(earliest), Time(latest)),
            KnownTime::Unknown => f.write_str("unknown"),
        }
    }
}

impl Timeline<'_> {
    /// What is known of each service that starts at boot, in the order of the start. Services of s6 itself are left out.
    pub fn measured(&self, times: &MeasuredStart) -> Vec<MeasuredRow> {
        let mut by_step: Vec<usize> = (0..self.rows.len()).filter(|row| self.rows[*row].is_at_boot).collect();
        by_step.sort_by_key(|row| self.order.services[*row].step);
        let of = |row: usize| times.get(self.name(row));
        let is_of_s6 =
            |row: usize| self.rows[row].is_background && !self.order.is_logger(&self.order.services[row]);
        let is_oneshot =
            |row: usize| self.service(row).is_some_and(|one| matches!(one.kind, Kind::Oneshot(_)));
        // A longrun that has died since says nothing about the boot.
        let start = |row: usize| of(row).filter(|times| times.deaths == 0).map(|times| times.started);
        let up = |row: usize| match self.rows[row].awaited {
            Awaited::Ready => of(row).filter(|times| times.deaths == 0).and_then(|times| times.ready),
            _ => start(row),
        };
        let mut latest: Vec<Option<u64>> = vec![None; self.rows.len()];
        for row in by_step.iter().rev() {
            let begin = if is_oneshot(*row) { latest[*row] } else { start(*row) };
            for first in self.order.services[*row].after() {
                latest[first] = latest[first].into_iter().chain(begin).min();
            }
        }
        let mut earliest = vec![0; self.rows.len()];
        let mut waited: Vec<Option<(u64, usize)>> = vec![None; self.rows.len()];
        let mut not_up: Vec<Option<NotUp>> = vec![None; self.rows.len()];
        for row in by_step.iter().copied() {
            let after = || self.order.services[row].after();
            // Of several, one that people know is the better answer, and the last one in the order.
            let rank = |(end, row): &(u64, usize)| {
                (*end, !self.rows[*row].is_background, self.order.services[*row].step)
            };
            waited[row] = after().map(|first| (up(first).unwrap_or(earliest[first]), first)).max_by_key(rank);
            earliest[row] = waited[row].map_or(0, |(end, _)| end);
            // s6-rc starts a service as soon as the last one that it waits for is up.
            if let Some(begin) = start(row).filter(|begin| begin.saturating_sub(earliest[row]) > DELAY) {
                let ends_then = |first: &usize| is_oneshot(*first) && latest[*first] == Some(begin);
                let last = after().filter(ends_then).max_by_key(|first| (earliest[*first], *first));
                waited[row] = last.map(|first| (begin, first)).or(waited[row]);
            }
            let failed = after().find(|first| not_up[*first].is_some());
            let waits = failed.map(|first| match not_up[first] {
                Some(further @ NotUp::WaitsFor(_)) if is_of_s6(first) => further,
                _ => NotUp::WaitsFor(first),
            });
            let is_known = !is_of_s6(row) && self.service(row).and_then(Service::longrun).is_some();
            not_up[row] = match of(row) {
                None if is_known => Some(waits.unwrap_or(NotUp::DoesNotRun)),
                None if latest[row].is_none() => waits,
                Some(times) if self.rows[row].awaited == Awaited::Ready && times.ready.is_none() => {
                    Some(NotUp::IsNotReady)
                }
                _ => None,
            };
        }
        let mut rows = Vec::new();
        for row in by_step {
            if is_of_s6(row) {
                continue;
            }
            let (started, is_up) = match (is_oneshot(row), latest[row]) {
                (true, Some(latest)) => {
                    let known = KnownTime::Between(earliest[row].min(latest), latest);
                    (known, known)
                }
                (true, None) => (KnownTime::Unknown, KnownTime::Unknown),
                (false, _) => (
                    start(row).map_or(KnownTime::Unknown, KnownTime::At),
                    up(row).map_or(KnownTime::Unknown, KnownTime::At),
                ),
            };
            // Nobody knows the services of s6: what they waited for themselves is the answer.
            let mut waits = waited[row];
            while let Some((_, first)) = waits.filter(|(_, first)| is_of_s6(*first)) {
                waits = waited[first];
            }
            // A oneshot is known only by what comes after it: then that is what was waited for.
            let waits = waits.filter(|_| !matches!(not_up[row], Some(NotUp::WaitsFor(_))));
            let waits = waits.map(|(end, first)| match is_oneshot(first) {
                true => (latest[first].unwrap_or(end), first),
                false => (end, first),
            });
            let deaths = of(row).map_or(0, |times| times.deaths);
            rows.push(MeasuredRow { row, waited: waits, started, up: is_up, deaths, not_up: not_up[row] });
        }
        rows.sort_by_key(|row| (row.started.latest().unwrap_or(u64::MAX), row.up.latest(), row.row));
        rows
    }

    /// The slowest chain: back from what came up last, each time to what it waited for longest. In the order of time.
    pub fn slowest(&self, rows: &[MeasuredRow]) -> Vec<usize> {
        let by_row: BTreeMap<usize, &MeasuredRow> = rows.iter().map(|row| (row.row, row)).collect();
        let last =
            rows.iter().filter(|row| row.up.latest().is_some()).max_by_key(|row| (row.up.latest(), row.row));
        let mut chain = Vec::new();
        let mut next = last.map(|row| row.row);
        while let Some(row) = next.and_then(|row| by_row.get(&row)) {
            chain.push(row.row);
            next = row.waited.map(|(_, first)| first);
        }
        chain.reverse();
        chain
    }

    /// What else is to be said about a row: that it is not up and why, or that it has died.
    pub fn about_measured(&self, row: &MeasuredRow) -> Option<String> {
        let deaths = match row.deaths {
            0 => None,
            1 => Some("died once: these are not the times of the boot".to_owned()),
            deaths => Some(format!("died {deaths} times: these are not the times of the boot")),
        };
        match row.not_up {
            Some(NotUp::WaitsFor(first)) => Some(format!("not started: it waits for `{}`", self.name(first))),
            Some(NotUp::DoesNotRun) => Some("does not run".into()),
            Some(NotUp::IsNotReady) if row.deaths == 0 => Some("runs, but is not ready".into()),
            Some(NotUp::IsNotReady) | None => deaths,
        }
    }

    /// How long the start took, as a sentence without its subject.
    pub fn measured_verdict(&self, rows: &[MeasuredRow]) -> String {
        let Some(last) = rows.iter().filter_map(|row| row.up.latest()).max() else {
            return "nothing of this plan runs".into();
        };
        match rows.iter().filter(|row| row.not_up.is_some()).count() {
            0 => format!("everything that is known was up after {}", Time(last)),
            1 => format!("1 service is not up; everything else that is known was up after {}", Time(last)),
            n => {
                format!("{n} services are not up; everything else that is known was up after {}", Time(last))
            }
        }
    }

    /// The slowest chain: `a (5 ms to 150 ms) → b (2.4 s)`.
    pub fn slowest_in_words(&self, rows: &[MeasuredRow]) -> String {
        let up =
            |row: usize| rows.iter().find(|other| other.row == row).map_or(KnownTime::Unknown, |row| row.up);
        chained(&self.slowest(rows), |row| format!("{} ({})", self.name(*row), up(*row)))
    }
}
