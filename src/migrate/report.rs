//! The report of an import: what became of each part of the old system.

use crate::diagnostic::Origin;

/// What became of a part of the old system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// The new system does the same.
    Exact,
    /// The new system does nearly the same; the line names the difference.
    Emulated,
    /// The new system does not do it; the line names the remedy.
    Lost,
    /// It had no effect in the old system either.
    NoEffect,
}

impl Fate {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Fate::Exact => "exact",
            Fate::Emulated => "emulated",
            Fate::Lost => "lost",
            Fate::NoEffect => "no effect",
        }
    }
}

/// What became of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportLine {
    /// Where it is written.
    pub origin: Option<Origin>,
    /// The part as written, in one line: `autorestart = true`, or the path of a file of a definition.
    pub part: String,
    /// What became of it.
    pub fate: Fate,
    /// What stands in the manifest for it: `on-exit`, or nothing.
    pub becomes: String,
    /// The difference and what to do about it, if there is one.
    pub remark: String,
}

/// The lines on one section of the old configuration, or on one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportSection {
    /// Its heading: `[program:web]`, or the name of a definition.
    pub heading: String,
    /// Its lines, in the order of the input.
    pub lines: Vec<ImportLine>,
}

/// The report of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// The sections, in the order of the input.
    pub sections: Vec<ImportSection>,
    /// What holds for the whole system, once.
    pub remarks: Vec<String>,
}

impl ImportReport {
    /// How many lines there are of each kind.
    pub fn count(&self, fate: Fate) -> usize {
        self.sections.iter().flat_map(|section| &section.lines).filter(|line| line.fate == fate).count()
    }
}
