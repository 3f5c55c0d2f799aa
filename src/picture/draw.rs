//! Draws a graph: places what a [`Scene`] shows, and draws it as SVG.

use std::collections::BTreeSet;

use super::folders::SceneBlock;
use super::frame::{LINE, MARGIN, PictureWords, Svg, page_width, words_end, wrapped};
use super::in_turn::in_turn;
use super::layout::{BoxPlace, Column, Corner, Layout, LayoutShape, Link, layout};
use super::legend::legend;
use super::lines::{self, BACK, port};
use super::marks::{self, BOX};
use super::meanings::meanings;
use super::scene::{Scene, SceneWait};
use super::shapes::{FOLDER_SIDE, STEP, box_top, folder_tab, shape, steps_head};
use super::text::{NARROW, NARROWEST, WIDE, cells, cut, cut_to, listed};
use crate::diagnostic::Origin;

/// The space between the side of a column's band and its boxes.
const BAND: f64 = 5.0;
/// The height of the head of a band.
const HEAD: f64 = 30.0;
/// The space between two lanes.
const BETWEEN_LANES: f64 = 54.0;
/// How many boxes stand below each other, and in how many columns at most, where nothing waits.
const ROWS: usize = 8;
const MOST_COLUMNS: usize = 4;
/// How many bundles are listed below the picture, each with how many members.
const MOST_BUNDLES: usize = 20;
const MOST_MEMBERS: usize = 12;
/// The widest picture that is easy to read, and the widest one that is drawn.
const EASY: f64 = 1600.0;
const MOST_WIDTH: f64 = 2400.0;
/// A graph that is wider is drawn with steps in turn in one column.
const STACKED: f64 = 1000.0;
/// Up to this width there is room for long names: a README shows the picture in full size, and a phone in half of it.
const ROOM: f64 = 800.0;

/// What is told about the services of a graph beside the graph.
pub struct PictureSource<'a> {
    /// The manifest or tree.
    pub name: String,
    /// The services that were asked for.
    pub names: Vec<String>,
    /// The place of a dependency, as `services.toml:12`.
    pub place: &'a dyn Fn(Origin) -> String,
}

/// Draws a graph. `None` if it would be too wide. Long names are cut unless there is room for them.
pub fn graph(scene: &Scene, source: &PictureSource<'_>) -> Option<String> {
    let folders = scene.blocks.iter().filter_map(|block| block.folder.as_ref());
    let mut names = folders.map(|(name, _)| name).chain(scene.boxes.iter().map(|one| &one.name));
    let has_long = names.any(|name| cells(name) > NARROW);
    let drawn = |shown: &Scene, widest: f64| {
        let wide = if has_long { graph_with(shown, scene, source, WIDE, ROOM) } else { None };
        wide.or_else(|| graph_with(shown, scene, source, NARROW, widest))
    };
    let stacked = || in_turn(scene);
    drawn(scene, STACKED)
        .or_else(|| drawn(&stacked()?, EASY))
        .or_else(|| graph_with(scene, scene, source, NARROW, EASY))
        .or_else(|| graph_with(&stacked()?, scene, source, NARROWEST, MOST_WIDTH))
        .or_else(|| graph_with(scene, scene, source, NARROWEST, MOST_WIDTH))
}

