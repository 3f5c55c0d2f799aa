//! Carries out a plan: stages the new entries, takes the steps, and replaces the receipt.

use std::borrow::Cow;
use std::io::ErrorKind::{CrossesDevices, ResourceBusy};
use std::path::PathBuf;

use super::error::InstallError;
use super::plan::{InstallPlan, Write};
use super::receipt::{RECEIPT, Receipt};
use super::site::{STAGINGS, Site};
use super::steps::{InstallStep, steps};
use super::switch::Switch;
use crate::disk::{DiskError, Folder};
use crate::parallel;
use crate::progress::{self, Stage};
use crate::tree::TreeEntry;

/// What an installation did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Installed {
    /// The number of files, links and directories that were written.
    pub written: usize,
    /// The number of files, links and directories that were removed.
    pub removed: usize,
    /// The number of entries that were already right.
    pub unchanged: usize,
    /// The services whose definitions were removed.
    pub removed_services: Vec<String>,
    /// The services that the tree no longer defines and whose definitions are still there, because of [`Prune::Later`].
    pub postponed: Vec<String>,
    /// Foreign files in directories that would otherwise have been removed. Both the files and the directories are still
    /// there. Paths are relative to the root.
    pub kept: Vec<String>,
}

/// Carries out a plan for `site`. The caller must have held the lock since before the plan was made.
pub(super) fn carry_out(site: &Site, plan: InstallPlan<'_>) -> Result<Installed, InstallError> {
    plan.refuse_foreign()?;
    let switch = if plan.is_done() { None } else { Switch::new(site, &plan)? };
    let in_use = switch.as_ref().filter(|switch| switch.in_use).map(|switch| switch.staging);
    for name in &plan.stale {
        // An interrupted build may have left links through which `/init` reads this directory. It stays until the
        // links lead elsewhere.
        if in_use.is_none_or(|staging| staging == *name) {
            discard(site, name)?;
        }
    }
    if !plan.is_done() {
        let work = Work { site, plan: &plan, switch: switch.as_ref() };
        work.stage()?;
        work.publish()?;
        STAGINGS.iter().try_for_each(|name| discard(site, name)).map_err(InstallError::Partly)?;
    }
    let prefix = format!("{}/", site.definitions);
    let service = |path: &str| path.strip_prefix(&prefix)?.strip_suffix("/type").map(str::to_owned);
    Ok(Installed {
        written: plan.writes.iter().map(|write| 1 + write.inside).sum::<usize>() + plan.modes.len(),
        removed: plan.left_over.len(),
        unchanged: plan.unchanged,
        removed_services: plan.left_over.iter().rev().filter_map(|(path, _)| service(path)).collect(),
        postponed: plan.postponed,
        kept: plan.kept,
    })
}

/// Removes one of s6gen's own entries beside the definitions: a staging directory or the switch.
fn discard(site: &Site, name: &str) -> Result<(), DiskError> {
    let (folder, _) = site.place(&site.definition(name))?;
    site.forget();
    folder.remove(name).map_err(DiskError::of("remove", &site.in_definitions(name)))
}

/// The part of an installation that changes the disk.
struct Work<'w> {
    site: &'w Site<'w>,
    plan: &'w InstallPlan<'w>,
    switch: Option<&'w Switch>,
}

/// How far a build got. It can remove the directories that it made, but it cannot undo any other change.
#[derive(Default)]
struct Progress {
    made: Vec<PathBuf>,
    irrevocable: bool,
}

