//! `s6gen init`: writes a first manifest, or the shipped templates.

use std::path::PathBuf;

use clap::Args;

use super::streams::{Outcome, Streams};
use crate::diagnostic::Files;
use crate::disk::{self, DiskError};
use crate::templates::{self, Templates};

/// Writes a first manifest that builds, with comments
#[derive(Debug, Args)]
pub(super) struct InitArguments {
    /// The file to write, `-` for standard output; an existing file is not overwritten
    #[arg(value_name = "FILE", default_value = "services.toml")]
    file: PathBuf,
    /// Write the shipped templates instead, for `build --templates DIR`
    #[arg(long, value_name = "DIR", conflicts_with = "file")]
    templates: Option<PathBuf>,
}

impl InitArguments {
    pub(super) fn run(&self, streams: &mut Streams<'_>) -> Outcome {
        if let Some(folder) = &self.templates {
            for (name, text) in Templates::shipped() {
                if let Err(error) = disk::create_new(&folder.join(name), text) {
                    return refused(&error, streams);
                }
            }
            streams.tell(&format!(
                "wrote the templates to {}; remove those you do not change",
                folder.display()
            ));
            return Outcome::Success;
        }
        if self.file.as_os_str() == "-" {
            streams.say(templates::STARTER);
            return Outcome::Success;
        }
        match disk::create_new(&self.file, templates::STARTER) {
            Ok(()) => {
                streams.tell(&format!("wrote {}; `s6gen graph` shows what it starts", self.file.display()));
                Outcome::Success
            }
            Err(error) => refused(&error, streams),
        }
    }
}

/// Reports an error of a write. A file that exists is a mistake of the user, and not an error of the system.
fn refused(error: &DiskError, streams: &mut Streams<'_>) -> Outcome {
    streams.report(&[error.diagnostic()], &Files::default());
    match error {
        DiskError::Exists(_) => Outcome::Misused,
        _ => Outcome::Refused,
    }
}
