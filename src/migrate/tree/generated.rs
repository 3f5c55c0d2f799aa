//! Reads back the scripts that s6gen itself has generated: the keys from which it made them.
//!
//! Only some keys are known here. A script with anything else stays a script. The caller builds the manifest and compares, so a
//! mistake here changes nothing.

use std::collections::BTreeMap;

use super::lines::FileLines;
use super::tokens::{self, GeneratedTokens};
use crate::execline::{Token, TokenKind};
use crate::manifest::draft::{DraftEntry, DraftTable, DraftValue};
use crate::migrate::Fate;
use crate::model::File;

/// The keys of a generated script.
#[derive(Debug, Default)]
pub(super) struct GeneratedScript {
    pub(super) entries: Vec<(Vec<String>, DraftValue)>,
    /// Whether it loads the environment of the container.
    pub(super) with_contenv: bool,
    /// The logger to whose fifo it sends its errors.
    pub(super) errors: Option<String>,
    /// The time in milliseconds in which it must become ready, if s6gen's own script acts.
    pub(super) ready_within: Option<u32>,
    /// Whether it waits for something first.
    pub(super) waits: bool,
}

impl GeneratedScript {
    /// Whether it has a key: `log.to`.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(known, _)| known.join(".") == key)
    }

    /// The number of names in the list of a key.
    pub(super) fn count(&self, key: &str) -> usize {
        let value = self.entries.iter().find(|(known, _)| *known == [key]).map(|(_, value)| value);
        if let Some(DraftValue::List(list)) = value { list.len() } else { 0 }
    }

    /// Takes the place of its errors as the one for its output, where its errors go too.
    pub(super) fn errors_are_output(&mut self) {
        let path = |key: &str| vec!["log".to_owned(), key.to_owned()];
        for (key, _) in self.entries.iter_mut().filter(|(key, _)| *key == path("stderr")) {
            *key = path("to");
        }
        self.entries.push((path("stderr"), "stdout".into()));
    }

    /// The account that it changes to.
    pub(super) fn user(&self) -> Option<&DraftValue> {
        self.entries.iter().find(|(known, _)| *known == ["user"]).map(|(_, value)| value)
    }
}

/// The description in the first comment of a script that s6gen generated for the table `table`.
fn description<'t>(text: &'t str, table: &str) -> Option<&'t str> {
    let comment = text.lines().find(|line| line.starts_with("# ["))?;
    let rest = comment.strip_prefix("# [")?.strip_prefix(table)?.strip_prefix(']')?;
    Some(rest.trim())
}

/// Whether s6gen generated a script of a longrun.
pub(super) fn is_generated_run(text: &str) -> bool {
    text.starts_with("#!") && text.lines().nth(1).is_some_and(|line| line.starts_with("# [longrun."))
}

/// The name of the table for which s6gen generated a script, if it did.
pub(super) fn generated_for(text: &str) -> Option<&str> {
    let comment = text.lines().take(2).find_map(|line| line.strip_prefix("# ["))?;
    let table = comment.strip_prefix("longrun.").or_else(|| comment.strip_prefix("oneshot."))?;
    table.split_once(']').map(|(name, _)| name)
}

/// The files below `data` that s6gen writes beside its scripts, each with the keys for which it does.
const OWN_DATA: &[(&str, &[&str])] = &[
    ("alive", &["alive"]),
    ("check", &["ready", "wait-for"]),
    ("check-alive", &["alive"]),
    ("filter", &["log"]),
    ("json", &["log"]),
    ("log", &["log"]),
    ("log-errors", &["log"]),
    ("log-file", &["log"]),
    ("on-failure", &["on-failure"]),
    ("on-timeout", &["ready"]),
    ("ready", &["ready"]),
    ("secret", &["secrets"]),
    ("stop", &["alive", "on-exit", "on-failure", "ready"]),
    ("wait", &["wait-for"]),
    ("wait-for", &["wait-for"]),
    ("watch", &["alive"]),
];

/// Notes that the keys of the manifest generate the scripts of a definition again. Other files are from the key `files`.
pub(super) fn note_generated(table: &DraftTable, lines: &mut FileLines<'_>, keys: &[&str]) {
    let generated = "the keys from which s6gen generated it";
    for key in keys {
        lines.note(key, Fate::Exact, generated, "");
    }
    for key in keys.iter().chain(&["only-if", "prepare"]) {
        let is_script =
            |entry: &DraftEntry| entry.key == [*key] && matches!(entry.value, DraftValue::Text(_));
        if table.entries.iter().any(is_script) {
            lines.note(&format!("data/{key}"), Fate::Exact, &format!("`{key}`"), "");
        }
    }
    for (file, keys) in OWN_DATA {
        let is_for = |entry: &DraftEntry| {
            keys.contains(&entry.key[0].as_str()) && !(entry.key[0] == "ready" && entry.key[1] == "fd")
        };
        if table.entries.iter().any(is_for) {
            lines.note(&format!("data/{file}"), Fate::Exact, generated, "");
        }
    }
}

