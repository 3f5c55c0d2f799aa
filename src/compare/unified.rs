//! Shows how a text file changes, line by line.

use similar::TextDiff;

/// How many lines are shown around each change.
const LINES_AROUND: usize = 3;

/// The unified difference of two contents of the file `path`.
pub fn unified(path: &str, before: &[u8], after: &[u8]) -> String {
    let (before, after) = (String::from_utf8_lossy(before), String::from_utf8_lossy(after));
    let difference = TextDiff::from_lines(before.as_ref(), after.as_ref());
    difference.unified_diff().context_radius(LINES_AROUND).header(path, path).to_string()
}
