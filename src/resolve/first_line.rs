//! Resolves the first lines of scripts: checks that the system can start them, and removes a `with-contenv` that would undo
//! settings of the manifest.

use super::Resolver;
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::model::{Command, ProgramChange, Surroundings};

/// Shells, whose options can also be set with `set`.
const SHELLS: &[&str] = &["sh", "bash", "ash", "dash", "ksh", "mksh", "zsh"];

impl Resolver<'_> {
    /// The interpreter of a script, with its argument. If the system cannot start it, reports it and returns `None`.
    pub(super) fn interpreter(&mut self, text: &str, what: &str, origin: Origin) -> Option<Vec<String>> {
        let line = first_line(text);
        let words = as_the_kernel_splits(line);
        let program = words.first().map_or("", |program| base_name(program));
        let argument = words.get(1).map_or("", String::as_str);
        let names_another = matches!(program, "env" | "with-contenv");
        let problem = |message: String| Diagnostic::new(Code::InvalidValue, message);
        if program.is_empty() || names_another && argument.is_empty() {
            let label = match program {
                "" => "there is nothing after `#!`".to_owned(),
                _ => format!("`{program}` would run this script again and again"),
            };
            self.problems.push(
                problem(format!("the first line of {what} names no interpreter"))
                    .at(origin, label)
                    .help("name one, as in `#!/bin/bash`, or leave the line out for `/bin/sh -e`"),
            );
            return None;
        }
        if !argument.contains([' ', '\t'])
            || !takes_one_argument(program)
            || program == "env" && splits(argument)
        {
            return Some(words);
        }
        let label = match names_another && !argument.starts_with('-') {
            true => {
                format!("the system passes `{argument}` as one argument, and no program has that name")
            }
            false => {
                format!("the system passes `{argument}` as one argument, which `{program}` does not split")
            }
        };
        self.problems.push(
            problem(format!("the first line of {what} has several words after `{program}`"))
                .at(origin, label)
                .help(remedy(&words[0], program, argument)),
        );
        None
    }

    /// The command without a `with-contenv` at its beginning, if that would undo settings of the manifest: it clears the
    /// environment and loads that of the container again.
    pub(super) fn keep_environment(&mut self, command: Command, surroundings: &Surroundings) -> Command {
        if surroundings.lost_to_contenv().is_none() {
            return command;
        }
        let Some(without) = without_contenv(&command) else { return command };
        if let Some(program) = self.programs.last_mut() {
            program.change = Some(ProgramChange::WithoutContenv);
        }
        without
    }
}

/// The first line without `#!` and blanks.
fn first_line(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("#!").unwrap_or(line).trim_matches([' ', '\t'])
}

/// The words of a `#!` line: a program and at most one argument.
fn as_the_kernel_splits(line: &str) -> Vec<String> {
    match line.split_once([' ', '\t']) {
        Some((program, argument)) => vec![program.into(), argument.trim_matches([' ', '\t']).into()],
        None if line.is_empty() => Vec::new(),
        None => vec![line.into()],
    }
}

fn base_name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// Whether the program certainly uses its argument as one word. Perl and others split it themselves.
fn takes_one_argument(program: &str) -> bool {
    let is_python = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.') == "python";
    SHELLS.contains(&program)
        || is_python
        || matches!(program, "env" | "with-contenv" | "execlineb")
        || program.starts_with("s6-")
}

/// Whether `env` splits this argument: `-S …`, also after other options in the same word.
fn splits(argument: &str) -> bool {
    let options = argument.split([' ', '\t']).next().unwrap_or_default();
    argument.starts_with("--split-string")
        || options
            .strip_prefix('-')
            .and_then(|letters| letters.split_once('S'))
            .is_some_and(|(before, _)| before.chars().all(|letter| matches!(letter, 'i' | 'v' | '0')))
}

