//! Finds a `run` whose shell stays between s6 and the program.

use super::job_in_longrun::JOBS;
use crate::diagnostic::{Confidence, Group, Lint, Severity};
use crate::execline::base_name;
use crate::model::{Language, ProgramChange};
use crate::shell::{self, ShellWord};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::not-exec",
        level: Severity::Warning,
        confidence: Confidence::Likely,
        group: Group::Processes,
        has_fix: true,
        page: include_str!("not_exec.md"),
    },
    check: Check::Services(check),
};

/// Programs that end by themselves. A script whose last line starts one of them does not run a daemon.
const ENDS: &[&str] = &["halt", "killall", "rm", "s6-svc"];

/// Words of a shell script that waits, loops, or continues in another file: its last line need not start the daemon.
const STAYS: &[&str] = &[
    "exec", "wait", "while", "until", "for", "trap", "sleep", "s6-pause", "tail", "source", ".", "read",
    "function", "coproc", "eval",
];

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, program) in subject.programs_in("run") {
        let has_exec = program.change == Some(ProgramChange::WithExec);
        if service.longrun().is_none() || program.language() != Language::Shell || has_exec {
            continue;
        }
        // Most scripts have an `exec`. They need no parsing, which takes time.
        if program.lines().any(|line| line.text.starts_with("exec "))
            || program.lines().any(|line| line.words().any(|word| STAYS.contains(&word)))
        {
            continue;
        }
        let Some(script) = shell::ShellScript::read(program.text()) else { continue };
        let Some(last) = script.last_command().filter(|last| !last.has_assignments()) else { continue };
        let Some(name) = last.name().filter(ShellWord::is_program) else { continue };
        let word = name.as_written();
        // The lint `job-in-longrun` reports the others that end. A function of the script is no program.
        if script.functions().contains(&word)
            || ENDS.contains(&base_name(word))
            || JOBS.contains(&base_name(word))
        {
            continue;
        }
        let start = name.span().start;
        found.push(
            found
                .report(format!("the shell of `run` of `{}` stays between s6 and `{word}`", service.name))
                .at(program.at(last.span()), "signals go to the shell, not to this program")
                .help(format!("write `exec {word} …`"))
                .fix(program.at_exactly(start..start), "exec "),
        );
    }
}
