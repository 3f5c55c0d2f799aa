//! Finds the statements of a manifest, so that a comment can belong to a whole one.

use std::ops::Range;

use toml_parser::Source;
use toml_parser::lexer::TokenKind;

/// The statements and comments of a manifest.
#[derive(Debug, Default)]
pub struct Statements {
    /// The keys with their values, and the tables, each from its header to the next one. In the order of their beginnings.
    list: Vec<Range<usize>>,
    /// The beginnings of the tables.
    tables: Vec<usize>,
    /// The comments.
    comments: Vec<Range<usize>>,
    /// The strings of one line.
    strings: Vec<Range<usize>>,
}

/// What a place in a manifest is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surrounding {
    /// A comment.
    Comment,
    /// A string of one line.
    ShortString,
    /// Anything else, for example a string of several lines.
    Other,
}

impl Statements {
    /// Finds the statements of a text, which may have syntax errors.
    pub fn of(text: &str) -> Statements {
        let mut found = Statements::default();
        let (mut begin, mut depth) = (None, 0usize);
        let mut headers = Vec::new();
        for token in Source::new(text).lex() {
            let span = token.span().start()..token.span().end();
            match token.kind() {
                TokenKind::Comment => found.comments.push(span.clone()),
                TokenKind::BasicString | TokenKind::LiteralString => found.strings.push(span.clone()),
                _ => {}
            }
            match token.kind() {
                TokenKind::Whitespace | TokenKind::Comment => continue,
                TokenKind::Newline | TokenKind::Eof if depth == 0 => {
                    found.list.extend(begin.take().map(|begin| begin..span.start));
                    continue;
                }
                TokenKind::Newline | TokenKind::Eof => continue,
                TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => {
                    if begin.is_none() {
                        headers.push((found.list.len(), span.start));
                    }
                    depth += 1;
                }
                TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                    depth = depth.saturating_sub(1)
                }
                _ => {}
            }
            begin = begin.or(Some(span.start));
        }
        found.list.extend(begin.map(|begin| begin..text.len()));
        let ends = headers.iter().skip(1).map(|(_, start)| *start).chain([text.len()]);
        for ((at, _), end) in headers.iter().zip(ends) {
            if let Some(table) = found.list.get_mut(*at) {
                table.end = end;
            }
        }
        found.tables = headers.into_iter().map(|(_, start)| start).collect();
        found
    }

    /// What the byte at this offset is part of.
    pub fn around(&self, offset: usize) -> Surrounding {
        let contains = |list: &[Range<usize>]| {
            let behind = list.partition_point(|span| span.start <= offset);
            behind.checked_sub(1).is_some_and(|at| list[at].contains(&offset))
        };
        match () {
            () if contains(&self.comments) => Surrounding::Comment,
            () if contains(&self.strings) => Surrounding::ShortString,
            () => Surrounding::Other,
        }
    }

    /// The statement to which the comment in this line belongs: the one that the line is a part of, or else the next one. The comment
    /// is alone if nothing else is in its line.
    pub fn of_comment(&self, line: Range<usize>, is_alone: bool) -> Option<Range<usize>> {
        let next = self.list.partition_point(|statement| statement.start < line.end);
        // A table ends after the keys in it, which begin later.
        let mut around = self.list[..next].iter().rev().filter(|statement| statement.end >= line.start);
        match is_alone {
            // An array may have comments between its items.
            true => around
                .find(|statement| {
                    statement.end > line.end && self.tables.binary_search(&statement.start).is_err()
                })
                .or_else(|| self.list.get(next))
                .cloned(),
            false => around.next().cloned(),
        }
    }
}
