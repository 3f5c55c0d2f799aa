//! Makes random manifests with every key of the language and with texts that are hard to quote.
//!
//! Most are valid: names come in a fixed order, and services mostly refer to services before them.

use std::fmt;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// The text of a manifest in parts: headers, each with its keys and their values.
#[derive(Clone)]
pub struct Written {
    pub tables: Vec<(String, Entries)>,
}

pub type Entries = Vec<(String, String)>;

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (header, entries) in &self.tables {
            writeln!(f, "[{header}]")?;
            for (key, value) in entries {
                writeln!(f, "{key} = {value}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}

/// The names of services, in the order in which they are used.
const NAMES: &[&str] = &["web", "db", "a", "b-1", "x.y", "m@1", "Z_9", "tunnel", "0"];

/// A service of another layer.
const EXTERNAL: &str = "nginx";

/// Texts with a special meaning for shells, execline, TOML or templates.
const HOSTILE: &[&str] = &[
    "",
    " ",
    "$HOME",
    "${HOME}",
    "$here",
    "${here}",
    "\\${HOME}",
    "$(id)",
    "`id`",
    "it's",
    "say \"hi\"",
    "\"",
    "'",
    "\\",
    "\\\\",
    "\\\"",
    "\\0x41",
    "\\65",
    "#",
    "# x",
    "{",
    "}",
    "{}",
    "{ a }",
    "{%",
    "{#",
    "}}",
    "{{",
    "{{ name }}",
    "a\nb",
    "a\n",
    "\r\n",
    "\t",
    "\u{1}",
    "\u{7f}",
    "é",
    "日本",
    "\u{feff}",
    "\u{202e}",
    "~",
    "*",
    "!",
    "&&",
    "|",
    ";",
    "-n",
    "--",
    "%s",
    "A=b",
    "3",
    "if",
    "exit",
];

/// A text without NUL.
pub fn text() -> BoxedStrategy<String> {
    let printable = "\\PC{0,6}";
    let any = proptest::collection::vec(any::<char>(), 0..6);
    prop_oneof![
        4 => "[a-z]{1,6}",
        6 => select(HOSTILE).prop_map(str::to_owned),
        3 => (select(HOSTILE), select(HOSTILE)).prop_map(|(a, b)| format!("{a}{b}")),
        1 => printable,
        1 => any.prop_map(|chars| chars.into_iter().filter(|c| *c != '\0').collect::<String>()),
    ]
    .boxed()
}

/// A text for a place where expressions are expanded. It has only valid expressions.
fn template() -> BoxedStrategy<String> {
    let plain = || text().prop_map(|text| text.replace('{', "(").replace("\u{f8ff}", ""));
    prop_oneof![
        3 => plain(),
        1 => (plain(), plain()).prop_map(|(a, b)| format!("{a}{{{{ name }}}}{b}")),
        1 => Just("{{ '{{' }}".to_owned()),
    ]
    .boxed()
}

/// A text as a TOML string.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\U{:08X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// Texts as a TOML array of strings.
pub fn array<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| quoted(text.as_ref())).collect();
    format!("[{}]", texts.join(", "))
}

/// One of these, as a TOML string.
fn one_of(texts: &'static [&'static str]) -> BoxedStrategy<String> {
    select(texts).prop_map(quoted).boxed()
}

fn literal(texts: &'static [&'static str]) -> BoxedStrategy<String> {
    select(texts).prop_map(str::to_owned).boxed()
}

