//! How a value is written: on one line where it fits, in the lines of its author otherwise.

use toml_edit::{Array, InlineTable, Value};

use super::collect::{LaidEntry, around, comment_lines, end_of, key_text};

/// The number of characters up to which a value stays on one line.
const WIDTH: usize = 120;

/// The tables whose keys may be written with a dot: `log.size = "2MB"`.
const DOTTED: &[&str] = &[
    "alive",
    "down",
    "environment",
    "files",
    "finish",
    "limits",
    "log",
    "on-exit",
    "on-failure",
    "only-if",
    "prepare",
    "ready",
    "reload",
    "run",
    "up",
    "variables",
    "wait-for",
];

/// Joins dotted keys of one table into one inline table, where it fits on a line and none of them has a comment.
pub(super) fn join(entries: Vec<LaidEntry>) -> Vec<LaidEntry> {
    let mut joined: Vec<LaidEntry> = Vec::new();
    let mut rest = entries.as_slice();
    while let [first, ..] = rest {
        let is_same =
            |entry: &LaidEntry| entry.key.len() == 2 && first.key.len() == 2 && entry.key[0] == first.key[0];
        let count = rest.iter().take_while(|entry| is_same(entry)).count().max(1);
        let (group, after) = rest.split_at(count);
        rest = after;
        match inline(group) {
            Some(entry) => joined.push(entry),
            None => joined.extend(group.iter().cloned()),
        }
    }
    joined
}

/// Several dotted keys as one key with an inline table, if it fits on a line.
fn inline(group: &[LaidEntry]) -> Option<LaidEntry> {
    let [first, _, ..] = group else { return None };
    if !DOTTED.contains(&first.key[0].as_str()) || group.iter().any(LaidEntry::is_commented) {
        return None;
    }
    let fields: Vec<String> = group
        .iter()
        .map(|entry| Some(format!("{} = {}", entry.key[1], one_line(&entry.value)?)))
        .collect::<Option<_>>()?;
    let text = format!("{{ {} }}", fields.join(", "));
    let fits = first.key[0].len() + " = ".len() + text.chars().count() <= WIDTH;
    let value: Value = text.parse().ok().filter(|_| fits)?;
    Some(LaidEntry {
        key: vec![first.key[0].clone()],
        value,
        above: first.above.clone(),
        beside: String::new(),
    })
}

/// An inline table with one key, or one that does not fit on a line, as dotted keys.
pub(super) fn split(entry: &LaidEntry) -> Vec<(Vec<String>, Value)> {
    let whole = || vec![(entry.key.clone(), entry.value.clone())];
    let Value::InlineTable(table) = &entry.value else { return whole() };
    if entry.key.len() != 1
        || !DOTTED.contains(&entry.key[0].as_str())
        || table.is_empty()
        || has_comments(&entry.value)
    {
        return whole();
    }
    let length = one_line(&entry.value).map(|text| entry.key[0].len() + " = ".len() + text.chars().count());
    let fits = length.is_some_and(|length| length <= WIDTH);
    if table.len() > 1 && (fits || !entry.beside.is_empty()) {
        return whole();
    }
    let mut parts = Vec::new();
    for (name, value) in table {
        let Some(key) = table.key(name) else { return whole() };
        if matches!(value, Value::InlineTable(inner) if inner.is_dotted()) {
            return whole();
        }
        parts.push((vec![entry.key[0].clone(), key_text(key)], value.clone()));
    }
    parts
}

/// The text of a value whose first line begins after `before` characters, and is followed by `after` characters.
pub(super) fn text(value: &Value, before: usize, after: usize) -> String {
    if has_comments(value) {
        return match value {
            Value::Array(array) => lines(array),
            _ => bare(value),
        };
    }
    match (one_line(value), value) {
        (Some(text), Value::Array(array))
            if before + text.chars().count() + after > WIDTH || is_broken(array) && array.len() > 1 =>
        {
            lines(array)
        }
        (Some(text), _) => text,
        (None, Value::Array(array)) => lines(array),
        (None, _) => bare(value),
    }
}

/// A value as its author wrote it.
fn bare(value: &Value) -> String {
    value.clone().decorated("", "").to_string()
}

