//! Finds `echo` into the container environment for versions of s6-overlay that keep its newline.

use crate::diagnostic::{Confidence, Edit, Fix, FixKind, Group, Lint, Severity};
use crate::model::{CallOutput, Feature};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::newline-in-variable",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Image,
        fix: FixKind::Safe,
        page: include_str!("newline_in_variable.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    // Without a version the target is the newest s6-overlay, which leaves out the newline.
    let system = subject.index.set().target.system;
    if !system.has(Feature::WholeValues) || system.has(Feature::TrimmedValues) {
        return;
    }
    for (service, program, reading) in subject.readings() {
        for output in &reading.outputs {
            let Some(variable) = variable(&output.path).filter(|_| writes_a_newline(output)) else {
                continue;
            };
            found.push(
                found
                    .report(format!(
                        "`{}` of `{}` writes a newline into the variable `{variable}`",
                        program.file, service.name
                    ))
                    .at(output.origin, format!("in {system} the newline of `echo` is a part of the value"))
                    .fix(without_newline(output))
                    .help(format!("write it without: `printf %s VALUE > {}`", output.path))
                    .note("s6-overlay 3.1.0.0 to 3.2.1.0 read the whole file; 3.2.2.0 leaves out a newline at its end"),
            );
        }
    }
}

/// The variable that a file of the container environment sets.
fn variable(path: &str) -> Option<&str> {
    let path = path.strip_prefix("/var").unwrap_or(path);
    let name = path.strip_prefix("/run/s6/container_environment/")?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

/// The change that prints the only word of an `echo` as it is. Some shells read a `\\` in it.
fn without_newline(output: &CallOutput) -> Option<Fix> {
    let [name, word] = &output.words[..] else { return None };
    let place = output.name.filter(|_| !word.contains('\\'))?;
    Some(Fix::from(Edit::Word { place, old: name.clone(), new: "printf %s".to_owned() }))
}

/// Whether a command is an `echo` that ends its output with a newline: not with an option such as `-n`, and not with `\c`.
fn writes_a_newline(output: &CallOutput) -> bool {
    let Some((name, words)) = output.words.split_first() else { return false };
    name.rsplit('/').next() == Some("echo")
        && !words.first().is_some_and(|first| first.trim_start_matches(['"', '\'']).starts_with('-'))
        && !words.iter().any(|word| word.contains("\\c"))
}
