//! Checks hand-written trees of public images, and prints every finding and how the findings differ from the recorded ones:
//! `ecosystem DIR [--record]`.
//!
//! `trees.tsv` lists the trees: repository, commit, path, the number of definitions, and the layers below, lowest first. DIR
//! has a copy of each repository in `OWNER+NAME`. If the list has more commits of one repository, the second one is in
//! `OWNER+NAME+2`, and so on. The paths of layers are relative to DIR. `findings.tsv` has the findings of the last recorded
//! run. No text of a repository is recorded, only names, paths and numbers of lines.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the rules of the house are for the program; this is a part of tests"
)]
#![allow(clippy::unwrap_used, reason = "a run that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use s6gen::diagnostic::{Diagnostic, Files};
use s6gen::jobs::Input;
use s6gen::model::System;

/// The end of paths to the definitions of s6-overlay itself, which `/init` compiles apart from those of the user.
const OWN_DEFINITIONS: &str = "etc/s6-rc/sources";

/// A tree of the list.
struct Tree {
    /// The folder with the copy of its repository, in DIR.
    folder: String,
    /// The path of its source directory in the repository.
    path: String,
    /// The paths of the layers below, in DIR.
    layers: Vec<PathBuf>,
}

/// A finding in one tree.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    code: String,
    folder: String,
    path: String,
    line: usize,
    message: String,
}

impl Finding {
    /// The finding as a line of `findings.tsv`.
    fn recorded(&self) -> String {
        format!("{}\t{}\t{}\t{}", self.code, self.folder, self.path, self.line)
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (root, is_recorded) = match &arguments[..] {
        [root] => (Path::new(root), false),
        [root, flag] if flag == "--record" => (Path::new(root), true),
        _ => {
            eprintln!("usage: ecosystem DIR [--record]");
            return ExitCode::from(2);
        }
    };
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ecosystem");
    let trees = trees(&fs::read_to_string(here.join("trees.tsv")).unwrap());
    let (known, missing): (Vec<Tree>, Vec<Tree>) =
        trees.into_iter().partition(|tree| root.join(&tree.folder).join(&tree.path).is_dir());
    let is_watched = std::io::stderr().is_terminal();
    let mut findings: Vec<Finding> = Vec::new();
    for (number, tree) in known.iter().enumerate() {
        if is_watched {
            eprint!("\r\x1b[Kecosystem: tree {} of {} …", number + 1, known.len());
        }
        findings.extend(check(root, tree));
    }
    if is_watched {
        eprint!("\r\x1b[K");
    }
    findings.sort();
    findings.dedup();

    for Finding { code, folder, path, line, message } in &findings {
        println!("{code}\t{folder}\t{path}:{line}\t{message}");
    }
    print_counts(&findings, known.len());
    for tree in &missing {
        println!("not there: {}/{}", tree.folder, tree.path);
    }
    let record = here.join("findings.tsv");
    let mut recorded: BTreeSet<String> =
        fs::read_to_string(&record).unwrap_or_default().lines().map(str::to_owned).collect();
    recorded.retain(|line| missing.iter().all(|tree| line.split('\t').nth(1) != Some(&tree.folder)));
    let found = findings.iter().map(Finding::recorded).collect();
    print_difference(&recorded, &found);
    if is_recorded {
        fs::write(record, found.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    }
    ExitCode::SUCCESS
}

/// Reads the list of trees.
fn trees(list: &str) -> Vec<Tree> {
    let mut commits: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let tree = |line| {
        let [repository, commit, path, _, layers] = <[&str; 5]>::try_from(split(line, '\t')).unwrap();
        let known = commits.entry(repository).or_default();
        if !known.contains(&commit) {
            known.push(commit);
        }
        let number = known.iter().position(|known| *known == commit).unwrap() + 1;
        let name = repository.replace('/', "+");
        let folder = if number == 1 { name } else { format!("{name}+{number}") };
        let layers =
            split(layers, ',').into_iter().filter(|layer| *layer != "-").map(PathBuf::from).collect();
        Tree { folder, path: path.to_owned(), layers }
    };
    list.lines().skip(1).map(tree).collect()
}

fn split(text: &str, by: char) -> Vec<&str> {
    text.split(by).collect()
}

/// Checks a tree as `s6gen check` does.
fn check(root: &Path, tree: &Tree) -> Vec<Finding> {
    let place = root.join(&tree.folder).join(&tree.path);
    let input = match tree.path.ends_with(OWN_DEFINITIONS) {
        true => Input::Sources(vec![place]),
        false => Input::Layers {
            system: System::NEWEST_OVERLAY,
            lower: tree.layers.iter().map(|layer| root.join(layer)).collect(),
            tree: Some(place),
            bundle_dir: None,
        },
    };
    let (files, compilation) = input.judge(&[], &Default::default());
    compilation
        .problems
        .iter()
        .chain(compilation.problems.advice())
        .map(|problem| finding(root, tree, problem, &files))
        .collect()
}

fn finding(root: &Path, tree: &Tree, problem: &Diagnostic, files: &Files) -> Finding {
    let (path, line) = match problem.labels.first() {
        Some(label) => {
            let file = files.get(label.origin.file);
            (file.path.as_path(), file.line_at(label.origin.span().start) + 1)
        }
        None => (Path::new(&tree.path), 1),
    };
    // A file of this repository is shown by its path there, and a file of another one by its path in DIR.
    let path =
        path.strip_prefix(root.join(&tree.folder)).or_else(|_| path.strip_prefix(root)).unwrap_or(path);
    let root = format!("{}/", root.display());
    Finding {
        code: problem.code.slug().to_owned(),
        folder: tree.folder.clone(),
        path: path.to_str().unwrap().to_owned(),
        line,
        message: problem.message.replace(&root, ""),
    }
}

/// Prints how many findings each code has, and in how many trees.
fn print_counts(findings: &[Finding], trees: usize) {
    println!("\n{} findings in {trees} trees", findings.len());
    let mut counts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for finding in findings {
        counts.entry(&finding.code).or_default().push(&finding.folder);
    }
    for (code, mut folders) in counts {
        let count = folders.len();
        folders.dedup();
        println!("{count:6}  {code} in {} repositories", folders.len());
    }
}

/// Prints which findings are new and which are gone.
fn print_difference(recorded: &BTreeSet<String>, found: &BTreeSet<String>) {
    let gone = recorded.difference(found).map(|line| format!("- {line}"));
    let new = found.difference(recorded).map(|line| format!("+ {line}"));
    let changes: Vec<String> = gone.chain(new).collect();
    println!("\n{} differences from the recorded findings", changes.len());
    changes.iter().for_each(|change| println!("{change}"));
}
