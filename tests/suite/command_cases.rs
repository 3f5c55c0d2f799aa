//! Runs the cases below `tests/cases/command`, which show what commands print in a given situation. The lines of `steps` are
//! run in a scratch folder with the manifests of the case: a shell runs `$ COMMAND`, s6gen is called with the words of any
//! other line, and a line `# …` is a comment. `expected.snap` has the output.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::golden::{cases, compare};

/// The output of the steps of a case.
fn output(case: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(case).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    let mut text = String::new();
    for line in fs::read_to_string(case.join("steps")).unwrap().lines().filter(|line| !line.starts_with('#'))
    {
        if let Some(command) = line.strip_prefix("$ ") {
            let status = Command::new("sh").args(["-ec", command]).current_dir(folder.path()).status();
            assert!(status.unwrap().success(), "{line}");
            continue;
        }
        let mut s6gen = Command::new(env!("CARGO_BIN_EXE_s6gen"));
        s6gen.args(line.split(' ')).current_dir(folder.path()).env_clear();
        let output = s6gen.output().unwrap();
        let printed = [output.stdout, output.stderr].concat();
        text += &format!("$ s6gen {line}\n{}", String::from_utf8(printed).unwrap());
        text += &format!("exit {}\n\n", output.status.code().unwrap());
    }
    let folder = fs::canonicalize(folder.path()).unwrap();
    text.replace(folder.to_str().unwrap(), "SCRATCH")
}

#[test]
fn every_command_prints_the_expected_output() {
    for case in cases("command") {
        compare(&case, &output(&case));
    }
}
