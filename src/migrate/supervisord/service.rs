//! A service while its keys are collected.

use crate::manifest::draft::{DraftEntry, DraftTable, DraftValue};

/// A service of the new manifest.
#[derive(Debug, Clone)]
pub(super) struct DraftService {
    /// Its name. For a template the name of the template.
    pub name: String,
    /// Whether it is a oneshot.
    pub is_oneshot: bool,
    /// The name of its program.
    pub program: String,
    /// The number of its section.
    pub section: usize,
    /// Its place in the order in which supervisord starts and stops.
    pub priority: i64,
    /// Whether it starts at boot.
    pub is_started: bool,
    /// Whether it is a template, in which `{{ }}` is an expression.
    pub is_template: bool,
    /// Its keys.
    pub table: DraftTable,
    /// Whether its log is the container's.
    pub logs_to_container: bool,
    /// Its command in words, if it is one.
    pub words: Vec<String>,
}

impl DraftService {
    /// Adds a key. A dot separates its parts.
    pub fn set(&mut self, key: &str, value: impl Into<DraftValue>) -> &mut DraftEntry {
        self.table.set(key, value)
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&DraftValue> {
        self.table.entries.iter().find(|entry| entry.key.join(".") == key).map(|entry| &entry.value)
    }

    /// Whether it has this key.
    pub fn has_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Removes a key.
    pub fn remove(&mut self, key: &str) {
        self.table.entries.retain(|entry| entry.key.join(".") != key);
    }
}
