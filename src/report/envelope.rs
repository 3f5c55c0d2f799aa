//! The envelope of machine output: the same for every command that prints JSON.

use serde::Serialize;
use serde_json::{Map, Value};

/// The version of the shape of machine output. It rises when a program that reads the old shape could misread the new one.
const VERSION: u32 = 1;

/// What a command tells a program, described in `docs/json.md`.
#[derive(Debug, Serialize)]
pub struct Envelope {
    version: u32,
    command: &'static str,
    /// The fields of the command's own; none if it could not do what it was asked for.
    #[serde(flatten)]
    body: Map<String, Value>,
    problems: Vec<Value>,
    messages: Vec<String>,
}

impl Envelope {
    /// An answer of `command` that says nothing yet.
    pub fn new(command: &'static str) -> Self {
        Envelope { version: VERSION, command, body: Map::new(), problems: Vec::new(), messages: Vec::new() }
    }

    /// Adds the fields of the command's own, an object.
    pub fn add_body(&mut self, body: Value) {
        if let Value::Object(fields) = body {
            self.body.extend(fields);
        }
    }

    /// Adds a problem, as [`json`](super::json) describes it.
    pub fn add_problem(&mut self, problem: Value) {
        self.problems.push(problem);
    }

    /// Adds the lines of a message that a person reads on standard error.
    pub fn add_message(&mut self, text: &str) {
        self.messages.extend(text.lines().map(str::to_owned));
    }

    /// One line of JSON.
    pub fn line(&self) -> String {
        // Keys are texts, and so everything in it can be written.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }
}
