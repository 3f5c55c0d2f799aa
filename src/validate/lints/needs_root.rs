//! Finds programs that change accounts in a container without root.

use crate::diagnostic::{Confidence, FixKind, Group, Lint, Severity};
use crate::execline::base_name;
use crate::model::{CallRole, CallWord, Invocation};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::needs-root",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Scripts,
        fix: FixKind::Without("the container may need root after all"),
        page: include_str!("needs_root.md"),
    },
    check: Check::Services(check),
};

/// Programs that run another program as an account, and fail without root even if it is their own.
const CHANGERS: &[&str] = &["gosu", "runuser", "s6-setuidgid", "setuidgid", "su", "su-exec"];

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    if !subject.index.set().target.rootless {
        return;
    }
    for (service, program, calls) in subject.calls().filter(|(service, ..)| service.definition().is_none()) {
        // Such a script may find out whether it is root.
        if ["id -u", "UID", "whoami", "-w "].iter().any(|test| program.text().contains(test)) {
            continue;
        }
        for call in calls.iter().filter(|call| call.role != CallRole::Nested) {
            let Some((word, help)) = needs_root(call) else { continue };
            let name = word.text.as_deref().unwrap_or_default();
            let problem = found
                .report(format!("`{name}` in `{}` of `{}` needs root", program.file, service.name))
                .at(word.origin, "this fails with `Operation not permitted`")
                .note("`rootless = true` says that the container does not run as root")
                .help(help);
            found.push(if call.role == CallRole::Process { problem.as_error() } else { problem });
            break;
        }
    }
}

/// The word of a call that fails without root, and what to do about it.
fn needs_root(call: &Invocation) -> Option<(&CallWord, &'static str)> {
    let (before, program) = call.words.split_at_checked(call.words.len() - call.arguments().len())?;
    let name = |word: &CallWord| word.text.as_deref().map(base_name).map(str::to_owned);
    let changes = |word: &&CallWord| name(word).is_some_and(|name| CHANGERS.contains(&name.as_str()));
    if let Some(word) = before.iter().find(changes) {
        return Some((word, "leave it out: every service runs as the account of the container"));
    }
    let is_owner = matches!(call.program()?, "chown" | "chgrp");
    let owner = program.iter().filter_map(|word| word.text.as_deref()).find(|word| !word.starts_with('-'))?;
    let is_root = matches!(owner, "root" | "0" | "root:root" | "0:0" | "root:" | "0:");
    (is_owner && is_root)
        .then(|| before.last())
        .flatten()
        .map(|word| (word, "leave it out, and set the owner when the image is built"))
}
