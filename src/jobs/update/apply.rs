//! Runs an update of a running system from beginning to end.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::find_changes::find_changes;
use super::next_boot::{NextBoot, compile_next_boot};
use super::parallel::in_parallel;
use super::plan::Plan;
use super::repair::repair;
use super::run::{carry_out, refuse_bundled, rehearse};
use crate::disk;
use crate::install::PreparedInstall;
use crate::jobs::container::Container;
use crate::jobs::desired::Desired;
use crate::jobs::error::JobError;
use crate::jobs::running::{Connection, RunningSystem};
use crate::live::{self, Failure, Live};
use crate::model::Name;
use crate::templates::execline_word;

/// An update of a running system.
#[derive(Debug, Clone)]
pub struct Update {
    /// The container in which the system runs.
    pub container: Container,
    /// The manifest to use instead of the one that the container carries.
    pub manifest: Option<PathBuf>,
    /// Whether to plan only, and change nothing.
    pub dry_run: bool,
}

/// Why an update failed.
#[derive(Debug)]
pub struct UpdateError {
    /// The reason.
    pub error: JobError,
    /// What the update did before the failure, if it had begun. A calling program needs this to know the state of the
    /// system.
    pub plan: Option<Box<Plan>>,
}

impl<E: Into<JobError>> From<E> for UpdateError {
    fn from(error: E) -> Self {
        UpdateError { error: error.into(), plan: None }
    }
}

impl Update {
    /// Compiles the manifest, finds what changed, and changes the running system to match.
    ///
    /// # Errors
    /// The manifest has errors, the system refuses, or a service does not stop or start.
    pub fn run(&self, system: &RunningSystem, connection: Connection<'_>) -> Result<Plan, UpdateError> {
        self.run_with(system, connection, || self.desired())
    }

    /// Like [`run`](Update::run), but `desired` returns the new definitions. It is called under the lock, when no other
    /// s6gen changes the system.
    ///
    /// # Errors
    /// As for [`run`](Update::run).
    pub fn run_with(
        &self,
        system: &RunningSystem,
        connection: Connection<'_>,
        desired: impl FnOnce() -> Result<Desired, JobError> + Send,
    ) -> Result<Plan, UpdateError> {
        system.change(connection, |live, work| Ok(self.update(live, work, desired)))?
    }

    fn desired(&self) -> Result<Desired, JobError> {
        Desired::load(&self.container, self.manifest.as_deref())
    }

    fn update(
        &self,
        live: &mut Live<'_>,
        work: &Path,
        desired: impl FnOnce() -> Result<Desired, JobError> + Send,
    ) -> Result<Plan, UpdateError> {
        // Compile only under the lock. While this process waited for it, another one may have changed the manifest.
        let (desired, (unsupervised, active)) =
            in_parallel(desired, || (live::unsupervised(live.directory()), live.active_if_idle()));
        let (desired, unsupervised, active) = (desired?, unsupervised?, active?);
        if !unsupervised.is_empty() && self.dry_run {
            return Err(Failure::Unsupervised(unsupervised.into_iter().collect()).into());
        }
        let active = match unsupervised.is_empty() {
            true => active,
            false => Some(repair(live, &unsupervised)?),
        };
        let number = live::databases(work).last_key_value().map_or(1, |(number, _)| number + 1);
        let fresh = work.join(format!("db.{number}"));
        let mut result = self.try_update(live, &desired, &fresh, active);
        if let Ok(None) = result {
            result = self.update_when_idle(live, &fresh);
        }
        remove_old_databases(live, work);
        Ok(result?.unwrap_or_default())
    }

    /// Waits until no other s6-rc changes the system, and then updates it.
    fn update_when_idle(&self, live: &mut Live<'_>, fresh: &Path) -> Result<Option<Plan>, UpdateError> {
        let active = live.active_when_idle()?;
        // The manifest may have changed during the wait.
        let desired = self.desired()?;
        disk::remove_folder(fresh)?;
        self.try_update(live, &desired, fresh, Some(active))
    }

    /// Updates the system. `active` holds the services that are up, or is `None` while another s6-rc changes the system. In
    /// that case this changes nothing in the running system, and returns `None` if it would have to.
    fn try_update(
        &self,
        live: &mut Live<'_>,
        desired: &Desired,
        fresh: &Path,
        active: Option<BTreeSet<Name>>,
    ) -> Result<Option<Plan>, UpdateError> {
        let is_idle = active.is_some();
        let active = active.map_or_else(|| live.active(), Ok)?;
        let NextBoot { sources, fingerprints, differences, prepared } =
            compile_next_boot(live, desired, &self.container, fresh, self.dry_run)?;

        let conversion = fresh.with_file_name("conversion");
        let touched = desired.differing(&differences).iter().map(|name| Name::from(name.as_str())).collect();
        let mut plan = find_changes(live, desired, &self.container, active, fresh, fingerprints, &touched)?;
        plan.files_differ =
            !differences.is_empty() || prepared.as_ref().is_some_and(PreparedInstall::postpones);
        if plan.replaces && !is_idle {
            return Ok(None);
        }
        if plan.replaces {
            let names = plan.comparison.conversions.iter();
            let lines = names.map(|name| format!("{} restart\n", execline_word(&name.to_string())));
            disk::replace_until_boot(&conversion, lines.collect::<String>().as_bytes())?;
            plan.commands.push(live::compile(fresh, &sources));
            plan.commands.push(live::update(live.directory(), fresh, &conversion));
        }
        refuse_bundled(live, &plan, fresh, &conversion)?;
        let done = match prepared {
            None => rehearse(live, &mut plan, fresh, &conversion),
            Some(prepared) => {
                carry_out(live, desired, &self.container, prepared, &mut plan, fresh, &conversion)
            }
        };
        plan.is_applied = match &done {
            Ok(()) => !self.dry_run,
            Err(_) => live::live_database(live.directory()).as_deref() == Some(fresh),
        };
        let effects = plan.effects();
        plan.comparison.set_effects(effects);
        match done {
            Ok(()) => Ok(Some(plan)),
            Err(error) => Err(UpdateError { error, plan: Some(Box::new(plan)) }),
        }
    }
}

/// Removes all databases of s6gen except the live one.
fn remove_old_databases(live: &mut Live<'_>, work: &Path) {
    let current = live::live_database(live.directory());
    for path in live::databases(work).into_values().filter(|path| Some(path) != current.as_ref()) {
        if let Err(error) = disk::remove_folder(&path) {
            live.tell(&format!("{error}; the next `s6gen apply` tries again"));
        }
    }
}
