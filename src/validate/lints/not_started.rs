//! Finds services that nothing starts.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::path::Path;

use crate::diagnostic::{Confidence, Files, Lint, Severity};
use super::mentions::{mentions, texts};
use crate::model::{Index, Layer, StartKind, Node, NodeKind};
use crate::validate::ImageContext;
use crate::validate::image_context::{is_start_bundle, recorded_start};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "overlay::not-started",
        level: Severity::Warning,
        confidence: Confidence::Likely,
        has_fix: false,
        page: include_str!("not_started.md"),
    },
    check: Check::Image(check),
};

fn check(subject: &Subject<'_>, image: &ImageContext<'_>, files: &Files, found: &mut Findings<'_>) {
    let index = &subject.index;
    let Some(top) = index.find(&"top".into()) else { return };
    let started = index.closure([top]);
    // A bundle counts as started if its members are.
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
            index.find(index.name(*node)) == Some(*node) && !is_start_bundle(index, *node) && !is_started(*node)
        })
        .collect();
    let wanted: BTreeSet<Node> =
        idle.iter().flat_map(|node| index.edges(*node)).map(|edge| edge.to).collect();
    let markers = markers(index, image, files);
    let scripts = OnceCell::new();
    for node in idle.into_iter().filter(|node| !wanted.contains(node)) {
        let (name, what) = (index.name(node), described(index, node));
        let is_empty = index.kind(node) == NodeKind::Bundle && index.atomics(node).is_empty();
        if is_empty
            || recorded_start(index, node) == Some(StartKind::WhenNeeded)
            || image.lower_layer_of(index, node, files).is_some()
            || is_started_by_a_script(index, node, image, &scripts)
        {
            continue;
        }
        found.push(
            found.report(format!("nothing starts {what} `{name}`"))
                .at(index.origin(node), "it is in neither `user` nor `user2`, and nothing that starts needs it")
                .help(format!(
                    "to start it at boot: `touch {markers}/{name}`; if you start it with `s6-rc start {name}`, leave it"
                )),
        );
    }
}

/// Whether a script names the service and also starts services by s6-rc, or edits the definitions before they are compiled.
fn is_started_by_a_script(
    index: &Index<'_>,
    node: Node,
    image: &ImageContext<'_>,
    elsewhere: &OnceCell<Vec<String>>,
) -> bool {
    let Ok(name) = str::from_utf8(index.name(node).as_bytes()) else { return false };
    let names_it = |text: &str| mentions(text, name) && changes_what_runs(text);
    let mut others = index.set().services.iter().filter(|service| service.name != *index.name(node));
    others.any(|service| texts(service).any(names_it))
        || elsewhere
            .get_or_init(|| image.scripts.map(|read| read()).unwrap_or_default())
            .iter()
            .any(|text| names_it(text))
}

fn changes_what_runs(text: &str) -> bool {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let is_change = |word: &str| matches!(word, "change" | "start");
    lines.into_iter().any(|line| {
        let mut words = line.split(|c: char| c.is_whitespace() || ";|&(){}\"'`$".contains(c));
        let calls = words.any(|word| matches!(word.rsplit('/').next(), Some("s6-rc" | "s6gen")));
        (calls && words.any(is_change)) || line.contains("/contents.d/") || line.contains("/dependencies.d/")
    })
}

/// The directory for markers: an empty file with the name of a service adds it to the bundle `user`.
fn markers(index: &Index<'_>, image: &ImageContext<'_>, files: &Files) -> String {
    let shipped = index.set().target.system.start_markers().unwrap_or("user/contents.d");
    let Some(user) = index.find(&"user".into()).filter(|user| index.layer(*user) != Layer::Overlay) else {
        return shipped.to_owned();
    };
    if let Some((lower, path)) = image.lower_layer_of(index, user, files) {
        // The lower layer has the bundle. The marker goes to the same path in this tree.
        let definition = path.strip_prefix(lower).ok().and_then(Path::parent);
        return match (image.upper, definition) {
            (Some(upper), Some(definition)) => {
                upper.join(definition).join("contents.d").display().to_string()
            }
            _ => shipped.to_owned(),
        };
    }
    match index.origin(user).and_then(|origin| files.path(origin.file).parent()) {
        Some(definition) => definition.join("contents.d").display().to_string(),
        None => shipped.to_owned(),
    }
}

fn described(index: &Index<'_>, node: Node) -> &'static str {
    match index.kind(node) {
        NodeKind::Longrun => "longrun",
        NodeKind::Oneshot => "oneshot",
        NodeKind::Bundle => "bundle",
        NodeKind::Unknown => "service",
    }
}
