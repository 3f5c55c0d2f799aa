//! Judges the first line of a script, of which the kernel makes a program and at most one argument.

/// Shells, whose options can also be set with `set`.
const SHELLS: &[&str] = &["sh", "bash", "ash", "dash", "ksh", "mksh", "zsh"];

/// Several words after the program of a first line, which gets them as one argument and does not split it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeveralWords {
    /// The program.
    pub program: String,
    /// What happens.
    pub label: String,
    /// What to write instead.
    pub help: String,
    /// The lines to write instead, if they mean the same.
    pub lines: Option<String>,
}

/// The several words in the first line of a text, if the program cannot start the script because of them.
pub fn several_words(text: &str) -> Option<SeveralWords> {
    let words = as_the_kernel_splits(first_line(text));
    let [path, argument] = &words[..] else { return None };
    let program = base_name(path);
    if !argument.contains([' ', '\t']) || !takes_one_argument(program) || program == "env" && splits(argument)
    {
        return None;
    }
    let is_name = matches!(program, "env" | "with-contenv") && !argument.starts_with('-');
    let label = match is_name {
        true => format!("the system passes `{argument}` as one argument, and no program has that name"),
        false => {
            format!("the system passes `{argument}` as one argument, which `{program}` does not split")
        }
    };
    let FirstLineRemedy { help, lines } = remedy(path, program, argument);
    Some(SeveralWords { program: program.to_owned(), label, help, lines })
}

/// The first line without `#!` and blanks.
pub fn first_line(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("#!").unwrap_or(line).trim_matches([' ', '\t'])
}

/// The words of a `#!` line: a program and at most one argument.
pub fn as_the_kernel_splits(line: &str) -> Vec<String> {
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

/// What to write instead of a first line.
struct FirstLineRemedy {
    help: String,
    lines: Option<String>,
}

impl FirstLineRemedy {
    fn line(line: String) -> FirstLineRemedy {
        FirstLineRemedy { help: format!("write `{line}`"), lines: Some(line) }
    }

    fn below(first: String, command: &str) -> FirstLineRemedy {
        // A shell would expand or split other characters.
        let is_plain = command.chars().all(|c| c.is_ascii_alphanumeric() || " -=_./:+,".contains(c));
        let lines = is_plain.then(|| format!("{first}\n{command}"));
        FirstLineRemedy { help: format!("write `{command}` below `{first}`"), lines }
    }
}

/// What to write instead of a first line with several words. `env -S` is the last choice, because the `env` of older BusyBox
/// systems does not have it.
fn remedy(path: &str, program: &str, argument: &str) -> FirstLineRemedy {
    let words: Vec<&str> = argument.split_ascii_whitespace().collect();
    let Some((first, options)) = words.split_first() else {
        return FirstLineRemedy::line(format!("#!{path}"));
    };
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
            return FirstLineRemedy::below(
                format!("#!{path} {shell}"),
                &format!("export {}", words[..assignments].join(" ")),
            );
        }
    }
    if names_another && SHELLS.contains(&inner) && can_be_set(options) {
        return FirstLineRemedy::below(format!("#!{path} {first}"), &format!("set {}", options.join(" ")));
    }
    if SHELLS.contains(&program) && can_be_set(&words) && !are_flags(&words) {
        return FirstLineRemedy::below(format!("#!{path}"), &format!("set {}", words.join(" ")));
    }
    match program {
        "env" => FirstLineRemedy::line(format!("#!{path} -S {argument}")),
        _ if !names_another && are_flags(&words) => {
            let joined: String = words.iter().map(|word| &word[1..]).collect();
            let line = format!("#!{path} -{joined}");
            // A longer word may be an option with its value.
            let lines = Some(&line).filter(|_| words.iter().all(|word| word.len() == 2)).cloned();
            FirstLineRemedy { help: format!("write the options as one word: `{line}`"), lines }
        }
        _ => FirstLineRemedy::line(format!("#!/usr/bin/env -S {path} {argument}")),
    }
}

/// The first line with one word after the program, or what to write instead of several words.
fn single_or_remedy(path: &str, program: &str, words: &[&str]) -> FirstLineRemedy {
    match words {
        [word] => FirstLineRemedy::line(format!("#!{path} {word}")),
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

#[cfg(test)]
mod tests {
    use super::several_words;

    #[test]
    fn only_programs_that_do_not_split_their_argument_count() {
        for line in [
            "#!/usr/bin/env bash -e",
            "#!/command/with-contenv bash -e",
            "#!/bin/sh -e -x",
            "#!/usr/bin/env A=b bash",
        ] {
            assert!(several_words(line).is_some(), "{line}");
        }
        for line in
            ["#!/usr/bin/env -S bash -e", "#!/usr/bin/env bash", "#!/bin/sh -e", "#!/usr/bin/perl -w -T"]
        {
            assert!(several_words(line).is_none(), "{line}");
        }
    }
}
