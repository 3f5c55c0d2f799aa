//! Carries out the plan of an update: replaces the files for the next boot, and then the live database.

use std::path::Path;

use super::fingerprints;
use super::parallel::emptying_old_databases;
use super::pending::Pending;
use super::plan::Plan;
use super::repair::repair;
use crate::install::{self, PreparedInstall, Prune};
use crate::jobs::container::Container;
use crate::jobs::desired::Desired;
use crate::jobs::error::JobError;
use crate::live::{self, DatabaseList, Direction, Failure, Live};
use crate::model::Name;
use crate::render;
use crate::tree::SourceTree;

/// A note for an update after which a service does not start.
const IS_LIVE: &str =
    "the new database is live; `s6gen status` shows what did not start, and `s6gen start NAME` tries again";

/// Finds which services the plan would stop and start, without changing anything.
pub(super) fn rehearse(
    live: &mut Live<'_>,
    plan: &mut Plan,
    fresh: &Path,
    conversion: &Path,
) -> Result<(), JobError> {
    if plan.replaces {
        let old = live.compiled();
        let (stopped, started) = live.rehearse(fresh, conversion)?;
        plan.stops = &live.closure(&old, Direction::Down, &stopped)? & &plan.comparison.up;
        let needed = live.closure(fresh, Direction::Up, &started)?;
        plan.starts = &needed - &(&plan.comparison.up - &plan.stops);
        plan.explain(live, &old, fresh)?;
    }
    plan.start_new(live, fresh)
}

/// Refuses an update that replaces a service by a bundle of running services: s6-rc-update cannot tell which of them
/// continues the service. It would refuse the update itself, but only after the files were replaced.
pub(super) fn refuse_bundled(
    live: &mut Live<'_>,
    plan: &Plan,
    fresh: &Path,
    conversion: &Path,
) -> Result<(), JobError> {
    let is_running = |member: &Name| plan.comparison.up.contains(member);
    let bundled = plan.bundled.iter().find(|(_, contents)| contents.iter().any(is_running));
    let Some((name, contents)) = bundled.filter(|_| plan.replaces) else { return Ok(()) };
    let Err(failure) = live.rehearse(fresh, conversion) else { return Ok(()) };
    let members: Vec<String> =
        contents.iter().filter(|member| is_running(member)).map(|member| format!("`{member}`")).collect();
    let why = format!("`{name}` was a service and becomes a bundle with {}, which runs", members.join(", "));
    Err(JobError::from(failure).note(&why).note("nothing was changed"))
}

/// Replaces the files on the disk, and then the live database.
pub(super) fn carry_out(
    live: &mut Live<'_>,
    desired: &Desired,
    container: &Container,
    prepared: PreparedInstall<'_, '_>,
    plan: &mut Plan,
    fresh: &Path,
    conversion: &Path,
) -> Result<(), JobError> {
    if plan.replaces {
        Pending { restart: plan.rerun.clone(), start: plan.unstarted.clone() }.write(live, fresh)?;
        fingerprints::write(&plan.fingerprints, fresh)?;
    }
    // A removed script may still be needed to stop a oneshot.
    let meanwhile = with_old_scripts(desired, container, plan)?;
    let installed = match &meanwhile {
        None => prepared.install(),
        Some(tree) => prepared.with(tree, Prune::Later).and_then(PreparedInstall::install),
    };
    let is_whole = installed?.postponed.is_empty() && meanwhile.is_none();
    if plan.replaces {
        replace(live, plan, fresh, conversion)?;
    }
    if !is_whole {
        desired.lock(container)?.install(&desired.tree, Prune::Now)?;
    }
    start_new(live, plan, fresh)
}

/// The new tree together with the old scripts that stop oneshots. `None` if there are none. A removed definition keeps
/// only these scripts and the files that make it a valid definition.
fn with_old_scripts(
    desired: &Desired,
    container: &Container,
    plan: &Plan,
) -> Result<Option<SourceTree>, JobError> {
    if plan.stopped_oneshots.is_empty() {
        return Ok(None);
    }
    let target = &desired.services.target;
    let prefix = format!("{}/", render::definitions_dir(target));
    let kept = install::retain_installed(&desired.tree, &container.root, &target.tree, |path| {
        let Some((name, file)) = path.strip_prefix(&prefix).and_then(|path| path.split_once('/')) else {
            return false;
        };
        let is_gone = !desired.tree.has_below(&format!("{prefix}{name}"));
        let is_script = file.starts_with("data/") || is_gone && ["type", "up", "down"].contains(&file);
        is_script && plan.stopped_oneshots.contains(&Name::from(name))
    })?;
    Ok((kept != desired.tree).then_some(kept))
}

