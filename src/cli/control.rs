//! `s6gen start`, `stop` and `restart`.

use clap::Args;

use super::arguments::SystemArguments;
use super::streams::{Outcome, Streams};
use crate::jobs::{Connection, JobError, RunningSystem, control};
use crate::live::Programs;
use crate::model::Name;

/// Starts services, with what they need
#[derive(Debug, Args)]
pub(super) struct Start {
    #[command(flatten)]
    services: Services,
}

/// Stops services, with what needs them
#[derive(Debug, Args)]
pub(super) struct Stop {
    #[command(flatten)]
    services: Services,
}

/// Stops services and starts them again, with what needed them
#[derive(Debug, Args)]
pub(super) struct Restart {
    #[command(flatten)]
    services: Services,
}

#[derive(Debug, Args)]
struct Services {
    /// Services, or bundles of them
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    #[command(flatten)]
    system: SystemArguments,
}

impl Start {
    pub(super) fn run(&self, streams: &mut Streams<'_>, programs: &mut dyn Programs) -> Outcome {
        self.services.run(streams, programs, control::start)
    }
}

impl Stop {
    /// Whether it may stop the service that calls it, and does not run apart from that yet.
    pub(super) fn may_stop_caller(&self) -> bool {
        self.services.system.may_stop_caller()
    }

    pub(super) fn run(&self, streams: &mut Streams<'_>, programs: &mut dyn Programs) -> Outcome {
        self.services.run(streams, programs, control::stop)
    }
}

impl Restart {
    /// Whether it may stop the service that calls it, and does not run apart from that yet.
    pub(super) fn may_stop_caller(&self) -> bool {
        self.services.system.may_stop_caller()
    }

    pub(super) fn run(&self, streams: &mut Streams<'_>, programs: &mut dyn Programs) -> Outcome {
        self.services.run(streams, programs, control::restart)
    }
}

type Job = fn(&RunningSystem, Connection<'_>, &[Name]) -> Result<(), JobError>;

impl Services {
    fn run(&self, streams: &mut Streams<'_>, programs: &mut dyn Programs, job: Job) -> Outcome {
        let names: Vec<Name> = self.names.iter().map(|name| Name::from(name.as_str())).collect();
        let done = self.system.with(streams, programs, |system, connection| job(system, connection, &names));
        match done {
            Ok(()) => Outcome::Fine,
            Err(error) => streams.refuse(&error),
        }
    }
}
