//! Reads shell scripts with a grammar of Bash, which includes that of `sh`.
//!
//! A [`ShellScript`] answers questions: is it a single simple command, which signals does it trap, which program does it wait
//! for at its end. A rule that needs more adds its question here, so that no other room depends on the parser.

mod builtins;
mod ending;
mod first_line;
mod lines;
mod output;
mod plain;
mod trace;
mod trace_words;
mod variables;

pub use ending::{Ending, EndingKind};
pub use first_line::{SeveralWords, as_the_kernel_splits, first_line, several_words};
pub use lines::{Line, lines};
pub use output::Output;
pub use plain::{PlainStep, has_plain_words, is_pure_condition, plain_number};
pub use trace::{TestWord, TraceSetting, TracedCommand};
pub use variables::is_of_container;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use tree_sitter::{Node, ParseOptions, ParseState, Parser, Tree};

/// A script without syntax errors.
pub struct ShellScript<'t> {
    text: &'t str,
    tree: Tree,
}

/// For how many bytes the parser may report its progress, which it does after a fixed number of steps, and how often besides.
/// The scripts of public images need a report for 125 bytes and more. Only a text that is made to be slow needs one for less
/// than 35.
const BYTES_OF_A_STEP: usize = 32;
const MORE_STEPS: usize = 32;
/// The longest script that is read, in bytes.
const LONGEST: usize = 128 << 10;
/// How deep the grammar may nest the parts of a script: other functions follow them down.
const DEEPEST: usize = 256;
/// How many `(` every script may have. The time for `a=(a=(…` grows with the square of their number, so that a longer script may
/// have more only in proportion to the root of its length. Scripts of public images with 38 KB have 200.
const FEW_PARENTHESES: usize = 32;
/// How deep parentheses and arrays may nest. In scripts of public images no array contains another.
const DEEPEST_PARENTHESES: usize = 32;
const DEEPEST_ARRAY: usize = 2;

impl<'t> ShellScript<'t> {
    /// Reads a script. `None` if it has a syntax error, or takes the parser too long.
    pub fn read(text: &'t str) -> Option<Self> {
        if text.len() > LONGEST || has_many_parentheses(text) {
            return None;
        }
        let mut parser = Parser::new();
        parser.set_language(&tree_sitter_bash::LANGUAGE.into()).ok()?;
        let mut steps_left = MORE_STEPS + text.len() / BYTES_OF_A_STEP;
        // A script with an error is of no use, and to go on after an error is slow.
        let mut is_hopeless = |state: &ParseState| {
            steps_left = steps_left.saturating_sub(1);
            steps_left == 0 || state.has_error()
        };
        let options = ParseOptions::new().progress_callback(&mut is_hopeless);
        let harmless = with_small_characters(text);
        let rest = &mut |from: usize, _| harmless.as_bytes().get(from..).unwrap_or_default();
        let tree = parser.parse_with_options(rest, None, Some(options))?;
        (!tree.root_node().has_error() && !is_too_deep(&tree)).then_some(ShellScript { text, tree })
    }

