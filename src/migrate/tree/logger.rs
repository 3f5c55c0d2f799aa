//! Reads back the loggers that s6gen has generated for the key `log` of longruns.

use std::collections::BTreeMap;

use super::facts::Facts;
use super::generated::{GeneratedDefinition, GeneratedScript, ScriptReader};
use super::tokens::{self, GeneratedTokens};
use crate::manifest::draft::{DraftTable, DraftValue};
use crate::model::{Longrun, Name, Service};

/// What a generated logger does, by the end of its name and the comment in its `run`.
const LOGGERS: &[(&str, &str)] = &[
    ("-err-log", "keeps its errors"),
    ("-err-log", "passes its errors on"),
    ("-err-log", "writes its errors as JSON"),
    ("-log", "keeps its output"),
    ("-log", "passes its output on"),
    ("-log", "writes its output as JSON"),
    ("-filter", "filters its output"),
    (SHOWN, "shows files on the container's log"),
];
/// What the name of the service that shows files has after that of its service.
const SHOWN: &str = "-show";
/// The size and the number of files that a log has by default.
const SIZE: &str = "1048576";
const KEEP: &str = "20";
/// The account that writes logs by default.
const USER: &str = "nobody";

/// Keys of `log`, without `log.`.
pub(super) type LogKeys = Vec<(&'static str, DraftValue)>;

impl Facts<'_> {
    /// The service for which s6gen generated a logger, if the key `log` of its users generates it again.
    pub(super) fn logger_owner(&self, name: &Name) -> Option<String> {
        self.generated_logger(name).map(|(owner, _)| owner.clone())
    }

    /// Whether the loggers do not change to another account, as in a container without root.
    pub(super) fn is_rootless(&self) -> bool {
        let keeps_account = |name: &Name| {
            let run = self.generated_run(name).unwrap_or_default();
            self.generated_logger(name).is_some_and(|(_, what)| !what.starts_with("shows"))
                && !run.contains("uidgid ")
        };
        self.ours().any(|service| keeps_account(&service.name))
    }

    /// The loggers that s6gen generated, each with the name of its service and what it does.
    pub(super) fn find_loggers(&self) -> BTreeMap<Name, (String, &'static str)> {
        let logger = |service: &Service| Some((service.name.clone(), self.find_logger(&service.name)?));
        self.ours().filter_map(logger).collect()
    }

    fn generated_logger(&self, name: &Name) -> Option<&(String, &'static str)> {
        self.loggers.get(name)
    }

    fn find_logger(&self, name: &Name) -> Option<(String, &'static str)> {
        let comment = self.generated_run(name)?.lines().nth(1)?;
        let (table, what) = comment.strip_prefix("# [longrun.")?.split_once("] ")?;
        let (suffix, what) = LOGGERS.iter().find(|(_, known)| *known == what)?;
        let name_text = name.to_string();
        let is_of_table = |owner: &&str| self.table_name(&(*owner).into()) == table;
        let owner = name_text.strip_suffix(suffix).filter(is_of_table)?;
        let mut users = self.longrun(name)?.consumer_for.iter().map(|producer| &producer.name);
        let is_read = |user: &Name| self.generated_run(user).is_some() && self.refusal(user).is_none();
        let fits = is_read(&owner.into()) && users.all(is_read) && !self.is_started_by_name(name);
        fits.then(|| (owner.to_owned(), *what))
    }

    /// The keys from which s6gen generated the loggers of a longrun. `None` if it did not generate one that the longrun uses.
    pub(super) fn log_keys(
        &self,
        service: &Service,
        longrun: &Longrun,
        run: &GeneratedScript,
    ) -> Option<LogKeys> {
        let mut keys = LogKeys::new();
        let mut next = longrun.producer_for.as_deref().and_then(<[_]>::first).map(|to| to.name.clone());
        while let Some(name) = next.take().filter(|name| self.generated_logger(name).is_some()) {
            add(&mut keys, self.keys_of(&name)?);
            let to = self.longrun(&name)?.producer_for.as_deref().and_then(<[_]>::first);
            next = to.map(|to| to.name.clone());
        }
        if let Some(errors) = &run.errors {
            let name = Name::from(errors.as_str());
            self.generated_logger(&name)?;
            add(&mut keys, self.keys_of(&name)?);
        }
        let has = |keys: &LogKeys, name: &str| keys.iter().any(|(key, _)| *key == name);
        let is_json = has(&keys, "format");
        let is_elsewhere = has(&keys, "to") || has(&keys, "file");
        let leaves_output = match run.errors {
            Some(_) => is_json && is_elsewhere,
            None => !is_json && (!keys.is_empty() || run.has("log.to")),
        };
        if leaves_output && !run.has("log.stderr") && !has(&keys, "stderr") {
            keys.push(("stderr", "container".into()));
        }
        let shown = Name::from(format!("{}{SHOWN}", service.name).as_str());
        if self.generated_logger(&shown).is_some() {
            add(&mut keys, self.shown_keys(&shown, run)?);
        }
        // Files that are shown have the prefix, also where the log itself does not need it.
        if has(&keys, "prefix") {
            keys.retain(|(key, _)| *key != UNUSED_PREFIX);
        }
        Some(keys)
    }

    /// The generated loggers that a service waits for: that of its errors, and the one that shows files.
    pub(super) fn waited_loggers(&self, name: &Name, run: &GeneratedScript) -> Vec<String> {
        let shown = format!("{name}{SHOWN}");
        let shown = Some(shown).filter(|shown| self.generated_logger(&shown.as_str().into()).is_some());
        run.errors.clone().into_iter().chain(shown).collect()
    }

    /// The keys of the service that shows files.
    fn shown_keys(&self, name: &Name, run: &GeneratedScript) -> Option<LogKeys> {
        let tokens = GeneratedTokens::of(self.generated_run(name)?)?;
        let words = tokens::words(&tokens.tokens);
        let mut keys = sink_keys(&words, false)?;
        keys.retain(|(key, _)| *key != "user");
        let user = account(&words).map(DraftValue::from);
        if user.as_ref() != run.user() {
            keys.extend(user.map(|user| ("user", user)));
        }
        let command = tokens.command();
        let files = command.iter().skip_while(|word| *word != "-F").skip(1);
        let files: Vec<&str> = files.map(|path| path_text(path)).collect();
        keys.push(("show", files.into()));
        Some(keys)
    }

    fn keys_of(&self, name: &Name) -> Option<LogKeys> {
        let (_, what) = self.generated_logger(name)?;
        let text = self.generated_run(name)?;
        let files = self.files(name)?;
        let (name, table) = (name.to_string(), String::new());
        let definition = GeneratedDefinition { kind: "longrun", table: &table, name: &name, files };
        logger_keys(&definition, text, what)
    }
}

