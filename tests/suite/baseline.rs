//! Tests baselines, by which a check reports only new findings, and checks of a text that is not saved yet.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs `s6gen check` in a folder.
pub fn check(folder: &Path, words: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_s6gen"));
    command.arg("check").args(words.split_whitespace()).current_dir(folder).output().unwrap()
}

/// The exit code, and what was printed.
pub fn said(output: &Output) -> (i32, String) {
    let printed = [&output.stdout[..], &output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(printed).unwrap())
}

/// Two services with the same fault, and one with another.
const OLD: &str = "[longrun.a]\nrun = ['web', '$PORT']\n[longrun.b]\nrun = ['web', '$PORT']\n[longrun.c]\nrun = 'exec su app -c web'\n";

fn with_baseline(manifest: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("services.toml"), manifest).unwrap();
    let (code, text) = said(&check(folder.path(), "--write-baseline base.json"));
    assert!(code == 0 && text.contains("base.json: 3 findings"), "{text}");
    folder
}

#[test]
fn a_baseline_hides_what_was_there_wherever_it_moves() {
    let folder = with_baseline(OLD);
    let (code, text) = said(&check(folder.path(), "--baseline base.json --strict"));
    assert_eq!((code, text.as_str()), (0, "services.toml: 4 definitions, no new problem\n"));
    let moved = format!("# A comment.\n\n[longrun.new]\nrun = ['new']\n{OLD}");
    fs::write(folder.path().join("services.toml"), moved).unwrap();
    assert_eq!(check(folder.path(), "--baseline base.json --strict").status.code(), Some(0));
}

#[test]
fn a_baseline_hides_nothing_new_and_says_what_is_gone() {
    let folder = with_baseline(OLD);
    // A third fault of the same kind, in a line like the others.
    fs::write(folder.path().join("services.toml"), format!("{OLD}[longrun.d]\nrun = ['web', '$PORT']\n"))
        .unwrap();
    let (_, text) = said(&check(folder.path(), "--baseline base.json --format concise"));
    assert_eq!(text.matches("lint::literal-variable").count(), 1, "{text}");
    // One of the old ones is mended.
    fs::write(folder.path().join("services.toml"), OLD.replacen("'$PORT'", "'80'", 1)).unwrap();
    let (code, text) = said(&check(folder.path(), "--baseline base.json"));
    assert!(code == 0 && text.contains("gone: services.toml: lint::literal-variable"), "{text}");
    assert!(text.contains("1 finding of base.json is gone; write it anew with `--write-baseline`"), "{text}");
}

#[test]
fn a_baseline_cannot_hide_what_s6_rc_refuses() {
    let folder = with_baseline(OLD);
    fs::write(folder.path().join("services.toml"), format!("{OLD}dependencies = ['b0']\n")).unwrap();
    let (code, text) = said(&check(folder.path(), "--baseline base.json"));
    assert!(code == 1 && text.contains("s6rc::unknown-service"), "{text}");
}

#[test]
fn a_baseline_holds_the_errors_of_rules_too() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("services.toml"), OLD).unwrap();
    let (_, text) = said(&check(folder.path(), "--deny all --write-baseline base.json"));
    assert!(text.contains("base.json: 3 findings"), "{text}");
    assert!(check(folder.path(), "--deny all --baseline base.json").status.success());
}

#[test]
fn a_baseline_is_written_whole_and_keeps_its_mode() {
    let folder = with_baseline(OLD);
    let path = folder.path().join("base.json");
    let first = fs::read(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    check(folder.path(), "--write-baseline base.json");
    assert_eq!(fs::read(&path).unwrap(), first);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::write(&path, "{}").unwrap();
    let (code, text) = said(&check(folder.path(), "--baseline base.json"));
    assert!(code == 1 && text.contains("`base.json` is not a baseline"), "{text}");
    let (code, text) = said(&check(folder.path(), "--baseline missing.json"));
    assert!(code == 3 && text.contains("missing.json"), "{code} {text}");
}

#[test]
fn an_editor_checks_a_text_under_the_path_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("images")).unwrap();
    fs::write(folder.path().join("images/more.toml"), "[longrun.more]\nrun = ['more']\n").unwrap();
    let mut s6gen = Command::new(env!("CARGO_BIN_EXE_s6gen"));
    s6gen.args(["check", "-m", "-", "--stdin-path", "images/services.toml", "--format", "concise"]);
    let mut s6gen =
        s6gen.current_dir(folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let text = b"include = ['more.toml']\n[longrun.a]\nrun = ['a']\ndependencies = ['more', 'nobody']\n";
    s6gen.stdin.take().unwrap().write_all(text).unwrap();
    let output = s6gen.wait_with_output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.starts_with("images/services.toml:4:25: error[s6rc::unknown-service]"), "{printed}");
    assert_eq!(printed.lines().count(), 1, "{printed}");
}

#[test]
fn a_baseline_replaces_nothing_but_a_baseline() {
    let folder = with_baseline(OLD);
    let path = |name: &str| folder.path().join(name);
    fs::write(path("other.json"), "{\"important\":\"data\"}").unwrap();
    make_fifo(&path("fifo"));
    for name in ["services.toml", "other.json", "fifo", "/dev/null"] {
        let before = fs::symlink_metadata(path(name)).unwrap();
        let (code, text) = said(&check(folder.path(), &format!("--write-baseline {name}")));
        assert!(code != 0 && text.contains("nothing was written") || code == 3, "{name}: {code} {text}");
        assert_eq!(fs::symlink_metadata(path(name)).unwrap().ino(), before.ino(), "{name}");
    }
    assert_eq!(fs::read_to_string(path("services.toml")).unwrap(), OLD);
    // With errors some rules do not run, so the baseline would lose findings.
    let first = fs::read(path("base.json")).unwrap();
    fs::write(path("services.toml"), format!("{OLD}nonsense\n")).unwrap();
    let (code, text) = said(&check(folder.path(), "--write-baseline base.json"));
    assert!(code == 1 && text.contains("base.json was not written"), "{text}");
    assert_eq!(fs::read(path("base.json")).unwrap(), first);
    assert!(!said(&check(folder.path(), "--baseline base.json")).1.contains("gone"));
}

fn make_fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_baseline_is_the_same_from_every_directory() {
    let folder = with_baseline(OLD);
    fs::create_dir(folder.path().join("below")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_s6gen"));
    command.args(["check", "../services.toml", "--baseline", "../base.json", "--strict"]);
    let output = command.current_dir(folder.path().join("below")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
