//! Compiles what the next boot would compile, and finds how the definitions on the disk differ from it.

use std::path::{Path, PathBuf};

use super::last_applied::TreeFingerprints;
use super::parallel::in_parallel;
use crate::disk;
use crate::install::{LockedSite, PathDifference, PreparedInstall, Prune};
use crate::jobs::container::Container;
use crate::jobs::desired::Desired;
use crate::jobs::error::JobError;
use crate::live::{self, Fingerprints, Live};
use crate::render;

/// The directory beside the databases in which the source directories are made. It stays: most of it is right the next time.
const PREVIEW: &str = "next";

/// What the next boot would compile. It was compiled to a new database.
pub(super) struct NextBoot<'d> {
    /// The source directories.
    pub(super) sources: Vec<PathBuf>,
    /// The fingerprints of the definitions in them.
    pub(super) prints: Fingerprints,
    /// How the definitions on the disk differ.
    pub(super) differences: Vec<PathDifference>,
    /// The installation that is to replace them, unless nothing is to be changed. The definitions stay locked.
    pub(super) prepared: Option<PreparedInstall<'d, 'd>>,
}

/// Compiles what the next boot would compile to the new database `fresh`. How the definitions on the disk differ is found
/// meanwhile; until then it is guessed.
pub(super) fn compile_next_boot<'d>(
    live: &mut Live<'_>,
    desired: &'d Desired,
    container: &'d Container,
    fresh: &Path,
    dry_run: bool,
) -> Result<NextBoot<'d>, JobError> {
    let work = fresh.parent().unwrap_or(fresh);
    let definitions = TreeFingerprints::of(&desired.tree, render::definitions_dir(&desired.services.target));
    let mut differ = match definitions.changed_since(work)? {
        Some(guessed) => guessed,
        None => desired.differing(&desired.differences(container)?),
    };
    loop {
        // Under the lock nobody builds, so the definitions that are compared are those that are compiled.
        let place = if dry_run { None } else { Some(desired.lock(container)?) };
        let sources = desired.preview(container, &differ, &work.join(PREVIEW))?;
        let look = || {
            let prints = live::fingerprints(&sources);
            (look(desired, container, place), prints)
        };
        let ((looked, prints), compiled) = in_parallel(look, || live.compile(fresh, &sources));
        let (differences, prepared) = looked?;
        let mut really = desired.differing(&differences);
        really.retain(|name| definitions.has(name));
        if !really.is_subset(&differ) {
            disk::remove_folder(fresh)?;
            differ = really;
            continue;
        }
        if let Err(failure) = compiled {
            // s6-rc-compile stops at the first mistake, and says less of it.
            desired.check(&sources)?;
            return Err(failure.into());
        }
        if !dry_run && !differences.is_empty() {
            definitions.write(work)?;
        }
        return Ok(NextBoot { sources, prints: prints?, differences, prepared });
    }
}

/// Finds how the definitions on the disk differ, and prepares to replace them if they are locked.
fn look<'d>(
    desired: &'d Desired,
    container: &Container,
    place: Option<LockedSite<'d>>,
) -> Result<(Vec<PathDifference>, Option<PreparedInstall<'d, 'd>>), JobError> {
    let Some(place) = place else { return Ok((desired.differences(container)?, None)) };
    let prepared = place.prepare(&desired.tree, Prune::Later)?;
    Ok((prepared.differences(), Some(prepared)))
}
