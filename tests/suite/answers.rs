//! Checks that a command with `--json` always answers in JSON, even if it fails.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn run(folder: &Path, words: &[&OsStr], stdout: Stdio) -> Output {
    Command::new(env!("CARGO_BIN_EXE_s6gen"))
        .args(words)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap()
}

fn words(line: &str) -> Vec<&OsStr> {
    line.split(' ').map(OsStr::new).collect()
}

/// Every command that prints JSON, in situations in which it fails: a wrong manifest, name or directory, or no running system.
const COMMANDS: &[&str] = &[
    "check --format json",
    "check --format json -m missing.toml",
    "check --format json --tree missing",
    "graph --format json",
    "graph --format json -m good.toml nobody",
    "graph --format json --tree missing",
    "diff --json services.toml good.toml",
    "diff --format json good.toml services.toml",
    "diff --json missing good.toml",
    "diff --json --live /nowhere good.toml",
    "instance list --json --root missing",
    "instance list --json --root bad --tree /sv",
    "status --json --live /nowhere",
    "status --json --live /nowhere nobody",
    "apply --json --live /nowhere -m services.toml",
    "apply --json --live /nowhere -m good.toml",
    "apply --json --dry-run --live /nowhere -m missing.toml",
    "variables --json --wrong",
    "rules --json --wrong",
    "--color=never show --json --wrong",
    "--color never plan --format=json --wrong",
];

#[test]
fn a_command_with_json_always_answers_in_json() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("services.toml"), "[longrun.web]\nrun = 3\n").unwrap();
    fs::write(folder.join("good.toml"), "[longrun.web]\nrun = [\"web\"]\n").unwrap();
    fs::create_dir_all(folder.join("bad/sv")).unwrap();
    fs::write(folder.join("bad/sv/.s6gen.added.toml"), "nonsense").unwrap();
    for line in COMMANDS {
        let output = run(folder, &words(line), Stdio::piped());
        assert!(!output.status.success(), "{line}");
        let text = String::from_utf8(output.stdout).unwrap();
        let messages = String::from_utf8_lossy(&output.stderr).into_owned();
        let answer: Value =
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{line}: {text:?} {messages}"));
        assert_eq!(text.lines().count(), 1, "{line}");
        assert_eq!(answer["version"], 1, "{line}: {text}");
        let is_told = ["problems", "messages"]
            .iter()
            .any(|key| answer[key].as_array().is_some_and(|list| !list.is_empty()));
        assert!(is_told, "{line}: {text}");
    }
}

#[test]
fn a_path_that_is_not_utf_8_is_whole_in_json() {
    let folder = tempfile::tempdir().unwrap();
    let name = OsStr::from_bytes(b"\xff.toml");
    fs::write(folder.path().join(name), "[longrun.web]\nrun = 3\n").unwrap();
    let line = [&words("check --format json -m")[..], &[name]].concat();
    let answer: Value = serde_json::from_slice(&run(folder.path(), &line, Stdio::piped()).stdout).unwrap();
    assert_eq!(answer["problems"][0]["labels"][0]["file"], "base64:/y50b21s");
}

#[test]
fn help_that_cannot_be_written_is_a_failure() {
    for line in ["--help", "build --help", "--version", "init -"] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let output = run(Path::new("/"), &words(line), full.into());
        assert_eq!(output.status.code(), Some(3), "{line}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write"), "{line}");
    }
}

#[test]
fn a_first_manifest_goes_to_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &words("init -"), Stdio::piped());
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("[longrun."));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn unreadable_additions_have_the_same_exit_code_in_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("services.toml"), "[target]\ntree = \"/sv\"\n[longrun.web]\nrun = [\"web\"]\n")
        .unwrap();
    assert!(run(folder, &words("build --root ."), Stdio::piped()).status.success());
    for is_text in [true, false] {
        let added = folder.join("sv/.s6gen.added.toml");
        match is_text {
            true => fs::write(&added, "nonsense").unwrap(),
            false => {
                fs::remove_file(&added).unwrap();
                fs::create_dir(&added).unwrap();
            }
        }
        let commands = [
            "build --root .",
            "build --check --root .",
            "instance list --root . --tree /sv",
            "instance remove --root . --tree /sv web-1",
        ];
        for line in commands {
            let output = run(folder, &words(line), Stdio::piped());
            assert_eq!(output.status.code(), Some(3), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
}
