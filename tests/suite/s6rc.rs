//! What s6gen writes, judged by the real s6-rc-compile where it is on PATH.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use s6gen::diagnostic::Files;
use s6gen::model::{Feature, Index, Kind, Name, System};
use s6gen::{compile, disk, render};

use crate::require::needs;

/// Writes what the image brings: the overlay's own definitions, and the start bundles where its version has them.
pub fn write_image(root: &Path, own: &str, system: System) {
    let own = root.join(own);
    for service in system.built_ins() {
        let name = service.name.to_string();
        let place = match (name.as_str(), system.has(Feature::UserBundlesDir)) {
            ("user" | "user2", true) => root.join("etc/s6-overlay/user-bundles.d").join(&name),
            ("user" | "user2", false) => root.join("etc/s6-overlay/s6-rc.d").join(&name),
            _ => own.join(&name),
        };
        let (kind, list, names) = match &service.kind {
            Kind::Bundle(bundle) => ("bundle", "contents.d", &bundle.contents),
            Kind::Oneshot(oneshot) => ("oneshot", "dependencies.d", &oneshot.dependencies),
            _ => unreachable!("the overlay has no other kinds"),
        };
        fs::create_dir_all(place.join(list)).unwrap();
        fs::write(place.join("type"), format!("{kind}\n")).unwrap();
        if kind == "oneshot" {
            fs::write(place.join("up"), "true\n").unwrap();
        }
        for name in names {
            fs::write(place.join(list).join(name.name.to_string()), "").unwrap();
        }
    }
}

#[test]
fn every_accepted_case_compiles_with_the_overlay_and_top_reaches_what_boots() {
    needs!("s6-rc");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut cases: Vec<_> =
        fs::read_dir(folder.join("tests/cases/ok")).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.push(folder.to_owned());
    for case in cases {
        let mut files = Files::default();
        let file = files.add("services.toml", fs::read(case.join("services.toml")).unwrap());
        let compilation = compile(&files, file);
        let set = &compilation.services;
        let system = set.target.system;
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        disk::install(&render::tree(set).unwrap(), root, &set.target.tree).unwrap();
        // What the manifest says that another layer has.
        for name in
            set.services.iter().filter(|s| matches!(s.kind, Kind::Unknown)).map(|s| s.name.to_string())
        {
            let place = root.join("etc/s6-overlay/s6-rc.d").join(name);
            fs::create_dir_all(&place).unwrap();
            fs::write(place.join("type"), "oneshot\n").unwrap();
            fs::write(place.join("up"), "").unwrap();
        }
        let mut sources = vec![root.join(set.target.tree.trim_start_matches('/'))];
        let top = if system.is_overlay() {
            write_image(root, "overlay", system);
            sources = vec![root.join("etc/s6-overlay/s6-rc.d"), root.join("overlay")];
            if system.has(Feature::UserBundlesDir) {
                sources.push(root.join("etc/s6-overlay/user-bundles.d"));
            }
            "top"
        } else {
            "default"
        };
        let database = root.join("database");
        let compiled = Command::new("s6-rc-compile").arg(&database).args(&sources).output().unwrap();
        let said = String::from_utf8_lossy(&compiled.stderr).into_owned();
        assert!(compiled.status.success() && said.is_empty(), "{}: {said}", case.display());
        let listed = Command::new("s6-rc-db")
            .arg("-c")
            .arg(&database)
            .args(["all-dependencies", top])
            .output()
            .unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        let real: BTreeSet<&str> = listed.lines().collect();
        let index = Index::new(set);
        let start = index.find(&Name::from(top)).unwrap();
        let expected: Vec<String> =
            index.closure([start]).into_iter().map(|n| index.name(n).to_string()).collect();
        let expected: BTreeSet<&str> = expected.iter().map(String::as_str).collect();
        assert_eq!(real, expected, "{}", case.display());
    }
}
