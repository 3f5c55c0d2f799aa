//! The error of a job.

use crate::diagnostic::{Code, Diagnostic, Files};
use crate::disk::DiskError;
use crate::install::InstallError;
use crate::live::Failure;

/// Why a job failed: diagnostics, with the files that they point into.
#[derive(Debug, Default)]
pub struct JobError {
    /// The files to which the diagnostics point.
    pub files: Files,
    /// What is wrong, and what to do about it.
    pub problems: Vec<Diagnostic>,
}

impl JobError {
    /// Whether the disk or the running system refused. If not, the input is wrong: a manifest or a name.
    pub fn is_of_system(&self) -> bool {
        self.problems.iter().any(|problem| {
            let slug = problem.code.slug();
            slug.starts_with("output::") || slug.starts_with("live::") && problem.code != Code::UnknownName
        })
    }

    /// Adds a note to the first problem.
    pub(super) fn note(mut self, text: &str) -> Self {
        if let Some(problem) = self.problems.first_mut() {
            problem.notes.push(text.into());
        }
        self
    }

    /// The error for a build of an image. The conversion from [`InstallError`] gives the advice for a running system
    /// instead.
    pub(super) fn of_build(error: &InstallError) -> Self {
        error.diagnostics().into()
    }
}

impl From<Vec<Diagnostic>> for JobError {
    fn from(problems: Vec<Diagnostic>) -> Self {
        JobError { files: Files::default(), problems }
    }
}

impl From<Diagnostic> for JobError {
    fn from(problem: Diagnostic) -> Self {
        vec![problem].into()
    }
}

impl From<InstallError> for JobError {
    fn from(error: InstallError) -> Self {
        error.live_diagnostics().into()
    }
}

impl From<DiskError> for JobError {
    fn from(error: DiskError) -> Self {
        InstallError::from(error).into()
    }
}

impl From<Failure> for JobError {
    fn from(failure: Failure) -> Self {
        failure.diagnostic().into()
    }
}
