use crate::diagnostic::{Code, Diagnostic, Origin, Problems};
use crate::model::{Called, Definition, Found, Index, Kind, Missing, Name, Script, Service, Text};

use super::chains::{Swallowed, in_a_block, swallowed};
use super::definitions;
use super::script::{Written, written};
use super::shebangs;

/// How many places one report shows.
const SHOWN: usize = 4;

/// The command lines of oneshots from trees, as text.
fn command_lines<'a>(index: &Index<'a>) -> impl Iterator<Item = (&'a Service, &'a Text, &'a str)> + use<'a> {
    definitions(index).flat_map(|(service, definition)| {
        definition
            .command_lines
            .iter()
            .filter_map(move |text| Some((service, text, str::from_utf8(&text.bytes).ok()?)))
    })
}

/// Programs of execline that replace `$NAME` in what stands behind them.
const SUBSTITUTES: &[&str] = &[
    "importas",
    "define",
    "multisubstitute",
    "multidefine",
    "backtick",
    "forx",
    "forbacktickx",
    "forstdin",
    "elgetpositionals",
    "elgetopt",
    "getpid",
    "getcwd",
    "withstdinas",
    "dollarat",
    "elglob",
    "execlineb",
    "import",
];

/// What some editors put before a text.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// Shells that read the word behind `-c`.
const SHELLS: &[&str] = &["sh", "bash", "ash", "dash", "ksh", "zsh"];

/// Command lines hold nothing that only a shell understands.
pub(in crate::validate) fn are_no_shell_scripts(index: &Index<'_>, problems: &mut Problems) {
    for (service, text, content) in command_lines(index) {
        // Most are one path.
        if !content.contains(['&', '|', ';', '$', '\'', '`', '~', '*', '<', '>', '[', '=']) {
            continue;
        }
        let words = written(content);
        let found = shell_words(&words);
        if found.is_empty() {
            continue;
        }
        let mut problem = Diagnostic::new(
            Code::ShellSyntax,
            format!("`{}` of `{}` is written for a shell, but no shell reads it", text.file, service.name),
        );
        for (word, why) in found.iter().take(SHOWN) {
            problem = problem.at(Origin::new(text.origin.file, word.span()), *why);
        }
        if found.len() > SHOWN {
            problem = problem.note(format!("{} more places like these", found.len() - SHOWN));
        }
        problems.push(problem.help(own_script(service, text.file)));
    }
}

/// What to do about a command line that is a script.
fn own_script(service: &Service, file: &str) -> String {
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

/// The words that only a shell understands, and what becomes of them.
fn shell_words<'a>(words: &[Written<'a>]) -> Vec<(Written<'a>, &'static str)> {
    let substitutes = words.iter().any(|word| SUBSTITUTES.contains(&word.program()));
    let globs = words.iter().any(|word| matches!(word.program(), "elglob" | "find" | "case" | "s6-log"));
    let mut found = Vec::new();
    let mut in_find = false;
    for (number, word) in words.iter().enumerate() {
        let text = word.text;
        let previous = number.checked_sub(1).map(|at| words[at]);
        let next = words.get(number + 1).map(|next| next.text);
        if previous.is_some_and(|previous| previous.text == "-c")
            && number >= 2
            && words[..number - 1].iter().rev().take(3).any(|before| SHELLS.contains(&before.program()))
        {
            if text.starts_with('\'') {
                found.push((*word, "`'` does not quote here, `\"` does"));
            }
            // The rest is the shell's.
            return found;
        }
        in_find |= matches!(text, "-exec" | "-execdir" | "-ok");
        let why = match text {
            "&&" | "||" => "an argument like any other: there is no such operator here",
            "|" | "|&" => "an argument like any other: there are no pipes here",
            ";" if !in_find => "an argument like any other: it separates nothing",
            "&" => "an argument like any other: nothing goes into the background",
            "if" | "while" if next.is_some_and(|next| matches!(next, "[" | "[[" | "test" | "!")) => {
                "this is execline's, which wants a block in braces: `unterminated block`"
            }
            _ if word.is_quoted() => {
                let inner = text.trim_matches('"');
                match variable(inner) {
                    Some(length) if !substitutes && length == inner.len() => "no variable is expanded here",
                    _ => continue,
                }
            }
            _ if is_redirection(text) => "an argument like any other: nothing is redirected",
            _ if !substitutes && text.match_indices('$').any(|(at, _)| variable(&text[at..]).is_some()) => {
                "no variable is expanded here"
            }
            _ if text.starts_with('\'') => "`'` does not quote here, `\"` does",
            _ if text.contains("$(") || text.starts_with('`') => "no command is run for its output here",
            "~" => "an argument like any other: this is no home directory",
            _ if text.starts_with("~/") => "an argument like any other: this is no home directory",
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

/// A line of a command line is no command of its own.
pub(in crate::validate) fn are_one_command(index: &Index<'_>, problems: &mut Problems) {
    for (service, text, content) in command_lines(index) {
        if content.trim_end().lines().count() < 2 {
            continue;
        }
        let words = written(content);
        // A shell script is reported as such, and not once more for its lines.
        let Some(first) = words.first().filter(|_| shell_words(&words).is_empty()) else { continue };
        let for_shell = content.starts_with("#!")
            && content.lines().next().is_some_and(|line| {
                line.split(['/', ' ', '\t'])
                    .any(|word| SHELLS.contains(&word.trim_end()) || word.trim_end() == "bashio")
            });
        let second = match for_shell {
            true => second_command(&words, *first),
            false => swallowed(&words, false).map(|Swallowed { by, word }| (by, word)),
        };
        let Some((before, word)) = second else { continue };
        let at = |word: &Written<'_>| Origin::new(text.origin.file, word.span());
        problems.push(
            Diagnostic::new(
                Code::JoinedLines,
                format!("the lines of `{}` of `{}` are one command", text.file, service.name),
            )
            .at(at(&word), format!("`{}` gets this as an argument", before.program()))
            .note("s6-rc takes a line end for a blank, and a line `#!…` for a comment")
            .help(match for_shell {
                true => own_script(service, text.file),
                false => in_a_block(before.program()),
            }),
        );
    }
}

/// The first line of a shell script that is a command of its own, and the word that the line before begins with.
fn second_command<'a>(words: &[Written<'a>], first: Written<'a>) -> Option<(Written<'a>, Written<'a>)> {
    let mut line = first;
    for word in words.iter().skip(1) {
        if !word.first_of_line || word.depth > 0 || matches!(word.text, "{" | "}") {
            continue;
        }
        if !word.continues && !word.text.starts_with('-') && !leads_on(line.program()) {
            return Some((line, *word));
        }
        line = *word;
    }
    None
}

/// Programs that run what stands behind them.
fn leads_on(program: &str) -> bool {
    matches!(
        program,
        "with-contenv"
            | "exec"
            | "if"
            | "ifelse"
            | "ifte"
            | "ifthenelse"
            | "foreground"
            | "background"
            | "export"
            | "unexport"
            | "cd"
            | "execline-cd"
            | "umask"
            | "execline-umask"
            | "redirfd"
            | "fdmove"
            | "fdclose"
            | "emptyenv"
            | "nice"
            | "env"
            | "eval"
            | "trap"
            | "loopwhilex"
            | "wait"
            | "pipeline"
            | "piperw"
            | "envfile"
    ) || program.starts_with("s6-")
        || SUBSTITUTES.contains(&program)
}

/// What fails lets the step fail.
pub(in crate::validate) fn show_failure(index: &Index<'_>, problems: &mut Problems) {
    for (service, definition) in definitions(index) {
        let Kind::Oneshot(oneshot) = &service.kind else { continue };
        let Script::Words(words) = &oneshot.up else { continue };
        let Some((last, before)) = words.split_last() else { continue };
        // A block ends with a word that is empty but for the marks of its depth.
        if !last.is_empty() {
            continue;
        }
        let inside = before.iter().rev().take_while(|word| word.starts_with(b" ")).count();
        let opener = before.len() - inside;
        let is_foreground = opener
            .checked_sub(1)
            .is_some_and(|at| before[at].rsplit(|byte| *byte == b'/').next() == Some(b"foreground"));
        if !is_foreground || inside == 0 {
            continue;
        }
        let command =
            before[opener..].iter().take(3).map(|word| Name::new(word.trim_ascii_start()).to_string());
        let command = command.collect::<Vec<_>>().join(" ");
        let place = definition.command_line("up").map(|text| {
            let content = str::from_utf8(&text.bytes).unwrap_or_default();
            let last = written(content).into_iter().rfind(|word| word.program() == "foreground");
            last.map_or(text.origin, |word| Origin::new(text.origin.file, word.span()))
        });
        problems.push(
            Diagnostic::new(
                Code::FailureHidden,
                format!("`up` of `{}` succeeds even if `{command}` fails", service.name),
            )
            .at(place, "nothing stands behind this block, so it always ends with 0")
            .help("write the last command without `foreground` and without braces"),
        );
    }
}

/// What a command line or a readiness check names can be run.
pub(in crate::validate) fn call_what_can_run(index: &Index<'_>, problems: &mut Problems) {
    for (service, definition) in definitions(index) {
        for called in &definition.called {
            let Some(number) = called.word else { continue };
            // Words behind another program may be anything: a script that a shell reads needs no x bit.
            if is_command(service, called.by, number) {
                problems.extend(cannot_run(service, definition, called));
            }
        }
        for text in definition.command_lines.iter().filter(|text| text.bytes.starts_with(MARK)) {
            problems.push(
                Diagnostic::new(
                    Code::Shebang,
                    format!("`{}` of `{}` begins with a byte order mark", text.file, service.name),
                )
                .at(text.origin, "it becomes a part of the first word: the start would end with 127")
                .help("save it as UTF-8 without byte order mark"),
            );
        }
        for missing in &definition.missing {
            if is_command(service, missing.by, missing.word) || is_read_by_shell(service, missing) {
                problems.push(leads_nowhere(service, definition, missing));
            }
        }
    }
}

/// Where a command line mentions a path, or what it ends with.
fn mention(definition: &Definition, by: &str, path: &str) -> Option<Origin> {
    let text = definition.command_line(by)?;
    let content = str::from_utf8(&text.bytes).ok()?;
    let word = written(content).into_iter().find(|word| word.text.trim_matches('"').ends_with(path))?;
    Some(Origin::new(text.origin.file, word.span()))
}

fn leads_nowhere(service: &Service, definition: &Definition, missing: &Missing) -> Diagnostic {
    let (by, path) = (missing.by, &missing.path);
    let mut problem = Diagnostic::new(
        Code::MissingScript,
        format!("`{by}` of `{}` runs `{path}`, which does not exist", service.name),
    )
    .at(mention(definition, by, path), "the start would end with 127: no such file");
    if let Some((near, origin)) = &missing.nearest {
        return problem.at(*origin, "this exists").help(format!("did you mean `{near}`?"));
    }
    // What nobody runs was probably meant.
    if let Some(other) =
        definition.ignored.iter().find(|entry| !entry.is_directory && entry.name != b"finish")
    {
        problem = problem.at(other.origin, "nobody runs this");
        return problem.help(format!("write the path of `{}`, or rename it", Name::new(&other.name)));
    }
    problem.help("make it, or correct the path; if another layer has it, judge that as well (`--layer`)")
}

/// Whether a shell is told to read the script.
fn is_read_by_shell(service: &Service, missing: &Missing) -> bool {
    let Some(words) = words_of(service, missing.by) else { return false };
    let program = |word: &[u8]| {
        let name = word.rsplit(|byte| matches!(byte, b'/' | b' ')).next().unwrap_or_default();
        SHELLS.iter().any(|shell| shell.as_bytes() == name)
    };
    missing.word.checked_sub(1).is_some_and(|before| program(&words[before]))
}

fn cannot_run(service: &Service, definition: &Definition, called: &Called) -> Option<Diagnostic> {
    let (name, by, path) = (&service.name, called.by, &called.path);
    match &called.found {
        Found::File { executable: false, .. } => Some(
            Diagnostic::new(
                Code::NotExecutable,
                format!("`{by}` of `{name}` runs `{path}`, which is not executable"),
            )
            .at(mention(definition, by, path), "the start would end with 126: permission denied")
            .at(called.origin, "this file has no x bit")
            .help("`chmod +x` it; git keeps that with `git update-index --chmod=+x`"),
        ),
        Found::File { bytes, .. } => shebangs::report(service, path, called.origin, bytes),
        Found::Something | Found::Nothing => None,
    }
}

/// The words of a command line of a oneshot.
fn words_of<'a>(service: &'a Service, file: &str) -> Option<&'a [Vec<u8>]> {
    let Kind::Oneshot(oneshot) = &service.kind else { return None };
    let script = match file {
        "up" => Some(&oneshot.up),
        "down" => oneshot.down.as_ref(),
        _ => oneshot.reload.as_ref(),
    };
    match script {
        Some(Script::Words(words)) => Some(words),
        _ => None,
    }
}

/// Whether word `number` of a command line is run as a program.
fn is_command(service: &Service, file: &str, number: usize) -> bool {
    let Some(words) = words_of(service, file) else { return false };
    let depth = |word: &[u8]| word.iter().take_while(|byte| **byte == b' ').count();
    let program =
        |word: &[u8]| word.rsplit(|byte| matches!(byte, b'/' | b' ')).next().unwrap_or_default().to_vec();
    let Some(before) = number.checked_sub(1).map(|at| &words[at]) else { return true };
    let is_block_end = before.iter().all(|byte| *byte == b' ');
    let opens = depth(before) < depth(&words[number]) && !is_block_end;
    let two_before = number.checked_sub(2).map(|at| program(&words[at]));
    opens
        || is_block_end
        || program(before) == b"with-contenv"
        || two_before.is_some_and(|program| program == b"s6-setuidgid")
}
