//! Checks what `s6gen show` says of a service.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use s6gen::diagnostic::Files;
use s6gen::jobs::{Levels, Project, show};
use s6gen::manifest::{WrittenKey, written_keys};
use s6gen::model::{Index, Layer};
use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Each service of a manifest as JSON.
fn services(manifest: &Path) -> Vec<Value> {
    let mut project = Project::load(manifest).with_levels(Levels::lenient());
    let compilation = project.compile();
    let source = project.source().unwrap();
    let index = Index::new(&compilation.services);
    let ours = index.nodes().filter(|node| index.layer(*node) == Layer::Ours);
    let shown =
        ours.filter_map(|node| show::show(&project.files, source, &index, node, &Vec::new()).unwrap());
    let files: &Files = &project.files;
    shown.map(|shown| show::json(&shown, files)["service"].clone()).collect()
}

/// The manifest of each accepted case, with what `show` says of its services. It is found once for several tests.
static SHOWN: LazyLock<Vec<(PathBuf, Vec<Value>)>> = LazyLock::new(|| {
    let cases = fs::read_dir(Path::new(ROOT).join("tests/cases/ok")).unwrap();
    let mut found: Vec<PathBuf> = cases.map(|case| case.unwrap().path().join("services.toml")).collect();
    found.sort();
    found.into_iter().map(|manifest| (manifest.clone(), services(&manifest))).collect()
});

/// The definitions that `build` writes.
fn built(manifest: &Path) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let tree = build_into(&folder.path().join("root"), manifest);
    (folder, tree)
}

fn build_into(root: &Path, manifest: &Path) -> PathBuf {
    fs::create_dir(root).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_s6gen"))
        .args(["build", "--root"])
        .arg(root)
        .arg("-m")
        .arg(manifest)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = Project::load(manifest).definitions();
    root.join(tree.trim_start_matches('/'))
}

#[test]
fn every_file_is_the_one_that_build_writes() {
    let mut compared = 0;
    for (manifest, services) in &*SHOWN {
        let (_folder, tree) = built(manifest);
        for service in services {
            let name = service["name"].as_str().unwrap();
            for file in service["files"].as_array().unwrap() {
                let path = tree.join(name).join(file["path"].as_str().unwrap());
                let content = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                let lines: Vec<&str> = file["lines"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|line| line["text"].as_str().unwrap())
                    .collect();
                let content = String::from_utf8_lossy(&content);
                assert_eq!(
                    content.lines().collect::<Vec<_>>().join("\n"),
                    lines.join("\n"),
                    "{}",
                    path.display()
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 500, "{compared}");
}

/// Whether each line of each file below `less` is also in the file of the same path below `more`.
fn has_every_line(less: &Path, more: &Path) -> bool {
    fs::read_dir(less).unwrap().all(|entry| {
        let entry = entry.unwrap();
        let (path, other) = (entry.path(), more.join(entry.file_name()));
        match path.is_dir() {
            // The manifest itself, and the list of files.
            _ if entry.file_name().as_encoded_bytes().starts_with(b".s6gen") => true,
            true => other.is_dir() && has_every_line(&path, &other),
            false => fs::read_to_string(other).is_ok_and(|other| {
                fs::read_to_string(path).unwrap().lines().all(|line| other.lines().any(|there| there == line))
            }),
        }
    })
}

/// Whoever looks for the effect of a key finds it. Only a key whose loss makes no line disappear is named nowhere.
#[test]
fn every_key_that_makes_a_line_is_named_beside_one() {
    let (mut named, mut silent) = (0, 0);
    for (manifest, services) in &*SHOWN {
        let text = fs::read_to_string(manifest).unwrap();
        let mentions: Vec<String> = services
            .iter()
            .flat_map(|service| service["files"].as_array().unwrap())
            .flat_map(|file| file["lines"].as_array().unwrap())
            .flat_map(|line| line["from"].as_array().unwrap())
            .map(|from| format!("{}.{}", from["table"].as_str().unwrap(), from["key"].as_str().unwrap()))
            .collect();
        let folder = manifest.parent().unwrap();
        let keys = written_keys(&text);
        let is_unused = |key: &&WrittenKey| &text[key.span.clone()] == "instances = []";
        let unused: Vec<Vec<String>> = keys.iter().filter(is_unused).map(|key| key.table.clone()).collect();
        for key in keys {
            let (table, name) = (key.table.join("."), key.key.join("."));
            let kind = table.split('.').next().unwrap_or_default();
            // What follows from these is in files of other definitions, or in all lines of an instance.
            let is_elsewhere = ["start", "required-by"].contains(&name.as_str())
                || key.path().nth(2).is_some_and(|key| ["instances", "parameters"].contains(&key));
            if !["longrun", "oneshot"].contains(&kind) || is_elsewhere {
                continue;
            }
            if mentions.contains(&format!("{table}.{name}")) {
                named += 1;
                continue;
            }
            // A template without instances makes no service.
            if unused.contains(&key.table) {
                continue;
            }
            let output = tempfile::tempdir().unwrap();
            let copy = output.path().join("copy");
            let done = Command::new("cp").args(["-a", "-T"]).arg(folder).arg(&copy).status().unwrap();
            assert!(done.success());
            let without = copy.join("services.toml");
            let blank = " ".repeat(key.span.len());
            fs::write(&without, format!("{}{blank}{}", &text[..key.span.start], &text[key.span.end..]))
                .unwrap();
            let with = build_into(&output.path().join("with"), manifest);
            let other = build_into(&output.path().join("without"), &without);
            assert!(has_every_line(&with, &other), "{}: {name} of [{table}] is nowhere", folder.display());
            silent += 1;
        }
    }
    assert!(named > 200 && silent > 5, "{named} are named, {silent} make no line");
}

#[test]
fn the_page_shows_what_the_program_prints() {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/how.md")).unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_s6gen")).args(["show", "dbus"]).current_dir(ROOT).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(page.contains(&format!("```text\n{printed}```")), "docs/how.md must have:\n{printed}");
}

#[test]
fn a_service_of_an_included_file_has_its_lines_there() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("services.toml"), "include = [\"web.toml\"]\n").unwrap();
    fs::write(
        at("web.toml"),
        "[longrun.web]\nrun = [\"web\"]\nrequired-by = [\"db\"]\n[longrun.db]\nrun = [\"db\"]\n[defaults.longrun]\nnice = 5\n",
    )
    .unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_s6gen")).args(["show", "db"]).current_dir(&folder).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    for line in [
        "web.toml:3 required-by  dependencies.d/web",
        "web.toml:7 nice           nice -n 5",
        "web.toml:5 run            db",
    ] {
        assert!(printed.contains(line), "{line}\n{printed}");
    }
}

