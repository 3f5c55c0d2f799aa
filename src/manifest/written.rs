//! Finds where each key of a manifest is written, so that a manifest can be read without one of them.

use std::ops::Range;

use toml_edit::Key;
use toml_parser::Source;
use toml_parser::lexer::TokenKind;

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
                    (None, Some(header)) => table = parts(header.trim_end_matches(']')).unwrap_or_default(),
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
    use super::written_keys;

    #[test]
    fn each_key_has_its_table_and_its_whole_value() {
        let text = "include = []\n[longrun.\"a.b\"] # c\nrun = [\n  \"x=1\", # [y]\n]\nlog.size = \"5MB\"  # end\n\
                    [longrun.b]\nenvironment = { A = \"1\" }\n";
        let found: Vec<(String, &str)> = written_keys(text)
            .iter()
            .map(|key| (key.path().collect::<Vec<_>>().join("/"), &text[key.span.clone()]))
            .collect();
        let expected = [
            ("include", "include = []"),
            ("longrun/a.b/run", "run = [\n  \"x=1\", # [y]\n]"),
            ("longrun/a.b/log/size", "log.size = \"5MB\""),
            ("longrun/b/environment", "environment = { A = \"1\" }"),
        ];
        assert_eq!(found, expected.map(|(path, span)| (path.to_owned(), span)));
    }
}
