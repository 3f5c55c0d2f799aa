//! Texts of a manifest that look as if something expands them, but are used as written.

use crate::diagnostic::Origin;

/// A text that looks as if something expands it.
#[derive(Debug, Clone)]
pub struct Literal {
    /// The key that has the text as value, or the name of the variable. Empty for an expression.
    pub key: String,
    /// The text, or the name in the expression.
    pub text: String,
    /// Its place.
    pub origin: Origin,
    /// The kind of text.
    pub form: LiteralForm,
}

/// The kinds of literal texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiteralForm {
    /// In a key such as `workdir`, with a `$NAME`.
    Value,
    /// In a variable of `environment`, with a `$NAME`.
    Environment,
    /// Anywhere in a service that is not a template, with a `{{ name }}`.
    Expression,
    /// In a script that a service with expressions takes from a file, with a `{{ name }}`.
    ExpressionInFile,
}

/// The name of the first variable in a text, and the text before it.
pub fn variable(text: &str) -> Option<(&str, String)> {
    let (before, after) = text.split_once('$')?;
    let named = after.strip_prefix('{').unwrap_or(after);
    if before.ends_with('\\') || !named.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return None;
    }
    Some((before, named.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()))
}
