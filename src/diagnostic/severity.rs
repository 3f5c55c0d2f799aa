//! The severity of a problem.

/// The severity of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is built, because s6-rc or the system would refuse or misread the result.
    Error,
    /// The input can be built, but most likely does not do what the user wants.
    Warning,
    /// The input can be built and may well do what the user wants, but there is a better way. s6gen reports it only if the user
    /// gives its rule another level.
    Advice,
}

impl Severity {
    /// Its name in reports for programs.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Advice => "advice",
        }
    }
}
