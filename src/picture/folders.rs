//! Puts the members of a bundle into a folder where one line can stand for all of them: they start in one wave, and the same
//! waits for them.

use std::collections::{BTreeMap, BTreeSet};

use super::boxes::SceneBox;
use super::view::View;
use crate::model::{Index, Kind, Layer, Members, Node, NodeKind, Service, printable};
use crate::plan::{StartOrder, steps};

/// One box, the folder of a bundle, or several steps in turn, at which lines begin and end.
#[derive(Debug, Clone)]
pub struct SceneBlock {
    /// The boxes.
    pub boxes: Vec<usize>,
    /// The name of the bundle, and what the user wrote about it.
    pub folder: Option<(String, Option<String>)>,
    /// The number of its wave, from 1. Of steps in turn it is that of the first one.
    pub wave: usize,
    /// The number of its column, from 0.
    pub column: usize,
    /// Whether it cannot start, because it is in a dependency cycle or waits for one.
    pub is_never: bool,
}

impl SceneBlock {
    /// Whether its boxes are steps in turn: each waits for the one before, and for nothing else.
    pub fn is_in_turn(&self) -> bool {
        self.folder.is_none() && self.boxes.len() > 1
    }
}

/// The blocks, the block of each box, and the bundles that are no folders, each with its members.
type Folders = (Vec<SceneBlock>, Vec<usize>, Vec<(String, Vec<String>)>);

/// Makes the blocks of `boxes`: folders for bundles that a service waits for, and one block for each other box.
pub(super) fn folders(
    order: &StartOrder<'_>,
    boxes: &[SceneBox],
    waits: &[Vec<usize>],
    in_cycle: &[bool],
    view: View<'_>,
) -> Folders {
    let index = order.index;
    let mut waiting = vec![Vec::new(); boxes.len()];
    for (then, firsts) in waits.iter().enumerate() {
        firsts.iter().for_each(|first| waiting[*first].push(then));
    }
    let mut box_of = BTreeMap::new();
    for (number, one) in boxes.iter().enumerate() {
        box_of.extend(one.services.iter().map(|service| (order.services[*service].node, number)));
    }
    let waves = steps(waits);
    // What waits for a cycle cannot start, and the others in its wave may.
    let has_cycle = in_cycle.contains(&true);
    let mut members = Members::new(index);
    let mut folder_of: Vec<Option<Node>> = vec![None; boxes.len()];
    let mut done = BTreeSet::new();
    for bundle in named_bundles(order, boxes) {
        let atomics = members.of(bundle);
        let inside: BTreeSet<usize> = atomics.iter().filter_map(|node| box_of.get(node).copied()).collect();
        let Some(first) = inside.first().copied().filter(|_| inside.len() > 1) else { continue };
        let is_complete = atomics.iter().all(|node| box_of.contains_key(node));
        let fits = |number: usize| {
            folder_of[number].is_none()
                && !in_cycle[number]
                && waves[number] == waves[first]
                && (!has_cycle || waits[number] == waits[first])
                && waiting[number] == waiting[first]
                && boxes[number].is_on_demand == boxes[first].is_on_demand
        };
        if is_complete && inside.iter().all(|number| fits(*number)) {
            inside.iter().for_each(|number| folder_of[*number] = Some(bundle));
            done.insert(bundle);
        }
    }
    let mut blocks: Vec<SceneBlock> = Vec::new();
    let mut block_of = vec![0; boxes.len()];
    let mut block_of_folder = BTreeMap::new();
    for (number, folder) in folder_of.iter().enumerate() {
        let known = folder.and_then(|folder| block_of_folder.get(&folder).copied());
        block_of[number] = known.unwrap_or(blocks.len());
        if let Some(block) = known {
            blocks[block].boxes.push(number);
            continue;
        }
        if let Some(folder) = folder {
            block_of_folder.insert(*folder, blocks.len());
        }
        let named = |node: &Node| {
            let about = index.service(*node).and_then(|service| service.description.as_deref());
            (index.name(*node).to_string(), about.map(|text| printable(text).into_owned()))
        };
        blocks.push(SceneBlock {
            boxes: vec![number],
            folder: folder.as_ref().map(named),
            wave: 1,
            column: 0,
            is_never: false,
        });
    }
    let bundles = if view.names.is_empty() { other_bundles(index, boxes, &done) } else { Vec::new() };
    (blocks, block_of, bundles)
}

/// The bundles that services of the graph wait for, in the order of their definitions.
fn named_bundles(order: &StartOrder<'_>, boxes: &[SceneBox]) -> BTreeSet<Node> {
    let services = boxes.iter().flat_map(|one| &one.services).map(|service| order.services[*service].node);
    let edges = services.flat_map(|node| order.index.edges(node));
    let is_bundle =
        |node: &Node| order.index.kind(*node) == NodeKind::Bundle && order.index.layer(*node) == Layer::Ours;
    edges.map(|edge| edge.to).filter(is_bundle).collect()
}

/// The bundles of the manifest or tree that are not drawn as a folder or as a template.
fn other_bundles(
    index: &Index<'_>,
    boxes: &[SceneBox],
    drawn: &BTreeSet<Node>,
) -> Vec<(String, Vec<String>)> {
    let templates: BTreeSet<Node> = boxes.iter().filter_map(|one| one.template).collect();
    let bundles = index.nodes().filter_map(|node| {
        let service: &Service = index.service(node)?;
        let Kind::Bundle(bundle) = &service.kind else { return None };
        // `default` has everything that starts at boot, which the picture shows.
        let is_told = drawn.contains(&node) || templates.contains(&node) || service.name == *"default";
        let is_ours = service.layer == Layer::Ours;
        let members = bundle.contents.iter().map(|member| member.name.to_string()).collect();
        (is_ours && !is_told).then(|| (service.name.to_string(), members))
    });
    let mut bundles: Vec<(String, Vec<String>)> = bundles.collect();
    bundles.sort();
    bundles
}
