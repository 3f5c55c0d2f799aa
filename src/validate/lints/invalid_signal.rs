//! Finds signals that do not exist.

use crate::diagnostic::{Confidence, Fix, FixKind, Group, Lint, Severity, did_you_mean};
use crate::model::{Name, SIGNALS};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::invalid-signal",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Deaths,
        fix: FixKind::Safe,
        page: include_str!("invalid_signal.md"),
    },
    check: Check::Services(check),
};

/// How many bytes of such a file s6-supervise reads.
const READ: usize = 15;

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, definition) in subject.definitions() {
        let Some(longrun) = service.longrun() else { continue };
        let signals = [
            ("down-signal", &longrun.down_signal, "SIGTERM"),
            ("reload-signal", &longrun.reload_signal, "SIGHUP"),
        ];
        for (file, content, default) in signals {
            let Some(content) = content.as_deref().filter(|content| !is_signal(content)) else { continue };
            let first = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let shown = Name::new(&first[..first.len().min(READ)]);
            let message = match first {
                b"" => format!("`{file}` of `{}` is empty", service.name),
                _ => format!("`{file}` of `{}` does not name a signal: `{shown}`", service.name),
            };
            let plain = first.strip_prefix("\u{feff}".as_bytes()).unwrap_or(first);
            let word = String::from_utf8_lossy(plain.trim_ascii()).to_uppercase();
            let word = word.strip_prefix("SIG").unwrap_or(&word);
            let meant = SIGNALS.iter().find(|signal| **signal == word).copied();
            let near = meant.or_else(|| did_you_mean(word, SIGNALS.iter().copied()));
            let place = definition.place(file);
            let fix = near.zip(place).map(|(signal, place)| Fix {
                is_safe: meant.is_some(),
                ..Fix::rewrite(place.file, format!("SIG{signal}\n"))
            });
            let help = match meant {
                Some(_) if plain.len() < first.len() => Some(
                    "save it as UTF-8 without byte order mark: s6 takes the mark for a part of the name"
                        .into(),
                ),
                Some(signal) => {
                    Some(format!("write `SIG{signal}` and LF: blanks and CR count as a part of the name"))
                }
                None => near.map(|signal| format!("did you mean `SIG{signal}`?")),
            };
            found.push(
                found
                    .report(message)
                    .at(place, format!("s6-supervise sends {default} instead"))
                    .maybe_help(help)
                    .fix(fix),
            );
        }
    }
}

/// Whether s6-supervise finds a signal in the file.
fn is_signal(content: &[u8]) -> bool {
    let read = &content[..content.len().min(READ)];
    let line = read.split(|byte| matches!(byte, b'\n' | 0)).next().unwrap_or_default();
    let Ok(text) = str::from_utf8(line) else { return false };
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    is_number || SIGNALS.contains(&name) || matches!(name, "CLD" | "IO" | "IOT" | "UNUSED")
}
