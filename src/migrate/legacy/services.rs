//! Translates `services.d`: each service becomes a longrun, with its logger as another one.

use std::collections::BTreeMap;

use super::scripts::{has_no_first_line, script_problem, with_new_names};
use super::{LegacyFile, Translator, is_elsewhere};
use crate::migrate::Fate;
use crate::migrate::tree::name_problem;
use crate::model::{File, Name};

/// Where s6-overlay 3 starts a service that stays in `services.d`.
const STAYS: &str = "leave the service in the image: s6-overlay still starts it, now behind all services of the manifest, with which it has no pipe";
/// How long a service has until it is killed, in milliseconds. It is what s6gen gives every service.
const TIMEOUT_KILL: &str = "5000\n";
/// The scripts of a service.
const SCRIPTS: &[&str] = &["run", "finish", "log/run", "log/finish"];

/// A service of `services.d`.
pub(super) struct LegacyService {
    directory: String,
    /// Its files, by path.
    files: BTreeMap<String, LegacyFile>,
    name: String,
    logger: String,
}

impl Translator<'_> {
    /// The services that a manifest can have, with their names. The other files have their lines then.
    pub(super) fn find_services(&mut self) -> Vec<LegacyService> {
        let mut all = BTreeMap::<String, BTreeMap<String, LegacyFile>>::new();
        for (path, file) in self.below("services.d") {
            match path.split_once('/') {
                Some((directory, inner)) => {
                    all.entry(directory.to_owned()).or_default().insert(inner.to_owned(), file);
                }
                None if path.starts_with('.') => {
                    let remark = "names that begin with a dot are not services";
                    self.note(&format!("services.d/{path}"), Fate::NoEffect, "", remark);
                }
                None => match script_problem(&file).filter(|_| !matches!(file, LegacyFile::Regular(_))) {
                    Some(problem) => self.note(
                        &format!("services.d/{path}"),
                        Fate::Lost,
                        "",
                        &format!("{problem}; if it is a service, {STAYS}"),
                    ),
                    None => self.note(
                        &format!("services.d/{path}"),
                        Fate::NoEffect,
                        "",
                        "only directories are services",
                    ),
                },
            }
        }
        let mut services = Vec::new();
        for (directory, files) in all {
            match left(&directory, &files) {
                Some((fate, reason)) => {
                    for path in files.keys() {
                        self.note(&format!("services.d/{directory}/{path}"), fate, "", &reason);
                    }
                }
                None => services.push((directory, files)),
            }
        }
        let names: Vec<String> = services
            .iter()
            .map(|(directory, _)| self.names.take(&[directory.clone(), format!("{directory}-svc")]))
            .collect();
        let named = services.into_iter().zip(names);
        named
            .map(|((directory, files), name)| {
                let logger = match files.contains_key("log/run") {
                    true => self.names.take(&[format!("{name}-log"), format!("{name}-logger")]),
                    false => String::new(),
                };
                LegacyService { directory, files, name, logger }
            })
            .collect()
    }

    pub(super) fn services(&mut self, services: &[LegacyService]) {
        for service in services {
            self.service(service);
        }
    }

    fn service(&mut self, service: &LegacyService) {
        let LegacyService { directory, files, name, logger } = service;
        self.definition(name, "longrun", !files.contains_key("down"));
        self.file(name, "timeout-kill", TIMEOUT_KILL, false);
        let has_logger = !logger.is_empty();
        if has_logger {
            self.definition(logger, "longrun", false);
            self.file(logger, "timeout-kill", TIMEOUT_KILL, false);
            self.file(logger, "consumer-for", format!("{name}\n"), false);
            self.file(name, "producer-for", format!("{logger}\n"), false);
        }
        for (path, file) in files {
            let place = format!("services.d/{directory}/{path}");
            let (own, inner) = match path.strip_prefix("log/") {
                Some(inner) if has_logger => (logger, inner),
                _ => (name, path.as_str()),
            };
            let becomes = format!("`[longrun.{own}]`");
            let mut remarks = Vec::new();
            if name != directory {
                remarks.push(format!("s6-overlay or another service has the name `{directory}`"));
            }
            match (inner, file) {
                ("down", _) => self.note(&place, Fate::Exact, "`start = \"on-demand\"`", ""),
                ("nosetsid", _) => self.note(&place, Fate::NoEffect, "", "s6 does not read it any more"),
                (_, LegacyFile::Regular(file)) => {
                    let is_script = SCRIPTS.contains(&path.as_str());
                    let (file, new_names) =
                        if is_script { with_new_names(file) } else { (file.clone(), Vec::new()) };
                    let (file, difference) = match path.as_str() {
                        "log/run" if has_logger => logger_difference(file),
                        _ => (file, None),
                    };
                    let fate = if difference.is_some() { Fate::Emulated } else { Fate::Exact };
                    remarks.extend(difference.map(str::to_owned));
                    self.file(own, inner, file.content.clone(), file.executable);
                    self.place(&place, own, inner, new_names);
                    self.note(&place, fate, &becomes, &remarks.join("; "));
                }
                ("run", LegacyFile::Dangling(target)) => {
                    self.file(own, inner, format!("#!/bin/sh\nexec {target}\n"), true);
                    self.place(&place, own, inner, Vec::new());
                    remarks.push(format!("it is a link to `{target}`, which has to be in the image"));
                    self.note(&place, Fate::Exact, &becomes, &remarks.join("; "));
                }
                (_, other) => {
                    let problem = script_problem(other).unwrap_or_default();
                    let remark = format!("{problem}; copy what it stands for into the new definition");
                    self.note(&place, Fate::Lost, "", &remark);
                }
            }
        }
    }
}

