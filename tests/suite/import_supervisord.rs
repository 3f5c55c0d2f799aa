//! `s6gen import` of supervisord configurations: the manifests, the reports, and the command.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use s6gen::diagnostic::{Files, Severity};
use s6gen::jobs::{SupervisordRequest, compile_text, import_supervisord};
use s6gen::manifest::format;
use s6gen::migrate::{Migration, report_text};

use crate::case::scratch;
use crate::golden::{cases, compare};
use crate::oracle::{Random, number_from};
use crate::supervisord_samples::sample;

/// The import of a case. Its file `arguments` has options of the command.
fn imported(case: &Path) -> (Migration, Files) {
    let arguments = fs::read_to_string(case.join("arguments")).unwrap_or_default();
    let words: Vec<&str> = arguments.split_whitespace().collect();
    let request = SupervisordRequest {
        files: vec![case.join("supervisord.conf")],
        workdir: words.iter().position(|word| *word == "--workdir").map(|at| words[at + 1].to_owned()),
        priority_as_dependencies: words.contains(&"--priority=deps"),
        is_exact: words.contains(&"--exact"),
        ..SupervisordRequest::default()
    };
    import_supervisord(&request).unwrap()
}

#[test]
fn every_case_gives_its_manifest_and_report() {
    for case in cases("supervisord") {
        let (migration, files) = imported(&case);
        let folder = format!("{}/", case.display());
        let text = migration.draft.text() + "\n" + &report_text(&migration.report, &files);
        compare(&case, &text.replace(&folder, ""));
    }
}

#[test]
fn what_is_written_passes_the_check_and_is_formatted() {
    for case in cases("supervisord") {
        let text = imported(&case).0.draft.text();
        let problems = compile_text(Path::new("services.toml"), &text, &BTreeMap::new()).1.problems;
        let errors: Vec<_> = problems.iter().filter(|problem| problem.severity == Severity::Error).collect();
        assert!(errors.is_empty(), "{case:?}: {errors:#?}\n{text}");
        assert_eq!(format(&text).as_deref(), Some(text.as_str()), "{case:?}");
        assert_eq!(imported(&case).0.draft.text(), text, "{case:?}: the same again");
    }
}

#[test]
fn every_option_has_a_line_of_the_report() {
    for case in cases("supervisord") {
        let conf = fs::read_to_string(case.join("supervisord.conf")).unwrap();
        let written = conf.lines().filter(|line| line.contains('=') && !line.starts_with([';', ' '])).count();
        let (migration, files) = imported(&case);
        let lines: Vec<_> = migration.report.sections.iter().flat_map(|section| &section.lines).collect();
        // An option of `[DEFAULT]` has a line in each section that takes it.
        let mut places: Vec<_> = lines.iter().map(|line| line.origin.unwrap()).collect();
        places.sort();
        places.dedup();
        assert_eq!(places.len(), written, "{case:?}\n{}", report_text(&migration.report, &files));
        for line in lines {
            let says_something = !line.becomes.is_empty() || !line.remark.is_empty();
            assert!(says_something || line.fate.word() == "exact", "{}", line.part);
        }
    }
}

fn s6gen(folder: &Path, words: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_s6gen")).args(words).current_dir(folder).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// An image with a configuration that includes another one, and scripts that speak with supervisord.
fn image(root: &Path) -> PathBuf {
    let files = [
        (
            "etc/supervisor/supervisord.conf",
            "[supervisord]\nnodaemon=true\n[include]\nfiles = /etc/supervisor/conf.d/*.conf\n",
        ),
        (
            "etc/supervisor/conf.d/b.conf",
            "[program:b]\ncommand = b %(here)s\nuser = 33\nenvironment = HOME=\"/var/www\"\n",
        ),
        (
            "etc/supervisor/conf.d/a.conf",
            "[program:a]\ncommand = a\nuser = www-data\nenvironment = HOME=\"/var/www\"\n",
        ),
        ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:34:www-data:/var/www:/bin/sh\n"),
        (
            "usr/local/bin/entrypoint",
            "#!/bin/sh\nsupervisorctl restart a\nexec supervisord -c /etc/supervisor/supervisord.conf\n",
        ),
    ];
    for (path, text) in files {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), text).unwrap();
    }
    root.join("etc/supervisor/supervisord.conf")
}

