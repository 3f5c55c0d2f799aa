//! Services that start earlier than most should.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::diagnostic::{Confidence, Files, Lint, Severity};
use crate::model::{Index, Layer, Node, NodeKind};
use crate::validate::Around;
use crate::validate::around::made;
use crate::validate::names::listed;
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "overlay::starts-early",
        level: Severity::Warning,
        confidence: Confidence::Likely,
        has_fix: false,
        page: include_str!("starts_early.md"),
    },
    check: Check::Image(check),
};

fn check(subject: &Subject<'_>, around: &Around<'_>, files: &Files, found: &mut Findings<'_>) {
    let index = &subject.index;
    let mut seen = BTreeSet::new();
    for (bundle, target, effect) in [
        ("user2", "legacy-services", "it is in `user2`, but starts beside everything else"),
        ("user", "base", "it starts beside the image's own initialisation, not after it"),
    ] {
        if !index.set().target.system.start_bundles().contains(&bundle) {
            continue;
        }
        let (Some(bundle), Some(goal)) = (index.find(&bundle.into()), index.find(&target.into())) else {
            continue;
        };
        let (mut below, mut behind) = (Vec::new(), 0);
        for Chain { root, followers } in chains(index, bundle, goal, &mut seen) {
            if around.below(index, root, files).is_some() {
                below.push(index.name(root));
                behind += followers.len();
                continue;
            }
            let name = index.name(root);
            let mut problem =
                found.report(format!("`{name}` does not wait for `{target}`"))
                    .at(index.origin(root), effect);
            if !followers.is_empty() {
                let names = listed(followers.iter().map(|node| index.name(*node)));
                problem = problem.note(format!("what waits for it is as early: {names}"));
            }
            found.push(problem.help(format!(
                "add the dependency, unless it is meant to be early: `{}`",
                adding(index, root, target, files)
            )));
        }
        if !below.is_empty() {
            let (them, wait) = if below.len() == 1 { ("it", "does") } else { ("them", "do") };
            let behind = match behind {
                0 => String::new(),
                1 => format!(", nor does the service that waits for {them}"),
                _ => format!(", nor do the {behind} services that wait for {them}"),
            };
            let message =
                format!("of the layers below, {} {wait} not wait for `{target}`{behind}", listed(below));
            found.push(found.report(message));
        }
    }
}

/// A service that waits for nothing of its own, and what waits for it.
struct Chain {
    root: Node,
    followers: BTreeSet<Node>,
}

/// Everything that `bundle` starts and that does not wait for `goal`, by what it begins with.
fn chains(index: &Index<'_>, bundle: Node, goal: Node, seen: &mut BTreeSet<Node>) -> Vec<Chain> {
    // The last of a chain is enough: what waits for all of `base` waits for this.
    let last = match *index.name(goal) == *"base" {
        true => index.find(&"legacy-cont-init".into()).unwrap_or(goal),
        false => goal,
    };
    let mut dependents: BTreeMap<Node, Vec<Node>> = BTreeMap::new();
    // Of what waits for something unknown nobody can tell.
    let mut waiting = index.atomics(last);
    for node in index.nodes() {
        match index.kind(node) {
            NodeKind::Bundle => continue,
            NodeKind::Unknown => waiting.extend([node]),
            _ => {}
        }
        for needed in index.dependencies(node) {
            dependents.entry(needed).or_default().push(node);
        }
    }
    let waiting = reached(waiting, |node| dependents.get(&node).into_iter().flatten().copied());
    // What members of `user2` need is early on purpose: it may be in `user` as well.
    let started = match *index.name(goal) == *"base" {
        true => index.closure([bundle]),
        false => index.atomics(bundle),
    };
    let early: BTreeSet<Node> = started
        .into_iter()
        .filter(|node| index.kind(*node) != NodeKind::Bundle && index.layer(*node) == Layer::Ours)
        .filter(|node| !waiting.contains(node) && !is_logger(index, *node) && !seen.contains(node))
        .collect();
    seen.extend(early.iter().copied());
    // A manifest says when its services start.
    let roots = early
        .iter()
        .filter(|node| index.dependencies(**node).is_disjoint(&early) && made(index, **node).is_none());
    let mut told = BTreeSet::new();
    roots
        .map(|root| {
            let next = |node| {
                dependents.get(&node).into_iter().flatten().copied().filter(|node| early.contains(node))
            };
            let mut followers = reached(BTreeSet::from([*root]), next);
            followers.retain(|node| node != root && told.insert(*node));
            Chain { root: *root, followers }
        })
        .collect()
}

/// Everything that `next` leads to, from `known` on.
fn reached<I: Iterator<Item = Node>>(mut known: BTreeSet<Node>, next: impl Fn(Node) -> I) -> BTreeSet<Node> {
    let mut todo: Vec<Node> = known.iter().copied().collect();
    while let Some(node) = todo.pop() {
        todo.extend(next(node).filter(|node| known.insert(*node)));
    }
    known
}

/// The command that makes a service wait for `target`.
fn adding(index: &Index<'_>, node: Node, target: &str, files: &Files) -> String {
    let first = index.service(node).and_then(|service| service.dependencies().first()?.origin);
    if let Some(list) =
        first.map(|origin| files.path(origin.file)).filter(|path| path.ends_with("dependencies"))
    {
        return format!("echo {target} >> {}", list.display());
    }
    let definition = index.origin(node).and_then(|origin| files.path(origin.file).parent());
    let list = definition.unwrap_or(Path::new(".")).join("dependencies.d");
    match first {
        Some(_) => format!("touch {}/{target}", list.display()),
        None => format!("mkdir -p {list} && touch {list}/{target}", list = list.display()),
    }
}

/// Loggers may start before everything else, as long as they have what they need.
fn is_logger(index: &Index<'_>, node: Node) -> bool {
    index
        .service(node)
        .and_then(|service| service.longrun())
        .is_some_and(|longrun| !longrun.consumer_for.is_empty())
}
