//! Resolves the keys `secrets` and `environment-files`, and keeps secrets out of arguments and files.

use std::collections::BTreeMap;

use super::Resolver;
use super::scope::Scope;
use crate::diagnostic::{Code, Diagnostic, Origin, Positions};
use crate::execline::code_words;
use crate::manifest::{CommonKeys, RawText};
use crate::model::{ContainerVariable, EnvironmentFile, File, Inputs};

/// The script that prints a secret, in the directory `data`.
const SCRIPT: &str = "secret";

impl Resolver<'_> {
    /// The names of the secrets of a service that uses these variables of the container.
    pub(super) fn secrets(
        &mut self,
        keys: &CommonKeys,
        variables: &[ContainerVariable],
        scope: &Scope,
    ) -> Vec<String> {
        let mut secrets: Vec<String> = Vec::new();
        let list = keys.secrets.iter().flat_map(|names| &names.list);
        for text in list.clone() {
            let Some(name) = self.text(text, scope) else { continue };
            if !self.names_a_variable(&name, text.origin()) || secrets.contains(&name) {
                continue;
            }
            self.check_secret_name(&name, text.origin());
            let mut declared = keys.variables.iter().flat_map(|declared| &declared.list);
            let variable = declared.find(|variable| variable.name.value == name);
            if variables.iter().any(|variable| variable.name == name) && !keys.gives_way("variables") {
                self.problems.push(
                    Diagnostic::new(
                        Code::ConflictingKeys,
                        format!("`{name}` is in `secrets` and in `variables`"),
                    )
                    .at(text.origin(), "a secret gets into no argument")
                    .at(variable.map(|variable| variable.name.origin), "and this value can be an argument")
                    .help("leave it out of `variables`"),
                );
            }
            secrets.push(name);
        }
        self.check_contenv(
            keys,
            "secrets",
            list.map(RawText::origin).next_back().filter(|_| !secrets.is_empty()),
        );
        secrets
    }

    /// Reports names that no secret can have.
    fn check_secret_name(&mut self, name: &str, origin: Origin) {
        let (why, help) = match name.strip_suffix("_FILE") {
            Some(plain) if !plain.is_empty() => (
                "this is the variable for the file",
                format!("write `{plain}`: then the container sets `{plain}` or `{name}`"),
            ),
            _ if name == "PATH" => {
                ("the commands of the script need it", "give the secret a name of its own".to_owned())
            }
            _ => return,
        };
        self.problems.push(
            Diagnostic::new(Code::InvalidValue, format!("`{name}` cannot name a secret"))
                .at(origin, why)
                .help(help),
        );
    }

    /// What a service takes from the container and from files.
    pub(super) fn inputs(&mut self, keys: &CommonKeys, scope: &Scope) -> Inputs {
        let files = keys.environment_files.iter().flat_map(|names| &names.list);
        let environment_files = files.filter_map(|text| {
            let written = self.text(text, scope)?;
            let (path, is_optional) = match written.strip_prefix('-') {
                Some(path) => (path, true),
                None => (&*written, false),
            };
            let key = "environment-files";
            let mut values = super::Values::new(self.problems);
            let path = values.path(key, path, text.origin());
            self.literals.append(&mut values.literals);
            let path = path?;
            Some(EnvironmentFile { path, is_optional })
        });
        let environment_files = environment_files.collect();
        Inputs { variables: scope.references.clone(), secrets: scope.secrets.clone(), environment_files }
    }

    /// Whether the text refers to no secret. Reports one: its value would be in an argument or a file.
    pub(super) fn keeps_secrets(&mut self, text: &str, origin: Origin, scope: &Scope) -> bool {
        let Some(name) = scope.first_secret(text) else { return true };
        self.problems.push(
            Diagnostic::new(Code::InvalidValue, format!("`${{{name}}}` cannot be here: its value is secret"))
                .at(origin, "the value would become an argument, which every process of the container can read")
                .help(format!(
                    "the program finds it in its environment as `{name}`, a script as `\"${name}\"`; under another name \
                     or as a part of a text it can be in `environment`: `environment.NAME = \"…${{{name}}}…\"`"
                )),
        );
        false
    }

    /// Whether no word of a command refers to a secret. In a word that a shell reads, the shell finds the variable itself.
    pub(super) fn words_keep_secrets(
        &mut self,
        words: &[String],
        raw: &[(RawText, Positions)],
        scope: &Scope,
    ) -> bool {
        if scope.secrets.is_empty() {
            return true;
        }
        let in_code = code_words(words);
        let mut places = (0..words.len()).filter(|place| !in_code.contains(place));
        places.all(|place| self.keeps_secrets(&words[place], raw[place].0.origin(), scope))
    }
}

/// Adds the script that prints a secret to the files of a definition, if its service has secrets.
pub(super) fn add_secret_script(files: &mut BTreeMap<String, File>, inputs: &Inputs) {
    super::command::add_own_script(files, SCRIPT, crate::templates::SECRET, !inputs.secrets.is_empty());
}
