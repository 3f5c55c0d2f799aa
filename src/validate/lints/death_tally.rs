//! Finds a `max-death-tally` that is larger than s6-supervise allows.

use crate::diagnostic::{Confidence, Fix, FixKind, Group, Lint, Severity};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::death-tally",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Deaths,
        fix: FixKind::Safe,
        page: include_str!("death_tally.md"),
    },
    check: Check::Services(check),
};

/// The largest number of deaths that s6-supervise remembers.
const MOST_DEATHS: u32 = 4096;

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, definition) in subject.definitions() {
        let Some(longrun) = service.longrun() else { continue };
        if let Some(tally) = longrun.max_death_tally.filter(|tally| *tally > MOST_DEATHS) {
            let place = definition.place("max-death-tally");
            let fix = place.map(|place| Fix::rewrite(place.file, format!("{MOST_DEATHS}\n")));
            found.push(
                found
                    .report(format!(
                        "`max-death-tally` of `{}` is {tally}, more than s6-supervise remembers",
                        service.name
                    ))
                    .at(place, "it counts as 4096")
                    .help("write at most `4096`")
                    .fix(fix),
            );
        }
    }
}
