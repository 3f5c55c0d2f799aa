//! The tests, in one binary.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod case;
mod truth;
