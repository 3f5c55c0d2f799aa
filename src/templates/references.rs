//! `${NAME}` in a text, where it stands for the value of a variable.

use std::borrow::Cow;
use std::ops::Range;

/// The places of `${NAME}` in a text, in order, for each NAME of `names`.
pub fn references<'n>(text: &str, names: impl Iterator<Item = &'n str> + Clone) -> Vec<Range<usize>> {
    let starts = text.match_indices("${").map(|(start, _)| start);
    let place = |start: usize| {
        let behind = &text[start + 2..];
        // Without this, each of many `${` would search the whole text for a bracket.
        let end = behind.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
        let name = behind[end..].starts_with('}').then_some(&behind[..end])?;
        names.clone().any(|known| known == name).then(|| start..start + 3 + name.len())
    };
    starts.filter_map(place).collect()
}

/// The text with `stand_in` in place of each `${NAME}` with a NAME of `names`.
pub fn with_stand_in<'t, 'n>(
    text: &'t str,
    names: impl Iterator<Item = &'n str> + Clone,
    stand_in: &str,
) -> Cow<'t, str> {
    let places = references(text, names);
    if places.is_empty() {
        return text.into();
    }
    let mut result = String::new();
    let mut end = 0;
    for place in places {
        result.push_str(&text[end..place.start]);
        result.push_str(stand_in);
        end = place.end;
    }
    (result + &text[end..]).into()
}

/// The word as execline needs it to replace `${NAME}` and nothing else. It halves the backslashes before a name, and it would also
/// replace `$NAME`, unless an odd number of backslashes stands before it.
pub(super) fn escaped(text: String, names: &[String]) -> String {
    if names.is_empty() {
        return text;
    }
    let names = names.iter().map(String::as_str);
    let references = references(&text, names.clone());
    let bare = text.match_indices('$').filter_map(|(start, _)| {
        let behind = &text[start + 1..];
        let end = behind.find(['\\', '$', '{', '}']).unwrap_or(behind.len());
        names.clone().any(|name| name == &behind[..end]).then_some((start..start + 1 + end, 1))
    });
    let mut places: Vec<_> = references.into_iter().map(|place| (place, 0)).chain(bare).collect();
    places.sort_unstable_by_key(|(place, _)| place.start);
    let mut result = String::with_capacity(text.len());
    let mut end = 0;
    for (place, one_more) in places {
        let before = &text[end..place.start];
        let backslashes = before.len() - before.trim_end_matches('\\').len();
        result.push_str(before);
        result.extend(std::iter::repeat_n('\\', backslashes + one_more));
        result.push_str(&text[place.clone()]);
        end = place.end;
    }
    result + &text[end..]
}

/// The text of which [`escaped`] makes this word.
pub fn unescaped(word: &str, names: &[String]) -> String {
    let mut result = String::with_capacity(word.len());
    let mut end = 0;
    for (dollar, _) in word.match_indices('$') {
        let behind = &word[dollar + 1..];
        let is_bracket = behind.starts_with('{');
        let is_name = names.iter().any(|name| match is_bracket {
            true => behind[1..].strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('}')),
            false => behind
                .strip_prefix(name.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['\\', '$', '{', '}'])),
        });
        if !is_name {
            continue;
        }
        let before = &word[end..dollar];
        let text = before.trim_end_matches('\\');
        result.push_str(text);
        let backslashes = before.len() - text.len();
        result.extend(std::iter::repeat_n('\\', backslashes / 2));
        end = dollar;
    }
    result + &word[end..]
}

#[cfg(test)]
mod tests {
    use super::{escaped, unescaped};

    #[test]
    fn what_was_escaped_is_found_again() {
        let names = ["A".to_owned(), "AB".to_owned()];
        for text in ["${A}", "\\${A}/$A", "\\\\$A\\$AB${AB}$ABC", "$$A{$A}", "plain \\ $C"] {
            assert_eq!(unescaped(&escaped(text.to_owned(), &names), &names), text);
        }
    }
}
