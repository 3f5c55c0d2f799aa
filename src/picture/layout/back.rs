//! Routes the lines that lead back to an earlier column: out to the right, below all boxes of the first lane, and in from the
//! left.

use super::{BoxPlace, LayoutShape, Link, SidePlace};

/// The distance of two lines.
const LEG: f64 = 9.0;
/// The space between a column and the first line that leads out of it.
const OUT: f64 = 10.0;
/// The space between the first line that leads into a column and the column.
const IN: f64 = 20.0;
/// The height of a row below the boxes, which has words on it.
const ROW: f64 = 20.0;
/// How far below the middle of a box a line leads out, if others do in the middle.
const BELOW: f64 = 9.0;

/// A line that leads back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BackRoute {
    /// The line.
    pub link: Link,
    /// Where it begins: at the right side of a box.
    pub from: (f64, f64),
    /// Where it goes down.
    pub out_x: f64,
    /// Where it goes back.
    pub row: f64,
    /// Where it goes up.
    pub in_x: f64,
    /// Where it ends: at the left side of a box.
    pub to: (f64, f64),
}

/// The lines that lead back, with their places among those beside the same column.
#[derive(Debug)]
pub(super) struct Backs {
    list: Vec<(Link, usize, usize)>,
    /// The number of lines that lead out of each column, and into it.
    beside: Vec<(usize, usize)>,
}

impl Backs {
    pub(super) fn new(shapes: &[LayoutShape], back: &[Link], columns: usize) -> Self {
        let mut beside = vec![(0, 0); columns + 1];
        let mut list = Vec::new();
        for link in back {
            let (out, into) = (shapes[link.from].column, shapes[link.to].column);
            list.push((*link, beside[out].0, beside[into].1));
            beside[out].0 += 1;
            beside[into].1 += 1;
        }
        Backs { list, beside }
    }

    /// The height of all rows.
    pub(super) fn height(&self) -> f64 {
        if self.list.is_empty() { 0.0 } else { 10.0 + ROW * self.list.len() as f64 }
    }

    /// The space to the right of a column for the lines that lead out of it.
    pub(super) fn after(&self, column: usize) -> f64 {
        LEG * self.beside[column].0 as f64
    }

    /// The space to the left of a column for the lines that lead into it.
    pub(super) fn before(&self, column: usize) -> f64 {
        LEG * self.beside[column].1 as f64
    }

    /// The routes, in rows below `bottom`.
    pub(super) fn routes(
        &self,
        places: &[BoxPlace],
        end_place: impl Fn(&Link) -> SidePlace,
        links: &[Link],
        bottom: f64,
    ) -> Vec<BackRoute> {
        let route = |(row, (link, out, into)): (usize, &(Link, usize, usize))| {
            let (from, to) = (places[link.from], places[link.to]);
            let has_others = links.iter().any(|other| other.from == link.from);
            BackRoute {
                link: *link,
                from: (from.right(), from.middle() + if has_others { BELOW } else { 0.0 }),
                out_x: from.right() + OUT + LEG * *out as f64,
                row: bottom + ROW * (row + 1) as f64 + 6.0,
                in_x: to.x - IN - LEG * *into as f64,
                to: (to.x, to.middle() + end_place(link).below),
            }
        };
        self.list.iter().enumerate().map(route).collect()
    }
}
