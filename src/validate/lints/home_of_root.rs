//! Finds processes that run as another user but use the home directory of root.

use crate::diagnostic::{Confidence, FixKind, Group, Lint, Severity};
use crate::model::Language;
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::home-of-root",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Scripts,
        fix: FixKind::Without("the home directory of the account is not known"),
        page: include_str!("home_of_root.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, script, _) in subject.processes() {
        if script.language() != Language::Shell
            || !script.text().contains("s6-setuidgid")
            || script.text().contains("HOME=")
        {
            continue;
        }
        for line in script.lines() {
            let mut words = line.words().skip_while(|word| !word.ends_with("s6-setuidgid")).skip(1);
            let Some(user) = words.next().filter(|user| !matches!(*user, "root" | "0" | "0:0")) else {
                continue;
            };
            if user.starts_with('$') || user.starts_with('-') {
                continue;
            }
            let used = ["$HOME", "${HOME}", " ~/"].into_iter().find(|home| line.text.contains(home));
            if let Some(home) = used {
                found.push(
                    found
                        .report(format!(
                            "`{}` of `{}` uses the home directory of root as `{user}`",
                            script.file, service.name
                        ))
                        .at(script.at(line.span_of(home.trim_start())), "this is still `/root`")
                        .note("`s6-setuidgid` changes only the user")
                        .help(format!("set it first: `export HOME=…`, the home directory of `{user}`")),
                );
                break;
            }
        }
    }
}
