//! Finds what a script leaves to others: the files into which its commands write, and the variables that it exports in vain.

use std::ops::Range;

use tree_sitter::Node;

use super::{ShellScript, ShellWord, SimpleCommand, builtins};

/// A simple command whose output goes into a file.
pub struct Output<'s> {
    /// The command.
    pub command: SimpleCommand<'s>,
    /// The path of the file as written, with quotes and expansions.
    pub path: &'s str,
    /// The place of the path in bytes.
    pub span: Range<usize>,
}

/// Builtins that change nothing outside of the script, and give variables to no other program.
const HARMLESS: &[&str] =
    &[":", "[", "echo", "exit", "false", "printf", "return", "set", "test", "true", "unset"];

impl ShellScript<'_> {
    /// The simple commands whose standard output goes into a file. Those in functions and substitutions are left out.
    pub fn outputs(&self) -> Vec<Output<'_>> {
        let mut outputs = Vec::new();
        let mut open = vec![self.tree.root_node()];
        while let Some(node) = open.pop() {
            if matches!(node.kind(), "function_definition" | "command_substitution" | "process_substitution")
            {
                continue;
            }
            if node.kind() == "redirected_statement"
                && let Some(command) = self.writer(node)
            {
                let mut cursor = node.walk();
                let redirections = node.children_by_field_name("redirect", &mut cursor);
                outputs.extend(redirections.filter_map(|redirection| {
                    let file = self.output_file(redirection)?;
                    let (path, span) = (&self.text[file.byte_range()], file.byte_range());
                    Some(Output { command, path, span })
                }));
            }
            open.extend(node.named_children(&mut node.walk()));
        }
        outputs.sort_by_key(|output| output.span.start);
        outputs
    }

    /// The command to which the redirections of a statement belong: in the grammar they are around a whole list or pipeline.
    fn writer<'s>(&'s self, statement: Node<'s>) -> Option<SimpleCommand<'s>> {
        let mut body = statement;
        while matches!(body.kind(), "redirected_statement" | "list" | "pipeline") {
            if self.continues_after_redirection(body) {
                return None;
            }
            let last = body.named_child_count().checked_sub(1)?;
            body = body.child_by_field_name("body").or_else(|| body.named_child(last))?;
        }
        self.simple(body)
    }

    /// The file of a redirection of standard output.
    fn output_file<'s>(&'s self, redirection: Node<'s>) -> Option<Node<'s>> {
        let mut cursor = redirection.walk();
        let is_output =
            redirection.children(&mut cursor).any(|part| matches!(part.kind(), ">" | ">>" | ">|"));
        let descriptor = redirection.child_by_field_name("descriptor");
        let is_standard = descriptor.is_none_or(|number| &self.text[number.byte_range()] == "1");
        let file = redirection.child_by_field_name("destination")?;
        (redirection.kind() == "file_redirect" && is_output && is_standard).then_some(file)
    }

    /// The first `export` of a script that runs nothing after it: no program gets what it exports. `None` if something in the
    /// script may use it after all.
    pub fn vain_export(&self) -> Option<ShellWord<'_>> {
        let mut first: Option<Node<'_>> = None;
        let mut open = vec![self.tree.root_node()];
        while let Some(node) = open.pop() {
            // Programs in a value run before it is exported.
            let is_after = first.as_ref().is_some_and(|first| node.start_byte() >= first.end_byte());
            match node.kind() {
                // What is before an export in the text may run after it.
                "for_statement" | "c_style_for_statement" | "while_statement" | "function_definition" => {
                    return None;
                }
                // A script that writes a file may write what it exports.
                "file_redirect" if self.output_file(node).is_some_and(|file| !self.is_device(file)) => {
                    return None;
                }
                "declaration_command" if first.is_none() => first = self.exported(node),
                "command" => {
                    let name = SimpleCommand { node, text: self.text }.name()?;
                    let is_harmless = HARMLESS.contains(&name.as_written());
                    let is_own = builtins::is_own_word(name.as_written()) || !name.is_program();
                    if !is_harmless && (is_own || is_after) {
                        return None;
                    }
                }
                _ => {}
            }
            let mut cursor = node.walk();
            let parts: Vec<Node<'_>> = node.named_children(&mut cursor).collect();
            // The last one that is added is the next one that is read.
            open.extend(parts.into_iter().rev());
        }
        Some(ShellWord { node: first?, text: self.text })
    }

    /// The name of the first variable of a declaration that exports it.
    fn exported<'s>(&'s self, declaration: Node<'s>) -> Option<Node<'s>> {
        let mut cursor = declaration.walk();
        let is_export = declaration.child(0).is_some_and(|word| word.kind() == "export");
        let first = declaration.named_children(&mut cursor).next().filter(|_| is_export)?;
        match first.kind() {
            "variable_assignment" => first.child_by_field_name("name"),
            "variable_name" => Some(first),
            _ => None,
        }
    }

    fn is_device(&self, file: Node<'_>) -> bool {
        self.text[file.byte_range()].starts_with("/dev/")
    }
}

#[cfg(test)]
mod tests {
    use crate::shell::ShellScript;

    #[test]
    fn the_files_of_simple_commands_are_found() {
        let found = |text: &str| {
            let script = ShellScript::read(text).unwrap();
            let outputs = script.outputs();
            let shown = outputs
                .iter()
                .map(|output| format!("{} > {}", output.command.name().unwrap().as_written(), output.path));
            shown.collect::<Vec<_>>()
        };
        assert_eq!(found("echo a > /x\nif y; then echo b >>\"$Z\"; fi\n"), ["echo > /x", "echo > \"$Z\""]);
        assert_eq!(found("a && echo b > /x\n"), ["echo > /x"]);
        assert_eq!(found("echo a | tr b c > /x\n"), ["tr > /x"]);
        assert_eq!(found("echo a 2> /x\necho a >&2\ncat < /x\n"), [""; 0]);
        assert_eq!(found("f() { echo a > /x; }\n{ echo a; } > /x\n"), [""; 0]);
    }

    #[test]
    fn an_export_is_in_vain_if_nothing_can_use_it() {
        let first = |text: &str| {
            let script = ShellScript::read(text).unwrap();
            script.vain_export().map(|name| name.as_written().to_owned())
        };
        for text in
            ["export A=1\n", "mkdir /x\nA=$(hostname)\nif [ -n \"$A\" ]; then export A; fi\necho done\n"]
        {
            assert_eq!(first(text).as_deref(), Some("A"), "{text}");
        }
        for text in [
            "export A=1\nweb\n",
            "export A=1\nB=$(web)\n",
            "export A=1\n. /lib\n",
            "export A=1\nenv > /x\n",
            "export A=1\necho \"$A\" > /x\n",
            "for x in a b; do web; export A=$x; done\n",
            "export A=1\n\"$B\"\n",
            "export -p\n",
            "trap web EXIT\nexport A=1\n",
            "A=1\n",
        ] {
            assert_eq!(first(text), None, "{text}");
        }
    }
}
