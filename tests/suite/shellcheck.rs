//! Tests that findings of shellcheck appear at their own lines, in manifests and in trees.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::require::all;

/// What `check` prints in the format `concise`.
fn check(folder: &Path, words: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_s6gen"));
    let output =
        command.args(["check", "--format", "concise"]).args(words).current_dir(folder).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

const MANIFEST: &str = r#"[longrun.web]
run = '''
#!/bin/bash
name="ü"
	echo "$name" $1
exec web
'''
[oneshot.setup]
up = "echo \"$1\"; touch $2"
"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("services.toml"), MANIFEST).unwrap();
    folder
}

#[test]
fn a_shellcheck_finding_in_a_manifest_is_at_its_own_place() {
    if !all("a_shellcheck_finding_in_a_manifest_is_at_its_own_place", &["shellcheck"]) {
        return;
    }
    let folder = folder();
    assert_eq!(check(folder.path(), &[]), "", "only on request");
    assert_eq!(
        check(folder.path(), &["--warn", "all"]).matches("SC2086").count(),
        0,
        "`all` does not ask it"
    );
    let report = check(folder.path(), &["--shellcheck"]);
    // Behind a tab, and behind a line with a character of two bytes.
    assert!(
        report.contains("services.toml:5:15: warning[script::shellcheck]: SC2086: Double quote"),
        "{report}"
    );
    // In a string of one line, behind escapes.
    assert!(
        report.contains("services.toml:9:26: warning[script::shellcheck]: SC2086: Double quote"),
        "{report}"
    );
    assert!(report.contains("https://www.shellcheck.net/wiki/SC2086"), "{report}");
    let strict = check(folder.path(), &["--deny", "shellcheck"]);
    assert!(strict.contains("services.toml:5:15: error[script::shellcheck]"), "{strict}");
}

#[test]
fn a_manifest_can_ask_for_shellcheck_and_silence_it() {
    if !all("a_manifest_can_ask_for_shellcheck_and_silence_it", &["shellcheck"]) {
        return;
    }
    let folder = folder();
    let silenced = MANIFEST
        .replace("\techo", "# shellcheck disable=SC2086\n\techo")
        .replace("touch $2\"", "touch $2\" # s6gen: allow shellcheck: a test");
    fs::write(folder.path().join("services.toml"), format!("{silenced}[lints]\nshellcheck = 'warn'\n"))
        .unwrap();
    assert_eq!(check(folder.path(), &[]), "");
    fs::write(folder.path().join("services.toml"), format!("{MANIFEST}[lints]\nshellcheck = 'warn'\n"))
        .unwrap();
    assert!(check(folder.path(), &[]).contains("SC2086"));
    assert_eq!(check(folder.path(), &["--allow", "shellcheck"]), "");
}

#[test]
fn a_shellcheck_finding_in_a_tree_is_at_its_own_place() {
    if !all("a_shellcheck_finding_in_a_tree_is_at_its_own_place", &["shellcheck"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let service = folder.path().join("s6-rc.d/web");
    fs::create_dir_all(&service).unwrap();
    fs::write(service.join("type"), "longrun\n").unwrap();
    fs::write(service.join("run"), "#!/command/with-contenv bash\nexec web $1\n").unwrap();
    let report = check(folder.path(), &["--shellcheck", "--tree", "s6-rc.d"]);
    assert!(report.contains("s6-rc.d/web/run:2:10: warning[script::shellcheck]: SC2086"), "{report}");
    assert_eq!(report.lines().count(), 1, "nothing is said of the first line: {report}");
}

#[test]
fn a_missing_shellcheck_is_reported() {
    let folder = folder();
    let mut command = Command::new(env!("CARGO_BIN_EXE_s6gen"));
    command.args(["check", "--shellcheck"]).current_dir(folder.path()).env("PATH", "/nowhere");
    let report = String::from_utf8(command.output().unwrap().stderr).unwrap();
    assert!(report.contains("shellcheck cannot be asked: it is not installed"), "{report}");
}

#[test]
fn a_silencer_of_shellcheck_is_not_unused_where_shellcheck_is_not_asked() {
    let folder = tempfile::tempdir().unwrap();
    let manifest =
        "[lints]\nshellcheck = 'warn'\n[longrun.a]\nrun = 'exec a' # s6gen: allow shellcheck: a test\n";
    fs::write(folder.path().join("services.toml"), manifest).unwrap();
    let mut build = Command::new(env!("CARGO_BIN_EXE_s6gen"));
    build.args(["build", "--strict", "--root", "out"]).current_dir(folder.path());
    let output = build.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
