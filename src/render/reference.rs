//! The reference of the manifest language, as a whole or for one table, in Markdown or for a terminal.

use std::fmt::Write;

use crate::manifest::{Key, REFERENCE};

/// The reference of the manifest language in Markdown, made from the doc comments of its keys.
pub fn reference() -> String {
    let mut out = String::from(INTRODUCTION);
    let mut earlier: Vec<Key> = Vec::new();
    for (heading, about, keys) in REFERENCE {
        out.push('\n');
        // Most keys of a oneshot are those of a longrun, with the same meaning.
        let is_known = |key: &Key| earlier.iter().any(|known| (known.name, known.doc) == (key.name, key.doc));
        let (known, own): (Vec<Key>, Vec<Key>) = keys().into_iter().partition(is_known);
        match known.len() {
            // `without` and a few more are short enough to stand twice.
            0..10 => write_section(&mut out, heading, about, &keys()),
            _ => {
                let names: Vec<String> = known.iter().map(|key| format!("`{}`", key.name)).collect();
                let about = format!("{about} These mean the same as in a longrun: {}.", names.join(", "));
                write_section(&mut out, heading, &about, &own);
            }
        }
        earlier.extend(keys());
    }
    out
}

/// The part of the reference about the table `name`, such as `longrun`, `ready` or `defaults`.
pub fn reference_of(name: &str) -> Option<String> {
    let named = |heading: &str| heading.trim_matches(['[', ']']).trim_end_matches(".NAME") == name;
    if let Some((heading, about, keys)) = REFERENCE.iter().find(|(heading, ..)| named(heading)) {
        let mut out = String::new();
        write_section(&mut out, heading, about, &keys());
        return Some(out);
    }
    let chapter = match name {
        "defaults" => "## How settings are merged",
        "include" => "A manifest is one TOML file",
        _ => return None,
    };
    let begin = INTRODUCTION.find(chapter)?;
    let text = &INTRODUCTION[begin..];
    let end = text[1..].find("\n## ").map_or(text.len(), |end| end + 1);
    Some(match name {
        "defaults" => DEFAULTS.to_owned() + &text[..end],
        _ => text[..end].to_owned(),
    })
}

const DEFAULTS: &str = "## `[defaults.longrun]` and `[defaults.oneshot]`

Values for every longrun or oneshot of the file that does not set the key itself. They take the keys of `[longrun.NAME]` and
`[oneshot.NAME]`; `s6gen explain longrun` and `s6gen explain oneshot` show these keys.

";

fn write_section(out: &mut String, heading: &str, about: &str, keys: &[Key]) {
    let _ = write!(out, "## `{heading}`\n\n{about}\n\n| key | value | meaning |\n|---|---|---|\n");
    for key in keys {
        let meaning = key.doc.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
        let _ = writeln!(out, "| `{}` | {} | {meaning} |", key.name, key.expected.replace('|', "\\|"));
    }
}

/// The reference in lines of at most `width` characters. Each row of a table becomes a line with its first two cells, and a
/// paragraph with the third one.
pub fn fitted(markdown: &str, width: usize) -> String {
    let mut out = String::new();
    let mut paragraph: Vec<&str> = Vec::new();
    let (mut is_code, mut is_table) = (false, false);
    for line in markdown.lines().chain([""]) {
        let is_row = line.starts_with('|') && !is_code;
        if is_code || is_row || line.is_empty() || line.starts_with(['#', '`']) {
            out += &wrapped(&paragraph.join(" "), width, "");
            paragraph.clear();
        }
        match line {
            _ if line.starts_with("```") => is_code = !is_code,
            _ if is_code => out += &format!("    {line}\n"),
            // The first two rows are the header of the table.
            _ if is_row && (!is_table || line.starts_with("|---")) => {}
            _ if is_row => out += &row(line, width),
            _ if line.is_empty() || line.starts_with('#') => out += &format!("{line}\n"),
            _ => paragraph.push(line),
        }
        is_table = is_row;
    }
    out.trim_end().to_owned() + "\n"
}

fn row(line: &str, width: usize) -> String {
    let line = line.trim_matches('|').replace("\\|", "\u{1}");
    let cells: Vec<String> = line.split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect();
    let head: Vec<&str> = cells.iter().take(2).map(String::as_str).filter(|cell| !cell.is_empty()).collect();
    let meaning = cells.get(2).map_or("", String::as_str);
    wrapped(&head.join("  "), width, "  ") + &wrapped(meaning, width, "      ")
}

