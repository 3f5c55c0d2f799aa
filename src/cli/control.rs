use std::collections::BTreeSet;

use clap::Args;

use super::system::{System, Trouble, failed, unwritten};
use super::{Outcome, Streams};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::live::CompiledDatabase;
use crate::live::{Direction, Failure, List, Live, Programs, State};
use crate::model::{self, Name};

/// Shows what is up, and what is ready
///
/// A longrun is `starting` until it has said that it is ready, if it says so; `restarting` after it died. With names it
/// exits 1 if one of them is not up.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen status                      every service\n  \
    s6gen status web worker           these; of a bundle, and so of a template, its members\n  \
    s6gen status web && echo up       exits 1 if web is not up")]
pub(super) struct Status {
    /// Services, or bundles of them
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Also what s6-overlay itself brings
    #[arg(long)]
    all: bool,
    /// For programs; the shape is versioned
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    system: System,
}

/// Starts services, with what they need
#[derive(Debug, Args)]
pub(super) struct Start {
    #[command(flatten)]
    names: Names,
    #[command(flatten)]
    system: System,
}

/// Stops services, with what needs them
#[derive(Debug, Args)]
pub(super) struct Stop {
    #[command(flatten)]
    names: Names,
    #[command(flatten)]
    pub(super) system: System,
}

/// Stops services and starts them again, with what needed them
#[derive(Debug, Args)]
pub(super) struct Restart {
    #[command(flatten)]
    names: Names,
    #[command(flatten)]
    pub(super) system: System,
}

#[derive(Debug, Args)]
struct Names {
    /// Services, or bundles of them
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
}

impl Names {
    fn list(&self) -> Vec<Name> {
        self.names.iter().map(|name| Name::from(name.as_str())).collect()
    }
}

/// A line of `status`.
struct Line {
    name: Name,
    kind: &'static str,
    status: crate::live::Status,
    is_ready: bool,
}

impl Status {
    /// Whether a program reads what it prints.
    pub(super) fn prints_json(&self) -> bool {
        self.json
    }

    pub fn run(&self, streams: &mut Streams<'_>, programs: &mut dyn Programs) -> Outcome {
        self.system.with(streams, programs, |live, out| {
            let lines = self.lines(live)?;
            if self.json {
                let list: Vec<_> = lines.iter().map(Line::json).collect();
                *out += &format!("{}\n", serde_json::json!({ "version": 1, "services": list }));
            } else {
                let width = lines.iter().map(|line| line.name.to_string().len()).max().unwrap_or(0);
                *out += &lines.iter().map(|line| line.text(width)).collect::<String>();
            }
            let is_up = lines.iter().all(|line| line.status.state == State::Up);
            Ok(if self.names.is_empty() || is_up { Outcome::Fine } else { Outcome::Problems })
        })
    }

    fn lines(&self, live: &mut Live<'_>) -> Result<Vec<Line>, Vec<Diagnostic>> {
        let compiled = live.compiled();
        let longruns = live.list(&compiled, List::Longruns).map_err(failed)?;
        let oneshots = live.list(&compiled, List::Oneshots).map_err(failed)?;
        let bundles = live.list(&compiled, List::Bundles).map_err(failed)?;
        let mut asked = BTreeSet::new();
        for name in self.names.iter().map(|name| Name::from(name.as_str())) {
            if bundles.contains(&name) {
                asked.extend(live.contents(&compiled, &name.to_string()).map_err(failed)?);
            } else if longruns.contains(&name) || oneshots.contains(&name) {
                asked.insert(name);
            } else {
                let known = longruns.iter().chain(&oneshots).chain(&bundles);
                return Err(vec![unknown(&name, known)]);
            }
        }
        if self.names.is_empty() {
            let own = model::System::NEWEST_OVERLAY.own_definitions();
            // Without s6-overlay these are names like any other.
            let is_overlay = bundles.contains(&Name::from("top"));
            let is_own = |name: &Name| {
                name.is_reserved() || is_overlay && own.iter().any(|service| service.name == *name)
            };
            asked.extend(longruns.iter().chain(&oneshots).filter(|name| self.all || !is_own(name)).cloned());
        }
        let active = live.active().map_err(failed)?;
        let database = CompiledDatabase::at(&compiled);
        let mut lines = Vec::new();
        for name in asked {
            lines.push(if longruns.contains(&name) {
                let notifies = database.notifies(&name).map_err(unwritten)?;
                let status = live.longrun(&name, notifies).map_err(failed)?;
                let is_ready = notifies && status.state == State::Up;
                Line { name, kind: "longrun", status, is_ready }
            } else {
                let state = if active.contains(&name) { State::Up } else { State::Down };
                let status = crate::live::Status { state, pid: None, seconds: None, ended: None };
                Line { name, kind: "oneshot", status, is_ready: state == State::Up }
            });
        }
        Ok(lines)
    }
}