/// The definition that is read.
pub(super) struct GeneratedDefinition<'a> {
    pub(super) kind: &'static str,
    /// The name of its table, which is that of its template.
    pub(super) table: &'a str,
    pub(super) name: &'a str,
    pub(super) files: &'a BTreeMap<String, File>,
}

impl GeneratedDefinition<'_> {
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        str::from_utf8(&self.files.get(path)?.content).ok()
    }

    /// The description in a script that s6gen generated for this definition.
    pub(super) fn description<'t>(&self, text: &'t str) -> Option<&'t str> {
        description(text, &self.table())
    }

    fn table(&self) -> String {
        format!("{}.{}", self.kind, self.table)
    }

    /// The keys of `run`, `up`, `down` or `reload`.
    pub(super) fn script(&self, key: &str) -> Option<GeneratedScript> {
        let text = self.text(key)?;
        let description = self.description(text)?;
        let GeneratedTokens { tokens, last_line, sets } = GeneratedTokens::of(text)?;
        let found = GeneratedScript::default();
        let mut reader = ScriptReader { definition: self, key, tokens, at: 0, last_line, found };
        if let Some(variable) = sets {
            reader.set("sets", variable);
        }
        if !description.is_empty() {
            reader.set("description", description);
        }
        if !reader.tokens.is_empty() {
            reader.read()?;
        }
        Some(reader.found)
    }

    /// The command of a key: its words, or the script in `data`.
    pub(super) fn command(&self, words: Vec<String>, key: &str) -> Option<DraftValue> {
        if let Some(script) = self.script_name(&words)
            && script == key
        {
            return self.user_script(key);
        }
        (!words.is_empty()).then(|| words.into())
    }

    /// The script in `data`.
    pub(super) fn user_script(&self, key: &str) -> Option<DraftValue> {
        Some(self.text(&format!("data/{key}"))?.into())
    }

    /// The name of the script in `data` that a command runs.
    pub(super) fn script_name<'w>(&self, words: &'w [String]) -> Option<&'w str> {
        match words {
            [.., script, name] if name == self.name => Some(script.rsplit_once("/data/")?.1),
            _ => None,
        }
    }
}

/// Reads the words of a generated execline script from its beginning.
pub(super) struct ScriptReader<'a> {
    pub(super) definition: &'a GeneratedDefinition<'a>,
    pub(super) key: &'a str,
    tokens: Vec<Token>,
    pub(super) at: usize,
    /// Where the last line begins, which is the command itself.
    last_line: usize,
    pub(super) found: GeneratedScript,
}

