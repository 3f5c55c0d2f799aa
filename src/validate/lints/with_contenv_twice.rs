//! Commands that begin with `with-contenv`, which would clear what the manifest sets.

use crate::diagnostic::{Confidence, Lint, Severity};
use crate::model::{Change, Kind, Script, Service, Surroundings};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::with-contenv-twice",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        has_fix: false,
        page: include_str!("with_contenv_twice.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, program) in subject.programs() {
        if program.change != Some(Change::WithoutContenv) {
            continue;
        }
        let Some(lost) = surroundings(service).and_then(Surroundings::lost_to_contenv) else { continue };
        found.push(
            found
                .report(format!("`with-contenv` is left out of `{}`", program.file))
                .at(program.origin(), format!("it would clear {lost}"))
                .note("the service has the environment of the container already")
                .help(
                    "remove the word; `with-contenv = false` keeps it, and leaves loading the environment to the script",
                ),
        );
    }
}

/// The environment of the programs of a service.
fn surroundings(service: &Service) -> Option<&Surroundings> {
    match &service.kind {
        Kind::Longrun(longrun) => match &longrun.run {
            Script::Run(run) => Some(&run.surroundings),
            _ => None,
        },
        Kind::Oneshot(oneshot) => match &oneshot.up {
            Script::Step(step) => Some(&step.surroundings),
            _ => None,
        },
        _ => None,
    }
}
