//! Reads `environment`: what supervisord sets, and what was probably meant where it keeps only a part.

use std::collections::BTreeMap;

use super::shlex::{EnvironmentToken, tokens};
use super::text::Unit;
use super::values::ValueReason;
use super::{EnvironmentValue, Expanded};

/// Reads names with values.
pub(super) fn pairs(text: &Expanded) -> Result<Vec<EnvironmentValue>, ValueReason> {
    let units = text.units();
    let mut variables: Vec<EnvironmentValue> = Vec::new();
    let mut places = BTreeMap::new();
    // supervisord never looks at every fourth token, where it expects a comma.
    for group in tokens(&units)?.chunks(4) {
        let [name, equals, value, ..] = group else {
            return Err(format!("`{}` at the end is no `NAME=\"value\"`", written(&group.concat())));
        };
        if !matches!(equals[..], [Unit::Letter('=')]) {
            return Err(format!(
                "there is no `=` after `{}`; a value with commas or blanks needs quotes",
                written(name)
            ));
        }
        let (name, value) = (written(name), joined(without_quotes(value)));
        let place = *places.entry(name.clone()).or_insert(variables.len());
        match variables.get_mut(place) {
            Some(variable) => variable.value = value,
            None => variables.push(EnvironmentValue { name, value, meant: None }),
        }
    }
    let by_comma: BTreeMap<String, Expanded> = items(&units, &[',']).into_iter().collect();
    let by_semicolon: BTreeMap<String, Expanded> = items(&units, &[',', ';']).into_iter().collect();
    for variable in &mut variables {
        let is = |items: &BTreeMap<String, Expanded>| items.get(&variable.name) == Some(&variable.value);
        if !is(&by_comma) && !is(&by_semicolon) {
            variable.meant = by_comma.get(&variable.name).map(Expanded::as_written);
        }
    }
    Ok(variables)
}

fn joined(units: &[Unit]) -> Expanded {
    let mut text = Expanded::default();
    for unit in units {
        match unit {
            Unit::Letter(letter) => text.push_letter(*letter),
            Unit::Open(piece) => text.push((*piece).clone()),
        }
    }
    text
}

fn written(units: &[Unit]) -> String {
    joined(units).as_written()
}

/// Every quotation mark at both ends is removed, also of different kinds.
fn without_quotes<'a, 't>(token: &'a EnvironmentToken<'t>) -> &'a [Unit<'t>] {
    let is_other = |unit: &Unit| !matches!(unit, Unit::Letter('\'' | '"'));
    let start = token.iter().position(is_other).unwrap_or(token.len());
    let end = token.iter().rposition(is_other).map_or(start, |last| last + 1);
    &token[start..end]
}

/// ExpansionNames and values as a person reads them: separators in quotes separate nothing, and a value may have blanks, any characters, and
/// quotes around a part of it.
fn items(units: &[Unit], separators: &[char]) -> Vec<(String, Expanded)> {
    let mut items: Vec<(String, Expanded)> = Vec::new();
    for item in split(units, separators) {
        let equals = item.iter().position(|unit| matches!(unit, Unit::Letter('=')));
        match (equals, items.last_mut()) {
            (Some(equals), _) => {
                items.push((written(trim(&item[..equals])), unquoted(trim(&item[equals + 1..]))))
            }
            (None, Some((_, value))) if !trim(item).is_empty() => {
                value.push_text(",");
                unquoted(item).0.into_iter().for_each(|piece| value.push(piece));
            }
            (None, _) => {}
        }
    }
    items
}

fn is_blank(unit: &Unit) -> bool {
    matches!(unit, Unit::Letter(' ' | '\t' | '\r' | '\n'))
}

fn trim<'a, 't>(units: &'a [Unit<'t>]) -> &'a [Unit<'t>] {
    let start = units.iter().position(|unit| !is_blank(unit)).unwrap_or(units.len());
    let end = units.iter().rposition(|unit| !is_blank(unit)).map_or(start, |last| last + 1);
    &units[start..end]
}

