use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::diagnostic::{Code, Diagnostic, Files, Problems};
use crate::model::{Index, Layer, Node, NodeKind};

/// Everything that is defined is started by something. Of what belongs together only the outermost is reported.
pub(super) fn reaches_everything(index: &Index<'_>, files: &Files, problems: &mut Problems) {
    let Some(top) = index.find(&"top".into()) else { return };
    let started = index.closure([top]);
    // A bundle is started with its members.
    let is_started = |node: Node| match index.kind(node) {
        NodeKind::Bundle => {
            let members = index.atomics(node);
            !members.is_empty() && members.iter().all(|member| started.contains(member))
        }
        _ => started.contains(&node),
    };
    let idle: Vec<Node> = index
        .nodes()
        .filter(|node| index.layer(*node) == Layer::Ours && index.service(*node).is_some())
        .filter(|node| {
            index.find(index.name(*node)) == Some(*node) && !is_start(index, *node) && !is_started(*node)
        })
        .collect();
    let wanted: BTreeSet<Node> =
        idle.iter().flat_map(|node| index.edges(*node)).map(|edge| edge.to).collect();
    let markers = markers(index, files);
    for node in idle.into_iter().filter(|node| !wanted.contains(node)) {
        let (name, what) = (index.name(node), described(index, node));
        if index.kind(node) == NodeKind::Bundle && index.atomics(node).is_empty() {
            continue;
        }
        problems.push(
            Diagnostic::new(Code::NotStarted, format!("nothing starts {what} `{name}`"))
                .at(index.origin(node), "it is in neither `user` nor `user2`, and nothing that starts needs it")
                .help(format!(
                    "to start it at boot: `touch {markers}/{name}`; leave it if it is started with `s6-rc start {name}`"
                )),
        );
    }
}

/// What is in `user` waits for `base`, and what is in `user2` for `legacy-services`.
pub(super) fn waits_for_the_image(index: &Index<'_>, files: &Files, problems: &mut Problems) {
    let mut dependents: BTreeMap<Node, Vec<Node>> = BTreeMap::new();
    let mut unknown = Vec::new();
    for node in index.nodes() {
        match index.kind(node) {
            NodeKind::Bundle => continue,
            NodeKind::Unknown => unknown.push(node),
            _ => {}
        }
        for needed in index.dependencies(node) {
            dependents.entry(needed).or_default().push(node);
        }
    }
    // Of what waits for something unknown nobody can tell.
    let waiting_for = |targets: BTreeSet<Node>| {
        let mut waiting: BTreeSet<Node> = targets.into_iter().chain(unknown.iter().copied()).collect();
        let mut todo: Vec<Node> = waiting.iter().copied().collect();
        while let Some(node) = todo.pop() {
            let new = dependents.get(&node).into_iter().flatten().copied();
            todo.extend(new.filter(|node| waiting.insert(*node)));
        }
        waiting
    };
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
        // The last of a chain is enough: what waits for all of `base` waits for this.
        let last =
            if target == "base" { index.find(&"legacy-cont-init".into()).unwrap_or(goal) } else { goal };
        let waiting = waiting_for(index.atomics(last));
        for node in index.atomics(bundle) {
            let is_ours = index.layer(node) == Layer::Ours && !waiting.contains(&node);
            if !is_ours || is_logger(index, node) || !seen.insert(node) {
                continue;
            }
            let name = index.name(node);
            problems.push(
                Diagnostic::new(Code::StartsEarly, format!("`{name}` does not wait for `{target}`"))
                    .at(index.origin(node), effect)
                    .help(format!(
                        "add the dependency, unless it is meant to be early: `{}`",
                        adding(index, node, target, files)
                    )),
            );
        }
    }
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

/// The directory of markers for `user`.
fn markers(index: &Index<'_>, files: &Files) -> String {
    let user = index.find(&"user".into());
    let is_shipped = user.is_some_and(|user| index.layer(user) == Layer::Overlay);
    let origin = user.and_then(|user| index.origin(user)).filter(|_| !is_shipped);
    match (
        origin.and_then(|origin| files.path(origin.file).parent()),
        index.set().target.system.start_markers(),
    ) {
        (Some(definition), _) => definition.join("contents.d").display().to_string(),
        (None, markers) => markers.unwrap_or("user/contents.d").to_owned(),
    }
}

fn is_start(index: &Index<'_>, node: Node) -> bool {
    index.set().target.system.start_bundles().iter().any(|bundle| *index.name(node) == **bundle)
}

/// Loggers may start before everything else, as long as they have what they need.
fn is_logger(index: &Index<'_>, node: Node) -> bool {
    index
        .service(node)
        .and_then(|service| service.longrun())
        .is_some_and(|longrun| !longrun.consumer_for.is_empty())
}

fn described(index: &Index<'_>, node: Node) -> &'static str {
    match index.kind(node) {
        NodeKind::Longrun => "longrun",
        NodeKind::Oneshot => "oneshot",
        NodeKind::Bundle => "bundle",
        NodeKind::Unknown => "service",
    }
}
