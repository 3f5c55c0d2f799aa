//! The programs that a script or command line of a service calls, each with its words and with what happens to it.

use std::ops::Range;

use super::program::{Language, Program, ProgramForm};
use crate::diagnostic::{Origin, Positions};
use crate::execline::{self, CallPlace, base_name, script_words};
use crate::shell::{ShellScript, StepRole};

/// A call of a program.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The program and its arguments.
    pub words: Vec<CallWord>,
    /// What the script does with it.
    pub role: CallRole,
    /// How many of its words belong to programs that become the program after them, such as `exec` and `env`.
    before: usize,
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

/// Programs that become the program after their own arguments: the letters of their options that take a value, and the number
/// of words before that program.
const WRAPPERS: &[(&str, &str, usize)] = &[
    ("catatonit", "", 0),
    ("chpst", "uUe/Pn", 0),
    ("chroot", "", 1),
    ("command", "", 0),
    ("dumb-init", "", 0),
    ("env", "uCS", 0),
    ("exec", "a", 0),
    ("gosu", "", 1),
    ("ionice", "cn", 0),
    ("nice", "n", 0),
    ("nohup", "", 0),
    ("s6-envdir", "l", 1),
    ("s6-envuidgid", "tD", 1),
    ("s6-setuidgid", "", 1),
    ("s6-softlimit", "acdflmoprst", 0),
    ("setpriv", "", 0),
    ("stdbuf", "ioe", 0),
    ("su-exec", "", 1),
    ("tini", "pg", 0),
    ("with-contenv", "", 0),
];

impl Invocation {
    /// The call with these words.
    fn new(words: Vec<CallWord>, role: CallRole) -> Invocation {
        Invocation::after(0, words, role)
    }

