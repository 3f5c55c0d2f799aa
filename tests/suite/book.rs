//! Checks the README and `docs`: their manifests, trees and commands give the results that the text shows.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use s6gen::diagnostic::Files;
use s6gen::model::{Index, System, Target};
use s6gen::plan::OrderDirection;
use s6gen::render::text;
use s6gen::report::{Style, human};
use s6gen::tree::{SourceTree, TreeEntry};
use s6gen::{compile, judge, render};
use tempfile::TempDir;

use crate::live_apply;
use crate::require::this_test;
use crate::s6rc::write_image;

/// The fenced blocks of a document: the language and the text of each.
fn blocks(document: &str) -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let text = fs::read_to_string(path).unwrap();
    let parts: Vec<&str> = text.split("\n```").collect();
    let fenced = parts.iter().skip(1).step_by(2);
    fenced
        .filter(|block| block.contains('\n'))
        .map(|block| {
            block.split_once('\n').map(|(kind, text)| (kind.to_owned(), text.to_owned() + "\n")).unwrap()
        })
        .collect()
}

/// The README and the pages of the book. The pages of the rules show wrong manifests too: `pages` tests those.
fn documents() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages = names.filter(|name| name.ends_with(".md") && name != "codes.md");
    std::iter::once("README.md".to_owned()).chain(pages.map(|name| format!("docs/{name}"))).collect()
}

#[test]
fn every_manifest_in_the_documents_does_what_the_text_below_it_shows() {
    let compared: usize = documents().iter().map(|document| compared(document)).sum();
    assert_eq!(compared, 6, "the graph and the reports of all pages");
}

/// Compiles every manifest of a document, and compares the texts below them. Returns how many texts there are.
fn compared(document: &str) -> usize {
    let blocks = blocks(document);
    let mut compared = 0;
    for (position, (kind, manifest)) in blocks.iter().enumerate() {
        if kind != "toml" {
            continue;
        }
        let mut files = Files::default();
        let file = files.add("services.toml", manifest.as_bytes());
        let compilation = compile(&files, file);
        let is_output = |text: &str| text.ends_with("says more about each\n") || text.starts_with("At boot");
        let shown = blocks.get(position + 1).filter(|(kind, text)| kind == "text" && is_output(text));
        let shown = shown.map(|(_, text)| text);
        let mut output: String =
            compilation.problems.iter().map(|problem| human(problem, &files, Style::Plain)).collect();
        let has_report = shown.is_some_and(|shown| shown.ends_with("says more about each\n"));
        if compilation.problems.has_errors() || has_report {
            let shown = shown
                .unwrap_or_else(|| panic!("a manifest with errors whose report is not shown:\n{manifest}"));
            output = shown.lines().last().map(|counts| output + counts + "\n").unwrap();
        } else {
            render::tree(&compilation.services).unwrap();
            output += &text(&Index::new(&compilation.services), &[], OrderDirection::Up);
        }
        if let Some(shown) = shown {
            assert_eq!(&output, shown);
            compared += 1;
        }
    }
    compared
}

/// The subcommands, as the program lists them.
fn subcommands() -> Vec<String> {
    let help = Command::new(env!("CARGO_BIN_EXE_s6gen")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = list.take_while(|line| !line.is_empty()).map(|line| line.split_whitespace().next().unwrap());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn the_table_names_every_command() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/commands.md")).unwrap();
    let subcommands = subcommands();
    assert!(subcommands.len() >= 12, "{subcommands:?}");
    let table: String = page.lines().filter(|line| line.starts_with("| `s6gen ")).collect();
    for command in subcommands {
        assert!(
            table.contains(&format!("`s6gen {command}")) || table.contains(&format!(", `{command}`")),
            "{command}"
        );
    }
}

/// The arguments of each call of s6gen in the blocks of a document.
fn commands(document: &str) -> Vec<Vec<String>> {
    let shell =
        blocks(document).into_iter().filter(|(kind, _)| ["sh", "dockerfile"].contains(&kind.as_str()));
    let lines: String = shell.map(|(_, text)| text).collect();
    let calls = lines.lines().filter_map(|line| {
        let line = line.split("  #").next().unwrap().trim_start_matches("RUN ");
        line.strip_prefix("s6gen ").or_else(|| line.strip_prefix("cargo run -- "))
    });
    calls.map(|call| call.split_whitespace().map(str::to_owned).collect()).collect()
}

/// Whether a call is for a running container.
fn is_live(call: &[String]) -> bool {
    ["instance", "apply", "start", "stop", "restart", "status"].contains(&call[0].as_str())
}

/// A folder with the files that the documents mention.
fn workshop() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let readme = blocks("docs/language.md");
    let manifests: Vec<&String> =
        readme.iter().filter(|(kind, _)| kind == "toml").map(|(_, text)| text).collect();
    fs::write(at("old.toml"), manifests[1]).unwrap();
    fs::write(at("services.toml"), manifests[0]).unwrap();
    let trees = blocks("docs/trees.md");
    let shown = trees.iter().find(|(kind, _)| kind == "tree").unwrap();
    for source in ["s6-rc.d", "root/s6-rc.d", "base/s6-rc.d"] {
        let tree = tree_of(&shown.1);
        for (path, entry) in tree.entries() {
            let TreeEntry::File { content, .. } = entry else { panic!("{path}") };
            let place = at(source).join(path.strip_prefix("s6-rc.d/").unwrap());
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(place, content).unwrap();
        }
    }
    let system = System::overlay("3.2.3.2").unwrap();
    write_image(&at("image"), system.own_definitions_dir().unwrap().trim_start_matches('/'), system);
    for root in ["out", "target", "rootfs"] {
        fs::create_dir(at(root)).unwrap();
    }
    for root in ["rootfs", "image"] {
        let build = run(&folder, &["build".into(), "--root".into(), root.into()]);
        assert!(build.status.success(), "{build:?}");
    }
    folder
}

