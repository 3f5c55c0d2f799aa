//! Chooses names for the services that the scripts and services of s6-overlay 2 become.

use std::collections::BTreeSet;

use crate::model::System;

/// The endings of scripts that do not belong to a name.
const ENDINGS: &[&str] = &[".sh", ".bash", ".php", ".py"];

/// The names that are taken.
pub(super) struct LegacyNames(BTreeSet<String>);

impl LegacyNames {
    /// The names of s6-overlay itself and of s6gen.
    pub(super) fn new() -> Self {
        let own = System::NEWEST_OVERLAY.built_ins().into_iter().map(|service| service.name.to_string());
        LegacyNames(own.chain(["default".to_owned()]).collect())
    }

    /// The first name that is free, or else the last one with a number. It is taken then.
    pub(super) fn take(&mut self, wanted: &[String]) -> String {
        let last = wanted.last().cloned().unwrap_or_default();
        let numbered = (2..).map(|number| format!("{last}-{number}"));
        let mut all = wanted.iter().cloned().chain(numbered);
        all.find(|name| self.0.insert(name.clone())).unwrap_or(last)
    }

    /// The names of the oneshots for scripts: without their numbers, unless two of them have the same name then.
    pub(super) fn of_scripts(&mut self, prefix: &str, scripts: &[String]) -> Vec<String> {
        let short = |script: &String| match plain_name(script) {
            name if name.starts_with(&format!("{prefix}-")) => name,
            name => format!("{prefix}-{name}"),
        };
        let names = scripts.iter().map(|script| {
            let full = format!("{prefix}-{}", plain_characters(script));
            let is_shared = scripts.iter().filter(|other| short(other) == short(script)).count() > 1;
            match is_shared {
                true => self.take(&[full]),
                false => self.take(&[short(script), full]),
            }
        });
        names.collect()
    }
}

/// The name of a script without the number before it and the ending.
fn plain_name(script: &str) -> String {
    let name = script.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(['-', '_', '.']);
    let name = if name.is_empty() { script } else { name };
    let name = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
    plain_characters(name)
}

fn plain_characters(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_.@-".contains(c) { c } else { '-' };
    name.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::{LegacyNames, plain_name};

    #[test]
    fn scripts_get_plain_names() {
        assert_eq!(["10-adduser", "01_a b.sh", "30"].map(plain_name), ["adduser", "a-b", "30"]);
    }

    #[test]
    fn every_name_is_given_once() {
        let mut names = LegacyNames::new();
        assert_eq!(names.take(&["user".to_owned(), "user-svc".to_owned()]), "user-svc");
        let scripts = ["10-web", "20-web", "30-init-db.sh", "40-a b", "40-a-b"].map(str::to_owned);
        assert_eq!(
            names.of_scripts("init", &scripts),
            ["init-10-web", "init-20-web", "init-db", "init-40-a-b", "init-40-a-b-2"]
        );
    }
}
