//! Reads scripts that consist of a few plain commands, so that every word of them is the same whenever they run.

use std::ops::Range;

use tree_sitter::Node;

use super::{ShellScript, ShellStep, StepRole, plain, statements};

/// A statement of a plain script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlainStep {
    /// A simple command: its words without quotes, and its redirections as written.
    Command {
        /// Its words.
        words: Vec<String>,
        /// Its redirections: `2>&1`.
        redirections: Vec<String>,
    },
    /// `export NAME=value`.
    Export(Vec<(String, String)>),
    /// `if CONDITION; then …; else …; fi`.
    If {
        /// The place of the condition in bytes.
        condition: Range<usize>,
        /// What follows if it succeeds.
        then: Vec<PlainStep>,
        /// What follows if it fails.
        otherwise: Vec<PlainStep>,
    },
}

/// Whether the grammar splits a text into the same words as a shell. It does not where a backslash is a part of a word, or a
/// character that is no blank for a shell looks like one.
pub fn has_plain_words(text: &str) -> bool {
    let is_odd = |c: char| c.is_whitespace() && !matches!(c, ' ' | '\t' | '\n');
    let mut before = ' ';
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        // A line may go on behind a blank.
        let goes_on = c == '\\' && matches!(before, ' ' | '\t') && letters.peek() == Some(&'\n');
        if is_odd(c) || c == '\\' && !goes_on {
            return false;
        }
        before = c;
    }
    true
}

/// The number that a text is, written in the only way that has the same value everywhere: `010` may be 8.
pub fn plain_number(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().filter(|number| number.to_string() == text)
}

/// Whether a condition changes nothing in the shell that asks it, so that another shell may ask it: it consists of tests and of
/// programs.
pub fn is_pure_condition(text: &str) -> bool {
    const BUILTINS: &[&str] = &[":", "[", "command", "false", "test", "true"];
    let Some(script) = ShellScript::read(text) else { return false };
    let is_pure = |step: &ShellStep<'_>| {
        let name = step.command.name();
        let is_known = name.is_some_and(|name| name.is_program() || BUILTINS.contains(&name.as_written()));
        is_known && !step.command.has_assignments() && step.role != StepRole::Background
    };
    let assigns = text.split_whitespace().any(|word| {
        let name = word.split_once('=').map(|(name, _)| name.trim_end_matches('+'));
        let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
        name.is_some_and(|name| !name.is_empty() && name.chars().all(is_letter))
    });
    !assigns && !text.contains(":=") && !is_background(text) && script.steps().iter().all(is_pure)
}

/// Whether something runs in the background.
fn is_background(text: &str) -> bool {
    text.replace("&&", "").replace(">&", "").replace("&>", "").contains('&')
}

impl ShellScript<'_> {
    /// The statements of the script, if all of them are plain. Comments do not count. `None` for any other script.
    pub fn plain_steps(&self) -> Option<Vec<PlainStep>> {
        has_plain_words(self.text).then_some(())?;
        self.plain_steps_in(self.tree.root_node())
    }

    /// The texts of its comments, in order, without the first line of the script.
    pub fn comments(&self) -> Vec<&str> {
        let mut comments = Vec::new();
        let mut open = vec![self.tree.root_node()];
        while let Some(node) = open.pop() {
            if node.kind() == "comment" && node.start_byte() > 0 {
                comments.push(node.byte_range());
            }
            open.extend(node.children(&mut node.walk()));
        }
        comments.sort_by_key(|range| range.start);
        comments.into_iter().map(|range| &self.text[range]).collect()
    }

    fn plain_steps_in(&self, parent: Node<'_>) -> Option<Vec<PlainStep>> {
        let plain = statements(parent)
            .into_iter()
            .map(|(statement, is_background)| if is_background { None } else { self.plain_step(statement) });
        plain.collect()
    }

    fn plain_step(&self, statement: Node<'_>) -> Option<PlainStep> {
        match statement.kind() {
            "command" => {
                Some(PlainStep::Command { words: self.plain_words(statement)?, redirections: Vec::new() })
            }
            "redirected_statement" => {
                let body = statement.child_by_field_name("body").filter(|body| body.kind() == "command")?;
                let words = self.plain_words(body)?;
                let mut cursor = statement.walk();
                let parts: Vec<Node<'_>> =
                    statement.named_children(&mut cursor).filter(|part| *part != body).collect();
                if parts.iter().any(|part| part.kind() != "file_redirect") {
                    return None;
                }
                let redirections = parts
                    .iter()
                    .map(|part| self.text[part.byte_range()].split_whitespace().collect())
                    .collect();
                Some(PlainStep::Command { words, redirections })
            }
            "declaration_command" => self.plain_export(statement),
            "if_statement" => self.plain_if(statement),
            _ => None,
        }
    }

    /// The words of a command without assignments and redirections in it.
    fn plain_words(&self, command: Node<'_>) -> Option<Vec<String>> {
        let mut cursor = command.walk();
        let parts: Vec<Node<'_>> = command.children(&mut cursor).collect();
        parts.into_iter().map(|part| plain(part, self.text)).collect()
    }

    fn plain_export(&self, statement: Node<'_>) -> Option<PlainStep> {
        let mut cursor = statement.walk();
        let mut parts = statement.children(&mut cursor);
        if parts.next()?.kind() != "export" {
            return None;
        }
        let variable = |part: Node<'_>| {
            if part.kind() != "variable_assignment" {
                return None;
            }
            let name = self.text[part.child_by_field_name("name")?.byte_range()].to_owned();
            let value = match part.child_by_field_name("value") {
                Some(value) => plain(value, self.text)?,
                None => String::new(),
            };
            let is_plain = self.text[part.byte_range()].starts_with(&format!("{name}="));
            is_plain.then_some((name, value))
        };
        parts.map(variable).collect::<Option<Vec<_>>>().map(PlainStep::Export)
    }

    fn plain_if(&self, statement: Node<'_>) -> Option<PlainStep> {
        let mut cursor = statement.walk();
        let parts: Vec<Node<'_>> = statement.children(&mut cursor).collect();
        let then = parts.iter().position(|part| part.kind() == "then")?;
        let conditions: Vec<&Node<'_>> = parts[1..then].iter().filter(|part| part.is_named()).collect();
        let [condition] = conditions[..] else { return None };
        let mut rest = parts[then + 1..].iter();
        let mut steps = Vec::new();
        let mut otherwise = Vec::new();
        for part in rest.by_ref() {
            match part.kind() {
                "else_clause" => otherwise = self.plain_steps_in(*part)?,
                "elif_clause" => return None,
                _ if part.is_named() && part.kind() != "comment" => steps.push(self.plain_step(*part)?),
                ";" | "\n" | "fi" | "comment" => {}
                _ => return None,
            }
        }
        Some(PlainStep::If { condition: condition.byte_range(), then: steps, otherwise })
    }
}

