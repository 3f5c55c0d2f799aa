//! What each command does, without arguments and without printing. A job reads a manifest or a tree, calls the rooms that do
//! the work, and returns the result. A library user can call jobs exactly as `cli` does.
//!
//! [`compile`] takes a manifest, [`judge`] takes source directories, and [`judge_image`] takes an image. An [`Input`]
//! is any of these three, as the user named it. A [`Project`] is a manifest on the disk with the files that it
//! includes. A [`Build`] writes the files of an image. In a running [`Container`], [`Update`] changes the system to
//! match its manifest, [`instances`] adds services to that manifest, [`control`] starts and stops services, and
//! [`diff`] compares.

pub mod control;
pub mod diff;
pub mod instances;
pub mod show;

mod baseline;
mod build;
mod build_context;
mod carried;
mod compile;
mod container;
mod desired;
mod error;
mod file_system;
mod find;
mod fix;
mod format;
mod import_files;
mod import_generated;
mod import_legacy;
mod import_proof;
mod import_supervisord;
mod import_tree;
mod include;
mod input;
mod judge;
mod levels;
mod measure;
mod names;
mod project;
mod real_compiler;
mod root_check;
mod running;
mod schema;
mod shellcheck;
mod supervisord_uses;
mod templates;
mod time_limits;
mod update;

pub use baseline::{Baseline, Finding};
pub use build::{Build, RenderedBuild};
pub use compile::{Compilation, ManifestFile, compile};
pub use container::Container;
pub use desired::{CheckedProject, Desired};
pub use error::JobError;
pub use find::find;
pub use fix::{Fixed, fix, preview};
pub use format::{FormattedManifest, format_manifest};
pub use import_files::{ImportFiles, compile_text};
pub use import_proof::{ImportProof, ProofDifference, RealProof, prove};
pub use import_supervisord::{SupervisordRequest, import_supervisord};
pub use import_tree::{ReadTree, TreeToImport, read_built, read_sources};
pub use input::Input;
pub use judge::{
    count_definitions, judge, judge_for_comparison, judge_image, judge_image_for_comparison,
    judge_with_external, snapshot, snapshot_of, verdict,
};
pub use levels::{Level, Levels, Selection, is_rule, rules, selection};
pub use measure::{measure, read_measured};
pub use names::{WrittenName, written_names};
pub use project::{Project, Template};
pub use running::{Connection, RunningSystem};
pub use schema::schema;
pub use templates::{Overrides, read_overrides, render_tree};
pub use time_limits::TimeLimits;
pub use update::{Plan, Update, UpdateError};
