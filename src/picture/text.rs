//! Text in pictures: how wide it is, where it breaks, how it is cut and escaped.

/// The width of a character of a name, which is set in a monospaced font.
pub const NAME_CHARACTER: f64 = 9.1;

/// The width that is counted for a character of small text.
pub const SMALL_CHARACTER: f64 = 7.0;

/// The number of cells that a name may take where there is little room. A longer one is cut.
pub const NARROW: usize = 18;
/// The number of cells that a name may take where a graph would be too wide otherwise.
pub const NARROWEST: usize = 11;
/// The number of cells that a name may take where there is room.
pub const WIDE: usize = 32;

/// The number of cells that a character takes: two for those of East Asian scripts and for emoji, none for marks that are
/// drawn over the character before.
fn cells_of(character: char) -> usize {
    match u32::from(character) {
        0x300..=0x36F | 0x200B..=0x200F | 0x20D0..=0x20FF | 0xFE00..=0xFE0F => 0,
        0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFE30..=0xFE6F => 2,
        0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 | 0x1F300..=0x1FAFF | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}

/// The number of cells that a text takes.
pub fn cells(text: &str) -> usize {
    text.chars().map(cells_of).sum()
}

/// A name where there is little room: the middle of a long one is left out.
pub fn cut(name: &str) -> String {
    cut_to(name, NARROW)
}

/// A name of at most `most` cells: the middle of a longer one is left out.
pub fn cut_to(name: &str, most: usize) -> String {
    if cells(name) <= most {
        return name.to_owned();
    }
    let fits = |characters: &mut dyn Iterator<Item = char>, most: usize| {
        let mut left = most;
        let fitting = characters.take_while(|character| {
            let fits = cells_of(*character) <= left;
            left = left.saturating_sub(cells_of(*character));
            fits
        });
        fitting.collect::<Vec<char>>()
    };
    let after = most * 2 / 5;
    let start: String = fits(&mut name.chars(), most - 1 - after).into_iter().collect();
    let end: String = fits(&mut name.chars().rev(), after).into_iter().rev().collect();
    format!("{start}…{end}")
}

/// Breaks a text at blanks into lines of at most `most` cells. A longer word has a line of its own, and is cut.
pub fn wrap(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word = if cells(word) > most { cut(word) } else { word.to_owned() };
        match lines.last_mut() {
            Some(line) if cells(line) + 1 + cells(&word) <= most => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// A text for XML and HTML. Characters that XML forbids, and those that change the direction of text, are left out.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push('\n'),
            c if c.is_control() || matches!(u32::from(c), 0x202A..=0x202E | 0x2066..=0x2069) => {}
            '\u{FFFE}' | '\u{FFFF}' => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// A list of names for a sentence: `a, b and c`. Of a long list it has the first ones and the number of the others.
pub fn listed(names: &[impl AsRef<str>], most: usize) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.split_last() {
        None => String::new(),
        Some((only, [])) => (*only).to_owned(),
        Some(_) if names.len() > most => {
            format!("{} and {} more", names[..most].join(", "), names.len() - most)
        }
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// `1 service`, `2 services`.
pub fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::{cells, cut, escape, listed, wrap};

    #[test]
    fn the_middle_of_a_long_name_is_left_out() {
        assert_eq!(cut("eighteen-letters-x"), "eighteen-letters-x");
        assert_eq!(cut("database-migrations"), "database-m…rations");
        assert_eq!(cells(&cut(&"中".repeat(200))), 10 + 1 + 6);
    }

    #[test]
    fn text_breaks_at_blanks() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap(&"x".repeat(40), 30), ["xxxxxxxxxx…xxxxxxx"]);
        assert!(wrap(" ", 7).is_empty());
    }

    #[test]
    fn what_xml_forbids_is_left_out() {
        assert_eq!(escape("<&\">\u{1}\u{7f}\u{202e}x"), "&lt;&amp;&quot;&gt;x");
    }

    #[test]
    fn a_long_list_ends_with_a_number() {
        assert_eq!(listed(&["a", "b", "c"], 3), "a, b and c");
        assert_eq!(listed(&["a", "b", "c", "d"], 2), "a, b and 2 more");
        assert_eq!(listed(&["a"], 2), "a");
    }
}
