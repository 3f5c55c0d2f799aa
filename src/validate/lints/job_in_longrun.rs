//! Finds longruns whose process does one thing and ends.

use super::background::{process, reads_log};
use crate::diagnostic::{Confidence, FixKind, Group, Lint, Severity};
use crate::execline::swallowed;
use crate::model::{CallRole, Invocation, Language, Program, Service};
use crate::programs::{Behaviour, KnownProgram};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::job-in-longrun",
        level: Severity::Warning,
        confidence: Confidence::Likely,
        group: Group::Processes,
        fix: FixKind::Without("the type changes, and with it the files, keys and dependents"),
        page: include_str!("job_in_longrun.md"),
    },
    check: Check::Services(check),
};

/// Programs that change files or accounts and end.
pub(super) const JOBS: &[&str] = &[
    "addgroup", "adduser", "chgrp", "chmod", "chown", "cp", "groupadd", "groupmod", "install", "ln", "mkdir",
    "mkfifo", "mv", "rm", "rmdir", "sed", "touch", "useradd", "usermod",
];

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, program, calls) in subject.processes() {
        let Some(job) = process(calls).filter(|call| is_job(call)) else { continue };
        if job.program() == Some("sed") && reads_log(service) {
            continue;
        }
        // The lint `joined-lines` reports what this program swallows.
        let swallows =
            || program.language() == Language::Execline && swallowed(&program.words(), true).is_some();
        if stays(service, program, calls) || swallows() {
            continue;
        }
        let (Some(name), Some(origin)) = (job.program(), job.origin()) else { continue };
        found.push(
            found
                .report(format!("the process of `{}` only runs `{name}` and ends", service.name))
                .at(origin, "s6 starts it again, once a second, for ever")
                .help(format!("make `{}` a oneshot: its `up` runs once at boot", service.name)),
        );
    }
}

/// Further commands that end at once.
const SHORT: &[&str] = &[
    ":", "[", "[[", "cd", "echo", "export", "false", "printf", "set", "test", "true", "ulimit", "umask",
    "unset",
];

fn is_job(call: &Invocation) -> bool {
    let Some(path) = call.path() else { return false };
    let ends = |known: &KnownProgram| known.behaviour(&call.texts()) == Behaviour::Ends;
    // Elsewhere is a program of the image that may only have the name.
    let is_of_system = !path.contains('/')
        || ["/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/"].iter().any(|place| path.starts_with(place));
    is_of_system && call.program().is_some_and(|name| JOBS.contains(&name))
        || KnownProgram::find(path).is_some_and(ends)
}

/// Whether something else keeps the service alive, or it is not started again on purpose.
fn stays(service: &Service, program: &Program, calls: &[Invocation]) -> bool {
    // What is not known to be short may be the program that the service is for.
    let is_short = |name: &str| JOBS.contains(&name) || SHORT.contains(&name);
    let last = calls.iter().rposition(|call| call.role == CallRole::Process);
    let mut before =
        calls.iter().enumerate().filter(|(number, _)| Some(*number) != last).map(|(_, call)| call);
    let has_other = before.any(|call| !call.program().is_some_and(is_short));
    let is_not_restarted = service
        .program("finish")
        .is_some_and(|finish| finish.text().contains("125") || finish.text().contains("s6-svc"));
    has_other || is_not_restarted || program.has_word("while") || program.has_word("until")
}
