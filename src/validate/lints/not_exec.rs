//! Finds a `run` whose shell stays between s6 and the program.

use super::background::keeps_alive;
use super::daemon_in_oneshot::never_ends;
use super::job_in_longrun::JOBS;
use crate::diagnostic::{Confidence, Diagnostic, Fix, FixKind, Group, Lint, Severity};
use crate::execline::base_name;
use crate::model::{
    CallRole, Invocation, Language, Program, ProgramChange, ProgramReading, Script, ScriptEnding, Service,
};
use crate::programs::{Behaviour, KnownProgram};
use crate::shell::EndingKind;
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::not-exec",
        level: Severity::Warning,
        confidence: Confidence::Likely,
        group: Group::Processes,
        fix: FixKind::Safe,
        page: include_str!("not_exec.md"),
    },
    check: Check::Services(check),
};

/// Programs that end by themselves, or that only wait. A script whose last line starts one of them does not run a daemon.
const ENDS: &[&str] = &["halt", "killall", "rm", "s6-pause", "s6-rc", "s6-svc", "sleep", "tail"];

/// Words of a shell script that ends its programs itself, or that continues in another file.
const UNKNOWN: &[&str] = &[".", "alias", "coproc", "eval", "kill", "killall", "pkill", "source", "trap"];

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, program, reading) in subject.readings() {
        let is_run = reading.is_process && program.language() == Language::Shell;
        let has_exec = program.change == Some(ProgramChange::WithExec);
        if !is_run || has_exec || ends_the_rest(service) {
            continue;
        }
        let problem = match early(reading) {
            Some(call) => before_the_rest(found, service, program, call),
            None => reading
                .endings
                .iter()
                .find(|ending| is_daemon(ending))
                .map(|ending| at_the_end(found, service, program, ending)),
        };
        // Most scripts have no problem. They need no search for words.
        let is_unknown = || program.lines().any(|line| line.words().any(|word| UNKNOWN.contains(&word)));
        found.extend(problem.filter(|_| !is_unknown()));
    }
}

/// Whether something ends the programs that are left after a stop.
fn ends_the_rest(service: &Service) -> bool {
    let has_group = service.longrun().is_some_and(
        |longrun| matches!(&longrun.finish, Some(Script::Finish(finish)) if finish.stop_group.is_some()),
    );
    has_group || service.program("finish").is_some_and(|finish| finish.text().contains("kill"))
}

/// Whether the program at the end of a script probably stays. The lint `job-in-longrun` reports the others.
fn is_daemon(ending: &ScriptEnding) -> bool {
    let ends = |name: &str| ENDS.contains(&name) || JOBS.contains(&name);
    let known_to_end = |known: &KnownProgram| known.behaviour(&ending.call.texts()) == Behaviour::Ends;
    !ends(base_name(&ending.word))
        && !ending.call.program().is_some_and(ends)
        && !ending.call.path().and_then(KnownProgram::find).is_some_and(known_to_end)
}

/// A daemon after which the script goes on. A program that only waits may be there for a service that is switched off.
fn early(reading: &ProgramReading) -> Option<&Invocation> {
    let (last, before) = reading.calls.split_last()?;
    let stays = |call: &&Invocation| call.role == CallRole::Waits && never_ends(call) && !keeps_alive(call);
    before.iter().find(stays).filter(|_| last.role != CallRole::Background)
}

fn before_the_rest(
    found: &Findings<'_>,
    service: &Service,
    program: &Program,
    call: &Invocation,
) -> Option<Diagnostic> {
    let name = call.program()?;
    Some(
        found
            .report(stays_between(service, program, name))
            .at(
                call.origin()?,
                "signals go to the shell, and what follows runs only after the end of this program",
            )
            .help(format!("write `exec {name} …`, and what must run after its end into `finish`")),
    )
}

fn stays_between(service: &Service, program: &Program, name: &str) -> String {
    format!("the shell of `{}` of `{}` stays between s6 and `{name}`", program.file, service.name)
}

fn at_the_end(
    found: &Findings<'_>,
    service: &Service,
    program: &Program,
    ending: &ScriptEnding,
) -> Diagnostic {
    let word = &ending.word;
    let (label, help) = match ending.kind {
        EndingKind::Foreground => {
            ("signals go to the shell, not to this program", format!("write `exec {word} …`"))
        }
        EndingKind::Pipeline => (
            "signals go to the shell, not to the programs of this pipeline",
            format!(
                "in bash write `exec {word} … > >(FILTER)`, or make the other program the consumer of this service"
            ),
        ),
        EndingKind::Background => (
            "a stop ends the shell, which waits for this program, and not the program",
            "make each program a service; or end them with the shell: `a & a=$!`, `b & b=$!`, `trap 'kill $a $b' TERM`, `wait`"
                .to_owned(),
        ),
    };
    let start = ending.span.start;
    let is_fixable = ending.is_last && matches!(ending.kind, EndingKind::Foreground);
    let place = program.at_exactly(start..start).filter(|_| is_fixable);
    found
        .report(stays_between(service, program, word))
        .at(program.at(ending.span.clone()), label)
        .help(help)
        .fix(place.map(|place| Fix::replace(place, "exec ")))
}