fn run(folder: &TempDir, call: &[String]) -> Output {
    let mut s6gen = Command::new(env!("CARGO_BIN_EXE_s6gen"));
    s6gen.args(call).current_dir(folder.path()).env_clear().output().unwrap()
}

#[test]
fn every_command_in_the_documents_runs() {
    let folder = workshop();
    let empty = tempfile::tempdir().unwrap();
    let mut count = 0;
    for document in documents() {
        // `import` writes the manifest that the other pages have.
        for call in commands(&document).iter().filter(|call| !is_live(call) && call[0] != "import") {
            let call: Vec<String> = call.iter().map(|word| word.replace("/out", "out")).collect();
            let output = run(if call[0] == "init" { &empty } else { &folder }, &call);
            // These two systems differ, except `rootfs`, which was built from the manifest that it is compared with.
            let expected =
                i32::from(call[0] == "diff" && !call.iter().any(|word| word.starts_with("rootfs")));
            assert_eq!(output.status.code(), Some(expected), "{document}: {call:?}: {output:?}");
            count += 1;
        }
    }
    assert!(count >= 13, "only {count} commands");
}

#[test]
fn every_command_in_the_documents_for_a_running_system_succeeds() {
    for (document, template) in [("docs/live.md", "tunnel")] {
        let manifest = format!(
            "[longrun.{template}]\nparameters = [\"port\"]\ninstances = []\nstart = \"on-demand\"\n\
             run = [\"sleep\", \"1000\"]\nenvironment.PORT = \"{{{{ port | default('') }}}}\"\n"
        );
        let Some(system) = live_apply::System::boot(this_test!(), &manifest) else { return };
        let calls = commands(document).into_iter().filter(|call| is_live(call));
        for call in calls {
            let words: Vec<&str> = call.iter().map(String::as_str).collect();
            let output = system.ask(&words);
            assert!(output.status.success(), "{document}: {call:?}: {output:?}");
        }
    }
}

/// Checks every `make TARGET` in the documents.
#[test]
fn every_make_target_in_the_documents_exists() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let makefile = fs::read_to_string(folder.join("Makefile")).unwrap();
    for document in documents() {
        let text = fs::read_to_string(folder.join(&document)).unwrap();
        for mention in text.split("`make ").skip(1).chain(text.split("\nmake ").skip(1)) {
            let target: String = mention.chars().take_while(char::is_ascii_lowercase).collect();
            assert!(makefile.contains(&format!("\n{target}: ")), "{document}: make {target}");
        }
    }
}

/// A tree in the form of the documents: paths at the left edge, contents indented by four blanks.
fn tree_of(text: &str) -> SourceTree {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("    "), files.last_mut()) {
            (Some(content), Some((_, text))) => *text += &format!("{content}\n"),
            _ => files.push((line.to_owned(), String::new())),
        }
    }
    let mut tree = SourceTree::default();
    for (path, content) in files {
        tree.file(format!("s6-rc.d/{path}"), content, false);
    }
    tree
}

#[test]
fn the_hand_written_tree_in_the_documents_gets_the_report_below_it() {
    let blocks = blocks("docs/trees.md");
    let position = blocks.iter().position(|(kind, _)| kind == "tree").unwrap();
    let tree = tree_of(&blocks[position].1);
    let (kind, shown) = &blocks[position + 1];
    let mut files = Files::default();
    let compilation = judge(&mut files, vec![tree.source("s6-rc.d")], Target::default());
    assert!(!compilation.problems.has_errors(), "the page says that it compiles");
    let reports: String =
        compilation.problems.iter().map(|problem| human(problem, &files, Style::Plain)).collect();
    let counts = format!(
        "{} warnings; `s6gen explain CODE` says more about each\n",
        compilation.problems.iter().count()
    );
    assert_eq!((kind.as_str(), shown), ("report", &(reports + &counts)));
}
