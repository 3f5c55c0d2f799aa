//! Recognises a program behind `s6-notifyoncheck`, which asks whether it is ready: the keys of `ready` stand for it.

use crate::execline::{self, TokenKind, base_name};
use crate::manifest::draft::DraftValue;
use crate::migrate::values::{duration, number};

/// What s6gen does if nothing else is written, in milliseconds.
const PAUSE: u32 = 1_000;
const LIMIT_OF_A_TRY: u32 = 5_000;
/// The time in which a service with a check must become ready, if neither that nor the number of tries is written.
const READY_WITHIN: u32 = 60_000;
/// What `s6-notifyoncheck` does if nothing else is written.
const TRIES: u32 = 7;
const FIRST_PAUSE: u32 = 10;

/// A call of `s6-notifyoncheck`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Polling {
    /// The command that it asks with. Without one it runs `data/check`.
    pub(super) command: Option<Vec<String>>,
    /// The program behind it.
    pub(super) program: Vec<String>,
    /// Further keys of `ready`.
    pub(super) keys: Vec<(&'static str, DraftValue)>,
    /// The time in which it must become ready, in milliseconds, if the old system has no such limit.
    pub(super) within: u32,
    /// That time if no `timeout-up` is written.
    pub(super) usual: u32,
    /// Whether that limit is new.
    pub(super) is_limited: bool,
    /// The descriptor to which it writes, if it is not the one of `notification-fd`.
    pub(super) descriptor: Option<u32>,
    /// What is different.
    pub(super) differences: Vec<String>,
}

impl Polling {
    /// The keys as they are written, for a check that is a script or these words.
    pub(super) fn text(&self) -> String {
        let check = match &self.command {
            Some(words) => DraftValue::from(words.clone()).text(),
            None => "the script `data/check`".to_owned(),
        };
        let keys = self.keys.iter().map(|(key, value)| format!(", {key} = {}", value.text()));
        let limit = match self.is_limited && self.within != self.usual {
            true => format!(", timeout-up = \"{}\"", duration(self.within)),
            false => String::new(),
        };
        format!("ready = {{ check = {check}{} }}{limit}", keys.collect::<String>())
    }
}

/// The call that a command line begins with. `has_limit` says whether the old system has a limit for the start.
pub(super) fn polling(words: &[String], has_limit: bool) -> Option<Polling> {
    let (first, words) = words.split_first()?;
    (base_name(first) == "s6-notifyoncheck").then_some(())?;
    let PollingOptions { program, doubles, text, numbers } = options(words)?;
    // The last one counts.
    let given =
        |letter: char| numbers.iter().rev().find(|(known, _)| *known == letter).map(|(_, number)| *number);
    let number = |letter: char, usual: u32| given(letter).unwrap_or(usual);
    let (pause, limit, tries) = (number('w', PAUSE), number('t', 0), number('n', TRIES));
    let (first_pause, whole) = (number('s', FIRST_PAUSE), number('T', 0));
    let mut keys = Vec::new();
    let mut differences = Vec::new();
    if pause != PAUSE {
        // No pause at all is no duration.
        keys.push(("interval", duration(pause.max(1)).into()));
    }
    match limit {
        0 => differences.push("a try has 5 seconds, where it had no limit".to_owned()),
        LIMIT_OF_A_TRY => {}
        _ => keys.push(("timeout", duration(limit).into())),
    }
    if tries > 0 {
        keys.push(("tries", i64::from(tries).into()));
    }
    if first_pause != FIRST_PAUSE {
        differences
            .push(format!("the first try comes at once, where it came after {}", duration(first_pause)));
    }
    if doubles {
        differences.push("the process that asks is a child of the program, which `-d` avoided".to_owned());
    }
    let usual = match tries {
        0 => READY_WITHIN,
        _ => {
            tries.saturating_mul(pause.max(1).saturating_add(if limit > 0 { limit } else { LIMIT_OF_A_TRY }))
        }
    };
    let all_tries = tries.saturating_mul(pause.saturating_add(limit));
    let within =
        if whole > 0 { whole } else { all_tries.div_ceil(1_000).saturating_mul(1_000).max(READY_WITHIN) };
    match has_limit {
        true if whole > 0 => {
            differences.push(format!("it asks until `timeout-up`, where it asked for {}", duration(whole)))
        }
        true => {}
        false => {
            differences.push(format!(
                "if it is not ready within {}, the start fails, where s6-rc waited for ever",
                duration(within)
            ));
        }
    }
    let command = match text {
        Some(text) => Some(plain_words(&text)?),
        None => None,
    };
    let descriptor = given('3');
    Some(Polling { command, program, keys, within, usual, is_limited: !has_limit, descriptor, differences })
}

