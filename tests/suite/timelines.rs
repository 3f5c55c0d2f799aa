//! Checks the time line of `s6gen plan --format svg`. The cases in `tests/cases/timeline` have a manifest and its
//! time line, some with a start that was measured, `boot.json`.

use std::cell::Cell;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use s6gen::diagnostic::Files;
use s6gen::jobs::read_measured;
use s6gen::model::{Index, Name, ServiceSet, Target};
use s6gen::picture::{PlanSource, plan_html, plan_svg};
use s6gen::plan::{Grace, MeasuredStart, MeasuredTimes, Timeline};
use s6gen::{compile, judge};

use crate::golden::cases;
use crate::pictures::{check, compare, tree};
use crate::properties::holds;

const SOURCE: PlanSource<'_> =
    PlanSource { name: "services.toml", grace: Some(Grace::DOCKER), measured: None };

fn drawn(set: &ServiceSet, source: &PlanSource<'_>) -> String {
    plan_svg(&Timeline::new(&Index::new(set), |_| None), source)
}

fn drawn_manifest(manifest: &str) -> String {
    drawn_beside(manifest, None)
}

fn drawn_beside(manifest: &str, measured: Option<&MeasuredStart>) -> String {
    let mut files = Files::default();
    let file = files.add("services.toml", manifest);
    drawn(&compile(&files, file).services, &PlanSource { measured, ..SOURCE })
}

/// The time line of a case: of its manifest, and of the start that was measured, if it has one.
fn drawn_case(case: &Path) -> String {
    let measured = Some(case.join("boot.json")).filter(|path| path.exists());
    let measured = measured.map(|path| read_measured(&path).unwrap());
    drawn_beside(&fs::read_to_string(case.join("services.toml")).unwrap(), measured.as_ref())
}

/// The words of the rows on the longest chains, of the start and of the stop.
fn on_chains(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let is_name = |node: &roxmltree::Node<'_, '_>| node.attribute("class") == Some("n ct");
    let names = document.descendants().filter(is_name);
    names.map(|node| node.text().unwrap_or_default().to_owned()).collect()
}

#[test]
fn every_case_is_drawn_as_recorded() {
    for case in cases("timeline") {
        let svg = drawn_case(&case);
        compare(&case.join("expected.svg"), &svg);
        check(&svg).unwrap_or_else(|error| panic!("{}: {error}", case.display()));
    }
}

#[test]
fn the_time_line_in_the_documentation_is_that_of_the_shipped_manifest() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let svg = drawn_manifest(&fs::read_to_string(root.join("services.toml")).unwrap());
    compare(&root.join("docs/pictures/plan.svg"), &svg);
    check(&svg).unwrap();
    compare(
        &root.join("docs/pictures/measured.svg"),
        &drawn_case(&root.join("tests/cases/timeline/measured")),
    );
    let page = fs::read_to_string(root.join("docs/plan.md")).unwrap();
    assert!(page.contains("pictures/plan.svg") && page.contains("pictures/measured.svg"));
    let stop = ["watcher", "avahi", "dbus", "what is left"];
    assert_eq!(
        on_chains(&svg),
        [&["dns-once", "frr-rights", "dbus", "avahi", "watcher"][..], &stop].concat()
    );
    let html =
        plan_html(&Timeline::new(&Index::new(&ServiceSet::new(Target::default())), |_| None), &SOURCE, "<&>");
    assert!(html.contains("<pre>&lt;&amp;&gt;</pre>"), "{html}");
}

#[test]
fn random_plans_are_drawn_inside_of_their_pages_and_always_in_the_same_way() {
    let drawings = Cell::new(0);
    holds(64, (tree(),), |(tree,)| {
        let mut files = Files::default();
        let compilation = judge(&mut files, vec![tree.source("src")], Target::default());
        if compilation.problems.has_errors() {
            return Ok(());
        }
        let svg = drawn(&compilation.services, &SOURCE);
        check(&svg).map_err(TestCaseError::fail)?;
        prop_assert_eq!(&svg, &drawn(&compilation.services, &SOURCE));
        drawings.set(drawings.get() + 1);
        Ok(())
    });
    assert!(drawings.get() > 10, "only {} had no errors", drawings.get());
}

#[test]
fn of_a_large_system_only_the_longest_chain_is_drawn() {
    let mut manifest = "[longrun.last]\nrun = [\"last\"]\ndependencies = [\"s1\"]\n".to_owned();
    for number in 0..2_000 {
        let limit = if number == 1 { 90 } else { 10 };
        manifest.push_str(&format!(
            "[longrun.s{number}]\nrun = [\"s\"]\nready.fd = 3\ntimeout-up = \"{limit}s\"\n"
        ));
    }
    let svg = drawn_manifest(&manifest);
    check(&svg).unwrap();
    assert!(svg.len() < 60_000, "{} bytes", svg.len());
    assert!(on_chains(&svg).contains(&"s1".to_owned()) && svg.contains("Not shown: "), "{svg}");
    // One chain of all, with a logger each: in linear time, or this takes minutes.
    let links = (1..6_000).map(|number| {
        let run = format!("[longrun.l{number}]\nrun = [\"l\"]\nlog.to = \"/var/log/l{number}\"\n");
        if number > 1 { format!("{run}dependencies = [\"l{}\"]\n", number - 1) } else { run }
    });
    let svg = drawn_manifest(&links.collect::<String>());
    check(&svg).unwrap();
    assert!(svg.contains("Not shown: 5919 services"), "{}", &svg[svg.len() - 500..]);
    assert!(svg.contains("… 11988 more …") && svg.len() < 150_000, "{} bytes", svg.len());
}

#[test]
fn a_large_start_is_drawn_with_its_slowest_chain() {
    let (mut manifest, mut measured) = (String::new(), MeasuredStart::new());
    for number in 0..500u64 {
        manifest.push_str(&format!("[longrun.s{number}]\nrun = [\"s\"]\n"));
        measured.insert(
            Name::from(&*format!("s{number}")),
            MeasuredTimes { started: number, ready: None, deaths: 0 },
        );
    }
    manifest.push_str("[longrun.last]\nrun = [\"last\"]\ndependencies = [\"s7\"]\n");
    measured.insert(Name::from("last"), MeasuredTimes { started: 900, ready: None, deaths: 0 });
    let svg = drawn_beside(&manifest, Some(&measured));
    check(&svg).unwrap();
    assert!(svg.contains("Slowest chain: s7 (7 ms) → last (900 ms)") && svg.contains("Not shown: "), "{svg}");
    assert!(svg.len() < 60_000, "{} bytes", svg.len());
    assert_eq!(svg, drawn_beside(&manifest, Some(&measured)));
}
