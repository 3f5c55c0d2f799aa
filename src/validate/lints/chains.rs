//! execline runs one program, which runs the rest of its command line, and so on to the last one. What follows a program
//! that does not go on is its arguments, however many lines that is.

use crate::diagnostic::{Code, Diagnostic, Origin, Problems};
use crate::model::Index;

use super::definitions;
use super::script::{Language, Written, started, written};

/// A program that runs the rest of its command line, and what it takes before that.
struct Leader {
    name: &'static str,
    /// The letters of its options that take a value.
    valued: &'static str,
    /// How many words follow the options.
    words: usize,
    /// How many blocks follow those.
    blocks: usize,
    /// Whether these blocks are command lines themselves.
    runs_blocks: bool,
}

const fn leader(name: &'static str, valued: &'static str, words: usize, blocks: usize) -> Leader {
    Leader { name, valued, words, blocks, runs_blocks: true }
}

/// As [`leader`], with blocks that hold words.
const fn holder(name: &'static str, valued: &'static str, words: usize, blocks: usize) -> Leader {
    Leader { runs_blocks: false, ..leader(name, valued, words, blocks) }
}

/// execline's own, and those of s6 and s6-overlay that stand in scripts.
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
    leader("getcwd", "", 1, 0),
    leader("getpid", "", 1, 0),
    leader("heredoc", "", 2, 0),
    leader("homeof", "", 1, 0),
    leader("if", "x", 0, 1),
    leader("ifelse", "", 0, 2),
    leader("ifte", "", 0, 2),
    leader("ifthenelse", "", 0, 3),
    leader("importas", "Dd", 2, 0),
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
    leader("tryexec", "a", 0, 1),
    leader("umask", "", 1, 0),
    leader("unexport", "", 1, 0),
    leader("with-contenv", "", 0, 0),
    leader("withstdinas", "D", 1, 0),
    holder("forx", "pox", 1, 1),
    holder("multidefine", "d", 1, 1),
    holder("multisubstitute", "", 0, 1),
    holder("trap", "", 0, 1),
    holder("wait", "t", 0, 1),
];

/// Programs that end when they are done: what stands behind them are their arguments.
pub(super) const ENDS: &[&str] = &[
    "addgroup", "adduser", "apk", "apt", "apt-get", "cat", "chgrp", "chmod", "chown", "chpasswd", "cp",
    "curl", "echo", "groupadd", "groupmod", "install", "ip", "iptables", "kill", "ln", "mkdir", "mkfifo",
    "mknod", "mount", "mv", "printf", "rm", "rmdir", "sed", "sleep", "sysctl", "tar", "touch", "umount",
    "useradd", "usermod", "wget", "s6-chmod", "s6-chown", "s6-echo", "s6-ln", "s6-mkdir", "s6-rmrf",
    "s6-touch",
];

/// A program that does not go on, and the first word of the line that it takes for arguments.
pub(super) struct Swallowed<'a> {
    pub(super) by: Written<'a>,
    pub(super) word: Written<'a>,
}

/// The first command of an execline text that another one takes for its arguments. `stays` says that its last program
/// is the process of a service, which cannot be one that ends.
pub(super) fn swallowed<'a>(words: &[Written<'a>], stays: bool) -> Option<Swallowed<'a>> {
    let mut at = 0;
    while let Some(program) = words.get(at) {
        let Some(leader) = LEADERS.iter().find(|leader| leader.name == program.program()) else {
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

fn behind_options(words: &[Written<'_>], mut at: usize, valued: &str) -> usize {
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

/// The line behind a program that ends, if it is a command and not a list of arguments.
fn lost_line<'a>(words: &[Written<'a>], stays: bool) -> Option<Swallowed<'a>> {
    let (by, rest) = words.split_first()?;
    if !ENDS.contains(&by.program()) {
        return None;
    }
    let is_command = |word: &Written<'_>| {
        let program = word.program();
        let is_known = ENDS.contains(&program) || LEADERS.iter().any(|leader| leader.name == program);
        is_known || (stays && !word.text.starts_with(['-', '"', '$']))
    };
    // Lines of a block are indented as its first one is; elsewhere an indented line goes on with the one before.
    let is_indented = by.first_of_line && by.continues;
    let word = rest.iter().find(|word| {
        word.first_of_line
            && word.depth == by.depth
            && (is_indented || !word.continues)
            && !matches!(word.text, "{" | "}")
    })?;
    is_command(word).then_some(Swallowed { by: *by, word: *word })
}

/// The programs of execline scripts reach their last line.
pub(in crate::validate) fn reach_their_end(index: &Index<'_>, problems: &mut Problems) {
    for (service, definition) in definitions(index) {
        for script in started(service, definition) {
            if script.language != Language::Execline {
                continue;
            }
            // Only `execlineb` with a list of arguments puts something else than the text in front.
            let words = written(script.text);
            let Some(Swallowed { by, word }) = swallowed(&words, script.file == "run") else { continue };
            let at = |word: &Written<'_>| Origin::new(script.origin.file, word.span());
            let (file, name, ended) = (script.file, &service.name, by.program());
            let behind = words.iter().skip_while(|other| other.start <= word.start);
            let started = match word.program() {
                "exec" => behind.map(Written::program).find(|word| !word.starts_with('-')).unwrap_or("exec"),
                program => program,
            };
            problems.push(
                Diagnostic::new(
                    Code::JoinedLines,
                    format!("`{file}` of `{name}` never starts `{started}`: it is an argument of `{ended}`"),
                )
                .at(at(&word), format!("`{ended}` gets this as an argument"))
                .at(at(&by), "this ends when it is done, and goes on to nothing")
                .note("a line end is only a blank for execline: a file is one command line")
                .help(in_a_block(ended)),
            );
        }
    }
}

/// How what follows a program that ends is reached.
pub(super) fn in_a_block(program: &str) -> String {
    format!(
        "put it into a block, so that the next line follows it: `foreground {{ {program} … }}`, or `if {{ {program} … }}` \
         to stop where it fails"
    )
}
