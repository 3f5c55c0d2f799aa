//! Asks shellcheck about the shell scripts of services, and puts its findings at their lines.

use std::collections::BTreeMap;
use std::io;

use serde::Deserialize;

use super::levels::Levels;
use crate::diagnostic::{Code, Diagnostic, Problems, Severity};
use crate::live::{Call, Programs};
use crate::manifest::{ManifestText, TextTable};
use crate::model::{Language, Program, ServiceSet};
use crate::progress::{self, Stage};

/// The findings of `shellcheck --format json1`.
#[derive(Debug, Default, Deserialize)]
struct ShellFindings {
    comments: Vec<ShellFinding>,
}

/// One finding. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ShellFinding {
    line: usize,
    end_line: usize,
    column: usize,
    end_column: usize,
    code: u32,
    message: String,
}

/// Adds the findings of shellcheck, if the option or a level for this very rule asks for them. `all` does not, because this starts
/// other programs. Returns whether it was asked about every script.
pub(super) fn add_if_asked(
    levels: &Levels,
    table: &TextTable<ManifestText>,
    services: &ServiceSet,
    programs: &mut dyn Programs,
    problems: &mut Problems,
) -> bool {
    if !levels.wants_shellcheck(table) {
        return false;
    }
    // Instances of a template share a script.
    let mut known: BTreeMap<&str, Vec<ShellFinding>> = BTreeMap::new();
    progress::begin(Stage::Shellcheck, 0);
    for program in services.ours().flat_map(|service| &service.programs) {
        let Some(shell) = shell(program) else { continue };
        let text = program.text();
        if !known.contains_key(text) {
            progress::advance();
            match ask(programs, shell, text) {
                Ok(found) => drop(known.insert(text, found)),
                Err(reason) => {
                    let message = format!("shellcheck cannot be asked: {reason}");
                    let help = "install it, or do not ask for it: no `--shellcheck`, and no `shellcheck` in `[lints]`";
                    let problem = warning(message).help(help);
                    // A CI job that asks for it must not take its absence for success.
                    problems.push(if levels.asks_shellcheck { problem.as_error() } else { problem });
                    return false;
                }
            }
        }
        for finding in known.get(text).into_iter().flatten() {
            let ShellFinding { code, message, .. } = finding;
            let problem = warning(format!("SC{code}: {message}"))
                .at(program.at(span(text, finding)), format!("SC{code}"))
                .help(format!("https://www.shellcheck.net/wiki/SC{code}"));
            problems.push(problem);
        }
    }
    true
}

fn warning(message: String) -> Diagnostic {
    Diagnostic { severity: Severity::Warning, ..Diagnostic::new(Code::ShellCheck, message) }
}

/// The shell that reads a script, if shellcheck knows it.
fn shell(program: &Program) -> Option<&'static str> {
    let (_, language) = program.as_script()?;
    if language != Language::Shell {
        return None;
    }
    let first = program.text().lines().next().unwrap_or_default();
    let words = first.strip_prefix("#!").unwrap_or("/bin/sh").split_ascii_whitespace();
    let mut names = words.map(|word| word.rsplit('/').next().unwrap_or(word));
    names.find_map(|name| match name {
        "sh" | "ash" | "busybox" => Some("sh"),
        "bash" | "bashio" => Some("bash"),
        "dash" => Some("dash"),
        "ksh" => Some("ksh"),
        _ => None,
    })
}

/// The findings on a script.
fn ask(programs: &mut dyn Programs, shell: &str, text: &str) -> Result<Vec<ShellFinding>, String> {
    let call = Call::new("shellcheck").args(["--format", "json1", "--shell", shell, "-"]);
    let answer = programs.filter(&call, text.as_bytes()).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "it is not installed".to_owned(),
        _ => error.to_string(),
    })?;
    let found: ShellFindings = serde_json::from_slice(&answer.out).map_err(|_| {
        format!("it ended with {}: {}", answer.code, String::from_utf8_lossy(&answer.err).trim())
    })?;
    Ok(found.comments)
}

/// The bytes of a script that a finding marks.
fn span(text: &str, finding: &ShellFinding) -> std::ops::Range<usize> {
    let at = |line: usize, column: usize| {
        let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let rest = text[start..].lines().next().unwrap_or_default();
        start + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(offset, _)| offset)
    };
    let start = at(finding.line, finding.column);
    start..at(finding.end_line, finding.end_column).max(start)
}
