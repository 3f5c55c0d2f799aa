//! Reads back the scripts that s6gen itself has generated: the keys from which it made them.
//!
//! Only some keys are known here. A script with anything else stays a script. The caller builds the manifest and compares, so a
//! mistake here changes nothing.

use std::collections::BTreeMap;

use crate::execline::{self, Token, TokenKind};
use crate::manifest::draft::DraftValue;
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

/// The definition that is read.
pub(super) struct GeneratedDefinition<'a> {
    pub(super) kind: &'static str,
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
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        match self.name.chars().all(plain) {
            true => format!("{}.{}", self.kind, self.name),
            false => format!("{}.{:?}", self.kind, self.name),
        }
    }

    /// The keys of `run`, `up`, `down` or `reload`.
    pub(super) fn script(&self, key: &str) -> Option<GeneratedScript> {
        let text = self.text(key)?;
        let description = self.description(text)?;
        let body =
            text.strip_prefix("#!").and_then(|rest| rest.split_once('\n')).map_or(text, |(_, body)| body);
        let mut reader = ScriptReader {
            definition: self,
            key,
            tokens: execline::tokens(body.as_bytes()).ok()?,
            at: 0,
            last_line: body.trim_end().rfind('\n').map_or(0, |at| at + 1),
            found: GeneratedScript::default(),
        };
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
        let path = format!("data/{key}");
        if let [.., script, name] = &words[..]
            && name == self.name
            && script.ends_with(&format!("/{path}"))
        {
            return Some(self.text(&path)?.into());
        }
        (!words.is_empty()).then(|| words.into())
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
        let token = self.tokens.get(self.at + distance)?;
        match &token.kind {
            // A word has a blank before it for each block around it.
            TokenKind::Word(word) => str::from_utf8(word.get(token.depth..)?).ok(),
            _ => None,
        }
    }

    /// Whether these words come next, before the last line. If so, goes on behind them.
    pub(super) fn take(&mut self, words: &[&str]) -> bool {
        let is_before = self.tokens.get(self.at).is_some_and(|token| token.span.start < self.last_line);
        let fits =
            is_before && words.iter().enumerate().all(|(distance, word)| self.word(distance) == Some(word));
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
        if self.word(3).is_some_and(|word| ["ifelse", "multisubstitute"].contains(&word)) {
            self.take_directory();
        }
        self.variables()?;
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
        let words = self.tokens.get(start..self.at)?.iter().filter_map(|token| match &token.kind {
            TokenKind::Word(word) => Some(String::from_utf8_lossy(word.get(token.depth..)?).into_owned()),
            TokenKind::Open | TokenKind::Close => None,
        });
        Some(words.collect())
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

    /// Variables: those that come from `user` are left out.
    fn environment(&mut self) -> Option<()> {
        if self.take(&["backtick", "-n", "HOME"]) {
            let words = self.block()?;
            words.first().filter(|word| *word == "homeof")?;
        }
        while self.word(1) != Some("PATH") && self.take(&["export"]) {
            let (name, value) = (self.next()?, self.next()?);
            self.found.entries.push((vec!["environment".to_owned(), name], value.into()));
        }
        Some(())
    }

    fn rights(&mut self) -> Option<()> {
        if self.take(&["s6-softlimit"]) {
            while let Some(letter) = self.word(0).and_then(|word| word.strip_prefix('-')) {
                let (_, limit) = LIMITS.iter().find(|(known, _)| *known == letter)?;
                let value = self.word(1)?.to_owned();
                self.at += 2;
                let value = value.parse::<i64>().map_or_else(|_| value.into(), DraftValue::Number);
                self.set(&format!("limits.{limit}"), value);
            }
        }
        while self.takes_least_limit() {
            let (letter, least) = (self.next()?, self.next()?);
            let (_, limit) = LIMITS.iter().find(|(known, _)| letter.strip_prefix('-') == Some(*known))?;
            self.set(&format!("limits.{limit}"), format!(">= {least}"));
        }
        if self.take(&["nice", "-n"]) {
            let nice: i64 = self.next()?.parse().ok()?;
            self.set("nice", nice);
        }
        if self.take(&["s6-setuidgid"]) {
            let user = self.next()?;
            self.user(user);
        } else if self.take(&["s6-envuidgid"]) {
            let name = self.next()?;
            self.take(&["s6-envuidgid", "-g"]).then_some(())?;
            let group = self.next()?;
            self.take(&["s6-applyuidgid", "-Uz"]).then_some(())?;
            self.user(format!("{name}:{group}"));
        }
        if self.take(&["export", "PATH"]) {
            let path = self.next()?;
            self.set("environment.PATH", path);
        }
        Some(())
    }

    /// Takes the shell that raises a limit, and the name of the limit.
    fn takes_least_limit(&mut self) -> bool {
        let is_script = |word: &str| word.starts_with("name=$1 option=$2 least=$3;");
        let fits =
            self.word(0) == Some("sh") && self.word(1) == Some("-c") && self.word(2).is_some_and(is_script);
        self.at += if fits { 5 } else { 0 };
        fits
    }

    /// Sets the account, which sets some variables itself.
    fn user(&mut self, user: String) {
        let name = user.split(':').next().unwrap_or_default().to_owned();
        let is_own = |(key, value): &(Vec<String>, DraftValue)| {
            let is_set_by_it = key[0] == "environment" && ["USER", "LOGNAME"].contains(&key[1].as_str());
            is_set_by_it && *value == DraftValue::Text(name.clone())
        };
        self.found.entries.retain(|entry| !is_own(entry));
        self.set("user", user);
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

/// The options of s6-softlimit and the names of limits.
const LIMITS: &[(&str, &str)] = &[
    ("a", "as"),
    ("c", "core"),
    ("t", "cpu"),
    ("d", "data"),
    ("f", "fsize"),
    ("l", "memlock"),
    ("o", "nofile"),
    ("p", "nproc"),
    ("r", "rss"),
    ("s", "stack"),
];

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
        let definition = GeneratedDefinition { kind: "longrun", name: "web", files: &files };
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
