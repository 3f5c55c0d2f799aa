//! Finds the services that need a restart to use their new settings.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::DependencyGraph;
use super::transitions::transitions_between;
use crate::model::{FDHOLDER, File, Name, NodeKind, Settings, Snapshot};

/// The services of `up` that run with other settings than `new` has for them, and that `s6-rc-update` does not restart
/// by itself: it changes files and leaves the processes alone. Each of them needs a line in the conversion file.
///
/// A service needs a restart if a changed setting is read only at its start (s6 2.15, s6-rc 0.7):
///
/// | setting | when it is read | a change needs |
/// |---|---|---|
/// | `run`, except comments at the top of an execline script; `notification-fd`, `lock-fd`, `flag-newpidns` | when the process is started | a restart |
/// | `producer-for`; whether there is a `consumer-for` | when the process is started, by the wrapper of `run` that s6-rc-compile makes | a restart |
/// | `env/`, `data/`, `template/` | at any time, by the scripts | a restart |
/// | `data/check`, and `data/ready` that it runs, if only s6-notifyoncheck runs it | at each try, until the service is ready | nothing |
/// | `finish`, `data/finish` if only `finish` runs it, `timeout-finish`, `max-death-tally` | after a death | nothing |
/// | `down-signal`, `timeout-kill`, `flag-timeout-killpg`, `reload-signal` | when a signal is sent | nothing |
/// | `up`, and the files of the definition that it runs | when the oneshot is started | a restart |
/// | `down`, `reload` | when they run, from the new database | nothing |
/// | `timeout-up`, `timeout-down`, the flags, members of bundles, another producer of a consumer | when s6-rc needs them | nothing |
/// | `dependencies` | when s6-rc starts or stops something; one that is not up makes s6-rc-update restart the service | nothing |
///
/// If a name becomes the name of a bundle with one member, such as a template with one instance, s6-rc-update takes the
/// member for the same service under another name. But it is a different service, so it needs a restart.
///
/// Of s6-rc's own two services only `s6rc-fdholder`, which keeps the pipes, may need a restart. s6-rc-update gives it the
/// pipes of consumers with a new name, but not the pipe of an old service that is now a consumer. Without this pipe both
/// ends would die at each start. A restarted `s6rc-fdholder` makes all pipes, and restarts all pipelines.
pub fn restarts(old: &Snapshot, new: &Snapshot, up: &BTreeSet<Name>) -> BTreeSet<Name> {
    restarts_between(old, new, (&DependencyGraph::of(old), &DependencyGraph::of(new)), up)
}

/// The same for a caller that already has the graphs of `old` and `new`.
pub(super) fn restarts_between(
    old: &Snapshot,
    new: &Snapshot,
    graphs: (&DependencyGraph, &DependencyGraph),
    up: &BTreeSet<Name>,
) -> BTreeSet<Name> {
    let changed = up.iter().filter(|name| match (old.services.get(name), new.services.get(name)) {
        (Some(_), Some(new)) if new.kind == NodeKind::Bundle => true,
        (Some(old), Some(new)) => old.kind == new.kind && needs_restart(name, old, new),
        _ => false,
    });
    let mut changed: BTreeSet<Name> = changed.cloned().collect();
    let keeper = Name::from(FDHOLDER);
    let is_new_consumer = |(name, settings): (&Name, &Settings)| {
        let before = old.services.get(name).filter(|before| before.kind != NodeKind::Bundle);
        !settings.consumer_for.is_empty() && before.is_some_and(|before| before.consumer_for.is_empty())
    };
    if up.contains(&keeper) && new.services.iter().any(is_new_consumer) {
        changed.insert(keeper);
    }
    match transitions_between(graphs.0, graphs.1, up, &BTreeSet::new()) {
        Ok(by_itself) => changed.retain(|name| !by_itself.stops.contains_key(name)),
        // s6-rc-update refuses such a pair of databases with any conversion file.
        Err(_) => changed.clear(),
    }
    changed
}

