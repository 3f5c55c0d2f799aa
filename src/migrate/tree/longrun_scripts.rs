//! Writes the scripts of a longrun: as keys that stand for them, or as they are.

use super::halting::stop_rule;
use super::longrun::LongrunWriter;
use super::polling::polling;
use super::script::{put, text_problem, without_contenv};
use super::shape::{self, RunShape};
use crate::manifest::draft::DraftValue;
use crate::migrate::Fate;
use crate::model::{Longrun, Script};

impl LongrunWriter<'_, '_> {
    /// `run` and `finish`, and the environment that both get.
    pub(super) fn scripts(&mut self, longrun: &Longrun) {
        let run = text(&longrun.run);
        let finish = longrun.finish.as_ref().map(text).filter(|finish| self.can_start("finish", finish));
        let finish = finish.filter(|finish| !self.stops_container(finish));
        if run.trim().is_empty() {
            self.table.set("run", vec!["false"]);
            let remark = "it is empty, so s6 could not start it; `false` ends at once";
            self.lines.note("run", Fate::Emulated, "`run`", remark);
            return self.finish(finish);
        }
        let is_overlay = self.facts.system().is_overlay();
        let mut shape = shape::run(run, is_overlay);
        let never_ready = |shape: &&mut RunShape| longrun.notification_fd.is_some() && shape.has("only-if");
        if let Some(shape) = shape.as_mut().filter(never_ready) {
            shape.remark += "; it counts as ready then, and what waits for it starts, where it waited";
        }
        let run_loads = shape.as_ref().map_or(without_contenv(run).is_some(), |shape| shape.with_contenv);
        let finish_loads = finish.is_none_or(|finish| without_contenv(finish).is_some());
        let loads = is_overlay && run_loads && finish_loads;
        if is_overlay && !loads {
            self.table.set("with-contenv", false);
        }
        match shape.filter(|shape| shape.with_contenv == loads || !is_overlay) {
            Some(shape) if self.facts.is_exact() && !shape.remark.is_empty() => {
                self.lines.offer("run", &keys_text(&shape), &shape.remark);
                self.script("run", run, loads);
            }
            Some(mut shape) => {
                self.readiness_check(longrun, &mut shape);
                self.shape(shape);
            }
            None => self.script("run", run, loads),
        }
        match finish.filter(|_| loads).and_then(without_contenv) {
            Some(finish) => self.script("finish", &finish, false),
            None => self.finish(finish),
        }
    }

    fn finish(&mut self, finish: Option<&str>) {
        if let Some(finish) = finish {
            self.script("finish", finish, false);
        }
    }

    /// Writes the keys of `ready` that stand for `s6-notifyoncheck` before the program.
    fn readiness_check(&mut self, longrun: &Longrun, shape: &mut RunShape) {
        let Some(polling) = polling(&shape.words, longrun.timeout_up > 0) else { return };
        let descriptor = longrun.notification_fd.as_ref().map(|number| number.value);
        let is_right = descriptor.is_some_and(|number| (3..=1023).contains(&number))
            && polling.descriptor.is_none_or(|number| Some(number) == descriptor)
            && !shape.keys.iter().any(|(key, _)| key == "workdir");
        let check = match &polling.command {
            _ if !is_right => None,
            // s6gen writes its own file there.
            Some(_) if self.lines.file("data/check").is_some() => None,
            Some(words) => Some(DraftValue::from(words.clone())),
            None => self.check_script(shape.with_contenv),
        };
        let Some(check) = check else { return };
        let differences = polling.differences.join("; ");
        if self.facts.is_exact() && !differences.is_empty() {
            self.lines.offer("run", &polling.text(), &differences);
            return;
        }
        self.table.set("ready.check", check);
        for (key, value) in polling.keys {
            self.table.set(&format!("ready.{key}"), value);
        }
        if polling.command.is_none() {
            self.lines.note("data/check", Fate::Exact, "`ready.check`", "");
        }
        if longrun.timeout_up == 0 {
            self.ready_within = Some(polling.within);
            self.lines.explain("timeout-up", "a check for readiness needs a limit");
        }
        self.usual_limit = Some(polling.usual);
        shape.words = polling.program;
        let remarks = [std::mem::take(&mut shape.remark), differences];
        shape.remark = remarks.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ");
    }

