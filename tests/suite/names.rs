//! Checks names and opening comments: two types never share a name, every file says what it is for, and no test leaves files
//! beside the project's own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Every Rust file below a folder of the repository, with its text.
fn files(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}

/// The name of the type that a line declares.
fn declared(line: &str) -> Option<&str> {
    let line = match line.strip_prefix("pub") {
        Some(rest) => rest.split_once(' ')?.1,
        None => line,
    };
    let (keyword, rest) = line.split_once(' ')?;
    let is_type = matches!(keyword, "struct" | "enum" | "trait" | "type");
    is_type.then(|| rest.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default())
}

#[test]
fn two_types_never_share_a_name() {
    let files = files("src");
    let mut homes: BTreeMap<&str, Vec<&Path>> = BTreeMap::new();
    for (path, text) in &files {
        for name in text.lines().filter_map(declared) {
            homes.entry(name).or_default().push(path);
        }
    }
    assert!(homes.len() > 100, "only {} types found", homes.len());
    homes.retain(|_, paths| paths.len() > 1);
    assert!(homes.is_empty(), "{homes:#?}");
}

#[test]
fn every_file_opens_with_a_sentence_on_what_it_is_for() {
    let missing: Vec<PathBuf> = ["src", "tests/suite", "tests/bench"]
        .into_iter()
        .flat_map(files)
        .filter(|(_, text)| !text.starts_with("//! ") || !text.contains(".\n"))
        .map(|(path, _)| path)
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Tests make files with hostile names. None of them may do that in the project itself.
#[test]
fn every_file_of_the_project_has_a_plain_name() {
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap_or_default();
            assert!(!name.is_empty() && name.chars().all(|c| c.is_ascii_graphic()), "{path:?}");
            if path.is_dir() && !path.is_symlink() && !matches!(name, "target" | ".git") {
                open.push(path);
            }
        }
    }
}
