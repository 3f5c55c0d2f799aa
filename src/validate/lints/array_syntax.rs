//! Finds shell syntax in a list of words that is run without a shell.

use crate::execline::{
    ENDS, SHELLS, base_name, code_words, is_assignment, is_redirection, runs_its_arguments, runs_scripts,
    script_words,
};
use crate::model::Invocation;
use crate::programs::KnownProgram;

/// A word that is written for a shell.
pub(super) struct ShellWordFound {
    /// Its position in the list.
    pub(super) number: usize,
    /// What happens to it instead.
    pub(super) why: &'static str,
    /// Whether it can only be meant for a shell. A program could use other such words.
    pub(super) is_certain: bool,
}

/// What is wrong with quotes around a word.
pub(super) const QUOTES: &str = "the quotes are a part of this argument";

/// Programs whose arguments are expressions or commands, in which such words have a meaning.
const EXPRESSIONS: &[&str] = &[
    "[",
    "csh",
    "cut",
    "dc",
    "dumpcap",
    "egrep",
    "entr",
    "expr",
    "ffmpeg",
    "find",
    "fish",
    "grep",
    "jq",
    "mongosh",
    "mysql",
    "ngrep",
    "nft",
    "osqueryi",
    "psql",
    "pwsh",
    "redis-cli",
    "redis-server",
    "rg",
    "screen",
    "socat",
    "sqlite",
    "tc",
    "tcpdump",
    "test",
    "tmux",
    "tr",
    "tshark",
    "valkey-server",
    "xargs",
];

/// Builtins of shells that are programs on no system, if the next word begins in this way. Without it the name could be that
/// of somebody's program. Those that execline has as programs, such as `cd DIR PROGRAM`, are not here.
const BUILTINS: &[(&str, &[&str])] = &[
    (".", &[""]),
    ("eval", &[""]),
    ("set", &["-", "+"]),
    ("shopt", &["-"]),
    ("source", &["/", "./", "../", "~/"]),
    ("ulimit", &["-"]),
    ("unset", &[""]),
];

/// Programs that take the names of files, and expand nothing in them.
const FILE_TOOLS: &[&str] = &[
    "cat", "chgrp", "chmod", "chown", "cp", "head", "install", "ln", "ls", "mkdir", "mv", "rm", "rmdir",
    "tail", "touch",
];

/// Commands whose output people put into a word with `$(…)`.
const PRINTERS: &[&str] = &[
    "basename", "command", "date", "dirname", "getent", "hostname", "id", "nproc", "pwd", "which", "whoami",
];

/// Whether a command that begins with these words begins with a builtin of a shell. execline has programs with the names of
/// some builtins, with other arguments.
pub(super) fn begins_with_builtin(words: &[Option<&str>]) -> bool {
    let Some(Some(first)) = words.first() else { return false };
    let lacks_program = |arguments: usize| words.len() <= 1 + arguments && words.iter().all(Option::is_some);
    match *first {
        "cd" | "umask" => lacks_program(1),
        "export" => lacks_program(2) || words[1].is_some_and(|word| word.contains('=')),
        "exec" => lacks_program(0),
        first => {
            let next = words.get(1).copied().flatten();
            let fits =
                |starts: &[&str]| next.is_some_and(|next| starts.iter().any(|start| next.starts_with(start)));
            BUILTINS.iter().any(|(name, starts)| *name == first && fits(starts))
        }
    }
}

/// The words that are written for a shell, without the program itself.
pub(super) fn shell_syntax(texts: &[String], call: Option<&Invocation>) -> Vec<ShellWordFound> {
    let scripts = script_words(texts);
    let code = code_words(texts);
    let names_language = |word: &String| EXPRESSIONS.contains(&word.rsplit('/').next().unwrap_or(word));
    let first = texts.iter().position(names_language).unwrap_or(texts.len());
    let is_expression = |number: usize| number > first || code.contains(&number);
    let program = call.and_then(Invocation::program).unwrap_or_default();
    // What follows a script are its arguments.
    let end = scripts.first().copied().unwrap_or(texts.len());
    let judged = (1..end).filter(|number| !is_expression(*number));
    judged
        .filter_map(|number| {
            let is_wrapper = call.is_some_and(|call| number < call.wrappers().len());
            let (why, is_certain) = operator(texts, number)
                .map(|(why, is_certain)| (why, is_certain || FILE_TOOLS.contains(&program)))
                .or_else(|| expansion(texts, number, program))
                .or_else(|| quotes(texts, number, program, is_wrapper))?;
            Some(ShellWordFound { number, why, is_certain })
        })
        .collect()
}

