//! Explains syntax errors to a reader who does not know TOML: the most likely mistake, and what to write instead.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::keys::{Table, expected_of};
use super::shape::Key;
use super::values::value_for;
use super::words::{self, Holds};
use super::{
    Alive, BundleKeys, Limits, Log, LongrunKeys, OnExit, OnFailure, OneshotKeys, Ready, ServiceTable, TABLES,
    TargetKeys, WaitFor, suggest, unknown,
};

/// A syntax error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    /// Where it is.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// The text at the marked place.
    pub label: String,
    /// Another place that belongs to the mistake.
    pub other: Option<(Range<usize>, String)>,
    /// What to do.
    pub help: String,
}

/// The help if there is no better one.
const SEE_MANIFEST: &str = "`s6gen explain manifest` shows how values and tables are written";

impl Mistake {
    /// A mistake with the parser's own message.
    pub fn plain(span: Range<usize>, message: String) -> Mistake {
        Mistake {
            span,
            message: format!("this is not valid TOML: {message}"),
            label: "here".into(),
            other: None,
            help: SEE_MANIFEST.into(),
        }
    }

    fn explained(mut self, message: &str, help: impl Into<String>) -> Mistake {
        self.message = format!("this is not valid TOML: {message}");
        self.help = help.into();
        self
    }
}

/// The mistake in the header of a table, and the path that the header should have.
pub(super) fn header(
    text: &str,
    header: Range<usize>,
    shown: Range<usize>,
    message: &str,
) -> (Mistake, Vec<String>) {
    let line = &text[header.clone()];
    let path = path_of(line);
    let plain = Mistake::plain(shown, message.to_owned());
    if !path.is_empty() && !message.starts_with("duplicate key") {
        return (plain, path);
    }
    if !path.is_empty() && !line.starts_with("[[") {
        let first = first_of(text, header.start, &path);
        let name = line.split(']').next().unwrap_or(line).to_owned() + "]";
        let help = match path.len() {
            2 => format!("put the keys of both below one `{name}`, or rename one of the two"),
            _ => format!("put the keys of both below one `{name}`"),
        };
        let mistake = Mistake {
            span: header.start..header.start + name.len(),
            message: format!("`{name}` is defined twice"),
            label: "the second one".into(),
            other: first.map(|first| (first, "the first one".into())),
            help,
        };
        return (mistake, path);
    }
    let inside = line.trim_start_matches('[').split([']', '#']).next().unwrap_or_default().trim();
    // `[program:web]`, as supervisord writes it.
    if let Some((section, name)) = inside.split_once(':') {
        let plain_name = name.trim().trim_matches(['"', '\'']);
        let section = words::section(section.trim());
        let key = suggest::service_key(plain_name);
        return match section {
            Some(section) if section.names.contains(&"group") => {
                let help = format!("write `[bundle.{key}]`: one name for several services is a bundle");
                (
                    plain.explained("the name of a table has no colon", help),
                    vec!["bundle".into(), plain_name.into()],
                )
            }
            Some(section) if section.holds == Holds::Services => {
                let help = format!("write `[longrun.{key}]`: {}", section.note);
                (
                    plain.explained("the name of a table has no colon", help),
                    vec!["longrun".into(), plain_name.into()],
                )
            }
            Some(section) => (plain.explained("the name of a table has no colon", section.note), Vec::new()),
            None => (plain.explained("the name of a table has no colon", TABLE), Vec::new()),
        };
    }
    let closed = path_of(&format!("[{inside}]"));
    match closed.is_empty() {
        false if line.contains(']') => (
            plain.explained("there is text after the header of a table", "write it on a separate line"),
            closed,
        ),
        false => {
            (plain.explained("the header of a table does not end", format!("write `[{inside}]`")), closed)
        }
        true => (plain.explained("this is not the name of a table", TABLE), Vec::new()),
    }
}

const TABLE: &str = "a service is written `[longrun.NAME]`, `[oneshot.NAME]` or `[bundle.NAME]`";

/// The parts of the name of a table; empty if the line is not a header.
pub(super) fn path_of(line: &str) -> Vec<String> {
    let Ok(parsed) = DeTable::parse(line) else { return Vec::new() };
    let mut path = Vec::new();
    let mut table = parsed.get_ref();
    while let Some((key, value)) = table.iter().next() {
        path.push(key.get_ref().to_string());
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => return Vec::new(),
        }
    }
    path
}