/// Leaves out that standard error goes where standard output goes, if it does so anyway.
pub(super) fn without_usual_stderr(table: &mut DraftTable) {
    let has = |key: &str| table.entries.iter().any(|entry| entry.key == ["log", key]);
    let is_elsewhere = has("to") || has("file");
    if is_elsewhere || !has("format") && (has("filter") || has("prefix")) {
        let usual = DraftValue::Text("stdout".to_owned());
        table.entries.retain(|entry| entry.key != ["log", "stderr"] || entry.value != usual);
    }
}

/// Adds the keys that are not there yet: all loggers of a service have the same settings.
fn add(keys: &mut LogKeys, more: LogKeys) {
    for (key, value) in more {
        if !keys.iter().any(|(known, _)| *known == key) {
            keys.push((key, value));
        }
    }
}

/// The keys of one logger, from its `run`.
fn logger_keys(definition: &GeneratedDefinition<'_>, text: &str, what: &str) -> Option<LogKeys> {
    let tokens = GeneratedTokens::of(text)?;
    let (words, command) = (tokens::words(&tokens.tokens), tokens.command());
    let mut keys = sink_keys(&words, what.contains("errors"))?;
    if what.starts_with("passes") || what.starts_with("filters") {
        let place = match what {
            _ if what.starts_with("filters") => "filter",
            _ if what.contains("errors") => "stderr",
            _ => "to",
        };
        keys.push((place, definition.command(command, "run")?));
    }
    Some(keys)
}

/// The word behind some others.
fn after<'w>(words: &'w [String], known: &[&str]) -> Option<&'w str> {
    let at = words.windows(known.len()).position(|window| window == known)?;
    words.get(at + known.len()).map(String::as_str)
}

/// The account to which a script changes.
fn account(words: &[String]) -> Option<String> {
    let name = after(words, &["s6-setuidgid"]).or_else(|| after(words, &["s6-envuidgid"]))?;
    match after(words, &["s6-envuidgid", "-g"]) {
        Some(group) => Some(format!("{name}:{group}")),
        None => Some(name.to_owned()),
    }
}

/// The keys of one logger, from its words.
fn sink_keys(words: &[String], is_stderr: bool) -> Option<LogKeys> {
    let mut keys = LogKeys::new();
    keys.extend(account(words).filter(|user| user != USER).map(|user| ("user", user.into())));
    if words.iter().any(|word| word.starts_with("if test -L ")) {
        keys.push(("link", true.into()));
    }
    let place = if is_stderr { "stderr" } else { "to" };
    let file = after(words, &["redirfd", "-a", "1"]);
    if let Some(file) = file {
        keys.push(("file", path_text(file).into()));
    }
    let script = words.iter().rposition(|word| word == "--").and_then(|at| words.get(at + 1..));
    let script = script.map(|script| script.split(|word| word == "redirfd").next().unwrap_or(script));
    if let Some(script) = script.filter(|_| words.iter().any(|word| word == "s6-log")) {
        keys.extend(script_keys(script, place, file.is_some()));
    }
    if words.iter().any(|word| word.ends_with("/data/json")) {
        keys.push(("format", "json".into()));
    }
    Some(keys)
}