    /// The script `data/check`, if `s6-notifyoncheck` can start it.
    fn check_script(&self, loads: bool) -> Option<DraftValue> {
        let file = self.lines.file("data/check").filter(|file| file.executable)?;
        let text = str::from_utf8(&file.content).ok().filter(|text| text.starts_with("#!"))?;
        text_problem(&file.content).is_none().then_some(())?;
        // The run loads the environment before it asks.
        let rewritten = loads.then(|| without_contenv(text)).flatten();
        Some(rewritten.unwrap_or_else(|| text.to_owned()).into())
    }

    /// Writes the rule of `on-exit` that stands for a `finish`, if there is one. Returns whether it did.
    fn stops_container(&mut self, finish: &str) -> bool {
        let Some(rule) = stop_rule(finish).filter(|_| self.facts.system().is_overlay()) else { return false };
        if self.facts.is_exact() {
            self.lines.offer("finish", &rule.text(), &rule.remark);
            return false;
        }
        for (key, value) in rule.keys {
            self.table.set(&format!("on-exit.{key}"), value);
        }
        self.lines.note("finish", Fate::Emulated, "`on-exit`", &rule.remark);
        true
    }

    /// Whether s6 can start a script at all.
    fn can_start(&mut self, file: &str, text: &str) -> bool {
        let can_start = text.starts_with("#!");
        if !can_start {
            self.lines.note(
                file,
                Fate::NoEffect,
                "",
                "it has no first line with `#!`, so s6 cannot start it",
            );
        }
        can_start
    }

    /// A `run` that keys stand for.
    fn shape(&mut self, shape: RunShape) {
        let RunShape { words, keys, comments, remark, .. } = shape;
        for (key, value) in keys {
            self.table.set(&key, value);
        }
        self.table.set("run", words).comments = comments;
        let fate = if remark.is_empty() { Fate::Exact } else { Fate::Emulated };
        self.lines.note("run", fate, "`run`, an array", &remark);
    }

    /// A script that stays as it is, apart from its first line.
    fn script(&mut self, key: &'static str, text: &str, loads: bool) {
        let rewritten = loads.then(|| without_contenv(text)).flatten();
        let becomes = put(&mut self.table, self.files, key, rewritten.as_deref().unwrap_or(text));
        let mut remark = String::new();
        let mut fate = Fate::Exact;
        if !text.starts_with("#!") {
            fate = Fate::Emulated;
            remark = "it has no first line with `#!`, so s6 could not start it; `/bin/sh -e` runs it now"
                .to_owned();
        } else if ["$0", "${0", "BASH_SOURCE"].iter().any(|mark| text.contains(mark)) {
            fate = Fate::Emulated;
            remark = format!("it looks at its own path, which was `./{key}` and is `./data/{key}`");
        } else if !text.ends_with('\n') {
            remark = "a newline is added at its end".to_owned();
        }
        self.lines.note(key, fate, &becomes, &remark);
    }
}

/// The keys of a shape as they are written.
fn keys_text(shape: &RunShape) -> String {
    let run = ("run".to_owned(), DraftValue::from(shape.words.clone()));
    let keys = shape.keys.iter().chain([&run]).map(|(key, value)| format!("{key} = {}", value.text()));
    keys.collect::<Vec<_>>().join(", ")
}

/// The text of a script that was read from a tree. Definitions with other content are left in the image.
fn text(script: &Script) -> &str {
    match script {
        Script::Verbatim(content) => str::from_utf8(content).unwrap_or_default(),
        _ => "",
    }
}
