//! Puts the instances of a template that s6gen itself has generated back into one table.

use std::collections::{BTreeMap, BTreeSet};

use super::add_to_list;
use super::facts::Facts;
use super::fold::Fold;
use crate::manifest::draft::{DraftTable, DraftValue};
use crate::model::Name;

/// Keys without which a service has this value.
const USUAL: &[(&str, &str)] =
    &[("start", "boot"), ("timeout-up", "never"), ("timeout-down", "never"), ("timeout-kill", "5s")];

/// Replaces the tables of instances by the table of their template, wherever one table can stand for all of them.
pub(super) fn fold(facts: &Facts<'_>, tables: &mut Vec<DraftTable>) {
    let mut templates: BTreeMap<&Name, Vec<usize>> = BTreeMap::new();
    for (place, table) in tables.iter().enumerate() {
        if let Some(template) =
            table.path.last().and_then(|name| facts.instances().get(&Name::from(name.as_str())))
        {
            templates.entry(template).or_default().push(place);
        }
    }
    let mut gone: BTreeSet<usize> = BTreeSet::new();
    let mut bundles = BTreeSet::new();
    for (template, places) in templates {
        let members: Vec<DraftTable> = places.iter().map(|place| tables[*place].clone()).collect();
        let template = template.to_string();
        if let Some(table) = folded(&template, members, tables) {
            tables[places[0]] = table;
            gone.extend(&places[1..]);
            bundles.insert(template);
        }
    }
    let is_bundle = |table: &DraftTable| matches!(&table.path[..], [kind, name] if kind == "bundle" && bundles.contains(name));
    let mut place = 0..;
    tables.retain(|table| place.next().is_some_and(|place| !gone.contains(&place)) && !is_bundle(table));
}

/// The table of a template, from those of its instances. `None` if none can stand for all of them.
fn folded(template: &str, mut members: Vec<DraftTable>, others: &mut [DraftTable]) -> Option<DraftTable> {
    let names: Vec<String> = members.iter().filter_map(|table| table.path.last().cloned()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut fold = Fold::new(template, &names);
    let mut table = DraftTable::new(&[members[0].path[0].as_str(), template]);
    for (key, usual) in USUAL {
        let is_set = |table: &DraftTable| table.entries.iter().any(|entry| entry.key == [*key]);
        if members.iter().any(is_set) {
            for table in members.iter_mut().filter(|table| !is_set(table)) {
                table.set(key, *usual);
            }
        }
    }
    move_own_dependencies(&names, &mut members, others);
    let mut keys: Vec<&Vec<String>> = Vec::new();
    for entry in members.iter().flat_map(|table| &table.entries) {
        if !keys.contains(&&entry.key) {
            keys.push(&entry.key);
        }
    }
    for key in keys {
        let value = |table: &'_ DraftTable| -> Option<DraftValue> {
            table.entries.iter().find(|entry| entry.key == *key).map(|entry| entry.value.clone())
        };
        let values: Vec<DraftValue> = members.iter().map(value).collect::<Option<_>>()?;
        let values: Vec<&DraftValue> = values.iter().collect();
        table.set_path(key.clone(), fold.value(key.last()?, &values)?);
    }
    let (instances, parameters) = fold.finish();
    table.set("instances", instances);
    if !parameters.is_empty() {
        table.set("parameters", parameters);
    }
    Some(table)
}

/// Moves the dependencies that only some instances have, and as many as others do not have, to `required-by` of the other side.
fn move_own_dependencies(names: &[&str], members: &mut [DraftTable], others: &mut [DraftTable]) {
    let list = |table: &DraftTable| -> Vec<DraftValue> {
        let entry = table.entries.iter().find(|entry| entry.key == ["dependencies"]);
        match entry.map(|entry| &entry.value) {
            Some(DraftValue::List(list)) => list.clone(),
            _ => Vec::new(),
        }
    };
    let lists: Vec<Vec<DraftValue>> = members.iter().map(list).collect();
    if lists.iter().all(|list| list.len() == lists[0].len()) {
        return;
    }
    for ((table, list), name) in members.iter_mut().zip(&lists).zip(names) {
        let (common, own): (Vec<_>, Vec<_>) =
            list.iter().cloned().partition(|name| lists.iter().all(|list| list.contains(name)));
        for dependency in own {
            let DraftValue::Text(dependency) = dependency else { continue };
            let other = others.iter_mut().find(|table| table.path.last() == Some(&dependency));
            if let Some(other) = other {
                add_to_list(other, "required-by", name);
            }
        }
        table.entries.retain(|entry| entry.key != ["dependencies"]);
        if !common.is_empty() {
            table.set("dependencies", DraftValue::List(common));
        }
    }
}
