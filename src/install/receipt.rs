//! The receipt: a file beside the definitions that lists every path that s6gen made.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use crate::disk::path::is_plain;

pub use crate::tree::RECEIPT;

const TITLE: &str = "# s6gen receipt ";
const VERSION: &str = "1";
const REST_OF_TITLE: &str =
    ": what s6gen made in this image, and may replace or remove; leave it beside its files";

/// A path, and whether it is a directory.
type ReceiptLine<'p> = (&'p str, bool);

/// The paths that s6gen made below the root. Copies share them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Receipt(Arc<ReceiptLines>);

#[derive(Debug, Default, PartialEq, Eq)]
struct ReceiptLines {
    /// A line for each path, sorted and without repeats. Directories end with `/`. They are one text because a large system
    /// has hundreds of thousands of them.
    lines: String,
    /// Where each line begins.
    starts: Vec<usize>,
}

/// The order of two lines. A line is not only its path: `a-b` comes before `a/`.
fn order(one: ReceiptLine<'_>, other: ReceiptLine<'_>) -> Ordering {
    let (first, second) = (one.0.as_bytes(), other.0.as_bytes());
    let shared = first.len().min(second.len());
    let end = |is_directory: bool| is_directory.then_some(&b'/');
    let rest = || {
        let rest = first[shared..].iter().chain(end(one.1));
        rest.cmp(second[shared..].iter().chain(end(other.1)))
    };
    first[..shared].cmp(&second[..shared]).then_with(rest)
}

/// The path of a line.
fn path(line: &str) -> ReceiptLine<'_> {
    line.strip_suffix('/').map_or((line, false), |path| (path, true))
}

impl Receipt {
    /// The receipt of these paths, in any order.
    pub fn of<'p>(paths: impl IntoIterator<Item = (&'p str, bool)>) -> Receipt {
        Receipt::default().with_paths(paths)
    }

    /// The receipt of these paths, in any order. If they are the same as in this one, both share their memory.
    pub fn with_paths<'p>(&self, paths: impl IntoIterator<Item = (&'p str, bool)>) -> Receipt {
        let mut paths: Vec<ReceiptLine<'_>> = paths.into_iter().collect();
        paths.sort_by(|one, other| order(*one, *other));
        paths.dedup();
        if self.paths().eq(paths.iter().copied()) {
            return self.clone();
        }
        let mut receipt = ReceiptLines::default();
        receipt.lines.reserve_exact(paths.iter().map(|(path, _)| path.len() + 2).sum());
        receipt.starts.reserve_exact(paths.len());
        for (path, is_directory) in paths {
            receipt.starts.push(receipt.lines.len());
            receipt.lines.push_str(path);
            receipt.lines.push_str(if is_directory { "/\n" } else { "\n" });
        }
        Receipt(Arc::new(receipt))
    }

    /// Parses the text of a receipt. The error says what is wrong with it.
    pub fn parse(text: Vec<u8>) -> Result<Self, &'static str> {
        let mut text = String::from_utf8(text).map_err(|_| "it is not text")?;
        let title = text.lines().next().and_then(|title| title.strip_prefix(TITLE));
        let title = title.ok_or("it is not a receipt of s6gen")?;
        if title.split(':').next() != Some(VERSION) {
            return Err("it was written by a newer s6gen");
        }
        text.drain(..text.find('\n').map_or(text.len(), |end| end + 1));
        // If the last line is cut off, it may name a directory above the intended path. A line that is not plain may name a
        // path outside of the root.
        let whole = text.is_empty() || text.ends_with('\n');
        if !whole || !text.lines().all(|line| is_plain(path(line).0)) {
            return Err("it is damaged");
        }
        if !text.lines().is_sorted_by(|one, other| one < other) {
            return Ok(Receipt::of(text.lines().map(path)));
        }
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(end, _)| end + 1));
        let starts = starts.take(text.lines().count()).collect();
        Ok(Receipt(Arc::new(ReceiptLines { starts, lines: text })))
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        [TITLE, VERSION, REST_OF_TITLE, "\n", &self.0.lines].concat()
    }

    /// The paths in byte order, each with whether it is a directory.
    pub fn paths(&self) -> impl DoubleEndedIterator<Item = (&str, bool)> {
        self.0.lines.lines().map(path)
    }

    /// Whether s6gen made this directory, or this file or link.
    pub fn owns(&self, sought: &str, directory: bool) -> bool {
        let line = |start: &usize| self.0.lines[*start..].lines().next().unwrap_or_default();
        self.0.starts.binary_search_by(|start| order(path(line(start)), (sought, directory))).is_ok()
    }

    /// The paths that are in at least one of two receipts.
    pub fn union<'r>(&'r self, other: &'r Receipt) -> Cow<'r, Receipt> {
        // A receipt of a large system is large, and mostly one of the two is empty or both are equal.
        if self.0.lines.is_empty() || self == other {
            return Cow::Borrowed(other);
        }
        if other.0.lines.is_empty() {
            return Cow::Borrowed(self);
        }
        Cow::Owned(Receipt::of(self.paths().chain(other.paths())))
    }
}
