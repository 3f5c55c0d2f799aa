//! Finds where each key of a manifest is written, so that a manifest can be read without one of them.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_edit::Key;
use toml_parser::Source;
use toml_parser::lexer::TokenKind;

use super::string_positions::runs;

/// A key and its value, as they are written in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenKey {
    /// The table in whose section it stands, part by part. The sections before the first header have none.
    pub table: Vec<String>,
    /// The key, part by part: `log.size` has two.
    pub key: Vec<String>,
    /// Where the key and its value are, in bytes.
    pub span: Range<usize>,
}

impl WrittenKey {
    /// The whole path, from the top of the file.
    pub fn path(&self) -> impl Iterator<Item = &str> {
        self.table.iter().chain(&self.key).map(String::as_str)
    }

    /// The lines of its value, if that is a string, each with the offset in the file `text` at which it ends.
    pub fn lines(&self, text: &str) -> Option<Vec<(String, usize)>> {
        let table = DeTable::parse(&text[self.span.clone()]).ok()?;
        let (first, rest) = self.key.split_first()?;
        let mut value = table.get_ref().get(first.as_str())?;
        for part in rest {
            value = value.get_ref().as_table()?.get(part.as_str())?;
        }
        let string = value.get_ref().as_str()?.replace("\r\n", "\n");
        let place = self.span.start + value.span().start..self.span.start + value.span().end;
        let runs = runs(text.get(place.clone())?, place.start, &string);
        let mut end = 0;
        let line = |line: &str| {
            end += line.len();
            let last = u32::try_from(end - 1).ok()?;
            let run = runs.partition_point(|(start, _)| *start <= last).checked_sub(1)?;
            let (start, written) = runs[run];
            Some((line.trim_end_matches('\n').to_owned(), (written + last - start) as usize))
        };
        string.split_inclusive('\n').map(line).collect()
    }
}

/// A value of a parameter that an instance sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenValue {
    /// The name of the instance.
    pub instance: String,
    /// The name of the parameter.
    pub parameter: String,
    /// The value.
    pub value: String,
    /// Where the value is, in bytes.
    pub span: Range<usize>,
}

impl WrittenValue {
    /// Another value, as it is written. That of a number is a number.
    pub fn other(&self) -> String {
        toml::Value::from(format!("{}1", self.value)).to_string()
    }
}

/// The values that the instances of a service set in a text.
pub fn written_values(text: &str, kind: &str, service: &str) -> Vec<WrittenValue> {
    let Ok(table) = DeTable::parse(text) else { return Vec::new() };
    let mut instances = Some(table.get_ref());
    for key in [kind, service, "instances"] {
        instances = instances.and_then(|table| table.get(key)?.get_ref().as_table());
    }
    let of_instance = |(instance, values): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
        let values = values.get_ref().as_table().into_iter().flatten();
        let values = values.filter_map(|(parameter, value)| {
            Some(WrittenValue {
                instance: instance.get_ref().to_string(),
                parameter: parameter.get_ref().to_string(),
                value: value.get_ref().as_str()?.to_owned(),
                span: value.span(),
            })
        });
        values.collect::<Vec<_>>()
    };
    instances.into_iter().flatten().flat_map(of_instance).collect()
}

/// A statement that is being read.
struct Statement {
    start: usize,
    end: usize,
    /// Where the key ends, once its `=` was read.
    equals: Option<usize>,
}

