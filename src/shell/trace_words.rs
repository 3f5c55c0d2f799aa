//! Works out the words of a script that is followed.

use tree_sitter::Node;

use super::plain;
use super::plain::plain_number;
use super::trace::{TestWord, Tracer, parts};

/// Whether nothing in it is a pattern, or anything else than a text.
fn is_plain_text(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
}

impl Tracer<'_> {
    /// The text of a word that is one word whatever its values are.
    pub(super) fn word(&self, node: Node<'_>) -> Option<String> {
        let value = self.value(node)?;
        let is_split = |part: &Node<'_>| {
            matches!(part.kind(), "simple_expansion" | "expansion" | "command_substitution")
        };
        let has_split = is_split(&node) || node.kind() == "concatenation" && parts(node).iter().any(is_split);
        let is_odd = value.is_empty() || value.contains([' ', '\t', '\n', '*', '?', '[']);
        (!has_split || !is_odd).then_some(value)
    }

    /// The value of a word, as in an assignment.
    pub(super) fn value(&self, node: Node<'_>) -> Option<String> {
        if let Some(text) = plain(node, self.text) {
            return Some(text);
        }
        match node.kind() {
            "command_name" => self.word(node.named_child(0)?),
            "string" => {
                let (mut value, mut at) = (String::new(), node.start_byte() + 1);
                for part in parts(node).into_iter().filter(Node::is_named) {
                    value += &self.text[at..part.start_byte()];
                    value += &match part.kind() {
                        "string_content" => self.written(part).to_owned(),
                        _ => self.value(part)?,
                    };
                    at = part.end_byte();
                }
                Some(value + self.text.get(at..node.end_byte() - 1)?)
            }
            "concatenation" => parts(node).into_iter().map(|part| self.value(part)).collect(),
            "simple_expansion" => self.variable(self.written(node).strip_prefix('$')?),
            "expansion" => self.variable(self.written(node).strip_prefix("${")?.strip_suffix('}')?),
            "command_substitution" => {
                let inner = self.written(node).strip_prefix("$(")?.strip_suffix(')')?.trim();
                let short = inner.strip_prefix('<').filter(|_| self.is_bash);
                let path = short.or_else(|| inner.strip_prefix("cat "))?.trim();
                let mut redirections = self.commands.iter().flat_map(|command| &command.redirections);
                let is_changed = redirections.any(|(_, to)| to == path);
                (self.setting.read)(path).filter(|_| is_plain_text(path) && !is_changed)
            }
            "arithmetic_expansion" => {
                let [inner] = parts(node).into_iter().filter(Node::is_named).collect::<Vec<_>>()[..] else {
                    return None;
                };
                self.number(inner).map(|number| number.to_string())
            }
            _ => None,
        }
    }

    /// The value of `NAME` or `NAME:-default`.
    fn variable(&self, written: &str) -> Option<String> {
        let (name, default) = match written.split_once(":-") {
            Some((name, default)) if !default.contains(['$', '`', '"', '\'']) => (name, Some(default)),
            Some(_) => return None,
            None => (written, None),
        };
        let value = match name.parse::<usize>() {
            Ok(0) => return None,
            Ok(number) => self.setting.arguments.get(number - 1).copied()?,
            Err(_) => self.variables.get(name)?,
        };
        let default = default.filter(|_| value.is_empty());
        Some(default.unwrap_or(value).to_owned())
    }

    fn number(&self, node: Node<'_>) -> Option<i64> {
        match node.kind() {
            "number" => plain_number(self.written(node)),
            "variable_name" | "word" => plain_number(&self.variable(self.written(node))?),
            "simple_expansion" | "expansion" => plain_number(&self.value(node)?),
            "parenthesized_expression" => self.number(node.named_child(0)?),
            "binary_expression" => {
                let [left, operator, right] = parts(node)[..] else { return None };
                let (left, right) = (self.number(left)?, self.number(right)?);
                match self.written(operator) {
                    "+" => left.checked_add(right),
                    "-" => left.checked_sub(right),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The words of a test, without the brackets around it.
    pub(super) fn test_words(&self, node: Node<'_>, words: &mut Vec<TestWord>) -> Option<()> {
        for part in parts(node) {
            let is_nested = matches!(
                part.kind(),
                "binary_expression" | "unary_expression" | "parenthesized_expression" | "negated_command"
            );
            if is_nested {
                self.test_words(part, words)?;
                continue;
            }
            let text = match part.kind() {
                "[" | "[[" | "]" | "]]" => continue,
                "test_operator" => self.written(part).to_owned(),
                "extglob_pattern" | "regex" | "word" => {
                    Some(self.written(part)).filter(|text| is_plain_text(text))?.to_owned()
                }
                _ if !part.is_named() => self.written(part).to_owned(),
                _ => self.word(part)?,
            };
            let is_value = part.is_named() && !matches!(part.kind(), "test_operator" | "word");
            words.push(TestWord { text, is_value });
        }
        Some(())
    }
}
