//! Tests `s6gen diff`. Each folder below `tests/cases/diff` has two systems, `old` and `new`, and the expected output.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use s6gen::compare::{Cause, Comparison, Detail, Effect, StartCause, restarts, running};
use s6gen::diagnostic::Files;
use s6gen::image::Setup;
use s6gen::install;
use s6gen::jobs::judge_image_for_comparison;
use s6gen::model::{File, Name, NodeKind, Settings, Snapshot};
use s6gen::source::{Mount, Union};
use s6gen::templates::Templates;
use s6gen::{compile, disk, render, snapshot, snapshot_of};
use serde_json::Value;

use crate::golden::{self, cases, compare};

fn diff(folder: &Path, arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_s6gen"));
    program.arg("diff").args(arguments).current_dir(folder).env_clear().stdin(Stdio::null());
    program.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The names of the two systems of a case.
fn systems(case: &Path) -> [&'static str; 2] {
    if case.join("old.toml").exists() { ["old.toml", "new.toml"] } else { ["old", "new"] }
}

#[test]
fn every_case_is_compared_in_services_and_settings() {
    for case in cases("diff") {
        let output = diff(&case, &systems(&case));
        assert_eq!(text(&output.stderr), "", "{}", case.display());
        let is_same = case.ends_with("same");
        assert_eq!(output.status.code(), Some(i32::from(!is_same)), "{}", case.display());
        compare(&case, &text(&output.stdout));
    }
}

#[test]
fn every_case_has_its_json() {
    for case in cases("diff") {
        let [old, new] = systems(&case);
        let output = diff(&case, &["--json", old, new]);
        let shape: Value = serde_json::from_slice(&output.stdout).unwrap();
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(&case);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        let pretty = serde_json::to_string_pretty(&shape).unwrap();
        settings.bind(|| insta::assert_snapshot!("json", pretty));
        assert_eq!(diff(&case, &["--format", "json", old, new]).stdout, output.stdout);
    }
}

#[test]
fn nothing_differs_from_itself() {
    for case in cases("diff") {
        for system in systems(&case) {
            let output = diff(&case, &[system, system]);
            assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
            assert!(text(&output.stdout).starts_with("unchanged"));
        }
    }
}

#[test]
fn a_manifest_and_the_tree_built_of_it_are_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut compared = 0;
    for case in cases("ok").into_iter().chain([folder.to_owned()]) {
        let mut files = Files::default();
        let file = golden::manifest(&case, fs::read(case.join("services.toml")).unwrap(), &mut files);
        let set = compile(&files, file).services;
        let tree = render::tree(&set).unwrap();
        let rendered = snapshot(&set, &Templates::default()).unwrap();
        let root = crate::case::scratch();
        install::install(&tree, root.path(), &set.target.tree).unwrap();
        let built = if set.target.system.is_overlay() {
            let opened = disk::SourceDirectory::open(root.path()).unwrap();
            let union = Union::new(vec![Mount::new("/", root.path(), opened)]).unwrap();
            let setup = Setup { is_partial: true, ..Setup::new(set.target.system) };
            judge_image_for_comparison(&mut Files::default(), &union, &setup, &[]).1
        } else {
            let place = root.path().join(set.target.tree.trim_start_matches('/'));
            snapshot_of(|| vec![disk::source(&place)])
        };
        let differences = s6gen::compare::differences(&rendered, &built);
        // A dependency that is added to another layer's service has no `type` in the tree.
        let is_other = |name: &Name| rendered.services[name].kind == NodeKind::Unknown;
        let real = differences.iter().filter(|difference| !is_other(&difference.name)).count();
        assert_eq!(real, 0, "{}: {differences:#?}", case.display());
        compared += rendered.services.len();
    }
    assert!(compared > 100, "only {compared} services");
}

#[test]
fn diff_reports_errors_like_check() {
    let folder = crate::case::scratch();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("good.toml", "[longrun.web]\nrun = [\"web\"]\n");
    write("bad.toml", "[longrun.web]\nrun = [\"web\"]\ndependencies = [\"missing\"]\n");
    fs::create_dir_all(folder.path().join("tree/web")).unwrap();
    for (other, code) in [
        ("bad.toml", "s6rc::unknown-service"),
        ("tree", "s6rc::type-missing"),
        ("gone", "manifest::unreadable"),
    ] {
        for arguments in [["good.toml", other], [other, "good.toml"]] {
            let output = diff(folder.path(), &arguments);
            assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(2), ""));
            assert!(text(&output.stderr).contains(code), "{}", text(&output.stderr));
        }
    }
    let output = diff(folder.path(), &["good.toml"; 3]);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(2), ""));
    for (arguments, code) in [
        (&["--root", "gone"][..], "live::no-manifest"),
        (&["--live", "gone", "good.toml"], "live::not-running"),
        (&["--live", "gone", "good.toml"], "s6gen diff OLD NEW"),
    ] {
        let output = diff(folder.path(), arguments);
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(3), ""));
        assert!(text(&output.stderr).contains(code), "{}", text(&output.stderr));
    }
}

