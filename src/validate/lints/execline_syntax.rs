//! Finds execline scripts that `execlineb` refuses.

use crate::diagnostic::{Confidence, FixKind, Group, Lint, Severity};
use crate::execline::tokens;
use crate::model::{Language, ProgramForm};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::execline-syntax",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Scripts,
        fix: FixKind::Without("where the quote or block should end is not known"),
        page: include_str!("execline_syntax.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, program) in subject.programs() {
        let ProgramForm::Script(text, Language::Execline) = &program.form else { continue };
        let Err(refusal) = tokens(text.text.as_bytes()) else { continue };
        let (what, label) = refusal.explained();
        found.push(
            found
                .report(format!("`{}` of `{}` {what}", program.file, service.name))
                .at(program.at(refusal.span()), label)
                .help("execlineb stops here and runs nothing of the script: correct it, or let a shell read it (`#!/bin/sh -e`)"),
        );
    }
}
