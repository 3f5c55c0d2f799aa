//! Shows for rules on s6-overlay what happens to the wrong and the right example of their page in a container that /init boots.
//!
//! `S6GEN_ROOTFS` names a root with s6-overlay. Each test gets a copy of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use s6gen::model::{Feature, System};
use tempfile::TempDir;

use crate::pages;
use crate::require::{self, needs, this_test};
use crate::supervise::write_program;
use crate::tree_text;

/// A copy of the root.
struct Container {
    folder: TempDir,
    /// The version of s6-overlay.
    version: String,
}

impl Container {
    fn new() -> Container {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        let rootfs = std::env::var_os("S6GEN_ROOTFS").unwrap();
        assert!(Command::new("cp").arg("-a").arg(rootfs).arg(&root).status().unwrap().success());
        let packages = fs::read_dir(root.join("package/admin")).unwrap();
        let version = packages
            .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
            .filter_map(|name| Some(name.strip_prefix("s6-overlay-")?.to_owned()))
            .find(|version| version.starts_with(|first: char| first.is_ascii_digit()))
            .unwrap();
        Container { folder, version }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("root").join(name)
    }

    /// Writes the program `web`.
    fn web(&self, script: &str) {
        write_program(&self.path("usr/local/bin/web"), script);
    }

    /// Installs the tree of a manifest.
    fn build(&self, manifest: &str) {
        let file = self.folder.path().join("services.toml");
        fs::write(&file, format!("[target]\ns6-overlay = \"{}\"\n\n{manifest}", self.version)).unwrap();
        let mut build = Command::new(env!("CARGO_BIN_EXE_s6gen"));
        let output = build.args(["build", "--root"]).args([&self.path(""), &file]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// Boots with the variable `WEB_PORT`, runs `command` when the services are up, and stops. Returns the exit code and what `command` printed.
    fn boot(&self, command: &str) -> (Option<i32>, String) {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/boot/container");
        let output = Command::new(program)
            .args([self.path(""), self.folder.path().join("pid"), "WEB_PORT=80".into()])
            .args(["--", "sh", "-c", command])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    }
}

#[test]
fn a_finish_with_an_old_path_or_for_sigterm_only_does_not_stop_the_container() {
    needs!("rootfs", "root", "mounts");
    let container = Container::new();
    for (slug, web, code) in [
        ("lint::version-two", "#!/bin/sh\nexit 3\n", 3),
        ("lint::finish-misses-crashes", "#!/bin/sh\nkill -SEGV $$\n", 128 + 11),
    ] {
        container.web(web);
        for (heading, expected) in [("Wrong", 42), ("Right", code)] {
            container.build(pages::manifest(slug, heading));
            let deaths = "$(s6-svdt /run/service/web | wc -l)";
            let (code, _) =
                container.boot(&format!("until test \"{deaths}\" -gt 1; do sleep 0.1; done; exit 42"));
            assert_eq!(code, Some(expected), "{slug}: {heading}");
        }
    }
}

#[test]
fn a_start_bundle_in_the_old_place_hides_those_of_other_layers() {
    needs!("rootfs", "root", "mounts");
    let container = Container::new();
    if !System::overlay(&container.version).unwrap().has(Feature::UserBundlesDir) {
        return require::skip(this_test!(), "rootfs", "one with s6-overlay 3.2.3.1 or newer");
    }
    container.web("#!/bin/sh\nexec sleep 1000\n");
    let other = "-- s6-rc.d/other/type --\noneshot\n-- s6-rc.d/other/up --\n\
                 -- user-bundles.d/user/contents.d/other --\n";
    // The wrong example adds the old place.
    for (heading, has_other) in [("Right", true), ("Wrong", false)] {
        let text = format!("{}{other}", pages::tree("overlay::deprecated-place", heading));
        tree_text::parse(&text).unwrap().make(&container.path("etc/s6-overlay")).unwrap();
        let (code, list) = container.boot("s6-rc -a list");
        let has = |name: &str| list.lines().any(|line| line == name);
        assert_eq!((code, has("web"), has("other")), (Some(0), true, has_other), "{heading}: {list}");
    }
}

#[test]
fn a_oneshot_without_with_contenv_has_no_variable_of_the_container() {
    needs!("rootfs", "root", "mounts");
    let container = Container::new();
    let up = "importas -i WEB_PORT WEB_PORT s6-touch /run/${WEB_PORT}";
    let text = format!(
        "-- wrong/type --\noneshot\n-- wrong/up --\n{up}-wrong\n\
         -- right/type --\noneshot\n-- right/up --\nwith-contenv {up}-right\n"
    );
    tree_text::parse(&text).unwrap().make(&container.path("etc/s6-overlay/s6-rc.d")).unwrap();
    let start = |name: &str| format!("s6-rc -u change {name}");
    // Both are started only now, because a failed start of the boot would stop the others.
    let (code, list) = container.boot(&format!("{}; {}; s6-rc -a list", start("wrong"), start("right")));
    let has = |name: &str| list.lines().any(|line| line == name);
    assert_eq!((code, has("wrong"), has("right")), (Some(0), false, true), "{list}");
    let made = |name: &str| container.path("run").join(name).exists();
    assert_eq!((made("80-wrong"), made("80-right")), (false, true));
}
