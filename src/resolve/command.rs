//! Resolves the commands and scripts of a manifest.

use std::collections::BTreeMap;

use super::Resolver;
use super::data_files::{DataFile, names, program_names};
use super::scope::Scope;
use crate::diagnostic::{Code, Diagnostic, Origin, Positions};
use crate::manifest::{self, CommonKeys, RawText};
use crate::model::{
    Command, Content, DefinitionFile, File, Language, Program, ProgramChange, ProgramForm, ProgramText,
    Surroundings,
};
use crate::shell::{self, ShellScript, ShellWord};

use super::values::{LONGEST_FILE_NAME, LONGEST_PATH};

impl Resolver<'_> {
    /// A command with its expressions replaced.
    pub(super) fn command(
        &mut self,
        command: &manifest::ManifestCommand,
        key: &str,
        scope: &Scope,
    ) -> Option<Command> {
        self.warn_of_code_in_command(command, scope);
        match command {
            manifest::ManifestCommand::Exec(raw, origin) => {
                let words: Vec<Option<String>> =
                    raw.iter().map(|(word, _)| self.script(word, scope)).collect();
                let words = words.into_iter().collect::<Option<Vec<_>>>()?;
                if words.first().is_none_or(String::is_empty) {
                    return self.no_program(key, *origin);
                }
                if self.misuses_value(&words, raw, key, scope) || !self.words_keep_secrets(&words, raw, scope)
                {
                    return None;
                }
                let placed = words
                    .iter()
                    .zip(raw)
                    .map(|(word, (raw, positions))| (word.clone(), scope.positions(raw, positions, word)));
                let form = ProgramForm::Arguments(placed.collect(), *origin);
                self.programs.push(Program { file: key.to_owned().into(), form, change: None });
                Some(Command::Exec { words })
            }
            // A script from a file is in the place of its path by now.
            manifest::ManifestCommand::Broken(_) | manifest::ManifestCommand::File(_) => None,
            manifest::ManifestCommand::Shell(raw, positions) => {
                let origin = raw.origin();
                let text = self.script(raw, scope)?;
                if text.trim().is_empty() {
                    return self.no_program(key, origin);
                }
                let interpreter = match text.starts_with("#!") {
                    false => vec!["/bin/sh".to_owned(), "-e".to_owned()],
                    true => {
                        // The place of a script from a file is the key that names it.
                        let line = text.lines().next().map_or(0, str::len);
                        let origin = if raw.is_literal() { positions.at(0..line) } else { origin };
                        self.interpreter(&text, &format!("`{key}`"), origin)?
                    }
                };
                let language = Language::of_interpreter(interpreter.iter().flat_map(|word| word.split(' ')));
                let positions = scope.positions(raw, positions, &text);
                let form = ProgramForm::Script(
                    ProgramText { text: text.clone(), binary: Vec::new(), positions },
                    language,
                );
                self.programs.push(Program { file: key.to_owned().into(), form, change: None });
                let end = if text.ends_with('\n') { "" } else { "\n" };
                Some(Command::Script { interpreter, text: text + end })
            }
        }
    }

    /// A command that runs with the environment of the service.
    pub(super) fn command_in(
        &mut self,
        surroundings: &Surroundings,
        written: Option<&manifest::ManifestCommand>,
        key: &str,
        scope: &Scope,
    ) -> Option<Command> {
        let written = written?;
        let command = self.command(written, key, scope)?;
        Some(self.keep_environment(command, surroundings))
    }

    /// Adds `exec` to a script that only runs one program, for a longrun. s6 signals the shell, so without `exec` the program
    /// would survive a stop. Scripts of other keys end by themselves.
    pub(super) fn add_exec(&mut self, command: Command) -> Command {
        match command {
            Command::Script { interpreter, text } if !text.starts_with("#!") => {
                let changed = self.with_exec(&text);
                if let (Some(_), Some(program)) = (&changed, self.programs.last_mut()) {
                    program.change = Some(ProgramChange::WithExec);
                }
                Command::Script { interpreter, text: changed.unwrap_or(text) }
            }
            command => command,
        }
    }

    /// The script with `exec` before its program, if it is one simple command without assignments.
    fn with_exec(&mut self, text: &str) -> Option<String> {
        // Without quotes, brackets and here-documents, each line is a command of its own. The grammar takes more time.
        let has_lines = shell::lines(text).nth(1).is_some();
        if has_lines && !text.contains(['\'', '"', '`', '(', '{', '<']) {
            return None;
        }
        self.grammar_left = self.grammar_left.checked_sub(text.len())?;
        let script = ShellScript::read(text)?;
        let command = script.only_command().filter(|command| !command.has_assignments())?;
        let name = command.name().filter(ShellWord::is_program)?;
        let (before, after) = text.split_at(name.span().start);
        Some(format!("{before}exec {after}"))
    }

    fn no_program(&mut self, key: &str, origin: Origin) -> Option<Command> {
        self.problems.push(
            Diagnostic::new(Code::InvalidValue, format!("`{key}` names no program"))
                .at(origin, "there is nothing to run")
                .help("name a program, as in `[\"nginx\", \"-g\", \"daemon off;\"]`, or leave the key out"),
        );
        None
    }

    /// Adds the files of the key `files`. `has_check` says that s6gen writes `data/check`.
    pub(super) fn files(
        &mut self,
        keys: &CommonKeys,
        scope: &Scope,
        files: &mut BTreeMap<String, File>,
        has_check: bool,
        kind: &str,
    ) {
        for (path, content) in keys.files.iter().flat_map(|table| &table.entries) {
            self.warn_of_code_in_file(&path.value, content, scope);
            let definition = self.set.target.tree.len() + scope.name.len() + 2;
            let known = known_file_problem(&path.value, kind);
            let taken = files.keys().map(String::as_str).chain(has_check.then_some("data/check"));
            let problem =
                path_problem(&path.value, definition).or(known).or(taken_problem(&path.value, taken));
            if let Some((label, help)) = problem {
                self.problems.push(
                    Diagnostic::new(
                        Code::ConflictingKeys,
                        format!("`files` cannot hold `{}`", path.value.escape_debug()),
                    )
                    .at(path.origin, label)
                    .help(help),
                );
            } else if let Some(file) = self.file(&path.value, content, keys, scope) {
                files.insert(path.value.clone(), file);
            }
        }
    }

    /// Adds the scripts of the key `files` that `run` names, which the lints read as well.
    pub(super) fn add_called_scripts(&mut self, keys: &CommonKeys, files: &BTreeMap<String, File>) {
        let Some(run) = self.programs.iter().find(|program| program.file == "run") else { return };
        let written = keys.files.iter().flat_map(|table| &table.entries);
        let called = written.filter(|(path, _)| program_names(run, &|text| text.contains(&path.value)));
        let scripts: Vec<Program> = called
            .filter_map(|(path, content)| {
                let file = files.get(&path.value)?;
                let text = str::from_utf8(&file.content).ok()?.to_owned();
                let language = Language::of(&text);
                let positions = Positions::unknown(content.origin());
                let text = ProgramText { text, binary: Vec::new(), positions };
                let form = ProgramForm::Script(text, language);
                Some(Program { file: path.value.clone().into(), form, change: None })
            })
            .collect();
        self.programs.extend(scripts);
    }

    /// A file with the text `content`. `None` if the text cannot be used, which is reported.
    fn file(&mut self, path: &str, content: &RawText, keys: &CommonKeys, scope: &Scope) -> Option<File> {
        let text = self.verbatim(content, scope)?;
        let executable = scope.is_program(content, &text);
        if executable {
            if !scope.allows_added_values(content, &text, &self.expressions, self.problems) {
                return None;
            }
            self.interpreter(&text, &format!("the file `{path}`"), content.origin())?;
        } else if let Some(problem) = scope.harmful_value(content, &text, &self.expressions) {
            // Search the variables as written: a value that happens to contain the path does not count.
            let mut variables = keys.environment.iter().flat_map(|table| &table.entries);
            let named = variables.find(|(_, value)| names(scope.written(value), path, true));
            self.data_files.push(DataFile {
                service: scope.name.as_str().into(),
                path: path.to_owned(),
                variable: named.map(|(variable, _)| variable.value.clone()),
                problem,
            });
        }
        Some(File { content: text.into_bytes().into(), executable })
    }
}

