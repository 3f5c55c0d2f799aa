//! Resolves a `[longrun]` table.

use super::command::add_script;
use super::failures::{LATER, add_late_scripts, deaths_in_a_row};
use super::probes::add_watch_script;
use super::ready::{Readiness, check, free_variable};
use super::scope::Scope;
use super::secrets::add_secret_script;
use super::values::Values;
use super::{Resolver, too_old};
use crate::diagnostic::{Code, Diagnostic};
use crate::manifest::{self, Flag, LongrunKeys, ServiceTable};
use crate::model::{
    Command, Feature, Finish, Kind, Longrun, OnExit, RestartDelay, Run, Script, ServiceRef, Stderr,
    Surroundings,
};

/// The default time in which a service must report that it is ready, in milliseconds.
pub(super) const READY_WITHIN: u32 = 60_000;
/// The default time between the stop signal and SIGKILL, in milliseconds. Together with the 3 s that s6-overlay waits it fits
/// into the 10 s of Docker.
pub(super) const KILL_AFTER: u32 = 5_000;

impl Resolver<'_> {
    pub(super) fn longrun(&mut self, keys: &ServiceTable<LongrunKeys>, scope: &Scope) {
        let own = &keys.own;
        let common = self.common(&keys.common, scope);
        let run = self.command_in(&common.surroundings, own.run.as_ref(), "run", scope);
        let run = run.map(|command| self.add_exec(command));
        if own.run.is_none() {
            self.report_missing_run(scope);
        }
        let prepare = self.command_in(&common.surroundings, own.prepare.as_ref(), "prepare", scope);
        let finish = own.finish.as_ref().and_then(|command| self.command(command, "finish", scope));
        let ready = own.ready.as_ref().map(|ready| self.ready(ready, &common.surroundings, scope));
        let ready = ready.unwrap_or_default();
        let signal = self.signal("down-signal", own.down_signal.as_ref(), scope);
        let reload_signal = self.signal("reload-signal", own.reload_signal.as_ref(), scope);
        let timeout_kill = self.duration("timeout-kill", own.timeout_kill.as_ref(), scope);
        let timeout_finish = self.duration("timeout-finish", own.timeout_finish.as_ref(), scope);
        // After `finish`, s6 itself waits one second, unless the service was ready.
        let s6_waits = u32::from(ready.fd.is_none());
        let restart_delay = self
            .pause("restart-delay", own.restart_delay.as_ref(), scope)
            .map(|delay| RestartDelay { pause: delay, s6_waits })
            .filter(|delay| delay.pause.most > s6_waits);
        let stop_group = own.stop_group.is_some_and(|flag| flag.value);
        let on_exit = own.on_exit.as_ref().and_then(|on_exit| self.on_exit(on_exit, scope));
        let deaths = on_exit.as_ref().and_then(OnExit::counted_deaths);
        let in_a_row = deaths_in_a_row(on_exit.as_ref(), restart_delay.as_ref());
        let lock_fd = own.lock_fd.and_then(|number| self.descriptor("lock-fd", number));
        let tally = self.death_tally(own, deaths);
        self.check_features(own);
        let flag = |flag: Option<Flag>| flag.is_some_and(|flag| flag.value);
        let workdir = &common.surroundings.workdir;
        let start_limit = self.start_limit(keys, common.timeout_up, &ready);
        let late = self.late(keys, start_limit, &ready, scope);
        let mut alive =
            self.alive(own.alive.as_deref(), &common.surroundings, timeout_kill.unwrap_or(KILL_AFTER), scope);
        let mut longrun = Longrun {
            // Its own script must be the first to act: s6-rc stops a service that is not ready in time.
            timeout_up: start_limit.saturating_add(if late.is_some() { LATER } else { 0 }),
            dependencies: common.dependencies,
            timeout_down: common.timeout_down,
            check: ready.question.map(|question| {
                let timeout = ready.poll.as_ref().map_or(0, |poll| poll.timeout);
                check("is it ready?", scope, question, timeout, workdir.clone())
            }),
            check_alive: alive
                .as_mut()
                .and_then(|watched| watched.question.take())
                .map(|question| check("does it still work?", scope, question, 0, workdir.clone())),
            timeout_kill: Some(timeout_kill.unwrap_or(KILL_AFTER)),
            timeout_finish: timeout_finish.or_else(|| finish_limit(stop_group, restart_delay.as_ref())),
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
        let known = self.problems.len();
        let output = self.log(own_log(keys).as_deref(), scope, &mut longrun);
        self.show(keys.common.log.as_deref(), common.surroundings.user.as_ref(), scope, &mut longrun);
        // Both look at the same keys.
        self.problems.drop_repeated(known);
        self.pipeline(own, scope, &mut longrun);
        for (key, command) in [
            ("run", &run),
            ("prepare", &prepare),
            ("finish", &finish),
            ("only-if", &common.surroundings.only_if),
        ] {
            add_script(&mut longrun.files, key, command.as_ref());
        }
        add_secret_script(&mut longrun.files, &common.surroundings.inputs);
        let watched = alive.as_ref().map(|watched| &watched.alive);
        add_late_scripts(&mut longrun.files, late.as_ref(), on_exit.as_ref(), watched);
        add_watch_script(&mut longrun.files, alive.as_ref());
        self.files(&keys.common, scope, &mut longrun.files, longrun.check.is_some(), "longrun");
        self.add_called_scripts(&keys.common, &longrun.files);
        let inputs = common.surroundings.inputs.clone();
        let may_idle = common.surroundings.only_if.is_some();
        let needs_finish = may_idle
            || late.is_some()
            || alive.is_some()
            || stop_group
            || on_exit.is_some()
            || restart_delay.is_some();
        if needs_finish || finish.is_some() || inputs.may_be_missing() {
            longrun.finish = Some(Script::Finish(Box::new(Finish {
                table: scope.table.clone(),
                with_contenv: common.surroundings.with_contenv,
                name: scope.name.clone(),
                inputs,
                stop_group: stop_group.then(|| signal.unwrap_or("TERM").to_owned()),
                stop_group_origin: own.stop_group.map(|flag| flag.origin),
                stderr: output.stderr.clone(),
                command: finish,
                is_timed: late.is_some(),
                is_watched: alive.is_some(),
                may_idle,
                on_exit,
                in_a_row,
                restart_delay,
            })));
        }
        let directory_variable = directory_variable(run.as_ref(), prepare.as_ref(), &common.surroundings);
        let needs_directory = needs_directory(run.as_ref(), &common.surroundings);
        longrun.run = Script::Run(Box::new(Run {
            table: scope.table.clone(),
            name: scope.name.clone(),
            surroundings: Surroundings { directory_variable, needs_directory, ..common.surroundings },
            discard_stdout: output.discard_stdout,
            keeps_errors_apart: longrun.producer_for.is_some() && output.stderr == Stderr::Container,
            stderr: output.stderr,
            prepare,
            poll: ready.poll,
            notification_fd: ready.fd.as_ref().map(|fd| fd.value),
            notes_start: in_a_row.is_some(),
            late,
            alive: alive.map(|watched| watched.alive),
            command: run.unwrap_or(Command::Exec { words: Vec::new() }),
        }));
        longrun.notification_fd = ready.fd;
        self.add(&keys.common, scope, Kind::Longrun(Box::new(longrun)));
    }

    fn report_missing_run(&mut self, scope: &Scope) {
        self.problems.push(
            Diagnostic::new(Code::MissingKey, format!("`[{}]` has no `run`", scope.table))
                .at(scope.origin, "this longrun")
                .help("name the program: `run = [\"nginx\", \"-g\", \"daemon off;\"]`"),
        );
    }

    /// The value of `max-death-tally`. Reports one that is too small for `deaths`, the number that `on-exit.deaths` counts.
    fn death_tally(&mut self, own: &LongrunKeys, deaths: Option<u32>) -> Option<u32> {
        let number = own.max_death_tally?;
        let tally = self.number("max-death-tally", number, 1..=4096)?;
        let Some(deaths) = deaths.filter(|deaths| tally < *deaths) else { return Some(tally) };
        if !own.gives_way("on-exit") && own.gives_way("max-death-tally") {
            return None;
        }
        self.problems.push(
            Diagnostic::new(Code::ConflictingKeys, "s6 would forget deaths that `on-exit.deaths` counts")
                .at(number.origin, format!("s6 remembers {tally} deaths, {deaths} are counted"))
                .help("leave `max-death-tally` out"),
        );
        Some(tally)
    }

    /// Reports keys for which the target is too old.
    fn check_features(&mut self, own: &LongrunKeys) {
        let flag = |flag: Option<Flag>| flag.filter(|flag| flag.value).map(|flag| flag.origin);
        let lock_fd = own.lock_fd.map(|number| number.origin);
        let reload_signal = own.reload_signal.as_ref().map(|text| text.origin());
        for (key, origin, feature) in [
            ("stop-group", flag(own.stop_group), Feature::FinishProcessGroup),
            ("flag-timeout-killpg", flag(own.flag_timeout_killpg), Feature::KillProcessGroup),
            ("flag-newpidns", flag(own.flag_newpidns), Feature::NewPidNamespace),
            ("lock-fd", lock_fd, Feature::LockFd),
            ("reload-signal", reload_signal, Feature::Reload),
        ] {
            if let Some(origin) = origin.filter(|_| !self.system().has(feature)) {
                self.problems.push(too_old(self.system(), feature, key, origin));
            }
        }
    }

    /// How long a start may take, in milliseconds; 0 is no limit. Reports a readiness check without a limit: if it never
    /// succeeded, the boot would hang.
    fn start_limit(
        &mut self,
        keys: &ServiceTable<LongrunKeys>,
        timeout_up: Option<u32>,
        ready: &Readiness,
    ) -> u32 {
        let written = timeout_up.filter(|limit| {
            let is_nearer = !keys.own.gives_way("ready") && keys.common.gives_way("timeout-up");
            *limit > 0 || ready.poll.is_none() || !is_nearer
        });
        if let Some(0) = written
            && ready.poll.is_some()
        {
            let origin = keys.common.timeout_up.as_ref().map(|text| text.origin());
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, "a readiness check needs a limit")
                    .at(origin, "with this value the start may never end")
                    .help("write a duration; a check that never succeeds would hang the boot"),
            );
        }
        written.unwrap_or(match &ready.poll {
            _ if ready.fd.is_none() => 0,
            Some(poll) if poll.tries > 0 => {
                poll.tries.saturating_mul(poll.interval.saturating_add(poll.timeout))
            }
            _ => READY_WITHIN,
        })
    }

    /// Resolves `producer-for`, `consumer-for` and `pipeline-name`. The other side of each pair is added when all services are
    /// known.
    fn pipeline(&mut self, own: &LongrunKeys, scope: &Scope, longrun: &mut Longrun) {
        if let Some(text) = &own.producer_for
            && let Some(consumer) = self.mention(text, scope)
        {
            if let Some([logger]) = longrun.producer_for.as_deref() {
                self.problems.push(
                    Diagnostic::new(Code::ConflictingKeys, "standard output has two consumers")
                        .at(text.origin(), "this one")
                        .at(logger.origin, "and the logger for `log`")
                        .help("a producer has one consumer: remove one of the two"),
                );
            } else {
                longrun.producer_for = Some(vec![consumer]);
            }
        }
        longrun.consumer_for.extend(self.mentions(own.consumer_for.as_ref(), scope));
        if let Some(text) = &own.pipeline_name
            && let Some(name) = self.text(text, scope)
            && Values::new(self.problems).service_name(&name, text.origin())
        {
            longrun.pipeline_name =
                Some(vec![ServiceRef { name: name.as_str().into(), origin: Some(text.origin()) }]);
        }
    }
}

