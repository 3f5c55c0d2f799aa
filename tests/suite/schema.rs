//! `s6gen schema`: it refuses unknown keys and wrong types exactly where s6gen does, and nothing that s6gen accepts.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use jsonschema::Validator;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use s6gen::diagnostic::{Code, Diagnostic, Files, Problems, Severity};
use s6gen::manifest::{Key, REFERENCE, Shape, format, parse};
use s6gen::report::{Style, human};
use s6gen::{compile, jobs, render};
use serde_json::{Value, json};

use crate::case::scratch;
use crate::fmt::manifests_below;
use crate::manifests::manifest;
use crate::properties::{holds, nearly};
use crate::require::needs;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&jobs::schema()).unwrap());
static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| jsonschema::validator_for(&SCHEMA).unwrap());

/// The values of a manifest. `None` if it is not TOML.
fn values(text: &str) -> Option<Value> {
    fn value(toml: toml::Value) -> Value {
        match toml {
            toml::Value::String(text) => text.into(),
            toml::Value::Integer(number) => number.into(),
            toml::Value::Float(number) => number.into(),
            toml::Value::Boolean(flag) => flag.into(),
            // JSON has no dates; no key takes one.
            toml::Value::Datetime(_) => Value::Null,
            toml::Value::Array(items) => items.into_iter().map(value).collect(),
            toml::Value::Table(table) => {
                table.into_iter().map(|(name, inner)| (name, value(inner))).collect()
            }
        }
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.parse::<toml::Table>().ok().map(|table| value(toml::Value::Table(table)))
}

/// What s6gen says about a manifest.
struct Judgement {
    /// It has an unknown key, or a value of the wrong type.
    is_misshapen: bool,
    is_accepted: bool,
    reports: String,
}

fn judge(text: &str) -> Judgement {
    let mut files = Files::default();
    let file = files.add("services.toml", text);
    let mut problems = Problems::default();
    parse(&files, file, &mut problems);
    // The names of keys in `without` are texts for a schema.
    let is_shape =
        |problem: &Diagnostic| problem.labels.iter().all(|label| label.text != "this is not a key");
    let is_misshapen = problems
        .iter()
        .any(|problem| [Code::UnknownKey, Code::WrongType].contains(&problem.code) && is_shape(problem));
    let compilation = compile(&files, file);
    let reports = compilation.problems.iter().map(|problem| human(problem, &files, Style::Plain)).collect();
    Judgement { is_misshapen, is_accepted: !compilation.problems.has_errors(), reports }
}

/// What the schema has against a manifest.
fn refusals(text: &str) -> Option<Vec<String>> {
    let values = values(text)?;
    Some(VALIDATOR.iter_errors(&values).map(|error| format!("{}: {error}", error.instance_path())).collect())
}

/// How s6gen and the schema disagree about a manifest, if they do.
fn disagreement(text: &str) -> Option<String> {
    let (judgement, refusals) = (judge(text), refusals(text)?);
    let what = match (judgement.is_accepted, judgement.is_misshapen, refusals.is_empty()) {
        (true, _, false) => "s6gen accepts it, the schema refuses it",
        (_, true, true) => "the schema accepts it, s6gen has",
        _ => return None,
    };
    Some(format!("{what}:\n{text}\n{refusals:#?}\n{}", judgement.reports))
}

/// Every manifest of the repository: those of the cases, the shipped one, the starter, and the blocks of the documents.
fn every_manifest() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = vec![root.join("services.toml"), root.join("templates/services.toml")];
    manifests_below(&root.join("tests/cases"), &mut paths);
    let mut texts: Vec<(String, String)> = paths
        .iter()
        .filter_map(|path| Some((path.display().to_string(), fs::read_to_string(path).ok()?)))
        .collect();
    let mut documents: Vec<PathBuf> =
        fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    documents.push(root.join("README.md"));
    for path in documents.iter().filter(|path| path.extension().is_some_and(|extension| extension == "md")) {
        let text = fs::read_to_string(path).unwrap();
        for (number, block) in text.split("\n```toml\n").skip(1).enumerate() {
            let block = block.split("\n```").next().unwrap();
            texts.push((format!("{} block {number}", path.display()), format!("{block}\n")));
        }
    }
    texts
}

