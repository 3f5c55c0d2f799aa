//! A text after its expansion: plain parts, and parts that have to wait for the start.

use super::{Expanded, Piece};

impl Expanded {
    /// A text without variables.
    pub fn plain(text: &str) -> Self {
        let mut expanded = Expanded::default();
        expanded.push_text(text);
        expanded
    }

    /// The text, if nothing in it has to wait for the start.
    pub fn text(&self) -> Option<String> {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Plain(text) => Some(text.as_str()),
            Piece::Variable(_) | Piece::Number(_) => None,
        });
        pieces.collect()
    }

    /// The text, with what has to wait for the start as supervisord writes it: `%(ENV_NAME)s`.
    pub fn as_written(&self) -> String {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Plain(text) => text.clone(),
            Piece::Variable(name) => format!("%(ENV_{name})s"),
            Piece::Number(format) => format!("%(process_num){format}"),
        });
        pieces.collect()
    }

    /// Whether a variable decides a part of it.
    pub fn has_variable(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Variable(_)))
    }

    pub(super) fn push(&mut self, piece: Piece) {
        match piece {
            Piece::Plain(text) => self.push_text(&text),
            piece => self.0.push(piece),
        }
    }

    pub(super) fn push_text(&mut self, text: &str) {
        match self.0.last_mut() {
            Some(Piece::Plain(last)) => last.push_str(text),
            _ if text.is_empty() => {}
            _ => self.0.push(Piece::Plain(text.to_owned())),
        }
    }

    pub(super) fn push_letter(&mut self, letter: char) {
        self.push_text(letter.encode_utf8(&mut [0; 4]));
    }

    /// Its characters. What has to wait for the start counts as one.
    pub(super) fn units(&self) -> Vec<Unit<'_>> {
        let mut units = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Plain(text) => units.extend(text.chars().map(Unit::Letter)),
                piece => units.push(Unit::Open(piece)),
            }
        }
        units
    }
}

/// A character of a text, or a part that has to wait for the start.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unit<'t> {
    Letter(char),
    Open(&'t Piece),
}
