//! s6gen compiles one declarative `services.toml` into a complete s6-rc source directory for images that run
//! s6-overlay.
//!
//! Three nouns: the [`manifest`] as written, the [`model`] as meant, the source [`tree`] as s6-rc reads it. Verbs go
//! between them: [`resolve`], [`import`], [`validate`], [`render`]; [`report`] turns problems into text and [`disk`]
//! turns trees into directories. A room imports only rooms on a lower floor:
//!
//! | floor | rooms |
//! |---|---|
//! | 3, people | [`cli`] |
//! | 2, verbs | [`resolve`], [`import`], [`validate`], [`render`], [`report`], [`disk`] |
//! | 1, nouns | [`manifest`], [`model`], [`tree`], [`source`] |
//! | 0 | [`diagnostic`], [`templates`] |
//!
//! The whole pipeline is [`compile`] for a manifest and [`judge`] for source directories that exist already.

pub mod diagnostic;
pub mod templates;

pub mod manifest;
pub mod model;
pub mod source;
pub mod tree;

pub mod disk;
pub mod import;
pub mod render;
pub mod report;
pub mod resolve;
pub mod validate;

pub mod cli;

use diagnostic::{Code, FileId, Files, Problems};
use model::{ServiceSet, Target};
use source::{Directory, Source};

/// What came of a manifest.
#[derive(Debug)]
pub struct Compilation {
    /// The services as meant, complete as far as the manifest could be understood.
    pub services: ServiceSet,
    /// Everything that is wrong, in file order. Nothing may be rendered while it has errors.
    pub problems: Problems,
}

/// Compiles the manifest `manifest`: every problem of it, and the services that `render` makes a tree of.
pub fn compile(files: &Files, manifest: FileId) -> Compilation {
    let mut problems = Problems::default();
    let manifest = manifest::parse(files, manifest, &mut problems);
    // Where tables could not be read, names would seem unknown that are not.
    if problems.iter().any(|problem| problem.code == Code::Syntax) {
        problems.sort_by_place();
        return Compilation { services: ServiceSet::new(Target::default()), problems };
    }
    let services = resolve::resolve(&manifest, &mut problems);
    // Of a manifest that grows without end only the beginning is known.
    if problems.iter().all(|problem| problem.code != Code::ManifestTooLarge) {
        validate::validate(&services, &mut problems);
    }
    problems.sort_by_place();
    Compilation { services, problems }
}

/// Judges source directories that exist already, in the order in which `s6-rc-compile` takes them. The problems are in
/// its own order, so that the first error is the one over which it stops.
pub fn judge<D: Directory>(files: &mut Files, sources: Vec<Source<D>>, target: Target) -> Compilation {
    let mut problems = Problems::default();
    let services = import::tree(sources, target, files, &mut problems);
    validate::validate(&services, &mut problems);
    problems.sort_by_rank();
    Compilation { services, problems }
}
