//! Tests `s6gen check --fix`: each fix is applied and checked again, and no file of anybody else is changed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use s6gen::diagnostic::{FixKind, Severity};
use s6gen::jobs::{Input, Level, Levels, rules, selection};
use s6gen::model::{Database, Index, System};
use s6gen::validate;

use crate::baseline::{check, said};
use crate::{case, golden, oracle, pages, require, tree_text};

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

/// A tree of a longrun `web` and something else.
macro_rules! tree {
    ($rest:literal) => {
        ("tree", concat!("-- web/type --\nlongrun\n-- web/run (mode 755) --\n#!/bin/sh\nexec web\n", $rest))
    };
}

/// Codes whose page has an example without a fix, or that have none, and one with a fix.
const EXAMPLES: &[(&str, (&str, &str))] = &[
    (
        "lint::version-two",
        ("toml", "[longrun.web]\nrun = ['web']\nfinish = 's6-svc -t /var/run/s6/services/web'\n"),
    ),
    (
        "levels::unused-allow",
        ("toml", "[longrun.web]\n# s6gen: allow not-exec: an old reason\nrun = ['web']\n"),
    ),
    ("levels::unknown-rule", ("toml", "[longrun.web]\nrun = ['web']\n[lints]\nnot-exce = 'warn'\n")),
    (
        "lint::logutil-as-user",
        (
            "toml",
            "[longrun.web]\nrun = ['web']\nproducer-for = 'log'\n[longrun.log]\n\
             run = ['s6-setuidgid', 'app', 'logutil-service', '/var/log/web']\n",
        ),
    ),
    (
        "lint::missing-script",
        (
            "tree",
            "-- web/type --\noneshot\n-- web/up --\n/etc/s6-overlay/s6-rc.d/web/setupp\n\
             -- web/setup (mode 755) --\n#!/bin/sh -e\nmkdir /data\n",
        ),
    ),
    ("manifest::wrong-type", ("toml", "[longrun.web]\nrun = ['web']\ntimeout-up = 30\n")),
    ("manifest::unknown-key", ("toml", "[longrun.web]\nrun = ['web']\ntimeout_up = '30s'\n")),
    ("manifest::unknown-signal", ("toml", "[longrun.web]\nrun = ['web']\ndown-signal = 'SIGTREM'\n")),
    (
        "manifest::unknown-parameter",
        (
            "toml",
            "[longrun.web]\nparameters = ['port']\ninstances.a = { prt = '80' }\n\
             run = ['web', '{{ port | default(80) }}']\n",
        ),
    ),
    (
        "overlay::unknown-version",
        ("toml", "[target]\ns6-overlay = 'v3.2.0.2'\n[longrun.web]\nrun = ['web']\n"),
    ),
    (
        "s6rc::unknown-service",
        (
            "toml",
            "[longrun.web]\nrun = ['web']\ndependencies = ['databse']\n[longrun.database]\nrun = ['db']\n",
        ),
    ),
    ("s6rc::invalid-type", ("tree", "-- web/type (CR LF) --\nbundle\n-- web/contents.d/ --\n")),
    ("lint::short-timeout", tree!("-- web/timeout-up --\n30\n")),
    ("s6rc::invalid-timeout", tree!("-- web/timeout-up --\n10s\n")),
    ("s6rc::invalid-number", tree!("-- web/max-death-tally (CR LF) --\n3\n")),
];

/// The rules whose fix changes what s6-rc compiles. An error has no database before its fix.
const CHANGE_THE_DATABASE: &[&str] = &[
    "lint::failure-hidden",
    "lint::hidden-list",
    "lint::missing-script",
    "lint::other-script",
    "lint::short-timeout",
    "lint::unknown-entry",
    "overlay::starts-early",
];

/// Levels under which the rule is reported, if it only advises.
fn levels(slug: &str) -> Levels {
    let mut levels = Levels::default();
    if rules().any(|code| code.slug() == slug && code.severity() == Severity::Advice) {
        levels.add(selection(slug).unwrap(), Level::Warn);
    }
    levels
}

/// The codes of all problems of an input, and what s6-rc compiles from it.
fn judged(input: &Input, levels: &Levels) -> (Vec<&'static str>, Option<serde_json::Value>) {
    let compilation = input.judge(&[], levels).1;
    let codes = compilation.problems.iter().map(|problem| problem.code.slug()).collect();
    let has_database = !compilation.problems.has_errors();
    (codes, has_database.then(|| Database::of(&Index::new(&compilation.services)).to_json()))
}

