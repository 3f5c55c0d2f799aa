//! The data of a lint, without its check.

use std::fmt;

use super::Severity;

/// A lint: a kind of problem at which s6-rc does not stop, and whose level the user can change.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lint {
    /// Its name, `lint::NAME` or `overlay::NAME`.
    pub slug: &'static str,
    /// Its default level.
    pub level: Severity,
    /// How certain its reports are.
    pub confidence: Confidence,
    /// Whether its reports contain a fix.
    pub has_fix: bool,
    /// The page that `s6gen explain` prints: the problem, the reason, a wrong and a right example.
    pub page: &'static str,
}

/// How certain the reports of a lint are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// The programs involved certainly behave in this way.
    Certain,
    /// The report is right in almost every case. A script may contain an exception.
    Likely,
}

impl fmt::Debug for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug)
    }
}