impl ScriptReader<'_> {
    pub(super) fn set(&mut self, key: &str, value: impl Into<DraftValue>) {
        self.found.entries.push((key.split('.').map(str::to_owned).collect(), value.into()));
    }

    /// The word at a distance from the current one.
    pub(super) fn word(&self, distance: usize) -> Option<&str> {
        tokens::word(self.tokens.get(self.at + distance)?)
    }

    /// Whether the next word is before the last line.
    pub(super) fn is_before_command(&self) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.span.start < self.last_line)
    }

    /// Whether these words come next, before the last line. If so, goes on behind them.
    pub(super) fn take(&mut self, words: &[&str]) -> bool {
        let fits = self.is_before_command()
            && words.iter().enumerate().all(|(distance, word)| self.word(distance) == Some(word));
        self.at += if fits { words.len() } else { 0 };
        fits
    }

    /// The next word.
    pub(super) fn next(&mut self) -> Option<String> {
        let word = self.word(0)?.to_owned();
        self.at += 1;
        Some(word)
    }

    /// The words of the block that comes next, which has no block in it.
    pub(super) fn block(&mut self) -> Option<Vec<String>> {
        (self.tokens.get(self.at)?.kind == TokenKind::Open).then(|| self.at += 1)?;
        let mut words = Vec::new();
        while let Some(word) = self.next() {
            words.push(word);
        }
        (self.tokens.get(self.at)?.kind == TokenKind::Close).then(|| self.at += 1)?;
        Some(words)
    }

    fn read(&mut self) -> Option<()> {
        self.on_failure()?;
        self.late()?;
        let idles = self.take_in_block("foreground", &["rm", "-f", "idle"]);
        self.found.with_contenv = self.take(&["with-contenv"]);
        self.environment_files()?;
        if self.word(3).is_some_and(|word| ["ifelse", "multisubstitute"].contains(&word)) {
            self.take_directory();
        }
        self.variables()?;
        self.secrets()?;
        self.environment()?;
        if self.definition.kind == "oneshot" {
            self.loggers()?;
        }
        if self.take(&["execline-umask"]) {
            let mask = self.next()?;
            self.set("umask", mask);
        }
        if self.take(&["redirfd", "-w", "1", "/dev/null"]) {
            self.set("log.to", "discard");
        }
        if self.take(&["fdmove", "-c", "2", "1"]) {
            self.set("log.stderr", "stdout");
        } else if self.take(&["redirfd", "-w", "2", "/dev/null"]) {
            self.set("log.stderr", "discard");
        } else if self.take(&["redirfd", "-u", "2"]) {
            let fifo = self.next()?;
            self.found.errors = Some(fifo.rsplit('/').next()?.strip_suffix(".fifo")?.to_owned());
        } else if self.definition.kind == "oneshot" && self.logs_output() {
            self.set("log.stderr", "container");
        }
        if self.take(&["ifelse", "-X", "-n"]) {
            self.only_if(idles)?;
        }
        if self.key == "run" && self.take(&["if"]) {
            let words = self.block()?;
            let prepare = self.definition.command(words, "prepare")?;
            self.set("prepare", prepare);
        }
        self.wait_for()?;
        self.alive()?;
        self.poll()?;
        self.take_directory();
        if self.take(&["execline-cd"]) {
            let workdir = self.next()?;
            self.set("workdir", workdir);
        }
        self.rights()?;
        let mut words = Vec::new();
        while let Some(word) = self.next() {
            words.push(word);
        }
        let is_whole = self.at == self.tokens.len() && !words.is_empty();
        let only_waits = self.found.waits && words == ["true"];
        let command = self.definition.command(words, self.key).filter(|_| is_whole)?;
        if !only_waits {
            self.set(self.key, command);
        }
        Some(())
    }

    /// Takes the variable for the service directory, which has a name that no later word contains.
    fn take_directory(&mut self) {
        self.at += if self.take(&["getcwd", "-E"]) { 1 } else { 0 };
    }

    /// Whether its output has a log, and its errors have none.
    fn logs_output(&self) -> bool {
        let has_log = self.found.entries.iter().any(|(key, _)| key[0] == "log");
        has_log && !self.found.has("log.stderr")
    }

    /// All words of the block that comes next, also those of blocks in it.
    pub(super) fn nested_block(&mut self) -> Option<Vec<String>> {
        let start = self.at;
        self.skip_block()?;
        Some(tokens::words(self.tokens.get(start..self.at)?))
    }

    /// Takes a program with a block of these words.
    pub(super) fn take_in_block(&mut self, program: &str, words: &[&str]) -> bool {
        let before = self.at;
        let fits = self.take(&[program]) && self.block().is_some_and(|block| block == words);
        if !fits {
            self.at = before;
        }
        fits
    }

    fn only_if(&mut self, idles: bool) -> Option<()> {
        let mut words = self.block()?;
        for before in [&["getcwd", "-E", "here"][..], &["execline-cd"]] {
            let fits =
                words.len() > before.len() && words.iter().zip(before).all(|(word, known)| word == known);
            let taken = if fits { before.len() + usize::from(before == ["execline-cd"]) } else { 0 };
            words.drain(..taken);
        }
        let command = self.definition.command(words, "only-if")?;
        self.set("only-if", command);
        if !idles {
            return self.block().map(drop);
        }
        // What follows if the condition fails is always the same.
        self.skip_block()
    }

    /// Goes on behind the block that comes next.
    pub(super) fn skip_block(&mut self) -> Option<()> {
        (self.tokens.get(self.at)?.kind == TokenKind::Open).then_some(())?;
        let depth = self.tokens[self.at].depth;
        let close = self.tokens[self.at..]
            .iter()
            .position(|token| token.kind == TokenKind::Close && token.depth == depth)?;
        self.at += close + 1;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::GeneratedDefinition;
    use crate::model::File;

    #[test]
    fn a_generated_run_is_read_back() {
        let run = "#!/command/execlineb -P\n# [longrun.web] The web server\n\nforeground { rm -f idle }\nwith-contenv\nbacktick -n HOME { homeof app }\n\
            export USER app\nexport LOGNAME app\nexport A.B 'c'\nexecline-umask 027\nifelse -X -n\n{\n  test -n x\n}\n{\n  foreground { echo x }\n  touch idle\n}\n\
            getcwd -E here\nexecline-cd /srv\ns6-softlimit -c 0\nnice -n -5\ns6-setuidgid app\n/bin/sh -e \"${here}/data/run\" web\n";
        let file = |text: &str| File { content: text.as_bytes().to_vec().into(), executable: true };
        let files =
            BTreeMap::from([("run".to_owned(), file(run)), ("data/run".to_owned(), file("exec web\n"))]);
        let definition = GeneratedDefinition { kind: "longrun", table: "web", name: "web", files: &files };
        let script = definition.script("run").unwrap();
        let keys: Vec<String> = script.entries.iter().map(|(key, _)| key.join("|")).collect();
        assert_eq!(
            keys,
            [
                "description",
                "environment|A.B",
                "umask",
                "only-if",
                "workdir",
                "limits|core",
                "nice",
                "user",
                "run"
            ]
        );
        assert!(script.with_contenv);
    }
}
