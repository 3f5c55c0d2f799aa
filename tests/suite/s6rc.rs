//! Compiles the trees that s6gen writes with the real s6-rc-compile, if it is on PATH.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use s6gen::diagnostic::Files;
use s6gen::model::{Feature, Index, Kind, Name, ServiceSet, System};
use s6gen::{compile, install, render};

use crate::{golden, require::needs};

/// Writes the files of the image: the definitions of s6-overlay itself, and the start bundles in the place of this version.
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

/// Writes the tree of `set` and the files of the image below `root`, and compiles all of it with the real program.
pub fn compile_really(set: &ServiceSet, root: &Path, database: &Path) -> Output {
    install::install(&render::tree(set).unwrap(), root, &set.target.tree).unwrap();
    let definitions = set.target.system.definitions_dir().unwrap_or(&set.target.tree);
    // The external services of the manifest.
    for service in set.services.iter().filter(|service| matches!(service.kind, Kind::Unknown)) {
        let place = root.join(definitions.trim_start_matches('/')).join(service.name.to_string());
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("type"), "oneshot\n").unwrap();
        fs::write(place.join("up"), "").unwrap();
    }
    let mut sources = vec![root.join(definitions.trim_start_matches('/'))];
    let system = set.target.system;
    if system.is_overlay() {
        write_image(root, "overlay", system);
        sources.push(root.join("overlay"));
        if system.has(Feature::UserBundlesDir) {
            sources.push(root.join("etc/s6-overlay/user-bundles.d"));
        }
    }
    Command::new("s6-rc-compile").arg(database).args(&sources).output().unwrap()
}

#[test]
fn every_accepted_case_compiles_with_the_overlay_and_top_contains_what_starts_at_boot() {
    needs!("s6-rc");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut cases: Vec<_> =
        fs::read_dir(folder.join("tests/cases/ok")).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.push(folder.to_owned());
    for case in cases {
        let mut files = Files::default();
        let file = golden::manifest(&case, fs::read(case.join("services.toml")).unwrap(), &mut files);
        let compilation = compile(&files, file);
        let set = &compilation.services;
        let root = tempfile::tempdir().unwrap();
        let database = root.path().join("database");
        let compiled = compile_really(set, root.path(), &database);
        let output_text = String::from_utf8_lossy(&compiled.stderr).into_owned();
        assert!(compiled.status.success() && output_text.is_empty(), "{}: {output_text}", case.display());
        let top = if set.target.system.is_overlay() { "top" } else { "default" };
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
