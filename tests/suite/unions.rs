//! Checks that a union of layers has the same content as the file system of a container, for every path.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;
use std::io;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use s6gen::disk::SourceDirectory;
use s6gen::source::{Directory, Mount, Union};
use s6gen::tree::SourceTree;

use crate::case::scratch;
use crate::properties::holds;

/// One entry of a layer.
#[derive(Debug, Clone)]
enum Entry {
    Directory,
    File {
        text: u8,
        executable: bool,
    },
    /// The target, absolute in the image or relative.
    Link {
        target: String,
        is_absolute: bool,
    },
}

type Layer = Vec<(String, Entry)>;

/// Every path of at most three of these names.
fn paths(names: &'static [&'static str]) -> Vec<String> {
    let longer = |path: &String| names.iter().map(|name| format!("{path}/{name}")).collect::<Vec<_>>();
    let one: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let two: Vec<String> = one.iter().flat_map(longer).collect();
    let three: Vec<String> = two.iter().flat_map(longer).collect();
    [one, two, three].concat()
}

fn layer(names: &'static [&'static str]) -> impl Strategy<Value = Layer> {
    let target = prop::sample::select(paths(&["a", "b", ".."]));
    let entry = prop_oneof![
        2 => Just(Entry::Directory),
        2 => (any::<u8>(), any::<bool>()).prop_map(|(text, executable)| Entry::File { text, executable }),
        1 => (target, any::<bool>()).prop_map(|(target, is_absolute)| Entry::Link { target, is_absolute }),
    ];
    let entries = prop::collection::vec((prop::sample::select(paths(names)), entry), 1..12);
    // The parent of an entry is a directory. If a path has several entries, the first one counts.
    entries.prop_map(|entries| {
        let mut known: BTreeMap<String, Entry> = BTreeMap::new();
        for (path, entry) in entries {
            let mut parents = path.match_indices('/').map(|(at, _)| &path[..at]);
            let fits = parents.all(|parent| matches!(known.get(parent), None | Some(Entry::Directory)));
            if fits && !known.contains_key(&path) {
                for (at, _) in path.match_indices('/') {
                    known.insert(path[..at].to_owned(), Entry::Directory);
                }
                known.insert(path, entry);
            }
        }
        known.into_iter().collect()
    })
}

fn write(layer: &Layer, root: &Path) {
    for (path, entry) in layer {
        let place = root.join(path);
        match entry {
            Entry::Directory => fs::create_dir(place).unwrap(),
            Entry::File { text, executable } => {
                let mode = if *executable { 0o755 } else { 0o644 };
                let mut file =
                    fs::OpenOptions::new().write(true).create(true).mode(mode).open(place).unwrap();
                io::Write::write_all(&mut file, &[*text]).unwrap();
            }
            Entry::Link { target, is_absolute: true } => symlink(root.join(target), place).unwrap(),
            Entry::Link { target, .. } => symlink(target, place).unwrap(),
        }
    }
}

fn tree(layer: &Layer) -> SourceTree {
    let mut tree = SourceTree::default();
    for (path, entry) in layer {
        match entry {
            Entry::Directory => tree.directory(path.clone()),
            Entry::File { text, executable } => tree.file(path.clone(), [*text], *executable),
            Entry::Link { target, is_absolute: true } => tree.link(path.clone(), format!("/{target}")),
            Entry::Link { target, .. } => tree.link(path.clone(), target.clone()),
        }
    }
    tree
}

/// The files that a container sees: each layer is put on top of those below, as the image specification says.
fn flattened(layers: &[Layer]) -> Layer {
    let mut seen: BTreeMap<String, Entry> = BTreeMap::new();
    let is_below = |path: &str, directory: &str| {
        directory.is_empty() || path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
    };
    for layer in layers {
        for (path, _) in layer {
            let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
            if name == ".wh..wh..opq" {
                seen.retain(|path, _| !is_below(path, directory));
            } else if let Some(name) = name.strip_prefix(".wh.") {
                let hidden = format!("{directory}/{name}");
                let hidden = hidden.trim_start_matches('/');
                seen.retain(|path, _| path != hidden && !is_below(path, hidden));
            }
        }
        let is_whiteout = |path: &str| path.split('/').any(|name| name.starts_with(".wh."));
        for (path, entry) in layer.iter().filter(|(path, _)| !is_whiteout(path)) {
            if !matches!(entry, Entry::Directory) {
                seen.retain(|below, _| !is_below(below, path));
            }
            seen.insert(path.clone(), entry.clone());
        }
    }
    seen.into_iter().collect()
}

/// All answers of a directory about a path, with errors as their numbers.
fn answers<D: Directory>(directory: &D, path: &str) -> impl PartialEq + Debug + use<D> {
    let name = path.as_bytes();
    let number = |error: io::Error| error.raw_os_error();
    (
        directory.kind(name).map_err(number),
        directory.directory(name).and_then(|mut inner| inner.list()).map_err(number),
        directory.read(name, 9).map_err(number),
        directory.is_executable(name).map_err(number),
        directory.link(name).map_err(number),
    )
}

fn agree<L: Directory, R: Directory>(
    left: &L,
    right: &R,
    names: &'static [&'static str],
) -> Result<(), TestCaseError> {
    for path in paths(names).into_iter().filter(|path| !path.starts_with('/') && !path.is_empty()) {
        // The same holds for a directory further down.
        prop_assert_eq!(
            format!("{:?}", answers(left, &path)),
            format!("{:?}", answers(right, &path)),
            "{}",
            path
        );
        let (head, rest) = path.split_once('/').unwrap_or((".", &path));
        let rest = rest.trim_start_matches('/');
        if let (Ok(left), Ok(right)) = (left.directory(head.as_bytes()), right.directory(head.as_bytes())) {
            let (left, right) = (answers(&left, rest), answers(&right, rest));
            prop_assert_eq!(format!("{left:?}"), format!("{right:?}"), "{} from {}", rest, head);
        }
    }
    Ok(())
}

#[test]
fn a_union_of_one_layer_answers_as_the_layer_itself_for_every_path() {
    holds(40, layer(&["a", "b", "c"]), |layer| {
        let folder = scratch();
        // Deep below everything else, because `..` and links may lead far up.
        let root = fs::canonicalize(folder.path()).unwrap().join("up/".repeat(12));
        fs::create_dir_all(&root).unwrap();
        write(&layer, &root);
        let mount = Mount::new(root.to_str().unwrap(), "layer", SourceDirectory::open(&root).unwrap());
        let way = root.to_str().unwrap().trim_start_matches('/').as_bytes().to_vec();
        let union = Union::new(vec![mount]).unwrap().directory(&way).unwrap();
        let itself = SourceDirectory::open(&root).unwrap();
        agree(&union, &itself, &["a", "b", "c", ".", "..", ""])
    });
}

#[test]
fn a_union_of_layers_answers_as_the_image_that_they_make() {
    const NAMES: &[&str] = &["a", "b", ".wh.a", ".wh.b", ".wh..wh..opq"];
    holds(300, prop::collection::vec(layer(NAMES), 1..4), |layers| {
        let trees: Vec<SourceTree> = layers.iter().map(tree).collect();
        let mount = |tree| Mount::new("/", "layer", SourceTree::source(tree, "").directory.unwrap());
        let union = Union::new(trees.iter().map(mount).collect()).unwrap();
        let image = tree(&flattened(&layers));
        agree(&union, &image.source("").directory.unwrap(), &["a", "b", "."])
    });
}