#[test]
fn the_schema_and_s6gen_agree_about_every_manifest_of_the_repository() {
    let manifests = every_manifest();
    let (mut accepted, mut misshapen) = (0, 0);
    for (name, text) in &manifests {
        assert_eq!(disagreement(text), None, "{name}");
        let judgement = judge(text);
        accepted += usize::from(judgement.is_accepted);
        misshapen += usize::from(judgement.is_misshapen && values(text).is_some());
    }
    assert!(accepted > 150 && misshapen > 10, "{accepted} accepted, {misshapen} misshapen");
}

#[test]
fn the_schema_refuses_no_random_manifest_that_s6gen_accepts() {
    holds(
        300,
        prop_oneof![3 => manifest().prop_map(|manifest| manifest.to_string()), 1 => nearly()],
        |text| {
            prop_assert_eq!(disagreement(&text), None);
            Ok(())
        },
    );
}

/// Values of every type. No whole number is among the fractions: JSON Schema takes `1.0` for a whole number.
const ANY: &[&str] = &[
    "1",
    "-1",
    "1.5",
    "true",
    "\"text\"",
    "\"detect\"",
    "\"{{ name }}\"",
    "\">= 5\"",
    "\">= x\"",
    "\"${N}\"",
    "[]",
    "[1, 2]",
    "[\"a\"]",
    "[1, \"a\"]",
    "[[\"a\"]]",
    "{}",
    "[{}]",
    "{ a = \"b\" }",
    "{ a = 1 }",
    "{ file = \"a.sh\" }",
    "{ file = 1 }",
    "{ file = \"a.sh\", x = \"y\" }",
    "{ a = {} }",
    "{ a = { pattern = \"x\" } }",
    "{ a = { default = \"x\" } }",
    "{ a = { default = 1 } }",
    "{ then = \"restart\" }",
    "[{ then = \"restart\" }, 1]",
];

#[test]
fn a_value_of_another_type_is_refused_where_s6gen_refuses_it() {
    let change = (any::<Index>(), select(ANY), any::<bool>());
    let misshapen = std::cell::Cell::new(0);
    holds(300, (manifest(), change), |(mut manifest, (place, value, renames))| {
        let keys: Vec<(usize, usize)> = manifest
            .tables
            .iter()
            .enumerate()
            .flat_map(|(table, (_, entries))| (0..entries.len()).map(move |entry| (table, entry)))
            .collect();
        if keys.is_empty() {
            return Ok(());
        }
        let (table, entry) = keys[place.index(keys.len())];
        let entry = &mut manifest.tables[table].1[entry];
        match renames {
            true => entry.0 += "x",
            false => entry.1 = value.to_owned(),
        }
        let text = manifest.to_string();
        misshapen.set(misshapen.get() + usize::from(judge(&text).is_misshapen));
        prop_assert_eq!(disagreement(&text), None);
        Ok(())
    });
    assert!(misshapen.get() > 100, "only {} were misshapen", misshapen.get());
}

/// Every table with its heading, its key in a service and its keys.
fn tables() -> impl Iterator<Item = (&'static str, &'static str, Vec<Key>)> {
    REFERENCE.iter().map(|(heading, _, keys)| {
        let name = if *heading == "[target]" { "target" } else { heading };
        (*heading, if name.starts_with('[') { "" } else { name }, keys())
    })
}

