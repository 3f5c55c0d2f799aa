//! Checks that values of parameters that are set while the system runs stay data, wherever a template puts them.
//!
//! `S6GEN_VALUES` is the number of random values to try in every place.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use proptest::prelude::*;
use s6gen::diagnostic::{Files, Severity};
use s6gen::jobs::Project;
use s6gen::manifest::{Additions, Parameters};
use s6gen::tree::{SourceTree, TreeEntry};
use s6gen::{Compilation, ManifestFile, compile, render};

use crate::exactness::{RECORDER, Random};
use crate::install::look_with_times;
use crate::live_store::HOSTILE;
use crate::oracle::number_from;
use crate::properties::holds;
use crate::require::needs;

const TARGET: &str = "[target]\ns6-rc = \"0.7.0.0\"\n";

/// Compiles a manifest with the added instance `x` of the longrun `t`, whose parameter `p` has the value `value`.
fn added(manifest: &str, value: &str) -> Compilation {
    let mut files = Files::default();
    let file = files.add("services.toml", manifest);
    let mut project = Project::of(files, ManifestFile::from(file));
    let mut additions = Additions::default();
    let kind = if manifest.contains("[oneshot.t]") { "oneshot" } else { "longrun" };
    additions.add_instance(kind, "t", "x", Parameters::from([("p".to_owned(), value.to_owned())]));
    project.add(Path::new(".s6gen.added.toml"), &additions);
    project.compile()
}

fn errors(compilation: &Compilation) -> Vec<&str> {
    let errors = compilation.problems.iter().filter(|problem| problem.severity == Severity::Error);
    errors.map(|problem| problem.message.as_str()).collect()
}

/// The reports on a manifest, but for those on what its process does.
fn warnings(manifest: &str) -> Vec<String> {
    let mut files = Files::default();
    let file = files.add("services.toml", manifest);
    let compilation = compile(&files, file);
    let problems = compilation
        .problems
        .iter()
        .filter(|problem| !matches!(problem.code.slug(), "lint::su-stays" | "lint::job-in-longrun"));
    problems.map(|problem| format!("{}: {}", problem.code.slug(), problem.message)).collect()
}

/// The longrun `t` with these lines.
fn longrun(lines: &str) -> String {
    format!("{TARGET}[longrun.t]\nparameters = [\"p\"]\ninstances = []\n{lines}\n")
}

/// Whether the value is allowed in every place.
fn is_plain(value: &str) -> bool {
    let is_harmless = |c: char| c.is_ascii_alphanumeric() || "_.,:@%+=/-".contains(c);
    !value.is_empty() && !value.starts_with('-') && value.chars().all(is_harmless)
}

