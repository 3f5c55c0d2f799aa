//! The format `json`: one object for each command. `docs/json.md` describes it.

use std::os::unix::ffi::OsStrExt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Document, Format, position};
use crate::diagnostic::{Diagnostic, Files, Severity};
use crate::model::json_text;

pub(super) static FORMAT: Format = Format {
    name: "json",
    about: "For programs; the shape is versioned",
    begin: |command| {
        let (problems, messages) = (Vec::new(), Vec::new());
        Box::new(Envelope { version: VERSION, command, fields: Map::new(), problems, messages })
    },
};

/// The version of the shape. It rises when a program that reads the old shape could misread the new one.
const VERSION: u32 = 1;

/// The fields that every command has. The fields of the command itself stand beside them.
#[derive(Debug, Serialize)]
struct Envelope {
    version: u32,
    command: &'static str,
    /// The fields of the command itself. Empty if the command failed before it knew its answer.
    #[serde(flatten)]
    fields: Map<String, Value>,
    problems: Vec<Value>,
    messages: Vec<String>,
}

impl Document for Envelope {
    fn add_problem(&mut self, problem: &Diagnostic, files: &Files) {
        self.problems.push(json(problem, files));
    }

    fn add_fields(&mut self, fields: Value) {
        if let Value::Object(fields) = fields {
            self.fields.extend(fields);
        }
    }

    fn add_message(&mut self, text: &str) {
        self.messages.push(text.to_owned());
    }

    fn text(&self) -> String {
        // This cannot fail, because every key is a string.
        serde_json::to_string(self).unwrap_or_default() + "\n"
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

/// A change that solves the problem: the bytes from `start` to `end` become `text`.
#[derive(Serialize)]
struct JsonFix<'a> {
    file: String,
    start: usize,
    end: usize,
    text: &'a str,
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
        severity: match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Advice => "advice",
        },
        class: problem.class.map(|class| class.slug()),
        message: &problem.message,
        labels: labels.collect(),
        notes: &problem.notes,
        help: problem.help.as_deref(),
        fix: problem.fix.as_ref().map(|fix| {
            let span = fix.place.span();
            let file = json_text(files.path(fix.place.file).as_os_str().as_bytes());
            JsonFix { file, start: span.start, end: span.end, text: &fix.text }
        }),
        page: problem.code.page(),
    };
    serde_json::to_value(shape).unwrap_or_default()
}
