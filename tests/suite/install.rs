//! Tests the installation of a tree: the files that are written, kept, replaced and removed, and the state after a failure.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use s6gen::diagnostic::Code;
use s6gen::disk::read_manifest;
use s6gen::install::{InstallError, Installed, LockedSite, PathState, Prune, compare, install};
use s6gen::tree::SourceTree;
use tempfile::TempDir;

use crate::killed::{self, moments};
use crate::require::{self, is_root, needs, say, skip, succeeds, this_test, unshare};
use crate::supervise::eventually;

const SV: &str = "etc/s6-overlay/sv";
const LINKS: &str = "etc/s6-overlay/s6-rc.d";
const MARKERS: &str = "etc/s6-overlay/user-bundles.d/user/contents.d";

fn longrun(tree: &mut SourceTree, name: &str, run: &str) {
    tree.directory(format!("{SV}/{name}"));
    tree.file(format!("{SV}/{name}/type"), "longrun\n", false);
    tree.file(format!("{SV}/{name}/run"), run, true);
    tree.link(format!("{LINKS}/{name}"), format!("../sv/{name}"));
}

/// The tree before a change. Together with `new` it has every kind of change.
fn old() -> SourceTree {
    let mut tree = SourceTree::default();
    longrun(&mut tree, "web", "#!/bin/sh\nexec old\n");
    longrun(&mut tree, "gone", "#!/bin/sh\nexec gone\n");
    longrun(&mut tree, "same", "#!/bin/sh\nexec same\n");
    tree.file(format!("{SV}/gone/dependencies.d/web"), "", false);
    tree.file(format!("{SV}/web/data/a"), "a", false);
    tree.file(format!("{SV}/web/data/deep/b"), "b", false);
    tree.file(format!("{SV}/web/env"), "a file\n", false);
    tree.link(format!("{SV}/web/link"), "data");
    tree.link(format!("{SV}/web/to"), "here");
    tree.file(format!("{SV}/web/mode"), "m", false);
    tree.file(format!("{MARKERS}/default"), "", false);
    tree
}

fn new() -> SourceTree {
    let mut tree = SourceTree::default();
    longrun(&mut tree, "web", "#!/bin/sh\nexec new\n");
    longrun(&mut tree, "same", "#!/bin/sh\nexec same\n");
    longrun(&mut tree, "added", "#!/bin/sh\nexec added\n");
    // In the order of the bytes these come between a directory and what it holds.
    longrun(&mut tree, "added-log", "#!/bin/sh\nexec log\n");
    tree.file(format!("{SV}/added/data-x"), "x", true);
    tree.file(format!("{SV}/added/data/deep/a"), "a", false);
    tree.file(format!("{SV}/added/data/deep-b"), "b", false);
    tree.link(format!("{SV}/added/data/deep/c"), "../deep-b");
    tree.file(format!("{SV}/web/data"), "was a directory\n", false);
    tree.file(format!("{SV}/web/env/NAME"), "was a file\n", false);
    tree.file(format!("{SV}/web/link/x"), "was a link\n", false);
    tree.link(format!("{SV}/web/to"), "there");
    tree.file(format!("{SV}/web/mode"), "m", true);
    tree.directory(format!("{SV}/web/empty"));
    tree.file("etc/s6-overlay/user-bundles.d/user2/contents.d/late", "", false);
    tree
}

fn tree_named(name: &str) -> SourceTree {
    match name {
        "old" => old(),
        "new" => new(),
        _ => panic!("no such tree: {name}"),
    }
}

fn build(tree: &SourceTree, root: &Path) -> Result<Installed, InstallError> {
    install(tree, root, "/etc/s6-overlay/sv")
}

fn codes(error: &InstallError) -> Vec<Code> {
    error.diagnostics().iter().map(|d| d.code).collect()
}

fn write(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Everything below `root`: kind, permissions, content.
pub fn look(root: &Path) -> BTreeMap<String, String> {
    fn walk(root: &Path, at: &Path, all: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let mode = metadata.mode() & 0o7777;
            let what = if metadata.is_dir() {
                walk(root, &path, all);
                format!("directory {mode:o}")
            } else if metadata.is_symlink() {
                format!("-> {}", fs::read_link(&path).unwrap().display())
            } else {
                format!("file {mode:o} {}", String::from_utf8_lossy(&fs::read(&path).unwrap()))
            };
            all.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), what);
        }
    }
    let mut all = BTreeMap::new();
    if root.is_dir() {
        walk(root, root, &mut all);
    }
    all
}

/// The result of [`look`], each entry with the time of its last change.
pub fn look_with_times(root: &Path) -> BTreeMap<String, (String, (i64, i64))> {
    let stamp = |path: &str| {
        let metadata = fs::symlink_metadata(root.join(path)).unwrap();
        (metadata.ctime(), metadata.ctime_nsec())
    };
    look(root).into_iter().map(|(path, what)| (path.clone(), (what, stamp(&path)))).collect()
}

