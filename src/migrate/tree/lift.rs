//! Moves what most tables have into `[defaults]`.

use super::logger::UNUSED_PREFIX;
use crate::manifest::draft::{DraftEntry, DraftTable, DraftValue};

/// The keys that may become defaults, with their value where no default is set.
const KEYS: &[(&str, &str, UsualValue)] = &[
    ("longrun", "timeout-kill", UsualValue::Text("5s")),
    ("longrun", "with-contenv", UsualValue::Flag(true)),
    ("oneshot", "with-contenv", UsualValue::Flag(true)),
];

enum UsualValue {
    Text(&'static str),
    Flag(bool),
}

impl UsualValue {
    fn draft(&self) -> DraftValue {
        match self {
            UsualValue::Text(text) => (*text).into(),
            UsualValue::Flag(flag) => (*flag).into(),
        }
    }
}

/// Takes keys out of tables that have a value in common, and returns the tables of defaults. A value is moved if at least two
/// services and more than half of them have it; the others then write their own.
pub(super) fn defaults(tables: &mut [DraftTable]) -> Vec<DraftTable> {
    let mut defaults: Vec<DraftTable> =
        ["longrun", "oneshot"].iter().filter_map(|kind| prefix(kind, tables)).collect();
    for (kind, key, usual) in KEYS {
        let usual = usual.draft();
        let mut members: Vec<&mut DraftTable> =
            tables.iter_mut().filter(|table| table.path.first().is_some_and(|first| first == kind)).collect();
        // A oneshot without a command has no environment.
        members.retain(|table| *key != "with-contenv" || has(table, &["run", "up", "down", "reload"]));
        let values: Vec<DraftValue> =
            members.iter().map(|table| value(table, key).unwrap_or(usual.clone())).collect();
        let is_common = |value: &&DraftValue| {
            let count = values.iter().filter(|other| other == value).count();
            **value != usual && count > 1 && count * 2 > values.len()
        };
        let Some(common) = values.iter().find(is_common).cloned() else { continue };
        for (table, value) in members.iter_mut().zip(&values) {
            table.entries.retain(|entry| entry.key != [*key]);
            if *value != common {
                table.set(key, value.clone());
            }
        }
        let place = match defaults.iter().position(|table| table.path[1] == *kind) {
            Some(place) => place,
            None => {
                defaults.push(DraftTable::new(&["defaults", kind]));
                defaults.len() - 1
            }
        };
        defaults[place].set(key, common);
    }
    defaults
}

/// Moves a prefix that has no effect in some services into the defaults, which are the only place for one.
fn prefix(kind: &str, tables: &mut [DraftTable]) -> Option<DraftTable> {
    let is_key = |entry: &DraftEntry, name: &str| entry.key == ["log", name];
    let mut members: Vec<&mut DraftTable> = tables.iter_mut().filter(|table| table.path[0] == kind).collect();
    let common = members.iter().find_map(|table| {
        let unused = table.entries.iter().find(|entry| is_key(entry, UNUSED_PREFIX))?;
        Some(with_name(table, &unused.value))
    })?;
    for table in &mut members {
        let is_common = |entry: &DraftEntry| with_name(table, &entry.value) == common;
        let place = table
            .entries
            .iter()
            .position(|entry| is_key(entry, UNUSED_PREFIX) || is_key(entry, "prefix") && is_common(entry));
        match place {
            Some(place) => drop(table.entries.remove(place)),
            None if table.entries.iter().any(|entry| is_key(entry, "prefix")) => {}
            None if !has(table, &["producer-for"]) => drop(table.set("without", vec!["log.prefix"])),
            None => {}
        }
    }
    let mut defaults = DraftTable::new(&["defaults", kind]);
    defaults.set("log.prefix", common);
    Some(defaults)
}

/// A text in which the name of its service is an expression.
fn with_name(table: &DraftTable, value: &DraftValue) -> DraftValue {
    let name = table.path.last().map_or("", String::as_str);
    match value {
        DraftValue::Text(text) if !text.contains("{{") => text.replacen(name, "{{ name }}", 1).into(),
        other => other.clone(),
    }
}

fn value(table: &DraftTable, key: &str) -> Option<DraftValue> {
    table.entries.iter().find(|entry| entry.key == [key]).map(|entry| entry.value.clone())
}

fn has(table: &DraftTable, keys: &[&str]) -> bool {
    table.entries.iter().any(|entry| keys.contains(&entry.key[0].as_str()))
}
