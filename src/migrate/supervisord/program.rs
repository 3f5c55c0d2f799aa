//! A program becomes a service.

use std::collections::BTreeSet;

use super::super::Fate;
use super::command::{DraftCommand, RunForm};
use super::exit::duration;
use super::names::service_name;
use super::service::DraftService;
use super::text::{Texts, clean_path, formatted, parameter};
use super::{Importer, environment, shell_text};
use crate::manifest::draft::{DraftEntry, DraftTable, DraftValue};
use crate::model::SIGNALS;
use crate::supervisord::{
    ConfigProgram, ConfigSection, Expanded, Logfile, Piece, ProgramKind, ProgramOptions, Setting,
    signal_name, words,
};

/// The longest time of s6, in seconds.
const LONGEST: i64 = 4_294_967;

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
            directory: self.wishes.workdir.clone().unwrap_or_else(|| "/".to_owned()),
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
            variables: BTreeSet::new(),
            logs_to_container: false,
            words: Vec::new(),
        };
        let user = self.user(program, &mut service, &mut texts);
        self.directory(&options, program.section, &mut service, &mut texts);
        self.environment(&options.environment, program.section, user.as_deref(), &mut service, &mut texts);
        self.shared_environment(&options, user.as_deref(), &mut service, &mut texts);
        self.autostart(program, &mut service, &mut texts);
        let command = DraftCommand::new(&words, &mut texts);
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
        let declared = |name: &&String| environment::is_variable_name(name) && *name != "PATH";
        for name in texts.variables.iter().filter(declared) {
            service.table.set_path(vec!["variables".to_owned(), name.clone()], DraftValue::Table(Vec::new()));
        }
        service.variables = texts.variables;
        self.comments(program, &mut service);
        self.names.insert(service.name.clone());
        self.services.push(service);
    }

    /// The variables of `[supervisord]`, which every program has.
    fn shared_environment(
        &mut self,
        options: &ProgramOptions,
        user: Option<&str>,
        service: &mut DraftService,
        texts: &mut Texts,
    ) {
        let Some(supervisord) = &self.programs.supervisord else { return };
        let is_own = |name: &str| options.environment.iter().any(|value| value.name == name);
        let shared: Vec<_> =
            supervisord.environment.iter().filter(|value| !is_own(&value.name)).cloned().collect();
        let section = self.configuration.sections.iter().position(|section| section.name == "supervisord");
        if let Some(section) = section {
            self.environment(&shared, section, user, service, texts);
        }
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

    /// The name of the service, or of the template, and the format of the number in the names of its instances.
    fn name(&mut self, program: &ConfigProgram, is_template: bool) -> (String, String) {
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
            self.remarks.push(format!("`{old}` is the service `{name}`: its own name is one of s6-overlay, is taken, or has characters that s6gen does not take"));
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

    fn instances(&mut self, program: &ConfigProgram, service: &mut DraftService, texts: &Texts) {
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

    fn user(
        &mut self,
        program: &ConfigProgram,
        service: &mut DraftService,
        texts: &mut Texts,
    ) -> Option<String> {
        let supervisord = self.programs.supervisord.as_ref();
        // supervisord gives up its rights before it starts a program.
        let shared = supervisord.and_then(|options| options.user.as_ref());
        let user = program.options.user.as_ref().or(shared)?;
        let of_account = "HOME, USER and LOGNAME are those of the account; supervisord left its own";
        let written = texts.text(user);
        let (text, fate, remark) = match user.text().as_deref() {
            Some("root" | "0") => {
                self.fates.set(program.section, "user", Fate::Exact, "", "services run as root anyway");
                return Some("root".to_owned());
            }
            Some(number) if number.parse::<u32>().is_ok() => {
                let accounts = self.wishes.accounts.iter().flatten();
                let group = accounts
                    .filter(|(_, account)| account.uid.to_string() == number)
                    .map(|(_, account)| account.gid);
                match group.into_iter().next() {
                    Some(group) => (format!("{number}:{group}"), Fate::Exact, ""),
                    None => (
                        format!("{number}:{number}"),
                        Fate::Emulated,
                        "its group is a guess: supervisord looked it up in /etc/passwd; --root DIR does that here",
                    ),
                }
            }
            Some(name) if !is_account(name) || name.chars().all(|c| c.is_ascii_digit()) => {
                self.fates.set(
                    program.section,
                    "user",
                    Fate::Lost,
                    "",
                    "this cannot be the name of an account",
                );
                return None;
            }
            Some(_) => (written, Fate::Emulated, of_account),
            None => (written, Fate::Emulated, of_account),
        };
        service.set("user", text.clone());
        self.fates.set(program.section, "user", fate, "user", remark);
        Some(text)
    }

    fn directory(
        &mut self,
        options: &ProgramOptions,
        section: usize,
        service: &mut DraftService,
        texts: &mut Texts,
    ) {
        if let Some(directory) = &options.directory {
            let text = clean_path(&texts.text(directory));
            let text = match text.starts_with('/') || text.starts_with("${") {
                true => text,
                false => format!("{}/{text}", texts.directory.trim_end_matches('/')),
            };
            if text.rsplit('/').next().is_some_and(|last| last.starts_with('-')) {
                let remark =
                    "a directory whose name begins with `-` cannot be a `workdir`: write `cd` in a script";
                self.fates.set(section, "directory", Fate::Lost, "", remark);
                return;
            }
            service.set("workdir", text);
            let (fate, remark) = match (directory.0.first(), &self.wishes.workdir) {
                (Some(Piece::Plain(start)), None) if !start.starts_with(['/', '~']) => (
                    Fate::Lost,
                    "it is relative to the directory in which supervisord was started: --workdir DIR",
                ),
                _ if texts.is_ambiguous(directory) => {
                    (Fate::Lost, "`${NAME}` was plain text in it, and is the value of the container now")
                }
                _ if options.user.is_some() => {
                    (Fate::Exact, "`cd` has the rights of the supervisor; it had those of the user")
                }
                _ => (Fate::Exact, ""),
            };
            self.fates.set(section, "directory", fate, "workdir", remark);
        }
        if let Some(umask) = &options.umask {
            match umask {
                Setting::Known(umask) => {
                    service.set("umask", format!("{umask:03o}"));
                    self.fates.set(section, "umask", Fate::Exact, "umask", "");
                }
                Setting::AtRunTime(Expanded(pieces)) if pieces.len() > 1 => {
                    let remark = "only a whole mask can come from the container";
                    self.fates.set(section, "umask", Fate::Lost, "", remark);
                }
                Setting::AtRunTime(text) => {
                    let text = texts.text(text);
                    service.set("umask", text);
                    self.fates.set(section, "umask", Fate::Exact, "umask", "");
                }
            }
        }
    }

    fn autostart(&mut self, program: &ConfigProgram, service: &mut DraftService, texts: &mut Texts) {
        match &program.options.autostart {
            Setting::Known(true) => self.fates.set(program.section, "autostart", Fate::Exact, "", ""),
            Setting::Known(false) => {
                service.set("start", "on-demand");
                service.is_started = false;
                let remark = "`s6gen start NAME` starts it, in place of `supervisorctl start NAME`";
                self.fates.set(program.section, "autostart", Fate::Exact, "start = \"on-demand\"", remark);
            }
            Setting::AtRunTime(text) => {
                let value = texts.text(text);
                let script = format!(
                    "case \"{value}\" in 1 | [Tt][Rr][Uu][Ee] | [Oo][Nn] | [Yy][Ee][Ss]) ;; *) exit 1 ;; esac\n"
                );
                service.set("only-if", script);
                let remark = "a service that must not run idles, and counts as up";
                self.fates.set(program.section, "autostart", Fate::Emulated, "only-if", remark);
            }
        }
    }

    fn run(
        &mut self,
        program: &ConfigProgram,
        command: DraftCommand,
        first: Vec<String>,
        service: &mut DraftService,
        texts: &mut Texts,
    ) {
        if let Some(nice) = command.nice {
            service.set("nice", nice);
        }
        let (mut run, mut fate) = (command.run, command.fate);
        let mut remarks = command.remarks;
        if let (ProgramKind::FastCgi, RunForm::Words(words)) = (program.kind, &run) {
            let (words, remark) = self.fast_cgi(program, words, texts);
            (run, fate) = (RunForm::Words(words), Fate::Emulated);
            remarks.push(remark);
        }
        if !first.is_empty() {
            let first = first.join("\n");
            run = RunForm::Script(match run {
                RunForm::Words(words) => {
                    let words: Vec<String> =
                        words.iter().map(|word| shell_text::argument(word, texts)).collect();
                    format!("{first}\nexec {}\n", words.join(" "))
                }
                RunForm::Script(script) => {
                    match script.strip_prefix("#!").and_then(|rest| rest.split_once('\n')) {
                        Some((line, rest)) => format!("#!{line}\n{first}\n{rest}"),
                        None => format!("{first}\n{script}"),
                    }
                }
            });
        }
        match run {
            RunForm::Words(words) => {
                service.words.clone_from(&words);
                service.set("run", words);
            }
            RunForm::Script(script) => match script.trim_end().contains('\n') {
                true => drop(service.set("run", script)),
                false => drop(service.set("run", script.trim_end())),
            },
        }
        if program.options.directory.is_none() && self.wishes.workdir.is_none() && is_relative(&service.words)
        {
            let remark =
                "a word of it is a path relative to the directory of supervisord: give it with --workdir DIR";
            remarks.push(remark.to_owned());
            fate = Fate::Lost;
        }
        self.fates.set(program.section, "command", fate, "run", remarks.join("; "));
    }

    /// A program that gets its socket as standard input.
    fn fast_cgi(
        &mut self,
        program: &ConfigProgram,
        words: &[String],
        texts: &mut Texts,
    ) -> (Vec<String>, String) {
        let socket = program.socket.as_ref().map(|socket| texts.text(socket)).unwrap_or_default();
        let section = &self.configuration.sections[program.section];
        let mode = section.option("socket_mode").map_or("0700", |option| option.value.as_str()).to_owned();
        let mut run: Vec<String> = Vec::new();
        if let Some(path) = socket.strip_prefix("unix://") {
            run.extend(["s6-ipcserver-socketbinder", "-B", "-a", &mode, path].map(str::to_owned));
        } else if let Some((host, port)) =
            socket.strip_prefix("tcp://").and_then(|address| address.rsplit_once(':'))
        {
            // The program takes no names.
            let address = match host.trim_matches(['[', ']']) {
                "localhost" => "127.0.0.1",
                "" | "*" => "0.0.0.0",
                address => address,
            };
            run.extend(["s6-tcpserver-socketbinder", "-B", "--", address, port].map(str::to_owned));
        }
        run.extend(words.iter().cloned());
        for name in ["socket", "socket_mode"] {
            self.fates.set(program.section, name, Fate::Exact, "run", "");
        }
        let owner = "the socket belongs to the account of the service, so `user` decides: write the owner there, as ACCOUNT:GROUP";
        self.fates.set(program.section, "socket_owner", Fate::Lost, "", owner);
        self.fates.set(
            program.section,
            "socket_backlog",
            Fate::Lost,
            "",
            "the option -b of the socket binder sets it",
        );
        (run, "a program of s6 opens the socket, anew at each start; supervisord kept it open".to_owned())
    }

    fn stop(&mut self, program: &ConfigProgram, service: &mut DraftService) {
        let (options, section) = (&program.options, program.section);
        let signal = self.known(program, "stopsignal", &options.stopsignal, 15);
        let name = signal_name(signal).filter(|name| SIGNALS.contains(name));
        match name {
            _ if signal == 15 => self.fates.set(section, "stopsignal", Fate::Exact, "", ""),
            Some(name) => {
                service.set("down-signal", name);
                self.fates.set(section, "stopsignal", Fate::Exact, "down-signal", "");
            }
            None => self.fates.set(
                section,
                "stopsignal",
                Fate::Lost,
                "",
                "s6 cannot send this signal, so it sends TERM",
            ),
        }
        let wait = self.known(program, "stopwaitsecs", &options.stopwaitsecs, 10);
        match wait > LONGEST {
            true => service.set("timeout-kill", "never"),
            false => service.set("timeout-kill", duration(wait.max(1))),
        };
        let (fate, remark) = match wait {
            0 => (Fate::Emulated, "one second; with no time at all it would never be killed"),
            _ => (Fate::Exact, ""),
        };
        self.fates.set(section, "stopwaitsecs", fate, "timeout-kill", remark);
        let as_group = self.known(program, "stopasgroup", &options.stopasgroup, false);
        let kill_group = self.known(program, "killasgroup", &options.killasgroup, as_group);
        if as_group {
            service.set("stop-group", true);
            let remark = "the main process gets the signal first, the rest of its group when that has ended, with a second to \
                          live; a shell with a `trap` must wait for its program in the background: `program & wait $!`";
            self.fates.set(section, "stopasgroup", Fate::Emulated, "stop-group", remark);
            self.fates.set(section, "killasgroup", Fate::Exact, "stop-group", "");
        } else {
            self.fates.set(section, "stopasgroup", Fate::Exact, "", "");
            self.fates.set(
                section,
                "killasgroup",
                Fate::Exact,
                if kill_group { "flag-timeout-killpg" } else { "" },
                "",
            );
            if kill_group {
                service.set("flag-timeout-killpg", true);
            }
        }
        self.fates.set(
            section,
            "serverurl",
            Fate::NoEffect,
            "",
            "there is no server whose address a program needs",
        );
    }

    /// The options that the listener supervisord-dependent-startup reads.
    fn dependent_startup(&mut self, program: &ConfigProgram, service: &mut DraftService) {
        let section = &self.configuration.sections[program.section];
        let is_on = |name| {
            section.option(name).is_some_and(|option| {
                matches!(option.value.to_lowercase().as_str(), "true" | "yes" | "on" | "1")
            })
        };
        let is_dependent = is_on("dependent_startup");
        if !self.listening.orders_starts {
            return;
        }
        if is_dependent {
            service.remove("start");
            service.is_started = true;
            self.fates.replace(
                program.section,
                "autostart",
                Fate::Exact,
                "",
                "dependent_startup starts it at boot",
            );
        }
        self.fates.set(program.section, "dependent_startup", Fate::Exact, "dependencies", "");
        self.fates.set(
            program.section,
            "dependent_startup_inherit_priority",
            Fate::NoEffect,
            "",
            "dependencies give the order",
        );
        let Some(option) = section.option("dependent_startup_wait_for") else { return };
        let names: Vec<String> = option.value.split_whitespace().map(str::to_owned).collect();
        let mut dependencies = Vec::new();
        for name in names {
            let (name, state) = name.split_once(':').unwrap_or((&name, "running"));
            if state == "exited" {
                self.listening.steps.insert(name.to_owned());
            }
            dependencies.push(name.to_owned());
        }
        service.set("dependencies", dependencies);
        let (fate, remark) = match option.value.contains(":exited") {
            true => (Fate::Emulated, "if a step fails, what waits for it does not start; it did"),
            false => (Fate::Exact, ""),
        };
        self.fates.set(program.section, "dependent_startup_wait_for", fate, "dependencies", remark);
    }

    /// Takes the comments of the configuration along.
    fn comments(&mut self, program: &ConfigProgram, service: &mut DraftService) {
        let section = &self.configuration.sections[program.section];
        service.table.comments =
            section.comments.iter().filter(|line| !line.trim().is_empty()).cloned().collect();
        let places = [
            ("command", "run"),
            ("environment", "environment"),
            ("user", "user"),
            ("directory", "workdir"),
            ("stopasgroup", "stop-group"),
            ("stopsignal", "down-signal"),
            ("stopwaitsecs", "timeout-kill"),
            ("stdout_logfile", "log.to"),
            ("stdout_logfile", "log.file"),
            ("stderr_logfile", "log.stderr"),
            ("autostart", "start"),
            ("autorestart", "on-exit"),
        ];
        let is_in_script = |option: &str| {
            let path = section.option(option).map_or("", |option| option.value.as_str());
            path.starts_with("%(ENV_") && path.ends_with(")s") && path.matches('%').count() == 1
        };
        for (option, key) in places {
            let key = if key.starts_with("log") && is_in_script(option) { "run" } else { key };
            let Some(option) = section.option(option) else { continue };
            let is_key = |entry: &&mut DraftEntry| entry.key[0] == key || entry.key.join(".") == key;
            let Some(entry) = service.table.entries.iter_mut().find(is_key) else { continue };
            for line in option.comments.iter().filter(|line| is_remark(line) && !self.is_repeated(line)) {
                if !entry.comments.contains(line) {
                    entry.comments.push(line.clone());
                }
            }
            let comment = option.comment.as_ref().filter(|comment| is_remark(comment));
            entry.comment = entry.comment.take().or_else(|| comment.cloned());
        }
    }
}

impl Importer<'_> {
    /// Whether a comment stands in several sections: then it explains an option of supervisord, and no program.
    fn is_repeated(&self, line: &str) -> bool {
        let has = |section: &&ConfigSection| {
            section.options.iter().any(|option| option.comments.iter().any(|other| other == line))
        };
        self.configuration.sections.iter().filter(has).count() > 1
    }
}

/// Whether a comment is a remark of the author, and no line of supervisor's sample file or an option that is switched off.
fn is_remark(comment: &str) -> bool {
    let sample = ["(default", "default:", "def. ", "default "];
    let is_option = comment.split_once('=').is_some_and(|(name, _)| {
        let name = name.trim();
        !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    });
    !comment.trim().is_empty() && !is_option && !sample.iter().any(|part| comment.contains(part))
}

/// Lines of a script for variables of `environment` that a manifest cannot set: one whose name is also a variable of the container
/// that another option uses, and one with a text that only looks like such a variable.
fn own_exports(service: &mut DraftService, texts: &Texts, options: &ProgramOptions) -> Vec<String> {
    let looks_alike = |name: &str| {
        let value = options.environment.iter().find(|value| value.name == name);
        value.is_some_and(|value| texts.is_ambiguous(&value.value))
    };
    let mut lines = Vec::new();
    service.table.entries.retain(|entry| {
        let [table, name] = &entry.key[..] else { return true };
        let is_moved = table == "environment" && (texts.variables.contains(name) || looks_alike(name));
        if let (true, DraftValue::Text(text)) = (is_moved, &entry.value) {
            let text = match options
                .environment
                .iter()
                .find(|value| value.name == *name && texts.is_ambiguous(&value.value))
            {
                Some(value) => shell_text::pieces(&value.value),
                None => shell_text::argument(text, texts),
            };
            lines.push(format!("export {name}={text}"));
        }
        !is_moved
    });
    lines
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

/// Whether an account can have this name.
fn is_account(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    !name.is_empty() && !name.starts_with(['-', '.']) && name.chars().all(is_letter)
}

/// Whether a word of a command looks like a relative path.
fn is_relative(words: &[String]) -> bool {
    words.iter().any(|word| {
        let is_path = word.starts_with("./") || word.starts_with("../");
        is_path || word.contains('/') && !word.starts_with(['/', '-', '$']) && !word.contains([':', '=', ' '])
    })
}
