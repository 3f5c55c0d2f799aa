//! Finds scripts that are run by their paths and have no x bit.

use super::calls::{failure, is_command, mention};
use super::readiness_check::runs_its_own_check;
use crate::diagnostic::{Confidence, Diagnostic, Edit, Fix, FixKind, Group, Lint, Severity};
use crate::model::{Called, Found, ScriptUse, Service};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::not-executable",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Scripts,
        fix: FixKind::Safe,
        page: include_str!("not_executable.md"),
    },
    check: Check::Services(check),
};

/// The note on a file that is not in an image yet.
const BEFORE_IMAGE: &str =
    "so it is in the image, unless the Dockerfile sets the mode: `COPY --chmod`, `RUN chmod`";

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    if subject.index.set().context.sets_modes() {
        return;
    }
    for (service, definition) in subject.definitions() {
        for called in &definition.called {
            if !matches!(called.found, Found::File { executable: false }) {
                continue;
            }
            let problem = match called.how {
                // Arguments of another program do not count: a script that a shell reads needs no x bit.
                ScriptUse::Check if let Some(at) = runs_its_own_check(service) => found
                    .report(format!("`data/check` of `{}` is not executable", service.name))
                    .at(called.origin, "s6-rc copies its mode, so the check cannot run it")
                    .at(at, "without `-c` it runs `./data/check`"),
                how if is_command(service, called.by, how) => of_a_command(found, service, called),
                _ => continue,
            };
            let problem = problem.fix(Fix::from(Edit::MakeExecutable(called.origin.file)));
            let mut problem =
                problem.help("run `chmod +x` on it; git keeps the bit with `git update-index --chmod=+x`");
            if subject.before_image {
                problem = problem.note(BEFORE_IMAGE);
            }
            found.push(problem);
        }
    }
}

fn of_a_command(found: &Findings<'_>, service: &Service, called: &Called) -> Diagnostic {
    let (name, by, path) = (&service.name, called.by, &called.path);
    found
        .report(format!("`{by}` of `{name}` runs `{path}`, which is not executable"))
        .at(mention(service, by, path), failure(by, "126: permission denied"))
        .at(called.origin, "this file has no x bit")
}
