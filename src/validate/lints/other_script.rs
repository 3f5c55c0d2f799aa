//! Finds oneshots that run the script of another service, although they have a script of their own that nothing runs.

use super::calls::mention;
use super::mentions::{mentions, texts};
use crate::diagnostic::{Confidence, Fix, FixKind, Group, Lint, Severity};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::other-script",
        level: Severity::Warning,
        confidence: Confidence::Likely,
        group: Group::Scripts,
        fix: FixKind::Unsafe,
        page: include_str!("other_script.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, definition) in subject.definitions() {
        for confused in &definition.confused {
            let (by, path, own) = (confused.by, &confused.path, &confused.own);
            let mut all = subject.services().flat_map(texts).chain(subject.index.set().context.texts());
            if all.any(|text| mentions(text, own)) {
                continue;
            }
            let place = mention(service, by, path);
            let fix = place.and_then(|place| Fix::word(place, path, own)).map(Fix::likely);
            found.push(
                found
                    .report(format!(
                        "`{by}` of `{}` runs `{path}`, the script of `{}`",
                        service.name, confused.other
                    ))
                    .at(place, "this is another service's script")
                    .at(confused.origin, "nothing runs this script")
                    .help(format!("did you mean `{own}`?"))
                    .fix(fix),
            );
        }
    }
}
