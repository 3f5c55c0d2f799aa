//! Writes the manifest that a person would have written for a system that exists already, and a report on what became of each
//! part of that system.

mod legacy;
mod report;
mod supervisord;
mod tree;
mod values;

pub use legacy::{LegacyFile, LegacyFiles, LegacyPlace, LegacyTranslation, translate};
pub use report::{
    Fate, ImportLine, ImportReport, ImportSection, place, report_json, report_summary, report_text,
};
pub use supervisord::{ImageAccount, SupervisordImport, supervisord};
pub use tree::{OldTree, tree};

use std::collections::BTreeMap;

use crate::manifest::draft::Draft;
use crate::model::{File, Name};

/// A manifest that was written for an existing system.
#[derive(Debug, Clone, Default)]
pub struct Migration {
    /// The manifest.
    pub draft: Draft,
    /// Files beside it, by path relative to the manifest: scripts that `run.file` and its like name.
    pub files: BTreeMap<String, File>,
    /// What became of each part.
    pub report: ImportReport,
    /// Why the new system differs in a fact that no file of the old one states, by service and fact.
    pub reasons: BTreeMap<(Name, String), String>,
    /// The services that have another name in the new system, by the old one.
    pub renamed: BTreeMap<Name, Name>,
}