/// What `show NAME` prints for a manifest.
fn shown(manifest: &str, name: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("services.toml"), manifest).unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_s6gen")).args(["show", name]).current_dir(&folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn each_line_of_a_script_names_its_own_line_and_the_values_in_it() {
    let manifest = "\
[longrun.w]
parameters = [\"n\", \"user\"]
run = \"\"\"
echo begin

exec sleep {{ n }}
\"\"\"
user = \"{{ user }}\"
files.\"data/list\" = '''
one
two'''
[longrun.w.instances]
a = { n = \"11\", user = \"a\" }
b.n = \"12\"
b.user = \"b\"
";
    let printed = shown(manifest, "w-a");
    for line in [
        "  4 run                          echo begin\n",
        "  5 run\n",
        "  6 run, 13 instances.a.n        exec sleep 11\n",
        "  10 files.data/list             one\n",
        "  11 files.data/list             two\n",
        "  8 user, 13 instances.a.user    s6-setuidgid a\n",
        "  3 run                          /bin/sh -e ./data/run w-a\n",
    ] {
        assert!(printed.contains(line), "{line}\n{printed}");
    }
    assert!(!printed.contains("parameters"), "{printed}");
    // s6gen adds `exec`.
    let printed = shown("[longrun.x]\nrun = '''\n# why\nsleep 9\n'''\n", "x");
    assert!(printed.contains("  3 run    # why\n  4 run    exec sleep 9\n"), "{printed}");
    let printed = shown(manifest, "w-b");
    for line in
        ["6 run, 14 instances.b.n        exec sleep 12\n", "8 user, 15 instances.b.user    s6-setuidgid b\n"]
    {
        assert!(printed.contains(line), "{line}\n{printed}");
    }
}

#[test]
fn a_limit_says_what_happens_after_it() {
    let longrun = |then: &str| {
        format!(
            "[longrun.x]\nrun = [\"x\"]\nready.check = [\"true\"]\ntimeout-up = \"5s\"\nready.on-timeout = \"{then}\"\n"
        )
    };
    let oneshot = |then: &str| {
        format!("[oneshot.x]\nup = [\"x\"]\ntimeout-up = \"5s\"\non-failure.then = \"{then}\"\n")
    };
    for (manifest, expected) in [
        (longrun("fail"), "is ready after at most 5 s, then the start fails"),
        (longrun("go-on"), "is ready after at most 5 s, then it counts as ready"),
        (longrun("stop-container"), "is ready after at most 5 s, then the container stops"),
        (oneshot("fail"), "takes at most 5 s, then the start fails"),
        (oneshot("ignore"), "takes at most 5 s, then it is ended and counts as done"),
        (oneshot("stop-container"), "takes at most 5 s, then the container stops"),
    ] {
        let printed = shown(&manifest, "x");
        assert!(printed.contains(&format!("  {expected}\n")), "{manifest}\n{printed}");
    }
}