/// Commands in which a value would be code.
const CODE: &[&str] = &[
    r#"run = ["sh", "-c", "echo {{ p }}"]"#,
    r#"run = ["sh", "-ec", "echo {{ p }}"]"#,
    r#"run = ["bash", "--norc", "-c", "echo {{ p }}"]"#,
    r#"run = ["sh", "-c", "--", "echo {{ p }}"]"#,
    r#"run = ["bash", "-c", "-e", "echo {{ p }}"]"#,
    r#"run = ["bash", "-o", "pipefail", "-c", "echo {{ p }}"]"#,
    r#"run = ["busybox", "sh", "-c", "echo {{ p }}"]"#,
    r#"run = ["su", "root", "-c", "echo {{ p }}"]"#,
    r#"run = ["su", "root", "--command=echo {{ p }}"]"#,
    r#"run = ["flock", "/lock", "-c", "echo {{ p }}"]"#,
    r#"run = ["script", "-q", "-c", "echo {{ p }}"]"#,
    r#"run = ["perl", "-E", "say {{ p }}"]"#,
    r#"run = ["perl", "-wne", "print {{ p }}"]"#,
    r#"run = ["python3", "-c", "print({{ p }})"]"#,
    r#"run = ["node", "-e", "f({{ p }})"]"#,
    r#"run = ["node", "--eval=f({{ p }})"]"#,
    r#"run = ["ruby", "-e", "p {{ p }}"]"#,
    r#"run = ["php", "-r", "echo {{ p }};"]"#,
    r#"run = ["awk", "BEGIN { print {{ p }} }"]"#,
    r#"run = ["sed", "s/x/{{ p }}/"]"#,
    r#"run = ["execlineb", "-c", "echo {{ p }}"]"#,
    r#"run = ["execlineb", "-Pc", "echo {{ p }}"]"#,
    r#"run = ["env", "-S", "echo {{ p }}"]"#,
    r#"run = ["xargs", "-I{}", "sh", "-c", "echo {{ p }}"]"#,
    r#"run = ["find", "/srv", "-exec", "sh", "-c", "echo {{ p }}", ";"]"#,
    r#"run = ["ssh", "host", "echo {{ p }}"]"#,
    r#"run = ["watch", "echo {{ p }}"]"#,
    r#"run = "echo {{ p }}""#,
    r#"run = 'echo "{{ p }}"'"#,
    r#"run = "echo '{{ p }}'""#,
    "run = '''\n#!/usr/bin/perl\nprint \"{{ p }}\";\n'''",
    "run = [\"x\"]\nprepare = \"echo {{ p }}\"",
    "run = [\"x\"]\nfinish = \"echo {{ p }}\"",
    "run = [\"x\"]\nonly-if = \"echo {{ p }}\"",
    "run = [\"x\"]\nready.check = [\"bash\", \"--norc\", \"-c\", \"echo {{ p }}\"]",
    "run = [\"x\"]\nfiles.\"data/tool\" = \"#!/bin/sh\\necho {{ p }}\\n\"",
    "run = '. ./data/lib.sh; x'\nfiles.\"data/lib.sh\" = \"X={{ p }}\\n\"",
    "run = 'source data/lib.sh; x'\nfiles.\"data/lib.sh\" = \"X={{ p }}\\n\"",
    "run = [\"bash\", \"data/lib.sh\"]\nfiles.\"data/lib.sh\" = \"X={{ p }}\\n\"",
    "run = [\"awk\", \"-f\", \"./data/lib.awk\"]\nfiles.\"data/lib.awk\" = \"BEGIN { {{ p }} }\\n\"",
];

/// More such commands, of which no rule can know that they read code.
const UNKNOWN: &[&str] = &[
    r#"run = ["somebodys-own-interpreter", "{{ p }}"]"#,
    r#"run = ["x", "--config={{ p }}"]"#,
    "run = [\"make\", \"-f\", \"data/rules\"]\nfiles.\"data/rules\" = \"a:\\n\\t{{ p }}\\n\"",
    "run = 'for file in ./data/*; do . \"$file\"; done'\nfiles.\"data/lib\" = \"X={{ p }}\\n\"",
    "run = 'cd data; for file in *; do . ./$file; done'\nfiles.\"data/lib\" = \"X={{ p }}\\n\"",
    "run = [\"run-parts\", \"data\"]\nfiles.\"data/lib\" = \"X={{ p }}\\n\"",
    "run = [\"bash\", \"x\"]\nenvironment.BASH_ENV = \"./data/lib\"\nfiles.\"data/lib\" = \"X={{ p }}\\n\"",
    "run = [\"data/tool\"]\nfiles.\"data/tool\" = \"#!/bin/sh\\n. ./data/lib\\n\"\nfiles.\"data/lib\" = \"X={{ p }}\\n\"",
    "run = [\"x\"]\nfiles.\"data/lib\" = \"X={{ p }}\\n\"\n[longrun.other]\nrun = \". /run/service/t-x/data/lib\"",
    "run = [\"x\"]\nworkdir = \"/srv/{{ p }}\"",
    "run = [\"x\"]\nlog.to = \"/var/log/app/{{ p }}\"",
    "run = [\"x\"]\nlog.to = \"/var/log/app\"\nlog.user = \"{{ p }}\"",
    "run = [\"x\"]\nlog.prefix = \"{{ p }}:\"",
    "run = [\"x\"]\nuser = \"{{ p }}\"",
    "run = [\"x\"]\nready.http = \"http://127.0.0.1/{{ p }}\"",
    "run = [\"x\"]\nready.unix = \"/run/{{ p }}\"",
];

