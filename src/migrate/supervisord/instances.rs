//! The names of services, and the instances of programs with several processes.

use super::super::Fate;
use super::Importer;
use super::names::service_name;
use super::service::DraftService;
use super::text::{Texts, formatted, parameter};
use crate::manifest::draft::DraftValue;
use crate::supervisord::ConfigProgram;

impl Importer<'_> {
    /// The name of the service, or of the template, and the format of the number in the names of its instances.
    pub(super) fn name(&mut self, program: &ConfigProgram, is_template: bool) -> (String, String) {
        let process =
            program.processes.first().map_or(program.name.as_str(), |process| process.name.as_str());
        let format = self.number_format(program);
        let old = match is_template {
            false => process,
            true => {
                // The part before the number, if the number is last.
                let number = program.processes.first().map_or(0, |process| process.number);
                process
                    .strip_suffix(&formatted(number, &format))
                    .and_then(|start| start.strip_suffix('-'))
                    .unwrap_or(&program.name)
            }
        };
        let suffix = program.group.as_ref().map_or_else(|| "-svc".to_owned(), |group| format!("-{group}"));
        let mut name = service_name(old, &suffix, &self.names);
        let numbers = program
            .processes
            .iter()
            .map(|process| formatted(process.number, &format).trim().replace('-', "m"));
        let instances: Vec<String> = numbers.filter(|_| is_template).collect();
        if instances.iter().any(|instance| self.names.contains(&format!("{name}-{instance}"))) {
            name = service_name(&format!("{old}{suffix}"), "-2", &self.names);
        }
        self.names.extend(instances.iter().map(|instance| format!("{name}-{instance}")));
        let (fate, remark) = match (is_template, name == old) {
            (true, _) => (
                Fate::Emulated,
                format!(
                    "the services are `{name}-…`; supervisorctl called the first `{}:{process}`",
                    program.name
                ),
            ),
            (false, true) => (Fate::Exact, String::new()),
            (false, false) => (Fate::Emulated, format!("the service is called `{name}`")),
        };
        if name != old && !is_template {
            self.remarks.push(format!(
                "`{old}` is the service `{name}`: s6-overlay or another service has its name, or a service name cannot have one of \
                 its characters"
            ));
        }
        self.fates.set(program.section, "process_name", fate, "the name of the service", remark);
        (name, format)
    }

    /// The format of the number in `process_name`.
    fn number_format(&self, program: &ConfigProgram) -> String {
        let section = &self.configuration.sections[program.section];
        let text = section.option("process_name").map_or("", |option| option.value.as_str());
        let format = text
            .split("%(process_num)")
            .nth(1)
            .and_then(|rest| rest.split_inclusive(['d', 's', 'i', 'u']).next());
        format.unwrap_or("d").to_owned()
    }

    /// The processes of a program with several of them.
    pub(super) fn instances(&mut self, program: &ConfigProgram, service: &mut DraftService, texts: &Texts) {
        let section = program.section;
        if let Some(text) = &program.numprocs_at_run_time {
            let remark = format!(
                "{} decides the number: write `instances`, the largest number, and `only-if`, or call `s6gen instance add` in \
                 the entry point; here there is one",
                text.as_written()
            );
            self.fates.set(section, "numprocs", Fate::Lost, "", remark);
        }
        self.fates.set(
            section,
            "numprocs",
            Fate::Exact,
            if service.is_template { "instances" } else { "" },
            "",
        );
        self.fates.set(
            section,
            "numprocs_start",
            Fate::Exact,
            if service.is_template { "instances" } else { "" },
            "",
        );
        if !service.is_template {
            return;
        }
        let numbers: Vec<i64> = program.processes.iter().map(|process| process.number).collect();
        let names: Vec<String> = numbers
            .iter()
            .map(|number| formatted(*number, &texts.instance_format).trim().replace('-', "m"))
            .collect();
        if !texts.formats.is_empty() {
            let list = numbers.iter().zip(names).map(|(number, name)| {
                let parameters = texts.formats.iter().enumerate();
                let parameters =
                    parameters.map(|(place, format)| (parameter(place), formatted(*number, format).into()));
                (name, DraftValue::Table(parameters.collect()))
            });
            service.set("instances", DraftValue::Table(list.collect()));
            let parameters: Vec<String> = (0..texts.formats.len()).map(parameter).collect();
            service.set("parameters", parameters);
        } else if names.iter().enumerate().all(|(place, name)| *name == (place + 1).to_string()) {
            service.set("instances", i64::try_from(names.len()).unwrap_or(i64::MAX));
        } else {
            service.set("instances", names);
        }
    }
}
