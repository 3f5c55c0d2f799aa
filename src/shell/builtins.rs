//! The words that a shell keeps for itself.

/// Words that a shell runs without a program, or reads as syntax: those of POSIX, dash, BusyBox, Bash and ksh together.
/// Which of these shells an image has as `/bin/sh` is not known here.
const OWN_WORDS: &[&str] = &[
    ".", ":", "[", "[[", "]]", "alias", "autoload", "bg", "bind", "break", "builtin", "caller", "case", 
    "cd", "chdir", "command", "compgen", "complete", "compopt", "continue", "coproc", "declare", "dirs", "disown",
    "do", "done", "echo", "elif", "else", "enable", "esac", "eval", "exec", "exit", "export", "false", "fc", "fg",
    "fi", "for", "function", "functions", "getopts", "hash", "help", "hist", "history", "if", "in",
    "integer", "jobs", "kill", "let", "local", "logout", "mapfile", "nameref", "newgrp", "popd", "print",
    "printf", "pushd", "pwd", "read", "readarray", "readonly", "return", "select",
    "set", "shift", "shopt", "source", "suspend", "test", "then", "time", "times", "trap",
    "true", "type", "typeset", "ulimit", "umask", "unalias", "unset", "until", "wait", "whence", "while",
];

/// Whether a shell has a meaning of its own for this word.
pub(super) fn is_own_word(word: &str) -> bool {
    OWN_WORDS.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::OWN_WORDS;

    #[test]
    fn the_words_are_sorted() {
        assert!(OWN_WORDS.is_sorted());
    }
}
