//! The format `sarif`: SARIF 2.1.0, which code scanning and many editors read.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::{Document, Format, Identities, Repository, Spot, details, identity, position_at};
use crate::diagnostic::{Code, Diagnostic, Files, Severity};

pub(super) static FORMAT: Format = Format {
    name: "sarif",
    about: "SARIF 2.1.0, for code scanning",
    lists_problems: true,
    begin: |_, repository| Box::new(Log { repository, ..Log::default() }),
};

#[derive(Default)]
struct Log {
    repository: Repository,
    /// The rules of the problems, each with its number in the list.
    rules: BTreeMap<Code, usize>,
    descriptions: Vec<Value>,
    results: Vec<Value>,
    notifications: Vec<Value>,
    identities: Identities,
    has_failed: bool,
}

/// The whole document. It borrows the results, because a copy of them would cost as much as to find them.
#[derive(Serialize)]
struct Sarif<'l> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    runs: [SarifRun<'l>; 1],
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifRun<'l> {
    column_kind: &'static str,
    invocations: Value,
    results: &'l [Value],
    tool: Value,
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Advice => "note",
    }
}

/// A path as a relative URI.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(byte.into()),
            _ => drop(write!(uri, "%{byte:02X}")),
        }
    }
    uri
}

fn location(spot: &Spot) -> Value {
    let mut physical = json!({ "artifactLocation": { "uri": uri(&spot.path) } });
    physical["region"] = match spot.region {
        Some([(line, column), (end_line, end_column)]) => json!({
            "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column,
        }),
        // Code scanning shows nothing without a line.
        None => json!({ "startLine": 1 }),
    };
    json!({ "physicalLocation": physical })
}

fn description(code: Code) -> Value {
    let page: Vec<&str> = code.explanation().lines().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    let first = page.first().copied().unwrap_or_default();
    json!({
        "id": code.slug(),
        "shortDescription": { "text": first },
        "fullDescription": { "text": page.join("\n").split("\n```").next().unwrap_or_default() },
        "help": { "text": page.join("\n"), "markdown": page.join("\n") },
        "defaultConfiguration": { "level": level(code.severity()) },
    })
}

/// The changes that solve a problem. SARIF knows only changes of texts.
fn changes(problem: &Diagnostic, files: &Files, repository: &Repository) -> Vec<Value> {
    let Some(fix) = &problem.fix else { return Vec::new() };
    let mut by_file: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for edit in &fix.edits {
        let file = files.get(edit.file());
        let Some((span, text)) = edit.change(&file.text) else { return Vec::new() };
        let ((line, column), (end_line, end_column)) =
            (position_at(file, span.start), position_at(file, span.end));
        by_file.entry(uri(&repository.path(&file.path))).or_default().push(json!({
            "deletedRegion": {
                "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column,
            },
            "insertedContent": { "text": text },
        }));
    }
    let changes = by_file.into_iter().map(|(uri, replacements)| {
        json!({ "artifactLocation": { "uri": uri }, "replacements": replacements })
    });
    let text = problem.help.as_deref().unwrap_or(&problem.message);
    vec![json!({ "description": { "text": text }, "artifactChanges": changes.collect::<Vec<_>>() })]
}

impl Log {
    /// The number of a rule in the list of rules.
    fn rule(&mut self, code: Code) -> usize {
        let (number, descriptions) = (self.rules.len(), &mut self.descriptions);
        *self.rules.entry(code).or_insert_with(|| {
            descriptions.push(description(code));
            number
        })
    }
}

impl Document for Log {
    fn add_problem(&mut self, problem: &Diagnostic, files: &Files) {
        let others = problem.labels.iter().skip(1).enumerate().map(|(number, label)| {
            let mut location = location(&Spot::of_origin(label.origin, files, &self.repository));
            location["id"] = json!(number);
            location["message"] = json!({ "text": label.text });
            location
        });
        let others: Vec<Value> = others.collect();
        let text = [vec![problem.message.clone()], details(problem, files, &self.repository)].concat().join("\n");
        let mut result = json!({
            "ruleId": problem.code.slug(),
            "ruleIndex": self.rule(problem.code),
            "level": level(problem.severity),
            "message": { "text": text },
            "locations": [location(&Spot::of_any(problem, files, &self.repository))],
            "relatedLocations": others,
            "partialFingerprints": { "s6gen/v1": self.identities.next(identity(problem, files, &self.repository)) },
        });
        let changes = changes(problem, files, &self.repository);
        if !changes.is_empty() {
            result["fixes"] = changes.into();
        }
        self.results.push(result);
    }

    fn add_fields(&mut self, _: Value) {}

    fn add_message(&mut self, text: &str) {
        self.notifications.push(json!({ "message": { "text": text }, "level": "note" }));
    }

    fn fail(&mut self) {
        self.has_failed = true;
    }

    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        let run = SarifRun {
            column_kind: "unicodeCodePoints",
            invocations: json!([{
                "executionSuccessful": !self.has_failed, "toolExecutionNotifications": self.notifications,
            }]),
            results: &self.results,
            tool: json!({ "driver": {
                "name": "s6gen",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": self.descriptions,
            } }),
        };
        let schema = "https://json.schemastore.org/sarif-2.1.0.json";
        writeln!(to, "{}", serde_json::to_string(&Sarif { schema, runs: [run], version: "2.1.0" })?)
    }
}
