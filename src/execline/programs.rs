//! How programs use the words after them: they run them, replace `$NAME` in them, or take them as arguments.

use std::collections::BTreeSet;

use super::ExeclineWord;

/// Shells, which read the word after `-c` as a script.
pub const SHELLS: &[&str] = &["sh", "bash", "ash", "dash", "ksh", "mksh", "zsh"];

/// Programs of execline that replace `$NAME` in the words after them.
pub const SUBSTITUTES: &[&str] = &[
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

/// A program that runs the rest of its command line, and the arguments that it takes before that.
struct Leader {
    name: &'static str,
    /// The letters of the options that take a value.
    valued: &'static str,
    /// The number of words after the options.
    words: usize,
    /// The number of blocks after these words.
    blocks: usize,
    /// Whether these blocks are command lines themselves.
    runs_blocks: bool,
}

const fn leader(name: &'static str, valued: &'static str, words: usize, blocks: usize) -> Leader {
    Leader { name, valued, words, blocks, runs_blocks: true }
}

/// The same for a program whose blocks contain words.
const fn holder(name: &'static str, valued: &'static str, words: usize, blocks: usize) -> Leader {
    Leader { runs_blocks: false, ..leader(name, valued, words, blocks) }
}

/// Those of execline, and those of s6 and s6-overlay that are common in scripts. They are sorted by name.
const LEADERS: &[Leader] = &[
    leader("background", "", 0, 1),
    leader("backtick", "D", 1, 1),
    leader("cd", "", 1, 0),
    leader("define", "d", 2, 0),
    leader("elgetopt", "D", 1, 0),
    leader("elgetpositionals", "P", 0, 0),
    leader("elglob", "d", 2, 0),
    leader("emptyenv", "", 0, 0),
    leader("exec", "a", 0, 0),
    leader("execline-cd", "", 1, 0),
    leader("execline-umask", "", 1, 0),
    leader("export", "", 2, 0),
    leader("fdblock", "", 1, 0),
    leader("fdclose", "", 1, 0),
    leader("fdmove", "", 2, 0),
    leader("fdreserve", "", 1, 0),
    leader("fdswap", "", 2, 0),
    leader("forbacktickx", "poxd", 1, 1),
    leader("foreground", "", 0, 1),
    leader("forstdin", "poxd", 1, 0),
    holder("forx", "pox", 1, 1),
    leader("getcwd", "", 1, 0),
    leader("getpid", "", 1, 0),
    leader("heredoc", "", 2, 0),
    leader("homeof", "", 1, 0),
    leader("if", "x", 0, 1),
    leader("ifelse", "", 0, 2),
    leader("ifte", "", 0, 2),
    leader("ifthenelse", "", 0, 3),
    leader("importas", "Dd", 2, 0),
    holder("multidefine", "d", 1, 1),
    holder("multisubstitute", "", 0, 1),
    leader("pipeline", "", 0, 1),
    leader("piperw", "", 2, 0),
    leader("redirfd", "", 2, 0),
    leader("s6-envdir", "l", 1, 0),
    leader("s6-envuidgid", "tD", 1, 0),
    leader("s6-notifyoncheck", "3sTtwnc", 0, 0),
    leader("s6-setlock", "t", 1, 0),
    leader("s6-setsid", "d", 0, 0),
    leader("s6-setuidgid", "", 1, 0),
    leader("s6-softlimit", "acdflmoprst", 0, 0),
    holder("trap", "", 0, 1),
    leader("tryexec", "a", 0, 1),
    leader("umask", "", 1, 0),
    leader("unexport", "", 1, 0),
    holder("wait", "t", 0, 1),
    leader("with-contenv", "", 0, 0),
    leader("withstdinas", "D", 1, 0),
];

/// Programs that do their work and end. The words after them are arguments.
pub const ENDS: &[&str] = &[
    "addgroup", "adduser", "apk", "apt", "apt-get", "cat", "chgrp", "chmod", "chown", "chpasswd", "cp",
    "curl", "echo", "groupadd", "groupmod", "install", "ip", "iptables", "kill", "ln", "mkdir", "mkfifo",
    "mknod", "mount", "mv", "printf", "rm", "rmdir", "sed", "sleep", "sysctl", "tar", "touch", "umount",
    "useradd", "usermod", "wget", "s6-chmod", "s6-chown", "s6-echo", "s6-ln", "s6-mkdir", "s6-rmrf",
    "s6-touch",
];

/// A program that runs no other program, and the first word of the next line, which becomes its argument.
pub struct Swallowed<'a> {
    /// The program.
    pub by: ExeclineWord<'a>,
    /// The word.
    pub word: ExeclineWord<'a>,
}

