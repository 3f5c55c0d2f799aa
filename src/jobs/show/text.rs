//! One service as text for people and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use super::limits::limits;
use super::{LineOrigin, ShownFile, ShownService, ShownWait};
use crate::diagnostic::{FileId, Files};
use crate::model::{Layer, json_text, printable};

/// The widest column of keys.
const WIDEST: usize = 44;

/// How many lines of a script that all come from the same key are shown.
const FEW: usize = 6;

/// How the manifest of the service is named.
struct LineLabels<'a> {
    files: &'a Files,
    /// Only the line is named for a place in this file.
    main: FileId,
}

/// One service for people. `main` is the manifest that they named.
pub fn text(shown: &ShownService<'_>, files: &Files, main: FileId) -> String {
    let manifest = LineLabels { files, main };
    let service = shown.service;
    let mut out = format!("{}  {}", service.name, service.kind.word());
    if let Some(origin) = service.origin.filter(|_| service.layer == Layer::Ours) {
        let file = files.get(origin.file);
        let line = file.line_at(origin.span().start) + 1;
        let _ = write!(out, "  {}:{line}", file.path.display());
    }
    if let Some(description) = &service.description {
        let _ = write!(out, "  # {}", printable(description));
    }
    out.push('\n');
    let mut fact = |name: &str, value: &str, from: &str| {
        let line = format!("  {name:<15}  {value:<30}  {from}");
        let _ = writeln!(out, "{}", line.trim_end());
    };
    fact("starts", start(shown), "");
    let lists = [("waits for", &shown.waits, true), ("waited for by", &shown.waited_for, false)];
    for (name, list, has_state) in lists {
        let (hidden, listed): (Vec<_>, Vec<_>) = list.iter().partition(|wait| wait.is_background);
        for (number, wait) in listed.iter().enumerate() {
            let state = if has_state { format!(" ({})", wait.until.word()) } else { String::new() };
            let from = wait.from.as_ref().map(|from| manifest.whole_label(from)).unwrap_or_default();
            fact(if number == 0 { name } else { "" }, &format!("{}{state}", wait.name), &from);
        }
        if !hidden.is_empty() {
            let also = if listed.is_empty() { name } else { "" };
            fact(also, &format!("{} more: loggers, services of s6 itself", hidden.len()), "");
        }
    }
    if !shown.bundles.is_empty() {
        let bundles: Vec<String> = shown.bundles.iter().map(ToString::to_string).collect();
        fact("part of", &bundles.join(", "), "");
    }
    for (name, limit) in limits(service) {
        fact(name, &limit, "");
    }
    write_files(&mut out, shown, &manifest);
    out
}

fn start(shown: &ShownService<'_>) -> &'static str {
    match shown.service.layer {
        Layer::Internal | Layer::Overlay => "at boot; s6 itself brings it",
        Layer::External => "as the layer says that defines it",
        Layer::Ours if shown.is_at_boot => "at boot",
        Layer::Ours => "on demand",
    }
}

fn write_files(out: &mut String, shown: &ShownService<'_>, manifest: &LineLabels<'_>) {
    let (short, long): (Vec<_>, Vec<_>) = shown.files.iter().partition(|file| is_short(file));
    let label = |file: &ShownFile, line: usize| manifest.list(&file.lines[line].1);
    let of_short = short.iter().filter(|file| !file.lines.is_empty()).map(|file| label(file, 0));
    let of_long = long.iter().flat_map(|file| (0..file.lines.len()).map(|line| label(file, line)));
    let width = of_short.chain(of_long).map(|label| label.chars().count()).max().unwrap_or(0).min(WIDEST);
    let mut row = |from: &str, text: &str| {
        let _ = writeln!(out, "{}", format!("  {from:<width$}  {text}").trim_end());
    };
    row("", "");
    for file in &short {
        let from = if file.lines.is_empty() { String::new() } else { label(file, 0) };
        let content = file.lines.first().map_or("", |(text, _)| text);
        row(&from, &format!("{:<28}  {content}", file.path));
    }
    for file in &long {
        let from = label(file, 0);
        let is_alike = (0..file.lines.len()).all(|line| label(file, line) == from);
        if file.lines.len() > FEW && is_alike && !from.is_empty() {
            row(&from, &format!("{:<28}  {} lines", file.path, file.lines.len()));
            continue;
        }
        row("", "");
        row("", &format!("{}{}", file.path, if file.is_executable { " (executable)" } else { "" }));
        for (line, (text, _)) in file.lines.iter().enumerate() {
            row(&label(file, line), &format!("  {text}"));
        }
    }
}

fn is_short(file: &ShownFile) -> bool {
    file.lines.len() < 2 && !matches!(file.path.as_str(), "run" | "finish" | "up" | "down")
}

impl LineLabels<'_> {
    fn list(&self, from: &[LineOrigin]) -> String {
        from.iter().map(|from| self.label(from)).collect::<Vec<_>>().join(", ")
    }

    /// The line of a key, its name, and the table if it is not that of the service: `17 log.size of [defaults.longrun]`.
    fn whole_label(&self, from: &LineOrigin) -> String {
        let table = if from.is_own { String::new() } else { format!(" of [{}]", from.table) };
        format!("{}{table}", self.label(from))
    }

    /// The line of a key, and its name: `17 log.size`.
    fn label(&self, from: &LineOrigin) -> String {
        let file = self.files.get(from.origin.file);
        let line = file.line_at(from.origin.span().start) + 1;
        let place = match from.origin.file == self.main {
            true => line.to_string(),
            false => format!("{}:{line}", file.path.display()),
        };
        format!("{place} {}", from.key)
    }
}

/// One service for programs.
pub fn json(shown: &ShownService<'_>, files: &Files) -> Value {
    let from = |from: &LineOrigin| {
        let file = files.get(from.origin.file);
        json!({
            "file": file.path.to_string_lossy(),
            "line": file.line_at(from.origin.span().start) + 1,
            "table": from.table,
            "key": from.key,
        })
    };
    let wait = |wait: &ShownWait| {
        json!({
            "name": json_text(wait.name.as_bytes()),
            "until": wait.until.word(),
            "from": wait.from.as_ref().map(from),
        })
    };
    let file = |file: &ShownFile| {
        let lines: Vec<Value> = file
            .lines
            .iter()
            .map(|(text, keys)| json!({ "text": text, "from": keys.iter().map(from).collect::<Vec<_>>() }))
            .collect();
        json!({ "path": file.path, "executable": file.is_executable, "lines": lines })
    };
    let service = shown.service;
    json!({
        "service": {
            "name": json_text(service.name.as_bytes()),
            "type": service.kind.word(),
            "description": service.description,
            "at_boot": shown.is_at_boot,
            "after": shown.waits.iter().map(wait).collect::<Vec<_>>(),
            "before": shown.waited_for.iter().map(wait).collect::<Vec<_>>(),
            "bundles": shown.bundles.iter().map(|name| json_text(name.as_bytes())).collect::<Vec<_>>(),
            "limits": limits(service).into_iter().map(|(name, limit)| format!("{name}: {limit}")).collect::<Vec<_>>(),
            "files": shown.files.iter().map(file).collect::<Vec<_>>(),
        }
    })
}
