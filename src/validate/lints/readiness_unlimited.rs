//! Finds services that wait for readiness without a limit. One decision settles it for the whole tree, so it is one report.

use super::readiness_unused::never_notifies;
use crate::diagnostic::{Confidence, FixKind, Group, Lint, Severity};
use crate::validate::names::listed;
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::readiness-unlimited",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Readiness,
        fix: FixKind::Without("how long a start may take is a choice"),
        page: include_str!("readiness_unlimited.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    let unlimited = subject.definitions().filter_map(|(service, _)| {
        let longrun = service.longrun().filter(|longrun| longrun.timeout_up == 0)?;
        let fd = longrun.notification_fd.as_ref()?;
        // The lint `readiness-unused` reports services that never send the notification.
        never_notifies(service).is_none().then_some((service, fd))
    });
    let services: Vec<_> = unlimited.collect();
    let Some((service, fd)) = services.first() else { return };
    let name = &service.name;
    let mut problem = found
        .report(format!("the start waits for ever if `{name}` never reports that it is ready"))
        .at(fd.origin, "without `timeout-up` there is no limit")
        .help("write milliseconds into `timeout-up`, such as `60000`");
    if services.len() > 1 {
        problem = problem.note(format!(
            "the same holds for {}",
            listed(services[1..].iter().map(|(service, _)| &service.name))
        ));
    }
    found.push(problem);
}
