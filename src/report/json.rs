//! The format `json`: one object for each command. `docs/json.md` describes it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::{Document, Format, position};
use crate::diagnostic::{Diagnostic, Edit, Files};
use crate::model::json_text;

pub(super) static FORMAT: Format = Format {
    name: "json",
    about: "For programs; the shape is versioned",
    lists_problems: false,
    begin: |command, _| {
        let (problems, messages) = (Vec::new(), Vec::new());
        Box::new(Envelope { command, fields: BTreeMap::new(), problems, messages })
    },
};

/// The version of the shape. It rises when a program that reads the old shape could misread the new one.
const VERSION: u32 = 1;

/// The fields that every command has. The fields of the command itself stand beside them. The values are JSON already, because
/// a tree of values takes many times the memory of its text.
#[derive(Debug)]
struct Envelope {
    command: &'static str,
    /// The fields of the command itself. Empty if the command failed before it knew its answer.
    fields: BTreeMap<String, String>,
    problems: Vec<String>,
    messages: Vec<String>,
}

/// A value as JSON. This cannot fail, because every key is a string.
fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

impl Document for Envelope {
    fn add_problem(&mut self, problem: &Diagnostic, files: &Files) {
        self.problems.push(text(&json(problem, files)));
    }

    fn add_fields(&mut self, fields: Value) {
        if let Value::Object(fields) = fields {
            self.fields.extend(fields.into_iter().map(|(name, value)| (name, text(&value))));
        }
    }

    fn add_json(&mut self, name: &'static str, value: String) {
        self.fields.insert(name.to_owned(), value);
    }

    fn add_message(&mut self, message: &str) {
        self.messages.push(text(&message));
    }

    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        write!(to, "{{\"version\":{VERSION},\"command\":{}", text(&self.command))?;
        for (name, value) in &self.fields {
            write!(to, ",{}:{value}", text(name))?;
        }
        for (name, list) in [("problems", &self.problems), ("messages", &self.messages)] {
            write!(to, ",\"{name}\":[")?;
            for (number, value) in list.iter().enumerate() {
                write!(to, "{}{value}", if number == 0 { "" } else { "," })?;
            }
            write!(to, "]")?;
        }
        writeln!(to, "}}")
    }
}

/// A problem in machine output.
#[derive(Serialize)]
struct Problem<'a> {
    code: &'a str,
    severity: &'a str,
    class: Option<&'a str>,
    message: &'a str,
    labels: Vec<JsonLabel<'a>>,
    notes: &'a [String],
    help: Option<&'a str>,
    fix: Option<JsonFix<'a>>,
    page: String,
}

/// A change that solves the problem.
#[derive(Serialize)]
struct JsonFix<'a> {
    safe: bool,
    edits: Vec<JsonEdit<'a>>,
}

/// A change of a file: the bytes from `start` to `end` become `text`, or it becomes executable, or moves.
#[derive(Serialize)]
struct JsonEdit<'a> {
    file: String,
    start: usize,
    end: usize,
    text: Cow<'a, str>,
    executable: bool,
    moved_to: Option<String>,
}

impl<'a> JsonEdit<'a> {
    fn of(edit: &'a Edit, files: &Files) -> Option<Self> {
        let source = files.get(edit.file());
        let shown = |path: &Path| json_text(path.as_os_str().as_bytes());
        let none = JsonEdit {
            file: shown(&source.path),
            start: 0,
            end: 0,
            text: Cow::Borrowed(""),
            executable: false,
            moved_to: None,
        };
        Some(match edit {
            Edit::MakeExecutable(_) => JsonEdit { executable: true, ..none },
            Edit::Create { name, text, .. } => {
                JsonEdit { file: shown(&source.path.with_file_name(name)), text: text.into(), ..none }
            }
            Edit::Move { from, to, .. } => JsonEdit {
                file: shown(&source.path.with_file_name(from)),
                moved_to: Some(shown(&source.path.with_file_name(to))),
                ..none
            },
            _ => {
                let (span, text) = edit.change(&source.text)?;
                JsonEdit { start: span.start, end: span.end, text, ..none }
            }
        })
    }
}

#[derive(Serialize)]
struct JsonLabel<'a> {
    file: String,
    line: usize,
    column: usize,
    start: usize,
    end: usize,
    text: &'a str,
}

/// A problem as JSON. Lines and columns count from 1. `start` and `end` are offsets in bytes. A path that is not UTF-8 is
/// `base64:` and its bytes in base64.
pub fn json(problem: &Diagnostic, files: &Files) -> Value {
    let labels = problem.labels.iter().map(|label| {
        let file = files.get(label.origin.file);
        let (line, column) = position(file, label.origin);
        let span = label.origin.span();
        JsonLabel {
            file: json_text(file.path.as_os_str().as_bytes()),
            line,
            column,
            start: span.start,
            end: span.end,
            text: &label.text,
        }
    });
    let shape = Problem {
        code: problem.code.slug(),
        severity: problem.severity.name(),
        class: problem.class.map(|class| class.slug()),
        message: &problem.message,
        labels: labels.collect(),
        notes: &problem.notes,
        help: problem.help.as_deref(),
        fix: problem.fix.as_ref().map(|fix| JsonFix {
            safe: fix.is_safe,
            edits: fix.edits.iter().filter_map(|edit| JsonEdit::of(edit, files)).collect(),
        }),
        page: problem.code.page(),
    };
    serde_json::to_value(shape).unwrap_or_default()
}
