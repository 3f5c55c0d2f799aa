use std::path::PathBuf;

use clap::Args;

use super::{Outcome, Streams};
use crate::diagnostic::Files;
use crate::{disk, templates};

/// Writes a first manifest, with comments, that builds
#[derive(Debug, Args)]
pub(super) struct Init {
    /// Where to write it; a file that exists is left alone
    #[arg(value_name = "FILE", default_value = "services.toml")]
    file: PathBuf,
}

impl Init {
    pub fn run(&self, streams: &mut Streams<'_>) -> Outcome {
        match disk::create(&self.file, templates::STARTER) {
            Ok(()) => {
                streams.tell(&format!("wrote {}; `s6gen graph` shows what it starts\n", self.file.display()));
                Outcome::Fine
            }
            Err(error) => {
                streams.report(&error.diagnostics(), &Files::default());
                Outcome::Refused
            }
        }
    }
}
