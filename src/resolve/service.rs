use std::collections::BTreeMap;

use super::bundle::service_ref;
use super::scope::Scope;
use super::values::Values;
use super::{Resolver, choice, distinct, too_old};
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::manifest::{self, CommonKeys, LongrunKeys, OneshotKeys, ServiceTable, Text};
use crate::model::{
    Account, Command, Feature, File, Finish, Kind, Longrun, Oneshot, Run, Script, Service, ServiceRef, Step,
    Written,
};

/// How long a service may take to say that it is ready, unless the manifest says otherwise.
pub(super) const READY_WITHIN: u32 = 60_000;
/// Time between the stop signal and SIGKILL: with the overlay's 3 s of grace it fits into Docker's 10 s.
pub(super) const KILL_AFTER: u32 = 5_000;

/// What longruns and oneshots have in common, once resolved.
pub(super) struct Common {
    pub dependencies: Vec<ServiceRef>,
    pub timeout_up: Option<u32>,
    pub timeout_down: u32,
    pub with_contenv: bool,
    pub environment: Vec<(String, String)>,
    pub path: Option<String>,
    pub account_variables: Vec<String>,
    pub user: Option<Account>,
    pub workdir: Option<String>,
    pub umask: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum StartAt {
    Early,
    Boot,
    Late,
    OnDemand,
}

impl Resolver<'_> {
    /// The text with its expressions replaced; none, and a report, if that is not possible.
    pub(super) fn text(&mut self, text: &Text, scope: &Scope) -> Option<String> {
        let expanded = scope.text(text, &self.expressions, self.problems)?;
        self.spend(expanded.len(), scope.origin);
        Some(expanded)
    }

