//! Writes a comparison as text for people.

use super::comparison::{Added, Comparison, Effect};
use super::differences::{Changed, Difference, DifferenceKind, Hunk, SettingChange};
use super::transitions::Cause;
use crate::model::{FDHOLDER, Name, NodeKind, Words};
use crate::templates::execline_word;

/// The largest number of changed lines of a script that are shown.
const MOST_LINES: usize = 30;
/// The largest width of a line of names.
const MOST_COLUMNS: usize = 72;

/// The comparison for people: a line for each service, and below it a line for each setting.
pub fn text(comparison: &Comparison) -> String {
    let mut rows = Vec::new();
    for difference in comparison.differences.iter().filter(|difference| !comparison.is_told(difference)) {
        rows.push(service(difference, comparison));
        if let DifferenceKind::Changed(settings) = &difference.kind {
            for setting in settings {
                rows.extend(setting_rows(setting));
            }
        }
    }
    for (name, effect) in comparison.drawn_in() {
        let (what, why) = match effect {
            Effect::Restarted(cause) if *name == *FDHOLDER => {
                ("restarted", format!("{}: there are new pipes between old services", restarted_by(cause)))
            }
            Effect::Restarted(cause) => ("restarted", restarted_by(cause)),
            Effect::Stopped(cause) => ("stopped", restarted_by(cause)),
            Effect::Started(by) => ("started", format!("by s6-rc-update, because `{by}` needs it")),
        };
        rows.push(Row::new(what, name.to_string(), why));
    }
    let width = rows.iter().map(|row| row.second.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for row in rows {
        let line = format!("{:<9}  {:<width$}  {}", row.first, row.second, row.third);
        text += line.trim_end();
        text.push('\n');
    }
    if comparison.unchanged > 0 {
        text += &format!("unchanged  {}\n", comparison.unchanged);
    }
    let is_new = |(name, added): (&Name, &Added)| {
        added.starts_at_boot && added.kind != NodeKind::Bundle && !comparison.effects.contains_key(name)
    };
    if comparison.conflict.is_none() && comparison.added.iter().any(is_new) {
        text += "\ns6-rc-update does not start what is added; `s6gen apply` then does, and the next boot.\n";
    }
    if let Some(conflict) = &comparison.conflict {
        text += &format!("\ns6-rc-update refuses to go from the one to the other: {conflict}.\n");
    }
    text
}

/// A row of three columns. The first one says what happened; it is empty if the row continues the one above.
struct Row {
    first: &'static str,
    second: String,
    third: String,
}

impl Row {
    fn new(first: &'static str, second: impl Into<String>, third: impl Into<String>) -> Self {
        Row { first, second: second.into(), third: third.into() }
    }
}

fn service(difference: &Difference, comparison: &Comparison) -> Row {
    let name = &difference.name;
    let effect = comparison.effects.get(name);
    match &difference.kind {
        DifferenceKind::Added => {
            Row::new("added", name.to_string(), added(comparison.added.get(name), effect))
        }
        DifferenceKind::Removed => Row::new("removed", name.to_string(), effect.map_or("", |_| "stopped")),
        DifferenceKind::Changed(settings) => {
            let what = match effect {
                Some(Effect::Restarted(cause)) => format!("restarted {}", restarted_by(cause)),
                Some(Effect::Stopped(cause)) => format!("stopped {}", restarted_by(cause)),
                Some(Effect::Started(by)) => format!("started by s6-rc-update, because `{by}` needs it"),
                None if comparison.conflict.is_some() => String::new(),
                None if comparison.up.contains(name) => "goes on without a restart".to_owned(),
                None if settings.iter().any(|setting| setting.setting == "contents") => String::new(),
                None => "not up".to_owned(),
            };
            Row::new("changed", name.to_string(), what)
        }
    }
}

fn added(added: Option<&Added>, effect: Option<&Effect>) -> String {
    let Some(added) = added else { return String::new() };
    let kind = match added.kind {
        NodeKind::Longrun => "longrun",
        NodeKind::Oneshot => "oneshot",
        NodeKind::Bundle => return "bundle".to_owned(),
        NodeKind::Unknown => return "settings of another layer's service".to_owned(),
    };
    match effect {
        Some(Effect::Started(by)) => format!("{kind}, started by s6-rc-update, because `{by}` needs it"),
        _ if added.starts_at_boot => format!("{kind}, at boot"),
        _ => format!("{kind}, on demand"),
    }
}

/// The program that stops a service, and the reason.
fn restarted_by(cause: &Cause) -> String {
    let why = match cause {
        Cause::Conversion => return "only through the conversion file".to_owned(),
        Cause::Removed => "it is gone".to_owned(),
        Cause::Type => "it has another type".to_owned(),
        Cause::Bundle => "its name is a bundle now".to_owned(),
        Cause::NewDependency(name) => format!("it needs `{name}` now, which is not up"),
        Cause::Dependency(name) => format!("it depends on `{name}`"),
    };
    format!("by s6-rc-update, because {why}")
}

fn setting_rows(setting: &SettingChange) -> Vec<Row> {
    let values = match &setting.change {
        Changed::Value { old, new } => value(&setting.setting, old.as_deref(), new.as_deref()),
        Changed::Words { old, new } => {
            let line = |sign: char, words: &Words| {
                (!words.is_empty()).then(|| format!("{sign} {}", command_line(words)))
            };
            line('-', old).into_iter().chain(line('+', new)).collect()
        }
        Changed::Names { added, removed } => {
            let signed = |sign: char, names: &[Name]| {
                names.iter().map(|name| format!("{sign} {name}")).collect::<Vec<_>>()
            };
            wrapped([signed('+', added), signed('-', removed)].concat())
        }
        Changed::Lines(hunks) => lines(hunks),
        Changed::Bytes { old: true, new: true } => vec!["other bytes".to_owned()],
        Changed::Bytes { new: true, .. } => vec!["+ a file that is no text".to_owned()],
        Changed::Bytes { .. } => vec!["- a file that is no text".to_owned()],
        Changed::Executable(true) => vec!["can be executed".to_owned()],
        Changed::Executable(false) => vec!["cannot be executed".to_owned()],
    };
    let mut name = format!("  {}", printable(&setting.setting));
    values.into_iter().map(|value| Row::new("", std::mem::take(&mut name), value)).collect()
}

fn value(setting: &str, old: Option<&str>, new: Option<&str>) -> Vec<String> {
    let shown = |value: &str| if value.is_empty() { "\"\"".to_owned() } else { printable(value) };
    let text = match (old, new) {
        (_, Some(_)) if setting.starts_with("flag-") => "set".to_owned(),
        (Some(_), _) if setting.starts_with("flag-") => "no longer set".to_owned(),
        (Some(old), Some(new)) => format!("{} → {}", shown(old), shown(new)),
        (None, Some(new)) => format!("+ {}", shown(new)),
        (Some(old), None) => format!("- {}", shown(old)),
        (None, None) => String::new(),
    };
    vec![text]
}

/// The names in lines of a readable width.
fn wrapped(names: Vec<String>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for name in names {
        match lines.last_mut() {
            Some(line) if line.len() + name.len() < MOST_COLUMNS => *line += &format!(" {name}"),
            _ => lines.push(name),
        }
    }
    lines
}

fn lines(hunks: &[Hunk]) -> Vec<String> {
    let mut lines = Vec::new();
    for hunk in hunks {
        if !lines.is_empty() {
            lines.push("…".to_owned());
        }
        lines.extend(hunk.removed.iter().map(|line| format!("- {}", printable(line))));
        lines.extend(hunk.added.iter().map(|line| format!("+ {}", printable(line))));
    }
    // A file that is empty was there or is there now.
    if lines.is_empty() {
        lines.push("an empty file".to_owned());
    }
    if lines.len() > MOST_LINES {
        let more = lines.len() - (MOST_LINES - 1);
        lines.truncate(MOST_LINES - 1);
        lines.push(format!("… and {more} more lines"));
    }
    lines
}

/// A command line as it could be written: the words of a block are marked by blanks in front, its end by blanks alone.
fn command_line(words: &Words) -> String {
    let mut depth = 0;
    let mut text = Vec::new();
    for word in words {
        let word = printable(&String::from_utf8_lossy(word));
        let bare = word.trim_start_matches(' ');
        let blanks = word.len() - bare.len();
        if bare.is_empty() && blanks + 1 == depth {
            depth -= 1;
            text.push("}".to_owned());
            continue;
        }
        while depth < blanks {
            depth += 1;
            text.push("{".to_owned());
        }
        text.push(execline_word(&word[depth.min(blanks)..]));
    }
    text.join(" ")
}

/// The text without characters that would disturb a terminal.
fn printable(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        if c.is_control() && c != '\t' { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}
