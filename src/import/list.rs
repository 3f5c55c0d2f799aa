//! Reads lists of names, one per line.

use std::collections::BTreeSet;
use std::ops::Range;

/// The number of names in the list `text`, at most: every line counts.
pub(super) fn count(text: &[u8]) -> usize {
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count()
}

/// The names of the list `text` with their places, each once.
///
/// A line ends at its first NUL. Blanks before a name are dropped; lines that are empty or begin with `#` are skipped.
/// Everything else is the name, also blanks and CR at its end.
pub(super) fn names(text: &[u8]) -> Vec<(&[u8], Range<usize>)> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut start = 0;
    for line in text.split(|byte| *byte == b'\n') {
        let end = line.iter().position(|byte| *byte == 0).unwrap_or(line.len());
        let begin = line[..end].iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(end);
        let name = &line[begin..end];
        if !name.is_empty() && name[0] != b'#' && seen.insert(name) {
            found.push((name, start + begin..start + end));
        }
        start += line.len() + 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_name_with_everything_after_it() {
        let text = b" a\n\tb # x\n# c\n\n \t\nc\0d\na\ne\r";
        let names: Vec<_> = names(text).into_iter().map(|(name, span)| (name, &text[span])).collect();
        let expected: [&[u8]; 4] = [b"a", b"b # x", b"c", b"e\r"];
        assert_eq!(names, expected.map(|name| (name, name)));
    }
}
