//! The format `concise`: a line for each problem, as compilers print them and editors read them.

use std::io::{self, Write};

use super::{Document, Format, Repository, Spot};
use crate::diagnostic::{Diagnostic, Files};
use crate::model::printable;

pub(super) static FORMAT: Format = Format {
    name: "concise",
    about: "A line for each problem",
    lists_problems: true,
    begin: |_, repository| Box::new(Concise { repository, lines: Vec::new() }),
};

struct Concise {
    repository: Repository,
    lines: Vec<String>,
}

impl Document for Concise {
    fn add_problem(&mut self, problem: &Diagnostic, files: &Files) {
        let place = Spot::of(problem, files, &self.repository).map(|Spot { path, region }| {
            let position = region.map(|[(line, column), _]| format!(":{line}:{column}")).unwrap_or_default();
            format!("{path}{position}: ")
        });
        let place = place.unwrap_or_default();
        let help = problem.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        let (severity, code) = (problem.severity.name(), problem.code.slug());
        let line = format!("{place}{severity}[{code}]: {}{help}", problem.message);
        self.lines.push(printable(&line).into_owned());
    }

    fn add_fields(&mut self, _: serde_json::Value) {}

    fn add_message(&mut self, _: &str) {}

    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        self.lines.iter().try_for_each(|line| writeln!(to, "{line}"))
    }
}
