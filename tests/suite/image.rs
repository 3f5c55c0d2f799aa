//! The directories of an image that each version of s6-overlay compiles, and the reports on them.
//!
//! If s6-rc-compile is on PATH, every image is also written to the disk, completed as `rc.init` does, and compiled. Set
//! `S6GEN_ROOTFS` to the root of an image with s6-overlay 3.2.3.1 or newer to test that as well.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use s6gen::diagnostic::{Diagnostic, Files};
use s6gen::image::Setup;
use s6gen::model::{Database, Feature, Index, Kind, Name, System};
use s6gen::source::{Directory, EntryKind, Mount, Source, Union};
use s6gen::tree::{SourceTree, TreeDirectory, TreeEntry};
use s6gen::{Compilation, judge_image};
use serde_json::Value;

use crate::case::{Verdict, cases, judge, lines, scratch};
use crate::markdown::Page;
use crate::oracle::{class_of, database};
use crate::require::{has, needs};
use crate::truth::in_memory;

const OLD: &str = "3.2.3.0";
const STRICT: &str = "3.2.3.1";
const NEW: &str = "3.2.3.2";

fn system(version: &str) -> System {
    System::overlay(version).unwrap()
}

/// Adds to a tree, below `at`: `NAME: a b` is a longrun in s6-rc.d that waits for these, `PATH = TEXT` a file,
/// `PATH -> TARGET` a link, `PATH/` a directory, and anything else an empty file.
fn add(tree: &mut SourceTree, at: &str, lines: &[&str]) {
    for line in lines {
        if let Some((path, target)) = line.split_once(" -> ") {
            tree.link(format!("{at}{path}"), target);
        } else if let Some((path, text)) = line.split_once(" = ") {
            tree.file(format!("{at}{path}"), format!("{text}\n"), false);
        } else if let Some((name, needed)) = line.split_once(':') {
            tree.file(format!("{at}s6-rc.d/{name}/type"), "longrun\n", false);
            tree.file(format!("{at}s6-rc.d/{name}/run"), "#!/bin/sh\n", false);
            for needed in needed.split_whitespace() {
                tree.file(format!("{at}s6-rc.d/{name}/dependencies.d/{needed}"), "", false);
            }
        } else if let Some(path) = line.strip_suffix('/') {
            tree.directory(format!("{at}{path}"));
        } else {
            tree.file(format!("{at}{line}"), "", false);
        }
    }
}

const OVERLAY: &str = "etc/s6-overlay/";

/// The files that the archives of s6-overlay have in `/etc/s6-overlay`.
fn shipped(system: System) -> SourceTree {
    let mut tree = SourceTree::default();
    let place = if system.has(Feature::UserBundlesDir) { "user-bundles.d" } else { "s6-rc.d" };
    tree.directory(format!("{OVERLAY}s6-rc.d"));
    for bundle in system.start_bundles() {
        tree.file(format!("{OVERLAY}{place}/{bundle}/type"), "bundle\n", false);
        tree.directory(format!("{OVERLAY}{place}/{bundle}/contents.d"));
    }
    tree
}

fn write(tree: &SourceTree, root: &Path) {
    for (path, entry) in tree.entries() {
        let place = root.join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        match entry {
            TreeEntry::Directory => fs::create_dir_all(place).unwrap(),
            TreeEntry::File { content, executable } => {
                fs::write(&place, content).unwrap();
                fs::set_permissions(
                    place,
                    fs::Permissions::from_mode(if *executable { 0o755 } else { 0o644 }),
                )
                .unwrap();
            }
            TreeEntry::Link(target) => symlink(target, place).unwrap(),
        }
    }
}

/// Writes the definitions of s6-overlay itself as s6gen knows them, with empty scripts.
fn write_own(system: System, root: &Path) -> String {
    let own = "package/sources";
    for service in system.own_definitions() {
        let place = root.join(own).join(service.name.to_string());
        let (kind, list, names) = match &service.kind {
            Kind::Bundle(bundle) => ("bundle", "contents.d", &bundle.contents[..]),
            _ => ("oneshot", "dependencies.d", service.dependencies()),
        };
        fs::create_dir_all(place.join(list)).unwrap();
        fs::write(place.join("type"), format!("{kind}\n")).unwrap();
        fs::write(place.join("up"), "").unwrap();
        for name in names {
            fs::write(place.join(list).join(name.name.to_string()), "").unwrap();
        }
    }
    own.to_owned()
}

/// The verdict of the real program on the image in `root`: the class, and the database.
fn real_verdict(system: System, root: &Path, bundle_dir: Option<&str>) -> (String, Value) {
    let own = write_own(system, root);
    let definitions = "etc/s6-overlay/s6-rc.d";
    let mut sources = vec![definitions.to_owned()];
    if root.join(definitions).join("user").is_dir() || !system.has(Feature::UserBundlesDir) {
        if system.has(Feature::CompletedBundles) {
            for bundle in ["user", "user2"] {
                let place = root.join(definitions).join(bundle);
                fs::create_dir_all(place.join("contents.d")).unwrap();
                fs::write(place.join("type"), "bundle\n").unwrap();
            }
        }
    } else {
        sources
            .push(bundle_dir.unwrap_or("etc/s6-overlay/user-bundles.d").trim_start_matches('/').to_owned());
    }
    sources.push(own);
    let output = Command::new("s6-rc-compile").arg("out").args(&sources).current_dir(root).output().unwrap();
    match output.status.success() {
        true => ("ok".into(), database(root)),
        false => (class_of(&String::from_utf8_lossy(&output.stderr), &sources), Value::Null),
    }
}

struct Judgement {
    files: Files,
    compilation: Compilation,
}

impl Judgement {
    fn problems(&self) -> impl Iterator<Item = &Diagnostic> {
        self.compilation.problems.iter()
    }

    fn codes(&self) -> Vec<&'static str> {
        // These tests are not about mistakes in single files.
        self.problems()
            .map(|problem| problem.code.slug())
            .filter(|slug| !slug.starts_with("lint::"))
            .collect()
    }

    /// The verdict of s6-rc-compile, as s6gen predicts it.
    fn class(&self) -> &'static str {
        self.problems().find_map(|problem| problem.class).map_or("ok", |class| class.slug())
    }

    fn starts(&self) -> Vec<String> {
        let index = Index::new(&self.compilation.services);
        let started = index.closure(index.find(&Name::from("top")));
        let ours = started.into_iter().filter(|node| index.layer(*node) == s6gen::model::Layer::Ours);
        ours.map(|node| index.name(node).to_string()).collect()
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for problem in self.problems() {
            text.push_str(&format!("{}: {}\n", problem.code, problem.message));
            for label in &problem.labels {
                let place = self.files.path(label.origin.file).display();
                text.push_str(&format!("  {place}: {}\n", label.text));
            }
            for note in &problem.notes {
                text.push_str(&format!("  note: {note}\n"));
            }
            if let Some(help) = &problem.help {
                text.push_str(&format!("  help: {help}\n"));
            }
        }
        text
    }

    fn compare_with(&self, (class, real): (String, Value), what: &str) {
        assert_eq!(self.class(), class, "{what}: {}", self.text());
        if class == "ok" {
            let ours = Database::of(&Index::new(&self.compilation.services)).to_json();
            assert_eq!(ours, real, "{what}");
        }
    }
}

