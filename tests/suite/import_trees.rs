//! The import of source directories and images: the manifest that it writes describes the same system.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use s6gen::diagnostic::Severity;
use s6gen::jobs::{
    ImportProof, ReadTree, RealProof, TreeToImport, compile_text, prove, read_built, read_sources,
};
use s6gen::live::{Call, InstalledPrograms, ProgramAnswer, Programs};
use s6gen::manifest::draft::DraftValue;
use s6gen::migrate::report_text;
use s6gen::model::{System, Target};
use s6gen::render;
use s6gen::tree::TreeEntry;

use crate::case::{Case, cases, scratch};
use crate::golden;
use crate::markdown::Page;
use crate::oracle::{Random, fresh, number_from};
use crate::require::needs;
use crate::supervise::write_program;
use crate::tree_text;
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

/// Imports the sources of a case as s6-rc-compile gets them: with only what means exactly the same, and with what a person would have
/// written, if that is another manifest. Empty if it refuses them.
fn import(case: &Case) -> Vec<ImportProof> {
    let Some(tree) = in_memory(case) else { return Vec::new() };
    let sources = || case.sources().iter().map(|source| tree.source(source)).collect();
    let read = |is_exact| {
        let read = read_sources(sources, Target::new(System::NEWEST_S6RC), &[]);
        ReadTree { is_exact, ..read }
    };
    let (exact, usual) = (read(true), read(false));
    if !exact.is_accepted() {
        return Vec::new();
    }
    let is_same = exact.migration().draft == usual.migration().draft;
    [Some(&exact), Some(&usual).filter(|_| !is_same)].into_iter().flatten().map(proof).collect()
}

/// The proof of an import. Everything in the definitions has its line in the report.
pub fn proof(tree: &ReadTree) -> ImportProof {
    let migration = tree.migration();
    // Everything in every definition has its line.
    for (name, files) in tree.definitions.files.iter().filter(|(name, _)| !tree.lower.contains(name)) {
        let heading = name.to_string();
        let Some(section) = migration.report.sections.iter().find(|section| section.heading == heading)
        else {
            continue;
        };
        let lines: Vec<&String> = section.lines.iter().map(|line| &line.part).collect();
        let others = tree.definitions.others.get(name).into_iter().flatten().map(|(path, _)| path);
        let mut paths: Vec<&String> = files.keys().chain(others).collect();
        paths.sort();
        assert_eq!(lines, paths, "{heading}");
    }
    prove(tree, &migration, &mut NoPrograms).unwrap()
}

/// A system without the programs of s6-rc.
pub struct NoPrograms;

impl Programs for NoPrograms {
    fn run(&mut self, _: &Call) -> io::Result<ProgramAnswer> {
        Err(io::ErrorKind::NotFound.into())
    }
}