/// Values that some program would read as more than data.
const EVIL: &[&str] = &[
    "$(touch PWNED)",
    "`touch PWNED`",
    "x; touch PWNED",
    "x\ntouch PWNED",
    "'; touch PWNED; '",
    "\"); system(\"touch PWNED\"); (\"",
    "system('touch PWNED')",
    "x | touch PWNED",
    "> PWNED",
    "${IFS}",
    "~",
    "*",
    "a b",
    "é",
    "\u{202e}x",
    "-x",
    "--",
    "-",
    "",
];

#[test]
fn a_value_is_never_code_whatever_program_reads_it() {
    for lines in CODE.iter().chain(UNKNOWN) {
        let manifest = longrun(lines);
        assert_eq!(errors(&added(&manifest, "plain_1.5")), [""; 0], "{lines}");
        for value in EVIL {
            let compilation = added(&manifest, value);
            let [error] = errors(&compilation)[..] else {
                panic!("{value:?} in {lines}: {:?}", errors(&compilation));
            };
            assert!(error.starts_with("`p` cannot be "), "{value:?} in {lines}: {error}");
        }
        // The author of the manifest may write anything.
        let own = manifest.replace("instances = []", "instances = { y = { p = \"x\" } }");
        assert_eq!(warnings(&own), [""; 0], "{lines}");
    }
}

#[test]
fn a_value_may_be_anything_in_a_variable_and_in_a_file_that_is_data() {
    for lines in [
        "run = [\"x\"]\nenvironment.V = \"{{ p }}\"",
        "run = [\"x\"]\nenvironment.V = \"{{ p }}\"\nfiles.touch = \"{{ p }}\"",
        "run = [\"x\"]\nenvironment.V = \"a {{ p | default('x') }} b\"",
        "run = 'exec x \"$V\"'\nenvironment.V = \"{{ p }}\"",
        "run = [\"x\"]\nfiles.\"data/value\" = \"{{ p }}\"",
        "run = [\"x\"]\nfiles.value = \"v = {{ p }}\\n\"",
        "run = [\"cat\", \"data/value\"]\nfiles.\"data/value\" = \"{{ p }}\"",
        "run = [\"s6-envdir\", \"./data/env\", \"x\"]\nfiles.\"data/env/V\" = \"{{ p }}\"",
        "run = '. ./data/lib.sh; x'\nfiles.\"data/lib.sh\" = \"X=1\\n\"\nfiles.\"data/value\" = \"{{ p }}\"",
        "run = [\"x\"]\ndescription = \"{{ p }}\"",
        // This value only decides between two texts, and is in neither of them.
        "run = [\"x\", \"{{ 'yes' if p else 'no' }}\"]",
        "run = [\"x\", \"{{ p == 'yes' }}\", \"{{ p | length }}\"]",
        "run = \"x {{ 'a' if p is defined else 'b' }}\"",
    ] {
        for value in EVIL.iter().chain(HOSTILE) {
            assert_eq!(errors(&added(&longrun(lines), value)), [""; 0], "{value:?} in {lines}");
        }
    }
    // No value turns a file into a program.
    let compilation = added(&longrun("run = [\"x\"]\nfiles.\"data/value\" = \"{{ p }}\""), "#!/bin/sh\nid\n");
    let tree = render::tree(&compilation.services).unwrap();
    let file = tree.entries().find(|(path, _)| path.ends_with("t-x/data/value")).unwrap();
    assert!(matches!(file.1, TreeEntry::File { executable: false, .. }), "{file:?}");
}

#[test]
fn a_pattern_widens_or_narrows_what_a_value_may_be() {
    let manifest = |pattern: &str, own: &str| {
        longrun("run = [\"x\", \"{{ p }}\"]\nenvironment.V = \"{{ p }}\"")
            .replace("[\"p\"]", &format!("{{ p = {{ pattern = '{pattern}' }} }}"))
            .replace("instances = []", &format!("instances = {{ {own} }}"))
    };
    for (pattern, fits, others) in [
        (".*", &["", "a b", "-x", "$(id)", "ä"][..], &["a\nb"][..]),
        ("(?s).*", &["a\nb", ""], &[]),
        ("[0-9]+", &["1", "65536"], &["", "1a", "a1", "1\n", "-1", " 1"]),
        ("a|b", &["a", "b"], &["ab", "", "a|b"]),
        ("[^;]+", &["a b", "\n"], &["a;b", ""]),
        ("-x|-y", &["-x"], &["--x"]),
    ] {
        for (value, is_fit) in
            fits.iter().map(|value| (value, true)).chain(others.iter().map(|value| (value, false)))
        {
            let compilation = added(&manifest(pattern, ""), value);
            assert_eq!(errors(&compilation).is_empty(), is_fit, "{value:?} by {pattern}");
            let own = format!("y = {{ p = {value:?} }}").replace("\\u{e4}", "ä");
            let found = warnings(&manifest(pattern, &own));
            assert_eq!(found.is_empty(), is_fit, "{value:?} of the manifest by {pattern}: {found:?}");
        }
    }
    for pattern in ["(", "a)|(b", "[", "*", "a{1001}{1001}{1001}", "(?x)a#"] {
        let found = warnings(&manifest(pattern, ""));
        assert!(
            found.len() == 1 && found[0].contains("the pattern of `p` cannot be read"),
            "{pattern}: {found:?}"
        );
    }
}

