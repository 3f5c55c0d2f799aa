//! Checks the pictures of the start order. The cases in `tests/cases/picture` have a manifest and its picture, which a browser
//! shows; `INSTA_UPDATE=always` records them anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use s6gen::diagnostic::{Files, Origin};
use s6gen::model::{Index, Name, ServiceSet, Target};
use s6gen::picture::{self, PictureSource, View};
use s6gen::plan::{OrderDirection, StartOrder};
use s6gen::tree::SourceTree;
use s6gen::{compile, judge, render};

use crate::case::scratch;
use crate::golden::cases;
use crate::properties::holds;
use crate::require::{find, needs};

/// The largest width of a picture that is drawn with lines.
const MOST_WIDTH: f64 = 2400.0;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every format of the graph of a set.
struct Pictures {
    svg: String,
    html: String,
    mermaid: String,
    dot: String,
}

fn pictures(set: &ServiceSet, files: &Files, direction: OrderDirection, shows_all: bool) -> Pictures {
    let index = Index::new(set);
    let order = StartOrder::new(&index, &[], direction);
    let view = View { names: &[], shows_all };
    let place = |origin: Origin| {
        let file = files.get(origin.file);
        format!("{}:{}", file.path.display(), file.line_at(origin.span().start) + 1)
    };
    let source = PictureSource { name: "services.toml".into(), names: Vec::new(), place: &place };
    let text = render::text(&index, &[], direction, shows_all);
    Pictures {
        svg: picture::svg(&order, view, &source),
        html: picture::html(&order, view, &source, &text),
        mermaid: picture::mermaid(&order, view),
        dot: picture::dot(&order, view),
    }
}

fn pictures_of(manifest: &str, direction: OrderDirection) -> Pictures {
    let mut files = Files::default();
    let file = files.add("services.toml", manifest);
    let compilation = compile(&files, file);
    pictures(&compilation.services, &files, direction, false)
}

fn manifest(case: &Path) -> String {
    fs::read_to_string(case.join("services.toml")).unwrap()
}

fn direction(case: &Path) -> OrderDirection {
    if case.ends_with("stop") { OrderDirection::Down } else { OrderDirection::Up }
}

/// Compares a picture with the recorded one, or records it.
pub fn compare(place: &Path, picture: &str) {
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(place, picture).unwrap();
    }
    let recorded = fs::read_to_string(place).unwrap_or_default();
    assert!(recorded == picture, "{} is not current: INSTA_UPDATE=always records it", place.display());
}

#[test]
fn every_case_is_drawn_as_recorded() {
    for case in cases("picture") {
        let pictures = pictures_of(&manifest(&case), direction(&case));
        compare(&case.join("expected.svg"), &pictures.svg);
        compare(&case.join("expected.mermaid"), &pictures.mermaid);
        check(&pictures.svg).unwrap_or_else(|error| panic!("{}: {error}", case.display()));
    }
}

#[test]
fn the_picture_in_the_documentation_is_that_of_the_shipped_manifest() {
    let pictures =
        pictures_of(&fs::read_to_string(root().join("services.toml")).unwrap(), OrderDirection::Up);
    compare(&root().join("docs/pictures/gateway.svg"), &pictures.svg);
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains("docs/pictures/gateway.svg"), "the README does not show it");
    // A README is about 900 pixels wide, and a phone 390.
    assert!(page(&pictures.svg).unwrap().width <= 700.0);
}

#[test]
fn sixty_services_take_less_than_60_kilobytes() {
    let case = root().join("tests/cases/picture/sixty");
    let svg = pictures_of(&manifest(&case), OrderDirection::Up).svg;
    assert!(svg.matches("class=\"N\"").count() >= 60 && svg.len() < 60_000, "{} bytes", svg.len());
}

/// A rectangle of a picture.
#[derive(Debug, Clone, Copy)]
struct Rectangle {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

impl Rectangle {
    fn overlaps(&self, other: &Rectangle) -> bool {
        let apart = |a: f64, width: f64, b: f64, other: f64| a + width <= b || b + other <= a;
        !apart(self.x, self.width, other.x, other.width) && !apart(self.y, self.height, other.y, other.height)
    }

