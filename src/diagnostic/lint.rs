//! The data of a lint, without its check.

use std::fmt;

use super::{FixKind, Severity};

/// A lint: a kind of problem at which s6-rc does not stop, and whose level the user can change.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lint {
    /// Its name, `lint::NAME` or `overlay::NAME`.
    pub slug: &'static str,
    /// Its default level.
    pub level: Severity,
    /// How certain its reports are.
    pub confidence: Confidence,
    /// What it is about.
    pub group: Group,
    /// Whether its reports may contain a fix, or why they have none.
    pub fix: FixKind,
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

/// What lints are about. A user can give a level to a whole group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// The files of a definition.
    Files,
    /// The text of commands and scripts.
    Scripts,
    /// Which process s6 supervises.
    Processes,
    /// When a service counts as up.
    Readiness,
    /// How a service dies or is stopped.
    Deaths,
    /// Where output goes.
    Logs,
    /// What s6-overlay does with the services of an image.
    Image,
}

impl Group {
    /// Every group.
    pub const ALL: &'static [Group] = &[
        Group::Files,
        Group::Scripts,
        Group::Processes,
        Group::Readiness,
        Group::Deaths,
        Group::Logs,
        Group::Image,
    ];

    /// The name by which a user selects it.
    pub fn name(self) -> &'static str {
        match self {
            Group::Files => "files",
            Group::Scripts => "scripts",
            Group::Processes => "processes",
            Group::Readiness => "readiness",
            Group::Deaths => "deaths",
            Group::Logs => "logs",
            Group::Image => "image",
        }
    }
}

impl fmt::Debug for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug)
    }
}
