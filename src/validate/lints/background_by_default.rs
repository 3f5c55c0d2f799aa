//! Finds longruns whose process goes into the background because nothing keeps it in the foreground.

use super::background::{add_advice, into_the_background, process};
use crate::diagnostic::{Confidence, Edit, Fix, FixKind, Group, Lint, Origin, Severity, is_plain_word};
use crate::model::ProgramForm;
use crate::programs::{Behaviour, KnownProgram};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::background-by-default",
        level: Severity::Warning,
        confidence: Confidence::Likely,
        group: Group::Processes,
        fix: FixKind::Unsafe,
        page: include_str!("background_by_default.md"),
    },
    check: Check::Services(check),
};

/// Options that put many programs into the background.
const OPTIONS: &[&str] = &["--daemonize"];
/// Values of such an option that take it back.
const OFF: &[&str] = &["no", "off", "false", "0"];

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, program, calls) in subject.processes() {
        let Some(call) = process(calls) else { continue };
        let (Some(path), Some(name), Some(origin)) = (call.path(), call.program(), call.origin()) else {
            continue;
        };
        let arguments = call.texts();
        let (origin, help, fix) = match KnownProgram::find(path) {
            Some(known) if known.behaviour(&arguments) == Behaviour::Leaves => {
                let mut help = match known.stays_with() {
                    Some(option) => format!("write `{name} {option}` to keep it in the foreground"),
                    None => format!("`{name}` has no option for the foreground"),
                };
                add_advice(&mut help, known);
                let is_array = matches!(program.form, ProgramForm::Arguments(..));
                (origin, help, staying(known, &arguments, origin, is_array))
            }
            Some(_) => continue,
            None => {
                let is_off = |at: usize| {
                    arguments.get(at + 1).is_some_and(|next| next.is_none_or(|next| OFF.contains(&next)))
                };
                let option = arguments
                    .iter()
                    .take_while(|word| **word != Some("--"))
                    .position(|word| word.is_some_and(|word| OPTIONS.contains(&word)));
                let Some(at) = option.filter(|at| !is_off(*at)) else { continue };
                let help = "remove this option: a supervised program must stay in the foreground";
                (call.arguments()[at].origin, help.to_owned(), None)
            }
        };
        found.push(
            into_the_background(found, service)
                .at(origin, "s6 takes the service for dead, and starts it again and again")
                .help(help)
                .fix(fix),
        );
    }
}

/// The change that adds the option or subcommand with which a program stays.
fn staying(known: &KnownProgram, arguments: &[Option<&str>], place: Origin, is_array: bool) -> Option<Fix> {
    let words = known.foreground_command().split_off(1);
    // A subcommand takes the place of another one.
    let fits = !known.foreground.is_empty() || arguments.is_empty();
    let is_plain = !words.is_empty() && words.iter().all(|word| is_plain_word(word));
    (fits && is_plain).then(|| Fix::from(Edit::Append { place, words, is_array }).likely())
}
