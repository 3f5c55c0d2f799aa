//! Follows a script with known arguments, to find the commands that it runs. Nothing is started.
//!
//! Only what is certain is followed: variables, tests, arithmetic and `if`. Anything else that decides what the script does ends
//! the attempt.

use std::collections::BTreeMap;

use tree_sitter::Node;

use super::builtins::is_own_word;
use super::{ShellScript, has_plain_words, plain, statements};

/// A command that a script runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracedCommand {
    /// Its words, after all expansions.
    pub words: Vec<String>,
    /// Its redirections: the operator, and what follows it.
    pub redirections: Vec<(String, String)>,
    /// Whether the process of the script becomes this command.
    pub is_end: bool,
}

/// A part of a test: `[ "$1" -ne 0 ]` has three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestWord {
    /// Its text, after all expansions.
    pub text: String,
    /// Whether it is a value, whatever it looks like.
    pub is_value: bool,
}

/// What is known when a script starts.
pub struct TraceSetting<'k> {
    /// Its arguments, from `$1` on.
    pub arguments: &'k [&'k str],
    /// The content of a file, without the newline at its end, if it is known.
    pub read: &'k dyn Fn(&str) -> Option<String>,
    /// The result of a test, if it depends on nothing else.
    pub test: &'k dyn Fn(&[TestWord]) -> Option<bool>,
}

/// The options of `set` that do not change what a script does if no command fails.
const HARMLESS_OPTIONS: &[&str] = &[
    "-e", "-u", "-x", "-eu", "-ue", "-ex", "-euo", "-eo", "-o", "+e", "+u", "+x", "pipefail", "nounset",
    "errexit",
];

impl ShellScript<'_> {
    /// The commands that the script runs, in order, if none of them fails. `None` if something else than its arguments may decide
    /// what it does.
    pub fn trace(&self, setting: &TraceSetting<'_>) -> Option<Vec<TracedCommand>> {
        has_plain_words(self.text).then_some(())?;
        let mut tracer = Tracer {
            text: self.text,
            setting,
            variables: BTreeMap::new(),
            commands: Vec::new(),
            has_ended: false,
        };
        tracer.all(self.tree.root_node())?;
        Some(tracer.commands)
    }
}

struct Tracer<'s> {
    text: &'s str,
    setting: &'s TraceSetting<'s>,
    variables: BTreeMap<String, String>,
    commands: Vec<TracedCommand>,
    has_ended: bool,
}

/// Whether a statement succeeded. `None` if only the program itself knows.
type Success = Option<bool>;

