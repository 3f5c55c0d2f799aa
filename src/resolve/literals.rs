//! Texts that look as if somebody would expand them, where nobody does.

use std::collections::BTreeSet;

use super::Resolver;
use super::values::Values;
use crate::diagnostic::{Code, Diagnostic, Origin};

/// Programs that take an argument for a script, and the letters of the option before it.
const INTERPRETERS: &[(&str, &str)] = &[
    ("sh", "c"),
    ("bash", "c"),
    ("dash", "c"),
    ("ash", "c"),
    ("zsh", "c"),
    ("ksh", "c"),
    ("mksh", "c"),
    ("su", "c"),
    ("runuser", "c"),
    ("sg", "c"),
    ("flock", "c"),
    ("script", "c"),
    ("execlineb", "c"),
    ("python", "c"),
    ("perl", "eE"),
    ("ruby", "e"),
    ("node", "e"),
    ("lua", "e"),
    ("php", "r"),
];

/// Programs that have a `$` of their own, and those of execline that replace it in the words behind them.
const READERS: &[&str] = &[
    "awk",
    "gawk",
    "mawk",
    "nawk",
    "sed",
    "jq",
    "perl",
    "ruby",
    "php",
    "node",
    "envsubst",
    "ssh",
    "eval",
    "tmux",
    "screen",
    "watch",
    "importas",
    "import",
    "define",
    "multisubstitute",
    "multidefine",
    "backtick",
    "forx",
    "forbacktickx",
    "forstdin",
    "elgetpositionals",
    "elgetopt",
    "getpid",
    "getcwd",
    "withstdinas",
    "dollarat",
    "elglob",
];

/// The name of a program without its path and version: `/usr/bin/python3.11` is `python`.
fn name(word: &str) -> &str {
    let name = word.rsplit('/').next().unwrap_or_default();
    name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.')
}

/// The words of a command that are scripts: those behind `sh -c` and the like, also where another program starts the
/// shell.
pub(super) fn script_words(words: &[String]) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for (place, word) in words.iter().enumerate() {
        let Some((_, letters)) = INTERPRETERS.iter().find(|(program, _)| *program == name(word)) else {
            continue;
        };
        let is_option = |word: &String| {
            let letter_of = word.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
            letter_of.is_some_and(|rest| rest.contains(|c| letters.contains(c)))
                || word.starts_with("--command")
        };
        let Some(option) = words[place + 1..].iter().position(is_option).map(|behind| place + 1 + behind)
        else {
            continue;
        };
        if words[option].starts_with("--command=") {
            found.insert(option);
            continue;
        }
        // Further options may follow, as in `bash -c -e SCRIPT` and `sh -c -- SCRIPT`.
        let script = words[option + 1..].iter().position(|word| !word.starts_with(['-', '+']));
        found.extend(script.map(|behind| option + 1 + behind));
    }
    found
}

/// The words of a command in which `$` has a meaning for the program that gets them.
fn read_words(words: &[String]) -> BTreeSet<usize> {
    let mut found = script_words(words);
    if let Some(reader) = words.iter().position(|word| READERS.contains(&name(word))) {
        found.extend(reader + 1..words.len());
    }
    found
}

/// The name behind the first `$` of a text.
pub(super) fn variable(text: &str) -> Option<(&str, String)> {
    let (before, after) = text.split_once('$')?;
    let named = after.strip_prefix('{').unwrap_or(after);
    if before.ends_with('\\') || !named.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return None;
    }
    Some((before, named.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()))
}

impl Resolver<'_> {
    /// Warns of variables in a command that no shell reads.
    pub(super) fn literal_variables(&mut self, words: &[String], origins: &[Origin], key: &str) {
        let read = read_words(words);
        for (place, (word, origin)) in words.iter().zip(origins).enumerate() {
            let Some((_, name)) = variable(word).filter(|_| !read.contains(&place)) else { continue };
            self.problems.push(
                Diagnostic::new(Code::LiteralVariable, format!("`${name}` is not expanded here"))
                    .at(*origin, "these characters reach the program as they are")
                    .note("a command in array form is run exactly as written")
                    .help(format!(
                        "if a shell shall expand it, write a string: `{key} = 'exec … \"${name}\"'`"
                    )),
            );
        }
    }

    /// Warns of variables in the value of a variable. Passwords and formats have a `$` too, so only what looks like a
    /// variable of the environment counts.
    pub(super) fn literal_in_environment(&mut self, variable_name: &str, value: &str, origin: Origin) {
        let Some((before, name)) = variable(value) else { return };
        let is_prompt = matches!(variable_name, "PS1" | "PS2" | "PS4" | "PROMPT_COMMAND");
        let is_upper =
            name.len() > 1 && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        let is_in_braces = value[before.len()..].starts_with("${");
        if is_prompt || !is_upper || !is_in_braces && before.ends_with(|c: char| c.is_alphanumeric()) {
            return;
        }
        self.problems.push(
            Diagnostic::new(Code::LiteralVariable, format!("`${name}` is not expanded here"))
                .at(origin, format!("`{variable_name}` gets these characters as they are"))
                .note("values of `environment` are taken exactly as written")
                .help(format!(
                    "write the whole value, or set it where a shell reads it: `run = '{variable_name}=\"…${name}…\" exec …'`"
                )),
        );
    }

    /// Warns of an expression in a text that is no template.
    pub(super) fn literal_expression(&mut self, name: &str, origin: Origin) {
        let help = match name {
            "name" => {
                "write the name itself: only `[defaults]` and services with `instances` have expressions"
            }
            _ => "make the service a template: `instances = …`",
        };
        self.problems.push(
            Diagnostic::new(Code::LiteralVariable, format!("`{{{{ {name} }}}}` is not expanded here"))
                .at(origin, "this text is taken as it is")
                .help(help),
        );
    }
}

impl Values<'_> {
    /// Warns of a variable in a value that is no command.
    pub(super) fn literal(&mut self, key: &str, text: &str, origin: Origin) {
        let Some((_, name)) = variable(text) else { return };
        self.problems.push(
            Diagnostic::new(Code::LiteralVariable, format!("`${name}` is not expanded here"))
                .at(origin, format!("`{key}` is taken exactly as written"))
                .help(
                    "write the value itself; only a shell expands variables, in a command that is a string",
                ),
        );
    }
}
