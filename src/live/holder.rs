//! Finds in `/proc` which process holds a lock, and for which services it waits.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::Path;

use crate::disk;

/// The process that holds a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockHolder {
    /// Its process id.
    pub pid: u32,
    /// The command that it runs.
    pub command: String,
    /// The longruns that it waits for.
    pub services: BTreeSet<String>,
    /// The commands of the oneshots that it waits for.
    pub oneshots: BTreeSet<String>,
    /// Whether it waits for the service or the oneshot from which this process was called.
    pub waits_for_caller: bool,
}

/// A process, as `/proc` shows it.
struct Process {
    parent: u32,
    words: Vec<String>,
}

impl Process {
    fn program(&self) -> &str {
        self.words.first().map_or("", |word| word.rsplit('/').next().unwrap_or(word))
    }
}

/// The maximum length of a command in a message, in characters.
const COMMAND_LIMIT: usize = 100;

/// Finds the process that holds a lock on the file or directory `path`. Programs that it started may share the lock. The
/// result is the process that is not a child of another holder.
pub fn lock_holder(path: &Path) -> Option<LockHolder> {
    let identity = disk::file_identity(path)?;
    let all = processes();
    let holders: BTreeSet<u32> = all
        .keys()
        .copied()
        .filter(|pid| disk::is_holder(&Path::new("/proc").join(pid.to_string()), identity))
        .collect();
    let pid = holders.iter().copied().find(|pid| !holders.contains(&all[pid].parent))?;
    let below = descendants(&all, &holders);
    let working = || below.iter().map(|pid| &all[pid]);
    let mut services = BTreeSet::new();
    for process in working().filter(|process| process.program().starts_with("s6-sv")) {
        services.extend(process.words.iter().filter_map(|word| service(word)));
    }
    let runs_oneshot = working().any(|process| process.program() == "s6-sudo");
    let is_oneshot = |process: &Process| {
        all.get(&process.parent).is_some_and(|parent| runs_oneshot && parent.program() == "s6-sudod")
    };
    let oneshots = all.values().filter(|process| is_oneshot(process)).map(command).collect();
    let waits_for_caller = ancestors(&all).any(|process| {
        let supervisor = all.get(&process.parent).filter(|parent| parent.program() == "s6-supervise");
        let name = supervisor.and_then(|supervisor| supervisor.words.get(1));
        is_oneshot(process) || name.is_some_and(|name| services.contains(name))
    });
    Some(LockHolder { pid, command: command(&all[&pid]), services, oneshots, waits_for_caller })
}

/// The process that runs the program `name`: `pid` itself, or one of its descendants.
pub fn process_below(pid: u32, name: &str) -> Option<u32> {
    let all = processes();
    let below = descendants(&all, &BTreeSet::from([pid]));
    below.into_iter().find(|pid| all.get(pid).is_some_and(|process| process.program() == name))
}

/// Every process that is alive.
fn processes() -> BTreeMap<u32, Process> {
    let table = Path::new("/proc");
    let process = |name: OsString| {
        let pid: u32 = name.to_str()?.parse().ok()?;
        let stat = String::from_utf8(disk::read(&table.join(&name).join("stat")).ok()?).ok()?;
        let parent = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?;
        let line = disk::read(&table.join(&name).join("cmdline")).ok()?;
        let words = line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
        let mut words: Vec<String> = words.collect();
        words.pop();
        Some((pid, Process { parent, words }))
    };
    disk::names(table).unwrap_or_default().into_iter().filter_map(process).collect()
}

/// The processes `first` and all their descendants.
fn descendants(all: &BTreeMap<u32, Process>, first: &BTreeSet<u32>) -> Vec<u32> {
    let mut found: Vec<u32> = first.iter().copied().collect();
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        let children = all.iter().filter(|(pid, process)| process.parent == parent && !first.contains(pid));
        found.extend(children.map(|(pid, _)| *pid));
        next += 1;
    }
    found
}

/// This process, its parent, its grandparent, and so on.
fn ancestors(all: &BTreeMap<u32, Process>) -> impl Iterator<Item = &Process> {
    let own = all.get(&std::process::id());
    std::iter::successors(own, |process| all.get(&process.parent))
}

/// The service whose service directory contains the path `word`. `None` for the services of s6-rc itself.
fn service(word: &str) -> Option<String> {
    let name = word.split_once("/servicedirs/")?.1.split('/').next()?;
    (!name.starts_with("s6rc-")).then(|| name.to_owned())
}

/// The command of a process, on one line, without the internal option `--apart`, which s6gen passes only to itself.
fn command(process: &Process) -> String {
    let rest = process.words.iter().skip(1).map(String::as_str).filter(|word| *word != "--apart");
    let words: Vec<&str> = std::iter::once(process.program()).chain(rest).collect();
    let line = words.join(" ").escape_debug().to_string();
    match line.char_indices().nth(COMMAND_LIMIT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
