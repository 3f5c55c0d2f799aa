//! The option `environment`.

use super::super::Fate;
use super::service::DraftService;
use super::text::Texts;
use super::{Importer, shell_text};
use crate::supervisord::{EnvironmentValue, Expanded, Piece};

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

    /// Whether `user` sets this variable to the same value.
    fn is_of_account(&self, value: &EnvironmentValue, user: Option<&str>) -> bool {
        let (Some(user), Some(text)) = (user, value.value.text()) else { return false };
        if user.starts_with(|c: char| c.is_ascii_digit()) || !OF_ACCOUNT.contains(&value.name.as_str()) {
            return false;
        }
        if value.name != "HOME" {
            return text == user;
        }
        let account = self.wishes.accounts.as_ref().and_then(|accounts| accounts.get(user));
        match account {
            Some(account) => text == account.home,
            None => text == format!("/home/{user}") || user == "root" && text == "/root",
        }
    }
}

/// Whether s6gen takes a variable of this name.
pub(super) fn is_variable_name(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(is_letter)
}
