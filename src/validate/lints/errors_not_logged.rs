//! Finds loggers that do not get standard error of their service.

use crate::diagnostic::{Confidence, Fix, FixKind, Group, Lint, Severity};
use crate::model::Language;
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::errors-not-logged",
        level: Severity::Warning,
        confidence: Confidence::Likely,
        group: Group::Logs,
        fix: FixKind::Unsafe,
        page: include_str!("errors_not_logged.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, _) in subject.definitions() {
        let Some(longrun) = service.longrun() else { continue };
        let Some([consumer]) = longrun.producer_for.as_deref() else { continue };
        let Some(script) = service.program("run") else { continue };
        // With one of these words the script may redirect its errors, or call another script that does.
        let known = [
            "2>",
            "&>",
            ">&",
            "fdmove",
            "redirfd",
            "fdclose",
            "s6-log",
            "s6-socklog",
            "logutil",
            "./data/",
            ".sh",
            "source ",
            // A comment that says that this is on purpose. s6gen writes one itself.
            "standard error",
        ];
        let is_known =
            known.iter().any(|word| script.text().contains(word)) || !longrun.consumer_for.is_empty();
        let (line, is_script) = match script.language() {
            Language::Shell => ("exec 2>&1", true),
            Language::Execline => ("fdmove -c 2 1", true),
            Language::Other | Language::None => ("", false),
        };
        if is_known || !is_script {
            continue;
        }
        let Some(last) = script.lines().last() else { continue };
        let top = script.text().find('\n').map_or(script.text().len(), |end| end + 1);
        let place = script.at_exactly(top..top).filter(|_| script.text().starts_with("#!"));
        found.push(
            found
                .report(format!(
                    "`{}` does not get what `{}` writes to standard error",
                    consumer.name, service.name
                ))
                .at(script.at(last.span()), "only standard output goes into the pipe")
                .help(format!("write `{line}` at the top of `run`"))
                .fix(place.map(|place| Fix::replace(place, format!("{line}\n")).likely())),
        );
    }
}