#[test]
fn the_fix_of_each_code_solves_its_problem_for_good() {
    let mut wrong = Vec::new();
    for code in validate::codes().filter(|code| code.fix_kind().is_some()) {
        let slug = code.slug();
        let example = EXAMPLES.iter().find(|(name, _)| *name == slug).map(|(_, example)| *example);
        let example = example.or_else(|| pages::example(code.explanation(), "Wrong"));
        let Some(example) = example else {
            wrong.push(format!("{slug}: no example"));
            continue;
        };
        let folder = tempfile::tempdir().unwrap();
        let input = pages::input(slug, example, folder.path());
        let levels = levels(slug);
        let mend = |is_bold| {
            let mut judge = || input.judge(&[], &levels);
            s6gen::jobs::fix(&input, is_bold, &mut judge).unwrap().len()
        };
        let (before, database) = judged(&input, &levels);
        let is_bold = code.fix_kind() == FixKind::Unsafe;
        let (count_of_safe, count) = (if is_bold { mend(false) } else { 0 }, mend(true));
        let (after, new_database) = judged(&input, &levels);
        let files = contents(folder.path());
        let again = mend(true);
        let is_same = database.is_none() || database == new_database;
        if before != [slug]
            || count == 0
            || count_of_safe != 0
            || !after.is_empty()
            || again != 0
            || files != contents(folder.path())
            || is_same == CHANGE_THE_DATABASE.contains(&slug)
        {
            wrong.push(format!(
                "{slug}: {before:?}, fixed {count_of_safe} and {count}, then {after:?}, again {again}, the database stays: {is_same}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_code_without_a_fix_has_a_reason() {
    for code in validate::codes() {
        let reason = code.fix_kind().reason();
        let is_short = |reason: &str| (10..80).contains(&reason.len()) && !reason.ends_with('.');
        assert!(reason.is_none_or(is_short), "{}: {reason:?}", code.slug());
    }
    let fixable = rules().filter(|code| code.fix_kind().is_some()).count();
    assert!(2 * fixable >= rules().count() - 5, "only {fixable} rules of {} have a fix", rules().count());
}

/// Fixes a copy of each tree of the cases. What compiled before compiles after, and in the same way if only rules
/// were broken whose fix does not change the database. If s6-rc-compile is on PATH, it decides that too.
#[test]
fn what_compiled_compiles_after_its_fix() {
    let is_real = require::has!("s6-rc");
    let mut fixed = 0;
    for path in golden::cases("tree") {
        let text = fs::read_to_string(path.join("tree.txt")).unwrap();
        let case = tree_text::parse(&text).unwrap();
        let roots: Vec<_> = (0..2).map(|_| case::scratch()).collect();
        for root in &roots {
            // Some names cannot be made, or need the rights of root.
            if case.make(root.path()).is_err() {
                continue;
            }
        }
        let sources = case.sources();
        let places = sources.iter().map(|source| roots[1].path().join(case::path(source)));
        let input = Input::Sources(places.collect());
        let codes = codes(&input);
        let count = mended(&input, true);
        fixed += count;
        let judge = |root: usize| case::judge_on_disk(roots[root].path(), &sources);
        let (before, after) = (judge(0), judge(1));
        let may_change = codes.iter().any(|code| CHANGE_THE_DATABASE.contains(code));
        let is_right = before.class != "ok" || after.class == "ok" && (may_change || before.db == after.db);
        assert!(is_right, "{}: {before:?}\n{after:?}", path.display());
        if is_real && count > 0 && case.fifos.is_empty() {
            let verdict = |root: usize| oracle::verdict(roots[root].path(), &case);
            let (before, real) = (verdict(0), verdict(1));
            let is_right =
                real.class == after.class && (before.class != "ok" || may_change || before.db == real.db);
            assert!(is_right, "{}: {before:?}\n{real:?}", path.display());
        }
    }
    assert!(fixed > 20, "{fixed}");
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

#[test]
fn a_difference_shows_what_is_made_and_moved() {
    let folder = tempfile::tempdir().unwrap();
    let tree = "-- tree/s6-rc.d/web/type --\nlongrun\n-- tree/s6-rc.d/web/run (mode 755) --\n#!/bin/sh\nexec web\n\
                -- tree/s6-rc.d/web/timeout_up --\n60000\n-- tree/s6-rc.d/user/contents.d/web --\n";
    tree_text::parse(tree).unwrap().make(folder.path()).unwrap();
    let before = contents(folder.path());
    let words = "--overlay 3.2.3.2 --tree tree --fix --unsafe";
    let (code, shown) = said(&check(folder.path(), &format!("{words} --diff")));
    for line in [
        "tree/s6-rc.d/web/dependencies.d/base is made, empty\n",
        "tree/s6-rc.d/web/timeout_up moves to tree/s6-rc.d/web/timeout-up\n",
        "tree/s6-rc.d/user moves to tree/s6-rc.d/../user-bundles.d/user\n",
    ] {
        assert!(code == 1 && shown.contains(line), "{line}{shown}");
    }
    assert_eq!(contents(folder.path()), before);
    let (code, told) = said(&check(folder.path(), words));
    assert_eq!(code, 0, "{told}");
    for path in
        ["s6-rc.d/web/dependencies.d/base", "s6-rc.d/web/timeout-up", "user-bundles.d/user/contents.d/web"]
    {
        assert!(folder.path().join("tree").join(path).is_file(), "{path}: {told}");
    }
    assert!(!folder.path().join("tree/s6-rc.d/user").exists());
}

#[test]
fn nothing_is_made_through_a_link_that_leads_out_of_the_tree() {
    let folder = tempfile::tempdir().unwrap();
    let tree = "-- tree/s6-rc.d/web/type --\nlongrun\n-- tree/s6-rc.d/web/run (mode 755) --\n#!/bin/sh\nexec web\n\
                -- tree/user-bundles.d/user/contents.d/web --\n-- other/keep --\n\
                -- tree/s6-rc.d/web/dependencies.d -> ../../../other --\n";
    tree_text::parse(tree).unwrap().make(folder.path()).unwrap();
    said(&check(folder.path(), "--overlay 3.2.3.2 --tree tree --fix --unsafe"));
    assert_eq!(fs::read_dir(folder.path().join("other")).unwrap().count(), 1);
}
