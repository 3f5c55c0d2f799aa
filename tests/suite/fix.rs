//! Tests `s6gen check --fix`: each fix is applied and checked again, and no file of anybody else is changed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use s6gen::jobs::{Input, rules};
use s6gen::model::System;

use crate::baseline::{check, said};
use crate::pages;
use crate::tree_text;

/// The codes of all problems of an input.
fn codes(input: &Input) -> Vec<&'static str> {
    let problems = input.judge(&[], &Default::default()).1.problems;
    problems.iter().map(|problem| problem.code.slug()).collect()
}

fn mended(input: &Input, is_bold: bool) -> usize {
    s6gen::jobs::fix(input, is_bold, &mut || input.judge(&[], &Default::default())).unwrap().len()
}

/// Every file below a folder, with its mode.
fn contents(folder: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            found.insert(path.display().to_string(), (mode, fs::read(&path).unwrap()));
        }
    }
    found
}

/// Rules whose page has an example without a fix, or that have none, and one with a fix.
const EXAMPLES: &[(&str, (&str, &str))] = &[
    (
        "lint::version-two",
        ("toml", "[longrun.web]\nrun = ['web']\nfinish = 's6-svc -t /var/run/s6/services/web'\n"),
    ),
    (
        "levels::unused-allow",
        ("toml", "[longrun.web]\n# s6gen: allow not-exec: an old reason\nrun = ['web']\n"),
    ),
];

