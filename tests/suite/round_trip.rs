//! What s6gen built from a manifest, and imports again, is built again to the byte: for every manifest of this repository that builds.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use s6gen::diagnostic::{Files, Severity};
use s6gen::jobs::{Project, ReadTree, TreeToImport, compile_text, read_built};
use s6gen::model::{Layer, ServiceSet};
use s6gen::tree::{SourceTree, TreeEntry};
use s6gen::{Compilation, ManifestFile, compile, render};

use crate::case::scratch;
use crate::manifests::manifest;
use crate::properties::holds;

/// How a manifest comes back.
enum RoundTrip {
    /// It does not build.
    Refused,
    /// s6gen does not import what it built, for this reason.
    Unread(String),
    /// The same tree.
    Same,
    /// Another tree: the differences.
    Other(String),
}

/// Builds a manifest, imports the tree without its receipt, and builds what the import writes.
fn round_trip(first: &Compilation) -> RoundTrip {
    if first.problems.has_errors() {
        return RoundTrip::Refused;
    }
    let tree = render::tree(&first.services).unwrap();
    let adds_to_others = first
        .services
        .services
        .iter()
        .any(|service| service.layer == Layer::External && !service.extended_by.is_empty());
    let read = if adds_to_others {
        read_with_layer(&tree, &first.services)
    } else {
        read_built(&tree, &first.services)
    };
    if !read.is_accepted() {
        let errors = read.compilation.problems.iter().filter(|problem| problem.severity == Severity::Error);
        return RoundTrip::Unread(
            errors.map(|problem| problem.message.clone()).collect::<Vec<_>>().join(", "),
        );
    }
    let migration = read.migration();
    let text = migration.draft.text();
    let (_, second) = compile_text(Path::new("services.toml"), &text, &migration.files);
    let errors = second.problems.iter().filter(|problem| problem.severity == Severity::Error);
    let errors: Vec<String> = errors.map(|problem| problem.message.clone()).collect();
    if !errors.is_empty() {
        return RoundTrip::Other(format!("{text}\n{}", errors.join("\n")));
    }
    let built = render::tree(&second.services).unwrap();
    match built == tree {
        true => RoundTrip::Same,
        false => RoundTrip::Other(format!("{text}\n{}", differences(&tree, &built))),
    }
}

/// Reads a tree that adds files to definitions of another layer, with a layer that has these definitions.
fn read_with_layer(tree: &SourceTree, services: &ServiceSet) -> ReadTree {
    let root = scratch();
    let (upper, lower) = (root.path().join("upper"), root.path().join("lower"));
    for (path, entry) in tree.entries() {
        let path = upper.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match entry {
            TreeEntry::Directory => fs::create_dir_all(path).unwrap(),
            TreeEntry::Link(target) => std::os::unix::fs::symlink(target, path).unwrap(),
            TreeEntry::File { content, executable } => {
                fs::write(&path, content).unwrap();
                let mode = if *executable { 0o755 } else { 0o644 };
                fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            }
        }
    }
    for service in services.services.iter().filter(|service| service.layer == Layer::External) {
        let definition = lower.join("etc/s6-overlay/s6-rc.d").join(service.name.to_string());
        fs::create_dir_all(&definition).unwrap();
        fs::write(definition.join("type"), "longrun\n").unwrap();
        fs::write(definition.join("run"), "#!/bin/sh\nexec sleep 1000\n").unwrap();
    }
    let overlay = Some(services.target.system);
    TreeToImport { lower: vec![lower.join("etc/s6-overlay")], overlay, ..TreeToImport::new(upper) }.read()
}

/// The entries that differ, with their lines.
fn differences(before: &SourceTree, after: &SourceTree) -> String {
    let text = |entry: &TreeEntry| match entry {
        TreeEntry::Directory => "a directory\n".to_owned(),
        TreeEntry::Link(to) => format!("a link to {to}\n"),
        TreeEntry::File { content, executable } => {
            format!("{}{}", if *executable { "x\n" } else { "" }, String::from_utf8_lossy(content))
        }
    };
    let entries = |tree: &SourceTree| -> BTreeMap<String, String> {
        tree.entries().map(|(path, entry)| (path.to_string(), text(entry))).collect()
    };
    let (before, after) = (entries(before), entries(after));
    let mut out = String::new();
    for path in before.keys().chain(after.keys().filter(|path| !before.contains_key(*path))) {
        match (before.get(path), after.get(path)) {
            (Some(_), None) => drop(writeln!(out, "-- {path} is gone")),
            (None, Some(_)) => drop(writeln!(out, "-- {path} is new")),
            (Some(old), Some(new)) if old != new => {
                let _ = writeln!(out, "-- {path}");
                let (old, new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
                for line in old.iter().filter(|line| !new.contains(line)) {
                    let _ = writeln!(out, "-{line}");
                }
                for line in new.iter().filter(|line| !old.contains(line)) {
                    let _ = writeln!(out, "+{line}");
                }
            }
            _ => {}
        }
    }
    out
}

/// Every file below a folder whose name has this end.
pub fn files_below(folder: &Path, end: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, end, found);
        } else if path.to_string_lossy().ends_with(end) {
            found.push(path);
        }
    }
    found.sort();
}

