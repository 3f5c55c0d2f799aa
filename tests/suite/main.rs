//! Every test of s6gen.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod architecture;
mod case;
mod commands;
mod disk;
mod golden;
mod limits;
mod manifests;
mod oracle;
mod properties;
mod readme;
mod rules;
mod s6rc;
mod supervise;
mod truth;
