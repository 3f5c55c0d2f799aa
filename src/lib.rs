//! s6gen compiles one declarative `services.toml` into a complete s6-rc source directory for images that run
//! s6-overlay.
//!
//! Three nouns: the [`manifest`] as written, the [`model`] as meant, the source [`tree`] as s6-rc reads it. Verbs go
//! between them: [`resolve`], [`import`], [`validate`], [`render`]; [`compare`] sets two of them side by side, [`report`]
//! turns problems into text, [`install`] puts a tree onto a disk, and [`live`] speaks with a system that runs. A room
//! imports only rooms on a lower floor:
//!
//! | floor | rooms |
//! |---|---|
//! | 4, people | [`cli`] |
//! | 3, jobs | [`jobs`] |
//! | 2, verbs | [`resolve`], [`import`], [`migrate`], [`image`], [`validate`], [`render`], [`picture`], [`compare`], [`report`], [`install`], [`live`] |
//! | 1, the disk | [`disk`] |
//! | 1, the order of a start | [`plan`] |
//! | 1, nouns | [`manifest`], [`model`], [`supervisord`] |
//! | 1, a tree in memory | [`tree`] |
//! | 1, a directory to read | [`source`] |
//! | 0, facts | [`diagnostic`], [`execline`], [`parallel`], [`programs`], [`progress`], [`shell`], [`templates`] |
//!
//! Jobs put the verbs together: [`compile`] for a manifest, [`judge`] for source directories that exist already,
//! [`judge_image`] for those that s6-overlay compiles, and [`jobs`] has one for each command.

pub mod diagnostic;
pub mod execline;
pub mod parallel;
pub mod programs;
pub mod progress;
pub mod shell;
pub mod templates;

pub mod disk;
pub mod manifest;
pub mod model;
pub mod plan;
pub mod source;
pub mod supervisord;
pub mod tree;

pub mod compare;
pub mod image;
pub mod import;
pub mod install;
pub mod live;
pub mod migrate;
pub mod picture;
pub mod render;
pub mod report;
pub mod resolve;
pub mod validate;

pub mod jobs;

pub mod cli;

pub use jobs::{
    Compilation, ManifestFile, compile, judge, judge_image, judge_with_external, snapshot, snapshot_of,
};
