//! What the files around a tree say about it: Dockerfiles, scripts elsewhere in the tree, and other layers.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::case::scratch;

const DEFINITIONS: &str = "root/etc/s6-overlay/s6-rc.d";

/// Adds files to a folder: their paths and texts. A text that begins with `#!` is a script, and a path that begins with `x:`
/// has the x bit.
fn add(folder: &TempDir, files: &[(&str, &str)]) {
    for (path, text) in files {
        let (path, mode) = match path.strip_prefix("x:") {
            Some(path) => (path, 0o755),
            None => (*path, 0o644),
        };
        let path = folder.path().join(path.replace('@', DEFINITIONS));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
}

/// A folder with the oneshot `setup`, which starts after `base` and runs its script `run`, and with more files.
fn tree(files: &[(&str, &str)]) -> TempDir {
    let folder = scratch();
    add(
        &folder,
        &[
            ("@/setup/type", "oneshot\n"),
            ("@/setup/up", "/etc/s6-overlay/s6-rc.d/setup/run\n"),
            ("x:@/setup/run", "#!/bin/sh -e\nmkdir /data\n"),
            ("@/setup/dependencies.d/base", ""),
            ("root/etc/s6-overlay/user-bundles.d/user/contents.d/setup", ""),
        ],
    );
    add(&folder, files);
    folder
}

/// The messages of `s6gen check` on the folder, each with its code.
fn messages(folder: &Path, layers: &[&str]) -> Vec<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_s6gen"));
    command.current_dir(folder).args([
        "check",
        "--format",
        "json",
        "--overlay",
        "3.2.3.2",
        "--tree",
        DEFINITIONS,
    ]);
    for layer in layers {
        command.args(["--layer", layer]);
    }
    let output = command.output().unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let problems = answer["problems"].as_array().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    problems.iter().map(|problem| text(&problem["code"]) + ": " + &text(&problem["message"])).collect()
}

fn found(files: &[(&str, &str)]) -> Vec<String> {
    messages(tree(files).path(), &[])
}

const MODE: &str = "lint::not-executable: `up` of `setup` runs `run`, which is not executable";

#[test]
fn modes_that_a_dockerfile_sets_are_not_reported() {
    let script = ("@/setup/run", "#!/bin/sh -e\nmkdir /data\n");
    assert_eq!(found(&[script]), [MODE]);
    let with = |dockerfile: &str| found(&[script, ("Dockerfile", dockerfile)]);
    assert_eq!(with("FROM example\nCOPY root/ /\n"), [MODE]);
    assert_eq!(with("FROM example\nCOPY root/ /\nRUN chmod +x /usr/bin/tool\n"), [MODE]);
    assert_eq!(with("FROM example\nCOPY --chmod=755 root/ /\n"), [""; 0]);
    assert_eq!(
        with("FROM example\nCOPY root/ /\nRUN true && \\\n  chmod 755 /etc/s6-overlay/s6-rc.d/*/run\n"),
        [""; 0]
    );
    // Without one above the tree, one beside it counts that copies the tree.
    let beside = |dockerfile: &str| found(&[script, ("variants/small/Dockerfile", dockerfile)]);
    assert_eq!(beside("FROM example\nCOPY --chmod=755 src/root/ /\n"), [""; 0]);
    assert_eq!(beside("FROM example\nCOPY --chmod=755 src/other/ /\n"), [MODE]);
    // A Dockerfile outside of the repository says nothing about the tree.
    let folder = tree(&[script, ("Dockerfile", "COPY --chmod=755 root/ /\n")]);
    fs::create_dir(folder.path().join("root/.git")).unwrap();
    assert_eq!(messages(folder.path(), &[]), [MODE]);
}

const IDLE: &str = "overlay::not-started: nothing starts longrun `web`";
const WEB: [(&str, &str); 3] =
    [("@/web/type", "longrun\n"), ("@/web/run", "#!/bin/sh\nexec web\n"), ("@/web/dependencies.d/base", "")];

