//! Starts, stops and restarts services, and reports their state.

use std::collections::BTreeSet;

use super::error::JobError;
use super::running::{Connection, RunningSystem};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::live::{CompiledDatabase, DatabaseList, Direction, Failure, Live, ServiceState, SupervisorStatus};
use crate::model::{Name, System, json_text};

/// The state of one service.
#[derive(Debug, Clone)]
pub struct ServiceStatus {
    /// Its name.
    pub name: Name,
    /// `longrun` or `oneshot`.
    pub kind: &'static str,
    /// Its state as s6 reports it.
    pub status: SupervisorStatus,
    /// Whether it has notified its readiness. For a oneshot: whether it is up.
    pub is_ready: bool,
}

impl ServiceStatus {
    /// The state as JSON.
    pub fn json(&self) -> serde_json::Value {
        let status = &self.status;
        serde_json::json!({
            "name": json_text(self.name.as_bytes()), "type": self.kind, "state": status.state.word(), "ready": self.is_ready,
            "pid": status.pid, "seconds": status.seconds, "ended": status.ended,
        })
    }
}

/// A table of the services as text, with one line for each.
pub fn text(services: &[ServiceStatus]) -> String {
    let width = services.iter().map(|one| one.name.to_string().len()).max().unwrap_or(0);
    services.iter().map(|one| line(one, width)).collect()
}

/// The line of one service, with a name column of `width`.
fn line(one: &ServiceStatus, width: usize) -> String {
    let status = &one.status;
    let mut facts = Vec::new();
    if one.kind == "oneshot" {
        facts.push("oneshot".to_owned());
    }
    if let Some(pid) = status.pid {
        facts.push(format!("pid {pid}"));
    }
    if let Some(seconds) = status.seconds {
        facts.push(format!("for {}", duration(seconds)));
    }
    if status.state == ServiceState::Starting {
        facts.push("not ready yet".into());
    }
    if status.state == ServiceState::Unsupervised {
        facts.push("`s6gen apply` gives it back to s6-svscan".into());
    }
    if let Some(ended) = &status.ended {
        facts.push(format!("ended with {ended}"));
    }
    let name = one.name.to_string();
    let text = format!("{name:width$}  {:12}  {}", status.state.word(), facts.join(", "));
    format!("{}\n", text.trim_end())
}

/// A time in a unit that suits its length.
fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// The state of the services `names`. A bundle stands for the services that it contains. If `names` is empty: the state of
/// every service, and with `all` also of those that belong to s6-rc and s6-overlay.
///
/// # Errors
/// A name is unknown, or the system does not answer.
pub fn status(
    system: &RunningSystem,
    connection: Connection<'_>,
    names: &[Name],
    all: bool,
) -> Result<Vec<ServiceStatus>, JobError> {
    system.ask(connection, |live| {
        let compiled = live.compiled();
        let longruns = live.list(&compiled, DatabaseList::Longruns)?;
        let oneshots = live.list(&compiled, DatabaseList::Oneshots)?;
        let bundles = live.list(&compiled, DatabaseList::Bundles)?;
        let mut asked = BTreeSet::new();
        for name in names {
            if bundles.contains(name) {
                asked.extend(live.contents(&compiled, &name.to_string())?);
            } else if longruns.contains(name) || oneshots.contains(name) {
                asked.insert(name.clone());
            } else {
                let known = longruns.iter().chain(&oneshots).chain(&bundles);
                return Err(unknown(name, known).into());
            }
        }
        if names.is_empty() {
            let own = System::NEWEST_OVERLAY.own_definitions();
            // The bundle `top` exists only with s6-overlay. Without it, the user may have services with these names.
            let is_overlay = bundles.contains(&Name::from("top"));
            let is_own = |name: &Name| {
                name.is_reserved() || is_overlay && own.iter().any(|service| service.name == *name)
            };
            asked.extend(longruns.iter().chain(&oneshots).filter(|name| all || !is_own(name)).cloned());
        }
        let active = live.active()?;
        let of_one = |name: Name| match longruns.contains(&name) {
            true => longrun_status(live, name, &active),
            false => Ok(oneshot_status(name, &active)),
        };
        asked.into_iter().map(of_one).collect()
    })
}

