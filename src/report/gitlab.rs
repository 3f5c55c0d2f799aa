//! The format `gitlab`: a report on code quality, which GitLab shows in a merge request.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{Document, Format, Identities, Repository, Spot, details, identity};
use crate::diagnostic::{Diagnostic, Files, Severity};

pub(super) static FORMAT: Format = Format {
    name: "gitlab",
    about: "A code quality report of GitLab",
    lists_problems: true,
    begin: |_, repository| Box::new(CodeQuality { repository, identities: Identities::default(), list: Vec::new() }),
};

struct CodeQuality {
    repository: Repository,
    identities: Identities,
    list: Vec<Value>,
}

impl Document for CodeQuality {
    fn add_problem(&mut self, problem: &Diagnostic, files: &Files) {
        let spot = Spot::of_any(problem, files, &self.repository);
        let lines = match spot.region {
            Some([(begin, _), (end, _)]) => json!({ "begin": begin, "end": end }),
            None => json!({ "begin": 1 }),
        };
        let severity = match problem.severity {
            Severity::Error => "critical",
            Severity::Warning => "major",
            Severity::Advice => "info",
        };
        let help = problem.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        self.list.push(json!({
            "description": format!("{}{help}", problem.message),
            "check_name": problem.code.slug(),
            "fingerprint": self.identities.next(identity(problem, files, &self.repository)),
            "severity": severity,
            "location": { "path": spot.path, "lines": lines },
            "content": { "body": details(problem, files, &self.repository).join("\n") },
        }));
    }

    fn add_fields(&mut self, _: Value) {}

    fn add_message(&mut self, _: &str) {}

    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        writeln!(to, "{}", serde_json::to_string(&self.list)?)
    }
}