/// The files after a first build of `tree` in a root in which `prepare` has put files.
fn expected(tree: &SourceTree, prepare: impl Fn(&Path)) -> BTreeMap<String, String> {
    let root = TempDir::new().unwrap();
    prepare(root.path());
    build(tree, root.path()).unwrap();
    look(root.path())
}

pub fn this_binary(test: &str) -> Vec<String> {
    let exe = std::env::current_exe().unwrap();
    let exe = exe.to_str().unwrap();
    [exe, "--exact", test, "--nocapture", "--test-threads=1"].map(str::to_owned).to_vec()
}

/// A command that builds the tree of that name in a process of its own.
fn child(tree: &str, root: &Path) -> Command {
    let file = killed::file_of(&format!("disk-{tree}"), &tree_named(tree));
    let mut command = killed::install(&file, root, Prune::Now);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub fn output_text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Returns true in a separate mount name space, in which a test may mount things. Outside of one it runs `test` again in
/// one, or reports that it cannot.
pub fn in_own_mounts(test: &str) -> bool {
    if std::env::var_os("S6GEN_TEST_MOUNTS").is_some() {
        // Temporary directories with mounts cannot be removed. On this tmpfs they disappear together with the name space.
        assert!(mount(&["-t", "tmpfs", "none"], &std::env::temp_dir()));
        return true;
    }
    if !require::all(test, &["mounts"]) {
        return false;
    }
    let unshare = unshare();
    // A separate place, because this program itself may be in the usual one.
    let scratch = TempDir::new().unwrap();
    let output = Command::new(unshare[0])
        .args(&unshare[1..])
        .args(this_binary(test))
        .env("S6GEN_TEST_MOUNTS", "1")
        .env("TMPDIR", scratch.path())
        .output()
        .unwrap();
    std::io::stderr().write_all(&output.stderr).unwrap();
    assert!(output.status.success(), "{}", output_text(&output));
    false
}

pub fn mount(words: &[&str], place: &Path) -> bool {
    Command::new("mount").args(words).arg(place).status().is_ok_and(|status| status.success())
}

#[test]
fn a_first_build_makes_the_tree_with_its_modes_whatever_the_umask() {
    let root = TempDir::new().unwrap();
    let place = root.path().join("not/yet/there");
    let build = child("new", &place);
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 077; exec \"$@\"", "sh"]).arg(build.get_program()).args(build.get_args());
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{}", output_text(&output));
    let there = look(&place);
    for (path, entry) in new().entries() {
        let what = match entry {
            s6gen::tree::TreeEntry::Directory => "directory 755".to_owned(),
            s6gen::tree::TreeEntry::Link(target) => format!("-> {target}"),
            s6gen::tree::TreeEntry::File { content, executable } => format!(
                "file {} {}",
                if *executable { "755" } else { "644" },
                String::from_utf8_lossy(content)
            ),
        };
        assert_eq!(there.get(path), Some(&what), "{path}");
    }
    assert!(there.values().filter(|what| what.starts_with("directory")).all(|what| what == "directory 755"));
    assert!(!there.contains_key(&format!("{SV}/.s6gen.new")));
    let receipt = fs::read_to_string(place.join(SV).join(".s6gen")).unwrap();
    assert!(receipt.starts_with("# s6gen receipt 1: "), "{receipt}");
    assert!(receipt.contains(&format!("\n{SV}/web/\n{SV}/web/data\n")), "{receipt}");
    assert!(!receipt.contains("\netc/\n") && !receipt.contains(&format!("\n{SV}/\n")), "{receipt}");
}

#[test]
fn a_foreign_definition_is_never_overwritten() {
    let root = TempDir::new().unwrap();
    write(root.path(), &format!("{SV}/web/type"), "oneshot\n");
    write(root.path(), &format!("{SV}/web/run"), "theirs");
    write(root.path(), &format!("{LINKS}/added/type"), "bundle\n");
    write(root.path(), &format!("{SV}/same"), "a file");
    let before = look_with_times(root.path());
    let error = build(&new(), root.path()).unwrap_err();
    assert_eq!(codes(&error), [Code::ForeignDefinition; 3], "{error}");
    let text = error.to_string();
    for path in ["s6-rc.d/added", "sv/same", "sv/web"] {
        assert!(text.contains(path), "{text}");
    }
    assert_eq!(look_with_times(root.path()), before);
}

#[test]
fn a_foreign_definition_stays_foreign_even_if_none_of_its_files_is_in_the_way() {
    let root = TempDir::new().unwrap();
    write(root.path(), &format!("{SV}/web/type"), "longrun\n");
    let error = build(&new(), root.path()).unwrap_err();
    assert_eq!(codes(&error), [Code::ForeignDefinition]);
}

#[test]
fn every_foreign_file_in_the_way_is_named_and_nothing_is_written() {
    let root = TempDir::new().unwrap();
    build(&old(), root.path()).unwrap();
    write(root.path(), &format!("{SV}/web/data/mine"), "mine");
    write(root.path(), &format!("{SV}/web/empty"), "mine");
    write(root.path(), "etc/s6-overlay/user-bundles.d/user2/contents.d/late", "mine");
    let before = look_with_times(root.path());
    let error = build(&new(), root.path()).unwrap_err();
    assert_eq!(codes(&error), [Code::ForeignFile; 3], "{error}");
    let text = error.to_string();
    for path in ["web/data/mine", "web/empty", "contents.d/late"] {
        assert!(text.contains(path), "{text}");
    }
    assert_eq!(look_with_times(root.path()), before);
}

