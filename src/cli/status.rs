//! `s6gen status`: shows which services are up and ready.

use clap::Args;

use super::arguments::{FormatArguments, SystemArguments};
use super::streams::{Outcome, Streams};
use crate::jobs::control::{self, ServiceStatus};
use crate::live::{Programs, ServiceState};
use crate::model::Name;

/// Shows which services are up and ready
///
/// A longrun that reports when it is ready is `starting` until then. A longrun that died is `restarting`. If names are
/// given, the exit code is 1 if one of these services is not up.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen status                      every service\n  \
    s6gen status web worker           these services, or the members of these bundles and templates\n  \
    s6gen status web && echo up       exits 1 if web is not up")]
pub(super) struct StatusArguments {
    /// Services or bundles
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Also show the services of s6-overlay itself
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    pub(super) format: FormatArguments,
    #[command(flatten)]
    system: SystemArguments,
}

impl StatusArguments {
    pub(super) fn run(&self, streams: &mut Streams<'_>, programs: &mut dyn Programs) -> Outcome {
        let names: Vec<Name> = self.names.iter().map(|name| Name::from(name.as_str())).collect();
        let asked = self.system.with(streams, programs, |system, connection| {
            control::status(system, connection, &names, self.all)
        });
        let services = match asked {
            Ok(services) => services,
            Err(error) => return streams.refuse(&error),
        };
        if streams.is_for_program() {
            let list: Vec<_> = services.iter().map(ServiceStatus::json).collect();
            streams.answer(serde_json::json!({ "services": list }));
        } else {
            streams.say(&control::text(&services));
        }
        let is_up =
            services.iter().all(|one| matches!(one.status.state, ServiceState::Up | ServiceState::Idle));
        if names.is_empty() || is_up { Outcome::Success } else { Outcome::Problems }
    }
}