#[test]
fn check_warns_the_author_where_a_wide_value_would_be_code() {
    let warning = "manifest::value-as-code: a value of `p` could be read as code";
    let with = |lines: &str, pattern: &str, instances: &str| {
        longrun(lines)
            .replace("[\"p\"]", &format!("{{ p = {{ pattern = '{pattern}' }} }}"))
            .replace("instances = []", &format!("instances = {instances}"))
    };
    for lines in CODE {
        // A warning for the template, and not for each instance.
        for instances in ["[]", "{ a = { p = \"1\" }, b = { p = \"2\" } }"] {
            assert_eq!(warnings(&with(lines, "[^x]*", instances)), [warning], "{lines}");
            assert_eq!(warnings(&with(lines, "[a-z0-9]+", instances)), [""; 0], "{lines}");
        }
    }
    for lines in [
        "run = [\"x\", \"--port\", \"{{ p }}\"]",
        "run = [\"sh\", \"-c\", \"exec x \\\"$1\\\"\", \"sh\", \"{{ p }}\"]",
        "run = 'exec x \"$V\"'\nenvironment.V = \"{{ p }}\"",
        "run = [\"sh\", \"-c\", \"{{ 'a' if p else 'b' }}\"]",
        "run = [\"x\", \"--config\", \"data/x.conf\"]\nfiles.\"data/x.conf\" = \"title {{ p }}\"",
    ] {
        assert_eq!(warnings(&with(lines, ".*", "[]")), [""; 0], "{lines}");
    }
    for variable in ["LD_PRELOAD", "BASH_ENV", "PATH"] {
        let lines = format!("run = [\"x\"]\nenvironment.{variable} = \"{{{{ p }}}}\"");
        assert_eq!(warnings(&longrun(&lines)), [warning], "{lines}");
    }
}

#[test]
fn a_pattern_without_a_warning_matches_harmless_characters_only() {
    let part = prop_oneof![
        "[a-zA-Z0-9_.,:@%+=/;~! -]",
        "\\[[a-zA-Z0-9^+-]{1,4}\\]",
        "\\[[ -~]{1,4}\\]",
        "\\\\[a-zA-Z.]",
        "[a-z0-9]\\|[a-z]",
        Just("(?i)".to_owned()),
        Just("[a-z]+".to_owned()),
        Just("\\w*".to_owned()),
    ];
    let pattern = prop::collection::vec(part, 1..4).prop_map(|parts| parts.concat());
    holds(2_000, (pattern, "[ -~\n]{1,4}"), |(pattern, value)| {
        if pattern.contains('\'') {
            return Ok(());
        }
        let manifest = longrun("run = \"x {{ p }}\"")
            .replace("[\"p\"]", &format!("{{ p = {{ pattern = '{pattern}' }} }}"));
        let is_told = !warnings(&manifest).is_empty();
        let is_plain = value.chars().all(|c| c.is_ascii_alphanumeric() || "_.,:@%+=/-".contains(c));
        let is_accepted = errors(&added(&manifest, &value)).is_empty();
        prop_assert!(is_told || is_plain || !is_accepted, "{:?} matches {:?}", value, pattern);
        Ok(())
    });
}

type Arrived = fn(&str) -> String;