    /// The simple command that is the whole script. `None` if the script does anything else, or runs it in the background.
    pub fn only_command(&self) -> Option<SimpleCommand<'_>> {
        let root = self.tree.root_node();
        let mut cursor = root.walk();
        let mut parts = root.children(&mut cursor).filter(|part| part.kind() != "comment");
        let statement = parts.next()?;
        if parts.any(|part| part.kind() != ";") {
            return None;
        }
        self.simple(statement)
    }

    /// The last program that the script waits for. After it there are only builtins that end at once.
    pub fn last_program(&self) -> Option<ShellWord<'_>> {
        for (statement, is_background) in statements(self.tree.root_node()).into_iter().rev() {
            if is_assignment(statement) {
                continue;
            }
            let name = self.simple(statement).filter(|_| !is_background)?.name()?;
            if !ENDS_AT_ONCE.contains(&name.as_written()) {
                return Some(name).filter(ShellWord::is_program);
            }
        }
        None
    }

    /// Every simple command of the script in order, with what the script does with it. Commands in functions and in
    /// substitutions are left out.
    pub fn steps(&self) -> Vec<ShellStep<'_>> {
        let mut steps = Vec::new();
        self.add_steps(self.tree.root_node(), StepRole::Waits, &mut steps);
        let is_last =
            |step: &ShellStep<'_>| step.role == StepRole::Waits && self.is_end(step.command.span().end);
        if let Some(last) = steps.last_mut().filter(|last| is_last(last)) {
            last.role = StepRole::Last;
        }
        steps
    }

    /// The names of its functions.
    pub fn functions(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        let mut open = vec![self.tree.root_node()];
        while let Some(node) = open.pop() {
            if node.kind() == "function_definition" {
                names.extend(node.child_by_field_name("name").map(|name| &self.text[name.byte_range()]));
            }
            open.extend(node.named_children(&mut node.walk()));
        }
        names
    }

    /// Whether nothing but blanks and comments follows.
    fn is_end(&self, at: usize) -> bool {
        let root = self.tree.root_node();
        let mut cursor = root.walk();
        root.children(&mut cursor)
            .all(|part| part.start_byte() < at || matches!(part.kind(), "comment" | ";" | "\n"))
    }

    /// Adds the commands of the statements in `parent`.
    fn add_steps<'s>(&'s self, parent: Node<'s>, role: StepRole, steps: &mut Vec<ShellStep<'s>>) {
        for (statement, is_background) in statements(parent) {
            let role = if is_background { StepRole::Background } else { role };
            match statement.kind() {
                "comment" | "function_definition" | "command_substitution" | "process_substitution" => {}
                // What follows `||` may not run.
                "list" if statement.child(1).is_some_and(|operator| operator.kind() == "||") => {
                    self.add_steps(statement, StepRole::Nested.max(role), steps);
                }
                "list" => self.add_steps(statement, role, steps),
                "pipeline" => self.add_steps(statement, StepRole::Nested.max(role), steps),
                "command" | "redirected_statement" => match self.simple(statement) {
                    Some(command) => steps.push(ShellStep { command, role }),
                    None => self.add_steps(statement, StepRole::Nested.max(role), steps),
                },
                _ => self.add_steps(statement, StepRole::Nested.max(role), steps),
            }
        }
    }

    /// The conditions of every `trap` outside of functions and other compound commands, as written. `trap - TERM` takes one back.
    pub fn traps(&self) -> Vec<&str> {
        let mut traps = Vec::new();
        for (statement, _) in statements(self.tree.root_node()) {
            let Some(command) = self.simple(statement) else { continue };
            if command.name().is_none_or(|name| name.as_written() != "trap") {
                continue;
            }
            let mut arguments = command.arguments().into_iter().skip_while(|argument| *argument == "--");
            let is_reset = arguments.next() == Some("-");
            let conditions: Vec<&str> = arguments.collect();
            match is_reset {
                true => traps.retain(|known| !conditions.contains(known)),
                false => traps.extend(conditions),
            }
        }
        traps
    }

    /// Whether a command follows a here-document on its line: the grammar puts `<<EOF && next` into the redirection.
    fn continues_after_redirection(&self, statement: Node<'_>) -> bool {
        let mut cursor = statement.walk();
        let documents = statement.children(&mut cursor).filter(|part| part.kind() == "heredoc_redirect");
        let mut parts = documents.flat_map(|document| {
            let mut cursor = document.walk();
            document.children(&mut cursor).map(|part| part.kind()).collect::<Vec<_>>()
        });
        parts.any(|kind| matches!(kind, "&&" | "||" | "|" | "|&" | "pipeline" | "list"))
    }

    /// The simple command of a statement, if it is one. In the grammar, redirections after a command are nodes around it.
    fn simple<'s>(&'s self, mut statement: Node<'s>) -> Option<SimpleCommand<'s>> {
        while statement.kind() == "redirected_statement" {
            if self.continues_after_redirection(statement) {
                return None;
            }
            statement = statement.child_by_field_name("body")?;
        }
        (statement.kind() == "command").then_some(SimpleCommand { node: statement, text: self.text })
    }
}

