//! Finds commands that begin with `with-contenv`, which clears the environment that the manifest sets.

use std::ops::Range;

use crate::diagnostic::{Confidence, Fix, FixKind, Group, Lint, Origin, Severity};
use crate::execline::base_name;
use crate::model::{
    CallRole, Kind, Language, Program, ProgramChange, ProgramForm, Script, Service, Surroundings,
};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::with-contenv-twice",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Scripts,
        fix: FixKind::Safe,
        page: include_str!("with_contenv_twice.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    in_trees(subject, found);
    for (service, program) in subject.programs() {
        let Some(lost) = surroundings(service).and_then(Surroundings::lost_to_contenv) else { continue };
        if program.change != Some(ProgramChange::WithoutContenv) {
            if let Some(word) = started_by_a_shell(program) {
                found.push(
                    found
                        .report(format!("`with-contenv` in `{}` clears what the manifest sets", program.file))
                        .at(program.at(word.clone()), format!("this clears {lost}"))
                        .note("the service already has the environment of the container")
                        .help("remove the word")
                        .fix(
                            program
                                .at_exactly(removable(program.text(), &word))
                                .map(|place| Fix::replace(place, "")),
                        ),
                );
            }
            continue;
        }
        found.push(
            found
                .report(format!("s6gen leaves `with-contenv` out of `{}`", program.file))
                .at(program.origin(), format!("it would clear {lost}"))
                .note("the service already has the environment of the container")
                .help(
                    "remove the word; `with-contenv = false` keeps it, and then the script itself loads the environment",
                )
                .fix(first_argument(program).map(|place| Fix::replace(place, ""))),
        );
    }
}

/// Finds a script of a tree that exports variables directly before `with-contenv`, which clears them.
fn in_trees(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, program, calls) in subject.calls().filter(|(service, ..)| service.definition().is_some()) {
        if program.language() != Language::Shell || program.text().contains("S6_KEEP_ENV") {
            continue;
        }
        let Some((call, earlier)) = calls.split_last().filter(|(call, _)| call.role == CallRole::Process)
        else {
            continue;
        };
        let words = call.words.iter().take(call.words.len() - call.arguments().len());
        let mut words = words.skip(1);
        let Some(clearing) =
            words.find(|word| word.text.as_deref().is_some_and(|text| base_name(text) == "with-contenv"))
        else {
            continue;
        };
        // What other programs get is not lost.
        let Some(name) = exported(program).filter(|_| earlier.is_empty()) else { continue };
        found.push(
            found
                .report(format!(
                    "`with-contenv` in `{}` of `{}` clears what the script exports",
                    program.file, service.name
                ))
                .at(
                    clearing.origin,
                    format!("this clears `{name}`, and loads the environment of the container"),
                )
                .help("write `#!/command/with-contenv sh` as the first line, and leave the word out here"),
        );
    }
}

/// The first variable that a shell script exports with a value. `with-contenv` keeps only `PATH`.
fn exported(program: &Program) -> Option<&str> {
    program.lines().find_map(|line| {
        let (name, _) = line.text.strip_prefix("export ")?.trim_start().split_once('=')?;
        let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        (is_name && name != "PATH").then_some(name)
    })
}

/// The place of the first argument of a command that is an array, up to the second one.
fn first_argument(program: &Program) -> Option<Origin> {
    let ProgramForm::Arguments(words, _) = &program.form else { return None };
    let [(_, first), (_, second), ..] = &words[..] else { return None };
    let (first, second) = (first.whole(), second.whole());
    let is_before = first.file == second.file && first.span().end <= second.span().start;
    is_before.then(|| Origin::new(first.file, first.span().start..second.span().start))
}

/// The bytes of a word with the path in front of it and the blanks after it.
fn removable(text: &str, word: &Range<usize>) -> Range<usize> {
    let start = text[..word.start].rfind(char::is_whitespace).map_or(0, |blank| blank + 1);
    let rest = &text[word.end..];
    start..word.end + rest.len() - rest.trim_start_matches([' ', '\t']).len()
}

/// The `with-contenv` that a shell script runs.
fn started_by_a_shell(program: &Program) -> Option<Range<usize>> {
    if program.language() != Language::Shell {
        return None;
    }
    let line = program.lines().find(|line| {
        let mut words = line.words().skip_while(|word| *word == "exec");
        words.next().is_some_and(|word| base_name(word) == "with-contenv")
    })?;
    Some(line.span_of("with-contenv"))
}

/// The environment of the programs of a service.
pub(super) fn surroundings(service: &Service) -> Option<&Surroundings> {
    match &service.kind {
        Kind::Longrun(longrun) => match &longrun.run {
            Script::Run(run) => Some(&run.surroundings),
            _ => None,
        },
        Kind::Oneshot(oneshot) => match &oneshot.up {
            Script::Step(step) => Some(&step.surroundings),
            _ => None,
        },
        _ => None,
    }
}
