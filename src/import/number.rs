//! The two ways in which `s6-rc-compile` reads a number.

/// A limit for starting or stopping: the first 63 bytes, without final newlines, up to the first NUL.
pub(super) fn timeout(text: &[u8]) -> Option<u32> {
    let text = &text[..text.len().min(63)];
    let kept = text.iter().rposition(|byte| *byte != b'\n').map_or(0, |last| last + 1);
    digits(until(&text[..kept], 0))
}

/// A number of the service directory: the first 11 bytes, up to the first newline or NUL.
pub(super) fn plain(text: &[u8]) -> Option<u32> {
    let text = &text[..text.len().min(11)];
    digits(until(until(text, b'\n'), 0))
}

fn until(text: &[u8], end: u8) -> &[u8] {
    text.split(|byte| *byte == end).next().unwrap_or_default()
}

fn digits(text: &[u8]) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u32, |value, byte| {
        let digit = char::from(*byte).to_digit(10)?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// The number that was meant, if the text holds no other line: digits among blanks and line ends, or digits with a unit. The flag
/// says whether it is certain.
pub(super) fn meant(text: &[u8], milliseconds: bool) -> Option<(String, bool)> {
    let line = str::from_utf8(text).ok()?.trim();
    if digits(line.as_bytes()).is_some() {
        return Some((line.to_owned(), true));
    }
    let value = with_unit(line).filter(|_| milliseconds)?;
    digits(value.to_string().as_bytes()).map(|value| (value.to_string(), false))
}

/// The milliseconds of a number with a unit.
fn with_unit(line: &str) -> Option<u64> {
    let (number, unit) = line.split_at(line.find(|c: char| !c.is_ascii_digit())?);
    let factor: u64 = match unit.trim() {
        "ms" => 1,
        "s" | "sec" => 1000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// The help for a text that is not a number, if the intended number is clear.
pub(super) fn suggestion(text: &[u8], milliseconds: bool) -> Option<String> {
    let text = str::from_utf8(text).ok()?;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
    let line = line.strip_prefix('+').unwrap_or(line);
    if digits(line.as_bytes()).is_some() {
        if text.contains('\r') {
            return Some(super::encoding::LINE_ENDS.to_owned());
        }
        return Some(format!("write `{line}` and nothing else: no blanks, no CR, no other line"));
    }
    let value = with_unit(line)?;
    milliseconds.then(|| format!("write `{value}`: the file holds milliseconds, without a unit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_ways_differ_in_newlines_and_length() {
        assert_eq!((timeout(b"5\n\n"), plain(b"5\n\n")), (Some(5), Some(5)));
        assert_eq!((timeout(b"5\n6"), plain(b"5\n6")), (None, Some(5)));
        assert_eq!((timeout(b"00000000005x"), plain(b"00000000005x")), (None, Some(5)));
        assert_eq!((timeout(b"4294967295"), timeout(b"4294967296")), (Some(u32::MAX), None));
        assert_eq!(
            (timeout(b""), plain(b"\n5"), timeout(b"7\0x"), plain(b"5\r\n")),
            (None, None, Some(7), None)
        );
    }

    #[test]
    fn a_duration_is_turned_into_milliseconds() {
        assert_eq!(
            suggestion(b"10s\n", true).unwrap(),
            "write `10000`: the file holds milliseconds, without a unit"
        );
        assert_eq!(suggestion(b"10\r\n", true).unwrap(), super::super::encoding::LINE_ENDS);
        assert_eq!(
            suggestion(b" 10\n", true).unwrap(),
            "write `10` and nothing else: no blanks, no CR, no other line"
        );
        assert_eq!(suggestion(b"soon", true), None);
    }
}