/// Why no manifest can have a service, and whether it had an effect.
fn left(directory: &str, files: &BTreeMap<String, LegacyFile>) -> Option<(Fate, String)> {
    if directory.starts_with('.') {
        return Some((Fate::NoEffect, "names that begin with a dot are not services".to_owned()));
    }
    let Some(run) = files.get("run") else {
        return Some((Fate::NoEffect, "there is no `run` beside it".to_owned()));
    };
    if has_no_first_line(run) {
        let reason = "the system cannot start `run`, because it does not begin with `#!`";
        return Some((Fate::NoEffect, reason.to_owned()));
    }
    let name = Name::new(directory);
    let reserved = name.is_reserved().then(|| "s6-rc keeps this name for itself".to_owned());
    let scripts = SCRIPTS.iter().filter_map(|path| Some((*path, files.get(*path)?)));
    let mut problems = scripts.filter_map(|(path, file)| {
        let is_carried = path == "run" && is_elsewhere(file);
        let problem = script_problem(file).filter(|_| !is_carried)?;
        Some(format!("`{path}` cannot be in a manifest, because {problem}"))
    });
    let problem = name_problem(&name).filter(|_| directory != "default").or(reserved);
    let problem = problem.or_else(|| problems.next())?;
    Some((Fate::Lost, format!("{problem}; {STAYS}")))
}

/// The script of a logger, and what is different for it: in version 2 it got the end of its input, and no signal.
fn logger_difference(file: File) -> (File, Option<&'static str>) {
    let (file, is_changed) = without_patience(file);
    let text = String::from_utf8_lossy(&file.content);
    let knows_signals = text.contains("s6-log") || text.contains("logutil-service");
    let difference = match (is_changed, knows_signals) {
        (true, _) => {
            "the option `-p` of s6-log is left out: the logger must end at the signal TERM, because a pipe of s6-rc never ends"
        }
        (false, true) => return (file, None),
        (false, false) => {
            "at a stop it gets the signal TERM and no longer the end of its input: what it holds back may be lost"
        }
    };
    (file, Some(difference))
}

/// The script of a logger whose s6-log does not ignore the signal TERM, and whether it did.
fn without_patience(file: File) -> (File, bool) {
    let Ok(text) = str::from_utf8(&file.content) else { return (file, false) };
    let mut words: Vec<String> = text.split_inclusive(char::is_whitespace).map(str::to_owned).collect();
    let mut is_log = false;
    let mut is_changed = false;
    for word in &mut words {
        let plain = word.trim_end().to_owned();
        let end = word[plain.len()..].to_owned();
        match plain.as_str() {
            "" => {}
            "s6-log" | "/bin/s6-log" | "/usr/bin/s6-log" => is_log = true,
            option if is_log && option.starts_with('-') && option != "--" => {
                let letters = option.trim_start_matches('-');
                let is_flags = letters.chars().all(|c| "bpe".contains(c));
                if is_flags && letters.contains('p') {
                    let rest: String = letters.chars().filter(|c| *c != 'p').collect();
                    *word = if rest.is_empty() { String::new() } else { format!("-{rest}{end}") };
                    is_changed = true;
                }
            }
            _ => is_log = false,
        }
    }
    let content = words.concat().into_bytes().into();
    (File { content, executable: file.executable }, is_changed)
}

#[cfg(test)]
mod tests {
    use super::without_patience;
    use crate::model::File;

    #[test]
    fn a_logger_ends_at_the_signal() {
        let without = |text: &str| {
            let file = File { content: text.as_bytes().to_vec().into(), executable: true };
            let (file, is_changed) = without_patience(file);
            (String::from_utf8(file.content.into_owned()).unwrap(), is_changed)
        };
        assert_eq!(without("exec s6-log -bp -- n20 /l\n"), ("exec s6-log -b -- n20 /l\n".to_owned(), true));
        assert_eq!(without("exec s6-log -p T /l\n"), ("exec s6-log T /l\n".to_owned(), true));
        assert_eq!(
            without("mkdir -p /l\ns6-log n20 /l\n"),
            ("mkdir -p /l\ns6-log n20 /l\n".to_owned(), false)
        );
    }
}
