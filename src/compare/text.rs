//! Writes a comparison as text for people.

use std::collections::BTreeSet;

use super::comparison::{Comparison, Effect, StartCause};
use super::differences::{Changed, DifferenceKind, SettingChange};
use super::setting_text::setting_lines;
use super::transitions::Cause;
use crate::model::{FDHOLDER, Name, NodeKind, printable};
use crate::templates::execline_word;

/// How much of the changed settings a text shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Their names, in the line of the service.
    Names,
    /// The old and the new values on separate lines, and which restarts need the conversion file.
    Values,
}

/// What can happen to a service, in the order of the lines.
const WORDS: [&str; 6] = ["added", "removed", "changed", "stopped", "restarted", "started"];

/// The comparison for people: a line for each service, with what happens to it and why.
pub fn text(comparison: &Comparison, detail: Detail) -> String {
    let mut lines = lines(comparison, detail);
    fold_loggers(&mut lines);
    let widths = lines.iter().flat_map(ServiceLine::widths);
    let width = widths.max().unwrap_or(0);
    let mut text: String = lines.iter().map(|line| line.text(width)).collect();
    if comparison.unchanged() > 0 {
        text += &format!("unchanged  {}\n", comparison.unchanged());
    }
    let waits_for_boot = comparison.added.iter().any(|(name, added)| {
        added.starts_at_boot && added.kind != NodeKind::Bundle && !comparison.effects.contains_key(name)
    });
    if let Some(conflict) = &comparison.conflict {
        text += &format!("\ns6-rc-update refuses this update: {conflict}.\n");
    } else if waits_for_boot {
        text += "\ns6-rc-update starts none of the services marked `at boot`; `s6gen apply` and the next boot do.\n";
    }
    text
}

/// The line of a service.
struct ServiceLine<'a> {
    /// What happens to it, one of `WORDS`.
    word: &'static str,
    name: &'a Name,
    why: String,
    /// Its changed settings, in two columns.
    settings: Vec<[String; 2]>,
}

impl ServiceLine<'_> {
    /// The widths of the second column.
    fn widths(&self) -> impl Iterator<Item = usize> {
        let settings = self.settings.iter().map(|[setting, _]| setting.chars().count() + 2);
        settings.chain([self.name.to_string().chars().count()])
    }

    fn text(&self, width: usize) -> String {
        let row = |word: &str, second: &str, third: &str| {
            format!("{}\n", format!("{word:<9}  {second:<width$}  {third}").trim_end())
        };
        let mut text = row(self.word, &self.name.to_string(), &self.why);
        for [setting, change] in &self.settings {
            text += &row("", &format!("  {setting}"), change);
        }
        text
    }
}

/// The line of each service that differs or to which the update does something.
fn lines(comparison: &Comparison, detail: Detail) -> Vec<ServiceLine<'_>> {
    let differences = comparison.differences.iter().filter(|difference| !comparison.is_redundant(difference));
    let differing = differences.map(|difference| (&difference.name, Some(&difference.kind)));
    let only_affected = comparison.only_affected().map(|(name, _)| (name, None));
    let mut lines: Vec<ServiceLine<'_>> = differing
        .chain(only_affected)
        .map(|(name, kind)| {
            let settings = match kind {
                Some(DifferenceKind::Changed(settings)) => &settings[..],
                _ => &[],
            };
            let (word, why) = what_happens(comparison, name, kind, settings, detail);
            let shown = settings.iter().filter(|_| detail == Detail::Values);
            ServiceLine { word, name, why, settings: shown.flat_map(setting_lines).collect() }
        })
        .collect();
    lines.sort_by_key(|line| (WORDS.iter().position(|word| *word == line.word), line.name));
    lines
}

/// What happens to a service: one of `WORDS`, and the reason or details.
fn what_happens(
    comparison: &Comparison,
    name: &Name,
    kind: Option<&DifferenceKind>,
    settings: &[SettingChange],
    detail: Detail,
) -> (&'static str, String) {
    let effect = comparison.effects.get(name);
    let (word, why) = match (kind, effect) {
        (Some(DifferenceKind::Added), _) => return ("added", added(comparison, name)),
        (Some(DifferenceKind::Removed), None) => return ("removed", String::new()),
        (Some(DifferenceKind::Removed), Some(_)) => return ("removed", "stopped".to_owned()),
        (_, Some(Effect::Restarted(cause))) => {
            ("restarted", stop_reason(comparison, name, cause.as_ref(), settings, detail))
        }
        (_, Some(Effect::Stopped(cause))) => {
            ("stopped", stop_reason(comparison, name, cause.as_ref(), settings, detail))
        }
        (_, Some(Effect::Started(cause))) => ("started", start_reason(cause.as_ref())),
        (_, None) => ("changed", remark(comparison, name, settings).to_owned()),
    };
    let parts = match detail {
        Detail::Names => [summary(settings), why],
        Detail::Values => [String::new(), why],
    };
    (word, parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; "))
}

/// A remark on a service that differs but that the update neither stops nor starts.
fn remark(comparison: &Comparison, name: &Name, settings: &[SettingChange]) -> &'static str {
    let is_bundle = settings.iter().any(|setting| setting.setting == "contents");
    match comparison.up.contains(name) {
        _ if comparison.conflict.is_some() => "",
        true => "no restart is needed",
        false if is_bundle => "",
        false => "it is down",
    }
}