#[test]
fn files_that_already_have_the_right_content_are_adopted() {
    let root = TempDir::new().unwrap();
    build(&new(), root.path()).unwrap();
    let before = look(root.path());
    fs::remove_file(root.path().join(SV).join(".s6gen")).unwrap();
    let done = build(&new(), root.path()).unwrap();
    assert_eq!((done.written, done.removed), (0, 0));
    // The directories of the markers exist, and no receipt lists them any more.
    let own_only = |text: &str| !text.contains("user-bundles.d") || text.ends_with("late");
    let lines = |all: &BTreeMap<String, String>| -> Vec<String> {
        all[&format!("{SV}/.s6gen")].lines().filter(|line| own_only(line)).map(str::to_owned).collect()
    };
    assert!(lines(&look(root.path())).contains(&format!("{SV}/web/env/")));
    assert!(
        lines(&before)
            .iter()
            .all(|line| lines(&look(root.path())).contains(line) || line.ends_with("s6-rc.d/"))
    );
}

#[test]
fn definitions_beside_ours_and_shared_directories_stay() {
    let root = TempDir::new().unwrap();
    write(root.path(), &format!("{SV}/theirs/type"), "longrun\n");
    write(root.path(), &format!("{LINKS}/theirs/type"), "longrun\n");
    fs::create_dir_all(root.path().join(MARKERS)).unwrap();
    let mode = fs::Permissions::from_mode(0o700);
    fs::set_permissions(root.path().join(MARKERS), mode).unwrap();
    let before = look(root.path());
    // A marker of ours in the definition of another layer makes that service wait for ours.
    let mut tree = old();
    tree.file(format!("{LINKS}/theirs/dependencies.d/web"), "", false);
    build(&tree, root.path()).unwrap();
    let done = build(&SourceTree::default(), root.path()).unwrap();
    assert_eq!(done.removed_services, ["gone", "same", "web"]);
    let mut after = look(root.path());
    after.remove(&format!("{SV}/.s6gen"));
    assert_eq!(after, before);
}

#[test]
fn a_users_file_in_a_directory_of_ours_is_kept_and_reported() {
    let root = TempDir::new().unwrap();
    build(&old(), root.path()).unwrap();
    let mine = format!("{SV}/gone/dependencies.d/mine");
    write(root.path(), &mine, "mine");
    for _ in 0..2 {
        let done = build(&new(), root.path()).unwrap();
        assert_eq!(done.kept, [mine.as_str()]);
        assert!(compare(&new(), root.path(), SV).unwrap().is_empty());
    }
    assert_eq!(fs::read_to_string(root.path().join(&mine)).unwrap(), "mine");
    assert!(!root.path().join(SV).join("gone/type").exists());

    fs::remove_file(root.path().join(&mine)).unwrap();
    build(&new(), root.path()).unwrap();
    assert_eq!(look(root.path()), expected(&new(), |root| drop(build(&old(), root))));
    assert!(!root.path().join(SV).join("gone").exists());
}

#[test]
fn a_second_build_writes_nothing_and_keeps_all_times() {
    let root = TempDir::new().unwrap();
    let first = build(&new(), root.path()).unwrap();
    let before = look_with_times(root.path());
    let second = build(&new(), root.path()).unwrap();
    assert_eq!(look_with_times(root.path()), before);
    assert_eq!((second.written, second.removed), (0, 0));
    assert!(second.unchanged > 0 && first.written >= second.unchanged, "{first:?} {second:?}");
}

#[test]
fn a_changed_content_leaves_the_receipt_and_all_other_files_alone() {
    let root = TempDir::new().unwrap();
    build(&new(), root.path()).unwrap();
    let before = look_with_times(root.path());
    let mut tree = new();
    tree.file(format!("{SV}/same/run"), "#!/bin/sh\nexec other\n", true);
    assert_eq!(build(&tree, root.path()).unwrap().written, 1);
    let after = look_with_times(root.path());
    let changed: Vec<_> =
        before.iter().filter(|(path, what)| after[*path] != **what).map(|(p, _)| p).collect();
    let (sv, same, run) = (SV.to_owned(), format!("{SV}/same"), format!("{SV}/same/run"));
    assert_eq!(changed, [&sv, &same, &run]);
}

#[test]
fn entries_change_their_kind_and_removed_services_are_pruned() {
    let root = TempDir::new().unwrap();
    for (there, next, removed) in [(old(), new(), &["gone"][..]), (new(), old(), &["added-log", "added"])] {
        build(&there, root.path()).unwrap();
        let done = build(&next, root.path()).unwrap();
        assert_eq!(done.removed_services, removed);
        assert_eq!(look(root.path()), expected(&next, |_| {}));
    }
}

