//! Installs a tree in a separate process, so that a test of `tests/suite` can kill it, make its system calls fail, or
//! run it as another user: `install TREE ROOT DEFINITIONS now|later`. TREE is a file that `killed::file_of` writes.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the rules of the house are for the program; this is a part of tests"
)]
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::path::Path;
use std::process::ExitCode;

use s6gen::install::{LockedSite, Prune, install};
use s6gen::tree::SourceTree;
use serde_json::Value;

fn tree(text: &str) -> SourceTree {
    let mut tree = SourceTree::default();
    let entries: Vec<(String, Value)> = serde_json::from_str(text).unwrap();
    for (path, entry) in entries {
        let text = |key: &str| entry[key].as_str().map(str::to_owned);
        if let Some(target) = text("link") {
            tree.link(path, target);
        } else if let Some(content) = text("content") {
            tree.file(path, content, entry["executable"] == true);
        } else {
            tree.directory(path);
        }
    }
    tree
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, file, root, definitions, prune] = &arguments[..] else { panic!("{arguments:?}") };
    let tree = tree(&std::fs::read_to_string(file).unwrap());
    let root = Path::new(root);
    let result = match prune.as_str() {
        "now" => install(&tree, root, definitions),
        _ => LockedSite::lock(root, definitions).and_then(|site| site.install(&tree, Prune::Later)),
    };
    match result {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{:?}", error.diagnostics());
            ExitCode::from(3)
        }
    }
}
