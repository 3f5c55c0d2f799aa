//! How much a problem weighs.

/// How much a problem weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is built: s6-rc or the system would refuse or misread it.
    Error,
    /// It builds, but most likely does not do what was meant.
    Warning,
}
