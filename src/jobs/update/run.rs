//! Carries out the plan of an update: replaces the files for the next boot, then what runs.

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

/// A note for services that do not start in the end.
const IS_LIVE: &str =
    "the new database is live; `s6gen status` shows what did not start, and `s6gen start NAME` tries again";

/// Finds what carrying out the plan would stop and start.
pub(super) fn rehearse(
    live: &mut Live<'_>,
    plan: &mut Plan,
    fresh: &Path,
    conversion: &Path,
) -> Result<(), JobError> {
    if plan.replaces {
        let old = live.compiled();
        let (stopped, started) = live.rehearse(fresh, conversion)?;
        plan.stops = &live.closure(&old, Direction::Down, &stopped)? & &plan.active;
        let needed = live.closure(fresh, Direction::Up, &started)?;
        plan.starts = &needed - &(&plan.active - &plan.stops);
        plan.explain(live, &old, fresh)?;
    }
    plan.start_new(live, fresh)
}

/// Refuses an update that s6-rc-update would refuse once the files are new: where a service becomes a bundle of others, it
/// cannot tell which of them goes on.
pub(super) fn refuse_bundled(
    live: &mut Live<'_>,
    plan: &Plan,
    fresh: &Path,
    conversion: &Path,
) -> Result<(), JobError> {
    let is_running = |member: &Name| plan.active.contains(member);
    let bundled = plan.bundled.iter().find(|(_, contents)| contents.iter().any(is_running));
    let Some((name, contents)) = bundled.filter(|_| plan.replaces) else { return Ok(()) };
    let Err(failure) = live.rehearse(fresh, conversion) else { return Ok(()) };
    let members: Vec<String> =
        contents.iter().filter(|member| is_running(member)).map(|member| format!("`{member}`")).collect();
    let why = format!("`{name}` was a service and becomes a bundle with {}, which runs", members.join(", "));
    Err(JobError::from(failure).note(&why).note("nothing was changed"))
}

/// Replaces the files, then what runs.
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
        fingerprints::write(&plan.prints, fresh)?;
    }
    // Scripts that are removed may still be needed to stop a oneshot.
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

/// The new tree, with the old scripts by which oneshots are stopped; none if there are none. A definition that holds nothing
/// else is one that nothing needs.
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
        // The update is done. Why services were restarted is only told where that can be found.
        let _ = plan.explain(live, &old, fresh);
        return Ok(());
    };
    if live::live_database(live.directory()).as_deref() == Some(fresh) {
        if complete(live, plan, &failure)? {
            return Ok(());
        }
        let mut error = JobError::from(failure).note(IS_LIVE);
        // What is new is started all the same.
        error
            .problems
            .extend(start_new(live, plan, fresh).err().into_iter().flat_map(|other| other.problems));
        return Err(error);
    }
    let mut error = JobError::from(failure).note(
        "the old database is still live; the files for the next boot are new; `s6gen apply` tries again",
    );
    // What was stopped before the failure is started again.
    let stopped: Vec<Name> = plan.stops.iter().cloned().collect();
    if stopped.is_empty() {
        return Err(error);
    }
    match live.change(Direction::Up, &stopped).and_then(|()| live.keep_up(&stopped)) {
        Ok(()) => {
            plan.starts.clone_from(&plan.stops);
            error = error.note("what had been stopped was started again");
        }
        Err(failure) => error.problems.push(failure.diagnostic()),
    }
    Err(error)
}

/// Completes an update that failed because supervisors were not there: waits for them, gives back to s6-svscan what
/// s6-rc-update took from it, and starts what was to be started. Returns false if it failed for another reason.
fn complete(live: &mut Live<'_>, plan: &mut Plan, failure: &Failure) -> Result<bool, JobError> {
    let alone = live::unsupervised(live.directory())?;
    let active = match alone.is_empty() {
        false => repair(live, &alone)?,
        true if failure.is_of_supervisors() && live.supervisors_return()? => live.active_when_idle()?,
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

/// Starts the new services that start at boot and that s6-rc-update has not started.
fn start_new(live: &mut Live<'_>, plan: &mut Plan, fresh: &Path) -> Result<(), JobError> {
    plan.start_new(live, fresh)?;
    if plan.unstarted.is_empty() {
        return Ok(());
    }
    let boot: Vec<Name> = plan.boot.iter().cloned().collect();
    let started = if boot.is_empty() { Ok(()) } else { live.change(Direction::Up, &boot) };
    // A service that does not start is reported once, and not by each later update.
    Pending::default().write(live, fresh)?;
    started.map_err(|failure| JobError::from(failure).note(IS_LIVE))
}
