//! `s6gen diff`: what changes between two systems.

use std::path::PathBuf;

use clap::Args;

use super::arguments::{
    ContainerArguments, FormatArguments, SystemArguments, TemplatesArgument, name, version,
};
use super::streams::{Outcome, Streams};
use crate::compare;
use crate::jobs::diff::{DiffResult, Reading, compare_files, compare_with_running};
use crate::live::Programs;
use crate::model::{Name, System};

/// Shows what changes between two systems, and what an update restarts
///
/// Told in services and settings. For each service it says what an update of a running system does: s6-rc-update
/// restarts by itself what it has to, but not what only has another script; that takes a line `NAME restart` in its
/// conversion file. Exits 1 when there is a difference, and 2 when one of the two has errors.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen diff                                       what runs, and what `s6gen apply` would make of it\n  \
    s6gen diff services.toml                         what runs, and what this would make of it\n  \
    s6gen diff old.toml services.toml\n  \
    s6gen diff rootfs/etc/s6-overlay services.toml   a built tree, or any other source directory\n  \
    s6gen diff --json old.toml services.toml")]
pub(super) struct DiffArguments {
    /// What there was: a manifest, an s6-rc source directory, or the /etc/s6-overlay of an image. Left out, it is what
    /// runs
    #[arg(value_name = "OLD")]
    old: Option<PathBuf>,
    /// What there is now, likewise. Left out with OLD, it is what `s6gen apply` would make
    #[arg(value_name = "NEW")]
    new: Option<PathBuf>,
    /// Read directories as /init of this s6-overlay does; one that holds s6-rc.d is read so by the newest anyway
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
            // A single path is compared with what runs.
            (new, _) => self.system.with(streams, programs, |system, connection| {
                let container = self.container.container();
                compare_with_running(new.as_deref(), &reading, &container, system, connection)
            }),
        };
        let DiffResult { comparison, assumption } = match compared {
            Ok(difference) => difference,
            Err(error) => {
                // A script that asks whether something differs must not take this for a yes.
                return match streams.refuse(&error) {
                    Outcome::Problems => Outcome::Misused,
                    outcome => outcome,
                };
            }
        };
        if streams.is_json() {
            streams.answer(compare::json(&comparison));
            streams.answer(serde_json::json!({ "assumption": assumption }));
        } else {
            streams.say(&compare::text(&comparison));
            if let Some(assumption) = assumption.filter(|_| !comparison.differences.is_empty()) {
                streams.say(&format!("\nTold for an update of a running system in which {assumption}.\n"));
            }
        }
        if comparison.differences.is_empty() { Outcome::Fine } else { Outcome::Problems }
    }
}
