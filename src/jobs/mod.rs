//! What each command does, without arguments and without printing: jobs read a manifest or a tree, put the verbs together, and
//! return what they found. A library user can call them as `cli` does.
//!
//! [`compile`] takes a manifest, [`judge`] and [`judge_image`] source directories and images; an [`Input`] is whichever of
//! them the user named. A [`Project`] is a manifest on the disk with the files it includes. A [`Build`] writes an image. In a
//! [`Container`] that runs, [`Update`] makes the system what its manifest says, [`instances`] adds to that manifest,
//! [`control`] starts and stops services, and [`diff`] compares.

pub mod control;
pub mod diff;
pub mod instances;

mod build;
mod carried;
mod compile;
mod container;
mod desired;
mod error;
mod file_system;
mod input;
mod judge;
mod project;
mod root_check;
mod running;
mod templates;
mod update;

pub use build::Build;
pub use compile::{Compilation, ManifestFile, compile};
pub use container::Container;
pub use desired::{CheckedProject, Desired};
pub use error::JobError;
pub use input::Input;
pub use judge::{
    count_definitions, judge, judge_beside, judge_for_comparison, judge_image, judge_image_for_comparison,
    snapshot, snapshot_of, verdict,
};
pub use project::{Project, Template};
pub use running::{Connection, RunningSystem};
pub use templates::{Overrides, read_overrides, render_tree};
pub use update::{Plan, Update, UpdateError};
