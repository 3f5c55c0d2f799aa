//! Finds longruns whose process certainly goes into the background: by an option, by a program that starts services, or by `&`.

use crate::diagnostic::{Confidence, Diagnostic, Fix, FixKind, Group, Lint, Origin, Severity};
use crate::model::{CallRole, CallWord, Invocation, Language, Program, Script, Service};
use crate::programs::{Alone, Behaviour, KnownProgram};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::background",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Processes,
        fix: FixKind::Safe,
        page: include_str!("background.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, program, calls) in subject.processes() {
        let Some(process) = process(calls) else {
            found.extend(ends_at_once(found, service, program));
            continue;
        };
        let problem = if keeps_alive(process) {
            calls
                .iter()
                .filter(|call| call.role == CallRole::Waits)
                .find_map(|call| beside(found, service, calls, process, call))
        } else {
            leaving(process).map(|leaving| {
                into_the_background(found, service)
                    .at(leaving.origin, "s6 takes the service for dead, and starts it again and again")
                    .help(leaving.help)
                    .fix(leaving.fix)
            })
        };
        found.extend(problem);
    }
}

/// The call that the process of a longrun becomes.
pub(super) fn process(calls: &[Invocation]) -> Option<&Invocation> {
    calls.iter().rev().find(|call| call.role == CallRole::Process)
}

/// Whether a service reads the output of others, which ends only with the container.
pub(super) fn reads_log(service: &Service) -> bool {
    service
        .longrun()
        .is_some_and(|longrun| !longrun.consumer_for.is_empty() || matches!(longrun.run, Script::Logger(_)))
}

/// The beginning of the report that a process goes into the background.
pub(super) fn into_the_background(found: &Findings<'_>, service: &Service) -> Diagnostic {
    found.report(format!("the process of `{}` goes into the background", service.name))
}

/// Programs that start the service of a name.
const SERVICE_STARTERS: &[&str] = &["rc-service", "service", "systemctl"];

/// A call that goes into the background.
struct Leaving {
    /// The argument because of which it does.
    origin: Origin,
    help: String,
    fix: Option<Fix>,
}

/// Whether a call certainly goes into the background.
fn leaving(call: &Invocation) -> Option<Leaving> {
    let path = call.path()?;
    let name = call.program()?;
    let arguments = call.texts();
    if path.starts_with("/etc/init.d/") && matches!(arguments.first(), Some(Some("start" | "restart"))) {
        let help = format!("start the program of `{name}` itself, in the foreground");
        return Some(Leaving { origin: call.origin()?, help, fix: None });
    }
    let known = KnownProgram::find(path)?;
    let Behaviour::LeavesBecauseOf(number) = known.behaviour(&arguments) else { return None };
    let word = call.arguments().get(number)?;
    let text = word.text.as_deref().unwrap_or_default();
    if SERVICE_STARTERS.contains(&known.names[0]) {
        let help = "start the program of that service itself, in the foreground".to_owned();
        return Some(Leaving { origin: word.origin, help, fix: None });
    }
    let is_command = known.background_commands.contains(&text);
    let mut help = match known.stays_with() {
        Some(option) if is_command => format!("add `{option}` to keep it in the foreground"),
        None if is_command => "start the program itself, in the foreground".to_owned(),
        Some(option) if option.split(' ').next() == Some(text) => {
            format!("write `{name} {option}` to keep it in the foreground")
        }
        Some(option) => format!("write `{name} {option}` to keep it in the foreground, without `{text}`"),
        None => format!("remove `{text}`: a supervised program must stay in the foreground"),
    };
    add_advice(&mut help, known);
    let fix =
        known.stays_with().filter(|_| !is_command).and_then(|option| stay(call.arguments(), number, option));
    Some(Leaving { origin: word.origin, help, fix })
}

