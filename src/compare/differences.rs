//! Finds the services and settings that differ between two snapshots.

use std::collections::BTreeSet;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::hidden::{without_values, words_without_values};
use crate::model::{File, Name, NodeKind, Settings, Snapshot, Words};

/// A service that is not the same in two snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its name.
    pub name: Name,
    /// How it differs.
    pub kind: DifferenceKind,
}

/// How a service differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DifferenceKind {
    /// Only the new snapshot has it.
    Added,
    /// Only the old snapshot has it.
    Removed,
    /// Both have it, with these settings changed. There is at least one.
    Changed(Vec<SettingChange>),
}

/// A setting that is not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingChange {
    /// The file of the definition that holds it: `timeout-up`, `dependencies`, `run`, `env/MODE`.
    pub setting: String,
    /// How it changed.
    pub change: Changed,
}

/// How a setting changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// A single value, or `None` if it is not set. The value of a flag that is set is empty.
    Value {
        /// The old one.
        old: Option<String>,
        /// The new one.
        new: Option<String>,
    },
    /// A command line.
    Words {
        /// The old one.
        old: Words,
        /// The new one.
        new: Words,
    },
    /// A set of services.
    Names {
        /// Only in the new one.
        added: Vec<Name>,
        /// Only in the old one.
        removed: Vec<Name>,
    },
    /// A text, compared by lines.
    Lines(Vec<Hunk>),
    /// A file that is not text, or the value of a variable, which may be a secret.
    Bytes {
        /// Whether the old definition has it.
        old: bool,
        /// Whether the new definition has it.
        new: bool,
    },
    /// Only the x bit of a file, which is now set or not.
    Executable(bool),
}

/// A group of neighbouring lines that differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// The number of the first line, from 1, in the new text.
    pub line: usize,
    /// The old lines.
    pub removed: Vec<String>,
    /// The new lines in their place.
    pub added: Vec<String>,
}

/// What differs between two snapshots, in byte order of the names.
pub fn differences(old: &Snapshot, new: &Snapshot) -> Vec<Difference> {
    let names: BTreeSet<&Name> = old.services.keys().chain(new.services.keys()).collect();
    let differences = names.into_iter().filter_map(|name| {
        let kind = match (old.services.get(name), new.services.get(name)) {
            (None, _) => DifferenceKind::Added,
            (_, None) => DifferenceKind::Removed,
            (Some(old), Some(new)) if old == new => return None,
            (Some(old), Some(new)) => DifferenceKind::Changed(changes(old, new)),
        };
        Some(Difference { name: name.clone(), kind })
    });
    differences.collect()
}

/// The settings of a service that differ, in the order in which a person would read a definition.
pub fn changes(old: &Settings, new: &Settings) -> Vec<SettingChange> {
    let mut changes = Changes(Vec::new());
    changes.value("type", Some(word(old.kind)), Some(word(new.kind)));
    let is_bundle = [old.kind, new.kind].contains(&NodeKind::Bundle);
    // Between a bundle and an atomic service all other settings differ as well, so only these two are listed.
    if is_bundle {
        changes.names("contents", &old.contents, &new.contents);
    }
    if old.kind != new.kind && is_bundle {
        return changes.0;
    }
    if old.kind == new.kind {
        for (setting, old, new) in
            [("up", &old.up, &new.up), ("down", &old.down, &new.down), ("reload", &old.reload, &new.reload)]
        {
            if old != new {
                let (old, new) = (words_without_values(old), words_without_values(new));
                changes.push(setting, Changed::Words { old, new });
            }
        }
        changes.files(old, new);
        let name = |name: &Option<Name>| name.as_ref().map(Name::to_string);
        changes.value("producer-for", name(&old.producer_for), name(&new.producer_for));
        changes.names("consumer-for", &old.consumer_for, &new.consumer_for);
        changes.value("pipeline-name", name(&old.pipeline_name), name(&new.pipeline_name));
    }
    changes.names("dependencies", &old.dependencies, &new.dependencies);
    let limit = |limit: u32| (limit > 0).then(|| limit.to_string());
    changes.value("timeout-up", limit(old.timeout_up), limit(new.timeout_up));
    changes.value("timeout-down", limit(old.timeout_down), limit(new.timeout_down));
    let flag = |flag: bool| flag.then_some("");
    changes.value("flag-essential", flag(old.flag_essential), flag(new.flag_essential));
    changes.value("flag-recommended", flag(old.flag_recommended), flag(new.flag_recommended));
    changes.0
}

