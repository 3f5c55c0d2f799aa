//! Checks the layout of the code: a room imports only rooms on lower floors, the files of a room do not import each other in
//! a cycle, and each package is used only in its rooms.
//!
//! The map of the floors is the table at the top of `src/lib.rs`; the one in `docs/develop.md` must equal it. clippy checks which
//! rooms may open files, print and start programs: see `.clippy.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

/// Packages that only these rooms may name.
const PACKAGES: &[(&str, &[&str])] = &[
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("glob", &["disk"]),
    ("miette", &["report"]),
    ("minijinja", &["templates"]),
    ("petgraph", &["model"]),
    ("regex_lite", &["resolve"]),
    // A tree in memory and a union of layers return the same error numbers as a disk.
    ("rustix", &["disk", "live", "source", "tree"]),
    ("similar", &["compare"]),
    ("strsim", &["diagnostic"]),
    ("terminal_size", &["cli"]),
    ("toml", &["manifest"]),
    ("toml_edit", &["manifest"]),
    ("tree_sitter", &["shell"]),
    ("tree_sitter_bash", &["shell"]),
];

/// A source file: its module path without `crate`, and its text without comments.
struct SourceFile {
    module: Vec<String>,
    text: String,
    /// The absolute paths that it names, each with whether the file re-exports it.
    paths: Vec<(Vec<String>, bool)>,
}

impl SourceFile {
    fn room(&self) -> &str {
        &self.module[0]
    }

    /// The modules that this file declares.
    fn children(&self) -> impl Iterator<Item = &str> {
        self.text.lines().filter_map(|line| {
            let name = line.trim().strip_suffix(';')?.rsplit_once("mod ")?;
            matches!(name.0, "" | "pub " | "pub(super) " | "pub(crate) ").then_some(name.1)
        })
    }

    /// The paths that begin with `crate`, `super`, `self` or a module that this file declares.
    fn find_paths(&self) -> Vec<(Vec<String>, bool)> {
        let below = |child: &str| self.module.iter().cloned().chain([child.to_owned()]).collect();
        let above = self.module[..self.module.len() - 1].to_vec();
        let mut bases: Vec<(&str, Vec<String>)> =
            vec![("crate", Vec::new()), ("self", self.module.clone()), ("super", above)];
        bases.extend(self.children().map(|child| (child, below(child))));
        let mut paths = Vec::new();
        for (first, base) in bases {
            for start in starts(&self.text, first) {
                let before = self.text[..start].trim_end_matches(['{', ' ']);
                let statement = before.rsplit([';', '}']).next().unwrap_or_default().trim();
                let is_exported = statement.starts_with("pub") && statement.ends_with("use");
                let found = use_tree(&self.text[start + first.len() + 2..], &base).0;
                paths.extend(found.into_iter().map(|path| (path, is_exported)));
            }
        }
        paths
    }
}

/// Where paths begin in a text whose first name is `first`.
fn starts(text: &str, first: &str) -> impl Iterator<Item = usize> {
    let is_inside = |before: char| before.is_alphanumeric() || matches!(before, '_' | ':' | '.');
    let found = text.match_indices(first).filter(move |(at, _)| {
        text[at + first.len()..].starts_with("::") && !text[..*at].ends_with(is_inside)
    });
    found.map(|(at, _)| at)
}

/// The paths below `base` that a text begins with, as after `use base::`, and what follows them.
fn use_tree<'t>(text: &'t str, base: &[String]) -> (Vec<Vec<String>>, &'t str) {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        let mut paths = Vec::new();
        loop {
            let (found, after) = use_tree(rest, base);
            paths.extend(found);
            let next = after.find([',', '}']).map_or(("", ""), |at| after.split_at(at));
            match next.1.strip_prefix(',') {
                Some(after) if !after.trim_start().starts_with('}') => rest = after,
                _ => return (paths, next.1),
            }
        }
    }
    let length = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(length);
    let mut path = base.to_vec();
    match name {
        "super" => drop(path.pop()),
        "self" => {}
        name => path.push(name.to_owned()),
    }
    match rest.strip_prefix("::") {
        Some(rest) if !rest.starts_with('<') => use_tree(rest, &path),
        _ => (vec![path], rest),
    }
}

