//! The severity of a problem.

/// The severity of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is built, because s6-rc or the system would refuse or misread the result.
    Error,
    /// The input can be built, but most likely does not do what the user wants.
    Warning,
}