#[test]
fn the_root_of_an_image_gives_includes_accounts_and_scripts() {
    let scratch = scratch();
    let conf = image(&scratch.path().join("root"));
    let (code, manifest, told) =
        s6gen(scratch.path(), &["import", conf.to_str().unwrap(), "--root", "root", "--workdir", "/"]);
    assert_eq!(code, 0, "{told}");
    let (a, b) = (manifest.find("[longrun.a]").unwrap(), manifest.find("[longrun.b]").unwrap());
    assert!(a < b && manifest.contains("run = [\"b\", \"/etc/supervisor/conf.d\"]"), "{manifest}");
    assert!(manifest.contains("user = \"33:34\"") && manifest.contains("user = \"www-data\""), "{manifest}");
    assert_eq!(manifest.matches("HOME").count(), 1, "{manifest}");
    assert!(
        told.contains("/usr/local/bin/entrypoint:2: `supervisorctl restart a`: now `s6gen restart a`"),
        "{told}"
    );
    assert!(told.contains("now `exec /init`"), "{told}");
}

#[test]
fn it_replaces_no_file_and_can_refuse_losses() {
    let scratch = scratch();
    fs::write(scratch.path().join("a.conf"), "[program:a]\ncommand=a\n[supervisorctl]\nserverurl=x\n")
        .unwrap();
    let words = ["import", "a.conf", "-o", "services.toml", "--report", "report.txt", "--workdir", "/"];
    let (code, out, told) = s6gen(scratch.path(), &words);
    assert_eq!((code, out.as_str()), (0, ""), "{told}");
    let report = fs::read_to_string(scratch.path().join("report.txt")).unwrap();
    assert!(report.contains("a.conf:4: serverurl = x\n      lost"), "{report}");
    assert_eq!(s6gen(scratch.path(), &["check"]).0, 0);
    let (code, _, told) = s6gen(scratch.path(), &words);
    assert!(code != 0 && told.contains("report.txt"), "{told}");
    let again = ["import", "a.conf", "-o", "new.toml", "--report", "report.txt"];
    assert_ne!(s6gen(scratch.path(), &again).0, 0);
    assert!(!scratch.path().join("new.toml").exists(), "nothing is written if a part cannot be");
    assert_ne!(s6gen(scratch.path(), &["import", "a.conf", "-o", "services.toml"]).0, 0);
    assert_eq!(s6gen(scratch.path(), &["import", "a.conf", "--no-loss"]).0, 1);
    assert_eq!(s6gen(scratch.path(), &["import", "missing.conf"]).0, 1);
}

#[test]
fn a_baked_value_is_fixed_everywhere() {
    let scratch = scratch();
    fs::write(
        scratch.path().join("a.conf"),
        "[program:a]\ncommand=a %(ENV_N)s\nnumprocs=%(ENV_N)s\nprocess_name=a-%(process_num)d\n",
    )
    .unwrap();
    let (code, manifest, _) = s6gen(scratch.path(), &["import", "a.conf", "--bake", "N=2"]);
    assert_eq!(code, 0);
    assert!(
        manifest.contains("instances = [\"0\", \"1\"]") && manifest.contains("run = [\"a\", \"2\"]"),
        "{manifest}"
    );
}

#[test]
fn damaged_files_are_reported_by_section_and_the_rest_is_imported() {
    let scratch = scratch();
    let conf = "[program:good]\ncommand=good\n[program:bad]\ncommand=bad\nstartsecs=many\n[program:also]\ncommand=%(nothing)s\n";
    fs::write(scratch.path().join("a.conf"), conf).unwrap();
    let (code, manifest, told) = s6gen(scratch.path(), &["import", "a.conf"]);
    assert_eq!(code, 0);
    assert!(manifest.contains("[longrun.good]") && !manifest.contains("bad"), "{manifest}");
    assert!(told.contains("a.conf:5: supervisord refuses this"), "{told}");
    for garbage in ["", "\0", "[", "[program:x", "\u{feff}[program:x]\ncommand=x", "x=y\n[program:x]\n"] {
        fs::write(scratch.path().join("b.conf"), garbage).unwrap();
        let (code, _, told) = s6gen(scratch.path(), &["import", "b.conf"]);
        assert!(code < 2 && !told.contains("panicked"), "{garbage:?}: {told}");
    }
}

/// The keys of a service with those of the defaults, each with its value.
fn keys(manifest: &toml::Table, kind: &str, name: &str) -> BTreeMap<String, toml::Value> {
    let mut found = BTreeMap::new();
    let defaults = manifest.get("defaults").and_then(|defaults| defaults.get(kind));
    for table in [defaults, manifest[kind].get(name)].into_iter().flatten() {
        for (key, value) in table.as_table().unwrap() {
            match value {
                toml::Value::Table(inner) if key == "log" => {
                    found.extend(inner.iter().map(|(part, value)| (format!("{key}.{part}"), value.clone())));
                }
                value => drop(found.insert(key.clone(), value.clone())),
            }
        }
    }
    found
}

