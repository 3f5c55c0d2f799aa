//! Finds the programs with which a script ends, although its shell stays.

use tree_sitter::Node;

use super::{ENDS_AT_ONCE, ShellScript, ShellWord, SimpleCommand, is_assignment, statements};

/// A program with which a script ends, and the shell waits for it.
pub struct Ending<'s> {
    /// Its command.
    pub command: SimpleCommand<'s>,
    /// How the shell waits.
    pub kind: EndingKind,
    /// Whether the script does nothing more, whatever the program does.
    pub is_last: bool,
}

/// How a shell waits for a program at the end of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndingKind {
    /// The program runs in the foreground.
    Foreground,
    /// The program is the first one of a pipeline.
    Pipeline,
    /// The program runs in the background, and the script ends with `wait`.
    Background,
}

impl ShellScript<'_> {
    /// The programs with which the script ends while the shell stays. Each branch of a condition at the end has its own.
    pub fn endings(&self) -> Vec<Ending<'_>> {
        let mut endings = Vec::new();
        self.add_last_of(&statements(self.tree.root_node()), true, &mut endings);
        endings
    }

    /// Adds the endings of a list of statements.
    fn add_last_of<'s>(
        &'s self,
        statements: &[(Node<'s>, bool)],
        is_last: bool,
        endings: &mut Vec<Ending<'s>>,
    ) {
        let short = |(statement, is_background): &&(Node<'s>, bool)| {
            let ends_at_once = |name: ShellWord<'_>| ENDS_AT_ONCE.contains(&name.as_written());
            let name = self.simple(*statement).and_then(|command| command.name());
            !is_background && (is_assignment(*statement) || name.is_some_and(ends_at_once))
        };
        let count = statements.iter().rev().take_while(short).count();
        let Some(((last, is_background), before)) = statements[..statements.len() - count].split_last()
        else {
            return;
        };
        if *is_background {
            return;
        }
        let waits = self.simple(*last).and_then(|command| command.name());
        if waits.is_some_and(|name| name.as_written() == "wait") {
            let background = before.iter().filter(|(_, is_background)| *is_background);
            let programs = background.filter_map(|(statement, _)| self.first_program(*statement));
            endings.extend(programs.map(|command| Ending {
                command,
                kind: EndingKind::Background,
                is_last: false,
            }));
        } else {
            self.add_ending(*last, is_last && count == 0, endings);
        }
    }

    /// Adds the endings of a statement.
    fn add_ending<'s>(&'s self, statement: Node<'s>, is_last: bool, endings: &mut Vec<Ending<'s>>) {
        if let Some(command) = self.simple(statement) {
            if command.name().is_some_and(|name| name.is_program()) {
                endings.push(Ending { command, kind: EndingKind::Foreground, is_last });
            }
            return;
        }
        match statement.kind() {
            "pipeline" => {
                let program = self.first_program(statement);
                endings.extend(program.map(|command| Ending {
                    command,
                    kind: EndingKind::Pipeline,
                    is_last: false,
                }));
            }
            "list" => {
                let is_or = statement.child(1).is_some_and(|operator| operator.kind() == "||");
                let first = statement.named_child(0).filter(|_| is_or);
                first.into_iter().for_each(|first| self.add_ending(first, false, endings));
                let last =
                    statement.named_child_count().checked_sub(1).and_then(|at| statement.named_child(at));
                last.into_iter().for_each(|last| self.add_ending(last, is_last, endings));
            }
            "compound_statement" => self.add_last_of(&statements(statement), is_last, endings),
            "if_statement" => {
                let parts: Vec<Node<'_>> = statement.children(&mut statement.walk()).collect();
                self.add_branch(&parts, is_last, endings);
            }
            "case_statement" => {
                for item in statements(statement).into_iter().filter(|(part, _)| part.kind() == "case_item") {
                    self.add_last_of(&statements(item.0), is_last, endings);
                }
            }
            _ => {}
        }
    }

    /// Adds the endings of the branches of an `if` with these parts, which include its words.
    fn add_branch<'s>(&'s self, parts: &[Node<'s>], is_last: bool, endings: &mut Vec<Ending<'s>>) {
        let then = parts.iter().position(|part| part.kind() == "then").map_or(0, |at| at + 1);
        let is_clause = |part: &Node<'_>| matches!(part.kind(), "elif_clause" | "else_clause");
        let next = parts.iter().map(|part| part.kind() == "&").skip(1).chain([false]);
        let body: Vec<(Node<'s>, bool)> = parts
            .iter()
            .copied()
            .zip(next)
            .skip(then)
            .filter(|(part, _)| part.is_named() && part.kind() != "comment" && !is_clause(part))
            .collect();
        self.add_last_of(&body, is_last, endings);
        for clause in parts.iter().filter(|part| is_clause(part)) {
            let parts: Vec<Node<'_>> = clause.children(&mut clause.walk()).collect();
            self.add_branch(&parts, is_last, endings);
        }
    }

    /// The program of a command, or the first one of a pipeline.
    fn first_program<'s>(&'s self, statement: Node<'s>) -> Option<SimpleCommand<'s>> {
        let first = match statement.kind() {
            // A loop that reads the output of a program is the service itself.
            "pipeline" => {
                let last = statement.named_child(statement.named_child_count().checked_sub(1)?)?;
                self.simple(last)?;
                statement.named_child(0)?
            }
            _ => statement,
        };
        self.simple(first).filter(|command| command.name().is_some_and(|name| name.is_program()))
    }
}
