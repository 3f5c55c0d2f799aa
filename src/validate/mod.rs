//! Judges a [`ServiceSet`], wherever it came from: everything over which `s6-rc-compile` 0.7.0.0 would stop because
//! definitions do not fit together, what it accepts and should not, and over what it would die.
//!
//! Every rule reports every problem that it sees, but one cause once: a name that is defined nowhere is one problem
//! however many mention it, and a pipeline that two sides describe differently is one problem, not two.

mod bundles;
mod cycles;
mod descriptors;
mod lints;
mod names;
mod pipelines;
mod references;
mod size;
mod start;

use crate::diagnostic::{Files, Problems, did_you_mean};
use crate::model::{Index, Name, ServiceSet};

/// One thing that is demanded of every service set.
type Rule = fn(&Index<'_>, &mut Problems);

/// Everything that is demanded, in the order in which `s6-rc-compile` gets to it.
const RULES: &[Rule] = &[
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
    size::is_bearable,
];

/// Judges `set` by every rule.
pub fn validate(set: &ServiceSet, problems: &mut Problems) {
    let index = Index::new(set);
    for rule in RULES.iter().chain(lints::RULES) {
        rule(&index, problems);
    }
}

/// Warns of what compiles, but is started by nobody or earlier than most: for definitions written by hand, where no
/// word says that it is meant. Only of a set without errors it can be told.
pub fn start(set: &ServiceSet, files: &Files, problems: &mut Problems) {
    let index = Index::new(set);
    start::reaches_everything(&index, files, problems);
    start::waits_for_the_image(&index, files, problems);
}

/// How a name that is defined nowhere was most likely meant.
fn meant(index: &Index<'_>, wrong: &Name) -> Option<String> {
    let trimmed = wrong.as_bytes().trim_ascii();
    if trimmed.len() < wrong.as_bytes().len() && index.find(&Name::new(trimmed)).is_some() {
        if wrong.as_bytes().ends_with(b"\r") {
            return Some(format!(
                "the file has CR LF line ends, and the CR is a part of the name: save it with LF line ends to mean `{}`",
                Name::new(trimmed)
            ));
        }
        return Some(format!("remove the blanks around `{}`: they are part of the name", Name::new(trimmed)));
    }
    let wrong = str::from_utf8(wrong.as_bytes()).ok()?;
    let candidates = index.names().filter(|name| !name.is_reserved()).filter_map(|name| {
        let name = str::from_utf8(name.as_bytes()).ok()?;
        // A shortcut for large systems: so different a length is never close enough.
        (name.len().abs_diff(wrong.len()) <= 1 + wrong.len() / 4).then_some(name)
    });
    did_you_mean(wrong, candidates).map(|name| format!("did you mean `{name}`?"))
}

/// A position or a count as ranks hold it.
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