fn paths_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(paths_below(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The files of all rooms.
fn files() -> Vec<SourceFile> {
    let module = |path: &Path| -> Vec<String> {
        let path = path.strip_prefix(source()).unwrap().with_extension("");
        let names = path.iter().map(|name| name.to_str().unwrap().to_owned());
        names.filter(|name| name != "mod").collect()
    };
    let file = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let file = SourceFile { module: module(&path), text: code.join("\n"), paths: Vec::new() };
        SourceFile { paths: file.find_paths(), ..file }
    };
    let all = paths_below(&source()).into_iter().map(file);
    all.filter(|file| !matches!(file.room(), "lib" | "main")).collect()
}

/// The rows of the table in `src/lib.rs`, from the top. The rooms of a row do not import each other.
fn floors() -> Vec<Vec<String>> {
    let text = fs::read_to_string(source().join("lib.rs")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! |")).filter(|row| row.contains("[`"));
    rows.map(|row| row.split("[`").skip(1).map(|room| room.split('`').next().unwrap().to_owned()).collect())
        .collect()
}

#[test]
fn the_map_in_lib_has_every_room_once() {
    let planned: Vec<String> = floors().concat();
    let unique: BTreeSet<&str> = planned.iter().map(String::as_str).collect();
    assert_eq!(unique.len(), planned.len(), "a room stands in the map twice: {planned:?}");
    let files = files();
    let rooms: BTreeSet<&str> = files.iter().map(SourceFile::room).collect();
    assert_eq!(rooms, unique, "the folder `src` and the map in `src/lib.rs` have different rooms");
}

/// Each room with the number of its floor, from the rows `| FLOOR… | ROOM, ROOM | …` of a table.
fn floor_numbers(text: &str, prefix: &str) -> BTreeMap<String, char> {
    let rows = text.lines().filter_map(|line| line.strip_prefix(prefix)?.strip_prefix("| "));
    let rows = rows.filter(|row| row.starts_with(|c: char| c.is_ascii_digit()));
    rows.flat_map(|row| {
        let (floor, rooms) = (row.chars().next().unwrap(), row.split('|').nth(1).unwrap());
        rooms.split(", ").map(move |room| (room.trim().replace(['[', ']', '`'], ""), floor))
    })
    .collect()
}

#[test]
fn the_map_for_newcomers_is_that_of_lib() {
    let lib = fs::read_to_string(source().join("lib.rs")).unwrap();
    let page = fs::read_to_string(source().parent().unwrap().join("docs/develop.md")).unwrap();
    assert_eq!(floor_numbers(&page, ""), floor_numbers(&lib, "//! "));
}

#[test]
fn a_room_imports_only_rooms_on_lower_floors() {
    let floors = floors();
    let floor = |room: &str| floors.iter().position(|rooms| rooms.iter().any(|other| other == room));
    for file in files() {
        for (path, _) in &file.paths {
            let Some(other) = path.first().filter(|other| *other != file.room()) else { continue };
            if let Some(row) = floor(other) {
                assert!(
                    Some(row) > floor(file.room()),
                    "`{}` imports `{other}`, which is not on a lower floor",
                    file.module.join("/"),
                );
            }
        }
    }
}

/// The file in which the item at a path is defined. Follows re-exports by name.
fn home(path: &[String], files: &BTreeMap<&[String], &SourceFile>) -> Option<Vec<String>> {
    let length = (1..=path.len()).rev().find(|length| files.contains_key(&path[..*length]))?;
    let (module, rest) = path.split_at(length);
    let Some(name) = rest.first() else { return Some(module.to_vec()) };
    let exported =
        files[module].paths.iter().find(|(path, is_exported)| *is_exported && path.last() == Some(name));
    match exported.filter(|(exported, _)| exported[..] != *path) {
        Some((exported, _)) => home(exported, files),
        None => Some(module.to_vec()),
    }
}

/// Imports from the `mod.rs` of the same room do not count, because a `mod.rs` may declare items that its other files share.
#[test]
fn no_files_of_a_room_import_each_other_in_a_cycle() {
    let files = files();
    let by_module: BTreeMap<&[String], &SourceFile> =
        files.iter().map(|file| (&file.module[..], file)).collect();
    let mut imports = DiGraph::<String, ()>::new();
    let nodes: BTreeMap<&[String], NodeIndex> =
        files.iter().map(|file| (&file.module[..], imports.add_node(file.module.join("/")))).collect();
    for file in &files {
        // A re-export alone is not a use.
        for (path, _) in file.paths.iter().filter(|(_, is_exported)| !is_exported) {
            let Some(home) = home(path, &by_module) else { continue };
            if !file.module.starts_with(&home) && home.first() == file.module.first() {
                imports.update_edge(nodes[&file.module[..]], nodes[&home[..]], ());
            }
        }
    }
    let cycles: Vec<Vec<NodeIndex>> =
        tarjan_scc(&imports).into_iter().filter(|files| files.len() > 1).collect();
    let mut edges = Vec::new();
    for edge in imports.edge_references() {
        if cycles.iter().any(|files| files.contains(&edge.source()) && files.contains(&edge.target())) {
            edges.push(format!("{} → {}", imports[edge.source()], imports[edge.target()]));
        }
    }
    edges.sort();
    assert!(edges.is_empty(), "these files import each other in a cycle: {edges:#?}");
}

#[test]
fn each_package_is_used_in_its_rooms_only() {
    for file in files() {
        for (package, rooms) in PACKAGES {
            assert!(
                starts(&file.text, package).next().is_none() || rooms.contains(&file.room()),
                "`{}` uses `{package}`, which belongs to {rooms:?}",
                file.module.join("/"),
            );
        }
    }
}

/// The files that may use the functions which `.clippy.toml` forbids, and the attribute with which they do.
const ALLOWED: &[(&str, &str)] = &[
    ("cli", "the streams of the process are opened here, and handed down"),
    ("disk", "all files of the room touch the file system"),
    ("live/programs", "programs are started here"),
    ("model/index", "its names are only looked up, and sorted where all of them are listed"),
];

#[test]
fn only_the_listed_files_open_files_print_or_start_programs() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".clippy.toml")).unwrap();
    for word in ["std::fs::File::open", "std::println", "std::process::Command::new", "HashMap"] {
        assert!(text.contains(&format!("{word}\"")), "nothing keeps `{word}` from all rooms");
    }
    let allowed: Vec<String> = files()
        .into_iter()
        .filter(|file| file.text.contains("clippy::disallowed"))
        .map(|file| file.module.join("/"))
        .collect();
    assert_eq!(allowed, ALLOWED.iter().map(|(file, _)| *file).collect::<Vec<_>>());
}

#[test]
fn only_a_scope_reads_unexpanded_texts() {
    let readers: Vec<Vec<String>> = files()
        .into_iter()
        .filter(|file| file.text.contains(".unexpanded()"))
        .map(|file| file.module)
        .collect();
    assert_eq!(readers, [["resolve", "scope"]]);
}
