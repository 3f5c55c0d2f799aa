//! Compares the verdicts of s6gen with the recorded verdicts of the real s6-rc-compile 0.7.0.0.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::case::{Case, Judgement, Verdict, cases, judge, judge_on_disk, lines, path, scratch};
use crate::require::{skip, this_test};
use s6gen::tree::SourceTree;
use serde_json::Value;

/// The verdict of s6gen when it runs as user `uid`, who may not read everything. `None` if this process cannot change its user.
fn judge_as(uid: u32, root: &Path, case: &Case) -> Option<Judgement> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_s6gen"));
    command.args(["check", "--format", "json"]).current_dir(root).uid(uid).gid(uid);
    for source in case.sources() {
        command.arg("--tree").arg(path(&source));
    }
    let answer: Value = serde_json::from_slice(&command.output().ok()?.stdout).unwrap();
    let problems = answer["problems"].as_array().unwrap().iter();
    Some(Judgement {
        class: answer["class"].as_str().unwrap().to_owned(),
        db: answer.get("db").filter(|db| !db.is_null()).cloned(),
        problems: problems.map(|problem| problem["message"].to_string()).collect(),
    })
}

/// Compares every case with its recorded verdict, and fails with a list of all differences.
fn compare(what: &str, cases: &[Case], verdicts: &BTreeMap<String, Verdict>) {
    let mut skipped: BTreeMap<&str, usize> = BTreeMap::new();
    let mut compared = 0;
    let mut differences = Vec::new();
    for case in cases {
        let verdict = &verdicts[&case.id];
        let about = match verdict.class.as_str() {
            "usage" | "bad-verbosity" | "bad-option" => Some("about the command line"),
            "out-mkdir" => Some("about the place of the output"),
            _ => None,
        };
        if let Some(about) = about {
            *skipped.entry(about).or_default() += 1;
            continue;
        }
        let root = scratch();
        case.make(root.path()).unwrap();
        let judgement = match case.run_as {
            Some(uid) => judge_as(uid, root.path(), case),
            None => Some(judge_on_disk(root.path(), &case.sources())),
        };
        let Some(judgement) = judgement else {
            skip(this_test!(), "users", &case.id);
            continue;
        };
        compared += 1;
        if let Some(difference) = verdict.disagreement(&judgement) {
            differences.push(format!("{}: {difference}", case.id));
        }
        for name in case.modes.keys() {
            let _ = fs::set_permissions(root.path().join(name), fs::Permissions::from_mode(0o755));
        }
    }
    eprintln!("{what}: {compared} compared, skipped: {skipped:?}");
    let count = differences.len();
    assert!(differences.is_empty(), "{count} of {compared} differ:\n{}", differences.join("\n"));
    assert!(compared * 10 >= cases.len() * 9, "too few of {} cases could be compared", cases.len());
}

#[test]
fn every_named_case_gets_the_real_verdict() {
    let cases = cases("cases-named.jsonl");
    let verdicts = cases.iter().map(|case| (case.id.clone(), case.verdict.clone().unwrap())).collect();
    compare("named cases", &cases, &verdicts);
}

#[test]
fn every_generated_tree_gets_the_real_verdict() {
    let verdicts =
        lines("verdicts-dev.jsonl").iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let verdicts = Vec::<Verdict>::into_iter(verdicts).map(|verdict| (verdict.id.clone(), verdict)).collect();
    compare("generated trees", &cases("corpus-dev.jsonl"), &verdicts);
}

#[test]
fn every_tree_that_was_once_misjudged_gets_the_real_verdict() {
    let cases = cases("found.jsonl");
    let verdicts = cases.iter().map(|case| (case.id.clone(), case.verdict.clone().unwrap())).collect();
    compare("once misjudged", &cases, &verdicts);
}

#[test]
fn a_tree_in_memory_gets_the_same_verdict() {
    let verdicts = lines("verdicts-dev.jsonl").into_iter().map(|line| serde_json::from_str(&line).unwrap());
    let verdicts: BTreeMap<String, Verdict> =
        verdicts.map(|verdict: Verdict| (verdict.id.clone(), verdict)).collect();
    let mut compared = 0;
    let mut differences = Vec::new();
    for case in cases("cases-named.jsonl").into_iter().chain(cases("corpus-dev.jsonl")) {
        let verdict = case.verdict.clone().unwrap_or_else(|| verdicts[&case.id].clone());
        let Some(tree) = in_memory(&case) else { continue };
        if verdict.class == "out-mkdir" || verdict.class.starts_with("bad-") || verdict.class == "usage" {
            continue;
        }
        compared += 1;
        let judgement = judge(case.sources().iter().map(|source| tree.source(source)).collect());
        if let Some(difference) = verdict.disagreement(&judgement) {
            differences.push(format!("{}: {difference}", case.id));
        }
    }
    assert!(
        differences.is_empty(),
        "{} of {compared} differ:\n{}",
        differences.len(),
        differences.join("\n")
    );
    assert!(compared > 1500, "only {compared} cases could be compared");
}

/// The case as a tree in memory. `None` if it needs something that such a tree does not have: fifos, names that are not UTF-8,
/// absolute links, sources outside of it, or another user.
pub fn in_memory(case: &Case) -> Option<SourceTree> {
    let names = case.files.keys().chain(case.symlinks.keys()).chain(case.symlinks.values()).chain(&case.dirs);
    let is_text = names.clone().all(|name| !name.starts_with("base64:"));
    let leaves = case.symlinks.values().any(|target| target.starts_with('/'))
        || case.sources().iter().any(|source| source.is_empty() || source.starts_with('/'));
    if !is_text || leaves || !case.fifos.is_empty() || case.run_as.is_some() {
        return None;
    }
    let mut tree = SourceTree::default();
    for name in &case.dirs {
        tree.directory(name.trim_end_matches("/."));
    }
    for (name, file) in &case.files {
        tree.file(name, file.bytes(), false);
    }
    for (name, target) in &case.symlinks {
        tree.link(name, target);
    }
    Some(tree)
}