#[test]
fn a_built_tree_is_read_as_init_does() {
    let folder = crate::case::scratch();
    fs::write(folder.path().join("services.toml"), "[longrun.web]\nrun = [\"web\"]\n").unwrap();
    let built = Command::new(env!("CARGO_BIN_EXE_s6gen"))
        .args(["build", "--root", "root"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(built.status.success());
    let overlay = "root/etc/s6-overlay";
    for arguments in [
        &[overlay, "services.toml"][..],
        &["services.toml", overlay],
        &["--overlay", "3.2.3.2", "root/etc/s6-overlay/s6-rc.d", "services.toml"],
    ] {
        let output = diff(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    }
}

/// A system of one service, `a`, which is up.
fn one(kind: NodeKind, change: impl Fn(&mut Settings)) -> Snapshot {
    let mut settings = Settings::new(kind);
    let executable = true;
    let run = b"#!/bin/execlineb -P\ns6-notifyoncheck\na\n".to_vec();
    settings.files.insert("run".into(), File { content: run.into(), executable });
    settings.up = vec![b"/etc/s6-rc/source/a/data/up".to_vec()].into();
    let script = b"#!/bin/sh\n. ./lib.sh\n".to_vec();
    settings.files.insert("data/up".into(), File { content: script.into(), executable });
    change(&mut settings);
    Snapshot { services: [(Name::from("a"), settings)].into() }
}

#[test]
fn only_settings_that_are_read_at_the_start_need_a_restart() {
    let is_restarted = |kind: NodeKind, change: &dyn Fn(&mut Settings)| {
        let (old, new) = (one(kind, |_| ()), one(kind, change));
        let up = running(&old, &[Name::from("a")]);
        assert_ne!(old, new);
        restarts(&old, &new, &up) == BTreeSet::from([Name::from("a")])
    };
    let needed = |kind: NodeKind, paths: &[&str], expected: bool| {
        for path in paths {
            let file = File { content: b"3\n".into(), executable: false };
            let change = |settings: &mut Settings| settings.files.insert((*path).into(), file.clone());
            assert_eq!(is_restarted(kind, &change), expected, "{path} of a {kind:?}");
        }
    };
    let (longrun, oneshot) = (NodeKind::Longrun, NodeKind::Oneshot);
    needed(
        longrun,
        &["run", "notification-fd", "lock-fd", "flag-newpidns", "env/A", "data/a", "template/run"],
        true,
    );
    needed(
        longrun,
        &["finish", "timeout-finish", "timeout-kill", "flag-timeout-killpg", "max-death-tally"],
        false,
    );
    needed(longrun, &["down-signal", "reload-signal", "data/check"], false);
    needed(oneshot, &["data/up", "data/lib.sh"], true);
    needed(oneshot, &["README", "data/down"], false);
    let comment = b"#!/bin/execlineb -P\n# what it is for\ns6-notifyoncheck\na\n".to_vec();
    assert!(!is_restarted(longrun, &|settings| {
        settings.files.get_mut("run").unwrap().content = comment.clone().into();
    }));
    let words = vec![b"true".to_vec()];
    assert!(is_restarted(oneshot, &|settings| settings.up = words.clone().into()));
    assert!(!is_restarted(oneshot, &|settings| settings.down = words.clone().into()));
    assert!(!is_restarted(oneshot, &|settings| settings.reload = words.clone().into()));
    for kind in [longrun, oneshot] {
        assert!(!is_restarted(kind, &|settings| settings.timeout_up = 1));
        assert!(!is_restarted(kind, &|settings| settings.timeout_down = 1));
        assert!(!is_restarted(kind, &|settings| settings.flag_essential = true));
        assert!(!is_restarted(kind, &|settings| settings.flag_recommended = true));
    }
}

/// `apply` compares and prints like `diff`, but with the stops and starts that s6-rc-update has reported.
#[test]
fn an_update_shows_the_names_of_changed_settings_and_the_reason() {
    let longrun = |run: &str, kill: &str| {
        let file = |content: &str| File { content: content.as_bytes().to_vec().into(), executable: false };
        let files = [("run", run), ("timeout-kill", kill)];
        let files = BTreeMap::from(files.map(|(path, content)| (path.to_owned(), file(content))));
        Settings { files: files.into(), ..Settings::new(NodeKind::Longrun) }
    };
    let snapshot = |services: &[(&str, Settings)]| Snapshot {
        services: services.iter().map(|(name, settings)| (Name::from(*name), settings.clone())).collect(),
    };
    let oneshot = Settings::new(NodeKind::Oneshot);
    let old = snapshot(&[
        ("db", longrun("1", "1")),
        ("late", longrun("1", "1")),
        ("prepare", oneshot.clone()),
        ("quiet", longrun("1", "1")),
        ("web", longrun("1", "1")),
        ("web-log", longrun("1", "1")),
    ]);
    let new = snapshot(&[
        ("api", longrun("1", "1")),
        ("api-log", longrun("1", "1")),
        ("db", longrun("2", "2")),
        ("late", longrun("1", "1")),
        ("prepare", oneshot),
        ("quiet", longrun("1", "1")),
        ("web", longrun("1", "2")),
        ("web-log", longrun("1", "1")),
    ]);
    let names = |names: &[&str]| -> BTreeSet<Name> { names.iter().copied().map(Name::from).collect() };
    let up = names(&["db", "prepare", "quiet", "web", "web-log"]);
    // An update that was killed has already replaced the scripts of `prepare`.
    let conversions = names(&["db", "prepare"]);
    let mut comparison = Comparison::without_effects(&old, &new, &up, &BTreeSet::new(), conversions);
    let needs = |name: &str| Effect::Restarted(Some(Cause::Dependency(name.into())));
    let effects = [
        ("api", Effect::Started(Some(StartCause::Boot))),
        ("api-log", Effect::Started(Some(StartCause::Boot))),
        ("db", Effect::Restarted(Some(Cause::Conversion))),
        ("late", Effect::Started(None)),
        ("prepare", Effect::Restarted(Some(Cause::Conversion))),
        ("s6rc-oneshot-runner", Effect::Started(None)),
        ("web", needs("db")),
        ("web-log", needs("db")),
    ];
    comparison.set_effects(effects.map(|(name, effect)| (name.into(), effect)).into());
    let expected = "\
added      api      longrun, started; its logger too
restarted  db       run, timeout-kill changed
restarted  prepare  an earlier update changed its scripts
restarted  web      timeout-kill changed; it needs `db`, which restarts
restarted  web-log  it needs `db`, which restarts
started    late
unchanged  1
";
    assert_eq!(s6gen::compare::text(&comparison, Detail::Names), expected);
}

#[test]
fn the_page_on_updates_shows_the_real_dry_run() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = diff(&folder.join("tests/cases/diff/readme"), &["old.toml", "new.toml"]);
    let page = fs::read_to_string(folder.join("docs/updates.md")).unwrap();
    let shown = format!("\n```text\n{}```\n", text(&output.stdout));
    assert!(page.contains(&shown), "{shown}");
}

#[test]
fn start_bundles_of_the_overlay_make_no_difference() {
    let folder = crate::case::scratch();
    let folder = folder.path();
    let versions = ["3.1.6.2", "3.2.3.0"];
    for version in versions {
        let manifest = format!("[target]\ns6-overlay = \"{version}\"\n[longrun.web]\nrun = [\"web\"]\n");
        fs::write(folder.join(format!("{version}.toml")), manifest).unwrap();
        let root = format!("root-{version}");
        fs::create_dir(folder.join(&root)).unwrap();
        let mut build = Command::new(env!("CARGO_BIN_EXE_s6gen"));
        build.args(["build", "-m", &format!("{version}.toml"), "--root", &root]).current_dir(folder);
        assert!(build.output().unwrap().status.success());
    }
    let sides = versions.map(|version| [format!("{version}.toml"), format!("root-{version}/etc/s6-overlay")]);
    for old in sides.as_flattened() {
        for new in sides.as_flattened() {
            let output = diff(folder, &[old, new]);
            assert_eq!(output.status.code(), Some(0), "{old} {new}: {}", text(&output.stdout));
        }
    }
}

#[test]
fn services_of_another_layer_can_be_named() {
    let folder = crate::case::scratch();
    let place = folder.path().join("tree/a/dependencies.d");
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("nginx"), "").unwrap();
    fs::write(folder.path().join("tree/a/type"), "oneshot\n").unwrap();
    fs::write(folder.path().join("tree/a/up"), "true\n").unwrap();
    let unknown = diff(folder.path(), &["tree", "tree"]);
    assert_eq!(unknown.status.code(), Some(2), "{}", text(&unknown.stdout));
    let known = diff(folder.path(), &["--external", "nginx", "tree", "tree"]);
    assert_eq!(known.status.code(), Some(0), "{}", text(&known.stderr));
}
