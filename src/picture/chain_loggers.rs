//! The loggers of the longest chain, which are drawn on the rows of their services.

use std::collections::BTreeMap;

use crate::plan::{ChainLink, Moment, PlanRow, Span, Timeline};

/// The loggers of a chain. Each is drawn on the row of the service that it waits for, or that waits for it.
pub(super) struct ChainLoggers {
    /// The service of each logger.
    owners: BTreeMap<usize, usize>,
    /// The loggers of each service, in the order of the chain.
    loggers: BTreeMap<usize, Vec<usize>>,
}

impl ChainLoggers {
    pub(super) fn new(timeline: &Timeline<'_>, chain: &[ChainLink]) -> Self {
        let services = &timeline.order.services;
        let is_logger = |row: usize| timeline.order.is_logger(&services[row]);
        let mut owners = BTreeMap::new();
        for link in chain.iter().filter(|link| !is_logger(link.row)) {
            for first in services[link.row].after().filter(|first| is_logger(*first)) {
                owners.entry(first).or_insert(link.row);
            }
        }
        let mut loggers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for link in chain.iter().filter(|link| is_logger(link.row)) {
            if let Some(owner) = owners.get(&link.row) {
                loggers.entry(*owner).or_default().push(link.row);
            }
        }
        ChainLoggers { owners, loggers }
    }

    /// The service whose row stands for a link of the chain.
    pub(super) fn row(&self, timeline: &Timeline<'_>, row: usize) -> Option<usize> {
        let is_logger = timeline.order.is_logger(&timeline.order.services[row]);
        if is_logger { self.owners.get(&row).copied() } else { Some(row) }
    }

    /// What the loggers of a service add to the chain on its row: each span once.
    pub(super) fn spans(&self, timeline: &Timeline<'_>, row: usize, of: fn(&PlanRow) -> Span) -> Vec<Span> {
        let loggers = self.loggers.get(&row).into_iter().flatten();
        let mut spans: Vec<Span> = loggers.map(|logger| of(&timeline.rows[*logger])).collect();
        spans.dedup();
        spans
    }

    /// The rows of the links between which the chain goes from one row to another, and when.
    pub(super) fn joins(
        &self,
        timeline: &Timeline<'_>,
        chain: &[ChainLink],
        of: fn(&PlanRow) -> Span,
    ) -> Vec<(usize, usize, Moment)> {
        let mut joins: Vec<(usize, usize, Moment)> = chain
            .iter()
            .flat_map(|link| link.from.iter().map(|from| (*from, link.row)))
            .filter_map(|(from, to)| {
                let rows = (self.row(timeline, from)?, self.row(timeline, to)?);
                (rows.0 != rows.1).then(|| (rows.0, rows.1, of(&timeline.rows[to]).begin))
            })
            .collect();
        joins.sort_unstable();
        joins.dedup();
        joins
    }
}
