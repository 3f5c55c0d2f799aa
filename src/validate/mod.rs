//! Checks a [`ServiceSet`], whether it came from a manifest or a tree. It finds the definitions that do not fit together,
//! which `s6-rc-compile` 0.7.0.0 refuses, and mistakes that this program accepts or crashes on.
//!
//! Every rule reports every problem that it finds, but each cause once. A name that is defined nowhere is one problem,
//! even if several services mention it. A pipeline whose two sides differ is one problem, not two.

mod bundles;
mod cycles;
mod descriptors;
mod image_context;
mod lints;
mod names;
mod pipelines;
mod references;
mod rule;

pub use image_context::{ImageContext, lower_layer};
use rule::{Check, Findings, Subject};

use crate::diagnostic::{Code, Files, Problems, did_you_mean, is_one_slip};
use crate::model::{Index, Name, ServiceSet};
use crate::progress::{self, Stage};

/// A check that every service set must pass, because s6-rc-compile makes it too.
type RequiredCheck = fn(&Index<'_>, &mut Problems);

/// All these checks, in the order of `s6-rc-compile`.
const REQUIRED_CHECKS: &[RequiredCheck] = &[
    names::check_not_reserved,
    names::check_unique,
    pipelines::check_names,
    pipelines::check_length,
    references::check,
    bundles::check,
    pipelines::check_members,
    pipelines::check_both_sides,
    cycles::check,
    descriptors::check,
];

/// Runs all checks of s6-rc on `set`, and every lint that needs no image. `before_image` says that a Dockerfile may still
/// change the files that were read.
pub fn validate(set: &ServiceSet, before_image: bool, problems: &mut Problems) {
    let subject = Subject::new(set, before_image);
    check_index(&subject.index, problems);
    progress::begin(Stage::Checking, 0);
    for rule in lints::RULES {
        progress::advance();
        if let Check::Services(check) = rule.check {
            check(&subject, &mut Findings::new(&rule.lint, problems));
        }
    }
}

/// Runs all checks of s6-rc on `set`, and no lint.
pub fn check_required(set: &ServiceSet, problems: &mut Problems) {
    check_index(&Index::new(set), problems);
}

fn check_index(index: &Index<'_>, problems: &mut Problems) {
    for check in REQUIRED_CHECKS {
        check(index, problems);
    }
}

/// Warns about services that nothing starts, or that start earlier than most. This is for hand-written definitions, which
/// cannot say that this is on purpose. The set must have no errors.
pub fn check_start(set: &ServiceSet, image: &ImageContext<'_>, files: &Files, problems: &mut Problems) {
    let subject = Subject::new(set, false);
    for rule in lints::RULES {
        if let Check::Image(check) = rule.check {
            check(&subject, image, files, &mut Findings::new(&rule.lint, problems));
        }
    }
}

/// Every code that a report may have, in the order in which `s6gen explain` lists them.
pub fn codes() -> impl Iterator<Item = Code> {
    let lints = lints::RULES.iter().map(|rule| Code::Lint(&rule.lint));
    Code::PLAIN.iter().copied().chain(lints)
}

/// A guess at the intended name.
struct Guess {
    /// What to do.
    text: String,
    /// Whether the intended name is clear. If not, there is only a similar name.
    is_sure: bool,
    /// The intended name, if it is to be written in place of the wrong one.
    name: Option<String>,
}

/// Guesses the intended name for a name that is defined nowhere. The services that mention it are not candidates.
fn suggestion(index: &Index<'_>, wrong: &Name, mentioned_by: &[&Name]) -> Option<Guess> {
    if wrong.as_bytes().starts_with("\u{feff}".as_bytes()) {
        let text = "the file begins with a byte order mark, which is a part of the name: save it as UTF-8 without byte order \
             mark";
        return Some(Guess { text: text.into(), is_sure: true, name: None });
    }
    let trimmed = wrong.as_bytes().trim_ascii();
    if trimmed.len() < wrong.as_bytes().len() && index.find(&Name::new(trimmed)).is_some() {
        let trimmed = Name::new(trimmed);
        let text = match wrong.as_bytes().ends_with(b"\r") {
            true => format!(
                "the file has CR LF line ends, and the CR is a part of the name: save it with LF line ends to mean `{trimmed}`"
            ),
            false => format!("remove the blanks around `{trimmed}`: they are part of the name"),
        };
        return Some(Guess { text, is_sure: true, name: None });
    }
    let wrong = str::from_utf8(wrong.as_bytes()).ok()?;
    let others = index.names().filter(|name| !name.is_reserved() && !mentioned_by.contains(name));
    let name = did_you_mean(wrong, others.filter_map(|name| str::from_utf8(name.as_bytes()).ok()))?;
    let text = format!("did you mean `{name}`?");
    Some(Guess { text, is_sure: is_one_slip(wrong, name), name: Some(name.to_owned()) })
}

/// A position or a count in the type that ranks use.
fn for_rank(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