    /// A text read by `read`, if it is there.
    pub(super) fn value<T>(
        &mut self,
        text: Option<&Text>,
        scope: &Scope,
        read: impl FnOnce(&mut Values<'_>, &str, Origin) -> Option<T>,
    ) -> Option<T> {
        let text = text?;
        let expanded = self.text(text, scope)?;
        read(&mut Values { problems: self.problems }, &expanded, text.origin)
    }

    pub(super) fn longrun(&mut self, keys: &ServiceTable<LongrunKeys>, scope: &Scope) {
        let own = &keys.own;
        let common = self.common(&keys.common, scope);
        let run = own.run.as_ref().and_then(|run| self.command(run, "run", scope));
        if own.run.is_none() {
            self.problems.push(
                Diagnostic::new(Code::MissingKey, format!("`[{}]` has no `run`", scope.table))
                    .at(scope.origin, "this longrun")
                    .help("say which process it is: `run = [\"nginx\", \"-g\", \"daemon off;\"]`"),
            );
        }
        let prepare = own.prepare.as_ref().and_then(|command| self.command(command, "prepare", scope));
        let finish = own.finish.as_ref().and_then(|command| self.command(command, "finish", scope));
        let notification_fd =
            own.ready.as_ref().and_then(|ready| self.ready(ready, own, &common.environment));
        let signal = self.value(own.down_signal.as_ref(), scope, |v, t, o| v.signal("down-signal", t, o));
        let timeout_kill =
            self.value(own.timeout_kill.as_ref(), scope, |v, t, o| v.duration("timeout-kill", t, o));
        let timeout_finish =
            self.value(own.timeout_finish.as_ref(), scope, |v, t, o| v.duration("timeout-finish", t, o));
        let stop_group = own.stop_group.is_some_and(|flag| flag.value);
        if let Some(flag) =
            own.stop_group.filter(|_| stop_group && !self.system().has(Feature::FinishProcessGroup))
        {
            self.problems.push(too_old(
                self.system(),
                Feature::FinishProcessGroup,
                "stop-group",
                flag.origin,
            ));
        }

        let mut longrun = Longrun {
            dependencies: common.dependencies.clone(),
            timeout_up: common.timeout_up.unwrap_or(if notification_fd.is_some() { READY_WITHIN } else { 0 }),
            timeout_down: common.timeout_down,
            notification_fd,
            timeout_kill: Some(timeout_kill.unwrap_or(KILL_AFTER)),
            timeout_finish,
            down_signal: signal.map(|signal| signal.as_bytes().to_vec()),
            flag_timeout_killpg: stop_group && self.system().has(Feature::KillProcessGroup),
            ..Longrun::default()
        };
        let output = self.log(own.log.as_ref(), scope, &mut longrun);
        for (key, command) in [("run", &run), ("prepare", &prepare), ("finish", &finish)] {
            add_script(&mut longrun.files, key, command.as_ref());
        }
        if stop_group || finish.is_some() {
            longrun.finish = Some(Script::Finish(Box::new(Finish {
                table: scope.table.clone(),
                with_contenv: common.with_contenv,
                stop_group: stop_group.then(|| signal.unwrap_or("TERM").to_owned()),
                stderr: output.stderr.clone(),
                command: finish,
            })));
        }
        let here = {
            let account = common.user.iter().flat_map(|user| [&user.name, &user.group]).flatten();
            let interpreter = match &run {
                Some(Command::Script { interpreter, .. }) => &interpreter[..],
                _ => &[],
            };
            let later = common.workdir.iter().chain(&common.path).chain(account).chain(interpreter);
            free_variable(later.map(String::as_str))
        };
        longrun.run = Script::Run(Box::new(Run {
            table: scope.table.clone(),
            name: scope.name.clone(),
            with_contenv: common.with_contenv,
            environment: common.environment,
            path: common.path,
            account_variables: common.account_variables,
            umask: common.umask,
            discard_stdout: output.discard_stdout,
            stderr: output.stderr,
            prepare,
            workdir: common.workdir,
            here,
            user: common.user,
            command: run.unwrap_or(Command::Exec { words: Vec::new() }),
        }));
        self.add(&keys.common, scope, Kind::Longrun(Box::new(longrun)));
    }

    pub(super) fn oneshot(&mut self, keys: &ServiceTable<OneshotKeys>, scope: &Scope) {
        let common = self.common(&keys.common, scope);
        let up = keys.own.up.as_ref().and_then(|command| self.command(command, "up", scope));
        let down = keys.own.down.as_ref().and_then(|command| self.command(command, "down", scope));
        let mut oneshot = Oneshot {
            dependencies: common.dependencies.clone(),
            timeout_up: common.timeout_up.unwrap_or(0),
            timeout_down: common.timeout_down,
            ..Oneshot::default()
        };
        for (key, command) in [("up", &up), ("down", &down)] {
            add_script(&mut oneshot.files, key, command.as_ref());
        }
        let tree = self.set.target.tree.clone();
        let step = |key: &str, command: Option<Command>| {
            Script::Step(Box::new(Step {
                table: scope.table.clone(),
                name: scope.name.clone(),
                with_contenv: common.with_contenv,
                environment: common.environment.clone(),
                path: common.path.clone(),
                account_variables: common.account_variables.clone(),
                umask: common.umask.clone(),
                workdir: common.workdir.clone(),
                user: common.user.clone(),
                command,
                script: format!("{tree}/{}/data/{key}", scope.name),
            }))
        };
        oneshot.down = down.map(|command| step("down", Some(command)));
        oneshot.up = step("up", up);
        self.add(&keys.common, scope, Kind::Oneshot(Box::new(oneshot)));
    }

    /// Puts a service into the set and into its start set.
    fn add(&mut self, keys: &CommonKeys, scope: &Scope, kind: Kind) {
        let reference = ServiceRef { name: scope.name.as_str().into(), origin: Some(scope.origin) };
        match self.start_at(keys, scope) {
            StartAt::Boot | StartAt::Early => self.start.boot.push(reference),
            StartAt::Late => self.start.late.push(reference),
            StartAt::OnDemand => {}
        }
        let description = keys.description.as_ref().and_then(|text| self.text(text, scope));
        self.set.services.push(Service {
            description: description.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")),
            flag_essential: keys.flag_essential.is_some_and(|flag| flag.value),
            flag_recommended: keys.flag_recommended.is_some_and(|flag| flag.value),
            ..Service::new(scope.name.as_str().into(), Some(scope.origin), kind)
        });
    }

    fn start_at(&mut self, keys: &CommonKeys, scope: &Scope) -> StartAt {
        let words = [
            ("early", StartAt::Early),
            ("boot", StartAt::Boot),
            ("late", StartAt::Late),
            ("on-demand", StartAt::OnDemand),
        ];
        let Some(text) = &keys.start else { return StartAt::Boot };
        let Some(word) = self.text(text, scope) else { return StartAt::Boot };
        let start = choice("start", &word, text.origin, &words, self.problems).unwrap_or(StartAt::Boot);
        let system = self.system();
        if matches!(start, StartAt::Early | StartAt::Late) && !system.is_overlay() {
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, format!("`start = \"{word}\"` needs s6-overlay"))
                    .at(text.origin, format!("the target is {system}"))
                    .help("without the overlay a service starts at `boot` or `on-demand`"),
            );
            return StartAt::Boot;
        }
        if start == StartAt::Late && !system.has(Feature::User2) {
            self.problems.push(too_old(system, Feature::User2, "start = \"late\"", text.origin));
        }
        start
    }

    /// The service that everything of this start set waits for.
    pub(super) fn first_dependency(&self, start: Option<&str>) -> Option<ServiceRef> {
        let name = match start {
            _ if !self.system().is_overlay() => return None,
            Some("early") => return None,
            Some("late") => "legacy-services",
            _ => "base",
        };
        Some(ServiceRef { name: name.into(), origin: None })
    }

    fn common(&mut self, keys: &CommonKeys, scope: &Scope) -> Common {
        let mut dependencies: Vec<ServiceRef> =
            self.first_dependency(keys.start.as_ref().map(|text| text.value.as_str())).into_iter().collect();
        for text in keys.dependencies.iter().flat_map(|names| &names.list) {
            if let Some(name) = self.text(text, scope) {
                dependencies.push(ServiceRef { name: name.as_str().into(), ..service_ref(text) });
            }
        }
        let overlay = self.system().is_overlay();
        if let Some(flag) = keys.with_contenv.filter(|flag| flag.value && !overlay) {
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, "`with-contenv` needs s6-overlay")
                    .at(flag.origin, format!("the target is {}", self.system()))
                    .help("without the overlay services inherit the environment of s6-svscan"),
            );
        }
        let user = self.value(keys.user.as_ref(), scope, |v, t, o| v.account("user", t, o));
        let environment = self.environment(keys, scope);
        let path = environment.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.clone());
        let environment: Vec<_> = environment.into_iter().filter(|(name, _)| name != "PATH").collect();
        let account_variables = match &user {
            Some(Account { name: Some(_), .. }) => ["HOME", "USER", "LOGNAME"]
                .into_iter()
                .filter(|variable| environment.iter().all(|(name, _)| name != variable))
                .map(str::to_owned)
                .collect(),
            _ => Vec::new(),
        };
        Common {
            dependencies: distinct(dependencies),
            timeout_up: self.value(keys.timeout_up.as_ref(), scope, |v, t, o| v.duration("timeout-up", t, o)),
            timeout_down: self
                .value(keys.timeout_down.as_ref(), scope, |v, t, o| v.duration("timeout-down", t, o))
                .unwrap_or(0),
            with_contenv: keys.with_contenv.map_or(overlay, |flag| flag.value && overlay),
            environment,
            path,
            account_variables,
            user,
            workdir: self.value(keys.workdir.as_ref(), scope, |v, t, o| match t {
                "/" => Some("/".to_owned()),
                _ => v.path("workdir", t, o),
            }),
            umask: self.value(keys.umask.as_ref(), scope, |v, t, o| v.umask("umask", t, o)),
        }
    }

    fn environment(&mut self, keys: &CommonKeys, scope: &Scope) -> Vec<(String, String)> {
        let mut variables = Vec::new();
        for (name, value) in keys.environment.iter().flat_map(|table| &table.entries) {
            if name.value.is_empty() || name.value.contains(['=', '\0']) {
                self.problems.push(
                    Diagnostic::new(
                        Code::InvalidValue,
                        format!("`{}` cannot name a variable", name.value.escape_debug()),
                    )
                    .at(name.origin, "empty, or with a `=`"),
                );
                continue;
            }
            if let Some(value) = self.text(value, scope) {
                variables.push((name.value.clone(), value));
            }
        }
        variables
    }

    /// A command with its expressions replaced.
    fn command(&mut self, command: &manifest::Command, key: &str, scope: &Scope) -> Option<Command> {
        match command {
            manifest::Command::Exec(words, _) => {
                for word in words {
                    self.literal_variable(word, key);
                }
                let words: Vec<Option<String>> = words.iter().map(|word| self.text(word, scope)).collect();
                let words = words.into_iter().collect::<Option<Vec<_>>>()?;
                Some(Command::Exec { words })
            }
            manifest::Command::Broken(_) => None,
            manifest::Command::Shell(text) => {
                let origin = text.origin;
                let text = self.text(text, scope)?;
                let interpreter = match text.strip_prefix("#!") {
                    None => vec!["/bin/sh".to_owned(), "-e".to_owned()],
                    Some(rest) => interpreter(rest.lines().next().unwrap_or_default()),
                };
                if interpreter.is_empty() {
                    self.problems.push(
                        Diagnostic::new(
                            Code::InvalidValue,
                            format!("the first line of `{key}` names no interpreter"),
                        )
                        .at(origin, "only `#!`")
                        .help("name one, as in `#!/bin/bash`, or leave the line out for `/bin/sh -e`"),
                    );
                    return None;
                }
                let end = if text.ends_with('\n') { "" } else { "\n" };
                Some(Command::Script { interpreter, text: text + end })
            }
        }
    }

    fn literal_variable(&mut self, word: &Text, key: &str) {
        let Some((before, after)) = word.value.split_once('$') else { return };
        let named = after.strip_prefix('{').unwrap_or(after);
        if before.ends_with('\\') || !named.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            return;
        }
        let name: String = named.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        self.problems.push(
            Diagnostic::new(Code::LiteralVariable, format!("`${name}` is not expanded here"))
                .at(word.origin, "these characters reach the program as they are")
                .note("a command in array form is run exactly as written")
                .help(format!("if a shell shall expand it, write a string: `{key} = 'exec … \"${name}\"'`")),
        );
    }

    fn ready(
        &mut self,
        ready: &manifest::Ready,
        own: &LongrunKeys,
        environment: &[(String, String)],
    ) -> Option<Written<u32>> {
        let fd = ready.fd?;
        let descriptor = u32::try_from(fd.value).ok().filter(|fd| (3..=1023).contains(fd));
        let Some(value) = descriptor else {
            self.problems.push(
                Diagnostic::new(Code::InvalidValue, format!("`ready.fd` cannot be {}", fd.value))
                    .at(fd.origin, "not a free descriptor")
                    .help(
                        "0, 1 and 2 are input, output and errors; use 3 unless the program wants another one",
                    ),
            );
            return None;
        };
        let mentions =
            |text: &str| text.split(|c: char| !c.is_ascii_digit()).any(|number| number == value.to_string());
        let mentioned = match &own.run {
            Some(manifest::Command::Exec(words, _)) => words.iter().any(|word| mentions(&word.value)),
            Some(manifest::Command::Shell(text)) => mentions(&text.value),
            Some(manifest::Command::Broken(_)) | None => true,
        } || environment.iter().any(|(_, value)| mentions(value));
        if !mentioned {
            self.problems.push(
                Diagnostic::new(Code::ReadinessUnused, format!("nothing in `run` mentions descriptor {value}"))
                    .at(fd.origin, "the program is expected to write a line there when it is ready")
                    .at(own.run.as_ref().map(manifest::Command::origin), "it would have to know the number")
                    .help("pass the number to the program, or leave `ready` out: a program that never writes fails to start"),
            );
        }
        Some(Written { value, origin: Some(fd.origin) })
    }
}

/// The words of a `#!` line as the kernel splits it: a program and at most one argument.
fn interpreter(line: &str) -> Vec<String> {
    let line = line.trim_matches([' ', '\t']);
    match line.split_once([' ', '\t']) {
        Some((program, argument)) => vec![program.into(), argument.trim_matches([' ', '\t']).into()],
        None if line.is_empty() => Vec::new(),
        None => vec![line.into()],
    }
}

/// Keeps a script of the user's as a file of its own.
fn add_script(files: &mut BTreeMap<String, File>, key: &str, command: Option<&Command>) {
    if let Some(Command::Script { text, .. }) = command {
        let content = text.clone().into_bytes();
        files.insert(format!("data/{key}"), File { content, executable: text.starts_with("#!") });
    }
}

/// A variable name that occurs nowhere in the texts that will be looked through for it.
fn free_variable<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> String {
    let mut name = "here".to_owned();
    while texts.clone().any(|text| text.contains(&name)) {
        name.push('_');
    }
    name
}