/// The blocks of TOML in a text.
fn examples(text: &str) -> impl Iterator<Item = String> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once("```toml\n")?;
        let (block, after) = after.split_once("```")?;
        rest = after;
        Some(block.lines().map(|line| line.trim_start_matches("   ").to_owned() + "\n").collect())
    })
}

#[test]
fn what_s6gen_has_built_is_built_again() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut compilations: Vec<(String, Compilation)> = Vec::new();
    let mut manifests = vec![root.join("services.toml"), root.join("templates/services.toml")];
    files_below(&root.join("tests/cases"), ".toml", &mut manifests);
    for path in manifests {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        compilations.push((name, Project::load(&path).compile()));
    }
    let mut documents = vec![root.join("README.md")];
    for folder in ["docs", "src"] {
        files_below(&root.join(folder), ".md", &mut documents);
    }
    for path in documents {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        for (number, text) in examples(&fs::read_to_string(&path).unwrap()).enumerate() {
            let mut files = Files::default();
            let manifest = ManifestFile::from(files.add("services.toml", text));
            compilations.push((format!("{name} example {}", number + 1), compile(&files, manifest)));
        }
    }
    let (mut same, mut unread, mut other) = (0, Vec::new(), Vec::new());
    for (name, compilation) in &compilations {
        match round_trip(compilation) {
            RoundTrip::Refused => {}
            RoundTrip::Unread(reason) => unread.push(format!("{name}: {reason}")),
            RoundTrip::Same => same += 1,
            RoundTrip::Other(differences) => other.push(format!("==== {name}\n{differences}")),
        }
    }
    let refused = compilations.len() - same - unread.len() - other.len();
    eprintln!("{same} manifests are built again to the byte, {refused} do not build at all");
    assert!(same > 0, "no manifest builds");
    assert!(unread.is_empty(), "not read: {unread:#?}");
    assert!(other.is_empty(), "{} come back in another form:\n{}", other.len(), other.join("\n"));
}

/// `PROPTEST_CASES` is the number of manifests, `PROPTEST_RNG_SEED` the seed.
#[test]
fn what_s6gen_has_built_of_a_random_manifest_is_built_again() {
    let accepted = Cell::new(0);
    let wrong = RefCell::new(Vec::new());
    holds(150, manifest(), |manifest| {
        let mut files = Files::default();
        let file = files.add("services.toml", manifest.to_string());
        let outcome = round_trip(&compile(&files, file));
        accepted.set(accepted.get() + usize::from(!matches!(outcome, RoundTrip::Refused)));
        if let RoundTrip::Unread(difference) | RoundTrip::Other(difference) = outcome {
            wrong.borrow_mut().push(format!("---- of\n{manifest}\n---- becomes\n{difference}"));
        }
        Ok(())
    });
    let (accepted, wrong) = (accepted.get(), wrong.into_inner());
    eprintln!("{} of {accepted} random manifests are built again to the byte", accepted - wrong.len());
    assert!(accepted > 0, "no manifest was accepted");
    assert!(wrong.is_empty(), "{} of {accepted}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn only_a_generated_script_that_somebody_edited_stays_a_script() {
    let mut files = Files::default();
    let text = "[longrun.web]\nrun = [\"web\"]\nnice = 5\n[longrun.db]\nrun = [\"db\"]\nnice = 5\n";
    let file = files.add("services.toml", text);
    let first = compile(&files, file);
    let mut tree = render::tree(&first.services).unwrap();
    let path = "etc/s6-overlay/sv/web/run";
    let Some(TreeEntry::File { content, .. }) = tree.get(path) else { panic!("{tree}") };
    // The language does not have this number.
    let edited = String::from_utf8(content.to_vec()).unwrap().replace("-n 5", "-n 500");
    tree.file(path, edited, true);
    let text = read_built(&tree, &first.services).migration().draft.text();
    assert!(text.contains("[longrun.db]\nnice = 5\nrun = [\"db\"]"), "{text}");
    assert!(text.contains("nice -n 500\nweb"), "{text}");
}

/// What comes back is what a person would write, and not only what gives the same files.
#[test]
fn instances_go_back_into_their_template() {
    let text = r#"[longrun.tunnel]
instances = { home = { port = "1195" }, office = { port = "1194" } }
parameters = ["port"]
secrets = ["KEY"]
run = ["tunnel", "{{ instance }}", "--port", "{{ port }}"]
log.to = "/var/log/{{ name }}"

[oneshot.cores]
up = ["nproc"]
sets = "CORES"

[longrun.worker]
instances = 3
variables.CORES = {}
run = ["worker", "--listen=:{{ 9000 + instance }}", "--name", "{{ name }}", "${CORES}"]
dependencies = ["cores"]
"#;
    let mut files = Files::default();
    let file = files.add("services.toml", text);
    let first = compile(&files, file);
    let tree = render::tree(&first.services).unwrap();
    let again = read_built(&tree, &first.services).migration().draft.text();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(lines(&again), lines(text), "{again}");
}