/// Places in which a value arrives as an argument, with what should arrive.
const ARRIVES: &[(&str, Arrived)] = &[
    ("{{ p }}", |value| value.into()),
    ("--opt={{ p }}", |value| format!("--opt={value}")),
    ("a{{ p }}b{{ p }}", |value| format!("a{value}b{value}")),
    ("{{ p | default('x') }}", |value| value.into()),
    ("{{ q | default(p) }}", |value| value.into()),
    ("{{ p | upper }}", |value| value.to_uppercase()),
    ("{{ p | replace('a', 'b') }}", |value| value.replace('a', "b")),
    ("{{ p[1:] }}", |value| value.chars().skip(1).collect()),
    ("{{ p | reverse }}", |value| value.chars().rev().collect()),
    ("{{ p if p else 'none' }}", |value| if value.is_empty() { "none".into() } else { value.into() }),
    ("{{ 'yes' if p == 'a' else 'no' }}", |value| if value == "a" { "yes".into() } else { "no".into() }),
];

#[test]
fn what_is_accepted_arrives_as_one_argument_or_as_data() {
    needs!("execline", "perl");
    let mut random = Random(0x5eed_0013);
    let mut values: Vec<String> = HOSTILE.iter().chain(EVIL).map(|text| (*text).to_owned()).collect();
    for _ in 0..number_from("S6GEN_VALUES", 40) {
        values.push(random.word());
        let plain = b"abAB09_.,:@%+=/-";
        let length = 1 + random.below(6);
        values.push((0..length).map(|_| char::from(plain[random.below(plain.len())])).collect());
    }
    let folder = crate::case::scratch();
    let (mut expected, mut scripts, mut refused) = (String::new(), Vec::new(), 0);
    for (number, value) in values.iter().enumerate() {
        for (place, (word, arrives)) in ARRIVES.iter().enumerate() {
            let quoted = word.replace('\\', "\\\\").replace('"', "\\\"");
            let lines = format!(
                "run = [\"perl\", \"-e\", '{RECORDER}', \"--\", \"{quoted}\"]\nenvironment.V = \"{{{{ p }}}}\"\n\
                 files.\"data/value\" = \"{{{{ p }}}}\""
            );
            let manifest = longrun(&lines).replace("[\"p\"]", "[\"p\", \"q\"]");
            let manifest = if word.contains('q') { manifest } else { manifest.replace(", \"q\"", "") };
            let compilation = added(&manifest, value);
            let is_landing = !word.contains("yes");
            let arrived = arrives(value);
            let is_option = word.starts_with("{{") && arrived.starts_with('-');
            if !errors(&compilation).is_empty() {
                assert!(
                    is_landing && (!is_plain(value) || is_option),
                    "{value:?} in {word}: {:?}",
                    errors(&compilation)
                );
                refused += 1;
                continue;
            }
            assert!(!is_landing || is_plain(value) && !is_option, "{value:?} in {word}");
            let service = format!("{number}-{place}");
            write_definition(&render::tree(&compilation.services).unwrap(), &folder.path().join(&service));
            assert_eq!(fs::read(folder.path().join(&service).join("data/value")).unwrap(), value.as_bytes());
            write!(expected, "{arrived}\0V={value}\0\u{1}\0").unwrap();
            scripts.push(format!("{service}/run"));
        }
    }
    let output = run_all(folder.path(), &scripts);
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let got = String::from_utf8(output.stdout).unwrap();
    for ((script, got), expected) in scripts.iter().zip(got.split("\u{1}\0")).zip(expected.split("\u{1}\0")) {
        assert_eq!(got, expected, "{script}");
    }
    assert_eq!(got.len(), expected.len());
    assert!(!folder.path().join("PWNED").exists());
    assert!(scripts.len() > 300 && refused > 300, "{} arrived, {refused} were refused", scripts.len());
    eprintln!("{} arrived, {refused} were refused", scripts.len());
}

/// Writes the definition of `t-x` to the directory.
fn write_definition(tree: &SourceTree, to: &Path) {
    for (path, entry) in tree.entries() {
        let (Some((_, inside)), TreeEntry::File { content, executable }) = (path.split_once("/t-x/"), entry)
        else {
            continue;
        };
        let file = to.join(inside);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, content).unwrap();
        let mode = if *executable { 0o755 } else { 0o644 };
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    }
}

