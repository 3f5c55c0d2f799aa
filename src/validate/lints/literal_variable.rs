//! Finds texts that look as if something expands them, but are used as written.

use std::collections::BTreeSet;

use super::shell_syntax::READERS;
use crate::diagnostic::{Confidence, Diagnostic, FixKind, Group, Lint, Severity};
use crate::execline::{SUBSTITUTES, base_name, script_words};
use crate::model::{Literal, LiteralForm, ProgramForm, Service, variable};
use crate::templates::with_stand_in;
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::literal-variable",
        level: Severity::Warning,
        confidence: Confidence::Likely,
        group: Group::Scripts,
        fix: FixKind::Without("a shell, an expression or the text itself may be meant"),
        page: include_str!("literal_variable.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, program) in subject.programs() {
        let ProgramForm::Arguments(words, _) = &program.form else { continue };
        if words.iter().all(|(word, _)| unexpanded(word, service).is_none()) {
            continue;
        }
        let texts: Vec<String> = words.iter().map(|(word, _)| word.clone()).collect();
        let read = read_words(&texts);
        for (number, (word, place)) in words.iter().enumerate() {
            let Some(name) = unexpanded(word, service).filter(|_| !read.contains(&number)) else { continue };
            found.push(
                found
                    .report(format!("`${name}` is not expanded here"))
                    .at(place.whole(), "the program gets exactly these characters")
                    .note("a command in array form is run exactly as written")
                    .help(match is_declared(&name, service) {
                        true => format!("write `${{{name}}}` for the value of the variable"),
                        false => format!(
                            "declare that it comes from the container, `variables.{name} = {{}}`, and write `${{{name}}}`; or write a \
                             string, which a shell reads: `{} = 'exec … \"${name}\"'`",
                            program.file
                        ),
                    }),
            );
        }
    }
    for (service, literal) in
        subject.services().flat_map(|service| service.literals.iter().map(move |one| (service, one)))
    {
        let problem = match literal.form {
            LiteralForm::Value => of_a_value(found, literal, service),
            LiteralForm::Environment => of_the_environment(found, literal, service),
            LiteralForm::Expression => Some(of_an_expression(found, literal)),
            LiteralForm::ExpressionInFile => Some(of_a_file(found, literal)),
        };
        if let Some(problem) = problem {
            found.push(problem);
        }
    }
}

/// The name of the first variable in a text that nothing expands.
fn unexpanded(text: &str, service: &Service) -> Option<String> {
    let text = with_stand_in(text, service.variables.iter().map(|variable| &*variable.name), "");
    variable(&text).map(|(_, name)| name)
}

fn is_declared(name: &str, service: &Service) -> bool {
    service.variables.iter().any(|variable| variable.name == name)
}

/// What to write for a variable in a text that is no command.
fn help_for(name: &str, service: &Service) -> String {
    match is_declared(name, service) {
        true => format!("write `${{{name}}}` for the value of the variable"),
        false => format!(
            "write the value itself; or, if the container sets it, declare that, `variables.{name} = {{}}`, and write `${{{name}}}`"
        ),
    }
}

/// The words of a command that such a program reads.
fn read_words(words: &[String]) -> BTreeSet<usize> {
    let mut found = script_words(words);
    let is_reader = |word: &String| {
        let name = base_name(word);
        READERS.contains(&name) || SUBSTITUTES.contains(&name) && name != "execlineb"
    };
    if let Some(reader) = words.iter().position(is_reader) {
        found.extend(reader + 1..words.len());
    }
    found
}

fn of_a_value(found: &Findings<'_>, literal: &Literal, service: &Service) -> Option<Diagnostic> {
    let name = unexpanded(&literal.text, service)?;
    let problem = found
        .report(format!("`${name}` is not expanded here"))
        .at(literal.origin, format!("`{}` is used exactly as written", literal.key));
    Some(problem.help(help_for(&name, service)))
}

/// The report on a value of `environment`. Passwords and formats may contain a `$` too, so only a name that looks like an
/// environment variable counts.
fn of_the_environment(found: &Findings<'_>, literal: &Literal, service: &Service) -> Option<Diagnostic> {
    let variable_name = &literal.key;
    let value = with_stand_in(&literal.text, service.variables.iter().map(|variable| &*variable.name), "x");
    let (before, name) = variable(&value)?;
    let is_prompt = matches!(variable_name.as_str(), "PS1" | "PS2" | "PS4" | "PROMPT_COMMAND");
    let is_upper =
        name.len() > 1 && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let is_in_braces = value[before.len()..].starts_with("${");
    if is_prompt || !is_upper || !is_in_braces && before.ends_with(|c: char| c.is_alphanumeric()) {
        return None;
    }
    let problem = found
        .report(format!("`${name}` is not expanded here"))
        .at(literal.origin, format!("`{variable_name}` gets exactly these characters"))
        .note("values of `environment` are used exactly as written");
    Some(problem.help(help_for(&name, service)))
}

/// The report on an expression of the service in a script that it takes from a file.
fn of_a_file(found: &Findings<'_>, literal: &Literal) -> Diagnostic {
    let name = &literal.text;
    let help = match name.as_str() {
        "name" => "a script gets the name of its service as `$1`, and `finish` as `$3`".to_owned(),
        _ => format!(
            "pass it in a variable, `environment.VALUE = \"{{{{ {name} }}}}\"`, and write `\"$VALUE\"` in the script"
        ),
    };
    found
        .report(format!("`{{{{ {name} }}}}` is not expanded here"))
        .at(literal.origin, "a script from a file has no expressions")
        .help(help)
}

fn of_an_expression(found: &Findings<'_>, literal: &Literal) -> Diagnostic {
    let name = &literal.text;
    let help = match name.as_str() {
        "name" => "write the name itself: only `[defaults]` and services with `instances` have expressions",
        _ => "make the service a template: `instances = …`",
    };
    found
        .report(format!("`{{{{ {name} }}}}` is not expanded here"))
        .at(literal.origin, "this text is used as written")
        .help(help)
}
