//! Finds the programs and groups of a configuration: what `ServerOptions.read_config` of supervisord does.

use std::collections::{BTreeMap, BTreeSet};

use super::details::{Details, events, socket};
use super::expand::ExpansionNames;
use super::options::SectionOptions;
use super::process::processes;
use super::server::{check_others, supervisord};
use super::values::{self, list};
use super::{
    ConfigGroup, ConfigProgram, ConfigRefusal, ConfigSection, Configuration, ConfiguredPrograms, Known,
    ProgramKind, Setting,
};

impl Configuration {
    /// What supervisord makes of this configuration. Without `[supervisord]` it would not start; here that section may be missing,
    /// and then [`ConfiguredPrograms::supervisord`] is too.
    pub fn programs(&self, known: &Known) -> ConfiguredPrograms {
        let mut programs = ConfiguredPrograms::default();
        programs.supervisord = supervisord(self, known, &mut programs.refusals);
        let mut names = ExpansionNames::new(known, &self.directory);
        for variable in programs.supervisord.iter().flat_map(|options| &options.environment) {
            names.set_variable(&variable.name, variable.value.clone());
        }
        let left = values::MOST_OF_PROCESSES;
        let mut finder = Finder {
            configuration: self,
            known,
            names,
            programs,
            groups: BTreeMap::new(),
            refused: BTreeSet::new(),
            left,
        };
        for (number, section) in self.sections.iter().enumerate() {
            if section.name.starts_with("group:") {
                finder.group(number, section);
            }
        }
        finder.refused.extend(finder.programs.refusals.iter().cloned());
        for (number, section) in self.sections.iter().enumerate() {
            finder.section(number, section);
        }
        check_others(self, &finder.names, &mut finder.programs.refusals);
        finder.programs
    }
}

struct Finder<'c> {
    configuration: &'c Configuration,
    known: &'c Known,
    /// `here` and the environment, with that of `[supervisord]`.
    names: ExpansionNames,
    programs: ConfiguredPrograms,
    /// By the name of a program, the numbers of the groups that name it.
    groups: BTreeMap<String, Vec<usize>>,
    /// What is among the refusals of programs.
    refused: BTreeSet<ConfigRefusal>,
    /// How many bytes of options further processes may have.
    left: usize,
}

/// The words before the colon in the names of sections of programs.
const KINDS: &[(&str, ProgramKind)] = &[
    ("program:", ProgramKind::Program),
    ("fcgi-program:", ProgramKind::FastCgi),
    ("eventlistener:", ProgramKind::EventListener),
];

impl Finder<'_> {
    fn group(&mut self, number: usize, section: &ConfigSection) {
        let mut options = SectionOptions::new(section);
        let name = section_name(&mut options);
        let priority = options.setting("priority", &self.names, 999, values::number);
        let programs = options.text("programs", &self.names).unwrap_or_default();
        let programs = list(&programs.as_written());
        for program in &programs {
            let found = ["program", "fcgi-program"]
                .map(|kind| self.configuration.section(&format!("{kind}:{program}")));
            let origin = options.origin("programs");
            match found {
                [None, None] => options.refuse(origin, format!("there is no program `{program}`")),
                [Some(_), Some(_)] => {
                    options.refuse(origin, format!("`{program}` is both a program and an fcgi-program"));
                }
                _ => {}
            }
        }
        if options.refusals.is_empty() {
            let number_of_group = self.programs.groups.len();
            for program in &programs {
                let groups = self.groups.entry(program.clone()).or_default();
                if groups.last() != Some(&number_of_group) {
                    groups.push(number_of_group);
                }
            }
            self.programs.groups.push(ConfigGroup { section: number, name, programs, priority });
        }
        self.programs.refusals.append(&mut options.refusals);
    }

    /// The groups that name the program of a section, and their priorities.
    fn groups_of(&self, section: &ConfigSection) -> Vec<(String, Setting<i64>)> {
        let Some((_, program)) = section.name.split_once(':').filter(|(kind, _)| *kind != "eventlistener")
        else {
            return Vec::new();
        };
        let groups =
            self.groups.get(program).into_iter().flatten().map(|group| &self.programs.groups[*group]);
        groups.map(|group| (group.name.clone(), group.priority.clone())).collect()
    }

    fn section(&mut self, number: usize, section: &ConfigSection) {
        let kind = KINDS.iter().find(|(start, _)| section.name.starts_with(start));
        let Some((_, kind)) = kind else { return };
        let groups = self.groups_of(section);
        for (group, priority) in &groups {
            self.program(number, section, *kind, Some((group, priority)));
        }
        if groups.is_empty() {
            self.program(number, section, *kind, None);
        }
    }

    fn program(
        &mut self,
        number: usize,
        section: &ConfigSection,
        kind: ProgramKind,
        group: Option<(&String, &Setting<i64>)>,
    ) {
        let mut options = SectionOptions::new(section);
        let name = section_name(&mut options);
        let own = |options: &mut SectionOptions, default| {
            options.setting("priority", &self.names, default, values::number)
        };
        let (group_priority, details) = match (group, kind) {
            // In a group supervisord takes an fcgi-program for a program, and ignores its socket.
            (Some((_, priority)), _) => (priority.clone(), Details::default()),
            (None, ProgramKind::Program) => (own(&mut options, 999), Details::default()),
            (None, ProgramKind::FastCgi) => {
                (own(&mut options, 999), socket(&mut options, &name, &self.names))
            }
            (None, ProgramKind::EventListener) => (own(&mut options, -1), events(&mut options, &self.names)),
        };
        let pool = match (group, kind) {
            (Some((group, _)), _) => group,
            // Blanks around the name of a listener stay in the name of its group.
            (None, ProgramKind::EventListener) => section.name.split_once(':').map_or("", |(_, name)| name),
            (None, _) => &name,
        };
        let found = processes(&mut options, &name, pool, &self.names, self.known, &mut self.left);
        if let Some(found) = found.filter(|_| options.refusals.is_empty()) {
            self.programs.programs.push(ConfigProgram {
                section: number,
                kind,
                group: group.map(|(group, _)| group.clone()),
                group_priority,
                processes: found.processes,
                numprocs_at_run_time: found.numprocs_at_run_time,
                options: found.options,
                socket: details.socket,
                events: details.events,
                name,
            });
        }
        for refusal in options.refusals {
            if self.refused.insert(refusal.clone()) {
                self.programs.refusals.push(refusal);
            }
        }
    }
}

/// The name after the colon in the name of a section.
fn section_name(options: &mut SectionOptions) -> String {
    let name = values::name(options.section.name.split_once(':').map_or("", |(_, name)| name));
    name.unwrap_or_else(|reason| {
        options.refuse(options.heading(), reason);
        String::new()
    })
}
