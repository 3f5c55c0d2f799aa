//! Resolves `alive` of longruns and `wait-for` of oneshots.

use std::collections::BTreeMap;

use super::Resolver;
use super::ready::{Checks, check};
use super::scope::Scope;
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::manifest::{self, OneshotKeys, RawText};
use crate::model::{Alive, File, Question, Script, Surroundings, WaitFor};

/// How a longrun is asked whether it still works.
pub(super) struct Watched {
    pub alive: Alive,
    /// What it is asked, if a script is not the whole check.
    pub question: Option<Question>,
    /// The script of the user, by its path.
    script: Option<(String, File)>,
}

impl Resolver<'_> {
    /// Resolves `alive`. `timeout_kill` is that of the service, in milliseconds.
    pub(super) fn alive(
        &mut self,
        keys: Option<&manifest::Alive>,
        surroundings: &Surroundings,
        timeout_kill: u32,
        scope: &Scope,
    ) -> Option<Watched> {
        let keys = keys.filter(|keys| !keys.is_blank())?;
        let checks = Checks {
            table: "alive",
            check: keys.check.as_ref(),
            tcp: keys.tcp.as_ref(),
            unix: keys.unix.as_ref(),
            http: keys.http.as_ref(),
            path: None,
        };
        let written = [&keys.interval, &keys.timeout, &keys.then];
        let written = written.into_iter().flatten().map(RawText::origin);
        let other = written.chain(keys.failures.map(|number| number.origin)).next();
        if self.check_origin(&checks).is_none() {
            let is_default =
                ["interval", "timeout", "failures", "then"].iter().any(|key| keys.gives_way(key));
            if !is_default && !keys.has_mistakes() {
                self.report_no_check("alive", other);
            }
            return None;
        }
        let words = [("restart", false), ("stop-container", true)];
        let stops_container = self.word("alive.then", keys.then.as_ref(), &words, scope).unwrap_or(false);
        if stops_container {
            self.check_stop(keys.then.as_ref(), "without s6-overlay a service can only `restart`");
        }
        let mut seconds = |key: &str, text: Option<&RawText>, default| {
            self.duration(key, text, scope).map_or(default, |time| time.div_ceil(1000))
        };
        let interval = seconds("alive.interval", keys.interval.as_ref(), 10);
        let timeout = seconds("alive.timeout", keys.timeout.as_ref(), 5);
        let failures = keys.failures.and_then(|number| self.number("alive.failures", number, 1..=1_000_000));
        let (question, script) = self.question(&checks, surroundings, scope);
        let path = if question.is_some() { "data/alive" } else { "data/check-alive" };
        Some(Watched {
            alive: Alive {
                interval,
                timeout,
                failures: failures.unwrap_or(3),
                stops_container,
                kill: timeout_kill.div_ceil(1000),
            },
            question,
            script: script.map(|file| (path.to_owned(), file)),
        })
    }

    fn report_no_check(&mut self, table: &str, origin: Option<Origin>) {
        let example = if table == "alive" { "tcp = \"127.0.0.1:8080\"" } else { "tcp = \"db:5432\"" };
        self.problems.push(
            Diagnostic::new(Code::ConflictingKeys, format!("`{table}` asks nothing"))
                .at(origin, "no key says what to ask")
                .help(format!("add for example `{table}.{example}`")),
        );
    }

    /// Resolves `wait-for`, with the check that it needs.
    pub(super) fn wait_for(&mut self, keys: &OneshotKeys, scope: &Scope) -> Option<(WaitFor, Script)> {
        let table = keys.wait_for.as_ref().filter(|table| !table.is_blank())?;
        let checks = Checks {
            table: "wait-for",
            check: None,
            tcp: table.tcp.as_ref(),
            unix: table.unix.as_ref(),
            http: table.http.as_ref(),
            path: table.path.as_ref(),
        };
        let texts = [&table.interval, &table.timeout, &table.limit];
        if self.check_origin(&checks).is_none() {
            let is_default = ["interval", "timeout", "limit"].iter().any(|key| table.gives_way(key));
            if !is_default && !table.has_mistakes() {
                self.report_no_check("wait-for", texts.into_iter().flatten().map(RawText::origin).next());
            }
            return None;
        }
        let interval = self.duration("wait-for.interval", table.interval.as_ref(), scope).unwrap_or(1_000);
        let timeout = self.duration("wait-for.timeout", table.timeout.as_ref(), scope).unwrap_or(5_000);
        let limit = self.duration("wait-for.limit", table.limit.as_ref(), scope).unwrap_or(60_000);
        let text = checks.tcp.or(checks.unix).or(checks.http).or(checks.path);
        let what = text.and_then(|text| self.text(text, scope))?;
        let (question, _) = self.question(&checks, &Surroundings::default(), scope);
        let check = check("is it there?", scope, question?, timeout, None);
        let interval = format!("{}.{:03}", interval / 1_000, interval % 1_000);
        Some((WaitFor { what, limit: limit.div_ceil(1000), interval }, check))
    }
}

/// Adds the scripts of `alive` to the files of a definition.
pub(super) fn add_watch_script(files: &mut BTreeMap<String, File>, watched: Option<&Watched>) {
    let Some(watched) = watched else { return };
    super::command::add_own_script(files, "watch", crate::templates::WATCH, true);
    files.extend(watched.script.clone());
}

/// Adds the script of `wait-for` to the files of a definition.
pub(super) fn add_wait_script(files: &mut BTreeMap<String, File>, wait_for: Option<&WaitFor>) {
    super::command::add_own_script(files, "wait", crate::templates::WAIT, wait_for.is_some());
}
