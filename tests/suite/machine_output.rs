//! Checks that every JSON answer matches `docs/json.schema.json`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use jsonschema::Validator;
use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn schema() -> Validator {
    let text = fs::read_to_string(Path::new(ROOT).join("docs/json.schema.json")).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

fn run(folder: &Path, line: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_s6gen")).args(line.split(' ')).current_dir(folder).output().unwrap()
}

fn hold(schema: &Validator, what: &str, line: &str) -> Value {
    let answer: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{what}: {error}: {line}"));
    let wrong: Vec<String> =
        schema.iter_errors(&answer).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{what}: {wrong:#?}\n{answer:#}");
    answer
}

/// Every command, once with its own fields and once without them because it fails.
const COMMANDS: &[&str] = &[
    "check --format json",
    "check --json bad.toml",
    "check --json missing.toml",
    "check --json --tree root/etc/s6-overlay/s6-rc.d",
    "check --json --tree missing",
    "check --json --overlay 3.2.3.2 --tree root/etc/s6-overlay",
    "rules --json",
    "variables --json",
    "graph --format json",
    "graph --json --down",
    "graph --json web",
    "graph --json nobody",
    "graph --json -m bad.toml",
    "show --format json web",
    "show --json nobody",
    "show --json -m bad.toml web",
    "plan --format json",
    "plan --json --why web",
    "plan --json --why nobody",
    "plan --json --max-start 1ms --max-stop 1s",
    "plan --json --tree root/etc/s6-overlay/s6-rc.d",
    "plan --json -m bad.toml",
    "import --format json supervisord.conf",
    "import --json missing.conf",
    "import --json --prove root",
    "import --json --exact root",
    "diff --format json services.toml services.toml",
    "diff --json services.toml root/etc/s6-overlay",
    "diff --json services.toml bad.toml",
    "diff --json --live /nowhere services.toml",
    "instance list --format json --root root",
    "instance list --json --root missing",
    "status --format json --live /nowhere",
    "apply --format json --live /nowhere -m services.toml",
    "apply --json --live /nowhere -m bad.toml",
];

#[test]
fn every_answer_has_the_shape_of_the_schema() {
    let schema = schema();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::copy(Path::new(ROOT).join("services.toml"), folder.join("shipped.toml")).unwrap();
    let services = "[oneshot.setup]\nup = [\"true\"]\n[bundle.all]\ncontents = [\"web\"]\n[longrun.vpn]\n\
                    instances = [\"home\"]\nrun = [\"vpn\"]\n[longrun.web]\nrun = [\"web\"]\n";
    fs::write(folder.join("services.toml"), services).unwrap();
    fs::write(folder.join("bad.toml"), "[longrun.web]\nrun = 3\n").unwrap();
    let case = Path::new(ROOT).join("tests/cases/supervisord/commands/supervisord.conf");
    fs::copy(case, folder.join("supervisord.conf")).unwrap();
    let built = run(folder, "build --root root");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    for line in ["instance add --root root vpn work", "instance add --root root --name echo -- nc -lk 7"] {
        let added = run(folder, line);
        assert!(added.status.success(), "{line}: {}", String::from_utf8_lossy(&added.stderr));
    }
    for line in COMMANDS.iter().chain(&[
        "check --json shipped.toml",
        "graph --json -m shipped.toml",
        "plan --json shipped.toml",
    ]) {
        let output = run(folder, line);
        let answer = hold(&schema, line, &String::from_utf8(output.stdout).unwrap());
        let name = answer["command"].as_str().unwrap();
        assert!(line.starts_with(name), "{line}: {name}");
    }
}

#[test]
fn every_comparison_has_the_shape_of_the_schema() {
    let schema = schema();
    for case in fs::read_dir(Path::new(ROOT).join("tests/cases/diff")).unwrap() {
        let case = case.unwrap().path();
        let is_manifest = case.join("old.toml").exists();
        let line = if is_manifest { "diff --json old.toml new.toml" } else { "diff --json old new" };
        let output = run(&case, line);
        hold(&schema, &case.display().to_string(), &String::from_utf8(output.stdout).unwrap());
    }
}

/// Uses the recorded answers on a running system. `live_cases` checks that the commands still give these answers.
#[test]
fn every_recorded_answer_of_a_running_system_has_the_shape_of_the_schema() {
    let schema = schema();
    let mut commands = Vec::new();
    for case in fs::read_dir(Path::new(ROOT).join("tests/cases/live")).unwrap() {
        let path = case.unwrap().path().join("expected.snap");
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines().filter_map(|line| line.strip_prefix("out| {")) {
            let answer = hold(&schema, &path.display().to_string(), &format!("{{{line}"));
            commands.push(answer["command"].as_str().unwrap().to_owned());
        }
    }
    assert!(["apply", "status"].iter().all(|name| commands.iter().any(|command| command == name)));
}

#[test]
fn a_command_that_is_not_utf_8_loses_nothing() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let schema = schema();
    let folder = tempfile::tempdir().unwrap();
    for (tree, word) in [("old", &b"\xff"[..]), ("new", b"\xfe")] {
        for name in [&b"a"[..], b"\xffb", b"base64:c"] {
            let definition = folder.path().join(tree).join(OsStr::from_bytes(name));
            fs::create_dir_all(&definition).unwrap();
            fs::write(definition.join("type"), "oneshot\n").unwrap();
            fs::write(definition.join("up"), [b"echo ", word, b"\n"].concat()).unwrap();
        }
    }
    let output = run(folder.path(), "diff --json old new");
    let answer = hold(&schema, "diff", &String::from_utf8(output.stdout).unwrap());
    let services = answer["services"].as_array().unwrap();
    let names: Vec<&str> = services.iter().map(|service| service["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a", "base64:YmFzZTY0OmM=", "base64:/2I="]);
    let setting = &services[0]["settings"][0];
    assert_eq!((&setting["old"][1], &setting["new"][1]), (&"base64:/w==".into(), &"base64:/g==".into()));
}