#[test]
fn the_fix_of_each_rule_solves_its_problem_for_good() {
    let mut wrong = Vec::new();
    for code in rules().filter(|code| code.has_fix()) {
        let slug = code.slug();
        let example = EXAMPLES.iter().find(|(name, _)| *name == slug).map(|(_, example)| *example);
        let example = example.or_else(|| pages::example(code.explanation(), "Wrong")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let input = pages::input(slug, example, folder.path());
        let before = codes(&input);
        let count = mended(&input, true);
        let (after, files) = (codes(&input), contents(folder.path()));
        let again = mended(&input, true);
        if before != [slug]
            || count == 0
            || !after.is_empty()
            || again != 0
            || files != contents(folder.path())
        {
            wrong.push(format!("{slug}: {before:?}, fixed {count}, then {after:?}, again {again}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_manifest_keeps_its_comments_and_what_is_not_certain() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("services.toml");
    let text = |version: &str, list: &str, limit: &str| {
        format!(
            "# First.\n[target]\ns6-overlay = \"{version}\" # which\n[longrun.web]\nrun = 'web'\n{list} = [\n  'db', # why\n]\n\
             {limit} = '3s'\n[longrun.db]\nrun = 'db'\n"
        )
    };
    fs::write(&manifest, text("v3.2.0.2", "depends_on", "timout-kill")).unwrap();
    let (code, shown) = said(&check(folder.path(), "--fix --diff"));
    assert!(
        code == 1 && shown.contains("-s6-overlay = \"v3.2.0.2\" # which\n+s6-overlay = \"3.2.0.2\" # which"),
        "{shown}"
    );
    assert_eq!(fs::read_to_string(&manifest).unwrap(), text("v3.2.0.2", "depends_on", "timout-kill"));
    let (code, told) = said(&check(folder.path(), "--fix"));
    assert!(
        code == 1 && told.contains("fixed services.toml:6: `[longrun.web]` has no key `depends_on`\n"),
        "{told}"
    );
    assert_eq!(fs::read_to_string(&manifest).unwrap(), text("3.2.0.2", "dependencies", "timout-kill"));
    let (code, told) = said(&check(folder.path(), "--fix --unsafe"));
    assert_eq!(code, 0, "{told}");
    assert_eq!(fs::read_to_string(&manifest).unwrap(), text("3.2.0.2", "dependencies", "timeout-kill"));
    assert_eq!(said(&check(folder.path(), "--fix --diff")), (0, String::new()));
}

#[test]
fn a_key_that_is_there_already_is_not_written_twice() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("services.toml");
    let text =
        "[longrun.web]\nrun = 'web'\ndependencies = []\ndepends_on = ['db']\n[longrun.db]\nrun = 'db'\n";
    fs::write(&manifest, text).unwrap();
    let (code, told) = said(&check(folder.path(), "--fix --unsafe"));
    assert!(code == 1 && !told.contains("fixed"), "{told}");
    assert_eq!(fs::read_to_string(&manifest).unwrap(), text);
}

#[test]
fn a_silenced_problem_and_standard_input_are_not_mended() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("services.toml");
    let text = "[longrun.web]\n# s6gen: allow with-contenv-twice\nrun = ['with-contenv', 'web']\nenvironment.A = 'b'\n";
    fs::write(&manifest, text).unwrap();
    assert_eq!(said(&check(folder.path(), "--fix --unsafe")).0, 0);
    assert_eq!(fs::read_to_string(&manifest).unwrap(), text);
    assert_eq!(said(&check(folder.path(), "-m - --fix")).0, 2);
    assert_eq!(said(&check(folder.path(), "--root . --fix")).0, 2);
}

#[test]
fn a_difference_does_not_show_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[longrun.web]\nrun = ['with-contenv', 'web']\nenvironment.KEY = 'geheim'\n";
    fs::write(folder.path().join("services.toml"), text).unwrap();
    let (code, shown) = said(&check(folder.path(), "--fix --diff"));
    assert!(code == 1 && shown.contains("+run = ['web']") && !shown.contains("geheim"), "{shown}");
}

const WRONG_SCRIPT: &str = "\n#!/bin/sh\nexec web\n";

#[test]
fn only_files_of_the_tree_are_changed() {
    let folder = tempfile::tempdir().unwrap();
    for service in ["tree/own", "tree/linked", "tree/folder", "layer/below", "other"] {
        fs::create_dir_all(folder.path().join(service)).unwrap();
    }
    for service in ["tree/own", "tree/linked", "layer/below", "other"] {
        fs::write(folder.path().join(service).join("type"), "longrun\n").unwrap();
    }
    for service in ["tree/own", "layer/below", "other"] {
        let run = folder.path().join(service).join("run");
        fs::write(&run, WRONG_SCRIPT).unwrap();
        fs::set_permissions(run, fs::Permissions::from_mode(0o751)).unwrap();
    }
    symlink("../../other/run", folder.path().join("tree/linked/run")).unwrap();
    fs::remove_dir(folder.path().join("tree/folder")).unwrap();
    symlink("../other", folder.path().join("tree/folder")).unwrap();
    let before = contents(folder.path());
    let input = Input::Layers {
        system: System::overlay("3.2.3.2").unwrap(),
        lower: vec![folder.path().join("layer")],
        tree: Some(folder.path().join("tree")),
        bundle_dir: None,
    };
    assert!(mended(&input, true) >= 1);
    let after = contents(folder.path());
    let changed: Vec<&String> = after.keys().filter(|path| before.get(*path) != after.get(*path)).collect();
    let run = folder.path().join("tree/own/run").display().to_string();
    assert_eq!(changed, [&run]);
    assert_eq!(after[&run], (0o100751, b"#!/bin/sh\nexec web\n".to_vec()));
    assert!(folder.path().join("tree/linked/run").is_symlink());
}

#[test]
fn the_first_line_of_a_script_becomes_one_that_starts() {
    for (wrong, right) in [
        ("#!/bin/sh\r\nexec web\r\n", "#!/bin/sh\nexec web\n"),
        ("\u{feff}#!/bin/sh\nexec web\n", "#!/bin/sh\nexec web\n"),
        ("# The server.\n\n#!/bin/sh\nexec web\n", "#!/bin/sh\n# The server.\nexec web\n"),
        ("#!/usr/bin/env bash -e\nexec web\n", "#!/usr/bin/env bash\nset -e\nexec web\n"),
        ("#!/usr/bin/env python3 -u\nweb()\n", "#!/usr/bin/env -S python3 -u\nweb()\n"),
        (
            "#!/command/with-contenv bash -e\r\nexec web\r\n",
            "#!/command/with-contenv bash\nset -e\nexec web\n",
        ),
        ("#!/usr/bin/env A=$B bash\nexec web\n", "#!/usr/bin/env A=$B bash\nexec web\n"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let tree = "-- web/type --\nlongrun\n-- web/run --\n#!/bin/sh\n";
        let sources = folder.path().join("sources");
        fs::create_dir(&sources).unwrap();
        tree_text::parse(tree).unwrap().make(&sources).unwrap();
        fs::write(sources.join("web/run"), wrong).unwrap();
        mended(&Input::Sources(vec![sources.clone()]), true);
        assert_eq!(fs::read_to_string(sources.join("web/run")).unwrap(), right, "{wrong:?}");
    }
}

#[test]
fn a_similar_name_is_written_everywhere_in_its_quotes() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("services.toml");
    let text = |name: &str| {
        let service =
            |own: &str| format!("[longrun.{own}]\nrun = 'web'\ndependencies = ['{name}', \"{name}\"]\n");
        format!(
            "[longrun.database]\nrun = 'db'\n{}[bundle.all]\ncontents = [\"{name}\"] # all\n",
            service("a")
        )
    };
    fs::write(&manifest, text("databse")).unwrap();
    let (code, told) = said(&check(folder.path(), "--fix"));
    assert!(code == 1 && !told.contains("fixed"), "{told}");
    said(&check(folder.path(), "--fix --unsafe"));
    assert_eq!(fs::read_to_string(&manifest).unwrap(), text("database"));
}

#[test]
fn an_option_that_stays_replaces_the_one_that_does_not() {
    for (wrong, right) in [
        ("run = ['redis-server', '--daemonize', 'yes']", "run = ['redis-server', '--daemonize', 'no']"),
        ("run = 'redis-server --port 1 --daemonize yes'", "run = 'redis-server --port 1 --daemonize no'"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let manifest = folder.path().join("services.toml");
        fs::write(&manifest, format!("[longrun.cache]\n{wrong} # why\n")).unwrap();
        let (code, told) = said(&check(folder.path(), "--fix"));
        assert_eq!(code, 0, "{told}");
        assert_eq!(fs::read_to_string(&manifest).unwrap(), format!("[longrun.cache]\n{right} # why\n"));
    }
}
