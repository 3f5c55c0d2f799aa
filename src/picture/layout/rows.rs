//! Finds the height of each item, so that lines are as straight as the order in the columns allows.

use super::Corner;
use super::items::{Items, LayoutItem};

/// How often the heights are improved, by the neighbours to the left and to the right in turn.
const PASSES: usize = 24;

/// The largest step in a line that is removed at the end, if there is room.
const SMALL_STEP: f64 = 24.0;

/// Sets the height of each item, with more space below the first lane. Returns the upper and the lower end of each lane.
pub(super) fn rows(items: &mut Items, corner: Corner, below_first: f64) -> Vec<(f64, f64)> {
    let lanes = items.list.iter().map(|item| item.lane + 1).max().unwrap_or(0);
    let mut top = corner.y;
    (0..lanes)
        .map(|lane| {
            let mut rows = Rows::new(items, lane);
            rows.improve();
            let bottom = rows.shift_to(top);
            let ends = (top, bottom);
            top = bottom + corner.between_lanes + if lane == 0 { below_first } else { 0.0 };
            ends
        })
        .collect()
}

/// A line that goes up or down by less looks like a mistake: there is no room for two full turns.
const BEND: f64 = 12.0;

/// How far from the middle of a box a line may begin or end for the box to move so that the line is straight.
const TALL: f64 = 80.0;

/// The rows of one lane.
struct Rows<'a> {
    items: &'a mut Items,
    lane: usize,
    /// The items of the lane in each column, from the top.
    columns: Vec<Vec<usize>>,
}

impl<'a> Rows<'a> {
    fn new(items: &'a mut Items, lane: usize) -> Self {
        let of_lane = |column: &Vec<usize>| -> Vec<usize> {
            column.iter().copied().filter(|item| items.list[*item].lane == lane).collect()
        };
        let columns: Vec<Vec<usize>> = items.columns.iter().map(of_lane).collect();
        for column in &columns {
            let mut y = 0.0;
            for (number, item) in column.iter().enumerate() {
                if number > 0 {
                    y += distance(&items.list[column[number - 1]], &items.list[*item]);
                }
                items.list[*item].y = y;
            }
        }
        Rows { items, lane, columns }
    }

    fn improve(&mut self) {
        let count = self.columns.len();
        for pass in 0..PASSES {
            for step in 0..count {
                let column = if pass % 2 == 0 { step } else { count - 1 - step };
                // The last passes look at both sides.
                let sides = match (pass + 4 < PASSES, pass % 2 == 0) {
                    (true, true) => [true, false],
                    (true, false) => [false, true],
                    (false, _) => [true, true],
                };
                self.place(column, sides);
            }
        }
        for item in self.items.list.iter_mut().filter(|item| item.lane == self.lane) {
            item.y = (item.y + 0.5).floor();
        }
        for column in 0..count {
            self.straighten(column, true);
        }
        for column in (0..count).rev() {
            self.straighten(column, false);
        }
        for is_together in [false, true, false] {
            (0..count).for_each(|column| self.iron(column, is_together));
        }
    }

    /// The heights that would make the lines of an item to the left, or to the right, straight, each with its weight.
    fn wishes(&self, item: usize, is_left: bool) -> Vec<(f64, f64)> {
        let numbers = if is_left { &self.items.incoming[item] } else { &self.items.outgoing[item] };
        let wish = |number: &usize| {
            let segment = self.items.segments[*number];
            // What leads to the end of a tall box does not pull its middle away from the row.
            let offset = segment.end.below - self.items.list[segment.from].exit.below;
            let offset = if offset.abs() > TALL { 0.0 } else { offset };
            let (other, offset) = match is_left {
                true => (&self.items.list[segment.from], -offset),
                false => (&self.items.list[segment.to], offset),
            };
            // A bend in a long line disturbs more than one at a box.
            let passages = usize::from(other.is_passage) + usize::from(self.items.list[item].is_passage);
            (other.lane == self.lane).then_some((other.y + offset, [1.0, 2.0, 8.0][passages]))
        };
        numbers.iter().filter_map(wish).collect()
    }