/// The statements of a part of a script, each with whether it runs in the background.
fn statements(parent: Node<'_>) -> Vec<(Node<'_>, bool)> {
    let parts: Vec<Node<'_>> = parent.children(&mut parent.walk()).collect();
    // The siblings of a node are slow to find from the node itself.
    let next = parts.iter().skip(1).map(|part| part.kind() == "&").chain([false]);
    let statements = parts.iter().copied().zip(next);
    statements.filter(|(part, _)| part.is_named() && part.kind() != "comment").collect()
}

/// Whether the grammar would be slow with the parentheses of a text.
fn has_many_parentheses(text: &str) -> bool {
    let mut count: usize = 0;
    // Of each open one, whether it begins an array.
    let mut open: Vec<bool> = Vec::new();
    let mut before = b' ';
    text.bytes().any(|byte| {
        match byte {
            b'(' => {
                count += 1;
                open.push(before == b'=');
            }
            b')' => drop(open.pop()),
            _ => {}
        }
        before = byte;
        let is_deep = || open.iter().filter(|is_array| **is_array).count() > DEEPEST_ARRAY;
        open.len() > DEEPEST_PARENTHESES || byte == b'(' && is_deep()
    }) || count > FEW_PARENTHESES && count * count > 4 * text.len()
}

/// Whether a statement only sets variables.
fn is_assignment(statement: Node<'_>) -> bool {
    matches!(statement.kind(), "variable_assignment" | "variable_assignments")
}

/// Whether the parts of a script nest too deep.
fn is_too_deep(tree: &Tree) -> bool {
    let mut cursor = tree.walk();
    let mut depth = 0;
    loop {
        if cursor.goto_first_child() {
            depth += 1;
            if depth > DEEPEST {
                return true;
            }
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return false;
            }
            depth -= 1;
        }
    }
}

/// Builtins that end at once.
const ENDS_AT_ONCE: &[&str] = &[":", "echo", "exit", "printf", "return", "true"];

/// A simple command of a script, and what the script does with it.
pub struct ShellStep<'s> {
    /// The command.
    pub command: SimpleCommand<'s>,
    /// What the script does with it.
    pub role: StepRole,
}

/// What a script does with a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepRole {
    /// It waits for its end, and goes on.
    Waits,
    /// It ends with this command, so that the command is the process or its result.
    Last,
    /// The command is in a condition, a loop, a pipeline or a subshell: it may run or not, and more may follow.
    Nested,
    /// It goes on at once, and the command runs beside it.
    Background,
}

/// A program or builtin with its words, assignments and redirections.
#[derive(Clone, Copy)]
pub struct SimpleCommand<'s> {
    node: Node<'s>,
    text: &'s str,
}

impl<'s> SimpleCommand<'s> {
    /// Its place in bytes, without redirections after it.
    pub fn span(&self) -> Range<usize> {
        self.node.byte_range()
    }

    /// Whether it begins with an assignment.
    pub fn has_assignments(&self) -> bool {
        self.node.children(&mut self.node.walk()).any(|part| part.kind() == "variable_assignment")
    }

    /// The names that it gives to other commands, if it is an `alias`.
    pub fn aliases(&self) -> Vec<String> {
        if self.name().is_none_or(|name| name.as_written() != "alias") {
            return Vec::new();
        }
        let names = self.arguments().into_iter().filter_map(|argument| argument.split_once('='));
        names.map(|(name, _)| name.trim_matches(['"', '\'']).to_owned()).collect()
    }