#[test]
fn removed_definitions_stay_complete_until_a_later_installation_removes_them() {
    let root = TempDir::new().unwrap();
    build(&old(), root.path()).unwrap();
    let before = look(root.path());
    let gone = |all: &BTreeMap<String, String>| -> BTreeMap<String, String> {
        all.iter()
            .filter(|(path, _)| path.starts_with(&format!("{SV}/gone")))
            .map(|(p, w)| (p.clone(), w.clone()))
            .collect()
    };
    {
        let place = LockedSite::lock(root.path(), SV).unwrap();
        assert_eq!(place.compare(&new()).unwrap(), compare(&new(), root.path(), SV).unwrap());
        let done = place.install(&new(), Prune::Later).unwrap();
        assert_eq!((&done.postponed[..], &done.removed_services[..]), (&["gone".to_owned()][..], &[][..]));
        let there = look(root.path());
        assert_eq!(gone(&there), gone(&before));
        assert!(!there.contains_key(&format!("{LINKS}/gone")));
        let times = look_with_times(root.path());
        let again = place.install(&new(), Prune::Later).unwrap();
        assert_eq!((again.written, again.removed, &again.postponed[..]), (0, 0, &["gone".to_owned()][..]));
        assert_eq!(look_with_times(root.path()), times);
        let left = place.compare(&new()).unwrap();
        let of_gone = |path: &str| path.contains("/gone") || path.ends_with(".s6gen");
        assert!(!left.is_empty() && left.iter().all(|d| of_gone(&d.path)), "{left:?}");
        assert_eq!(place.install(&new(), Prune::Now).unwrap().removed_services, ["gone"]);
        assert_eq!(look(root.path()), expected(&new(), |_| {}));
    }
    // A postponed definition comes back unchanged, or an ordinary build removes it.
    LockedSite::lock(root.path(), SV).unwrap().install(&old(), Prune::Later).unwrap();
    build(&new(), root.path()).unwrap();
    assert_eq!(look(root.path()), expected(&new(), |_| {}));
    for back in [old(), SourceTree::default()] {
        build(&old(), root.path()).unwrap();
        LockedSite::lock(root.path(), SV).unwrap().install(&new(), Prune::Later).unwrap();
        build(&back, root.path()).unwrap();
        assert_eq!(look(root.path()), expected(&back, |root| drop(build(&old(), root))));
    }
}

#[test]
fn a_lock_that_wrote_nothing_leaves_nothing() {
    let root = TempDir::new().unwrap();
    let place = LockedSite::lock(root.path(), SV).unwrap();
    assert!(place.compare(&new()).unwrap().len() > 10);
    drop(place);
    assert!(look(root.path()).is_empty());
}

