//! Resolves the key `environment`.

use super::Resolver;
use super::scope::Scope;
use crate::diagnostic::{Code, Diagnostic};
use crate::manifest::{CommonKeys, ManifestText};
use crate::model::{Literal, LiteralForm, variable};

impl Resolver<'_> {
    /// The variables of `environment` with their values. Reports names and values that cannot be there.
    pub(super) fn environment(&mut self, keys: &CommonKeys, scope: &Scope) -> Vec<(String, String)> {
        let mut variables = Vec::new();
        for (name, value) in keys.environment.iter().flat_map(|table| &table.entries) {
            if let Some(problem) = name_problem(name).or_else(|| conflict(name, keys, scope)) {
                self.problems.push(problem);
                continue;
            }
            let origin = value.origin();
            self.warn_of_code_in_variable(&name.value, value, scope);
            let expanded = self.data(value, scope);
            if let Some(value) =
                expanded.filter(|value| name.value != "PATH" || self.keeps_secrets(value, origin, scope))
            {
                if variable(&value).is_some() {
                    let (key, text) = (name.value.clone(), value.clone());
                    self.literals.push(Literal { key, text, origin, form: LiteralForm::Environment });
                }
                variables.push((name.value.clone(), value));
            }
        }
        variables
    }
}

/// The report on a name that no variable can have.
fn name_problem(name: &ManifestText) -> Option<Diagnostic> {
    let message = || format!("`{}` cannot name a variable", name.value.escape_debug());
    (name.value.is_empty() || name.value.contains(['=', '\0'])).then(|| {
        Diagnostic::new(Code::InvalidValue, message())
            .at(name.origin, "this name is empty or contains a `=`")
            .help("write the name alone: `environment.NAME = \"value\"`")
    })
}

/// The report on a variable of `environment` that would compete with `variables` or `secrets` of the same service.
fn conflict(name: &ManifestText, keys: &CommonKeys, scope: &Scope) -> Option<Diagnostic> {
    if keys.gives_way("environment") {
        return None;
    }
    let (name, origin) = (&name.value, name.origin);
    let is_secret = |name: &str| scope.secrets.iter().any(|secret| secret == name);
    let secrets = keys.secrets.as_ref().map(|names| names.origin);
    let report = |message: String| Diagnostic::new(Code::ConflictingKeys, message);
    // A `PATH` may be made longer: it is set last.
    if name != "PATH" && scope.references.iter().any(|variable| variable.name == *name) {
        return Some(
            report(format!("`{name}` has two values"))
                .at(origin, "`variables` takes it from the container")
                .help("use another name here, or leave one of the two out"),
        );
    }
    if is_secret(name) {
        return Some(
            report(format!("`{name}` has two values"))
                .at(origin, "`environment` sets it")
                .at(secrets, "and the container sets its secrets")
                .help("leave it out here: the program finds the secret under this name"),
        );
    }
    name.strip_suffix("_FILE").is_some_and(is_secret).then(|| {
        report(format!("`{name}` comes too late here"))
            .at(origin, "secrets are read before `environment` is set")
            .help("let the container set it: `docker run -e`, or `ENV` of the image")
    })
}
