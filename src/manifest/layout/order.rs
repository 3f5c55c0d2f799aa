//! The order of keys.

use toml_edit::Value;

use super::super::keys::REFERENCE;
use super::collect::LaidTable;
use super::values::has_comments;

/// The keys of a service in the order of `s6gen fmt`: what it is and when it starts, as whom and where, what it runs, what it waits
/// for, when it is ready, how it ends, and its log.
#[rustfmt::skip]
const SERVICE: &[&str] = &[
    "description", "instances", "parameters", "without", "start",
    "user", "with-contenv", "workdir", "only-if",
    "variables", "secrets", "environment-files", "environment",
    "nice", "umask", "limits",
    "wait-for", "prepare", "run", "contents", "up", "sets", "down", "reload", "finish",
    "dependencies", "required-by", "producer-for", "consumer-for", "pipeline-name",
    "ready", "alive",
    "on-failure", "on-exit", "restart-delay", "max-death-tally", "timeout-up", "timeout-down",
    "down-signal", "reload-signal", "stop-group", "timeout-kill", "flag-timeout-killpg", "timeout-finish",
    "flag-essential", "flag-recommended", "flag-newpidns", "lock-fd",
    "log", "files",
];

/// Sorts the keys of a table whose keys the language fixes. Returns false for every other table: its keys keep their order.
pub(super) fn sort(table: &mut LaidTable) -> bool {
    let path: Vec<&str> = table.path.iter().map(String::as_str).collect();
    let place: Box<dyn Fn(&str) -> usize> = match path[..] {
        ["longrun" | "oneshot" | "bundle" | "defaults", _] => Box::new(|key| place_in(SERVICE, key)),
        ["longrun" | "oneshot" | "defaults", _, name] => match declared(name) {
            Some(keys) => Box::new(move |key| place_in(&keys, key)),
            None => return false,
        },
        ["target"] => {
            let keys = declared("[target]").unwrap_or_default();
            Box::new(move |key| place_in(&keys, key))
        }
        _ => return false,
    };
    for entry in table.entries.iter_mut().filter(|entry| entry.key.len() == 1) {
        let name = entry.key[0].clone();
        if !has_comments(&entry.value) {
            sort_inside(&name, &mut entry.value);
        }
    }
    let inner = |key: &[String]| match key {
        [first, second, ..] => declared(first).map_or(0, |keys| place_in(&keys, second)),
        _ => 0,
    };
    table.entries.sort_by_cached_key(|entry| {
        let first = entry.key.first().map_or("", String::as_str);
        // Unknown keys stay together at the end.
        (place(first), first.to_owned(), inner(&entry.key))
    });
    true
}

/// Sorts the keys of an inline table, or of the tables in an array, that stands for the key `name`.
fn sort_inside(name: &str, value: &mut Value) {
    let Some(keys) = declared(name) else { return };
    match value {
        Value::InlineTable(table) => {
            let place = |key: &str| (place_in(&keys, key), key.to_owned());
            table.sort_values_by(|one, _, other, _| place(one.get()).cmp(&place(other.get())));
        }
        Value::Array(array) => array.iter_mut().for_each(|inner| sort_inside(name, inner)),
        _ => {}
    }
}

/// The keys of a table inside a service, in the order of the reference. `None` if its keys are free, as in `environment`.
fn declared(name: &str) -> Option<Vec<&'static str>> {
    let (_, _, keys) = REFERENCE.iter().find(|(heading, ..)| *heading == name)?;
    Some(keys().iter().map(|key| key.name).collect())
}

fn place_in(keys: &[&str], key: &str) -> usize {
    keys.iter().position(|known| *known == key).unwrap_or(keys.len())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{REFERENCE, SERVICE};

    #[test]
    fn every_key_of_a_service_has_its_place() {
        let tables = ["[longrun.NAME]", "[oneshot.NAME]", "[bundle.NAME]"];
        let sections = REFERENCE.iter().filter(|(heading, ..)| tables.contains(heading));
        let declared: BTreeSet<&str> = sections.flat_map(|(_, _, keys)| keys()).map(|key| key.name).collect();
        assert_eq!(declared, SERVICE.iter().copied().collect());
        assert_eq!(SERVICE.len(), declared.len(), "no key stands twice");
    }
}