#[test]
fn compare_lists_what_a_build_would_change_and_writes_nothing() {
    let root = TempDir::new().unwrap();
    let all = compare(&new(), root.path(), SV).unwrap();
    assert!(!all.is_empty() && all.iter().all(|d| d.state == PathState::Missing));
    assert!(look(root.path()).is_empty());

    build(&old(), root.path()).unwrap();
    let before = look_with_times(root.path());
    let all: Vec<(String, PathState)> =
        compare(&new(), root.path(), SV).unwrap().into_iter().map(|d| (d.path, d.state)).collect();
    for (path, state) in [
        ("web/run", PathState::Content),
        ("web/data", PathState::Kind),
        ("web/data/a", PathState::LeftOver),
        ("web/env", PathState::Kind),
        ("web/env/NAME", PathState::Missing),
        ("web/link", PathState::Kind),
        ("web/to", PathState::Content),
        ("web/mode", PathState::Executable),
        ("gone", PathState::LeftOver),
        ("added", PathState::Missing),
        (".s6gen", PathState::Content),
    ] {
        assert!(all.contains(&(format!("{SV}/{path}"), state)), "{path}: {all:?}");
    }
    assert!(!all.iter().any(|(path, _)| path.contains("same")), "{all:?}");
    assert_eq!(look_with_times(root.path()), before);

    build(&new(), root.path()).unwrap();
    assert_eq!(compare(&new(), root.path(), SV).unwrap(), []);
    // A build repairs permissions that git does not keep, and `compare` does not report them.
    fs::set_permissions(root.path().join(SV).join("web"), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(compare(&new(), root.path(), SV).unwrap(), []);
    let strict = || LockedSite::lock(root.path(), SV).unwrap().compare(&new()).unwrap();
    assert_eq!(strict().iter().map(|d| d.state).collect::<Vec<_>>(), [PathState::Mode]);
    build(&new(), root.path()).unwrap();
    assert_eq!(strict(), []);
}

#[test]
fn a_file_where_the_output_should_go_is_named() {
    let root = TempDir::new().unwrap();
    write(root.path(), "etc", "a file");
    let error = build(&new(), root.path()).unwrap_err();
    assert_eq!(codes(&error), [Code::ForeignFile], "{error}");
    let error = build(&new(), &root.path().join("etc")).unwrap_err();
    assert_eq!(codes(&error), [Code::OutputRefused], "{error}");
    assert!(error.to_string().contains("etc`"), "{error}");
    assert_eq!(look(root.path()).len(), 1);
}

#[test]
fn a_directory_that_may_not_be_written_refuses_and_loses_nothing() {
    let root = TempDir::new().unwrap();
    build(&old(), root.path()).unwrap();
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let set = |mode| fs::set_permissions(root.path().join(SV), fs::Permissions::from_mode(mode)).unwrap();
    if !is_root() {
        set(0o555);
    }
    let as_nobody = |tree: &str| {
        let mut command = child(tree, root.path());
        if is_root() {
            command.uid(65534).gid(65534);
        }
        command.output().unwrap()
    };
    if as_nobody("old").status.code() != Some(0) {
        return skip(this_test!(), "users", "others may not execute the test binary");
    }
    let before = look_with_times(root.path());
    let output = as_nobody("new");
    assert_eq!(output.status.code(), Some(3), "{}", output_text(&output));
    let text = output_text(&output);
    assert!(text.contains("OutputRefused") && text.contains("permission denied"), "{text}");
    assert_eq!(look_with_times(root.path()), before);
    set(0o755);
}

#[test]
fn a_read_only_file_system_refuses_and_loses_nothing() {
    if !in_own_mounts(this_test!()) {
        return;
    }
    let root = TempDir::new().unwrap();
    assert!(mount(&["-t", "tmpfs", "none"], root.path()));
    build(&old(), root.path()).unwrap();
    let before = look_with_times(root.path());
    assert!(mount(&["-o", "remount,bind,ro"], root.path()));
    let error = build(&new(), root.path()).unwrap_err();
    assert_eq!(codes(&error), [Code::OutputRefused]);
    assert!(error.to_string().contains("read-only"), "{error}");
    assert_eq!(look_with_times(root.path()), before);
    assert_eq!(build(&old(), root.path()).unwrap().written, 0);
    assert!(!compare(&new(), root.path(), SV).unwrap().is_empty());
    assert!(mount(&["-o", "remount,bind,rw"], root.path()));

    // Even if only one of the last steps would reach it.
    let part = root.path().join("etc/s6-overlay/user-bundles.d/user2");
    fs::create_dir(&part).unwrap();
    assert!(mount(&["-t", "tmpfs", "none"], &part));
    assert!(mount(&["-o", "remount,bind,ro"], &part));
    let before = look(root.path());
    let error = build(&new(), root.path()).unwrap_err();
    assert!(error.to_string().contains("read-only"), "{error}");
    assert_eq!(look(root.path()), before);
}

#[test]
fn a_disk_that_gets_full_at_any_moment_loses_nothing() {
    if !in_own_mounts(this_test!()) {
        return;
    }
    let builds =
        [(None, "nr_inodes"), (Some(old()), "nr_inodes"), (None, "nr_blocks"), (Some(old()), "nr_blocks")];
    for (first, limit) in builds {
        let mut failures = 0;
        for room in 0.. {
            let disk = TempDir::new().unwrap();
            assert!(mount(&["-t", "tmpfs", "-o", &format!("{limit}=400"), "none"], disk.path()));
            let root = disk.path().join("root");
            fs::create_dir(&root).unwrap();
            if let Some(tree) = &first {
                build(tree, &root).unwrap();
            }
            fill(disk.path(), limit, room);
            let before = look(&root);
            let result = build(&new(), &root);
            if let Err(error) = &result {
                failures += 1;
                assert!(error.to_string().contains("no space left"), "{error}");
                assert_eq!(look(&root), before, "with room for {room} more: {error}");
            }
            assert!(Command::new("umount").arg(disk.path()).status().unwrap().success());
            if result.is_ok() {
                break;
            }
        }
        assert!(failures > 8, "{limit}: only {failures}");
    }
}

/// Fills a tmpfs until only `room` more files or blocks fit.
fn fill(root: &Path, limit: &str, room: u64) {
    fs::create_dir(root.join("ballast")).unwrap();
    for number in 0.. {
        let free = rustix::fs::statvfs(root).unwrap();
        let free = if limit == "nr_inodes" { free.f_ffree } else { free.f_bfree };
        if free <= room {
            break;
        }
        let content: &[u8] = if limit == "nr_inodes" { b"" } else { b"x" };
        fs::write(root.join(format!("ballast/{number}")), content).unwrap();
    }
}

#[test]
fn files_of_other_mounts_are_copied_over() {
    if !in_own_mounts(this_test!()) {
        return;
    }
    let root = TempDir::new().unwrap();
    build(&old(), root.path()).unwrap();
    let run = root.path().join(SV).join("web/run");
    let behind = root.path().join("behind");
    fs::write(&behind, "#!/bin/sh\nexec old\n").unwrap();
    assert!(mount(&["--bind", behind.to_str().unwrap()], &run));
    fs::create_dir_all(root.path().join("etc/s6-overlay/user-bundles.d/user2")).unwrap();
    assert!(mount(&["-t", "tmpfs", "none"], &root.path().join("etc/s6-overlay/user-bundles.d/user2")));
    build(&new(), root.path()).unwrap();
    assert_eq!(fs::read_to_string(&behind).unwrap(), "#!/bin/sh\nexec new\n");
    assert_eq!(compare(&new(), root.path(), SV).unwrap(), []);
}

/// The option with which an overlay can be mounted here. Without the right to set trusted attributes, the kernel must be told
/// to use user attributes for it.
pub fn attributes() -> &'static str {
    let privileged = fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| map.contains("4294967295"));
    if privileged { "" } else { ",userxattr" }
}