    /// The words after its name, as written.
    pub fn arguments(&self) -> Vec<&'s str> {
        let mut cursor = self.node.walk();
        let words = self.node.children_by_field_name("argument", &mut cursor);
        words.map(|word| &self.text[word.byte_range()]).collect()
    }

    /// Its name and its arguments, as written.
    pub fn written(&self) -> Vec<&'s str> {
        let name = self.name().map(|name| name.as_written());
        name.into_iter().chain(self.arguments()).collect()
    }

    /// Its name and its arguments: the text of each that is the same whenever the script runs, and its place in bytes.
    pub fn words(&self) -> Vec<(Option<String>, Range<usize>)> {
        let mut cursor = self.node.walk();
        let name = self.node.child_by_field_name("name");
        let arguments: Vec<Node<'_>> = self.node.children_by_field_name("argument", &mut cursor).collect();
        let words = name.into_iter().chain(arguments);
        words.map(|word| (plain(word, self.text), word.byte_range())).collect()
    }

    /// The name of the program or builtin.
    pub fn name(&self) -> Option<ShellWord<'s>> {
        let node = self.node.child_by_field_name("name")?;
        Some(ShellWord { node, text: self.text })
    }
}

/// The text of a word without its quotes. `None` if something in it is expanded.
fn plain(word: Node<'_>, text: &str) -> Option<String> {
    let written = &text[word.byte_range()];
    match word.kind() {
        "command_name" => plain(word.named_child(0)?, text),
        "raw_string" => Some(written.get(1..written.len() - 1)?.to_owned()),
        "string" => {
            let inner = written.get(1..written.len() - 1)?;
            let mut cursor = word.walk();
            let is_plain = word.named_children(&mut cursor).all(|part| part.kind() == "string_content");
            (is_plain && !inner.contains('\\')).then(|| inner.to_owned())
        }
        "concatenation" => {
            let mut cursor = word.walk();
            word.named_children(&mut cursor).map(|part| plain(part, text)).collect()
        }
        "word" | "number" => {
            let is_pattern = written.contains(['*', '?', '[', '{', '~', '$', '`']);
            (!is_pattern).then(|| written.replace('\\', ""))
        }
        _ => None,
    }
}

/// A word of a command, quotes and expansions included.
pub struct ShellWord<'s> {
    node: Node<'s>,
    text: &'s str,
}

impl<'s> ShellWord<'s> {
    /// The word as written, with quotes and expansions.
    pub fn as_written(&self) -> &'s str {
        &self.text[self.span()]
    }

    /// Its place in bytes.
    pub fn span(&self) -> Range<usize> {
        self.node.byte_range()
    }

    /// Whether it is certainly the name of a program: a path, or a name that is not a builtin or keyword. The value of an
    /// expansion is unknown.
    pub fn is_program(&self) -> bool {
        let plain = self.as_written();
        let unquoted = |mark| plain.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark));
        let name = unquoted('"').or_else(|| unquoted('\'')).unwrap_or(plain);
        let is_plain = name.chars().all(|c| c.is_alphanumeric() || "_-+.,:@%".contains(c));
        self.has_slash() || is_plain && !name.is_empty() && !builtins::is_own_word(name)
    }

    /// Whether it has a slash outside of expansions. Then it is a path for every value of the expansions.
    fn has_slash(&self) -> bool {
        let mut open = vec![self.node];
        while let Some(node) = open.pop() {
            let is_expansion = node.kind().ends_with("expansion") || node.kind().ends_with("substitution");
            if is_expansion {
                continue;
            }
            if node.named_child_count() == 0 && self.text[node.byte_range()].contains('/') {
                return true;
            }
            open.extend(node.named_children(&mut node.walk()));
        }
        false
    }
}

/// The text with other characters of as many bytes in place of those beyond U+00FF. The parser asks `isdigit` of the C library about
/// each character behind a `{`, and for a large one that reads memory that is not there.
fn with_small_characters(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| u32::from(c) < 256) {
        return text.into();
    }
    let small = |c: char, small: &mut String| match c.len_utf8() {
        3 => small.push_str("é_"),
        4 => small.push_str("éé"),
        _ if u32::from(c) < 256 => small.push(c),
        _ => small.push('é'),
    };
    let mut result = String::with_capacity(text.len());
    text.chars().for_each(|c| small(c, &mut result));
    result.into()
}
