//! The format `junit`: a test report in XML, as Jenkins and many others read it. Each problem is a test that failed.

use std::io::{self, Write};

use super::{Document, Format, Repository, Spot, details};
use crate::diagnostic::{Diagnostic, Files, Severity};
use crate::model::printable;

pub(super) static FORMAT: Format = Format {
    name: "junit",
    about: "A test report in XML, for Jenkins and others",
    lists_problems: true,
    begin: |_, repository| Box::new(TestReport { repository, cases: Vec::new(), errors: 0 }),
};

struct TestReport {
    repository: Repository,
    cases: Vec<String>,
    errors: usize,
}

/// The text for a repository in XML. XML cannot hold control characters at all.
fn xml(text: &str) -> String {
    let escaped = text.lines().map(|line| {
        let line = printable(line).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}").replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        line.replace('"', "&quot;")
    });
    escaped.collect::<Vec<_>>().join("&#10;")
}

impl Document for TestReport {
    fn add_problem(&mut self, problem: &Diagnostic, files: &Files) {
        let spot = Spot::of(problem, files, &self.repository);
        let (code, line) = (problem.code.slug(), spot.line());
        // A test that fails is an error of the manifest; a warning must not fail the job of a test runner.
        let element = match problem.severity {
            Severity::Error => "failure",
            Severity::Warning | Severity::Advice => "skipped",
        };
        self.errors += usize::from(problem.severity == Severity::Error);
        self.cases.push(format!(
            "    <testcase classname=\"{path}\" name=\"{code}: {message}\" file=\"{path}\" line=\"{line}\">\n      \
             <{element} message=\"{message}\"{kind}>{}</{element}>\n    </testcase>\n",
            xml(&details(problem, files, &self.repository).join("\n")),
            message = xml(&problem.message),
            path = xml(&spot.path),
            kind = if element == "failure" { format!(" type=\"{code}\"") } else { String::new() },
        ));
    }

    fn add_fields(&mut self, _: serde_json::Value) {}

    fn add_message(&mut self, _: &str) {}

    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        let passed = "    <testcase classname=\"s6gen\" name=\"check\"/>\n";
        let cases = if self.cases.is_empty() { passed.to_owned() } else { self.cases.concat() };
        let (tests, errors) = (self.cases.len().max(1), self.errors);
        let skipped = self.cases.len() - errors;
        let counts = format!("tests=\"{tests}\" failures=\"{errors}\" errors=\"0\" skipped=\"{skipped}\"");
        writeln!(
            to,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"s6gen\" {counts}>\n{cases}  \
             </testsuite>\n</testsuites>"
        )
    }
}
