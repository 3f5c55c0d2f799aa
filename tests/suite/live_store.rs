//! Tests `instance add` and `remove` with all kinds of names and values, with many processes at once, and with kills at any
//! moment.
//!
//! `S6GEN_STORE_VECTORS` is the number of random values and commands to add, `S6GEN_ADDS` the number of instances that each
//! of eight processes adds.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;

use crate::exactness::{RECORDER, Random};
use crate::install::{look, look_with_times};
use crate::killed;
use crate::oracle::number_from;
use crate::require::{needs, say};

/// The directory of definitions of a system without s6-overlay.
const DEFINITIONS: &str = "root/etc/s6-rc/source";
const ADDED: &str = "root/etc/s6-rc/source/.s6gen.added.toml";

const MANIFEST: &str = r#"
[target]
s6-rc = "0.7.0.0"

[longrun.web]
run = ["web"]
log.to = "/var/log/web"

[longrun.tunnel]
parameters = { value = { pattern = '(?s).*' } }
instances = []
environment.V = "{{ value }}"
run = ["perl", "-e", 'RECORDER', "--", "{{ value }}", "<{{ value }}>"]

[oneshot.mark]
parameters = { value = { pattern = '(?s).*' } }
instances = []
up = ["perl", "-e", 'RECORDER', "--", "{{ value }}"]
"#;

/// A folder with a manifest and the root into which it was built.
struct Store {
    folder: TempDir,
}

impl Store {
    fn new(manifest: &str) -> Store {
        let store = Store { folder: crate::case::scratch() };
        store.manifest(manifest);
        store.succeed(&["build", "--root", "root"]);
        store
    }

