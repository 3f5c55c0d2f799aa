//! `s6gen fmt`: brings manifests into one form.

use std::path::PathBuf;

use clap::Args;

use super::streams::{Outcome, Streams};
use crate::jobs::{FormattedManifest, JobError, format_manifest};

/// The name of standard input in reports.
const STANDARD_INPUT: &str = "<stdin>";

/// Brings a manifest and the files that it includes into one form
///
/// The keys of a table get a fixed order: what a service is, as whom and where it runs, what it runs, what it waits for, how it
/// ends, and its log. There is one blank line between tables, and a value is on one line if it fits into 120 characters. Comments
/// stay with their key or table. The definitions that the manifest builds do not change by a byte.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen fmt                  services.toml and what it includes\n  \
    s6gen fmt --check          for CI: exits 1 if anything would change\n  \
    s6gen fmt - <a.toml        to standard output")]
pub(super) struct FmtArguments {
    /// The manifests; `-` is standard input, whose new text goes to standard output
    #[arg(value_name = "FILE", default_value = "services.toml")]
    manifests: Vec<PathBuf>,
    /// Write nothing; name each file that would change, and exit 1 if there is one
    #[arg(long)]
    check: bool,
}

impl FmtArguments {
    pub(super) fn run(&self, streams: &mut Streams<'_>) -> Outcome {
        let mut outcome = Outcome::Success;
        for path in &self.manifests {
            let done = format_manifest(path).and_then(|formatted| {
                formatted.iter().try_for_each(|file| self.put(file, &mut outcome, streams))
            });
            if let Err(error) = done {
                outcome = streams.refuse(&error);
            }
        }
        outcome
    }

    fn put(
        &self,
        file: &FormattedManifest,
        outcome: &mut Outcome,
        streams: &mut Streams<'_>,
    ) -> Result<(), JobError> {
        let shown = file.path.display();
        match file.first_change {
            Some(line) if self.check => {
                streams
                    .tell(&format!("{shown}:{line}: not in the form of `s6gen fmt`; run it to change that"));
                *outcome = Outcome::Problems;
            }
            _ if file.path.as_os_str() == STANDARD_INPUT && !self.check => streams.say_exactly(&file.text),
            Some(_) => {
                file.write()?;
                streams.tell(&format!("formatted {shown}"));
            }
            None => {}
        }
        Ok(())
    }
}
