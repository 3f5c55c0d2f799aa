//! The graph of an order in each format.

use super::cycle::members;
use super::draw::{PictureSource, graph};
use super::flowchart::{flowchart, too_large};
use super::graphviz::digraph;
use super::overview::overview;
use super::page::page;
use super::scene::Scene;
use super::view::View;
use crate::plan::StartOrder;

/// The number of boxes with which a picture is still readable.
const MOST_DRAWN: usize = 80;
/// The number of boxes that Mermaid draws: GitHub refuses more than 500 lines.
const MOST_IN_MERMAID: usize = 200;

/// The graph as one SVG document. If it is too large, it shows how many services there are; a dependency cycle is drawn alone
/// then.
pub fn svg(order: &StartOrder<'_>, view: View<'_>, source: &PictureSource<'_>) -> String {
    let draw =
        |order: &StartOrder<'_>| Scene::new(order, view, MOST_DRAWN).and_then(|scene| graph(&scene, source));
    let cycle = || {
        let members = members(order);
        members.contains(&true).then(|| order.only(&members))
    };
    let drawn = draw(order).or_else(|| cycle().as_ref().and_then(draw));
    drawn.unwrap_or_else(|| overview(order, view, source))
}

/// The graph as a page, with `text` below it.
pub fn html(order: &StartOrder<'_>, view: View<'_>, source: &PictureSource<'_>, text: &str) -> String {
    let svg = svg(order, view, source);
    let width = svg.split_once("viewBox=\"0 0 ").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
    page(&svg, &format!("{}: services", source.name), width.unwrap_or(700.0), text)
}

/// The graph for Mermaid.
pub fn mermaid(order: &StartOrder<'_>, view: View<'_>) -> String {
    let scene =
        Scene::new(order, view, MOST_IN_MERMAID).filter(|scene| scene.waits.len() + scene.back.len() <= 500);
    scene.map_or_else(too_large, |scene| flowchart(&scene))
}

/// The graph for Graphviz.
pub fn dot(order: &StartOrder<'_>, view: View<'_>) -> String {
    Scene::new(order, view, usize::MAX).map(|scene| digraph(&scene)).unwrap_or_default()
}
