//! Writes the table of a oneshot.

use std::collections::BTreeMap;

use super::facts::Facts;
use super::further::further_files;
use super::generated::{GeneratedDefinition, note_generated};
use super::heading;
use super::lines::FileLines;
use super::logger::without_usual_stderr;
use super::longrun::{flags, start};
use super::script::{put, sees_itself, text_problem, without_contenv};
use crate::execline::{self, Token, TokenKind};
use crate::manifest::draft::{DraftTable, DraftValue};
use crate::migrate::Fate;
use crate::migrate::values::duration;
use crate::model::{File, Language, Oneshot, ScriptUse, Service};
use crate::templates::execline_word;

/// Writes one table.
pub(super) struct OneshotWriter<'w, 'a> {
    pub(super) table: DraftTable,
    facts: &'w Facts<'a>,
    service: &'a Service,
    lines: &'w mut FileLines<'a>,
    files: &'w mut BTreeMap<String, File>,
}

/// What becomes of a command line.
struct NewCommand {
    key: &'static str,
    form: NewForm,
    /// Whether it gets the environment of the container.
    with_contenv: bool,
}

enum NewForm {
    /// Exactly these words.
    Words(Vec<String>),
    /// A script of the command line itself.
    CommandLine(String),
    /// The script that this word names, its path in the definition and its text.
    Script { word: String, path: String, text: String },
}

impl<'w, 'a> OneshotWriter<'w, 'a> {
    pub(super) fn new(
        facts: &'w Facts<'a>,
        service: &'a Service,
        lines: &'w mut FileLines<'a>,
        files: &'w mut BTreeMap<String, File>,
    ) -> Self {
        OneshotWriter { table: heading("oneshot", service), facts, service, lines, files }
    }

    pub(super) fn write(&mut self, oneshot: &Oneshot) {
        let is_generated = self.generated();
        start(self.facts, self.service, is_generated, &mut self.table, self.lines);
        self.lines.note("type", Fate::Exact, "`[oneshot]`", "");
        if !is_generated {
            self.commands();
        }
        for (file, limit) in [("timeout-up", oneshot.timeout_up), ("timeout-down", oneshot.timeout_down)] {
            match limit {
                0 => self.lines.note(file, Fate::NoEffect, "", "zero is no limit, which is the default"),
                _ => {
                    self.table.set(file, duration(limit));
                    self.lines.note(file, Fate::Exact, &format!("`{file}`"), "");
                }
            }
        }
        flags(self.facts.flags(self.service), &mut self.table, self.lines);
        further_files(self.facts, self.service, is_generated, &mut self.table, self.lines);
        self.lines.rest_is_ignored();
    }

    /// Reads back the command lines, if s6gen generated them. Returns whether it did.
    fn generated(&mut self) -> bool {
        let name = self.service.name.to_string();
        let Some(files) = self.lines.files().filter(|_| self.facts.reads_back(&self.service.name)) else {
            return false;
        };
        let table = self.facts.table_name(&self.service.name);
        let definition = GeneratedDefinition { kind: "oneshot", table: &table, name: &name, files };
        let keys = ["up", "down", "reload"].into_iter().filter(|key| files.contains_key(*key));
        let Some(mut scripts) = keys.map(|key| definition.script(key)).collect::<Option<Vec<_>>>() else {
            return false;
        };
        // The output of a command that sets a variable is no log, so its log is for its errors alone.
        if let [up, others @ ..] = &mut scripts[..]
            && up.has("sets")
            && others.iter().any(|other| other.has("log.to") && other.has("log.stderr"))
        {
            up.errors_are_output();
        }
        let mut entries: Vec<(Vec<String>, DraftValue)> = Vec::new();
        let has_command =
            scripts.iter().any(|script| script.entries.iter().any(|(key, _)| *key != ["description"]));
        let loads = scripts.iter().any(|script| script.with_contenv);
        for entry in scripts.into_iter().flat_map(|script| script.entries) {
            if !entries.contains(&entry) {
                entries.push(entry);
            }
        }
        // Two commands with different surroundings cannot come from the same table.
        let has_twice = entries
            .iter()
            .enumerate()
            .any(|(at, (key, _))| entries[..at].iter().any(|(other, _)| other == key));
        if has_twice {
            return false;
        }
        if self.facts.system().is_overlay() && !loads && has_command {
            self.table.set("with-contenv", false);
        }
        for (key, value) in entries {
            self.table.set_path(key, value);
        }
        without_usual_stderr(&mut self.table);
        note_generated(&self.table, self.lines, &["up", "down", "reload"]);
        true
    }

