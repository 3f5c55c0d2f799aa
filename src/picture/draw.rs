//! Draws a graph: places what a [`Scene`] shows, and draws it as SVG.

use super::boxes::{BoxKind, SceneBox};
use super::folders::SceneBlock;
use super::frame::{LINE, MARGIN, Svg, Words, page_width, words_end, wrapped};
use super::layout::{BoxPlace, Column, Corner, Layout, Link, Shape, layout};
use super::legend::{DrawMark, LegendItem, legend};
use super::lines::{self, BACK, port};
use super::marks::{self, BOX, box_width};
use super::scene::Scene;
use super::sentences::meaning;
use super::text::{NAME_CHARACTER, cells, cut};
use crate::diagnostic::Origin;
use crate::plan::{Awaited, OrderDirection};

/// The space between the side of a column's band and its boxes.
const BAND: f64 = 5.0;
/// The height of the head of a band.
const HEAD: f64 = 30.0;
/// The space between two lanes.
const BETWEEN_LANES: f64 = 54.0;
/// The height of a folder without its boxes, and of each box with its space.
const FOLDER: f64 = 26.0;
const FOLDER_BOX: f64 = 40.0;
/// The space between the side of a folder and its boxes.
const FOLDER_SIDE: f64 = 9.0;
/// The least width of a box: `On demand` stands beside the first column.
const LEAST_BOX: f64 = 66.0;
/// The widest picture that is still readable.
const MOST_WIDTH: f64 = 1600.0;

/// What is told about the services of a graph beside the graph.
pub struct Source<'a> {
    /// The manifest or tree.
    pub name: String,
    /// The services that were asked for.
    pub names: Vec<String>,
    /// The place of a dependency, as `services.toml:12`.
    pub place: &'a dyn Fn(Origin) -> String,
}

/// Draws a graph. `None` if it would be too wide.
pub fn graph(scene: &Scene, source: &Source<'_>) -> Option<String> {
    let words = scene.words(&source.name, &source.names);
    let shapes: Vec<Shape> = scene.blocks.iter().map(|block| shape(scene, block)).collect();
    let count = shapes.iter().map(|shape| shape.column + 1).max().unwrap_or(0);
    let column_width = |column: usize| {
        let widths = shapes.iter().filter(|shape| shape.column == column).map(|shape| shape.width);
        widths.fold(0.0, f64::max)
    };
    if (0..count).map(|column| column_width(column) + super::layout::GAP).sum::<f64>() > MOST_WIDTH {
        return None;
    }
    let link =
        |wait: &super::scene::SceneWait| Link { from: wait.first, to: wait.then, port: port(wait.until) };
    let links: Vec<Link> = scene.waits.iter().map(link).collect();
    let back: Vec<Link> =
        scene.back.iter().map(link).map(|link| Link { port: link.port + BACK, ..link }).collect();
    let corner = Corner { x: MARGIN, y: 0.0, between_lanes: BETWEEN_LANES };
    let mut layout = layout(&shapes, &links, &back, corner);
    // Where the words end depends on the width, which only the layout tells.
    let width = page_width(&words, layout.right + MARGIN);
    let top = words_end(&words, width);
    layout.move_down(top + HEAD);
    (width <= MOST_WIDTH).then(|| GraphDrawing { scene, source, layout, width, top }.draw(&words))
}

fn shape(scene: &Scene, block: &SceneBlock) -> Shape {
    let widest = block.boxes.iter().map(|one| box_width(&scene.boxes[*one])).fold(0.0, f64::max);
    let (width, height) = match &block.folder {
        None => (widest.max(LEAST_BOX), BOX),
        Some((name, _)) => (
            (widest + 2.0 * FOLDER_SIDE).max(folder_tab(name) + 40.0),
            FOLDER + FOLDER_BOX * block.boxes.len() as f64,
        ),
    };
    let has_boot = scene.blocks.iter().any(|block| scene.is_at_boot(block));
    let lane = usize::from(has_boot && !scene.is_at_boot(block));
    Shape { width, height, column: block.wave - 1, lane }
}