/// The first command of an execline text that becomes an argument of the command before it. `stays` says that the text is the
/// `run` of a longrun, so its last program is one that keeps running.
pub fn swallowed<'a>(words: &[ExeclineWord<'a>], stays: bool) -> Option<Swallowed<'a>> {
    let mut at = 0;
    while let Some(program) = words.get(at) {
        let found = LEADERS.binary_search_by(|leader| leader.name.cmp(program.program()));
        let Some(leader) = found.ok().and_then(|number| LEADERS.get(number)) else {
            return lost_line(&words[at..], stays);
        };
        at = behind_options(words, at + 1, leader.valued) + leader.words;
        for _ in 0..leader.blocks {
            let open = *words.get(at).filter(|word| word.text == "{")?;
            let inner = words[at + 1..].iter().take_while(|word| word.depth > open.depth).count();
            let block = &words[at + 1..at + 1 + inner];
            if leader.runs_blocks
                && let Some(found) = swallowed(block, false)
            {
                return Some(found);
            }
            // The closing brace.
            at += inner + 2;
        }
    }
    None
}

/// A command of an execline text: a program with its arguments, without the blocks and programs in front of it.
pub struct ExeclineCall<'w, 'a> {
    /// The programs in front of it that become this program, with their arguments and without their blocks.
    pub before: Vec<&'w ExeclineWord<'a>>,
    /// The program and its arguments.
    pub words: &'w [ExeclineWord<'a>],
    /// What the text does with it.
    pub place: CallPlace,
}

/// Where a command stands in an execline text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallPlace {
    /// At the end: the text becomes this program.
    End,
    /// In a block of `foreground` or of `if`, which waits for it.
    Waits,
    /// In a block of `background`.
    Background,
    /// In another block, which may run or not.
    Block,
}

/// The commands of an execline text in order. What stands in a block that holds no command line is left out.
pub fn calls<'w, 'a>(words: &'w [ExeclineWord<'a>]) -> Vec<ExeclineCall<'w, 'a>> {
    let mut calls = Vec::new();
    let mut todo = vec![(words, CallPlace::End)];
    while let Some((words, place)) = todo.pop() {
        let mut at = 0;
        let (mut inner, mut before) = (Vec::new(), Vec::new());
        while let Some(program) = words.get(at) {
            let found = LEADERS.binary_search_by(|leader| leader.name.cmp(program.program()));
            let Some(leader) = found.ok().and_then(|number| LEADERS.get(number)) else {
                calls.push(ExeclineCall { before, words: &words[at..], place });
                break;
            };
            let waits = matches!(leader.name, "foreground" | "if");
            let block_place = match (place, leader.name) {
                (CallPlace::End | CallPlace::Waits, "foreground" | "if") if waits => CallPlace::Waits,
                (_, "background") => CallPlace::Background,
                _ => CallPlace::Block,
            };
            let start = at;
            at = behind_options(words, at + 1, leader.valued) + leader.words;
            before.extend(words.iter().take(at).skip(start));
            for _ in 0..leader.blocks {
                let Some(open) = words.get(at).filter(|word| word.text == "{") else { break };
                let count = words[at + 1..].iter().take_while(|word| word.depth > open.depth).count();
                if leader.runs_blocks {
                    inner.push((&words[at + 1..at + 1 + count], block_place));
                }
                // The closing brace.
                at += count + 2;
            }
        }
        todo.extend(inner);
    }
    calls.sort_by_key(|call| call.words[0].start);
    calls
}

fn behind_options(words: &[ExeclineWord<'_>], mut at: usize, valued: &str) -> usize {
    while let Some(letters) = words.get(at).and_then(|word| word.text.strip_prefix('-')) {
        at += 1;
        if letters == "-" {
            break;
        }
        // `-D value`, but `-Dvalue`; a long option holds its value itself.
        if !letters.starts_with('-') && letters.ends_with(|letter| valued.contains(letter)) {
            at += 1;
        }
    }
    at
}

/// The line after a program that ends, if the line is a command and not a list of arguments.
fn lost_line<'a>(words: &[ExeclineWord<'a>], stays: bool) -> Option<Swallowed<'a>> {
    let (by, rest) = words.split_first()?;
    if !ENDS.contains(&by.program()) {
        return None;
    }
    let is_command = |word: &ExeclineWord<'_>| {
        let program = word.program();
        let is_known = ENDS.contains(&program) || LEADERS.iter().any(|leader| leader.name == program);
        is_known || (stays && !word.text.starts_with(['-', '"', '$']))
    };
    // All lines of a block have the same indentation. Elsewhere an indented line continues the line before.
    let is_indented = by.first_of_line && by.continues;
    let word = rest.iter().find(|word| {
        word.first_of_line
            && word.depth == by.depth
            && (is_indented || !word.continues)
            && !matches!(word.text, "{" | "}")
    })?;
    is_command(word).then_some(Swallowed { by: *by, word: *word })
}

/// Whether a program runs the words after it.
pub fn runs_its_arguments(program: &str) -> bool {
    let is_known = LEADERS.iter().any(|leader| leader.name == program);
    is_known
        || program.starts_with("s6-")
        || SUBSTITUTES.contains(&program)
        || RUN_ARGUMENTS.contains(&program)
}

/// Other programs and shell builtins that run the words after them.
const RUN_ARGUMENTS: &[&str] = &["env", "envfile", "eval", "loopwhilex", "nice"];

