//! The format `github`: commands of a GitHub workflow, which GitHub shows beside the lines of a pull request.

use std::io::{self, Write};

use super::{Document, Format, Repository, Spot, details};
use crate::diagnostic::{Diagnostic, Files, Severity};
use crate::model::printable;

pub(super) static FORMAT: Format = Format {
    name: "github",
    about: "Annotations of a GitHub workflow",
    lists_problems: true,
    begin: |_, repository| Box::new(Commands { repository, lines: Vec::new() }),
};

struct Commands {
    repository: Repository,
    lines: Vec<String>,
}

/// Escapes what would end the command, or disturb a terminal.
fn data(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(printable).collect();
    lines.join("\n").replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes what would end a property of the command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

impl Document for Commands {
    fn add_problem(&mut self, problem: &Diagnostic, files: &Files) {
        let command = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Advice => "notice",
        };
        let spot = Spot::of(problem, files, &self.repository);
        let mut properties: Vec<String> =
            spot.iter().map(|spot| format!("file={}", property(&spot.path))).collect();
        if let Some([(line, column), (end_line, end_column)]) = spot.and_then(|spot| spot.region) {
            properties.push(format!("line={line},endLine={end_line}"));
            // GitHub takes columns only within one line.
            if line == end_line {
                properties.push(format!("col={column},endColumn={end_column}"));
            }
        }
        properties.push(format!("title={}", property(problem.code.slug())));
        let text = [vec![problem.message.clone()], details(problem, files, &self.repository)].concat().join("\n");
        self.lines.push(format!("::{command} {}::{}", properties.join(","), data(&text)));
    }

    fn add_fields(&mut self, _: serde_json::Value) {}

    fn add_message(&mut self, text: &str) {
        self.lines.push(format!("::notice::{}", data(text)));
    }

    fn fail(&mut self) {
        let old = std::mem::take(&mut self.lines);
        let as_error = |line: String| match line.strip_prefix("::notice::") {
            Some(text) => format!("::error::{text}"),
            None => line,
        };
        self.lines = old.into_iter().map(as_error).collect();
    }

    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        self.lines.iter().try_for_each(|line| writeln!(to, "{line}"))
    }
}
