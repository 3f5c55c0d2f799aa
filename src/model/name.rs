//! The name of a service.

use std::fmt;
use std::sync::Arc;

use super::printable::write_printable;

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
        write_printable(&self.0, f)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}