/// What happens to an operator of a shell, and whether it can be nothing else.
fn operator(texts: &[String], number: usize) -> Option<(&'static str, bool)> {
    let word = texts[number].as_str();
    let next = texts.get(number + 1).map(String::as_str);
    // The value of an option, such as `--separator |`.
    let is_value = texts[number - 1].starts_with('-') && number > 1;
    let before_command = !is_value && next.is_some_and(is_command);
    let to_file = |word: &str| word.starts_with(['/', '&']) || word.starts_with("./");
    match word {
        "&&" | "||" => Some(("only an argument: there is no such operator here", before_command)),
        "|" | "|&" | ";" | "&" if is_value => None,
        "|" | "|&" => Some(("only an argument: there are no pipes here", before_command)),
        ";" => Some(("only an argument: it separates nothing", before_command)),
        "&" => Some(("only an argument: nothing goes into the background", before_command || next.is_none())),
        ">" | ">>" | "2>" | "2>>" | "1>" | "&>" | "<" => {
            Some(("only an argument: nothing is redirected", next.is_some_and(to_file)))
        }
        // `</html>` is no redirection.
        _ if is_redirection(word) && word.len() > 2 && !(word.starts_with('<') && word.ends_with('>')) => {
            let target = word.trim_start_matches(['1', '2', '&', '>', '|']);
            let is_certain = word.contains(">&") || word.starts_with('<') || target.starts_with('/');
            Some(("only an argument: nothing is redirected", is_certain))
        }
        _ if word.len() > 1 && before_command => {
            let is_joined = |operator: &str| word.ends_with(operator) && !word.contains([' ', '=', '?']);
            let is_operator = ["&&", "||", ";"].into_iter().any(is_joined);
            is_operator.then_some(("the operator is a part of this argument", true))
        }
        _ => None,
    }
}

/// What happens to a pattern, a `~` or a `$(…)`.
fn expansion(texts: &[String], number: usize, program: &str) -> Option<(&'static str, bool)> {
    let word = texts[number].as_str();
    let is_file_tool = FILE_TOOLS.contains(&program);
    if let Some(command) = substitution(word) {
        let first = command.split([' ', '\t']).next().unwrap_or_default();
        let is_certain = PRINTERS.contains(&first) || ENDS.contains(&first);
        return Some(("no command is run for its output here", is_certain));
    }
    if word.starts_with("~/") || word == "~" && is_file_tool {
        return Some(("only an argument: `~` is not a home directory here", is_file_tool));
    }
    let is_path = word.starts_with(['/', '.']);
    (is_file_tool && is_path && word.contains(['*', '?'])).then_some(("no pattern is expanded here", true))
}

/// The command in a word `$(command)` or with backquotes, or in such an end of a word as `--name=$(hostname)`.
fn substitution(word: &str) -> Option<&str> {
    let inner = match word.split_once("$(") {
        Some((_, rest)) => rest.strip_suffix(')')?,
        None => word.split_once('`')?.1.strip_suffix('`')?,
    };
    // `$(NAME)` is how other programs write a variable.
    let is_command = inner.starts_with(|c: char| c.is_ascii_lowercase() || c == '/');
    (is_command && !word.contains('\n')).then_some(inner)
}

/// What happens to quotes around a word or around the value of an option.
fn quotes(texts: &[String], number: usize, program: &str, is_wrapper: bool) -> Option<(&'static str, bool)> {
    let word = texts[number].as_str();
    let is_quoted = |word: &str| {
        word.len() > 2
            && (word.starts_with('\'') && word.ends_with('\'')
                || word.starts_with('"') && word.ends_with('"'))
    };
    let is_directive = texts[number - 1] == "-g" || word.starts_with("-g");
    if program == "nginx" && is_directive {
        return is_quoted(word.trim_start_matches("-g").trim_start()).then_some((QUOTES, true));
    }
    let value = word.split_once('=').filter(|_| word.starts_with("--")).map_or(word, |(_, value)| value);
    // A program would look for a file below a directory `'`. Programs in front of another one take no quotes either.
    let is_path = is_quoted(value) && value[1..].starts_with('/') && !value.contains(' ');
    if is_path && takes_paths(program) || is_wrapper && is_quoted(word) {
        return Some((QUOTES, true));
    }
    let is_single = is_quoted(word) && word.starts_with('\'') && word.contains(' ');
    let is_value = word.starts_with("--") && word.split_once('=').is_some_and(|(_, value)| is_quoted(value));
    (is_single || is_value).then_some((QUOTES, false))
}

/// Whether a program reads no quotes in its arguments, so that a path in quotes is a file that does not exist.
fn takes_paths(program: &str) -> bool {
    FILE_TOOLS.contains(&program)
        || program == "s6-log"
        || runs_scripts(base_name(program))
        || KnownProgram::find(program).is_some()
}

/// Whether the word after an operator is certainly the name of a program or builtin.
fn is_command(word: &str) -> bool {
    let name = base_name(word);
    word.starts_with('/')
        || word.starts_with("./")
        || KnownProgram::find(word).is_some()
        || ENDS.contains(&name)
        || runs_its_arguments(name)
        || SHELLS.contains(&name)
        || BUILTINS.iter().any(|(name, _)| *name == word)
        || matches!(
            word,
            "cd" | "export" | "exec" | "exit" | "npm" | "npx" | "tee" | "true" | "wait" | "yarn"
        )
        || is_assignment(word)
}

/// Whether the first word holds a whole command: `npm start`, `/usr/bin/node server.js`.
pub(super) fn is_whole_command(word: &str) -> bool {
    let Some((first, rest)) = word.trim().split_once([' ', '\t']) else { return false };
    !word.contains('/') || rest.contains(" -") || rest.starts_with('-') || {
        let is_in_bin = first.rsplit_once('/').is_none_or(|(folder, _)| folder.ends_with("bin"));
        is_in_bin && (KnownProgram::find(first).is_some() || SHELLS.contains(&base_name(first)))
    }
}
