//! The shape of each block of a graph: how large it is, where its boxes lie in it, and where lines begin and end.

use super::folders::SceneBlock;
use super::layout::{LayoutShape, SidePlace};
use super::marks::{BOX, box_width};
use super::scene::Scene;
use super::text::{NAME_CHARACTER, SMALL_CHARACTER, cells, cut_to};

/// The height of a folder without its boxes, and of each box with its space.
const FOLDER: f64 = 26.0;
const FOLDER_BOX: f64 = 40.0;
/// The space between the side of a folder and its boxes.
pub(super) const FOLDER_SIDE: f64 = 9.0;
/// The distance of two steps in turn, and the space between the last one and the end of their frame.
pub(super) const STEP: f64 = 48.0;
const STEPS_END: f64 = 8.0;
/// The least width of a box: `On demand` stands beside the first column.
const LEAST_BOX: f64 = 66.0;
/// The least width of a box that cannot start: these words stand above it.
const LEAST_NEVER: f64 = 94.0;

/// The shape of a block in a column, with names of at most `most` cells.
pub(super) fn shape(scene: &Scene, number: usize, column: usize, most: usize) -> LayoutShape {
    let block = &scene.blocks[number];
    let count = block.boxes.len();
    let widest = block.boxes.iter().map(|one| box_width(&scene.boxes[*one], most)).fold(0.0, f64::max);
    let (width, height) = match &block.folder {
        None if block.is_in_turn() => (
            (widest + 2.0 * FOLDER_SIDE)
                .max(SMALL_CHARACTER * cells(&steps_head(count)) as f64 + 2.0 * FOLDER_SIDE),
            FOLDER + STEP * count as f64 - (STEP - BOX) + STEPS_END,
        ),
        None => (widest.max(if block.is_never { LEAST_NEVER } else { LEAST_BOX }), BOX),
        Some((name, _)) => (
            (widest + 2.0 * FOLDER_SIDE).max(folder_tab(name, most) + 40.0),
            FOLDER + FOLDER_BOX * count as f64,
        ),
    };
    let inside = |position: usize| SidePlace {
        inset: FOLDER_SIDE,
        below: box_top(block, position) + BOX / 2.0 - height / 2.0,
    };
    let has_member_waits = scene.waits.iter().any(|wait| wait.then == number && wait.member.is_some());
    let (entries, exit) = match &block.folder {
        None if block.is_in_turn() => (vec![inside(0)], inside(count - 1)),
        // Lines to the folder end at its tab where others lead to its boxes.
        Some(_) if has_member_waits => {
            let tab = SidePlace { inset: 0.0, below: 14.0 - height / 2.0 };
            let members = (0..count).map(inside);
            (std::iter::once(tab).chain(members).collect(), SidePlace::MIDDLE)
        }
        _ => (vec![SidePlace::MIDDLE], SidePlace::MIDDLE),
    };
    let has_boot = scene.blocks.iter().any(|block| scene.is_at_boot(block));
    let lane = usize::from(has_boot && !scene.is_at_boot(block));
    LayoutShape { width, height, column, lane, entries, exit }
}

/// How far the top of a box lies below that of its block.
pub(super) fn box_top(block: &SceneBlock, position: usize) -> f64 {
    match (&block.folder, block.is_in_turn()) {
        (Some(_), _) => FOLDER + FOLDER_BOX * position as f64,
        (None, true) => FOLDER + STEP * position as f64,
        (None, false) => 0.0,
    }
}

/// What stands above steps in turn.
pub(super) fn steps_head(count: usize) -> String {
    format!("{count} steps in turn")
}

/// The width of the tab of a folder.
pub(super) fn folder_tab(name: &str, most: usize) -> f64 {
    NAME_CHARACTER * cells(&cut_to(name, most)) as f64 + 8.0
}
