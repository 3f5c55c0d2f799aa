//! Resolves what follows a failure: `on-exit`, `on-failure`, `restart-delay` and `ready.on-timeout`.

use std::collections::BTreeMap;

use super::Resolver;
use super::command::add_own_script;
use super::ready::Readiness;
use super::scope::Scope;
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::manifest::{LongrunKeys, Numbers, OnExit as Keys, OneOrMore, OneshotKeys, RawText, ServiceTable};
use crate::model::{
    Alive, Consequence, EarlyDeaths, ExitRule, File, InARow, Late, OnExit, OnFailure, Pause, RestartDelay,
};

/// The time that s6-rc waits longer than the script for a service that is not ready in time, in milliseconds.
pub(super) const LATER: u32 = 10_000;

/// The longest time for which s6-svwait waits, with some room for `LATER`, in milliseconds.
const MOST_LATE: u32 = 24 * 24 * 3_600_000;

impl Resolver<'_> {
    /// Resolves `on-exit`. `None` if no death is final.
    pub(super) fn on_exit(&mut self, keys: &OneOrMore<Keys>, scope: &Scope) -> Option<OnExit> {
        let mut early = None;
        let mut rules = Vec::new();
        for (rule, origin) in &keys.list {
            self.check_codes(rule);
            let then = self.consequence(rule.then.as_ref(), scope);
            if let Some(first) = rule.early.as_ref().filter(|_| early.is_some()) {
                self.problems.push(
                    Diagnostic::new(Code::ConflictingKeys, "two tables of `on-exit` have `early`")
                        .at(first.origin(), "the second one")
                        .help("keep one: it judges all early deaths"),
                );
            }
            let counted = self.counted_deaths(rule, scope);
            let conditions =
                [rule.codes.is_some(), rule.except.is_some(), rule.deaths.is_some(), rule.early.is_some()];
            early = early.or_else(|| self.early_deaths(rule, then, scope));
            let rule = ExitRule {
                codes: self.codes("on-exit.codes", rule.codes.as_ref()),
                except: self.codes("on-exit.except", rule.except.as_ref()),
                deaths: counted,
                is_for_all: !conditions.contains(&true) && !rule.has_mistakes(),
                then,
            };
            let is_for_all = rule.is_for_all;
            rules.push((rule, *origin));
            if is_for_all {
                break;
            }
        }
        self.check_order(keys, &rules);
        let thens: Vec<Consequence> = rules.iter().map(|(rule, _)| rule.then).collect();
        if thens.iter().all(|then| *then == Consequence::Restart) {
            return None;
        }
        let stops_container = thens.contains(&Consequence::StopContainer);
        Some(OnExit {
            early,
            otherwise: if stops_container { Consequence::StopContainer } else { Consequence::GiveUp },
            stops_container,
            gives_up: thens.contains(&Consequence::GiveUp),
            restarts: thens.contains(&Consequence::Restart),
            rules: rules.into_iter().map(|(rule, _)| rule).filter(ExitRule::can_apply).collect(),
        })
    }

    /// Reports rules that never have an effect.
    fn check_order(&mut self, keys: &OneOrMore<Keys>, rules: &[(ExitRule, Origin)]) {
        if let Some((_, unreached)) = keys.list.get(rules.len()) {
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, "this table of `on-exit` never applies")
                    .at(*unreached, "never reached")
                    .at(rules.last().map(|(_, origin)| *origin), "this table applies to every death")
                    .help("the first table that applies counts: write the one for every death last"),
            );
        }
        if let Some((last, origin)) = rules.last().filter(|(last, _)| !last.is_for_all)
            && last.then == Consequence::Restart
        {
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, "this table of `on-exit` has no effect")
                    .at(*origin, "after these deaths the service starts again anyway")
                    .help("leave it out, or write a table for other deaths behind it"),
            );
        }
    }

    fn codes(&mut self, key: &str, numbers: Option<&Numbers>) -> Vec<u8> {
        let list = numbers.into_iter().flat_map(|numbers| numbers.list.iter());
        list.filter_map(|number| self.number(key, *number, 0..=255))
            .filter_map(|code| u8::try_from(code).ok())
            .collect()
    }

    /// The value of `on-exit.then`.
    fn consequence(&mut self, text: Option<&RawText>, scope: &Scope) -> Consequence {
        let words = [
            ("give-up", Consequence::GiveUp),
            ("stop-container", Consequence::StopContainer),
            ("restart", Consequence::Restart),
        ];
        let then = self.word("on-exit.then", text, &words, scope).unwrap_or(Consequence::GiveUp);
        if then == Consequence::StopContainer {
            self.check_stop(text, "without s6-overlay a service can only `give-up`");
        }
        then
    }

    /// Reports `stop-container` where there is no s6-overlay.
    pub(super) fn check_stop(&mut self, text: Option<&RawText>, remedy: &str) {
        let Some(text) = text.filter(|_| !self.system().is_overlay()) else { return };
        self.problems.push(
            Diagnostic::new(Code::ConflictingKeys, "`stop-container` needs s6-overlay")
                .at(text.origin(), format!("the target is {}", self.system()))
                .help(remedy),
        );
    }

    /// Reports `on-exit.codes` and `on-exit.except` that are empty or exclude each other.
    fn check_codes(&mut self, keys: &Keys) {
        for (key, numbers) in [("codes", &keys.codes), ("except", &keys.except)] {
            let Some(numbers) = numbers.as_ref().filter(|numbers| numbers.list.is_empty()) else { continue };
            self.problems.push(
                Diagnostic::new(Code::InvalidValue, format!("`on-exit.{key}` has no exit code"))
                    .at(numbers.origin, "none")
                    .help(
                        "write `on-exit = {}` for a service that is always started again, and `on-exit.then` alone for one of \
                         which every death is final",
                    ),
            );
        }
        if let (Some(codes), Some(except)) = (&keys.codes, &keys.except) {
            self.problems.push(
                Diagnostic::new(
                    Code::ConflictingKeys,
                    "`on-exit.codes` and `on-exit.except` exclude each other",
                )
                .at(except.origin, "every death is final except these")
                .at(codes.origin, "only these are final")
                .help("keep the one that names fewer codes"),
            );
        }
    }

    /// The number of deaths of `on-exit.deaths`, and the seconds of `on-exit.within`.
    fn counted_deaths(&mut self, keys: &Keys, scope: &Scope) -> Option<(u32, u32)> {
        let within = self.duration("on-exit.within", keys.within.as_ref(), scope);
        if let (Some(early), Some(within)) = (&keys.early, &keys.within) {
            self.problems.push(
                Diagnostic::new(
                    Code::ConflictingKeys,
                    "`on-exit.early` and `on-exit.within` exclude each other",
                )
                .at(within.origin(), "deaths within a time are counted")
                .at(early.origin(), "early deaths in a row are counted")
                .help("remove one of them, or write two tables: `[[longrun.NAME.on-exit]]`"),
            );
            return None;
        }
        match (keys.deaths, &keys.within) {
            (Some(deaths), Some(_)) => self
                .number("on-exit.deaths", deaths, 1..=4096)
                .zip(within.map(|within| within.div_ceil(1000).max(1))),
            (Some(deaths), None) if keys.early.is_none() => {
                self.problems.push(
                    Diagnostic::new(Code::ConflictingKeys, "`on-exit.deaths` without `on-exit.within`")
                        .at(deaths.origin, "in which time?")
                        .help(
                            "add `on-exit.within = \"1m\"`, or `on-exit.early = \"10s\"` to count deaths in a row soon after a start",
                        ),
                );
                None
            }
            (None, Some(within)) => {
                self.problems.push(
                    Diagnostic::new(Code::ConflictingKeys, "`on-exit.within` without `on-exit.deaths`")
                        .at(within.origin(), "how many deaths in this time?")
                        .help("add `on-exit.deaths = 5`"),
                );
                None
            }
            _ => None,
        }
    }

    /// The early deaths of `on-exit.early`.
    fn early_deaths(&mut self, keys: &Keys, then: Consequence, scope: &Scope) -> Option<EarlyDeaths> {
        let limit = self.duration("on-exit.early", keys.early.as_ref(), scope)?;
        let Some(deaths) = keys.deaths else {
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, "`on-exit.early` without `on-exit.deaths`")
                    .at(keys.early.as_ref().map(RawText::origin), "how many early deaths in a row are final?")
                    .help("add `on-exit.deaths = 4`"),
            );
            return None;
        };
        let deaths = self.number("on-exit.deaths", deaths, 1..=4096)?;
        Some(EarlyDeaths { deaths, limit: limit.div_ceil(10), then })
    }

    /// A time between two tries: `10s`, or `1s..1m` for one that doubles.
    pub(super) fn pause(&mut self, key: &str, text: Option<&RawText>, scope: &Scope) -> Option<Pause> {
        let (first, most) = self.value(text, scope, |values, text, origin| match text.split_once("..") {
            None => values.duration(key, text, origin).map(|pause| (pause, pause)),
            Some((first, most)) => {
                let first = values.duration(key, first.trim(), origin)?;
                let most = values.duration(key, most.trim(), origin)?;
                if first < most {
                    return Some((first, most));
                }
                values.refuse(
                    format!("`{key}` cannot be `{text}`"),
                    origin,
                    "the second time is not longer than the first",
                    "the time begins with the first and doubles up to the second: `\"1s..1m\"`",
                )
            }
        })?;
        Some(Pause { first: first.div_ceil(1000), most: most.div_ceil(1000) })
    }

    /// Resolves `on-failure` of a oneshot. `limit` is its `timeout-up` in milliseconds.
    pub(super) fn on_failure(
        &mut self,
        keys: &ServiceTable<OneshotKeys>,
        limit: u32,
        scope: &Scope,
    ) -> Option<OnFailure> {
        let own = &keys.own;
        let table = own.on_failure.as_ref().filter(|table| !table.is_blank())?;
        let first = [table.tries.map(|tries| tries.origin), table.pause.as_ref().map(RawText::origin)];
        let first = first.into_iter().flatten().chain(table.then.as_ref().map(RawText::origin)).next();
        if own.up.is_none() && own.wait_for.is_none() {
            if own.gives_way("on-failure") {
                return None;
            }
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, "`on-failure` without `up`")
                    .at(first, "nothing can fail here")
                    .help("write it for the oneshot that has the command"),
            );
        }
        let tries =
            table.tries.map_or(Some(1), |tries| self.number("on-failure.tries", tries, 1..=1_000_000));
        let pause = self.pause("on-failure.pause", table.pause.as_ref(), scope);
        if let (Some(pause), Some(1)) = (&table.pause, tries)
            && !table.gives_way("pause")
        {
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, "`on-failure.pause` without `on-failure.tries`")
                    .at(pause.origin(), "there is only one try")
                    .help("add `on-failure.tries = 5`"),
            );
        }
        let words = ["fail", "ignore", "stop-container"].map(|word| (word, word));
        let then = self.word("on-failure.then", table.then.as_ref(), &words, scope).unwrap_or("fail");
        if then == "stop-container" {
            self.check_stop(table.then.as_ref(), "without s6-overlay a oneshot can only `fail`");
        }
        Some(OnFailure {
            tries: tries.unwrap_or(1),
            pause: pause.unwrap_or(Pause { first: 1, most: 1 }),
            then,
            origin: table.then.as_ref().map(RawText::origin),
            limit: if then == "ignore" { limit.div_ceil(1000) } else { 0 },
        })
    }

    /// Resolves `ready.on-timeout`. `limit` is the time for a start in milliseconds; 0 is no limit.
    pub(super) fn late(
        &mut self,
        keys: &ServiceTable<LongrunKeys>,
        limit: u32,
        ready: &Readiness,
        scope: &Scope,
    ) -> Option<Late> {
        let table = keys.own.ready.as_ref()?;
        let text = table.on_timeout.as_ref()?;
        let words = [("fail", None), ("go-on", Some(true)), ("stop-container", Some(false))];
        let goes_on = self.word("ready.on-timeout", Some(text), &words, scope)??;
        if !goes_on {
            self.check_stop(Some(text), "without s6-overlay a start can only `fail`");
        }
        if limit > MOST_LATE {
            self.problems.push(
                Diagnostic::new(Code::InvalidValue, "`timeout-up` is too long for `ready.on-timeout`")
                    .at(text.origin(), "s6 cannot wait that long for a service")
                    .help("write at most 24 days, or leave `on-timeout` out"),
            );
            return None;
        }
        if limit > 0 && ready.fd.is_some() {
            return Some(Late { limit, goes_on, origin: Some(text.origin()) });
        }
        let gives_way = keys.own.gives_way("ready") || table.gives_way("on-timeout") || table.has_mistakes();
        if !gives_way {
            let why = if limit == 0 && ready.fd.is_some() {
                "its start has no limit"
            } else {
                "nothing says when it is ready"
            };
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, "`ready.on-timeout` has no effect here")
                    .at(text.origin(), why)
                    .help("add `timeout-up = \"1m\"` and a check, such as `ready.tcp`, or `ready.fd`"),
            );
        }
        None
    }
}