/// A value on one line. `None` if a string in it has several lines, or a comment is in the way.
fn one_line(value: &Value) -> Option<String> {
    if has_comments(value) {
        return None;
    }
    let text = match value {
        Value::Array(array) => {
            let elements: Vec<String> = array.iter().map(one_line).collect::<Option<_>>()?;
            format!("[{}]", elements.join(", "))
        }
        Value::InlineTable(table) if table.is_empty() => "{}".to_owned(),
        Value::InlineTable(table) => {
            let fields: Vec<String> = fields(table).collect::<Option<_>>()?;
            format!("{{ {} }}", fields.join(", "))
        }
        _ => bare(value),
    };
    (!text.contains('\n')).then_some(text)
}

fn fields(table: &InlineTable) -> impl Iterator<Item = Option<String>> {
    table.get_values().into_iter().map(|(keys, value)| {
        let key: Vec<String> = keys.into_iter().map(key_text).collect();
        Some(format!("{} = {}", key.join("."), one_line(value)?))
    })
}

/// Whether its author broke the array into lines.
fn is_broken(array: &Array) -> bool {
    array.iter().any(|element| around(element.decor()).0.contains('\n')) || end_of(array).contains('\n')
}

/// An array in several lines: those of its author, or new ones.
fn lines(array: &Array) -> String {
    let keeps_lines = is_broken(array);
    let mut out = String::from("[");
    let mut column = WIDTH;
    let mut is_behind_comment = false;
    for element in array {
        let (before, after) = around(element.decor());
        let text = one_line(element).unwrap_or_else(|| bare(element));
        let width = text.chars().count() + ", ".len();
        // The comment behind the comma of the element before it.
        let (behind, above) = before.split_once('\n').unwrap_or((before, ""));
        if !behind.trim().is_empty() {
            out.push_str(&format!(" {}", behind.trim()));
            is_behind_comment = true;
        }
        let above: Vec<String> = comment_lines(above).into_iter().filter(|line| !line.is_empty()).collect();
        let begins_line = match keeps_lines {
            true => before.contains('\n') || out == "[",
            false => column + width > WIDTH || is_option(&text),
        };
        if begins_line || is_behind_comment || !above.is_empty() {
            out.push_str("\n  ");
            for line in above {
                out.push_str(&format!("{line}\n  "));
            }
            column = 2;
        } else {
            out.push(' ');
        }
        out.push_str(&text);
        out.push(',');
        column += width;
        is_behind_comment = after.contains('#');
        // The first comment stands behind the comma, further ones have lines of their own.
        let comments = comment_lines(after).into_iter().filter(|line| !line.is_empty());
        for (place, line) in comments.enumerate() {
            out.push_str(if place == 0 { " " } else { "\n  " });
            out.push_str(&line);
        }
    }
    let (behind, below) = end_of(array).split_once('\n').unwrap_or((end_of(array), ""));
    if !behind.trim().is_empty() {
        out.push_str(&format!(" {}", behind.trim()));
    }
    for line in comment_lines(below).into_iter().filter(|line| !line.is_empty()) {
        out.push_str(&format!("\n  {line}"));
    }
    out.push_str("\n]");
    out
}

/// Whether an element is an option of a command.
fn is_option(text: &str) -> bool {
    text.starts_with("\"-") || text.starts_with("'-")
}

/// Whether a comment stands inside the value.
pub(super) fn has_comments(value: &Value) -> bool {
    match value {
        Value::Array(array) => {
            end_of(array).contains('#')
                || array.iter().any(|element| {
                    let (before, after) = around(element.decor());
                    before.contains('#') || after.contains('#') || has_comments(element)
                })
        }
        Value::InlineTable(table) => {
            table.trailing().as_str().is_some_and(|text| text.contains('#'))
                || table.get_values().into_iter().any(|(keys, value)| {
                    let (before, after) = around(value.decor());
                    let in_key = |key: &toml_edit::Key| {
                        [key.leaf_decor(), key.dotted_decor()].iter().any(|decor| {
                            let (before, after) = around(decor);
                            before.contains('#') || after.contains('#')
                        })
                    };
                    before.contains('#')
                        || after.contains('#')
                        || keys.into_iter().any(in_key)
                        || has_comments(value)
                })
        }
        _ => false,
    }
}
