//! Turns problems into text for people, and the answers of commands into documents for programs.
//!
//! A format for programs is one file with a static `FORMAT`, and a line in the list `formats!` below.

mod human;

pub use human::{Style, human};
pub use json::json;

use crate::diagnostic::{Diagnostic, Files, Origin};

/// A format for programs. The whole answer of a command is one document.
#[derive(Debug)]
pub struct Format {
    /// The name, as `--format` takes it.
    pub name: &'static str,
    /// One line for the help of `--format`.
    pub about: &'static str,
    /// Begins the document of a command.
    pub begin: fn(command: &'static str) -> Box<dyn Document>,
}

/// The answer of one command. The command adds its parts while it runs, and prints the text at its end.
pub trait Document {
    /// Adds a problem.
    fn add_problem(&mut self, problem: &Diagnostic, files: &Files);

    /// Adds the fields of the command itself. `fields` is an object.
    fn add_fields(&mut self, fields: serde_json::Value);

    /// Adds a message that a person would read as a line on standard error.
    fn add_message(&mut self, text: &str);

    /// The whole document, with a line end after it.
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

/// The line and column of the beginning of `origin`, both from 1. The column counts characters.
fn position(text: &[u8], origin: Origin) -> (usize, usize) {
    let before = &text[..origin.span().start.min(text.len())];
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    (line, 1 + String::from_utf8_lossy(&before[start..]).chars().count())
}