struct PollingOptions {
    program: Vec<String>,
    doubles: bool,
    text: Option<String>,
    numbers: Vec<(char, u32)>,
}

/// The options as `s6-notifyoncheck` reads them.
fn options(words: &[String]) -> Option<PollingOptions> {
    let mut found = PollingOptions { program: Vec::new(), doubles: false, text: None, numbers: Vec::new() };
    let mut words = words.iter();
    while let Some(word) = words.clone().next().filter(|word| word.len() > 1 && word.starts_with('-')) {
        words.next();
        if word == "--" {
            break;
        }
        let mut letters = word[1..].chars();
        while let Some(letter) = letters.next() {
            if letter == 'd' {
                found.doubles = true;
                continue;
            }
            let rest = letters.as_str();
            let value = if rest.is_empty() { words.next()?.as_str() } else { rest };
            match letter {
                'c' => found.text = Some(value.to_owned()),
                '3' | 's' | 'T' | 't' | 'w' | 'n' => found.numbers.push((letter, number(value)?)),
                _ => return None,
            }
            break;
        }
    }
    found.program = words.cloned().collect();
    let first = found.program.first()?;
    (!first.is_empty() && !first.starts_with('-')).then_some(found)
}

/// The words of a command line of execline without blocks.
fn plain_words(text: &str) -> Option<Vec<String>> {
    let words = execline::tokens(text.as_bytes()).ok()?.into_iter().map(|token| match token.kind {
        TokenKind::Word(word) => String::from_utf8(word).ok(),
        TokenKind::Open | TokenKind::Close => None,
    });
    let words: Vec<String> = words.collect::<Option<_>>()?;
    words.first().is_some_and(|word| !word.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::{Polling, polling};

    fn read(text: &str, has_limit: bool) -> Option<Polling> {
        let words: Vec<String> = text.split('|').map(str::to_owned).collect();
        polling(&words, has_limit)
    }

    #[test]
    fn the_options_become_keys() {
        let all = read("s6-notifyoncheck|-n|0|-w500|-t|2000|web|-n|1", true).unwrap();
        assert_eq!(
            all.text(),
            "ready = { check = the script `data/check`, interval = \"500ms\", timeout = \"2s\" }"
        );
        assert_eq!((all.program.join(" "), all.differences.len()), ("web -n 1".to_owned(), 0));
        let usual = read("/command/s6-notifyoncheck|-d|-c|nc -z localhost 80|--|web", false).unwrap();
        assert_eq!(
            usual.text(),
            r#"ready = { check = ["nc", "-z", "localhost", "80"], tries = 7 }, timeout-up = "1m""#
        );
        assert_eq!((usual.within, usual.differences.len()), (60_000, 3));
        assert_eq!(read("s6-notifyoncheck|-n|300|web", false).unwrap().within, 300_000);
        assert_eq!(read("s6-notifyoncheck|-T|9000|-3|5|web", false).unwrap().within, 9_000);
        assert_eq!(read("s6-notifyoncheck|-3|3|-3|5|web", true).unwrap().descriptor, Some(5));
    }

    #[test]
    fn other_command_lines_stay() {
        for text in [
            "web",
            "s6-notifyoncheck",
            "s6-notifyoncheck|-x|web",
            "s6-notifyoncheck|-n|x|web",
            "s6-notifyoncheck|-n|+3|web",
            "s6-notifyoncheck|-c|if { a } b|web",
        ] {
            assert_eq!(read(text, true), None, "{text}");
        }
    }
}
