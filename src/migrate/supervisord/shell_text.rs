//! Words of a command as text of a shell script.

use super::text::Texts;
use crate::supervisord::{CommandWord, Expanded, Piece, WordPiece};

/// A word of a command as a shell reads it, with the least quoting that keeps it one word. A variable that is a whole word without
/// quotes is not quoted either, because supervisord splits its value at blanks.
pub(super) fn word(word: &CommandWord, texts: &mut Texts) -> String {
    if let Some(name) = word.bare_variable() {
        texts.variables.insert(name.to_owned());
        return format!("${{{name}}}");
    }
    let has_variable = word.pieces.iter().any(|part| matches!(part.piece, Piece::Variable(_)));
    let text: String =
        word.pieces.iter().map(|part| quoted_piece(&part.piece, has_variable, texts)).collect();
    match has_variable {
        true => format!("\"{text}\""),
        false => quoted(&text),
    }
}

fn quoted_piece(piece: &Piece, is_in_quotes: bool, texts: &mut Texts) -> String {
    match piece {
        Piece::Plain(text) if is_in_quotes => texts.plain(&escaped(text)),
        piece => texts.piece(piece),
    }
}

/// A text within double quotes.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '$' | '`') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A text with variables as one word, in which everything else is plain.
pub(super) fn pieces(text: &Expanded) -> String {
    let parts = text.0.iter().map(|piece| match piece {
        Piece::Plain(text) => escaped(text),
        Piece::Variable(name) => format!("${{{name}}}"),
        Piece::Number(format) => format.clone(),
    });
    format!("\"{}\"", parts.collect::<String>())
}

/// An argument of the manifest, with `${NAME}` for variables, as one word.
pub(super) fn argument(text: &str, texts: &Texts) -> String {
    let references = texts.variables.iter().map(|name| format!("${{{name}}}"));
    let found: Vec<String> = references.filter(|reference| text.contains(reference.as_str())).collect();
    if found.is_empty() {
        return quoted(text);
    }
    let mut text = escaped(text);
    for reference in found {
        text = text.replace(&format!("\\{reference}"), &reference);
    }
    format!("\"{text}\"")
}

/// A text as one word, with quotes only where it needs them.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-+.,:@%/=".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    match text.contains('\'') {
        false => format!("'{text}'"),
        true => format!("\"{}\"", escaped(text)),
    }
}

/// A text that a shell was called with, as a script. The value of a variable is text in it and no code any more. Within single
/// quotes the variable ends them and begins them again.
pub(super) fn script(pieces: &[WordPiece], texts: &mut Texts) -> String {
    let mut out = String::new();
    let mut quote: Option<char> = None;
    let mut is_escaped = false;
    for part in pieces {
        let Piece::Plain(text) = &part.piece else {
            let value = texts.piece(&part.piece);
            if std::mem::take(&mut is_escaped) {
                // The backslash would make plain text of the variable.
                out.pop();
            }
            let is_spliced = quote == Some('\'') && matches!(part.piece, Piece::Variable(_));
            out.push_str(&if is_spliced { format!("'\"{value}\"'") } else { value });
            continue;
        };
        for c in text.chars() {
            match (c, quote) {
                _ if is_escaped => is_escaped = false,
                ('\\', None | Some('"')) => is_escaped = true,
                ('\'' | '"', None) => quote = Some(c),
                (c, Some(open)) if c == open => quote = None,
                _ => {}
            }
        }
        out.push_str(&texts.plain(text));
    }
    out
}