#[cfg(test)]
mod tests {
    use super::{PlainStep, is_pure_condition};
    use crate::shell::ShellScript;

    fn steps(text: &str) -> Option<Vec<PlainStep>> {
        ShellScript::read(text).unwrap().plain_steps()
    }

    fn command(words: &[&str], redirections: &[&str]) -> PlainStep {
        let owned = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
        PlainStep::Command { words: owned(words), redirections: owned(redirections) }
    }

    #[test]
    fn plain_commands_are_read() {
        let text = "#!/bin/sh\n# why\nexec 2>&1\ncd /srv\nexport A=1 B='2 3' C=\nexec web --port \"80\" 'a b' 2>&1\n";
        let export = [("A", "1"), ("B", "2 3"), ("C", "")].map(|(name, value)| (name.into(), value.into()));
        assert_eq!(
            steps(text).unwrap(),
            [
                command(&["exec"], &["2>&1"]),
                command(&["cd", "/srv"], &[]),
                PlainStep::Export(export.into()),
                command(&["exec", "web", "--port", "80", "a b"], &["2>&1"]),
            ]
        );
        assert_eq!(ShellScript::read(text).unwrap().comments(), ["# why"]);
    }

    #[test]
    fn an_if_has_two_sides() {
        let text = "if [ -n \"$A\" ]; then\n  exec web\nelse\n  exec sleep infinity\nfi\n";
        let read = steps(text).unwrap();
        let [PlainStep::If { condition, then, otherwise }] = &read[..] else { panic!("{read:?}") };
        assert_eq!(&text[condition.clone()], "[ -n \"$A\" ]");
        assert_eq!(*then, [command(&["exec", "web"], &[])]);
        assert_eq!(*otherwise, [command(&["exec", "sleep", "infinity"], &[])]);
    }

    #[test]
    fn a_pure_condition_changes_nothing() {
        for text in [
            "[ -n \"$A\" ]",
            "test -f /x && [ -d /y ]",
            "grep -q x /etc/y",
            "command -v web >/dev/null 2>&1",
            "! [ -x /z ]",
        ] {
            assert!(is_pure_condition(text), "{text}");
        }
        for text in [
            "cd /app",
            ". /etc/app.env",
            "umask 077",
            "export A=1",
            "[ -n x ] && A=2",
            "ulimit -n 5",
            "exec 2>&1",
            "set -f",
            "[ -f x ] || exit 1",
            "[ ${A:=x} ]",
            "sleep 1 &",
            "read A",
        ] {
            assert!(!is_pure_condition(text), "{text}");
        }
    }

    #[test]
    fn nothing_else_is_plain() {
        for text in [
            "exec web \"x\"\\ b\n",
            "exec web x\\\\ b\n",
            "exec web --a=b,\\\nc=d\n",
            "exec web a\u{b}b\n",
            "exec web $A\n",
            "web &\n",
            "A=1\nexec web\n",
            "A=1 exec web\n",
            "exec web | cat\n",
            "exec web *.conf\n",
            "exec web ~/x\n",
            "exec web $(id)\n",
            "export A=$B\n",
            "export A\n",
            "export A+=b\n",
            "web && exec web\n",
            "while true; do web; done\n",
            "exec web <<EOF\nx\nEOF\n",
            "if a; then b; elif c; then d; fi\n",
        ] {
            assert_eq!(steps(text), None, "{text}");
        }
    }
}