/// The first header with this path before `before`, or the first line of its parent's table that sets a part of it.
fn first_of(text: &str, before: usize, path: &[String]) -> Option<Range<usize>> {
    let mut parent = Vec::new();
    let mut offset = 0;
    for line in text[..before].split_inclusive('\n') {
        let place = line_at(text, offset);
        offset += line.len();
        let shown = &text[place.clone()];
        if shown.trim_start().starts_with('[') {
            parent = path_of(shown.trim_start());
            if parent == path {
                return Some(place);
            }
        }
        let (last, above) = path.split_last()?;
        if parent == above && is_of_key(shown, last) {
            return Some(place);
        }
    }
    None
}

/// Whether a line sets the key, or a key of its table.
fn is_of_key(line: &str, key: &str) -> bool {
    let rest = line.trim_start().strip_prefix(key);
    rest.is_some_and(|rest| rest.trim_start().starts_with(['=', '.']))
}

/// The mistake in a statement of the table `path`, and its key, if it has one.
pub(super) fn statement(
    text: &str,
    place: Range<usize>,
    shown: Range<usize>,
    message: &str,
    path: &[String],
) -> (Mistake, String) {
    let written = text[place.clone()].trim_end();
    let first = written.lines().next().unwrap_or_default().trim();
    let plain = Mistake::plain(shown, message.to_owned());
    let quoted = |key: &str| key.trim().trim_matches(['"', '\'']).to_owned();
    if first.starts_with(';') || first.starts_with("//") {
        let text = first.trim_start_matches([';', '/']).trim();
        // The line sets no key, so no key is lost.
        return (plain.explained("a comment begins with `#`", format!("write `# {text}`")), "#".into());
    }
    if let Some(item) = first.strip_prefix("- ") {
        let item = suggest::string(item.trim().trim_matches(['"', '\'']));
        let help = format!("write `KEY = [{}]`", item.unwrap_or_else(|| "\"one\", \"two\"".into()));
        return (plain.explained("the items of an array are in brackets", help), "-".into());
    }
    let Some((key, value)) = first.split_once('=') else {
        let Some((key, value)) = first.split_once(':') else {
            return (plain.explained("there is a value without a key", "write `KEY = VALUE`"), String::new());
        };
        let (name, value) = (quoted(key), value.trim());
        let expected = expected_of(&name);
        let help = match value.is_empty() {
            true if words::section(&name).is_some() => TABLE.to_owned(),
            // The value may be on the next lines, which are not known here.
            true if expected.is_some() => format!("write `{name} =` and {}", expected.unwrap_or_default()),
            true if words::is_word(&name) => advice(&name, "\"\"", path).unwrap_or_else(|| TABLE.into()),
            true => format!("a table is written `[longrun.{name}]`, its keys below it as `KEY = VALUE`"),
            false => advice(&name, value, path).unwrap_or_else(|| "write `KEY = VALUE`".into()),
        };
        return (plain.explained("there is no `=` between the key and its value", help), quoted(key));
    };
    let key = key.trim();
    let name = quoted(key.split('.').next().unwrap_or(key));
    if message.starts_with("duplicate key") || message.starts_with("cannot extend") {
        let base = key.split('.').next().unwrap_or(key);
        let is_first = |line: &Range<usize>| is_of_key(&text[line.clone()], base);
        let begin = text[..place.start].rfind("\n[").map_or(0, |newline| newline + 1);
        let mut offset = begin;
        let before = text[begin..place.start].split_inclusive('\n').map(|line| {
            let start = offset;
            offset += line.len();
            line_at(text, start)
        });
        let other = before.into_iter().find(is_first).map(|line| (line, "the first one".to_owned()));
        let help = match key.contains('.')
            || other.as_ref().is_some_and(|(line, _)| text[line.clone()].starts_with(&format!("{base}.")))
        {
            true => format!("write either `{base} = …` or its keys with a dot, each once"),
            false => "keep one of the two".to_owned(),
        };
        let mistake = Mistake {
            message: format!("`{key}` is set twice"),
            label: "the second one".into(),
            other,
            help,
            ..plain
        };
        return (mistake, name);
    }
    let value = value.trim();
    let mistake = value_mistake(plain, key, value, written, path);
    let is_open = mistake.message.ends_with("does not end");
    let begin =
        Mistake { span: line_at(text, place.start), label: "it begins here".into(), ..mistake.clone() };
    (if is_open { begin } else { mistake }, name)
}