#[test]
fn a_service_that_a_file_around_the_tree_starts_is_not_idle() {
    let with = |path: &str, text: &str| {
        let folder = tree(&WEB);
        add(&folder, &[(path, text)]);
        messages(folder.path(), &[])
    };
    assert_eq!(with("Dockerfile", "FROM example\n"), [IDLE]);
    for (path, text) in [
        ("Dockerfile", "RUN touch /etc/s6-overlay/s6-rc.d/user/contents.d/web\n"),
        ("Dockerfile", "RUN for d in /sv/*; do touch \"/app/contents.d/$(basename \"$d\")\"; done\n"),
        ("Dockerfile", "CMD [\"/etc/s6-overlay/s6-rc.d/web/run\"]\n"),
        ("root/init-hook", "#!/bin/sh\ntouch /etc/s6-overlay/s6-rc.d/user/contents.d/web\n"),
        ("root/app/deep/hook", "#!/bin/sh\nlist=/etc/s6-overlay/s6-rc.d/user/contents.d\ntouch $list/web\n"),
        ("root/app/scan", "#!/usr/bin/python3\nos.system(f's6-rc -u change {service}')\n"),
        ("root/etc/crontabs/root", "0 * * * * s6-svc -o /run/service/web\n"),
    ] {
        assert_eq!(with(path, text), [""; 0], "{text}");
    }
    for (path, text) in [
        ("Dockerfile", "# touch /etc/s6-overlay/s6-rc.d/user/contents.d/web\n"),
        ("Dockerfile", "RUN chmod +x /etc/s6-overlay/s6-rc.d/web/run\n"),
        ("Dockerfile", "RUN touch /etc/s6-overlay/s6-rc.d/user/contents.d/other\n"),
        ("root/init-hook", "#!/bin/sh\ns6-rc -u change other\n"),
    ] {
        assert_eq!(with(path, text), [IDLE], "{text}");
    }
}

#[test]
fn a_path_that_leads_nowhere_is_reported_unless_something_else_brings_the_file() {
    let path = "/etc/s6-overlay/s6-rc.d/setup/prepare";
    let lost = format!("lint::missing-script: `up` of `setup` runs `{path}`, which does not exist");
    let folder = |files: &[(&str, &str)]| {
        let folder = tree(&[("@/setup/up", path)]);
        fs::remove_file(folder.path().join(DEFINITIONS).join("setup/run")).unwrap();
        add(&folder, files);
        folder
    };
    let dockerfile = ("Dockerfile", "FROM example\nCOPY root/ /\n");
    assert_eq!(messages(folder(&[]).path(), &[]), [""; 0]);
    assert_eq!(messages(folder(&[dockerfile]).path(), &[]), [&*lost]);
    let added = ("Dockerfile", "ADD https://example.org/prepare /etc/s6-overlay/s6-rc.d/setup/prepare\n");
    assert_eq!(messages(folder(&[added]).path(), &[]), [""; 0]);
    // The layer below has the service too, so its Dockerfile may add the script.
    let layered =
        folder(&[dockerfile, ("base/s6-rc.d/setup/type", "oneshot\n"), ("base/s6-rc.d/setup/up", "")]);
    assert_eq!(messages(layered.path(), &["base"]), [""; 0]);

    // Elsewhere in the image only a path that is nearly the same shows a mistake.
    let elsewhere = |up: &str| found(&[("@/setup/up", up), ("x:root/usr/local/bin/set-up", "#!/bin/sh\n")]);
    let near = elsewhere("/usr/local/bin/setup\n");
    assert!(
        near[0].starts_with("lint::missing-script: `up` of `setup` runs `/usr/local/bin/setup`"),
        "{near:?}"
    );
    assert!(!elsewhere("/usr/local/bin/configure\n").iter().any(|found| found.contains("missing-script")));
}

#[test]
fn the_script_of_another_service_is_found_anywhere_in_the_tree() {
    let scripts = [
        ("x:root/etc/s6-overlay/scripts/setup", "#!/bin/sh\n"),
        ("@/setup/up", "/etc/s6-overlay/scripts/web\n"),
    ];
    let folder = tree(&WEB);
    add(&folder, &scripts);
    add(&folder, &[("x:root/etc/s6-overlay/scripts/web", "#!/bin/sh\n")]);
    fs::remove_file(folder.path().join(DEFINITIONS).join("setup/run")).unwrap();
    let other = "lint::other-script: `up` of `setup` runs `/etc/s6-overlay/scripts/web`, the script of `web`";
    assert!(messages(folder.path(), &[]).contains(&other.to_owned()));
    add(&folder, &[("x:root/usr/bin/tool", "#!/bin/sh\nexec /etc/s6-overlay/scripts/setup\n")]);
    assert!(!messages(folder.path(), &[]).contains(&other.to_owned()));
}

