//! Turns problems into text for people, and the answers of commands into documents for programs.
//!
//! A format for programs is one file with a static `FORMAT`, and a line in the list `formats!` below.

mod human;

use std::io::{self, Write};

pub use human::{Style, human, read_for};
pub use json::json;

use crate::diagnostic::{Diagnostic, Files, Origin, SourceFile};
use crate::model::Database;

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

    /// Adds the compiled database, which may be large. Most formats leave it out.
    fn add_database(&mut self, _: &Database) {}

    /// Adds a message that a person would read as a line on standard error.
    fn add_message(&mut self, text: &str);

    /// Writes the whole document, with a line end after it.
    ///
    /// # Errors
    /// Those of `to`.
    fn write(&self, to: &mut dyn Write) -> io::Result<()>;
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

/// The line and column of the beginning of `origin` in its file, both from 1. The column counts characters.
fn position(file: &SourceFile, origin: Origin) -> (usize, usize) {
    let offset = origin.span().start.min(file.text.len());
    (file.line_at(offset) + 1, file.column_at(offset) + 1)
}
