use std::collections::BTreeMap;

use super::Resolver;
use super::scope::Scope;
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::manifest::{self, CommonKeys};
use crate::model::{Command, File};
use crate::shell::{Script, Word};

/// What s6-rc-compile refuses in a longrun unless it is a directory.
pub(super) const FOLDERS: &[&str] = &["data", "env", "template"];

const LONGEST_FILE_NAME: usize = 255;

/// Files of a definition that keys write.
const OWN_FILES: &[&str] = &[
    "type",
    "contents",
    "contents.d",
    "dependencies",
    "dependencies.d",
    "flag-essential",
    "flag-recommended",
    "timeout-up",
    "timeout-down",
    "up",
    "down",
    "reload",
    "run",
    "finish",
    "notification-fd",
    "lock-fd",
    "timeout-kill",
    "flag-timeout-killpg",
    "timeout-finish",
    "max-death-tally",
    "down-signal",
    "reload-signal",
    "flag-newpidns",
    "producer-for",
    "consumer-for",
    "pipeline-name",
];

impl Resolver<'_> {
    /// A command with its expressions replaced.
    pub(super) fn command(
        &mut self,
        command: &manifest::Command,
        key: &str,
        scope: &Scope,
    ) -> Option<Command> {
        match command {
            manifest::Command::Exec(raw, origin) => {
                let words: Vec<Option<String>> = raw.iter().map(|word| self.text(word, scope)).collect();
                for (raw, word) in raw.iter().zip(&words) {
                    self.literal_variable(word.as_deref().unwrap_or_default(), raw.origin(), key);
                }
                let words = words.into_iter().collect::<Option<Vec<_>>>()?;
                if words.first().is_none_or(String::is_empty) {
                    return self.no_program(key, *origin);
                }
                let script = script_word(&words).map(|place| &raw[place]);
                script
                    .is_none_or(|script| self.may_be_script(script, scope))
                    .then_some(Command::Exec { words })
            }
            manifest::Command::Broken(_) => None,
            manifest::Command::Shell(raw) => {
                let origin = raw.origin();
                let text = self.text(raw, scope).filter(|_| self.may_be_script(raw, scope))?;
                if text.trim().is_empty() {
                    return self.no_program(key, origin);
                }
                let interpreter = match text.strip_prefix("#!") {
                    None => vec!["/bin/sh".to_owned(), "-e".to_owned()],
                    Some(rest) => interpreter(rest.lines().next().unwrap_or_default()),
                };
                if interpreter.is_empty() {
                    self.problems.push(
                        Diagnostic::new(
                            Code::InvalidValue,
                            format!("the first line of `{key}` names no interpreter"),
                        )
                        .at(origin, "only `#!`")
                        .help("name one, as in `#!/bin/bash`, or leave the line out for `/bin/sh -e`"),
                    );
                    return None;
                }
                let end = if text.ends_with('\n') { "" } else { "\n" };
                Some(Command::Script { interpreter, text: text + end })
            }
        }
    }

    fn no_program(&mut self, key: &str, origin: Origin) -> Option<Command> {
        self.problems.push(
            Diagnostic::new(Code::InvalidValue, format!("`{key}` names no program"))
                .at(origin, "nothing to run")
                .help("name a program, as in `[\"nginx\", \"-g\", \"daemon off;\"]`, or leave the key out"),
        );
        None
    }

    fn literal_variable(&mut self, word: &str, origin: Origin, key: &str) {
        let Some((before, after)) = word.split_once('$') else { return };
        let named = after.strip_prefix('{').unwrap_or(after);
        if before.ends_with('\\') || !named.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            return;
        }
        let name: String = named.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        self.problems.push(
            Diagnostic::new(Code::LiteralVariable, format!("`${name}` is not expanded here"))
                .at(origin, "these characters reach the program as they are")
                .note("a command in array form is run exactly as written")
                .help(format!("if a shell shall expand it, write a string: `{key} = 'exec … \"${name}\"'`")),
        );
    }

    /// The files that were written verbatim.
    pub(super) fn files(
        &mut self,
        keys: &CommonKeys,
        scope: &Scope,
        files: &mut BTreeMap<String, File>,
        has_check: bool,
        folders: &[&str],
    ) {
        for (path, content) in keys.files.iter().flat_map(|table| &table.entries) {
            let first = path.value.split('/').next().unwrap_or_default();
            let plain = !path.value.is_empty()
                && path.value.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
                && !path.value.contains(char::is_control);
            let is_too_long = path.value.split('/').any(|part| part.len() > LONGEST_FILE_NAME);
            let is_whiteout = path.value.split('/').any(|part| part.starts_with(".wh."));
            let problem = if !plain {
                Some((
                    "not a path inside the definition",
                    "write it relative to the definition, such as `data/x`",
                ))
            } else if is_too_long {
                Some(("no file system takes a name of more than 255 bytes", "choose a shorter one"))
            } else if is_whiteout {
                Some((
                    "layers of images take `.wh.` for the mark of a removed file",
                    "choose a name that does not begin with `.wh.`",
                ))
            } else if folders.contains(&path.value.as_str()) {
                Some((
                    "s6-rc-compile takes only a directory of this name",
                    "choose another name, or name a file below it, such as `data/x`",
                ))
            } else if OWN_FILES.contains(&first) {
                Some(("a key of this name, or of its meaning, writes this file", "use the key"))
            } else if files.contains_key(&path.value) || has_check && path.value == "data/check" {
                Some(("another key writes this file", "choose another name"))
            } else if files.keys().map(String::as_str).chain(has_check.then_some("data/check")).any(|taken| {
                let below = |inner: &str, outer: &str| {
                    inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
                };
                below(taken, &path.value) || below(&path.value, taken)
            }) {
                Some(("one path cannot be a file and a directory", "choose another name"))
            } else {
                None
            };
            if let Some((label, help)) = problem {
                self.problems.push(
                    Diagnostic::new(
                        Code::ConflictingKeys,
                        format!("`files` cannot hold `{}`", path.value.escape_debug()),
                    )
                    .at(path.origin, label)
                    .help(help),
                );
            } else if let Some(text) = self.text(content, scope) {
                let executable = text.starts_with("#!");
                if executable && !self.may_be_script(content, scope) {
                    continue;
                }
                files.insert(path.value.clone(), File { content: text.into_bytes(), executable });
            }
        }
    }
}

