//! The types of values, as supervisord's `datatypes.py` reads them. Each function returns a value or the reason why there is none.

use super::Autorestart;
use super::python::{integer, strip};

/// Why a text is no value.
pub(super) type ValueReason = String;

/// The most processes of a program that are read.
pub(super) const MOST_PROCESSES: i64 = 1000;

/// The most bytes of options that all processes together may have. The options of a section count once for each process and each
/// group, and so does the environment of `[supervisord]`.
pub(super) const MOST_OF_PROCESSES: usize = 4 << 20;

/// What a process counts besides its options.
pub(super) const OF_PROCESS: usize = 400;

/// A number. One that is too large becomes the largest one.
pub(super) fn number(text: &str) -> Result<i64, ValueReason> {
    integer(text, 10).map(narrow).ok_or_else(|| format!("`{text}` is not a whole number"))
}

fn narrow(number: i128) -> i64 {
    i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX })
}

/// `true` or `false`, or another word for it.
pub(super) fn boolean(text: &str) -> Result<bool, ValueReason> {
    match text.to_lowercase().as_str() {
        "yes" | "true" | "on" | "1" => Ok(true),
        "no" | "false" | "off" | "0" => Ok(false),
        _ => Err(format!("`{text}` is neither `true` nor `false`")),
    }
}

/// `autorestart`.
pub(super) fn autorestart(text: &str) -> Result<Autorestart, ValueReason> {
    match (text.to_lowercase().as_str(), boolean(text)) {
        ("unexpected", _) => Ok(Autorestart::Unexpected),
        (_, Ok(true)) => Ok(Autorestart::Always),
        (_, Ok(false)) => Ok(Autorestart::Never),
        (_, Err(_)) => Err(format!("`{text}` is not `true`, `false` or `unexpected`")),
    }
}

/// A size: `50MB`.
pub(super) fn size(text: &str) -> Result<i64, ValueReason> {
    let small = text.to_lowercase();
    let units = [("kb", 1 << 10), ("mb", 1 << 20), ("gb", 1 << 30)];
    let found =
        units.iter().find_map(|(unit, bytes)| small.strip_suffix(unit).map(|digits| (digits, *bytes)));
    let (digits, bytes) = found.unwrap_or((&small, 1));
    let size = integer(digits, 10).map(|size| narrow(size.saturating_mul(bytes)));
    size.ok_or_else(|| format!("`{text}` is not a size such as `50MB`"))
}

/// A number in octal digits, of which the lowest nine bits count.
pub(super) fn octal(text: &str) -> Result<u32, ValueReason> {
    let number = integer(text, 8).map(|number| number & 0o777);
    number
        .and_then(|number| u32::try_from(number).ok())
        .ok_or_else(|| format!("`{text}` is not an octal number"))
}

/// ProcessNumbers from 0 to 255 with commas between them.
pub(super) fn exit_codes(text: &str) -> Result<Vec<i64>, ValueReason> {
    let codes = text.split(',').filter(|_| !text.is_empty());
    let codes: Option<Vec<i64>> =
        codes.map(|code| integer(code, 10).filter(|code| (0..=255).contains(code)).map(narrow)).collect();
    codes.ok_or_else(|| format!("`{text}` is not a list of exit codes from 0 to 255"))
}

/// The signals that Python has on Linux.
const SIGNALS: &[(&str, i32)] = &[
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("IOT", 6),
    ("BUS", 7),
    ("FPE", 8),
    ("KILL", 9),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("STKFLT", 16),
    ("CHLD", 17),
    ("CLD", 17),
    ("CONT", 18),
    ("STOP", 19),
    ("TSTP", 20),
    ("TTIN", 21),
    ("TTOU", 22),
    ("URG", 23),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("VTALRM", 26),
    ("PROF", 27),
    ("WINCH", 28),
    ("IO", 29),
    ("POLL", 29),
    ("PWR", 30),
    ("SYS", 31),
    ("RTMIN", 34),
    ("RTMAX", 64),
    // Other constants of Python whose names begin with SIG. supervisord takes them for signals too.
    ("_DFL", 0),
    ("_IGN", 1),
    ("_BLOCK", 0),
    ("_UNBLOCK", 1),
    ("_SETMASK", 2),
];

/// The number of a signal, from its number or its name with or without `SIG`.
pub(super) fn signal(text: &str) -> Result<i32, ValueReason> {
    if let Some(number) = integer(text, 10) {
        let known = SIGNALS.iter().find(|(_, signal)| i128::from(*signal) == number);
        return known.map(|(_, signal)| *signal).ok_or_else(|| format!("there is no signal {number}"));
    }
    let name = strip(text).to_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    let known = SIGNALS.iter().find(|(signal, _)| *signal == name);
    known.map(|(_, signal)| *signal).ok_or_else(|| format!("there is no signal `{text}`"))
}

/// The name of a signal without `SIG`. `None` for a number that is none.
pub fn signal_name(number: i32) -> Option<&'static str> {
    SIGNALS.iter().find(|(name, signal)| *signal == number && !name.starts_with('_')).map(|(name, _)| *name)
}

/// Words with commas between them.
pub(super) fn list(text: &str) -> Vec<String> {
    text.split(',').filter(|_| !text.is_empty()).map(|word| strip(word).to_owned()).collect()
}

/// The name of a program or group.
pub(super) fn name(text: &str) -> Result<String, ValueReason> {
    let name = strip(text);
    match name.chars().find(|letter| " :/".contains(*letter)) {
        Some(letter) => Err(format!("the name `{name}` contains `{letter}`")),
        None => Ok(name.to_owned()),
    }
}

/// The names of levels of supervisord's own log.
const LEVELS: &[&str] = &["critical", "error", "warn", "info", "debug", "trace", "blather"];

/// The level of supervisord's own log.
pub(super) fn level(text: &str) -> Result<String, ValueReason> {
    let level = text.to_lowercase();
    if LEVELS.contains(&level.as_str()) {
        Ok(level)
    } else {
        Err(format!("`{text}` is not a level of the log"))
    }
}

/// A port of TCP.
pub(super) fn port(text: &str) -> Result<u16, ValueReason> {
    let number = integer(text, 10).and_then(|number| u16::try_from(number).ok()).filter(|number| *number > 0);
    number.ok_or_else(|| format!("`{text}` is not a port from 1 to 65535"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_names_and_numbers() {
        for text in ["TERM", "SIGTERM", " term ", "15", "sigterm", "1_5"] {
            assert_eq!(signal(text), Ok(15), "{text}");
        }
        assert_eq!(signal("0"), Ok(0));
        assert_eq!(signal("_SETMASK"), Ok(2));
        for text in ["", "SIG", "32", "-1", "35", "TERM,INT", "SIGSIGTERM"] {
            assert!(signal(text).is_err(), "{text}");
        }
        assert_eq!(signal_name(17), Some("CHLD"));
        assert_eq!(signal_name(0), None);
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("50MB"), Ok(50 << 20));
        assert_eq!(size("1 gb"), Ok(1 << 30));
        assert_eq!(size("-1kb"), Ok(-1024));
        for text in ["", "mb", "1.5MB", "5 M", "5MiB", "5MB "] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_empty_list_of_exit_codes_expects_none() {
        assert_eq!(exit_codes(""), Ok(Vec::new()));
        assert_eq!(exit_codes("0, 2"), Ok(vec![0, 2]));
        for text in [" ", "0,", "256", "-1", "0;2"] {
            assert!(exit_codes(text).is_err(), "{text}");
        }
    }
}
