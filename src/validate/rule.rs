//! The parts of a lint: its check, and the data for reports, levels and `s6gen explain`.

use std::cell::OnceCell;

use super::ImageContext;
use crate::diagnostic::{Code, Diagnostic, Files, Lint, Problems};
use crate::model::{
    Definition, Index, Invocation, Program, ProgramReading, Service, ServiceSet, mark_processes, readings,
};

/// A lint: one check that reports one code.
#[derive(Debug)]
pub struct Rule {
    /// Its name, its level and its page.
    pub lint: Lint,
    /// The function that finds the problem.
    pub check: Check,
}

/// The check of a lint, by the input that it needs.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// Needs only the definitions and programs.
    Services(fn(&Subject<'_>, &mut Findings<'_>)),
    /// Needs the image as well, and definitions without errors.
    Image(fn(&Subject<'_>, &ImageContext<'_>, &Files, &mut Findings<'_>)),
}

/// The services to check.
pub struct Subject<'a> {
    /// The services and their dependencies.
    pub index: Index<'a>,
    /// Whether a Dockerfile may still change the files that were read.
    pub before_image: bool,
    /// What is known of each program of each service, once a rule asks for it.
    readings: OnceCell<Vec<ProgramReading>>,
}

impl<'a> Subject<'a> {
    /// The services of `set`.
    pub(super) fn new(set: &'a ServiceSet, before_image: bool) -> Self {
        Subject { index: Index::new(set), before_image, readings: OnceCell::new() }
    }

    /// Whether a script of a definition is run by its file `by`.
    pub fn is_called_by(&self, service: &Service, program: &Program, by: &str) -> bool {
        let called = service.definition().into_iter().flat_map(|definition| &definition.called);
        let mut called = called.filter(|called| called.by == by);
        called.any(|called| called.path == program.file)
    }

    /// Every program of every service, with what is known of it. Each is read once.
    pub fn readings(&self) -> impl Iterator<Item = (&'a Service, &'a Program, &ProgramReading)> {
        let readings = self.readings.get_or_init(|| self.read());
        self.programs().zip(readings).map(|((service, program), reading)| (service, program, reading))
    }

    fn read(&self) -> Vec<ProgramReading> {
        let mut readings = readings(&self.programs().map(|(_, program)| program).collect::<Vec<_>>());
        let mut rest = &mut readings[..];
        for service in self.services() {
            let (own, others) = rest.split_at_mut(service.programs.len());
            mark_processes(service, own);
            rest = others;
        }
        readings
    }

    /// Every program of every service, with what it calls.
    pub fn calls(&self) -> impl Iterator<Item = (&'a Service, &'a Program, &[Invocation])> {
        self.readings().map(|(service, program, reading)| (service, program, &reading.calls[..]))
    }

    /// What the `run` of each longrun calls, and what the scripts of its own call that it becomes.
    pub fn processes(&self) -> impl Iterator<Item = (&'a Service, &'a Program, &[Invocation])> {
        let processes = self.readings().filter(|(.., reading)| reading.is_process);
        processes.map(|(service, program, reading)| (service, program, &reading.calls[..]))
    }

    /// The services that were read from a tree, with the facts about their definitions.
    pub fn definitions(&self) -> impl Iterator<Item = (&'a Service, &'a Definition)> + use<'a> {
        self.services().filter_map(|service| Some((service, service.definition()?)))
    }

    /// Every service.
    pub fn services(&self) -> impl Iterator<Item = &'a Service> + use<'a> {
        self.index.set().services.iter()
    }

    /// Every program of every service, from a tree or a manifest.
    pub fn programs(&self) -> impl Iterator<Item = (&'a Service, &'a Program)> + use<'a> {
        self.services().flat_map(|service| service.programs.iter().map(move |program| (service, program)))
    }

    /// The programs in the file or key `file`.
    pub fn programs_in(
        &self,
        file: &'static str,
    ) -> impl Iterator<Item = (&'a Service, &'a Program)> + use<'a> {
        self.services().filter_map(move |service| Some((service, service.program(file)?)))
    }
}

/// Where one lint reports its problems.
pub struct Findings<'p> {
    code: Code,
    problems: &'p mut Problems,
    /// The number of problems before this lint ran.
    before: usize,
}

impl<'p> Findings<'p> {
    /// The findings of the lint `lint`, which go to `problems`.
    pub(super) fn new(lint: &'static Lint, problems: &'p mut Problems) -> Self {
        Findings { code: Code::Lint(lint), before: problems.len(), problems }
    }

    /// Makes a report of this lint, to be completed and then pushed.
    pub fn report(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.code, message)
    }

    /// Whether this lint has reported a problem.
    pub fn any(&self) -> bool {
        self.problems.len() > self.before
    }

    /// Adds reports.
    pub fn extend(&mut self, problems: impl IntoIterator<Item = Diagnostic>) {
        problems.into_iter().for_each(|problem| self.push(problem));
    }

    /// Adds a report.
    pub fn push(&mut self, problem: Diagnostic) {
        debug_assert_eq!(problem.code, self.code, "a lint reports its own code");
        debug_assert!(
            problem.fix.is_none() || self.code.fix_kind().is_some(),
            "{:?} says that it has no fix",
            self.code
        );
        self.problems.push(problem);
    }
}