/// A manifest that has the key of a table, and is accepted if the value is right.
fn with_key(table: &str, key: &str, value: &str) -> Vec<String> {
    let longrun = "[longrun.a]\nrun = [\"a\"]\n";
    let oneshot = "[oneshot.a]\nup = [\"a\"]\n";
    let bundle = "[longrun.b]\nrun = [\"b\"]\n[bundle.a]\ncontents = [\"b\"]\n";
    match table {
        "[target]" => vec![
            format!("{longrun}[target]\n{key} = {value}\n"),
            format!("{longrun}[target]\ns6-rc = \"0.7.0.0\"\n{key} = {value}\n"),
        ],
        "[longrun.NAME]" => vec![
            format!("{longrun}{key} = {value}\n"),
            format!("{longrun}on-exit.codes = [1]\n{key} = {value}\n"),
        ],
        "[oneshot.NAME]" => vec![format!("{oneshot}{key} = {value}\n")],
        "[bundle.NAME]" => vec![format!("{bundle}{key} = {value}\n")],
        "ready" | "alive" => vec![
            format!("{longrun}{table}.tcp = \"db:1\"\n{table}.{key} = {value}\n"),
            format!("{longrun}{table}.{key} = {value}\n"),
        ],
        "on-exit" => vec![
            format!("{longrun}on-exit.codes = [1]\non-exit.{key} = {value}\n"),
            format!("{longrun}on-exit.deaths = 3\non-exit.within = \"1m\"\non-exit.{key} = {value}\n"),
            format!("{longrun}on-exit.deaths = 3\non-exit.{key} = {value}\n"),
            format!("{longrun}on-exit = [{{ codes = [2], {key} = {value} }}, {{ then = \"give-up\" }}]\n"),
        ],
        "on-failure" => vec![
            format!("{oneshot}on-failure.tries = 3\non-failure.{key} = {value}\n"),
            format!("{oneshot}on-failure.then = \"ignore\"\non-failure.{key} = {value}\n"),
        ],
        "wait-for" => vec![
            format!("{oneshot}wait-for.tcp = \"db:1\"\nwait-for.{key} = {value}\n"),
            format!("{oneshot}wait-for.{key} = {value}\n"),
        ],
        "log" => vec![
            format!("{longrun}log.to = \"/var/log/a\"\nlog.{key} = {value}\n"),
            format!("{longrun}log.{key} = {value}\n"),
        ],
        "limits" => vec![format!("{longrun}limits.{key} = {value}\n")],
        _ => panic!("{table}"),
    }
}

#[test]
fn the_words_of_a_key_are_those_that_s6gen_lists() {
    let mut count = 0;
    for (heading, table, keys) in tables() {
        for key in keys {
            let words = key.words(table);
            // The report on a word that is not known lists all words, if the key takes only words.
            let reports: Vec<String> =
                with_key(heading, key.name, "\"no-word\"").iter().map(|text| judge(text).reports).collect();
            let lists =
                reports.iter().find_map(|report| report.split_once("the words are ").map(|(_, list)| list));
            if let Some(list) = lists {
                let listed: BTreeSet<&str> =
                    list.lines().next().unwrap().split('`').skip(1).step_by(2).collect();
                assert_eq!(listed, words.iter().copied().collect(), "{heading} {}", key.name);
                count += 1;
            }
            for word in words {
                let value = format!("\"{word}\"");
                let texts = with_key(heading, key.name, &value);
                assert!(texts.iter().any(|text| judge(text).is_accepted), "{heading} {}: {value}", key.name);
            }
            assert!(words.is_empty() || matches!(key.shape, Shape::Text | Shape::LogPlace), "{}", key.name);
        }
    }
    assert_eq!(count, 8, "every key of words but the places of logs, which also take paths");
}

/// The schema of each key, by table.
fn properties() -> Vec<(&'static str, &'static str, Value)> {
    let mut found = Vec::new();
    for (heading, table, keys) in tables() {
        for key in keys {
            let service = match heading {
                "[oneshot.NAME]" | "on-failure" | "wait-for" => "oneshot",
                "[bundle.NAME]" => "bundle",
                _ => "longrun",
            };
            let mut place = &SCHEMA["definitions"][service]["properties"];
            if heading == "[target]" {
                place = &SCHEMA["properties"]["target"]["properties"];
            } else if !table.is_empty() {
                let one = &place[table];
                place =
                    if one["anyOf"].is_array() { &one["anyOf"][0]["properties"] } else { &one["properties"] };
            }
            found.push((heading, key.name, place[key.name].clone()));
        }
    }
    found
}

