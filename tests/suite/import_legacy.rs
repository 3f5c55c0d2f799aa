//! The import of the directories of s6-overlay 2: what its commands do.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use s6gen::jobs::TreeToImport;
use s6gen::manifest::draft::DraftValue;

use crate::case::scratch;
use crate::supervise::write_program;

/// Writes down its arguments but the first one, without the directory of the test, one in a line: `chmod 0644` and what gets it.
const RECORD: &str =
    "#!/bin/sh\nwhat=\"${0##*/} $1\"\nshift\nfor path; do echo \"$what ${path#\"$TOP\"/}\"; done\n";

/// The text of the script that a list of `fix-attrs.d` becomes.
fn script_of(root: &Path, list: &str) -> String {
    fs::create_dir_all(root.join("image/etc/fix-attrs.d")).unwrap();
    fs::write(root.join("image/etc/fix-attrs.d/01-list"), list).unwrap();
    let migration = TreeToImport::new(root.join("image")).read().migration();
    let table =
        &migration.draft.tables.iter().find(|table| table.path == ["oneshot", "fix-attributes"]).unwrap();
    let file = migration.files.values().next();
    match table.entries.iter().find(|entry| entry.key == ["up"]).map(|entry| &entry.value) {
        Some(DraftValue::Text(text)) => text.clone(),
        _ => String::from_utf8(file.unwrap().content.to_vec()).unwrap(),
    }
}

/// The expected lines are what the program of version 2.2.0.3 changed in the same directory.
#[test]
fn attributes_are_given_to_the_files_to_which_version_two_gave_them() {
    let root = scratch();
    let top = root.path().join("top");
    for directory in ["data/sub/.hidden", "real", "outside", "g1", "single"] {
        fs::create_dir_all(top.join(directory)).unwrap();
    }
    for file in [
        "data/file",
        "data/.env",
        "data/sub/.hidden/x",
        "data/two words",
        "real/x",
        "outside/y",
        "g1/a",
        "single/a",
    ] {
        fs::write(top.join(file), "").unwrap();
    }
    assert!(Command::new("mkfifo").arg(top.join("data/fifo")).status().unwrap().success());
    symlink("../outside", top.join("data/link")).unwrap();
    symlink("gone", top.join("data/dangling")).unwrap();
    symlink("real", top.join("linked")).unwrap();
    for name in ["chown", "chmod"] {
        fs::create_dir_all(root.path().join("bin")).unwrap();
        write_program(&root.path().join("bin").join(name), RECORD);
    }
    let top_text = top.display();
    let list = format!(
        "{top_text}/data true root 0644 0755\n{top_text}/linked true 7:8 0600 -\n# comment\n\
         {top_text}/g* true nosuch-account,1234:1235 - 0700\n{top_text}/single false root 600 711\n{top_text}/gone true root 0 0\n"
    );
    let script = script_of(root.path(), &list);
    let path = format!("{}:{}", root.path().join("bin").display(), std::env::var("PATH").unwrap());
    let output =
        Command::new("sh").args(["-c", &script]).env("PATH", path).env("TOP", &top).output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let mut changes: Vec<&str> = output.lines().collect();
    changes.sort_unstable();
    let mut expected = vec![
        "chmod 0644 data/fifo",
        "chmod 0644 data/file",
        "chmod 0644 data/link/y",
        "chmod 0644 data/two words",
        "chmod 0755 data",
        "chmod 0755 data/link",
        "chmod 0755 data/sub",
        "chmod 0600 linked/x",
        "chmod 0700 g1",
        "chmod 711 single",
        "chown 1234:1235 g1",
        "chown 1234:1235 g1/a",
        "chown 7:8 linked",
        "chown 7:8 linked/x",
        "chown root: data",
        "chown root: data/fifo",
        "chown root: data/file",
        "chown root: data/link",
        "chown root: data/link/y",
        "chown root: data/sub",
        "chown root: data/two words",
        "chown root: single",
    ];
    expected.sort_unstable();
    assert_eq!(changes, expected, "{script}");
}

#[test]
fn a_report_is_written_even_if_there_is_no_manifest() {
    let root = scratch();
    let init = root.path().join("image/etc/cont-init.d");
    fs::create_dir_all(&init).unwrap();
    fs::write(init.join("10-make"), "#!/bin/sh\nrm -r /etc/services.d\n").unwrap();
    let mut s6gen = Command::new(env!("CARGO_BIN_EXE_s6gen"));
    let status = s6gen
        .args(["import", "image", "-o", "s.toml", "--report", "r.txt"])
        .current_dir(root.path())
        .output()
        .unwrap()
        .status;
    assert_eq!(status.code(), Some(1));
    assert!(!root.path().join("s.toml").exists());
    let report = fs::read_to_string(root.path().join("r.txt")).unwrap();
    assert!(report.contains("in line 2: `rm -r /etc/services.d`"), "{report}");
}
