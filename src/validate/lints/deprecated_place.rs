//! Start bundles in a place that the next major version of s6-overlay no longer reads.

use crate::diagnostic::{Confidence, Edit, Files, Fix, FixKind, Group, Lint, Severity};
use crate::model::Feature;
use crate::validate::ImageContext;
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "overlay::deprecated-place",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Image,
        fix: FixKind::Unsafe,
        page: include_str!("deprecated_place.md"),
    },
    check: Check::Image(check),
};

fn check(subject: &Subject<'_>, image: &ImageContext<'_>, _: &Files, found: &mut Findings<'_>) {
    let Some((origin, remedy)) = image.old_place else { return };
    let system = subject.index.set().target.system;
    let mut problem = found
        .report(format!("the start bundles are in `s6-rc.d`, which {system} calls deprecated"))
        .at(origin, "because of this directory `user-bundles.d` is not read");
    if system.has(Feature::CompletedBundles) {
        problem = problem
            .note("/init writes `type` files here at boot; if it cannot, because the root is read-only, nothing starts");
    }
    let moves = system.start_bundles().iter().map(|bundle| Edit::Move {
        beside: origin.file,
        from: (*bundle).to_owned(),
        to: format!("../user-bundles.d/{bundle}"),
    });
    found.push(problem.help(remedy).fix(Fix::from(moves.collect::<Vec<_>>()).likely()));
}
