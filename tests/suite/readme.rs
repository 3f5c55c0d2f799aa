//! The README does what it says.

use std::fs;
use std::path::Path;

use s6gen::diagnostic::Files;
use s6gen::model::{Index, Target};
use s6gen::render::{Direction, text};
use s6gen::report::{Style, human};
use s6gen::tree::SourceTree;
use s6gen::{compile, judge, render};

/// The fenced blocks of a document: what they are, and their text.
fn blocks(document: &str) -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let text = fs::read_to_string(path).unwrap();
    let parts: Vec<&str> = text.split("\n```").collect();
    let fenced = parts.iter().skip(1).step_by(2);
    fenced
        .filter(|block| block.contains('\n'))
        .map(|block| {
            block.split_once('\n').map(|(kind, text)| (kind.to_owned(), text.to_owned() + "\n")).unwrap()
        })
        .collect()
}

#[test]
fn every_manifest_in_the_readme_does_what_the_text_below_it_shows() {
    let blocks = blocks("README.md");
    let mut compared = 0;
    for (position, (kind, manifest)) in blocks.iter().enumerate() {
        if kind != "toml" {
            continue;
        }
        let mut files = Files::default();
        let file = files.add("services.toml", manifest.as_bytes());
        let compilation = compile(&files, file);
        let shown = blocks.get(position + 1).filter(|(kind, _)| kind == "text").map(|(_, text)| text);
        let mut output: String =
            compilation.problems.iter().map(|problem| human(problem, &files, Style::Plain)).collect();
        if compilation.problems.has_errors() {
            let shown = shown
                .unwrap_or_else(|| panic!("a manifest with errors whose report is not shown:\n{manifest}"));
            output = shown.lines().last().map(|counts| output + counts + "\n").unwrap();
        } else {
            render::tree(&compilation.services).unwrap();
            output += &text(&Index::new(&compilation.services), &[], Direction::Up);
        }
        if let Some(shown) = shown {
            assert_eq!(&output, shown);
            compared += 1;
        }
    }
    assert_eq!(compared, 2, "the graph and the report of the README");
}

#[test]
fn the_readme_names_every_command() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    for command in ["build", "check", "diff", "graph", "explain", "init"] {
        assert!(readme.contains(&format!("`s6gen {command}")), "{command}");
    }
}

/// A tree as the README shows it: paths at the left edge, contents indented by four blanks.
fn tree_of(text: &str) -> SourceTree {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("    "), files.last_mut()) {
            (Some(content), Some((_, text))) => *text += &format!("{content}\n"),
            _ => files.push((line.to_owned(), String::new())),
        }
    }
    let mut tree = SourceTree::default();
    for (path, content) in files {
        tree.file(format!("s6-rc.d/{path}"), content, false);
    }
    tree
}

#[test]
fn the_hand_written_tree_in_the_readme_gets_the_report_below_it() {
    let blocks = blocks("README.md");
    let position = blocks.iter().position(|(kind, _)| kind == "tree").unwrap();
    let tree = tree_of(&blocks[position].1);
    let (kind, shown) = &blocks[position + 1];
    let mut files = Files::default();
    let compilation = judge(&mut files, vec![tree.source("s6-rc.d")], Target::default());
    assert!(!compilation.problems.has_errors(), "the README says that it compiles");
    let reports: String =
        compilation.problems.iter().map(|problem| human(problem, &files, Style::Plain)).collect();
    let counts =
        format!("{} warnings; `s6gen explain CODE` says more about each\n", compilation.problems.len());
    assert_eq!((kind.as_str(), shown), ("report", &(reports + &counts)));
}

#[test]
fn every_manifest_in_the_documentation_compiles() {
    let mut checked = 0;
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        for (_, manifest) in blocks(&format!("docs/{name}")).iter().filter(|(kind, _)| kind == "toml") {
            let mut files = Files::default();
            let file = files.add("services.toml", manifest.as_bytes());
            let compilation = compile(&files, file);
            let problems: Vec<_> = compilation.problems.iter().map(|problem| &problem.message).collect();
            assert!(problems.is_empty(), "{name}: {problems:?}\n{manifest}");
            render::tree(&compilation.services).unwrap();
            checked += 1;
        }
    }
    assert!(checked >= 2, "only {checked} manifests");
}
