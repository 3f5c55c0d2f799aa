//! Shows one service as it is: its files with the key that each line comes from, what starts it, what it waits for, what waits
//! for it, and its limits.

mod limits;
mod origins;
mod text;

use std::collections::BTreeMap;

use super::compile::ManifestFile;
use super::templates::{Overrides, fill};
use crate::diagnostic::{Diagnostic, Files};
use crate::model::{Index, Kind, Name, Node, NodeKind, Service, ServiceRef, ServiceSet};
use crate::plan::{Awaited, OrderDirection, StartOrder};
use crate::render;

pub use origins::LineOrigin;
pub use text::{json, text};

use origins::Ablation;

/// One service as it is.
#[derive(Debug)]
pub struct ShownService<'a> {
    /// The service.
    pub service: &'a Service,
    /// Whether it starts at boot.
    pub is_at_boot: bool,
    /// The services that it waits for.
    pub waits: Vec<ShownWait>,
    /// The services that wait for it.
    pub waited_for: Vec<ShownWait>,
    /// The bundles that contain it.
    pub bundles: Vec<&'a Name>,
    /// The files of its definition, in byte order of their paths.
    pub files: Vec<ShownFile>,
}

/// A service that waits, or is waited for.
#[derive(Debug)]
pub struct ShownWait {
    /// Its name.
    pub name: Name,
    /// What the one that waits waits for.
    pub until: Awaited,
    /// Whether it is a logger or belongs to s6 itself.
    pub is_background: bool,
    /// The key in which this is written; s6-rc adds some by itself.
    pub from: Option<LineOrigin>,
}

/// A file of a definition.
#[derive(Debug)]
pub struct ShownFile {
    /// Its path in the definition.
    pub path: String,
    /// Whether it has the x bit.
    pub is_executable: bool,
    /// Its lines, each with the keys that it comes from. A line without one is the same in every definition of this kind.
    pub lines: Vec<(String, Vec<LineOrigin>)>,
}

/// Shows the service at `node` of a manifest.
///
/// # Errors
/// A template cannot be filled.
pub fn show<'a>(
    files: &Files,
    source: &ManifestFile,
    index: &Index<'a>,
    node: Node,
    overrides: &Overrides,
) -> Result<Option<ShownService<'a>>, Diagnostic> {
    let set: &'a ServiceSet = index.set();
    // The bundle of a pipeline is not a definition of its own.
    let Some(service) = index.service(node) else { return Ok(None) };
    fill(overrides, |templates| {
        let ablation = Ablation::new(files, source, service, templates);
        let (waits, waited_for, is_at_boot) = waits(index, node, ablation.as_ref());
        let mut rendered = render::definition_files(&[service], &set.target, templates)?;
        let origins = ablation.as_ref().map(Ablation::origins).unwrap_or_default();
        let rendered = rendered.remove(&service.name).unwrap_or_default();
        // An empty file keeps git from losing a directory.
        let rendered = rendered.iter().filter(|(path, _)| !path.ends_with("/.keep"));
        let shown = rendered.map(|(path, file)| {
            let text = String::from_utf8_lossy(&file.content);
            let mut from = origins.get(path).cloned().unwrap_or_default().into_iter();
            let lines = if text.is_empty() { vec![""] } else { text.lines().collect() };
            let lines = lines.iter().map(|line| ((*line).to_owned(), from.next().unwrap_or_default()));
            ShownFile { path: path.to_owned(), is_executable: file.executable, lines: lines.collect() }
        });
        let shown = shown.chain(named_files(service, ablation.as_ref()));
        let files: BTreeMap<String, ShownFile> = shown.map(|file| (file.path.clone(), file)).collect();
        let contains = |bundle: &Node| index.edges(*bundle).iter().any(|edge| edge.to == node);
        let bundles = index.nodes().filter(|node| index.kind(*node) == NodeKind::Bundle).filter(contains);
        let bundles = bundles.map(|bundle| index.name(bundle)).collect();
        let files = files.into_values().collect();
        Ok(Some(ShownService { service, is_at_boot, waits, waited_for, bundles, files }))
    })
}

/// The files that name other services, each name with the place where it is written.
fn named_files(service: &Service, ablation: Option<&Ablation<'_>>) -> Vec<ShownFile> {
    let line = |name: &ServiceRef, text: String| {
        let from = name.origin.and_then(|origin| ablation?.key_at(origin));
        (text, from.into_iter().collect())
    };
    let file = |path: String, lines: Vec<_>| ShownFile { path, is_executable: false, lines };
    let in_folder = |folder: &str, list: &[ServiceRef]| -> Vec<ShownFile> {
        list.iter()
            .map(|name| file(format!("{folder}/{}", name.name), vec![line(name, String::new())]))
            .collect()
    };
    let list = |path: &str, list: &[ServiceRef]| {
        let lines = list.iter().map(|name| line(name, name.name.to_string())).collect();
        (!list.is_empty()).then(|| file(path.to_owned(), lines))
    };
    match &service.kind {
        Kind::Bundle(bundle) => in_folder("contents.d", &bundle.contents),
        Kind::Longrun(longrun) => {
            let producer = list("producer-for", longrun.producer_for.as_deref().unwrap_or_default());
            let consumer = list("consumer-for", &longrun.consumer_for);
            let depends = in_folder("dependencies.d", &longrun.dependencies);
            producer.into_iter().chain(consumer).chain(depends).collect()
        }
        _ => in_folder("dependencies.d", service.dependencies()),
    }
}

/// What a service waits for, what waits for it, and whether it starts at boot.
fn waits(
    index: &Index<'_>,
    node: Node,
    ablation: Option<&Ablation<'_>>,
) -> (Vec<ShownWait>, Vec<ShownWait>, bool) {
    let order = StartOrder::new(index, &[], OrderDirection::Up);
    let position = order.services.iter().position(|service| service.node == node);
    let Some(position) = position else {
        let first = index.atomics(node).into_iter().next();
        let member = order.services.iter().find(|service| Some(service.node) == first);
        return (Vec::new(), Vec::new(), member.is_some_and(|member| order.is_at_boot(member)));
    };
    let own = &order.services[position];
    // A bundle stands for its members.
    let written = |from: Node, to: Node| {
        let edge = index.edges(from).iter().find(|edge| {
            edge.to == to || (index.kind(edge.to) == NodeKind::Bundle && index.atomics(edge.to).contains(&to))
        });
        edge.and_then(|edge| ablation?.key_at(edge.origin?))
    };
    let wait = |first: usize| {
        let first = &order.services[first];
        let from = written(node, first.node);
        ShownWait {
            name: order.name(first).clone(),
            until: order.awaited(first),
            is_background: order.is_background(first),
            from,
        }
    };
    let waiting = order.services.iter().filter(|other| other.after().any(|first| first == position));
    let waited_for = waiting.map(|other| ShownWait {
        name: order.name(other).clone(),
        until: order.awaited(own),
        is_background: order.is_background(other),
        from: written(other.node, node),
    });
    (own.after().map(wait).collect(), waited_for.collect(), order.is_at_boot(own))
}
