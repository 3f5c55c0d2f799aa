//! The test program of s6gen. Each module has the tests of one subject.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the rules of the house are for the program; tests make files and start programs"
)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod adoption;
mod agreement;
mod answers;
mod architecture;
mod attacks;
mod baseline;
mod believable;
mod believable_files;
mod believable_overlay;

mod book;
mod book_texts;
mod bridge;
mod case;
mod command_cases;
mod commands;
mod committed;
mod completions;
mod concurrent;
mod defaults;
mod diff;
mod exactness;
mod failures;
mod fix;
mod fmt;
mod formats;
mod golden;
mod hand_written;
mod health;
mod hostile;
mod image;
mod import_behaviour;
mod import_legacy;
mod import_roots;
mod import_shapes;
mod import_supervisord;
mod import_trees;
mod inputs;
mod install;
mod keys;
mod killed;
mod levels;
mod limits;
mod live;
mod live_answers;
mod live_apply;
mod live_cases;
mod live_hostile;
mod live_store;
mod loggers;
mod logs;
mod machine_output;
mod man;
mod manifests;
mod markdown;
mod names;
mod network;
mod oracle;
mod orders;
mod pages;
mod parameters;
mod pictures;
mod plan;
mod preview;
mod probes;
mod properties;
mod real_updates;
mod recipes;
mod require;
mod round_trip;
mod rules;
mod s6rc;
mod schema;
mod script_files;
mod secrets;
mod sessions;
mod shell;
mod shellcheck;
mod show;
mod size;
mod snapshots;
mod supervise;
mod supervisord;
mod supervisord_behaviour;
mod supervisord_cases;
mod supervisord_pairs;
mod supervisord_samples;
mod supervisord_values;
mod surroundings;
mod switch;
mod terminal;
mod timelines;
mod transcript;
mod tree_text;
mod truth;
mod unions;
mod updates;
mod variables;
mod words;
