//! Reads a program once, for all rules: what it calls, and what its shell does.

use std::collections::BTreeSet;
use std::ops::Range;

use super::call::{CallRole, CallWord, Invocation};
use super::program::{Language, Program, ProgramForm};
use super::{Script, Service};
use crate::diagnostic::{Origin, Positions};
use crate::execline::{self, CallPlace, base_name, script_words};
use crate::parallel;
use crate::shell::{EndingKind, ShellScript, ShellWord, StepRole, is_of_container};

/// What the rules know of a program. It keeps no part of the syntax tree, which is large.
#[derive(Debug, Clone, Default)]
pub struct ProgramReading {
    /// The programs that it calls, in order. What cannot be read has none.
    pub calls: Vec<Invocation>,
    /// The programs with which a shell script ends although its shell stays.
    pub endings: Vec<ScriptEnding>,
    /// The conditions of every `trap` of a shell script outside of functions and other compound commands, as written.
    pub traps: Vec<String>,
    /// The last program that a shell script waits for, as written, and its place.
    pub last_program: Option<(String, Origin)>,
    /// The commands whose output goes into a file.
    pub outputs: Vec<CallOutput>,
    /// The first `export` of a shell script that runs nothing which could use it.
    pub vain_export: Option<(String, Origin)>,
    /// Whether the process of a longrun is this program: its `run`, or a script of its definition that `run` becomes.
    pub is_process: bool,
    /// The variables in capitals that a script uses and never sets, with the first place of each.
    pub foreign_variables: Vec<(String, Origin)>,
}

/// A command whose output goes into a file.
#[derive(Debug, Clone)]
pub struct CallOutput {
    /// Its words, as written.
    pub words: Vec<String>,
    /// The place of the first of them.
    pub name: Option<Origin>,
    /// The path of the file as written, with expansions but without quotes around it.
    pub path: String,
    /// The place of the path.
    pub origin: Origin,
}

/// A program with which a shell script ends, and the shell waits for it.
#[derive(Debug, Clone)]
pub struct ScriptEnding {
    /// Its call.
    pub call: Invocation,
    /// The first word of the call, as written.
    pub word: String,
    /// The bytes of the call in the text of the program.
    pub span: Range<usize>,
    /// How the shell waits.
    pub kind: EndingKind,
    /// Whether the script does nothing more, whatever the program does.
    pub is_last: bool,
}

/// The number of bytes of scripts and commands that are read, in the order of the services. Public images have at most 83 KB;
/// the grammar of a shell needs seconds for a few MiB.
const MOST_BYTES: usize = 2 << 20;
/// The number of programs from which on a second thread saves more time than it costs.
const MANY: usize = 32;

/// What the rules know of each of these programs. Programs after the first 2 MiB are not read.
pub fn readings(programs: &[&Program]) -> Vec<ProgramReading> {
    let mut left = MOST_BYTES;
    let within = |program: &&&Program| {
        left = left.saturating_sub(program.size());
        left > 0
    };
    let count = programs.iter().take_while(within).count();
    let mut readings = parallel::map(&programs[..count], MANY, |program| program.read());
    readings.resize_with(programs.len(), ProgramReading::default);
    readings
}

/// How many scripts a `run` may become, each the one after it.
const MOST_SCRIPTS: usize = 4;

/// Marks the programs that are the process of a service: `run`, and the scripts of its own that `run` becomes. The words in front of
/// such a script, such as `s6-setuidgid`, count in front of what the script becomes.
pub fn mark_processes(service: &Service, readings: &mut [ProgramReading]) {
    let programs = &service.programs;
    let run = programs.iter().position(|program| program.file == "run");
    let Some(mut at) = run.filter(|_| service.longrun().is_some()) else { return };
    for _ in 0..MOST_SCRIPTS {
        let Some(reading) = readings.get_mut(at) else { return };
        reading.is_process = true;
        let Some(call) = reading.calls.iter().rev().find(|call| call.role == CallRole::Process) else {
            return;
        };
        let Some((path, _)) = call.script() else { return };
        let is_it = |(number, program): &(usize, &Program)| {
            *number != at && program.file.contains('/') && is_script_at(service, &program.file, path)
        };
        let Some((next, _)) = programs.iter().enumerate().find(is_it) else { return };
        let wrappers = call.wrappers().to_vec();
        for call in &mut readings[next].calls {
            if call.role == CallRole::Process {
                call.behind(&wrappers);
            }
        }
        at = next;
    }
}

