//! Problems for people and for programs.
//!
//! A format for programs is one file with a `FORMAT` in it, and a line in the list below.

mod human;

pub use human::{Style, human};
pub use json::json;

use crate::diagnostic::{Diagnostic, Files, Origin};

/// A format for programs: everything that a command answers is one document.
#[derive(Debug)]
pub struct Format {
    /// The name, as `--format` takes it.
    pub name: &'static str,
    /// One line of help.
    pub about: &'static str,
    /// Begins the document of a command.
    pub begin: fn(command: &'static str) -> Box<dyn Document>,
}

/// The answer of one command. Everything is added while the command runs, and written at its end.
pub trait Document {
    /// Adds a problem.
    fn add_problem(&mut self, problem: &Diagnostic, files: &Files);

    /// Adds the fields that only this command has, an object.
    fn add_fields(&mut self, fields: serde_json::Value);

    /// Adds the lines of a message that a person reads on standard error.
    fn add_message(&mut self, text: &str);

    /// The document, with its last line end.
    fn text(&self) -> String;
}

macro_rules! formats {
    ($($name:ident,)+) => {
        $(mod $name;)+

        /// Every format for programs.
        pub static FORMATS: &[&Format] = &[$(&$name::FORMAT,)+];
    };
}

formats! {
    json,
}

/// Line and column of an offset, both from 1; the column counts characters.
fn position(text: &[u8], origin: Origin) -> (usize, usize) {
    let before = &text[..origin.span().start.min(text.len())];
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    (line, 1 + String::from_utf8_lossy(&before[start..]).chars().count())
}
