//! What `s6-rc-compile` accepts without a word in hand-written definitions, and what then goes wrong when the container
//! boots.
//!
//! Every rule looks at services that were read from a tree only: what s6gen writes itself is right by construction. A
//! false alarm is worse than a miss, so a rule speaks only of what it can see, and keeps silent where a script does
//! something it does not understand.

mod chains;
mod command_lines;
mod descriptors;
mod entries;
mod leftovers;
mod logging;
mod names;
mod processes;
mod readiness;
mod script;
mod shebangs;
mod signals;

use super::Rule;
use crate::model::{Definition, Index, Service};

/// The rules, in the order of the files of a definition.
pub(super) const RULES: &[Rule] = &[
    names::are_plain,
    entries::have_a_meaning,
    entries::are_read,
    entries::bundles_contain_something,
    shebangs::are_there,
    command_lines::are_no_shell_scripts,
    command_lines::are_one_command,
    chains::reach_their_end,
    command_lines::show_failure,
    command_lines::call_what_can_run,
    processes::replace_the_shell,
    processes::stay_in_the_foreground,
    processes::have_a_home,
    processes::leave_definitions_alone,
    processes::crashes_count,
    readiness::is_notified,
    readiness::checks_can_work,
    readiness::is_limited,
    logging::errors_are_logged,
    signals::exist,
    descriptors::are_free,
    leftovers::are_gone,
];

/// The services that were read from a tree, each with what was read.
fn definitions<'a>(index: &Index<'a>) -> impl Iterator<Item = (&'a Service, &'a Definition)> + use<'a> {
    index.set().services.iter().filter_map(|service| Some((service, service.definition()?)))
}

/// Everything in the definition of a service that commands stand in.
pub(super) fn texts(service: &Service) -> Vec<&str> {
    service.definition().map(|definition| entries::texts(service, definition)).unwrap_or_default()
}

/// Whether the text contains the name, not as a part of another one.
pub(super) fn mentions(text: &str, name: &str) -> bool {
    entries::mentions(text, name)
}