impl ScriptReader<'_> {
    /// The loggers of a oneshot, which are part of its script.
    pub(super) fn loggers(&mut self) -> Option<()> {
        let mut keys = LogKeys::new();
        if self.take(&["fdmove", "-c", "3", "1"]) {
            self.take(&["pipeline", "-w"]).then_some(())?;
            let words = self.nested_block()?;
            let mut more = sink_keys(&words, true)?;
            if is_command(&words) {
                more.push(("stderr", self.definition.command(command_of(&words)?.0, "log-errors")?));
            }
            add(&mut keys, more);
            (self.take(&["fdmove", "-c", "2", "1"]) && self.take(&["fdmove", "1", "3"])).then_some(())?;
        }
        let mut is_second = false;
        while self.take(&["pipeline", "-w"]) {
            let words = self.nested_block()?;
            let mut more = sink_keys(&words, false)?;
            if is_command(&words) {
                let (command, has_file) = command_of(&words)?;
                let is_filter =
                    is_second || has_file || self.definition.script_name(&command) == Some("filter");
                let (place, script) = if is_filter { ("filter", "filter") } else { ("to", "log") };
                more.push((place, self.definition.command(command, script)?));
            }
            add(&mut keys, more);
            is_second = true;
        }
        for (key, value) in keys {
            self.set(&format!("log.{key}"), value);
        }
        Some(())
    }
}

/// Whether a logger of a oneshot gives its lines to a command.
fn is_command(words: &[String]) -> bool {
    !words.iter().any(|word| word == "s6-log" || word.ends_with("/data/json"))
}

/// The command of a logger, which is behind its account and its file, and whether it has a file.
fn command_of(words: &[String]) -> Option<(Vec<String>, bool)> {
    let starts: [(&[&str], usize); 3] =
        [(&["redirfd", "-a", "1"], 4), (&["s6-applyuidgid", "-Uz"], 2), (&["s6-setuidgid"], 2)];
    starts.iter().enumerate().find_map(|(index, (known, length))| {
        let at = words.windows(known.len()).position(|window| window == *known)?;
        Some((words.get(at + length..)?.to_vec(), index == 0))
    })
}

/// The key of a prefix that has no effect. Only defaults can have it, so `lift` moves it there.
pub(super) const UNUSED_PREFIX: &str = "unused-prefix";

/// The keys that a script of s6-log comes from.
pub(super) fn script_keys(script: &[String], place: &'static str, has_file: bool) -> LogKeys {
    let mut keys = LogKeys::new();
    let directory = script.last().filter(|last| last.starts_with(['/', '$']));
    let mut timestamp = "none";
    for word in script {
        match (word.as_str(), word.split_at_checked(1)) {
            ("t", _) => timestamp = "tai64n",
            ("T", _) => timestamp = "iso",
            ("1", _) if directory.is_some() => keys.push(("tee", true.into())),
            (_, Some(("p", prefix))) if !prefix.is_empty() => keys.push(("prefix", prefix.into())),
            (_, Some(("n", keep))) if keep != KEEP => {
                keys.extend(keep.parse::<i64>().ok().map(|keep| ("keep", keep.into())));
            }
            (_, Some(("s", size))) if size != SIZE => keys.push(("size", size_text(size).into())),
            _ => {}
        }
    }
    let usual = if has_file { "none" } else { "iso" };
    if timestamp != usual && (directory.is_some() || has_file) {
        keys.push(("timestamp", timestamp.into()));
    }
    let has_tee = keys.iter().any(|(key, _)| *key == "tee");
    let is_used = has_tee || directory.is_none() && !has_file;
    for (key, _) in keys.iter_mut().filter(|(key, _)| *key == "prefix" && !is_used) {
        *key = UNUSED_PREFIX;
    }
    keys.extend(directory.map(|directory| (place, path_text(directory).into())));
    keys
}

/// A path as in the manifest: one that begins with a variable has a slash before it.
fn path_text(path: &str) -> &str {
    if path.starts_with("/${") { &path[1..] } else { path }
}

/// A number of bytes with the largest unit that fits.
fn size_text(bytes: &str) -> String {
    match bytes.parse::<u64>() {
        Ok(whole) if whole % (1 << 20) == 0 => format!("{}MB", whole >> 20),
        Ok(whole) if whole % (1 << 10) == 0 => format!("{}KB", whole >> 10),
        _ => format!("{bytes}B"),
    }
}
