//! Reminds people who want a failed boot to stop the container of the failures that only s6-overlay can act on.

use crate::diagnostic::{Confidence, FixKind, Group, Lint, Origin, Severity};
use crate::model::{Kind, Script, Service};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::boot-goes-on",
        level: Severity::Warning,
        confidence: Confidence::Likely,
        group: Group::Image,
        fix: FixKind::Without("the variable belongs into the image, not into the manifest"),
        page: include_str!("boot_goes_on.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    let Some(origin) = subject.services().find_map(stops_at_boot) else { return };
    found.push(
        found
            .report("the container stops if this fails, but not if the whole boot does")
            .at(origin, "s6gen stops the container for this service alone")
            .note("if the services cannot be compiled at boot, or the limit of the whole boot is over, s6-overlay goes on")
            .help(
                "write `ENV S6_BEHAVIOUR_IF_STAGE2_FAILS=2` into the Dockerfile, and then `[lints] boot-goes-on = \"allow\"` here",
            ),
    );
}

/// The place of a key by which a failure at boot stops the container.
fn stops_at_boot(service: &Service) -> Option<Origin> {
    match &service.kind {
        Kind::Oneshot(oneshot) => match &oneshot.up {
            Script::Step(step) => {
                step.on_failure.as_ref().filter(|then| then.then == "stop-container")?.origin
            }
            _ => None,
        },
        Kind::Longrun(longrun) => match &longrun.run {
            Script::Run(run) => run.late.filter(|late| !late.goes_on)?.origin,
            _ => None,
        },
        _ => None,
    }
}
