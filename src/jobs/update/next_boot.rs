//! Compiles the source directories of the next boot, and finds how the definitions on the disk differ from the desired ones.

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

/// The directory beside the databases in which the preview is made. It stays, because most of it is right for the next
/// update.
const PREVIEW: &str = "next";

/// The source directories that the next boot would compile. They are already compiled to a new database.
pub(super) struct NextBoot<'d> {
    /// The previews of the source directories.
    pub(super) sources: Vec<PathBuf>,
    /// The fingerprints of the definitions in them.
    pub(super) fingerprints: Fingerprints,
    /// The paths at which the definitions on the disk differ from the desired ones.
    pub(super) differences: Vec<PathDifference>,
    /// The installation that replaces them, which keeps the definitions locked. `None` in a dry run.
    pub(super) prepared: Option<PreparedInstall<'d, 'd>>,
}

/// Compiles the source directories of the next boot to the new database `fresh`. It guesses which definitions on the
/// disk differ, and finds out meanwhile. If the guess was wrong, it compiles again.
pub(super) fn compile_next_boot<'d>(
    live: &mut Live<'_>,
    desired: &'d Desired,
    container: &'d Container,
    fresh: &Path,
    dry_run: bool,
) -> Result<NextBoot<'d>, JobError> {
    let work = fresh.parent().unwrap_or(fresh);
    let definitions = TreeFingerprints::of(&desired.tree, render::definitions_dir(&desired.services.target));
    let mut expected = match definitions.changed_since(work)? {
        Some(guessed) => guessed,
        None => desired.differing(&desired.differences(container)?),
    };
    loop {
        // No other s6gen can build under the lock, so the compared definitions are also the compiled ones.
        let site = if dry_run { None } else { Some(desired.lock(container)?) };
        let sources = desired.preview(container, &expected, &work.join(PREVIEW))?;
        let read_disk = || {
            let fingerprints = live::fingerprints(&sources);
            (find_differences(desired, container, site), fingerprints)
        };
        let ((found, fingerprints), compiled) = in_parallel(read_disk, || live.compile(fresh, &sources));
        let (differences, prepared) = found?;
        let mut actual = desired.differing(&differences);
        actual.retain(|name| definitions.has(name));
        if !actual.is_subset(&expected) {
            disk::remove_folder(fresh)?;
            expected = actual;
            continue;
        }
        if let Err(failure) = compiled {
            // s6gen reports every error and explains more than s6-rc-compile, which stops at the first one.
            desired.check(&sources)?;
            return Err(failure.into());
        }
        if !dry_run && !differences.is_empty() {
            definitions.write(work)?;
        }
        return Ok(NextBoot { sources, fingerprints: fingerprints?, differences, prepared });
    }
}

/// Finds how the definitions on the disk differ from the desired ones. If they are locked, also prepares to replace them.
fn find_differences<'d>(
    desired: &'d Desired,
    container: &Container,
    site: Option<LockedSite<'d>>,
) -> Result<(Vec<PathDifference>, Option<PreparedInstall<'d, 'd>>), JobError> {
    let Some(site) = site else { return Ok((desired.differences(container)?, None)) };
    let prepared = site.prepare(&desired.tree, Prune::Later)?;
    Ok((prepared.differences(), Some(prepared)))
}
