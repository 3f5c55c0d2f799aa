//! A manifest that is to be written: tables with keys, values and comments. [`Draft::text`] writes it in the form of `s6gen fmt`.

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
#[derive(Debug, Clone, PartialEq)]
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