    fn standard() -> Store {
        Store::new(&MANIFEST.replace("RECORDER", RECORDER))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn manifest(&self, text: &str) {
        fs::write(self.path("services.toml"), text).unwrap();
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command
    }

    /// Calls s6gen.
    fn run(&self, arguments: &[impl AsRef<OsStr>]) -> Output {
        self.command(env!("CARGO_BIN_EXE_s6gen")).args(arguments).output().unwrap()
    }

    /// Calls s6gen, which must succeed, and returns its standard output and standard error.
    fn succeed(&self, arguments: &[impl AsRef<OsStr> + std::fmt::Debug]) -> (String, String) {
        let output = self.run(arguments);
        let (out, err) = texts(&output);
        assert!(output.status.success(), "{arguments:?}: {err}");
        (out, err)
    }

    fn remove(&self, service: &str) -> (String, String) {
        self.succeed(&["instance", "remove", "--root", "root", "--", service])
    }

    /// The services that were added.
    fn list(&self) -> Vec<String> {
        let (out, _) = self.succeed(&["instance", "list", "--json", "--root", "root"]);
        let list: serde_json::Value = serde_json::from_str(&out).unwrap();
        let list = list["instances"].as_array().unwrap();
        list.iter().map(|one| one["service"].as_str().unwrap().to_owned()).collect()
    }
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

/// The arguments that add an instance of `template`.
fn add(template: &str, instance: impl Into<OsString>, value: impl Into<OsString>) -> Vec<OsString> {
    let mut set = OsString::from("value=");
    set.push(value.into());
    let words = ["instance", "add", "--root", "root", "--set"].map(OsString::from);
    words.into_iter().chain([set, template.into(), instance.into()]).collect()
}

/// The arguments that add a service without a template.
fn add_command(name: impl Into<OsString>, command: &[impl AsRef<OsStr>]) -> Vec<OsString> {
    let mut named = OsString::from("--name=");
    named.push(name.into());
    let words = ["instance", "add", "--root", "root"].map(OsString::from).into_iter();
    words.chain([named, "--".into()]).chain(command.iter().map(|word| word.as_ref().to_owned())).collect()
}

fn long(length: usize) -> String {
    "x".repeat(length)
}

/// Names that no service can have.
pub fn impossible_names() -> Vec<OsString> {
    let mut names: Vec<OsString> = [
        "../x",
        "../../../../tmp/x",
        "/etc",
        "/",
        "a/b",
        "a/../b",
        "./a",
        "",
        " ",
        "a b",
        "\t",
        "a\nb",
        "\n",
        "a\r\nb",
        "a\n[longrun.evil]\nrun = [\"evil\"]\n",
        "\"",
        "'",
        "'''",
        "\\",
        "a\"]",
        "]",
        "[longrun.x]",
        "a = 1",
        "a.b]",
        "#",
        "$(reboot)",
        "${HOME}",
        "`reboot`",
        "a;b",
        "a&b",
        "a|b",
        ">x",
        "*",
        "?",
        "~",
        "!",
        "{{ name }}",
        "{{",
        "{%",
        "{% raw %}",
        "{#",
        "{",
        "}",
        "\u{1}",
        "\u{1b}[2J",
        "\u{7f}",
        "a\u{202e}b",
        "\u{2066}a",
        "\u{feff}a",
        "\u{200b}",
        "\u{85}",
    ]
    .map(OsString::from)
    .to_vec();
    names.extend([long(252), long(300), long(100_000)].map(OsString::from));
    names.extend(
        [&b"\xff"[..], b"a\xff", b"\xc3", b"\xed\xa0\x80"].map(|bytes| OsString::from_vec(bytes.to_vec())),
    );
    names
}

/// Asserts that the output has no characters that disturb a terminal or a log, even if the input had some.
pub fn assert_is_clean(output: &Output) {
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let is_hostile = |c: &char| {
        c.is_control() && *c != '\n'
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    assert_eq!(text.chars().find(is_hostile), None, "{text:?}");
}

#[test]
fn invalid_names_are_refused_and_change_nothing() {
    let store = Store::standard();
    store.succeed(&add("tunnel", "there", "1"));
    let before = look_with_times(store.folder.path());
    let mut refused = 0;
    for name in impossible_names() {
        let own: Vec<OsString> =
            [&b"x"[..], b"../x", b"a\nb", b"\xff"].map(|b| OsString::from_vec(b.to_vec())).into();
        let template = |template: &OsStr| {
            let mut words = add("tunnel", "x", "1");
            let place = words.len() - 2;
            words[place] = template.to_owned();
            words
        };
        for words in [
            add("tunnel", &name, "1"),
            add("mark", &name, "1"),
            template(&name),
            add_command(&name, &["true"]),
            add_command(&name, &own[..1]),
        ] {
            let output = store.run(&words);
            assert!(matches!(output.status.code(), Some(1 | 2)), "{words:?}: {output:?}");
            assert!(output.stdout.is_empty() && output.stderr.len() > 40, "{words:?}: {output:?}");
            assert_is_clean(&output);
            assert_eq!(look_with_times(store.folder.path()), before, "{words:?}");
            refused += 1;
        }
        // Removing something that does not exist succeeds, even with an invalid name.
        let output = store.run(&[
            &OsString::from("instance"),
            &"remove".into(),
            &"--root".into(),
            &"root".into(),
            &"--".into(),
            &name,
        ]);
        assert!(matches!(output.status.code(), Some(0 | 2)), "{name:?}: {output:?}");
        assert_is_clean(&output);
        assert_eq!(look_with_times(store.folder.path()), before, "{name:?}");
    }
    eprintln!("{refused} refused");
}

#[test]
fn names_that_are_taken_or_reserved_are_refused_and_change_nothing() {
    let overlay = Store::new(
        &MANIFEST.replace("RECORDER", RECORDER).replace("s6-rc = \"0.7.0.0\"", "s6-overlay = \"3.2.3.0\""),
    );
    for (store, taken) in [
        (
            Store::standard(),
            &[
                "s6rc-x",
                "s6-rc-x",
                "s6rc-fdholder",
                "s6rc-oneshot-runner",
                "default",
                "web-log",
                "web",
                "tunnel",
                "mark",
                ".",
                "..",
                "-x",
                "--help",
            ][..],
        ),
        (
            overlay,
            &[
                "user",
                "user2",
                "top",
                "base",
                "legacy-services",
                "legacy-cont-init",
                "fix-attrs",
                "default",
                "web-log",
                "s6rc-x",
            ],
        ),
    ] {
        let before = look_with_times(store.folder.path());
        for name in taken {
            let output = store.run(&add_command(*name, &["true"]));
            assert_eq!(output.status.code(), Some(1), "{name}: {output:?}");
            assert_is_clean(&output);
            let message = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(message.contains(name) && message.contains("nothing was changed"), "{message}");
            assert_eq!(look_with_times(store.folder.path()), before, "{name}");
        }
    }
}

#[test]
fn an_instance_whose_name_exists_already_is_refused() {
    let manifest = "[target]\ns6-rc = \"0.7.0.0\"\n[longrun.a]\ninstances = [\"own\"]\nrun = [\"a\", \"{{ instance }}\"]\nlog.to = \"/var/log/{{ name }}\"\n\
                    [longrun.a-b]\ninstances = []\nrun = [\"b\", \"{{ instance }}\"]\n";
    let store = Store::new(manifest);
    let instance = |template: &str, name: &str| {
        store.run(&["instance", "add", "--root", "root", template, name]).status.code()
    };
    assert_eq!(instance("a", "b-c"), Some(0));
    let before = look_with_times(store.folder.path());
    for (template, name, why) in [
        ("a-b", "c", "the same service of another template"),
        ("a", "b-c-log", "the logger of an instance"),
        ("a", "own", "an instance of the manifest"),
        ("a", "own-log", "the logger of an instance of the manifest"),
    ] {
        assert_eq!(instance(template, name), Some(1), "{why}");
        assert_eq!(look_with_times(store.folder.path()), before, "{why}");
    }
}

#[test]
fn unusual_but_valid_names_stay_inside_their_directory() {
    let store = Store::standard();
    let before = look(store.folder.path());
    let names = [
        ".",
        "..",
        ".x",
        "-",
        "--",
        "-x",
        "user",
        "default",
        "s6rc-x",
        "web-log",
        "log",
        "A",
        "0",
        "a.b",
        "a_b",
        "a@b",
        "é",
        &long(244),
    ];
    let mut accepted = Vec::new();
    for name in names {
        let output = store.run(&add("tunnel", name, "1"));
        assert_is_clean(&output);
        match output.status.code() {
            Some(0) => accepted.push(format!("tunnel-{name}")),
            Some(1 | 2) => {}
            _ => panic!("{name}: {output:?}"),
        }
    }
    assert!(accepted.len() > 8, "{accepted:?}");
    assert!(
        accepted.iter().all(|name| !name.starts_with("tunnel--") && !name.ends_with('.')),
        "{accepted:?}"
    );
    assert_eq!(store.list().into_iter().collect::<BTreeSet<_>>(), accepted.iter().cloned().collect());
    store.succeed(&["build", "--root", "root"]);
    let after = look(store.folder.path());
    for path in after.keys().filter(|path| !before.contains_key(*path)) {
        let inside = path.strip_prefix(&format!("{DEFINITIONS}/")).unwrap();
        let first = inside.split('/').next().unwrap();
        let is_marker = inside.starts_with("default/contents.d/");
        let is_member = inside.starts_with("tunnel/contents.d/");
        assert!(
            first == ".s6gen.added.toml"
                || is_marker
                || is_member
                || accepted.iter().any(|name| name == first),
            "{path}"
        );
    }
    let words: Vec<&str> = ["instance", "remove", "--root", "root", "--"]
        .into_iter()
        .chain(accepted.iter().map(String::as_str))
        .collect();
    store.succeed(&words);
    store.succeed(&["build", "--root", "root"]);
    let mut after = look(store.folder.path());
    after.remove(ADDED);
    assert_eq!(after, before);
}

/// Texts with a special meaning for a program or a file format on their way.
pub const HOSTILE: &[&str] = &[
    "",
    " ",
    "../x",
    "/etc/passwd",
    ".",
    "..",
    "a\nb",
    "\n",
    "\r\n",
    "\t",
    "'",
    "\"",
    "'''",
    "\"\"\"",
    "\\",
    "\\\n",
    "\\\"",
    "$(touch evil)",
    "${HOME}",
    "$HOME",
    "${V}",
    "`touch evil`",
    "; touch evil",
    "&& touch evil",
    "| touch evil",
    "> evil",
    "{{ name }}",
    "{{ instance }}",
    "{{",
    "}}",
    "{%",
    "{% raw %}",
    "{# x #}",
    "{{ 7 * 7 }}",
    "{",
    "}",
    "{ touch evil }",
    "value = \"x\"",
    "[longrun.evil]",
    "\"]\n[longrun.evil]\nrun = [\"evil\"]\n#",
    "# comment",
    "#!/bin/sh",
    "a=b=c",
    "=",
    "--set",
    "--",
    "-",
    "--help",
    "--root=/",
    "\u{1}",
    "\u{1b}[2J",
    "\u{7f}",
    "\u{202e}evil",
    "\u{feff}",
    "\u{200b}",
    "é",
    "😀",
    "\u{fffd}",
    "\\u0041",
    "\\x41",
    "\\0",
    "%s",
    "%n",
    "*",
    "~",
    "!",
    "null",
    "true",
    "1",
    "1979-05-27",
];

#[test]
fn values_and_commands_arrive_unchanged() {
    needs!("execline", "perl");
    let count = number_from("S6GEN_STORE_VECTORS", 20);
    let mut random = Random(0x5eed_0005);
    let mut values: Vec<String> = HOSTILE.iter().map(|text| (*text).to_owned()).collect();
    values.extend([long(300), long(60_000), "\n".repeat(300)]);
    values.extend((0..count).map(|_| random.word()));
    let mut commands: Vec<Vec<String>> =
        HOSTILE.chunks(5).map(|words| words.iter().map(|word| (*word).to_owned()).collect()).collect();
    commands.extend((0..count).map(|_| (0..random.below(5)).map(|_| random.word()).collect()));
    let mut arrived = 0;
    for (values, commands) in pairs_of_chunks(&values, &commands, 40) {
        let store = Store::standard();
        let mut expected = String::new();
        let mut scripts = Vec::new();
        for (number, value) in values.iter().enumerate() {
            store.succeed(&add("tunnel", format!("v{number}"), value));
            write!(expected, "{value}\0<{value}>\0V={value}\0\u{1}\0").unwrap();
            scripts.push(format!("tunnel-v{number}/run"));
            store.succeed(&add("mark", format!("v{number}"), value));
            write!(expected, "{value}\0\u{1}\0").unwrap();
            scripts.push(format!("mark-v{number}/up"));
        }
        for (number, words) in commands.iter().enumerate() {
            let recorder = ["perl", "-e", RECORDER, "--"].into_iter();
            let command: Vec<&str> = recorder.chain(words.iter().map(String::as_str)).collect();
            store.succeed(&add_command(format!("c{number}"), &command));
            expected += &words.iter().map(|word| format!("{word}\0")).collect::<String>();
            expected += "\u{1}\0";
            scripts.push(format!("c{number}/run"));
        }
        let listed = store.run(&["instance", "list", "--root", "root"]);
        assert_is_clean(&listed);
        assert_eq!(listed.stdout.iter().filter(|byte| **byte == b'\n').count(), scripts.len());
        let built = store.run(&["build", "--root", "root"]);
        assert!(built.status.success(), "{}", texts(&built).1);
        assert_is_clean(&built);
        let output = Command::new("sh")
            .args(["-c", "for script ; do execlineb -P \"$script\" || echo \"failed: $script\" ; done", "sh"])
            .args(&scripts)
            .current_dir(store.path(DEFINITIONS))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .output()
            .unwrap();
        let (got, message) = texts(&output);
        assert!(message.is_empty(), "{message}");
        for ((script, got), expected) in
            scripts.iter().zip(got.split("\u{1}\0")).zip(expected.split("\u{1}\0"))
        {
            assert_eq!(got, expected, "{script}");
        }
        assert_eq!(got.len(), expected.len());
        assert!(look(store.folder.path()).keys().all(|path| !path.contains("evil")));
        arrived += scripts.len();
    }
    eprintln!("{arrived} vectors");
}

type Chunk<'a> = (&'a [String], &'a [Vec<String>]);

fn pairs_of_chunks<'a>(values: &'a [String], commands: &'a [Vec<String>], size: usize) -> Vec<Chunk<'a>> {
    let count = values.len().div_ceil(size).max(commands.len().div_ceil(size));
    let part = |number: usize, length: usize| (number * size).min(length)..((number + 1) * size).min(length);
    (0..count)
        .map(|number| (&values[part(number, values.len())], &commands[part(number, commands.len())]))
        .collect()
}

#[test]
fn values_that_are_not_text_and_unknown_words_are_refused() {
    let store = Store::standard();
    let before = look_with_times(store.folder.path());
    let strange = OsString::from_vec(b"a\xffb".to_vec());
    let word = |text: &str| OsString::from(text);
    for words in [
        add("tunnel", "x", &strange),
        add_command("x", std::slice::from_ref(&strange)),
        add_command("x", &["true".into(), strange.clone()]),
        add_command("x", &[""]),
        ["instance", "add", "--root", "root", "tunnel", "x", "--set", "value"].map(word).into(),
        ["instance", "add", "--root", "root", "tunnel", "x", "--set", "=x"].map(word).into(),
        ["instance", "add", "--root", "root", "tunnel", "x", "--set", "va lue=x"].map(word).into(),
        ["instance", "add", "--root", "root", "tunnel", "x", "--set", "name=x", "--set", "value=1"]
            .map(word)
            .into(),
        ["instance", "add", "--root", "root", "tunnel", "x", "--set", "instance=x", "--set", "value=1"]
            .map(word)
            .into(),
        ["instance", "add", "--root", "root", "tunnel", "x", "--set", "value=1", "--set", "value=2"]
            .map(word)
            .into(),
        ["instance", "add", "--root", "root", "tunnel", "x"].map(word).into(),
        ["instance", "add", "--root", "root", "tunnel"].map(word).into(),
        ["instance", "add", "--root", "root", "web", "x"].map(word).into(),
        ["instance", "add", "--root", "root", "--name", "x"].map(word).into(),
        ["instance", "add", "--root", "root", "--name", "x", "--set", "value=1", "--", "true"]
            .map(word)
            .into(),
        ["instance", "add", "--root", "root", "tunnel", "x", "--name", "y", "--", "true"].map(word).into(),
        ["instance", "remove", "--root", "root"].map(word).into(),
        vec![word("instance"), word("remove"), word("--root"), word("root"), strange.clone()],
    ] {
        let output = store.run(&words);
        assert!(matches!(output.status.code(), Some(1 | 2)), "{words:?}: {output:?}");
        assert_is_clean(&output);
        assert_eq!(look_with_times(store.folder.path()), before, "{words:?}");
    }
}

#[test]
fn adding_and_removing_twice_changes_nothing() {
    let store = Store::standard();
    let empty = look(store.folder.path());
    let additions = [add("tunnel", "x", "1"), add("mark", "x", "1"), add_command("own", &["sleep", "1"])];
    for words in &additions {
        assert!(store.succeed(words).1.contains("added"));
    }
    let before = look_with_times(store.folder.path());
    for words in &additions {
        let (_, message) = store.succeed(words);
        assert!(message.contains("exists already, with the same values"), "{message}");
        assert_eq!(look_with_times(store.folder.path()), before);
    }
    assert_eq!(store.list(), ["own", "tunnel-x", "mark-x"]);

    assert!(store.succeed(&add("tunnel", "x", "2")).1.contains("changed"));
    assert!(store.succeed(&add("tunnel", "x", "1")).1.contains("changed"));
    for service in ["tunnel-x", "mark-x", "own"] {
        assert!(store.remove(service).1.contains("removed"));
        let before = look_with_times(store.folder.path());
        assert!(store.remove(service).1.contains("does not exist"));
        assert_eq!(look_with_times(store.folder.path()), before);
    }
    assert_eq!(store.list(), [""; 0]);
    store.succeed(&["build", "--root", "root"]);
    let mut after = look(store.folder.path());
    after.remove(ADDED);
    assert_eq!(after, empty);
}

#[test]
fn instances_of_the_manifest_cannot_be_removed() {
    let store = Store::standard();
    store.succeed(&add("tunnel", "x", "1"));
    let before = look_with_times(store.folder.path());
    for names in [&["web"][..], &["tunnel"], &["web-log"], &["default"], &["tunnel-x", "web"]] {
        let words = [&["instance", "remove", "--root", "root"][..], names].concat();
        let output = store.run(&words);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(texts(&output).1.contains("nothing was changed"));
        assert_eq!(look_with_times(store.folder.path()), before);
    }
}

#[test]
fn a_rebuild_keeps_what_was_added() {
    let store = Store::standard();
    store.succeed(&add("tunnel", "x", "1"));
    store.succeed(&add_command("own", &["sleep", "1"]));
    let kept = fs::read(store.path(ADDED)).unwrap();
    // The definitions do not have the additions yet, and `--check` reports that.
    let output = store.run(&["build", "--check", "--root", "root"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(texts(&output).1.contains("tunnel-x"), "{output:?}");
    store.succeed(&["build", "--root", "root"]);
    store.succeed(&["build", "--check", "--root", "root"]);
    assert!(store.path(DEFINITIONS).join("tunnel-x/run").exists());
    // The additions also stay with another manifest that has the same template.
    store.manifest(&(MANIFEST.replace("RECORDER", RECORDER) + "[longrun.more]\nrun = [\"more\"]\n"));
    store.succeed(&["build", "--root", "root"]);
    store.succeed(&["build", "--check", "--root", "root"]);
    assert_eq!(store.list(), ["own", "tunnel-x"]);
    assert_eq!(fs::read(store.path(ADDED)).unwrap(), kept);
    // A build of a manifest without the template reports the remedy, and writes nothing.
    store.manifest("[target]\ns6-rc = \"0.7.0.0\"\n[longrun.web]\nrun = [\"web\"]\n");
    let before = look_with_times(store.folder.path());
    let output = store.run(&["build", "--root", "root"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(texts(&output).1.contains("s6gen instance remove"), "{output:?}");
    assert_eq!(look_with_times(store.folder.path()), before);
    store.remove("tunnel-x");
    store.succeed(&["build", "--root", "root"]);
    assert_eq!(store.list(), ["own"]);
}

/// Runs eight processes at a time. They add instances, and remove every fifth of them again.
fn eight_at_once(store: &Store) {
    let each = number_from("S6GEN_ADDS", 10);
    std::thread::scope(|scope| {
        for worker in 0..8 {
            scope.spawn(move || {
                for number in 0..each {
                    store.succeed(&add("tunnel", format!("w{worker}-{number}"), number.to_string()));
                    if number % 5 == 4 {
                        store.remove(&format!("tunnel-w{worker}-{}", number - 2));
                    }
                }
            });
        }
    });
    let left = (0..each).filter(|number| number % 5 != 2);
    let expected = left.flat_map(|number| (0..8).map(move |worker| format!("tunnel-w{worker}-{number}")));
    assert_eq!(store.list().into_iter().collect::<BTreeSet<_>>(), expected.collect());
}

#[test]
fn eight_processes_at_once_lose_no_instance() {
    let store = Store::standard();
    eight_at_once(&store);
    store.succeed(&["build", "--root", "root"]);
    store.succeed(&["build", "--check", "--root", "root"]);
}

#[test]
fn eight_processes_at_once_lose_no_instance_while_others_build() {
    let store = Store::standard();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let builder = scope.spawn(|| {
            let mut builds = 0;
            while !done.load(Ordering::Relaxed) {
                // The manifest changes each time, so each build also replaces the carried manifest.
                let text = format!(
                    "{}[longrun.more]\nrun = [\"more\", \"{builds}\"]\n",
                    MANIFEST.replace("RECORDER", RECORDER)
                );
                store.manifest(&text);
                store.succeed(&["build", "--root", "root"]);
                builds += 1;
            }
            builds
        });
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| eight_at_once(&store)));
        done.store(true, Ordering::Relaxed);
        let builds = builder.join().unwrap();
        assert!(builds > 1, "only {builds} builds");
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
        eprintln!("{builds} builds meanwhile");
    });
    store.succeed(&["build", "--root", "root"]);
    store.succeed(&["build", "--check", "--root", "root"]);
}

/// Every system call that changes the file of additions, with its names on all architectures, and the calls between them.
const CALLS: &[&str] = &[
    "open",
    "openat",
    "flock",
    "write",
    "fsync",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "ftruncate",
    "close",
];

#[test]
fn a_kill_at_any_moment_leaves_the_old_or_the_new_set() {
    needs!("strace");
    let store = Store::standard();
    let remove =
        |service: &str| ["instance", "remove", "--root", "root", service].map(OsString::from).to_vec();
    let first = add("tunnel", "first", "1");
    let steps = [
        // Add the first instance of all, add a second one, change its value, and remove both.
        (first.clone(), &[][..], &["tunnel-first"][..]),
        (add_command("own", &["sleep", "1"]), &["tunnel-first"], &["own", "tunnel-first"]),
        (add_command("own", &["sleep", "2"]), &["own", "tunnel-first"], &["own", "tunnel-first"]),
        (remove("own"), &["own", "tunnel-first"], &["tunnel-first"]),
        (remove("tunnel-first"), &["tunnel-first"], &[]),
    ];
    let (mut killed, mut were_old, mut were_new) = (0, 0, 0);
    let mut added: Option<Vec<u8>> = None;
    for (words, before, after) in &steps {
        // Run it once without a kill, to know the new content of the file.
        store.succeed(words);
        let new = fs::read(store.path(ADDED)).unwrap();
        assert_eq!(store.list(), *after);
        let restore = || match &added {
            Some(text) => fs::write(store.path(ADDED), text).unwrap(),
            None => fs::remove_file(store.path(ADDED)).unwrap(),
        };
        let mut command = store.command(env!("CARGO_BIN_EXE_s6gen"));
        command.args(words).env("PATH", std::env::var_os("PATH").unwrap());
        restore();
        for moment in killed::moments(CALLS, &command) {
            restore();
            let output = killed::at(moment, "signal=KILL", &command).output().unwrap();
            assert_eq!(output.status.signal(), Some(9), "{moment:?}: {output:?}");
            killed += 1;
            let there = fs::read(store.path(ADDED)).ok();
            if there == added {
                were_old += 1;
                assert_eq!(store.list(), *before);
            } else {
                assert_eq!(there.as_ref(), Some(&new), "{moment:?}");
                were_new += 1;
            }
            store.succeed(words);
            assert_eq!(store.list(), *after, "{moment:?}");
            assert_eq!(fs::read(store.path(ADDED)).unwrap(), new);
            let left: Vec<_> =
                look(&store.path(DEFINITIONS)).into_keys().filter(|path| path.ends_with(".new")).collect();
            assert_eq!(left, [""; 0], "{moment:?}");
        }
        fs::write(store.path(ADDED), &new).unwrap();
        added = Some(new);
    }
    say(&format!("note: {killed} kills: {were_old} left the old set, {were_new} the new one"));
    assert!(were_old > 40 && were_new > 5, "{were_old} {were_new}");
}

/// Templates that put a value where some program reads code.
const SCRIPTS: &str = r##"
[target]
s6-rc = "0.7.0.0"

[oneshot.string]
parameters = ["value"]
instances = []
up = "echo {{ value }}"

[oneshot.undone]
parameters = ["value"]
instances = []
up = ["true"]
down = "echo \"{{ value }}\""

[longrun.shell]
parameters = ["value"]
instances = []
run = ["s6-setlock", "/lock", "/bin/sh", "-ec", "echo {{ value }}", "sh"]

[longrun.python]
parameters = ["value"]
instances = []
run = ["/usr/bin/python3.11", "-c", "print('{{ value }}')"]

[longrun.prepared]
parameters = ["value"]
instances = []
prepare = "test {{ value | default('x') }}"
finish = '#!/usr/bin/perl\nprint "{{ value }}";'
run = ["true"]

[longrun.asked]
parameters = ["value"]
instances = []
only-if = "test -e {{ value }}"
run = ["true"]

[longrun.file]
parameters = ["value"]
instances = []
run = ["true"]
files."data/tool" = "#!/bin/sh\necho {{ value }}"
"##;

#[test]
fn values_that_would_become_code_are_refused_and_change_nothing() {
    let store = Store::new(SCRIPTS);
    let before = look_with_times(&store.path("root"));
    for template in ["string", "undone", "shell", "python", "prepared", "asked", "file"] {
        for value in
            ["$(id)", "`id`", "a;b", "a b", "a\nb", "\"", "'", "a|b", "a&b", "<x", "${x}", "\\", "*", "", "é"]
        {
            let output = store.run(&add(template, "x", value));
            let (_, err) = texts(&output);
            assert_eq!(output.status.code(), Some(1), "{template} {value:?}: {err}");
            assert!(err.contains("`value` cannot be ") && err.contains("nothing was changed"), "{err}");
            assert!(err.contains("environment.VALUE") && !err.contains("unknown-parameter"), "{err}");
        }
    }
    assert_eq!(look_with_times(&store.path("root")), before);
    for template in ["string", "undone", "shell", "python", "prepared", "asked", "file"] {
        store.succeed(&add(template, "x", "/run/a_b-1.5:80,c%d@e+f"));
    }
    store.succeed(&["build", "--root", "root"]);
    // The author of the manifest may write any value.
    store.manifest(&SCRIPTS.replacen("instances = []", "instances = { own = { value = \"$(date)\" } }", 1));
    store.succeed(&["build", "--root", "root"]);
}

#[test]
fn a_value_in_a_comment_stays_on_its_line() {
    let manifest = r#"
[target]
s6-rc = "0.7.0.0"

[longrun.told]
parameters = ["value"]
instances = []
description = "{{ value }}"
run = ["true"]
"#;
    let store = Store::new(manifest);
    store.succeed(&add("told", "x", "one\nexec evil\r\u{2028}two"));
    store.succeed(&["build", "--root", "root"]);
    let run = fs::read_to_string(store.path(DEFINITIONS).join("told-x/run")).unwrap();
    assert!(run.lines().all(|line| line.starts_with('#') || !line.contains("evil")), "{run}");
}

#[test]
fn a_template_without_instances_may_treat_their_names_as_text() {
    let manifest = "[target]\ns6-rc = \"0.7.0.0\"\n[longrun.a]\ninstances = []\nrun = [\"sleep\", \"{{ instance | length }}\"]\n";
    let store = Store::new(manifest);
    store.succeed(&["instance", "add", "--root", "root", "a", "office"]);
    assert_eq!(store.list(), ["a-office"]);
}

#[test]
fn names_that_are_parts_of_templates_are_ordinary_names() {
    let store = Store::standard();
    for name in ["log", "data", "run", "finish", "check", "up", "part", "longrun"] {
        store.succeed(&add_command(name, &["true"]));
    }
    // The build fills the templates.
    store.succeed(&["build", "--root", "root"]);
    let run = fs::read_to_string(store.path(DEFINITIONS).join("log/run")).unwrap();
    assert!(run.ends_with("\ntrue\n"), "{run}");
}

#[test]
fn a_value_that_a_custom_template_cannot_use_is_refused() {
    let store = Store::standard();
    fs::create_dir_all(store.path("mine/longrun/tunnel-x")).unwrap();
    fs::write(store.path("mine/longrun/tunnel-x/run"), "{{ nothing }}\n").unwrap();
    store.succeed(&["build", "--root", "root", "--templates", "mine"]);
    let output = store.run(&add("tunnel", "x", "1"));
    let (_, err) = texts(&output);
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains("longrun/tunnel-x/run") && err.contains("nothing was changed"), "{err}");
    assert!(!store.path(ADDED).exists());
    store.succeed(&add("tunnel", "y", "1"));
}

#[test]
fn the_name_of_a_foreign_definition_is_refused() {
    let store = Store::standard();
    let theirs = store.path(DEFINITIONS).join("manual");
    fs::create_dir(&theirs).unwrap();
    fs::write(theirs.join("type"), "longrun\n").unwrap();
    fs::create_dir(store.path(DEFINITIONS).join("tunnel-x")).unwrap();
    fs::write(store.path(DEFINITIONS).join("tunnel-x/type"), "longrun\n").unwrap();
    for words in [add_command("manual", &["true"]), add("tunnel", "x", "1")] {
        let output = store.run(&words);
        let (_, err) = texts(&output);
        assert_eq!(output.status.code(), Some(3), "{err}");
        assert!(err.contains("output::foreign-definition") && err.contains("nothing was changed"), "{err}");
    }
    assert!(!store.path(ADDED).exists());
    // Own additions may be added and removed, even if the definitions do not have them yet.
    for name in ["own", "own"] {
        store.succeed(&add_command(name, &["true"]));
        store.succeed(&["build", "--root", "root"]);
        store.remove(name);
    }
}

#[test]
fn the_name_of_a_foreign_link_is_refused() {
    let store = Store::new("[longrun.web]\nrun = [\"web\"]\n");
    let theirs = store.path("root/etc/s6-overlay/s6-rc.d/manual");
    fs::create_dir_all(&theirs).unwrap();
    let output = store.run(&add_command("manual", &["true"]));
    let (_, err) = texts(&output);
    assert!(output.status.code() == Some(3) && err.contains("s6-rc.d/manual"), "{err}");
    store.succeed(&add_command("web2", &["true"]));
    store.succeed(&["build", "--root", "root"]);
}

#[test]
fn instance_list_shows_every_added_service() {
    let store = Store::standard();
    let words = ["instance", "add", "--root", "root", "--name", "echo", "--start", "boot", "--", "nc", "a b"];
    store.succeed(&words);
    store.succeed(&add_command("later", &["true"]));
    let (text, _) = store.succeed(&["instance", "list", "--root", "root"]);
    assert_eq!(text, "echo   added     --start boot -- nc 'a b'\nlater  added     -- true\n");
    let (json, _) = store.succeed(&["instance", "list", "--root", "root", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let starts = json["instances"].as_array().unwrap().iter().map(|one| one["start"].as_str().unwrap());
    assert_eq!(starts.collect::<Vec<_>>(), ["boot", "on-demand"]);
}
