//! A program becomes a service.

use std::collections::BTreeSet;

use super::super::Fate;
use super::Importer;
use super::command::DraftCommand;
use super::environment::own_exports;
use super::service::DraftService;
use super::text::Texts;
use crate::manifest::draft::{DraftTable, DraftValue};
use crate::model::is_variable_name;
use crate::supervisord::{ConfigProgram, Logfile, ProgramKind, ProgramOptions, Setting, words};

impl Importer<'_> {
    /// The value of an option. If a variable decides it, its default, and a line in the report.
    pub(super) fn known<T: Clone>(
        &mut self,
        program: &ConfigProgram,
        option: &str,
        setting: &Setting<T>,
        default: T,
    ) -> T {
        match setting {
            Setting::Known(value) => value.clone(),
            Setting::AtRunTime(_) => {
                let remark = "a variable decides this when supervisord starts; here the default of supervisord holds: \
                              --bake NAME=VALUE fixes it";
                self.fates.set(program.section, option, Fate::Lost, "", remark);
                default
            }
        }
    }

    /// Translates a program.
    pub(super) fn program(&mut self, program: &ConfigProgram) {
        if program.processes.is_empty() && program.numprocs_at_run_time.is_none() {
            for option in &self.configuration.sections[program.section].options {
                self.fates.set(
                    program.section,
                    &option.name,
                    Fate::NoEffect,
                    "",
                    "numprocs=0: there is no process",
                );
            }
            return;
        }
        // Only one process can have a socket.
        let is_template = (program.processes.len() > 1 || program.numprocs_at_run_time.is_some())
            && program.kind == ProgramKind::Program;
        if program.processes.len() > 1 && !is_template {
            let remark =
                "only one process can open the socket, so there is one: let the program itself start more";
            self.fates.set(program.section, "numprocs", Fate::Lost, "", remark);
        }
        // Of one process the options have its number in them.
        let options = match program.processes.first() {
            Some(process) if !is_template => process.options.clone(),
            _ => program.options.clone(),
        };
        let program = &ConfigProgram { options: options.clone(), ..program.clone() };
        let (name, instance_format) = self.name(program, is_template);
        let mut texts = Texts {
            is_template,
            directory: self.request.workdir.clone().unwrap_or_else(|| "/".to_owned()),
            instance_format,
            variables: BTreeSet::new(),
            has_own_names: program.processes.iter().any(|process| process.number < 0),
            exports: Vec::new(),
            formats: Vec::new(),
        };
        let words = match words(&options.command) {
            Ok(_) if has_nul(&options) => {
                return self.cannot_start(program, "an option contains a NUL");
            }
            Ok(words) if !words.is_empty() => words,
            refused => return self.cannot_start(program, refused.err().unwrap_or("the command is empty")),
        };
        let mut service = DraftService {
            table: DraftTable::new(&["longrun", &name]),
            name,
            is_oneshot: false,
            program: program.name.clone(),
            section: program.section,
            priority: self.known(program, "priority", &program.group_priority, 999),
            is_started: true,
            is_template,
            logs_to_container: false,
            words: Vec::new(),
        };
        let user = self.user(program, &mut service, &mut texts);
        self.directory(&options, program.section, &mut service, &mut texts);
        self.environment(&options.environment, program.section, user.as_deref(), &mut service, &mut texts);
        self.shared_environment(&options, user.as_deref(), &mut service, &mut texts);
        self.autostart(program, &mut service, &mut texts);
        let command = DraftCommand::new(&words, self.request.is_exact, &mut texts);
        let mut first: Vec<String> = std::mem::take(&mut texts.exports);
        first.extend(self.logs(program, &mut service, &mut texts));
        first.extend(own_exports(&mut service, &texts, &options));
        service.logs_to_container = !service.table.entries.iter().any(|entry| entry.key[0] == "log");
        self.exit(program, command.ends_supervisord, &mut service);
        self.run(program, command, first, &mut service, &mut texts);
        self.stop(program, &mut service);
        self.instances(program, &mut service, &texts);
        self.dependent_startup(program, &mut service);
        // The container always has a PATH.
        let declared = |name: &&String| is_variable_name(name) && *name != "PATH";
        for name in texts.variables.iter().filter(declared) {
            service.table.set_path(vec!["variables".to_owned(), name.clone()], DraftValue::Table(Vec::new()));
        }
        self.comments(program, &mut service);
        self.names.insert(service.name.clone());
        self.services.push(service);
    }

    /// supervisord could not start this program either.
    fn cannot_start(&mut self, program: &ConfigProgram, reason: &str) {
        for option in &self.configuration.sections[program.section].options {
            let (fate, remark) = match option.name.as_str() {
                "command" => {
                    let cut = if option.comment.is_some() {
                        "; ` ;` and ` #` begin a comment, also within quotes"
                    } else {
                        ""
                    };
                    (Fate::Lost, format!("{reason}: supervisord cannot start it either{cut}"))
                }
                _ => (Fate::NoEffect, "the program cannot start".to_owned()),
            };
            self.fates.set(program.section, &option.name, fate, "", remark);
        }
    }
}

/// Whether a text of the options contains a NUL, also one that an expansion made.
fn has_nul(options: &ProgramOptions) -> bool {
    let logs = [&options.stdout, &options.stderr].map(|output| match &output.logfile {
        Logfile::Path(path) => Some(path),
        Logfile::Automatic | Logfile::None => None,
    });
    let texts =
        [Some(&options.command), options.directory.as_ref(), options.user.as_ref()].into_iter().chain(logs);
    let environment = options.environment.iter().map(|value| &value.value);
    texts.flatten().chain(environment).any(|text| text.as_written().contains('\0'))
}
