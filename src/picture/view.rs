//! What of an order a graph is to show.

use crate::model::Node;

/// What of an order to show.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The services that were asked for. Without names it is everything.
    pub names: &'a [Node],
    /// Whether loggers and services of s6 itself are shown too.
    pub shows_all: bool,
}
