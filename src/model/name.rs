//! The name of a service.

use std::fmt::{self, Write};
use std::sync::Arc;

/// The name of a service, as bytes: s6-rc allows everything but `/`, newline and NUL.
///
/// When it is printed, characters that could disturb a terminal or a log are escaped.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<[u8]>);

impl Name {
    /// The name with exactly these bytes.
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        Name(bytes.as_ref().into())
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether s6-rc keeps this name for itself (prefix `s6rc-` or `s6-rc-`).
    pub fn is_reserved(&self) -> bool {
        self.0.starts_with(b"s6rc-") || self.0.starts_with(b"s6-rc-")
    }
}

impl From<&str> for Name {
    fn from(name: &str) -> Self {
        Name::new(name)
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other.as_bytes()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                if c.is_control() || is_invisible(c) {
                    write!(f, "{}", c.escape_default())?;
                } else {
                    f.write_char(c)?;
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

/// Whether a character is invisible or changes the direction of text. It could make two names look alike.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}
