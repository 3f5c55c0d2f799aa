//! What a graph shows, before anything is placed: boxes for services and templates, folders for bundles, and the waits
//! between them that do not follow from others.

use std::collections::{BTreeMap, BTreeSet};

use super::boxes::{SceneBox, boxes};
use super::cycle::{self, CycleWait};
use super::folders::{SceneBlock, folders};
use super::reduce::reduce;
use super::view::View;
use crate::model::Layer;
use crate::plan::{Awaited, OrderDirection, StartOrder, steps};

/// A wait between two blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SceneWait {
    /// The block that is waited for.
    pub first: usize,
    /// The block that waits.
    pub then: usize,
    /// The position of the box that waits, if the others in its folder do not.
    pub member: Option<usize>,
    /// Until which state.
    pub until: Awaited,
}

/// What a graph shows.
#[derive(Debug, Clone)]
pub struct Scene {
    /// Whether it shows a start or a stop.
    pub direction: OrderDirection,
    /// The services and templates, in the order of their definitions.
    pub boxes: Vec<SceneBox>,
    /// The blocks, in the order of their definitions.
    pub blocks: Vec<SceneBlock>,
    /// The waits, without those that close a dependency cycle.
    pub waits: Vec<SceneWait>,
    /// The waits that close dependency cycles.
    pub back: Vec<SceneWait>,
    /// All waits of dependency cycles, between boxes. The first ones are in every cycle.
    pub cycle: Vec<CycleWait>,
    /// The number of those in every cycle.
    pub decisive: usize,
    /// The bundles that are no folders, each with its members.
    pub bundles: Vec<(String, Vec<String>)>,
    /// How many loggers are not shown.
    pub hidden_loggers: usize,
    /// Whether services of s6 itself are not shown.
    pub hides_own: bool,
    /// Whether waits that follow from others are not shown.
    pub is_reduced: bool,
}

/// The number of boxes of which those waits are left out that only a template or a cycle adds: it takes the square of the
/// number in memory.
const MOST_REDUCED: usize = 1000;

impl Scene {
    /// What to show of an order. `None` if that is more than `most` boxes.
    pub fn new(order: &StartOrder<'_>, view: View<'_>, most: usize) -> Option<Scene> {
        let in_cycle = cycle::members(order);
        let has_cycle = in_cycle.contains(&true);
        let is_shown: Vec<bool> = order
            .services
            .iter()
            .zip(&in_cycle)
            .map(|(service, in_cycle)| {
                view.shows_all
                    || *in_cycle
                    || !order.is_background(service)
                    || view.names.contains(&service.node)
            })
            .collect();
        let (boxes, mut waits) = boxes(order, &is_shown, has_cycle, view, most)?;
        let is_reduced = boxes.len() <= MOST_REDUCED;
        if is_reduced {
            reduce(&mut waits);
        }
        let cycles = cycle::find(order, &boxes, &mut waits);
        let (blocks, block_of, bundles) = folders(order, &boxes, &waits, &cycles.members, view);
        let mut scene = Scene {
            direction: order.direction,
            boxes,
            blocks,
            waits: Vec::new(),
            back: Vec::new(),
            cycle: cycles.waits,
            decisive: cycles.decisive,
            bundles,
            hidden_loggers: 0,
            hides_own: false,
            is_reduced: is_reduced || !view.shows_all,
        };
        let between = |first: usize, then: usize| SceneWait {
            first: block_of[first],
            then: block_of[then],
            member: None,
            until: scene.boxes[first].awaited,
        };
        let mut waiting: BTreeMap<SceneWait, BTreeSet<usize>> = BTreeMap::new();
        for (then, firsts) in waits.iter().enumerate() {
            for first in firsts {
                waiting.entry(between(*first, then)).or_default().insert(then);
            }
        }
        let mut forward = Vec::new();
        for (wait, members) in waiting {
            // One line leads to a folder if all of its boxes wait.
            let all = &scene.blocks[wait.then].boxes;
            match members.len() == all.len() {
                true => forward.push(wait),
                false => forward.extend(
                    members.iter().map(|one| SceneWait { member: all.binary_search(one).ok(), ..wait }),
                ),
            }
        }
        let back = cycles.back.iter().map(|(first, then)| between(*first, *then)).collect();
        (scene.waits, scene.back) = (forward, back);
        scene.number_waves(&cycles.members, &block_of);
        for (service, _) in order.services.iter().zip(&is_shown).filter(|(_, is_shown)| !**is_shown) {
            match order.index.layer(service.node) {
                Layer::Ours => scene.hidden_loggers += 1,
                _ => scene.hides_own = true,
            }
        }
        Some(scene)
    }

    /// The pairs of blocks between which a wait is in a dependency cycle: what is waited for, and what waits.
    pub(super) fn cycle_edges(&self) -> BTreeSet<(usize, usize)> {
        let mut block_of = vec![0; self.boxes.len()];
        for (number, block) in self.blocks.iter().enumerate() {
            block.boxes.iter().for_each(|one| block_of[*one] = number);
        }
        self.cycle.iter().map(|wait| (block_of[wait.first], block_of[wait.then])).collect()
    }

    /// Numbers the waves. What cannot start comes after all that can.
    fn number_waves(&mut self, in_cycle: &[bool], block_of: &[usize]) {
        for (number, _) in in_cycle.iter().enumerate().filter(|(_, in_cycle)| **in_cycle) {
            self.blocks[block_of[number]].is_never = true;
        }
        let mut after = vec![Vec::new(); self.blocks.len()];
        for wait in &self.waits {
            after[wait.then].push(wait.first);
        }
        let waves = steps(&after);
        let mut by_wave: Vec<usize> = (0..waves.len()).collect();
        by_wave.sort_by_key(|block| waves[*block]);
        let mut last = 0;
        for block in &by_wave {
            let waits_for_never = after[*block].iter().any(|first| self.blocks[*first].is_never);
            self.blocks[*block].is_never |= waits_for_never;
            if !self.blocks[*block].is_never {
                self.blocks[*block].wave = waves[*block];
                last = last.max(waves[*block]);
            }
        }
        for block in by_wave.into_iter().filter(|block| self.blocks[*block].is_never).collect::<Vec<_>>() {
            let firsts = after[block].iter().map(|first| self.blocks[*first].wave);
            self.blocks[block].wave = firsts.max().unwrap_or(0).max(last) + 1;
        }
        self.blocks.iter_mut().for_each(|block| block.column = block.wave - 1);
    }
}
