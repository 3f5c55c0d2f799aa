//! Updating a running system to what its manifest says.
//!
//! [`Update`] compiles what the next boot would compile to a new database (`next_boot`), compares it with the live one
//! (`find_changes`), and has s6-rc-update make it live (`run`). What it has to know the next time lies beside the databases:
//! the definitions that it installed (`last_applied`), the fingerprints of the live database (`fingerprints`), and what is left
//! to do if it is killed (`pending`).

mod apply;
mod find_changes;
mod fingerprints;
mod last_applied;
mod next_boot;
mod parallel;
mod pending;
mod plan;
mod repair;
mod run;
mod text;

pub use apply::{Update, UpdateError};
pub use plan::Plan;
