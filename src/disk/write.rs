use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::Access;
use rustix::io::Errno;

use super::error::OutputError;
use super::files::{create, make_directory, put, remove, undo};
use super::ground::{DIRECTORY_MODE, Ground, STAGINGS};
use super::plan::Plan;
use super::receipt::{RECEIPT, Receipt};
use super::steps::{Step, steps};
use super::switch::Switch;
use crate::tree::TreeEntry;

/// What an installation did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Installed {
    /// How many files, links and directories were written.
    pub written: usize,
    /// How many were removed.
    pub removed: usize,
    /// How many were there already, just so.
    pub unchanged: usize,
    /// The services whose definitions were removed.
    pub removed_services: Vec<String>,
    /// The services whose definitions the tree does not have and that lie there still, as [`Prune::Later`] asks.
    pub postponed: Vec<String>,
    /// Other people's files in directories that would have been removed; both are still there. Paths are relative to
    /// the root.
    pub kept: Vec<String>,
}

/// Carries out a plan for `ground`; the caller has held the lock since it was made.
pub(super) fn install_locked(ground: &Ground, plan: Plan<'_>) -> Result<Installed, OutputError> {
    refuse_foreign(&plan)?;
    let switch = if plan.is_done() { None } else { Switch::new(ground, &plan)? };
    let in_use = switch.as_ref().filter(|switch| switch.in_use).map(|switch| switch.staging);
    for name in &plan.stale {
        // What an interrupted build lets `/init` look into stays until there is something else to look into.
        if in_use.is_none_or(|staging| staging == *name) {
            discard(ground, name)?;
        }
    }
    if !plan.is_done() {
        let work = Work { ground, plan: &plan, switch: switch.as_ref() };
        work.stage().and_then(|()| work.publish())?;
        STAGINGS.iter().try_for_each(|name| discard(ground, name)).map_err(OutputError::partly)?;
    }
    let prefix = format!("{}/", ground.definitions);
    let service = |path: &str| path.strip_prefix(&prefix)?.strip_suffix("/type").map(str::to_owned);
    Ok(Installed {
        written: plan.writes.len() + plan.modes.len(),
        removed: plan.left_over.len(),
        unchanged: plan.unchanged,
        removed_services: plan.left_over.iter().rev().filter_map(|(path, _)| service(path)).collect(),
        postponed: plan.postponed,
        kept: plan.kept,
    })
}

pub(super) fn refuse_foreign(plan: &Plan) -> Result<(), OutputError> {
    if plan.foreign.is_empty() { Ok(()) } else { Err(OutputError::Foreign(plan.foreign.clone())) }
}

/// Removes something of our own beside the definitions.
fn discard(ground: &Ground, name: &str) -> Result<(), OutputError> {
    let path = ground.beside(name);
    remove(&path).map_err(|error| OutputError::system("remove", &path, &error))
}

/// What is done after looking.
struct Work<'w> {
    ground: &'w Ground<'w>,
    plan: &'w Plan<'w>,
    switch: Option<&'w Switch>,
}

/// How far a build went: new directories can be taken away again, everything else is there to stay.
#[derive(Default)]
struct Progress {
    made: Vec<PathBuf>,
    irrevocable: bool,
}

