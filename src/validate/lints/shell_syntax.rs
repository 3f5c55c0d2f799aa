//! Finds shell syntax in commands that no shell reads.

use crate::diagnostic::{Confidence, Diagnostic, Group, Lint, Origin, Severity};
use crate::execline::{ExeclineWord, SHELLS, SUBSTITUTES, base_name, script_words};
use crate::model::{Language, Program, ProgramForm, Service};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::shell-syntax",
        level: Severity::Warning,
        confidence: Confidence::Likely,
        group: Group::Scripts,
        has_fix: false,
        page: include_str!("shell_syntax.md"),
    },
    check: Check::Services(check),
};

const NOT_EXPANDED: &str = "no variable is expanded here";
/// How many places one report shows.
const SHOWN: usize = 4;

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, program) in subject.programs() {
        let problem = match &program.form {
            ProgramForm::CommandLine(_) | ProgramForm::Script(_, Language::Execline) => {
                of_execline(found, service, program)
            }
            ProgramForm::Arguments(..) => of_arguments(found, service, program),
            ProgramForm::Script(..) => None,
        };
        if let Some(problem) = problem {
            found.push(problem);
        }
    }
}

fn of_execline(found: &Findings<'_>, service: &Service, program: &Program) -> Option<Diagnostic> {
    // Most command lines are only a path, which needs no look.
    if !program.text().contains(['&', '|', ';', '$', '\'', '`', '~', '*', '<', '>', '[', '=']) {
        return None;
    }
    let words = program.words();
    let mut places = shell_words(&words);
    if let ProgramForm::Script(..) = program.form {
        // `execlineb -S1` replaces variables in a script.
        places.retain(|(_, why)| *why != NOT_EXPANDED);
    }
    if places.is_empty() {
        return None;
    }
    let mut problem = written_for_a_shell(found, service, program);
    for (word, why) in places.iter().take(SHOWN) {
        problem = problem.at(program.at(word.span()), *why);
    }
    if places.len() > SHOWN {
        problem = problem.note(format!("{} more places like these", places.len() - SHOWN));
    }
    Some(problem.help(match &program.form {
        ProgramForm::CommandLine(_) => own_script(service, &program.file),
        _ => "write it for execline, or put `#!/bin/sh -e` in place of its first line".to_owned(),
    }))
}

fn of_arguments(found: &Findings<'_>, service: &Service, program: &Program) -> Option<Diagnostic> {
    let ProgramForm::Arguments(words, _) = &program.form else { return None };
    let (first, place) = words.first()?;
    if let Some(problem) = of_the_program(found, service, program, first, place.whole()) {
        return Some(problem);
    }
    // Saves time: most commands contain none of these characters.
    if words.iter().all(|(word, _)| operator(word).is_none()) {
        return None;
    }
    let texts: Vec<String> = words.iter().map(|(word, _)| word.clone()).collect();
    let scripts = script_words(&texts);
    let has_own_patterns = texts.iter().any(|word| matches!(base_name(word), "find" | "expr" | "test" | "["));
    let places: Vec<_> = words
        .iter()
        .enumerate()
        .skip(1)
        .filter(|(number, _)| scripts.iter().all(|script| number < script))
        .filter_map(|(_, (word, place))| Some((operator(word).filter(|_| !has_own_patterns)?, place.whole())))
        .collect();
    if places.is_empty() {
        return None;
    }
    let mut problem = written_for_a_shell(found, service, program);
    for (why, place) in places.iter().take(SHOWN) {
        problem = problem.at(*place, *why);
    }
    let key = &program.file;
    Some(problem.help(format!("to let a shell read it, write a string: `{key} = '{} …'`", texts[0])))
}

/// The report on a first word that cannot be the name of a program.
fn of_the_program(
    found: &Findings<'_>,
    service: &Service,
    program: &Program,
    word: &str,
    place: Origin,
) -> Option<Diagnostic> {
    let key = &program.file;
    let (label, help) = if matches!(word, "CMD" | "CMD-SHELL") {
        (
            "taken for the name of a program",
            "leave this word out: it belongs to Docker's `HEALTHCHECK`".to_owned(),
        )
    } else if word.contains([' ', '\t']) && !word.contains('/') || word.contains(" -") {
        let help =
            format!("write each word by itself, or leave the brackets out for a shell: `{key} = '{word}'`");
        ("taken for the name of one program, blanks included", help)
    } else {
        return None;
    };
    Some(written_for_a_shell(found, service, program).at(place, label).help(help))
}

/// What execline does with a word that only a shell takes for an operator.
fn operator(word: &str) -> Option<&'static str> {
    match word {
        "&&" | "||" => Some("only an argument: there is no such operator here"),
        "|" | "|&" => Some("only an argument: there are no pipes here"),
        ";" => Some("only an argument: it separates nothing"),
        "&" => Some("only an argument: nothing goes into the background"),
        "2>&1" | ">&2" | "&>" | ">" | ">>" | "2>" | "<" => Some("only an argument: nothing is redirected"),
        _ if is_redirection(word) && word.len() > 2 => Some("only an argument: nothing is redirected"),
        _ => None,
    }
}

