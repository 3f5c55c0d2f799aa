//! Checks the dependencies of loggers in random manifests whose services share logs.
//!
//! `S6GEN_ORACLE_SEED` is the seed of the random manifests.

use std::collections::BTreeSet;

use s6gen::diagnostic::Files;
use s6gen::model::{Index, Layer, Node, Script};
use s6gen::{Compilation, compile};

use crate::oracle::{Random, number_from};

const MANIFESTS: u64 = 300;

fn compiled(manifest: &str) -> (Compilation, Vec<String>) {
    let mut files = Files::default();
    let file = files.add("services.toml", manifest);
    let compilation = compile(&files, file);
    let problems = compilation.problems.iter().map(|problem| problem.message.clone()).collect();
    (compilation, problems)
}

/// The manifest without its logs.
fn unlogged(manifest: &str) -> String {
    manifest.lines().filter(|line| !line.starts_with("log.")).map(|line| format!("{line}\n")).collect()
}

/// Services that wait only for earlier ones: directly, through bundles, or by `required-by`. Each logs to its own directory
/// or to one of `shared`.
fn manifest(number: u64, shared: &[&str], starts: &[&str]) -> String {
    let seed = number_from("S6GEN_ORACLE_SEED", 1);
    let random = &mut Random::new(seed.wrapping_mul(1_000_003).wrapping_add(number));
    let mut manifest = String::new();
    for number in 0..3 + random.below(12) {
        let mut earlier: Vec<String> = Vec::new();
        for other in 0..number {
            match random.below(8) {
                0 | 1 => earlier.push(format!("\"s{other}\"")),
                2 => earlier.push(format!("\"b{other}\"")),
                _ => {}
            }
        }
        let kind = if random.chance(30) { "oneshot" } else { "longrun" };
        manifest += &format!("[{kind}.s{number}]\nstart = \"{}\"\n", random.pick(starts));
        manifest += &format!("dependencies = [{}]\n", earlier.join(", "));
        let log = |random: &mut Random| match random.chance(60) {
            true => random.pick(shared).to_owned(),
            false => format!("/log/own-{number}"),
        };
        if kind == "longrun" {
            manifest += &format!("run = [\"run\"]\nlog.to = \"{}\"\n", log(random));
            if random.chance(30) {
                manifest += &format!("log.stderr = \"{}.err\"\n", log(random));
            }
        }
        let members: Vec<String> =
            (0..=number).filter(|_| random.chance(20)).map(|n| format!("\"s{n}\"")).collect();
        manifest += &format!("[bundle.b{number}]\ncontents = [{}]\n", members.join(", "));
    }
    manifest
}

/// Every logger with its producers.
fn loggers(index: &Index<'_>) -> Vec<(Node, Vec<Node>)> {
    let longrun = |node: Node| index.service(node).and_then(|service| service.longrun());
    let is_logger =
        |node: &Node| longrun(*node).is_some_and(|longrun| matches!(longrun.run, Script::Logger(_)));
    let loggers: Vec<Node> = index.nodes().filter(is_logger).collect();
    let producers = |logger: Node| {
        let services = index.nodes().filter(|node| longrun(*node).is_some() && !loggers.contains(node));
        services.filter(|node| index.dependencies(*node).contains(&logger)).collect()
    };
    loggers.iter().map(|logger| (*logger, producers(*logger))).collect()
}

#[test]
fn loggers_cause_no_dependency_cycle() {
    let mut sound = 0;
    for number in 0..MANIFESTS {
        // A service that starts at boot cannot wait for one that starts late, so some of these manifests are wrong even
        // without loggers.
        let text =
            manifest(number, &["/log/a", "/log/b", "/log/c"], &["boot", "boot", "boot", "early", "late"]);
        let (_, problems) = compiled(&text);
        let (_, without) = compiled(&unlogged(&text));
        assert_eq!(problems.is_empty(), without.is_empty(), "{problems:#?}\n{text}");
        sound += u64::from(problems.is_empty());
    }
    assert!(sound > MANIFESTS / 5, "only {sound} were sound");
}

#[test]
fn a_logger_waits_for_the_dependencies_of_its_producers_except_its_own_dependents() {
    let (mut waits, mut exceptions) = (0, 0);
    for number in 0..MANIFESTS {
        let text = manifest(number, &["/log/shared"], &["boot"]);
        let (compilation, problems) = compiled(&text);
        assert!(problems.is_empty(), "{problems:#?}\n{text}");
        let index = Index::new(&compilation.services);
        let loggers = loggers(&index);
        let is_logger = |node: Node| {
            index.layer(node) == Layer::Internal || loggers.iter().any(|(logger, _)| *logger == node)
        };
        for (logger, producers) in &loggers {
            let (logger, producers) = (*logger, producers);
            let before = index.closure([logger]);
            let needed: BTreeSet<Node> =
                producers.iter().flat_map(|producer| index.closure([*producer])).collect();
            for node in needed.into_iter().filter(|node| !is_logger(*node) && !producers.contains(node)) {
                let waits_for_logger = index.closure([node]).contains(&logger);
                let (name, other) = (index.name(logger), index.name(node));
                assert!(before.contains(&node) != waits_for_logger, "{name} and {other}:\n{text}");
                if waits_for_logger { exceptions += 1 } else { waits += 1 }
            }
        }
    }
    assert!(waits > 1000 && exceptions > 100, "only {waits} waits and {exceptions} exceptions");
}

#[test]
fn a_shared_logger_starts_no_service_that_would_not_start_without_it() {
    for number in 0..MANIFESTS {
        let text = manifest(number, &["/log/a", "/log/b"], &["boot", "on-demand"]);
        let started = [text.clone(), unlogged(&text)].map(|text| {
            let (compilation, problems) = compiled(&text);
            assert!(problems.is_empty(), "{problems:#?}\n{text}");
            let index = Index::new(&compilation.services);
            let top = index.find(&"top".into()).unwrap();
            let names = index.closure([top]).into_iter().map(|node| index.name(node).to_string());
            names.filter(|name| name.starts_with('s') && !name.contains('-')).collect::<BTreeSet<_>>()
        });
        assert_eq!(started[0], started[1], "{text}");
    }
}
