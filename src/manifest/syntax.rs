//! Syntax errors, one for each mistake, of a text that has some.
//!
//! After a mistake such as a bracket that is never closed, a parser that goes on finds fault with every following
//! line. So what follows is read anew from the next line that is a table header; a table with a mistake in it costs
//! only itself.

use std::ops::Range;

use toml::de::DeTable;

/// After so many errors this is no manifest with mistakes in it, and each further one takes as long as all before.
const MOST_ERRORS: usize = 100;

/// The text with every table that has a syntax error blanked out, byte for byte, and those errors.
pub(super) fn separate(text: &str) -> (String, Vec<(Range<usize>, String)>) {
    let mut readable = text.to_owned();
    let mut errors = Vec::new();
    let mut start = 0;
    while let Some((span, message)) = first_error(&text[start..]) {
        if errors.len() == MOST_ERRORS {
            return (String::new(), errors);
        }
        let place = start + span.start;
        // An error at the end of a line marks the character before it: line ends cannot be seen.
        let at_end = text.as_bytes().get(place).is_none_or(|byte| matches!(byte, b'\n' | b'\r'));
        let shown =
            if at_end { last_character(text, place) } else { place..(start + span.end).max(place + 1) };
        let from =
            headers(text).filter(|header| (start..=shown.start).contains(header)).last().unwrap_or(start);
        let to = headers(text).find(|header| *header > shown.start).unwrap_or(text.len());
        readable.replace_range(from..to, &blank(&text[from..to]));
        errors.push((shown, message));
        start = to;
    }
    // What is wrong only in the whole, such as one table in two places.
    while let Some((span, message)) = first_error(&readable) {
        if errors.len() == MOST_ERRORS {
            return (String::new(), errors);
        }
        let from = headers(&readable).filter(|header| *header <= span.start).last().unwrap_or(0);
        let to = headers(&readable).find(|header| *header > span.start).unwrap_or(readable.len());
        if readable[from..to].trim().is_empty() {
            break;
        }
        readable.replace_range(from..to, &blank(&readable[from..to]));
        errors.push((span, message));
    }
    (readable, errors)
}

/// As many bytes, in the same lines.
fn blank(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { "\n".into() } else { " ".repeat(c.len_utf8()) }).collect()
}

fn first_error(text: &str) -> Option<(Range<usize>, String)> {
    let (_, errors) = DeTable::parse_recoverable(text);
    let error = errors.into_iter().min_by_key(|error| error.span().map_or(0, |span| span.start))?;
    Some((error.span().unwrap_or(0..0), error.message().trim().to_owned()))
}

/// Where lines begin that look like `[longrun.web]`.
fn headers(text: &str) -> impl Iterator<Item = usize> + '_ {
    let mut offset = 0;
    text.split_inclusive('\n').filter_map(move |line| {
        let start = offset;
        offset += line.len();
        let name = line.strip_prefix('[')?.trim_start_matches('[').split(']').next()?;
        let plain = |c: char| c.is_alphanumeric() || "_-.\"'@".contains(c);
        (!name.trim().is_empty() && name.trim_end().chars().all(plain)).then_some(start)
    })
}

fn last_character(text: &str, end: usize) -> Range<usize> {
    match text[..end].char_indices().next_back() {
        Some((start, _)) => start..end,
        None => 0..end,
    }
}