fn longrun_status(
    live: &mut Live<'_>,
    name: Name,
    active: &BTreeSet<Name>,
) -> Result<ServiceStatus, JobError> {
    let notifies = CompiledDatabase::at(&live.compiled()).notifies(&name)?;
    let mut status = live.longrun(&name, notifies)?;
    // One that was stopped since.
    if status.state == ServiceState::Idle && !active.contains(&name) {
        status.state = ServiceState::Down;
    }
    let is_ready = notifies && status.state == ServiceState::Up;
    Ok(ServiceStatus { name, kind: "longrun", status, is_ready })
}

fn oneshot_status(name: Name, active: &BTreeSet<Name>) -> ServiceStatus {
    let state = if active.contains(&name) { ServiceState::Up } else { ServiceState::Down };
    let status = SupervisorStatus { state, pid: None, seconds: None, ended: None };
    ServiceStatus { name, kind: "oneshot", status, is_ready: state == ServiceState::Up }
}

/// Starts services, and first their dependencies.
///
/// # Errors
/// One of them is unknown, or does not start.
pub fn start(system: &RunningSystem, connection: Connection<'_>, names: &[Name]) -> Result<(), JobError> {
    system.change(connection, |live, _| {
        change(live, Direction::Up, names)?;
        Ok(live.keep_up(names)?)
    })
}

/// Stops services, and first their dependents.
///
/// # Errors
/// One of them is unknown, or does not stop.
pub fn stop(system: &RunningSystem, connection: Connection<'_>, names: &[Name]) -> Result<(), JobError> {
    system.change(connection, |live, _| change(live, Direction::Down, names))
}

/// Restarts services, together with their dependents that are up. If one of them does not stop, all are started anyway.
///
/// # Errors
/// One of them is unknown, or does not stop or start.
pub fn restart(system: &RunningSystem, connection: Connection<'_>, names: &[Name]) -> Result<(), JobError> {
    system.change(connection, |live, _| {
        let compiled = live.compiled();
        let active = live.active()?;
        let stopping = live
            .closure(&compiled, Direction::Down, names)
            .map_err(|failure| explain_unknown(live, failure, names))?;
        let stopped = match live.change(Direction::Down, names) {
            // Nothing was stopped, so there is nothing to start again.
            Err(failure @ (Failure::Busy(..) | Failure::Missing(..))) => return Err(failure.into()),
            stopped => stopped,
        };
        let needing = stopping.into_iter().filter(|name| active.contains(name) && !names.contains(name));
        let names: Vec<Name> = names.iter().cloned().chain(needing).collect();
        let mut started = live.change(Direction::Up, &names);
        if stopped.is_err() {
            started = started.and_then(|()| live.keep_up(&names));
        }
        Ok(stopped.and(started)?)
    })
}

fn change(live: &mut Live<'_>, direction: Direction, names: &[Name]) -> Result<(), JobError> {
    live.change(direction, names).map_err(|failure| explain_unknown(live, failure, names))
}

/// Turns a failure into an error. If s6-rc does not know a name, the error suggests one that it knows.
fn explain_unknown(live: &mut Live<'_>, failure: Failure, names: &[Name]) -> JobError {
    if !matches!(&failure, Failure::Failed(_, answer) if answer.code == 3) {
        return failure.into();
    }
    let compiled = live.compiled();
    let mut known = BTreeSet::new();
    for list in [DatabaseList::Longruns, DatabaseList::Oneshots, DatabaseList::Bundles] {
        known.extend(live.list(&compiled, list).unwrap_or_default());
    }
    match names.iter().find(|name| !known.contains(*name)) {
        Some(name) => unknown(name, known.iter()).into(),
        None => failure.into(),
    }
}

fn unknown<'a>(name: &Name, known: impl Iterator<Item = &'a Name>) -> Diagnostic {
    let known: Vec<String> = known.map(Name::to_string).collect();
    let problem =
        Diagnostic::new(Code::UnknownName, format!("the running system has no service or bundle `{name}`"));
    match did_you_mean(&name.to_string(), known.iter().map(String::as_str)) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help(
            "`s6gen status` lists the services; to start a service that was just added, run `s6gen apply`",
        ),
    }
}
