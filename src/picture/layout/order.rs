//! Finds an order of the items in each column with few crossings of lines.

use super::items::Items;

/// How often the columns are gone through, to the right and to the left in turn.
const SWEEPS: usize = 12;

/// How often each item is tried at every place of its column.
const ROUNDS: usize = 12;

/// How many other beginnings are tried.
const SHUFFLES: u64 = 24;

/// Puts the items of each column into an order with few crossings. Items of one lane stay together.
pub(super) fn order(items: &mut Items) {
    let begin = items.columns.clone();
    // Where the sweeps begin decides where they end, so several beginnings are tried. The first of the best ones counts, so
    // that the order of the caller is kept where it costs nothing.
    let mut best = (usize::MAX, begin.clone());
    for number in 0..SHUFFLES {
        let is_rightwards = number % 2 == 0;
        let mut search = OrderSearch::new(items, shuffled(items, &begin, number / 2));
        let mut found = (search.crossings(), search.columns.clone());
        for sweep in 0..SWEEPS {
            search.sweep((sweep % 2 == 0) == is_rightwards);
            let crossings = search.crossings();
            if crossings < found.0 {
                found = (crossings, search.columns.clone());
            }
        }
        let mut search = OrderSearch::new(items, found.1);
        search.refine();
        let crossings = search.crossings();
        if crossings < best.0 {
            best = (crossings, search.columns);
        }
        if best.0 == 0 {
            break;
        }
    }
    items.columns = best.1;
}

/// The columns in another order, which is the same for the same number. Zero leaves them as they are.
fn shuffled(items: &Items, columns: &[Vec<usize>], number: u64) -> Vec<Vec<usize>> {
    // The constants are those of the generator `splitmix64`, which needs no state between two calls.
    let hash = |item: usize| {
        let mut value = (item as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
            ^ number.wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ (value >> 31)
    };
    let mut columns = columns.to_vec();
    if number > 0 {
        for column in &mut columns {
            column.sort_by_key(|item| (items.list[*item].lane, hash(*item)));
        }
    }
    columns
}

/// An order that is being improved.
struct OrderSearch<'a> {
    items: &'a Items,
    columns: Vec<Vec<usize>>,
    /// The position of each item in its column.
    position: Vec<usize>,
}

impl<'a> OrderSearch<'a> {
    fn new(items: &'a Items, columns: Vec<Vec<usize>>) -> Self {
        let mut search = OrderSearch { items, columns, position: vec![0; items.list.len()] };
        (0..search.columns.len()).for_each(|column| search.number(column));
        search
    }

    fn number(&mut self, column: usize) {
        for (position, item) in self.columns[column].iter().enumerate() {
            self.position[*item] = position;
        }
    }

    /// Sorts each column by the mean position of the neighbours on one side. Items without neighbours keep their place.
    fn sweep(&mut self, is_rightwards: bool) {
        let count = self.columns.len();
        for step in 0..count {
            let column = if is_rightwards { step } else { count - 1 - step };
            let mean = |item: usize| {
                let (mut sum, mut number) = (0, 0);
                for neighbour in self.items.neighbours(item, is_rightwards) {
                    sum += self.position[neighbour];
                    number += 1;
                }
                if number == 0 { self.position[item] as f64 } else { sum as f64 / f64::from(number) }
            };
            let mut keyed: Vec<(usize, f64, usize)> = self.columns[column]
                .iter()
                .map(|item| (self.items.list[*item].lane, mean(*item), *item))
                .collect();
            keyed.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
            self.columns[column] = keyed.into_iter().map(|(_, _, item)| item).collect();
            self.number(column);
        }
    }

    /// The number of crossings of lines that join `upper` and `lower` with one side, if `upper` is above.
    fn pair(&self, upper: usize, lower: usize, is_left: bool) -> usize {
        let lower: Vec<usize> =
            self.items.neighbours(lower, is_left).map(|item| self.position[item]).collect();
        let crossed = |item: usize| lower.iter().filter(|other| **other < self.position[item]).count();
        self.items.neighbours(upper, is_left).map(crossed).sum()
    }

    fn crossings(&self) -> usize {
        let in_column = |column: &Vec<usize>| {
            let pairs = |(number, upper): (usize, &usize)| {
                column[number + 1..].iter().map(|lower| self.pair(*upper, *lower, true)).sum::<usize>()
            };
            column.iter().enumerate().map(pairs).sum::<usize>()
        };
        self.columns.iter().map(in_column).sum()
    }

    /// Moves each item to the place of its column with the fewest crossings, until that helps no more.
    fn refine(&mut self) {
        for _ in 0..ROUNDS {
            let mut has_moved = false;
            for column in 0..self.columns.len() {
                for item in self.columns[column].clone() {
                    has_moved |= self.sift(column, item);
                }
            }
            if !has_moved {
                return;
            }
        }
    }

    /// Moves one item of a column to its best place. Returns whether that lowered the number of crossings.
    fn sift(&mut self, column: usize, item: usize) -> bool {
        let lane = self.items.list[item].lane;
        let others: Vec<usize> =
            self.columns[column].iter().copied().filter(|other| *other != item).collect();
        let in_lane: Vec<usize> =
            (0..others.len()).filter(|other| self.items.list[others[*other]].lane == lane).collect();
        let (Some(first), Some(last)) = (in_lane.first().copied(), in_lane.last().copied()) else {
            return false;
        };
        let both =
            |upper: usize, lower: usize| self.pair(upper, lower, true) + self.pair(upper, lower, false);
        // The costs are relative to the place above all others of the lane.
        let here = self.position[item];
        let (mut cost, mut best, mut best_at, mut now) = (0i64, 0i64, first, 0i64);
        for place in first..=last + 1 {
            if place > first {
                let passed = others[place - 1];
                cost += both(passed, item) as i64 - both(item, passed) as i64;
            }
            if cost < best {
                (best, best_at) = (cost, place);
            }
            if place == here {
                now = cost;
            }
        }
        if best >= now {
            return false;
        }
        let mut moved = others;
        moved.insert(best_at, item);
        self.columns[column] = moved;
        self.number(column);
        true
    }
}
