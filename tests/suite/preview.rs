//! Tests the preview: before `apply` installs anything, it makes the source directories that the next boot would compile.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use s6gen::install::{compare, definition_in, find_definitions, install, preview, retain_installed};
use s6gen::tree::SourceTree;
use tempfile::TempDir;

const DEFINITIONS: &str = "/etc/s6-overlay/sv";
const COMPILED: &str = "/etc/s6-overlay/s6-rc.d";

/// A tree of longruns, each with the link through which `/init` finds it, with this `run`.
fn linked(services: &[(&str, &str)]) -> SourceTree {
    let mut tree = SourceTree::default();
    for (name, run) in services {
        tree.file(format!("etc/s6-overlay/sv/{name}/type"), "longrun\n", false);
        tree.file(format!("etc/s6-overlay/sv/{name}/run"), *run, true);
        tree.link(format!("etc/s6-overlay/s6-rc.d/{name}"), format!("../sv/{name}"));
    }
    tree
}

fn write(root: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// Every path below a folder, links not followed, each with its content or target.
fn listing(folder: &Path) -> BTreeMap<String, String> {
    fn add(folder: &Path, prefix: &str, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{prefix}{}", path.file_name().unwrap().to_string_lossy());
            if path.is_symlink() {
                found.insert(name, format!("-> {}", fs::read_link(&path).unwrap().display()));
            } else if path.is_dir() {
                found.insert(format!("{name}/"), String::new());
                add(&path, &format!("{name}/"), found);
            } else {
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    add(folder, "", &mut found);
    found
}

/// Makes a preview of the compiled directory, and lists it with `ROOT` for the root. Asserts that nothing below the root
/// changes.
fn previewed(root: &Path, tree: &SourceTree, definitions: &str, compiled: &str) -> Vec<String> {
    let place = TempDir::new().unwrap();
    let before = listing(root);
    let differences = compare(tree, root, definitions).unwrap();
    let differ = differences.iter().filter_map(|d| definition_in(definitions.trim_matches('/'), &d.path));
    let differ = differ.map(str::to_owned).collect();
    let sources = [compiled.to_owned()];
    let made = preview(tree, root, definitions, &sources, &differ, &place.path().join("next")).unwrap();
    assert_eq!(listing(root), before, "nothing below the root is touched");
    // Leftovers of an earlier or killed call make no difference.
    let used = TempDir::new().unwrap();
    let next = used.path().join("next");
    write(&next, &[("0/web", "a file"), ("0/mine/run", "old"), ("0/gone/type", ""), ("0/old/deep/type", "")]);
    std::os::unix::fs::symlink("nowhere", next.join("0/new")).unwrap();
    for _ in 0..2 {
        let again = preview(tree, root, definitions, &sources, &differ, &next).unwrap();
        assert_eq!(again[0].is_symlink(), made[0].is_symlink());
        assert_eq!(listing(&again[0]), listing(&made[0]));
    }
    let root = fs::canonicalize(root).unwrap().to_str().unwrap().to_owned();
    assert_eq!(made, [place.path().join("next/0")]);
    if made[0].is_symlink() {
        return vec![fs::read_link(&made[0]).unwrap().to_str().unwrap().replace(&root, "ROOT")];
    }
    let line = |(path, text): (String, String)| {
        format!("{path} {}", text.trim_end()).trim_end().replace(&root, "ROOT")
    };
    listing(&made[0]).into_iter().map(line).collect()
}

#[test]
fn own_definitions_are_written_foreign_ones_are_linked_and_old_ones_are_removed() {
    let root = TempDir::new().unwrap();
    let root = root.path();
    install(&linked(&[("old", "old"), ("web", "before")]), root, DEFINITIONS).unwrap();
    write(root, &[("etc/s6-overlay/s6-rc.d/mine/type", "oneshot\n"), ("etc/s6-overlay/s6-rc.d/.hidden", "")]);
    assert_eq!(
        previewed(root, &linked(&[("new", "new"), ("web", "after")]), DEFINITIONS, COMPILED),
        [
            "mine -> ROOT/etc/s6-overlay/s6-rc.d/mine",
            "new/",
            "new/run new",
            "new/type longrun",
            "web/",
            "web/run after",
            "web/type longrun",
        ]
    );
}

#[test]
fn a_foreign_file_in_a_directory_of_ours_stays_in_it() {
    let root = TempDir::new().unwrap();
    let root = root.path();
    install(&linked(&[("old", "old"), ("web", "before")]), root, DEFINITIONS).unwrap();
    write(root, &[("etc/s6-overlay/sv/web/data/notes", "mine"), ("etc/s6-overlay/sv/old/notes", "mine")]);
    let lines = previewed(root, &linked(&[("web", "after")]), DEFINITIONS, COMPILED);
    assert_eq!(
        lines,
        ["web/", "web/data -> ROOT/etc/s6-overlay/sv/web/data", "web/run after", "web/type longrun"]
    );
}

#[test]
fn a_dependency_added_to_a_foreign_definition_keeps_its_other_files() {
    let root = TempDir::new().unwrap();
    let root = root.path();
    let mine = "etc/s6-overlay/s6-rc.d/mine";
    let mut before = linked(&[("web", "web")]);
    before.file(format!("{mine}/dependencies.d/old"), "", false);
    write(root, &[(&format!("{mine}/type"), "oneshot\n"), (&format!("{mine}/dependencies.d/base"), "")]);
    install(&before, root, DEFINITIONS).unwrap();
    let mut after = linked(&[("web", "web")]);
    after.file(format!("{mine}/dependencies.d/web"), "", false);
    let lines = previewed(root, &after, DEFINITIONS, COMPILED);
    assert_eq!(
        lines[..5],
        [
            "mine/",
            "mine/dependencies.d/",
            "mine/dependencies.d/base -> ROOT/etc/s6-overlay/s6-rc.d/mine/dependencies.d/base",
            "mine/dependencies.d/web",
            "mine/type -> ROOT/etc/s6-overlay/s6-rc.d/mine/type",
        ]
    );
    // Without the addition, the foreign definition is unchanged.
    let lines = previewed(root, &linked(&[]), DEFINITIONS, COMPILED);
    assert!(!lines.iter().any(|line| line.ends_with("/old") || line.starts_with("web")), "{lines:?}");
    assert!(lines.contains(&"mine/type -> ROOT/etc/s6-overlay/s6-rc.d/mine/type".to_owned()), "{lines:?}");
}

#[test]
fn definitions_may_lie_where_they_are_compiled() {
    let root = TempDir::new().unwrap();
    let root = root.path();
    let tree = |services: &[(&str, &str)]| {
        let mut tree = SourceTree::default();
        for (name, run) in services {
            tree.file(format!("etc/s6-overlay/s6-rc.d/{name}/type"), "longrun\n", false);
            tree.file(format!("etc/s6-overlay/s6-rc.d/{name}/run"), *run, true);
        }
        tree.file("etc/s6-overlay/s6-rc.d/.s6gen.manifest.json", "{}", false);
        tree
    };
    install(&tree(&[("old", "old"), ("web", "before")]), root, COMPILED).unwrap();
    write(root, &[("etc/s6-overlay/s6-rc.d/mine/type", "oneshot\n")]);
    assert_eq!(
        previewed(root, &tree(&[("web", "after")]), COMPILED, COMPILED),
        ["mine -> ROOT/etc/s6-overlay/s6-rc.d/mine", "web/", "web/run after", "web/type longrun"]
    );
}

#[test]
fn an_empty_directory_is_added_and_removed_with_its_definition() {
    let root = TempDir::new().unwrap();
    let root = root.path();
    let with = |bundle: &str| {
        let mut tree = SourceTree::default();
        tree.file(format!("srv/{bundle}/type"), "bundle\n", false);
        tree.directory(format!("srv/{bundle}/contents.d"));
        tree
    };
    let of = |bundle: &str| {
        ["contents.d/", "type bundle"].map(|line| format!("{bundle}/{line}")).into_iter().collect::<Vec<_>>()
    };
    let previewed = |bundle: &str| previewed(root, &with(bundle), "/srv", "/srv");
    assert_eq!(previewed("first")[1..], of("first"));
    install(&with("first"), root, "/srv").unwrap();
    assert_eq!(previewed("first"), ["first -> ROOT/srv/first"]);
    assert_eq!(previewed("second")[1..], of("second"));
}

#[test]
fn a_foreign_directory_is_linked_as_a_whole() {
    let root = TempDir::new().unwrap();
    write(root.path(), &[("package/sources/base/type", "bundle\n")]);
    let lines = previewed(root.path(), &linked(&[("web", "web")]), DEFINITIONS, "/package/sources");
    assert_eq!(lines, ["ROOT/package/sources"]);
}

#[test]
fn files_of_an_earlier_build_stay_if_they_are_still_needed_and_unchanged() {
    let root = TempDir::new().unwrap();
    let root = root.path();
    install(&linked(&[("old", "old"), ("web", "before")]), root, DEFINITIONS).unwrap();
    write(root, &[("etc/s6-overlay/sv/old/mine", "mine")]);
    let new = linked(&[("web", "after")]);
    let kept = retain_installed(&new, root, DEFINITIONS, |path| !path.ends_with("/type")).unwrap();
    let mut expected = new;
    expected.file("etc/s6-overlay/sv/old/run", "old", true);
    assert_eq!(kept, expected, "no link, no directory, nothing that is not ours, and what is new is new");
    let empty = TempDir::new().unwrap();
    assert_eq!(retain_installed(&expected, empty.path(), DEFINITIONS, |_| true).unwrap(), expected);
}

#[test]
fn a_tree_is_found_where_builds_put_it_and_where_links_lead() {
    let places = [DEFINITIONS, COMPILED, "/etc/s6-rc/source"];
    let find = |prepare: &dyn Fn(&Path)| {
        let root = TempDir::new().unwrap();
        for place in ["etc/s6-overlay/s6-rc.d", "opt/sv/web", "srv"] {
            fs::create_dir_all(root.path().join(place)).unwrap();
        }
        prepare(root.path());
        find_definitions(root.path(), &places, "marker")
    };
    let link = |target: &'static str| {
        move |root: &Path| {
            write(root, &[("opt/sv/marker", "")]);
            symlink(target, root.join("etc/s6-overlay/s6-rc.d/web")).unwrap();
        }
    };
    assert_eq!(find(&|_| {}), None);
    for place in places {
        let marker = PathBuf::from(place.trim_start_matches('/')).join("marker");
        assert_eq!(find(&|root| write(root, &[(marker.to_str().unwrap(), "")])).as_deref(), Some(place));
    }
    assert_eq!(find(&link("../../../opt/sv/web")).as_deref(), Some("/opt/sv"));
    assert_eq!(
        find(&link("/opt/sv/web")).as_deref(),
        Some("/opt/sv"),
        "an absolute link stays below the root"
    );
    assert_eq!(
        find(&link("../../../../../../opt/sv/web")).as_deref(),
        Some("/opt/sv"),
        "as it does in the image"
    );
    assert_eq!(find(&link("../../../srv/web")), None);
    // A directory of that name does not count, and neither does a broken link.
    assert_eq!(find(&|root| fs::create_dir_all(root.join("etc/s6-overlay/sv/marker")).unwrap()), None);
    assert_eq!(find(&link("web")), None);
}