impl Work<'_> {
    fn staging(&self) -> &'static str {
        self.switch.map_or(STAGINGS[0], |switch| switch.staging)
    }

    /// What is ours while this lasts: the old and the new, so that a build after a kill knows both.
    fn receipt(&self) -> Receipt {
        let mut union = self.plan.old.union(&self.plan.new);
        if let Some(switch) = self.switch {
            switch.announce(&mut union, self.ground);
        }
        union
    }

    /// Completes everything that is new, where nobody looks, so that a refusal shows before anything has changed.
    ///
    /// Nothing is synced: an image layer is read back from the page cache, and after a power cut it is built again.
    fn stage(&self) -> Result<(), OutputError> {
        self.fill_staging().inspect_err(|_| {
            // What made the build fail may make this fail as well; the next build does it then.
            let _ = discard(self.ground, self.staging());
        })
    }

    fn fill_staging(&self) -> Result<(), OutputError> {
        let Work { ground, plan, switch } = self;
        let folders = switch.map(Switch::folders).unwrap_or_default();
        for path in plan.parents_of_changes().union(&folders) {
            let path = ground.path(path);
            match rustix::fs::access(&path, Access::WRITE_OK | Access::EXEC_OK) {
                Ok(()) | Err(Errno::NOENT | Errno::NOTDIR) => {}
                Err(errno) => return Err(OutputError::system("change", &path, &errno.into())),
            }
        }
        let staging = ground.beside(self.staging());
        make_directory(&staging).map_err(|error| OutputError::system("make", &staging, &error))?;
        for (name, receipt) in [("old", &plan.old), ("union", &self.receipt()), (RECEIPT, &plan.new)] {
            let entry = TreeEntry::File { content: receipt.text().into_bytes(), executable: false };
            create(&staging.join(name), &entry)
                .map_err(|error| OutputError::system("write", &ground.beside(RECEIPT), &error))?;
        }
        for (number, write) in plan.writes.iter().enumerate() {
            create(&staging.join(number.to_string()), write.entry)
                .map_err(|error| OutputError::system("write", &ground.path(&write.path), &error))?;
        }
        let sides = switch.map_or(Ok(()), |switch| switch.stage(ground, plan, &staging));
        sides.map_err(|error| OutputError::system("write", &staging, &error))
    }

    /// Puts everything into place.
    fn publish(&self) -> Result<(), OutputError> {
        let Work { ground, plan, .. } = self;
        let receipt = ground.beside(RECEIPT);
        let staging = ground.beside(self.staging());
        let put_receipt = |name: &str| {
            fs::rename(staging.join(name), &receipt)
                .map_err(|error| OutputError::system("write", &receipt, &error))
        };
        let union = self.receipt();
        let announced = union != plan.old || !plan.has_receipt;
        if announced {
            put_receipt("union").inspect_err(|_| drop(discard(ground, self.staging())))?;
        }
        let mut progress = Progress::default();
        if let Err(error) = self.take_steps(&staging, &mut progress) {
            if progress.irrevocable {
                // `/init` may look into the staging directory; the next build tidies up.
                return Err(error.partly());
            }
            undo(&progress.made);
            let restored = match (announced, plan.has_receipt) {
                (false, _) => true,
                (true, true) => put_receipt("old").is_ok(),
                (true, false) => remove(&receipt).is_ok(),
            };
            let _ = discard(ground, self.staging());
            return Err(if restored { error } else { error.partly() });
        }
        if union != plan.new {
            put_receipt(RECEIPT).map_err(OutputError::partly)?;
        }
        Ok(())
    }

    fn take_steps(&self, staging: &Path, progress: &mut Progress) -> Result<(), OutputError> {
        for step in steps(self.ground, self.plan, self.switch) {
            match step {
                Step::Mode { path } => {
                    let path = self.ground.path(path);
                    fs::set_permissions(&path, Permissions::from_mode(DIRECTORY_MODE))
                        .map_err(|error| OutputError::system("set the permissions of", &path, &error))?;
                }
                Step::Put { staged, path, entry } => {
                    let path = self.ground.path(path);
                    let directory = *entry == TreeEntry::Directory;
                    progress.irrevocable |= !directory;
                    put(&staging.join(staged), &path, entry)
                        .map_err(|error| OutputError::system("write", &path, &error))?;
                    if directory {
                        progress.made.push(path);
                    }
                }
                Step::Lead { staged, path } => {
                    let path = self.ground.path(path);
                    progress.irrevocable = true;
                    match fs::rename(staging.join(staged), &path) {
                        Err(error)
                            if !matches!(
                                error.kind(),
                                ErrorKind::CrossesDevices | ErrorKind::ResourceBusy
                            ) =>
                        {
                            return Err(OutputError::system("write", &path, &error));
                        }
                        _ => {}
                    }
                }
                Step::Remove { path, directory } => {
                    let path = self.ground.path(path);
                    progress.irrevocable = true;
                    let removed = if directory { fs::remove_dir(&path) } else { fs::remove_file(&path) };
                    removed.map_err(|error| OutputError::system("remove", &path, &error))?;
                }
            }
        }
        Ok(())
    }
}