/// Judges the whole file system of an image: the files that this version ships, and `lines` below `/etc/s6-overlay`.
fn image(version: &str, lines: &[&str]) -> Judgement {
    let mut tree = shipped(system(version));
    add(&mut tree, OVERLAY, lines);
    judged(&tree, &Setup::new(system(version)), &tree)
}

/// Judges `lines` alone, as files that are copied into an image.
fn partial(version: &str, lines: &[&str]) -> Judgement {
    let mut tree = SourceTree::default();
    add(&mut tree, OVERLAY, lines);
    let mut whole = shipped(system(version));
    add(&mut whole, OVERLAY, lines);
    judged(&tree, &Setup { is_partial: true, ..Setup::new(system(version)) }, &whole)
}

fn judged(tree: &SourceTree, setup: &Setup, whole: &SourceTree) -> Judgement {
    let mut files = Files::default();
    let root = tree.source("").directory.unwrap();
    let judgement = Judgement { compilation: judge_image(&mut files, &root, setup, &[]), files };
    if has!("s6-rc") {
        let root = scratch();
        write(whole, root.path());
        let real = real_verdict(setup.system, root.path(), setup.bundle_dir.as_deref());
        judgement.compare_with(real, &setup.system.to_string());
    }
    judgement
}

/// No problems.
const FINE: [&str; 0] = [];

#[test]
fn the_new_place_is_read_since_3_2_3_1() {
    let lines = ["web: base", "user-bundles.d/user/contents.d/web"];
    for version in [STRICT, NEW] {
        for judgement in [image(version, &lines), partial(version, &lines)] {
            assert_eq!(judgement.codes(), FINE, "{version}: {}", judgement.text());
            assert_eq!(judgement.starts(), ["web"]);
        }
    }
}

#[test]
fn the_old_place_is_the_only_one_until_3_2_3_0() {
    let lines = ["web: base", "s6-rc.d/user/contents.d/web"];
    for version in ["3.0.0.0", "3.1.0.1", "3.1.1.1", "3.1.6.2", OLD] {
        for judgement in [image(version, &lines), partial(version, &lines)] {
            assert_eq!(judgement.codes(), FINE, "{version}: {}", judgement.text());
            assert_eq!(judgement.starts(), ["web"]);
        }
    }
}