    /// The call with these words, of which the first `before` belong to programs that become the program after them.
    fn after(before: usize, words: Vec<CallWord>, role: CallRole) -> Invocation {
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

/// How deep scripts in the arguments of a shell are read.
const DEEPEST: usize = 4;

impl Program {
    /// The programs that it calls, in order. What cannot be read has none.
    pub fn calls(&self) -> Vec<Invocation> {
        let mut calls = Vec::new();
        match &self.form {
            ProgramForm::Arguments(words, _) => {
                let word = |(text, place): &(String, Positions)| CallWord {
                    text: Some(text.clone()),
                    origin: place.whole(),
                };
                add(
                    Invocation::new(words.iter().map(word).collect(), CallRole::Process),
                    DEEPEST,
                    &mut calls,
                );
            }
            ProgramForm::CommandLine(_) | ProgramForm::Script(_, Language::Execline) => {
                let words = self.words();
                for call in execline::calls(&words) {
                    let word = |word: &execline::ExeclineWord<'_>| CallWord {
                        text: word.plain(),
                        origin: self.at(word.span()),
                    };
                    let role = match call.place {
                        CallPlace::End => CallRole::Process,
                        CallPlace::Waits => CallRole::Waits,
                        CallPlace::Background => CallRole::Background,
                        CallPlace::Block => CallRole::Nested,
                    };
                    let words = call.before.iter().copied().chain(call.words).map(word).collect();
                    add(Invocation::after(call.before.len(), words, role), DEEPEST, &mut calls);
                }
            }
            ProgramForm::Script(text, Language::Shell) => {
                let at = |span| self.at(span);
                add_script(&text.text, &at, CallRole::Process, DEEPEST, &mut calls);
            }
            ProgramForm::Script(..) => {}
        }
        calls
    }
}

/// Adds a call. If it is a shell with a script as an argument, adds the calls of the script instead.
fn add(call: Invocation, depth: usize, calls: &mut Vec<Invocation>) {
    let inner = || {
        let program = call.program()?;
        if depth == 0 || !execline::SHELLS.contains(&program) {
            return None;
        }
        let texts: Option<Vec<String>> =
            call.words[call.before..].iter().map(|word| word.text.clone()).collect();
        let texts = texts?;
        let number = script_words(&texts).into_iter().next()?;
        let (text, origin) = (texts.get(number)?.clone(), call.words[call.before + number].origin);
        Some((text, origin))
    };
    match inner() {
        Some((text, origin)) => add_script(&text, &|_| origin, call.role, depth - 1, calls),
        None => calls.push(call),
    }
}

/// Adds the calls of a shell script; `role` is that of the script itself.
fn add_script(
    text: &str,
    at: &dyn Fn(Range<usize>) -> Origin,
    role: CallRole,
    depth: usize,
    calls: &mut Vec<Invocation>,
) {
    let Some(script) = ShellScript::read(text) else { return };
    let functions = script.functions();
    for step in script.steps() {
        let mut words = step.command.words();
        // A function of the script is no program.
        if let Some((name, _)) = words
            .first_mut()
            .filter(|(name, _)| name.as_deref().is_some_and(|name| functions.contains(&name)))
        {
            *name = None;
        }
        let is_exec =
            words.first().is_some_and(|(word, _)| word.as_deref() == Some("exec")) && words.len() > 1;
        let own = match step.role {
            StepRole::Waits | StepRole::Last if is_exec => CallRole::Process,
            StepRole::Last => CallRole::Process,
            StepRole::Waits => CallRole::Waits,
            StepRole::Background => CallRole::Background,
            StepRole::Nested => CallRole::Nested,
        };
        // What happens to a script happens to the last program in it.
        let role = match (own, role) {
            (CallRole::Process, role) => role,
            (own, CallRole::Process | CallRole::Waits) => own,
            _ => CallRole::Nested,
        };
        let words = words.into_iter().map(|(text, span)| CallWord { text, origin: at(span) }).collect();
        add(Invocation::new(words, role), depth, calls);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Files;

    /// The calls of a script, each with its role and its program with its arguments.
    fn calls(text: &str) -> Vec<String> {
        let file = Files::default().add("run", text);
        let program = Program::script("run", text.as_bytes(), Origin::whole(file));
        let shown = |call: Invocation| {
            let words: Vec<&str> = call.texts().into_iter().map(|word| word.unwrap_or("?")).collect();
            let name = call.program().unwrap_or("?").to_owned();
            format!("{:?}: {}", call.role, [&[name.as_str()], &words[..]].concat().join(" "))
        };
        program.calls().into_iter().map(shown).collect()
    }

    #[test]
    fn the_steps_of_a_shell_script_have_their_roles() {
        let script = "#!/bin/sh -e\nmkdir -p /run/x && chown app /run/x\nhelper &\nif test -e /x; then touch /y; fi\n\
                      f() { inside; }\na | b\nexec s6-setuidgid app env -u C A=b web --port \"$PORT\" 'a b' # end\n";
        let expected = [
            "Waits: mkdir -p /run/x",
            "Waits: chown app /run/x",
            "Background: helper",
            "Nested: test -e /x",
            "Nested: touch /y",
            "Nested: a",
            "Nested: b",
            "Process: web --port ? a b",
        ];
        assert_eq!(calls(script), expected);
        assert_eq!(calls("#!/bin/sh\nexec env A=b web $X\n"), ["Process: web ?"]);
        assert_eq!(calls("#!/bin/sh\nweb > /dev/null 2>&1\n"), ["Process: web"]);
        assert_eq!(calls("#!/bin/sh\nweb &\nwait\n"), ["Background: web", "Process: wait"]);
        assert_eq!(calls("#!/bin/sh\nexec nice -n 5 /usr/bin/web -x\n"), ["Process: web -x"]);
        assert_eq!(calls("#!/bin/sh\nsu app -c 'exec web'\n"), ["Process: su app -c exec web"]);
        assert_eq!(calls("#!/bin/sh\nexec sh -c 'prepare; exec web'\n"), ["Waits: prepare", "Process: web"]);
        assert_eq!(calls("#!/bin/sh\nif x\n"), [] as [&str; 0]);
    }

    #[test]
    fn the_blocks_of_execline_have_their_roles() {
        let script = "#!/command/execlineb -P\nforeground { mkdir /x }\nbackground { helper }\nimportas A A\n\
                      ifelse { test -e /y } { other } s6-setuidgid app web \"a b\" ${A}\n";
        let expected = [
            "Waits: mkdir /x",
            "Background: helper",
            "Nested: test -e /y",
            "Nested: other",
            "Process: web a b ?",
        ];
        assert_eq!(calls(script), expected);
    }
}
