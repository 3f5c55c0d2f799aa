//! Writes how a setting changed as text for people.

use super::differences::{Changed, Hunk, SettingChange};
use super::hidden::HIDDEN;
use crate::model::{Name, Words, printable, printable_lines};
use crate::templates::execline_word;

/// The largest number of changed lines of a script that are shown.
const MOST_LINES: usize = 30;
/// The largest width of a line of names.
const MOST_COLUMNS: usize = 72;

/// A changed setting in lines of two columns: its name, which only the first line has, and how it changed.
pub(super) fn setting_lines(setting: &SettingChange) -> Vec<[String; 2]> {
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
        Changed::Bytes { old, new } if setting.setting.starts_with("env/") => vec![
            match (old, new) {
                (true, true) => "another value",
                (_, true) => "+ a value",
                (_, false) => "- a value",
            }
            .to_owned(),
        ],
        Changed::Bytes { old: true, new: true } => vec!["other bytes".to_owned()],
        Changed::Bytes { new: true, .. } => vec!["+ a file that is not text".to_owned()],
        Changed::Bytes { .. } => vec!["- a file that is not text".to_owned()],
        Changed::Executable(true) => vec!["can be executed".to_owned()],
        Changed::Executable(false) => vec!["cannot be executed".to_owned()],
    };
    let mut name = printable(&setting.setting).into_owned();
    values.into_iter().map(|value| [std::mem::take(&mut name), value]).collect()
}

fn value(setting: &str, old: Option<&str>, new: Option<&str>) -> Vec<String> {
    let shown =
        |value: &str| if value.is_empty() { "\"\"".to_owned() } else { printable(value).into_owned() };
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
        lines.extend(hunk.removed.iter().map(|line| format!("- {}", printable_lines(line))));
        lines.extend(hunk.added.iter().map(|line| format!("+ {}", printable_lines(line))));
    }
    // No line differs, so an empty file was added or removed.
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

/// A command line as a person would write it. In `words` blanks before a word mark its block, and a word of blanks alone
/// ends a block.
fn command_line(words: &Words) -> String {
    let mut depth = 0;
    let mut text = Vec::new();
    for word in words {
        let word = String::from_utf8_lossy(word);
        let word = printable(&word);
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
        text.push(if bare == HIDDEN { bare.to_owned() } else { execline_word(&word[depth.min(blanks)..]) });
    }
    text.join(" ")
}