fn value_mistake(plain: Mistake, key: &str, value: &str, written: &str, path: &[String]) -> Mistake {
    let whole = written.split_once('=').map_or("", |(_, value)| value).trim();
    let is_valid = |value: &String| DeTable::parse(&format!("{key} = {value}")).is_ok();
    let write = |value: &String| format!("write `{key} = {value}`");
    if value.is_empty() {
        return plain.explained(
            "there is a key without a value",
            format!("write a value after `{key} =`, or remove the key"),
        );
    }
    for quotes in ["'''", "\"\"\""] {
        if whole.starts_with(quotes) && !whole[3..].contains(quotes) {
            let help = format!("end it with `{quotes}` on a separate line");
            return Mistake { other: None, ..plain.explained("a text of several lines does not end", help) };
        }
    }
    let straight = whole.replace(['“', '”', '„', '«', '»'], "\"").replace(['‘', '’'], "'");
    if straight != whole && is_valid(&straight) {
        return plain.explained("these are typographic quotes", write(&one_line(&straight)));
    }
    let has_backslash = value.starts_with(['"', '\'', '[']) && whole.contains('\\');
    if let Some(literal) =
        has_backslash.then(|| literal(whole)).filter(|text| text != whole && is_valid(text))
    {
        return plain.explained("a backslash in double quotes begins an escape", write(&one_line(&literal)));
    }
    if value.starts_with(['"', '\'']) {
        let inner = value.strip_prefix(['"', '\'']).and_then(|rest| rest.strip_suffix(['"', '\'']));
        return match inner.filter(|inner| inner.contains(['"', '\''])) {
            Some(inner) => match suggest::string(inner).filter(is_valid) {
                Some(string) => plain.explained("there are quotes inside the same quotes", write(&string)),
                None => plain.explained(
                    "there are quotes inside the same quotes",
                    "write `'''` before and after the text",
                ),
            },
            None if !value[1..].contains(&value[..1]) => {
                let help = match suggest::string(&value[1..]) {
                    Some(string) if whole == value => write(&string),
                    _ => "close it on the same line, or put a text of several lines between `'''`".into(),
                };
                plain.explained("a string does not end", help)
            }
            None => plain,
        };
    }
    if value.starts_with('[') {
        return match repaired_array(whole).filter(is_valid) {
            Some(array) if !whole.contains(']') => plain.explained("an array does not end", write(&array)),
            Some(array) => {
                plain.explained("each string of an array needs quotes, and a comma after it", write(&array))
            }
            None if !whole.contains(']') => plain.explained(
                "an array does not end",
                format!("close it with `]`: `{key} = [\"one\", \"two\"]`"),
            ),
            None => plain,
        };
    }
    if value.starts_with('{') {
        let help = repaired_table(whole).filter(is_valid).and_then(|table| advice(key, &table, path));
        return match help {
            Some(help) => plain.explained("a string needs quotes", help),
            None => plain,
        };
    }
    let bare = value.split(" #").next().unwrap_or(value).trim_end();
    match advice(key.trim_matches(['"', '\'']), bare, path) {
        Some(help) => plain.explained("a string needs quotes", help),
        None => plain.explained("a string needs quotes", "write `\"` before and after it"),
    }
}

/// What to write for a value without quotes, after a key of the table `path`.
fn advice(key: &str, bare: &str, path: &[String]) -> Option<String> {
    let lower = bare.to_ascii_lowercase();
    let written = match lower.as_str() {
        "true" | "yes" | "on" => "true".to_owned(),
        "false" | "no" | "off" => "false".to_owned(),
        _ if bare.parse::<i64>().is_ok() && !bare.starts_with('0') => bare.to_owned(),
        _ if bare.starts_with(['[', '{', '"']) => bare.to_owned(),
        _ => suggest::string(bare)?,
    };
    let plain = format!("write `{key} = {written}`");
    let line = format!("value = {written}");
    let Ok(parsed) = DeTable::parse(&line) else { return Some(plain) };
    let (_, value) = parsed.get_ref().iter().next()?;
    let Some((keys, place)) = keys_of(path).filter(|_| !path.is_empty() || !TABLES.contains(&key)) else {
        return Some(plain);
    };
    let Some((head, rest)) = key.split_once('.').map_or(Some((key, "")), Some) else { return Some(plain) };
    match keys.iter().find(|known| known.name == head) {
        Some(known) if rest.is_empty() => {
            let meant = value_for(known.name, known.expected, value.get_ref());
            Some(meant.map_or(plain, |meant| format!("write `{key} = {meant}`")))
        }
        Some(_) => {
            let meant = expected_of(key).and_then(|expected| value_for(rest, expected, value.get_ref()));
            Some(meant.map_or(plain, |meant| format!("write `{key} = {meant}`")))
        }
        None => Some(match unknown::remedy(head, value.get_ref(), &place, "", &keys) {
            (help, Some(line)) if help.starts_with("did you mean") => format!("write `{line}`"),
            (help, _) => help,
        }),
    }
}

