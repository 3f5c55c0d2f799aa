//! The receipt: a file beside the definitions that lists every path that s6gen made.

use std::collections::BTreeSet;

use crate::disk::path::is_plain;

pub use crate::tree::RECEIPT;

const TITLE: &str = "# s6gen receipt ";
const VERSION: &str = "1";
const REST_OF_TITLE: &str =
    ": what s6gen made in this image, and may replace or remove; leave it beside its files";

/// The paths that s6gen made below the root. Directories end with `/`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Receipt {
    lines: BTreeSet<String>,
}

impl Receipt {
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
        let lines: BTreeSet<String> = body.lines().map(str::to_owned).collect();
        if !whole || !lines.iter().all(|line| is_plain(line.strip_suffix('/').unwrap_or(line))) {
            return Err("it is damaged");
        }
        Ok(Receipt { lines })
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let mut text = format!("{TITLE}{VERSION}{REST_OF_TITLE}\n");
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
        match directory {
            true => self.lines.contains(&format!("{path}/")),
            false => self.lines.contains(path),
        }
    }

    /// Adds a path.
    pub fn add(&mut self, path: &str, directory: bool) {
        self.lines.insert(format!("{path}{}", if directory { "/" } else { "" }));
    }

    /// The paths that are in at least one of two receipts.
    pub fn union(&self, other: &Receipt) -> Receipt {
        Receipt { lines: self.lines.union(&other.lines).cloned().collect() }
    }
}
