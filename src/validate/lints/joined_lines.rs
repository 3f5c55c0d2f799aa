//! Finds commands that are the arguments of the command before them, because execline treats a line end as a blank.

use super::shell_syntax::{for_a_shell, own_script, shell_words};
use crate::diagnostic::{Confidence, Diagnostic, FixKind, Group, Lint, Severity};
use crate::execline::{ExeclineWord, Swallowed, runs_its_arguments, swallowed};
use crate::model::{Language, Program, ProgramForm, Service};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::joined-lines",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Scripts,
        fix: FixKind::Without("whether a failure of the first command stops the others is a choice"),
        page: include_str!("joined_lines.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, program, reading) in subject.readings() {
        let problem = match &program.form {
            ProgramForm::CommandLine(_) => of_a_command_line(found, service, program),
            ProgramForm::Script(_, Language::Execline) => {
                of_a_script(found, service, program, reading.is_process)
            }
            _ => None,
        };
        if let Some(problem) = problem {
            found.push(problem);
        }
    }
}

fn of_a_command_line(found: &Findings<'_>, service: &Service, program: &Program) -> Option<Diagnostic> {
    let content = program.text();
    if content.trim_end().lines().count() < 2 {
        return None;
    }
    let words = program.words();
    // If it contains shell syntax, the lint `shell-syntax` reports it.
    let first = words.first().filter(|_| shell_words(&words).is_empty())?;
    let is_for_shell = for_a_shell(content);
    let (before, word) = match is_for_shell {
        true => second_command(&words, *first)?,
        false => swallowed(&words, false).map(|Swallowed { by, word }| (by, word))?,
    };
    let problem = found
        .report(format!("the lines of `{}` of `{}` are one command", program.file, service.name))
        .at(program.at(word.span()), format!("`{}` gets this as an argument", before.program()))
        .note("s6-rc reads a line end as a blank, and a line `#!…` as a comment");
    Some(problem.help(match is_for_shell {
        true => own_script(service, &program.file),
        false => in_a_block(before.program()),
    }))
}

fn of_a_script(
    found: &Findings<'_>,
    service: &Service,
    script: &Program,
    is_process: bool,
) -> Option<Diagnostic> {
    // These words are the whole command line: `execlineb` puts nothing before the text of a script.
    let words = script.words();
    let Swallowed { by, word } = swallowed(&words, is_process)?;
    let (file, name, ended) = (&script.file, &service.name, by.program());
    let mut behind = words.iter().skip_while(|other| other.start <= word.start).map(ExeclineWord::program);
    let started = match word.program() {
        "exec" => behind.find(|word| !word.starts_with('-')).unwrap_or("exec"),
        program => program,
    };
    let problem = found
        .report(format!("`{file}` of `{name}` never starts `{started}`: it is an argument of `{ended}`"))
        .at(script.at(word.span()), format!("`{ended}` gets this as an argument"))
        .at(script.at(by.span()), "this program ends and runs nothing after it")
        .note("execline reads a line end as a blank: the whole file is one command line");
    Some(problem.help(in_a_block(ended)))
}

/// In a shell script: the first word of a line that is a separate command, after the first word of the line before it.
fn second_command<'a>(
    words: &[ExeclineWord<'a>],
    first: ExeclineWord<'a>,
) -> Option<(ExeclineWord<'a>, ExeclineWord<'a>)> {
    let mut line = first;
    for word in words.iter().skip(1) {
        if !word.first_of_line || word.depth > 0 || matches!(word.text, "{" | "}") {
            continue;
        }
        if !word.continues && !word.text.starts_with('-') && !runs_its_arguments(line.program()) {
            return Some((line, *word));
        }
        line = *word;
    }
    None
}

/// The help: how to run the next line after a program that ends.
fn in_a_block(program: &str) -> String {
    format!(
        "put it into a block, so that the next line runs after it: `foreground {{ {program} … }}`, or `if {{ {program} … }}` \
         to stop if it fails"
    )
}
