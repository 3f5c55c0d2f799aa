//! Runs the cases in `tests/cases/ok`, `err` and `gateway`, which is the shipped `services.toml`. Each is a folder with
//! `services.toml` and the expected output; a folder `scripts` beside it has the scripts that the manifest names as files. The cases in `tree` are for `hand_written`, those in `command` for `command_cases`,
//! in `live` and `python` for `live_cases`, and in `diff` for `diff`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use s6gen::diagnostic::{Code, Files, Severity};
use s6gen::report::{Style, human};
use s6gen::{ManifestFile, compile, disk, render, validate};

/// The folders of cases of a kind.
pub fn cases(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(kind);
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    cases
}

/// The manifest with the text `text` of a case, and its scripts.
pub fn manifest(case: &Path, text: impl Into<Vec<u8>>, files: &mut Files) -> ManifestFile {
    let mut manifest = ManifestFile::from(files.add("services.toml", text));
    for entry in fs::read_dir(case.join("scripts")).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = format!("scripts/{}", path.file_name().unwrap().to_str().unwrap());
        manifest.scripts.insert(name.clone(), files.add(name, fs::read(path).unwrap()));
    }
    manifest
}

/// The reports on a case, and its tree if it has no errors.
fn output(case: &Path) -> String {
    let mut files = Files::default();
    let problems = match disk::read_manifest(&case.join("services.toml")) {
        Ok(content) => {
            let manifest = manifest(case, content.text, &mut files);
            let compilation = compile(&files, manifest);
            if !compilation.problems.has_errors() {
                let reports: String =
                    compilation.problems.iter().map(|problem| human(problem, &files, Style::Plain)).collect();
                return reports + &render::tree(&compilation.services).unwrap().to_string();
            }
            compilation.problems
        }
        Err(mut problem) => {
            let folder = case.to_string_lossy().into_owned() + "/";
            problem.message = problem.message.replace(&folder, "");
            let mut problems = s6gen::diagnostic::Problems::default();
            problems.push(*problem);
            problems
        }
    };
    problems.iter().map(|problem| human(problem, &files, Style::Plain)).collect()
}

/// Compares the output with the expected one in the folder.
pub fn compare(case: &Path, output: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(case);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("expected", output));
}

#[test]
fn every_accepted_case_gives_its_tree() {
    for case in cases("ok") {
        compare(&case, &output(&case));
    }
}

#[test]
fn every_refused_case_gives_its_report() {
    for case in cases("err") {
        compare(&case, &output(&case));
    }
}

#[test]
fn every_report_on_a_manifest_has_a_remedy() {
    for case in cases("err") {
        let Ok(content) = disk::read_manifest(&case.join("services.toml")) else { continue };
        let mut files = Files::default();
        let file = files.add("services.toml", content.text);
        for problem in compile(&files, file).problems.iter() {
            assert!(problem.help.is_some(), "{}: {}", case.display(), problem.message);
        }
    }
}

#[test]
fn the_shipped_manifest_gives_the_tree_of_the_gateway() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    compare(&folder.join("tests/cases/gateway"), &output(folder));
}

#[test]
fn every_code_has_a_case() {
    let name = |case: &PathBuf| case.file_name().unwrap().to_string_lossy().replace("--", "::");
    let report = |case: &PathBuf| fs::read_to_string(case.join("expected.snap")).unwrap();
    // The cases of running systems are named after the situation. Each may show several codes.
    let live: String = cases("live").iter().map(report).collect();
    let folders: Vec<PathBuf> = ["err", "tree", "command"].iter().flat_map(|kind| cases(kind)).collect();
    let has_case = |code: &Code| {
        // Advice is not reported. `pages` runs the examples on its page.
        code.severity() == Severity::Advice
            || folders.iter().any(|case| name(case) == code.slug())
            || live.contains(&format!("err| {}\n", code.slug()))
            || IMAGE.contains(&code.slug())
    };
    let missing: Vec<&str> =
        validate::codes().filter(|code| !has_case(code)).map(|code| code.slug()).collect();
    assert!(missing.is_empty(), "no case below tests/cases for {missing:?}");
    for case in cases("err").iter().chain(&cases("command")) {
        let (name, report) = (name(case), report(case));
        // A command may say something without a report.
        let has_report = validate::codes().any(|code| report.contains(code.slug()));
        assert!(has_report || !name.contains("::"), "{name} reports nothing");
        if !has_report {
            continue;
        }
        assert!(
            validate::codes().any(|code| name.starts_with(code.slug()) && report.contains(code.slug())),
            "{name} is not named after a code that it reports"
        );
    }
}

/// Codes that only a whole image or very many services can cause. `image` and `size` have tests for them.
const IMAGE: &[&str] = &[
    "lint::too-many-services",
    "overlay::not-found",
    "overlay::user-in-two-places",
    "overlay::bundles-too-new",
    "overlay::incomplete-start-bundle",
    "overlay::deprecated-place",
    "overlay::not-started",
    "overlay::starts-early",
];

#[test]
fn every_key_of_the_language_has_a_case() {
    let mut manifests = String::new();
    for case in cases("ok") {
        manifests += &fs::read_to_string(case.join("services.toml")).unwrap();
    }
    let words: BTreeSet<&str> = manifests.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).collect();
    for (heading, _, keys) in s6gen::manifest::REFERENCE {
        for key in keys() {
            assert!(
                words.contains(key.name),
                "no case below tests/cases/ok uses `{}` of `{heading}`",
                key.name
            );
        }
    }
}
