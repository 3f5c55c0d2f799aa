//! Finds the places of the characters of a string in the file, so that a report about a script can point at its line.

/// The number of quotes on each side of a string with the value `value`, written as `raw`. `None` if it has escapes.
pub(super) fn plain_quotes(raw: &str, value: &str) -> Option<usize> {
    let quotes = match raw.as_bytes() {
        [first, second, third, ..] if first == second && second == third => 3,
        [b'"' | b'\'', ..] => 1,
        _ => return None,
    };
    let is_plain = raw.len() == value.len() + 2 * quotes && raw.get(quotes..)?.starts_with(value);
    is_plain.then_some(quotes)
}

/// Runs of bytes that are equal in the string `value` and in the file, where it is written as `raw` at the offset `start`: the
/// beginning of each run in both. Empty if `raw` does not have this value.
pub(super) fn runs(raw: &str, start: usize, value: &str) -> Vec<(u32, u32)> {
    let multiline = ["\"\"\"", "'''"].into_iter().find(|quotes| raw.starts_with(quotes));
    let quotes = multiline.map_or(1, str::len);
    let Some(inner) = raw.get(quotes..raw.len().saturating_sub(quotes)) else { return Vec::new() };
    let is_literal = raw.starts_with('\'');
    let first_line = if multiline.is_none() {
        0
    } else if inner.starts_with("\r\n") {
        2
    } else {
        usize::from(inner.starts_with('\n'))
    };
    let mut runs = Vec::new();
    let (mut at, mut made) = (first_line, 0);
    let mut is_broken = true;
    while at < inner.len() {
        let (read, written) = match inner.as_bytes()[at] {
            b'\\' if !is_literal => escape(&inner[at..]),
            // A script gets LF line ends, even if the manifest has CR LF.
            b'\r' if value.as_bytes().get(made) == Some(&b'\n') => (1, 0),
            _ => (1, 1),
        };
        if read != written {
            is_broken = true;
        }
        if written > 0 && is_broken {
            runs.push((cut(made), cut(start + quotes + at)));
            is_broken = read != written;
        }
        (at, made) = (at + read, made + written);
    }
    if made == value.len() { runs } else { Vec::new() }
}

/// The number of bytes of the escape at the beginning of `rest`, and of the character that it stands for.
fn escape(rest: &str) -> (usize, usize) {
    let digits = |count: usize| {
        let number = rest.get(2..2 + count).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        (2 + count, number.and_then(char::from_u32).map_or(0, char::len_utf8))
    };
    match rest.as_bytes().get(1) {
        Some(b'u') => digits(4),
        Some(b'U') => digits(8),
        Some(b'x') => digits(2),
        Some(b' ' | b'\t' | b'\r' | b'\n') => {
            let behind = rest[1..].trim_start_matches([' ', '\t', '\r', '\n']);
            (rest.len() - behind.len(), 0)
        }
        Some(_) => (2, 1),
        None => (1, 0),
    }
}

fn cut(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use toml::de::DeTable;

    use super::runs;
    use crate::diagnostic::{Files, Origin, Positions};

    /// The text in the file at the place of `word`, for a manifest `key = RAW`.
    fn found(raw: &str, word: &str) -> String {
        let text = format!("key = {raw}\n");
        let file = Files::default().add("x", "");
        let table = DeTable::parse(&text).unwrap();
        let value = table.get_ref().iter().next().unwrap().1;
        let string = value.get_ref().as_str().unwrap().replace("\r\n", "\n");
        let at = string.find(word).unwrap();
        let positions =
            Positions::new(Origin::whole(file), runs(&text[value.span()], value.span().start, &string));
        text[positions.at(at..at + word.len()).span()].to_owned()
    }

    #[test]
    fn words_are_found_in_each_form_of_string() {
        for raw in [
            "'a word b'",
            "\"a word b\"",
            "\"\"\"\na\nword b\"\"\"",
            "'''\na\nword b'''",
            "'''a word'''",
            "\"\\t\\u00e9 \\\"x\\\" word\"",
            "\"\"\"\\\n   word \\\n   b\"\"\"",
            "\"\"\"\r\na\r\n\r\nword\r\n\"\"\"",
            "'\u{e9}\u{1f600} word'",
        ] {
            assert_eq!(found(raw, "word"), "word", "{raw:?}");
        }
        assert_eq!(found("\"a\\tb\"", "\t"), "\\t");
        assert_eq!(found("\"a\\U0001F600b\"", "\u{1f600}"), "\\U0001F600");
        assert_eq!(found("\"w\\u006frd x\"", "word"), "w\\u006frd");
    }
}