/// The names of the changed settings, or the new type.
fn summary(settings: &[SettingChange]) -> String {
    let new_type = settings.iter().find(|setting| setting.setting == "type");
    if let Some(SettingChange { change: Changed::Value { new: Some(kind), .. }, .. }) = new_type {
        return format!("it is a {kind} now");
    }
    let names: Vec<_> = settings.iter().map(|setting| printable(&setting.setting)).collect();
    if names.is_empty() { String::new() } else { format!("{} changed", names.join(", ")) }
}

/// Why a service is stopped. Empty if the line already shows the names of the changed settings and these are the reason.
fn stop_reason(
    comparison: &Comparison,
    name: &Name,
    cause: Option<&Cause>,
    settings: &[SettingChange],
    detail: Detail,
) -> String {
    match cause {
        None => "what it needs has changed".to_owned(),
        Some(Cause::Conversion) => conversion_reason(name, settings, detail),
        Some(Cause::Removed) => "it is gone".to_owned(),
        Some(Cause::Type | Cause::Bundle) => match detail {
            Detail::Names => String::new(),
            Detail::Values => summary(settings),
        },
        Some(Cause::NewDependency(needed)) => match comparison.effects.get(needed) {
            Some(Effect::Restarted(_)) => format!("it now needs `{needed}`, which restarts"),
            _ => format!("it now needs `{needed}`, which starts"),
        },
        Some(Cause::Dependency(needed)) => match comparison.effects.get(needed) {
            Some(Effect::Stopped(_)) => format!("it needed `{needed}`, which stops"),
            _ => format!("it needs `{needed}`, which restarts"),
        },
    }
}

/// Why a service has a line in the conversion file.
fn conversion_reason(name: &Name, settings: &[SettingChange], detail: Detail) -> String {
    let line = format!("only with `{} restart` in the conversion file", execline_word(&name.to_string()));
    let why = match settings {
        [] if *name == *FDHOLDER => "there are new pipes between old services",
        // An earlier update has already replaced the files on the disk, so nothing differs.
        [] => "an earlier update changed its scripts",
        _ => "",
    };
    match (detail, why) {
        (Detail::Names, why) => why.to_owned(),
        (Detail::Values, "") => line,
        (Detail::Values, why) => format!("{line}; {why}"),
    }
}

/// Why a service that was down is started.
fn start_reason(cause: Option<&StartCause>) -> String {
    match cause {
        None => String::new(),
        Some(StartCause::Needed(by)) => format!("`{by}` needs it"),
        Some(StartCause::Boot) => "it starts at boot".to_owned(),
    }
}

/// The type of a new service, and when it starts.
fn added(comparison: &Comparison, name: &Name) -> String {
    let Some(added) = comparison.added.get(name) else { return String::new() };
    let kind = match added.kind {
        NodeKind::Longrun => "longrun",
        NodeKind::Oneshot => "oneshot",
        NodeKind::Bundle => return "bundle".to_owned(),
        NodeKind::Unknown => return "settings of another layer's service".to_owned(),
    };
    match comparison.effects.get(name) {
        Some(Effect::Started(Some(StartCause::Needed(by)))) => {
            format!("{kind}, started because `{by}` needs it")
        }
        Some(Effect::Started(_)) => format!("{kind}, started"),
        _ if added.starts_at_boot => format!("{kind}, at boot"),
        _ => format!("{kind}, on demand"),
    }
}

/// What the names of the services for the log of a service have after its own name.
const LOGGERS: &[&str] = &["-err-log", "-log", "-filter", "-show"];

/// Removes the line of a logger if the same happens to its service, and mentions the logger in the line of the service.
fn fold_loggers(lines: &mut Vec<ServiceLine<'_>>) {
    let all: BTreeSet<(&str, String, String)> =
        lines.iter().map(|line| (line.word, line.name.to_string(), line.why.clone())).collect();
    let is_there = |line: &ServiceLine<'_>, name: String| all.contains(&(line.word, name, line.why.clone()));
    lines.retain(|line| {
        let name = line.name.to_string();
        let service = LOGGERS.iter().find_map(|suffix| name.strip_suffix(suffix));
        !line.settings.is_empty() || !service.is_some_and(|service| is_there(line, service.to_owned()))
    });
    let left: BTreeSet<String> = lines.iter().map(|line| line.name.to_string()).collect();
    for line in lines {
        let is_folded = |suffix: &&&str| {
            let logger = format!("{}{suffix}", line.name);
            !left.contains(&logger) && is_there(line, logger)
        };
        let count = LOGGERS.iter().filter(is_folded).count();
        let loggers = if count == 1 { "its logger" } else { "its loggers" };
        line.why = match (count, line.why.as_str()) {
            (0, why) => why.to_owned(),
            (_, "") => format!("with {loggers}"),
            (_, why) => format!("{why}; {loggers} too"),
        };
    }
}
