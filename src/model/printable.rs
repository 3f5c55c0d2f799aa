//! Makes text from files and users safe to print. Characters that could move the cursor, hide or reverse text, or begin a new line
//! are escaped.

use std::borrow::Cow;
use std::fmt::{self, Write};

/// The text on one line. Characters that a terminal or a log would not show as themselves are escaped: `\u{1b}`, `\n`.
pub fn printable(text: &str) -> Cow<'_, str> {
    printable_but(text, |_| false)
}

/// The same for a text of several lines. Line ends and tabs stay.
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    printable_but(text, |c| matches!(c, '\n' | '\t'))
}

fn printable_but(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let is_escaped = |c: char| !is_printable(c) && !stays(c);
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_escaped(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

/// Writes bytes in one line. A byte that is not UTF-8 becomes `\xff`.
pub(super) fn write_printable(bytes: &[u8], out: &mut impl Write) -> fmt::Result {
    for chunk in bytes.utf8_chunks() {
        out.write_str(&printable(chunk.valid()))?;
        for byte in chunk.invalid() {
            write!(out, "\\x{byte:02x}")?;
        }
    }
    Ok(())
}

/// Whether a terminal shows the character as itself: it is no control character, does not end a line, is not invisible and
/// does not change the direction of the text around it.
pub fn is_printable(c: char) -> bool {
    !c.is_control() && !is_invisible(c)
}

/// Whether a character is invisible, ends a line, or changes the direction of text. It could make two names look alike.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
