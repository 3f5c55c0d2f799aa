//! `s6gen status`: what is up, and what is ready.

use clap::Args;

use super::arguments::{FormatArguments, SystemArguments};
use super::streams::{Outcome, Streams};
use crate::jobs::control::{ServiceStatus, status};
use crate::live::{Programs, State};
use crate::model::Name;

/// Shows what is up, and what is ready
///
/// A longrun is `starting` until it has said that it is ready, if it says so; `restarting` after it died. With names it
/// exits 1 if one of them is not up.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen status                      every service\n  \
    s6gen status web worker           these; of a bundle, and so of a template, its members\n  \
    s6gen status web && echo up       exits 1 if web is not up")]
pub(super) struct Status {
    /// Services, or bundles of them
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Also what s6-overlay itself brings
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    format: FormatArguments,
    #[command(flatten)]
    system: SystemArguments,
}

impl Status {
    pub(super) fn prints_json(&self) -> bool {
        self.format.is_json()
    }

    pub(super) fn run(&self, streams: &mut Streams<'_>, programs: &mut dyn Programs) -> Outcome {
        let names: Vec<Name> = self.names.iter().map(|name| Name::from(name.as_str())).collect();
        let asked = self
            .system
            .with(streams, programs, |system, connection| status(system, connection, &names, self.all));
        let services = match asked {
            Ok(services) => services,
            Err(error) => return streams.refuse(&error),
        };
        if self.format.is_json() {
            let list: Vec<_> = services.iter().map(ServiceStatus::json).collect();
            streams.say(&format!("{}\n", serde_json::json!({ "version": 1, "services": list })));
        } else {
            let width = services.iter().map(|one| one.name.to_string().len()).max().unwrap_or(0);
            streams.say(&services.iter().map(|one| line(one, width)).collect::<String>());
        }
        let is_up = services.iter().all(|one| one.status.state == State::Up);
        if names.is_empty() || is_up { Outcome::Fine } else { Outcome::Problems }
    }
}

/// The line of one service, with a name column of `width`.
fn line(one: &ServiceStatus, width: usize) -> String {
    let status = &one.status;
    let mut facts = Vec::new();
    if one.kind == "oneshot" {
        facts.push("oneshot".to_owned());
    }
    if let Some(pid) = status.pid {
        facts.push(format!("pid {pid}"));
    }
    if let Some(seconds) = status.seconds {
        facts.push(format!("for {}", duration(seconds)));
    }
    if status.state == State::Starting {
        facts.push("not ready yet".into());
    }
    if status.state == State::Unsupervised {
        facts.push("`s6gen apply` gives it back to s6-svscan".into());
    }
    if let Some(ended) = &status.ended {
        facts.push(format!("ended with {ended}"));
    }
    let name = one.name.to_string();
    let text = format!("{name:width$}  {:12}  {}", status.state.word(), facts.join(", "));
    format!("{}\n", text.trim_end())
}

/// A time as people say it.
fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}