/// The words of a text in lines that begin with `indent`.
pub fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let mut out = String::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let is_full = indent.len() + line.chars().count() + 1 + word.chars().count() > width;
        if is_full && !line.is_empty() {
            out += &format!("{indent}{line}\n");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += word;
    }
    if line.is_empty() { out } else { out + &format!("{indent}{line}\n") }
}

const INTRODUCTION: &str = r#"# The manifest language

*Made by `s6gen explain manifest` from the comments of the code; `make docs` writes it anew.*

A manifest is one TOML file: a table for each service, by kind. `include = ["vpn.toml", "services.d/*.toml"]`, before any
table, reads further manifests. Their paths are relative to this one and end in `.toml`; the files of a pattern are read in
sorted order. `*` stands for characters of one name, not for directories. Each file is read once: at most 1,000 of them, 64 in
a row and 16 MiB together.

## Names and values

A service name consists of letters, digits, `_`, `.`, `@` and `-`, and begins with a letter or a digit. A name with a dot
needs quotes: `[longrun."php8.2"]`.

| value | written | meaning |
|---|---|---|
| command | an array of strings | this program with exactly these arguments; there is no shell, and nothing is expanded |
| | a string | a script for the interpreter in its first line, or else for `/bin/sh -e`, so that it ends at the first command that fails |
| | `{ file = "scripts/web.sh" }` | the script in this file, as if its text were here; also written `run.file = "scripts/web.sh"` |
| duration | `"500ms"` `"10s"` `"5m"` `"1h30m"` `"never"` | |
| size | `"64KB"` `"5MB"` `"1GB"` | 1 KB is 1024 bytes; a number without a unit is bytes |
| signal | `"TERM"`, `"SIGTERM"` or `"15"` | |

s6gen reads the file of a script at each build and check. Its path is relative to the manifest in which it stands. The file
begins with `#!`, or its name ends in `.sh`, also behind a link. It is below the folder of that manifest, or in the git
repository (without one, the directory) in which s6gen runs. It counts towards the 16 MiB, and `{{ … }}` is ordinary text
in it. Reports name the file and its line, and a comment `# s6gen: allow RULE: reason` in it works.

## How settings are merged

A setting can come from four places, from the farthest to the nearest: the defaults of s6gen, `[defaults.longrun]` or
`[defaults.oneshot]` of the file, the service in an included file, and the service in the file that includes it. The nearer
value wins. Tables (`environment`, `variables`, `log`, `ready`, `alive`, `wait-for`, `on-failure`, `limits`, `files`) are merged
key by key. Lists of names (`dependencies`, `required-by`, `contents`, `external`, `secrets`, `environment-files`) are joined. Everything else is replaced, `on-exit` as a whole. The same service in two
files that do not include each other is an error.

`without = ["on-exit", "log.size", "dependencies.db", "environment.TZ"]` in a service ignores all farther values of these keys
or parts of keys. An empty table or list of names, such as `dependencies = []`, does the same for its own key. A nearer value
also removes farther values that make no sense beside it: `ready.tcp` removes `ready.http`, `log.to = "container"` removes
`log.size`, and `producer-for` removes `log.to`. If a default names the service itself, that service ignores it.

`{{ … }}` is an expression in two places: in `[defaults.…]`, with the variable `name`, which is the name of the service, and in
a service with `instances`, with `name`, `instance` and the declared parameters. It works in values, not in keys. Everywhere
else it is ordinary text.

## Instances

A longrun or oneshot with the key `instances` is a template. Each instance is the service `NAME-INSTANCE`, and `NAME` is the
bundle of all instances.

```toml
[longrun.worker]
instances = 4                                   # worker-1 … worker-4
run = ["worker", "--port", "{{ 9000 + instance }}"]

[longrun.tunnel]
instances = { office = { port = "1194" }, home = {} }
parameters = ["port"]                           # every name that an instance may set
run = ["tunnel", "--name", "{{ instance }}", "--port", "{{ port | default('1195') }}"]
```

A value that is set while the system runs (`s6gen instance add`) may come from anyone. [live.md](live.md) says which values are
allowed. The author of a template can allow more or fewer with a pattern, a regular expression that must match every value as a
whole:

```toml
[longrun.radio]
instances = { jazz = { title = "All that jazz", port = "8000" } }
parameters = { title = { pattern = '[^-].*' }, port = { pattern = '[0-9]{1,5}' } }
run = ["radio", "--title", "{{ title }}", "--port={{ port }}"]
```
"#;