/// Programs with an argument that is a script, and the letters of the option before it.
const INTERPRETERS: &[(&str, &str)] = &[
    ("sh", "c"),
    ("bash", "c"),
    ("dash", "c"),
    ("ash", "c"),
    ("zsh", "c"),
    ("ksh", "c"),
    ("mksh", "c"),
    ("su", "c"),
    ("runuser", "c"),
    ("sg", "c"),
    ("flock", "c"),
    ("script", "c"),
    ("execlineb", "c"),
    ("python", "c"),
    ("perl", "eE"),
    ("ruby", "e"),
    ("node", "e"),
    ("lua", "e"),
    ("php", "r"),
];

/// Programs that take their first argument for a script, or that run all their arguments as one.
const SCRIPT_FIRST: &[&str] =
    &["awk", "gawk", "mawk", "nawk", "sed", "eval", "watch", "ssh", "parallel", "expect"];
/// Further shells and interpreters with `-c` or `-e`. A word of theirs is not a script in every case.
const MORE_INTERPRETERS: &[(&str, &str)] = &[
    ("csh", "c"),
    ("tcsh", "c"),
    ("fish", "c"),
    ("psql", "c"),
    ("mysql", "e"),
    ("mariadb", "e"),
    ("Rscript", "e"),
    ("julia", "eE"),
    ("node", "p"),
    ("nodejs", "ep"),
    ("bun", "ep"),
    ("php", "BER"),
    ("env", "S"),
];

/// The name of a program without its path and version: `/usr/bin/python3.11` is `python`.
pub fn base_name(word: &str) -> &str {
    let name = word.rsplit('/').next().unwrap_or_default();
    name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.')
}

/// How many words of a command may be programs that read scripts. For each of them all later words are searched.
const MOST_PROGRAMS: usize = 200;

/// The words of a command that are scripts, as after `sh -c`, even if another program starts the shell.
pub fn script_words(words: &[String]) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for (place, word) in words.iter().enumerate().take(MOST_PROGRAMS) {
        let Some((_, letters)) = INTERPRETERS.iter().find(|(program, _)| *program == base_name(word)) else {
            continue;
        };
        let is_option = |word: &String| {
            let letter_of = word.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
            letter_of.is_some_and(|rest| rest.contains(|c| letters.contains(c)))
                || word.starts_with("--command")
        };
        let Some(option) = words[place + 1..].iter().position(is_option).map(|behind| place + 1 + behind)
        else {
            continue;
        };
        if words[option].starts_with("--command=") {
            found.insert(option);
            continue;
        }
        // Further options may follow, as in `bash -c -e SCRIPT` and `sh -c -- SCRIPT`.
        let script = words[option + 1..].iter().position(|word| !word.starts_with(['-', '+']));
        found.extend(script.map(|behind| option + 1 + behind));
    }
    found
}

/// Whether a program runs a script that it is given, as an argument or in a file.
pub fn runs_scripts(program: &str) -> bool {
    let interpreters = INTERPRETERS.iter().chain(MORE_INTERPRETERS).map(|(name, _)| name);
    interpreters.chain(SCRIPT_FIRST).any(|name| *name == program) && !matches!(program, "env" | "flock")
}

/// Whether a word is a redirection of a shell, with or without its file.
pub fn is_redirection(text: &str) -> bool {
    let rest = text.strip_prefix(['1', '2', '&']).unwrap_or(text);
    match rest.strip_prefix('>') {
        Some(target) => {
            let target = target.trim_start_matches(['>', '&', '|']);
            target.is_empty() || target.starts_with(['/', '.', '1', '2', '$'])
        }
        None => matches!(text, "<" | "<<" | "<<<") || text.starts_with("</"),
    }
}

/// Whether a word is `NAME=value`.
pub fn is_assignment(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !name.starts_with(|c: char| c.is_ascii_digit())
    })
}

/// The words of a command that some program could read as code: more than [`script_words`], which names only those that are
/// scripts for certain.
pub fn code_words(words: &[String]) -> BTreeSet<usize> {
    let mut found = script_words(words);
    for (place, word) in words.iter().enumerate().take(MOST_PROGRAMS) {
        let program = base_name(word);
        if SCRIPT_FIRST.contains(&program) {
            found.extend(place + 1..words.len());
        }
        let known = INTERPRETERS.iter().chain(MORE_INTERPRETERS).filter(|(name, _)| *name == program);
        for letters in known.map(|(_, letters)| letters) {
            let is_option = |word: &String| {
                let long =
                    ["--command", "--eval", "--print", "--execute", "--split-string", "--session-command"];
                let short = word.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
                long.iter().any(|option| word.starts_with(option))
                    || short.is_some_and(|rest| rest.contains(|c| letters.contains(c)))
            };
            let Some(option) = words[place + 1..].iter().position(is_option).map(|at| place + 1 + at) else {
                continue;
            };
            // The script may stand in the same word, or behind further options.
            found.insert(option);
            let script = words[option + 1..].iter().position(|word| !word.starts_with(['-', '+']));
            found.extend(script.map(|behind| option + 1 + behind));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::LEADERS;

    #[test]
    fn the_programs_are_sorted_because_they_are_searched() {
        assert!(LEADERS.is_sorted_by(|left, right| left.name < right.name));
    }
}