#[test]
fn a_build_of_a_lower_overlay_layer_is_replaced() {
    if !in_own_mounts(this_test!()) {
        return;
    }
    let layers = TempDir::new().unwrap();
    let at = |name: &str| layers.path().join(name);
    for name in ["lower", "upper", "work", "merged"] {
        fs::create_dir(at(name)).unwrap();
    }
    let theirs = format!("{SV}/theirs/type");
    write(&at("lower"), &theirs, "longrun\n");
    build(&old(), &at("lower")).unwrap();
    let lower = look(&at("lower"));
    let options = format!(
        "lowerdir={},upperdir={},workdir={}{}",
        at("lower").display(),
        at("upper").display(),
        at("work").display(),
        attributes()
    );
    if !mount(&["-t", "overlay", "-o", &options, "overlay"], &at("merged")) {
        return skip(this_test!(), "overlayfs", "");
    }
    for tree in [new(), old(), new()] {
        build(&tree, &at("merged")).unwrap();
        assert_eq!(look(&at("merged")), expected(&tree, |root| write(root, &theirs, "longrun\n")));
    }
    assert_eq!(look(&at("lower")), lower);
}

/// A temporary directory in memory, because tests make and remove thousands of small files in it.
pub fn scratch() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

/// Adds foreign files, which must survive everything.
fn foreigners(root: &Path) {
    write(root, &format!("{SV}/theirs/type"), "longrun\n");
    write(root, &format!("{MARKERS}/theirs"), "");
    write(root, "etc/s6-overlay/user-bundles.d/user2/contents.d/theirs", "");
    write(root, &format!("{LINKS}/theirs/type"), "longrun\n");
}