/// Makes the database `fresh` live.
fn replace(live: &mut Live<'_>, plan: &mut Plan, fresh: &Path, conversion: &Path) -> Result<(), JobError> {
    let old = live::live_database(live.directory()).unwrap_or_else(|| live.compiled());
    let directory = live.directory().to_owned();
    let (moves, done) = emptying_old_databases(&directory, fresh, || live.update(fresh, conversion));
    (plan.stops, plan.starts) = (moves.stopped, moves.started);
    let Err(failure) = done else {
        // The update is done, so an error here must not make it fail: the report then only lacks the reasons for restarts.
        let _ = plan.explain(live, &old, fresh);
        return Ok(());
    };
    if live::live_database(live.directory()).as_deref() == Some(fresh) {
        if complete(live, plan, &failure)? {
            return Ok(());
        }
        let mut error = JobError::from(failure).note(IS_LIVE);
        // Start the new services even so.
        error
            .problems
            .extend(start_new(live, plan, fresh).err().into_iter().flat_map(|other| other.problems));
        return Err(error);
    }
    let mut error = JobError::from(failure).note(
        "the old database is still live, but the files for the next boot are already new; `s6gen apply` tries again",
    );
    // Start the services again that were stopped before the failure.
    let stopped: Vec<Name> = plan.stops.iter().cloned().collect();
    if stopped.is_empty() {
        return Err(error);
    }
    match live.change(Direction::Up, &stopped).and_then(|()| live.keep_up(&stopped)) {
        Ok(()) => {
            plan.starts.clone_from(&plan.stops);
            error = error.note("the services that had been stopped were started again");
        }
        Err(failure) => error.problems.push(failure.diagnostic()),
    }
    Err(error)
}

/// Completes an update that failed because supervisors were missing: waits for them or gives their services back to
/// s6-svscan, and then starts the services that should be up. Returns false if the update failed for another reason.
fn complete(live: &mut Live<'_>, plan: &mut Plan, failure: &Failure) -> Result<bool, JobError> {
    let unsupervised = live::unsupervised(live.directory())?;
    let active = match unsupervised.is_empty() {
        false => repair(live, &unsupervised)?,
        true if failure.is_missing_supervisor() && live.supervisors_return()? => live.active_when_idle()?,
        true => return Ok(false),
    };
    let compiled = live.compiled();
    let mut known = live.list(&compiled, DatabaseList::Longruns)?;
    known.extend(live.list(&compiled, DatabaseList::Oneshots)?);
    let missing: Vec<Name> = plan
        .stops
        .union(&plan.starts)
        .filter(|name| known.contains(*name) && !active.contains(*name))
        .cloned()
        .collect();
    plan.starts.extend(missing.iter().cloned());
    if !missing.is_empty() {
        live.change(Direction::Up, &missing).map_err(|failure| JobError::from(failure).note(IS_LIVE))?;
    }
    Ok(true)
}

/// Starts the new services that start at boot, unless s6-rc-update has already started them.
fn start_new(live: &mut Live<'_>, plan: &mut Plan, fresh: &Path) -> Result<(), JobError> {
    plan.start_new(live, fresh)?;
    if plan.unstarted.is_empty() {
        return Ok(());
    }
    let boot: Vec<Name> = plan.boot.iter().cloned().collect();
    let started = if boot.is_empty() { Ok(()) } else { live.change(Direction::Up, &boot) };
    // If a service fails, forget the work even so, so that only this update reports it, and not every later one. After any
    // other failure the next update must do the work.
    if started.as_ref().err().is_none_or(Failure::is_of_services) {
        Pending::default().write(live, fresh)?;
    }
    started.map_err(|failure| JobError::from(failure).note(IS_LIVE))
}