/// Imports every accepted tree, and reports the number and every one that is not proved.
fn import_all(cases: impl IntoIterator<Item = Case>) -> usize {
    let mut count = 0;
    let mut wrong = Vec::new();
    let mut reasons = BTreeMap::<String, usize>::new();
    for case in cases {
        let proofs = import(&case);
        count += usize::from(!proofs.is_empty());
        for proof in proofs {
            if let Some(failure) = failure(&proof) {
                wrong.push(format!("{}: {failure}\n  {}", case.id, serde_json::to_string(&case).unwrap()));
            }
            let reasons_of = proof.differences.iter().filter_map(|one| one.reason.clone());
            for reason in reasons_of.chain(proof.left.into_values()) {
                *reasons.entry(reason).or_default() += 1;
            }
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

/// The real compiler compares the databases of the old system and of the new one: in turns of one with only what means exactly the same,
/// and of one that a person would have written.
#[test]
fn the_real_compiler_makes_the_same_database_of_the_new_system() {
    needs!("s6-rc");
    let step = if std::env::var("S6GEN_ORACLE_TREES").is_ok() { 1 } else { 15 };
    let mut count = 0;
    let mut wrong = Vec::new();
    let all = cases("cases-named.jsonl").into_iter().chain(cases("corpus-dev.jsonl")).step_by(step);
    for (case, is_exact) in all.zip([true, false].into_iter().cycle()) {
        let Some(tree) = in_memory(&case) else { continue };
        let sources = || case.sources().iter().map(|source| tree.source(source)).collect();
        let tree = ReadTree { is_exact, ..read_sources(sources, Target::new(System::NEWEST_S6RC), &[]) };
        if !tree.is_accepted() {
            continue;
        }
        let proof = prove(&tree, &tree.migration(), &mut InstalledPrograms).unwrap();
        match &proof.real {
            RealProof::Compared(differences) if differences.is_empty() => count += 1,
            RealProof::NotAsked if proof.is_empty => {}
            real => wrong.push(format!("{}: {real:?}", case.id)),
        }
    }
    eprintln!("{count} pairs of databases compared");
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong[..wrong.len().min(10)].join("\n"));
    assert!(count > 40, "only {count} pairs were compared");
}

/// The trees of the golden cases, too. One of them gives the last lines of a proof that the chapter on imports shows.
#[test]
fn the_real_compiler_agrees_about_every_shape() {
    needs!("s6-rc");
    let chapter = Page::read("docs/import.md");
    let shown =
        chapter.examples_in("text").find(|example| example.text.starts_with("s6-rc-compile")).unwrap();
    for folder in golden::cases("import") {
        let text = fs::read_to_string(folder.join("tree.txt"));
        let Ok(case) = tree_text::parse(&text.unwrap_or_default()) else { continue };
        let root = scratch();
        case.make(root.path()).unwrap();
        let lower = root.path().join("lower");
        let lower = if lower.is_dir() { vec![lower] } else { Vec::new() };
        let tree = TreeToImport { lower, ..TreeToImport::new(root.path().join("src")) }.read();
        if !tree.is_accepted() {
            continue;
        }
        let proof = prove(&tree, &tree.migration(), &mut InstalledPrograms).unwrap();
        let is_right = proof.is_empty || proof.real == RealProof::Compared(Vec::new());
        assert!(is_right, "{}: {:?}", folder.display(), proof.real);
        assert!(proof.holds(), "{}: {}", folder.display(), proof.text());
        if folder.ends_with("stops") {
            assert!(proof.text().ends_with(&shown.text), "{}", proof.text());
        }
    }
}

#[test]
fn a_compiler_in_a_relative_directory_of_path_is_not_asked() {
    let root = scratch();
    let write = |path: &str, text: &str| {
        fs::create_dir_all(root.path().join(path).parent().unwrap()).unwrap();
        write_program(&root.path().join(path), text);
    };
    write("bin/s6-rc-compile", "#!/bin/sh\necho asked > asked\nexit 1\n");
    write("src/web/type", "longrun\n");
    write("src/web/run", "#!/bin/sh\nexec web\n");
    let prove = |path: &str| {
        let mut s6gen = Command::new(env!("CARGO_BIN_EXE_s6gen"));
        let output = s6gen
            .args(["import", "src", "--prove"])
            .current_dir(root.path())
            .env("PATH", path)
            .output()
            .unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status.success())
    };
    let (text, is_proved) = prove("bin:.:");
    assert!(is_proved && text.contains("s6-rc-compile is not on PATH"), "{text}");
    assert!(!root.path().join("asked").exists());
    let (text, is_proved) = prove(root.path().join("bin").to_str().unwrap());
    assert!(!is_proved && text.contains("not proved: s6-rc-compile refuses it"), "{text}");
}

/// `S6GEN_TREES=DIR` names the directory with the trees of `tests/ecosystem/trees.tsv`.
#[test]
fn the_import_of_every_public_tree_is_proved() {
    needs!("trees");
    let trees = std::env::var("S6GEN_TREES").unwrap();
    let trees = Path::new(&trees);
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ecosystem/trees.tsv");
    let mut commits = BTreeMap::<String, Vec<String>>::new();
    let (mut count, mut refused, mut unchanged, mut wrong) = (0, 0, 0, Vec::new());
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
        let proof = proof(&tree);
        if let Some(failure) = failure(&proof) {
            wrong.push(format!("{repository} {path}:\n  {failure}"));
        } else if !proof.is_empty {
            // A second import, of what was built, changes nothing.
            let built = render::tree(&proof.compilation.services).unwrap();
            let second = read_built(&built, &proof.compilation.services);
            if second.is_accepted() {
                let second = second.migration();
                let text = second.draft.text();
                let (_, again) = compile_text(Path::new("services.toml"), &text, &second.files);
                assert!(render::tree(&again.services).unwrap() == built, "{repository} {path}: {text}");
                unchanged += 1;
            }
        }
    }
    eprintln!(
        "{count} trees imported, {refused} have errors; a second import changed nothing in {unchanged}"
    );
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

/// What the import of a case writes: the manifest, the scripts beside it, the report and the proof.
///
/// A case whose name ends with `-exact` is the same tree once more, with only what means exactly the same.
fn written(folder: &Path) -> String {
    let name = folder.file_name().unwrap().to_str().unwrap();
    let exact = name.strip_suffix("-exact");
    let text = fs::read_to_string(folder.with_file_name(exact.unwrap_or(name)).join("tree.txt")).unwrap();
    let case = tree_text::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let root = scratch();
    case.make(root.path()).unwrap();
    let lower = root.path().join("lower");
    let lower = if lower.is_dir() { vec![lower] } else { Vec::new() };
    let tree =
        TreeToImport { lower, is_exact: exact.is_some(), ..TreeToImport::new(root.path().join("src")) };
    let tree = tree.read();
    if !tree.is_accepted() {
        let errors = tree.compilation.problems.iter().filter(|problem| problem.severity == Severity::Error);
        return errors.map(|problem| format!("{}\n", problem.message)).collect();
    }
    let migration = tree.migration();
    let mut out = migration.draft.text();
    for (path, file) in &migration.files {
        out += &format!("\n-- {path} --\n{}", String::from_utf8_lossy(&file.content));
    }
    let report = report_text(&migration.report, &tree.files);
    let proof = prove(&tree, &migration, &mut NoPrograms).unwrap();
    let twice = tree.migration().draft.text();
    assert_eq!(twice, migration.draft.text());
    format!("{out}\n-- report --\n{report}\n-- proof --\n{}", proof.text())
}

#[test]
fn every_shape_gets_its_manifest_and_report() {
    for folder in golden::cases("import") {
        golden::compare(&folder, &written(&folder));
    }
}

/// Scripts of which an array is made.
const ARRAYS: &[&str] = &[
    "#!/bin/sh\nexec dump a 'b c' \"d\" 'e f'\n",
    "#!/bin/sh -e\nexec 2>&1\ncd /usr\numask 027\nexport A='1 2' B=x\nexec dump --flag=x ''\n",
    "#!/bin/bash\nexport HOME=/tmp\nexec env X=1 dump 2>&1\n",
    "#!/usr/bin/env bash\n# A comment.\nset -eu\nexec dump '*' '$A' \"it's\"\n",
    "#!/command/execlineb -P\nfdmove -c 2 1\ndump \"a b\" '$A' \\x41\n",
];

/// What a program writes down: its arguments, environment, directory and umask, and whether both outputs are the same. The shell
/// adds the variables that are left out.
const DUMP: &str = "#!/bin/sh\nfor word; do echo \"word: $word\"; done\nenv | grep -v '^_=\\|^PWD=\\|^OLDPWD=\\|^SHLVL=' | sort\n\
    pwd\numask\ntest \"$(readlink /proc/$$/fd/1)\" = \"$(readlink /proc/$$/fd/2)\" && echo joined\nexit 0\n";

#[test]
fn an_array_hands_over_what_the_script_handed_to_its_program() {
    needs!("execline");
    for script in ARRAYS {
        let root = scratch();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        };
        write("bin/dump", DUMP);
        write("src/web/type", "longrun\n");
        write("src/web/run", script);
        let tree = TreeToImport::new(root.path().join("src")).read();
        let migration = tree.migration();
        let web = migration.draft.tables.iter().find(|table| table.path == ["longrun", "web"]).unwrap();
        let run = web.entries.iter().find(|entry| entry.key == ["run"]).unwrap();
        assert!(matches!(run.value, DraftValue::List(_)), "{script}");
        let proof = prove(&tree, &migration, &mut NoPrograms).unwrap();
        let built = render::tree(&proof.compilation.services).unwrap();
        let Some(TreeEntry::File { content, .. }) = built.get("etc/s6-rc/source/web/run") else {
            panic!("{built}")
        };
        write("new/run", str::from_utf8(content).unwrap());
        let output = |folder: &str| {
            let text = fs::read_to_string(root.path().join(folder).join("run")).unwrap();
            let mut command = match text.contains("execlineb -P\n") {
                true => Command::new("execlineb"),
                false => Command::new(root.path().join(folder).join("run")),
            };
            if text.contains("execlineb -P\n") {
                command.args(["-P", "./run"]);
            }
            let path = format!("{}:{}", root.path().join("bin").display(), std::env::var("PATH").unwrap());
            command.env_clear().env("PATH", path).env("HOME", "/root").current_dir(root.path().join(folder));
            let output = command.output().unwrap();
            let place = root.path().join(folder).display().to_string();
            // The execlineb of Debian puts the directory of its programs into PATH.
            let text = String::from_utf8(output.stdout).unwrap().replace("/usr/lib/execline/bin:", "");
            text.replace(&place, "SERVICE")
        };
        assert_eq!(output("src/web"), output("new"), "{script}");
        assert!(output("new").contains("PATH="), "{script}");
    }
}