/// A key, its probability, and its value.
type Choice = (&'static str, f64, BoxedStrategy<String>);

fn entries(choices: Vec<Choice>) -> BoxedStrategy<Entries> {
    let (keys, values): (Vec<_>, Vec<_>) = choices
        .into_iter()
        .map(|(key, often, value)| match often {
            1.0 => (key, value.prop_map(Some).boxed()),
            _ => (key, proptest::option::weighted(often, value).boxed()),
        })
        .unzip();
    values
        .prop_map(move |values| {
            let entries = keys.iter().zip(values);
            entries.filter_map(|(key, value)| Some(((*key).to_owned(), value?))).collect()
        })
        .boxed()
}

/// A command: an array or a script.
fn command(text: fn() -> BoxedStrategy<String>) -> BoxedStrategy<String> {
    let program = text().prop_filter_map("no program", |text| (!text.is_empty()).then_some(text));
    let words = (program, proptest::collection::vec(text(), 0..4));
    let words = words.prop_map(|(program, arguments)| array([vec![program], arguments].concat()));
    let first =
        select(&["", "", "#!/bin/bash -u\n", "#! /opt/$here/run a b \n", "#!/usr/bin/env\tbash\n"][..]);
    let lines = proptest::collection::vec(text(), 1..4);
    let script =
        (first, lines).prop_map(|(first, lines)| quoted(&format!("{first}true {}", lines.join("\n"))));
    prop_oneof![3 => words, 1 => script].boxed()
}

/// The position of a service in the manifest.
#[derive(Clone, Copy)]
struct Place {
    /// How many services come before it.
    position: usize,
    is_overlay: bool,
    /// Whether its texts can have expressions.
    is_template: bool,
    /// Whether it is a table of defaults instead of a service.
    is_defaults: bool,
}

impl Place {
    fn text(self) -> fn() -> BoxedStrategy<String> {
        if self.is_template || self.is_defaults { template } else { text }
    }

    /// Some of the services before this one, rarely others.
    fn others(self) -> BoxedStrategy<String> {
        let before = NAMES[..self.position].to_vec();
        let most = before.len().min(3);
        let some = subsequence(before, 0..=most);
        (some, proptest::option::weighted(0.03, select(&["nowhere", "late", EXTERNAL, "0", "web-log"][..])))
            .prop_map(|(some, other)| array(some.into_iter().chain(other)))
            .boxed()
    }

    /// A path that no other service has.
    fn path(self, folder: &str, end: &str) -> BoxedStrategy<String> {
        let name = if self.is_template || self.is_defaults { "{{ name }}" } else { NAMES[self.position] };
        let (folder, end) = (folder.to_owned(), end.to_owned());
        select(&["", "a b/", "it's ", "$x", "é\"\\"][..])
            .prop_map(move |odd| quoted(&format!("{folder}/{odd}{name}{end}")))
            .boxed()
    }
}

const DURATIONS: &[&str] = &["never", "10s", "1m30s", "500ms", "1ms", "49d"];
const USERS: &[&str] = &["www-data", "web:adm", "1000:100", "a$", "x$here", "é", "root"];
const WORKDIRS: &[&str] = &["/", "/srv", "/srv/a b/", "/it's", "/${here}", "/$here", "/\"\\"];
const SIGNALS: &[&str] = &["TERM", "SIGQUIT", "USR1", "INT"];

fn environment(place: Place) -> BoxedStrategy<String> {
    let names =
        &["A", "PATH", "HOME", "USER", "spring.port", "a b", "$X", "it's", "é", "{", "\"", "a\nb"][..];
    proptest::collection::btree_map(select(names), place.text()(), 0..4)
        .prop_map(|variables| {
            let variables: Vec<String> = variables
                .iter()
                .map(|(name, value)| format!("{} = {}", quoted(name), quoted(value)))
                .collect();
            format!("{{ {} }}", variables.join(", "))
        })
        .boxed()
}

/// Paths of further files, among them files that s6-rc itself reads, and names that must be directories.
const FILES: &[&str] = &[
    "data/extra",
    "data/x/y",
    "data/x",
    "env/A",
    "template/run",
    "instance/x",
    "instances/x/y",
    "log/run",
    "notes.txt",
    "a b/é",
    "-n",
    "#x",
    "nosetsid",
    "event/x",
    "supervise",
    "data",
    "env",
    "template",
    "instance",
    "instances",
    "run",
    "run.user",
    "down",
    "data/check",
    "contents.d/x",
    ".wh.run",
    ".hidden",
];

fn files() -> BoxedStrategy<String> {
    // Mostly paths that are valid everywhere.
    let name = prop_oneof![3 => select(&FILES[..14]), 1 => select(FILES)];
    proptest::collection::btree_map(name, select(&["", "x", "#!/bin/sh\n"][..]), 1..3)
        .prop_map(|files| {
            let files: Vec<String> =
                files.iter().map(|(path, text)| format!("{} = {}", quoted(path), quoted(text))).collect();
            format!("{{ {} }}", files.join(", "))
        })
        .boxed()
}

fn common(place: Place) -> Vec<Choice> {
    let mut choices = vec![
        ("description", 0.2, place.text()().prop_map(|text| quoted(&text)).boxed()),
        ("environment", 0.3, environment(place)),
        ("user", 0.2, one_of(USERS)),
        ("workdir", 0.2, one_of(WORKDIRS)),
        ("umask", 0.1, one_of(&["027", "7", "000"])),
        ("timeout-up", 0.1, one_of(DURATIONS)),
        ("timeout-down", 0.1, one_of(DURATIONS)),
        ("flag-essential", 0.1, literal(&["true", "false"])),
        ("flag-recommended", 0.1, literal(&["true", "false"])),
        (
            "start",
            0.1,
            one_of(if place.is_overlay { &["early", "boot", "on-demand"] } else { &["boot", "on-demand"] }),
        ),
        ("nice", 0.05, literal(&["-20", "0", "19"])),
        ("limits", 0.05, literal(&["{ nofile = 64, core = 0 }", "{ as = 1, stack = 2, cpu = 3 }"])),
        ("only-if", 0.1, command(place.text())),
        ("files", 0.1, files()),
        ("environment-files", 0.05, literal(&["['/etc/a.env']", "['-/etc/a b.env', '/b']"])),
        ("with-contenv", 0.1, literal(if place.is_overlay { &["true", "false"] } else { &["false"] })),
    ];
    if !place.is_defaults {
        choices.push(("dependencies", 0.4, place.others()));
    }
    if place.is_overlay && !place.is_defaults {
        choices.push(("start", 0.02, one_of(&["late"])));
    }
    choices
}

fn longrun(place: Place) -> Vec<Choice> {
    let ready = literal(&["3", "4", "1023"]);
    let mut choices = common(place);
    choices.extend([
        ("prepare", 0.1, command(place.text())),
        ("finish", 0.2, command(place.text())),
        ("ready.fd", 0.2, ready),
        ("down-signal", 0.1, one_of(SIGNALS)),
        ("timeout-kill", 0.1, one_of(DURATIONS)),
        ("timeout-finish", 0.1, one_of(DURATIONS)),
        ("stop-group", 0.1, literal(&["true", "false"])),
        ("ready.check", 0.1, command(place.text())),
        ("ready.interval", 0.02, one_of(DURATIONS)),
        ("on-exit.codes", 0.1, literal(&["[1, 2]", "[255]"])),
        (
            "on-exit.then",
            0.1,
            one_of(if place.is_overlay { &["give-up", "stop-container"] } else { &["give-up"] }),
        ),
        ("restart-delay", 0.1, one_of(&["1s", "1500ms", "1m"])),
        ("lock-fd", 0.05, literal(&["5", "100"])),
        ("max-death-tally", 0.05, literal(&["1", "4096"])),
        ("reload-signal", 0.03, one_of(SIGNALS)),
    ]);
    if !place.is_defaults {
        choices.push(("run", 1.0, command(place.text())));
    }
    choices
}

/// The key `log` of a longrun.
fn log(place: Place) -> BoxedStrategy<Entries> {
    let own = entries(vec![
        ("log.to", 1.0, place.path("/var/log", "")),
        (
            "log.stderr",
            0.4,
            prop_oneof![one_of(&["stdout", "container", "discard"]), place.path("/var/log/err", ".err"),]
                .boxed(),
        ),
        ("log.size", 0.2, one_of(&["4KB", "1MB", "255M", "5000B"])),
        ("log.keep", 0.2, literal(&["0", "3", "9999"])),
        ("log.timestamp", 0.2, one_of(&["iso", "tai64n", "none"])),
        ("log.link", 0.2, literal(&["true", "false"])),
        ("log.tee", 0.3, literal(&["true"])),
        ("log.prefix", 0.05, one_of(&["x:", "a b", "{{ name }}", "\\ \""])),
        ("log.user", 0.2, one_of(USERS)),
    ]);
    let shared =
        entries(vec![("log.to", 1.0, one_of(&["/var/log/shared", "/var/log/two", "/var/log/two/"]))]);
    let none = entries(vec![
        ("log.to", 0.7, one_of(&["container", "discard"])),
        (
            "log.stderr",
            0.5,
            prop_oneof![one_of(&["stdout", "container", "discard", "/var/log/errors"]),].boxed(),
        ),
    ]);
    prop_oneof![5 => Just(Vec::new()), 3 => own, 2 => shared, 1 => none].boxed()
}

/// The keys `instances` and `parameters`, which make a service a template.
fn instances() -> BoxedStrategy<Entries> {
    let instance = || select(&["a", "1", "b-2", "x.y", "é"][..4]);
    let count = (0..4u8).prop_map(|n| vec![("instances".to_owned(), n.to_string())]);
    let names = proptest::collection::btree_set(instance(), 0..4)
        .prop_map(|names| vec![("instances".to_owned(), array(names))]);
    let with_parameters = proptest::collection::btree_map(instance(), proptest::option::of(text()), 0..4);
    let table = with_parameters.prop_map(|instances| {
        let instances: Vec<String> = instances
            .into_iter()
            .map(|(name, port)| {
                let port = port.map(|port| format!("port = {}", quoted(&port))).unwrap_or_default();
                format!("{} = {{ {port} }}", quoted(name))
            })
            .collect();
        vec![
            ("instances".to_owned(), format!("{{ {} }}", instances.join(", "))),
            ("parameters".to_owned(), array(["port"])),
            ("environment.PORT".to_owned(), quoted("{{ port | default('1195') }}")),
        ]
    });
    prop_oneof![count, names, table].boxed()
}

fn service(position: usize, is_overlay: bool) -> BoxedStrategy<(String, Entries)> {
    let name = NAMES[position];
    let table = move |kind: &str, place: Place, parts: Vec<BoxedStrategy<Entries>>| {
        let header = format!("{kind}.{}", quoted(name));
        let parts = parts.into_iter().chain(place.is_template.then(instances)).collect::<Vec<_>>();
        parts.prop_map(move |parts| (header.clone(), distinct(parts.concat()))).boxed()
    };
    let kind = (0..10u8, proptest::bool::weighted(0.15));
    kind.prop_flat_map(move |(kind, is_template)| {
        let place = Place { position, is_overlay, is_template, is_defaults: false };
        match kind {
            0..=4 => table("longrun", place, vec![entries(longrun(place)), log(place)]),
            5..=7 => {
                let mut choices = common(place);
                choices.push(("up", 0.8, command(place.text())));
                choices.push(("down", 0.4, command(place.text())));
                choices.push(("reload", 0.03, command(place.text())));
                table("oneshot", place, vec![entries(choices), log(place)])
            }
            _ => {
                let place = Place { is_template: false, ..place };
                let choices = vec![
                    ("contents", 1.0, place.others()),
                    ("dependencies", 0.1, place.others()),
                    ("description", 0.2, text().prop_map(|text| quoted(&text)).boxed()),
                    ("flag-essential", 0.2, literal(&["true", "false"])),
                    ("flag-recommended", 0.2, literal(&["true", "false"])),
                ];
                table("bundle", place, vec![entries(choices)])
            }
        }
    })
    .boxed()
}

/// The entries without repeated keys: the first one of each stays. If there is both a table and a part of it, the part stays.
fn distinct(entries: Entries) -> Entries {
    let mut kept: Entries = Vec::new();
    for (key, value) in entries.iter() {
        let is_whole = entries.iter().any(|(other, _)| other.starts_with(&format!("{key}.")));
        if !is_whole && kept.iter().all(|(known, _)| known != key) {
            kept.push((key.clone(), value.clone()));
        }
    }
    kept
}

fn target() -> BoxedStrategy<(Entries, bool)> {
    let trees = &["/etc/s6-overlay/s6-rc.d", "/opt/sv", "/etc/s6-overlay/a b/sv/", "/etc/s6-overlay/s6-rc"];
    let shared = || {
        vec![
            ("tree", 0.2, one_of(trees)),
            ("command-dir", 0.1, one_of(&["/usr/bin", "/command/"])),
            ("external", 0.2, Just(array([EXTERNAL])).boxed()),
        ]
    };
    let mut overlay = shared();
    overlay.push(("s6-overlay", 0.3, one_of(&["3.2.3.2", "3.2.3.0", "3.1.0.0", "3.0.0.0", "3.0.0.2-1"])));
    let mut alone = shared();
    alone.push(("s6-rc", 1.0, one_of(&["0.7.0.0", "0.5.3.0", "0.6.1.0"])));
    prop_oneof![
        5 => entries(overlay).prop_map(|entries| (entries, true)),
        1 => entries(alone).prop_map(|entries| (entries, false)),
    ]
    .boxed()
}

/// Any manifest.
pub fn manifest() -> impl Strategy<Value = Written> {
    (target(), 1..NAMES.len(), 0..10u8).prop_flat_map(|((target, is_overlay), count, defaults)| {
        let place = Place { position: 0, is_overlay, is_template: false, is_defaults: true };
        let mut tables: Vec<BoxedStrategy<(String, Entries)>> =
            vec![Just(("target".to_owned(), target)).boxed()];
        let named = |name: &'static str| move |entries: Entries| (name.to_owned(), entries);
        if defaults == 0 {
            tables.push(entries(longrun(place)).prop_map(named("defaults.longrun")).boxed());
        }
        if defaults == 1 {
            let log = log(place).prop_map(named("defaults.longrun"));
            tables.push(log.boxed());
            tables.push(entries(common(place)).prop_map(named("defaults.oneshot")).boxed());
        }
        tables.extend((0..count).map(|position| service(position, is_overlay)));
        tables.prop_map(|tables| Written { tables })
    })
}