impl Line {
    fn text(&self, width: usize) -> String {
        let status = &self.status;
        let mut facts = Vec::new();
        if self.kind == "oneshot" {
            facts.push("oneshot".to_owned());
        }
        if let Some(pid) = status.pid {
            facts.push(format!("pid {pid}"));
        }
        if let Some(seconds) = status.seconds {
            facts.push(format!("for {}", duration(seconds)));
        }
        if status.state == State::Starting {
            facts.push("not ready yet".into());
        }
        if status.state == State::Unsupervised {
            facts.push("`s6gen apply` gives it back to s6-svscan".into());
        }
        if let Some(ended) = &status.ended {
            facts.push(format!("ended with {ended}"));
        }
        let name = self.name.to_string();
        let text = format!("{name:width$}  {:12}  {}", status.state.word(), facts.join(", "));
        format!("{}\n", text.trim_end())
    }

    fn json(&self) -> serde_json::Value {
        let status = &self.status;
        serde_json::json!({
            "name": self.name.to_string(), "type": self.kind, "state": status.state.word(), "ready": self.is_ready,
            "pid": status.pid, "seconds": status.seconds, "ended": status.ended,
        })
    }
}

/// A time as people say it.
fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

impl Start {
    pub fn run(&self, streams: &mut Streams<'_>, programs: &mut dyn Programs) -> Outcome {
        self.system.alone(streams, programs, |live, _, _| {
            let names = self.names.list();
            let outcome = change(live, Direction::Up, &names)?;
            live.keep_up(&names).map_err(failed)?;
            Ok(outcome)
        })
    }
}

impl Stop {
    pub fn run(&self, streams: &mut Streams<'_>, programs: &mut dyn Programs) -> Outcome {
        self.system.alone(streams, programs, |live, _, _| change(live, Direction::Down, &self.names.list()))
    }
}

impl Restart {
    pub fn run(&self, streams: &mut Streams<'_>, programs: &mut dyn Programs) -> Outcome {
        self.system.alone(streams, programs, |live, _, _| {
            let mut names = self.names.list();
            let compiled = live.compiled();
            let active = live.active().map_err(failed)?;
            let stopping =
                live.closure(&compiled, Direction::Down, &names).map_err(|e| explained(live, e, &names))?;
            let stopped = match live.change(Direction::Down, &names) {
                // It did not even begin.
                Err(failure @ (Failure::Busy(..) | Failure::Missing(..))) => {
                    return Err(failed(failure).into());
                }
                stopped => stopped,
            };
            // What needed them was up, and is to be up again, also if one of them did not stop.
            let needing = stopping.into_iter().filter(|name| active.contains(name) && !names.contains(name));
            names.extend(needing.collect::<Vec<_>>());
            let mut started = live.change(Direction::Up, &names);
            if stopped.is_err() {
                started = started.and_then(|()| live.keep_up(&names));
            }
            stopped.and(started).map_err(failed)?;
            Ok(Outcome::Fine)
        })
    }
}

fn change(live: &mut Live<'_>, direction: Direction, names: &[Name]) -> Result<Outcome, Trouble> {
    live.change(direction, names).map_err(|failure| explained(live, failure, names))?;
    Ok(Outcome::Fine)
}

/// What went wrong; where that is a name that the system does not know, with the one that may have been meant.
fn explained(live: &mut Live<'_>, failure: Failure, names: &[Name]) -> Vec<Diagnostic> {
    if !matches!(&failure, Failure::Failed(_, answer) if answer.code == 3) {
        return failed(failure);
    }
    let compiled = live.compiled();
    let mut known = BTreeSet::new();
    for list in [List::Longruns, List::Oneshots, List::Bundles] {
        known.extend(live.list(&compiled, list).unwrap_or_default());
    }
    match names.iter().find(|name| !known.contains(*name)) {
        Some(name) => vec![unknown(name, known.iter())],
        None => failed(failure),
    }
}

fn unknown<'a>(name: &Name, known: impl Iterator<Item = &'a Name>) -> Diagnostic {
    let known: Vec<String> = known.map(Name::to_string).collect();
    let problem = Diagnostic::new(Code::UnknownName, format!("nothing that runs here is called `{name}`"));
    match did_you_mean(&name.to_string(), known.iter().map(String::as_str)) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => {
            problem.help("`s6gen status` lists the services; after `s6gen instance add` comes `s6gen apply`")
        }
    }
}