#[test]
fn every_key_has_its_meaning_and_examples_that_it_takes() {
    for (heading, key, schema) in properties() {
        let place = format!("{heading} {key}");
        assert!(schema["description"].as_str().is_some_and(|text| text.len() > 10), "{place}: {schema:#}");
        let validator = jsonschema::validator_for(&schema).unwrap();
        let examples = schema["examples"].as_array().into_iter().flatten();
        for value in examples.chain(schema.get("default")) {
            assert!(validator.is_valid(value), "{place}: {value}");
            let text = toml::Value::try_from(value).unwrap().to_string();
            let texts = with_key(heading, key, &text);
            assert!(texts.iter().all(|text| !judge(text).is_misshapen), "{place}: {value}");
        }
        assert!(!validator.is_valid(&json!({ "no-key": { "no-key": 1 } })), "{place} takes anything");
    }
}

/// Keys whose default is no value that one could write: it is another behaviour, or depends on something.
const WITHOUT_DEFAULT: &[&str] = &[
    "[target] s6-overlay",
    "[longrun.NAME] user",
    "[longrun.NAME] workdir",
    "[longrun.NAME] log",
    "[longrun.NAME] ready",
    "[longrun.NAME] alive",
    "[longrun.NAME] on-exit",
    "[longrun.NAME] restart-delay",
    "[longrun.NAME] variables",
    "[longrun.NAME] without",
    "[oneshot.NAME] up",
    "[oneshot.NAME] user",
    "[oneshot.NAME] workdir",
    "[oneshot.NAME] log",
    "[oneshot.NAME] on-failure",
    "[oneshot.NAME] wait-for",
    "[oneshot.NAME] variables",
    "[oneshot.NAME] without",
    "ready tries",
    "log file",
    "log prefix",
];

/// The defaults of the system and of s6 itself. A manifest that repeats one gets a file with it.
const OF_S6: &[&str] = &[
    "[longrun.NAME] nice = 0",
    "[longrun.NAME] down-signal = \"TERM\"",
    "[longrun.NAME] timeout-finish = \"5s\"",
    "[longrun.NAME] reload-signal = \"HUP\"",
    "[longrun.NAME] max-death-tally = 100",
    "[oneshot.NAME] nice = 0",
];

#[test]
fn a_default_that_is_written_changes_nothing() {
    let tree = |text: &str| {
        let mut files = Files::default();
        let file = files.add("services.toml", text);
        let compilation = compile(&files, file);
        let is_clean = compilation.problems.iter().all(|problem| problem.severity < Severity::Warning);
        is_clean.then(|| render::tree(&compilation.services).unwrap().to_string())
    };
    let (mut count, mut wrong) = (0, Vec::new());
    for (heading, key, schema) in properties() {
        let place = format!("{heading} {key}");
        let names_default = schema["description"].as_str().unwrap().to_lowercase().contains("default");
        let Some(default) = schema.get("default") else {
            assert!(!names_default || WITHOUT_DEFAULT.contains(&&*place), "{place} has a default");
            continue;
        };
        let value = toml::Value::try_from(default).unwrap().to_string();
        let mut equal = with_key(heading, key, &value).into_iter().filter(|text| {
            let without = text.trim_end().rsplit_once('\n').unwrap().0;
            tree(text).is_some_and(|with| Some(with) == tree(without))
        });
        if equal.next().is_none() {
            wrong.push(format!("{place} = {value}"));
        }
        count += 1;
    }
    assert_eq!(wrong, OF_S6, "these are written into a file although nobody needs it");
    assert!(count > 30, "{count}");
}

/// Texts that are a duration, a size, a signal or a mask, or nearly one.
const NEARLY_A_FORM: &[&str] = &[
    "",
    "0",
    "1",
    "022",
    "22",
    "0022",
    "0777",
    "1777",
    "00000000000022",
    "8",
    "-22",
    "+22",
    "${X}",
    "s",
    "1s",
    "500ms",
    "1h30m",
    "2d",
    "1s1s",
    "01s",
    "0s",
    "0s1ms",
    "1ms0s",
    "00h",
    "1S",
    "1.5s",
    "1 s",
    " 1s",
    "1s ",
    "-1s",
    "+1s",
    "1s\\n",
    "1w",
    "1min",
    "1sm",
    "never",
    "Never",
    "never1s",
    "1s..2s",
    "1s .. 2s",
    " 1s..2s ",
    "1s..",
    "..2s",
    "..",
    "1s..2s..3s",
    "never..1s",
    "0s..1s",
    "4096",
    "4096B",
    "8K",
    "8KB",
    "5MB",
    "5M",
    "8kb",
    "8 KB",
    "8KiB",
    "5MBB",
    "KB",
    "0x1000",
    "TERM",
    "SIGTERM",
    "15",
    "SIG15",
    "term",
    "SIG",
    "RTMIN",
    "9",
    "9 ",
    "31",
    "SIGSIGTERM",
    "http://a/",
    "https://a/",
    "a:1",
    "http://",
];

