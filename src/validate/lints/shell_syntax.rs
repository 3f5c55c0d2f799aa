//! Finds shell syntax in commands that no shell reads.

use std::iter;

use super::array_syntax::{QUOTES, begins_with_builtin, is_whole_command, shell_syntax};
use crate::diagnostic::{Confidence, Diagnostic, Edit, Fix, FixKind, Group, Lint, Positions, Severity};
use crate::execline::{self, ExeclineCall, ExeclineWord, SHELLS, SUBSTITUTES, is_assignment, is_redirection};
use crate::model::{Invocation, Language, Program, ProgramForm, Service};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::shell-syntax",
        level: Severity::Warning,
        confidence: Confidence::Likely,
        group: Group::Scripts,
        fix: FixKind::Unsafe,
        page: include_str!("shell_syntax.md"),
    },
    check: Check::Services(check),
};

/// Programs that give `$` in their arguments a meaning.
pub(super) const READERS: &[&str] = &[
    "awk", "gawk", "mawk", "nawk", "sed", "jq", "perl", "ruby", "php", "node", "envsubst", "ssh", "eval",
    "tmux", "screen", "watch",
];
const NOT_EXPANDED: &str = "no variable is expanded here";
/// How many places one report shows.
const SHOWN: usize = 4;

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, program, calls) in subject.calls() {
        let problem = match &program.form {
            ProgramForm::CommandLine(_) | ProgramForm::Script(_, Language::Execline) => {
                of_execline(found, service, program)
            }
            ProgramForm::Arguments(..) => of_arguments(found, service, program, calls),
            ProgramForm::Script(..) => None,
        };
        if let Some(problem) = problem {
            found.push(problem);
        }
    }
}