    fn is_inside(&self, other: &Rectangle) -> bool {
        self.x >= other.x
            && self.y >= other.y
            && self.x + self.width <= other.x + other.width
            && self.y + self.height <= other.y + other.height
    }
}

fn numbers(text: &str) -> Vec<f64> {
    let separate = |c: char| !c.is_ascii_digit() && c != '.' && c != '-';
    text.split(separate).filter_map(|number| number.parse().ok()).collect()
}

/// The whole picture.
fn page(svg: &str) -> Result<Rectangle, String> {
    let document = roxmltree::Document::parse(svg).map_err(|error| format!("not XML: {error}"))?;
    let size = numbers(document.root_element().attribute("viewBox").ok_or("no viewBox")?);
    Ok(Rectangle { x: 0.0, y: 0.0, width: size[2], height: size[3] })
}

/// The boxes of services: the front one of each stack.
fn boxes(document: &roxmltree::Document<'_>) -> Vec<Rectangle> {
    let groups = document.descendants().filter(|node| node.attribute("class") == Some("N"));
    groups
        .filter_map(|group| {
            let is_outline = |node: &roxmltree::Node<'_, '_>| {
                let class = node.attribute("class").unwrap_or_default();
                matches!(class.split(' ').next(), Some("L" | "O" | "U"))
            };
            let outline = group.children().rfind(is_outline)?;
            let attribute = |name: &str| outline.attribute(name).and_then(|value| value.parse().ok());
            Some(match outline.attribute("d") {
                None => Rectangle {
                    x: attribute("x")?,
                    y: attribute("y")?,
                    width: attribute("width")?,
                    height: attribute("height")?,
                },
                // `Mx yhWIDTHlPOINT HALFl-POINT HALFHxz`
                Some(path) => {
                    let path = numbers(path);
                    Rectangle { x: path[0], y: path[1], width: path[2] + path[3], height: 2.0 * path[4] }
                }
            })
        })
        .collect()
}

/// Checks what holds for every picture.
pub fn check(svg: &str) -> Result<(), String> {
    let document = roxmltree::Document::parse(svg).map_err(|error| format!("not XML: {error}"))?;
    let page = page(svg)?;
    if page.width > MOST_WIDTH {
        return Err(format!("{} units wide", page.width));
    }
    let boxes = boxes(&document);
    for (number, one) in boxes.iter().enumerate() {
        if !one.is_inside(&page) {
            return Err(format!("{one:?} is not inside of {page:?}"));
        }
        if let Some(other) = boxes[number + 1..].iter().find(|other| one.overlaps(other)) {
            return Err(format!("{one:?} overlaps {other:?}"));
        }
    }
    for node in document.descendants() {
        let name = node.tag_name().name();
        if matches!(name, "script" | "image" | "a" | "foreignObject" | "use") {
            return Err(format!("<{name}>"));
        }
        if let Some(id) = node.attribute("id").filter(|id| !id.starts_with("s6g-")) {
            return Err(format!("the id {id}"));
        }
        if name == "style" {
            // One rule a line.
            let rules = node.text().unwrap_or_default().lines().map(|rule| {
                rule.strip_prefix("@media ")
                    .and_then(|rule| rule.split_once('{'))
                    .map_or(rule, |(_, rule)| rule)
            });
            let mut selectors = rules.flat_map(|rule| rule.split('{').next().unwrap_or_default().split(','));
            let is_own = |one: &&str| {
                one.starts_with(".s6g") || one.starts_with("svg.s6g") || one.is_empty() || *one == "}"
            };
            if let Some(wrong) = selectors.find(|one| !is_own(one)) {
                return Err(format!("the selector {wrong}"));
            }
        }
        let is_long = |value: &str| {
            value
                .split('.')
                .nth(1)
                .is_some_and(|decimals| decimals.chars().take_while(char::is_ascii_digit).count() > 1)
        };
        for attribute in node
            .attributes()
            .filter(|attribute| ["x", "y", "d", "cx", "cy", "width", "height"].contains(&attribute.name()))
        {
            let value = attribute.value();
            if value.contains("NaN")
                || value.contains("inf")
                || value.contains("-0 ")
                || value.split([' ', 'h', 'v', 'q', 'H', 'V', 'l', 'M']).any(is_long)
            {
                return Err(format!("the length {value}"));
            }
        }
    }
    Ok(())
}

/// Names that a picture must survive.
const ODD_NAMES: [&str; 10] = [
    "plain",
    "<&\">",
    "a b",
    "]]>",
    "--",
    "tab\there",
    "\u{1}\u{7f}",
    "中文服务名称很长很长很长",
    "\u{202e}rtl",
    "e\u{301}moji🙂",
];

/// A tree with odd names, random dependencies that may form cycles, and services on demand.
pub fn tree() -> impl Strategy<Value = SourceTree> {
    let service = (
        0..ODD_NAMES.len(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        proptest::collection::vec(any::<prop::sample::Index>(), 0..4),
    );
    (proptest::collection::vec(service, 1..40), any::<bool>(), any::<bool>()).prop_map(
        |(services, may_cycle, is_long)| {
            let name = |number: usize| {
                let long = if is_long && number.is_multiple_of(7) { "x".repeat(200) } else { String::new() };
                format!("{}{long}{number}", ODD_NAMES[services[number].0])
            };
            let mut tree = SourceTree::default();
            let mut boot = Vec::new();
            for (number, (_, is_oneshot, is_ready, is_boot, firsts)) in services.iter().enumerate() {
                let place = format!("src/{}", name(number));
                tree.file(
                    format!("{place}/type"),
                    if *is_oneshot { "oneshot\n" } else { "longrun\n" },
                    false,
                );
                if *is_oneshot {
                    tree.file(format!("{place}/up"), "true\n", false);
                } else {
                    tree.file(format!("{place}/run"), "#!/bin/sh\nexec sleep 9\n", true);
                    if *is_ready {
                        tree.file(format!("{place}/notification-fd"), "3\n", false);
                    }
                }
                for first in firsts {
                    let most = if may_cycle { services.len() } else { number };
                    if most > 0 {
                        tree.file(format!("{place}/dependencies.d/{}", name(first.index(most))), "", false);
                    }
                }
                if *is_boot {
                    boot.push(number);
                }
            }
            for (bundle, members) in [("default", boot), ("group", (0..services.len().min(3)).collect())] {
                tree.file(format!("src/{bundle}/type"), "bundle\n", false);
                tree.directory(format!("src/{bundle}/contents.d"));
                for member in members {
                    tree.file(format!("src/{bundle}/contents.d/{}", name(member)), "", false);
                }
            }
            tree
        },
    )
}

#[test]
fn random_graphs_are_drawn_without_overlaps_and_always_in_the_same_way() {
    holds(50, (tree(), any::<bool>(), any::<bool>()), |(tree, is_stop, shows_all)| {
        let draw = || {
            let mut files = Files::default();
            let compilation = judge(&mut files, vec![tree.source("src")], Target::default());
            let direction = if is_stop { OrderDirection::Down } else { OrderDirection::Up };
            pictures(&compilation.services, &files, direction, shows_all)
        };
        let (one, other) = (draw(), draw());
        prop_assert_eq!(&one.svg, &other.svg);
        prop_assert_eq!(&one.html, &other.html);
        prop_assert_eq!(&one.mermaid, &other.mermaid);
        prop_assert_eq!(&one.dot, &other.dot);
        check(&one.svg).map_err(TestCaseError::fail)?;
        Ok(())
    });
}

#[test]
fn an_instance_that_is_asked_for_by_name_is_no_template() {
    let manifest = "[longrun.w]\nrun = [\"w\"]\ninstances = 3\n[longrun.one]\nrun = [\"one\"]\ndependencies = [\"w-2\"]\n";
    let mut files = Files::default();
    let file = files.add("services.toml", manifest);
    let compilation = compile(&files, file);
    let index = Index::new(&compilation.services);
    for (name, expected, is_template) in
        [("w-3", "w-3", false), ("w", "w-{1..3}", true), ("one", "w-2", false)]
    {
        let names = [s6gen::jobs::find(&index, name).unwrap()];
        let order = StartOrder::new(&index, &names, OrderDirection::Up);
        let view = View { names: &names, shows_all: false };
        let source = PictureSource { name: "x".into(), names: vec![name.into()], place: &|_| String::new() };
        let svg = picture::svg(&order, view, &source);
        assert!(svg.contains(&format!(">{expected}<")), "{name}: {svg}");
        assert_eq!(svg.contains("template"), is_template, "{name}: {svg}");
        assert_eq!(picture::mermaid(&order, view).contains("[["), is_template, "{name}");
        assert_eq!(picture::dot(&order, view).contains("peripheries"), is_template, "{name}");
    }
}

#[test]
fn a_long_name_is_whole_where_there_is_room() {
    let longrun =
        |name: &str, first: &str| format!("[longrun.{name}]\nrun = [\"x\"]\ndependencies = [{first}]\n");
    let long = "database-migrations-of-tenants";
    let few = longrun(long, "") + &longrun("web", &format!("\"{long}\""));
    let svg = pictures_of(&few, OrderDirection::Up).svg;
    check(&svg).unwrap();
    assert!(svg.contains(&format!(">{long}<")) && !svg.contains("shortened"), "{svg}");
    // Five columns of such names do not fit into a README. Each has two, so that they do not stand below each other.
    let mut many = String::new();
    for number in 0..5 {
        let names = |number: usize| [format!("{long}{number}"), format!("{long}-{number}")];
        let firsts = if number == 0 { String::new() } else { format!("{:?}", names(number - 1)) };
        for name in names(number) {
            many += &longrun(&name, firsts.trim_matches(['[', ']']));
        }
    }
    let svg = pictures_of(&many, OrderDirection::Up).svg;
    check(&svg).unwrap();
    assert!(svg.contains(">database-m…enants0<") && svg.contains("shortened"), "{svg}");
    assert!(svg.contains(&format!("<title>{long}0: ")), "{svg}");
}

#[test]
fn steps_that_follow_each_other_stand_below_each_other() {
    // Pieces of a chain, each with the number of its steps, and between them a step that waits for two.
    let pieces = proptest::collection::vec((1..16usize, any::<bool>()), 1..5);
    holds(24, (pieces,), |(pieces,)| {
        let (mut manifest, mut last, mut count) = (String::new(), None, 0);
        let oneshot = |name: &str, firsts: &[String]| {
            format!("[oneshot.{name}]\nup = [\"x\"]\ndependencies = {firsts:?}\n")
        };
        for (number, (steps, has_side)) in pieces.iter().enumerate() {
            let begin: Vec<String> = last.into_iter().collect();
            let (side, join) = (format!("side{number}"), format!("join{number}"));
            let mut firsts = begin.clone();
            for step in 0..*steps {
                let name = format!("initialize{number}-{step}");
                manifest += &oneshot(&name, &firsts);
                firsts = vec![name];
            }
            if *has_side {
                manifest += &oneshot(&side, &begin);
                firsts.push(side);
            }
            manifest += &oneshot(&join, &firsts);
            count += steps + 1 + usize::from(*has_side);
            last = Some(join);
        }
        let svg = pictures_of(&manifest, OrderDirection::Up).svg;
        check(&svg).map_err(TestCaseError::fail)?;
        prop_assert_eq!(svg.matches("class=\"N\"").count(), count, "{}", manifest);
        Ok(())
    });
}

#[test]
fn a_request_for_everything_draws_the_loggers_without_waits_that_follow_from_others() {
    let mut files = Files::default();
    let file = files.add("services.toml", fs::read_to_string(root().join("services.toml")).unwrap());
    let compilation = compile(&files, file);
    let pictures = pictures(&compilation.services, &files, OrderDirection::Up, true);
    check(&pictures.svg).unwrap();
    for name in ["dbus-log", "dbus-err-log", "legacy-services", "watcher"] {
        assert!(pictures.svg.contains(&format!("<title>{name}: ")), "{name}: {}", pictures.svg);
    }
    assert!(pictures.svg.contains("Not shown: waits that follow from others."), "{}", pictures.svg);
    // `watcher` waits for its loggers, and they wait for what it needs.
    assert_eq!(pictures.dot.matches("-> ").count(), 57, "{}", pictures.dot);
}

#[test]
fn one_line_leaves_a_bundle_whose_members_start_in_one_wave() {
    let manifest = "[oneshot.host]\nup = [\"x\"]\n[oneshot.volumes]\nup = [\"x\"]\n\
        [oneshot.accounts]\nup = [\"x\"]\ndependencies = [\"volumes\"]\n\
        [oneshot.tls]\nup = [\"x\"]\ndependencies = [\"volumes\", \"host\"]\n\
        [bundle.prepared]\ncontents = [\"accounts\", \"tls\"]\n\
        [longrun.cron]\nrun = [\"x\"]\ndependencies = [\"prepared\"]\n\
        [longrun.redis]\nrun = [\"x\"]\ndependencies = [\"prepared\"]\n";
    let pictures = pictures_of(manifest, OrderDirection::Up);
    check(&pictures.svg).unwrap();
    let lines: Vec<&str> =
        pictures.mermaid.lines().map(str::trim).filter(|line| line.contains('|')).collect();
    assert_eq!(lines, ["b0 -->|done| b2_3", "b1 -->|done| b2", "b2 -->|done| b3", "b2 -->|done| b4"]);
    assert!(pictures.mermaid.contains("subgraph b2[\"prepared\"]"), "{}", pictures.mermaid);
    assert!(pictures.dot.contains("b0 -> b2_3 [label = done];"), "{}", pictures.dot);
    assert!(pictures.dot.contains("b1 -> b2_2 [label = done, lhead = cluster_2];"), "{}", pictures.dot);
    assert!(pictures.svg.contains("tls: oneshot; wave 2; waits for host (done), volumes (done)"));
    assert!(pictures.svg.contains("accounts: oneshot; wave 2; waits for volumes (done)"));
}

#[test]
fn graphviz_and_mermaid_say_what_marks_say() {
    let case = |name: &str| {
        pictures_of(&manifest(&root().join("tests/cases/picture").join(name)), OrderDirection::Up)
    };
    let marks = case("marks");
    for expected in ["metrics\\nonly-if\"", "migrations\\nstop-container\"", "database\\nhas a logger\""] {
        assert!(marks.dot.contains(expected), "{expected}: {}", marks.dot);
    }
    assert!(marks.mermaid.contains("\"Last to start: "), "{}", marks.mermaid);
    // `metrics` is in the second wave, and what waits for it in the fourth.
    assert!(marks.mermaid.contains("b4 -..->|started| b5"), "{}", marks.mermaid);
    let cycle = case("cycle").dot;
    let is_red = |line: &&str| line.contains("color = red");
    let (edges, nodes): (Vec<&str>, Vec<&str>) =
        cycle.lines().filter(is_red).partition(|line| line.contains("->"));
    assert_eq!((edges.len(), nodes.len()), (4, 3), "{cycle}");
}

#[test]
fn a_name_in_graphviz_is_no_entity() {
    let mut tree = SourceTree::default();
    for name in ["<", "&lt;", "\\n"] {
        tree.file(format!("src/{name}/type"), "longrun\n", false);
        tree.file(format!("src/{name}/run"), "#!/bin/sleep 9\n", true);
    }
    let mut files = Files::default();
    let compilation = judge(&mut files, vec![tree.source("src")], Target::default());
    let dot = pictures(&compilation.services, &files, OrderDirection::Up, false).dot;
    for label in ["<", "&amp;lt;", "\\\\n"] {
        assert!(dot.contains(&format!("[label = \"{label}\", ")), "{label}: {dot}");
    }
}

#[test]
fn what_starts_late_waits_for_a_cycle_too() {
    let manifest = "[longrun.hen]\nrun = [\"x\"]\ndependencies = [\"egg\"]\n\
        [longrun.egg]\nrun = [\"x\"]\ndependencies = [\"hen\"]\n[longrun.free]\nrun = [\"x\"]\n\
        [longrun.last]\nrun = [\"x\"]\nstart = \"late\"\n";
    let svg = pictures_of(manifest, OrderDirection::Up).svg;
    check(&svg).unwrap();
    assert!(svg.contains("<title>last: longrun; cannot start; waits for "), "{svg}");
    assert!(svg.contains("<title>free: longrun; wave 1"), "{svg}");
}

#[test]
fn forty_thousand_services_are_counted_instead_of_drawn() {
    let mut tree = SourceTree::default();
    for number in 0..40_000usize {
        tree.file(format!("src/service-{number}/type"), "longrun\n", false);
        tree.file(format!("src/service-{number}/run"), "#!/bin/sleep 1000\n", false);
        if number > 0 {
            tree.file(format!("src/service-{number}/dependencies.d/service-{}", number / 4), "", false);
        }
    }
    let mut files = Files::default();
    let compilation = judge(&mut files, vec![tree.source("src")], Target::default());
    let pictures = pictures(&compilation.services, &files, OrderDirection::Up, false);
    check(&pictures.svg).unwrap();
    assert!(pictures.svg.contains("40000 services start at boot in 9 waves.") && pictures.svg.len() < 20_000);
    assert!(pictures.mermaid.contains("too many services"));
    assert_eq!(pictures.dot.matches(" -> ").count(), 39_999);
}

#[test]
fn a_cycle_is_shown_however_large_the_system_is() {
    let longrun =
        |name: &str, first: &str| format!("[longrun.{name}]\nrun = [\"x\"]\ndependencies = [{first}]\n");
    let mut large: String = (0..100).map(|number| longrun(&format!("s{number}"), "")).collect();
    large += &longrun("hen", "\"egg\"");
    large += &longrun("egg", "\"hen\"");
    let svg = pictures_of(&large, OrderDirection::Up).svg;
    check(&svg).unwrap();
    assert!(svg.contains(">hen<") && svg.contains(">egg<") && !svg.contains(">s7<"), "{svg}");
    let long: String = (0..60)
        .map(|number| longrun(&format!("ring{number}"), &format!("\"ring{}\"", (number + 1) % 60)))
        .collect();
    let pictures = pictures_of(&long, OrderDirection::Up);
    check(&pictures.svg).unwrap();
    assert!(pictures.svg.contains("60 services wait for each other in a cycle"), "{}", pictures.svg);
    // Mermaid paints each wait of the cycle.
    let painted = pictures.mermaid.lines().find_map(|line| line.trim().strip_prefix("linkStyle "));
    assert_eq!(painted.map(|links| links.split(',').count()), Some(60 + 1), "{}", pictures.mermaid);
}

#[test]
fn sentences_fit_one_service_and_the_stop() {
    let longrun =
        |name: &str, first: &str| format!("[longrun.{name}]\nrun = [\"x\"]\ndependencies = [{first}]\n");
    let mut files = Files::default();
    let file = files.add("services.toml", longrun("a", "") + &longrun("b", "\"a\""));
    let set = compile(&files, file).services;
    let index = Index::new(&set);
    for (name, direction, words) in [
        ("b", OrderDirection::Up, "(only b and what it waits for)"),
        ("a", OrderDirection::Down, "(only a and what waits for it)"),
    ] {
        let node = index.find(&Name::from(name)).unwrap();
        let order = StartOrder::new(&index, &[node], direction);
        let source = PictureSource { name: "x".into(), names: vec![name.into()], place: &|_| String::new() };
        let svg = picture::svg(&order, View { names: &[node], shows_all: false }, &source);
        assert!(svg.contains(words), "{svg}");
    }
    let ring =
        (0..200).map(|number| longrun(&format!("ring{number}"), &format!("\"ring{}\"", (number + 1) % 200)));
    let svg = pictures_of(&ring.collect::<String>(), OrderDirection::Down).svg;
    assert!(svg.contains("none of them can stop"), "{svg}");
}

/// Runs a page in a browser without a window, and returns the page as its scripts left it.
fn browsed(page: &Path) -> String {
    let mut chromium = Command::new(find("chromium").unwrap());
    chromium.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--virtual-time-budget=20000",
        "--dump-dom",
    ]);
    let profile = page.with_extension("profile");
    chromium.arg(format!("--user-data-dir={}", profile.display())).arg(format!("file://{}", page.display()));
    let output = chromium.stdin(Stdio::null()).stderr(Stdio::null()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Measures words in a browser: names must fit their boxes, and all words the picture. Writes what does not into the title.
const MEASURE: &str = "<script>
const wrong = [];
for (const group of document.querySelectorAll('.s6g .N')) {
  const outline = [...group.querySelectorAll('.L, .O, .U')].pop(), name = group.querySelector('.n');
  if (!name) continue;
  const inner = name.getBBox(), outer = outline.getBBox();
  if (inner.x < outer.x || inner.x + inner.width > outer.x + outer.width) wrong.push(name.textContent);
}
for (const svg of document.querySelectorAll('svg.s6g')) {
  const width = svg.viewBox.baseVal.width;
  for (const text of svg.querySelectorAll('text')) {
    const box = text.getBBox();
    if (box.x < 0 || box.x + box.width > width) wrong.push(text.textContent);
  }
  const box = svg.getBoundingClientRect();
  if (box.width < 300) wrong.push('too small: ' + box.width);
}
document.title = 'measured ' + document.querySelectorAll('.s6g .N').length + ' boxes, wrong: ' + wrong.join('; ') + '.';
</script>";

#[test]
fn words_fit_their_boxes_in_a_browser() {
    needs!("chromium");
    let folder = scratch();
    for case in cases("picture") {
        let pictures = pictures_of(&manifest(&case), direction(&case));
        let page = folder.path().join("page.html");
        fs::write(&page, pictures.html.replace("</body>", &format!("{MEASURE}</body>"))).unwrap();
        let found = browsed(&page);
        let title = found.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next());
        let title = title.unwrap_or_default();
        let boxes = pictures.svg.matches("class=\"N\"").count();
        assert_eq!(title, format!("measured {boxes} boxes, wrong: ."), "{}", case.display());
    }
}

#[test]
fn mermaid_draws_every_case() {
    needs!("chromium", "mermaid");
    let library = PathBuf::from(std::env::var_os("S6GEN_MERMAID").unwrap());
    let folder = scratch();
    for case in cases("picture") {
        let pictures = pictures_of(&manifest(&case), direction(&case));
        let page = folder.path().join("page.html");
        let source = serde_json::to_string(&pictures.mermaid).unwrap();
        let script = format!(
            "<!DOCTYPE html><meta charset=utf-8><title>waiting</title><body><script src=\"file://{}\"></script><script>
mermaid.initialize({{ startOnLoad: false }});
mermaid.render('drawn', {source}).then(
  drawn => {{ document.body.innerHTML = drawn.svg; document.title = 'nodes: ' + document.querySelectorAll('.node').length; }},
  error => {{ document.title = 'error: ' + error; }});
</script>",
            library.display()
        );
        fs::write(&page, script).unwrap();
        let found = browsed(&page);
        let title = found.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next());
        // The legend is a node, too.
        let boxes =
            pictures.svg.matches("class=\"N\"").count() + pictures.mermaid.matches("  legend[").count();
        assert_eq!(title, Some(&*format!("nodes: {boxes}")), "{}\n{}", case.display(), pictures.mermaid);
    }
}

#[test]
fn graphviz_draws_every_case() {
    needs!("graphviz");
    let folder = scratch();
    for case in cases("picture") {
        let pictures = pictures_of(&manifest(&case), direction(&case));
        let place = folder.path().join("graph.dot");
        fs::write(&place, &pictures.dot).unwrap();
        let drawn = Command::new("dot").arg("-Tsvg").arg(&place).output().unwrap();
        let messages = String::from_utf8_lossy(&drawn.stderr).into_owned();
        assert!(drawn.status.success() && messages.is_empty(), "{}: {messages}", case.display());
        let nodes = String::from_utf8_lossy(&drawn.stdout).matches("class=\"node\"").count();
        assert_eq!(nodes, pictures.svg.matches("class=\"N\"").count(), "{}", case.display());
    }
}
