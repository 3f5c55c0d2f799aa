//! Checks that `check` refuses exactly what `build` refuses, so that a manifest that passes in CI builds in the image.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use s6gen::cli;
use s6gen::report::Style;

use crate::properties::{holds, nearly};

/// Whether a command succeeds, and what it says.
fn run(words: &[&OsStr]) -> (bool, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let words = std::iter::once(OsStr::new("s6gen")).chain(words.iter().copied());
    let code = cli::run(words.map(OsStr::to_owned), &mut out, &mut err, Style::Plain);
    (code == std::process::ExitCode::SUCCESS, String::from_utf8_lossy(&err).into_owned())
}

/// Checks a manifest, builds it into an empty root, and returns what each of both says, if they disagree.
fn disagreement(text: &str) -> Option<String> {
    let folder = crate::case::scratch();
    let (manifest, root) = (folder.path().join("services.toml"), folder.path().join("root"));
    fs::write(&manifest, text).unwrap();
    let path = |path: &Path| path.as_os_str().to_owned();
    let (check, checked) = run(&["check".as_ref(), "-m".as_ref(), &path(&manifest)]);
    let (build, built) =
        run(&["build".as_ref(), "-m".as_ref(), &path(&manifest), "--root".as_ref(), &path(&root)]);
    (check != build).then(|| format!("check: {checked}\nbuild: {built}\n{text}"))
}

#[test]
fn check_and_build_agree_on_names_and_paths() {
    let deep = ["d"; 300].map(|part| part.repeat(20)).join("/");
    let long = ["d"; 20].map(|part| part.repeat(200)).join("/");
    let names = [
        "a\\rb",
        "a\\nb",
        "a\\u0001b",
        "a\\u007fb",
        "a b",
        ".wh.a",
        ".a",
        "a\\\\b",
        "a\\\"b",
        "é",
        "a\\u202eb",
        "*",
    ];
    let names: Vec<String> = names
        .iter()
        .map(|name| (*name).to_owned())
        .chain([250, 251, 255, 256].map(|n| "a".repeat(n)))
        .collect();
    let mut texts = Vec::new();
    for name in names.iter().chain([&deep, &long]) {
        texts.extend([
            format!("[longrun.a]\nrun = [\"x\"]\nfiles.\"data/{name}\" = \"x\"\n"),
            format!("[longrun.a]\nrun = [\"x\"]\nfiles.\"{name}\" = \"x\"\n"),
            format!("[longrun.a]\nrun = [\"x\"]\nfiles.\"data/{name}/b\" = \"x\"\n"),
            format!("[target]\ntree = \"/{name}\"\n[longrun.a]\nrun = [\"x\"]\n"),
            format!("[target]\ntree = \"/b/{name}/c\"\n[longrun.a]\nrun = [\"x\"]\n"),
            format!("[target]\ns6-rc = \"0.6.0.0\"\ntree = \"/{name}\"\n[longrun.a]\nrun = [\"x\"]\n"),
            format!("[longrun.\"{name}\"]\nrun = [\"x\"]\n"),
            format!("[longrun.\"{name}\"]\nrun = [\"x\"]\nlog.to = \"/x\"\nlog.errors = \"/y\"\n"),
            format!("[longrun.a]\nrun = [\"x\"]\ninstances = [\"{name}\"]\n"),
            format!(
                "[longrun.a]\nrun = [\"x\"]\ndependencies = [\"{name}\"]\n[target]\nexternal = [\"{name}\"]\n"
            ),
            format!("[bundle.\"{name}\"]\ncontents = [\"a\"]\n[longrun.a]\nrun = [\"x\"]\n"),
        ]);
    }
    // The last length of a path with which a tree can hold definitions, and around it; in long names, and in short ones.
    let lengths = [3000, 3400, 3494, 3495, 3496, 3600, 4000, 4094, 4095, 4096];
    let long_names = lengths.map(|length| (length, 100));
    for (length, of_name) in long_names.into_iter().chain([(3494, 4), (3495, 4)]) {
        let name = format!("/{}", "a".repeat(of_name - 1));
        let path = format!("{}{}", name.repeat(length / of_name), "a".repeat(length % of_name));
        texts.push(format!("[target]\ntree = \"{path}\"\n[longrun.{}]\nrun = [\"x\"]\n", "a".repeat(251)));
    }
    let disagreements: Vec<String> = texts.iter().filter_map(|text| disagreement(text)).collect();
    assert!(disagreements.is_empty(), "{}", disagreements.join("\n"));
}

#[test]
fn check_and_build_agree_on_any_manifest() {
    holds(100, nearly(), |text| {
        let found = disagreement(&text);
        prop_assert!(found.is_none(), "{}", found.unwrap_or_default());
        Ok(())
    });
}

#[test]
fn a_folder_of_templates_has_only_files() {
    let folder = tempfile::tempdir().unwrap();
    let (manifest, templates) = (folder.path().join("services.toml"), folder.path().join("templates"));
    fs::write(&manifest, "[longrun.web]\nrun = [\"web\"]\n").unwrap();
    fs::create_dir_all(templates.join("longrun")).unwrap();
    let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::from_raw_mode(0o644));
    let words = |manifest| {
        run(&["check".as_ref(), "--templates".as_ref(), templates.as_os_str(), "-m".as_ref(), manifest])
    };
    rustix::fs::mknodat(rustix::fs::CWD, templates.join("longrun/run"), kind, mode, 0).unwrap();
    let (is_accepted, reports) = words(manifest.as_os_str());
    assert!(!is_accepted && reports.contains("`longrun/run` is not a regular file"), "{reports}");
    fs::remove_file(templates.join("longrun/run")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", templates.join("longrun/run")).unwrap();
    let (is_accepted, reports) = words(manifest.as_os_str());
    assert!(!is_accepted && reports.contains("`longrun/run` is not a regular file"), "{reports}");
}
