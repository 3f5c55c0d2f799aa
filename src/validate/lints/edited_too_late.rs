//! Finds scripts that change the definitions after they were compiled.

use crate::diagnostic::{Confidence, FixKind, Group, Lint, Severity};
use crate::model::Language;
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::edited-too-late",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Scripts,
        fix: FixKind::Without("the change belongs into the build of the image"),
        page: include_str!("edited_too_late.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, script) in subject.programs() {
        {
            let text = script.text();
            if script.language() != Language::Shell
                || !(text.contains("/contents.d/") || text.contains("/dependencies.d/"))
            {
                continue;
            }
            let edit = script.lines().find_map(|line| {
                let changes = |word: &str| matches!(word, "rm" | "touch" | "mv" | "ln" | "cp");
                let path = line.words().find(|word| {
                    (word.contains("/s6-rc.d/") || word.contains("/user-bundles.d/"))
                        && (word.contains("/contents.d/") || word.contains("/dependencies.d/"))
                })?;
                (line.words().any(changes) || line.text.contains('>')).then_some((line, path))
            });
            let Some((line, path)) = edit else { continue };
            found.push(
                found.report(format!("`{}` of `{}` changes the definitions after /init has compiled them", script.file, service.name),
                )
                .at(script.at(line.span_of(path)), "/init has compiled this before the first service starts")
                .help("decide in `run` of the service itself, or in a hook before the compilation (`S6_STAGE2_HOOK`)"),
            );
        }
    }
}
