//! Reads when the services of a running system started, from the system or from a saved answer.

use std::path::Path;

use serde_json::Value;

use super::error::JobError;
use super::running::{Connection, RunningSystem};
use crate::diagnostic::{Code, Diagnostic};
use crate::disk;
use crate::live::DatabaseList;
use crate::model::{Name, from_json_text};
use crate::plan::{MeasuredStart, MeasuredTimes};

/// How many bytes of a saved answer are read.
const LONGEST: usize = 64 << 20;

/// The times of the longruns that run, as their supervisors remember them.
///
/// # Errors
/// No s6-rc runs, or its programs fail.
pub fn measure(system: &RunningSystem, connection: Connection<'_>) -> Result<MeasuredStart, JobError> {
    system.ask(connection, |live| {
        let compiled = live.compiled();
        let mut found = Vec::new();
        for name in live.list(&compiled, DatabaseList::Longruns)? {
            if let Some(times) = live.times(&name)?
                && let Some(started) = times.started
            {
                found.push((name, started, times));
            }
        }
        let first = found.iter().map(|(_, started, _)| *started).min().unwrap_or(0);
        let since =
            |moment: u128| u64::try_from(moment.saturating_sub(first) / 1_000_000).unwrap_or(u64::MAX);
        let times = found.into_iter().map(|(name, started, times)| {
            let (started, ready) = (since(started), times.ready.map(since));
            (name, MeasuredTimes { started, ready, deaths: times.deaths })
        });
        Ok(times.collect())
    })
}

/// The times of an answer of `s6gen plan --measured --json` that was saved.
///
/// # Errors
/// The file cannot be read, or is no such answer.
pub fn read_measured(path: &Path) -> Result<MeasuredStart, JobError> {
    let text = disk::read_regular(path, LONGEST)?;
    let answer: Option<Value> = serde_json::from_slice(&text).ok();
    let list = answer.as_ref().and_then(|answer| answer["measured"].as_array());
    let times = list.and_then(|list| list.iter().map(times).collect());
    times.ok_or_else(|| {
        let message = format!("`{}` has no measured times", path.display());
        let help = "save the answer of the running system: `s6gen plan --measured --json > FILE`";
        Diagnostic::new(Code::NotMeasured, message).help(help).into()
    })
}

fn times(service: &Value) -> Option<(Name, MeasuredTimes)> {
    let name = Name::new(from_json_text(service["name"].as_str()?)?);
    let started = service["started"].as_u64()?;
    let deaths = usize::try_from(service["deaths"].as_u64()?).ok()?;
    Some((name, MeasuredTimes { started, ready: service["ready"].as_u64(), deaths }))
}
