//! What a failure means: who stays down if a service does not start, and what happens when it dies later.

use super::timeline::Timeline;
use super::words::listed;
use crate::model::{Consequence, ExitRule, Finish, Kind, OnExit, Script, Service};

impl Timeline<'_> {
    /// What happens if the start of a service fails, at boot if it starts then.
    pub fn if_it_fails(&self, row: usize) -> String {
        let Some(service) = self.service(row) else { return "not known".into() };
        let stops = self.overlay.as_ref().is_some_and(|limits| limits.stops_if_failed);
        match own_consequence(service) {
            Some(OwnConsequence::Ignored) => return "ignored, the others start".into(),
            Some(OwnConsequence::StopsContainer) => return "the container stops".into(),
            None if stops => return "the container stops: S6_BEHAVIOUR_IF_STAGE2_FAILS".into(),
            None => {}
        }
        let names = self.first_dependents(row);
        match self.rows[row].needed_by {
            0 => "nothing else stays down".into(),
            1 if names.is_empty() => "1 service stays down".into(),
            count if names.is_empty() => format!("{count} services stay down"),
            1 => format!("stays down: {}", listed(&names)),
            count if names.len() == count => format!("stay down: {}", listed(&names)),
            count => format!("{count} stay down: {} …", names.join(", ")),
        }
    }

    /// The names of some services that wait for a service, at boot if it starts then, nearest first. Background has none.
    fn first_dependents(&self, row: usize) -> Vec<String> {
        let mut found = vec![row];
        let mut at = 0;
        while at < found.len() && found.len() <= SHOWN {
            for other in &self.rows[found[at]].dependents {
                let is_alike = self.rows[*other].is_at_boot == self.rows[row].is_at_boot;
                if is_alike && !found.contains(other) && found.len() <= SHOWN {
                    found.push(*other);
                }
            }
            at += 1;
        }
        found[1..].iter().map(|other| self.name(*other).to_string()).collect()
    }
}

/// How many of the services that stay down are named.
const SHOWN: usize = 4;

/// What a service itself makes of its failed start.
enum OwnConsequence {
    Ignored,
    StopsContainer,
}

fn own_consequence(service: &Service) -> Option<OwnConsequence> {
    match &service.kind {
        Kind::Oneshot(oneshot) => match &oneshot.up {
            Script::Step(step) => match step.on_failure.as_ref()?.then {
                "ignore" => Some(OwnConsequence::Ignored),
                "stop-container" => Some(OwnConsequence::StopsContainer),
                _ => None,
            },
            _ => None,
        },
        Kind::Longrun(longrun) => match &longrun.run {
            Script::Run(run) => Some(match run.late?.goes_on {
                true => OwnConsequence::Ignored,
                false => OwnConsequence::StopsContainer,
            }),
            _ => None,
        },
        Kind::Bundle(_) | Kind::Unknown => None,
    }
}

/// What happens when a longrun dies without an order. Its dependents keep running in every case. `None` for what is no process.
pub fn if_it_dies(service: &Service) -> Option<String> {
    let Some(finish) = &service.longrun()?.finish else { return Some("starts again".into()) };
    let Script::Finish(finish) = finish else {
        return Some("starts again, unless its `finish` exits 125".into());
    };
    let pause = match finish.restart_delay.map(|delay| delay.pause) {
        Some(pause) if pause.first < pause.most => {
            format!(" after {} s, later up to {} s", pause.first, pause.most)
        }
        Some(pause) => format!(" after {} s", pause.most),
        None => String::new(),
    };
    Some(after_death(finish, &pause))
}

fn after_death(finish: &Finish, pause: &str) -> String {
    let again = format!("starts again{pause}");
    let Some(OnExit { rules, early, .. }) = &finish.on_exit else { return again };
    let mut parts = Vec::new();
    for rule in rules {
        let word = consequence(rule.then, &again);
        match condition(rule) {
            None if early.is_none() && parts.is_empty() => return word,
            None => parts.push(format!("else {word}")),
            Some(condition) => parts.push(format!("{condition}: {word}")),
        }
    }
    if let Some(early) = early {
        let (deaths, then) = (early.deaths, consequence(early.then, &again));
        parts.push(format!("{deaths} early deaths in a row: {then}"));
    }
    if !rules.iter().any(|rule| rule.is_for_all) {
        parts.push(format!("else {again}"));
    }
    parts.join("; ")
}

fn consequence(then: Consequence, again: &str) -> String {
    match then {
        Consequence::Restart => again.to_owned(),
        Consequence::GiveUp => "stays down".into(),
        Consequence::StopContainer => "the container stops".into(),
    }
}

/// For which deaths a rule applies. `None` for all.
fn condition(rule: &ExitRule) -> Option<String> {
    let list = |codes: &[u8]| {
        let codes: Vec<String> = codes.iter().map(u8::to_string).collect();
        codes.join(", ")
    };
    let mut parts = Vec::new();
    if !rule.codes.is_empty() {
        parts.push(format!("exit code {}", list(&rule.codes)));
    }
    if !rule.except.is_empty() {
        parts.push(format!("not exit code {}", list(&rule.except)));
    }
    if let Some((deaths, seconds)) = rule.deaths {
        parts.push(format!("{deaths} deaths within {seconds} s"));
    }
    (!parts.is_empty()).then(|| parts.join(" or "))
}
