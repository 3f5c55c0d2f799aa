use std::fmt::Write;

use crate::manifest::REFERENCE;

/// The reference of the manifest language, in Markdown, made of the doc comments of its keys.
pub fn reference() -> String {
    let mut out = String::from(INTRODUCTION);
    for (heading, about, keys) in REFERENCE {
        let _ = write!(out, "\n## `{heading}`\n\n{about}\n\n| key | value | meaning |\n|---|---|---|\n");
        for key in keys() {
            let meaning = key.doc.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
            let _ = writeln!(out, "| `{}` | {} | {meaning} |", key.name, key.expected.replace('|', "\\|"));
        }
    }
    out
}

const INTRODUCTION: &str = r#"# The manifest language

*Made by `s6gen explain manifest` from the comments of the code; `make docs` writes it anew.*

A manifest is one TOML file: a table for each service, by kind. `include = ["vpn.toml", "services.d/*.toml"]`, before any
table, reads further manifests, relative to this one, patterns in sorted order.

## Names and values

A service name consists of letters, digits, `_`, `.`, `@` and `-`, and begins with a letter or a digit. A name with a dot
needs quotes: `[longrun."php8.2"]`.

| value | written | meaning |
|---|---|---|
| command | an array of strings | this program with exactly these arguments: no shell, nothing is expanded |
| | a string | a script: run by the interpreter of its first line, or else by `/bin/sh -e`, so that a failing step ends it |
| duration | `"500ms"` `"10s"` `"5m"` `"1h30m"` `"never"` | |
| size | `"64KB"` `"5MB"` `"1GB"` | counted by 1024 |
| signal | `"TERM"` or `"SIGTERM"` | |

## How settings come together

From far to near: what s6gen assumes, the file's `[defaults.longrun]` or `[defaults.oneshot]`, the service in an included
file, the service in the file that includes it. The nearer one wins: tables (`environment`, `log`, `ready`, `limits`, `files`)
merge key by key; lists of names (`dependencies`, `required-by`, `contents`, `external`) add up; everything else is replaced,
`on-exit` as a whole. The same service in two files that do not include each other is an error.

`without = ["on-exit", "log.size", "dependencies.db", "environment.TZ"]` in a service is as if nothing farther away had set
these keys or parts of them, and an empty table or list of names, such as `dependencies = []`, does the same for its own key. A
nearer value displaces what it makes meaningless: `ready.tcp` a farther `ready.http`, `log.to = "container"` a farther
`log.size`, `producer-for` a farther `log.to`; and a default that names the service itself does not hold for it.

`{{ … }}` is an expression only inside `[defaults.…]`, where `name` is the service's name, and inside a service with
`instances`, where `name`, `instance` and the declared parameters are known; in values, not in keys. Everywhere else it is text.

## Instances

A longrun or oneshot with the key `instances` is a template: each instance is the service `NAME-INSTANCE`, and `NAME` is the
bundle of them all.

```toml
[longrun.worker]
instances = 4                                   # worker-1 … worker-4
run = ["worker", "--port", "{{ 9000 + instance }}"]

[longrun.tunnel]
instances = { office = { port = "1194" }, home = {} }
parameters = ["port"]                           # every name that an instance may set
run = ["tunnel", "--name", "{{ instance }}", "--port", "{{ port | default('1195') }}"]
```
"#;
