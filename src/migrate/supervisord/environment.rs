//! The option `environment`.

use super::super::Fate;
use super::service::DraftService;
use super::text::Texts;
use super::{Importer, shell_text};
use crate::manifest::draft::DraftValue;
use crate::model::is_variable_name;
use crate::supervisord::{EnvironmentValue, Expanded, Piece, ProgramOptions};

/// The variables that s6gen sets by itself for an account that `user` names.
const OF_ACCOUNT: &[&str] = &["HOME", "USER", "LOGNAME"];

impl Importer<'_> {
    /// Translates the variables of a section. `user` is the account of the program, if it is known.
    pub(super) fn environment(
        &mut self,
        values: &[EnvironmentValue],
        section: usize,
        user: Option<&str>,
        service: &mut DraftService,
        texts: &mut Texts,
    ) {
        let (mut remarks, mut of_account, mut count) = (Vec::new(), Vec::new(), 0);
        let mut fate = Fate::Exact;
        for value in values {
            if let Some(meant) = &value.meant {
                fate = Fate::Emulated;
                remarks.push(format!(
                    "supervisord reads `{}` as `{}`, and so does this; was `{}` meant?",
                    value.name,
                    value.value.as_written(),
                    meant.replace('\n', " ")
                ));
            }
            if value.value == Expanded(vec![Piece::Variable(value.name.clone())]) {
                remarks.push(format!("{} has the value of the container by itself", value.name));
            } else if self.is_of_account(value, user) {
                of_account.push(value.name.as_str());
                if user == Some("root") && service.get("user").is_none() {
                    service.set("user", "root");
                    self.fates.replace(
                        service.section,
                        "user",
                        Fate::Emulated,
                        "user",
                        "it also sets LOGNAME, and the groups of root",
                    );
                }
            } else if is_variable_name(&value.name)
                && value.value.0.contains(&Piece::Variable(value.name.clone()))
            {
                let text = texts.text(&value.value);
                texts.exports.push(format!("export {}={}", value.name, shell_text::argument(&text, texts)));
                remarks.push(format!(
                    "`run` sets {}, because the old value is a part of the new one",
                    value.name
                ));
            } else if is_variable_name(&value.name) {
                let text = texts.text(&value.value);
                service.table.set_path(vec!["environment".to_owned(), value.name.clone()], text);
                count += 1;
            } else {
                fate = Fate::Lost;
                remarks.push(format!("`{}` cannot be the name of a variable, and is left out", value.name));
            }
        }
        if !of_account.is_empty() {
            remarks.push(format!("`user` sets {}", of_account.join(" and ")));
        }
        let becomes = if count > 0 { "environment" } else { "" };
        self.fates.set(section, "environment", fate, becomes, remarks.join("; "));
    }

    /// The variables of `[supervisord]`, which every program has.
    pub(super) fn shared_environment(
        &mut self,
        options: &ProgramOptions,
        user: Option<&str>,
        service: &mut DraftService,
        texts: &mut Texts,
    ) {
        let Some(supervisord) = &self.programs.supervisord else { return };
        let is_own = |name: &str| options.environment.iter().any(|value| value.name == name);
        let shared: Vec<_> =
            supervisord.environment.iter().filter(|value| !is_own(&value.name)).cloned().collect();
        let section = self.configuration.sections.iter().position(|section| section.name == "supervisord");
        if let Some(section) = section {
            self.environment(&shared, section, user, service, texts);
        }
    }

    /// Whether `user` sets this variable to the same value.
    fn is_of_account(&self, value: &EnvironmentValue, user: Option<&str>) -> bool {
        let (Some(user), Some(text)) = (user, value.value.text()) else { return false };
        if user.starts_with(|c: char| c.is_ascii_digit()) || !OF_ACCOUNT.contains(&value.name.as_str()) {
            return false;
        }
        if value.name != "HOME" {
            return text == user;
        }
        let account = self.request.accounts.as_ref().and_then(|accounts| accounts.get(user));
        match account {
            Some(account) => text == account.home,
            None => text == format!("/home/{user}") || user == "root" && text == "/root",
        }
    }
}

/// Lines of a script for variables of `environment` that a manifest cannot set: one whose name is also a variable of the container
/// that another option uses, and one with a text that only looks like such a variable.
pub(super) fn own_exports(
    service: &mut DraftService,
    texts: &Texts,
    options: &ProgramOptions,
) -> Vec<String> {
    let looks_alike = |name: &str| {
        let value = options.environment.iter().find(|value| value.name == name);
        value.is_some_and(|value| texts.is_ambiguous(&value.value))
    };
    let mut lines = Vec::new();
    service.table.entries.retain(|entry| {
        let [table, name] = &entry.key[..] else { return true };
        let is_moved = table == "environment" && (texts.variables.contains(name) || looks_alike(name));
        if let (true, DraftValue::Text(text)) = (is_moved, &entry.value) {
            let text = match options
                .environment
                .iter()
                .find(|value| value.name == *name && texts.is_ambiguous(&value.value))
            {
                Some(value) => shell_text::pieces(&value.value),
                None => shell_text::argument(text, texts),
            };
            lines.push(format!("export {name}={text}"));
        }
        !is_moved
    });
    lines
}
