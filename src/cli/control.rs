//! `s6gen start`, `stop` and `restart`.

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use super::arguments::SystemArguments;
use super::completions;
use super::streams::{Outcome, Streams};
use crate::jobs::{Connection, JobError, RunningSystem};
use crate::live::Programs;
use crate::model::Name;

#[derive(Debug, Args)]
pub(super) struct ServicesArguments {
    /// Services or bundles
    #[arg(value_name = "NAME", add = ArgValueCandidates::new(completions::services), required = true)]
    names: Vec<String>,
    #[command(flatten)]
    system: SystemArguments,
}

/// Starts, stops or restarts services.
type Job = fn(&RunningSystem, Connection<'_>, &[Name]) -> Result<(), JobError>;

impl ServicesArguments {
    /// Whether this command may stop the service that calls it and still runs in the process group of that service.
    pub(super) fn may_stop_caller(&self) -> bool {
        self.system.may_stop_caller()
    }

    pub(super) fn run(&self, streams: &mut Streams<'_>, programs: &mut dyn Programs, job: Job) -> Outcome {
        let names: Vec<Name> = self.names.iter().map(|name| Name::from(name.as_str())).collect();
        let done = self.system.with(streams, programs, |system, connection| job(system, connection, &names));
        done.map_or_else(|error| streams.refuse(&error), |()| Outcome::Success)
    }
}
