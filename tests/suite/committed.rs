//! Checks that a tree that was committed to git and cloned again passes `build --check`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::require::needs;

fn run(folder: &Path, script: &str) -> Output {
    let program = env!("CARGO_BIN_EXE_s6gen");
    Command::new("sh").args(["-ec", script]).env("s6gen", program).current_dir(folder).output().unwrap()
}

fn done(folder: &Path, script: &str) {
    let output = run(folder, script);
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_git_clone_passes_build_check_with_any_umask() {
    needs!("git");
    let folder = crate::case::scratch();
    let folder = folder.path();
    let shipped = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/services.toml")).unwrap();
    // A bundle without members and a template without instances are directories that git would not keep.
    let empty = "\n[bundle.empty]\ncontents = []\n\n[longrun.none]\ninstances = []\nrun = [\"none\"]\n";
    fs::create_dir(folder.join("origin")).unwrap();
    fs::write(folder.join("origin/services.toml"), shipped + empty).unwrap();
    let git = "git -c user.name=x -c user.email=x@example.org";
    done(
        &folder.join("origin"),
        &format!("mkdir rootfs; $s6gen build --root rootfs; {git} init -q; {git} add -A; {git} commit -qm x"),
    );
    for umask in ["002", "022", "077"] {
        done(folder, &format!("umask {umask}; {git} clone -q origin clone-{umask}"));
        let clone = folder.join(format!("clone-{umask}"));
        let output = run(&clone, "$s6gen build --check --root rootfs");
        assert!(output.status.success(), "umask {umask}: {}", String::from_utf8_lossy(&output.stderr));
    }
    // A difference that matters is still reported.
    let clone = folder.join("clone-002");
    let run_file = clone.join("rootfs/etc/s6-overlay/sv/tincd/run");
    let script =
        if run_file.is_file() { run_file } else { first_run(&clone.join("rootfs/etc/s6-overlay/sv")) };
    fs::set_permissions(&script, fs::Permissions::from_mode(0o664)).unwrap();
    let output = run(&clone, "$s6gen build --check --root rootfs");
    let messages = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{messages}");
    assert!(messages.contains("has another x bit") && messages.contains("1 difference"), "{messages}");
    done(&clone, "$s6gen build --root rootfs");
    assert_eq!(fs::metadata(&script).unwrap().permissions().mode() & 0o777, 0o755);
}

fn first_run(definitions: &Path) -> std::path::PathBuf {
    let mut scripts: Vec<_> =
        fs::read_dir(definitions).unwrap().map(|entry| entry.unwrap().path().join("run")).collect();
    scripts.sort();
    scripts.into_iter().find(|script| script.is_file()).unwrap()
}

#[test]
fn a_missing_tree_is_one_report() {
    let folder = crate::case::scratch();
    fs::write(folder.path().join("services.toml"), "[longrun.web]\nrun = [\"web\"]\n").unwrap();
    let output = run(folder.path(), "mkdir rootfs; $s6gen build --check --root rootfs");
    assert_eq!(output.status.code(), Some(1));
    let messages = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(messages, "rootfs/etc/s6-overlay/sv is missing; `s6gen build` writes it\n");
}
