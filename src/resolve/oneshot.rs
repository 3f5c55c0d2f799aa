//! Resolves a `[oneshot]` table.

use super::command::add_script;
use super::failures::add_failure_script;
use super::log_file::{add_json_script, add_log_file_script};
use super::probes::add_wait_script;
use super::scope::Scope;
use super::secrets::add_secret_script;
use super::{Resolver, too_old};
use crate::manifest::{OneshotKeys, ServiceTable};
use crate::model::{Command, Feature, Kind, Oneshot, OneshotStep, Script};

impl Resolver<'_> {
    pub(super) fn oneshot(&mut self, keys: &ServiceTable<OneshotKeys>, scope: &Scope) {
        let common = self.common(&keys.common, scope);
        let own = &keys.own;
        let up = self.command_in(&common.surroundings, own.up.as_ref(), "up", scope);
        let down = self.command_in(&common.surroundings, own.down.as_ref(), "down", scope);
        let reload = self.command_in(&common.surroundings, own.reload.as_ref(), "reload", scope);
        if let Some(command) = own.reload.as_ref().filter(|_| !self.system().has(Feature::Reload)) {
            self.problems.push(too_old(self.system(), Feature::Reload, "reload", command.origin()));
        }
        let on_failure = self.on_failure(keys, common.timeout_up.unwrap_or(0), scope);
        let mut oneshot = Oneshot {
            dependencies: common.dependencies.clone(),
            // s6-rc would count the oneshot as failed: its own script keeps the limit.
            timeout_up: match &on_failure {
                Some(on_failure) if on_failure.limit > 0 => 0,
                _ => common.timeout_up.unwrap_or(0),
            },
            timeout_down: common.timeout_down,
            ..Oneshot::default()
        };
        for (key, command) in
            [("up", &up), ("down", &down), ("reload", &reload), ("only-if", &common.surroundings.only_if)]
        {
            add_script(&mut oneshot.files, key, command.as_ref());
        }
        add_secret_script(&mut oneshot.files, &common.surroundings.inputs);
        add_failure_script(&mut oneshot.files, on_failure.as_ref());
        let (wait_for, check) = self.wait_for(own, scope).unzip();
        add_wait_script(&mut oneshot.files, wait_for.as_ref());
        oneshot.check = check;
        self.files(&keys.common, scope, &mut oneshot.files, false, "oneshot");
        let kept = self.oneshot_log(keys.common.log.as_deref(), scope);
        for sink in [&kept.output, &kept.errors, &kept.filter].into_iter().flatten() {
            add_script(&mut oneshot.files, sink.script, sink.command.as_ref());
            add_log_file_script(&mut oneshot.files, sink);
            add_json_script(&mut oneshot.files, sink);
        }
        oneshot.sets = self.sets(keys, scope);
        let kept_up = oneshot.sets.is_some().then(|| self.output_of_setter(keys, &kept));
        let sets = oneshot.sets.as_ref().map(|name| name.value.clone());
        let definition = format!("{}/{}", self.set.target.tree, scope.name);
        let step = |key: &'static str, command: Option<Command>| {
            let of_up = kept_up.as_ref().filter(|_| key == "up");
            let kept = of_up.unwrap_or(&kept);
            Script::Step(Box::new(OneshotStep {
                table: scope.table.clone(),
                name: scope.name.clone(),
                surroundings: common.surroundings.clone(),
                definition: definition.clone(),
                key,
                discard_stdout: kept.discard_stdout,
                stderr: kept.stderr.clone(),
                output: kept.output.clone(),
                errors: kept.errors.clone(),
                filter: kept.filter.clone(),
                command,
                sets: sets.clone().filter(|_| of_up.is_some()),
                on_failure: on_failure.clone().filter(|_| key == "up"),
                wait_for: wait_for.clone().filter(|_| key == "up"),
            }))
        };
        oneshot.down = down.map(|command| step("down", Some(command)));
        oneshot.reload = reload.map(|command| step("reload", Some(command)));
        oneshot.up = step("up", up);
        self.add(&keys.common, scope, Kind::Oneshot(Box::new(oneshot)));
    }
}
