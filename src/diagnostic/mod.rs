//! What is wrong, where, and what to do about it, as plain data.
//!
//! Every room that reads or judges something pushes [`Diagnostic`]s into [`Problems`]; only `report` turns them into
//! text. A diagnostic knows its [`Code`], every place involved, and, where `s6-rc-compile` would stop over it too, the
//! [`Class`] of that refusal and its [`Rank`] in the compiler's own order.

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
pub use rank::{CompilerStep, Rank};
pub use severity::Severity;

use std::collections::BTreeSet;

/// One problem of the input, with every place involved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which kind of problem this is; `s6gen explain` has a page for each.
    pub code: Code,
    /// The class of refusal in `s6-rc-compile`'s own terms, for problems that it would stop over.
    pub class: Option<Class>,
    /// What is wrong, in one line, the user's words in backticks.
    pub message: String,
    /// The places involved; the first is where the problem is.
    pub labels: Vec<Label>,
    /// Facts that explain the problem, one line each.
    pub notes: Vec<String>,
    /// What to write instead, only where that is truly known.
    pub help: Option<String>,
    /// A change that mends the problem and nothing else, only where it is right by itself.
    pub fix: Option<Fix>,
    /// How much the problem weighs: what its code says, unless the user said otherwise.
    pub severity: Severity,
    /// Where the problem stands in `s6-rc-compile`'s own order.
    pub rank: Rank,
}

/// A change of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The bytes that are replaced; none where something is put in.
    pub place: Origin,
    /// What stands there afterwards.
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
    /// A problem of kind `code` with nothing but a message yet.
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

    /// A problem over which `s6-rc-compile` stops, with its class and its place in the compiler's order.
    pub fn s6rc(class: Class, rank: Rank, message: impl Into<String>) -> Self {
        Diagnostic { class: Some(class), rank, ..Diagnostic::new(class.code(), message) }
    }

    /// Adds a place; the first one added is where the problem is.
    #[must_use]
    pub fn at(mut self, origin: impl Into<Option<Origin>>, text: impl Into<String>) -> Self {
        if let Some(origin) = origin.into() {
            self.labels.push(Label { origin, text: text.into() });
        }
        self
    }

    /// Adds an explaining fact.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says what to do, if that is known.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = self.help.or(help);
        self
    }

    /// Says which change mends it, if the place is known to the byte.
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
    /// Takes note of a problem.
    pub fn push(&mut self, problem: Diagnostic) {
        self.list.push(problem);
    }

    /// Says of problems what was not known where they were found.
    pub fn revise(&mut self, revise: impl FnMut(&mut Diagnostic)) {
        self.list.iter_mut().for_each(revise);
    }

    /// Keeps the first `kept`, and of those behind them what `keep` says.
    pub fn retain_from(&mut self, kept: usize, mut keep: impl FnMut(&Diagnostic) -> bool) {
        let mut number = 0;
        self.list.retain(|problem| {
            number += 1;
            number <= kept || keep(problem)
        });
    }

    /// Takes note of problems.
    pub fn extend(&mut self, problems: impl IntoIterator<Item = Diagnostic>) {
        self.list.extend(problems);
    }

    /// Whether anything here withholds the output.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|p| p.severity == Severity::Error)
    }

    /// The problems, in their present order.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// How many problems there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Orders problems as a reader of the files meets them, and drops repetitions.
    pub fn sort_by_place(&mut self) {
        self.list.sort_by_key(|p| p.labels.first().map(|l| l.origin));
        self.drop_repeated(0);
    }

    /// Drops every problem behind the first `kept` that says of its places what one before it says: each instance of a
    /// template finds the same, and each service what is wrong with the defaults. Their messages may differ by the
    /// service's own name.
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

    /// Orders problems as `s6-rc-compile` would meet them, so that the first is the one it stops at.
    /// What it does not object to comes last, by place.
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

/// Whether one slip of the pen makes one word of the other. Names of a family differ by more.
pub fn is_one_slip(wrong: &str, right: &str) -> bool {
    strsim::osa_distance(wrong, right) < 2
}