/// Whether a running service would differ if it were started now.
fn needs_restart(name: &Name, old: &Settings, new: &Settings) -> bool {
    match new.kind {
        NodeKind::Longrun => {
            let has_other_pipes = old.producer_for != new.producer_for
                || old.consumer_for.is_empty() != new.consumer_for.is_empty();
            has_other_pipes || changed_files(old, new).any(|path| is_read_at_start(path, old, new))
        }
        NodeKind::Oneshot => {
            let (before, after) = (called(name, old), called(name, new));
            old.up != new.up
                || changed_files(old, new).any(|path| before.contains(path) || after.contains(path))
        }
        NodeKind::Bundle | NodeKind::Unknown => false,
    }
}

/// The paths of the files that differ, or that only one of the two has.
fn changed_files<'a>(old: &'a Settings, new: &'a Settings) -> impl Iterator<Item = &'a str> {
    let only_new = new.files.paths().filter(|path| old.files.get(path).is_none());
    let changed = old.files.iter().filter(|(path, file)| new.files.get(path) != Some(*file));
    changed.map(|(path, _)| path).chain(only_new)
}

fn is_read_at_start(path: &str, old: &Settings, new: &Settings) -> bool {
    let content =
        |settings: &'_ Settings| settings.files.get(path).map(|file| code(&file.content).to_owned());
    match path {
        "run" => content(old) != content(new),
        "finish"
        | "timeout-finish"
        | "max-death-tally"
        | "down-signal"
        | "reload-signal"
        | "timeout-kill"
        | "flag-timeout-killpg" => false,
        "data/check" | "data/ready" | "data/finish" => {
            !(is_outside_run(path, old) && is_outside_run(path, new))
        }
        _ => true,
    }
}

/// A script of execline without the lines on top that are comments, where s6gen writes what a service is for.
fn code(script: &[u8]) -> &[u8] {
    let end_of_line =
        |text: &[u8]| text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |end| end + 1);
    let (first, mut rest) = script.split_at(end_of_line(script));
    if !(first.starts_with(b"#!") && mentions(first, "/execlineb ")) {
        return script;
    }
    while rest.starts_with(b"#") {
        rest = &rest[end_of_line(rest)..];
    }
    rest
}

/// Whether the process of the service does not use a script in `data`, because only s6-notifyoncheck, the check or `finish` runs
/// it.
fn is_outside_run(path: &str, settings: &Settings) -> bool {
    let is_mentioned =
        |by: &str, word: &str| settings.files.get(by).is_some_and(|file| mentions(&file.content, word));
    let (caller, is_run) = match path {
        "data/check" => ("", is_mentioned("run", "s6-notifyoncheck")),
        "data/ready" => ("data/check", is_mentioned("data/check", path)),
        _ => ("finish", is_mentioned("finish", path)),
    };
    let mut others = settings.files.paths().filter(|other| *other != caller && *other != path);
    is_run && !others.any(|other| is_mentioned(other, path))
}

/// The files of a oneshot's definition that `up` runs: the files that it names by path, and the files that these mention.
fn called<'a>(name: &Name, settings: &'a Settings) -> BTreeSet<&'a str> {
    let mut rest: BTreeMap<&str, &File> = settings.files.iter().collect();
    let mut called = BTreeSet::new();
    let line = settings.up.join(&b' ');
    let mut texts: Vec<&[u8]> = Vec::new();
    let mut found: Vec<&str> =
        rest.keys().copied().filter(|path| mentions(&line, &format!("/{name}/{path}"))).collect();
    loop {
        for path in found.drain(..) {
            called.insert(path);
            texts.extend(rest.remove(path).map(|file| &file.content[..]));
        }
        let Some(text) = texts.pop() else { return called };
        let file_name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        found.extend(rest.keys().filter(|path| mentions(text, &file_name(path))));
    }
}

fn mentions(text: &[u8], word: &str) -> bool {
    text.windows(word.len().max(1)).any(|part| part == word.as_bytes())
}
