//! Moves what most services share into `[defaults.longrun]`.

use std::collections::{BTreeMap, BTreeSet};

use super::service::DraftService;
use crate::manifest::draft::{DraftEntry, DraftTable, DraftValue};

/// Keys that a service can take back, each with the value that does that.
const RESET: &[(&str, &str)] = &[("start", "boot"), ("restart-delay", "1s")];

/// Moves what the longruns share into `defaults`.
pub(super) fn lift(services: &mut [DraftService], defaults: &mut DraftTable) {
    let mut longruns: Vec<&mut DraftService> =
        services.iter_mut().filter(|service| !service.is_oneshot).collect();
    if longruns.len() < 2 {
        return;
    }
    lift_exit(&mut longruns, defaults);
    lift_logs(&mut longruns, defaults);
    let mut keys: Vec<Vec<String>> = Vec::new();
    let mut known: BTreeSet<&[String]> = BTreeSet::new();
    for entry in longruns.iter().flat_map(|service| &service.table.entries) {
        if !matches!(
            entry.key[0].as_str(),
            "run" | "log" | "on-exit" | "instances" | "parameters" | "dependencies"
        ) && known.insert(&entry.key)
        {
            keys.push(entry.key.clone());
        }
    }
    for key in keys {
        lift_key(&key, &mut longruns, defaults);
    }
}

fn lift_key(key: &[String], longruns: &mut [&mut DraftService], defaults: &mut DraftTable) {
    let reset = RESET.iter().find(|(name, _)| key == [*name]);
    let Some((value, count)) = most_frequent(key, longruns, |_, value| Some(value.clone())) else { return };
    // A variable that a service does not use does no harm: supervisord needed all of them.
    let is_free = reset.is_some()
        || key[0] == "variables"
        || longruns.iter().all(|service| value_of(service, key).is_some());
    // What one service takes from the container, another one may set.
    let is_set = key[0] == "variables"
        && longruns
            .iter()
            .any(|service| value_of(service, &["environment".to_owned(), key[1].clone()]).is_some());
    if is_set {
        return;
    }
    // A default is an expression; a text of a service is not.
    if count * 2 <= longruns.len() || count < 2 || !is_free || has_braces(&value) {
        return;
    }
    for service in longruns.iter_mut() {
        match value_of(service, key) {
            Some(own) if *own == value => service.table.entries.retain(|entry| entry.key != key),
            Some(_) => {}
            None => {
                if let Some((name, reset)) = reset {
                    service.set(name, *reset);
                }
            }
        }
    }
    defaults.set_path(key.to_vec(), value);
}

/// `on-exit` is replaced as a whole, and `then = "restart"` takes it back.
fn lift_exit(longruns: &mut [&mut DraftService], defaults: &mut DraftTable) {
    let values = |table: &[DraftEntry]| -> Vec<(Vec<String>, DraftValue)> {
        table.iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect()
    };
    let tables = longruns.iter().map(|service| values(&entries_below(service, "on-exit")));
    let Some((best, count)) = most_common(tables.filter(|table| !table.is_empty())) else { return };
    if count < 2 || count * 2 <= longruns.len() {
        return;
    }
    for service in longruns.iter_mut() {
        let own = entries_below(service, "on-exit");
        if own.is_empty() {
            service.set("on-exit.then", "restart");
        } else if values(&own) == best {
            service.table.entries.retain(|entry| entry.key[0] != "on-exit");
        }
    }
    for (key, value) in best {
        defaults.set_path(key, value);
    }
}

/// Whether the log of a service has its own place.
fn has_place(service: &DraftService) -> bool {
    let is_path = |key| matches!(service.get(key), Some(DraftValue::Text(to)) if to.starts_with(['/', '$']));
    let is_command = matches!(service.get("log.to"), Some(DraftValue::List(_)));
    is_path("log.to") || is_command || service.has_key("log.file") && is_path("log.stderr")
}

