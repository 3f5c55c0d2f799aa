//! Shows how a text file changes, line by line.

use similar::{ChangeTag, TextDiff};

/// How many lines are shown around each change.
const LINES_AROUND: usize = 3;

/// The unified difference of two contents of the file `path`.
pub fn unified(path: &str, before: &[u8], after: &[u8]) -> String {
    let (before, after) = (String::from_utf8_lossy(before), String::from_utf8_lossy(after));
    let difference = TextDiff::from_lines(before.as_ref(), after.as_ref());
    difference.unified_diff().context_radius(LINES_AROUND).header(path, path).to_string()
}

/// The lines of `first`, from 0, that `second` does not have at their place.
pub fn lines_only_in_first(first: &[u8], second: &[u8]) -> Vec<usize> {
    let (first, second) = (String::from_utf8_lossy(first), String::from_utf8_lossy(second));
    let difference = TextDiff::from_lines(first.as_ref(), second.as_ref());
    let only = difference.iter_all_changes().filter(|change| change.tag() == ChangeTag::Delete);
    only.filter_map(|change| change.old_index()).collect()
}