/// Whether the schema and s6gen judge a text of this key in the same way, apart from what no pattern can say.
fn agree(heading: &str, key: &str, validator: &Validator, text: &str) -> Result<bool, String> {
    let texts = with_key(heading, key, &format!("\"{text}\""));
    let judgements: Vec<Judgement> = texts.iter().map(|text| judge(text)).collect();
    let value = text.replace("\\n", "\n");
    let matches = validator.is_valid(&json!(value));
    let is_read = judgements.iter().any(|judgement| judgement.is_accepted);
    // Its form is right.
    let is_other = [
        "out of range",
        "is too long",
        "is not longer than the first",
        "a host and a port",
        "no variable",
        "container",
    ];
    let has_form = judgements.iter().any(|one| is_other.iter().any(|other| one.reports.contains(other)));
    match matches == is_read || (matches && has_form) {
        true => Ok(is_read),
        false => {
            let reports: String = judgements.into_iter().map(|judgement| judgement.reports).collect();
            Err(format!("{heading} {key} = {text:?}: the schema says {matches}, s6gen {is_read}:\n{reports}"))
        }
    }
}

/// The keys whose texts have a pattern.
fn keys_with_pattern() -> Vec<(&'static str, &'static str, Validator)> {
    let patterns = properties().into_iter().filter(|(.., schema)| schema["pattern"].is_string());
    patterns
        .map(|(heading, key, schema)| (heading, key, jsonschema::validator_for(&schema).unwrap()))
        .collect()
}

