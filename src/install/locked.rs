//! A site under a lock, and what callers can do with it: compare, prepare, install.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::carry_out::{Installed, install_locked, refuse_foreign};
use super::error::{ForeignPath, InstallError};
use super::plan::{InstallPlan, PathDifference, Prune};
use super::site::{PathState, Site};
use crate::disk::{Lock, OnDisk, is_directory, lock_directory, remove_empty};
use crate::tree::SourceTree;

/// How long a build waits for another one at the same site.
const PATIENCE: Duration = Duration::from_secs(10);

/// A directory of definitions below a root, with an exclusive lock that is held until this is dropped.
#[derive(Debug)]
pub struct LockedSite<'a> {
    site: Site<'a>,
    /// The directories that the lock had to make.
    made: Vec<PathBuf>,
    _lock: Lock,
}

impl<'a> LockedSite<'a> {
    /// Waits until no other build works in `definitions`, the directory of the definitions in the image, for example
    /// `/etc/s6-overlay/sv`; the receipt lies in it.
    ///
    /// # Errors
    /// The directory cannot be made or opened, or another build does not end.
    pub fn lock(root: &'a Path, definitions: &str) -> Result<Self, InstallError> {
        let site = Site::new(root, definitions)?;
        let mut made = Vec::new();
        match lock_directory(&site.path(&site.definitions), PATIENCE, &mut made) {
            Ok(lock) => Ok(LockedSite { site, made, _lock: lock }),
            Err(error) => {
                remove_empty(&made);
                Err(error.into())
            }
        }
    }

    /// Says how the files differ from `tree`, by path. Nothing differs exactly when an installation that prunes now
    /// would write nothing.
    ///
    /// # Errors
    /// Something cannot be read.
    pub fn compare(&self, tree: &SourceTree) -> Result<Vec<PathDifference>, InstallError> {
        Ok(InstallPlan::new(&self.site, tree, Prune::Now)?.differences(&self.site))
    }

    /// Looks what there is to do so that the files equal `tree`; the place stays locked until it is done, or dropped.
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
    /// Either the old files are still there, or the error says that they were partly replaced; whenever it ends, even
    /// killed, the next installation completes the work.
    pub fn install(&self, tree: &SourceTree, prune: Prune) -> Result<Installed, InstallError> {
        install_locked(&self.site, InstallPlan::new(&self.site, tree, prune)?)
    }
}

/// An installation that was looked into, and not begun.
pub struct PreparedInstall<'a, 't> {
    locked: LockedSite<'a>,
    plan: InstallPlan<'t>,
}

impl<'a> PreparedInstall<'a, '_> {
    /// Looks what there is to do for another tree.
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

    /// How the files differ from the tree, by path, but for definitions that go later.
    pub fn differences(&self) -> Vec<PathDifference> {
        self.plan.differences(&self.locked.site)
    }

    /// Whether definitions are left that go later.
    pub fn postpones(&self) -> bool {
        !self.plan.postponed.is_empty()
    }

    /// Does it.
    ///
    /// # Errors
    /// As for [`LockedSite::install`].
    pub fn install(self) -> Result<Installed, InstallError> {
        install_locked(&self.locked.site, self.plan)
    }
}

impl Drop for LockedSite<'_> {
    /// Where nothing was written no empty directory stays.
    fn drop(&mut self) {
        remove_empty(&self.made);
    }
}

/// Says how the files below `root` differ from `tree`, as [`LockedSite::compare`], but for permissions that make no difference,
/// and takes no lock: it writes nothing and needs no right to.
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

/// Refuses the name of a new service if somebody else has a definition of it in `definitions`, or something in `linked`,
/// where the link to ours would be. The next installation would refuse it with everything else.
///
/// # Errors
/// The name is taken, or that cannot be found out.
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
    for (path, shows) in [(&definition, format!("{definition}/type"))]
        .into_iter()
        .chain(linked.as_ref().map(|path| (path, path.clone())))
    {
        let is_there = !matches!(site.look(&shows)?, OnDisk::Nothing);
        if is_there && !receipt.owns(&shows, false) {
            let service = Some(name.to_owned());
            return Err(InstallError::Foreign(vec![ForeignPath { path: site.path(path), service }]));
        }
    }
    Ok(())
}

/// Makes the files below `root` equal to `tree`, as [`LockedSite::install`], in one step.
///
/// # Errors
/// As for [`LockedSite::lock`] and [`LockedSite::install`].
pub fn install(tree: &SourceTree, root: &Path, definitions: &str) -> Result<Installed, InstallError> {
    let site = Site::new(root, definitions)?;
    let directory = site.path(&site.definitions);
    if !is_directory(&directory) {
        // Also the directory that the lock needs is not made where nothing may be written.
        let plan = InstallPlan::new(&site, tree, Prune::Now)
            .map_err(InstallError::from)
            .and_then(|plan| refuse_foreign(&plan));
        // If it is there now, another build is at work: what that one has made so far is not foreign.
        if !is_directory(&directory) {
            plan?;
        }
    }
    LockedSite::lock(root, definitions)?.install(tree, Prune::Now)
}