fn of_execline(found: &Findings<'_>, service: &Service, program: &Program) -> Option<Diagnostic> {
    // Most command lines are only a path, which needs no look.
    if !program.text().contains(['&', '|', ';', '$', '\'', '`', '~', '*', '<', '>', '[', '=', ' ']) {
        return None;
    }
    let words = program.words();
    let mut places = shell_words(&words);
    if let ProgramForm::Script(..) = program.form {
        // s6gen quotes such words, and has reported them in the manifest.
        places.retain(|(word, why)| *why != NOT_EXPANDED || !word.is_quoted());
    }
    if places.is_empty() {
        let calls = execline::calls(&words);
        let texts =
            |call: &ExeclineCall<'_, '_>| call.words.iter().map(ExeclineWord::plain).collect::<Vec<_>>();
        let is_builtin = |call: &&ExeclineCall<'_, '_>| {
            begins_with_builtin(&texts(call).iter().map(Option::as_deref).collect::<Vec<_>>())
        };
        places.extend(
            calls.iter().find(is_builtin).map(|call| (call.words[0], "a part of a shell, and no program")),
        );
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

fn of_arguments(
    found: &Findings<'_>,
    service: &Service,
    program: &Program,
    calls: &[Invocation],
) -> Option<Diagnostic> {
    let ProgramForm::Arguments(words, array) = &program.form else { return None };
    let texts: Vec<String> = words.iter().map(|(word, _)| word.clone()).collect();
    // If the words call a shell, the calls are those of its script.
    let call = calls.first().filter(|call| {
        call.words.iter().map(|word| word.text.as_deref()).eq(texts.iter().map(|text| Some(text.as_str())))
    });
    // The value of an expression is meant as it is.
    let is_written = |number: usize| words[number].1.exactly(0..texts[number].len()).is_some();
    let named = call.filter(|call| is_written(call.words.len() - call.arguments().len() - 1));
    if let Some(problem) = named.and_then(|call| of_the_program(found, service, program, call)) {
        return Some(problem.as_error());
    }
    let mut places = shell_syntax(&texts, call);
    places.retain(|place| is_written(place.number));
    if places.is_empty() {
        return None;
    }
    let mut problem = written_for_a_shell(found, service, program);
    for place in places.iter().take(SHOWN) {
        problem = problem.at(words[place.number].1.whole(), place.why);
    }
    if places.len() > SHOWN {
        problem = problem.note(format!("{} more places like these", places.len() - SHOWN));
    }
    let only_quotes = places.iter().all(|place| place.why == QUOTES);
    let problem = problem.help(match only_quotes {
        true => "leave these quotes out: a word in an array needs no others".to_owned(),
        false => as_string(&program.file, &texts),
    });
    let all_written = (0..words.len()).all(is_written);
    let problem = problem.fix(match only_quotes {
        true => without_quotes(places.iter().map(|place| &words[place.number])),
        false => plain_line(&texts)
            .filter(|_| all_written)
            .map(|line| Fix::replace(*array, format!("'{line}'")).likely()),
    });
    Some(if places.iter().any(|place| place.is_certain) { problem.as_error() } else { problem })
}

/// The words as one line, if a shell reads the same words in it.
fn plain_line(texts: &[String]) -> Option<String> {
    let is_plain = |word: &String| !word.is_empty() && !word.contains([' ', '\'', '\n', '\\', '#']);
    texts.iter().all(is_plain).then(|| texts.join(" "))
}

/// The change that removes the quotes inside of words.
fn without_quotes<'a>(words: impl Iterator<Item = &'a (String, Positions)>) -> Option<Fix> {
    let edits = words.filter_map(|(text, place)| {
        let (before, rest) = text.split_once(['"', '\''])?;
        let inside = rest.strip_suffix(['"', '\''])?;
        let is_plain = !inside.contains(['"', '\'', '\\']);
        let new = format!("{before}{inside}");
        is_plain.then(|| Edit::Word { place: place.whole(), old: text.clone(), new })
    });
    let edits: Vec<Edit> = edits.collect();
    (!edits.is_empty()).then(|| Fix::from(edits).likely())
}

/// The help that shows the same words as a string, which a shell reads.
fn as_string(key: &str, texts: &[String]) -> String {
    let shown =
        plain_line(texts).filter(|line| line.len() <= 100).unwrap_or_else(|| format!("{} …", texts[0]));
    format!("to let a shell read it, write a string: `{key} = '{shown}'`")
}

/// The help for a command that begins with a builtin of a shell.
fn instead_of_builtin(key: &str, words: &[Option<&str>]) -> String {
    let texts: Vec<String> = words.iter().flatten().map(|word| (*word).to_owned()).collect();
    let is_alone = texts.iter().all(|word| !matches!(word.as_str(), "&&" | "||" | ";"));
    match words.first().copied().flatten() {
        Some("ulimit") if is_alone => {
            "the key `limits` sets this for the program, as in `limits.nofile = 1024`".to_owned()
        }
        Some("export" | "unset") if is_alone => {
            "the key `environment` sets variables for the program, as in `environment.NAME = \"value\"`"
                .to_owned()
        }
        Some("cd") if is_alone => "the key `workdir` sets the directory of the program".to_owned(),
        Some("umask") if is_alone => "the key `umask` sets this for the program".to_owned(),
        Some("." | "source") if is_alone => {
            let file = texts.get(1).map_or("FILE", String::as_str);
            format!("write one string that ends with the program: `{key} = '. {file}; exec PROGRAM'`")
        }
        _ => as_string(key, &texts),
    }
}

/// The report on a word that cannot be the name of a program.
fn of_the_program(
    found: &Findings<'_>,
    service: &Service,
    program: &Program,
    call: &Invocation,
) -> Option<Diagnostic> {
    let key = &program.file;
    let word = call.path()?;
    let words: Vec<Option<&str>> = iter::once(Some(word)).chain(call.texts()).collect();
    // execline's own programs `exec`, `cd` and `export` count as programs in front of the others.
    let whole: Vec<Option<&str>> = call.words.iter().map(|word| word.text.as_deref()).collect();
    let (label, help) = if matches!(word, "CMD" | "CMD-SHELL") {
        (
            "taken for the name of a program",
            "leave this word out: it belongs to Docker's `HEALTHCHECK`".to_owned(),
        )
    } else if is_whole_command(word) {
        let help =
            format!("write each word by itself, or leave the brackets out for a shell: `{key} = '{word}'`");
        ("taken for the name of one program, blanks included", help)
    } else if word.len() > 2 && word.starts_with('\'') && word.ends_with('\'') {
        ("the quotes are a part of the name", format!("write `\"{}\"`", word.trim_matches('\'')))
    } else if word.starts_with("~/") {
        ("only a shell expands `~`: there is no such program", "write the whole path".to_owned())
    } else if is_assignment(word) {
        let (name, value) = word.split_once('=')?;
        (
            "taken for the name of a program",
            format!("leave this word out, and write `environment.{name} = \"{value}\"`"),
        )
    } else if begins_with_builtin(&words) || begins_with_builtin(&whole) {
        ("a part of a shell, and no program", instead_of_builtin(key, &whole))
    } else {
        return None;
    };
    Some(written_for_a_shell(found, service, program).at(call.origin(), label).help(help))
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
    let replaces =
        |word: &ExeclineWord<'_>| SUBSTITUTES.contains(&word.program()) || READERS.contains(&word.program());
    let substitutes = words.iter().any(replaces);
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
            "export" if next.is_some_and(is_assignment) => {
                "this is execline's `export`, which takes the name and the value as two words"
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
