//! Attacks a build and `s6gen instance`, as another user of the machine or with a prepared tree: with links that lead out of the
//! root, directories that are swapped for links during a build, forged receipts, and entries that are not regular files.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use s6gen::install::{InstallError, Installed, install};
use s6gen::tree::SourceTree;
use tempfile::TempDir;

use crate::install::look;
use crate::killed::rounds;
use crate::require::needs;

const SV: &str = "etc/s6-overlay/sv";
const ADDITIONS: &str = "etc/s6-overlay/sv/.s6gen.added.toml";

const MANIFEST: &str =
    "[longrun.vpn]\nparameters = [\"to\"]\ninstances = []\nrun = [\"vpn\", \"{{ to }}\"]\n";

fn tree(content: &str) -> SourceTree {
    let mut tree = SourceTree::default();
    for name in ["web", "db"] {
        tree.file(format!("{SV}/{name}/type"), "longrun\n", false);
        tree.file(format!("{SV}/{name}/run"), format!("#!/bin/sh\nexec {content}\n"), true);
        tree.file(format!("{SV}/{name}/data/deep/file"), content, false);
        tree.link(format!("etc/s6-overlay/s6-rc.d/{name}"), format!("../sv/{name}"));
    }
    if content == "old" {
        for number in 0..20 {
            tree.file(format!("{SV}/web/gone/f{number}"), "", false);
        }
    }
    tree
}

fn build(tree: &SourceTree, root: &Path) -> Result<Installed, InstallError> {
    install(tree, root, "/etc/s6-overlay/sv")
}

/// Runs s6gen in a folder in which [`MANIFEST`] was built below `root`.
fn s6gen(folder: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_s6gen"));
    command.args(line.split(' ')).current_dir(folder).stdin(Stdio::null()).output().unwrap()
}

fn built() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("services.toml"), MANIFEST).unwrap();
    let output = s6gen(folder.path(), "build --root root");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
}

fn text(output: &Output) -> String {
    String::from_utf8([&*output.stdout, &*output.stderr].concat()).unwrap()
}

/// A directory with the names of a tree, but not below the root. Nothing in it may change.
fn outside() -> (TempDir, BTreeMap<String, String>) {
    let outside = tempfile::tempdir().unwrap();
    build(&tree("old"), outside.path()).unwrap();
    // Without the receipt all of it is foreign.
    fs::remove_file(outside.path().join(SV).join(".s6gen")).unwrap();
    let before = look(outside.path());
    (outside, before)
}

/// Exchanges two paths again and again while `work` runs.
fn swapping<T>(one: &Path, other: &Path, work: impl FnOnce() -> T) -> T {
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                let _ = renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE);
            }
        });
        let result = work();
        is_done.store(true, Ordering::Relaxed);
        result
    })
}

#[test]
fn a_directory_that_is_swapped_for_a_link_during_a_build_leads_nowhere() {
    let (outside, before) = outside();
    let mut built = 0;
    let swapped =
        [SV, "etc/s6-overlay/sv/web", "etc/s6-overlay/sv/web/gone", "etc/s6-overlay/s6-rc.d", "etc"];
    let rounds = rounds(40, 1000);
    for (number, swapped) in (0..rounds).zip(swapped.into_iter().cycle()) {
        let root = tempfile::tempdir().unwrap();
        build(&tree("old"), root.path()).unwrap();
        let link = root.path().join("link");
        symlink(outside.path().join(swapped), &link).unwrap();
        swapping(&root.path().join(swapped), &link, || {
            for content in ["new", "old", "new"] {
                built += usize::from(build(&tree(content), root.path()).is_ok());
            }
        });
        assert_eq!(look(outside.path()), before, "round {number}: {swapped}");
    }
    crate::require::say(&format!(
        "note: {rounds} attacks on 3 builds each; {built} builds succeeded all the same"
    ));
}

#[test]
fn a_forged_receipt_removes_nothing_through_a_link() {
    let (outside, before) = outside();
    for is_swapped in [false, true] {
        let root = tempfile::tempdir().unwrap();
        build(&tree("new"), root.path()).unwrap();
        let receipt = root.path().join(SV).join(".s6gen");
        let mut forged = fs::read_to_string(&receipt).unwrap();
        for path in before.keys().filter(|path| path.starts_with("etc/s6-overlay/sv/web/gone")) {
            forged += &format!("{path}\n");
        }
        fs::write(&receipt, forged).unwrap();
        let (gone, link) = (root.path().join(SV).join("web/gone"), root.path().join("link"));
        symlink(outside.path().join(SV).join("web/gone"), &link).unwrap();
        if is_swapped {
            fs::create_dir(&gone).unwrap();
            swapping(&gone, &link, || drop(build(&tree("new"), root.path())));
        } else {
            fs::rename(&link, &gone).unwrap();
            build(&tree("new"), root.path()).unwrap();
        }
        assert_eq!(look(outside.path()), before);
    }
}

