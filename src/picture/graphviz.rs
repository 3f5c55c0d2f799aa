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
    for (number, block) in scene.blocks.iter().enumerate() {
        let Some((name, _)) = &block.folder else {
            let _ = writeln!(out, "  {};", node(&scene.boxes[block.boxes[0]]));
            continue;
        };
        let _ = writeln!(out, "  subgraph cluster_{number} {{\n    label = {};", quoted(name));
        for one in &block.boxes {
            let _ = writeln!(out, "    {};", node(&scene.boxes[*one]));
        }
        out.push_str("  }\n");
    }
    for (wait, is_back) in
        scene.waits.iter().map(|wait| (wait, false)).chain(scene.back.iter().map(|wait| (wait, true)))
    {
        let mut attributes = vec![format!("label = {}", wait.until.word())];
        if wait.until == Awaited::Forked {
            attributes.push("style = dashed".into());
        }
        // Graphviz has no edges between clusters: they begin or end at a member, and are cut at the border.
        for (block, attribute) in [(wait.first, "ltail"), (wait.then, "lhead")] {
            if scene.blocks[block].folder.is_some() {
                attributes.push(format!("{attribute} = cluster_{block}"));
            }
        }
        if is_back {
            attributes.push("color = red, penwidth = 2".into());
        }
        let end = |block: usize| quoted(&scene.boxes[scene.blocks[block].boxes[0]].name);
        let _ = writeln!(out, "  {} -> {} [{}];", end(wait.first), end(wait.then), attributes.join(", "));
    }
    out.push_str("}\n");
    out
}

fn node(one: &SceneBox) -> String {
    let mut attributes = Vec::new();
    if one.kind == BoxKind::Oneshot {
        attributes.push("shape = cds");
    }
    if one.instances.is_some() {
        attributes.push("peripheries = 2");
    }
    match (one.kind, one.is_on_demand) {
        (BoxKind::Elsewhere, _) => attributes.push("style = dotted"),
        (_, true) => attributes.push("style = dashed"),
        (BoxKind::Longrun, false) => attributes.push("style = rounded"),
        _ => {}
    }
    let attributes =
        if attributes.is_empty() { String::new() } else { format!(" [{}]", attributes.join(", ")) };
    format!("{}{attributes}", quoted(&one.name))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}
