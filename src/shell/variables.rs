//! Finds the variables that a script uses but never sets.

use std::collections::BTreeMap;
use std::ops::Range;

use tree_sitter::Node;

use super::{ShellScript, SimpleCommand};

/// Commands after which any variable may be set: they read other files, or compute code.
const SETS_ANYTHING: &[&str] = &[".", "source", "eval", "with-contenv", "import"];
/// Builtins that set the variables that their arguments name.
const SETS_ARGUMENTS: &[&str] = &["read", "getopts", "mapfile", "readarray", "printf", "unset", "wait"];
/// Variables that a shell, s6 or the system sets.
const KNOWN: &[&str] = &[
    "PATH",
    "HOME",
    "PWD",
    "OLDPWD",
    "IFS",
    "PPID",
    "RANDOM",
    "SECONDS",
    "LINENO",
    "HOSTNAME",
    "HOSTTYPE",
    "UID",
    "EUID",
    "GROUPS",
    "SHELL",
    "SHLVL",
    "TERM",
    "USER",
    "LOGNAME",
    "OPTARG",
    "OPTIND",
    "OPTERR",
    "REPLY",
    "MACHTYPE",
    "OSTYPE",
    "EPOCHSECONDS",
    "EPOCHREALTIME",
    "FUNCNAME",
    "PIPESTATUS",
    "DIRSTACK",
    "COLUMNS",
    "LINES",
    "ENV",
    "PS1",
    "PS2",
    "PS4",
    "MAPFILE",
    "COPROC",
    "BASHPID",
    "BASHOPTS",
    "SHELLOPTS",
    "BASH",
];

/// Whether a variable looks like one of the container: its name is in capitals, and neither a shell nor the system sets it.
pub fn is_of_container(name: &str) -> bool {
    let is_upper = name.len() > 1
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    is_upper && !KNOWN.contains(&name) && !name.starts_with("BASH_")
}

impl ShellScript<'_> {
    /// The variables in capitals that the script uses without a default and never sets, each once with its first place in bytes.
    /// None if the script may set others that are not visible in it.
    pub fn foreign_variables(&self) -> Vec<(&str, Range<usize>)> {
        let mut used: BTreeMap<&str, Range<usize>> = BTreeMap::new();
        let mut set = Vec::new();
        let mut open = vec![self.tree.root_node()];
        while let Some(node) = open.pop() {
            match node.kind() {
                "simple_expansion" | "expansion" => self.add_use(node, &mut used),
                "variable_assignment" => {
                    set.extend(node.child_by_field_name("name").map(|name| self.word(name)))
                }
                "for_statement" => {
                    set.extend(node.child_by_field_name("variable").map(|name| self.word(name)))
                }
                "declaration_command" => {
                    let mut cursor = node.walk();
                    set.extend(node.named_children(&mut cursor).map(|part| self.word(part)));
                }
                "command" => {
                    let command = SimpleCommand { node, text: self.text };
                    let name = command.name().map(|name| name.as_written()).unwrap_or_default();
                    if SETS_ANYTHING.contains(&name.rsplit('/').next().unwrap_or(name)) {
                        return Vec::new();
                    }
                    if SETS_ARGUMENTS.contains(&name) {
                        set.extend(command.arguments());
                    }
                }
                _ => {}
            }
            open.extend(node.named_children(&mut node.walk()));
        }
        let is_foreign = |name: &str| !set.contains(&name);
        let mut foreign: Vec<_> = used.into_iter().filter(|(name, _)| is_foreign(name)).collect();
        foreign.sort_by_key(|(_, span)| span.start);
        foreign
    }

    /// Whether the script uses its arguments, outside of functions: `$1`, `"$@"`, `${#}`.
    pub fn uses_arguments(&self) -> bool {
        let mut open = vec![self.tree.root_node()];
        while let Some(node) = open.pop() {
            if matches!(node.kind(), "variable_name" | "special_variable_name") {
                let name = self.word(node);
                let is_number = name != "0" && name.bytes().all(|byte| byte.is_ascii_digit());
                let is_used = node.parent().is_some_and(|parent| parent.kind().ends_with("expansion"));
                if is_used && (is_number || matches!(name, "@" | "*" | "#")) {
                    return true;
                }
            }
            if node.kind() != "function_definition" {
                open.extend(node.children(&mut node.walk()));
            }
        }
        false
    }

    fn word(&self, node: Node<'_>) -> &str {
        &self.text[node.byte_range()]
    }

    /// Adds the variable of an expansion that does nothing but insert its value.
    fn add_use<'s>(&'s self, expansion: Node<'s>, used: &mut BTreeMap<&'s str, Range<usize>>) {
        let is_plain = expansion.named_child_count() == 1
            && expansion
                .children(&mut expansion.walk())
                .all(|part| matches!(part.kind(), "variable_name" | "$" | "${" | "}"));
        let Some(name) = expansion.named_child(0).filter(|_| is_plain).map(|name| self.word(name)) else {
            return;
        };
        if is_of_container(name) {
            let span = expansion.byte_range();
            let first = used.entry(name).or_insert(span.clone());
            if span.start < first.start {
                *first = span;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(text: &str) -> Vec<String> {
        let script = ShellScript::read(text).expect("a script");
        script.foreign_variables().into_iter().map(|(name, _)| name.to_owned()).collect()
    }

    #[test]
    fn arguments_are_used_where_they_are_expanded() {
        let uses = |text: &str| ShellScript::read(text).expect("a script").uses_arguments();
        for text in [
            "web \"$@\"\n",
            "web $1\n",
            "web ${1:-80} x\n",
            "test $# = 0\n",
            "echo \"a ${12}\"\n",
            "x=$(web $*)\n",
        ] {
            assert!(uses(text), "{text}");
        }
        for text in [
            "awk '{ print $1 }'\n",
            "web $0 $$ $? ${#PORT} $PORT\n",
            "f() { web \"$1\"; }; f 1\n",
            "set -- 1\n",
        ] {
            assert!(!uses(text), "{text}");
        }
    }

    #[test]
    fn only_variables_that_the_script_cannot_have_set_are_foreign() {
        assert_eq!(foreign("exec web \"$PORT\" ${WEB_HOST} $PORT\n"), ["PORT", "WEB_HOST"]);
        for text in [
            "PORT=80; exec web $PORT\n",
            "exec web ${PORT:-80} ${PORT+x} ${#PORT}\n",
            "for PORT in 80 81; do echo $PORT; done\n",
            "read -r PORT < /etc/port; exec web $PORT\n",
            "export PORT; exec web $PORT\n",
            ". /etc/defaults; exec web $PORT\n",
            "exec web $port $1 $$ $PATH $HOSTNAME\n",
            "exec web '$PORT'\n",
        ] {
            assert_eq!(foreign(text), [] as [&str; 0], "{text}");
        }
    }
}