fn parts(node: Node<'_>) -> Vec<Node<'_>> {
    node.children(&mut node.walk()).collect()
}

impl Tracer<'_> {
    fn written(&self, node: Node<'_>) -> &str {
        &self.text[node.byte_range()]
    }

    /// Follows the statements in a node.
    fn all(&mut self, parent: Node<'_>) -> Option<Success> {
        let mut last = Some(true);
        for (statement, is_background) in statements(parent) {
            if is_background {
                return None;
            }
            last = self.statement(statement)?;
            if self.has_ended {
                break;
            }
        }
        Some(last)
    }

    fn statement(&mut self, node: Node<'_>) -> Option<Success> {
        match node.kind() {
            "command" => self.command(node, &[]),
            "redirected_statement" => {
                let body = node.child_by_field_name("body").filter(|body| body.kind() == "command")?;
                let redirections: Vec<Node<'_>> =
                    parts(node).into_iter().filter(|part| *part != body).collect();
                self.command(body, &redirections)
            }
            "variable_assignment" => self.assign(node).map(|()| Some(true)),
            "variable_assignments" | "declaration_command" => self.declare(node).map(|()| Some(true)),
            "if_statement" => self.condition(node),
            "list" => self.list(node),
            "test_command" => {
                let mut words = Vec::new();
                self.test_words(node, &mut words)?;
                (self.setting.test)(&words).map(Some)
            }
            _ => None,
        }
    }

    fn list(&mut self, node: Node<'_>) -> Option<Success> {
        let [left, operator, right] = parts(node)[..] else { return None };
        let first = self.statement(left)?;
        if self.has_ended {
            return Some(first);
        }
        let goes_on = match operator.kind() {
            "&&" => first?,
            "||" => !first?,
            _ => return None,
        };
        if goes_on { self.statement(right) } else { Some(first) }
    }

    fn condition(&mut self, node: Node<'_>) -> Option<Success> {
        let (mut is_true, mut result) = self.branch(node)?;
        for clause in parts(node) {
            if is_true || self.has_ended {
                break;
            }
            match clause.kind() {
                "elif_clause" => (is_true, result) = self.branch(clause)?,
                "else_clause" => result = self.all(clause)?,
                _ => {}
            }
        }
        Some(result)
    }

    /// Follows a condition, and what stands behind its `then` if it is true.
    fn branch(&mut self, node: Node<'_>) -> Option<(bool, Success)> {
        let (mut is_true, mut result) = (None, Some(true));
        let mut is_in_condition = false;
        for part in parts(node) {
            match part.kind() {
                "if" | "elif" => is_in_condition = true,
                "then" => is_in_condition = false,
                "comment" | ";" | "\n" | "fi" | "elif_clause" | "else_clause" => {}
                _ if !part.is_named() => return None,
                _ if is_in_condition => is_true = Some(self.statement(part)??),
                _ if is_true? => result = self.statement(part)?,
                _ => {}
            }
            if self.has_ended {
                break;
            }
        }
        Some((is_true?, result))
    }

    fn command(&mut self, node: Node<'_>, around: &[Node<'_>]) -> Option<Success> {
        let mut words = Vec::new();
        let mut tests = Vec::new();
        let mut redirections = Vec::new();
        for part in parts(node).iter().chain(around) {
            if part.kind() == "file_redirect" {
                redirections.push(self.redirection(*part)?);
                continue;
            }
            let word = self.word(*part)?;
            tests.push(TestWord { text: word.clone(), is_value: part.kind() != "word" });
            words.push(word);
        }
        let name = words.first()?.clone();
        let is_plain = redirections.is_empty();
        match name.as_str() {
            "exit" if is_plain => {
                self.has_ended = true;
                Some(None)
            }
            "exec" if words.len() == 1 => {
                let is_join = |(operator, to): &(String, String)| operator.ends_with(">&") && to.len() == 1;
                redirections.iter().all(is_join).then_some(Some(true))
            }
            "exec" => {
                words.remove(0);
                self.commands.push(TracedCommand { words, redirections, is_end: true });
                self.has_ended = true;
                Some(None)
            }
            "test" if is_plain => (self.setting.test)(&tests[1..]).map(Some),
            ":" | "true" => Some(Some(true)),
            "false" => Some(Some(false)),
            "set" => {
                let is_harmless = words[1..].iter().all(|word| HARMLESS_OPTIONS.contains(&word.as_str()));
                is_harmless.then_some(Some(true))
            }
            "echo" | "printf" => {
                self.commands.push(TracedCommand { words, redirections, is_end: false });
                Some(Some(true))
            }
            _ if is_own_word(&name) => None,
            _ => {
                self.commands.push(TracedCommand { words, redirections, is_end: false });
                Some(None)
            }
        }
    }

    fn redirection(&self, node: Node<'_>) -> Option<(String, String)> {
        let (destination, before) = parts(node).split_last().map(|(last, rest)| (*last, rest.to_vec()))?;
        let operator: String = before.iter().map(|part| self.written(*part)).collect();
        Some((operator, self.word(destination)?))
    }

    fn declare(&mut self, node: Node<'_>) -> Option<()> {
        let is_new = matches!(node.child(0).map(|word| word.kind()), Some("declare" | "typeset" | "local"));
        for part in parts(node) {
            match part.kind() {
                "declare" | "typeset" | "local" | "readonly" | "export" => {}
                // Without a value it is empty, unless it has one already.
                "variable_name" if is_new => {
                    self.variables.entry(self.written(part).to_owned()).or_default();
                }
                "variable_name" => {}
                "word" if ["-r", "-x", "-rx", "-i", "-ir"].contains(&self.written(part)) => {}
                "variable_assignment" => self.assign(part)?,
                _ => return None,
            }
        }
        Some(())
    }

    fn assign(&mut self, node: Node<'_>) -> Option<()> {
        let name = self.written(node.child_by_field_name("name")?).to_owned();
        self.written(node).starts_with(&format!("{name}=")).then_some(())?;
        let value = match node.child_by_field_name("value") {
            Some(value) => self.value(value)?,
            None => String::new(),
        };
        self.variables.insert(name, value);
        Some(())
    }

    /// The text of a word that is one word whatever its values are.
    fn word(&self, node: Node<'_>) -> Option<String> {
        let value = self.value(node)?;
        let is_split = |part: &Node<'_>| {
            matches!(part.kind(), "simple_expansion" | "expansion" | "command_substitution")
        };
        let has_split = is_split(&node) || node.kind() == "concatenation" && parts(node).iter().any(is_split);
        let is_odd = value.is_empty() || value.contains([' ', '\t', '\n', '*', '?', '[']);
        (!has_split || !is_odd).then_some(value)
    }

    /// The value of a word, as in an assignment.
    fn value(&self, node: Node<'_>) -> Option<String> {
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
                let path = inner.strip_prefix('<').or_else(|| inner.strip_prefix("cat "))?.trim();
                let is_path = path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
                (self.setting.read)(path).filter(|_| is_path)
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
            Ok(number) => self.setting.arguments.get(number - 1).map_or("", |word| word),
            Err(_) => self.variables.get(name)?,
        };
        let default = default.filter(|_| value.is_empty());
        Some(default.unwrap_or(value).to_owned())
    }

    fn number(&self, node: Node<'_>) -> Option<i64> {
        match node.kind() {
            "number" => self.written(node).parse().ok(),
            "variable_name" | "word" => self.variable(self.written(node))?.parse().ok(),
            "simple_expansion" | "expansion" => self.value(node)?.parse().ok(),
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
    fn test_words(&self, node: Node<'_>, words: &mut Vec<TestWord>) -> Option<()> {
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
                "test_operator" | "extglob_pattern" | "regex" => self.written(part).to_owned(),
                _ if !part.is_named() => self.written(part).to_owned(),
                _ => self.word(part)?,
            };
            let is_value = part.is_named() && !matches!(part.kind(), "test_operator" | "word");
            words.push(TestWord { text, is_value });
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::{TestWord, TraceSetting};
    use crate::shell::ShellScript;

    /// Compares two words.
    fn test(words: &[TestWord]) -> Option<bool> {
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        match texts[..] {
            [left, "-eq" | "=" | "==", right] => Some(left == right),
            [left, "-ne" | "!=", right] => Some(left != right),
            _ => None,
        }
    }

    fn trace(text: &str, arguments: &[&str]) -> Option<Vec<String>> {
        let read = |path: &str| (path == "/known").then(|| "5".to_owned());
        let setting = TraceSetting { arguments, read: &read, test: &test };
        let commands = ShellScript::read(text).unwrap().trace(&setting)?;
        let shown = commands.into_iter().map(|command| {
            let redirections = command.redirections.iter().map(|(operator, to)| format!(" {operator}{to}"));
            command.words.join("|") + &redirections.collect::<String>()
        });
        Some(shown.collect())
    }

    #[test]
    fn a_script_is_followed_with_its_arguments() {
        let text = "#!/bin/bash\nset -e\ndeclare last\nreadonly code=\"${1}\"\nlast=$(</known)\nif [[ \"${code}\" -eq 256 ]]; then\n  \
                    echo $((128 + $2)) > /file\nelif [ $1 -ne 0 ]; then\n  [[ $last -eq 5 ]] && log \"code ${code}\"\n  exec halt\n\
                    else\n  echo fine\nfi\necho end\n";
        assert_eq!(trace(text, &["256", "9"]).unwrap(), ["echo|137 >/file", "echo|end"]);
        assert_eq!(trace(text, &["3", "0"]).unwrap(), ["log|code 3", "halt"]);
        assert_eq!(trace(text, &["0", "0"]).unwrap(), ["echo|fine", "echo|end"]);
        let chain = "if [ $1 = a ]; then x; elif [ $1 = b ]; then y; elif [ $1 = c ]; then z; else w; fi\n";
        assert_eq!(
            ["a", "b", "c", "d"].map(|word| trace(chain, &[word]).unwrap().concat()),
            ["x", "y", "z", "w"]
        );
    }

    #[test]
    fn what_is_not_certain_is_not_followed() {
        for text in [
            "if web; then halt; fi\n",
            "web && halt\n",
            "[ -n \"$A\" ] && halt\n",
            "halt &\n",
            "for a in b; do halt; done\n",
            "cd /\nhalt\n",
            "A=$(id)\n",
            "cat /x | halt\n",
            "halt() { :; }\nhalt\n",
            "exec >/log\nhalt\n",
            "echo $A\n",
            "set -- a\nhalt $1\n",
            "(halt)\n",
            "A=1 halt\n",
            "eval halt\n",
            "echo $1*\n",
        ] {
            assert_eq!(trace(text, &["0"]), None, "{text}");
        }
    }
}
