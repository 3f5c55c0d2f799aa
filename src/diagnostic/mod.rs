//! Problems as plain data: what is wrong, where, and what to do about it.
//!
//! Every room that reads or checks input pushes [`Diagnostic`]s into [`Problems`]. Only `report` turns them into text. A
//! diagnostic has a [`Code`] and every place involved. If `s6-rc-compile` would stop at the problem too, it also has the
//! [`Class`] of that refusal and its [`Rank`] in the order of the compiler.

mod codes;
mod files;
mod fix;
mod lint;
mod positions;
mod rank;
mod severity;

pub use codes::{Class, Code, MOST_DEFINITIONS};
pub use files::{FileId, Files, Origin, SourceFile};
pub use fix::{Edit, Fix, FixKind, is_plain_word};
pub use lint::{Confidence, Group, Lint};
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
    /// A change that solves the problem and does nothing else, if there is one right answer.
    pub fix: Option<Fix>,
    /// The severity: that of the code, unless the user has set another one.
    pub severity: Severity,
    /// The position of the problem in the order of `s6-rc-compile`.
    pub rank: Rank,
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

    /// Makes it an error, because what it is about cannot work at all.
    #[must_use]
    pub fn as_error(self) -> Self {
        Diagnostic { severity: Severity::Error, ..self }
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

    /// Cuts texts that repeat very long values.
    fn shorten(&mut self) {
        let labels = self.labels.iter_mut().map(|label| &mut label.text);
        let texts = labels.chain(&mut self.notes).chain(&mut self.help).chain([&mut self.message]);
        for text in texts.filter(|text| text.len() > LONGEST_TEXT) {
            let end = (0..=LONGEST_TEXT).rev().find(|place| text.is_char_boundary(*place));
            *text = text[..end.unwrap_or(0)].to_owned() + "…";
        }
    }

    /// Sets the change that solves the problem, if there is one.
    #[must_use]
    pub fn fix(self, fix: impl Into<Option<Fix>>) -> Self {
        Diagnostic { fix: fix.into(), ..self }
    }
}

/// The largest size of a text of a problem, in bytes.
const LONGEST_TEXT: usize = 4096;
/// The number of problems that are kept. A reader needs no more, and a hostile input has millions.
const MOST_KEPT: usize = 10_000;

/// The problems collected so far, in the order in which they were found. Of very many, only the first ones are kept.
#[derive(Debug, Default, Clone)]
pub struct Problems {
    list: Vec<Diagnostic>,
    is_full: bool,
    left_out: usize,
    has_left_out_errors: bool,
    /// Of all errors that may be missing in the list, the one at which `s6-rc-compile` stops.
    first: Option<Box<Diagnostic>>,
}

impl Problems {
    /// Adds a problem, or only counts it.
    pub fn push(&mut self, mut problem: Diagnostic) {
        problem.shorten();
        if !self.is_full() {
            return self.list.push(problem);
        }
        if problem.severity == Severity::Advice {
            return;
        }
        self.left_out += 1;
        self.has_left_out_errors |= problem.severity == Severity::Error;
        self.remember_first(&problem);
    }

    /// Whether further problems are only counted. Before that, repetitions are dropped.
    pub fn is_full(&mut self) -> bool {
        if !self.is_full && self.list.len() >= MOST_KEPT {
            let errors = self.list.iter().filter(|problem| problem.severity == Severity::Error);
            let first = errors.min_by_key(|problem| problem.rank).cloned();
            first.iter().for_each(|first| self.remember_first(first));
            self.drop_repeated(0);
            self.is_full = self.list.len() > MOST_KEPT / 2;
        }
        self.is_full
    }

    fn remember_first(&mut self, problem: &Diagnostic) {
        let known = self.first.as_ref().map_or(Rank::Unranked, |first| first.rank);
        if problem.severity == Severity::Error && problem.rank < known {
            self.first = Some(Box::new(problem.clone()));
        }
    }

    /// The number of problems that are not kept.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Adds facts to problems that were reported before the facts were known.
    pub fn revise(&mut self, revise: impl FnMut(&mut Diagnostic)) {
        self.list.iter_mut().for_each(revise);
    }

    /// Keeps the problems for which `keep` returns true, and may change them.
    pub fn retain_mut(&mut self, keep: impl FnMut(&mut Diagnostic) -> bool) {
        self.list.retain_mut(keep);
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
        problems.into_iter().for_each(|problem| self.push(problem));
    }

    /// Whether there is an error, so that nothing is built.
    pub fn has_errors(&self) -> bool {
        self.has_left_out_errors || self.list.iter().any(|p| p.severity == Severity::Error)
    }

    /// The problems to report of those that are kept, in their current order.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter().filter(|problem| problem.severity != Severity::Advice)
    }

    /// The advice, which is not reported.
    pub fn advice(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter().filter(|problem| problem.severity == Severity::Advice)
    }

    /// The number of problems, with advice and with those that are not kept.
    pub fn len(&self) -> usize {
        self.list.len() + self.left_out
    }

    /// Whether there is no problem to report.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
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
        let kept = kept.min(self.list.len());
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
        self.list.extend(self.first.take().map(|first| *first));
        self.list.sort_by_key(|p| (p.rank, p.labels.first().map(|l| l.origin)));
        self.list.dedup();
    }
}

/// How many pairs of characters a search for a similar name may compare. This is enough for 40,000 names of services.
const MOST_COMPARED: usize = 10_000_000;

/// The candidate that `wrong` is most likely a misspelling of, if one is close enough to be worth offering.
pub fn did_you_mean<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = wrong.chars().count();
    let farthest = 1 + length / 4;
    let mut compared = 0;
    candidates
        .into_iter()
        // A name whose length differs by more is never close enough.
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= farthest)
        .take_while(|candidate| {
            compared += length * candidate.len();
            compared <= MOST_COMPARED
        })
        .map(|candidate| (strsim::osa_distance(wrong, candidate), candidate))
        .filter(|(distance, candidate)| *distance > 0 && *distance <= farthest && *distance < candidate.len())
        .min()
        .map(|(_, candidate)| candidate)
}

/// Whether a single typing error turns one word into the other. Related names usually differ by more.
pub fn is_one_slip(wrong: &str, right: &str) -> bool {
    strsim::osa_distance(wrong, right) < 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_not_reported() {
        let advice = |number: usize| Diagnostic {
            severity: Severity::Advice,
            ..Diagnostic::new(Code::MissingKey, number.to_string())
        };
        let mut problems = Problems::default();
        problems.extend((0..3 * MOST_KEPT).map(advice));
        assert_eq!((problems.is_empty(), problems.iter().count(), problems.left_out()), (true, 0, 0));
        assert!(problems.advice().count() >= MOST_KEPT);
        problems.push(Diagnostic::new(Code::MissingKey, "an error"));
        problems.sort_by_rank();
        assert!(problems.has_errors() && problems.left_out() == 1);
    }
}
