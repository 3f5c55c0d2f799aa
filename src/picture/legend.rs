//! The legend below a picture: what each shape means, of those that occur.

use super::boxes::BoxKind;
use super::frame::{MARGIN, Svg};
use super::layout::BoxPlace;
use super::marks;
use super::text::{SMALL_CHARACTER, cells};

/// The height of a row.
const ROW: f64 = 24.0;

/// Draws a shape, with its left end at the first number and its middle at the second one.
pub type DrawMark = Box<dyn Fn(&mut Svg, f64, f64)>;

/// A shape and its meaning.
pub struct LegendItem {
    /// The width of the shape.
    pub width: f64,
    /// Draws the shape.
    pub draw: DrawMark,
    /// What it means.
    pub words: &'static str,
}

/// A small box for services of a kind, with its middle at that of the row.
pub(super) fn small_box(
    kind: BoxKind,
    class: &'static str,
    [width, height]: [f64; 2],
    radius: f64,
) -> DrawMark {
    Box::new(move |svg, x, y| {
        marks::outline(svg, kind, class, BoxPlace { x, y: y - height / 2.0, width, height }, radius);
    })
}

/// Draws a legend from `y` on in a picture of the width `width`. Returns where it ends.
pub fn legend(svg: &mut Svg, items: Vec<LegendItem>, mut y: f64, width: f64) -> f64 {
    let mut x = MARGIN;
    for item in items {
        let needed = item.width + 8.0 + SMALL_CHARACTER * cells(item.words) as f64;
        if x > MARGIN && x + needed > width - MARGIN {
            (x, y) = (MARGIN, y + ROW);
        }
        svg.raw("<g>");
        (item.draw)(svg, x, y + ROW / 2.0);
        svg.text("s", x + item.width + 8.0, y + ROW / 2.0 + 4.5, item.words);
        svg.end();
        x += needed + 18.0;
    }
    y + ROW
}
