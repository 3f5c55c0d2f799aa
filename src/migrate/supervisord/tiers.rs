//! Priorities: the order in which supervisord starts programs, and in which it stops them one after the other.

use std::collections::BTreeMap;

use super::super::Fate;
use super::Importer;
use crate::manifest::draft::DraftTable;

impl Importer<'_> {
    /// Sorts the services by priority, and makes dependencies of it if the user asked for that.
    pub(super) fn tiers(&mut self) {
        self.services.sort_by_key(|service| service.priority);
        let mut tiers: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for service in &self.services {
            tiers.entry(service.priority).or_default().push(service.name.clone());
        }
        let (fate, becomes, remark) = match (tiers.len() > 1, self.request.priority_as_dependencies) {
            (false, _) => (Fate::Exact, "", ""),
            (true, true) => (
                Fate::Emulated,
                "dependencies",
                "each priority waits for the one below it, also when it stops",
            ),
            (true, false) => (
                Fate::Emulated,
                "the order of the file",
                "all start at once, as far as `dependencies` allow, and all stop at once",
            ),
        };
        let sections: Vec<usize> = self.services.iter().map(|service| service.section).collect();
        for section in sections {
            self.fates.set(section, "priority", fate, becomes, remark);
        }
        if tiers.len() < 2 {
            return;
        }
        match self.request.priority_as_dependencies {
            true => self.depend_on_tiers(&tiers),
            false => self.remarks.push(stop_order(&tiers)),
        }
    }

    /// Each service depends on the bundle of the next lower priority.
    fn depend_on_tiers(&mut self, tiers: &BTreeMap<i64, Vec<String>>) {
        let mut below: Option<String> = None;
        for priority in tiers.keys() {
            let of_tier = self.services.iter_mut().filter(|service| service.priority == *priority);
            let mut started = Vec::new();
            for service in of_tier {
                // A program that says itself what it waits for may wait for one of a higher priority.
                if let Some(below) = below.as_ref().filter(|_| !service.has_key("dependencies")) {
                    service.set("dependencies", vec![below.clone()]);
                }
                if service.is_started {
                    started.push(service.name.clone());
                }
            }
            if tiers.keys().next_back() != Some(priority) && !started.is_empty() {
                let name = format!("priority-{priority}");
                let mut table = DraftTable::new(&["bundle", &name]);
                table.set("contents", started);
                self.bundles.push(table);
                below = Some(name);
            }
        }
    }
}

/// What is lost of the order.
fn stop_order(tiers: &BTreeMap<i64, Vec<String>>) -> String {
    let order: Vec<String> = tiers.values().rev().map(|names| names.join(", ")).collect();
    format!(
        "supervisord stopped the programs one priority after the other: {}. s6 stops all at once, and what depends on a \
         service before it: write `dependencies` where the order matters, or import with --priority=deps",
        order.join("; then ")
    )
}
