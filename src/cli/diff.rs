//! `s6gen diff`: shows what changes between two systems.

use std::path::PathBuf;

use clap::Args;

use super::arguments::{
    ContainerArguments, FormatArguments, SystemArguments, TemplatesArgument, name, version,
};
use super::streams::{Outcome, Streams};
use crate::compare::{self, Detail};
use crate::jobs::diff::{DiffResult, Reading, compare_files, compare_with_running};
use crate::live::Programs;
use crate::model::{Name, System};

/// Shows what changes between two systems, and what an update restarts
///
/// Lists the services and settings that differ. For each service it also shows what an update of a running system does.
/// s6-rc-update does not restart a service by itself if only a script changed; such a service needs a line `NAME restart`
/// in the conversion file. Exits 1 if there is a difference, and 2 if one of the two systems has errors.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen diff                                       what `s6gen apply` would change\n  \
    s6gen diff services.toml                         what this manifest would change\n  \
    s6gen diff old.toml services.toml\n  \
    s6gen diff rootfs/etc/s6-overlay services.toml   a built tree, or any other source directory\n  \
    s6gen diff --json old.toml services.toml")]
pub(super) struct DiffArguments {
    /// The old system: a manifest, an s6-rc source directory, or the /etc/s6-overlay of an image. Without it, the running
    /// system
    #[arg(value_name = "OLD")]
    old: Option<PathBuf>,
    /// The new system, in the same forms. Without both, the system that `s6gen apply` would make
    #[arg(value_name = "NEW")]
    new: Option<PathBuf>,
    /// Read directories as /init of this s6-overlay version does. A directory that holds s6-rc.d is read as /init of the
    /// newest version does, even without this option
    #[arg(long, value_name = "VERSION", value_parser = version)]
    overlay: Option<System>,
    /// A service that is defined elsewhere, where OLD or NEW is a directory
    #[arg(long, value_name = "NAME", value_parser = name)]
    external: Vec<Name>,
    #[command(flatten)]
    templates: TemplatesArgument,
    #[command(flatten)]
    pub(super) format: FormatArguments,
    #[command(flatten)]
    container: ContainerArguments,
    #[command(flatten)]
    system: SystemArguments,
}

impl DiffArguments {
    pub(super) fn run(self, streams: &mut Streams<'_>, programs: &mut dyn Programs) -> Outcome {
        let overrides = self.templates.read();
        let reading = Reading { overlay: self.overlay, external: self.external, overrides };
        let compared = match (&self.old, &self.new) {
            (Some(old), Some(new)) => compare_files(old, new, &reading),
            // A single path is compared with the running system.
            (new, _) => self.system.with(streams, programs, |system, connection| {
                let container = self.container.container();
                compare_with_running(new.as_deref(), &reading, &container, system, connection)
            }),
        };
        let DiffResult { comparison, assumption } = match compared {
            Ok(difference) => difference,
            Err(error) => {
                // Exit code 1 would tell a script that the systems differ.
                return match streams.refuse(&error) {
                    Outcome::Problems => Outcome::Misused,
                    outcome => outcome,
                };
            }
        };
        if streams.is_for_program() {
            streams.answer(compare::json(&comparison));
            streams.answer(serde_json::json!({ "assumption": assumption }));
        } else {
            streams.say(&compare::text(&comparison, Detail::Values));
            if let Some(assumption) = assumption.filter(|_| !comparison.differences.is_empty()) {
                streams.say(&format!("\nThis is for an update of a running system in which {assumption}.\n"));
            }
        }
        if comparison.differences.is_empty() { Outcome::Success } else { Outcome::Problems }
    }
}
