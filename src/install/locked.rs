//! A locked site, and what callers can do with it: compare, prepare, install.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::carry_out::{Installed, carry_out};
use super::error::{ForeignPath, InstallError};
use super::plan::{InstallPlan, PathDifference, Prune};
use super::site::{PathState, Site};
use crate::disk::path::is_at_or_above;
use crate::disk::{Lock, OnDisk, lock_directory};
use crate::tree::SourceTree;

/// How long a build waits for another build at the same site.
const PATIENCE: Duration = Duration::from_secs(10);

/// A directory of definitions below a root. Holds an exclusive lock on it until dropped.
#[derive(Debug)]
pub struct LockedSite<'a> {
    site: Site<'a>,
    /// The directories that were made in order to lock.
    made: Vec<PathBuf>,
    _lock: Lock,
}

impl<'a> LockedSite<'a> {
    /// Locks `definitions`, the directory of definitions in the image, for example `/etc/s6-overlay/sv`. Waits until no
    /// other build works there.
    ///
    /// # Errors
    /// The directory cannot be made or opened, or another build holds the lock for too long.
    pub fn lock(root: &'a Path, definitions: &str) -> Result<Self, InstallError> {
        let site = Site::new(root, definitions)?;
        let mut made = Vec::new();
        match lock_directory(&site, &site.definitions, PATIENCE, &mut made) {
            Ok(lock) => Ok(LockedSite { site, made, _lock: lock }),
            Err(error) => {
                site.remove_empty(&made);
                Err(error.into())
            }
        }
    }

    /// Lists the paths whose files differ from `tree`. The list is empty exactly when an installation with
    /// [`Prune::Now`] would change nothing.
    ///
    /// # Errors
    /// Something cannot be read.
    pub fn compare(&self, tree: &SourceTree) -> Result<Vec<PathDifference>, InstallError> {
        Ok(InstallPlan::new(&self.site, tree, Prune::Now)?.differences(&self.site))
    }

    /// Finds out what must change so that the files equal `tree`, without changing anything. The site stays locked until
    /// the result is installed or dropped.
    ///
    /// # Errors
    /// Something cannot be read.
    pub fn prepare<'t>(
        self,
        tree: &'t SourceTree,
        prune: Prune,
    ) -> Result<PreparedInstall<'a, 't>, InstallError> {
        let plan = InstallPlan::new(&self.site, tree, prune)?;
        Ok(PreparedInstall { locked: self, plan })
    }

    /// Makes the files equal to `tree`.
    ///
    /// # Errors
    /// After [`InstallError::Partly`] some files are new and some are old. After any other error the old files are still
    /// there. Whenever the work stops, even by a kill, the next installation completes it.
    pub fn install(&self, tree: &SourceTree, prune: Prune) -> Result<Installed, InstallError> {
        carry_out(&self.site, InstallPlan::new(&self.site, tree, prune)?)
    }
}

/// An installation that is planned but not started.
pub struct PreparedInstall<'a, 't> {
    locked: LockedSite<'a>,
    plan: InstallPlan<'t>,
}

impl<'a> PreparedInstall<'a, '_> {
    /// Plans the installation of another tree instead.
    ///
    /// # Errors
    /// Something cannot be read.
    pub fn with<'t>(
        self,
        tree: &'t SourceTree,
        prune: Prune,
    ) -> Result<PreparedInstall<'a, 't>, InstallError> {
        self.locked.prepare(tree, prune)
    }

    /// The paths whose files differ from the tree, without the definitions that a later installation removes.
    pub fn differences(&self) -> Vec<PathDifference> {
        self.plan.differences(&self.locked.site)
    }

    /// Whether definitions stay that a later installation removes.
    pub fn postpones(&self) -> bool {
        !self.plan.postponed.is_empty()
    }

    /// Carries out the installation.
    ///
    /// # Errors
    /// As for [`LockedSite::install`].
    pub fn install(self) -> Result<Installed, InstallError> {
        carry_out(&self.locked.site, self.plan)
    }
}

impl Drop for LockedSite<'_> {
    /// Removes the directories that were made in order to lock, if they are still empty.
    fn drop(&mut self) {
        self.site.remove_empty(&self.made);
    }
}

/// Lists the paths below `root` whose files differ from `tree`, like [`LockedSite::compare`], but ignores permissions that
/// make no difference to s6. It takes no lock, so it needs no permission to write.
///
/// # Errors
/// Something cannot be read.
pub fn compare(
    tree: &SourceTree,
    root: &Path,
    definitions: &str,
) -> Result<Vec<PathDifference>, InstallError> {
    let site = Site::new(root, definitions)?;
    let mut differences = InstallPlan::new(&site, tree, Prune::Now)?.differences(&site);
    differences.retain(|difference| difference.state != PathState::Mode);
    Ok(differences)
}

/// Checks that the name of a new service is free. It is taken if a foreign definition of that name is in `definitions`,
/// or if a foreign file of that name is in `linked`, the directory for the links to definitions. The next installation
/// would refuse the whole tree because of it.
///
/// # Errors
/// The name is taken, or the system refuses.
pub fn refuse_taken(
    root: &Path,
    definitions: &str,
    linked: Option<&str>,
    name: &str,
) -> Result<(), InstallError> {
    let site = Site::new(root, definitions)?;
    let receipt = site.receipt()?.unwrap_or_default();
    let definition = site.definition(name);
    let linked = linked.map(|place| format!("{}/{name}", place.trim_matches('/')));
    let linked = linked.filter(|path| *path != definition);
    for (path, marker) in [(&definition, format!("{definition}/type"))]
        .into_iter()
        .chain(linked.as_ref().map(|path| (path, path.clone())))
    {
        let is_there = !matches!(site.look(&marker)?, OnDisk::Nothing);
        if is_there && !receipt.owns(&marker, false) {
            let service = Some(name.to_owned());
            return Err(InstallError::Foreign(vec![ForeignPath { path: site.path(path), service }]));
        }
    }
    Ok(())
}

/// Locks the site and makes the files below `root` equal to `tree`, as [`LockedSite::install`] does.
///
/// # Errors
/// As for [`LockedSite::lock`] and [`LockedSite::install`].
pub fn install(tree: &SourceTree, root: &Path, definitions: &str) -> Result<Installed, InstallError> {
    let site = Site::new(root, definitions)?;
    if site.folder(&site.definitions)?.is_none() {
        // Plan first, so that a refused installation does not even make the directory to lock.
        let plan = InstallPlan::new(&site, tree, Prune::Now);
        // If the directory exists now, another build is working there. What that build has made is not foreign.
        if site.folder(&site.definitions)?.is_none() {
            let mut plan = plan?;
            plan.refuse_foreign()?;
            let locked = LockedSite::lock(root, definitions)?;
            // Another build may have had the lock in between. It would have left something here.
            if locked.site.list(&site.definitions)?.is_empty() {
                plan.writes.retain(|write| !is_at_or_above(&write.path, &site.definitions));
                return carry_out(&locked.site, plan);
            }
            return locked.install(tree, Prune::Now);
        }
    }
    LockedSite::lock(root, definitions)?.install(tree, Prune::Now)
}