/// Why a file cannot have a path, and what to write instead.
type PathRefusal = (&'static str, &'static str);

/// Why a definition cannot have a file at this path. `before` is the length of the path of the definition.
fn path_problem(path: &str, before: usize) -> Option<PathRefusal> {
    let is_plain = !path.is_empty()
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
        && !path.contains(char::is_control);
    if !is_plain {
        return Some((
            "not a path inside the definition",
            "write it relative to the definition, such as `data/x`",
        ));
    }
    if path.split('/').any(|part| part.len() > LONGEST_FILE_NAME) {
        return Some(("a file name can have at most 255 bytes", "choose a shorter one"));
    }
    if before + path.len() > LONGEST_PATH {
        return Some((
            "with the directory of the definition in front, a path can have at most 4,095 bytes",
            "choose a shorter one",
        ));
    }
    path.split('/').any(|part| part.starts_with(".wh.")).then_some((
        "in a layer of an image `.wh.` marks a removed file",
        "choose a name that does not begin with `.wh.`",
    ))
}

/// Why the key `files` cannot set a file that s6-rc reads in services of the type `kind`. Files that s6-rc reads only in services
/// of another type are allowed, because it ignores them here.
fn known_file_problem(path: &str, kind: &str) -> Option<PathRefusal> {
    let first = path.split('/').next().unwrap_or_default();
    let known = DefinitionFile::find(first.as_bytes()).filter(|file| file.is_read_in(kind))?;
    match known.content {
        Content::Folder => (first == path).then_some((
            "s6-rc-compile accepts only a directory with this name",
            "choose another name, or name a file below it, such as `data/x`",
        )),
        _ => Some(("a key of this name or meaning writes this file", "use that key")),
    }
}

/// Why a path cannot be used beside the paths `taken`.
fn taken_problem<'t>(path: &str, mut taken: impl Iterator<Item = &'t str> + Clone) -> Option<PathRefusal> {
    if taken.clone().any(|taken| taken == path) {
        return Some(("another key writes this file", "choose another name"));
    }
    let is_below =
        |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'));
    taken
        .any(|taken| is_below(taken, path) || is_below(path, taken))
        .then_some(("one path cannot be a file and a directory", "choose another name"))
}

/// Writes a script of the user into a separate file.
pub(super) fn add_script(files: &mut BTreeMap<String, File>, key: &str, command: Option<&Command>) {
    if let Some(Command::Script { text, .. }) = command {
        let content = text.clone().into_bytes().into();
        files.insert(format!("data/{key}"), File { content, executable: text.starts_with("#!") });
    }
}

/// Adds a script of s6gen itself to the files of a definition, if the service needs it.
pub(super) fn add_own_script(
    files: &mut BTreeMap<String, File>,
    key: &str,
    text: &'static str,
    is_needed: bool,
) {
    if is_needed {
        let content = text.as_bytes().into();
        files.insert(format!("data/{key}"), File { content, executable: text.starts_with("#!") });
    }
}
