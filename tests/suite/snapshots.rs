//! Checks that the flattened snapshot of source directories equals the database that the real s6-rc-compile makes.
//!
//! `S6GEN_SNAPSHOTS` is the number of trees, `S6GEN_ORACLE_SEED` the seed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use s6gen::diagnostic::Files;
use s6gen::live::CompiledDatabase;
use s6gen::model::{File, Name, NodeKind, Settings, Snapshot, System, Target};
use s6gen::{disk, import, judge, snapshot_of};
use serde_json::Value;

use crate::case::{cases, from_base64, path, scratch};
use crate::oracle::{Random, database, fresh, number_from, remove};
use crate::require::needs;

#[test]
fn a_flattened_snapshot_is_the_compiled_database() {
    needs!("s6-rc");
    let count = number_from("S6GEN_SNAPSHOTS", 60);
    let seed = number_from("S6GEN_ORACLE_SEED", 1);
    let mut corpus = cases("cases-named.jsonl");
    corpus.extend(cases("corpus-dev.jsonl"));
    corpus.retain(|case| case.run_as.is_none() && case.modes.is_empty() && !case.sources().is_empty());
    let (mut compared, mut services) = (0, 0);
    for number in 0.. {
        if compared == count {
            break;
        }
        let mut random = Random::new(seed.wrapping_mul(1_000_003).wrapping_add(number));
        let mut case = fresh(&mut random, &corpus);
        remove(&mut case, "out");
        let root = scratch();
        if case.make(root.path()).is_err() {
            continue;
        }
        let sources: Vec<PathBuf> =
            case.sources().iter().map(|source| root.path().join(path(source))).collect();
        let open = || sources.iter().map(disk::source).collect();
        let judged = judge(&mut Files::default(), open(), Target::new(System::NEWEST_S6RC));
        if judged.problems.has_errors() {
            continue;
        }
        let compiled =
            Command::new("s6-rc-compile").arg(root.path().join("out")).args(&sources).output().unwrap();
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        let mut flat = snapshot_of(open).flattened();
        for settings in flat.services.values_mut() {
            settings.files.retain(|path, file| !is_empty_signal(path, file));
        }
        let line = || serde_json::to_string(&case).unwrap();
        assert_eq!(flat, of_database(root.path()), "{}", line());
        assert_eq!(flat, flat.flattened(), "{}", line());
        compared += 1;
        services += flat.services.len();
    }
    eprintln!("{compared} trees, seed {seed}: {services} services and bundles as in the database");
}

/// The snapshot of the database `out` below `root`, from s6-rc-db and the service directories.
fn of_database(root: &Path) -> Snapshot {
    let database = database(root);
    let mut snapshot = Snapshot::default();
    let pipelines = database["pipelines"].as_array().unwrap().iter();
    let pairs: Vec<(Name, Name)> = pipelines
        .flat_map(list)
        .map(|pair| {
            let slash = pair.iter().position(|byte| *byte == b'/').unwrap();
            (Name::new(&pair[..slash]), Name::new(&pair[slash + 1..]))
        })
        .collect();
    for (name, entry) in database["services"].as_object().unwrap() {
        let name = Name::new(bytes(name));
        if name.is_reserved() {
            continue;
        }
        let kind = if entry["type"] == "longrun" { NodeKind::Longrun } else { NodeKind::Oneshot };
        let flags = u32::from_str_radix(entry["flags"].as_str().unwrap_or("0"), 16).unwrap();
        let number = |key: &str| u32::try_from(entry[key].as_u64().unwrap_or(0)).unwrap();
        let mut settings = Settings {
            dependencies: names(&entry["deps"]),
            producer_for: pairs.iter().find(|(from, _)| *from == name).map(|(_, to)| to.clone()),
            consumer_for: pairs
                .iter()
                .filter(|(_, to)| *to == name)
                .map(|(producer, _)| producer.clone())
                .collect(),
            timeout_up: number("timeout_up"),
            timeout_down: number("timeout_down"),
            flag_essential: flags & 1 != 0,
            flag_recommended: flags & 2 != 0,
            up: list(&entry["up"]).collect::<Vec<_>>().into(),
            down: list(&entry["down"]).collect::<Vec<_>>().into(),
            ..Settings::new(kind)
        };
        if kind == NodeKind::Longrun {
            settings.files = service_directory(root, &name, settings.is_pipelined()).into();
        }
        snapshot.services.insert(name, settings);
    }
    for (name, contents) in database["bundles"].as_object().unwrap() {
        let bundle = Settings { contents: names(contents), ..Settings::new(NodeKind::Bundle) };
        snapshot.services.insert(Name::new(bytes(name)), bundle);
    }
    // `flattened` removes everything that s6-rc adds to a database.
    snapshot.flattened()
}