/// The limit for a generated `finish` that stops the process group or waits before the next start, in milliseconds.
fn finish_limit(stop_group: bool, restart_delay: Option<&RestartDelay>) -> Option<u32> {
    let group = if stop_group { 1_000 } else { 0 };
    let delay = restart_delay.map_or(0, |delay| delay.pause.most - delay.s6_waits);
    let extra = delay.saturating_mul(1_000).saturating_add(group);
    (extra > 0).then(|| extra.saturating_add(5_000))
}

/// The key `log` of a longrun. If the service names its consumer itself, a `log` from the defaults makes no logger for it.
fn own_log(keys: &ServiceTable<LongrunKeys>) -> Option<Box<manifest::Log>> {
    let mut log = keys.common.log.clone()?;
    if keys.own.producer_for.is_some() && !keys.own.gives_way("producer-for") {
        let given = ["to", "prefix", "filter", "file", "format"].map(|key| log.gives_way(key));
        log.to.take_if(|_| given[0]);
        log.prefix.take_if(|_| given[1]);
        log.filter.take_if(|_| given[2]);
        log.file.take_if(|_| given[3]);
        log.format.take_if(|_| given[4]);
    }
    Some(log)
}

/// Whether `run` keeps the service directory in a variable before it reads values of the container, which may contain the name
/// of that variable: a script in the service directory runs in `workdir`.
fn needs_directory(run: Option<&Command>, surroundings: &Surroundings) -> bool {
    let commands = [run, surroundings.only_if.as_ref()];
    let has_script = commands.into_iter().flatten().any(|command| matches!(command, Command::Script { .. }));
    !surroundings.inputs.variables.is_empty() && surroundings.workdir.is_some() && has_script
}

/// The name of the variable for the service directory in `run`. No word that comes after it in the script contains the name.
fn directory_variable(
    run: Option<&Command>,
    prepare: Option<&Command>,
    surroundings: &Surroundings,
) -> String {
    let account = surroundings.user.iter().flat_map(|user| [&user.name, &user.group]).flatten();
    let commands = [run, prepare, surroundings.only_if.as_ref()].into_iter().flatten();
    let words = commands.flat_map(|command| match command {
        Command::Script { interpreter, .. } => &interpreter[..],
        Command::Exec { words } => &words[..],
    });
    let environment = surroundings.environment.iter().flat_map(|(name, value)| [name, value]);
    let names = surroundings.inputs.variables.iter().map(|variable| &variable.name);
    let later = surroundings.workdir.iter().chain(&surroundings.path).chain(account).chain(words);
    free_variable("here", later.chain(environment).chain(names).map(String::as_str))
}
