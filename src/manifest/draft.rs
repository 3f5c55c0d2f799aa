//! A manifest that is to be written: tables with keys, values and comments. [`Draft::text`] writes it in the form of `s6gen fmt`.

use std::fmt::Write as _;

use toml_edit::{Array, InlineTable, Key, Value};

use super::layout::format;

/// A manifest to be written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    /// Comment lines at the top, without `# `.
    pub header: Vec<String>,
    /// Its tables, in the order in which they are written.
    pub tables: Vec<DraftTable>,
}

/// A table: `[longrun.web]`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DraftTable {
    /// The names of its heading: `["longrun", "web"]`. Without a name it is the top of the file.
    pub path: Vec<String>,
    /// Comment lines above it, without `# `.
    pub comments: Vec<String>,
    /// Its keys. [`Draft::text`] puts them into the order of `s6gen fmt`.
    pub entries: Vec<DraftEntry>,
}

/// A key with its value: `log.size = "2MB"`.
#[derive(Debug, Clone, PartialEq)]
pub struct DraftEntry {
    /// The parts of the key: `["log", "size"]`.
    pub key: Vec<String>,
    /// Its value.
    pub value: DraftValue,
    /// Comment lines above it, without `# `.
    pub comments: Vec<String>,
    /// A comment at its end, without `# `.
    pub comment: Option<String>,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum DraftValue {
    /// A text. One with several lines is written as a multi-line string.
    Text(String),
    /// A number.
    Number(i64),
    /// `true` or `false`.
    Flag(bool),
    /// An array.
    List(Vec<DraftValue>),
    /// An inline table.
    Table(Vec<(String, DraftValue)>),
}

impl Draft {
    /// The text of the manifest, in the form of `s6gen fmt`.
    pub fn text(&self) -> String {
        let mut out = String::new();
        write_comments(&self.header, &mut out);
        for table in &self.tables {
            out.push('\n');
            write_comments(&table.comments, &mut out);
            if !table.path.is_empty() {
                let _ = writeln!(out, "[{}]", dotted(&table.path));
            }
            for entry in &table.entries {
                write_comments(&entry.comments, &mut out);
                let _ = write!(out, "{} = {}", dotted(&entry.key), entry.value.to_toml());
                out.push_str(
                    &entry
                        .comment
                        .as_ref()
                        .map_or_else(String::new, |comment| format!("  # {}", printable(comment))),
                );
                out.push('\n');
            }
        }
        // The text is TOML, unless a comment of the old system has control characters in it.
        format(&out).unwrap_or(out)
    }
}

/// Writes comment lines. An empty text is a blank line.
fn write_comments(comments: &[String], out: &mut String) {
    for line in comments {
        let line = printable(line);
        let mark = if line.is_empty() { "" } else { "# " };
        let _ = writeln!(out, "{mark}{line}");
    }
}

/// A comment without control characters, which TOML does not allow, and in one line.
fn printable(comment: &str) -> String {
    comment.chars().filter(|c| !c.is_control() || *c == '\t').collect()
}

/// A key with its parts.
fn dotted(parts: &[String]) -> String {
    let parts: Vec<String> = parts.iter().map(|part| Key::new(part).display_repr().into_owned()).collect();
    parts.join(".")
}

impl DraftValue {
    /// The value as it could stand in a manifest, in one line.
    pub fn text(&self) -> String {
        match self {
            DraftValue::Text(text) if text.contains('\n') => format!("{text:?}"),
            _ => self.to_toml().to_string().trim().to_owned(),
        }
    }

    fn to_toml(&self) -> Value {
        match self {
            DraftValue::Text(text) => {
                literal(text).and_then(|text| text.parse().ok()).unwrap_or_else(|| text.into())
            }
            DraftValue::Number(number) => (*number).into(),
            DraftValue::Flag(flag) => (*flag).into(),
            DraftValue::List(list) => list.iter().map(DraftValue::to_toml).collect::<Array>().into(),
            DraftValue::Table(table) => {
                let fields = table.iter().map(|(name, value)| (name, value.to_toml()));
                fields.collect::<InlineTable>().into()
            }
        }
    }
}

/// The most readable form of a string: without escapes, if possible. `None` leaves the choice to the library.
fn literal(text: &str) -> Option<String> {
    // In a string of several lines, TOML may read the line end of Windows as another one.
    if text.contains('\r') {
        return Some(format!("\"{}\"", text.chars().map(escaped).collect::<String>()));
    }
    let is_plain = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    if !text.chars().all(is_plain) || text.contains("'''") || text.ends_with('\'') {
        return None;
    }
    if text.contains('\n') {
        return Some(format!("'''\n{text}'''"));
    }
    let needs_escapes = text.contains(['"', '\\']);
    (needs_escapes && !text.contains(['\'', '\n'])).then(|| format!("'{text}'"))
}

/// A character as in a string between `"`.
fn escaped(c: char) -> String {
    match c {
        '"' | '\\' => format!("\\{c}"),
        _ if c.is_control() => format!("\\u{:04X}", u32::from(c)),
        _ => c.to_string(),
    }
}

impl DraftTable {
    /// A table without keys.
    pub fn new(path: &[&str]) -> Self {
        DraftTable { path: path.iter().map(|part| (*part).to_owned()).collect(), ..DraftTable::default() }
    }

    /// Adds a key. A dot in `key` separates its parts: `log.size`.
    pub fn set(&mut self, key: &str, value: impl Into<DraftValue>) -> &mut DraftEntry {
        let key = key.split('.').map(str::to_owned).collect();
        self.set_path(key, value)
    }

    /// Adds a key whose parts may contain dots.
    pub fn set_path(&mut self, key: Vec<String>, value: impl Into<DraftValue>) -> &mut DraftEntry {
        let place = self.entries.len();
        self.entries.push(DraftEntry { key, value: value.into(), comments: Vec::new(), comment: None });
        &mut self.entries[place]
    }
}

impl From<&str> for DraftValue {
    fn from(text: &str) -> Self {
        DraftValue::Text(text.to_owned())
    }
}

impl From<String> for DraftValue {
    fn from(text: String) -> Self {
        DraftValue::Text(text)
    }
}

impl From<i64> for DraftValue {
    fn from(number: i64) -> Self {
        DraftValue::Number(number)
    }
}

impl From<bool> for DraftValue {
    fn from(flag: bool) -> Self {
        DraftValue::Flag(flag)
    }
}

impl<V: Into<DraftValue>> From<Vec<V>> for DraftValue {
    fn from(list: Vec<V>) -> Self {
        DraftValue::List(list.into_iter().map(Into::into).collect())
    }
}
