//! Tests very large systems. Work that grows with the square of their size would take minutes here.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use s6gen::diagnostic::Files;
use s6gen::judge;
use s6gen::model::{Index, Node, Target};
use s6gen::picture::{self, PictureSource, View};
use s6gen::plan::{OrderDirection, StartOrder};
use s6gen::render;
use s6gen::tree::SourceTree;

use crate::case::scratch;
use crate::require::has;

fn longrun(tree: &mut SourceTree, name: &str, dependencies: &[String]) {
    tree.file(format!("src/{name}/type"), "longrun\n", false);
    tree.file(format!("src/{name}/run"), "#!/bin/sleep 1000\n", false);
    if !dependencies.is_empty() {
        tree.file(format!("src/{name}/dependencies"), dependencies.join("\n"), false);
    }
}

fn bundle(tree: &mut SourceTree, name: &str, contents: &[String]) {
    tree.file(format!("src/{name}/type"), "bundle\n", false);
    tree.file(format!("src/{name}/contents"), contents.join("\n"), false);
}

/// Whether the graph is drawn in every format of a picture.
fn pictures_are_drawn(index: &Index<'_>, names: &[Node], direction: OrderDirection) -> bool {
    let order = StartOrder::new(index, names, direction);
    let view = View { names, shows_all: false };
    let source = PictureSource { name: "src".into(), names: Vec::new(), place: &|_| String::new() };
    let svg = picture::svg(&order, view, &source);
    svg.ends_with("</svg>\n")
        && picture::mermaid(&order, view).starts_with("flowchart LR\n")
        && picture::dot(&order, view).ends_with("}\n")
}

/// The codes of the problems of a tree. If it has no errors, this also draws its graph in every form.
fn codes(tree: &SourceTree) -> Vec<&'static str> {
    let mut files = Files::default();
    let compilation = judge(&mut files, vec![tree.source("src")], Target::default());
    if !compilation.problems.has_errors() {
        let index = Index::new(&compilation.services);
        for direction in [OrderDirection::Up, OrderDirection::Down] {
            for names in [&[][..], &[Node(2)][..]] {
                let (text, json) =
                    (render::text(&index, names, direction, false), render::json(&index, names, direction));
                assert!(!text.is_empty() && pictures_are_drawn(&index, names, direction));
                assert!(json.iter().all(|(_, value)| !value.is_empty()));
            }
        }
    }
    compilation.problems.iter().map(|problem| problem.code.slug()).collect()
}

#[test]
fn long_chains_and_deep_nests_need_no_stack() {
    let mut tree = SourceTree::default();
    let name = |number: usize| format!("service-{number}");
    for number in 0..10_000usize {
        let before: Vec<String> = number.checked_sub(1).map(name).into_iter().collect();
        longrun(&mut tree, &name(number), &before);
    }
    let nest = |number: usize| format!("nest-{number}");
    for number in 0..5_000 {
        let inner = if number == 0 { name(0) } else { nest(number - 1) };
        bundle(&mut tree, &nest(number), &[inner]);
    }
    longrun(&mut tree, "above", &[nest(4_999), name(9_999)]);
    assert_eq!(codes(&tree), ["lint::too-many-services"]);

    // The chain and the nest become cycles.
    longrun(&mut tree, &name(0), &[name(9_999)]);
    bundle(&mut tree, &nest(0), &[nest(4_999)]);
    assert_eq!(codes(&tree), ["s6rc::bundle-cycle", "s6rc::dependency-cycle", "lint::too-many-services"]);
}

#[test]
fn implied_dependencies_are_found_among_many() {
    let mut tree = SourceTree::default();
    let name = |number: usize| format!("service-{number:05}");
    // Every service also waits for one of the first 500, although the chain already implies that.
    for number in 0..7_000usize {
        let mut needed: Vec<String> = number.checked_sub(1).map(name).into_iter().collect();
        if number >= 1_000 {
            needed.push(name(number % 500));
        }
        longrun(&mut tree, &name(number), &needed);
    }
    let mut files = Files::default();
    let compilation = judge(&mut files, vec![tree.source("src")], Target::default());
    let index = Index::new(&compilation.services);
    let text = render::text(&index, &[], OrderDirection::Up, false);
    let ends = "7000  service-06999  longrun  after service-06998 (forked)\n";
    assert!(text.contains(ends), "{}", &text[text.len() - 500..]);
}

#[test]
fn a_logger_can_have_thousands_of_producers() {
    let mut tree = SourceTree::default();
    let name = |number: usize| format!("service-{number}");
    let producers: Vec<String> = (0..7_000).map(name).collect();
    for producer in &producers {
        longrun(&mut tree, producer, &[]);
        tree.file(format!("src/{producer}/producer-for"), "log\n", false);
    }
    longrun(&mut tree, "log", &[]);
    tree.file("src/log/consumer-for", producers.join("\n"), false);
    tree.file("src/log/pipeline-name", "all\n", false);
    assert!(codes(&tree).is_empty());
}

/// Services without dependencies.
fn alone(count: usize) -> SourceTree {
    let mut tree = SourceTree::default();
    for number in 0..count {
        longrun(&mut tree, &format!("service-{number}"), &[]);
    }
    tree
}

/// Whether s6-rc-compile survives the tree with a stack of 8 MiB. `None` if it cannot get such a stack.
fn survives(tree: &SourceTree) -> Option<bool> {
    let root = scratch();
    for (path, entry) in tree.entries() {
        let place = root.path().join(path);
        fs::create_dir_all(place.parent().unwrap_or(Path::new("/"))).unwrap();
        if let s6gen::tree::TreeEntry::File { content, .. } = entry {
            fs::write(place, content).unwrap();
        }
    }
    let script = "ulimit -s 8192 || exit 99; exec s6-rc-compile out src";
    let mut shell = Command::new("sh");
    let path = std::env::var_os("PATH").unwrap_or_default();
    // The environment is on the same stack.
    let output =
        shell.args(["-c", script]).env_clear().env("PATH", path).current_dir(&root).output().unwrap();
    match (output.status.code(), output.status.signal()) {
        (Some(0), _) => Some(true),
        (_, Some(_)) => {
            assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
            Some(false)
        }
        (Some(99), _) => None,
        _ => panic!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr)),
    }
}

#[test]
fn too_many_services_for_the_real_compiler_get_a_warning() {
    for (count, expected) in [(7_880, &[][..]), (7_910, &["lint::too-many-services"][..])] {
        let tree = alone(count);
        assert_eq!(codes(&tree), expected, "{count} services");
        if !has!("s6-rc") {
            continue;
        }
        if let Some(survives) = survives(&tree) {
            assert_eq!(survives, expected.is_empty(), "{count} services");
        }
    }
}