/// Programs that take an argument for a script, and the option before it.
const INTERPRETERS: &[(&str, &str)] = &[
    ("sh", "c"),
    ("bash", "c"),
    ("dash", "c"),
    ("ash", "c"),
    ("zsh", "c"),
    ("ksh", "c"),
    ("execlineb", "c"),
    ("python", "c"),
    ("perl", "e"),
    ("ruby", "e"),
    ("node", "e"),
    ("lua", "e"),
    ("php", "r"),
];

/// Which word of a command is a script: that behind `sh -c` and the like, also where another program starts the shell.
fn script_word(words: &[String]) -> Option<usize> {
    // `/usr/bin/python3.11` is `python`.
    let name = |word: &str| {
        let name = word.rsplit('/').next().unwrap_or_default();
        name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').to_owned()
    };
    let (start, letter) = words.iter().enumerate().find_map(|(place, word)| {
        let (_, letter) = INTERPRETERS.iter().find(|(program, _)| *program == name(word))?;
        Some((place, *letter))
    })?;
    let option = words[start..].iter().position(|word| word.starts_with('-') && word.ends_with(letter))?;
    Some(start + option + 1).filter(|place| *place < words.len())
}

/// The words of a `#!` line as the kernel splits it: a program and at most one argument.
fn interpreter(line: &str) -> Vec<String> {
    let line = line.trim_matches([' ', '\t']);
    match line.split_once([' ', '\t']) {
        Some((program, argument)) => vec![program.into(), argument.trim_matches([' ', '\t']).into()],
        None if line.is_empty() => Vec::new(),
        None => vec![line.into()],
    }
}

/// The process of a longrun with `exec` where the shell would only wait for one program: s6 signals the shell, and a
/// program below it would live on after a stop. The other scripts end by themselves.
pub(super) fn replace_the_shell(command: Command) -> Command {
    match command {
        Command::Script { interpreter, text } if !text.starts_with("#!") => {
            let text = with_exec(&text).unwrap_or(text);
            Command::Script { interpreter, text }
        }
        command => command,
    }
}

/// The script with `exec` before its program, if it is one simple command without assignments.
fn with_exec(text: &str) -> Option<String> {
    let script = Script::read(text)?;
    let command = script.only_command().filter(|command| !command.has_assignments())?;
    let name = command.name().filter(Word::is_program)?;
    let (before, after) = text.split_at(name.span().start);
    Some(format!("{before}exec {after}"))
}

/// Keeps a script of the user's as a file of its own.
pub(super) fn add_script(files: &mut BTreeMap<String, File>, key: &str, command: Option<&Command>) {
    if let Some(Command::Script { text, .. }) = command {
        let content = text.clone().into_bytes();
        files.insert(format!("data/{key}"), File { content, executable: text.starts_with("#!") });
    }
}