/// The parts between separators that are not in quotes.
fn split<'a, 't>(units: &'a [Unit<'t>], separators: &[char]) -> Vec<&'a [Unit<'t>]> {
    let mut quote = None;
    let is_separator = |unit: &Unit| match (unit, quote) {
        (Unit::Letter(letter @ ('"' | '\'')), None) => {
            quote = Some(*letter);
            false
        }
        (Unit::Letter(letter), Some(end)) => {
            quote = quote.filter(|_| *letter != end);
            false
        }
        (Unit::Letter(letter), None) => separators.contains(letter),
        (Unit::Open(_), _) => false,
    };
    units.split(is_separator).collect()
}

/// Without its quotes, which may stand around a part of it.
fn unquoted(units: &[Unit]) -> Expanded {
    let mut text = Expanded::default();
    let mut quote = None;
    let mut units = units.iter().peekable();
    while let Some(unit) = units.next() {
        match (unit, quote) {
            (Unit::Letter(letter @ ('"' | '\'')), None) => quote = Some(*letter),
            (Unit::Letter(letter), Some(end)) if *letter == end => quote = None,
            (Unit::Letter('\\'), Some('"')) if matches!(units.peek(), Some(Unit::Letter('"' | '\\'))) => {
                if let Some(Unit::Letter(letter)) = units.next() {
                    text.push_letter(*letter);
                }
            }
            (Unit::Letter(letter), _) => text.push_letter(*letter),
            (Unit::Open(piece), _) => text.push((*piece).clone()),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervisord::Piece;

    /// The name, what supervisord sets, and what was meant.
    type Row = (&'static str, &'static str, Option<&'static str>);

    #[test]
    fn supervisord_keeps_a_part_of_a_value_without_quotes() {
        let cases: &[(&str, &[Row])] = &[
            ("", &[]),
            ("A=1", &[("A", "1", None)]),
            (
                "A=\"a,b\",B='c d' , C=x/y.z:1",
                &[("A", "a,b", None), ("B", "c d", None), ("C", "x/y.z:1", None)],
            ),
            ("A=1,", &[("A", "1", None)]),
            ("A=1,\nB=2", &[("A", "1", None), ("B", "2", None)]),
            ("A=$HOME", &[("A", "$", Some("$HOME"))]),
            ("A=a b", &[("A", "a", Some("a b"))]),
            ("A=\"x\"y", &[("A", "x", Some("xy"))]),
            ("A=h?y=1", &[("A", "h", Some("h?y=1")), ("y", "1", None)]),
            ("A=1;B=2", &[("A", "1", None), ("B", "2", None)]),
            ("A=x#y", &[("A", "x", Some("x#y"))]),
            ("A=\"'x'\"", &[("A", "x", Some("'x'"))]),
            ("A=\"it's\"", &[("A", "it's", None)]),
            ("A=1,A=2", &[("A", "2", None)]),
            ("A=\"\"", &[("A", "", None)]),
        ];
        for (text, rows) in cases {
            let found = pairs(&Expanded::plain(text)).unwrap_or_else(|reason| panic!("{text}: {reason}"));
            let found: Vec<_> = found
                .iter()
                .map(|row| (row.name.as_str(), row.value.as_written(), row.meant.clone()))
                .collect();
            let rows: Vec<_> = rows
                .iter()
                .map(|(name, value, meant)| (*name, (*value).to_owned(), meant.map(str::to_owned)))
                .collect();
            assert_eq!(found, rows, "{text}");
        }
        for text in ["A", "A=", "A=,B=1", "A B=1", "A=1 B=2", "A=\"x", "A=1,B", "A=b=c"] {
            assert!(pairs(&Expanded::plain(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn a_variable_counts_as_a_letter() {
        let text = Expanded(vec![
            Piece::Plain("A=\"x\",B=".to_owned()),
            Piece::Variable("HOST".to_owned()),
            Piece::Plain(":80".to_owned()),
        ]);
        let found = pairs(&text).unwrap_or_default();
        assert_eq!(found[1].value.as_written(), "%(ENV_HOST)s:80");
        assert_eq!(found[1].meant, None);
    }
}