/// Whether a path of a `run` leads to the file of its definition.
fn is_script_at(service: &Service, file: &str, path: &str) -> bool {
    if path.starts_with('/') {
        return path.strip_suffix(file).is_some_and(|head| head.ends_with(&format!("/{}/", service.name)));
    }
    let moves = match &service.kind {
        super::Kind::Longrun(longrun) => {
            matches!(&longrun.run, Script::Run(run) if run.surroundings.workdir.is_some())
        }
        _ => true,
    };
    let below = path.trim_start_matches("./");
    // After `cd data` the path has only the rest.
    !moves && file.strip_suffix(below).is_some_and(|head| head.is_empty() || head.ends_with('/'))
}

/// How deep scripts in the arguments of a shell are read.
const DEEPEST: usize = 4;

impl Program {
    /// Reads it. A program that cannot be read has nothing that a rule could report.
    pub(super) fn read(&self) -> ProgramReading {
        let mut reading = ProgramReading::default();
        match &self.form {
            ProgramForm::Arguments(words, _) => {
                let word = |(text, place): &(String, Positions)| CallWord {
                    text: Some(text.clone()),
                    origin: place.whole(),
                };
                let words: Vec<CallWord> = words.iter().map(word).collect();
                reading.foreign_variables = imported(&words);
                add(Invocation::new(words, CallRole::Process), DEEPEST, &mut reading);
            }
            ProgramForm::CommandLine(_) | ProgramForm::Script(_, Language::Execline) => {
                self.add_execline(&mut reading);
            }
            ProgramForm::Script(text, Language::Shell) => {
                if let Some(script) = ShellScript::read(&text.text) {
                    self.read_shell(&script, &mut reading);
                }
            }
            ProgramForm::Script(..) => {}
        }
        reading
    }

    /// Adds what an execline text calls.
    fn add_execline(&self, reading: &mut ProgramReading) {
        let words = self.words();
        let word =
            |word: &execline::ExeclineWord<'_>| CallWord { text: word.plain(), origin: self.at(word.span()) };
        if self.text().contains("importas") {
            reading.foreign_variables = imported(&words.iter().map(word).collect::<Vec<_>>());
        }
        for call in execline::calls(&words) {
            let role = match call.place {
                CallPlace::End => CallRole::Process,
                CallPlace::Waits => CallRole::Waits,
                CallPlace::Background => CallRole::Background,
                CallPlace::Block => CallRole::Nested,
            };
            let words = call.before.iter().copied().chain(call.words).map(word).collect();
            let call = Invocation::after(call.before.len(), words, role);
            reading.outputs.extend(redirected(&call));
            add(call, DEEPEST, reading);
        }
    }

    /// Adds what a shell script does.
    fn read_shell(&self, script: &ShellScript<'_>, reading: &mut ProgramReading) {
        let at = |span| self.at(span);
        add_script(script, &at, CallRole::Process, DEEPEST, reading);
        let functions = script.functions();
        let place = |name: ShellWord<'_>| (name.as_written().to_owned(), at(name.span()));
        let is_program = |name: &ShellWord<'_>| !functions.contains(name.as_written());
        reading.last_program = script.last_program().filter(is_program).map(place);
        reading.traps = script.traps().into_iter().map(str::to_owned).collect();
        for ending in script.endings() {
            let Some(name) = ending.command.name().filter(is_program) else { continue };
            reading.endings.push(ScriptEnding {
                call: Invocation::new(words(ending.command.words(), &at), CallRole::Process),
                word: name.as_written().to_owned(),
                span: name.span().start..ending.command.span().end,
                kind: ending.kind,
                is_last: ending.is_last,
            });
        }
    }

    /// The number of bytes to read.
    fn size(&self) -> usize {
        match &self.form {
            ProgramForm::Arguments(words, _) => words.iter().map(|(word, _)| word.len() + 1).sum(),
            _ => self.text().len(),
        }
    }
}

