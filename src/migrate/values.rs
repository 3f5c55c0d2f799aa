//! Writes durations and signals as a manifest has them.

use crate::manifest::SIGNAL_NUMBERS;
use crate::model::SIGNALS;

/// A time in milliseconds. Zero is no limit.
pub(super) fn duration(milliseconds: u32) -> String {
    match milliseconds {
        0 => "never".to_owned(),
        whole if whole % 3_600_000 == 0 => format!("{}h", whole / 3_600_000),
        whole if whole % 60_000 == 0 => format!("{}m", whole / 60_000),
        whole if whole % 1_000 == 0 => format!("{}s", whole / 1_000),
        other => format!("{other}ms"),
    }
}

/// A number as the programs of s6 read it: digits and nothing else.
pub(super) fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The longest time of s6, in seconds.
pub(super) const LONGEST: i64 = 4_294_967;

/// A time in seconds, as far as s6 has such times.
pub(super) fn seconds(seconds: i64) -> String {
    let seconds = seconds.clamp(0, LONGEST);
    duration(u32::try_from(seconds * 1000).unwrap_or(u32::MAX))
}

/// How many bytes of the file of a signal s6-supervise reads.
const READ: usize = 15;

/// The name of the signal in a file, as s6-supervise reads it: a name, also with `SIG`, or a number.
pub(super) fn signal(content: &[u8]) -> Option<&'static str> {
    let read = &content[..content.len().min(READ)];
    let text = str::from_utf8(read.split(|byte| matches!(byte, b'\n' | 0)).next()?).ok()?;
    if let Ok(number) = text.parse::<i64>() {
        let (_, name) = SIGNAL_NUMBERS.iter().find(|(known, _)| *known == number)?;
        return SIGNALS.iter().copied().find(|known| known == name);
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    SIGNALS.iter().copied().find(|known| *known == name)
}

#[cfg(test)]
mod tests {
    use super::{duration, signal};

    #[test]
    fn durations_have_the_largest_unit() {
        let all = [0, 1, 1500, 5000, 60_000, 90_000, 7_200_000].map(duration);
        assert_eq!(all, ["never", "1ms", "1500ms", "5s", "1m", "90s", "2h"]);
    }

    #[test]
    fn signals_are_names_or_numbers() {
        let all = [&b"SIGINT\n"[..], b"usr1", b"15\n", b"99", b"x", b""].map(signal);
        assert_eq!(all, [Some("INT"), Some("USR1"), Some("TERM"), None, None, None]);
    }
}
