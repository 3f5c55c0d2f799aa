//! The parameters of a template, and the values that they may have.
//!
//! A value that was set while the system runs may come from anyone. It is *harmful* if a program could read it as code or as an
//! option, and not as plain data. Where that could happen, a value must consist of harmless characters, or match the pattern that
//! the author of the template has declared.

use regex_lite::{Regex, RegexBuilder};

use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::manifest::{DeclaredParameter, ManifestText};

/// The harmless characters besides letters and digits: every program reads them as a part of a word.
pub(super) const HARMLESS: &str = "_.,:@%+=/-";
/// The largest pattern, as written and compiled, in bytes. This limits the time that reading and matching it takes.
const LARGEST_PATTERN: usize = 1 << 16;
/// The longest value that is compared with a pattern, in bytes. A longer one cannot be an argument of a program.
const LONGEST_VALUE: usize = 1 << 17;
/// How much of a value a report shows.
const SHOWN: usize = 40;

/// A parameter that a template declares.
pub(super) struct Parameter {
    /// Its name.
    pub name: ManifestText,
    pattern: Option<Pattern>,
}

struct Pattern {
    text: ManifestText,
    /// `None` if the pattern cannot be read. That was reported.
    regex: Option<Regex>,
}

impl Parameter {
    /// Reads the pattern of a declared parameter; reports it if that is not possible.
    pub fn new(declared: &DeclaredParameter, problems: &mut Problems) -> Parameter {
        let name = declared.name.clone();
        let pattern = declared.pattern.as_ref().map(|text| {
            let regex = compile(&text.value).map_err(|why| {
                let message = format!("the pattern of `{}` cannot be read: {why}", name.value.escape_debug());
                problems.push(
                    Diagnostic::new(Code::InvalidValue, message)
                        .at(text.origin, "not a regular expression")
                        .help("write one as in `[0-9]+` or `[^\\n]*`, in single quotes, in which `\\` means itself"),
                );
            });
            Pattern { text: text.clone(), regex: regex.ok() }
        });
        Parameter { name, pattern }
    }

    /// Whether its author has declared a pattern for its values.
    pub fn has_pattern(&self) -> bool {
        self.pattern.is_some()
    }

    /// Whether its pattern allows characters that mean something to a shell or to another interpreter.
    pub fn allows_harmful_values(&self) -> bool {
        self.pattern.as_ref().is_some_and(|pattern| allows_harmful_values(&pattern.text.value))
    }

    /// Reports a value that does not match the declared pattern.
    pub fn check(&self, value: &ManifestText, problems: &mut Problems) {
        let Some(Pattern { text, regex: Some(regex) }) = &self.pattern else { return };
        if value.value.len() <= LONGEST_VALUE && regex.is_match(&value.value) {
            return;
        }
        let message = format!("`{}` cannot be {}", self.name.value, shown(&value.value));
        let label = format!("does not match `{}`", text.value.escape_debug());
        problems.push(
            Diagnostic::new(Code::InvalidValue, message)
                .at(value.origin, label)
                .at(text.origin, "the template allows only this")
                .help("choose another value; the pattern must match all of it"),
        );
    }
}

/// The expression that matches a whole text if and only if `pattern` does.
fn compile(pattern: &str) -> Result<Regex, String> {
    // Its syntax tree, which is made before its compiled form is measured, takes a hundred times as much memory as its text.
    if pattern.len() > LARGEST_PATTERN {
        return Err(format!("it is longer than {LARGEST_PATTERN} bytes"));
    }
    // Compile the pattern alone first: a bracket in it must not close the group around it.
    let compile = |text: &str| RegexBuilder::new(text).size_limit(LARGEST_PATTERN).build();
    compile(pattern).and_then(|_| compile(&format!("\\A(?:{pattern})\\z"))).map_err(|error| error.to_string())
}

/// Whether a pattern may match characters that are not harmless. If that is hard to find out, the answer is yes.
fn allows_harmful_values(pattern: &str) -> bool {
    let is_harmless = |c: char| c.is_ascii_alphanumeric() || HARMLESS.contains(c);
    let mut chars = pattern.chars().peekable();
    let mut in_class = false;
    let mut before = None;
    while let Some(c) = chars.next() {
        let is_range =
            in_class && c == '-' && before.is_some() && chars.peek().is_some_and(|next| *next != ']');
        match c {
            '\\' => match chars.next() {
                Some('d' | 'w' | 'A' | 'z' | 'b') => {}
                Some(escaped) if !escaped.is_ascii_alphanumeric() && is_harmless(escaped) => {}
                _ => return true,
            },
            '[' if in_class || matches!(chars.peek(), Some('^' | ']')) => return true,
            '[' => in_class = true,
            ']' if in_class => in_class = false,
            '.' if !in_class => return true,
            '(' | ')' | '{' | '}' | '|' | '*' | '?' | '^' | '$' if !in_class => {}
            _ if is_range => {
                let kind = |c: char| (c.is_ascii_digit(), c.is_ascii_lowercase(), c.is_ascii_uppercase());
                let (first, last) = (before.unwrap_or(c), chars.peek().copied().unwrap_or(c));
                if !first.is_ascii_alphanumeric() || kind(first) != kind(last) {
                    return true;
                }
            }
            _ if !is_harmless(c) => return true,
            _ => {}
        }
        before = in_class.then_some(c).filter(|c| *c != '[');
    }
    false
}

/// Why a program could read a value as code or as an option. `None` for a harmless value.
pub(super) fn why_harmful(value: &str) -> Option<String> {
    let is_harmless = |c: &char| c.is_ascii_alphanumeric() || HARMLESS.contains(*c);
    match value.chars().find(|c| !is_harmless(c)) {
        Some(' ') => Some("contains a blank".to_owned()),
        Some('\n') => Some("contains a line break".to_owned()),
        Some('`') => Some("contains a backquote".to_owned()),
        Some(c) => Some(format!("contains `{}`", c.escape_debug())),
        None if value.is_empty() => Some("empty".to_owned()),
        None => value.starts_with('-').then(|| "begins with `-`, as options do".to_owned()),
    }
}

/// A value for a report, shortened and made printable.
pub(super) fn shown(value: &str) -> String {
    match value.char_indices().nth(SHOWN) {
        _ if value.is_empty() => "empty".to_owned(),
        Some((cut, _)) => format!("`{}…`", value[..cut].escape_debug()),
        None => format!("`{}`", value.escape_debug()),
    }
}
