//! Problems for people and for programs.

mod envelope;
mod human;
mod json;

pub use envelope::Envelope;
pub use human::{Style, human};
pub use json::json;

use crate::diagnostic::Origin;

/// Line and column of an offset, both from 1; the column counts characters.
fn position(text: &[u8], origin: Origin) -> (usize, usize) {
    let before = &text[..origin.span().start.min(text.len())];
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    (line, 1 + String::from_utf8_lossy(&before[start..]).chars().count())
}
