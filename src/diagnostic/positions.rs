//! Where the characters of a text stand that was read out of a file, escapes included.

use std::ops::Range;

use super::{FileId, Origin};

/// Where each byte of a text stands in the file that it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Positions {
    /// The text as a whole.
    whole: Origin,
    /// Where the first byte stands in the file. Most texts are one run from there on: text and file are the same.
    start: u32,
    /// Where further runs of bytes begin, in the text and in the file. Nothing is known of a run that begins at `NOWHERE`.
    runs: Box<[(u32, u32)]>,
}

const NOWHERE: u32 = u32::MAX;

impl Positions {
    /// Those of a text that is all of a file.
    pub fn of_file(file: FileId) -> Self {
        Positions { whole: Origin::whole(file), start: 0, runs: Box::default() }
    }

    /// Those of a text of which only the place as a whole is known.
    pub fn unknown(whole: Origin) -> Self {
        Positions { whole, start: NOWHERE, runs: Box::default() }
    }

    /// Those of a text that stands in the file from the offset `start` on as it is.
    pub fn plain(whole: Origin, start: usize) -> Self {
        Positions { whole, start: cut(start), runs: Box::default() }
    }

    /// Those of a text in which runs of bytes begin at these places of the text and of the file.
    pub fn new(whole: Origin, mut runs: Vec<(u32, u32)>) -> Self {
        if runs.is_empty() {
            return Positions::unknown(whole);
        }
        let (_, start) = runs.remove(0);
        Positions { whole, start, runs: runs.into() }
    }

    /// The text as a whole.
    pub fn whole(&self) -> Origin {
        self.whole
    }

    /// Where the bytes `span` of the text stand; the text as a whole where that is not known.
    pub fn at(&self, span: Range<usize>) -> Origin {
        self.exactly(span).unwrap_or(self.whole)
    }

    /// Where the bytes `span` of the text stand, if that is known.
    pub fn exactly(&self, span: Range<usize>) -> Option<Origin> {
        let (first, last) = (cut(span.start), cut(span.end.saturating_sub(1)).max(cut(span.start)));
        let (start, _) = self.byte(first)?;
        let end = match span.is_empty() {
            true => start,
            false => self.byte(last).map(|(at, length)| at + length)?,
        };
        Some(Origin::new(self.whole.file, start as usize..end.max(start) as usize))
    }

    /// Where a byte of the text stands in the file, and how many bytes it has there.
    fn byte(&self, offset: u32) -> Option<(u32, u32)> {
        let behind = self.runs.partition_point(|(text, _)| *text <= offset);
        let (text, file) = behind.checked_sub(1).map_or((0, self.start), |before| self.runs[before]);
        if file == NOWHERE {
            return None;
        }
        let at = file + (offset - text);
        let next = self.runs.get(behind).filter(|(_, file)| *file != NOWHERE);
        let length = match next {
            // An escape is a run of its own; before a line end of CR LF a run is one byte longer in the file.
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

    /// Those of `expanded`, which was made of `written` by replacing parts of lines. Of such a line nothing more is known
    /// than where the whole text is.
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

    /// Adds the runs of the bytes `line`, which begin at `to` in another text.
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
