//! Reads back the `finish` and the check for readiness that s6gen has generated for a longrun.

use super::generated::{GeneratedDefinition, GeneratedScript};
use super::tokens::{self, GeneratedTokens};
use crate::manifest::draft::DraftValue;
use crate::migrate::values::duration;
use crate::templates::sh_words;

/// Keys with their values: `ready.tcp`.
pub(super) type Keys = Vec<(&'static str, DraftValue)>;
/// A rule of `on-exit`.
type RuleKeys = Vec<(String, DraftValue)>;

/// What stands before the command of the user.
const COMMANDS: &[&str] = &["exec with-contenv ", "with-contenv ", "( exec ", "exec "];

impl GeneratedDefinition<'_> {
    /// The keys that `finish` comes from, beside those of `run`. `None` if it comes from others, too.
    pub(super) fn finish(&self, run: &GeneratedScript) -> Option<Keys> {
        let mut keys = Keys::new();
        let Some(text) = self.text("finish") else { return Some(keys) };
        self.description(text)?;
        let (mut at, mut has_command) = (0, false);
        for line in text.split_inclusive('\n') {
            let start = at;
            at += line.len();
            let line = line.trim_end_matches('\n');
            let stop_group = line.trim_start().strip_prefix("kill -").and_then(|rest| rest.split_once(' '));
            if stop_group.is_some_and(|(signal, _)| !matches!(signal, "0" | "KILL")) {
                keys.push(("stop-group", true.into()));
            }
            let is_command = |prefix: &&&str| {
                line.strip_prefix(**prefix).is_some_and(|rest| !rest.starts_with(['2', '<']))
            };
            if !has_command
                && !line.ends_with(" || missing=1")
                && let Some(prefix) = COMMANDS.iter().find(is_command)
            {
                keys.push(("finish", self.finish_command(&text[start + prefix.len()..], run)?));
                has_command = true;
            }
        }
        let waits = u32::from(!self.files.contains_key("notification-fd"));
        keys.extend(restart_delay(text, waits).map(|delay| ("restart-delay", delay.into())));
        let mut rules = rules(text);
        match rules.len() {
            0 => {}
            1 => keys.push(("on-exit", DraftValue::Table(rules.remove(0)))),
            _ => {
                keys.push(("on-exit", DraftValue::List(rules.into_iter().map(DraftValue::Table).collect())));
            }
        }
        Some(keys)
    }

    /// The command at the beginning of a part of `finish`.
    fn finish_command(&self, text: &str, run: &GeneratedScript) -> Option<DraftValue> {
        let line = text.lines().next().unwrap_or_default();
        if line.trim_end_matches(" )").ends_with(" ./data/finish \"$@\"") {
            return self.user_script("finish");
        }
        let mut words = sh_words(text)?;
        // Only the end of a subshell has no quotes around this.
        if words.last().is_some_and(|word| word == ")") && !line.ends_with("')'") {
            words.pop();
        }
        Some(without_inputs(&words, run)?.to_vec().into())
    }

    /// The key that a check below `data` comes from.
    pub(super) fn check(&self, path: &str, script: &str) -> Option<(&'static str, DraftValue)> {
        let text = self.text(path)?;
        if self.description(text).is_none() {
            return Some(("check", text.into()));
        }
        let words = tokens::words(&GeneratedTokens::of(text)?.tokens);
        let place = |known: &str| words.iter().position(|word| word == known);
        if let Some(at) = place("s6-ipcclient") {
            let path = words[at + 2..].iter().find(|word| *word != "--")?;
            return Some(("unix", path.as_str().into()));
        }
        if let Some(at) = place("http") {
            return Some(("http", format!("http://{}{}", words.get(at + 2)?, words.get(at + 1)?).into()));
        }
        if let Some(at) = place("s6-tcpclient") {
            let limits = if words.get(at + 3)? == "-T" { 2 } else { 0 };
            let (host, port) = (words.get(at + 3 + limits)?, words.get(at + 4 + limits)?);
            // A name is looked up before, with a script that gets it.
            let name = place("-c").filter(|at| words.get(at + 2).is_some_and(|word| word == "sh"));
            let host = name.and_then(|at| words.get(at + 3)).unwrap_or(host);
            let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
            return Some(("tcp", format!("{host}:{port}").into()));
        }
        let mut words = &words[..];
        while let [program, ..] = words {
            words = match program.as_str() {
                "getcwd" => words.get(3..)?,
                "execline-cd" => words.get(2..)?,
                _ => break,
            };
        }
        match words {
            [word] if word.ends_with(&format!("}}/data/{script}")) => {
                Some(("check", self.user_script(script)?))
            }
            _ => Some(("check", words.to_vec().into())),
        }
    }
}