    fn commands(&mut self) {
        let is_overlay = self.facts.system().is_overlay();
        let commands: Vec<NewCommand> =
            ["up", "down", "reload"].into_iter().filter_map(|key| self.command(key)).collect();
        let loads = is_overlay && commands.iter().all(|command| command.with_contenv);
        if is_overlay && !loads && !commands.is_empty() {
            self.table.set("with-contenv", false);
        }
        for command in commands {
            self.put(command, loads);
        }
    }

    /// What becomes of a command line. `None` if it does nothing.
    fn command(&mut self, key: &'static str) -> Option<NewCommand> {
        let text = self.service.program(key)?.text().to_owned();
        let tokens = execline::tokens(text.as_bytes()).ok()?;
        let has_blocks = tokens.iter().any(|token| !matches!(token.kind, TokenKind::Word(_)));
        let is_comment = |line: &&str| line.trim_start().starts_with('#') && !line.starts_with("#!");
        let has_comments = text.lines().any(|line| is_comment(&line));
        if tokens.is_empty() {
            let remark =
                if has_comments { "it does nothing; its comments are gone" } else { "it does nothing" };
            self.lines.note(key, Fate::Exact, "no key", remark);
            return None;
        }
        let command = |form, with_contenv| NewCommand { key, form, with_contenv };
        let words: Vec<String> = tokens.iter().filter_map(word).collect();
        let is_plain = !has_blocks && words.first().is_some_and(|word| !word.is_empty());
        if is_plain && let Some((path, content)) = self.own_script(key, &words) {
            let loads = without_contenv(&content).is_some();
            return Some(command(NewForm::Script { word: words[0].clone(), path, text: content }, loads));
        }
        let is_line = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
        if is_plain && !has_comments && text.lines().filter(is_line).count() == 1 {
            let (words, loads) = one_command(words);
            return Some(command(NewForm::Words(words), loads));
        }
        let first = format!("#!{}/execlineb -P\n", self.facts.command_dir());
        // A manifest cannot have some characters as they are, so the words are written anew.
        let body = match text.contains(['\r', '\0', '\u{feff}']) {
            true => written_anew(&tokens),
            false => without_first_line(&text).to_owned(),
        };
        Some(command(NewForm::CommandLine(first + &body), false))
    }

    /// The only word of a command line, if it is the path of a script in its own definition, and that script.
    fn own_script(&self, key: &str, words: &[String]) -> Option<(String, String)> {
        let [_] = words else { return None };
        let called = self.service.definition()?.called.iter().find(|called| called.by == key)?;
        let ScriptUse::Word(0) = called.how else { return None };
        let content = &self.lines.file(&called.path)?.content;
        let is_script = content.starts_with(b"#!") && text_problem(content).is_none();
        is_script.then(|| (called.path.clone(), String::from_utf8_lossy(content).into_owned()))
    }

    fn put(&mut self, command: NewCommand, loads: bool) {
        let NewCommand { key, form, with_contenv } = command;
        match form {
            NewForm::Words(mut words) => {
                if with_contenv && !loads {
                    words.insert(0, "with-contenv".to_owned());
                }
                self.table.set(key, words);
                self.lines.note(key, Fate::Exact, &format!("`{key}`, an array"), "");
            }
            NewForm::CommandLine(text) => {
                let becomes = put(&mut self.table, self.files, key, &text);
                self.lines.note(key, Fate::Exact, &becomes, "");
            }
            NewForm::Script { word, path, text } => self.put_script(key, word, &path, &text, loads),
        }
    }

