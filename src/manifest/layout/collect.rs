//! Takes a manifest apart: its tables and keys in their order, each with its comments.

use toml_edit::{Array, ArrayOfTables, Decor, DocumentMut, Item, Key, RawString, Table, Value};

/// A table with its comments.
pub(super) struct LaidTable {
    /// The names of its heading. Empty for the top of the file.
    pub path: Vec<String>,
    /// Its heading with the comment behind it. The top of the file has none.
    pub heading: Option<String>,
    /// The comment lines above it; an empty text is a blank line.
    pub above: Vec<String>,
    /// Its keys.
    pub entries: Vec<LaidEntry>,
}

/// A key with its value and comments.
#[derive(Clone)]
pub(super) struct LaidEntry {
    /// The parts of the key, as they are written.
    pub key: Vec<String>,
    /// Its value.
    pub value: Value,
    /// The comment lines above it; an empty text is a blank line.
    pub above: Vec<String>,
    /// The comment behind it, with the blanks before it.
    pub beside: String,
}

impl LaidEntry {
    /// Whether it has a comment of its own.
    pub fn is_commented(&self) -> bool {
        !self.beside.is_empty() || self.above.iter().any(|line| !line.is_empty())
    }
}

/// The tables of a manifest, in the order in which they are written.
pub(super) fn collect(document: &DocumentMut) -> Vec<LaidTable> {
    let mut tables =
        vec![(None, LaidTable { path: Vec::new(), heading: None, above: Vec::new(), entries: Vec::new() })];
    collect_below(document.as_table(), &mut Vec::new(), 0, &mut tables);
    // The top of the file has no place, and comes first.
    tables.sort_by_key(|(position, _)| *position);
    tables.into_iter().map(|(_, table)| table).collect()
}

type Placed = (Option<isize>, LaidTable);

/// Collects the keys of `table` into the table number `home`, and the tables below it.
fn collect_below(table: &Table, path: &mut Vec<Key>, home: usize, tables: &mut Vec<Placed>) {
    collect_entries(table, &mut Vec::new(), path, home, tables);
}

fn collect_entries(
    table: &Table,
    key: &mut Vec<String>,
    path: &mut Vec<Key>,
    home: usize,
    tables: &mut Vec<Placed>,
) {
    for (name, item) in table {
        let Some(written) = table.key(name) else { continue };
        match item {
            Item::None => {}
            Item::Value(value) => {
                let key = key.iter().cloned().chain([key_text(written)]).collect();
                tables[home].1.entries.push(entry(key, written, value));
            }
            Item::Table(inner) if inner.is_dotted() => {
                key.push(key_text(written));
                path.push(written.clone());
                collect_entries(inner, key, path, home, tables);
                path.pop();
                key.pop();
            }
            Item::Table(inner) => {
                path.push(written.clone());
                let home = open(inner, path, "[", tables);
                collect_below(inner, path, home, tables);
                path.pop();
            }
            Item::ArrayOfTables(list) => collect_list(list, written, path, tables),
        }
    }
}

fn collect_list(list: &ArrayOfTables, written: &Key, path: &mut Vec<Key>, tables: &mut Vec<Placed>) {
    path.push(written.clone());
    for inner in list {
        let home = open(inner, path, "[[", tables);
        collect_below(inner, path, home, tables);
    }
    path.pop();
}

/// Adds a table, unless it has no heading. Returns the number of the table to which its keys belong.
fn open(table: &Table, path: &[Key], bracket: &str, tables: &mut Vec<Placed>) -> usize {
    if table.is_implicit() {
        return 0;
    }
    let names: Vec<String> = path.iter().map(key_text).collect();
    let closing = bracket.replace('[', "]");
    let beside = beside(raw(table.decor().suffix()));
    tables.push((
        table.position(),
        LaidTable {
            path: path.iter().map(|key| key.get().to_owned()).collect(),
            heading: Some(format!("{bracket}{}{closing}{beside}", names.join("."))),
            above: comment_lines(raw(table.decor().prefix())),
            entries: Vec::new(),
        },
    ));
    tables.len() - 1
}

fn entry(key: Vec<String>, written: &Key, value: &Value) -> LaidEntry {
    LaidEntry {
        key,
        value: value.clone(),
        above: comment_lines(raw(written.leaf_decor().prefix())),
        beside: beside(raw(value.decor().suffix())),
    }
}

/// A key with quotes only where it needs them.
pub(super) fn key_text(key: &Key) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    match !key.get().is_empty() && key.get().chars().all(is_bare) {
        true => key.get().to_owned(),
        false => key.display_repr().into_owned(),
    }
}

fn raw(text: Option<&RawString>) -> &str {
    text.and_then(RawString::as_str).unwrap_or_default()
}

/// The text before a value, and the text after it.
pub(super) fn around(decor: &Decor) -> (&str, &str) {
    (raw(decor.prefix()), raw(decor.suffix()))
}

/// The text between the last element of an array and its end.
pub(super) fn end_of(array: &Array) -> &str {
    array.trailing().as_str().unwrap_or_default()
}

/// The lines of a text that consists of comments and blanks. Several blank lines are one, an empty text.
pub(super) fn comment_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.split_inclusive('\n') {
        let is_whole = line.ends_with('\n');
        let line = line.trim();
        let is_second_blank = line.is_empty() && lines.last().is_some_and(String::is_empty);
        // What follows the last newline is the indentation of the key.
        if !is_second_blank && (is_whole || !line.is_empty()) {
            lines.push(line.to_owned());
        }
    }
    lines
}

/// A comment behind a key, with the blanks before it.
fn beside(text: &str) -> String {
    match text.trim_end() {
        "" => String::new(),
        comment if comment.starts_with('#') => format!(" {comment}"),
        comment => comment.to_owned(),
    }
}
