//! Stacks services that start one after the other in one column: a long chain of steps is not too large for a picture.

use super::folders::SceneBlock;
use super::scene::Scene;
use crate::plan::steps;

/// The largest number of steps in one column.
const MOST: usize = 12;

/// The same graph with fewer columns. `None` if nothing in it is one after the other.
pub(super) fn in_turn(scene: &Scene) -> Option<Scene> {
    if !scene.cycle.is_empty() {
        return None;
    }
    let count = scene.blocks.len();
    let (mut before, mut after) = (vec![Vec::new(); count], vec![Vec::new(); count]);
    for wait in &scene.waits {
        before[wait.then].push(wait.first);
        after[wait.first].push(wait.then);
    }
    let next = |block: usize| {
        let [then] = after[block][..] else { return None };
        let is_one = |block: usize| scene.blocks[block].folder.is_none();
        let is_same_lane = scene.is_at_boot(&scene.blocks[block]) == scene.is_at_boot(&scene.blocks[then]);
        (before[then].len() == 1 && is_one(block) && is_one(then) && is_same_lane).then_some(then)
    };
    let mut is_next = vec![false; count];
    (0..count).filter_map(next).for_each(|then| is_next[then] = true);
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for first in (0..count).filter(|block| !is_next[*block]) {
        let run: Vec<usize> = std::iter::successors(Some(first), |block| next(*block)).collect();
        let size = run.len().div_ceil(run.len().div_ceil(MOST));
        groups.extend(run.chunks(size).map(<[usize]>::to_vec));
    }
    groups.sort();
    let mut block_of = vec![0; count];
    for (number, group) in groups.iter().enumerate() {
        group.iter().for_each(|block| block_of[*block] = number);
    }
    let mut stacked = scene.clone();
    let joined = |group: &Vec<usize>| SceneBlock {
        boxes: group.iter().flat_map(|block| scene.blocks[*block].boxes.iter().copied()).collect(),
        ..scene.blocks[group[0]].clone()
    };
    stacked.blocks = groups.iter().map(joined).collect();
    for wait in &mut stacked.waits {
        (wait.first, wait.then) = (block_of[wait.first], block_of[wait.then]);
    }
    stacked.waits.retain(|wait| wait.first != wait.then);
    let mut firsts = vec![Vec::new(); groups.len()];
    stacked.waits.iter().for_each(|wait| firsts[wait.then].push(wait.first));
    let columns = steps(&firsts);
    for (block, column) in stacked.blocks.iter_mut().zip(columns) {
        block.column = column - 1;
    }
    let width = |scene: &Scene| scene.blocks.iter().map(|block| block.column).max();
    (width(&stacked) < width(scene)).then_some(stacked)
}
