//! Resolves the first lines of scripts: checks that the system can start them, and removes a `with-contenv` that would undo
//! settings of the manifest.

use super::Resolver;
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::execline::base_name;
use crate::model::{Command, ProgramChange, Surroundings};
use crate::shell::{SeveralWords, as_the_kernel_splits, first_line, several_words};

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
        let Some(SeveralWords { program, label, help, .. }) = several_words(text) else { return Some(words) };
        self.problems.push(
            problem(format!("the first line of {what} has several words after `{program}`"))
                .at(origin, label)
                .help(help),
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
