//! The format `junit`: a test report in XML, as Jenkins and many others read it. Each problem is a test that failed.

use std::io::{self, Write};

use super::{Document, Format, Repository, Spot, details};
use crate::diagnostic::{Diagnostic, Files, Severity};
use crate::model::printable;

pub(super) static FORMAT: Format = Format {
    name: "junit",
    about: "A test report in XML, for Jenkins and others",
    lists_problems: true,
    begin: |_, repository| Box::new(TestReport { repository, cases: Vec::new(), errors: 0, said: Vec::new(), has_failed: false }),
};

struct TestReport {
    repository: Repository,
    cases: Vec<String>,
    errors: usize,
    /// What a person reads on standard error.
    said: Vec<String>,
    has_failed: bool,
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
        let spot = Spot::of_any(problem, files, &self.repository);
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

    fn add_message(&mut self, text: &str) {
        self.said.push(text.to_owned());
    }

    fn fail(&mut self) {
        self.has_failed = true;
    }

    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        let (begin, end) = ("    <testcase classname=\"s6gen\" name=\"check\"", "</testcase>\n");
        let own = match self.has_failed {
            // A check that did not run must not look like one that passed.
            true => format!("{begin}><error message=\"{}\"/>{end}", xml(&self.said.join("\n"))),
            false if self.cases.is_empty() => format!("{begin}/>\n"),
            false => String::new(),
        };
        let cases = self.cases.concat() + &own;
        let (failures, errors) = (self.errors, usize::from(self.has_failed));
        let (tests, skipped) = (self.cases.len() + usize::from(!own.is_empty()), self.cases.len() - failures);
        let counts =
            format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"");
        writeln!(
            to,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"s6gen\" {counts}>\n{cases}  \
             </testsuite>\n</testsuites>"
        )
    }
}
