//! Finds the scripts that a `run` calls, and those of them that do not exist where it looks for them.

use super::definition::DefinitionReader;
use crate::diagnostic::Origin;
use crate::model::{Absence, CallRole, Invocation, Language, Missing, Program, ScriptUse, readings};
use crate::source::Directory;

/// A script that `run` calls.
struct CalledScript {
    /// The path as written.
    written: String,
    how: ScriptUse,
    /// The path, or the path in the directory of the service.
    path: String,
}

impl<D: Directory> DefinitionReader<'_, D> {
    /// Records the scripts that `run` calls by a path in its definition, and those that should be in the tree but are missing.
    pub(super) fn calls_of_run(&mut self) {
        let Some(run) = self.programs.iter().find(|program| program.file == "run") else { return };
        // Most scripts call none, and to read a script takes time.
        if !["data/", "./", "s6-rc.d/"].iter().any(|part| run.text().contains(part)) {
            return;
        }
        let readings = readings(&[run]);
        let once = |script: &CalledScript| {
            // A path that the script mentions twice may be one that it looks for, or makes.
            run.text().matches(script.written.trim_start_matches("./")).count() == 1
        };
        let calls = readings.iter().flat_map(|reading| &reading.calls).collect::<Vec<_>>();
        let scripts: Vec<CalledScript> = scripts(run, &calls).into_iter().filter(once).collect();
        for script in scripts {
            match script.path.starts_with('/') {
                true => self.script_of_the_image(script),
                false => self.script_of_the_service(script),
            }
        }
    }

    /// Records a script with an absolute path.
    fn script_of_the_image(&mut self, script: CalledScript) {
        let CalledScript { written, how, path } = script;
        if let Some(own) = self.own_path(path.as_bytes()) {
            self.call("run", how, &own);
        }
        if let Some((nearest, may_be_added)) = self.missing(&path) {
            self.is_missing(how, written, nearest, may_be_added, Absence::NoFile);
        } else if let Some(confused) = self.confused("run", &path) {
            self.facts.confused.push(confused);
        }
    }

    /// Records a script with a path in the directory of the service, in which s6-supervise starts `run`.
    fn script_of_the_service(&mut self, script: CalledScript) {
        let CalledScript { written, how, path } = script;
        match path.split('/').next().unwrap_or_default() {
            "data" | "env" => {
                self.call("run", how, &path);
                let head = format!("/s6-rc.d/{}/", self.context.name);
                if let Some((nearest, may_be_added)) = self.missing(&format!("{head}{path}")) {
                    let near =
                        nearest.and_then(|(near, at)| Some((near.strip_prefix(&head)?.to_owned(), at)));
                    self.is_missing(how, written, near, may_be_added, Absence::NoFile);
                }
            }
            "run" | "finish" => {}
            _ => {
                let why = Absence::NotCopied(self.file_below(&path));
                self.is_missing(how, written, None, false, why);
            }
        }
    }

    fn is_missing(
        &mut self,
        how: ScriptUse,
        path: String,
        nearest: Option<(String, Origin)>,
        may_be_added: bool,
        why: Absence,
    ) {
        self.facts.missing.push(Missing { by: "run", how, path, nearest, may_be_added, why });
    }
}

const MOVES: &[&str] = &["cd", "execline-cd", "posix-cd", "pushd", "popd"];

fn moves(word: &str) -> bool {
    MOVES.contains(&word)
}

/// The scripts that certainly run, each in the directory of its call.
fn scripts(run: &Program, calls: &[&Invocation]) -> Vec<CalledScript> {
    let count = run.lines().flat_map(|line| line.words()).filter(|word| moves(word)).count();
    // A `cd` in a function, a subshell or a condition may move or not.
    let is_clear = match run.language() {
        Language::Execline => count <= 1,
        _ => count == calls.iter().filter(|call| moved_to(call).is_some()).count(),
    };
    let mut directory = Some(String::new());
    let mut found = Vec::new();
    for call in calls {
        if run.language() == Language::Execline {
            directory = match (count, before_it(call)) {
                (0, _) => Some(String::new()),
                (_, to) => to.and_then(known_directory),
            };
        } else if let Some(to) = moved_to(call) {
            directory = directory.and_then(|at| join(&at, &known_directory(to?)?));
            continue;
        }
        let Some((path, how)) = call.script() else { continue };
        let place = directory.as_deref().filter(|_| is_clear || path.starts_with('/'));
        let place = place.or(path.starts_with('/').then_some(""));
        let Some(joined) = place.and_then(|at| join(at, path)) else { continue };
        found.push(CalledScript { written: path.to_owned(), how, path: joined });
    }
    found
}

/// Where a `cd` of a shell goes. `None` inside if that is known only at run time.
fn moved_to(call: &Invocation) -> Option<Option<&str>> {
    let is_move = call.role == CallRole::Waits && call.program().is_some_and(moves);
    is_move.then(|| call.texts().first().copied().flatten().filter(|_| call.texts().len() == 1))
}

/// The directory to which a `cd` of execline in front of a program goes.
fn before_it(call: &Invocation) -> Option<&str> {
    let words = call.wrappers();
    let at = words.iter().position(|word| word.text.as_deref().is_some_and(moves))?;
    words.get(at + 1)?.text.as_deref()
}

/// A directory in which the files are known: one in the directory of a service, or in the definitions.
fn known_directory(path: &str) -> Option<String> {
    let is_known = !path.starts_with('/') || path.contains("/s6-rc.d/");
    (is_known && !path.starts_with(['-', '~'])).then(|| path.to_owned())
}

/// A path seen from a directory. `None` for one that leaves it.
fn join(directory: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return Some(path.trim_end_matches('/').to_owned());
    }
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    let below = parts.collect::<Vec<_>>();
    if below.contains(&"..") {
        return None;
    }
    let below = below.join("/");
    Some(match (directory.is_empty(), below.is_empty()) {
        (true, _) => below,
        (false, true) => directory.to_owned(),
        (false, false) => format!("{directory}/{below}"),
    })
}
