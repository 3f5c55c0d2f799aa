//! Resolves the key `variables`, and finds `${NAME}` in the texts of a service.

use super::Resolver;
use super::scope::{Scope, first_of};
use super::values::Values;
use crate::diagnostic::{Code, Diagnostic, Origin, Positions};
use crate::execline::code_words;
use crate::manifest::{CommonKeys, RawText};
use crate::model::{ContainerVariable, is_variable_name};

impl Resolver<'_> {
    /// The variables of the container that a service uses.
    pub(super) fn variables(&mut self, keys: &CommonKeys, scope: &Scope) -> Vec<ContainerVariable> {
        let mut variables = Vec::new();
        for declared in keys.variables.iter().flat_map(|declared| &declared.list) {
            let name = &declared.name.value;
            if !self.names_a_variable(name, declared.name.origin) {
                continue;
            }
            let default = declared.default.as_ref().map(|text| self.data(text, scope));
            if default == Some(None) {
                continue;
            }
            if let (Some(text), Some(Some(value))) = (&declared.default, &default) {
                self.check_default(keys, text.origin(), value);
            }
            let description = declared.description.as_ref().and_then(|text| self.data(text, scope));
            variables.push(ContainerVariable {
                name: name.clone(),
                default: default.flatten(),
                description: description.map(|text| super::common::one_line(&text)),
                is_secret: false,
            });
        }
        let mut origin = keys.variables.iter().flat_map(|declared| &declared.list).map(|one| one.name.origin);
        self.check_contenv(keys, "variables", origin.next_back().filter(|_| !variables.is_empty()));
        variables
    }

    /// Reports a default that refers to a variable of the service.
    fn check_default(&mut self, keys: &CommonKeys, origin: Origin, value: &str) {
        let names = keys.variables.iter().flat_map(|declared| &declared.list).map(|one| &*one.name.value);
        let Some(name) = first_of(value, names) else { return };
        self.problems.push(
            Diagnostic::new(Code::InvalidValue, format!("a default cannot be `{value}`"))
                .at(origin, format!("`${{{name}}}` would not become its value: a default is used as written"))
                .help(format!("put the text together where it is used, for example `environment.URL = \"http://${{{name}}}/\"`")),
        );
    }

    /// Whether a variable can have this name. Reports it if not.
    pub(super) fn names_a_variable(&mut self, name: &str, origin: Origin) -> bool {
        let is_name = is_variable_name(name);
        if !is_name {
            self.problems.push(
                Diagnostic::new(
                    Code::InvalidValue,
                    format!("`{}` cannot name a variable", name.escape_debug()),
                )
                .at(origin, "this is not the name of a variable")
                .help("a name has letters, digits and `_`, and does not begin with a digit"),
            );
        }
        is_name
    }

    /// Reports a key that takes variables from the environment of the container, with one at `origin`, in a service that does
    /// not get that environment.
    pub(super) fn check_contenv(&mut self, keys: &CommonKeys, key: &str, origin: Option<Origin>) {
        let flag = keys.with_contenv.filter(|flag| !flag.value && self.system().is_overlay());
        if let (Some(flag), Some(origin)) = (flag.filter(|_| !keys.gives_way("with-contenv")), origin) {
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, format!("`{key}` needs `with-contenv`"))
                    .at(flag.origin, "so the service gets nothing from the container's environment")
                    .at(origin, "this is a variable of that environment")
                    .help("leave one of the two out"),
            );
        }
    }

    /// Whether no added value brings `${NAME}` into the text. Reports it: the value of that variable would get in.
    pub(super) fn brings_no_reference(&mut self, text: &RawText, expanded: &str, scope: &Scope) -> bool {
        let Some(name) = scope.added_reference(text, expanded) else { return true };
        Values::new(self.problems)
            .refuse::<()>(
                format!("an added value cannot bring `${{{name}}}` in here"),
                text.origin(),
                "it would become the value of that variable of the container",
                "let the added value contain something else: only the manifest chooses where values of the container go",
            )
            .is_some()
    }

    /// Reports a value of the container in a word where it cannot be. Returns whether there is one.
    pub(super) fn misuses_value(
        &mut self,
        words: &[String],
        raw: &[(RawText, Positions)],
        key: &str,
        scope: &Scope,
    ) -> bool {
        if scope.references.is_empty() || words.iter().all(|word| scope.first_reference(word).is_none()) {
            return false;
        }
        let in_code = code_words(words);
        let wrong = |place: &usize| key == "finish" || in_code.contains(place);
        let places = (0..words.len()).filter(wrong);
        let found = places.filter_map(|place| Some((place, scope.first_reference(&words[place])?))).next();
        let Some((place, name)) = found else { return false };
        let origin = raw[place].0.origin();
        let help = format!(
            "write a script as a string, and in it the variable in quotes: `{key} = 'exec … \"${name}\"'`"
        );
        self.problems.push(match in_code.contains(&place) {
            true => {
                Diagnostic::new(Code::InvalidValue, format!("the value of `{name}` would be read as code"))
                    .at(origin, "a program runs this text")
                    .note("whoever starts the container sets the value, and it may contain anything")
                    .help(help)
            }
            false => Diagnostic::new(Code::InvalidValue, "the words of `finish` are used exactly as written")
                .at(origin, format!("`${{{name}}}` would not become its value"))
                .help(help),
        });
        true
    }
}
