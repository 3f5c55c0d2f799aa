//! Follows a script with known arguments, to find the commands that it runs. Nothing is started.
//!
//! Only what is certain is followed: variables, tests, arithmetic and `if`. Anything else that decides what the script does ends
//! the attempt. So does what another shell or another option of the shell would do in another way.

use std::collections::{BTreeMap, BTreeSet};

use tree_sitter::Node;

use super::builtins::is_own_word;
use super::plain::plain_number;
use super::{ShellScript, first_line, has_plain_words, statements};

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
    /// Its arguments, from `$1` on. A script that looks at another one is not followed.
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
/// Variables with a meaning for the shell itself.
const SPECIAL_VARIABLES: &[&str] =
    &["EUID", "GLOBIGNORE", "IFS", "LINENO", "PATH", "PPID", "RANDOM", "SECONDS", "SHELLOPTS", "UID"];
/// The exit code of a `finish` after which s6 does not start the service again.
const STAY_DOWN: u8 = 125;

impl ShellScript<'_> {
    /// The commands that the script runs, in order, if none of them fails. `None` if something else than its arguments may decide
    /// what it does.
    pub fn trace(&self, setting: &TraceSetting<'_>) -> Option<Vec<TracedCommand>> {
        has_plain_words(self.text).then_some(())?;
        let mut tracer = Tracer {
            text: self.text,
            setting,
            is_bash: first_line(self.text)
                .split([' ', '\t'])
                .filter_map(|word| word.rsplit('/').next())
                .any(|program| ["bash", "bashio"].contains(&program)),
            variables: BTreeMap::new(),
            fixed: BTreeSet::new(),
            commands: Vec::new(),
            may_fail: false,
            has_ended: false,
        };
        tracer.all(self.tree.root_node())?;
        Some(tracer.commands)
    }
}

/// What is known in the middle of a script.
pub(super) struct Tracer<'s> {
    pub(super) text: &'s str,
    pub(super) setting: &'s TraceSetting<'s>,
    /// Whether the words that only Bash has mean something.
    pub(super) is_bash: bool,
    pub(super) variables: BTreeMap<String, String>,
    /// The variables that cannot be assigned again.
    fixed: BTreeSet<String>,
    pub(super) commands: Vec<TracedCommand>,
    /// Whether something depends on the result of the statement, so that the shell never ends because of it.
    may_fail: bool,
    has_ended: bool,
}

/// Whether a statement succeeded. `None` if only the program itself knows.
type Success = Option<bool>;

pub(super) fn parts(node: Node<'_>) -> Vec<Node<'_>> {
    node.children(&mut node.walk()).collect()
}

impl Tracer<'_> {
    pub(super) fn written(&self, node: Node<'_>) -> &str {
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

    /// Follows a statement on whose result something depends.
    fn condition_part(&mut self, node: Node<'_>) -> Option<Success> {
        let before = std::mem::replace(&mut self.may_fail, true);
        let result = self.statement(node);
        self.may_fail = before;
        result
    }

    fn statement(&mut self, node: Node<'_>) -> Option<Success> {
        let result = self.any_statement(node)?;
        // With `set -e` it would be the end of the script.
        let is_failure =
            result == Some(false) && matches!(node.kind(), "command" | "test_command") && !self.may_fail;
        (!is_failure).then_some(result)
    }

    fn any_statement(&mut self, node: Node<'_>) -> Option<Success> {
        match node.kind() {
            "command" => self.command(node, &[]),
            "redirected_statement" => {
                let body = node.child_by_field_name("body").filter(|body| body.kind() == "command")?;
                let redirections: Vec<Node<'_>> =
                    parts(node).into_iter().filter(|part| *part != body).collect();
                self.command(body, &redirections)
            }
            "variable_assignment" => self.assign(node).map(|_| Some(true)),
            "variable_assignments" | "declaration_command" => self.declare(node).map(|()| Some(true)),
            "if_statement" => self.condition(node),
            "list" => self.list(node),
            "test_command" => {
                let mut words = Vec::new();
                self.test_words(node, &mut words)?;
                let foreign: &[&str] = match (self.written(node).starts_with("[["), self.is_bash) {
                    (true, true) => &["-a", "-o"],
                    (true, false) => return None,
                    (false, true) => &["&&", "||", "("],
                    (false, false) => &["&&", "||", "(", "=="],
                };
                self.test(&words, foreign)
            }
            _ => None,
        }
    }

    fn test(&self, words: &[TestWord], foreign: &[&str]) -> Option<Success> {
        let is_foreign = |word: &TestWord| !word.is_value && foreign.contains(&word.text.as_str());
        (!words.iter().any(is_foreign)).then(|| (self.setting.test)(words).map(Some))?
    }

    fn list(&mut self, node: Node<'_>) -> Option<Success> {
        let [left, operator, right] = parts(node)[..] else { return None };
        let first = self.condition_part(left)?;
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
                _ if is_in_condition => is_true = Some(self.condition_part(part)??),
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
                if let Some(code) = words.get(1) {
                    let code = plain_number(code).and_then(|code| u8::try_from(code).ok());
                    code.filter(|code| *code != STAY_DOWN && words.len() == 2)?;
                }
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
            "test" if is_plain => self.test(&tests[1..], if self.is_bash { &[] } else { &["=="] }),
            ":" | "true" if is_plain => Some(Some(true)),
            "false" if is_plain => Some(Some(false)),
            "set" if is_plain => {
                let is_harmless = |word: &String| {
                    HARMLESS_OPTIONS.contains(&word.as_str()) && (self.is_bash || word != "pipefail")
                };
                words[1..].iter().all(is_harmless).then_some(Some(true))
            }
            // It may assign a variable.
            "printf" if words.get(1).is_some_and(|word| word.starts_with('-')) => None,
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
        let is_fixed = |part: &Node<'_>| ["readonly", "-r", "-rx"].contains(&self.written(*part));
        let is_fixed = parts(node).iter().any(is_fixed);
        for part in parts(node) {
            match part.kind() {
                "readonly" | "export" => {}
                "declare" | "typeset" if self.is_bash => {}
                "word" if self.is_bash && ["-r", "-x", "-rx"].contains(&self.written(part)) => {}
                "variable_name" if !is_fixed => {}
                "variable_assignment" => {
                    let name = self.assign(part)?;
                    is_fixed.then(|| self.fixed.insert(name));
                }
                _ => return None,
            }
        }
        Some(())
    }

    /// Follows an assignment, and returns the name of the variable.
    fn assign(&mut self, node: Node<'_>) -> Option<String> {
        let name = self.written(node.child_by_field_name("name")?).to_owned();
        let is_special = SPECIAL_VARIABLES.contains(&name.as_str()) || name.starts_with("BASH");
        let is_plain = self.written(node).starts_with(&format!("{name}="));
        (is_plain && !is_special && !self.fixed.contains(&name)).then_some(())?;
        let value = match node.child_by_field_name("value") {
            Some(value) => self.value(value)?,
            None => String::new(),
        };
        self.variables.insert(name.clone(), value);
        Some(name)
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
