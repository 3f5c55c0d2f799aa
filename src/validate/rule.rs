//! What a lint is: its check, and the data that reports, levels and `s6gen explain` take from it.

use super::Around;
use crate::diagnostic::{Code, Diagnostic, Files, Lint, Problems};
use crate::model::{Definition, Index, Program, Service};

/// A lint: one check that reports one code.
#[derive(Debug)]
pub struct Rule {
    /// Its name, its level and its page.
    pub lint: Lint,
    /// What finds it.
    pub check: Check,
}

/// What a check looks at.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// The definitions and programs by themselves.
    Services(fn(&Subject<'_>, &mut Findings<'_>)),
    /// What an image starts. This needs definitions without errors.
    Image(fn(&Subject<'_>, &Around<'_>, &Files, &mut Findings<'_>)),
}

/// The services that are judged.
pub struct Subject<'a> {
    /// The services and how they need each other.
    pub index: Index<'a>,
    /// Whether a Dockerfile may still change the files that were read.
    pub before_image: bool,
}

impl<'a> Subject<'a> {
    /// The services that were read from a tree, each with what was read.
    pub fn definitions(&self) -> impl Iterator<Item = (&'a Service, &'a Definition)> + use<'a> {
        self.services().filter_map(|service| Some((service, service.definition()?)))
    }

    /// Every service.
    pub fn services(&self) -> impl Iterator<Item = &'a Service> + use<'a> {
        self.index.set().services.iter()
    }

    /// Every program of a service, whether it was read from a tree or a manifest.
    pub fn programs(&self) -> impl Iterator<Item = (&'a Service, &'a Program)> + use<'a> {
        self.services().flat_map(|service| service.programs.iter().map(move |program| (service, program)))
    }

    /// The programs in one file or key.
    pub fn programs_in(
        &self,
        file: &'static str,
    ) -> impl Iterator<Item = (&'a Service, &'a Program)> + use<'a> {
        self.services().filter_map(move |service| Some((service, service.program(file)?)))
    }
}

/// What one lint finds.
pub struct Findings<'p> {
    code: Code,
    problems: &'p mut Problems,
    /// How many problems there were before.
    before: usize,
}

impl<'p> Findings<'p> {
    /// The findings of the lint `lint`, which go to `problems`.
    pub(super) fn new(lint: &'static Lint, problems: &'p mut Problems) -> Self {
        Findings { code: Code::Lint(lint), before: problems.len(), problems }
    }

    /// A report of this lint that is not pushed yet.
    pub fn report(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.code, message)
    }

    /// Whether it has found anything.
    pub fn any(&self) -> bool {
        self.problems.len() > self.before
    }

    /// Adds a report.
    pub fn push(&mut self, problem: Diagnostic) {
        debug_assert_eq!(problem.code, self.code, "a lint reports its own code");
        self.problems.push(problem);
    }
}