    /// Moves the items of a column as near to their wishes as the distances between them allow: the sum of the squares is the
    /// least that is possible.
    fn place(&mut self, column: usize, sides: [bool; 2]) {
        let column = &self.columns[column];
        let mut blocks: Vec<RowBlock> = Vec::new();
        let mut shift = 0.0;
        for (number, item) in column.iter().enumerate() {
            if number > 0 {
                shift += distance(&self.items.list[column[number - 1]], &self.items.list[*item]);
            }
            let mut wishes = Vec::new();
            for (is_left, is_asked) in [(true, sides[0]), (false, sides[1])] {
                if is_asked {
                    wishes.extend(self.wishes(*item, is_left));
                }
            }
            if wishes.is_empty() {
                // It goes where the others push it.
                wishes.push((self.items.list[*item].y, 0.01));
            }
            let weight: f64 = wishes.iter().map(|(_, weight)| weight).sum();
            let sum: f64 = wishes.iter().map(|(y, weight)| (y - shift) * weight).sum();
            blocks.push(RowBlock { sum, weight, count: 1 });
            while let [.., before, last] = &blocks[..]
                && before.mean() > last.mean()
            {
                let joined = RowBlock {
                    sum: before.sum + last.sum,
                    weight: before.weight + last.weight,
                    count: before.count + last.count,
                };
                blocks.truncate(blocks.len() - 2);
                blocks.push(joined);
            }
        }
        let (mut number, mut shift) = (0, 0.0);
        for block in blocks {
            for _ in 0..block.count {
                if number > 0 {
                    shift += distance(&self.items.list[column[number - 1]], &self.items.list[column[number]]);
                }
                self.items.list[column[number]].y = block.mean() + shift;
                number += 1;
            }
        }
    }

    /// Removes small steps from lines that are the only one of an item on one side.
    fn straighten(&mut self, column: usize, is_left: bool) {
        let column = self.columns[column].clone();
        for (number, item) in column.iter().enumerate() {
            let [(wish, _)] = self.wishes(*item, is_left)[..] else { continue };
            // If the line is straight on the other side, it would bend there instead.
            let here = self.items.list[*item].y;
            if self.wishes(*item, !is_left).iter().any(|(other, _)| *other == here) {
                continue;
            }
            let list = &self.items.list;
            let above = number.checked_sub(1).map(|above| &list[column[above]]);
            let below = column.get(number + 1).map(|below| &list[*below]);
            let fits_above = above.is_none_or(|above| above.y + distance(above, &list[*item]) <= wish);
            let fits_below = below.is_none_or(|below| wish + distance(&list[*item], below) <= below.y);
            if (wish - here).abs() <= SMALL_STEP && fits_above && fits_below {
                self.items.list[*item].y = wish;
            }
        }
    }

    /// Moves items with a line that bends only a little to where the fewest of their lines do: each by itself, or those that
    /// touch each other together.
    fn iron(&mut self, column: usize, is_together: bool) {
        let list = &self.items.list;
        let touches = |upper: &usize, lower: &usize| {
            is_together && list[*upper].y + distance(&list[*upper], &list[*lower]) >= list[*lower].y
        };
        let groups: Vec<Vec<usize>> = self.columns[column].chunk_by(touches).map(<[usize]>::to_vec).collect();
        for (number, group) in groups.iter().enumerate() {
            let list = &self.items.list;
            let steps = |item: &usize| {
                let wishes = [true, false].into_iter().flat_map(|is_left| self.wishes(*item, is_left));
                wishes.map(|(wish, _)| wish - list[*item].y).collect::<Vec<f64>>()
            };
            let steps: Vec<f64> = group.iter().flat_map(steps).collect();
            let bends =
                |by: f64| steps.iter().filter(|step| **step != by && (**step - by).abs() < BEND).count();
            let room = |upper: usize, lower: usize| {
                list[lower].y - list[upper].y - distance(&list[upper], &list[lower])
            };
            let (first, last) = (group[0], group[group.len() - 1]);
            let above = number.checked_sub(1).and_then(|above| groups[above].last());
            let above = above.map_or(f64::INFINITY, |above| room(*above, first));
            let below = groups.get(number + 1).map_or(f64::INFINITY, |below| room(last, below[0]));
            let fits = |by: &f64| by.abs() < BEND && -by <= above && *by <= below;
            let best = steps.iter().copied().filter(fits).min_by_key(|by| bends(*by));
            if let Some(best) = best.filter(|best| bends(*best) < bends(0.0)) {
                group.iter().for_each(|item| self.items.list[*item].y += best);
            }
        }
    }

    /// Moves the lane down or up so that it begins at `top`. Returns where it ends.
    fn shift_to(&mut self, top: f64) -> f64 {
        let of_lane = || self.columns.iter().flatten().copied();
        let list = &self.items.list;
        let first =
            of_lane().map(|item| list[item].y - list[item].height / 2.0).fold(f64::INFINITY, f64::min);
        let mut bottom = top;
        let all: Vec<usize> = of_lane().collect();
        for item in all {
            let item = &mut self.items.list[item];
            item.y += top - first;
            bottom = bottom.max(item.y + item.height / 2.0);
        }
        bottom
    }
}

/// The least distance between the middles of two items that follow each other.
fn distance(upper: &LayoutItem, lower: &LayoutItem) -> f64 {
    let space = match (upper.is_passage, lower.is_passage) {
        (true, true) => 4.0,
        (false, false) => 12.0,
        _ => 8.0,
    };
    (upper.height + lower.height) / 2.0 + space
}

/// Items that touch each other.
struct RowBlock {
    sum: f64,
    weight: f64,
    count: usize,
}

impl RowBlock {
    fn mean(&self) -> f64 {
        self.sum / self.weight
    }
}