#[test]
fn before_3_2_3_1_nothing_of_the_new_place_starts() {
    let judgement = partial(OLD, &["web: base", "user-bundles.d/user/contents.d/web"]);
    assert!(judgement.starts().is_empty());
    insta::assert_snapshot!(judgement.text(), @r"
    overlay::bundles-too-new: s6-overlay 3.2.3.0 does not read `user-bundles.d`, so the services in it do not start
      /etc/s6-overlay/user-bundles.d/user/contents.d/web: never read, so this does not start `web`
      note: s6-overlay 3.2.3.0 compiles /etc/s6-overlay/s6-rc.d, and nothing else of the image
      help: upgrade the image to s6-overlay 3.2.3.1 or newer, or use the directory that this version reads: `mv /etc/s6-overlay/user-bundles.d/user/contents.d/* /etc/s6-overlay/s6-rc.d/user/contents.d/`
    ");
    let shipped_empty =
        partial(OLD, &["web: base", "s6-rc.d/user/contents.d/web", "user-bundles.d/user/contents.d/"]);
    assert_eq!(shipped_empty.codes(), FINE);
}

#[test]
fn an_old_place_without_types_is_completed_by_3_2_3_2() {
    let judgement = image(NEW, &["web: base", "s6-rc.d/user/contents.d/web"]);
    assert_eq!(judgement.starts(), ["web"]);
    insta::assert_snapshot!(judgement.text(), @r"
    overlay::deprecated-place: the start bundles are in `s6-rc.d`, which s6-overlay 3.2.3.2 calls deprecated
      /etc/s6-overlay/s6-rc.d/user: because of this directory `user-bundles.d` is not read
      note: /init writes `type` files here at boot; if it cannot, because the root is read-only, nothing starts
      help: in the image, after the last layer that contains the old directory, run `mv /etc/s6-overlay/s6-rc.d/user/contents.d/web /etc/s6-overlay/user-bundles.d/user/contents.d/ && rm -r /etc/s6-overlay/s6-rc.d/user`
    ");
    // Even if the directory is empty, or is not a bundle.
    assert_eq!(image(NEW, &["s6-rc.d/user/"]).codes(), ["overlay::deprecated-place"]);
    let other = image(NEW, &["s6-rc.d/user/type = longrun", "web: base", "s6-rc.d/user/contents.d/web"]);
    assert_eq!(other.codes(), ["overlay::deprecated-place"]);
    // rc.init makes an empty `contents.d`, which hides the file `contents`.
    let hidden = image(NEW, &["s6-rc.d/user/contents = web", "web: base"]);
    assert_eq!(hidden.codes(), ["overlay::deprecated-place", "overlay::not-started"]);
}

#[test]
fn an_old_place_without_types_is_refused_by_3_2_3_1() {
    let judgement = image(STRICT, &["web: base", "s6-rc.d/user/contents.d/web"]);
    assert_eq!(judgement.class(), "type-read");
    insta::assert_snapshot!(judgement.text(), @r"
    overlay::incomplete-start-bundle: the start bundle `user` has no `type` file
      /etc/s6-overlay/s6-rc.d/user: s6-rc-compile finds no `type` here, and stops
      note: because /etc/s6-overlay/s6-rc.d/user exists, s6-overlay 3.2.3.1 does not read /etc/s6-overlay/user-bundles.d; s6-overlay 3.2.3.2 adds the missing files there at boot
      help: in the image, after the last layer that contains the old directory, run `mv /etc/s6-overlay/s6-rc.d/user/contents.d/web /etc/s6-overlay/user-bundles.d/user/contents.d/ && rm -r /etc/s6-overlay/s6-rc.d/user`
    ");
    let half = image(STRICT, &["web: base", "s6-rc.d/user/type = bundle", "s6-rc.d/user/contents.d/web"]);
    assert_eq!((half.class(), half.codes()), ("bundle-undefined", vec!["overlay::incomplete-start-bundle"]));
    let whole = [
        "web: base",
        "s6-rc.d/user/type = bundle",
        "s6-rc.d/user/contents.d/web",
        "s6-rc.d/user2/type = bundle",
        "s6-rc.d/user2/contents.d/",
    ];
    assert_eq!(image(STRICT, &whole).codes(), ["overlay::deprecated-place"]);
}

#[test]
fn the_new_place_is_not_read_if_the_old_one_exists() {
    let lines = ["web: base", "db: base", "s6-rc.d/user/contents.d/web", "user-bundles.d/user/contents.d/db"];
    let judgement = image(NEW, &lines);
    assert_eq!((judgement.class(), judgement.starts()), ("ok", vec!["web".to_owned()]));
    insta::assert_snapshot!(judgement.text(), @r"
    overlay::user-in-two-places: `user-bundles.d` is never read, because `s6-rc.d/user` exists as well
      /etc/s6-overlay/s6-rc.d/user: if any layer has this directory, /init ignores the other one
      /etc/s6-overlay/user-bundles.d/user/contents.d/db: never read, so this does not start `db`
      help: in the image, after the last layer that contains the old directory, run `mv /etc/s6-overlay/s6-rc.d/user/contents.d/web /etc/s6-overlay/user-bundles.d/user/contents.d/ && rm -r /etc/s6-overlay/s6-rc.d/user`
    ");
    // A service in both places is started.
    let twice = ["web: base", "s6-rc.d/user/contents.d/web", "user-bundles.d/user/contents.d/web"];
    assert_eq!(image(NEW, &twice).codes(), ["overlay::deprecated-place"]);
}

#[test]
fn the_syslogd_archive_brings_the_old_place_and_the_report_names_the_remedy() {
    let lines = [
        "web: base",
        "user-bundles.d/user/contents.d/web",
        "syslogd: base",
        "s6-rc.d/syslogd-bundle/type = bundle",
        "s6-rc.d/syslogd-bundle/contents.d/syslogd",
        "s6-rc.d/user/contents.d/syslogd-bundle",
    ];
    let judgement = partial(NEW, &lines);
    assert_eq!(judgement.starts(), ["syslogd"]);
    insta::assert_snapshot!(judgement.text(), @r"
    overlay::user-in-two-places: `user-bundles.d` is never read, because `s6-rc.d/user` exists as well
      /etc/s6-overlay/s6-rc.d/user: if any layer has this directory, /init ignores the other one
      /etc/s6-overlay/user-bundles.d/user/contents.d/web: never read, so this does not start `web`
      help: after unpacking the syslogd archive, which still contains the old directory, run `mv /etc/s6-overlay/s6-rc.d/user/contents.d/syslogd-bundle /etc/s6-overlay/user-bundles.d/user/contents.d/ && rm -r /etc/s6-overlay/s6-rc.d/user`
    ");
    assert_eq!(partial(STRICT, &lines).class(), "type-read");
}

#[test]
fn user2_in_the_old_place_alone_is_a_second_definition() {
    let judgement = partial(
        NEW,
        &["s6-rc.d/user2/type = bundle", "s6-rc.d/user2/contents.d/web", "web: legacy-services"],
    );
    assert_eq!(judgement.class(), "dup-service");
    insta::assert_snapshot!(judgement.text(), @r"
    s6rc::duplicate-service: the start bundle `user2` is defined in two places
      /etc/s6-overlay/s6-rc.d/user2/type: only older versions read this one
      /etc/s6-overlay/user-bundles.d/user2/type: second definition
      note: s6-overlay 3.2.3.2 takes the start bundles from /etc/s6-overlay/user-bundles.d
      help: in the image, after the last layer that contains the old directory, run `mv /etc/s6-overlay/s6-rc.d/user2/contents.d/web /etc/s6-overlay/user-bundles.d/user2/contents.d/ && rm -r /etc/s6-overlay/s6-rc.d/user2`
    ");
    let whole =
        image(NEW, &["s6-rc.d/user2/type = bundle", "s6-rc.d/user2/contents.d/web", "web: legacy-services"]);
    assert_eq!((whole.class(), whole.codes()), ("dup-service", vec!["s6rc::duplicate-service"]));
}

#[test]
fn a_bundle_directory_must_bring_both_bundles() {
    let setup = |bundle_dir: &str| Setup { bundle_dir: Some(bundle_dir.into()), ..Setup::new(system(NEW)) };
    let mut tree = shipped(system(NEW));
    add(&mut tree, OVERLAY, &["web: base", "night/user/type = bundle", "night/user/contents.d/web"]);
    let judgement = judged(&tree, &setup("/etc/s6-overlay/night"), &tree);
    assert_eq!(judgement.class(), "bundle-undefined");
    insta::assert_snapshot!(judgement.text(), @r"
    overlay::incomplete-start-bundle: the start bundle `user2` is not defined
      /etc/s6-overlay/night: there is no `user2` in here
      note: `top` of s6-overlay contains `user2`, so it must exist, even when it is empty
      note: s6-overlay 3.2.3.2 takes the start bundles from /etc/s6-overlay/night
      help: make one: `mkdir -p /etc/s6-overlay/night/user2/contents.d && echo bundle > /etc/s6-overlay/night/user2/type`
    ");
    let missing = judged(&tree, &setup("/etc/s6-overlay/day"), &tree);
    assert_eq!((missing.class(), missing.codes()), ("src-opendir", vec!["s6rc::source-unreadable"]));
    add(&mut tree, OVERLAY, &["night/user2/type = bundle", "night/user2/contents.d/"]);
    assert_eq!(judged(&tree, &setup("/etc/s6-overlay/night"), &tree).codes(), FINE);
    // The directory is an ordinary source, so definitions in it count, unless the old place exists.
    add(&mut tree, OVERLAY, &["night/db/type = longrun", "night/db/run = x", "night/db/dependencies.d/base"]);
    add(&mut tree, OVERLAY, &["night/user/contents.d/db"]);
    assert_eq!(judged(&tree, &setup("/etc/s6-overlay/night"), &tree).starts(), ["web", "db"]);
    add(&mut tree, OVERLAY, &["s6-rc.d/user/contents.d/web"]);
    let ignored = judged(&tree, &setup("/etc/s6-overlay/night"), &tree);
    assert_eq!(ignored.codes(), ["overlay::user-in-two-places"]);
    assert!(ignored.text().contains("`S6_RUNTIME_BUNDLEDIR` is never read"), "{}", ignored.text());
}

#[test]
fn a_profile_replaces_everything_in_the_image() {
    let mut tree = shipped(system(NEW));
    let profile = "etc/cont-profile.d/small/s6-overlay/";
    add(&mut tree, profile, &["web: base", "user-bundles.d/user/contents.d/web"]);
    let mut files = Files::default();
    let root = tree.source("").directory.unwrap();
    let setup = Setup { profile: Some("small".into()), ..Setup::new(system(NEW)) };
    let compilation = judge_image(&mut files, &root, &setup, &[]);
    let judgement = Judgement { files, compilation };
    assert_eq!(judgement.class(), "type-read");
    assert_eq!(judgement.codes(), ["overlay::incomplete-start-bundle"; 2], "{}", judgement.text());
}

#[test]
fn a_directory_beside_the_two_that_init_reads_is_never_read() {
    let judgement = partial(
        NEW,
        &["sv/web/type = longrun", "sv/web/run = #!/bin/web", "user-bundles.d/user/contents.d/web"],
    );
    assert_eq!(judgement.class(), "bundle-undefined");
    let linked =
        ["sv/web/type = longrun", "sv/web/run = #!/bin/web", "sv/web/dependencies.d/base", "s6-rc.d -> sv"];
    let mut tree = SourceTree::default();
    add(&mut tree, OVERLAY, &linked);
    add(&mut tree, OVERLAY, &["sv/user/type = bundle", "sv/user/contents.d/web"]);
    let setup = Setup::new(system(NEW));
    assert_eq!(judged(&tree, &setup, &tree).codes(), ["overlay::deprecated-place"]);
}

#[test]
fn names_of_the_overlay_are_known_and_reserved() {
    let judgement = partial(NEW, &["base: ", "s6-rc.d/base/dependencies.d/fix-attrs"]);
    assert_eq!((judgement.class(), judgement.codes()), ("dup-service", vec!["overlay::built-in-name"]));
    let lines = ["web: legacy-services", "user-bundles.d/user/contents.d/web"];
    let cycle = partial(NEW, &lines);
    assert_eq!((cycle.class(), cycle.codes()), ("dep-cycle", vec!["s6rc::dependency-cycle"]));
    let late = partial(NEW, &["web: legacy-services", "user-bundles.d/user2/contents.d/web"]);
    assert_eq!(late.codes(), FINE);
    // Before 3.1.1.1 nothing starts `user2`.
    let early =
        partial("3.1.0.0", &["web: base", "s6-rc.d/user2/type = bundle", "s6-rc.d/user2/contents.d/web"]);
    assert_eq!(early.codes(), ["overlay::not-started"]);
}

#[test]
fn services_that_nothing_starts_share_one_report_for_each_group() {
    let lines = [
        "web: base db",
        "db: base",
        "api: base",
        "user-bundles.d/user/contents.d/api",
        "s6-rc.d/extra/type = bundle",
        "s6-rc.d/extra/contents.d/cron",
        "cron: base",
        "s6-rc.d/nothing/type = bundle",
        "s6-rc.d/nothing/contents.d/",
    ];
    insta::assert_snapshot!(partial(NEW, &lines).text(), @r"
    overlay::not-started: nothing starts bundle `extra`
      /etc/s6-overlay/s6-rc.d/extra/type: it is in neither `user` nor `user2`, and nothing that starts needs it
      help: to start it at boot: `touch /etc/s6-overlay/user-bundles.d/user/contents.d/extra`; if you start it with `s6-rc start extra`, leave it
    overlay::not-started: nothing starts longrun `web`
      /etc/s6-overlay/s6-rc.d/web/type: it is in neither `user` nor `user2`, and nothing that starts needs it
      help: to start it at boot: `touch /etc/s6-overlay/user-bundles.d/user/contents.d/web`; if you start it with `s6-rc start web`, leave it
    ");
}

#[test]
fn services_that_do_not_wait_for_the_image_are_reported_with_a_remedy() {
    let lines = [
        "early: ",
        "listed: ",
        "s6-rc.d/listed/dependencies = early",
        "linked: web",
        "web: base",
        "logged: base",
        "s6-rc.d/logged/producer-for = logged-log",
        "logged-log: ",
        "s6-rc.d/logged-log/consumer-for = logged",
        "late: base",
        "user-bundles.d/user/contents.d/early",
        "user-bundles.d/user/contents.d/listed",
        "user-bundles.d/user/contents.d/linked",
        "user-bundles.d/user/contents.d/logged",
        "user-bundles.d/user2/contents.d/late",
    ];
    insta::assert_snapshot!(partial(NEW, &lines).text(), @r"
    overlay::starts-early: `early` does not wait for `base`
      /etc/s6-overlay/s6-rc.d/early/type: it starts during the image's own initialisation, not after it
      note: the services that wait for it are as early: `listed`
      help: add the dependency, unless the service must start early: `mkdir -p /etc/s6-overlay/s6-rc.d/early/dependencies.d && touch /etc/s6-overlay/s6-rc.d/early/dependencies.d/base`
    overlay::starts-early: `late` does not wait for `legacy-services`
      /etc/s6-overlay/s6-rc.d/late/type: it is in `user2`, but starts at the same time as everything else
      help: add the dependency, unless the service must start early: `touch /etc/s6-overlay/s6-rc.d/late/dependencies.d/legacy-services`
    ");
}

/// A union of trees in memory, lowest first.
fn union<'a>(layers: &[&'a SourceTree]) -> Union<TreeDirectory<'a>> {
    let mounts = layers
        .iter()
        .zip(1..)
        .map(|(tree, number)| Mount::new("/", format!("layer{number}"), tree.source("").directory.unwrap()));
    Union::new(mounts.collect()).unwrap()
}

fn tree(lines: &[&str]) -> SourceTree {
    let mut tree = SourceTree::default();
    add(&mut tree, "", lines);
    tree
}

fn names(directory: &mut impl Directory) -> Vec<String> {
    let entries = directory.list().unwrap();
    entries.into_iter().map(|entry| String::from_utf8(entry.name).unwrap()).collect()
}

#[test]
fn layers_merge_as_in_an_image() {
    let base =
        tree(&["a/one = base", "a/two = base", "a/gone = base", "a/deep/x", "b/old", "file = base", "l/x"]);
    let top =
        tree(&["a/two = top", "a/three", "a/.wh.gone", "b/.wh..wh..opq", "b/new", "file/inside", "l -> a"]);
    let mut root = union(&[&base, &top]);
    assert_eq!(names(&mut root), ["a", "b", "file", "l"]);
    let mut a = root.directory(b"a").unwrap();
    assert_eq!(names(&mut a), ["deep", "one", "three", "two"]);
    assert_eq!(a.read(b"one", 9).unwrap(), b"base\n");
    assert_eq!(a.read(b"two", 9).unwrap(), b"top\n");
    assert!(a.read(b"gone", 9).is_err());
    assert_eq!(names(&mut root.directory(b"b").unwrap()), ["new"]);
    assert_eq!(names(&mut root.directory(b"file").unwrap()), ["inside"]);
    assert_eq!(a.place(b"one").unwrap(), Path::new("layer1/a/one"));
    assert_eq!(a.place(b"two").unwrap(), Path::new("layer2/a/two"));
    // A link in an upper layer hides the directory of a lower layer, and leads to the entries of all layers at its target.
    assert_eq!(names(&mut root.directory(b"l").unwrap()), ["deep", "one", "three", "two"]);
    assert_eq!(root.kind(b"l").unwrap(), EntryKind::Directory);
}

#[test]
fn links_are_followed_inside_the_union() {
    let base =
        tree(&["etc/sv/web/type = longrun", "abs -> /etc/sv", "up -> ../../etc/sv/web/type", "loop -> loop"]);
    let top = tree(&[
        "etc/rc/web -> ../sv/web",
        "etc/sv/web/run = #!/bin/web",
        "nowhere -> etc/sv/no",
        "under -> up/more",
    ]);
    let root = union(&[&base, &top]);
    let mut web = root.directory(b"etc").unwrap().directory(b"rc").unwrap().directory(b"web").unwrap();
    assert_eq!(names(&mut web), ["run", "type"]);
    assert_eq!(web.place(b"type").unwrap(), Path::new("layer1/etc/sv/web/type"));
    assert_eq!(names(&mut root.directory(b"abs").unwrap()), ["web"]);
    assert_eq!(root.read(b"up", 20).unwrap(), b"longrun\n");
    assert_eq!(root.kind(b"loop").unwrap_err().raw_os_error(), Some(40));
    assert_eq!(root.kind(b"nowhere").unwrap_err().kind(), std::io::ErrorKind::NotFound);
    assert_eq!(root.kind(b"under").unwrap_err().kind(), std::io::ErrorKind::NotADirectory);
}

#[test]
fn a_union_of_one_layer_is_that_layer() {
    let sample = tree(&["a/b/c = 1", "a/d -> b/c", "e"]);
    let mut union = union(&[&sample]);
    let mut plain = sample.source("").directory.unwrap();
    assert_eq!(union.list().unwrap(), plain.list().unwrap());
    let (mut left, mut right) = (union.directory(b"a").unwrap(), plain.directory(b"a").unwrap());
    assert_eq!(left.list().unwrap(), right.list().unwrap());
    assert_eq!(left.read(b"d", 5).unwrap(), right.read(b"d", 5).unwrap());
    assert!(left.read(b"b", 5).is_err() && left.directory(b"d").is_err());
}

#[test]
fn a_tree_that_is_spread_over_layers_gets_the_verdict_of_the_whole_tree() {
    let verdicts = lines("verdicts-dev.jsonl").into_iter().map(|line| serde_json::from_str(&line).unwrap());
    let verdicts: BTreeMap<String, Verdict> =
        verdicts.map(|verdict: Verdict| (verdict.id.clone(), verdict)).collect();
    let (mut compared, mut differences) = (0, Vec::new());
    for case in cases("cases-named.jsonl").into_iter().chain(cases("corpus-dev.jsonl")) {
        let verdict = case.verdict.clone().unwrap_or_else(|| verdicts[&case.id].clone());
        let Some(whole) = in_memory(&case) else { continue };
        if verdict.class == "out-mkdir" || verdict.class.starts_with("bad-") || verdict.class == "usage" {
            continue;
        }
        let mut layers = [SourceTree::default(), SourceTree::default(), SourceTree::default()];
        for (number, (path, entry)) in whole.entries().enumerate() {
            match entry {
                TreeEntry::Directory => layers[number % 3].directory(path),
                TreeEntry::File { content, .. } => layers[number % 3].file(path, content.to_vec(), false),
                TreeEntry::Link(target) => layers[number % 3].link(path, target),
            }
        }
        let root = union(&layers.iter().collect::<Vec<_>>());
        let sources = case.sources().into_iter().map(|path| {
            let names = path.split('/').filter(|name| !name.is_empty());
            let open = |at: Union<_>, name: &str| at.directory(name.as_bytes());
            let directory = root.directory(b".").and_then(|root| names.clone().try_fold(root, open));
            Source { path: path.clone().into(), directory }
        });
        let judgement = judge(sources.collect());
        compared += 1;
        if let Some(difference) = verdict.disagreement(&judgement) {
            differences.push(format!("{}: {difference}", case.id));
        }
    }
    let count = differences.len();
    assert!(differences.is_empty(), "{count} of {compared} differ:\n{}", differences.join("\n"));
    assert!(compared > 1500, "only {compared} cases could be compared");
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_s6gen"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", err(output)))
}

/// A folder with a base layer and one that adds to it.
fn layered() -> tempfile::TempDir {
    let folder = scratch();
    let mut files = SourceTree::default();
    add(&mut files, "base/", &["nginx: base", "user-bundles.d/user/contents.d/nginx"]);
    add(
        &mut files,
        "mine/",
        &[
            "init-config: base",
            "s6-rc.d/init-config/timeout-up = 10000",
            "s6-rc.d/nginx/dependencies.d/init-config",
        ],
    );
    write(&files, folder.path());
    folder
}

#[test]
fn a_definition_that_only_adds_to_one_of_the_base_image_is_understood() {
    let folder = layered();
    let alone = run(folder.path(), &["check", "--overlay", NEW, "--tree", "mine"]);
    assert!(err(&alone).contains("s6rc::type-missing"), "{}", err(&alone));
    for (tree, layer) in [("mine", "base"), ("mine/s6-rc.d", "base"), ("mine", "base/s6-rc.d/")] {
        let arguments = ["check", "--overlay", NEW, "--tree", tree, "--layer", layer, "--format", "json"];
        let output = run(folder.path(), &arguments);
        let shape = json(&output);
        assert_eq!((output.status.code(), &shape["class"]), (Some(0), &"ok".into()), "{shape:#}");
        assert_eq!(shape["problems"], serde_json::json!([]));
        let needed = &shape["db"]["services"]["nginx"]["deps"];
        assert_eq!(needed, &serde_json::json!(["fix-attrs", "init-config", "legacy-cont-init"]));
    }
    let together = run(folder.path(), &["check", "--overlay", NEW, "--tree", "mine", "--layer", "base"]);
    assert_eq!(err(&together), "mine: 2 definitions, no problem for s6-overlay 3.2.3.2\n");
}

#[test]
fn a_problem_names_the_file_of_the_layer_that_it_is_in() {
    let folder = layered();
    fs::write(folder.path().join("mine/s6-rc.d/nginx/dependencies.d/datbase"), "").unwrap();
    fs::write(folder.path().join("base/s6-rc.d/nginx/timeout-up"), "10s").unwrap();
    let output = run(
        folder.path(),
        &["check", "--overlay", NEW, "--tree", "mine/s6-rc.d", "--layer", "base", "--format", "json"],
    );
    let shape = json(&output);
    let places: Vec<&Value> =
        shape["problems"].as_array().unwrap().iter().map(|p| &p["labels"][0]["file"]).collect();
    assert_eq!(places, ["base/s6-rc.d/nginx/timeout-up", "mine/s6-rc.d/nginx/dependencies.d/datbase"]);
    assert_eq!(shape["class"], "timeout-invalid");
}

#[test]
fn nested_files_of_a_definition_are_found_in_every_layer() {
    let folder = scratch();
    let mut files = SourceTree::default();
    let script = "#!/bin/sh\nexec s6-notifyoncheck -n 0 web\n";
    let oneshot = "oneshot\n";
    files.file("base/s6-rc.d/web/type", "longrun\n", false);
    files.file("base/s6-rc.d/web/data/check", "#!/bin/sh\n", true);
    files.file("base/user-bundles.d/user/contents.d/web", "", false);
    files.file("mine/s6-rc.d/web/run", script, true);
    files.file("mine/s6-rc.d/web/notification-fd", "3\n", false);
    files.file("mine/s6-rc.d/web/timeout-up", "9000\n", false);
    files.file("mine/s6-rc.d/web/dependencies.d/prepare", "", false);
    files.file("mine/s6-rc.d/prepare/type", oneshot, false);
    files.file("mine/s6-rc.d/prepare/up", "/etc/s6-overlay/s6-rc.d/prepare/scripts/up\n", false);
    files.file("mine/s6-rc.d/prepare/dependencies.d/base", "", false);
    files.file("base/s6-rc.d/prepare/scripts/up", "#!/bin/sh\n", false);
    write(&files, folder.path());
    let check = |arguments: &[&str]| {
        let output =
            run(folder.path(), &[&["check", "--overlay", NEW, "--format", "json"], arguments].concat());
        let problems = json(&output)["problems"].as_array().unwrap().clone();
        let shown = problems
            .iter()
            .map(|p| (p["code"].clone(), p["labels"].as_array().unwrap().last().unwrap()["file"].clone()));
        shown
            .map(|(code, file)| format!("{} {}", code.as_str().unwrap(), file.as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    // The only fault is the script without an x bit, in the layer that it is from.
    let layers = ["--layer", "base", "--tree", "mine"];
    assert_eq!(check(&layers), ["lint::not-executable base/s6-rc.d/prepare/scripts/up"]);
    fs::write(folder.path().join("mine/s6-rc.d/web/.wh.data"), "").unwrap();
    fs::create_dir(folder.path().join("mine/s6-rc.d/prepare/scripts")).unwrap();
    fs::write(folder.path().join("mine/s6-rc.d/prepare/scripts/.wh..wh..opq"), "").unwrap();
    assert_eq!(check(&layers)[0], "lint::readiness-check mine/s6-rc.d/web/run");
}

/// The output of `check` for an s6-overlay directory on top of others.
fn report_of(folder: &Path, tree: &str, layers: &[&str]) -> String {
    let layers = layers.iter().flat_map(|layer| ["--layer", layer]);
    let arguments: Vec<&str> =
        ["check", "--overlay", NEW, "--tree", tree].into_iter().chain(layers).collect();
    err(&run(folder, &arguments))
}

#[test]
fn early_services_are_reported_once_for_each_chain_that_begins_in_this_tree() {
    let folder = scratch();
    let mut files = SourceTree::default();
    add(
        &mut files,
        "base/",
        &[
            "mods: ",
            "config: mods",
            "nginx: config",
            "user-bundles.d/user/type = bundle",
            "user-bundles.d/user/contents.d/nginx",
        ],
    );
    add(
        &mut files,
        "mine/",
        &[
            "web: config",
            "own: ",
            "next: own",
            "last: next",
            "user-bundles.d/user/contents.d/web",
            "user-bundles.d/user/contents.d/last",
        ],
    );
    write(&files, folder.path());
    insta::assert_snapshot!(report_of(folder.path(), "mine", &["base"]), @r"
    overlay::starts-early

      ⚠ `own` does not wait for `base`
      ╰─▶ the services that wait for it are as early: `last`, `next`
       ╭─[mine/s6-rc.d/own/type:1:1]
     1 │ longrun
       · ───┬───
       ·    ╰── it starts during the image's own initialisation, not after it
       ╰────
      help: add the dependency, unless the service must start early: `mkdir -p mine/s6-rc.d/own/dependencies.d && touch mine/s6-rc.d/own/dependencies.d/base`

    1 warning; `s6gen explain CODE` says more about each
    ");
    // Nothing starts this service. The remedy is in the judged tree, and not in the layer that has the `type` of the bundle.
    add(&mut files, "mine/", &["idle: base"]);
    add(&mut files, "base/", &["spare: base"]);
    write(&files, folder.path());
    let report = report_of(folder.path(), "mine/s6-rc.d", &["base"]);
    assert!(report.contains("`touch mine/user-bundles.d/user/contents.d/idle`"), "{report}");
    assert!(!report.contains("spare"), "{report}");
}

#[test]
fn a_service_that_a_script_starts_is_not_reported_as_not_started() {
    let folder = scratch();
    let mut files = SourceTree::default();
    add(
        &mut files,
        "mine/",
        &[
            "web: base",
            "worker: base",
            "backup: base",
            "tunnel: base",
            "idle: base",
            "user-bundles.d/user/contents.d/web",
        ],
    );
    files.file("mine/s6-rc.d/web/run", "#!/bin/sh\ns6-rc -u change worker\nexec web\n", true);
    files.file(
        "mine/scripts/hook",
        "#!/bin/sh\ntouch /etc/s6-overlay/s6-rc.d/web/dependencies.d/tunnel\n",
        true,
    );
    files.file("mine/scripts/lists", "#!/bin/sh\n# s6-rc -u change idle\necho idle\n", true);
    write(&files, folder.path());
    let idle = |report: String| {
        let lines = report
            .lines()
            .filter_map(|line| line.split_once("nothing starts longrun `"))
            .map(|(_, name)| name.trim_end_matches('`').to_owned());
        lines.collect::<Vec<_>>()
    };
    assert_eq!(idle(report_of(folder.path(), "mine", &[])), ["backup", "idle"]);
    // In a whole image, programs count as well.
    let image = root();
    let mut more = SourceTree::default();
    more.file("usr/bin/make-backup", "#!/bin/sh\nexec s6-rc start backup\n", true);
    for name in ["backup", "idle"] {
        more.file(format!("etc/s6-overlay/sv/{name}/type"), "longrun\n", false);
        more.file(format!("etc/s6-overlay/sv/{name}/run"), "#!/bin/sh\n", false);
    }
    write(&more, &image.path().join("rootfs"));
    assert_eq!(idle(err(&run(image.path(), &["check", "--root", "rootfs"]))), ["idle"]);
}

#[test]
fn an_image_that_s6gen_built_starts_what_its_manifest_starts() {
    let folder = root();
    let root = folder.path().join("rootfs");
    fs::remove_file(root.join("etc/s6-overlay/s6-rc.d")).unwrap();
    fs::remove_dir_all(root.join("etc/s6-overlay/sv")).unwrap();
    fs::remove_file(root.join("etc/s6-overlay/user-bundles.d/user/contents.d/web")).unwrap();
    let manifest = r#"
        [longrun.web]
        run = ["sleep", "9"]
        ready.check = ["true"]
        [oneshot.first]
        up = ["true"]
        start = "early"
        [longrun.worker]
        run = ["sleep", "9"]
        start = "on-demand"
        log.to = "/var/log/worker"
        [oneshot.later]
        up = ["true"]
        start = "on-demand"
        [bundle.several]
        contents = ["worker", "later"]
    "#;
    fs::write(folder.path().join("services.toml"), manifest).unwrap();
    let built = run(folder.path(), &["build", "--root", "rootfs"]);
    assert_eq!(built.status.code(), Some(0), "{}", err(&built));
    let check = || err(&run(folder.path(), &["check", "--root", "rootfs"]));
    assert!(check().ends_with("no problem for s6-overlay 3.2.3.2\n"), "{}", check());
    let tree = err(&run(folder.path(), &["check", "--overlay", NEW, "--tree", "rootfs/etc/s6-overlay"]));
    assert!(tree.ends_with("no problem for s6-overlay 3.2.3.2\n"), "{tree}");
    // A service that should start and does not is still reported.
    fs::remove_file(root.join("etc/s6-overlay/user-bundles.d/user/contents.d/default")).unwrap();
    assert!(check().contains("nothing starts bundle `default`"), "{}", check());
    assert_eq!(check().matches("nothing starts").count(), 1, "{}", check());
    // A definition beside ours that is not in the receipt is foreign.
    fs::create_dir(root.join("etc/s6-overlay/s6-rc.d/other")).unwrap();
    fs::write(root.join("etc/s6-overlay/s6-rc.d/other/type"), "oneshot\n").unwrap();
    fs::write(root.join("etc/s6-overlay/s6-rc.d/other/up"), "").unwrap();
    assert!(check().contains("nothing starts oneshot `other`"), "{}", check());
}

#[test]
fn only_an_image_can_be_a_damaged_copy_and_it_gets_one_report() {
    let image = root();
    let mut more = SourceTree::default();
    for name in ["a", "b", "c"] {
        more.file(format!("etc/s6-overlay/sv/{name}/type"), "", false);
    }
    more.file("etc/s6-overlay/sv/d/run", "", false);
    more.file("etc/s6-overlay/sv/e/type", "oneshot\n", false);
    more.file("etc/s6-overlay/sv/e/up", "/etc/s6-overlay/s6-rc.d/e/script\n", false);
    write(&more, &image.path().join("rootfs"));
    let report = err(&run(image.path(), &["check", "--root", "rootfs"]));
    assert_eq!(report.matches("pull it again").count(), 1, "{report}");
    assert!(report.contains("help: write `longrun` into `type`"), "{report}");
    // Nothing else can bring this script.
    assert!(report.contains("runs `/etc/s6-overlay/s6-rc.d/e/script`, which does not exist"), "{report}");
    write(&more, &image.path().join("part"));
    let report = report_of(image.path(), "part/etc/s6-overlay", &[]);
    assert!(!report.contains("pull it again") && !report.contains("e/script"), "{report}");
}

#[test]
fn an_upper_layer_can_hide_what_a_lower_one_has() {
    let folder = layered();
    fs::write(folder.path().join("mine/s6-rc.d/.wh.nginx"), "").unwrap();
    fs::remove_dir_all(folder.path().join("mine/s6-rc.d/nginx")).unwrap();
    let output = run(folder.path(), &["check", "--overlay", NEW, "--tree", "mine", "--layer", "base"]);
    assert!(err(&output).contains("`user` contains `nginx`, which is defined nowhere"), "{}", err(&output));
    fs::create_dir_all(folder.path().join("mine/user-bundles.d/user/contents.d")).unwrap();
    fs::write(folder.path().join("mine/user-bundles.d/user/contents.d/.wh.nginx"), "").unwrap();
    let output = run(folder.path(), &["check", "--overlay", NEW, "--tree", "mine", "--layer", "base"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
}

#[test]
fn links_between_definitions_work_in_layers_as_in_the_image() {
    let folder = scratch();
    let mut files = SourceTree::default();
    let sv = ["sv/web/type = longrun", "sv/web/run = #!/bin/web", "s6-rc.d/web -> /etc/s6-overlay/sv/web"];
    add(&mut files, "base/", &sv);
    add(&mut files, "mine/", &["sv/web/dependencies.d/base", "user-bundles.d/user/contents.d/web"]);
    write(&files, folder.path());
    let output = run(folder.path(), &["check", "--overlay", NEW, "--layer", "base", "--tree", "mine"]);
    assert_eq!(err(&output), "mine: 1 definition, no problem for s6-overlay 3.2.3.2\n");
    // A directory with any other name is the s6-rc.d alone. Its links lead to entries at their real place.
    fs::create_dir(folder.path().join("x")).unwrap();
    symlink("../base/sv/web", folder.path().join("x/web")).unwrap();
    let output = run(folder.path(), &["check", "--overlay", NEW, "--tree", "x"]);
    assert!(err(&output).contains("nothing starts longrun `web`"), "{}", err(&output));
}

#[test]
fn services_that_are_defined_elsewhere_can_be_named() {
    let folder = scratch();
    write(&tree(&["web: db", "db: cache"]), folder.path());
    for rest in [&[][..], &["--overlay", NEW]] {
        let arguments = [&["check", "--tree", "s6-rc.d", "--format", "json"], rest].concat();
        assert_eq!(json(&run(folder.path(), &arguments))["class"], "dep-undefined");
        // An external service that the tree defines after all is not defined twice.
        let named =
            [&arguments[..], &["--external", "cache", "--external", "cache", "--external", "web"]].concat();
        assert_eq!(json(&run(folder.path(), &named))["class"], "ok");
    }
}

#[test]
fn a_second_tree_is_the_bundle_directory() {
    let folder = scratch();
    let bundles = ["night/user/type = bundle", "night/user/contents.d/web", "night/user2/type = bundle"];
    write(&tree(&["web: base"]), folder.path());
    write(&tree(&bundles), folder.path());
    write(&tree(&["night/user2/contents.d/"]), folder.path());
    let arguments = ["check", "--overlay", NEW, "--tree", "s6-rc.d", "--tree", "night"];
    let output = run(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    fs::remove_dir_all(folder.path().join("night/user2")).unwrap();
    let output = run(folder.path(), &arguments);
    assert!(err(&output).contains("mkdir -p night/user2/contents.d"), "{}", err(&output));
    let output = run(folder.path(), &["check", "--overlay", OLD, "--tree", "s6-rc.d", "--tree", "night"]);
    assert!(err(&output).contains("does not read `S6_RUNTIME_BUNDLEDIR`"), "{}", err(&output));
}

#[test]
fn a_definition_that_init_would_not_read_is_an_error_even_if_it_compiles() {
    let folder = scratch();
    let lines = ["web: base", "s6-rc.d/user/", "user-bundles.d/user/contents.d/web"];
    write(&tree(&lines), folder.path());
    let output = run(folder.path(), &["check", "--overlay", NEW, "--tree", ".", "--format", "json"]);
    let shape = json(&output);
    assert_eq!((output.status.code(), &shape["class"]), (Some(1), &"ok".into()));
    assert!(shape["db"]["bundles"]["user"].as_array().unwrap().is_empty());
    assert_eq!(shape["problems"][0]["code"], "overlay::user-in-two-places");
}

#[test]
fn options_for_an_image_need_an_image() {
    let folder = scratch();
    for arguments in [
        &["--overlay", NEW][..],
        &["--external", "a"],
        &["--layer", "x", "--tree", "y"],
        &["--tree", "x", "--root", "y"],
        &["--root", "x", "--manifest", "y"],
        &["--tree", "x", "--overlay", "9.9.9.9"],
        &["--overlay", NEW, "--tree", "x", "--tree", "y", "--tree", "z"],
        &["--tree", "x", "--external", "a/b"],
        &["--root", "x", "--bundle-dir", "relative"],
        &["--tree", "x", "--profile", "small"],
    ] {
        let output = run(folder.path(), &[&["check"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", err(&output));
    }
}

/// A root with the version in `/init`, and with definitions of s6-overlay that differ from those that s6gen knows.
fn root() -> tempfile::TempDir {
    let folder = scratch();
    let mut image = shipped(system(NEW));
    let own = format!("package/admin/s6-overlay-{NEW}/etc/s6-rc/sources/");
    add(&mut image, "", &[&format!("init = exec /package/admin/s6-overlay-{NEW}/libexec/preinit")]);
    add(
        &mut image,
        &own,
        &[
            "base/type = bundle",
            "base/contents.d/prepare",
            "prepare/type = oneshot",
            "prepare/up = /bin/prepare",
            "top/type = bundle",
            "top/contents.d/base",
            "top/contents.d/user",
            "top/contents.d/user2",
        ],
    );
    add(
        &mut image,
        OVERLAY,
        &["sv/web/type = longrun", "sv/web/run = #!/bin/web", "sv/web/dependencies.d/base"],
    );
    add(&mut image, OVERLAY, &["user-bundles.d/user/contents.d/web"]);
    write(&image, &folder.path().join("rootfs"));
    // Absolute links lead to places of the image.
    let definitions = folder.path().join("rootfs/etc/s6-overlay/s6-rc.d");
    fs::remove_dir(&definitions).unwrap();
    symlink("/etc/s6-overlay/sv", definitions).unwrap();
    folder
}

#[test]
fn the_version_of_the_overlay_is_found_in_the_image() {
    let folder = root();
    let output = run(folder.path(), &["check", "--root", "rootfs", "--format", "json"]);
    let shape = json(&output);
    assert_eq!((&shape["class"], &shape["problems"]), (&"ok".into(), &serde_json::json!([])), "{shape:#}");
    assert_eq!(shape["db"]["services"]["prepare"]["up"], serde_json::json!(["/bin/prepare"]));
    assert_eq!(shape["db"]["services"]["web"]["deps"], serde_json::json!(["prepare"]));
    let checked = run(folder.path(), &["check", "--root", "rootfs"]);
    assert_eq!(err(&checked), "rootfs: 1 definition, no problem for s6-overlay 3.2.3.2\n");
    let graph = run(folder.path(), &["graph", "--root", "rootfs"]);
    assert!(String::from_utf8_lossy(&graph.stdout).contains("  1  web"), "{}", err(&graph));
    // The same root, read as another version would.
    let older = run(folder.path(), &["check", "--root", "rootfs", "--overlay", OLD]);
    assert!(err(&older).contains("overlay::bundles-too-new"), "{}", err(&older));
}

#[test]
fn the_page_on_trees_shows_the_real_report_on_an_image() {
    let folder = scratch();
    let mut image = shipped(system(NEW));
    add(&mut image, "", &[&format!("init = exec /package/admin/s6-overlay-{NEW}/libexec/preinit")]);
    add(&mut image, OVERLAY, &["web: base", "user-bundles.d/user/contents.d/web", "syslogd-bundle: base"]);
    add(&mut image, OVERLAY, &["s6-rc.d/user/contents.d/syslogd-bundle"]);
    write(&image, &folder.path().join("image"));
    let report = err(&run(folder.path(), &["check", "--root", "image"]));
    let (report, _) = report.rsplit_once("\n1 error;").unwrap();
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/trees.md")).unwrap();
    assert!(page.contains(&format!("```text\n{report}```")), "{report}");
}

#[test]
fn the_commands_on_the_page_of_the_rule_move_the_bundles() {
    let folder = scratch();
    let mut image = shipped(system(NEW));
    add(&mut image, OVERLAY, &["web: base", "user-bundles.d/user/contents.d/web", "other: base"]);
    add(&mut image, "", &[&format!("init = exec /package/admin/s6-overlay-{NEW}/libexec/preinit")]);
    add(&mut image, OVERLAY, &["s6-rc.d/user/contents.d/other"]);
    write(&image, &folder.path().join("image"));
    let check = || err(&run(folder.path(), &["check", "--root", "image"]));
    assert!(check().contains("overlay::user-in-two-places"), "{}", check());
    let rules = Page::read("docs/codes.md");
    let mut examples = rules.examples_in("sh");
    let moves = examples.find(|example| example.heading == "overlay::user-in-two-places").unwrap();
    let script = moves.text.replace("/etc/s6-overlay", "image/etc/s6-overlay");
    let status = Command::new("sh").args(["-ec", &script]).current_dir(folder.path()).status();
    assert!(status.unwrap().success(), "{script}");
    assert_eq!(check(), "image: 2 definitions, no problem for s6-overlay 3.2.3.2\n");
}

#[test]
fn if_an_image_has_several_versions_the_one_that_boots_counts() {
    let folder = root();
    let packages = folder.path().join("rootfs/package/admin");
    fs::create_dir_all(packages.join("s6-overlay-3.1.0.0")).unwrap();
    fs::create_dir_all(packages.join("s6-overlay-helpers-0.1.2.2")).unwrap();
    let check = || run(folder.path(), &["check", "--root", "rootfs"]);
    assert!(err(&check()).contains("for s6-overlay 3.2.3.2"), "{}", err(&check()));
    fs::remove_file(folder.path().join("rootfs/init")).unwrap();
    assert!(err(&check()).contains("overlay::not-found"), "two versions, and nothing says which");
    symlink(format!("s6-overlay-{NEW}"), packages.join("s6-overlay")).unwrap();
    assert!(err(&check()).contains("for s6-overlay 3.2.3.2"), "{}", err(&check()));
    fs::write(folder.path().join("rootfs/init"), "/package/admin/s6-overlay-4.0.0.0/libexec\n").unwrap();
    assert!(err(&check()).contains("s6gen knows no s6-overlay `4.0.0.0`"), "{}", err(&check()));
}

#[test]
fn a_root_without_an_overlay_is_reported_as_such() {
    let folder = scratch();
    fs::create_dir(folder.path().join("empty")).unwrap();
    let output = run(folder.path(), &["check", "--root", "empty"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("there is no s6-overlay in `empty`"), "{}", err(&output));
    let output = run(folder.path(), &["check", "--root", "missing", "--format", "json"]);
    assert_eq!(json(&output)["class"], "src-opendir");
}

#[test]
fn a_real_image_gets_the_verdict_of_its_boot() {
    needs!("rootfs");
    let rootfs = std::env::var_os("S6GEN_ROOTFS").unwrap();
    let folder = scratch();
    let root = folder.path().join("rootfs");
    fs::create_dir_all(root.join("etc")).unwrap();
    for part in ["etc/s6-overlay", "init", "package/admin"] {
        fs::create_dir_all(root.join(part).parent().unwrap()).unwrap();
        let copied =
            Command::new("cp").arg("-a").arg(Path::new(&rootfs).join(part)).arg(root.join(part)).status();
        assert!(copied.unwrap().success(), "{part}");
    }
    let check = || json(&run(folder.path(), &["check", "--root", "rootfs", "--format", "json"]));
    let empty = check();
    assert_eq!(empty["class"], "ok", "{empty:#}");
    assert!(empty["db"]["bundles"]["top"].as_array().unwrap().len() >= 3);
    let up = empty["db"]["services"]["legacy-cont-init"]["up"][0].as_str().unwrap();
    assert!(up.ends_with("/cont-init"), "the scripts are those of the image: {up}");
    let version = up.split("s6-overlay-").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let mut new = SourceTree::default();
    add(&mut new, OVERLAY, &["web: base", "db: ", "user-bundles.d/user/contents.d/web"]);
    write(&new, &root);
    let codes = |shape: &Value| -> Vec<String> {
        shape["problems"].as_array().unwrap().iter().map(|p| p["code"].as_str().unwrap().to_owned()).collect()
    };
    let found = check();
    let knows_new_place = system(&version).has(Feature::UserBundlesDir);
    let expected = if knows_new_place { "overlay::not-started" } else { "overlay::bundles-too-new" };
    assert_eq!(codes(&found), [expected], "{found:#}");
    needs!("s6-rc");
    let mut sources = vec!["etc/s6-overlay/s6-rc.d".to_owned()];
    sources.extend(knows_new_place.then(|| "etc/s6-overlay/user-bundles.d".to_owned()));
    sources.push(format!("package/admin/s6-overlay-{version}/etc/s6-rc/sources"));
    let output = Command::new("s6-rc-compile").arg("out").args(&sources).current_dir(&root).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(found["db"], database(&root));
}
