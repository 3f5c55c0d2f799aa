//! Installs a source tree below a root, and finds out what an installation would change.
//!
//! [`install`] makes the files below a root equal to a [`SourceTree`](crate::tree::SourceTree), [`compare`] lists what it
//! would change, and a [`LockedSite`] does both under one lock. A *receipt* beside the definitions lists every path that
//! s6gen made. s6gen replaces and removes only those; all other files are *foreign*.
//!
//! An installation has four steps:
//!
//! 1. `desired` resolves the links in the path of every entry of the tree, and `plan` compares the result with the disk and
//!    the receipt. Nothing is written yet.
//! 2. `carry_out` stages all new entries in a directory that no other program reads. If the disk refuses one of them,
//!    nothing has changed yet.
//! 3. `steps` puts the changes in an order in which a boot at any moment finds definitions that compile. Where `/init` finds
//!    the definitions through links, `switch` changes all of them in one rename; `shared_lists` and `sides` help it.
//! 4. `carry_out` takes the steps and replaces the receipt.

mod after;
mod carry_out;
mod desired;
mod error;
mod find;
mod locked;
mod plan;
mod preview;
mod receipt;
mod retain;
mod shared_lists;
mod sides;
mod site;
mod steps;
mod switch;

pub use after::Present;
pub use carry_out::Installed;
pub use error::{ForeignPath, InstallError};
pub use find::find_definitions;
pub use locked::{LockedSite, PreparedInstall, compare, install, refuse_taken};
pub use plan::{PathDifference, Prune, definition_in};
pub use preview::preview;
pub use receipt::RECEIPT;
pub use retain::retain_installed;
pub use site::PathState;
