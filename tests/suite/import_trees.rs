//! The import of source directories and images: the manifest that it writes describes the same system.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use s6gen::diagnostic::Severity;
use s6gen::jobs::{ImportProof, ReadTree, TreeToImport, prove, read_sources};
use s6gen::model::{System, Target};

use crate::case::{Case, cases};
use crate::oracle::{Random, fresh, number_from};
use crate::truth::in_memory;

/// What is wrong with the import of a tree. `None` if it is proved.
fn failure(proof: &ImportProof) -> Option<String> {
    if proof.holds() {
        return None;
    }
    let errors = proof.compilation.problems.iter().filter(|problem| problem.severity == Severity::Error);
    let errors = errors.map(|problem| format!("{} ({})", problem.message, problem.code.slug()));
    let unexplained = proof.differences.iter().filter(|one| one.reason.is_none());
    let changes =
        unexplained.map(|one| format!("{} {}: `{}` becomes `{}`", one.name, one.fact, one.before, one.after));
    Some(errors.chain(changes).collect::<Vec<_>>().join("\n  "))
}

/// Imports the sources of a case as s6-rc-compile gets them. `None` if it refuses them.
fn import(case: &Case) -> Option<ImportProof> {
    let tree = in_memory(case)?;
    let sources = || case.sources().iter().map(|source| tree.source(source)).collect();
    let tree = read_sources(sources, Target::new(System::NEWEST_S6RC));
    tree.is_accepted().then(|| proof(&tree))
}

fn proof(tree: &ReadTree) -> ImportProof {
    let migration = tree.migration();
    // Every file of every definition has its line.
    for (name, files) in &tree.definitions {
        let heading = name.to_string();
        let Some(section) = migration.report.sections.iter().find(|section| section.heading == heading)
        else {
            continue;
        };
        let lines: Vec<&String> = section.lines.iter().map(|line| &line.part).collect();
        assert_eq!(lines, files.keys().collect::<Vec<_>>(), "{heading}");
    }
    prove(tree, &migration).unwrap()
}

/// Imports every accepted tree, and reports the number and every one that is not proved.
fn import_all(cases: impl IntoIterator<Item = Case>) -> usize {
    let mut count = 0;
    let mut wrong = Vec::new();
    let mut reasons = BTreeMap::<String, usize>::new();
    for case in cases {
        let Some(proof) = import(&case) else { continue };
        count += 1;
        if let Some(failure) = failure(&proof) {
            wrong.push(format!("{}: {failure}\n  {}", case.id, serde_json::to_string(&case).unwrap()));
        }
        let reasons_of = proof.differences.iter().filter_map(|one| one.reason.clone());
        for reason in reasons_of.chain(proof.left.into_values()) {
            *reasons.entry(reason).or_default() += 1;
        }
    }
    eprintln!(
        "{count} trees imported; differences and definitions left out, with their reasons: {reasons:#?}"
    );
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong[..wrong.len().min(10)].join("\n"));
    count
}

#[test]
fn the_import_of_every_recorded_tree_keeps_its_database() {
    // All of them take a minute: every fifth one is a sample.
    let step = if std::env::var("S6GEN_ORACLE_TREES").is_ok() { 1 } else { 5 };
    let all = cases("cases-named.jsonl").into_iter().chain(cases("corpus-dev.jsonl"));
    let count = import_all(all.step_by(step));
    assert!(count * step > 800, "only {count} trees were imported");
}

/// `S6GEN_ORACLE_TREES=20000 S6GEN_ORACLE_SEED=7` sets the number of trees and the seed.
#[test]
fn the_import_of_fresh_trees_keeps_their_databases() {
    let mut random = Random::new(number_from("S6GEN_ORACLE_SEED", 1));
    let corpus = cases("corpus-dev.jsonl");
    let trees = usize::try_from(number_from("S6GEN_ORACLE_TREES", 60)).unwrap();
    let count = import_all((0..trees).map(|_| fresh(&mut random, &corpus)));
    assert!(count * 10 > trees, "only {count} of {trees} trees were imported");
}

/// `S6GEN_TREES=DIR` names the directory with the trees of `tests/ecosystem/trees.tsv`.
#[test]
fn the_import_of_every_public_tree_is_proved() {
    let Ok(trees) = std::env::var("S6GEN_TREES") else { return };
    let trees = Path::new(&trees);
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ecosystem/trees.tsv");
    let mut commits = BTreeMap::<String, Vec<String>>::new();
    let (mut count, mut refused, mut wrong) = (0, 0, Vec::new());
    for line in fs::read_to_string(list).unwrap().lines().skip(1) {
        let [repository, commit, path, _, layers] =
            <[&str; 5]>::try_from(line.split('\t').collect::<Vec<_>>()).unwrap();
        let known = commits.entry(repository.to_owned()).or_default();
        if !known.iter().any(|one| one == commit) {
            known.push(commit.to_owned());
        }
        let number = known.iter().position(|one| one == commit).unwrap() + 1;
        let folder =
            repository.replace('/', "+") + &if number > 1 { format!("+{number}") } else { String::new() };
        let layers = layers.split(',').filter(|layer| *layer != "-");
        let lower: Vec<PathBuf> = layers.map(|layer| trees.join(layer)).collect();
        let tree = TreeToImport { lower, ..TreeToImport::new(trees.join(folder).join(path)) }.read();
        if !tree.is_accepted() {
            refused += 1;
            continue;
        }
        count += 1;
        if let Some(failure) = failure(&proof(&tree)) {
            wrong.push(format!("{repository} {path}:\n  {failure}"));
        }
    }
    eprintln!("{count} trees imported, {refused} have errors");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}