#[test]
fn a_pattern_accepts_exactly_what_s6gen_reads() {
    let keys = keys_with_pattern();
    assert!(keys.len() > 20, "{}", keys.len());
    let (mut wrong, mut read) = (Vec::new(), 0);
    for (heading, key, validator) in &keys {
        for text in NEARLY_A_FORM {
            match agree(heading, key, validator, text) {
                Ok(is_read) => read += usize::from(is_read),
                Err(why) => wrong.push(why),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(read > 150, "{read}");
}

#[test]
fn a_pattern_and_s6gen_agree_about_random_texts() {
    const PARTS: &[&str] = &[
        "0", "1", "7", "9", "022", "30", "ms", "s", "m", "h", "d", "S", " ", "..", "never", "K", "KB", "MB",
        "B", "SIG", "TERM", "15", "-",
    ];
    let keys = keys_with_pattern();
    let texts = proptest::collection::vec(select(PARTS), 0..7);
    holds(400, (any::<Index>(), texts), |(key, parts)| {
        let (heading, key, validator) = &keys[key.index(keys.len())];
        prop_assert_eq!(agree(heading, key, validator, &parts.concat()).err(), None);
        Ok(())
    });
}

fn run(folder: &Path, program: &str, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).current_dir(folder).output().unwrap()
}

#[test]
fn init_writes_the_schema_and_fmt_keeps_its_line_first() {
    let s6gen = env!("CARGO_BIN_EXE_s6gen");
    let folder = scratch();
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(run(folder.path(), s6gen, &["init", "--schema"]).status.success());
    assert!(read("services.toml").starts_with("#:schema ./services.schema.json\n"));
    assert_eq!(read("services.schema.json"), jobs::schema());
    assert_eq!(run(folder.path(), s6gen, &["schema"]).stdout, jobs::schema().as_bytes());
    assert!(run(folder.path(), s6gen, &["fmt", "--check"]).status.success());
    assert!(run(folder.path(), s6gen, &["check", "--strict"]).status.success());
    // The line has an address, and the remedy a name.
    let output = run(folder.path(), s6gen, &["init", "--schema", "my 100%.toml"]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("`s6gen graph -m my 100%.toml`"));
    assert!(read("my 100%.toml").starts_with("#:schema ./my%20100%25.schema.json\n"));
    // Neither of the two is ever replaced, and neither is written alone.
    for (there, missing) in [("a.toml", "a.schema.json"), ("b.schema.json", "b.toml")] {
        fs::write(folder.path().join(there), "mine").unwrap();
        let name = there.split('.').next().unwrap().to_owned() + ".toml";
        let output = run(folder.path(), s6gen, &["init", "--schema", &name]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert_eq!(read(there), "mine");
        assert!(!folder.path().join(missing).exists());
    }
    assert_eq!(run(folder.path(), s6gen, &["init", "--schema", "-"]).status.code(), Some(2));
}

#[test]
fn fmt_keeps_the_line_of_the_schema_first_in_any_manifest() {
    holds(
        60,
        (manifest(), select(&["", "\n", "# a comment\n", "\n# a comment\n\n"][..])),
        |(manifest, between)| {
            let text = format!("#:schema ./services.schema.json\n{between}{manifest}");
            let formatted = format(&text);
            prop_assert!(
                formatted.is_none_or(|text| text.starts_with("#:schema ./services.schema.json\n")),
                "{}",
                text
            );
            Ok(())
        },
    );
}

#[test]
fn taplo_says_the_same_as_the_schema() {
    needs!("taplo");
    let folder = scratch();
    fs::write(folder.path().join("services.schema.json"), jobs::schema()).unwrap();
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for (number, (_, text)) in every_manifest().iter().enumerate() {
        // taplo takes a byte order mark for an error, and an empty file for none.
        let Some(refusals) = refusals(text).filter(|_| !text.starts_with('\u{feff}')) else { continue };
        let name = format!("{number}.toml");
        fs::write(folder.path().join(&name), format!("#:schema ./services.schema.json\n{text}")).unwrap();
        if refusals.is_empty() { good.push(name) } else { bad.push(name) }
    }
    for (number, text) in NEARLY_A_FORM.iter().enumerate() {
        for key in ["timeout-kill", "umask", "restart-delay", "down-signal", "log.size"] {
            let text = format!("[longrun.a]\nrun = [\"a\"]\n{key} = \"{text}\"\n");
            let is_right = refusals(&text).unwrap().is_empty();
            let name = format!("{key}-{number}.toml");
            fs::write(folder.path().join(&name), format!("#:schema ./services.schema.json\n{text}")).unwrap();
            if is_right { good.push(name) } else { bad.push(name) }
        }
    }
    let lint = |names: &[String]| {
        let names: Vec<&str> = ["lint"].into_iter().chain(names.iter().map(String::as_str)).collect();
        run(folder.path(), "taplo", &names)
    };
    let output = lint(&good);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = lint(&bad);
    let report = String::from_utf8_lossy(&output.stderr);
    for name in &bad {
        assert!(report.contains(&format!("/{name}:")), "taplo accepts {name}:\n{report}");
    }
    assert!(good.len() > 150 && bad.len() > 10, "{} good, {} bad", good.len(), bad.len());
}

#[test]
fn taplo_finds_the_schema_by_its_configuration() {
    needs!("taplo");
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/editors.md")).unwrap();
    let block = page.split("\n```text\n").nth(1).and_then(|rest| rest.split("\n```").next()).unwrap();
    let folder = scratch();
    fs::write(folder.path().join(".taplo.toml"), block).unwrap();
    fs::write(folder.path().join("services.schema.json"), jobs::schema()).unwrap();
    for (text, is_right) in [("run", true), ("comand", false)] {
        fs::write(folder.path().join("services.toml"), format!("[longrun.web]\n{text} = [\"web\"]\n"))
            .unwrap();
        let output = run(folder.path(), "taplo", &["lint"]);
        assert_eq!(output.status.success(), is_right, "{}", String::from_utf8_lossy(&output.stderr));
    }
}