/// Draws a graph with names of at most `most` cells. `None` if it would be wider than `widest`. `whole` is the graph without
/// steps in turn.
fn graph_with(
    scene: &Scene,
    whole: &Scene,
    source: &PictureSource<'_>,
    most: usize,
    widest: f64,
) -> Option<String> {
    let words = whole.words(&source.name, &source.names);
    let columns = columns(scene);
    let shapes: Vec<LayoutShape> =
        (0..scene.blocks.len()).map(|block| shape(scene, block, columns[block], most)).collect();
    let count = shapes.iter().map(|shape| shape.column + 1).max().unwrap_or(0);
    let column_width = |column: usize| {
        let widths = shapes.iter().filter(|shape| shape.column == column).map(|shape| shape.width);
        widths.fold(0.0, f64::max)
    };
    if (0..count).map(|column| column_width(column) + super::layout::GAP).sum::<f64>() > widest {
        return None;
    }
    let link = |wait: &SceneWait| Link {
        from: wait.first,
        to: wait.then,
        entry: wait.member.map_or(0, |member| member + 1),
        port: port(wait.until),
    };
    let links: Vec<Link> = scene.waits.iter().map(link).collect();
    let back: Vec<Link> =
        scene.back.iter().map(link).map(|link| Link { port: link.port + BACK, ..link }).collect();
    let corner = Corner { x: MARGIN, y: 0.0, between_lanes: BETWEEN_LANES };
    let mut layout = layout(&shapes, &links, &back, corner);
    // Where the words end depends on the width, which only the layout tells.
    let width = page_width(&words, layout.right + MARGIN);
    let top = words_end(&words, width);
    layout.move_down(top + HEAD);
    (width <= widest)
        .then(|| GraphDrawing { scene, whole, source, most, layout, columns, width, top }.draw(&words))
}

/// The column of each block: its wave. Where nothing waits, there is one wave, and it takes several columns.
fn columns(scene: &Scene) -> Vec<usize> {
    if !scene.waits.is_empty() || !scene.back.is_empty() {
        return scene.blocks.iter().map(|block| block.column).collect();
    }
    let lane = |block: &SceneBlock| usize::from(!scene.is_at_boot(block));
    let mut sizes = [0usize, 0];
    scene.blocks.iter().for_each(|block| sizes[lane(block)] += 1);
    let count = sizes[0].max(sizes[1]).div_ceil(ROWS).min(MOST_COLUMNS);
    let mut seen = [0, 0];
    let column = |block: &SceneBlock| {
        let (lane, rows) = (lane(block), sizes[lane(block)].div_ceil(count));
        seen[lane] += 1;
        (seen[lane] - 1) / rows
    };
    scene.blocks.iter().map(column).collect()
}

struct GraphDrawing<'a> {
    scene: &'a Scene,
    /// The graph without steps in turn.
    whole: &'a Scene,
    source: &'a PictureSource<'a>,
    /// The number of cells that a name may take.
    most: usize,
    layout: Layout,
    /// The column of each block.
    columns: Vec<usize>,
    width: f64,
    /// Where the bands begin.
    top: f64,
}