/// The word of the `type` file.
fn word(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Longrun => "longrun",
        NodeKind::Oneshot => "oneshot",
        NodeKind::Bundle => "bundle",
        NodeKind::Unknown => "of another layer",
    }
}

struct Changes(Vec<SettingChange>);

impl Changes {
    fn push(&mut self, setting: &str, change: Changed) {
        self.0.push(SettingChange { setting: setting.to_owned(), change });
    }

    fn value(&mut self, setting: &str, old: Option<impl Into<String>>, new: Option<impl Into<String>>) {
        let (old, new) = (old.map(Into::into), new.map(Into::into));
        if old != new {
            self.push(setting, Changed::Value { old, new });
        }
    }

    fn names(&mut self, setting: &str, old: &BTreeSet<Name>, new: &BTreeSet<Name>) {
        if old != new {
            let added = new.difference(old).cloned().collect();
            let removed = old.difference(new).cloned().collect();
            self.push(setting, Changed::Names { added, removed });
        }
    }

    fn files(&mut self, old: &Settings, new: &Settings) {
        let paths: BTreeSet<&str> = old.files.paths().chain(new.files.paths()).collect();
        // `run` and `finish` come first, and then the files that they read.
        let (first, rest): (Vec<&str>, Vec<&str>) =
            paths.into_iter().partition(|path| matches!(*path, "run" | "finish"));
        for path in first.into_iter().rev().chain(rest) {
            let (old, new) = (old.files.get(path), new.files.get(path));
            if old != new {
                self.push(path, file(path, old, new));
            }
        }
    }
}

fn file(path: &str, old: Option<&File>, new: Option<&File>) -> Changed {
    if let (Some(old), Some(new)) = (old, new)
        && old.content == new.content
    {
        return Changed::Executable(new.executable);
    }
    if is_value(path)
        && let (Some(old), Some(new)) = (value(old), value(new))
    {
        return Changed::Value { old, new };
    }
    match (text(old), text(new)) {
        _ if path.starts_with("env/") => Changed::Bytes { old: old.is_some(), new: new.is_some() },
        (Some(before), Some(after)) => Changed::Lines(lines(before, after)),
        _ => Changed::Bytes { old: old.is_some(), new: new.is_some() },
    }
}

/// Whether a file is a setting of s6-supervise.
fn is_value(path: &str) -> bool {
    let ends = ["-fd", "-signal"];
    let begins = ["flag-", "timeout-", "max-death-tally"];
    begins.iter().any(|start| path.starts_with(start))
        || ends.iter().any(|end| path.ends_with(end)) && !path.contains('/')
}

/// The value in a file of one line, or `Some(None)` if the file is missing. `None` if the file has several lines.
fn value(file: Option<&File>) -> Option<Option<String>> {
    let Some(file) = file else { return Some(None) };
    let text = str::from_utf8(&file.content).ok()?.trim_end_matches('\n');
    (!text.contains('\n')).then(|| Some(text.to_owned()))
}

/// The text of a file; empty if the file is missing. `None` if the file is not text.
fn text(file: Option<&File>) -> Option<&str> {
    let Some(file) = file else { return Some("") };
    str::from_utf8(&file.content).ok().filter(|text| !text.contains('\0'))
}

/// The lines that differ. They are compared as they are, and shown without the values of variables.
fn lines(old: &str, new: &str) -> Vec<Hunk> {
    let (shown_old, shown_new) = (without_values(old), without_values(new));
    let lines = |text| str::split_inclusive(text, '\n').collect::<Vec<&str>>();
    let operations = capture_diff_slices(Algorithm::Myers, &lines(old), &lines(new));
    let (old, new) = (lines(&shown_old), lines(&shown_new));
    let plain = |lines: &[&str]| lines.iter().map(|line| line.trim_end_matches('\n').to_owned()).collect();
    let changed = operations.into_iter().filter(|operation| !matches!(operation, DiffOp::Equal { .. }));
    let hunks = changed.map(|operation| Hunk {
        line: operation.new_range().start + 1,
        removed: plain(&old[operation.old_range()]),
        added: plain(&new[operation.new_range()]),
    });
    hunks.collect()
}
