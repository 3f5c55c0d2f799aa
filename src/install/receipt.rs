//! The receipt: a file beside the definitions that lists every path that s6gen made.

use std::borrow::Cow;

use crate::disk::path::is_plain;

pub use crate::tree::RECEIPT;

const TITLE: &str = "# s6gen receipt ";
const VERSION: &str = "1";
const REST_OF_TITLE: &str =
    ": what s6gen made in this image, and may replace or remove; leave it beside its files";

/// The paths that s6gen made below the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Receipt {
    /// One for each path, sorted and without repeats. Directories end with `/`.
    lines: Vec<String>,
}

/// The line of a receipt for a path.
pub(super) fn line(path: &str, directory: bool) -> String {
    format!("{path}{}", if directory { "/" } else { "" })
}

impl Receipt {
    /// The receipt with these lines, in any order.
    pub fn of(mut lines: Vec<String>) -> Receipt {
        lines.sort();
        lines.dedup();
        Receipt { lines }
    }

    /// Parses the text of a receipt. The error says what is wrong with it.
    pub fn parse(text: &[u8]) -> Result<Self, &'static str> {
        let text = std::str::from_utf8(text).map_err(|_| "it is not text")?;
        let (title, body) = text.split_once('\n').unwrap_or((text, ""));
        let title = title.strip_prefix(TITLE).ok_or("it is not a receipt of s6gen")?;
        if title.split(':').next() != Some(VERSION) {
            return Err("it was written by a newer s6gen");
        }
        // If the last line is cut off, it may name a directory above the intended path. A line that is not plain may name a
        // path outside of the root.
        let whole = body.is_empty() || body.ends_with('\n');
        if !whole || !body.lines().all(|line| is_plain(line.strip_suffix('/').unwrap_or(line))) {
            return Err("it is damaged");
        }
        Ok(Receipt::of(body.lines().map(str::to_owned).collect()))
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let mut text = format!("{TITLE}{VERSION}{REST_OF_TITLE}\n");
        text.reserve_exact(self.lines.iter().map(|line| line.len() + 1).sum());
        for line in &self.lines {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// The paths in byte order, each with whether it is a directory.
    pub fn paths(&self) -> impl DoubleEndedIterator<Item = (&str, bool)> {
        self.lines.iter().map(|line| match line.strip_suffix('/') {
            Some(path) => (path, true),
            None => (line.as_str(), false),
        })
    }

    /// Whether s6gen made this directory, or this file or link.
    pub fn owns(&self, path: &str, directory: bool) -> bool {
        let order = |line: &String| match (line.strip_prefix(path), directory) {
            (Some(rest), true) => rest.cmp("/"),
            (Some(rest), false) => rest.cmp(""),
            (None, _) => line.as_str().cmp(path),
        };
        self.lines.binary_search_by(order).is_ok()
    }

    /// The paths that are in at least one of two receipts.
    pub fn union<'r>(&'r self, other: &'r Receipt) -> Cow<'r, Receipt> {
        // A receipt of a large system is large, and mostly one of the two is empty or both are equal.
        if self.lines.is_empty() || self == other {
            return Cow::Borrowed(other);
        }
        if other.lines.is_empty() {
            return Cow::Borrowed(self);
        }
        Cow::Owned(Receipt::of(self.lines.iter().chain(&other.lines).cloned().collect()))
    }
}