/// Every name that `instance add` reads or writes, as a link, a hard link and a fifo.
#[test]
fn instance_add_neither_follows_a_link_nor_waits_for_a_fifo() {
    for name in [".s6gen.added.toml", ".s6gen.added.toml.new", ".s6gen.lock"] {
        for kind in ["link", "dangling link", "hard link", "fifo", "/dev/zero", "/proc/self/environ"] {
            let folder = built();
            let (victim, place) =
                (folder.path().join("victim"), folder.path().join("root").join(SV).join(name));
            fs::write(&victim, "SECRET=1\n").unwrap();
            let _ = fs::remove_file(&place);
            match kind {
                "link" => symlink(&victim, &place).unwrap(),
                "dangling link" => symlink(folder.path().join("made"), &place).unwrap(),
                "hard link" => fs::hard_link(&victim, &place).unwrap(),
                "fifo" => assert!(Command::new("mkfifo").arg(&place).status().unwrap().success()),
                target => symlink(target, &place).unwrap(),
            }
            let output = s6gen(folder.path(), "instance add --root root vpn home --set to=a");
            let report = text(&output);
            let what = format!("{name} as {kind}: {report}");
            assert_eq!(fs::read_to_string(&victim).unwrap(), "SECRET=1\n", "{what}");
            assert!(!folder.path().join("made").exists(), "{what}");
            assert!(!report.contains("SECRET") && !report.contains("PATH="), "{what}");
            // s6gen removes a leftover new file, and refuses a wrong entry in place of one of its own files.
            let is_in_the_way = name.ends_with(".new") || kind == "hard link" && name == ".s6gen.lock";
            assert_eq!(output.status.success(), is_in_the_way, "{what}");
            if !output.status.success() && kind != "hard link" {
                assert!(report.contains("not a regular file"), "{what}");
                for line in ["instance list --root root", "build --check --root root"] {
                    let output = s6gen(folder.path(), line);
                    let report = text(&output);
                    assert!(
                        !report.contains("SECRET") && !report.contains("PATH="),
                        "{line}: {what}: {report}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_modes_of_what_is_added_do_not_follow_the_umask() {
    for umask in ["000", "022", "077"] {
        let folder = built();
        let program = env!("CARGO_BIN_EXE_s6gen");
        let line = format!("umask {umask}; {program} instance add --root root vpn home --set to=a");
        let status =
            Command::new("sh").args(["-c", &line]).current_dir(folder.path()).output().unwrap().status;
        assert!(status.success());
        let mode = fs::metadata(folder.path().join("root").join(ADDITIONS)).unwrap().mode();
        assert_eq!(mode & 0o7777, 0o644, "{umask}");
    }
}

#[test]
fn root_works_below_no_directory_that_others_may_change() {
    needs!("root");
    let give = |path: &Path, owner: u32| std::os::unix::fs::chown(path, Some(owner), None).unwrap();
    let mode = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    for place in ["", "etc", "etc/s6-overlay", SV, "etc/s6-overlay/sv/web"] {
        let root = tempfile::tempdir().unwrap();
        build(&tree("old"), root.path()).unwrap();
        let directory = if place.is_empty() { root.path().to_owned() } else { root.path().join(place) };
        let before = look(root.path());

        mode(&directory, 0o777);
        let error = build(&tree("new"), root.path()).unwrap_err().to_string();
        assert!(error.contains(&format!("`{}`", directory.display())), "{error}");
        assert!(error.contains("every user may change"), "{error}");
        // In a directory with the sticky bit others can only add entries.
        mode(&directory, 0o1777);
        assert!(build(&tree("old"), root.path()).is_ok());
        mode(&directory, 0o755);

        give(&directory, 4321);
        let result = build(&tree("new"), root.path());
        if place.is_empty() {
            // The root and everything below it may belong to any user, such as a checkout of another user.
            for path in before.keys() {
                give(&root.path().join("etc"), 4321);
                let _ = std::os::unix::fs::lchown(root.path().join(path), Some(4321), None);
            }
            result.unwrap();
            build(&tree("old"), root.path()).unwrap();
            continue;
        }
        let error = result.unwrap_err().to_string();
        assert!(error.contains(&format!("`{}`", directory.display())) && error.contains("4321"), "{error}");
        give(&directory, 0);
        assert_eq!(look(root.path()), before);
        build(&tree("new"), root.path()).unwrap();
    }
}

#[test]
fn a_user_who_may_not_change_a_directory_keeps_no_build_of_root_out() {
    needs!("root", "perl");
    let root = tempfile::tempdir().unwrap();
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
    build(&tree("old"), root.path()).unwrap();
    let directory = root.path().join(SV);
    let program = "open(D, '<', $ARGV[0]) && flock(D, 2) or die; $| = 1; print 'held'; sleep 600";
    let mut stranger = Command::new("perl");
    stranger.args(["-e", program]).arg(&directory).uid(4321).gid(4321).stdout(Stdio::piped());
    let mut stranger = stranger.spawn().unwrap();
    let mut held = [0; 4];
    stranger.stdout.take().unwrap().read_exact(&mut held).unwrap();
    let built = build(&tree("new"), root.path());
    // Another build that may change it is waited for.
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o775)).unwrap();
    let waited = build(&tree("old"), root.path());
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    built.unwrap();
    assert!(waited.unwrap_err().to_string().contains("another s6gen has held it"));
}