impl Work<'_> {
    fn staging(&self) -> &'static str {
        self.switch.map_or(STAGINGS[0], |switch| switch.staging)
    }

    /// The receipt for the time of the installation. It lists both the old and the new paths, so that the next build
    /// knows all of them if this one is killed.
    fn union_receipt(&self) -> Cow<'_, Receipt> {
        let union = self.plan.old.union(&self.plan.new);
        match self.switch {
            Some(switch) => Cow::Owned(union.union(&switch.receipt(self.site)).into_owned()),
            None => union,
        }
    }

    /// Writes all new entries into the staging directory, which no other program reads. So if the disk refuses one of
    /// them, nothing has changed yet.
    ///
    /// Nothing is synced: an image layer is read back from the page cache, and after a power cut the image is built again.
    fn stage(&self) -> Result<(), DiskError> {
        self.fill_staging().inspect_err(|_| {
            // This may fail for the same reason. Then the next build removes the directory.
            let _ = discard(self.site, self.staging());
        })
    }

    fn fill_staging(&self) -> Result<(), DiskError> {
        let Work { site, plan, switch } = self;
        let folders = switch.map(Switch::folders).unwrap_or_default();
        for path in plan.parents_of_changes().union(&folders) {
            if let Some(folder) = site.folder(path)? {
                folder.may_change().map_err(DiskError::of("change", folder.path()))?;
            }
        }
        let (definitions, name) = (site.place(&site.definition(self.staging()))?.0, self.staging());
        let staging =
            definitions.make_folder(name).map_err(DiskError::of("make", &definitions.path_of(name)))?;
        for (name, receipt) in [("old", &plan.old), ("union", &*self.union_receipt()), (RECEIPT, &plan.new)] {
            let entry = TreeEntry::file(receipt.text(), false);
            staging.create(name, &entry).map_err(DiskError::of("write", &site.in_definitions(RECEIPT)))?;
        }
        let numbered: Vec<(usize, &Write)> = plan.writes.iter().enumerate().collect();
        progress::begin(Stage::Writing, numbered.len());
        let created = parallel::map(&numbered, parallel::MANY_FILES, |(number, write)| {
            progress::advance();
            staging.create_with(number.to_string(), write.entry, &plan.content(write))
        });
        for (write, created) in plan.writes.iter().zip(created) {
            created.map_err(DiskError::of("write", &site.path(&write.path)))?;
        }
        match switch {
            Some(switch) => switch.stage(site, plan, &staging),
            None => Ok(()),
        }
    }

    /// Changes the definitions to the new state, and keeps the receipt right all the time.
    fn publish(&self) -> Result<(), InstallError> {
        let Work { site, plan, .. } = self;
        let receipt = site.in_definitions(RECEIPT);
        let (definitions, _) = site.place(&site.definition(RECEIPT))?;
        let staging = definitions
            .folder(self.staging())
            .map_err(DiskError::of("open", &definitions.path_of(self.staging())))?;
        let put_receipt = |name: &str| {
            staging.rename(name, &definitions, RECEIPT).map_err(DiskError::of("write", &receipt))
        };
        let union = self.union_receipt();
        let announced = *union != plan.old || !plan.has_receipt;
        if announced {
            put_receipt("union").inspect_err(|_| drop(discard(site, self.staging())))?;
        }
        let mut progress = Progress::default();
        if let Err(error) = self.take_steps(&staging, &mut progress) {
            if progress.irrevocable {
                // `/init` may be reading the staging directory, so it stays. The next build removes it.
                return Err(InstallError::Partly(error));
            }
            site.remove_empty(&progress.made);
            let restored = match (announced, plan.has_receipt) {
                (false, _) => true,
                (true, true) => put_receipt("old").is_ok(),
                (true, false) => definitions.remove(RECEIPT).is_ok(),
            };
            let _ = discard(site, self.staging());
            return Err(if restored { InstallError::Disk(error) } else { InstallError::Partly(error) });
        }
        if *union != plan.new {
            put_receipt(RECEIPT).map_err(InstallError::Partly)?;
        }
        Ok(())
    }

    fn take_steps(&self, staging: &Folder, progress: &mut Progress) -> Result<(), DiskError> {
        let site = self.site;
        for step in steps(site, self.plan, self.switch) {
            match step {
                InstallStep::Mode { path } => {
                    let (folder, name) = site.place(path)?;
                    let set = folder.set_directory_mode(name);
                    set.map_err(DiskError::of("set the permissions of", &site.path(path)))?;
                }
                InstallStep::Put { staged, path, entry, write } => {
                    let (folder, name) = site.place(path)?;
                    let empty_directory =
                        *entry == TreeEntry::Directory && write.is_none_or(|write| write.inside == 0);
                    progress.irrevocable |= !empty_directory;
                    let content = || write.map(|write| self.plan.content(write)).unwrap_or_default();
                    let put = staging.put(&staged, &folder, name, entry, content);
                    put.map_err(DiskError::of("write", &site.path(path)))?;
                    if empty_directory {
                        progress.made.push(site.path(path));
                    }
                }
                InstallStep::PutInnerLink { staged, path } => {
                    let (folder, name) = site.place(path)?;
                    progress.irrevocable = true;
                    match staging.rename(&staged, &folder, name) {
                        Err(error) if !matches!(error.kind(), CrossesDevices | ResourceBusy) => {
                            return Err(DiskError::system("write", &site.path(path), &error));
                        }
                        _ => {}
                    }
                }
                InstallStep::Remove { path, directory } => {
                    let (folder, name) = site.place(path)?;
                    progress.irrevocable = true;
                    let removed = match directory {
                        true => folder.remove_directory(name),
                        false => folder.remove_file(name),
                    };
                    removed.map_err(DiskError::of("remove", &site.path(path)))?;
                    if directory {
                        site.forget();
                    }
                }
            }
        }
        Ok(())
    }
}