/// The settings of logs are moved only if every service has a directory, or no log of its own.
fn lift_logs(longruns: &mut [&mut DraftService], defaults: &mut DraftTable) {
    let is_plain = |service: &DraftService| entries_below(service, "log").is_empty();
    let count = longruns.iter().filter(|service| has_place(service)).count();
    if count < 2
        || count * 2 <= longruns.len()
        || !longruns
            .iter()
            .all(|service| has_place(service) || is_plain(service) || service.has_key("log.file"))
    {
        return;
    }
    let mut is_lifted = false;
    for part in ["to", "stderr", "size", "keep", "timestamp", "link", "tee"] {
        let key = vec!["log".to_owned(), part.to_owned()];
        let with_name = |service: &DraftService, value: &DraftValue| match value {
            DraftValue::Text(text) if matches!(part, "to" | "stderr") && text.starts_with(['/', '$']) => {
                named(text, service)
            }
            // The name of the service is an argument of the program that reads the log.
            DraftValue::List(words) => {
                let own = DraftValue::Text(service.name.clone());
                let name = DraftValue::from("{{ name }}");
                Some(DraftValue::List(
                    words.iter().map(|word| if *word == own { name.clone() } else { word.clone() }).collect(),
                ))
            }
            value => Some(value.clone()),
        };
        let Some((value, uses)) = most_frequent(&key, longruns, with_name) else { continue };
        let all_have = longruns
            .iter()
            .filter(|service| has_place(service))
            .all(|service| value_of(service, &key).is_some());
        if uses < 2 || uses * 2 <= count || !all_have {
            continue;
        }
        for service in longruns.iter_mut() {
            let is_same =
                value_of(service, &key).and_then(|own| with_name(service, own)).as_ref() == Some(&value);
            if is_same {
                service.table.entries.retain(|entry| entry.key != key);
            }
        }
        defaults.set_path(key, value);
        is_lifted = true;
    }
    if is_lifted {
        for service in longruns.iter_mut().filter(|service| service.logs_to_container) {
            service.set("log.to", "container");
        }
    }
}

/// A path with the name of the service as an expression. `None` if the name is not in it.
fn named(text: &str, service: &DraftService) -> Option<DraftValue> {
    let start = text.rfind('/')? + 1;
    let (directory, last) = text.split_at(start);
    let rest = last.strip_prefix(service.name.as_str())?;
    let is_end = rest.is_empty() || rest.starts_with(['.', '_', '-']);
    let is_plain = !service.is_template && !directory.contains("{{");
    (is_end && is_plain).then(|| DraftValue::Text(format!("{directory}{{{{ name }}}}{rest}")))
}

fn entries_below(service: &DraftService, name: &str) -> Vec<DraftEntry> {
    service.table.entries.iter().filter(|entry| entry.key[0] == name).cloned().collect()
}

fn value_of<'s>(service: &'s DraftService, key: &[String]) -> Option<&'s DraftValue> {
    service.table.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
}

/// The value that most services have, and how many do. Of several the first one counts.
fn most_frequent(
    key: &[String],
    longruns: &[&mut DraftService],
    form: impl Fn(&DraftService, &DraftValue) -> Option<DraftValue>,
) -> Option<(DraftValue, usize)> {
    most_common(longruns.iter().filter_map(|service| form(service, value_of(service, key)?)))
}

/// The value that is there most often, and how often. Of several the first one counts.
fn most_common<T: Clone + Ord>(values: impl Iterator<Item = T>) -> Option<(T, usize)> {
    let mut order = Vec::new();
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    for value in values {
        let count = counts.entry(value.clone()).or_default();
        if *count == 0 {
            order.push(value);
        }
        *count += 1;
    }
    let best = counts.values().copied().max()?;
    order.into_iter().find(|value| counts[value] == best).map(|value| (value, best))
}

fn has_braces(value: &DraftValue) -> bool {
    match value {
        DraftValue::Text(text) => text.contains("{{") || text.contains("{%"),
        DraftValue::List(list) => list.iter().any(has_braces),
        DraftValue::Table(table) => table.iter().any(|(_, value)| has_braces(value)),
        DraftValue::Number(_) | DraftValue::Flag(_) => false,
    }
}
