//! Writes manifests that include each other in any way, and reads them: each file once, whatever the circles.

#![no_main]

use std::fs;
use std::os::unix::fs::symlink;

use libfuzzer_sys::fuzz_target;
use s6gen::jobs::Project;

/// The names that a manifest may include; a byte selects one.
const NAMES: &[&str] = &[
    "0.toml", "1.toml", "2.toml", "d/3.toml", "./0.toml", "../0.toml", "*.toml", "d/*.toml", "[0-2].toml", "link.toml", "d",
    "gone.toml", "*", "**", "[", "d/../1.toml", "loop.toml",
];

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("there is a directory for temporary files");
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("d")).expect("it is new");
    for (number, chosen) in bytes.splitn(4, |byte| *byte == 0).enumerate() {
        let names: Vec<String> =
            chosen.iter().map(|byte| format!("{:?}", NAMES[usize::from(*byte) % NAMES.len()])).collect();
        let text = format!("include = [{}]\n[oneshot.s{number}]\nup = [\"true\"]\n", names.join(", "));
        fs::write(at(if number == 3 { "d/3.toml" } else { NAMES[number] }), text).expect("it is writable");
    }
    symlink("0.toml", at("link.toml")).expect("it is new");
    symlink("loop.toml", at("loop.toml")).expect("it is new");
    let mut project = Project::load(&at("0.toml"));
    assert!(project.files.iter().count() <= 4, "a file was read twice");
    project.compile();
});
