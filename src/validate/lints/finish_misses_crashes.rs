//! Finds a `finish` that stops the container for SIGTERM, but not for a crash. Many images have copies of one such script,
//! so all services share one report.

use crate::diagnostic::{Confidence, FixKind, Group, Lint, Severity};
use crate::validate::names::listed;
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::finish-misses-crashes",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Deaths,
        fix: FixKind::Without("which deaths stop the container is a choice"),
        page: include_str!("finish_misses_crashes.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    let mut places = Vec::new();
    for (service, script) in subject.programs_in("finish") {
        if !script.text().contains("halt") || !script.text().contains("256") {
            continue;
        }
        let line = script.lines().find(|line| {
            let condition = ["-eq 15", "= 15", "= \"15\"", "-eq \"15\""];
            let words = ["bin/halt", "s6-svscanctl"];
            condition.iter().any(|text| line.text.contains(text))
                && words.iter().any(|text| line.text.contains(text))
        });
        places.extend(line.map(|line| (service, script, line)));
    }
    let Some((service, script, line)) = places.first() else { return };
    let mut problem = found
        .report(format!(
            "`finish` of `{}` stops the container for SIGTERM, but not for a crash",
            service.name
        ))
        .at(
            script.at(line.span()),
            "nothing happens for 11 (SIGSEGV) and 9 (out of memory): the service is started again",
        )
        .help("leave the number of the signal out of the condition");
    if places.len() > 1 {
        let others = listed(places[1..].iter().map(|(service, ..)| &service.name));
        problem = problem.note(format!("the same holds for {others}"));
    }
    found.push(problem);
}
