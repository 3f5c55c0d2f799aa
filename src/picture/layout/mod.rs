//! Places boxes in columns, and routes the lines between them.
//!
//! The caller has decided on the column of each box, which is the wave of a service, and that no line leads to an earlier
//! column or stays in its own. What follows is the layered method of Sugiyama, Tagawa and Toda, in one file for each step:
//! `items` adds a place in each column that a line passes, `order` finds an order with few crossings in each column, `rows`
//! the heights, `tracks` the vertical parts of the lines. All lengths are in units of the picture.

mod back;
mod items;
mod order;
mod rows;
mod tracks;

pub use back::BackRoute;
use back::Backs;
use items::Items;
pub use tracks::{Route, RouteEnd};

/// A box to place.
#[derive(Debug, Clone)]
pub struct LayoutShape {
    /// The least width. All boxes of a column get the same width.
    pub width: f64,
    /// The height, an even number.
    pub height: f64,
    /// The number of its column, from 0.
    pub column: usize,
    /// The number of its lane, from 0. Lanes lie below each other, and go through all columns.
    pub lane: usize,
    /// The places at its left side where lines may end.
    pub entries: Vec<SidePlace>,
    /// The place at its right side where all of its lines begin.
    pub exit: SidePlace,
}

/// A place at a side of a box.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SidePlace {
    /// How far it lies inside of the box.
    pub inset: f64,
    /// How far it lies below the middle of the box.
    pub below: f64,
}

impl SidePlace {
    /// The middle of a side.
    pub const MIDDLE: SidePlace = SidePlace { inset: 0.0, below: 0.0 };
}

/// A line from the right side of a box to the left side of a box in a later column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The box at its beginning.
    pub from: usize,
    /// The box at its end.
    pub to: usize,
    /// The number of the entry of that box.
    pub entry: usize,
    /// The port at its end. Lines with the same port of an entry end at the same point; a smaller number lies above.
    pub port: usize,
}

/// Where a box lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoxPlace {
    /// The left side.
    pub x: f64,
    /// The upper side.
    pub y: f64,
    /// The width.
    pub width: f64,
    /// The height.
    pub height: f64,
}

impl BoxPlace {
    /// The right side.
    pub fn right(&self) -> f64 {
        self.x + self.width
    }

    /// The lower side.
    pub fn bottom(&self) -> f64 {
        self.y + self.height
    }

    /// The height of its middle.
    pub fn middle(&self) -> f64 {
        self.y + self.height / 2.0
    }
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Column {
    /// Its left side.
    pub x: f64,
    /// Its width.
    pub width: f64,
}

/// The result.
#[derive(Debug)]
pub struct Layout {
    /// The columns from left to right.
    pub columns: Vec<Column>,
    /// The place of each box.
    pub places: Vec<BoxPlace>,
    /// The upper and the lower end of each lane.
    pub lanes: Vec<(f64, f64)>,
    /// The lines: one route for each box or passage, and each gap between two columns.
    pub routes: Vec<Route>,
    /// The lines that lead back.
    pub back: Vec<BackRoute>,
    /// How far the lines reach to the right.
    pub right: f64,
}

impl Layout {
    /// Moves everything down.
    pub fn move_down(&mut self, by: f64) {
        self.places.iter_mut().for_each(|place| place.y += by);
        self.lanes.iter_mut().for_each(|lane| *lane = (lane.0 + by, lane.1 + by));
        for route in &mut self.routes {
            route.y += by;
            route.ends.iter_mut().for_each(|end| end.y += by);
        }
        for route in &mut self.back {
            (route.from.1, route.row, route.to.1) = (route.from.1 + by, route.row + by, route.to.1 + by);
        }
    }
}

/// Where the first column and the first lane begin, and how far lanes lie apart.
#[derive(Debug, Clone, Copy)]
pub struct Corner {
    /// The left side of the first column.
    pub x: f64,
    /// The top of the first lane.
    pub y: f64,
    /// The space between two lanes.
    pub between_lanes: f64,
}

/// The space between two columns if there are no lines between them.
pub const GAP: f64 = 38.0;

/// The vertical distance of two ports of a box.
pub const PORT: f64 = 11.0;

/// The numbers of an entry and of a port of it.
type EntryPort = (usize, usize);

/// The entries and ports of each box that lines end at, sorted.
type Ports = Vec<Vec<EntryPort>>;

fn ports<'l>(shapes: &[LayoutShape], links: impl Iterator<Item = &'l Link>) -> Ports {
    let mut ports = vec![Vec::new(); shapes.len()];
    for link in links {
        ports[link.to].push((link.entry, link.port));
    }
    for used in &mut ports {
        used.sort_unstable();
        used.dedup();
    }
    ports
}

/// Where a line ends at the left side of its box.
fn end_place(shapes: &[LayoutShape], ports: &Ports, link: &Link) -> SidePlace {
    let of_entry = || ports[link.to].iter().filter(|(entry, _)| *entry == link.entry);
    let position = of_entry().position(|(_, port)| *port == link.port).unwrap_or(0);
    let entry = shapes[link.to].entries[link.entry];
    let below = (position as f64 - (of_entry().count() as f64 - 1.0) / 2.0) * PORT;
    SidePlace { below: entry.below + below, ..entry }
}

/// Places the boxes and routes the lines. The lines `back` lead to an earlier column or stay in their own.
pub fn layout(shapes: &[LayoutShape], links: &[Link], back: &[Link], corner: Corner) -> Layout {
    let ports = ports(shapes, links.iter().chain(back));
    let mut items = Items::new(shapes, links, &ports);
    order::order(&mut items);
    let backs = Backs::new(shapes, back, items.columns.len());
    let lanes = rows::rows(&mut items, corner, backs.height());
    let mut widths = vec![0.0f64; items.columns.len()];
    for shape in shapes {
        widths[shape.column] = widths[shape.column].max(shape.width);
    }
    let (mut columns, mut routes): (Vec<Column>, Vec<Route>) = (Vec::new(), Vec::new());
    let mut x = corner.x + backs.before(0);
    let mut right = x;
    for (number, width) in widths.into_iter().enumerate() {
        columns.push(Column { x, width });
        right = x + width + backs.after(number);
        x = right + tracks::tracks(&items, number, right, x + width, &mut routes) + backs.before(number + 1);
    }
    tracks::end_at_columns(&mut routes, &items, &columns);
    let place = |(shape, item): (&LayoutShape, &items::LayoutItem)| BoxPlace {
        x: columns[shape.column].x,
        y: item.y - shape.height / 2.0,
        width: columns[shape.column].width,
        height: shape.height,
    };
    let places: Vec<BoxPlace> = shapes.iter().zip(&items.list).map(place).collect();
    let bottom = lanes.first().map_or(corner.y, |lane| lane.1);
    let back = backs.routes(&places, |link| end_place(shapes, &ports, link), links, bottom);
    Layout { columns, places, lanes, routes, back, right }
}
