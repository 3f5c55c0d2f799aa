//! A key of the language as a fact: its name, its meaning, and what its value looks like.

use super::forms::{StringForm, example_text, string_form};

/// A key of the language, as the reference and suggestions need it.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// The type of its value, with its article.
    pub expected: &'static str,
    /// The shape of its value, for other programs.
    pub shape: Shape,
    /// What it means.
    pub doc: &'static str,
}

/// The shape of a value.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// A string.
    Text,
    /// `true` or `false`.
    Flag,
    /// `true`, `false` or `"detect"`.
    FlagOrDetect,
    /// A whole number.
    Number,
    /// A whole number, a lower bound, or a variable.
    Limit,
    /// An array of strings, a string, or a table with the key `file`.
    Command,
    /// A word, a path or a command.
    LogPlace,
    /// An array of strings.
    Texts,
    /// An array of whole numbers.
    Numbers,
    /// A table of strings.
    TextTable,
    /// The variables of the container that a service uses.
    Variables,
    /// The instances of a template.
    Instances,
    /// The parameters of a template.
    Parameters,
    /// A table with these keys.
    Table(fn() -> Vec<Key>),
    /// A table with these keys, or an array of them.
    Tables(fn() -> Vec<Key>),
}

/// The words that a key takes, by the table that has it, which is empty for a service itself.
const WORDS: &[(&str, &str, &[&str])] = &[
    ("", "start", &["boot", "early", "late", "on-demand", "early-on-demand"]),
    ("ready", "on-timeout", &["fail", "go-on", "stop-container"]),
    ("alive", "then", &["restart", "stop-container"]),
    ("on-exit", "then", &["give-up", "stop-container", "restart"]),
    ("on-failure", "then", &["fail", "ignore", "stop-container"]),
    ("log", "format", &["text", "json"]),
    ("log", "timestamp", &["iso", "tai64n", "none"]),
    ("log", "to", &["container", "discard"]),
    ("log", "stderr", &["stdout", "container", "discard"]),
];

impl Key {
    /// The words that it takes in the table `table`, which is empty for a service itself. Empty if it takes any text. In every
    /// place an expression can stand for a word.
    pub fn words(&self, table: &str) -> &'static [&'static str] {
        let found = WORDS.iter().find(|(home, name, _)| (*home, *name) == (table, self.name));
        found.map_or(&[], |(.., words)| words)
    }

    /// What it means, in one line.
    pub fn meaning(&self) -> String {
        self.doc.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Its default as its meaning gives it: ``Default `5s`.``, `Default 3`, or `` `text` (default) ``. `None` if there is none, or if
    /// it depends on something.
    pub fn default_text(&self) -> Option<String> {
        let meaning = self.meaning();
        if let Some((before, _)) = meaning.split_once("` (default)") {
            return before.rsplit('`').next().map(str::to_owned);
        }
        let (_, after) = meaning.split_once("Default ").or_else(|| meaning.split_once("Default: "))?;
        match after.strip_prefix('`') {
            Some(quoted) => quoted.split('`').next().map(str::to_owned),
            None => {
                let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
                (!digits.is_empty()).then_some(digits)
            }
        }
    }

    /// The form of its text.
    pub fn form(&self) -> StringForm {
        string_form(self.name)
    }

    /// An example of its value, if it is a string of a certain form.
    pub fn example_text(&self) -> Option<&'static str> {
        example_text(self.name).map(|(_, example)| example.trim_matches('"'))
    }
}
