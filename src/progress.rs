//! What the program is doing just now, so that a line on a terminal can show it.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A part of the work that may take more than a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading a manifest, or the files of a tree.
    Reading,
    /// Making services of what was read.
    Resolving,
    /// Applying the rules.
    Checking,
    /// Filling the templates.
    Rendering,
    /// Looking for differences.
    Comparing,
    /// Writing new files.
    Writing,
    /// Asking shellcheck about scripts.
    Shellcheck,
    /// Waiting for a program of s6.
    Waiting,
}

const STAGES: [(Stage, &str); 8] = [
    (Stage::Reading, "reading files"),
    (Stage::Resolving, "making the services"),
    (Stage::Checking, "applying the rules"),
    (Stage::Rendering, "making the definitions"),
    (Stage::Comparing, "comparing files"),
    (Stage::Writing, "writing files"),
    (Stage::Shellcheck, "asking shellcheck"),
    (Stage::Waiting, "waiting for s6"),
];

static STAGE: AtomicUsize = AtomicUsize::new(0);
static DONE: AtomicUsize = AtomicUsize::new(0);
static ALL: AtomicUsize = AtomicUsize::new(0);

/// Begins a stage of `all` steps; 0 if nobody knows how many there are.
pub fn begin(stage: Stage, all: usize) {
    STAGE.store(stage as usize, Relaxed);
    DONE.store(0, Relaxed);
    ALL.store(all, Relaxed);
}

/// Counts one more step of the stage.
pub fn advance() {
    DONE.fetch_add(1, Relaxed);
}

/// What the program is doing, in a few words: `writing files, 120 of 400`.
pub fn now() -> String {
    let what = STAGES.get(STAGE.load(Relaxed)).map_or("", |(_, what)| what);
    match (DONE.load(Relaxed), ALL.load(Relaxed)) {
        (0, _) => what.to_owned(),
        (done, 0) => format!("{what}, {done}"),
        (done, all) => format!("{what}, {} of {all}", done.min(all)),
    }
}
