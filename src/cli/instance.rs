//! `s6gen instance`: adds, removes and lists instances of templates while the system runs.

use clap::{Args, Subcommand};
use clap_complete::engine::ArgValueCandidates;

use super::apply;
use super::arguments::{ContainerArguments, FormatArguments, SystemArguments};
use super::completions;
use super::streams::{Outcome, Streams};
use crate::jobs::instances::{self, AddedService, ListedService, NewService, NotAdded, Removal};
use crate::jobs::{Desired, Update};
use crate::live::Programs;
use crate::manifest::AdditionChange;
use crate::report::Format;

/// Adds, removes and lists instances of templates while the system runs
///
/// Additions are written to a file beside the definitions. `s6gen apply`, or the option `--apply`, puts them into effect;
/// after that a restart of the container boots with them. Any number of processes may add and remove at the same time.
#[derive(Debug, Args)]
pub(super) struct InstanceArguments {
    #[command(subcommand)]
    command: InstanceCommand,
}

#[derive(Debug, Subcommand)]
enum InstanceCommand {
    Add(AddArguments),
    Remove(RemoveArguments),
    List(ListArguments),
}

/// Adds an instance, or changes the parameters of an existing one
///
/// Adding the same instance again changes nothing. A value may be any text where it is only data, in a variable or a file;
/// elsewhere it has letters, digits and `_.,:@%+=/-` only, unless the template allows more.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen instance add openvpn office              the service openvpn-office, of the template openvpn\n  \
    s6gen instance add tunnel home --set port=1194 with a value for a parameter\n  \
    s6gen instance add --name echo -- nc -lk 7     a service that runs exactly this command\n  \
    s6gen instance add --apply openvpn office      also updates the running system")]
struct AddArguments {
    /// The template: a service of the manifest that has `instances`
    #[arg(required_unless_present = "name", requires = "instance", add = ArgValueCandidates::new(completions::templates))]
    template: Option<String>,
    /// The new instance; its service is TEMPLATE-INSTANCE
    instance: Option<String>,
    /// A value for a parameter of the template
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair, requires = "instance", conflicts_with = "name")]
    set: Vec<(String, String)>,
    /// Add a longrun with this name that runs COMMAND, instead of an instance
    #[arg(long, value_name = "NAME", conflicts_with_all = ["template", "instance"], requires = "command")]
    name: Option<String>,
    /// When the longrun of --name starts: `on-demand`, or `boot` to start it with the container too. For an instance, `start`
    /// of its template decides
    #[arg(long, value_name = "WHEN", default_value = "on-demand", value_parser = ["on-demand", "boot"],
        conflicts_with_all = ["template", "instance"])]
    start: String,
    /// The command of the longrun, given after `--`
    #[arg(last = true, requires = "name")]
    command: Vec<String>,
    #[command(flatten)]
    after: AfterChange,
    #[command(flatten)]
    container: ContainerArguments,
}

/// What to do after a change.
#[derive(Debug, Args)]
struct AfterChange {
    /// Run `s6gen apply` after the change
    #[arg(long)]
    apply: bool,
    #[command(flatten)]
    system: SystemArguments,
}

/// Removes instances that were added
///
/// Removing an instance that does not exist changes nothing.
#[derive(Debug, Args)]
struct RemoveArguments {
    /// The service: TEMPLATE-INSTANCE, or the name of an added longrun
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    #[command(flatten)]
    after: AfterChange,
    #[command(flatten)]
    container: ContainerArguments,
}

/// Lists the instances in the manifest, and those that were added
#[derive(Debug, Args)]
struct ListArguments {
    #[command(flatten)]
    format: FormatArguments,
    #[command(flatten)]
    container: ContainerArguments,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err("write `KEY=VALUE`".into()),
    }
}