/// What to write instead of a first line with several words. `env -S` is the last choice, because the `env` of older BusyBox
/// systems does not have it.
fn remedy(path: &str, program: &str, argument: &str) -> String {
    let words: Vec<&str> = argument.split_ascii_whitespace().collect();
    let Some((first, options)) = words.split_first() else { return format!("write `#!{path}`") };
    // One of `env` and `with-contenv` is enough.
    let (outer, inner) = (program, base_name(first));
    if inner == "with-contenv" && outer == "env" && !options.is_empty() {
        let path = if first.starts_with('/') { first } else { "/command/with-contenv" };
        return single_or_remedy(path, inner, options);
    }
    if inner == "env" && outer == "with-contenv" && options.first().is_some_and(|word| !word.starts_with('-'))
    {
        return single_or_remedy(path, program, options);
    }
    let names_another = matches!(program, "env" | "with-contenv");
    let assignments = words.iter().take_while(|word| is_assignment(word)).count();
    if program == "env" && assignments > 0 && assignments + 1 == words.len() {
        let shell = words[assignments];
        if SHELLS.contains(&base_name(shell)) {
            return format!("write `export {}` below `#!{path} {shell}`", words[..assignments].join(" "));
        }
    }
    if names_another && SHELLS.contains(&inner) && can_be_set(options) {
        return format!("write `set {}` below `#!{path} {first}`", options.join(" "));
    }
    if SHELLS.contains(&program) && can_be_set(&words) && !are_flags(&words) {
        return format!("write `set {}` below `#!{path}`", words.join(" "));
    }
    match program {
        "env" => format!("write `#!{path} -S {argument}`"),
        _ if !names_another && are_flags(&words) => {
            let joined: String = words.iter().map(|word| &word[1..]).collect();
            format!("write the options as one word: `#!{path} -{joined}`")
        }
        _ => format!("write `#!/usr/bin/env -S {path} {argument}`"),
    }
}

/// The first line with one word after the program, or what to write instead of several words.
fn single_or_remedy(path: &str, program: &str, words: &[&str]) -> String {
    match words {
        [word] => format!("write `#!{path} {word}`"),
        _ => remedy(path, program, &words.join(" ")),
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

fn are_flags(words: &[&str]) -> bool {
    words.iter().all(|word| word.len() > 1 && word.starts_with('-') && !word.starts_with("--"))
}

/// Whether the builtin `set` of shells takes these options, among them `-o NAME`.
fn can_be_set(words: &[&str]) -> bool {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(flags) = word.strip_prefix('-').filter(|flags| !flags.is_empty()) else { return false };
        let (flags, takes_name) = flags.strip_suffix('o').map_or((flags, false), |flags| (flags, true));
        let is_name = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric());
        if !flags.chars().all(|flag| "aefhnuvxC".contains(flag))
            || takes_name && !words.next().is_some_and(is_name)
        {
            return false;
        }
    }
    true
}

/// The command without the `with-contenv` at its beginning, if it has one.
fn without_contenv(command: &Command) -> Option<Command> {
    match command {
        Command::Exec { words } => {
            let (first, rest) = words.split_first()?;
            (base_name(first) == "with-contenv" && !rest.is_empty())
                .then(|| Command::Exec { words: rest.to_vec() })
        }
        Command::Script { text, .. } if text.starts_with("#!") => {
            let line_end = text.find('\n').unwrap_or(text.len());
            let rest = &text[line_end..];
            let (line, rest) = match line_without_contenv(first_line(text)) {
                Some(line) => (line, rest.to_owned()),
                None if is_execline(first_line(text)) => {
                    (text[2..line_end].to_owned(), body_without_contenv(rest)?)
                }
                None => return None,
            };
            let interpreter = as_the_kernel_splits(line.trim_matches([' ', '\t']));
            Some(Command::Script { interpreter, text: format!("#!{line}{rest}") })
        }
        Command::Script { .. } => None,
    }
}

/// A first line with the program that `with-contenv` would run.
fn line_without_contenv(line: &str) -> Option<String> {
    let mut words: Vec<&str> = line.split_ascii_whitespace().collect();
    let is_split_by_env =
        words.first().is_some_and(|word| base_name(word) == "env") && words.get(1) == Some(&"-S");
    if is_split_by_env {
        words.drain(..2);
    }
    let (first, rest) = words.split_first()?;
    if base_name(first) != "with-contenv" {
        return None;
    }
    match rest {
        [] => None,
        [program] if program.starts_with('/') => Some((*program).to_owned()),
        [program] => Some(format!("/usr/bin/env {program}")),
        several => Some(format!("/usr/bin/env -S {}", several.join(" "))),
    }
}

fn is_execline(line: &str) -> bool {
    line.split_ascii_whitespace().next().is_some_and(|program| base_name(program) == "execlineb")
}

/// The lines of an execline script without `with-contenv` as its first word.
fn body_without_contenv(body: &str) -> Option<String> {
    let start = body.split_inclusive('\n').scan(0, |from, line| {
        let at = *from;
        *from += line.len();
        Some((at, line))
    });
    let is_command = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let (at, line) = start.into_iter().find(|(_, line)| is_command(line))?;
    let word = line.split_ascii_whitespace().next().filter(|word| base_name(word) == "with-contenv")?;
    let from = at + line.find(word)?;
    let behind = body[from + word.len()..].trim_start_matches([' ', '\t']);
    Some(format!("{}{}", &body[..from], behind.strip_prefix('\n').unwrap_or(behind)))
}
