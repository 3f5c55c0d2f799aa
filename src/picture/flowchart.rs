//! The graph for Mermaid, which GitHub and GitLab draw in Markdown.

use std::fmt::Write;

use super::boxes::{BoxKind, SceneBox};
use super::scene::{Scene, SceneWait};
use super::text::wrap;
use crate::plan::Awaited;

/// The number of cells of a line in the legend.
const MOST_CELLS: usize = 50;

/// The graph as a flow chart.
pub(super) fn flowchart(scene: &Scene) -> String {
    let mut out = String::from("flowchart LR\n");
    let numbered = scene.numbered();
    for (number, block) in scene.blocks.iter().enumerate() {
        let Some((name, _)) = &block.folder else {
            let one = block.boxes[0];
            let _ = writeln!(out, "  {}", node(&format!("b{number}"), one, scene, &numbered));
            continue;
        };
        let _ = writeln!(out, "  subgraph b{number}[\"{}\"]\n    direction TB", quoted(name));
        for one in &block.boxes {
            let _ = writeln!(out, "    {}", node(&format!("b{number}_{one}"), *one, scene, &numbered));
        }
        out.push_str("  end\n");
    }
    let cycle = scene.cycle_edges();
    let mut in_cycle = Vec::new();
    for (number, wait) in scene.waits.iter().chain(&scene.back).enumerate() {
        let _ = writeln!(out, "  {}", edge(scene, wait));
        if cycle.contains(&(wait.first, wait.then)) {
            in_cycle.push(number.to_string());
        }
    }
    if !in_cycle.is_empty() {
        let _ = writeln!(out, "  linkStyle {} stroke:#b3201b,stroke-width:3px", in_cycle.join(","));
    }
    out.push_str(&legend(scene));
    let is_used = |class: &str| out.contains(&format!(":::{class}"));
    let classes = [("demand", "stroke-dasharray:5 3"), ("cycle", "stroke:#b3201b,stroke-width:3px")];
    let used: Vec<String> = classes
        .iter()
        .filter(|(class, _)| is_used(class))
        .map(|(class, style)| format!("  classDef {class} {style}\n"))
        .collect();
    out + &used.concat()
}

/// A flow chart that says why there is none.
pub(super) fn too_large() -> String {
    "flowchart LR\n  note[\"too many services for one picture: name one, as in s6gen graph NAME\"]\n".into()
}

fn node(id: &str, one: usize, scene: &Scene, numbered: &[usize]) -> String {
    let is_in_cycle = numbered.contains(&one);
    let one = &scene.boxes[one];
    let (left, right) = match (one.kind, one.instances.is_some()) {
        (_, true) => ("[[", "]]"),
        (BoxKind::Longrun, false) => ("(", ")"),
        (BoxKind::Oneshot, false) => ("{{", "}}"),
        (BoxKind::Elsewhere, false) => ("[/", "/]"),
    };
    let class = match (is_in_cycle, one.is_on_demand) {
        (true, _) => ":::cycle",
        (false, true) => ":::demand",
        (false, false) => "",
    };
    format!("{id}{left}\"{}\"{right}{class}", label(one))
}

/// A text that says what is last, and the meaning of the shapes that occur. Mermaid has no legends, and draws a text without a border below the rest.
fn legend(scene: &Scene) -> String {
    let has = |is_so: fn(&SceneBox) -> bool| scene.boxes.iter().any(is_so);
    let has_one = |kind| scene.boxes.iter().any(|one| one.instances.is_none() && one.kind == kind);
    let waits = |until| scene.waits.iter().chain(&scene.back).any(|wait| wait.until == until);
    let meanings = [
        (has_one(BoxKind::Longrun), "round corners: longrun"),
        (has_one(BoxKind::Oneshot), "six corners: oneshot"),
        (has_one(BoxKind::Elsewhere), "slanted sides: defined<br/>by s6 or another layer"),
        (has(|one| one.instances.is_some()), "double sides: template"),
        (has(|one| one.is_on_demand), "dashed border: on demand"),
        (waits(Awaited::Forked), "dotted line: waits only until<br/>the process exists"),
    ];
    let used: Vec<&str> = meanings.iter().filter(|(is_used, _)| *is_used).map(|(_, words)| *words).collect();
    let last = scene.last().map(|sentence| wrap(&sentence, MOST_CELLS)).unwrap_or_default();
    let lines: Vec<String> =
        last.iter().map(|line| quoted(line)).chain(used.into_iter().map(str::to_owned)).collect();
    match lines.is_empty() {
        true => String::new(),
        false => format!("  legend[\"{}\"]\n  style legend fill:none,stroke:none\n", lines.join("<br/>")),
    }
}

/// The name with what the marks of a drawn graph say.
fn label(one: &SceneBox) -> String {
    let mut label = quoted(&one.name);
    if one.has_condition {
        label.push_str("<br/>only-if");
    }
    if one.stops_container {
        label.push_str("<br/>stop-container");
    }
    label
}

fn edge(scene: &Scene, wait: &SceneWait) -> String {
    // Mermaid fills its circles, as those of a service that is up, and has no empty ones.
    let tip = if wait.until == Awaited::Up { "o" } else { ">" };
    // A link that is as long as the number of waves keeps each service in the column of its wave.
    let (first, then) = (&scene.blocks[wait.first], &scene.blocks[wait.then]);
    let length = then.wave.saturating_sub(first.wave).max(1);
    let arrow = match wait.until {
        Awaited::Forked => format!("-{}-{tip}", ".".repeat(length)),
        _ => format!("-{}{tip}", "-".repeat(length)),
    };
    let word = if wait.until == Awaited::Forked { "started" } else { wait.until.word() };
    let end = match wait.member {
        Some(member) => format!("b{}_{}", wait.then, scene.blocks[wait.then].boxes[member]),
        None => format!("b{}", wait.then),
    };
    format!("b{} {arrow}|{word}| {end}", wait.first)
}

/// A text between quotation marks. Everything that could mean something to Mermaid or to HTML is written as a number.
fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() || !character.is_ascii() || " -_.:,".contains(character) {
            quoted.push(character);
        } else {
            let _ = write!(quoted, "#{};", u32::from(character));
        }
    }
    quoted
}
