//! Checks the texts of the README and of the book around the examples: commands, targets of the Makefile, links, contents.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use s6gen::cli::command_names;
use s6gen::compile;
use s6gen::diagnostic::Files;

use crate::book::makes;
use crate::markdown::{Page, book, documents};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn the_help_has_at_most_twenty_lines_and_names_every_command() {
    let help = |line: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_s6gen")).args(line.split(' ')).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let text = help("--help");
    assert_eq!([help("-h"), help("help")], [text.clone(), text.clone()]);
    assert!(text.lines().count() <= 20 && text.lines().all(|line| line.len() <= 100), "{text}");
    let (_, groups) = text.split_once("\nCommands:\n").unwrap();
    let (groups, _) = groups.split_once("\n\n").unwrap();
    // The purpose of a group, and behind two blanks its commands.
    let listed = groups.lines().flat_map(|line| line.rsplit("  ").next().unwrap().split(' '));
    let mut listed: Vec<&str> = listed.collect();
    listed.sort_unstable();
    let mut names = command_names();
    names.sort();
    assert_eq!(listed, names);
}

#[test]
fn the_table_names_every_command() {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/commands.md")).unwrap();
    let table: String = page.lines().filter(|line| line.starts_with("| `s6gen ")).collect();
    for command in command_names() {
        assert!(
            table.contains(&format!("`s6gen {command}")) || table.contains(&format!(", `{command}`")),
            "{command}"
        );
    }
}

/// Where a line of a manifest may stand: the lines before and after it.
const SURROUNDINGS: &[(&str, &str)] = &[
    ("", "[longrun.web]\nrun = [\"web\"]\n"),
    ("[longrun.web]\n", "run = [\"web\"]\n"),
    ("[longrun.web]\n", ""),
    ("[longrun.web]\ninstances = [\"a\"]\nparameters = [\"title\"]\n", "run = [\"web\"]\n"),
    ("[longrun.web.ready]\n", "[longrun.web]\nrun = [\"web\"]\n"),
    ("[longrun.web.log]\n", "[longrun.web]\nrun = [\"web\"]\n"),
    ("[longrun.web.on-exit]\n", "[longrun.web]\nrun = [\"web\"]\n"),
    ("[oneshot.web]\n", "up = [\"web\"]\n"),
    ("[oneshot.web]\n", ""),
    ("[target]\n", "[longrun.web]\nrun = [\"web\"]\n"),
    ("[lints]\n", "[longrun.web]\nrun = [\"web\"]\n"),
];

/// Problems of a line itself. Others are about what stands beside it.
const OWN: [&str; 6] = [
    "levels::unknown-rule",
    "manifest::syntax",
    "manifest::unknown-key",
    "manifest::wrong-type",
    "manifest::invalid-value",
    "manifest::unknown-signal",
];

fn is_accepted(line: &str) -> bool {
    SURROUNDINGS.iter().any(|(before, after)| {
        let mut files = Files::default();
        let file = files.add("services.toml", format!("{before}{line}\n{after}"));
        !compile(&files, file).problems.iter().any(|problem| OWN.contains(&problem.code.slug()))
    })
}

/// A line of a manifest between backticks, such as `ready.fd = 3`, is one that the language has, somewhere.
#[test]
fn every_line_of_a_manifest_in_a_sentence_is_accepted() {
    let mut wrong = Vec::new();
    let mut count = 0;
    // One page shows wrong lines, the other one lines of Rust.
    let others = ["docs/codes.md", "docs/develop.md"];
    for page in documents().iter().filter(|page| !others.contains(&page.path.as_str())) {
        for span in &page.spans {
            let is_line = span.parse::<toml::Table>().is_ok_and(|table| !table.is_empty());
            if !is_line || !span.contains(" = ") || span.contains('…') {
                continue;
            }
            count += 1;
            if !is_accepted(span) {
                wrong.push(format!("{}: {span}", page.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count}: {wrong:#?}", wrong.len());
    assert!(count > 20, "only {count} lines");
    for line in ["timeout-Up = \"5s\"", "ready.fd = \"3\"", "timeout-up = \"soon\"", "down-signal = \"BYE\""]
    {
        assert!(!is_accepted(line), "{line}");
    }
}

/// Checks every `make TARGET` in the texts.
#[test]
fn every_make_target_in_the_documents_exists() {
    for page in documents() {
        let text = fs::read_to_string(Path::new(ROOT).join(&page.path)).unwrap();
        for mention in text.split("`make ").skip(1) {
            let target: String = mention.chars().take_while(char::is_ascii_lowercase).collect();
            assert_eq!(makes(&format!("make {target}")), Ok(true), "{}", page.path);
        }
    }
}

/// A link leads to a page, a heading or a file. A page links nothing outside of `docs`: the book does not have it.
#[test]
fn every_link_leads_somewhere() {
    let mut wrong = Vec::new();
    for page in documents() {
        let folder = Path::new(&page.path).parent().unwrap();
        for link in page.links.iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').map_or((link.as_str(), None), |(f, a)| (f, Some(a)));
            let path = if file.is_empty() { Path::new(&page.path).to_owned() } else { folder.join(file) };
            let leads = match anchor {
                Some(anchor) => Page::read(path.to_str().unwrap()).anchors().contains(&anchor.to_owned()),
                None => Path::new(ROOT).join(&path).is_file(),
            };
            if !leads || file.starts_with("../") {
                wrong.push(format!("{}: {link}", page.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_table_of_contents_has_every_page_once() {
    let contents = Page::read("docs/SUMMARY.md").links;
    let listed: BTreeSet<String> = contents.iter().map(|name| format!("docs/{name}")).collect();
    assert_eq!(listed.len(), contents.len(), "a page stands there twice");
    let pages: BTreeSet<String> = book().into_iter().map(|page| page.path).collect();
    let pages: BTreeSet<String> = pages.into_iter().filter(|path| path != "docs/SUMMARY.md").collect();
    assert_eq!(listed, pages);
}