/// The words of a command, each with its place.
fn words(words: Vec<(Option<String>, Range<usize>)>, at: &dyn Fn(Range<usize>) -> Origin) -> Vec<CallWord> {
    words.into_iter().map(|(text, span)| CallWord { text, origin: at(span) }).collect()
}

/// The variables that an execline text or array takes from the environment, each with its first place.
fn imported(words: &[CallWord]) -> Vec<(String, Origin)> {
    let texts: Vec<Option<&str>> = words.iter().map(|word| word.text.as_deref()).collect();
    let mut found: Vec<(String, Origin)> = Vec::new();
    for number in execline::imported(&texts) {
        let name = texts[number].filter(|name| is_of_container(name));
        let Some(name) = name.filter(|name| found.iter().all(|(known, _)| known != name)) else { continue };
        found.push((name.to_owned(), words[number].origin));
    }
    found
}

/// The file into which a `redirfd` before the program of a call puts its output.
fn redirected(call: &Invocation) -> Option<CallOutput> {
    let wrappers = call.wrappers();
    let text = |word: &CallWord| word.text.clone();
    let at = wrappers
        .iter()
        .rposition(|word| word.text.as_deref().is_some_and(|word| base_name(word) == "redirfd"))?;
    let [option, descriptor, path] = wrappers.get(at + 1..at + 4)? else { return None };
    let is_output = text(option)? != "-r" && text(descriptor)? == "1";
    let words = call.words[wrappers.len()..].iter().map(|word| text(word).unwrap_or_default()).collect();
    let name = call.words.get(wrappers.len()).map(|word| word.origin);
    is_output.then_some(CallOutput { words, name, path: text(path)?, origin: path.origin })
}

/// Adds a call. If it is a shell with a script as an argument, adds what the script does instead.
fn add(call: Invocation, depth: usize, reading: &mut ProgramReading) {
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
        Some((text, origin)) => {
            if let Some(script) = ShellScript::read(&text) {
                add_script(&script, &|_| origin, call.role, depth - 1, reading);
            }
        }
        None => reading.calls.push(call),
    }
}

/// Adds what a shell script does; `role` is that of the script itself.
fn add_script(
    script: &ShellScript<'_>,
    at: &dyn Fn(Range<usize>) -> Origin,
    role: CallRole,
    depth: usize,
    reading: &mut ProgramReading,
) {
    reading.outputs.extend(script.outputs().into_iter().map(|output| CallOutput {
        words: output.command.written().into_iter().map(str::to_owned).collect(),
        name: output.command.name().map(|name| at(name.span())),
        path: output.path.trim_matches(['"', '\'']).to_owned(),
        origin: at(output.span),
    }));
    if role == CallRole::Process {
        let foreign = script.foreign_variables().into_iter();
        reading.foreign_variables.extend(foreign.map(|(name, span)| (name.to_owned(), at(span))));
        reading.vain_export =
            script.vain_export().map(|export| (export.as_written().to_owned(), at(export.span())));
    }
    let (functions, steps) = (script.functions(), script.steps());
    let aliases: BTreeSet<String> = steps.iter().flat_map(|step| step.command.aliases()).collect();
    for step in steps {
        let mut words = words(step.command.words(), at);
        // A function or an alias of the script is no program.
        let is_function = |name: &&mut CallWord| {
            name.text.as_deref().is_some_and(|name| functions.contains(name) || aliases.contains(name))
        };
        if let Some(name) = words.first_mut().filter(is_function) {
            name.text = None;
        }
        let is_exec =
            words.first().is_some_and(|word| word.text.as_deref() == Some("exec")) && words.len() > 1;
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
        add(Invocation::new(words, role), depth, reading);
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
        program.read().calls.into_iter().map(shown).collect()
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
        assert_eq!(calls("#!/bin/sh\nalias web='web -f'\nweb\n"), ["Waits: alias web=web -f", "Process: ?"]);
        assert_eq!(calls("#!/bin/sh\nexec busybox crond -f\n"), ["Process: crond -f"]);
        assert_eq!(calls("#!/bin/sh\nexec /usr/bin/env -i A=b timeout -k 5 60 web\n"), ["Process: web"]);
        assert_eq!(
            calls("#!/bin/sh\nexec s6-notifyoncheck -d -n 300 -c \"a b\" web -x\n"),
            ["Process: web -x"]
        );
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