fn service_directory(root: &Path, name: &Name, is_pipelined: bool) -> BTreeMap<String, File> {
    let source = disk::source(root.join("out/servicedirs"));
    let mut files = import::files(vec![source]).remove(name).unwrap();
    if is_pipelined {
        for script in ["run", "finish"] {
            files.remove(script);
            if let Some(file) = files.remove(&format!("{script}.user")) {
                files.insert(script.to_owned(), file);
            }
        }
    }
    files.retain(|path, file| {
        let is_no_limit = path == "timeout-kill" && *file.content == *b"0\n";
        !is_no_limit && !is_empty_signal(path, file)
    });
    files
}

/// Whether the file is an empty signal. s6-rc-compile makes such a file from a directory, and s6-supervise ignores it.
fn is_empty_signal(path: &str, file: &File) -> bool {
    path.ends_with("-signal") && file.content.is_empty()
}

fn bytes(text: &str) -> Vec<u8> {
    match text.strip_prefix("base64:") {
        Some(encoded) => from_base64(encoded),
        None => text.as_bytes().to_vec(),
    }
}

fn list(value: &Value) -> impl Iterator<Item = Vec<u8>> {
    value.as_array().into_iter().flatten().map(|word| bytes(word.as_str().unwrap()))
}

fn names(value: &Value) -> BTreeSet<Name> {
    list(value).map(Name::new).collect()
}

/// s6-rc-compile wraps the scripts of members of pipelines, and of no other services.
#[test]
fn a_snapshot_has_the_scripts_of_a_pipeline_as_written() {
    needs!("s6-rc");
    let root = scratch();
    let source = root.path().join("source");
    let files = [
        ("web/type", "longrun\n"),
        ("web/run", "#!/bin/sh\nexec web\n"),
        ("web/finish", "#!/bin/sh\nexit 125\n"),
        ("web/producer-for", "web-log\n"),
        ("web-log/type", "longrun\n"),
        ("web-log/run", "#!/bin/sh\nexec s6-log /log\n"),
        ("web-log/finish", "#!/bin/sh\nexit 0\n"),
        ("web-log/consumer-for", "web\n"),
        ("alone/type", "longrun\n"),
        ("alone/run", "#!/bin/sh\nexec alone\n"),
        ("alone/finish", "#!/bin/sh\nexit 1\n"),
    ];
    for (path, text) in files {
        std::fs::create_dir_all(source.join(path).parent().unwrap()).unwrap();
        std::fs::write(source.join(path), text).unwrap();
    }
    let compiled = Command::new("s6-rc-compile").arg(root.path().join("out")).arg(&source).status().unwrap();
    assert!(compiled.success());
    let database = CompiledDatabase::at(&root.path().join("out"));
    for name in ["web", "web-log", "alone"] {
        let files = database.settings(&name.into()).unwrap().files;
        let names: Vec<&str> = files.paths().collect();
        assert_eq!(names, ["finish", "run"], "{name}");
        for script in names {
            let written = std::fs::read(source.join(name).join(script)).unwrap();
            assert_eq!(files.get(script).unwrap().content, written, "{script} of {name}");
        }
    }
}