#[test]
fn links_of_the_old_version_are_missing_only_where_a_dockerfile_leaves_them_out() {
    let script = ("x:@/setup/run", "#!/usr/bin/with-contenv sh\nmkdir /data\n");
    let old = "lint::version-two: `setup` is started by `/usr/bin/with-contenv`, which not every image has";
    let noarch = "ADD https://example.org/s6-overlay-noarch.tar.xz /tmp\n";
    let with = |dockerfile: &str| found(&[script, ("Dockerfile", dockerfile)]);
    assert_eq!(found(&[script]), [""; 0]);
    assert_eq!(with("FROM example/with-s6\n"), [""; 0]);
    assert_eq!(with(noarch), [old]);
    assert_eq!(
        with(&format!("{noarch}ADD https://example.org/s6-overlay-symlinks-noarch.tar.xz /tmp\n")),
        [""; 0]
    );
}

#[test]
fn lints_on_a_lower_layer_are_reported_only_where_it_is_judged() {
    let folder = tree(&[
        ("base/s6-rc.d/web/type", "longrun\n"),
        ("base/s6-rc.d/web/run", "#!/bin/sh\nexec web\n"),
        ("base/s6-rc.d/web/notification-fd", "3\n"),
        ("base/s6-rc.d/web/up", "true\n"),
        ("base/user-bundles.d/user/contents.d/web", ""),
    ]);
    assert_eq!(messages(folder.path(), &["base"]), [""; 0]);
    add(&folder, &[("@/web/notification-fd", "3\n")]);
    let found = messages(folder.path(), &["base"]);
    assert!(
        found.iter().all(|found| found.starts_with("lint::readiness-un")) && !found.is_empty(),
        "{found:?}"
    );
}

#[test]
fn a_link_from_up_to_run_is_silent() {
    let folder = tree(&[("@/setup/run", "mkdir /data\n")]);
    let up = folder.path().join(DEFINITIONS).join("setup/up");
    fs::remove_file(&up).unwrap();
    symlink("run", up).unwrap();
    assert_eq!(messages(folder.path(), &[]), [""; 0]);
}

#[test]
fn a_file_that_a_script_elsewhere_uses_has_an_effect() {
    let unknown = ("@/setup/condition", "true\n");
    assert_eq!(
        found(&[unknown]),
        ["lint::unknown-entry: s6-rc ignores `condition` of `setup`: it knows no such file"]
    );
    let hook = ("root/hook", "#!/bin/sh\nfor d in /etc/s6-overlay/s6-rc.d/*; do \"$d/condition\"; done\n");
    assert_eq!(found(&[unknown, hook]), [""; 0]);
}

#[test]
fn an_empty_script_that_hides_one_of_a_lower_layer_is_silent() {
    let hides = [("x:@/setup/run", ""), ("@/setup/up", "")];
    assert_eq!(found(&hides), [""; 0]);
    let lost = [("@/setup/up", "")];
    assert_eq!(found(&lost), ["lint::ignored-entry: `run` has no effect in oneshot `setup`"]);
}

#[test]
fn a_byte_order_mark_is_named_in_every_file_that_has_one() {
    let folder = tree(&WEB);
    add(
        &folder,
        &[
            ("@/web/down-signal", "\u{feff}SIGINT\n"),
            ("@/web/timeout-up", "\u{feff}1000\n"),
            ("@/setup/type", "\u{feff}oneshot\n"),
            ("@/other/type", "bundle\n"),
            ("@/other/contents", "\u{feff}web\n"),
        ],
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_s6gen"));
    let output = command.current_dir(folder.path()).args(["check", "--tree", DEFINITIONS]).output().unwrap();
    let report = String::from_utf8(output.stderr).unwrap();
    for code in
        ["lint::invalid-signal", "s6rc::invalid-timeout", "s6rc::invalid-type", "s6rc::unknown-service"]
    {
        let mut blocks = report.split("\n\n").skip_while(|block| !block.contains(code)).skip(1);
        assert!(blocks.next().is_some_and(|block| block.contains("byte order mark")), "{code}: {report}");
    }
}
