//! Groups become bundles, and programs that others wait for until they have ended become oneshots.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Fate;
use super::Importer;
use super::names::service_name;
use crate::manifest::draft::{DraftTable, DraftValue};

impl Importer<'_> {
    /// Makes the bundles.
    pub(super) fn groups(&mut self) {
        self.steps();
        self.rename_dependencies();
        let mut taken: BTreeSet<String> = self.services.iter().map(|service| service.name.clone()).collect();
        let imported: BTreeSet<String> =
            self.services.iter().map(|service| service.program.clone()).collect();
        let programs = self.programs;
        for group in &programs.groups {
            let members: Vec<String> = self.names_of(&group.programs);
            self.fates.set(
                group.section,
                "priority",
                Fate::Emulated,
                "the order of the file",
                "it takes the place of the priorities of its programs",
            );
            let is_missing = |program: &&str| !imported.contains(*program);
            let missing: Vec<&str> = group.programs.iter().map(String::as_str).filter(is_missing).collect();
            if !missing.is_empty() {
                let remark = format!("not imported, and so not in it: {}", missing.join(", "));
                self.fates.set(group.section, "programs", Fate::Lost, "", remark);
            }
            if members.len() < 2 {
                let remark = "it has one program, so it needs no name of its own";
                self.fates.set(group.section, "programs", Fate::Exact, "", remark);
                continue;
            }
            let name = service_name(&group.name, "-group", &taken);
            if name != group.name {
                self.remarks.push(format!(
                    "the group `{}` is the bundle `{name}`, because that name is taken",
                    group.name
                ));
            }
            taken.insert(name.clone());
            let mut table = DraftTable::new(&["bundle", &name]);
            table.set("contents", members);
            self.bundles.push(table);
            let remark = format!("`s6gen start {name}` in place of `supervisorctl start {}:*`", group.name);
            self.fates.set(group.section, "programs", Fate::Exact, &format!("[bundle.{name}]"), remark);
        }
    }

    /// The services of programs.
    fn names_of(&self, programs: &[String]) -> Vec<String> {
        let mut services: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
        for service in &self.services {
            services.entry(&service.program).or_default().push(&service.name);
        }
        let mut known = BTreeSet::new();
        let found = programs.iter().filter_map(|program| services.get(program.as_str())).flatten();
        let names: Vec<String> =
            found.filter(|name| known.insert(**name)).map(|name| (*name).clone()).collect();
        names
    }

    /// A program that others wait for until it has ended is a step.
    fn steps(&mut self) {
        let steps = self.listening.steps.clone();
        for service in &mut self.services {
            if !steps.contains(&service.program) && !steps.contains(&service.name) {
                continue;
            }
            service.is_oneshot = true;
            self.known_once.remove(&service.name);
            service.is_started = true;
            service.table.path[0] = "oneshot".to_owned();
            service.table.entries.retain(|entry| {
                let name = entry.key[0].as_str();
                !matches!(
                    name,
                    "on-exit"
                        | "timeout-kill"
                        | "down-signal"
                        | "stop-group"
                        | "flag-timeout-killpg"
                        | "start"
                )
            });
            for entry in service.table.entries.iter_mut().filter(|entry| entry.key[0] == "run") {
                entry.key[0] = "up".to_owned();
            }
            let remark = "other programs wait until it has ended, so it is a oneshot: it must end by itself";
            self.fates.replace(service.section, "command", Fate::Exact, "up", remark);
            for option in [
                "autorestart",
                "startsecs",
                "startretries",
                "exitcodes",
                "stopsignal",
                "stopwaitsecs",
                "stopasgroup",
                "killasgroup",
            ] {
                let remark = "a oneshot ends by itself, and is not started again";
                self.fates.replace(service.section, option, Fate::NoEffect, "", remark);
            }
        }
    }

    /// Dependencies name programs; services may have other names.
    fn rename_dependencies(&mut self) {
        let mut known: BTreeMap<String, String> = BTreeMap::new();
        for service in &self.services {
            for name in [&service.program, &service.name] {
                known.entry(name.clone()).or_insert_with(|| service.name.clone());
            }
        }
        for service in &mut self.services {
            for entry in service.table.entries.iter_mut().filter(|entry| entry.key[0] == "dependencies") {
                let DraftValue::List(list) = &mut entry.value else { continue };
                list.retain_mut(|value| {
                    let DraftValue::Text(text) = value else { return true };
                    let found = known.get(text);
                    if let Some(name) = found {
                        text.clone_from(name);
                    }
                    found.is_some()
                });
            }
        }
    }
}
