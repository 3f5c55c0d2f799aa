//! `s6gen apply`: updates a running system to its manifest.

use std::path::PathBuf;

use clap::Args;

use super::arguments::{ContainerArguments, FormatArguments, SystemArguments};
use super::streams::{Outcome, Streams};
use crate::jobs::{Plan, Update, UpdateError};
use crate::live::Programs;

/// Updates the running system to the manifest and the added instances
///
/// Compiles the definitions to a new database and finds the running services that changed. s6-rc-update then restarts
/// those services and everything that depends on them. All other services keep running. The files for the next boot are
/// replaced as well.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen apply                       after `s6gen instance add` or `remove`\n  \
    s6gen apply --dry-run             only show what it would do\n  \
    s6gen apply -m services.toml      with a manifest other than the one the image was built from")]
pub(super) struct ApplyArguments {
    /// Use this manifest instead of the one that the image was built from
    #[arg(short, long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Change nothing; only show what would be done
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    pub(super) format: FormatArguments,
    #[command(flatten)]
    container: ContainerArguments,
    #[command(flatten)]
    system: SystemArguments,
}

impl ApplyArguments {
    /// Whether this command may stop the service that calls it, and still runs in the process group of that service.
    pub(super) fn may_stop_caller(&self) -> bool {
        !self.dry_run && self.system.may_stop_caller()
    }

    pub(super) fn run(&self, streams: &mut Streams<'_>, programs: &mut dyn Programs) -> Outcome {
        let update = Update {
            container: self.container.container(),
            manifest: self.manifest.clone(),
            dry_run: self.dry_run,
        };
        let updated =
            self.system.with(streams, programs, |system, connection| update.run(system, connection));
        show(updated, streams)
    }
}

/// Prints what an update did.
pub(super) fn show(updated: Result<Plan, UpdateError>, streams: &mut Streams<'_>) -> Outcome {
    match updated {
        Ok(plan) if streams.is_for_program() => streams.answer(plan.json()),
        Ok(plan) => streams.say(&plan.text()),
        Err(UpdateError { error, plan }) => {
            if let Some(plan) = plan {
                streams.answer(plan.json());
            }
            return streams.refuse(&error);
        }
    }
    Outcome::Success
}
