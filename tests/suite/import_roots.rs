//! What the import of an image's root says of things that cannot be in a manifest, or that the old system has wrong.

use std::fs;
use std::path::Path;
use std::process::Command;

use s6gen::jobs::{ReadTree, TreeToImport};
use s6gen::migrate::report_text;

use crate::case::scratch;
use crate::import_trees::proof;

/// An image's root with the service `web`, and an import of what it is after `change`.
fn image_of_web(change: impl Fn(&Path)) -> (String, ReadTree) {
    let root = scratch();
    let web = root.path().join("etc/s6-overlay/s6-rc.d/web");
    fs::create_dir_all(web.join("data")).unwrap();
    fs::write(web.join("type"), "longrun\n").unwrap();
    fs::write(web.join("run"), "#!/bin/sh\nexec web\n").unwrap();
    change(root.path());
    let tree = TreeToImport::new(root.path()).read();
    assert!(tree.is_accepted());
    let migration = tree.migration();
    (format!("{}\n{}", migration.draft.text(), report_text(&migration.report, &tree.files)), tree)
}

#[test]
fn what_is_no_file_has_its_line_and_a_large_file_is_not_read_whole() {
    let (text, tree) = image_of_web(|root| {
        let web = root.join("etc/s6-overlay/s6-rc.d/web");
        let made = Command::new("mkfifo").args([web.join("data/queue"), web.join("queue")]).status().unwrap();
        assert!(made.success());
        std::os::unix::fs::symlink("nowhere", web.join("data/lost")).unwrap();
        fs::File::create(web.join("data/disk")).unwrap().set_len(3 << 30).unwrap();
    });
    for line in [
        "data/disk\n      lost; it is a file of more than 16 MiB",
        "data/lost\n      lost; it is a link that leads nowhere",
        "data/queue\n      lost; it is a fifo",
        "queue\n      no effect; it is a fifo, which s6-rc does not read",
    ] {
        assert!(text.contains(line), "{line}:\n{text}");
    }
    proof(&tree);
}

#[test]
fn old_directories_beside_definitions_are_named() {
    let (text, _) = image_of_web(|root| {
        fs::create_dir_all(root.join("etc/cont-init.d")).unwrap();
        fs::write(root.join("etc/cont-init.d/10-config"), "#!/bin/sh\n").unwrap();
        fs::create_dir_all(root.join("etc/services.d")).unwrap();
    });
    assert!(text.contains("Not imported: `cont-init.d` in `etc`"), "{text}");
}

#[test]
fn a_rule_that_becomes_a_warning_has_its_reason() {
    let write = |root: &Path, path: &str, text: &str| {
        let path = root.join("etc/s6-overlay/s6-rc.d").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let (text, _) = image_of_web(|root| write(root, "web/run", "#!/bin/sh\nexec web '2>&1'\n"));
    assert!(text.contains("\"warn\"  # what a script kept in quotes looks like a mistake"), "{text}");
    let (text, _) = image_of_web(|root| {
        write(root, "step/type", "oneshot\n");
        write(root, "step/up", "step 2>&1\n");
    });
    assert!(text.contains("\"warn\"  # the old system has this mistake, too"), "{text}");
}

#[test]
fn a_script_that_changes_what_starts_is_named() {
    let (text, _) = image_of_web(|root| {
        let script =
            "#!/bin/sh\n# s6-rc.d/user/contents.d\ntouch /etc/s6-overlay/s6-rc.d/user/contents.d/$name\n";
        fs::write(root.join("before.sh"), script).unwrap();
    });
    assert!(text.contains("start: `touch /etc/s6-overlay/s6-rc.d/user/contents.d/$name`"), "{text}");
    let (text, _) = image_of_web(|root| fs::write(root.join("before.sh"), "#!/bin/sh\ntrue\n").unwrap());
    assert!(!text.contains("names the services that start"), "{text}");
}

/// The layer may be given like the tree: as the files for an image. What it defines is no part of the manifest, and without
/// anything else there is no manifest.
#[test]
fn a_layer_may_be_the_files_for_an_image() {
    let root = scratch();
    let write = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("base/etc/s6-overlay/s6-rc.d/web/type", "longrun\n");
    write("base/etc/s6-overlay/s6-rc.d/web/run", "#!/bin/sh\nexec web\n");
    write("upper/etc/s6-overlay/s6-rc.d/web/run", "#!/bin/sh\nexec other\n");
    let lower = vec![root.path().join("base")];
    let tree = TreeToImport { lower, ..TreeToImport::new(root.path().join("upper")) };
    let read = tree.read();
    assert!(read.is_accepted());
    let migration = read.migration();
    assert_eq!(migration.draft.text(), "");
    let report = report_text(&migration.report, &read.files);
    assert!(report.contains("run\n      lost"), "{report}");
    write("upper/etc/s6-overlay/s6-rc.d/api/type", "longrun\n");
    write("upper/etc/s6-overlay/s6-rc.d/api/run", "#!/bin/sh\nexec api\n");
    write("upper/etc/s6-overlay/s6-rc.d/api/dependencies.d/web", "");
    let text = tree.read().migration().draft.text();
    assert!(text.contains("external = [\"web\"]") && text.contains("[longrun.api]"), "{text}");
}

#[test]
fn a_definition_that_stays_is_started_from_the_new_directory() {
    let (text, _) = image_of_web(|root| {
        let definitions = root.join("etc/s6-overlay/s6-rc.d");
        for (path, content) in [
            ("_setup/type", "oneshot\n"),
            ("_setup/up", "true\n"),
            ("user/type", "bundle\n"),
            ("user/contents.d/_setup", ""),
            ("user/contents.d/web", ""),
        ] {
            fs::create_dir_all(definitions.join(path).parent().unwrap()).unwrap();
            fs::write(definitions.join(path), content).unwrap();
        }
    });
    let line = "contents.d/_setup\n      lost; what it starts stays in the image: put this file into `user-bundles.d/user/contents.d`";
    assert!(text.contains(line), "{text}");
    assert!(text.contains("contents.d/web\n      exact -> `start`"), "{text}");
}