fn folder_tab(name: &str) -> f64 {
    NAME_CHARACTER * cells(&cut(name)) as f64 + 8.0
}

struct GraphDrawing<'a> {
    scene: &'a Scene,
    source: &'a Source<'a>,
    layout: Layout,
    width: f64,
    /// Where the bands begin.
    top: f64,
}

impl GraphDrawing<'_> {
    fn draw(&self, words: &Words) -> String {
        let mut svg = Svg::default();
        let bottom = self.bands(&mut svg);
        for (block, place) in self.scene.blocks.iter().zip(&self.layout.places) {
            if let Some((name, about)) = &block.folder {
                let members: Vec<&str> =
                    block.boxes.iter().map(|one| self.scene.boxes[*one].name.as_str()).collect();
                let about = about.as_ref().map(|text| format!(". {text}")).unwrap_or_default();
                svg.begin("", &format!("{name}: bundle of {}{about}", members.join(", ")));
                marks::folder(&mut svg, *place, folder_tab(name));
                svg.text("n", place.x + FOLDER_SIDE, place.y + 15.0, &cut(name));
                svg.end();
            }
        }
        let numbered = self.scene.numbered();
        let circle: Vec<(usize, usize)> = self
            .scene
            .cycle
            .iter()
            .map(|wait| (self.block_of(wait.first), self.block_of(wait.then)))
            .collect();
        let is_in_cycle = |route: &super::layout::Route, to: Option<usize>| {
            circle.iter().any(|(first, then)| {
                let passes = self.scene.blocks[*then].wave - 1 > route.column + 1;
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
        let mut y = legend(&mut svg, self.legend(), bottom + 8.0, self.width);
        y = self.cycle(&mut svg, y, &numbered);
        let bundles: Vec<String> = self
            .scene
            .bundles
            .iter()
            .map(|(name, members)| match &members[..] {
                [] => format!("{name} (empty)"),
                members => format!("{name} = {}", members.join(", ")),
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

    fn block_of(&self, one: usize) -> usize {
        self.scene.blocks.iter().position(|block| block.boxes.contains(&one)).unwrap_or(0)
    }

    /// Draws the columns and the lanes. Returns where they end.
    fn bands(&self, svg: &mut Svg) -> f64 {
        let back = self.layout.back.iter().map(|route| route.row).fold(0.0, f64::max);
        let lanes = &self.layout.lanes;
        let bottom = lanes.last().map_or(self.top, |lane| lane.1).max(back) + 14.0;
        let mut has_never = false;
        for (number, Column { x, width }) in self.layout.columns.iter().enumerate() {
            let here = || self.scene.blocks.iter().filter(|block| block.wave == number + 1);
            svg.rectangle("band", [x - BAND, self.top, width + 2.0 * BAND, bottom - self.top], 6.0);
            let is_never = here().any(|block| block.is_never);
            if is_never && !has_never {
                svg.text("w ct", x + 2.0, self.top + 17.0, &format!("cannot {}", self.scene.verb()));
                has_never = true;
            } else if let Some(wave) = self.scene.wave_number(number + 1).filter(|_| !is_never) {
                svg.text("w", x + 2.0, self.top + 17.0, &format!("Wave {wave}"));
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

    fn draw_box(&self, svg: &mut Svg, block: usize, position: usize, one: usize, numbered: &[usize]) {
        let place = self.layout.places[block];
        let place = match self.scene.blocks[block].folder {
            None => place,
            Some(_) => BoxPlace {
                x: place.x + FOLDER_SIDE,
                y: place.y + FOLDER + FOLDER_BOX * position as f64,
                width: place.width - 2.0 * FOLDER_SIDE,
                height: BOX,
            },
        };
        let number = numbered.iter().position(|other| *other == one);
        let one = &self.scene.boxes[one];
        svg.begin("N", &self.scene.box_title(block, one));
        marks::draw_box(svg, one, place, if number.is_some() { " c" } else { "" });
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

    fn legend(&self) -> Vec<LegendItem> {
        let boxes = || self.scene.boxes.iter();
        let mut items = Vec::new();
        let mut add = |occurs: bool, width: f64, words: &'static str, draw: DrawMark| {
            if occurs {
                items.push(LegendItem { width, draw, words });
            }
        };
        let small = |kind: BoxKind, class: &'static str| -> DrawMark {
            Box::new(move |svg, x, y| {
                marks::outline(svg, kind, class, BoxPlace { x, y: y - 8.0, width: 26.0, height: 16.0 }, 6.0);
            })
        };
        let has_kind = |kind| boxes().any(|one| one.kind == kind);
        add(has_kind(BoxKind::Longrun), 26.0, "longrun: stays up", small(BoxKind::Longrun, ""));
        add(has_kind(BoxKind::Oneshot), 26.0, "oneshot: runs once", small(BoxKind::Oneshot, ""));
        add(has_kind(BoxKind::Elsewhere), 26.0, "defined in another layer", small(BoxKind::Elsewhere, ""));
        let has_folder = self.scene.blocks.iter().any(|block| block.folder.is_some());
        add(
            has_folder,
            26.0,
            "bundle: several under one name",
            Box::new(|svg, x, y| {
                let [x, y] = [x, y + 8.0].map(super::frame::number);
                svg.path("B", &format!("M{x} {y}v-16h12l3 4h11v12z"));
            }),
        );
        add(
            boxes().any(|one| one.instances.is_some()),
            28.0,
            "template: any number of instances",
            Box::new(|svg, x, y| {
                for shift in [4.0, 0.0] {
                    let place = BoxPlace { x: x + shift, y: y - 5.0 - shift, width: 22.0, height: 14.0 };
                    marks::outline(svg, BoxKind::Longrun, "", place, 4.0);
                }
            }),
        );
        let is_dashed = boxes().any(|one| one.is_on_demand);
        let dashed = if self.scene.direction == OrderDirection::Up {
            "on demand: not started at boot"
        } else {
            "on demand"
        };
        add(is_dashed, 26.0, dashed, small(BoxKind::Longrun, " d"));
        for until in [Awaited::Done, Awaited::Ready, Awaited::Forked, Awaited::Up, Awaited::Down] {
            let occurs = self.scene.waits.iter().chain(&self.scene.back).any(|wait| wait.until == until);
            add(
                occurs,
                30.0,
                meaning(until),
                Box::new(move |svg, x, y| {
                    let [from, line, to] =
                        [x, y, x + 31.0 - marks::end_space(until)].map(super::frame::number);
                    svg.path("e", &format!("M{from} {line}H{to}"));
                    marks::end(svg, until, x + 31.0, y, "");
                }),
            );
        }
        let has = |test: fn(&SceneBox) -> bool| boxes().any(test);
        add(has(|one| one.has_logger), 9.0, "has a logger", Box::new(marks::logger));
        add(
            has(|one| one.has_condition),
            12.0,
            "runs only if its condition holds",
            Box::new(|svg, x, y| {
                marks::condition(svg, x + 6.0, y);
            }),
        );
        add(
            has(|one| one.stops_container),
            14.0,
            "its failure stops the container",
            Box::new(|svg, x, y| {
                marks::stop(svg, x + 7.0, y);
            }),
        );
        let is_cut = |one: &SceneBox| cut(&one.name) != one.name;
        add(
            has(is_cut),
            22.0,
            "shortened: point at it for the whole name",
            Box::new(|svg, x, y| {
                svg.text("n", x, y + 5.0, "a…z");
            }),
        );
        add(
            !self.scene.cycle.is_empty(),
            26.0,
            "in the cycle",
            Box::new(|svg, x, y| {
                svg.path("e c", &format!("M{} {}h26", super::frame::number(x), super::frame::number(y)));
            }),
        );
        items
    }
}

/// Draws the number of a box in a cycle.
fn badge(svg: &mut Svg, number: usize, x: f64, y: f64) {
    svg.circle("cf", x, y, 9.0);
    svg.text("q", x, y + 4.5, &(number + 1).to_string());
}