impl InstanceArguments {
    /// The format for programs, if the command has an answer for programs and was asked for it.
    pub(super) fn for_program(&self) -> Option<&'static Format> {
        match &self.command {
            InstanceCommand::List(list) => list.format.for_program(),
            _ => None,
        }
    }

    /// Whether this command may stop the service that calls it and still runs in the process group of that service.
    pub(super) fn may_stop_caller(&self) -> bool {
        match &self.command {
            InstanceCommand::Add(AddArguments { after, .. })
            | InstanceCommand::Remove(RemoveArguments { after, .. }) => {
                after.apply && after.system.may_stop_caller()
            }
            InstanceCommand::List(_) => false,
        }
    }

    pub(super) fn run(self, streams: &mut Streams<'_>, programs: &mut dyn Programs) -> Outcome {
        match self.command {
            InstanceCommand::Add(add) => add.run(streams, programs),
            InstanceCommand::Remove(remove) => remove.run(streams, programs),
            InstanceCommand::List(list) => list.run(streams),
        }
    }
}

/// The message for a change that was saved but whose update failed.
const CHANGE_IS_SAVED: &str = "the change to the added services is saved";

impl AfterChange {
    fn update(&self, container: &ContainerArguments) -> Update {
        Update { container: container.container(), manifest: None, dry_run: false }
    }

    /// The message about a change that was saved. With an update there is none, because the update prints its own.
    fn describe(&self, service: &str, change: &str) -> Option<String> {
        (!self.apply).then(|| format!("{service}: {change}; `s6gen apply` puts it into effect"))
    }
}

impl AddArguments {
    fn run(self, streams: &mut Streams<'_>, programs: &mut dyn Programs) -> Outcome {
        let update = self.after.update(&self.container);
        let new = match self.name {
            Some(name) => NewService::Longrun { name, start: self.start, command: self.command },
            None => NewService::Instance {
                template: self.template.unwrap_or_default(),
                instance: self.instance.unwrap_or_default(),
                parameters: self.set,
            },
        };
        let after = &self.after;
        let (mut message, mut is_written) = (None, false);
        let mut add = || match instances::add(&update.container, &new) {
            Ok(AddedService { service, change, project }) => {
                is_written = change != AdditionChange::Unchanged;
                message = match change {
                    AdditionChange::Added => after.describe(&service, "added"),
                    AdditionChange::Changed => after.describe(&service, "changed"),
                    AdditionChange::Unchanged => {
                        Some(format!("{service}: exists already, with the same values"))
                    }
                };
                Ok(project)
            }
            Err(NotAdded { error, is_judged }) => {
                message = is_judged.then(|| "nothing was changed".into());
                Err(error)
            }
        };
        let outcome = if after.apply {
            let desired = || add().and_then(Desired::of);
            let updated = after
                .system
                .with(streams, programs, |system, connection| update.run_with(system, connection, desired));
            apply::show(updated, streams)
        } else {
            add().map_or_else(|error| streams.refuse(&error), |_| Outcome::Success)
        };
        message.iter().for_each(|message| streams.tell(message));
        if is_written && outcome != Outcome::Success {
            streams.tell(CHANGE_IS_SAVED);
        }
        outcome
    }
}

impl RemoveArguments {
    fn run(self, streams: &mut Streams<'_>, programs: &mut dyn Programs) -> Outcome {
        let update = self.after.update(&self.container);
        let removals = match instances::remove(&update.container, &self.names) {
            Ok(removals) => removals,
            Err(error) => return streams.refuse(&error),
        };
        let describe = |removal: &Removal| match removal.is_removed {
            true => self.after.describe(&removal.service, "removed"),
            false => Some(format!("{}: does not exist", removal.service)),
        };
        removals.iter().filter_map(describe).for_each(|message| streams.tell(&message));
        if !self.after.apply {
            return Outcome::Success;
        }
        let system = &self.after.system;
        let updated = system.with(streams, programs, |system, connection| update.run(system, connection));
        let outcome = apply::show(updated, streams);
        if removals.iter().any(|removal| removal.is_removed) && outcome != Outcome::Success {
            streams.tell(CHANGE_IS_SAVED);
        }
        outcome
    }
}

impl ListArguments {
    fn run(&self, streams: &mut Streams<'_>) -> Outcome {
        let services = match instances::list(&self.container.container()) {
            Ok(services) => services,
            Err(error) => return streams.refuse(&error),
        };
        if streams.is_for_program() {
            let list: Vec<_> = services.iter().map(ListedService::json).collect();
            streams.answer(serde_json::json!({ "instances": list }));
        } else {
            streams.say(&instances::text(&services));
        }
        Outcome::Success
    }
}