impl GraphDrawing<'_> {
    fn draw(&self, words: &PictureWords) -> String {
        let mut svg = Svg::default();
        let bottom = self.bands(&mut svg);
        for (block, place) in self.scene.blocks.iter().zip(&self.layout.places) {
            if let Some((name, about)) = &block.folder {
                let members: Vec<&str> =
                    block.boxes.iter().map(|one| self.scene.boxes[*one].name.as_str()).collect();
                let about = about.as_ref().map(|text| format!(". {text}")).unwrap_or_default();
                svg.begin("", &format!("{name}: bundle of {}{about}", members.join(", ")));
                marks::folder(&mut svg, *place, folder_tab(name, self.most));
                svg.text("n", place.x + FOLDER_SIDE, place.y + 15.0, &cut_to(name, self.most));
                svg.end();
            } else if block.is_in_turn() {
                self.frame_of_steps(&mut svg, block, *place);
            }
        }
        let numbered = self.whole.numbered();
        let circle: Vec<(usize, usize)> = self
            .scene
            .cycle
            .iter()
            .map(|wait| (self.block_of(wait.first), self.block_of(wait.then)))
            .collect();
        let is_in_cycle = |route: &super::layout::Route, to: Option<usize>| {
            circle.iter().any(|(first, then)| {
                let passes = self.columns[*then] > route.column + 1;
                *first == route.from && to.map_or(passes, |to| to == *then)
            })
        };
        lines::draw(&mut svg, &self.layout, is_in_cycle);
        lines::draw_back(&mut svg, self.scene, &self.layout.back);
        for (number, block) in self.scene.blocks.iter().enumerate() {
            for (position, one) in block.boxes.iter().enumerate() {
                self.draw_box(&mut svg, number, position, *one, &numbered);
            }
        }
        let mut y = legend(&mut svg, meanings(self.whole, self.scene, self.most), bottom + 8.0, self.width);
        y = self.cycle(&mut svg, y, &numbered);
        let bundles: Vec<String> = self
            .scene
            .bundles
            .iter()
            .take(MOST_BUNDLES)
            .map(|(name, members)| match &members[..] {
                [] => format!("{name} (empty)"),
                members => format!("{name} = {}", listed(members, MOST_MEMBERS)),
            })
            .collect();
        if !bundles.is_empty() {
            y = self.sentence(&mut svg, "s", y, &format!("Other bundles: {}.", bundles.join("; ")));
        }
        if let Some(sentence) = self.scene.not_shown() {
            y = self.sentence(&mut svg, "s", y, &sentence);
        }
        svg.finish(words, self.width, (y + 12.0).round())
    }

    /// Draws what joins steps in turn.
    fn frame_of_steps(&self, svg: &mut Svg, block: &SceneBlock, place: BoxPlace) {
        let names: Vec<&str> = block.boxes.iter().map(|one| self.scene.boxes[*one].name.as_str()).collect();
        svg.begin("", &format!("one after the other: {}", names.join(", ")));
        svg.rectangle("B", [place.x, place.y, place.width, place.height], 5.0);
        svg.text("w", place.x + FOLDER_SIDE, place.y + 17.0, &steps_head(names.len()));
        for position in 1..block.boxes.len() {
            let before = &self.scene.boxes[block.boxes[position - 1]];
            let end = place.y + box_top(block, position);
            marks::step(svg, before.awaited, place.x + FOLDER_SIDE + 24.0, [end - (STEP - BOX), end]);
        }
        svg.end();
    }

    fn block_of(&self, one: usize) -> usize {
        self.scene.blocks.iter().position(|block| block.boxes.contains(&one)).unwrap_or(0)
    }

    /// Draws the columns and the lanes. Returns where they end.
    fn bands(&self, svg: &mut Svg) -> f64 {
        let back = self.layout.back.iter().map(|route| route.row).fold(0.0, f64::max);
        let lanes = &self.layout.lanes;
        let bottom = lanes.last().map_or(self.top, |lane| lane.1).max(back) + 14.0;
        let mut last_wave = 0;
        for (number, Column { x, width }) in self.layout.columns.iter().enumerate() {
            let in_column = |(block, column): (_, &usize)| (*column == number).then_some(block);
            let here = || self.scene.blocks.iter().zip(&self.columns).filter_map(in_column);
            svg.rectangle("band", [x - BAND, self.top, width + 2.0 * BAND, bottom - self.top], 6.0);
            let is_never = here().any(|block| block.is_never);
            if is_never {
                svg.text("w ct", x + 2.0, self.top + 17.0, &format!("cannot {}", self.scene.verb()));
            } else if let Some((first, last)) = self.waves(here()) {
                if first == last && first > last_wave {
                    svg.text("w", x + 2.0, self.top + 17.0, &format!("Wave {first}"));
                } else if first < last {
                    svg.text("w", x + 2.0, self.top + 17.0, &format!("Waves {first} to {last}"));
                }
                last_wave = last;
            }
            svg.line();
        }
        let on_demand = match &lanes[..] {
            [boot, on_demand, ..] => {
                let y = boot.1.max(back) + 14.0;
                svg.path(
                    "hr",
                    &format!("M8 {}H{}", super::frame::number(y), super::frame::number(self.width - 8.0)),
                );
                Some((y, on_demand.0))
            }
            [only] if self.scene.blocks.iter().all(|block| !self.scene.is_at_boot(block)) => {
                Some((self.top, only.0))
            }
            _ => None,
        };
        if let Some((y, _)) = on_demand {
            svg.text("w", MARGIN + 2.0, y + 18.0, "On demand");
            svg.line();
        }
        bottom
    }

    /// The first and the last wave of some blocks that start at boot.
    fn waves<'b>(&self, blocks: impl Iterator<Item = &'b SceneBlock>) -> Option<(usize, usize)> {
        let mut waves = BTreeSet::new();
        for block in blocks.filter(|block| self.scene.is_at_boot(block)) {
            let steps = if block.is_in_turn() { block.boxes.len() } else { 1 };
            waves.extend((block.wave..block.wave + steps).filter_map(|wave| self.whole.wave_number(wave)));
        }
        Some((*waves.first()?, *waves.last()?))
    }

    fn draw_box(&self, svg: &mut Svg, block: usize, position: usize, one: usize, numbered: &[usize]) {
        let place = self.layout.places[block];
        let place = match &self.scene.blocks[block] {
            SceneBlock { boxes, .. } if boxes.len() == 1 => place,
            several => BoxPlace {
                x: place.x + FOLDER_SIDE,
                y: place.y + box_top(several, position),
                width: place.width - 2.0 * FOLDER_SIDE,
                height: BOX,
            },
        };
        let block = self.whole.blocks.iter().position(|block| block.boxes.contains(&one)).unwrap_or(block);
        let number = numbered.iter().position(|other| *other == one);
        let one = &self.scene.boxes[one];
        svg.begin("N", &self.whole.box_title(block, one));
        marks::draw_box(svg, one, self.most, place, if number.is_some() { " c" } else { "" });
        if let Some(number) = number {
            badge(svg, number, place.x + 4.0, place.y - 2.0);
        }
        svg.end();
    }

    /// The sentences on a dependency cycle: one for each wait, with its place.
    fn cycle(&self, svg: &mut Svg, mut y: f64, numbered: &[usize]) -> f64 {
        let name = |one: usize| {
            let number = numbered.iter().position(|other| *other == one).unwrap_or(0) + 1;
            format!("({number}) {}", cut(&self.scene.boxes[one].name))
        };
        for (number, wait) in self.scene.cycle.iter().enumerate() {
            if number == 0 && self.scene.decisive > 0 {
                let text = match self.scene.decisive {
                    1 => "Every cycle has this wait. Without it there is none:",
                    _ => "Every cycle has all of these waits. Without one of them there is none:",
                };
                y = self.sentence(svg, "s ct", y, text);
            } else if number == self.scene.decisive {
                let text =
                    if number == 0 { "The waits of the cycles:" } else { "The other waits of the cycles:" };
                y = self.sentence(svg, "s ct", y, text);
            }
            let place =
                wait.origin.map(|origin| format!(", {}", (self.source.place)(origin))).unwrap_or_default();
            let through =
                wait.bundle.as_ref().map(|name| format!(", a member of {}", cut(name))).unwrap_or_default();
            let text = format!(
                "{} waits for {}{through} ({}){place}",
                name(wait.then),
                name(wait.first),
                wait.until.word()
            );
            y = self.sentence(svg, "s", y, &text);
        }
        y
    }

    fn sentence(&self, svg: &mut Svg, class: &str, mut y: f64, text: &str) -> f64 {
        for line in wrapped(text, self.width) {
            y += LINE;
            svg.text(class, MARGIN, y - 2.0, &line);
            svg.line();
        }
        y
    }
}

/// Draws the number of a box in a cycle.
fn badge(svg: &mut Svg, number: usize, x: f64, y: f64) {
    svg.circle("cf", x, y, 9.0);
    svg.text("q", x, y + 4.5, &(number + 1).to_string());
}