fn run_all(folder: &Path, scripts: &[String]) -> Output {
    Command::new("sh")
        .args(["-c", "for script ; do execlineb -P \"$script\" || echo \"failed: $script\" ; done", "sh"])
        .args(scripts)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .output()
        .unwrap()
}

/// Scripts of real interpreters, with what a value that is accepted makes them print.
const REAL: &[(&str, &str)] = &[
    (r#"up = ["bash", "--norc", "-c", "echo {{ p }}"]"#, "bash"),
    (r#"up = ["sh", "-c", "--", "echo {{ p }}"]"#, "sh"),
    (r#"up = ["bash", "-c", "-e", "echo {{ p }}"]"#, "bash"),
    (r#"up = ["su", "root", "-c", "echo {{ p }}"]"#, "su"),
    (r#"up = ["flock", "lock", "-c", "echo {{ p }}"]"#, "flock"),
    (r#"up = ["script", "-q", "-c", "echo {{ p }}", "/dev/null"]"#, "script"),
    (r#"up = ["perl", "-E", "say q({{ p }})"]"#, "perl"),
    (r#"up = ["awk", "BEGIN { print \"{{ p }}\" }"]"#, "awk"),
    ("up = '. ./data/lib.sh; echo \"$X\"'\nfiles.\"data/lib.sh\" = \"X={{ p }}\\n\"", "sh"),
];

#[test]
fn real_interpreters_get_no_code_from_a_value() {
    needs!("execline", "perl");
    let s6gen = |folder: &Path, words: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_s6gen")).args(words).current_dir(folder).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for (lines, program) in REAL {
        let folder = crate::case::scratch();
        let folder = folder.path();
        let manifest = format!("{TARGET}[oneshot.t]\nparameters = [\"p\"]\ninstances = []\n{lines}\n");
        // The script must find the definition below the root, so its absolute path is replaced.
        fs::write(folder.join("services.toml"), &manifest).unwrap();
        assert_eq!(s6gen(folder, &["build", "--root", "root"]).0, Some(0));
        let before = look_with_times(&folder.join("root"));
        let add = |value: &str| {
            let set = format!("--set=p={value}");
            s6gen(folder, &["instance", "add", "--root", "root", "t", "x", &set])
        };
        for value in EVIL {
            let (code, message) = add(value);
            assert_eq!(code, Some(1), "{value:?} in {lines}: {message}");
            assert!(
                message.contains("`p` cannot be ") && message.contains("nothing was changed"),
                "{message}"
            );
            assert_eq!(look_with_times(&folder.join("root")), before, "{value:?} in {lines}");
        }
        // The same value is refused if somebody wrote it into the file of additions.
        let path = folder.join("root/etc/s6-rc/source/.s6gen.added.toml");
        fs::write(&path, "[oneshot.t.instances.x]\np = \"$(touch PWNED)\"\n").unwrap();
        let (code, message) = s6gen(folder, &["build", "--root", "root"]);
        assert!(code == Some(1) && message.contains("`p` cannot be "), "{message}");
        fs::remove_file(&path).unwrap();
        let harmless = "a_b-1.5:80,c%d@e+f=/x";
        let (code, message) = add(harmless);
        assert_eq!(code, Some(0), "{message}");
        assert_eq!(s6gen(folder, &["build", "--root", "root"]).0, Some(0));
        let definition = folder.join("root/etc/s6-rc/source/t-x");
        let is_there = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
        if !is_there.status.success() {
            eprintln!("{program} is not there: its script was not run");
            continue;
        }
        let up = fs::read_to_string(definition.join("up")).unwrap();
        let up = up.replace("/etc/s6-rc/source/", &format!("{}/root/etc/s6-rc/source/", folder.display()));
        fs::write(definition.join("up"), up).unwrap();
        let output = Command::new("execlineb").args(["-P", "up"]).current_dir(&definition).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        assert_eq!(printed.trim_end(), harmless, "{lines}: {output:?}");
        assert!(!definition.join("PWNED").exists());
    }
}

#[test]
fn accounts_and_directories_cannot_be_options_or_leave_their_place() {
    let service = |lines: &str| format!("{TARGET}[longrun.a]\nrun = [\"x\"]\n{lines}\n");
    for name in ["-h", "-R", "--help", ".", "..", "", "-"] {
        for lines in [
            format!("user = \"{name}\""),
            format!("user = \"{name}:x\""),
            format!("user = \"x:{name}\""),
            format!("log.to = \"/var/log/a\"\nlog.user = \"{name}\""),
            format!("log.to = \"/var/log/a\"\nlog.user = \"x:{name}\""),
        ] {
            assert_eq!(warnings(&service(&lines)).len(), 1, "{lines}");
        }
        // A slash at the end makes no difference.
        for lines in [
            format!("log.to = \"/srv/log/{name}\""),
            format!("log.stderr = \"/srv/log/{name}\""),
            format!("workdir = \"/srv/{name}\""),
            format!("ready.unix = \"/run/{name}\""),
        ]
        .iter()
        .filter(|_| !name.is_empty())
        {
            assert_eq!(warnings(&service(lines)).len(), 1, "{lines}");
        }
    }
}

#[test]
fn an_added_value_cannot_choose_the_group() {
    for key in ["user", "log.to = \"/srv/log\"\nlog.user"] {
        let service = |user: &str| longrun(&format!("run = ['web']\n{key} = \"{user}\""));
        for (user, value) in [("{{ p }}", "app:shadow"), ("svc-{{ p }}", "x:0"), ("{{ p }}:web", "a:b")] {
            assert_eq!(errors(&added(&service(user), value)).len(), 1, "{user} {value}");
        }
        for (user, value) in
            [("{{ p }}", "app"), ("svc-{{ p }}", "x"), ("{{ p }}:web", "a"), ("web:{{ p }}", "a")]
        {
            assert_eq!(errors(&added(&service(user), value)), [] as [&str; 0], "{user} {value}");
        }
        // The author may allow it.
        let declared = service("{{ p }}").replace("[\"p\"]", "{ p = { pattern = '[a-z]+:[a-z]+' } }");
        assert_eq!(errors(&added(&declared, "app:web")), [] as [&str; 0]);
    }
}

#[test]
fn an_empty_value_does_not_name_the_directory_above() {
    for key in ["log.to", "log.stderr", "workdir", "ready.unix"] {
        for (text, values) in [
            ("/srv/log/{{ p }}", "p = \"\""),
            ("/srv/log/{{ p | default('') }}", ""),
            ("/srv/log/{{ p }}{{ p }}", "p = \"\""),
            ("/srv/log/{{ '' if p else 'x' }}", "p = \"1\""),
        ] {
            let manifest = format!(
                "{TARGET}[longrun.t]\nparameters = [\"p\"]\ninstances = {{ x = {{ {values} }} }}\nrun = [\"x\"]\n{key} = \"{text}\"\n"
            );
            let found = warnings(&manifest);
            let expected = format!("manifest::invalid-value: `{key}` cannot be `/srv/log/`");
            assert_eq!(found, [expected], "{manifest}");
        }
    }
    let wide = longrun("run = [\"x\"]\nlog.to = \"/srv/log/{{ p }}\"")
        .replace("[\"p\"]", "{ p = { pattern = '.*' } }");
    for (value, is_accepted) in [
        ("a", true),
        ("a/b", true),
        ("", false),
        (".", false),
        ("..", false),
        ("../../etc/x", false),
        ("a/../../x", false),
        ("/", false),
        ("-x", false),
    ] {
        assert_eq!(errors(&added(&wide, value)).is_empty(), is_accepted, "{value:?}");
    }
}

#[test]
fn instances_cannot_be_options_or_directories() {
    for name in ["", ".", "..", "-", "-x", "--help"] {
        let compilation = |text: &str| warnings(&format!("{TARGET}[longrun.t]\nrun = [\"x\"]\n{text}\n"));
        let found = compilation(&format!("instances = [\"{name}\"]"));
        assert!(found.len() == 1 && found[0].starts_with("manifest::invalid-name"), "{name:?}: {found:?}");
        let mut additions = Additions::default();
        additions.add_instance("longrun", "t", name, BTreeMap::new());
        let mut files = Files::default();
        let file = files.add("services.toml", longrun("run = [\"x\", \"{{ p | default('1') }}\"]"));
        let mut project = Project::of(files, ManifestFile::from(file));
        project.add(Path::new(".s6gen.added.toml"), &additions);
        assert_eq!(errors(&project.compile()).len(), 1, "{name:?}");
    }
}
