//! Orders the tables of services that share a logger: it is named after the first one, and lists them in this order.

use std::collections::BTreeMap;

use super::facts::Facts;
use crate::manifest::draft::DraftTable;
use crate::model::Name;

/// Puts the tables into an order in which s6gen makes the same loggers again, and otherwise keeps their order.
pub(super) fn sort(facts: &Facts<'_>, tables: &mut Vec<DraftTable>) {
    let places: BTreeMap<String, usize> =
        tables.iter().enumerate().filter_map(|(at, table)| Some((table.path.last()?.clone(), at))).collect();
    let mut before: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (first, second) in facts.logger_orders() {
        if let (Some(first), Some(second)) = (places.get(&first), places.get(&second)) {
            before.entry(*second).or_default().push(*first);
        }
    }
    if before.iter().all(|(second, firsts)| firsts.iter().all(|first| first < second)) {
        return;
    }
    let mut left: Vec<usize> = (0..tables.len()).collect();
    let mut placed = vec![false; tables.len()];
    let mut sorted = Vec::with_capacity(tables.len());
    while !left.is_empty() {
        let is_free =
            |at: &usize| before.get(at).is_none_or(|firsts| firsts.iter().all(|first| placed[*first]));
        // In a circle there is no right order.
        let next = left.remove(left.iter().position(is_free).unwrap_or(0));
        placed[next] = true;
        sorted.push(tables[next].clone());
    }
    *tables = sorted;
}

impl Facts<'_> {
    /// Pairs of services of which the first must come first, because of the loggers that s6gen generated.
    fn logger_orders(&self) -> Vec<(String, String)> {
        let mut owners: BTreeMap<&Name, String> = BTreeMap::new();
        let mut loggers: Vec<(&Name, Vec<String>)> = Vec::new();
        let owner = |name: &Name| self.logger_owner(name).unwrap_or_else(|| name.to_string());
        for service in self.ours() {
            let Some(longrun) = service.longrun() else { continue };
            if self.logger_owner(&service.name).is_none() {
                continue;
            }
            let producers = longrun.consumer_for.iter().map(|producer| &producer.name);
            for producer in producers.clone() {
                owners.insert(producer, owner(&service.name));
            }
            loggers.push((&service.name, producers.map(owner).collect()));
        }
        let in_a_row = loggers
            .iter()
            .flat_map(|(_, producers)| producers.windows(2).map(|two| (two[0].clone(), two[1].clone())));
        // Two loggers cannot wait for producers of each other: the first one does.
        let waiting = loggers.iter().flat_map(|(logger, _)| {
            let dependencies = self.longrun(logger).map_or(&[][..], |longrun| &longrun.dependencies);
            dependencies
                .iter()
                .filter_map(|dependency| Some((owner(logger), owners.get(&dependency.name)?.clone())))
        });
        // A logger of errors, which has no pipeline, is named after the first service whose errors it gets.
        let owner_of_errors = |logger: &Name| {
            self.longrun(logger)?.consumer_for.is_empty().then(|| self.logger_owner(logger))?
        };
        let errors = self.ours().flat_map(|service| {
            let dependencies = service.dependencies().iter();
            dependencies.filter_map(|logger| Some((owner_of_errors(&logger.name)?, service.name.to_string())))
        });
        in_a_row.chain(waiting).chain(errors).filter(|(first, second)| first != second).collect()
    }
}
