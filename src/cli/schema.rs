//! `s6gen schema`: prints the JSON Schema of the manifest language.

use clap::Args;

use super::streams::{Outcome, Streams};
use crate::jobs;

/// Prints the JSON Schema of the manifest language, for editors
///
/// An editor that has it explains each key, completes keys and words, and marks what is unknown or has the wrong type. A line at the
/// top of the manifest names the file: `#:schema ./services.schema.json`. The schema knows nothing that depends on another key, on
/// another file or on the system; `s6gen check` does.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen schema >services.schema.json\n  \
    s6gen init --schema                   a first manifest with its schema")]
pub(super) struct SchemaArguments {}

impl SchemaArguments {
    pub(super) fn run(&self, streams: &mut Streams<'_>) -> Outcome {
        streams.say_exactly(&jobs::schema());
        Outcome::Success
    }
}
