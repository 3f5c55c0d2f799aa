//! Text in columns, each as wide as its widest cell.

use std::fmt::Write;

/// Lines of columns.
pub(super) struct Columns<const N: usize> {
    lines: Vec<[String; N]>,
}

impl<const N: usize> Default for Columns<N> {
    fn default() -> Self {
        Columns { lines: Vec::new() }
    }
}

impl<const N: usize> Columns<N> {
    /// Adds a line.
    pub(super) fn add(&mut self, line: [String; N]) {
        self.lines.push(line);
    }

    /// Whether there is no line yet.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Writes the lines below their heads.
    pub(super) fn write(mut self, out: &mut String, heads: [&str; N]) {
        if self.lines.is_empty() {
            return;
        }
        self.lines.insert(0, heads.map(str::to_owned));
        let width =
            |column: usize| self.lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; N] = std::array::from_fn(width);
        for line in &self.lines {
            let mut text = String::new();
            for (cell, width) in line.iter().zip(widths) {
                let _ = write!(text, "  {cell:width$}");
            }
            out.push_str(text.trim_end());
            out.push('\n');
        }
    }
}
