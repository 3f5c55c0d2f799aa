//! The graph for Graphviz. An arrow leads from a service to each one that waits for it.

use std::fmt::Write;

use super::boxes::{BoxKind, SceneBox};
use super::scene::Scene;
use crate::plan::Awaited;

/// The graph for Graphviz.
pub(super) fn digraph(scene: &Scene) -> String {
    let mut out = String::from(
        "digraph services {\n  rankdir = LR;\n  compound = true;\n  node [shape = box, fontname = \"monospace\"];\n",
    );
    let mut is_in_cycle = vec![false; scene.boxes.len()];
    scene.numbered().into_iter().for_each(|one| is_in_cycle[one] = true);
    let node = |one: usize| node(&scene.boxes[one], is_in_cycle[one]);
    for (number, block) in scene.blocks.iter().enumerate() {
        let Some((name, _)) = &block.folder else {
            let _ = writeln!(out, "  b{number} {};", node(block.boxes[0]));
            continue;
        };
        let _ = writeln!(out, "  subgraph cluster_{number} {{\n    label = {};", quoted(name));
        for one in &block.boxes {
            let _ = writeln!(out, "    b{number}_{one} {};", node(*one));
        }
        out.push_str("  }\n");
    }
    let circle = scene.cycle_edges();
    for wait in scene.waits.iter().chain(&scene.back) {
        let mut attributes = vec![format!("label = {}", wait.until.word())];
        if wait.until == Awaited::Forked {
            attributes.push("style = dashed".into());
        }
        // Graphviz has no edges between clusters: they begin or end at a member, and are cut at the border.
        let mut end = |block: usize, member: Option<usize>, attribute: &str| {
            let boxes = &scene.blocks[block].boxes;
            if scene.blocks[block].folder.is_none() {
                return format!("b{block}");
            }
            if member.is_none() {
                attributes.push(format!("{attribute} = cluster_{block}"));
            }
            format!("b{block}_{}", boxes[member.unwrap_or(0)])
        };
        let (first, then) = (end(wait.first, None, "ltail"), end(wait.then, wait.member, "lhead"));
        if circle.contains(&(wait.first, wait.then)) {
            attributes.push("color = red, penwidth = 2".into());
        }
        let _ = writeln!(out, "  {first} -> {then} [{}];", attributes.join(", "));
    }
    out.push_str("}\n");
    out
}

fn node(one: &SceneBox, is_in_cycle: bool) -> String {
    let mut label = one.name.clone();
    let marks = [
        (one.has_condition, "only-if"),
        (one.stops_container, "stop-container"),
        (one.has_logger, "has a logger"),
    ];
    for (_, words) in marks.into_iter().filter(|(is_set, _)| *is_set) {
        label.push('\n');
        label.push_str(words);
    }
    let mut attributes = vec![format!("label = {}", quoted(&label))];
    let mut add = |attribute: &str| attributes.push(attribute.to_owned());
    if one.kind == BoxKind::Oneshot {
        add("shape = cds");
    }
    if one.instances.is_some() {
        add("peripheries = 2");
    }
    match (one.kind, one.is_on_demand) {
        (BoxKind::Elsewhere, _) => add("style = dotted"),
        (_, true) => add("style = dashed"),
        (BoxKind::Longrun, false) => add("style = rounded"),
        _ => {}
    }
    if is_in_cycle {
        add("color = red, penwidth = 2");
    }
    format!("[{}]", attributes.join(", "))
}

/// A text between quotation marks, in which Graphviz sees neither escapes nor entities of HTML.
fn quoted(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{text}\"")
}
