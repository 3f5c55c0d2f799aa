//! Problems as plain data: what is wrong, where, and what to do about it.
//!
//! Every room that reads or checks input pushes [`Diagnostic`]s into [`Problems`]. Only `report` turns them into text. A
//! diagnostic has a [`Code`] and every place involved. If `s6-rc-compile` would stop at the problem too, it also has the
//! [`Class`] of that refusal and its [`Rank`] in the order of the compiler.

mod codes;
mod files;
mod lint;
mod positions;
mod rank;
mod severity;

pub use codes::{Class, Code};
pub use files::{FileId, Files, Origin, SourceFile};
pub use lint::{Confidence, Lint};
pub use positions::Positions;
pub use rank::Rank;
pub use severity::Severity;

use std::collections::BTreeSet;

/// One problem of the input, with every place involved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of problem. `s6gen explain` has a page for each kind.
    pub code: Code,
    /// The class of the refusal, for problems at which `s6-rc-compile` stops.
    pub class: Option<Class>,
    /// The problem in one line, with the user's words in backticks.
    pub message: String,
    /// The places involved. The first one is the place of the problem.
    pub labels: Vec<Label>,
    /// Facts that explain the problem, one line each.
    pub notes: Vec<String>,
    /// What to do, only if that is certain enough.
    pub help: Option<String>,
    /// A change that solves the problem and does nothing else, only if it is right without further thought.
    pub fix: Option<Fix>,
    /// The severity: that of the code, unless the user has set another one.
    pub severity: Severity,
    /// The position of the problem in the order of `s6-rc-compile`.
    pub rank: Rank,
}

/// A change of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The bytes to replace. An empty range inserts text.
    pub place: Origin,
    /// The new text.
    pub text: String,
}

/// A marked place and why it is marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub origin: Origin,
    /// Why this place matters, in a few words.
    pub text: String,
}

impl Diagnostic {
    /// A problem of the kind `code` with only a message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Diagnostic {
            code,
            class: None,
            message: message.into(),
            labels: Vec::new(),
            notes: Vec::new(),
            help: None,
            fix: None,
            severity: code.severity(),
            rank: Rank::Unranked,
        }
    }

    /// A problem at which `s6-rc-compile` stops, with its class and its position in the order of the compiler.
    pub fn s6rc(class: Class, rank: Rank, message: impl Into<String>) -> Self {
        Diagnostic { class: Some(class), rank, ..Diagnostic::new(class.code(), message) }
    }

    /// Adds a place. The first one is the place of the problem.
    #[must_use]
    pub fn at(mut self, origin: impl Into<Option<Origin>>, text: impl Into<String>) -> Self {
        if let Some(origin) = origin.into() {
            self.labels.push(Label { origin, text: text.into() });
        }
        self
    }

    /// Adds a fact that explains the problem.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Sets the help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Sets the help, if there is one.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = self.help.or(help);
        self
    }

    /// Sets the change that solves the problem, if its place is known to the byte.
    #[must_use]
    pub fn fix(mut self, place: Option<Origin>, text: impl Into<String>) -> Self {
        self.fix = place.map(|place| Fix { place, text: text.into() });
        self
    }
}

/// The problems collected so far, in the order in which they were found.
#[derive(Debug, Default, Clone)]
pub struct Problems {
    list: Vec<Diagnostic>,
}

impl Problems {
    /// Adds a problem.
    pub fn push(&mut self, problem: Diagnostic) {
        self.list.push(problem);
    }

    /// Adds facts to problems that were reported before the facts were known.
    pub fn revise(&mut self, revise: impl FnMut(&mut Diagnostic)) {
        self.list.iter_mut().for_each(revise);
    }

    /// Keeps the first `kept` problems, and of the others those for which `keep` returns true.
    pub fn retain_from(&mut self, kept: usize, mut keep: impl FnMut(&Diagnostic) -> bool) {
        let mut number = 0;
        self.list.retain(|problem| {
            number += 1;
            number <= kept || keep(problem)
        });
    }

    /// Adds several problems.
    pub fn extend(&mut self, problems: impl IntoIterator<Item = Diagnostic>) {
        self.list.extend(problems);
    }

    /// Whether there is an error, so that nothing is built.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|p| p.severity == Severity::Error)
    }

    /// The problems, in their current order.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// The number of problems.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are no problems.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Sorts problems by their places in the files, and drops repetitions.
    pub fn sort_by_place(&mut self) {
        self.list.sort_by_key(|p| p.labels.first().map(|l| l.origin));
        self.drop_repeated(0);
    }

    /// Drops repeated problems after the first `kept` ones: those with the same places and labels as an earlier one. Each
    /// instance of a template reports the same mistakes, and so does each service with a mistake in the defaults. Their
    /// messages may differ in the name of the service.
    pub fn drop_repeated(&mut self, kept: usize) {
        let mut seen = BTreeSet::new();
        let repeated: Vec<bool> = self.list[kept..]
            .iter()
            .map(|p| {
                let places: Vec<_> = p.labels.iter().map(|label| (label.origin, &label.text)).collect();
                let message = places.is_empty().then_some(&p.message);
                !seen.insert((p.code, places, message))
            })
            .collect();
        let mut repeated = std::iter::repeat_n(false, kept).chain(repeated);
        self.list.retain(|_| !repeated.next().unwrap_or(false));
    }

    /// Sorts problems in the order of `s6-rc-compile`, so that the first one is that at which it stops. Problems that it
    /// accepts come last, by place.
    pub fn sort_by_rank(&mut self) {
        self.list.sort_by_key(|p| (p.rank, p.labels.first().map(|l| l.origin)));
        self.list.dedup();
    }
}

/// The candidate that `wrong` is most likely a misspelling of, if one is close enough to be worth offering.
pub fn did_you_mean<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let close_enough = |distance: usize| distance <= 1 + wrong.chars().count() / 4;
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(wrong, candidate), candidate))
        .filter(|(distance, candidate)| {
            *distance > 0 && close_enough(*distance) && *distance < candidate.len()
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// Whether a single typing error turns one word into the other. Related names usually differ by more.
pub fn is_one_slip(wrong: &str, right: &str) -> bool {
    strsim::osa_distance(wrong, right) < 2
}
