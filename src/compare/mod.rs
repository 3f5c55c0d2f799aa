//! Two systems side by side: what differs, and what it takes to bring the first one, while it runs, to the second.
//!
//! [`differences`] tells services and settings. [`restarts`] says which running services have to be restarted for
//! their new settings, and [`transitions`] what `s6-rc-update` stops and starts when it is told to restart them. A
//! [`Comparison`] is all of that, for [`text`] and [`json`].
//!
//! Both snapshots must be of one form, as they were read or flattened: a database knows less than a source directory,
//! and what it does not know would seem to be missing.

mod comparison;
mod differences;
mod graph;
mod json;
mod restarts;
mod text;
mod transitions;

pub use comparison::{Comparison, Effect};
pub use differences::{Changed, Difference, DifferenceKind, Hunk, SettingChange, changes, differences};
pub use graph::running;
pub use json::json;
pub use restarts::restarts;
pub use text::text;
pub use transitions::{Cause, Conflict, Transitions, transitions};
