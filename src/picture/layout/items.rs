//! What stands in the columns: the boxes, and a passage in each column that a line passes.

use std::collections::BTreeMap;

use super::{EntryPort, LayoutShape, Link, Ports, SidePlace, end_place};

/// The height of a passage.
const PASSAGE: f64 = 10.0;

/// A box or a passage.
#[derive(Debug)]
pub(super) struct LayoutItem {
    pub(super) column: usize,
    pub(super) lane: usize,
    pub(super) height: f64,
    /// Whether it is a passage.
    pub(super) is_passage: bool,
    /// The height of its middle, once it is known.
    pub(super) y: f64,
    /// Where its lines to the right begin.
    pub(super) exit: SidePlace,
}

/// A part of a line, from an item to one in the next column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Where it ends at the item.
    pub(super) end: SidePlace,
    /// The port, if it ends at a box.
    pub(super) port: Option<usize>,
}

/// All items, the parts of lines between them, and the columns.
#[derive(Debug)]
pub(super) struct Items {
    /// The boxes in the order of the caller, then the passages.
    pub(super) list: Vec<LayoutItem>,
    pub(super) segments: Vec<Segment>,
    /// The items of each column, from the top.
    pub(super) columns: Vec<Vec<usize>>,
    /// The segments that end at each item.
    pub(super) incoming: Vec<Vec<usize>>,
    /// The segments that begin at each item.
    pub(super) outgoing: Vec<Vec<usize>>,
}

impl Items {
    pub(super) fn new(shapes: &[LayoutShape], links: &[Link], ports: &Ports) -> Self {
        let item = |shape: &LayoutShape| LayoutItem {
            column: shape.column,
            lane: shape.lane,
            height: shape.height,
            is_passage: false,
            y: 0.0,
            exit: shape.exit,
        };
        let mut list: Vec<LayoutItem> = shapes.iter().map(item).collect();
        let mut passages: BTreeMap<(usize, usize, usize), usize> = BTreeMap::new();
        let mut segments: BTreeMap<(usize, usize, Option<EntryPort>), SidePlace> = BTreeMap::new();
        for link in links {
            let (lane, last) = (shapes[link.to].lane, shapes[link.to].column);
            let mut from = link.from;
            for column in shapes[link.from].column + 1..last {
                // All lines of one box share their passages, so they look like one that branches.
                let to = *passages.entry((link.from, column, lane)).or_insert(list.len());
                if to == list.len() {
                    let exit = SidePlace::MIDDLE;
                    list.push(LayoutItem { column, lane, height: PASSAGE, is_passage: true, y: 0.0, exit });
                }
                segments.insert((from, to, None), SidePlace::MIDDLE);
                from = to;
            }
            segments.insert((from, link.to, Some((link.entry, link.port))), end_place(shapes, ports, link));
        }
        let segments: Vec<Segment> = segments
            .into_iter()
            .map(|((from, to, port), end)| Segment { from, to, end, port: port.map(|(_, port)| port) })
            .collect();
        let mut columns = vec![Vec::new(); list.iter().map(|item| item.column + 1).max().unwrap_or(0)];
        for (number, item) in list.iter().enumerate() {
            columns[item.column].push(number);
        }
        for column in &mut columns {
            column.sort_by_key(|number| list[*number].lane);
        }
        let (mut incoming, mut outgoing) = (vec![Vec::new(); list.len()], vec![Vec::new(); list.len()]);
        for (number, segment) in segments.iter().enumerate() {
            incoming[segment.to].push(number);
            outgoing[segment.from].push(number);
        }
        Items { list, segments, columns, incoming, outgoing }
    }

    /// The items to the left of an item that lines connect it with, or those to its right.
    pub(super) fn neighbours(&self, item: usize, is_left: bool) -> impl Iterator<Item = usize> + '_ {
        let segments = if is_left { &self.incoming[item] } else { &self.outgoing[item] };
        let end = move |segment: &Segment| if is_left { segment.from } else { segment.to };
        segments.iter().map(move |number| end(&self.segments[*number]))
    }
}
