//! The plan of the house: a room imports only rooms on a lower floor, and each package has one room.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms by floor, lowest first. Those of one floor do not know each other, save the nouns in the order given.
const FLOORS: &[&[&str]] = &[
    &["diagnostic", "execline", "shell", "templates"],
    &["source"],
    &["tree"],
    &["manifest", "model"],
    &["disk"],
    &["compare", "image", "import", "install", "live", "render", "report", "resolve", "validate"],
    &["jobs"],
    &["cli"],
];

/// Packages that only these rooms may name.
const PACKAGES: &[(&str, &[&str])] = &[
    ("clap", &["cli"]),
    ("miette", &["report"]),
    ("minijinja", &["templates"]),
    ("petgraph", &["model"]),
    // A tree in memory and a union of layers answer with the same numbers of errors as a disk.
    ("rustix", &["disk", "live", "source", "tree"]),
    ("similar", &["compare"]),
    ("strsim", &["diagnostic"]),
    ("toml", &["manifest"]),
    ("tree_sitter", &["shell"]),
    ("tree_sitter_bash", &["shell"]),
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The room of a file, and its text without comments.
fn rooms() -> Vec<(String, String)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut rooms = Vec::new();
    for file in files(&source) {
        let first = file.strip_prefix(&source).unwrap().components().next().unwrap();
        let room = first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
        let text: Vec<String> = fs::read_to_string(&file)
            .unwrap()
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .map(str::to_owned)
            .collect();
        rooms.push((room, text.join("\n")));
    }
    rooms
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&room))
}

#[test]
fn a_room_imports_only_rooms_below_it() {
    let mut seen = BTreeSet::new();
    for (room, text) in rooms() {
        if matches!(room.as_str(), "lib" | "main") {
            continue;
        }
        let own = floor(&room).unwrap_or_else(|| panic!("the room `{room}` has no floor"));
        seen.insert(room.clone());
        for part in text.split("crate::").skip(1) {
            let names: Vec<&str> = match part.strip_prefix('{') {
                Some(list) => list.split('}').next().unwrap().split(',').collect(),
                None => vec![part],
            };
            for name in names {
                let name: String =
                    name.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if let Some(other) = floor(&name).filter(|_| name != room) {
                    assert!(other < own, "`{room}` imports `{name}`, which is not below it");
                }
            }
        }
    }
    let planned: BTreeSet<String> =
        FLOORS.iter().flat_map(|floor| floor.iter().map(|room| (*room).to_owned())).collect();
    assert_eq!(seen, planned, "the plan and the folder name different rooms");
}

#[test]
fn each_package_is_known_to_one_room() {
    for (room, text) in rooms() {
        for (package, home) in PACKAGES {
            let used = text.contains(&format!("{package}::"));
            assert!(
                !used || home.contains(&room.as_str()),
                "`{room}` uses `{package}`, which belongs to {home:?}"
            );
        }
    }
}

#[test]
fn only_the_command_line_prints_only_the_disk_room_opens_files_and_only_the_live_room_starts_programs() {
    for (room, text) in rooms() {
        // What the disk room has opened may be read elsewhere.
        let text = text.replace("use std::fs::File;", "");
        for (word, homes) in [
            ("println!", &["cli"][..]),
            ("print!", &["cli"]),
            ("std::fs", &["disk"]),
            ("File::open", &["disk"]),
            ("File::create", &["disk"]),
            ("File::options", &["disk"]),
            ("std::process::ExitCode", &["cli", "live"]),
            ("Command::new", &["live"]),
        ] {
            let used = text.contains(word) && room != "main";
            assert!(
                !used || homes.contains(&room.as_str()),
                "`{room}` uses `{word}`, which belongs to {homes:?}"
            );
        }
    }
}

#[test]
fn only_a_scope_reads_what_is_not_expanded_yet() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let readers: Vec<PathBuf> = files(&source)
        .into_iter()
        .filter(|file| fs::read_to_string(file).unwrap().contains(".unexpanded()"))
        .map(|file| file.strip_prefix(&source).unwrap().to_owned())
        .collect();
    assert_eq!(readers, [Path::new("resolve/scope.rs")]);
}