/// The keys of the table with this path, and a name for the table.
fn keys_of(path: &[String]) -> Option<(Vec<Key>, String)> {
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    let service = |kind: &str| match kind {
        "longrun" => Some(ServiceTable::<LongrunKeys>::keys()),
        "oneshot" => Some(ServiceTable::<OneshotKeys>::keys()),
        "bundle" => Some(BundleKeys::keys()),
        _ => None,
    };
    match parts.as_slice() {
        // Without a header, or below a header of another system, the keys are probably those of a service.
        [] => Some((service("longrun")?, "[longrun.NAME]".into())),
        [section, ..] if words::section(section).is_some_and(|section| section.holds != Holds::Other) => {
            Some((service("longrun")?, "[longrun.NAME]".into()))
        }
        ["target"] => Some((TargetKeys::keys(), "[target]".into())),
        ["defaults", kind] | [kind, _] => Some((service(kind)?, format!("[{}]", parts.join(".")))),
        [_, _, table] => {
            let keys = match *table {
                "ready" => Ready::keys(),
                "on-exit" => OnExit::keys(),
                "on-failure" => OnFailure::keys(),
                "alive" => Alive::keys(),
                "wait-for" => WaitFor::keys(),
                "log" => Log::keys(),
                "limits" => Limits::keys(),
                _ => return None,
            };
            Some((keys, (*table).to_owned()))
        }
        _ => None,
    }
}

/// The array with quotes around each word that has none, and commas between them.
fn repaired_array(text: &str) -> Option<String> {
    let inner = text.trim().strip_prefix('[')?;
    let inner = inner.strip_suffix(']').unwrap_or(inner);
    let mut items = Vec::new();
    let mut rest = inner.trim_start();
    while !rest.is_empty() {
        let quote = rest.chars().next().filter(|c| ['"', '\''].contains(c));
        let (item, behind) = match quote {
            Some(quote) => {
                let end = rest[1..].find(quote)? + 2;
                (rest[..end].to_owned(), &rest[end..])
            }
            None => {
                let end = rest.find([',', '\n']).unwrap_or(rest.len());
                (suggest::string(rest[..end].trim())?, &rest[end..])
            }
        };
        items.push(item);
        rest = behind.trim_start().trim_start_matches(',').trim_start();
    }
    (!items.is_empty() && items.len() < 20).then(|| format!("[{}]", items.join(", ")))
}

/// The table in braces with quotes around each value that has none and needs them.
fn repaired_table(text: &str) -> Option<String> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let pairs: Option<Vec<String>> = inner
        .split(',')
        .map(|pair| {
            let (key, value) = pair.split_once('=')?;
            let (key, value) = (key.trim(), value.trim());
            let is_fine = value.starts_with(['"', '\'']) || value.parse::<i64>().is_ok();
            let value = if is_fine { value.to_owned() } else { suggest::string(value)? };
            Some(format!("{key} = {value}"))
        })
        .collect();
    Some(format!("{{ {} }}", pairs?.join(", ")))
}

/// The strings in double quotes that hold a backslash, in single quotes.
fn literal(text: &str) -> String {
    let parts: Vec<&str> = text.split('"').collect();
    if parts.len().is_multiple_of(2) || text.contains('\n') {
        return text.to_owned();
    }
    let mut out = String::new();
    for (number, part) in parts.iter().enumerate() {
        let is_inside = number % 2 == 1;
        let quote = if is_inside && part.contains('\\') && !part.contains('\'') { '\'' } else { '"' };
        match is_inside {
            true => out += &format!("{quote}{part}{quote}"),
            false => out += part,
        }
    }
    out
}

fn one_line(text: &str) -> String {
    text.split('\n').map(str::trim).collect::<Vec<_>>().join(" ")
}

/// The line at `place`, without its line end.
pub(super) fn line_at(text: &str, place: usize) -> Range<usize> {
    let place = place.min(text.len());
    let start = text[..place].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[place..].find('\n').map_or(text.len(), |length| place + length);
    start..start + text[start..end].trim_end().len()
}
