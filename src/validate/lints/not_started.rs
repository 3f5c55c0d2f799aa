//! Finds services that nothing starts.

use std::collections::BTreeSet;
use std::path::Path;

use super::mentions::{mentions, texts as texts_of};
use crate::diagnostic::{Confidence, Files, FixKind, Group, Lint, Severity};
use crate::model::{Index, Layer, Node, NodeKind, StartKind};
use crate::validate::ImageContext;
use crate::validate::image_context::{is_start_bundle, recorded_start};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "overlay::not-started",
        level: Severity::Warning,
        confidence: Confidence::Likely,
        group: Group::Image,
        fix: FixKind::Without("it may be started on demand, or not be needed"),
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
            index.find(index.name(*node)) == Some(*node)
                && !is_start_bundle(index, *node)
                && !is_started(*node)
        })
        .collect();
    if idle.is_empty() {
        return;
    }
    let elsewhere = image.scripts.map(|read| read()).unwrap_or_default();
    let texts: Vec<&str> = index.set().context.texts().chain(elsewhere.iter().map(String::as_str)).collect();
    let own_texts = || index.set().services.iter().flat_map(texts_of);
    if texts.iter().copied().chain(own_texts()).any(starts_computed_names) {
        return;
    }
    let wanted: BTreeSet<Node> =
        idle.iter().flat_map(|node| index.edges(*node)).map(|edge| edge.to).collect();
    let markers = markers(index, image, files);
    for node in idle.into_iter().filter(|node| !wanted.contains(node)) {
        let (name, what) = (index.name(node), described(index, node));
        let is_empty = index.kind(node) == NodeKind::Bundle && index.atomics(node).is_empty();
        if is_empty
            || recorded_start(index, node) == Some(StartKind::WhenNeeded)
            || image.lower_layer_of(index, node, files).is_some()
            || is_started_by_a_script(index, node, &texts)
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

/// Whether a script or a Dockerfile names the service and also starts services, or edits the definitions before they are
/// compiled.
fn is_started_by_a_script(index: &Index<'_>, node: Node, elsewhere: &[&str]) -> bool {
    let Ok(name) = str::from_utf8(index.name(node).as_bytes()) else { return false };
    let names_it = |text: &str| mentions(text, name) && changes_what_runs(text);
    let mut others = index.set().services.iter().filter(|service| service.name != *index.name(node));
    let path = format!("/{name}/run");
    others.any(|service| texts_of(service).any(names_it))
        || elsewhere.iter().any(|text| names_it(text) || lines(text).any(|line| is_main(line, &path)))
}

/// Whether a line of a Dockerfile makes `path` the program of the container.
fn is_main(line: &str, path: &str) -> bool {
    (line.starts_with("CMD") || line.starts_with("ENTRYPOINT")) && line.contains(path)
}

fn changes_what_runs(text: &str) -> bool {
    lines(text).any(|line| {
        let mut words = words(line);
        let is_starter = |word: &str| matches!(word.rsplit('/').next(), Some("s6-rc" | "s6gen"));
        (words.any(is_starter) && words.any(is_change))
            || words_have(line, "s6-svc")
            || line.contains("/contents.d")
            || line.contains("/dependencies.d/")
    })
}

/// Whether a script starts services whose names it computes. It may start any of them.
fn starts_computed_names(text: &str) -> bool {
    if !text.contains("contents.d") && !text.contains("s6-rc") {
        return false;
    }
    let is_variable = |text: &str| text.trim_start_matches(['"', '\'']).starts_with(['$', '{', '`', '*']);
    lines(text).any(|line| {
        let added =
            line.split("/contents.d").skip(1).any(|rest| rest.strip_prefix('/').is_some_and(is_variable));
        // The directory is in a variable, and the names come later.
        let kept = line.split_once('=').is_some_and(|(_, value)| {
            value.trim_end().trim_end_matches(['"', '\'', '/', ';']).ends_with("/contents.d")
        });
        let mut words = line.split_whitespace();
        let calls = words.any(|word| word.trim_matches(['"', '\'', '`', '(', '$']).ends_with("s6-rc"));
        let started = calls && words.any(is_change) && words.next().is_some_and(is_variable);
        added || kept || started
    })
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim_start).filter(|line| !line.starts_with('#'))
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| c.is_whitespace() || ";|&(){}\"'`$".contains(c))
}

fn words_have(line: &str, program: &str) -> bool {
    words(line).any(|word| word.rsplit('/').next() == Some(program))
}

fn is_change(word: &str) -> bool {
    matches!(word, "change" | "start")
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
