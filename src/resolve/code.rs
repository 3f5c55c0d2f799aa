//! Warns the author of a template about places where a value would be read as code, if its pattern allows harmful values.

use super::Resolver;
use super::scope::Scope;
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::execline::{base_name, code_words};
use crate::manifest::{ManifestCommand, RawText};

/// Environment variables that make a program run or load something.
const LOADING_VARIABLES: &[&str] = &[
    "BASH_ENV",
    "ENV",
    "GIT_SSH_COMMAND",
    "LD_AUDIT",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "NODE_OPTIONS",
    "PATH",
    "PERL5LIB",
    "PERL5OPT",
    "PROMPT_COMMAND",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "RUBYLIB",
    "RUBYOPT",
];

impl Resolver<'_> {
    /// Warns of harmful values in the words or the script of a command, once for each template.
    pub(super) fn warn_of_code_in_command(&mut self, command: &ManifestCommand, scope: &Scope) {
        if !scope.looks_for_code() {
            return;
        }
        match command {
            ManifestCommand::Shell(text, _) => {
                self.commands.push(vec![scope.written(text).to_owned()]);
                self.warn_of_harmful_parameters(text, "a part of a script", scope);
            }
            ManifestCommand::Exec(raw, _) => {
                let words: Vec<String> = raw.iter().map(|(word, _)| scope.written(word).to_owned()).collect();
                for place in code_words(&words) {
                    self.warn_of_harmful_parameters(&raw[place].0, "a part of a script", scope);
                }
                if let Some((program, _)) = raw.first() {
                    self.warn_of_harmful_parameters(program, "the name of the program that runs", scope);
                }
                self.commands.push(words);
            }
            ManifestCommand::File(_) | ManifestCommand::Broken(_) => {}
        }
    }

    /// Warns of harmful values in a file of the definition that is a script, or that a command reads as one.
    pub(super) fn warn_of_code_in_file(&mut self, path: &str, content: &RawText, scope: &Scope) {
        if !scope.looks_for_code() {
            return;
        }
        if scope.written(content).starts_with("#!") {
            self.warn_of_harmful_parameters(content, "a part of a script", scope);
        } else if self.commands.iter().any(|words| sources(words, path)) {
            self.warn_of_harmful_parameters(
                content,
                "a part of a file that a command reads as a script",
                scope,
            );
        }
    }

    /// Warns of a value in a variable that makes a program run or load something.
    pub(super) fn warn_of_code_in_variable(&mut self, name: &str, value: &RawText, scope: &Scope) {
        let parameter_in = |resolver: &Self| scope.first_parameter(value, &resolver.expressions);
        if scope.is_first
            && LOADING_VARIABLES.contains(&name)
            && let Some(parameter) = parameter_in(self)
        {
            self.warn(
                &parameter,
                value.origin(),
                "the value of a variable by which programs find what they run",
            );
        }
    }

    fn warn_of_harmful_parameters(&mut self, text: &RawText, what: &str, scope: &Scope) {
        for parameter in scope.harmful_parameters(text, &self.expressions) {
            self.warn(&parameter, text.origin(), what);
        }
    }

    fn warn(&mut self, parameter: &str, origin: Origin, what: &str) {
        let message = format!("a value of `{parameter}` could be read as code");
        self.problems.push(
            Diagnostic::new(Code::ValueAsCode, message)
                .at(origin, format!("`{{{{ {parameter} }}}}` is {what}"))
                .help(format!(
                    "pass it in a variable, `environment.VALUE = \"{{{{ {parameter} }}}}\"`, and write `\"$VALUE\"` in the \
                     script; or narrow its pattern to letters, digits and `_.,:@%+=/-`"
                )),
        );
    }
}

/// Whether a command reads the file at `path` as a script: `. data/lib.sh`, `awk -f data/lib.awk`.
fn sources(words: &[String], path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let reads_code =
        |word: &str| word == "." || word == "source" || crate::execline::runs_scripts(base_name(word));
    let is_sourced = |text: &str| {
        text.match_indices(name).any(|(at, _)| {
            let command = text[..at].rsplit([';', '\n', '|', '&', '(']).next().unwrap_or_default();
            command.split_ascii_whitespace().any(|word| reads_code(word.trim_matches(['"', '\''])))
        })
    };
    words.iter().any(|word| is_sourced(word))
        || words.iter().skip_while(|word| !reads_code(word)).any(|word| word.contains(name))
}
