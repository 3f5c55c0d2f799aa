//! `s6gen fmt`: it changes the form of a manifest and nothing else, keeps every comment, and changes nothing the second time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;

use s6gen::diagnostic::Files;
use s6gen::manifest::format;
use s6gen::{compile, render};

use crate::case::scratch;
use crate::golden;
use crate::manifests::manifest;
use crate::properties::holds;

/// The tree of a manifest, if it has one.
fn tree(text: &str) -> Option<String> {
    let mut files = Files::default();
    let file = files.add("services.toml", text);
    let compilation = compile(&files, file);
    if compilation.problems.has_errors() {
        return None;
    }
    Some(render::tree(&compilation.services).unwrap().to_string())
}

/// What is wrong with the formatted text, if anything.
fn fault(before: &str) -> Option<String> {
    let after = format(before)?;
    let parse = |text: &str| text.parse::<toml::Table>().ok();
    let comments = |text: &str| text.matches('#').count();
    let fault = if parse(before) != parse(&after) {
        "the values changed"
    } else if comments(before) != comments(&after) {
        "a comment is lost"
    } else if format(&after).as_deref() != Some(after.as_str()) {
        "the second time changes more"
    } else if tree(before) != tree(&after) {
        "the tree changed"
    } else {
        return None;
    };
    Some(format!(
        "{fault}:\n{before}\n--- became ---\n{after}\n--- then ---\n{}",
        format(&after).unwrap_or_default()
    ))
}

/// Every manifest below a folder.
pub fn manifests_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            manifests_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            found.push(path);
        }
    }
}

#[test]
fn it_changes_no_meaning_of_any_manifest_of_the_suite() {
    let mut paths = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("services.toml")];
    manifests_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases"), &mut paths);
    let texts: Vec<String> = paths.iter().filter_map(|path| fs::read_to_string(path).ok()).collect();
    assert!(texts.len() > 150);
    let faults: Vec<String> = texts.iter().filter_map(|text| fault(text)).collect();
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn it_changes_no_meaning_of_a_random_manifest() {
    holds(60, (manifest(), any::<u64>()), |(manifest, seed)| {
        let text = decorated(&manifest.to_string(), seed);
        prop_assert_eq!(fault(&text), None);
        Ok(())
    });
}

/// A manifest with comments, blank lines and odd blanks at places that the seed chooses.
fn decorated(text: &str, seed: u64) -> String {
    let mut state = seed;
    let mut next = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let mut out = String::new();
    let mut is_inside = false;
    for line in text.lines() {
        let quotes = line.matches("'''").count() + line.matches("\"\"\"").count();
        if !is_inside {
            match next(8) {
                0 => out.push_str("\n\n"),
                1 => out.push_str("# above\n"),
                2 => out.push_str("\n# apart\n\n  # and more\n"),
                _ => {}
            }
        }
        out.push_str(line);
        is_inside ^= quotes % 2 == 1;
        if !is_inside {
            out.push_str(["", "", "  # beside", "\t", "   "][next(5) as usize]);
        }
        out.push('\n');
    }
    out
}

#[test]
fn every_case_has_the_expected_form() {
    for case in golden::cases("fmt") {
        let before = fs::read_to_string(case.join("services.toml")).unwrap();
        golden::compare(&case, &format(&before).unwrap());
    }
}

fn s6gen(folder: &Path, words: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_s6gen")).args(words).current_dir(folder).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_command_formats_what_is_included_too_and_check_changes_nothing() {
    let scratch = scratch();
    let main = "include = [ 'more.toml' ]\n[longrun.web]\nrun = ['web']\nuser = 'www'\n";
    fs::write(scratch.path().join("services.toml"), main).unwrap();
    fs::write(scratch.path().join("more.toml"), "[longrun.a]\nrun = ['a']\n\n\n[longrun.b]\nrun=['b']\n")
        .unwrap();
    let (code, _, told) = s6gen(scratch.path(), &["fmt", "--check"]);
    assert_eq!(code, 1);
    assert!(told.contains("services.toml:1:") && told.contains("more.toml:4:"), "{told}");
    assert_eq!(fs::read_to_string(scratch.path().join("services.toml")).unwrap(), main);
    let (code, _, told) = s6gen(scratch.path(), &["fmt"]);
    assert_eq!((code, told.as_str()), (0, "formatted services.toml\nformatted more.toml\n"));
    let formatted = fs::read_to_string(scratch.path().join("services.toml")).unwrap();
    assert_eq!(formatted, "include = ['more.toml']\n\n[longrun.web]\nuser = 'www'\nrun = ['web']\n");
    assert_eq!(s6gen(scratch.path(), &["fmt", "--check"]), (0, String::new(), String::new()));
}

#[test]
fn a_file_that_is_no_toml_is_reported_and_left_alone() {
    let scratch = scratch();
    fs::write(scratch.path().join("services.toml"), "[longrun.web\nrun = ['web']\n").unwrap();
    let (code, _, told) = s6gen(scratch.path(), &["fmt"]);
    assert_eq!(code, 1);
    assert!(told.contains("services.toml:1:"), "{told}");
    assert_eq!(
        fs::read_to_string(scratch.path().join("services.toml")).unwrap(),
        "[longrun.web\nrun = ['web']\n"
    );
}
