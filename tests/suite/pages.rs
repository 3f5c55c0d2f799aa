//! Tests the examples on the page of each lint: the wrong one gets the report of this lint and no other, the right one gets
//! none. Each lint that is certain has a test that runs them as well.
//!
//! A block ```` ```toml ```` is a manifest. A block ```` ```tree ```` is a source directory as `tree_text` reads it, or the
//! `/etc/s6-overlay` of an image if it has an `s6-rc.d`.

use std::fs;
use std::path::Path;

use s6gen::diagnostic::{Code, Confidence, Files};
use s6gen::jobs::Input;
use s6gen::model::System;
use s6gen::programs::PROGRAMS;
use s6gen::report::{Style, human};
use s6gen::{compile, render, validate};

use crate::tree_text;

/// The lint without examples, because they would need thousands of services.
pub const WITHOUT_EXAMPLE: &str = "lint::too-many-services";

/// The example of a lint that is a manifest, from its page. `heading` is `Wrong` or `Right`.
pub fn manifest(slug: &str, heading: &str) -> &'static str {
    example_in("toml", slug, heading)
}

/// The same for an example that is a tree.
pub fn tree(slug: &str, heading: &str) -> &'static str {
    example_in("tree", slug, heading)
}

fn example_in(wanted: &str, slug: &str, heading: &str) -> &'static str {
    let code = validate::codes().find(|code| code.slug() == slug).unwrap();
    let (language, text) = example(code.explanation(), heading).unwrap();
    assert_eq!(language, wanted, "{slug}");
    text
}

/// The block after the line `heading`: its language and its lines.
pub fn example<'p>(page: &'p str, heading: &str) -> Option<(&'p str, &'p str)> {
    let (_, rest) = page.split_once(&format!("\n{heading}:\n\n```"))?;
    let (language, rest) = rest.split_once('\n')?;
    Some((language, rest.split_once("```").unwrap().0))
}

/// Writes an example into a folder: the input of a check.
pub fn input(slug: &str, (language, text): (&str, &str), folder: &Path) -> Input {
    let (manifest, sources) = (folder.join("services.toml"), folder.join("s6-rc.d"));
    let layers = |version| Input::Layers {
        system: System::overlay(version).unwrap(),
        lower: Vec::new(),
        tree: Some(sources.clone()),
        bundle_dir: None,
    };
    match language {
        "toml" => {
            fs::write(&manifest, text).unwrap();
            Input::Manifest(manifest)
        }
        "tree" => {
            fs::create_dir(&sources).unwrap();
            tree_text::parse(text).unwrap().make(&sources).unwrap();
            // Only together with s6-overlay it is known which services an image starts.
            match sources.join("s6-rc.d").is_dir() {
                true => layers("3.2.3.2"),
                false if slug.starts_with("overlay::") => layers("3.2.2.0"),
                false => Input::Sources(vec![sources]),
            }
        }
        other => panic!("{slug}: an example in {other}"),
    }
}

/// The codes that `s6gen check` finds in an example, and its advice of the code `slug`, which it does not report.
fn found(slug: &str, example: (&str, &str)) -> Vec<&'static str> {
    let folder = tempfile::tempdir().unwrap();
    let input = input(slug, example, folder.path());
    let problems = input.judge(&[], &Default::default()).1.problems;
    let advice = problems.advice().filter(|problem| problem.code.slug() == slug);
    problems.iter().chain(advice).map(|problem| problem.code.slug()).collect()
}

#[test]
fn the_wrong_example_of_each_lint_gets_its_report_and_the_right_one_none() {
    let mut wrong_pages = Vec::new();
    for code in validate::codes() {
        let Code::Lint(lint) = code else { continue };
        if lint.slug == WITHOUT_EXAMPLE {
            continue;
        }
        let wrong = example(lint.page, "Wrong").map(|example| found(lint.slug, example));
        let right = example(lint.page, "Right").map(|example| found(lint.slug, example));
        if wrong.as_deref() != Some(&[lint.slug]) || right.as_deref() != Some(&[]) {
            wrong_pages.push(format!("{}: wrong {wrong:?}, right {right:?}", lint.slug));
        }
    }
    assert!(wrong_pages.is_empty(), "{wrong_pages:#?}");
}

/// The files whose tests run the wrong and the right example of a lint under the real programs. `size` does so for
/// [`WITHOUT_EXAMPLE`].
const LIVE_PROOFS: [&str; 4] = [
    include_str!("believable.rs"),
    include_str!("believable_files.rs"),
    include_str!("believable_overlay.rs"),
    include_str!("size.rs"),
];

#[test]
fn every_certain_lint_has_a_live_proof() {
    let is_proved = |slug: &str| LIVE_PROOFS.iter().any(|file| file.contains(&format!("\"{slug}\"")));
    let lints = validate::codes().filter_map(|code| match code {
        Code::Lint(lint) => Some(lint),
        _ => None,
    });
    let without: Vec<&str> = lints
        .filter(|lint| lint.confidence == Confidence::Certain && !is_proved(lint.slug))
        .map(|lint| lint.slug)
        .collect();
    assert!(without.is_empty(), "write a proof, or be less confident: {without:?}");
}

#[test]
fn the_manifest_of_each_known_program_has_no_problem() {
    for known in PROGRAMS {
        let text = render::program(known, 100);
        let Some((_, manifest)) = text.split_once("\nAs a manifest:\n\n") else {
            assert!(text.ends_with("It cannot be the process of a longrun.\n"), "{text}");
            continue;
        };
        let mut files = Files::default();
        let file = files.add("services.toml", manifest);
        let problems: Vec<String> = compile(&files, file)
            .problems
            .iter()
            .map(|problem| human(problem, &files, Style::Plain))
            .collect();
        assert!(problems.is_empty(), "{manifest}{problems:?}");
    }
}