    /// Writes a script of the definition: in the place of its path, unless something may depend on that path.
    fn put_script(&mut self, key: &'static str, word: String, path: &str, text: &str, loads: bool) {
        let name = &self.service.name;
        // Another language finds its own path and its arguments in many ways.
        let is_needed = sees_itself(text)
            || !matches!(Language::of(text), Language::Shell | Language::Execline)
            || self.facts.is_named_elsewhere(&format!("{name}/{path}"), (name, &[key, path]))
            || !path.contains('/')
                && self.facts.is_named_elsewhere(&format!("./{path}"), (name, &[key, path]));
        if is_needed {
            self.table.set(key, vec![word]);
            self.lines.note(key, Fate::Exact, &format!("`{key}`, an array"), "");
            return;
        }
        let rewritten = loads.then(|| without_contenv(text)).flatten();
        let becomes = put(&mut self.table, self.files, key, rewritten.as_deref().unwrap_or(text));
        self.lines.note(key, Fate::Exact, &becomes, "");
        let is_executable = self.lines.file(path).is_some_and(|file| file.executable);
        match (is_executable, text.ends_with('\n')) {
            (false, _) => self.lines.note(
                path,
                Fate::Emulated,
                &becomes,
                "it has no x bit here; s6gen starts its interpreter",
            ),
            (true, false) => self.lines.note(path, Fate::Exact, &becomes, "a newline is added at its end"),
            (true, true) => self.lines.note(path, Fate::Exact, &becomes, ""),
        }
    }
}

/// The words of a command without what s6gen does by itself: whether it loads the environment of the container, and the rest.
fn one_command(mut words: Vec<String>) -> (Vec<String>, bool) {
    let is = |word: Option<&String>, name: &str| word.is_some_and(|word| execline::base_name(word) == name);
    let loads = is(words.first(), "with-contenv") && words.len() > 1;
    if loads {
        words.remove(0);
    }
    if words.first().is_some_and(|word| word == "exec") && words.len() > 1 && !words[1].starts_with('-') {
        words.remove(0);
    }
    (words, loads)
}

fn word(token: &Token) -> Option<String> {
    match &token.kind {
        TokenKind::Word(word) => String::from_utf8(word.clone()).ok(),
        TokenKind::Open | TokenKind::Close => None,
    }
}

/// A command line without its first line, if that begins with `#!`. For execline it is a comment.
fn without_first_line(text: &str) -> &str {
    match text.strip_prefix("#!") {
        Some(rest) => rest.split_once('\n').map_or("", |(_, body)| body),
        None => text,
    }
}

/// The tokens of a command line, written with blanks between them.
fn written_anew(tokens: &[Token]) -> String {
    let text = |token: &Token| match &token.kind {
        // A word has a blank before it for each block around it.
        TokenKind::Word(word) => {
            execline_word(&String::from_utf8_lossy(&word[token.depth.min(word.len())..]))
        }
        TokenKind::Open => "{".to_owned(),
        TokenKind::Close => "}".to_owned(),
    };
    tokens.iter().map(text).collect::<Vec<_>>().join(" ") + "\n"
}

#[cfg(test)]
mod tests {
    use super::written_anew;
    use crate::execline;

    #[test]
    fn a_command_line_that_is_written_anew_has_the_same_words() {
        let text = b"if {\r\n  foreground { echo \"a b\" }\r\n  true }\r\necho { x } \\{ ''\r\n";
        let again = written_anew(&execline::tokens(text).unwrap());
        assert!(!again.contains('\r'));
        assert_eq!(execline::words(again.as_bytes()), execline::words(text));
    }
}
