//! Finds oneshots that export variables for nobody.

use super::mentions::{mentions, texts};
use crate::diagnostic::{Confidence, FixKind, Group, Lint, Severity};
use crate::model::{Kind, Program};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::export-lost",
        level: Severity::Warning,
        confidence: Confidence::Likely,
        group: Group::Scripts,
        fix: FixKind::Without("which services need the variables is not known"),
        page: include_str!("export_lost.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    let is_overlay = subject.index.set().target.system.is_overlay();
    for (service, program, reading) in subject.readings() {
        let Some((variable, origin)) = &reading.vain_export else { continue };
        let is_up = program.file == "up" || subject.is_called_by(service, program, "up");
        if !matches!(service.kind, Kind::Oneshot(_)) || !is_up || is_read_elsewhere(subject, program) {
            continue;
        }
        let mut report = found
            .report(format!(
                "`{}` of `{}` exports `{variable}`, which is probably lost",
                program.file, service.name
            ))
            .at(*origin, "this ends with the script, and the script runs nothing more");
        if is_overlay {
            let write = format!("printf %s VALUE > /run/s6/container_environment/{variable}");
            report = report.help(format!("for services that start later with `with-contenv`: `{write}`"));
        }
        let key = "to set it for one service";
        found.push(match service.definition() {
            Some(_) => report.help(format!("{key}, export it in the `run` of that service")),
            None => report.help(format!("{key}, give that service `environment.{variable}`")),
        });
    }
}

/// Whether another script mentions this one by its path, and so may read it for its variables.
fn is_read_elsewhere(subject: &Subject<'_>, program: &Program) -> bool {
    let name = program.file.rsplit('/').next().unwrap_or_default();
    let is_path = program.file != "up";
    let own = program.text();
    let scripts = subject.services().flat_map(texts).chain(subject.index.set().context.texts());
    let mut others = scripts.filter(|text| !std::ptr::eq(*text, own));
    is_path && others.any(|text| reads(text, name))
}

/// Whether a script reads a file of this name with `.` or `source`.
fn reads(text: &str, name: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim_start();
        (line.contains(". ") || line.contains("source ")) && mentions(line, name)
    })
}
