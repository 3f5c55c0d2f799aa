//! What Python's `str` and `int` do with a text: white space, numbers, and the text of a text in `%r`.

/// Whether `str.isspace` holds for the character. The four separators U+001C to U+001F are white space in Python only.
pub(super) fn is_space(letter: char) -> bool {
    matches!(letter, '\u{1c}'..='\u{1f}') || letter.is_whitespace()
}

/// `text.strip()`.
pub(super) fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// The digit zero of each script whose digits `int` reads.
const ZEROS: &[char] = &[
    '\u{30}',
    '\u{660}',
    '\u{6f0}',
    '\u{7c0}',
    '\u{966}',
    '\u{9e6}',
    '\u{a66}',
    '\u{ae6}',
    '\u{b66}',
    '\u{be6}',
    '\u{c66}',
    '\u{ce6}',
    '\u{d66}',
    '\u{de6}',
    '\u{e50}',
    '\u{ed0}',
    '\u{f20}',
    '\u{1040}',
    '\u{1090}',
    '\u{17e0}',
    '\u{1810}',
    '\u{1946}',
    '\u{19d0}',
    '\u{1a80}',
    '\u{1a90}',
    '\u{1b50}',
    '\u{1bb0}',
    '\u{1c40}',
    '\u{1c50}',
    '\u{a620}',
    '\u{a8d0}',
    '\u{a900}',
    '\u{a9d0}',
    '\u{a9f0}',
    '\u{aa50}',
    '\u{abf0}',
    '\u{ff10}',
    '\u{104a0}',
    '\u{10d30}',
    '\u{11066}',
    '\u{110f0}',
    '\u{11136}',
    '\u{111d0}',
    '\u{112f0}',
    '\u{11450}',
    '\u{114d0}',
    '\u{11650}',
    '\u{116c0}',
    '\u{11730}',
    '\u{118e0}',
    '\u{11950}',
    '\u{11c50}',
    '\u{11d50}',
    '\u{11da0}',
    '\u{16a60}',
    '\u{16ac0}',
    '\u{16b50}',
    '\u{1d7ce}',
    '\u{1d7d8}',
    '\u{1d7e2}',
    '\u{1d7ec}',
    '\u{1d7f6}',
    '\u{1e140}',
    '\u{1e2f0}',
    '\u{1e950}',
    '\u{1fbf0}',
];

/// The most digits that `int` reads.
const MOST_DIGITS: usize = 4300;

/// The value of a decimal digit of any script.
pub(super) fn digit(letter: char) -> Option<u32> {
    let place = ZEROS.partition_point(|zero| *zero <= letter).checked_sub(1)?;
    let value = u32::from(letter) - u32::from(ZEROS[place]);
    (value < 10).then_some(value)
}

/// White space that `int` ignores around a number. Of ASCII it is less than for `strip`.
fn is_space_of_number(letter: char) -> bool {
    matches!(letter, ' ' | '\t'..='\r') || (!letter.is_ascii() && is_space(letter))
}

/// `int(text, base)`, for the bases 8 and 10. A number that is too large becomes the largest one.
pub(super) fn integer(text: &str, base: u32) -> Option<i128> {
    let ascii: Option<String> = text.trim_matches(is_space_of_number).chars().map(as_ascii).collect();
    let ascii = ascii?;
    let digits = ascii.strip_prefix(['+', '-']).unwrap_or(&ascii);
    let prefix = if base == 8 { digits.strip_prefix("0o").or(digits.strip_prefix("0O")) } else { None };
    // After the prefix one underscore may stand before the digits.
    let digits = prefix.map_or(digits, |rest| rest.strip_prefix('_').unwrap_or(rest));
    let count = digits.bytes().filter(u8::is_ascii_digit).count();
    if digits.split('_').any(str::is_empty) || (base == 10 && count > MOST_DIGITS) {
        return None;
    }
    let mut number: i128 = 0;
    for letter in digits.chars().filter(|letter| *letter != '_') {
        let digit = letter.to_digit(base)?;
        number = number.saturating_mul(i128::from(base)).saturating_add(i128::from(digit));
    }
    Some(if ascii.starts_with('-') { -number } else { number })
}

/// The same digit in ASCII. `None` for other characters that are not ASCII.
fn as_ascii(letter: char) -> Option<char> {
    digit(letter).and_then(|digit| char::from_digit(digit, 10)).or(letter.is_ascii().then_some(letter))
}

/// `repr(text)`, or `ascii(text)`.
pub(super) fn repr(text: &str, is_ascii_only: bool) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut result = String::from(quote);
    for letter in text.chars() {
        match letter {
            '\\' => result.push_str("\\\\"),
            '\n' => result.push_str("\\n"),
            '\r' => result.push_str("\\r"),
            '\t' => result.push_str("\\t"),
            letter if letter == quote => result.extend(['\\', letter]),
            ' '..='~' => result.push(letter),
            letter if !is_ascii_only && is_printable(letter) => result.push(letter),
            letter => result.push_str(&escape(u32::from(letter))),
        }
    }
    result.push(quote);
    result
}

/// Whether `repr` prints a character beyond ASCII as it is.
fn is_printable(letter: char) -> bool {
    let is_private = matches!(letter, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..);
    let is_format = matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    u32::from(letter) > 0x7e && !letter.is_control() && !is_space(letter) && !is_private && !is_format
}

/// A character as a number: `\x7f`.
fn escape(number: u32) -> String {
    match number {
        0..=0xff => format!("\\x{number:02x}"),
        0x100..=0xffff => format!("\\u{number:04x}"),
        _ => format!("\\U{number:08x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_int_reads_them() {
        let cases = [
            ("5", Some(5)),
            (" +5\n", Some(5)),
            ("-5", Some(-5)),
            ("- 5", None),
            ("007", Some(7)),
            ("1_000", Some(1000)),
            ("1__0", None),
            ("_1", None),
            ("1_", None),
            ("", None),
            ("+", None),
            ("0o17", None),
            ("１０", Some(10)),
            ("٣", Some(3)),
            ("\u{2003}5\u{85}", Some(5)),
            ("\u{1c}5", None),
            ("5.0", None),
            ("²", None),
        ];
        for (text, number) in cases {
            assert_eq!(integer(text, 10), number, "{text:?}");
        }
        let octal = [
            ("022", Some(18)),
            ("0o22", Some(18)),
            ("0O_22", Some(18)),
            ("-22", Some(-18)),
            ("8", None),
            ("0o", None),
        ];
        for (text, number) in octal {
            assert_eq!(integer(text, 8), number, "{text:?}");
        }
        assert_eq!(integer(&"9".repeat(4300), 10), Some(i128::MAX));
        assert_eq!(integer(&"9".repeat(4301), 10), None);
    }

    #[test]
    fn a_text_in_quotes_is_that_of_repr() {
        assert_eq!(repr("it's", false), "\"it's\"");
        assert_eq!(repr("a'b\"c", false), "'a\\'b\"c'");
        assert_eq!(repr("é\u{7f}\u{1}\n", false), "'é\\x7f\\x01\\n'");
        assert_eq!(repr("é€😀", true), "'\\xe9\\u20ac\\U0001f600'");
    }
}
