//! The report of an import: what became of each part of the old system.

use std::fmt::Write as _;

use crate::diagnostic::{Files, Origin};

/// What became of a part of the old system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// The new system does the same.
    Exact,
    /// The new system does nearly the same; the line names the difference.
    Emulated,
    /// The new system does not do it; the line names the remedy.
    Lost,
    /// It had no effect in the old system either.
    NoEffect,
}

impl Fate {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Fate::Exact => "exact",
            Fate::Emulated => "emulated",
            Fate::Lost => "lost",
            Fate::NoEffect => "no effect",
        }
    }
}

/// What became of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportLine {
    /// Where it is written.
    pub origin: Option<Origin>,
    /// The part as written, in one line: `autorestart = true`, or the path of a file of a definition.
    pub part: String,
    /// What became of it.
    pub fate: Fate,
    /// What stands in the manifest for it: `on-exit`, or nothing.
    pub becomes: String,
    /// The difference and what to do about it, if there is one.
    pub remark: String,
}

/// The lines on one section of the old configuration, or on one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportSection {
    /// Its heading: `[program:web]`, or the name of a definition.
    pub heading: String,
    /// Its lines, in the order of the input.
    pub lines: Vec<ImportLine>,
}

/// The report of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// The sections, in the order of the input.
    pub sections: Vec<ImportSection>,
    /// What holds for the whole system, once.
    pub remarks: Vec<String>,
}

impl ImportReport {
    /// How many lines there are of each kind.
    pub fn count(&self, fate: Fate) -> usize {
        self.sections.iter().flat_map(|section| &section.lines).filter(|line| line.fate == fate).count()
    }
}

/// The report as text: each line names the place, the part, what became of it, and the difference.
pub fn report_text(report: &ImportReport, files: &Files) -> String {
    let mut out = String::new();
    for section in report.sections.iter().filter(|section| !section.lines.is_empty()) {
        let _ = writeln!(out, "{}", section.heading);
        for line in &section.lines {
            let place = line.origin.map(|origin| format!("{}: ", place(origin, files))).unwrap_or_default();
            let becomes =
                if line.becomes.is_empty() { String::new() } else { format!(" -> {}", line.becomes) };
            let remark = if line.remark.is_empty() { String::new() } else { format!("; {}", line.remark) };
            let _ = writeln!(out, "  {place}{}\n      {}{becomes}{remark}", line.part, line.fate.word());
        }
        out.push('\n');
    }
    if !report.remarks.is_empty() {
        out.push_str("As a whole\n");
        for remark in &report.remarks {
            let _ = writeln!(out, "  {remark}");
        }
        out.push('\n');
    }
    let _ = writeln!(out, "{}", report_summary(report));
    out
}

/// How many parts there are of each kind, in one line.
pub fn report_summary(report: &ImportReport) -> String {
    let fates = [Fate::Exact, Fate::Emulated, Fate::Lost, Fate::NoEffect];
    let counts: Vec<String> =
        fates.iter().map(|fate| format!("{} {}", report.count(*fate), fate.word())).collect();
    counts.join(", ")
}

/// The report for a program.
pub fn report_json(report: &ImportReport, files: &Files) -> serde_json::Value {
    let line = |line: &ImportLine| {
        let file = line.origin.map(|origin| files.path(origin.file).display().to_string());
        let number = line.origin.map(|origin| files.get(origin.file).line_at(origin.span().start) + 1);
        serde_json::json!({
            "file": file, "line": number, "part": line.part, "fate": line.fate.word(), "becomes": line.becomes,
            "remark": line.remark,
        })
    };
    let sections = report.sections.iter().map(|section| {
        serde_json::json!({ "heading": section.heading, "lines": section.lines.iter().map(line).collect::<Vec<_>>() })
    });
    serde_json::json!({ "sections": sections.collect::<Vec<_>>(), "remarks": report.remarks })
}

/// A file and line: `supervisord.conf:12`.
pub fn place(origin: Origin, files: &Files) -> String {
    let file = files.get(origin.file);
    format!("{}:{}", file.path.display(), file.line_at(origin.span().start) + 1)
}