/// The change that writes the option with which a program stays in place of the one with which it does not.
fn stay(arguments: &[CallWord], number: usize, option: &str) -> Option<Fix> {
    let word = arguments.get(number)?;
    match option.split_once(' ') {
        None => Fix::word(word.origin, word.text.as_deref()?, option),
        Some((name, value)) if word.text.as_deref() == Some(name) => {
            let old = arguments.get(number + 1)?;
            Fix::word(old.origin, old.text.as_deref()?, value)
        }
        Some(_) => None,
    }
}

/// Adds what else is known of a program to the help of a report on it.
pub(super) fn add_advice(help: &mut String, known: &KnownProgram) {
    if !known.advice.is_empty() {
        *help += ". ";
        *help += known.advice;
    }
}

/// Whether a process only keeps a container alive.
pub(super) fn keeps_alive(call: &Invocation) -> bool {
    let follows = |word: &Option<&str>| {
        word.is_some_and(|word| matches!(word, "-f" | "-F") || word.starts_with("--follow"))
    };
    // With this option it ends when the process that it watches does.
    if call.texts().iter().any(|word| word.is_none_or(|word| word.starts_with("--pid"))) {
        return false;
    }
    match call.program() {
        Some("tail") => call.texts().iter().any(follows),
        Some("sleep") => call.texts() == [Some("infinity")],
        Some("s6-pause") => true,
        _ => false,
    }
}

/// The report on a program that was started in front of a process that only keeps the service alive.
fn beside(
    found: &Findings<'_>,
    service: &Service,
    calls: &[Invocation],
    process: &Invocation,
    call: &Invocation,
) -> Option<Diagnostic> {
    let by_option = leaving(call);
    let known = KnownProgram::find(call.path()?);
    // If it stayed, the script would never reach the process that keeps the service alive.
    let leaves = |known: &KnownProgram| match known.behaviour(&call.texts()) {
        Behaviour::Leaves => true,
        Behaviour::Unknown => {
            known.alone == Alone::Configured { stays: false } && call.texts().iter().all(Option::is_some)
        }
        _ => false,
    };
    let by_itself = known.filter(|known| leaves(known));
    let name = call.program()?;
    if is_stopped(calls) {
        return None;
    }
    let help = match (&by_option, by_itself.and_then(KnownProgram::stays_with)) {
        (Some(leaving), _) => leaving.help.clone(),
        (None, Some(option)) => format!("write `exec {name} {option}` in place of both"),
        (None, None) => by_itself.map(|_| format!("start `{name}` itself, in the foreground"))?,
    };
    Some(
        found
            .report(format!("s6 watches `{}` and not the program of `{}`", process.program()?, service.name))
            .at(call.origin()?, "this goes into the background: if it dies, s6 does not start it again")
            .at(process.origin()?, "this is the process of the service")
            .help(help),
    )
}

/// Whether a script stops something: it may have started it only for a while.
fn is_stopped(calls: &[Invocation]) -> bool {
    calls.iter().any(|call| {
        matches!(call.program(), Some("kill" | "killall" | "pkill"))
            || call.texts().iter().flatten().any(|word| matches!(*word, "shutdown" | "stop"))
    })
}

/// The report on a script that ends with a `&`.
fn ends_at_once(found: &Findings<'_>, service: &Service, script: &Program) -> Option<Diagnostic> {
    if script.language() != Language::Shell {
        return None;
    }
    let last = script.lines().last().filter(|last| last.text.ends_with('&') && !last.text.ends_with("&&"))?;
    let goes_on = script
        .lines()
        .any(|line| line.words().any(|word| matches!(word, "wait" | "while" | "until" | "for" | "trap")));
    if goes_on || script.text().contains("<<") {
        return None;
    }
    Some(
        found
            .report(format!("`{}` of `{}` ends at once", script.file, service.name))
            .at(script.at(last.span()), "the `&` sends this into the background, and then the script ends")
            .help(match last.words().next() {
                Some("exec" | "}" | ")" | "done" | "fi" | "esac" | "{" | "(") => "remove the `&`",
                _ => "remove the `&`, and write `exec` in front",
            }),
    )
}
