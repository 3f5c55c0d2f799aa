//! Divides a file into lines, as Python does, and finds their comments.

use std::ops::Range;

use super::python::{is_space, strip};

/// What some editors write at the beginning of a file.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// The text of a file, in which a `?` stands for each byte that is not UTF-8, and the place of the first such bytes.
pub(super) fn decode(bytes: &[u8]) -> (String, Option<Range<usize>>) {
    let mut text = String::with_capacity(bytes.len());
    let mut error = None;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        let invalid = chunk.invalid().len();
        if invalid > 0 {
            error.get_or_insert(text.len()..text.len() + invalid);
            text.extend(std::iter::repeat_n('?', invalid));
        }
    }
    (text, error)
}

/// A line without its end and its comment.
pub(super) struct ConfigLine<'t> {
    /// Where its value begins in the file.
    start: usize,
    /// Its text, without white space around it and without its comment.
    pub value: &'t str,
    /// Its comment, without its mark.
    pub comment: Option<&'t str>,
    /// The number of characters before its first one that is not white space.
    pub indent: usize,
}

impl<'t> ConfigLine<'t> {
    /// The line that begins at `start`, and where the next one begins. Lines end with LF, CR or both.
    pub fn at(text: &'t str, start: usize) -> (Self, usize) {
        let rest = &text[start..];
        let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let end = if rest[length..].starts_with("\r\n") { 2 } else { 1 };
        let line = &rest[..length];
        let begun = line.trim_start_matches(is_space);
        let indent = line[..line.len() - begun.len()].chars().count();
        let cut =
            if begun.starts_with(['#', ';']) { Some(line.len() - begun.len()) } else { comment_start(line) };
        let comment = cut.map(|cut| strip(line[cut..].trim_start_matches(['#', ';'])));
        let uncommented = &line[..cut.unwrap_or(line.len())];
        let value = strip(uncommented);
        let before = uncommented.len() - uncommented.trim_start_matches(is_space).len();
        (ConfigLine { start: start + before, value, comment, indent }, start + length + end)
    }

    pub fn span(&self) -> Range<usize> {
        self.start..self.start + self.value.len()
    }

    /// The name of the section that begins here.
    pub fn heading(&self) -> Option<&'t str> {
        let end = self.value.rfind(']')?;
        self.value[..end].strip_prefix('[').filter(|name| !name.is_empty())
    }
}

/// Where the comment after a value begins. Python looks at the first `;` and the first `#`, then at the second ones and so on, and
/// stops as soon as one of the two follows white space, although an earlier one of the other kind may do so too.
fn comment_start(line: &str) -> Option<usize> {
    let mut marks = [line.match_indices(';'), line.match_indices('#')];
    loop {
        let pair: Vec<usize> =
            marks.iter_mut().filter_map(|marks| marks.next().map(|(place, _)| place)).collect();
        let follows_space = |place: &usize| line[..*place].chars().next_back().is_none_or(is_space);
        let first = pair.iter().copied().filter(follows_space).min();
        if first.is_some() || pair.is_empty() {
            return first;
        }
    }
}
