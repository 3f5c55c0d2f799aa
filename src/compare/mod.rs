//! Compares two systems: what differs, and what an update of the first one to the second one does while it runs.
//!
//! [`differences`] finds the services and settings that differ. [`restarts`] finds the running services that need a
//! restart to use their new settings, and [`transitions`] predicts what `s6-rc-update` then stops and starts. A
//! [`Comparison`] holds all of that, or what a real update did, for [`text`] and [`json`].
//!
//! Both snapshots must have the same form, as read or flattened: a database has fewer facts than a source directory,
//! and the missing facts would look like differences.

mod comparison;
mod differences;
mod graph;
mod hidden;
mod json;
mod restarts;
mod setting_text;
mod system_facts;
mod text;
mod transitions;
mod unified;

pub use comparison::{Comparison, Effect, StartCause};
pub use differences::{Changed, Difference, DifferenceKind, Hunk, SettingChange, changes, differences};
pub use graph::running;
pub use json::json;
pub use restarts::restarts;
pub use system_facts::SystemFacts;
pub use text::{Detail, text};
pub use transitions::{Cause, Conflict, Transitions, transitions};
pub use unified::{lines_only_in_first, unified};
