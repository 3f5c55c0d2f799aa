//! Texts of the configuration as texts of the manifest.

use std::collections::BTreeSet;

use crate::supervisord::{Expanded, Piece};

/// How the texts of a service are written.
pub(super) struct Texts {
    /// Whether the service is a template, so that `{{` begins an expression.
    pub is_template: bool,
    /// The directory in which supervisord is started.
    pub directory: String,
    /// The format of the number that names the instances.
    pub instance_format: String,
    /// The variables of the container that occurred.
    pub variables: BTreeSet<String>,
    /// Whether the instances have names that are not the numbers of processes.
    pub has_own_names: bool,
    /// Lines of a script for variables whose new value has the old one in it.
    pub exports: Vec<String>,
    /// Further formats of the number, which become parameters.
    pub formats: Vec<String>,
}

impl Texts {
    /// A text of the configuration, with `${NAME}` for variables of the container.
    pub fn text(&mut self, text: &Expanded) -> String {
        text.0.iter().map(|piece| self.piece(piece)).collect()
    }

    /// A part of a text.
    pub fn piece(&mut self, piece: &Piece) -> String {
        match piece {
            Piece::Plain(text) => self.plain(text),
            Piece::Variable(name) => {
                self.variables.insert(name.clone());
                format!("${{{name}}}")
            }
            Piece::Number(format) => self.number(format),
        }
    }

    /// A plain text. In a template `{{` is written as an expression that gives it.
    pub fn plain(&self, text: &str) -> String {
        match self.is_template {
            true => text.replace("{{", "{{ '{{' }}").replace("{%", "{{ '{%' }}").replace("{#", "{{ '{#' }}"),
            false => text.to_owned(),
        }
    }

    /// Whether a part of a text only looks like a variable that is one elsewhere.
    pub fn is_ambiguous(&self, text: &Expanded) -> bool {
        let plain = text.0.iter().filter_map(|piece| match piece {
            Piece::Plain(text) => Some(text),
            _ => None,
        });
        plain.into_iter().any(|text| self.variables.iter().any(|name| text.contains(&format!("${{{name}}}"))))
    }

    /// The number of the process, as an expression.
    pub fn number(&mut self, format: &str) -> String {
        if !self.has_own_names && is_same(format, &self.instance_format) {
            return "{{ instance }}".to_owned();
        }
        let known = self.formats.iter().position(|known| is_same(known, format));
        let place = known.unwrap_or_else(|| {
            self.formats.push(format.to_owned());
            self.formats.len() - 1
        });
        format!("{{{{ {} }}}}", parameter(place))
    }
}

/// A path without `.`, `..` and `~`, which is the home of root: supervisord expands it as the account that started it.
pub(super) fn clean_path(path: &str) -> String {
    let path = match path.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("/root{rest}"),
        _ => path.to_owned(),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." if parts.last().is_some_and(|last| !last.contains('$')) => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let start = if path.starts_with('/') { "/" } else { "" };
    format!("{start}{}", parts.join("/"))
}

/// The name of the parameter for the further format number `place`.
pub(super) fn parameter(place: usize) -> String {
    match place {
        0 => "number".to_owned(),
        place => format!("number{}", place + 1),
    }
}

fn is_same(one: &str, other: &str) -> bool {
    formatted(7, one) == formatted(7, other) && formatted(1234, one) == formatted(1234, other)
}

/// A number in a Python format such as `02d`.
pub(super) fn formatted(number: i64, format: &str) -> String {
    let digits: String = format.chars().filter(char::is_ascii_digit).collect();
    let width: usize = digits.parse().unwrap_or(0);
    match digits.starts_with('0') {
        true => format!("{number:0width$}"),
        false => format!("{number:width$}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{clean_path, formatted};

    #[test]
    fn paths_have_no_detours() {
        assert_eq!(clean_path("/etc/x/../log/./a.log"), "/etc/log/a.log");
        assert_eq!(clean_path("~/app/"), "/root/app");
        assert_eq!(clean_path("${A}/../b"), "${A}/../b");
        assert_eq!(clean_path("rel/x"), "rel/x");
    }

    #[test]
    fn formats_are_those_of_python() {
        assert_eq!(formatted(7, "02d"), "07");
        assert_eq!(formatted(7, "d"), "7");
        assert_eq!(formatted(7, "3d"), "  7");
        assert_eq!(formatted(123, "02d"), "123");
    }
}
