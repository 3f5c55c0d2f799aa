//! The programs that a script or command line of a service calls, each with its words and with what happens to it.

use super::definition::ScriptUse;
use crate::diagnostic::Origin;
use crate::execline::{SHELLS, base_name};

/// A call of a program.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The program and its arguments.
    pub words: Vec<CallWord>,
    /// What the script does with it.
    pub role: CallRole,
    /// How many of its words belong to programs that become the program after them, such as `exec` and `env`.
    pub(super) before: usize,
}

/// A word of a call.
#[derive(Debug, Clone)]
pub struct CallWord {
    /// Its text. `None` if it is known only when the script runs.
    pub text: Option<String>,
    /// Its place.
    pub origin: Origin,
}

/// What a script does with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallRole {
    /// The script becomes this program, or has nothing more to do after it.
    Process,
    /// The script waits for its end, and goes on.
    Waits,
    /// The script goes on at once, and the program runs beside it.
    Background,
    /// It may run or not, and more may follow.
    Nested,
}

/// Programs that become the program after their own arguments, or end with it. Those that hold a program that goes into the
/// background, such as `fghack` and `strace -f`, are not here. For each the letters of its options that take a value, and
/// the number of words before that program.
const WRAPPERS: &[(&str, &str, usize)] = &[
    ("busybox", "", 0),
    ("catatonit", "", 0),
    ("cgexec", "g", 0),
    ("chpst", "uUe/Pn", 0),
    ("chroot", "", 1),
    ("command", "", 0),
    ("dumb-init", "", 0),
    ("env", "uCS", 0),
    ("exec", "a", 0),
    ("fdmove", "", 2),
    ("gosu", "", 1),
    ("ionice", "cn", 0),
    ("nice", "n", 0),
    ("nohup", "", 0),
    ("numactl", "CNilmp", 0),
    ("s6-envdir", "l", 1),
    ("s6-envuidgid", "tD", 1),
    ("s6-fdmove", "", 2),
    ("s6-notifyoncheck", "3sTtwnc", 0),
    ("s6-setuidgid", "", 1),
    ("s6-softlimit", "acdflmoprst", 0),
    ("setpriv", "", 0),
    ("stdbuf", "ioe", 0),
    ("su-exec", "", 1),
    ("taskset", "", 1),
    ("timeout", "ks", 1),
    ("tini", "pg", 0),
    ("unshare", "GRSlw", 0),
    ("with-contenv", "", 0),
];

impl Invocation {
    /// The call with these words.
    pub(super) fn new(words: Vec<CallWord>, role: CallRole) -> Invocation {
        Invocation::after(0, words, role)
    }

    /// The call with these words, of which the first `before` belong to programs that become the program after them.
    pub(super) fn after(before: usize, words: Vec<CallWord>, role: CallRole) -> Invocation {
        let before = before + wrappers(&words[before..]);
        Invocation { words, role, before }
    }

    /// The name of the program itself, without its directory. `None` if it is known only at run time.
    pub fn program(&self) -> Option<&str> {
        self.path().map(|path| path.rsplit('/').next().unwrap_or(path))
    }

    /// The program itself, as written. `None` if it is known only at run time.
    pub fn path(&self) -> Option<&str> {
        self.words.get(self.before)?.text.as_deref()
    }

    /// The script that it certainly runs, and how. The path has a slash, and is the same whenever the call is made.
    pub fn script(&self) -> Option<(&str, ScriptUse)> {
        let is_elsewhere = |word: &str| matches!(word, "chroot" | "-C");
        if self.role == CallRole::Nested
            || self.wrappers().iter().any(|word| word.text.as_deref().is_none_or(is_elsewhere))
        {
            return None;
        }
        let is_reader =
            self.program().is_some_and(|program| SHELLS.contains(&program) || program == "execlineb");
        let is_option = |word: &str| word.starts_with('-');
        let (path, how) = match is_reader {
            true => {
                let mut words = self.arguments().iter().map(|word| word.text.as_deref());
                (words.find(|word| word.is_none_or(|word| !is_option(word)))??, ScriptUse::Reads)
            }
            false => (self.path()?, ScriptUse::Runs),
        };
        // The shell takes an option such as `-c` for the script itself.
        let mut texts = self.arguments().iter().filter_map(|word| word.text.as_deref());
        let takes_text = is_reader && texts.any(|word| is_option(word) && word.contains(['c', 's']));
        let is_plain = path.contains('/')
            && path.trim_start_matches("./").split('/').skip(1).all(|part| !matches!(part, "" | "." | ".."));
        (is_plain && !takes_text && !path.starts_with("..")).then_some((path, how))
    }

    /// Puts words of programs in front of it that become the program after them.
    pub(super) fn behind(&mut self, wrappers: &[CallWord]) {
        self.words.splice(0..0, wrappers.iter().cloned());
        self.before += wrappers.len();
    }

    /// Whether another program ends it after a time.
    pub fn is_timed(&self) -> bool {
        let words = self.words[..self.before].iter();
        words.filter_map(|word| word.text.as_deref()).any(|word| base_name(word) == "timeout")
    }

    /// The place of the program itself.
    pub fn origin(&self) -> Option<Origin> {
        Some(self.words.get(self.before)?.origin)
    }

    /// The words before it, of programs that become the program after them.
    pub fn wrappers(&self) -> &[CallWord] {
        &self.words[..self.before]
    }

    /// The arguments of the program itself.
    pub fn arguments(&self) -> &[CallWord] {
        self.words.get(self.before + 1..).unwrap_or_default()
    }

    /// The texts of these arguments.
    pub fn texts(&self) -> Vec<Option<&str>> {
        self.arguments().iter().map(|word| word.text.as_deref()).collect()
    }
}

/// The number of words of the wrappers at the beginning of a command.
fn wrappers(words: &[CallWord]) -> usize {
    let text = |at: usize| words.get(at).and_then(|word: &CallWord| word.text.as_deref());
    let mut at = 0;
    while let Some(word) = text(at) {
        let Some((name, valued, count)) = WRAPPERS.iter().find(|(name, ..)| *name == base_name(word)) else {
            break;
        };
        let mut next = at + 1;
        while let Some(option) = text(next).filter(|option| option.starts_with('-') && option.len() > 1) {
            next += 1;
            if option == "--" {
                break;
            }
            // `-n 5`, but `-n5` and `--adjustment=5`.
            let letter =
                option.strip_prefix('-').and_then(|rest| rest.chars().next().filter(|_| rest.len() == 1));
            next += usize::from(letter.is_some_and(|letter| valued.contains(letter)));
        }
        next += count;
        if *name == "env" {
            next += words[next.min(words.len())..].iter().take_while(|word| is_assignment(word)).count();
        }
        if next >= words.len() {
            break;
        }
        at = next;
    }
    at
}

fn is_assignment(word: &CallWord) -> bool {
    word.text.as_deref().is_some_and(|text| text.contains('=') && !text.starts_with(['-', '/', '=']))
}
