use std::collections::BTreeMap;

use super::bundle::service_ref;
use super::scope::Scope;
use super::values::Values;
use super::{Resolver, choice, distinct, too_old};
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::manifest::{
    self, CommonKeys, Flag, Limits, LongrunKeys, Number, Numbers, OneshotKeys, ServiceTable, Text,
};
use crate::model::{
    Account, Check, Command, Feature, File, Finish, Kind, Longrun, OnExit, Oneshot, Poll, Question, Run,
    Script, Service, ServiceRef, Stderr, Step, Surroundings, Written,
};

/// How long a service may take to say that it is ready, unless the manifest says otherwise.
pub(super) const READY_WITHIN: u32 = 60_000;
/// Time between the stop signal and SIGKILL: with the overlay's 3 s of grace it fits into Docker's 10 s.
pub(super) const KILL_AFTER: u32 = 5_000;

/// What longruns and oneshots have in common, once resolved.
struct Common {
    dependencies: Vec<ServiceRef>,
    timeout_up: Option<u32>,
    timeout_down: u32,
    surroundings: Surroundings,
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
        let ready = own.ready.as_ref().map(|ready| self.ready(ready, own, &common.surroundings, scope));
        let ready = ready.unwrap_or_default();
        let signal = self.value(own.down_signal.as_ref(), scope, |v, t, o| v.signal("down-signal", t, o));
        let reload_signal =
            self.value(own.reload_signal.as_ref(), scope, |v, t, o| v.signal("reload-signal", t, o));
        let timeout_kill =
            self.value(own.timeout_kill.as_ref(), scope, |v, t, o| v.duration("timeout-kill", t, o));
        let timeout_finish =
            self.value(own.timeout_finish.as_ref(), scope, |v, t, o| v.duration("timeout-finish", t, o));
        let restart_delay = self
            .value(own.restart_delay.as_ref(), scope, |v, t, o| v.duration("restart-delay", t, o))
            .map(|delay| delay.div_ceil(1000))
            .filter(|delay| *delay > 0);
        let stop_group = own.stop_group.is_some_and(|flag| flag.value);
        let on_exit = own.on_exit.as_ref().map(|on_exit| self.on_exit(on_exit, scope));
        let deaths = on_exit.as_ref().and_then(|on_exit| on_exit.deaths).map(|(deaths, _)| deaths);
        let lock_fd = own.lock_fd.and_then(|number| self.descriptor("lock-fd", number));
        let tally = own.max_death_tally.and_then(|number| self.number("max-death-tally", number, 1..=4096));
        if let (Some(tally), Some(deaths), Some(number)) = (tally, deaths, own.max_death_tally)
            && tally < deaths
        {
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, "s6 would forget deaths that `on-exit.deaths` counts")
                    .at(number.origin, format!("s6 remembers {tally} deaths, {deaths} are counted"))
                    .help("leave `max-death-tally` out"),
            );
        }
        let flag = |flag: Option<Flag>| flag.is_some_and(|flag| flag.value);
        for (key, flag, feature) in [
            ("stop-group", own.stop_group, Feature::FinishProcessGroup),
            ("flag-timeout-killpg", own.flag_timeout_killpg, Feature::KillProcessGroup),
            ("flag-newpidns", own.flag_newpidns, Feature::NewPidNamespace),
        ] {
            if let Some(flag) = flag.filter(|flag| flag.value && !self.system().has(feature)) {
                self.problems.push(too_old(self.system(), feature, key, flag.origin));
            }
        }
        if let Some(text) = own.reload_signal.as_ref().filter(|_| !self.system().has(Feature::Reload)) {
            self.problems.push(too_old(self.system(), Feature::Reload, "reload-signal", text.origin));
        }

        let ready_within = match &ready.poll {
            Some(poll) if poll.tries > 0 => {
                poll.tries.saturating_mul(poll.interval.saturating_add(poll.timeout))
            }
            _ => READY_WITHIN,
        };
        let mut longrun = Longrun {
            dependencies: common.dependencies,
            timeout_up: common.timeout_up.unwrap_or(if ready.fd.is_some() { ready_within } else { 0 }),
            timeout_down: common.timeout_down,
            check: ready
                .question
                .map(|question| Script::Check(Box::new(Check { table: scope.table.clone(), question }))),
            timeout_kill: Some(timeout_kill.unwrap_or(KILL_AFTER)),
            // The wait before the next start is part of `finish`.
            timeout_finish: timeout_finish.or(restart_delay.map(|delay| delay.saturating_mul(1000) + 5_000)),
            max_death_tally: tally.or(deaths.filter(|deaths| *deaths > 100)),
            down_signal: signal.map(|signal| signal.as_bytes().to_vec()),
            reload_signal: reload_signal.map(|signal| signal.as_bytes().to_vec()),
            flag_timeout_killpg: flag(own.flag_timeout_killpg)
                || stop_group && self.system().has(Feature::KillProcessGroup),
            flag_newpidns: flag(own.flag_newpidns),
            lock_fd,
            files: ready.files,
            ..Longrun::default()
        };
        if longrun.timeout_up == 0 && ready.poll.is_some() {
            // A check that never succeeds must end in a time-out, not in a boot that hangs.
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, "a polled `ready` needs a limit")
                    .at(
                        keys.common.timeout_up.as_ref().map(|text| text.origin),
                        "this start may last for ever",
                    )
                    .help("write a duration; a check that never succeeds would hang the boot"),
            );
        }
        let output = self.log(keys.common.log.as_ref(), scope, &mut longrun);
        self.pipeline(own, scope, &mut longrun);
        for (key, command) in [
            ("run", &run),
            ("prepare", &prepare),
            ("finish", &finish),
            ("only-if", &common.surroundings.only_if),
        ] {
            add_script(&mut longrun.files, key, command.as_ref());
        }
        self.files(&keys.common, scope, &mut longrun.files, longrun.check.is_some());
        if stop_group || finish.is_some() || on_exit.is_some() || restart_delay.is_some() {
            longrun.finish = Some(Script::Finish(Box::new(Finish {
                table: scope.table.clone(),
                with_contenv: common.surroundings.with_contenv,
                stop_group: stop_group.then(|| signal.unwrap_or("TERM").to_owned()),
                stderr: output.stderr.clone(),
                command: finish,
                on_exit,
                restart_delay,
            })));
        }
        let mut surroundings = common.surroundings;
        surroundings.here = {
            let account = surroundings.user.iter().flat_map(|user| [&user.name, &user.group]).flatten();
            let scripts = [run.as_ref(), surroundings.only_if.as_ref()].into_iter().flatten();
            let interpreters = scripts.flat_map(|command| match command {
                Command::Script { interpreter, .. } => &interpreter[..],
                Command::Exec { .. } => &[],
            });
            let later =
                surroundings.workdir.iter().chain(&surroundings.path).chain(account).chain(interpreters);
            free_variable(later.map(String::as_str))
        };
        longrun.run = Script::Run(Box::new(Run {
            table: scope.table.clone(),
            name: scope.name.clone(),
            surroundings,
            discard_stdout: output.discard_stdout,
            keeps_errors_apart: longrun.producer_for.is_some() && output.stderr == Stderr::Container,
            stderr: output.stderr,
            prepare,
            poll: ready.poll,
            notification_fd: ready.fd.as_ref().map(|fd| fd.value),
            // s6-pause comes with s6-overlay, but not with Debian's s6.
            pause: if self.system().is_overlay() { "s6-pause" } else { "sleep infinity" },
            command: run.unwrap_or(Command::Exec { words: Vec::new() }),
        }));
        longrun.notification_fd = ready.fd;
        self.add(&keys.common, scope, Kind::Longrun(Box::new(longrun)));
    }

    /// `on-exit` once resolved.
    fn on_exit(&mut self, keys: &manifest::OnExit, scope: &Scope) -> OnExit {
        let codes = |resolver: &mut Self, key: &str, numbers: Option<&Numbers>| -> Vec<u8> {
            let list = numbers.into_iter().flat_map(|numbers| numbers.list.iter());
            list.filter_map(|number| resolver.number(key, *number, 0..=255))
                .filter_map(|code| u8::try_from(code).ok())
                .collect()
        };
        if let (Some(codes), Some(except)) = (&keys.codes, &keys.except) {
            self.problems.push(
                Diagnostic::new(
                    Code::ConflictingKeys,
                    "`on-exit.codes` and `on-exit.except` exclude each other",
                )
                .at(except.origin, "every death is final but these")
                .at(codes.origin, "only these are final"),
            );
        }
        let within = self.value(keys.within.as_ref(), scope, |v, t, o| v.duration("on-exit.within", t, o));
        let deaths = match (keys.deaths, &keys.within) {
            (Some(deaths), Some(_)) => self
                .number("on-exit.deaths", deaths, 1..=4096)
                .zip(within.map(|within| within.div_ceil(1000).max(1))),
            (None, None) => None,
            (Some(deaths), None) => {
                self.problems.push(
                    Diagnostic::new(Code::ConflictingKeys, "`on-exit.deaths` without `on-exit.within`")
                        .at(deaths.origin, "so many deaths in which time?")
                        .help("add `on-exit.within = \"1m\"`"),
                );
                None
            }
            (None, Some(within)) => {
                self.problems.push(
                    Diagnostic::new(Code::ConflictingKeys, "`on-exit.within` without `on-exit.deaths`")
                        .at(within.origin, "how many deaths in this time?")
                        .help("add `on-exit.deaths = 5`"),
                );
                None
            }
        };
        let words = [("give-up", false), ("stop-container", true)];
        let stop_container = keys.then.as_ref().is_some_and(|text| {
            let word = self.text(text, scope).unwrap_or_default();
            let stops = choice("on-exit.then", &word, text.origin, &words, self.problems).unwrap_or(false);
            if stops && !self.system().is_overlay() {
                self.problems.push(
                    Diagnostic::new(Code::ConflictingKeys, "`stop-container` needs s6-overlay")
                        .at(text.origin, format!("the target is {}", self.system())),
                );
            }
            stops
        });
        OnExit {
            codes: codes(self, "on-exit.codes", keys.codes.as_ref()),
            except: codes(self, "on-exit.except", keys.except.as_ref()),
            deaths,
            stop_container,
        }
    }

    /// A pipeline that was written by hand; the other side of each pair is filled in when everything is known.
    fn pipeline(&mut self, own: &LongrunKeys, scope: &Scope, longrun: &mut Longrun) {
        if let Some(text) = &own.producer_for
            && let Some(name) = self.text(text, scope)
        {
            if let Some([logger]) = longrun.producer_for.as_deref() {
                self.problems.push(
                    Diagnostic::new(Code::ConflictingKeys, "standard output has two consumers")
                        .at(text.origin, "this one")
                        .at(logger.origin, "and the logger of this directory")
                        .help("a producer has one consumer: remove one of the two"),
                );
            } else {
                longrun.producer_for =
                    Some(vec![ServiceRef { name: name.as_str().into(), ..service_ref(text) }]);
            }
        }
        for text in own.consumer_for.iter().flat_map(|names| &names.list) {
            if let Some(name) = self.text(text, scope) {
                longrun.consumer_for.push(ServiceRef { name: name.as_str().into(), ..service_ref(text) });
            }
        }
        if let Some(text) = &own.pipeline_name
            && let Some(name) = self.text(text, scope)
            && (Values { problems: self.problems }).service_name(&name, text.origin)
        {
            longrun.pipeline_name =
                Some(vec![ServiceRef { name: name.as_str().into(), ..service_ref(text) }]);
        }
    }

    /// The files that were written verbatim.
    fn files(
        &mut self,
        keys: &CommonKeys,
        scope: &Scope,
        files: &mut BTreeMap<String, File>,
        has_check: bool,
    ) {
        for (path, content) in keys.files.iter().flat_map(|table| &table.entries) {
            let first = path.value.split('/').next().unwrap_or_default();
            let plain = !path.value.is_empty()
                && path.value.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
                && !path.value.contains(['\0', '\n']);
            let problem = if !plain {
                Some((
                    "not a path inside the definition",
                    "write it relative to the definition, such as `data/x`",
                ))
            } else if OWN_FILES.contains(&first) {
                Some(("a key of this name, or of its meaning, writes this file", "use the key"))
            } else if files.contains_key(&path.value) || has_check && path.value == "data/check" {
                Some(("another key writes this file", "choose another name"))
            } else {
                None
            };
            if let Some((label, help)) = problem {
                self.problems.push(
                    Diagnostic::new(
                        Code::ConflictingKeys,
                        format!("`files` cannot hold `{}`", path.value.escape_debug()),
                    )
                    .at(path.origin, label)
                    .help(help),
                );
            } else if let Some(content) = self.text(content, scope) {
                let executable = content.starts_with("#!");
                files.insert(path.value.clone(), File { content: content.into_bytes(), executable });
            }
        }
    }

    /// A number in `range`; reports it if it is not.
    fn number(&mut self, key: &str, number: Number, range: std::ops::RangeInclusive<i64>) -> Option<u32> {
        if range.contains(&number.value) {
            return u32::try_from(number.value).ok();
        }
        self.problems.push(
            Diagnostic::new(Code::InvalidValue, format!("`{key}` cannot be {}", number.value))
                .at(number.origin, format!("from {} to {}", range.start(), range.end())),
        );
        None
    }

    fn descriptor(&mut self, key: &str, number: Number) -> Option<Written<u32>> {
        if (3..=1023).contains(&number.value) {
            return Some(Written { value: u32::try_from(number.value).ok()?, origin: Some(number.origin) });
        }
        self.problems.push(
            Diagnostic::new(Code::InvalidValue, format!("`{key}` cannot be {}", number.value))
                .at(number.origin, "not a free descriptor")
                .help("0, 1 and 2 are input, output and errors; use 3 unless the program wants another one"),
        );
        None
    }

    pub(super) fn oneshot(&mut self, keys: &ServiceTable<OneshotKeys>, scope: &Scope) {
        let common = self.common(&keys.common, scope);
        let own = &keys.own;
        let up = own.up.as_ref().and_then(|command| self.command(command, "up", scope));
        let down = own.down.as_ref().and_then(|command| self.command(command, "down", scope));
        let reload = own.reload.as_ref().and_then(|command| self.command(command, "reload", scope));
        if let Some(command) = own.reload.as_ref().filter(|_| !self.system().has(Feature::Reload)) {
            self.problems.push(too_old(self.system(), Feature::Reload, "reload", command.origin()));
        }
        let mut oneshot = Oneshot {
            dependencies: common.dependencies.clone(),
            timeout_up: common.timeout_up.unwrap_or(0),
            timeout_down: common.timeout_down,
            ..Oneshot::default()
        };
        for (key, command) in
            [("up", &up), ("down", &down), ("reload", &reload), ("only-if", &common.surroundings.only_if)]
        {
            add_script(&mut oneshot.files, key, command.as_ref());
        }
        self.files(&keys.common, scope, &mut oneshot.files, false);
        let kept = self.oneshot_log(keys.common.log.as_ref(), scope);
        let definition = format!("{}/{}", self.set.target.tree, scope.name);
        let step = |key: &'static str, command: Option<Command>| {
            Script::Step(Box::new(Step {
                table: scope.table.clone(),
                name: scope.name.clone(),
                surroundings: common.surroundings.clone(),
                definition: definition.clone(),
                key,
                discard_stdout: kept.discard_stdout,
                stderr: kept.stderr.clone(),
                output: kept.output.clone(),
                errors: kept.errors.clone(),
                command,
            }))
        };
        oneshot.down = down.map(|command| step("down", Some(command)));
        oneshot.reload = reload.map(|command| step("reload", Some(command)));
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
        for text in keys.required_by.iter().flat_map(|names| &names.list) {
            if let Some(name) = self.text(text, scope) {
                let dependent = ServiceRef { name: name.as_str().into(), ..service_ref(text) };
                self.required_by.push((dependent, scope.name.as_str().into()));
            }
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
        if let Some(text) = keys.user.as_ref().filter(|_| self.set.target.rootless) {
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, "`user` needs root")
                    .at(text.origin, "a container without root cannot change accounts")
                    .help("leave it out: every service runs as the container's own account"),
            );
        }
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
            surroundings: Surroundings {
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
                limits: keys.limits.as_ref().map(|limits| self.limits(limits)).unwrap_or_default(),
                nice: keys.nice.and_then(|nice| self.nice(nice)),
                only_if: keys.only_if.as_ref().and_then(|command| self.command(command, "only-if", scope)),
                here: String::new(),
            },
        }
    }

    /// The options of s6-softlimit for `limits`.
    fn limits(&mut self, limits: &Limits) -> Vec<(char, u64)> {
        let table = [
            ("as", 'a', limits.address_space),
            ("core", 'c', limits.core),
            ("cpu", 't', limits.cpu),
            ("data", 'd', limits.data),
            ("fsize", 'f', limits.fsize),
            ("memlock", 'l', limits.memlock),
            ("nofile", 'o', limits.nofile),
            ("nproc", 'p', limits.nproc),
            ("rss", 'r', limits.rss),
            ("stack", 's', limits.stack),
        ];
        let mut options = Vec::new();
        for (key, letter, number) in table {
            let Some(number) = number else { continue };
            match u64::try_from(number.value) {
                Ok(value) => options.push((letter, value)),
                Err(_) => self.problems.push(
                    Diagnostic::new(Code::InvalidValue, format!("`limits.{key}` cannot be {}", number.value))
                        .at(number.origin, "below zero")
                        .help("leave it out for no limit of its own"),
                ),
            }
        }
        options
    }

    fn nice(&mut self, nice: Number) -> Option<i64> {
        if (-20..=19).contains(&nice.value) {
            return Some(nice.value);
        }
        self.problems.push(
            Diagnostic::new(Code::InvalidValue, format!("`nice` cannot be {}", nice.value))
                .at(nice.origin, "from -20 (first) to 19 (last)"),
        );
        None
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
        surroundings: &Surroundings,
        scope: &Scope,
    ) -> Readiness {
        let mut result = Readiness {
            fd: ready.fd.and_then(|number| self.descriptor("ready.fd", number)),
            ..Readiness::default()
        };
        let asked = [
            ("check", ready.check.as_ref().map(manifest::Command::origin)),
            ("tcp", ready.tcp.as_ref().map(|text| text.origin)),
            ("unix", ready.unix.as_ref().map(|text| text.origin)),
            ("http", ready.http.as_ref().map(|text| text.origin)),
        ];
        let asked: Vec<(&str, Origin)> =
            asked.into_iter().filter_map(|(key, origin)| Some((key, origin?))).collect();
        if let [(first, origin), (second, other), ..] = asked[..] {
            self.problems.push(
                Diagnostic::new(
                    Code::ConflictingKeys,
                    format!("`ready.{first}` and `ready.{second}` exclude each other"),
                )
                .at(origin, "one question")
                .at(other, "and another")
                .help("write one `ready.check` that asks both"),
            );
        }
        if asked.is_empty() {
            let written = [
                ("interval", ready.interval.as_ref().map(|text| text.origin)),
                ("timeout", ready.timeout.as_ref().map(|text| text.origin)),
                ("tries", ready.tries.map(|number| number.origin)),
            ];
            for (key, origin) in written.into_iter().filter_map(|(key, origin)| Some((key, origin?))) {
                self.problems.push(
                    Diagnostic::new(Code::ConflictingKeys, format!("`ready.{key}` has no effect here"))
                        .at(origin, "only where the service is asked")
                        .help("add `ready.check`, `ready.tcp`, `ready.unix` or `ready.http`"),
                );
            }
            self.readiness_is_used(ready, own, &surroundings.environment, result.fd.as_ref());
            return result;
        }
        result.fd =
            result.fd.or(Some(Written { value: 3, origin: asked.first().map(|(_, origin)| *origin) }));
        let limit = |resolver: &mut Self, key: &str, text: Option<&Text>, default: u32| {
            resolver.value(text, scope, |v, t, o| v.duration(key, t, o)).unwrap_or(default)
        };
        result.poll = Some(Poll {
            tries: ready
                .tries
                .and_then(|tries| self.number("ready.tries", tries, 0..=1_000_000))
                .unwrap_or(0),
            interval: limit(self, "ready.interval", ready.interval.as_ref(), 1_000),
            timeout: limit(self, "ready.timeout", ready.timeout.as_ref(), 5_000),
        });
        if let Some(command) = &ready.check {
            match self.command(command, "check", scope) {
                Some(Command::Exec { words }) => result.question = Some(Question::Command { words }),
                Some(Command::Script { text, .. }) => {
                    // s6-notifyoncheck executes the file itself: it needs its interpreter and the x bit.
                    let text = if text.starts_with("#!") { text } else { format!("#!/bin/sh -e\n{text}") };
                    let file = File { content: text.into_bytes(), executable: true };
                    result.files.insert("data/check".into(), file);
                }
                None => {}
            }
        }
        let tcp = self.value(ready.tcp.as_ref(), scope, |v, t, o| v.address("ready.tcp", t, o));
        let unix = self.value(ready.unix.as_ref(), scope, |v, t, o| v.path("ready.unix", t, o));
        let http = self.value(ready.http.as_ref(), scope, |v, t, o| v.http("ready.http", t, o));
        let network = tcp.map(|(host, port)| Question::Tcp { host, port });
        let socket = unix.map(|path| Question::Unix { path });
        let web = http.map(|(host, port, path)| Question::Http { host, port, path });
        result.question = result.question.or(network).or(socket).or(web);
        result
    }

    fn readiness_is_used(
        &mut self,
        ready: &manifest::Ready,
        own: &LongrunKeys,
        environment: &[(String, String)],
        fd: Option<&Written<u32>>,
    ) {
        let (Some(fd), Some(key)) = (fd, ready.fd) else { return };
        let value = fd.value;
        let mentions =
            |text: &str| text.split(|c: char| !c.is_ascii_digit()).any(|number| number == value.to_string());
        let mentioned = match &own.run {
            Some(manifest::Command::Exec(words, _)) => words.iter().any(|word| mentions(&word.value)),
            Some(manifest::Command::Shell(text)) => mentions(&text.value),
            Some(manifest::Command::Broken(_)) | None => true,
        } || environment.iter().any(|(_, value)| mentions(value));
        if !mentioned {
            self.problems.push(
                Diagnostic::new(
                    Code::ReadinessUnused,
                    format!("nothing in `run` mentions descriptor {value}"),
                )
                .at(key.origin, "the program is expected to write a line there when it is ready")
                .at(own.run.as_ref().map(manifest::Command::origin), "it would have to know the number")
                .help(
                    "pass the number to the program, or have it asked with `ready.check`, `ready.tcp`, `ready.unix` or \
                     `ready.http`: a program that never writes fails to start",
                ),
            );
        }
    }
}

/// How a longrun says that it is ready.
#[derive(Default)]
struct Readiness {
    fd: Option<Written<u32>>,
    poll: Option<Poll>,
    question: Option<Question>,
    files: BTreeMap<String, File>,
}

/// Files of a definition that keys write.
const OWN_FILES: &[&str] = &[
    "type",
    "contents",
    "contents.d",
    "dependencies",
    "dependencies.d",
    "flag-essential",
    "flag-recommended",
    "timeout-up",
    "timeout-down",
    "up",
    "down",
    "reload",
    "run",
    "finish",
    "notification-fd",
    "lock-fd",
    "timeout-kill",
    "flag-timeout-killpg",
    "timeout-finish",
    "max-death-tally",
    "down-signal",
    "reload-signal",
    "flag-newpidns",
    "producer-for",
    "consumer-for",
    "pipeline-name",
];

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
