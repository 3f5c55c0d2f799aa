//! Judges a [`ServiceSet`], wherever it came from: everything over which `s6-rc-compile` 0.7.0.0 would stop because
//! definitions do not fit together, what it accepts and should not, and over what it would die.
//!
//! Every rule reports every problem that it sees, but one cause once: a name that is defined nowhere is one problem
//! however many mention it, and a pipeline that two sides describe differently is one problem, not two.

mod around;
mod bundles;
mod cycles;
mod descriptors;
mod lints;
mod names;
mod pipelines;
mod references;
mod rule;

pub use around::Around;
use rule::{Check, Findings, Subject};

use crate::diagnostic::{Code, Files, Problems, did_you_mean, is_one_slip};
use crate::model::{Index, Name, ServiceSet};

/// One thing that is demanded of every service set.
type Demand = fn(&Index<'_>, &mut Problems);

/// Everything that is demanded, in the order in which `s6-rc-compile` gets to it.
const DEMANDS: &[Demand] = &[
    names::are_not_reserved,
    names::are_unique,
    pipelines::have_names_of_their_own,
    pipelines::end,
    references::exist,
    bundles::are_acyclic,
    pipelines::consist_of_longruns,
    pipelines::agree,
    cycles::do_not_exist,
    descriptors::differ,
];

/// Judges `set` by everything that s6-rc demands, and by every lint that needs no image. `before_image` says that a
/// Dockerfile may still change the files that were read.
pub fn validate(set: &ServiceSet, before_image: bool, problems: &mut Problems) {
    let subject = Subject { index: Index::new(set), before_image };
    for demand in DEMANDS {
        demand(&subject.index, problems);
    }
    for rule in lints::RULES {
        if let Check::Services(check) = rule.check {
            check(&subject, &mut Findings::new(&rule.lint, problems));
        }
    }
}

/// Warns of what compiles, but is started by nobody or earlier than most: for definitions written by hand, where no
/// word says that it is meant. This can be told only of a set without errors.
pub fn start(set: &ServiceSet, around: &Around<'_>, files: &Files, problems: &mut Problems) {
    let subject = Subject { index: Index::new(set), before_image: false };
    for rule in lints::RULES {
        if let Check::Image(check) = rule.check {
            check(&subject, around, files, &mut Findings::new(&rule.lint, problems));
        }
    }
}

/// Every code that a report may have, in the order in which `s6gen explain` lists them.
pub fn codes() -> impl Iterator<Item = Code> {
    let lints = lints::RULES.iter().map(|rule| Code::Lint(&rule.lint));
    Code::PLAIN.iter().copied().chain(lints)
}

/// How a name was most likely meant.
enum Guess {
    /// That is plain to see.
    Sure(String),
    /// There is a name that is only near.
    Near(String),
}

/// How a name that is defined nowhere was most likely meant, which is none of those who mention it.
fn meant(index: &Index<'_>, wrong: &Name, mentioned_by: &[&Name]) -> Option<Guess> {
    if wrong.as_bytes().starts_with("\u{feff}".as_bytes()) {
        return Some(Guess::Sure(
            "the file begins with a byte order mark, which is a part of the name: save it as UTF-8 without byte order \
             mark"
                .into(),
        ));
    }
    let trimmed = wrong.as_bytes().trim_ascii();
    if trimmed.len() < wrong.as_bytes().len() && index.find(&Name::new(trimmed)).is_some() {
        let trimmed = Name::new(trimmed);
        return Some(Guess::Sure(match wrong.as_bytes().ends_with(b"\r") {
            true => format!(
                "the file has CR LF line ends, and the CR is a part of the name: save it with LF line ends to mean `{trimmed}`"
            ),
            false => format!("remove the blanks around `{trimmed}`: they are part of the name"),
        }));
    }
    let wrong = str::from_utf8(wrong.as_bytes()).ok()?;
    let others = index.names().filter(|name| !name.is_reserved() && !mentioned_by.contains(name));
    let candidates = others.filter_map(|name| {
        let name = str::from_utf8(name.as_bytes()).ok()?;
        // A shortcut for large systems: so different a length is never close enough.
        (name.len().abs_diff(wrong.len()) <= 1 + wrong.len() / 4).then_some(name)
    });
    let name = did_you_mean(wrong, candidates)?;
    let text = format!("did you mean `{name}`?");
    Some(if is_one_slip(wrong, name) { Guess::Sure(text) } else { Guess::Near(text) })
}

/// A position or a count as ranks hold it.
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
