//! `s6gen build`: compiles the manifest and writes the source directory.

use std::path::{Path, PathBuf};

use clap::Args;

use super::arguments::{LevelArguments, ManifestArgument, TemplatesArgument};
use super::streams::{Outcome, Streams, counted};
use crate::diagnostic::Files;
use crate::install::Installed;
use crate::jobs::{self, JobError, RenderedBuild};

/// Compiles the manifest and writes the source directory
///
/// Writes the definitions, the links that make /init find them, and the markers that make /init start them. It replaces
/// and removes only files that an earlier build wrote. If nothing changed, it writes nothing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen build                       in an image with s6-overlay: writes below /etc/s6-overlay\n  \
    s6gen build --root rootfs         writes below rootfs/etc/s6-overlay\n  \
    s6gen build --check --root rootfs exits 1 if rootfs differs from the manifest")]
pub(super) struct BuildArguments {
    /// The manifest, the same as -m
    #[arg(value_name = "FILE", conflicts_with = "manifest")]
    file: Option<PathBuf>,
    #[command(flatten)]
    manifest: ManifestArgument,
    #[command(flatten)]
    levels: LevelArguments,
    #[command(flatten)]
    templates: TemplatesArgument,
    /// The root of the image. s6gen creates it if only its last component is missing. The default is `/`, if that has
    /// s6-overlay or the target is s6-rc alone
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Write nothing; exit 1 if the files differ from what would be written. Of the permissions only the x bit counts
    #[arg(long)]
    check: bool,
}

impl BuildArguments {
    pub(super) fn run(self, streams: &mut Streams<'_>) -> Outcome {
        let manifest = self.file.as_deref().unwrap_or(self.manifest.path());
        let root = self.root.as_deref().unwrap_or(Path::new("/"));
        let build = match jobs::Build::load(manifest, root, self.levels.levels()) {
            Ok(build) => build,
            Err(error) => return streams.refuse(&error),
        };
        streams.report_all(&build.compilation.problems, &build.project.files);
        if build.compilation.problems.has_errors() {
            streams.tell("nothing was written");
            return Outcome::Problems;
        }
        if self.root.is_none()
            && let Err(problem) = build.expect_overlay()
        {
            streams.report([&problem], &Files::default());
            return Outcome::Misused;
        }
        let overrides = self.templates.read().map_err(JobError::from);
        let build = match overrides.and_then(|overrides| build.render(overrides)) {
            Ok(build) => build,
            Err(error) => {
                let outcome = streams.refuse(&error);
                if !self.check && outcome == Outcome::Problems {
                    streams.tell("nothing was written");
                }
                return outcome;
            }
        };
        let place = root.join(build.definitions.trim_start_matches('/'));
        let done = match self.check {
            true => compare(&build, &place, streams),
            false => install(&build, root, &place, streams),
        };
        done.unwrap_or_else(|error| streams.refuse(&error))
    }
}

/// Prints how the files differ.
fn compare(build: &RenderedBuild, place: &Path, streams: &mut Streams<'_>) -> Result<Outcome, JobError> {
    let differences = build.differences()?;
    if differences.is_empty() {
        streams.tell(&format!("{} is what the manifest says", place.display()));
        return Ok(Outcome::Success);
    }
    if build.is_missing(&differences) {
        streams.tell(&format!("{} is missing; `s6gen build` writes it", place.display()));
        return Ok(Outcome::Problems);
    }
    for difference in &differences {
        streams.tell(&build.describe(difference).to_string());
    }
    let count = differences.len();
    streams.tell(&format!("{}; `s6gen build` corrects them", counted(count, "difference")));
    Ok(Outcome::Problems)
}

/// Writes the files.
fn install(
    build: &RenderedBuild,
    root: &Path,
    place: &Path,
    streams: &mut Streams<'_>,
) -> Result<Outcome, JobError> {
    if build.make_root()? {
        streams.tell(&format!("made {}", root.display()));
    }
    let Installed { written, removed, removed_services, kept, .. } = build.install()?;
    for path in kept {
        streams.tell(&format!("kept /{path}, which s6gen did not make"));
    }
    for service in removed_services {
        streams.tell(&format!("removed {service}, which the manifest no longer has"));
    }
    let did = match (written, removed) {
        (0, 0) => "nothing changed".to_owned(),
        (written, 0) => format!("{written} written"),
        (written, removed) => format!("{written} written, {removed} removed"),
    };
    streams.tell(&format!("{}: {}, {did}", place.display(), counted(build.count, "definition")));
    Ok(Outcome::Success)
}
