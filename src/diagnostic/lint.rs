//! What is known of a lint without its check.

use std::fmt;

use super::Severity;

/// A lint: a kind of problem over which nobody stops, and which a user may weigh differently.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lint {
    /// Its name, `lint::NAME` or `overlay::NAME`.
    pub slug: &'static str,
    /// How much it weighs unless the user says otherwise.
    pub level: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// Whether its reports bring a change that mends them.
    pub has_fix: bool,
    /// What `s6gen explain` prints: what is wrong, why, a wrong and a right example.
    pub page: &'static str,
}

/// How sure a lint is that its reports are right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// It follows from what the programs involved do.
    Certain,
    /// It is so in almost every case; a script may know better.
    Likely,
}

impl fmt::Debug for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug)
    }
}
