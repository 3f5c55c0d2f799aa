//! Updates a running system to match its manifest.
//!
//! [`Update`] compiles the definitions of the next boot into a new database (`next_boot`), compares it with the live
//! one (`find_changes`), and runs s6-rc-update to make it live (`run`). It keeps three files for the next update beside
//! the databases: the definitions that it installed (`last_applied`), the fingerprints of the live database
//! (`fingerprints`), and the work that remains if it is killed (`pending`).

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

pub use apply::{Update, UpdateError};
pub use plan::Plan;
