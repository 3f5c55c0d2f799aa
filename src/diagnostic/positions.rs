//! The places of the characters of a text in the file that it was read from, also in strings with escapes.

use std::ops::Range;
use std::sync::Arc;

use super::{FileId, Origin};

/// The place of each byte of a text in the file that it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Positions {
    /// The place of the whole text.
    whole: Origin,
    /// The offset in the file at which the text begins. Most texts are one run: from there on, the bytes of the file are those of
    /// the text.
    start: u32,
    /// The offsets of further runs, in the text and in the file. The place of a run that begins at `NOWHERE` is unknown.
    runs: Arc<[(u32, u32)]>,
}

const NOWHERE: u32 = u32::MAX;

impl Positions {
    /// The positions of a text that is a whole file.
    pub fn of_file(file: FileId) -> Self {
        Positions { whole: Origin::whole(file), start: 0, runs: Arc::default() }
    }

    /// The positions of a text of which only the place of the whole text is known.
    pub fn unknown(whole: Origin) -> Self {
        Positions { whole, start: NOWHERE, runs: Arc::default() }
    }

    /// The positions of a text that is in the file unchanged, from the offset `start` on.
    pub fn plain(whole: Origin, start: usize) -> Self {
        Positions { whole, start: cut(start), runs: Arc::default() }
    }

    /// The positions of a text with these runs: the offsets of each one in the text and in the file.
    pub fn new(whole: Origin, mut runs: Vec<(u32, u32)>) -> Self {
        if runs.is_empty() {
            return Positions::unknown(whole);
        }
        let (_, start) = runs.remove(0);
        Positions { whole, start, runs: runs.into() }
    }

    /// The place of the whole text.
    pub fn whole(&self) -> Origin {
        self.whole
    }

    /// The place of the bytes `span` of the text. If it is not known, the place of the whole text.
    pub fn at(&self, span: Range<usize>) -> Origin {
        self.exactly(span).unwrap_or(self.whole)
    }

    /// The place of the bytes `span` of the text, if it is known.
    pub fn exactly(&self, span: Range<usize>) -> Option<Origin> {
        let (first, last) = (cut(span.start), cut(span.end.saturating_sub(1)).max(cut(span.start)));
        let (start, _) = self.byte(first)?;
        let end = match span.is_empty() {
            true => start,
            false => self.byte(last).map(|(at, length)| at + length)?,
        };
        Some(Origin::new(self.whole.file, start as usize..end.max(start) as usize))
    }

    /// The offset of a byte of the text in the file, and its number of bytes there.
    fn byte(&self, offset: u32) -> Option<(u32, u32)> {
        let behind = self.runs.partition_point(|(text, _)| *text <= offset);
        let (text, file) = behind.checked_sub(1).map_or((0, self.start), |before| self.runs[before]);
        if file == NOWHERE {
            return None;
        }
        let at = file + (offset - text);
        let next = self.runs.get(behind).filter(|(_, file)| *file != NOWHERE);
        let length = match next {
            // An escape is a separate run. Before a line end CR LF a run is one byte longer in the file.
            Some((next_text, next_file)) if offset + 1 == *next_text => {
                match (next_text - text, next_file - file) {
                    (1, 2 | 4 | 6 | 10) | (2..=4, 6 | 10) => next_file - at,
                    _ => 1,
                }
            }
            _ => 1,
        };
        Some((at, length))
    }

    /// The positions of `expanded`, which was made from `written` by replacing parts of lines. For such a line only the place
    /// of the whole text is known.
    #[must_use]
    pub fn expanded(&self, written: &str, expanded: &str) -> Positions {
        if written == expanded {
            return self.clone();
        }
        if written.matches('\n').count() != expanded.matches('\n').count() || self.start == NOWHERE {
            return Positions::unknown(self.whole);
        }
        let mut runs = Vec::new();
        let (mut from, mut to) = (0, 0);
        for (before, after) in written.split_inclusive('\n').zip(expanded.split_inclusive('\n')) {
            match before == after {
                true => self.add_line(from..from + before.len(), to, &mut runs),
                false => runs.push((cut(to), NOWHERE)),
            }
            (from, to) = (from + before.len(), to + after.len());
        }
        Positions::new(self.whole, runs)
    }

    /// Adds the runs of the bytes `line`, which are at the offset `to` in another text.
    fn add_line(&self, line: Range<usize>, to: usize, runs: &mut Vec<(u32, u32)>) {
        let start = cut(line.start);
        runs.push((cut(to), self.byte(start).map_or(NOWHERE, |(at, _)| at)));
        let inside = |text: &u32| *text > start && (*text as usize) < line.end;
        let later = self.runs.iter().filter(|(text, _)| inside(text));
        runs.extend(later.map(|(text, file)| (cut(to) + text - start, *file)));
    }
}

fn cut(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