/// Every key of a text, in its order. Lines that are not TOML are left out. An inline table is one key.
pub fn written_keys(text: &str) -> Vec<WrittenKey> {
    let (mut keys, mut table) = (Vec::new(), Vec::new());
    let (mut open, mut depth) = (None::<Statement>, 0usize);
    for token in Source::new(text).lex() {
        let span = token.span().start()..token.span().end();
        match token.kind() {
            TokenKind::Whitespace | TokenKind::Comment => continue,
            TokenKind::Newline | TokenKind::Eof if depth > 0 => continue,
            TokenKind::Newline | TokenKind::Eof => {
                let Some(Statement { start, end, equals }) = open.take() else { continue };
                match (equals, text[start..end].strip_prefix('[')) {
                    // An array of tables has two brackets.
                    (None, Some(header)) => {
                        table = parts(header.trim_matches(['[', ']'])).unwrap_or_default();
                    }
                    (Some(equals), _) => keys.extend(parts(&text[start..equals]).map(|key| WrittenKey {
                        table: table.clone(),
                        key,
                        span: start..end,
                    })),
                    (None, None) => {}
                }
                continue;
            }
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => depth += 1,
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => depth = depth.saturating_sub(1),
            _ => {}
        }
        let statement = open.get_or_insert(Statement { start: span.start, end: span.end, equals: None });
        statement.end = span.end;
        if token.kind() == TokenKind::Equals && depth == 0 {
            statement.equals.get_or_insert(span.start);
        }
    }
    keys
}

/// The parts of a dotted key.
fn parts(written: &str) -> Option<Vec<String>> {
    let keys = Key::parse(written.trim()).ok()?;
    Some(keys.iter().map(|key| key.get().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::{written_keys, written_values};

    #[test]
    fn each_key_has_its_table_and_its_whole_value() {
        let text = "include = []\n[longrun.\"a.b\"] # c\nrun = [\n  \"x=1\", # [y]\n]\nlog.size = \"5MB\"  # end\n\
                    [longrun.b]\nenvironment = { A = \"1\" }\n[[longrun.b.on-exit]]\ncode = 3\n";
        let found: Vec<(String, &str)> = written_keys(text)
            .iter()
            .map(|key| (key.path().collect::<Vec<_>>().join("/"), &text[key.span.clone()]))
            .collect();
        let expected = [
            ("include", "include = []"),
            ("longrun/a.b/run", "run = [\n  \"x=1\", # [y]\n]"),
            ("longrun/a.b/log/size", "log.size = \"5MB\""),
            ("longrun/b/environment", "environment = { A = \"1\" }"),
            ("longrun/b/on-exit/code", "code = 3"),
        ];
        assert_eq!(found, expected.map(|(path, span)| (path.to_owned(), span)));
    }

    #[test]
    fn each_line_of_a_string_has_its_place() {
        for (text, expected) in [
            ("[longrun.a]\nrun = \"\"\"\na\n\n b\n\"\"\"\n", vec![("a", 3), ("", 4), (" b", 5)]),
            ("run = '''a\r\nb'''", vec![("a", 1), ("b", 2)]),
            ("run = \"a\\nb\"", vec![("a", 1), ("b", 1)]),
            ("run = \"\"\"\\\n  a \\\n  b\n\nc\"\"\"", vec![("a b", 3), ("", 4), ("c", 5)]),
            ("log.to = ''", vec![]),
        ] {
            let lines = written_keys(text)[0].lines(text).unwrap();
            let line = |at: usize| text[..at].matches('\n').count() + 1;
            let found: Vec<(&str, usize)> =
                lines.iter().map(|(text, end)| (text.as_str(), line(*end))).collect();
            assert_eq!(found, expected, "{text}");
        }
        assert_eq!(written_keys("nice = 5")[0].lines("nice = 5"), None);
    }

    #[test]
    fn the_values_of_instances_are_found_in_each_form() {
        for (text, expected) in [
            ("[longrun.w]\ninstances = { a = { n = \"1\" }, b = {} }\n", vec![("a", "n", "\"1\"")]),
            (
                "[longrun.w.instances]\na = { n = \"1\", m = '2' }\nb.n = \"3\"\n",
                vec![("a", "n", "\"1\""), ("a", "m", "'2'"), ("b", "n", "\"3\"")],
            ),
            (
                "[longrun.w.instances.a]\nn = \"1\"\n[longrun.x.instances.a]\nn = \"2\"\n",
                vec![("a", "n", "\"1\"")],
            ),
            ("[longrun.w]\ninstances = [\"a\"]\n", vec![]),
        ] {
            let found = written_values(text, "longrun", "w");
            let found: Vec<(&str, &str, &str)> =
                found.iter().map(|one| (&*one.instance, &*one.parameter, &text[one.span.clone()])).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