/// Runs builds from `before` (or nothing) to `new`, with `what` injected at the moments of `calls`. Passes each outcome to
/// `check`, and returns the number of builds.
fn inject(
    before: Option<&str>,
    calls: &[&'static str],
    what: &str,
    check: impl Fn(&Path, &BTreeMap<String, String>, &Output, usize),
) -> usize {
    let begin = || {
        let root = scratch();
        foreigners(root.path());
        if let Some(tree) = before {
            build(&tree_named(tree), root.path()).unwrap();
        }
        root
    };
    let root = begin();
    let moments = moments(calls, &child("new", root.path()));
    assert_eq!(look(root.path()), expected(&new(), foreigners));
    let mut met = 0;
    for moment in &moments {
        let root = begin();
        let there = look(root.path());
        let output = killed::at(*moment, what, &child("new", root.path())).output().unwrap();
        if output.status.success() {
            // The build found another way to do its work.
            assert_eq!(look(root.path()), expected(&new(), foreigners), "{moment:?}");
            continue;
        }
        met += 1;
        check(root.path(), &there, &output, moment.1);
    }
    met
}

/// Every system call by which a build changes anything, with its names on all architectures.
const CHANGES: &[&str] = &[
    "mkdir",
    "mkdirat",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "rmdir",
    "symlink",
    "symlinkat",
    "chmod",
    "fchmod",
    "fchmodat",
    "ftruncate",
];

#[test]
fn after_a_kill_at_any_moment_the_next_build_completes() {
    needs!("strace");
    let calls = [CHANGES, &["write"]].concat();
    let met: usize = [None, Some("old")]
        .into_iter()
        .map(|before| {
            inject(before, &calls, "signal=KILL", |root, _, output, moment| {
                assert_eq!(output.status.signal(), Some(9), "{}", output_text(output));
                let killed = look(root);
                // A new definition is there as a whole or not at all.
                for name in ["added", "added-log"].map(|name| format!("{SV}/{name}")) {
                    let inside = |files: &BTreeMap<String, String>| -> Vec<(String, String)> {
                        let inside = files.iter().filter(|(path, _)| path.starts_with(&format!("{name}/")));
                        inside.map(|(path, file)| (path.clone(), file.clone())).collect()
                    };
                    if killed.contains_key(&name) {
                        assert_eq!(inside(&killed), inside(&expected(&new(), foreigners)), "at {moment}");
                    }
                }
                for path in ["sv/theirs/type", "s6-rc.d/theirs/type"] {
                    assert_eq!(killed[&format!("etc/s6-overlay/{path}")], "file 644 longrun\n");
                }
                let next = if moment % 2 == 0 { new() } else { old() };
                build(&next, root).unwrap();
                assert_eq!(look(root), expected(&next, foreigners), "killed at {moment}: {killed:#?}");
            })
        })
        .sum();
    say(&format!("note: {met} builds were killed"));
    assert!(met > 50, "only {met} builds were killed");
}

#[test]
fn a_refusal_at_any_moment_keeps_the_old_tree_or_reports_that_it_did_not() {
    needs!("strace");
    for before in [None, Some("old")] {
        let met = inject(before, CHANGES, "error=EDQUOT", |root, there, output, moment| {
            let text = output_text(output);
            assert_eq!(output.status.code(), Some(3), "{text}");
            assert!(text.contains("OutputRefused") && text.contains("quota"), "{text}");
            if text.contains("nothing was changed") {
                assert_eq!(&look(root), there, "at {moment}: {text}");
            }
            build(&new(), root).unwrap();
            assert_eq!(look(root), expected(&new(), foreigners), "{text}");
        });
        assert!(met > 20, "only {met} builds were refused");
    }
}

#[test]
fn two_builds_at_once_end_in_one_of_their_trees() {
    for _ in 0..10 {
        let root = TempDir::new().unwrap();
        let both = ["old", "new"].map(|tree| child(tree, root.path()).spawn().unwrap());
        for one in both {
            let output = one.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", output_text(&output));
        }
        let there = look(root.path());
        assert!(there == expected(&old(), |_| {}) || there == expected(&new(), |_| {}), "{there:#?}");
    }
}

#[test]
fn a_first_build_that_another_one_overtakes_does_not_take_its_files_for_foreign() {
    needs!("strace");
    // At first the build opens the root. Each further number is one look at something that does not exist yet, such as the
    // receipt. There this build stops, and the other build makes the receipt and everything else.
    for number in 3..=12 {
        let root = TempDir::new().unwrap();
        let overtaken = killed::Stopped::at(root.path(), number, &child("new", root.path()));
        build(&old(), root.path()).unwrap();
        let output = overtaken.go_on();
        assert!(output.status.success(), "{number}: {}", output_text(&output));
        assert_eq!(look(root.path()), expected(&new(), |_| {}), "{number}");
    }
}

#[test]
fn a_first_build_plans_again_if_another_one_has_the_lock_before_it() {
    needs!("strace");
    // It makes the directories above the definitions and that of the definitions, and then locks this.
    for number in 1..=3 {
        let root = TempDir::new().unwrap();
        let overtaken = killed::Stopped::at_directory(number, &child("new", root.path()));
        build(&old(), root.path()).unwrap();
        let output = overtaken.go_on();
        assert!(output.status.success(), "{number}: {}", output_text(&output));
        assert_eq!(look(root.path()), expected(&new(), |_| {}), "{number}");
    }
}

#[test]
fn a_build_waits_for_another_one_but_not_for_ever() {
    let root = TempDir::new().unwrap();
    build(&old(), root.path()).unwrap();
    let lock = fs::File::open(root.path().join(SV)).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let waiting = child("new", root.path()).spawn().unwrap();
    let error = build(&new(), root.path()).unwrap_err();
    assert_eq!(codes(&error), [Code::OutputRefused]);
    assert!(error.to_string().contains("another s6gen"), "{error}");
    assert_eq!(waiting.wait_with_output().unwrap().status.code(), Some(3));

    let waiting = child("new", root.path()).spawn().unwrap();
    let open = format!("/proc/{}/fd", waiting.id());
    let definitions = fs::canonicalize(root.path().join(SV)).unwrap();
    eventually("the other one has come to the lock", || {
        let mut links = fs::read_dir(&open).unwrap().flatten().map(|entry| fs::read_link(entry.path()));
        links.any(|target| target.is_ok_and(|target| target == definitions))
    });
    drop(lock);
    assert!(waiting.wait_with_output().unwrap().status.success());
    assert_eq!(look(root.path()), expected(&new(), |_| {}));
}

#[test]
fn links_in_a_path_are_followed_inside_the_root_only() {
    let root = TempDir::new().unwrap();
    let outside = TempDir::new().unwrap();
    let overlay = root.path().join("etc/s6-overlay");
    fs::create_dir_all(&overlay).unwrap();
    let links = root.path().join(LINKS);
    for target in
        [outside.path(), Path::new("../../../../../../../../tmp"), Path::new("/etc/s6-overlay/nowhere")]
    {
        symlink(target, &links).unwrap();
        let before = look_with_times(root.path());
        let error = build(&new(), root.path()).unwrap_err();
        assert_eq!(codes(&error), [Code::OutputRefused], "{error}");
        assert!(error.to_string().contains("not below the root"), "{error}");
        assert_eq!(look_with_times(root.path()), before);
        fs::remove_file(&links).unwrap();
    }
    assert!(look(outside.path()).is_empty());

    symlink("s6-rc.d", &links).unwrap();
    assert!(build(&new(), root.path()).unwrap_err().to_string().contains("too many links"));
    fs::remove_file(&links).unwrap();

    for target in ["sv", "/etc/s6-overlay/sv"] {
        fs::create_dir_all(overlay.join("sv")).unwrap();
        symlink(target, &links).unwrap();
        for tree in [old(), new()] {
            build(&tree, root.path()).unwrap();
            assert_eq!(compare(&tree, root.path(), SV).unwrap(), []);
        }
        assert!(overlay.join("sv/added/run").is_file());
        assert!(!overlay.join("sv/gone").exists());
        build(&SourceTree::default(), root.path()).unwrap();
        fs::remove_file(&links).unwrap();
    }
}

#[test]
fn a_link_in_the_place_of_a_definition_is_not_followed() {
    let root = TempDir::new().unwrap();
    fs::create_dir_all(root.path().join(SV)).unwrap();
    fs::create_dir_all(root.path().join("srv/web")).unwrap();
    symlink("/srv/web", root.path().join(SV).join("web")).unwrap();
    let error = build(&new(), root.path()).unwrap_err();
    assert_eq!(codes(&error), [Code::ForeignDefinition]);
    assert!(fs::read_dir(root.path().join("srv/web")).unwrap().next().is_none());

    // A link that replaced a directory of ours is not followed either.
    fs::remove_file(root.path().join(SV).join("web")).unwrap();
    build(&old(), root.path()).unwrap();
    fs::rename(root.path().join(SV).join("gone"), root.path().join("srv/gone")).unwrap();
    symlink("/srv/gone", root.path().join(SV).join("gone")).unwrap();
    let done = build(&new(), root.path()).unwrap();
    assert_eq!(done.kept, [format!("{SV}/gone")]);
    assert!(root.path().join("srv/gone/run").is_file());
}

#[test]
fn a_receipt_that_is_damaged_foreign_or_newer_is_not_trusted() {
    let root = TempDir::new().unwrap();
    build(&old(), root.path()).unwrap();
    let receipt = root.path().join(SV).join(".s6gen");
    let good = fs::read_to_string(&receipt).unwrap();
    for (text, why) in [
        (String::new(), "not a receipt"),
        ("etc/passwd\n".to_owned(), "not a receipt"),
        (good.replace("receipt 1:", "receipt 2:"), "newer"),
        (format!("{good}etc/pass"), "damaged"),
        (format!("{good}../outside\n"), "damaged"),
        (format!("{good}/etc/passwd\n"), "damaged"),
        (format!("{good}etc/passwd\n"), "names `etc/passwd`"),
        (format!("{good}etc/s6-overlay\n"), "names `etc/s6-overlay`"),
        (format!("{good}home/\n"), "names `home`"),
    ] {
        fs::write(&receipt, text).unwrap();
        let before = look_with_times(root.path());
        let error = build(&new(), root.path()).unwrap_err();
        assert_eq!(codes(&error), [Code::OutputRefused]);
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(look_with_times(root.path()), before);
    }
}

#[test]
fn a_staging_directory_that_a_kill_left_is_cleared_even_if_nothing_else_is_to_do() {
    let root = TempDir::new().unwrap();
    build(&new(), root.path()).unwrap();
    write(root.path(), &format!("{SV}/.s6gen.new/0"), "half");
    assert_eq!(compare(&new(), root.path(), SV).unwrap().len(), 1);
    assert_eq!(build(&new(), root.path()).unwrap().written, 0);
    assert_eq!(look(root.path()), expected(&new(), |_| {}));
}

#[test]
fn a_manifest_is_read_or_the_reason_is_reported() {
    let place = TempDir::new().unwrap();
    let at = |name: &str| place.path().join(name);
    let refused = |name: &str| *read_manifest(&at(name)).unwrap_err();

    fs::write(at("fine"), "x").unwrap();
    assert_eq!(read_manifest(&at("fine")).unwrap().text, b"x");

    let problem = refused("missing");
    assert_eq!(problem.code, Code::ManifestUnreadable);
    assert!(problem.message.contains("does not exist"), "{}", problem.message);

    fs::create_dir(at("directory")).unwrap();
    fs::write(at("directory/services.toml"), "").unwrap();
    let problem = refused("directory");
    assert_eq!(problem.code, Code::ManifestUnreadable);
    assert!(problem.help.unwrap().contains("directory/services.toml"));

    assert!(succeeds(&["mkfifo", at("fifo").to_str().unwrap()]));
    assert!(refused("fifo").message.contains("not a regular file"));
    assert!(read_manifest(Path::new("/dev/zero")).unwrap_err().message.contains("not a regular file"));

    let sparse = fs::File::create(at("large")).unwrap();
    sparse.set_len(s6gen::disk::MANIFEST_LIMIT as u64).unwrap();
    assert_eq!(read_manifest(&at("large")).unwrap().text.len(), 16 << 20);
    sparse.set_len(s6gen::disk::MANIFEST_LIMIT as u64 + 1).unwrap();
    assert_eq!(refused("large").code, Code::ManifestTooLarge);

    // This does not keep root from reading it.
    fs::set_permissions(at("fine"), fs::Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut check = Command::new(env!("CARGO_BIN_EXE_s6gen"));
    check.arg("check").current_dir("/").arg("--manifest").arg(at("fine"));
    if is_root() {
        check.uid(65534).gid(65534);
    }
    let Ok(output) = check.output() else {
        return skip(this_test!(), "users", "others may not execute the program");
    };
    assert!(output_text(&output).contains("permission denied"), "{}", output_text(&output));
}