impl ExitRule {
    /// Whether any death that is not early can meet it.
    fn can_apply(&self) -> bool {
        self.is_for_all || !self.codes.is_empty() || !self.except.is_empty() || self.deaths.is_some()
    }
}

/// Which deaths of a service must be counted in a row.
pub(super) fn deaths_in_a_row(on_exit: Option<&OnExit>, delay: Option<&RestartDelay>) -> Option<InARow> {
    let early = on_exit.and_then(|on_exit| on_exit.early.as_ref()).map(|early| early.limit);
    let growing = delay.filter(|delay| delay.pause.first < delay.pause.most);
    let limit = early.or(growing.map(|delay| delay.pause.most.saturating_mul(100)))?;
    Some(InARow { limit })
}

/// Adds the scripts for a failed oneshot to the files of its definition.
pub(super) fn add_failure_script(files: &mut BTreeMap<String, File>, on_failure: Option<&OnFailure>) {
    add_own_script(files, "on-failure", crate::templates::ON_FAILURE, on_failure.is_some());
    add_own_script(
        files,
        "stop",
        crate::templates::STOP,
        on_failure.is_some_and(|then| then.then == "stop-container"),
    );
}

/// Adds the scripts for what follows a death, or a start that takes too long, to the files of a longrun.
pub(super) fn add_late_scripts(
    files: &mut BTreeMap<String, File>,
    late: Option<&Late>,
    on_exit: Option<&OnExit>,
    alive: Option<&Alive>,
) {
    add_own_script(files, "on-timeout", crate::templates::ON_TIMEOUT, late.is_some());
    let stops = late.is_some_and(|late| !late.goes_on)
        || on_exit.is_some_and(|on_exit| on_exit.stops_container)
        || alive.is_some_and(|alive| alive.stops_container);
    add_own_script(files, "stop", crate::templates::STOP, stops);
}
