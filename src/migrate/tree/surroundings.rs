//! Reads back the environment, the limits and the account of a generated script.

use super::generated::ScriptReader;
use crate::manifest::draft::DraftValue;
use crate::templates::joined_parts;

impl ScriptReader<'_> {
    /// The files of variables.
    pub(super) fn environment_files(&mut self) -> Option<()> {
        let mut files: Vec<String> = Vec::new();
        while self.take(&["envfile"]) {
            let mark = if self.take(&["-I"]) { "-" } else { "" };
            files.push(format!("{mark}{}", self.next()?));
        }
        self.set_list("environment-files", files);
        Some(())
    }

    /// The secrets: `backtick -n NAME { sh ./data/secret SERVICE NAME } unexport NAME_FILE`.
    pub(super) fn secrets(&mut self) -> Option<()> {
        let mut names = Vec::new();
        while self.word(2).is_some_and(|name| name != "HOME") && self.take(&["backtick", "-n"]) {
            names.push(self.next()?);
            let words = self.block()?;
            (words.get(1)?.ends_with("/data/secret") && self.take(&["unexport"])).then_some(())?;
            self.next()?;
        }
        self.set_list("secrets", names);
        Some(())
    }

    /// A value in which secrets stand between texts.
    pub(super) fn with_secrets(&mut self) -> Option<String> {
        let words = self.block()?;
        let mut value = String::new();
        for (index, part) in joined_parts(&words)?.iter().enumerate() {
            value += &if index % 2 == 0 { part.clone() } else { format!("${{{part}}}") };
        }
        Some(value)
    }

    /// Variables: those that come from `user` are left out.
    pub(super) fn environment(&mut self) -> Option<()> {
        if self.take(&["backtick", "-n", "HOME"]) {
            let words = self.block()?;
            words.first().filter(|word| *word == "homeof")?;
        }
        loop {
            let (name, value) = if self.word(1) != Some("PATH") && self.take(&["export"]) {
                (self.next()?, self.next()?)
            } else if self.take(&["backtick", "-N"]) {
                (self.next()?, self.with_secrets()?)
            } else {
                return Some(());
            };
            self.found.entries.push((vec!["environment".to_owned(), name], value.into()));
        }
    }

    pub(super) fn rights(&mut self) -> Option<()> {
        if self.take(&["s6-softlimit"]) {
            while let Some(letter) =
                self.word(0).filter(|_| self.is_before_command()).and_then(|word| word.strip_prefix('-'))
            {
                let (_, limit) = LIMITS.iter().find(|(known, _)| *known == letter)?;
                let value = self.word(1)?.to_owned();
                self.at += 2;
                let value = value.parse::<i64>().map_or_else(|_| value.into(), DraftValue::Number);
                self.set(&format!("limits.{limit}"), value);
            }
        }
        while self.takes_least_limit() {
            let (letter, least) = (self.next()?, self.next()?);
            let (_, limit) = LIMITS.iter().find(|(known, _)| letter.strip_prefix('-') == Some(*known))?;
            self.set(&format!("limits.{limit}"), format!(">= {least}"));
        }
        if self.take(&["nice", "-n"]) {
            let nice: i64 = self.next()?.parse().ok()?;
            self.set("nice", nice);
        }
        if self.take(&["s6-setuidgid"]) {
            let user = self.next()?;
            self.user(user);
        } else if self.take(&["s6-envuidgid"]) {
            let name = self.next()?;
            self.take(&["s6-envuidgid", "-g"]).then_some(())?;
            let group = self.next()?;
            self.take(&["s6-applyuidgid", "-Uz"]).then_some(())?;
            self.user(format!("{name}:{group}"));
        }
        if self.take(&["export", "PATH"]) {
            let path = self.next()?;
            self.set("environment.PATH", path);
        }
        Some(())
    }

    /// Takes the shell that raises a limit, and the name of the limit.
    fn takes_least_limit(&mut self) -> bool {
        let is_script = |word: &str| word.starts_with("name=$1 option=$2 least=$3;");
        let fits =
            self.word(0) == Some("sh") && self.word(1) == Some("-c") && self.word(2).is_some_and(is_script);
        self.at += if fits { 5 } else { 0 };
        fits
    }

    /// Sets the account, which sets some variables itself.
    fn user(&mut self, user: String) {
        let name = user.split(':').next().unwrap_or_default().to_owned();
        let is_own = |(key, value): &(Vec<String>, DraftValue)| {
            let is_set_by_it = key[0] == "environment" && ["USER", "LOGNAME"].contains(&key[1].as_str());
            is_set_by_it && *value == DraftValue::Text(name.clone())
        };
        self.found.entries.retain(|entry| !is_own(entry));
        self.set("user", user);
    }

    fn set_list(&mut self, key: &str, list: Vec<String>) {
        if !list.is_empty() {
            self.set(key, DraftValue::from(list));
        }
    }
}

/// The options of s6-softlimit and the names of limits.
const LIMITS: &[(&str, &str)] = &[
    ("a", "as"),
    ("c", "core"),
    ("t", "cpu"),
    ("d", "data"),
    ("f", "fsize"),
    ("l", "memlock"),
    ("o", "nofile"),
    ("p", "nproc"),
    ("r", "rss"),
    ("s", "stack"),
];