#[test]
fn the_import_of_the_gateway_differs_from_the_shipped_manifest_where_the_chapter_says_so() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let imported = imported(&root.join("tests/cases/supervisord/gateway")).0.draft.text();
    let imported: toml::Table = imported.parse().unwrap();
    let shipped: toml::Table = fs::read_to_string(root.join("services.toml")).unwrap().parse().unwrap();
    let mut different = std::collections::BTreeSet::new();
    for kind in ["longrun", "oneshot", "bundle", "target"] {
        let Some(tables) = shipped[kind].as_table() else { continue };
        for name in tables.keys() {
            let is_new = imported.get(kind).and_then(|tables| tables.get(name)).is_none();
            if kind == "target" {
                different.insert("[target]".to_owned());
            } else if is_new {
                different.insert(format!("[{kind}.{name}]"));
            } else {
                let (old, new) = (keys(&imported, kind, name), keys(&shipped, kind, name));
                let names = old.keys().chain(new.keys());
                different.extend(names.filter(|key| old.get(*key) != new.get(*key)).cloned());
            }
        }
    }
    let only_imported =
        imported["longrun"].as_table().unwrap().keys().filter(|name| shipped["longrun"].get(name).is_none());
    assert_eq!(only_imported.collect::<Vec<_>>(), Vec::<&String>::new());
    let chapter = fs::read_to_string(root.join("docs/import.md")).unwrap();
    let table = chapter.split("### By hand, afterwards").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let said = rows.flat_map(|row| {
        row.split('|').nth(1).unwrap().split(',').map(|key| key.trim().trim_matches('`').to_owned())
    });
    assert_eq!(different, said.collect());
}

#[test]
fn the_chapter_shows_what_the_import_writes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let chapter = fs::read_to_string(root.join("docs/import.md")).unwrap();
    let case = root.join("tests/cases/supervisord/gateway");
    let block = |start: &str| chapter.split(start).nth(1).unwrap().split("```").next().unwrap();
    let conf = fs::read_to_string(case.join("supervisord.conf")).unwrap();
    assert!(conf.contains(block("```ini\n").trim_end()), "the configuration");
    let manifest = imported(&case).0.draft.text();
    for table in block("```toml\n").trim_end().split("\n\n") {
        assert!(manifest.contains(table), "{table}\n---\n{manifest}");
    }
    let (migration, files) = imported(&case);
    let report = report_text(&migration.report, &files).replace(&format!("{}/", case.display()), "");
    for line in block("```text\n").lines() {
        assert!(report.contains(line), "{line}\n{report}");
    }
}

#[test]
fn every_random_configuration_gives_a_manifest_that_passes_the_check() {
    let count = number_from("S6GEN_SUPERVISORD", 300);
    let mut written = 0;
    let mut wrong = Vec::new();
    for number in 0..count {
        let sample = sample(&mut Random::new(number_from("S6GEN_ORACLE_SEED", 1) * 7_919 + number));
        let folder = scratch();
        for (name, bytes) in &sample.files {
            fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        let request = SupervisordRequest {
            files: vec![folder.path().join(&sample.files[0].0)],
            workdir: Some("/srv".to_owned()),
            priority_as_dependencies: number % 3 == 0,
            ..SupervisordRequest::default()
        };
        let (migration, files) = import_supervisord(&request).unwrap();
        report_text(&migration.report, &files);
        if migration.draft.tables.is_empty() {
            continue;
        }
        written += 1;
        let text = migration.draft.text();
        let problems = compile_text(Path::new("services.toml"), &text, &BTreeMap::new()).1.problems;
        let errors: Vec<_> = problems.iter().filter(|problem| problem.severity == Severity::Error).collect();
        if !errors.is_empty() || format(&text).as_deref() != Some(text.as_str()) {
            let messages: Vec<_> = errors.iter().map(|error| (&error.message, &error.labels)).collect();
            let shown = String::from_utf8_lossy(&sample.files[0].1);
            wrong.push(format!("--- {number}: {messages:?}\n{text}\n--- from\n{shown}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {written}:\n{}", wrong.len(), wrong[..wrong.len().min(6)].join("\n"));
    assert!(count < 100 || written > count / 4, "{written} of {count}");
}