/// The words of a command behind those for the files of variables, the variables and the secrets.
fn without_inputs<'w>(mut words: &'w [String], run: &GeneratedScript) -> Option<&'w [String]> {
    for _ in 0..run.count("environment-files") {
        let is_optional = words.get(1).is_some_and(|word| word == "-I");
        words = words.get(if is_optional { 3 } else { 2 }..)?;
    }
    if words.first().is_some_and(|word| word == "multisubstitute") {
        let end = words.iter().position(String::is_empty).map_or(words.len(), |end| end + 1);
        words = &words[end..];
        while let [export, name, value, others @ ..] = words
            && export == "export"
            && *value == format!("${{{name}}}")
        {
            words = others;
        }
    }
    for _ in 0..run.count("secrets") {
        let end = words.iter().position(String::is_empty)?;
        words = words.get(end + 3..)?;
    }
    Some(words)
}

/// What is between two texts in a line.
fn between<'t>(line: &'t str, before: &str, after: &str) -> Option<&'t str> {
    Some(line.split_once(before)?.1.split_once(after)?.0)
}

/// The time between a death and the next start. s6 itself waits for a part of it.
fn restart_delay(text: &str, waits: u32) -> Option<String> {
    let most = between(text, "test $delay -le ", " ");
    if let Some(most) = most {
        let first = between(text, "\ndelay=", "\n")?;
        return Some(format!("{first}s..{most}s"));
    }
    let seconds: u32 = between(text, "while test $i -lt ", " ")?.parse().ok()?;
    Some(format!("{}s", seconds + waits))
}

/// The rules of `on-exit`.
fn rules(text: &str) -> Vec<RuleKeys> {
    let mut rules = Vec::new();
    let then = |line: &str| {
        let then = line.rsplit("final=").next().unwrap_or_default();
        let word: String = then.chars().skip_while(|c| "${:-".contains(*c)).collect();
        let word = word.strip_prefix("final:-").unwrap_or(&word).to_owned();
        let end = word.find(|c: char| !c.is_ascii_alphabetic() && c != '-').unwrap_or(word.len());
        ("then".to_owned(), DraftValue::Text(word[..end].to_owned()))
    };
    let codes = |list: &str| {
        let numbers = list.split('|').filter_map(|code| code.parse::<i64>().ok());
        DraftValue::List(numbers.map(DraftValue::Number).collect())
    };
    let number = |text: &str| DraftValue::Number(text.parse().unwrap_or_default());
    for line in text.lines().map(str::trim_start) {
        if line == "# Every death is final." {
            let then = if text.contains("sh ./data/stop") { "stop-container" } else { "give-up" };
            rules.push(vec![("then".to_owned(), then.into())]);
        } else if let Some(list) = between(line, "case $1 in ", ")") {
            let key = if line.contains(") ;; *) ") { "except" } else { "codes" };
            rules.push(vec![(key.to_owned(), codes(list)), then(line)]);
        } else if let Some((seconds, deaths)) =
            between(line, "s6-permafailon ", " 0-255").and_then(|both| both.split_once(' '))
        {
            let within = seconds.parse::<u32>().unwrap_or(0).saturating_mul(1000);
            rules.push(vec![
                ("deaths".to_owned(), number(deaths)),
                ("within".to_owned(), duration(within).into()),
                then(line),
            ]);
        } else if let Some(deaths) = between(line, "test $row -lt ", " || final=") {
            let limit = between(text, "1${start#*.})) -lt ", " ").and_then(|limit| limit.parse::<u32>().ok());
            rules.push(vec![
                ("early".to_owned(), duration(limit.unwrap_or(0).saturating_mul(10)).into()),
                ("deaths".to_owned(), number(deaths)),
                then(line),
            ]);
        } else if line.starts_with("final=${final:-") {
            rules.push(vec![then(line)]);
        }
    }
    rules
}
