//! Estimates how much memory a manifest needs while it is read, before it is read.

use std::ops::Range;

use toml_parser::Source;
use toml_parser::lexer::TokenKind;

/// The most memory that the keys and values of a manifest may take while they are read, in bytes. 30,000 ordinary services
/// need less.
const MOST_WEIGHT: usize = 192 << 20;

/// Every token, as the parser of TOML keeps it.
const TOKEN: usize = 48;
/// A key with its value.
const KEY: usize = 300;
/// An item of a list.
const ITEM: usize = 120;
/// The header of a table.
const HEADER: usize = 260;
/// A list or a table inside another one.
const CONTAINER: usize = 400;

/// A mistake inside a string, as the parser of TOML reports it.
const MISTAKE: usize = 500;

/// Adds the estimate for a text to `weight`. Stops at the place where there is too much, and returns that place.
pub fn weigh(text: &str, weight: &mut usize) -> Option<Range<usize>> {
    // No token weighs more, so most manifests need no second look.
    let most = text.len().saturating_mul(TOKEN + CONTAINER);
    if weight.saturating_add(most) <= MOST_WEIGHT {
        *weight += most;
        return None;
    }
    let mut is_line_start = true;
    for token in Source::new(text).lex() {
        *weight += TOKEN
            + match token.kind() {
                TokenKind::LeftSquareBracket if is_line_start => HEADER,
                TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket | TokenKind::Dot => CONTAINER,
                TokenKind::Equals => KEY,
                TokenKind::Comma => ITEM,
                _ => 0,
            };
        if matches!(token.kind(), TokenKind::BasicString | TokenKind::MlBasicString) {
            *weight += mistakes(&text[token.span().start()..token.span().end()]) * MISTAKE;
        }
        if *weight > MOST_WEIGHT {
            return Some(token.span().start()..token.span().end());
        }
        is_line_start = token.kind() == TokenKind::Newline;
    }
    None
}

/// The most mistakes that a string can have: escapes, except the simple ones, and characters that it cannot contain.
fn mistakes(text: &str) -> usize {
    let mut mistakes = 0;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        mistakes += usize::from(match byte {
            b'\\' => !bytes.next().is_some_and(|escaped| b"btnfre\"\\ \t\r\n".contains(&escaped)),
            byte => byte.is_ascii_control() && !b"\t\r\n".contains(&byte),
        });
    }
    mistakes
}
