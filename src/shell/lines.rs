//! Reads a script line by line, for rules that look for words.

use std::ops::Range;

/// A line of a script, with the lines that continue it.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// Offset in the text.
    pub start: usize,
    /// The text, without blanks at both ends.
    pub text: &'a str,
}

impl<'a> Line<'a> {
    /// The bytes of the line.
    pub fn span(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// Its words, without quotes and separators of commands.
    pub fn words(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let between = |c: char| c.is_whitespace() || ";|&(){}\"'`<>\\".contains(c);
        self.text.split(between).filter(|word| !word.is_empty())
    }

    /// The bytes of a word of the line.
    pub fn span_of(&self, word: &str) -> Range<usize> {
        match self.text.find(word) {
            Some(at) => self.start + at..self.start + at + word.len(),
            None => self.span(),
        }
    }
}

/// The lines of a script that are neither blank nor a comment.
pub fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < text.len() {
            let start = at;
            let end = line_end(text, at);
            at = end + 1;
            let trimmed = text[start..end].trim();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            let mut end = end;
            while text[start..end].trim_end_matches('\r').ends_with('\\') && end < text.len() {
                end = line_end(text, end + 1);
                at = end + 1;
            }
            let line = &text[start..end];
            let start = start + line.len() - line.trim_start().len();
            return Some(Line { start, text: line.trim() });
        }
        None
    })
}

fn line_end(text: &str, from: usize) -> usize {
    text[from.min(text.len())..].find('\n').map_or(text.len(), |newline| from + newline)
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn a_line_includes_the_lines_that_continue_it() {
        let text = "#!/bin/sh\n# no\n\n  exec \\\n    web --x\nlast\n";
        let found: Vec<&str> = lines(text).map(|line| line.text).collect();
        assert_eq!(found, ["exec \\\n    web --x", "last"]);
        assert!(lines(text).all(|line| text[line.span()] == *line.text));
    }
}
