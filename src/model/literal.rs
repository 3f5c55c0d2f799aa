//! Texts of a manifest that look as if they would be expanded, but are used as written.

use crate::diagnostic::Origin;

/// A text that looks as if it would be expanded.
#[derive(Debug, Clone)]
pub struct Literal {
    /// The key whose value it is, or the name of the variable; empty for an expression.
    pub key: String,
    /// The text, or the name in the expression.
    pub text: String,
    /// Where it stands.
    pub origin: Origin,
    /// What it is.
    pub form: LiteralForm,
}

/// Where a literal text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiteralForm {
    /// In a key such as `workdir`, with a `$NAME`.
    Value,
    /// In a variable of `environment`, with a `$NAME`.
    Environment,
    /// Somewhere in a service that is no template, with a `{{ name }}`.
    Expression,
}

/// The name behind the first `$` of a text, and what stands before it.
pub fn variable(text: &str) -> Option<(&str, String)> {
    let (before, after) = text.split_once('$')?;
    let named = after.strip_prefix('{').unwrap_or(after);
    if before.ends_with('\\') || !named.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return None;
    }
    Some((before, named.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()))
}
