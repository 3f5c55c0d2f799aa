//! The form of `s6gen fmt`: the order of keys, blank lines, and how values are broken into lines. Comments stay where they are.

mod collect;
mod order;
mod values;

use toml_edit::DocumentMut;

use collect::{LaidEntry, LaidTable, collect, comment_lines};

/// The text of a manifest in the form of `s6gen fmt`: the keys of a table in a fixed order, one blank line between tables, and
/// each value on one line where it fits. What the manifest means does not change, and neither does the form if it is applied
/// again. `None` if the text is not TOML.
pub fn format(text: &str) -> Option<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let document: DocumentMut = text.parse().ok()?;
    let mut out = String::new();
    for table in collect(&document) {
        write_table(table, &mut out);
    }
    let mut end = comment_lines(document.trailing().as_str().unwrap_or_default());
    if end.last().is_some_and(String::is_empty) {
        end.pop();
    }
    if out.is_empty() && end.first().is_some_and(String::is_empty) {
        end.remove(0);
    }
    write_lines(&end, &mut out);
    Some(out)
}

/// Writes lines; an empty text is a blank line.
fn write_lines(lines: &[String], out: &mut String) {
    for line in lines {
        out.push_str(line);
        out.push('\n');
    }
}

fn write_table(mut table: LaidTable, out: &mut String) {
    if let Some(heading) = &table.heading {
        write_lines(&around(&table.above, out.is_empty()), out);
        out.push_str(heading);
        out.push('\n');
    }
    let is_sorted = order::sort(&mut table);
    let entries = if is_sorted { values::join(table.entries) } else { table.entries };
    for (number, entry) in entries.iter().enumerate() {
        let lines = match is_sorted {
            // A blank line between keys would now stand anywhere.
            true => entry.above.iter().filter(|line| !line.is_empty()).cloned().collect(),
            false if number == 0 => without_first_blank(&entry.above),
            false => entry.above.clone(),
        };
        write_lines(&lines, out);
        write_entry(entry, is_sorted, out);
    }
}

fn without_first_blank(lines: &[String]) -> Vec<String> {
    let blank = usize::from(lines.first().is_some_and(String::is_empty));
    lines[blank..].to_vec()
}

/// The lines between the end of a table and the heading of the next one. There is at least one blank line, unless the file
/// begins here. A comment directly below the last key stays there, if it is apart from the heading.
fn around(above: &[String], is_first: bool) -> Vec<String> {
    let is_attached =
        above.first().is_some_and(|line| !line.is_empty()) && above.iter().any(String::is_empty);
    let mut lines = without_first_blank(above);
    if !is_first && !is_attached {
        lines.insert(0, String::new());
    }
    lines
}

fn write_entry(entry: &LaidEntry, is_sorted: bool, out: &mut String) {
    for (key, value) in
        if is_sorted { values::split(entry) } else { vec![(entry.key.clone(), entry.value.clone())] }
    {
        let start = format!("{} = ", key.join("."));
        out.push_str(&start);
        out.push_str(&values::text(&value, start.chars().count(), entry.beside.chars().count()));
        out.push_str(&entry.beside);
        out.push('\n');
    }
}