fn written_for_a_shell(found: &Findings<'_>, service: &Service, program: &Program) -> Diagnostic {
    found.report(format!(
        "`{}` of `{}` is written for a shell, but no shell reads it",
        program.file, service.name
    ))
}

/// Whether the first line of a command line names a shell.
pub(super) fn for_a_shell(content: &str) -> bool {
    let is_shell = |word: &str| SHELLS.contains(&word.trim_end()) || word.trim_end() == "bashio";
    content.starts_with("#!")
        && content.lines().next().is_some_and(|line| line.split(['/', ' ', '\t']).any(is_shell))
}

/// The help for a command line that is a shell script.
pub(super) fn own_script(service: &Service, file: &str) -> String {
    let script = match file {
        "up" => "run",
        "down" => "stop",
        _ => "again",
    };
    format!(
        "put it into a script `{script}` beside `{file}` (first line `#!/bin/sh -e`, mode 0755), and write into `{file}` \
         one line: `/etc/s6-overlay/s6-rc.d/{}/{script}`",
        service.name
    )
}

/// The words that only a shell understands, and what execline does with them.
pub(super) fn shell_words<'a>(words: &[ExeclineWord<'a>]) -> Vec<(ExeclineWord<'a>, &'static str)> {
    let substitutes = words.iter().any(|word| SUBSTITUTES.contains(&word.program()));
    let globs = words.iter().any(|word| matches!(word.program(), "elglob" | "find" | "case" | "s6-log"));
    let mut found = Vec::new();
    let mut in_find = false;
    for (number, word) in words.iter().enumerate() {
        let text = word.text;
        let previous = number.checked_sub(1).map(|at| words[at]);
        // envsubst takes the variables to replace, as `$NAME`.
        let substitutes = substitutes || previous.is_some_and(|previous| previous.program() == "envsubst");
        let next = words.get(number + 1).map(|next| next.text);
        if previous.is_some_and(|previous| previous.text == "-c")
            && number >= 2
            && words[..number - 1].iter().rev().take(3).any(|before| SHELLS.contains(&before.program()))
        {
            if text.starts_with('\'') {
                found.push((*word, "`'` does not quote here, `\"` does"));
            }
            // A shell reads the rest.
            return found;
        }
        in_find |= matches!(text, "-exec" | "-execdir" | "-ok");
        let why = match text {
            "&&" | "||" => "only an argument: there is no such operator here",
            "|" | "|&" => "only an argument: there are no pipes here",
            ";" if !in_find => "only an argument: it separates nothing",
            "&" => "only an argument: nothing goes into the background",
            "if" | "while" if next.is_some_and(|next| matches!(next, "[" | "[[" | "test" | "!")) => {
                "this is execline's `if` or `while`, which needs a block in braces: `unterminated block`"
            }
            _ if word.is_quoted() => {
                let inner = text.trim_matches('"');
                match variable(inner) {
                    Some(length) if !substitutes && length == inner.len() => NOT_EXPANDED,
                    _ => continue,
                }
            }
            _ if is_redirection(text) => "only an argument: nothing is redirected",
            _ if !substitutes && text.match_indices('$').any(|(at, _)| variable(&text[at..]).is_some()) => {
                NOT_EXPANDED
            }
            _ if text.starts_with('\'') => "`'` does not quote here, `\"` does",
            _ if text.contains("$(") || text.starts_with('`') => "no command is run for its output here",
            "~" => "only an argument: this is not a home directory",
            _ if text.starts_with("~/") => "only an argument: this is not a home directory",
            _ if !globs && text.starts_with('/') && text.contains('*') => "no pattern is expanded here",
            _ if number == 0 && is_assignment(text) => "this is taken for the name of a program",
            _ if text.len() > 1 && text.ends_with(';') && !in_find => "the `;` is a part of this argument",
            _ => continue,
        };
        found.push((*word, why));
    }
    found
}

/// The length of the variable that the text begins with.
fn variable(text: &str) -> Option<usize> {
    let rest = text.strip_prefix('$')?;
    let (open, name) = match rest.strip_prefix('{') {
        Some(name) => (1, name),
        None => (0, rest),
    };
    let length = name.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts.then_some(1 + 2 * open + length)
}

fn is_redirection(text: &str) -> bool {
    let rest = text.strip_prefix(['1', '2', '&']).unwrap_or(text);
    match rest.strip_prefix('>') {
        Some(target) => {
            let target = target.trim_start_matches(['>', '&', '|']);
            target.is_empty() || target.starts_with(['/', '.', '1', '2', '$'])
        }
        None => matches!(text, "<" | "<<" | "<<<") || text.starts_with("</"),
    }
}

fn is_assignment(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !name.starts_with(|c: char| c.is_ascii_digit())
    })
}
