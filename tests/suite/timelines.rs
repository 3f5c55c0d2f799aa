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

/// The attributes `x` of the texts with some words.
fn places(svg: &str, words: &str) -> Vec<f64> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|node| node.tag_name().name() == "text");
    let here = texts.filter(|node| node.text() == Some(words));
    here.map(|node| node.attribute("x").unwrap().parse().unwrap()).collect()
}

#[test]
fn a_verdict_breaks_where_its_bold_words_end() {
    let manifest = "[oneshot.slow]\nup = [\"x\"]\n";
    let mut files = Files::default();
    let file = files.add("services.toml", manifest);
    let set = compile(&files, file).services;
    let limit = |name: &str| (name == "S6_CMD_WAIT_FOR_SERVICES_MAXTIME").then(|| "60000".to_owned());
    let svg = plan_svg(&Timeline::new(&Index::new(&set), limit), &SOURCE);
    check(&svg).unwrap();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let is_bold =
        |node: &roxmltree::Node<'_, '_>| node.attribute("class").is_some_and(|class| class.starts_with("b "));
    let lines: Vec<&str> = document.descendants().filter(is_bold).filter_map(|node| node.text()).collect();
    // Without a limit it is red, whatever s6-overlay waits for.
    assert!(lines.len() > 1 && lines[0].starts_with("Start: "), "{lines:?}");
    // A bold character takes about 9 of the 700 units.
    assert!(lines.iter().all(|line| line.len() < 72), "{lines:?}");
    assert!(svg.contains("T: when the steps without a limit are done.") && !svg.contains("T2"), "{svg}");
}

#[test]
fn the_line_at_which_everything_is_killed_has_its_time() {
    let svg = drawn_manifest("[longrun.slow]\nrun = [\"x\"]\ntimeout-kill = \"47s\"\n");
    let document = roxmltree::Document::parse(&svg).unwrap();
    let line = document.descendants().find(|node| node.attribute("class") == Some("gl")).unwrap();
    let x: f64 = line.attribute("d").unwrap()[1..].split(' ').next().unwrap().parse().unwrap();
    assert_eq!(places(&svg, "10 s"), [x], "{svg}");
}

#[test]
fn words_stand_beside_the_mark_that_they_are_about() {
    let svg =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures/plan.svg")).unwrap();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let mut found = 0;
    for group in document.descendants().filter(|node| node.attribute("class") == Some("N")) {
        let at_once = group.children().find(|node| node.text() == Some("at once"));
        let circle = group.children().find(|node| node.tag_name().name() == "circle");
        let (Some(words), Some(circle)) = (at_once, circle) else { continue };
        let number =
            |node: roxmltree::Node<'_, '_>, name: &str| node.attribute(name).unwrap().parse::<f64>().unwrap();
        let distance = number(words, "x") - number(circle, "cx");
        assert!((0.0..20.0).contains(&distance), "{:?}", group.descendants().find_map(|node| node.text()));
        found += 1;
    }
    assert!(found > 2);
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
