//! Finds services that start earlier than most should.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::diagnostic::{Confidence, Files, Fix, FixKind, Group, Lint, Origin, Severity};
use crate::model::{Index, Layer, Node, NodeKind};
use crate::validate::ImageContext;
use crate::validate::image_context::recorded_start;
use crate::validate::names::listed;
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "overlay::starts-early",
        level: Severity::Warning,
        confidence: Confidence::Likely,
        group: Group::Image,
        fix: FixKind::Unsafe,
        page: include_str!("starts_early.md"),
    },
    check: Check::Image(check),
};

fn check(subject: &Subject<'_>, image: &ImageContext<'_>, files: &Files, found: &mut Findings<'_>) {
    let index = &subject.index;
    let mut seen = BTreeSet::new();
    for (bundle, target, effect) in [
        ("user2", "legacy-services", "it is in `user2`, but starts at the same time as everything else"),
        ("user", "base", "it starts during the image's own initialisation, not after it"),
    ] {
        if !index.set().target.system.start_bundles().contains(&bundle) {
            continue;
        }
        let (Some(bundle), Some(goal)) = (index.find(&bundle.into()), index.find(&target.into())) else {
            continue;
        };
        for Chain { root, followers } in chains(index, bundle, goal, &mut seen) {
            if image.lower_layer_of(index, root, files).is_some() {
                // A lower layer decides that for itself, and for everything that waits only for it.
                continue;
            }
            let name = index.name(root);
            let mut problem =
                found.report(format!("`{name}` does not wait for `{target}`")).at(index.origin(root), effect);
            if !followers.is_empty() {
                let names = listed(followers.iter().map(|node| index.name(*node)));
                problem = problem.note(format!("the services that wait for it are as early: {names}"));
            }
            problem = problem.fix(added(index, root, target, files).map(Fix::likely));
            found.push(problem.help(format!(
                "add the dependency, unless the service must start early: `{}`",
                adding(index, root, target, files)
            )));
        }
    }
}

/// An early service that waits for no other early service, and the early services that wait for it.
struct Chain {
    root: Node,
    followers: BTreeSet<Node>,
}

/// The services that `bundle` starts and that do not wait for `goal`, as chains.
fn chains(index: &Index<'_>, bundle: Node, goal: Node, seen: &mut BTreeSet<Node>) -> Vec<Chain> {
    // `base` is a chain of its own, and this is its last service: a service that waits for this one waits for all of `base`.
    let last = match *index.name(goal) == *"base" {
        true => index.find(&"legacy-cont-init".into()).unwrap_or(goal),
        false => goal,
    };
    let mut dependents: BTreeMap<Node, Vec<Node>> = BTreeMap::new();
    // A service that waits for an unknown one may wait for `goal` through it, so it counts as waiting.
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
    // A service that members of `user2` depend on is early on purpose, so for `user2` only the members count.
    let started = match *index.name(goal) == *"base" {
        true => index.closure([bundle]),
        false => index.atomics(bundle),
    };
    // A member of `user2` that waits for everything in `user` is as late as people mean it to be.
    let user = match *index.name(goal) == *"base" {
        true => BTreeSet::new(),
        false => index.find(&"user".into()).map(|user| index.atomics(user)).unwrap_or_default(),
    };
    let waits_for_user = |node| !user.is_empty() && index.dependencies(node).is_superset(&user);
    let early: BTreeSet<Node> = started
        .into_iter()
        .filter(|node| index.kind(*node) != NodeKind::Bundle && index.layer(*node) == Layer::Ours)
        .filter(|node| {
            !waits_for_user(*node)
                && !waiting.contains(node)
                && !is_logger(index, *node)
                && !seen.contains(node)
        })
        .collect();
    seen.extend(early.iter().copied());
    // s6gen made some definitions from a manifest, which says when their services start.
    let roots = early.iter().filter(|node| {
        index.dependencies(**node).is_disjoint(&early) && recorded_start(index, **node).is_none()
    });
    let mut reported = BTreeSet::new();
    roots
        .map(|root| {
            let next = |node| {
                dependents.get(&node).into_iter().flatten().copied().filter(|node| early.contains(node))
            };
            let mut followers = reached(BTreeSet::from([*root]), next);
            followers.retain(|node| node != root && reported.insert(*node));
            Chain { root: *root, followers }
        })
        .collect()
}

/// The nodes of `known`, and every node that can be reached from them by `next`.
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

/// The change that makes a service wait for `target`.
fn added(index: &Index<'_>, node: Node, target: &str, files: &Files) -> Option<Fix> {
    let first = index.service(node).and_then(|service| service.dependencies().first()?.origin);
    match first.map(|origin| (origin, files.get(origin.file))) {
        Some((origin, list)) if list.path.ends_with("dependencies") => {
            let end = list.text.len();
            let newline = if list.text.ends_with(b"\n") { "" } else { "\n" };
            Some(Fix::replace(Origin::new(origin.file, end..end), format!("{newline}{target}\n")))
        }
        _ => Some(Fix::create(index.origin(node)?.file, format!("dependencies.d/{target}"), "")),
    }
}

/// Whether a service is a logger. Loggers may start early.
fn is_logger(index: &Index<'_>, node: Node) -> bool {
    index
        .service(node)
        .and_then(|service| service.longrun())
        .is_some_and(|longrun| !longrun.consumer_for.is_empty())
}
